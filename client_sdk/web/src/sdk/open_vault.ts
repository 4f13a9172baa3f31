// What an open vault works with: the parts of one session, some of them fetched when they are first asked for.
// Knows: how they are put together, and in which order they are let go of. Refuses to know: who may open it, and what is
// done with it (sdk/client.ts).

import { TemoinError } from "../crypto_core/errors.js";
import type { Account as AccountAnswer } from "../schemas/accounts.js";
import { Account } from "./account.js";
import { Attaching } from "./attaching.js";
import type { Boxes } from "./boxes.js";
import type { Professionals } from "./directory.js";
import { fetched, type Door } from "./door.js";
import { Drafts, Thumbnails } from "./drafts.js";
import type { Office } from "./professional.js";
import type { Progress } from "./progress.js";
import type { Machine } from "./protocol/machine.js";
import type { Unlock, UnlockEvent } from "./protocol/unlock.js";
import { Reader } from "./reader.js";
import { Recordings } from "./recorder.js";
import type { LostFile, Redepositor } from "./redeposit.js";
import { SensitiveTier } from "./sensitive.js";
import type { Session } from "./session.js";
import type { Shares } from "./sharing.js";
import { Synchroniser } from "./synchroniser.js";
import { Uploader, type Sleep } from "./uploader.js";
import { SETTLING, Writer } from "./writer.js";

/** What every vault of one client is opened with. */
export interface Ways {
  readonly door: Door;
  readonly machine: Machine<Unlock, UnlockEvent>;
  /** Hears of contents that are read. */
  readonly reading: Progress;
  readonly sleep: Sleep;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  readonly onSensitive: (until: number | null) => void;
}

/** The parts of one session. */
export class OpenVault {
  readonly session: Session;
  readonly reader: Reader;
  readonly synchroniser: Synchroniser;
  readonly writer: Writer;
  readonly uploader: Uploader;
  readonly drafts: Drafts;
  readonly thumbnails: Thumbnails;
  readonly attaching: Attaching;
  readonly recordings: Recordings;
  readonly sensitive: SensitiveTier;
  readonly account: Account;
  /** The last row that the page was told of. */
  shown = 0;
  /** How many versions this session has given back to the vault. */
  givenBack = 0;
  readonly #reading: Progress;
  #professionals: Professionals | null = null;
  #shares: Shares | null = null;
  #boxes: Boxes | null = null;
  #office: Office | null = null;
  #redepositor: Redepositor | null = null;
  #lostFiles: readonly LostFile[] = [];

  /** `lock` locks the vault here, and asks nobody. */
  constructor(session: Session, username: string, lock: (vault: OpenVault) => void, ways: Ways) {
    this.session = session;
    this.reader = new Reader(session, ways.reading);
    this.synchroniser = new Synchroniser(session);
    this.writer = new Writer(session, this.reader, this.synchroniser);
    this.uploader = new Uploader(session, ways.sleep, ways.now);
    this.drafts = new Drafts(session.home, session.keyring);
    this.thumbnails = new Thumbnails(session.home, session.keyring);
    this.attaching = new Attaching(session, this.uploader, this.drafts, this.thumbnails);
    this.recordings = new Recordings(session, this.reader, this.writer, ways.sleep);
    this.sensitive = new SensitiveTier(session, this.writer, ways.machine, ways.onSensitive);
    this.account = new Account({
      door: ways.door, session, synchroniser: this.synchroniser, sensitive: this.sensitive, username,
      professionals: () => this.professionals(), redepositor: () => this.redepositor(), forget: () => lock(this),
    });
    this.#reading = ways.reading;
  }

  async professionals(): Promise<Professionals> {
    const { Professionals } = await fetched(import("./directory.js"));
    return this.#professionals ??= new Professionals(this.session);
  }

  async shares(): Promise<Shares> {
    const { Shares } = await fetched(import("./sharing.js"));
    const professionals = await this.professionals();
    return this.#shares ??= new Shares(this.session, this.reader, professionals);
  }

  async boxes(): Promise<Boxes> {
    const { Boxes } = await fetched(import("./boxes.js"));
    return this.#boxes ??= new Boxes(this.session, this.reader, this.writer, this.#reading);
  }

  async office(): Promise<Office> {
    const { Office } = await fetched(import("./professional.js"));
    const professionals = await this.professionals();
    return this.#office ??= new Office(this.session, professionals);
  }

  async redepositor(): Promise<Redepositor> {
    const { Redepositor } = await fetched(import("./redeposit.js"));
    return this.#redepositor ??= new Redepositor(this.session, this.reader, this.synchroniser, this.writer);
  }

  /** Sends what waits and brings what other devices wrote, gives back what the vault has lost; gives how much still waits. `opened`: as `Synchroniser.sync`. */
  synchronise(opened: AccountAnswer | null = null): Promise<number> {
    return this.session.locked(async () => {
      const reasons = await this.writer.flush();
      await this.synchroniser.syncAnyhow(opened);
      await this.#giveBack();
      await this.#tidy();
      return reasons.length;
    });
  }

  /** Files that the vault has lost, and that items have gone on without since it was opened: to be told, so that whoever still
   * has one adds it again; and recordings of which it has lost a part. What `account.acceptTrust` gives back is not among
   * them. The same array for as long as nothing more was found. */
  get lostFiles(): readonly LostFile[] {
    const found = [...(this.#redepositor?.lostFiles ?? []), ...this.recordings.lostFiles];
    if (found.length !== this.#lostFiles.length) this.#lostFiles = found;
    return this.#lostFiles;
  }

  /** What was left to be done behind the PIN when a warning ended, or an item went without a file. */
  async finishAnyhow(): Promise<void> {
    const { session } = this;
    if (session.replica.fact(SETTLING)) await session.locked(async () => (await this.redepositor()).finishAnyhow());
  }

  /** Writes the account record if anything was written, and ends the session. */
  async farewell(): Promise<void> {
    const { session, account, drafts } = this;
    await drafts.settled();
    try {
      if (session.replica.fact("dirty") && session.state.facts !== null && !session.warnings.any) {
        await session.locked(() => account.writeRecord());
      }
    } catch (error) {
      if (!(error instanceof TemoinError)) throw error;
    }
    await session.ask("POST", "/v1/logout");
  }

  /** Every key goes. */
  forget(): void {
    this.sensitive.end();
    this.session.keyring.forget();
    this.session.replica.close();
  }

  async #giveBack(): Promise<void> {
    const { replica } = this.session;
    if (replica.notSeenIn(replica.fact("pass")).length === 0 && !replica.fact(SETTLING)) return;
    const redepositor = await this.redepositor();
    this.givenBack += await redepositor.giveBack();
    await redepositor.finishAnyhow();
  }

  /** Lets go of what served its time: journals of files that are kept, previews of contents that are not. */
  async #tidy(): Promise<void> {
    const { replica } = this.session;
    await this.uploader.tidy();
    const named = new Set(replica.newestOfEach().flatMap((row) => replica.history(row.item))
      .filter((row) => row.record !== null && row.erases === null).flatMap((row) => row.blobs));
    await this.thumbnails.tidy((content) => named.has(content));
  }
}
