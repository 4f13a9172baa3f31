// What the worker does when the page asks: VaultApi over one VaultClient.
// Knows: which call leads to which step, what the page is told unasked, and when to try again.
// Refuses to know: how a message crosses, and whether this is a worker at all. No key leaves, no word but as an answer.

import { formatB64url, parseB64url } from "../crypto_core/encoding.js";
import { OutOfOrder } from "../crypto_core/errors.js";
import { makeId } from "../crypto_core/randomness.js";
import * as passphrase from "../crypto_core/sealing/passphrase.js";
import type { Policy } from "../crypto_core/receipts/policy.js";
import { ready } from "../crypto_core/sodium.js";
import type { Argon } from "../sdk/argon.js";
import { VaultClient, type ClientOptions, type Writing } from "../sdk/client.js";
import type { Sent } from "../sdk/uploader.js";
import { fetched } from "../sdk/door.js";
import { Home, MemoryLocks, openLocks, openStore, type Store } from "../sdk/home.js";
import type { Professional } from "../sdk/directory.js";
import { NetworkError, NotOpen, Refused, TrustError } from "../sdk/errors.js";
import type { Redaction } from "../sdk/extract.js";
import { Credentials, type NewAccount } from "../sdk/keychain.js";
import type { ProListedOtherwise, Standing as ProvenStanding } from "../sdk/professional.js";
import type { Progress } from "../sdk/progress.js";
import type { SendingWith } from "../sdk/box_visit.js";
import type { ReadingWith } from "../sdk/opening.js";
import { recordName } from "../sdk/replica.js";
import type { Transport } from "../sdk/transport.js";
import type {
  AccountSession, Checked, Deletion, Download, Draft, FoundDraft, Id, Item, Kept, KeptDraft, KeptReceipt, Kind, NewFile,
  Handed, Inbox, Named, Notice, Opening, Recorded, SavedPack, Standing, Typed, Unfinished, VaultApi, WriteOptions,
} from "./api.js";
import type { KeptBox, Looked, NewBox, PutIn, Room, Waiting, Words } from "./boxes.js";
import type { Depositing } from "./depositing.js";
import { fileOf, pieceOf, shown } from "./pieces.js";
import { Failure, PAUSED, problemOf } from "./problems.js";
import type { Reading } from "./reading.js";
import { Retry } from "./retry.js";
import type { Covered, Link, Listed, Professional as PlainProfessional, Shared, Sharing } from "./sharing.js";
import { Watched } from "./watched.js";

/** The code of ProListedOtherwise. */
const LISTED_OTHERWISE: typeof ProListedOtherwise.code = "pro_listed_otherwise";
/** The number of a pack that is written; those of the page's transfers begin at 1. */
const PACK = 0;
/** How often a transfer tells how far it is. */
const PROGRESS_MS = 100;

/** What the service is made with; a test brings twins. */
export interface ServiceParts {
  readonly transport: Transport;
  readonly argon: Argon;
  readonly store?: () => Promise<{ readonly store: Store; readonly persistent: boolean }>;
  readonly home?: (store: Store) => Home;
  readonly client?: Pick<ClientOptions, "clock" | "sleep" | "now">;
}

/** A new account between its words and its first opening. */
interface Made {
  readonly account: NewAccount;
  readonly username: string;
  readonly pinLogin: passphrase.PinLogin;
  isRegistered: boolean;
}

/** The vault of one page. Calls may come in any order and at once. */
export class VaultService implements VaultApi {
  readonly #client: Promise<VaultClient>;
  readonly #retry = new Retry(() => this.#again());
  /** Whom a receipt is checked against that came without a policy, and whether this browser knew it before. */
  #policy: (() => Promise<readonly [Policy, pinned: boolean]>) | null = null;
  /** With what a link is read, but for the policy; and with what something is put into a box. */
  #link: Omit<ReadingWith, "verify"> | null = null;
  #box: Omit<SendingWith, "verify"> | null = null;
  /** What others shared, once something of it is looked at. */
  #reading: Reading | null = null;
  /** Somebody's box, once its address was met. */
  #depositing: Depositing | null = null;
  #listener: ((notice: Notice) => void) | null = null;
  #forgetful = false;
  #made: Made | null = null;
  #entering: Promise<unknown> = Promise.resolve();
  #reachable = true;
  #ended = false;
  #waiting = 0;
  #warned = "";
  /** What can be paused, by the page's numbers. */
  readonly #transfers = new Map<number, AbortController>();
  /** Tells other tabs of this browser that something was written, and nothing else. */
  readonly #tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("a");

  constructor(parts: ServiceParts) {
    this.#client = this.#begin(parts);
    this.#client.catch(() => undefined); // each call tells it
    this.#tabs?.addEventListener("message", () => void this.#quietly((client) => client.refresh()));
  }

  async listen(listener: (notice: Notice) => void): Promise<void> {
    this.#listener = listener;
    await this.#client;
    if (this.#forgetful) this.#tell({ kind: "forgetful" });
  }

  /** The network is back, as far as the browser knows. */
  online(): Promise<void> {
    return this.#retry.now();
  }

  // getting in

  requireNew(typed: Partial<Typed>): Promise<void> {
    return this.#ask(() => {
      if (typed.username !== undefined) passphrase.normaliseUsername(typed.username, true);
      if (typed.password !== undefined) passphrase.normalisePassword(typed.password, true);
      if (typed.pin !== undefined) passphrase.normalisePin(typed.pin, true, new Date().getUTCFullYear());
    });
  }

  makeAccount({ username, password, pin }: Typed, language: "english" | "french"): Promise<readonly string[]> {
    return this.#enter(async (client) => {
      this.#made = null;
      const account = await client.makeAccount(new Credentials(username, password, pin), language);
      const pinLogin = passphrase.derivePinLogin(account.login.kPl, parseB64url(account.account), pin);
      this.#made = { account, username, pinLogin, isRegistered: false };
      return account.recoveryWords.split(" ");
    });
  }

  checkWords(places: readonly number[], words: readonly string[]): Promise<boolean> {
    return this.#ask(() => {
      const made = this.#requireMade().account.recoveryWords.split(" ").map(bare);
      return places.length === words.length && places.every((place, at) => made[place] === bare(words[at] ?? ""));
    });
  }

  register(): Promise<Opening> {
    return this.#enter(async (client) => {
      const made = this.#requireMade();
      if (!made.isRegistered) await client.register(made.account);
      made.isRegistered = true;
      const opening = await client.enterNew(made.account, made.username, made.pinLogin);
      this.#made = null;
      return this.#opened(opening);
    });
  }

  logIn({ username, password, pin }: Typed): Promise<Opening> {
    return this.#enter(async (client) => {
      this.#made = null;
      return this.#opened(await client.logIn(new Credentials(username, password, pin)));
    });
  }

  stepUp(pin: string): Promise<void> {
    return this.#ask(async (client) => {
      await client.stepUp(pin);
      await this.#count(client);
      this.#finish();
    });
  }

  dropSensitive(): Promise<void> {
    return this.#ask((client) => client.dropSensitive());
  }

  lock(): Promise<void> {
    this.#made = null;
    this.#retry.stop();
    for (const one of this.#transfers.values()) one.abort();
    this.#reading?.close();
    this.#depositing?.close();
    return this.#ask((client) => client.lock());
  }

  changeCredentials(now: { readonly password: string; readonly pin: string }, next: Typed): Promise<void> {
    const typed = new Credentials(next.username, next.password, next.pin);
    return this.#enter((client) => client.changeCredentials(now.password, now.pin, typed));
  }

  acceptTrust(password: string, pin: string): Promise<void> {
    return this.#enter((client) => client.acceptTrust(password, pin));
  }

  reopenPin(username: string, password: string, words: string): Promise<void> {
    return this.#enter((client) => client.reopenPin(username, password, words));
  }

  sessions(): Promise<readonly AccountSession[]> {
    return this.#ask(async (client) => (await client.sessions()).map((one) => ({
      id: formatB64url(one.session), begun: one.opened, lastUsed: one.last_used, mine: one.current,
    })));
  }

  endOtherSessions(password: string, pin: string): Promise<number> {
    return this.#enter((client) => client.endOtherSessions(password, pin));
  }

  // reading

  synchronise(): Promise<void> {
    return this.#ask(async (client) => {
      await client.synchronise();
      await this.#count(client);
    });
  }

  waiting(): Promise<readonly Item[]> {
    return this.#ask(async (client) => (await client.waiting()).map(shown));
  }

  items(kind?: Kind): Promise<readonly Item[]> {
    return this.#ask((client) => client.items(kind ?? null).map(shown));
  }

  item(id: Id, revision?: number): Promise<Item> {
    return this.#ask((client) => shown(client.item(id, revision ?? null)));
  }

  history(id: Id): Promise<readonly Item[]> {
    return this.#ask((client) => client.history(id).map(shown));
  }

  readContent(item: Id, revision: number, content: Id, range?: readonly [number, number]): Promise<Blob> {
    return this.#ask((client) => {
      const found = client.contentOf(item, revision, content);
      return fileOf(client.readContent(found, ...(range ?? [])), found.mime);
    });
  }

  readPiece(item: Id, revision: number, content: Id, start: number, stop: number): Promise<ArrayBuffer> {
    return this.#ask((client) => {
      const found = client.contentOf(item, revision, content);
      return pieceOf((from, to) => client.readContent(found, from, to), start, stop);
    });
  }

  thumbnail(content: Id): Promise<Blob | null> {
    return this.#ask((client) => client.thumbnail(content));
  }

  keepThumbnail(content: Id, preview: Blob): Promise<void> {
    return this.#ask((client) => client.keepThumbnail(content, preview));
  }

  receipt(item: Id, revision: number): Promise<KeptReceipt> {
    return this.#ask((client) => client.receipt(item, revision));
  }

  exportReceipts(item: Id, revision: number): Promise<Download> {
    return this.#ask(async (client) => {
      const blob = await client.exportReceipts(item, revision);
      return { name: `${recordName(item, revision)}.zip`, mime: blob.type, blob };
    });
  }

  checkReceipt(sealed: Blob, receipt: Blob, policy: Blob | null): Promise<Checked> {
    return this.#ask(async () => {
      const { checkReceipt, readPolicy } = await fetched(import("./checking.js"));
      return checkReceipt(sealed, receipt, policy === null ? (await this.#policy!())[0] : await readPolicy(policy));
    });
  }

  // writing

  writeEntry(draft: Draft, options: WriteOptions): Promise<Kept> {
    return this.#write((client, waits) => client.writeEntry(draft, { ...writing(options), waits }));
  }

  addDocument(file: File, draft: Draft, options: WriteOptions): Promise<Kept> {
    return this.#send(options.transfer, (sent) => this.#write((client, waits) =>
      client.addDocument({ file, thumbnail: null }, draft, { ...writing(options), sent, waits })));
  }

  async pause(transfer: number): Promise<void> {
    this.#transfers.get(transfer)?.abort();
  }

  unfinished(): Promise<readonly Unfinished[]> {
    return this.#ask(async (client) => (await client.unfinished()).map(
      ({ blob: id, name, size, changed, sensitive, made }) => ({ id, name, size, changed, sensitive, made }),
    ));
  }

  beginRecording(what: Recorded): Promise<Id> {
    return this.#write(async (client) => {
      const id: Id = await client.beginRecording(what, ({ here, kept }) => this.#tell({ kind: "recording", id, here, kept }));
      return id;
    });
  }

  addSegment(id: Id, more: Blob, seconds: number): Promise<number> {
    return this.#ask(async (client) => client.addSegment(id, new Uint8Array(await more.arrayBuffer()), seconds));
  }

  endRecording(id: Id): Promise<Kept | null> {
    return this.#write((client) => client.endRecording(id));
  }

  giveUp(id: Id): Promise<void> {
    return this.#ask((client) => client.giveUp(id));
  }

  writeAssessment(
    draft: Draft, answers: Readonly<Record<string, boolean>>, options: WriteOptions,
  ): Promise<Kept> {
    return this.#write((client, waits) => client.writeAssessment(draft, answers, { ...writing(options), waits }));
  }

  editEntry(id: Id, changes: Partial<Draft>, files: readonly NewFile[], slot: Id | null = null): Promise<Kept> {
    return this.#write((client, waits) => client.editEntry(id, changes, { attachments: files, slot, waits }));
  }

  deleteItem(id: Id): Promise<Deletion> {
    return this.#write((client) => client.deleteItem(id));
  }

  restoreItem(id: Id): Promise<Kept> {
    return this.#write((client) => client.restoreItem(id));
  }

  // what others share

  meetLink(fragment: string): Promise<void> {
    return this.#read((reading) => reading.meet(fragment));
  }

  openLink(code: string): Promise<Handed> {
    return this.#read(async (reading) => {
      const [policy, pinned] = await this.#policy!();
      return reading.openLink(code, this.#link!, policy, pinned);
    });
  }

  standing(): Promise<Standing> {
    return this.#ask(async (client) => standingOf(await client.standing()));
  }

  askToBeListed(named: Named, password: string, pin: string): Promise<Standing> {
    return this.#enter(async (client) => standingOf(await client.askToBeListed(named, password, pin)));
  }

  inbox(): Promise<Inbox> {
    return this.#ask(async (client) => {
      const received = (await client.inbox()).map(
        ({ bundle, created, expires, openings, opened }) => ({ bundle, created, expires, openings, opened }),
      );
      try {
        const strangers = (await client.listedOtherwise()).map(({ listing }) => listing.fingerprint);
        return { received, alarm: strangers.length > 0 ? LISTED_OTHERWISE : null, strangers };
      } catch (error) {
        if (!(error instanceof TrustError)) throw error;
        return { received, alarm: error.code, strangers: [] };
      }
    });
  }

  openReceived(bundle: Id): Promise<Handed> {
    return this.#read(async (reading, client) =>
      reading.show(await client.openReceived(bundle, reading.openings), true));
  }

  readShared(item: Id, revision: number, content: Id, range?: readonly [number, number]): Promise<Blob> {
    return this.#read((reading) => reading.file(item, revision, content, range));
  }

  readSharedPiece(item: Id, revision: number, content: Id, start: number, stop: number): Promise<ArrayBuffer> {
    return this.#read((reading) => reading.piece(item, revision, content, start, stop));
  }

  sharedReceipts(item: Id, revision: number, content: Id): Promise<readonly KeptReceipt[]> {
    return this.#read((reading) => reading.receipts(item, revision, content));
  }

  savePack(into: FileSystemFileHandle | null): Promise<SavedPack> {
    return this.#send(PACK, ({ signal }) => this.#read(async ({ opened }) => {
      const [{ savePack }, [policy]] = await Promise.all([fetched(import("./packing.js")), this.#policy!()]);
      return savePack(opened, policy, this.#link!, into, signal ?? null);
    }));
  }

  leavePack(): Promise<void> {
    return this.pause(PACK);
  }

  closeShared(): Promise<void> {
    return this.#ask(() => this.#reading?.close());
  }

  // sharing

  professionals(): Promise<Listed> {
    return this.#ask(async (client) => {
      const { professionals, unread } = await (await client.professionals()).read();
      return { professionals: professionals.map(listedPlainly), unread };
    });
  }

  noteCompared(entry: number): Promise<void> {
    return this.#ask(async (client) => (await client.professionals()).noteCompared(entry));
  }

  makeExtract(item: Id, revision: number, redaction: Redaction, covered: readonly Covered[]): Promise<Kept> {
    const pictures = new Map(covered.map(({ content, picture }) => [content, picture]));
    return this.#write((client, waits) => client.makeExtract(item, revision, redaction, pictures, { waits }));
  }

  share(password: string, pin: string, sharing: Sharing): Promise<Link | null> {
    return this.#enter((client) => client.share(password, pin, sharing));
  }

  shares(): Promise<readonly Shared[]> {
    return this.#ask(async (client) => (await (await client.shares()).list()).map(
      ({ wrong_codes: wrongCodes, replaced_by: replacedBy, ...rest }) => ({ ...rest, wrongCodes, replacedBy }),
    ));
  }

  revokeShare(bundle: Id): Promise<void> {
    return this.#ask(async (client) => (await client.shares()).revoke(bundle));
  }

  // deposit boxes

  makeBox(password: string, pin: string, plan: NewBox): Promise<string> {
    return this.#enter((client) => client.makeBox(password, pin, plan));
  }

  boxes(): Promise<readonly KeptBox[]> {
    return this.#ask(async (client) => (await client.boxes()).list());
  }

  closeBox(box: Id): Promise<void> {
    return this.#ask(async (client) => (await client.boxes()).close(box));
  }

  deposits(box: Id): Promise<readonly Waiting[]> {
    return this.#ask(async (client) => (await client.boxes()).waiting(box));
  }

  lookAt(box: Id, deposit: Id): Promise<Looked> {
    return this.#ask(async (client) => {
      const { lookedPlainly } = await fetched(import("./depositing.js"));
      return lookedPlainly(await (await client.boxes()).open(box, deposit));
    });
  }

  readDeposited(deposit: Id, content: Id, range?: readonly [number, number]): Promise<Blob> {
    return this.#ask(async (client) => {
      const boxes = await client.boxes();
      const found = boxes.contentOf(deposit, content);
      return fileOf(boxes.content(found, ...(range ?? [])), found.mime);
    });
  }

  readDepositedPiece(deposit: Id, content: Id, start: number, stop: number): Promise<ArrayBuffer> {
    return this.#ask(async (client) => {
      const boxes = await client.boxes();
      const found = boxes.contentOf(deposit, content);
      return pieceOf((from, to) => boxes.content(found, from, to), start, stop);
    });
  }

  acceptDeposit(deposit: Id): Promise<Kept> {
    return this.#write((client) => client.acceptDeposit(deposit));
  }

  refuseDeposit(box: Id, deposit: Id): Promise<void> {
    return this.#ask(async (client) => (await client.boxes()).refuse(box, deposit, null));
  }

  eraseDeposit(box: Id, deposit: Id, password: string, pin: string): Promise<void> {
    return this.#enter((client) => client.refuseNow(box, deposit, password, pin));
  }

  meetBox(fragment: string): Promise<void> {
    return this.#put((depositing) => depositing.meet(fragment));
  }

  enterBox(): Promise<Room> {
    return this.#put(async (depositing) => depositing.enter(this.#box!, (await this.#policy!())[0]));
  }

  putIn(words: Words, files: readonly File[]): Promise<PutIn> {
    return this.#put((depositing) => depositing.putIn(words, files, this.#transfer(true)));
  }

  receiptsOfDeposit(): Promise<Download> {
    return this.#put(async (depositing) => depositing.receipts((await this.#policy!())[0]));
  }

  // drafts

  keepDraft(draft: KeptDraft): Promise<void> {
    return this.#ask((client) => client.drafts.keep(draft));
  }

  drafts(): Promise<readonly FoundDraft[]> {
    return this.#ask((client) => client.drafts.list());
  }

  dropDraft(slot: Id): Promise<void> {
    return this.#ask((client) => client.drafts.drop(slot));
  }

  makeId(): Promise<Id> {
    return this.#ask(() => formatB64url(makeId()));
  }

  // what the above is made of

  async #begin(parts: ServiceParts): Promise<VaultClient> {
    const [{ store, persistent }] = await Promise.all([(parts.store ?? openStore)(), ready()]);
    this.#forgetful = !persistent;
    // What is kept in this worker alone needs no lock between tabs; a browser that forbids stores forbids those, too.
    const home = parts.home?.(store) ?? new Home(store, persistent ? openLocks() : new MemoryLocks());
    const transport = new Watched(parts.transport, (reachable) => this.#reach(reachable));
    this.#policy = async () => {
      const known = await home.policy();
      return known ? [known, true] : [await (await fetched(import("./checking.js"))).publishedPolicy(transport), false];
    };
    const [clock, reading] = [parts.client?.clock ?? clockOfDevice, this.#transfer(false)];
    this.#link = { transport, clock, progress: reading };
    const { sleep = resting, now = () => performance.now() } = parts.client ?? {};
    this.#box = { transport, clock, sleep, now };
    return new VaultClient(transport, home, {
      ...parts.client, clock, argon: parts.argon, progress: this.#transfer(true), reading,
      onSensitive: (until) => this.#tell({ kind: "sensitive", open: until !== null, until }),
    });
  }

  /** One answer. Whatever goes wrong leaves as a Problem, and is looked at on its way. */
  async #ask<T>(act: (client: VaultClient) => T | Promise<T>): Promise<T> {
    const client = await this.#client;
    try {
      const result = await act(client);
      this.#watch(client);
      return result;
    } catch (error) {
      this.#watch(client);
      throw this.#seen(client, error);
    }
  }

  /** The same, with what others shared. */
  #read<T>(act: (reading: Reading, client: VaultClient) => T | Promise<T>): Promise<T> {
    return this.#ask(async (client) => {
      const { Reading } = await fetched(import("./reading.js"));
      return act(this.#reading ??= new Reading(), client);
    });
  }

  /** The same, with somebody's box. */
  #put<T>(act: (depositing: Depositing) => T | Promise<T>): Promise<T> {
    return this.#ask(async () => {
      const { Depositing } = await fetched(import("./depositing.js"));
      return act(this.#depositing ??= new Depositing());
    });
  }

  /** What changes who is in: one after the other. */
  #enter<T>(act: (client: VaultClient) => Promise<T>): Promise<T> {
    const mine = this.#entering.then(() => this.#ask(act));
    this.#entering = mine.catch(() => undefined);
    return mine;
  }

  /** Something that is written. A Problem says whether the outbox has it. */
  async #write<T>(act: (client: VaultClient, waits: () => void) => Promise<T>): Promise<T> {
    let waiting = false;
    try {
      return await this.#ask(async (client) => {
        try {
          const result = await act(client, () => void (waiting = true));
          this.#tabs?.postMessage(null);
          return result;
        } finally {
          if (client.isOpen) await this.#count(client);
        }
      });
    } catch (error) {
      if (!waiting) throw error;
      const problem = problemOf(error);
      throw new Failure({ ...problem, extra: { ...problem.extra, waiting } });
    }
  }

  /** A transfer of the page's, which it hears of and may pause. */
  async #send<T>(transfer: number | null = null, act: (sent: Sent) => Promise<T>): Promise<T> {
    const stop = new AbortController();
    if (transfer !== null) this.#transfers.set(transfer, stop);
    try {
      return await act({ signal: stop.signal, progress: this.#transfer(true, transfer) });
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      throw new Failure({ code: PAUSED, detail: "", retryAfter: null, extra: {} });
    } finally {
      if (transfer !== null) this.#transfers.delete(transfer);
    }
  }

  #requireMade(): Made {
    if (this.#made === null) throw new OutOfOrder("no account was made");
    return this.#made;
  }

  #opened(opening: Opening): Opening {
    this.#ended = false;
    this.#waiting = opening.waiting;
    if (opening.waiting > 0) this.#retry.begin();
    this.#finish();
    return opening;
  }

  /** What another tab did, or what nobody asked for: no error of it is anybody's. */
  async #quietly(act: (client: VaultClient) => Promise<unknown>): Promise<void> {
    const client = await this.#client;
    if (!client.isOpen || this.#ended) return;
    await this.#ask(act).catch(() => undefined);
  }

  /** Closes recordings that broke off, while nobody waits for it. */
  #finish(): void {
    void this.#quietly((client) => client.finishRecordings());
  }

  /** Whether there is more to be tried. */
  async #again(): Promise<boolean> {
    await this.#quietly(async (client) => {
      await client.synchronise();
      await this.#count(client);
      await client.finishRecordings();
    });
    const client = await this.#client;
    return client.isOpen && !this.#ended && (this.#waiting > 0 || !this.#reachable);
  }

  async #count(client: VaultClient): Promise<void> {
    const { length } = await client.waiting();
    if (length !== this.#waiting) this.#tell({ kind: "waiting", count: length });
    this.#waiting = length;
    if (length > 0) this.#retry.begin();
  }

  #reach(reachable: boolean): void {
    if (reachable !== this.#reachable) this.#tell({ kind: "network", reachable });
    this.#reachable = reachable;
  }

  /** Tells what is new: rows, warnings. */
  #watch(client: VaultClient): void {
    if (!client.isOpen) return;
    if (client.changed) this.#tell({ kind: "changed" });
    const codes = client.warnings;
    if (codes.join() !== this.#warned) this.#tell({ kind: "warnings", codes });
    this.#warned = codes.join();
  }

  #seen(client: VaultClient, error: unknown): Failure {
    if (error instanceof NetworkError) {
      this.#reach(false);
      if (client.isOpen) this.#retry.begin();
    }
    if (error instanceof Refused && error.code === "unauthorized" && client.isOpen && !this.#ended) {
      this.#ended = true;
      this.#retry.stop();
      this.#tell({ kind: "session_ended", code: error.code });
    }
    const wasLocked = error instanceof OutOfOrder && !client.isOpen;
    return new Failure(problemOf(wasLocked ? new NotOpen() : error));
  }

  #tell(notice: Notice): void {
    this.#listener?.(notice);
  }

  #transfer(sending: boolean, transfer: number | null = null): Progress {
    let [name, done, total, told, found] = ["", 0, 0, 0, 0];
    const tell = (): void => {
      told = Date.now();
      this.#tell({ kind: "progress", sending, name, done, total, found, transfer });
    };
    return {
      start: (label, size) => {
        [name, done, total, found] = [label, 0, size, 0];
        tell();
      },
      found: (count) => {
        found += count;
      },
      advance: (count) => {
        done += count;
        if (Date.now() - told >= PROGRESS_MS) tell();
      },
      done: () => {
        done = total;
        tell();
      },
    };
  }
}

function writing({ sensitive, files, slot }: WriteOptions): Writing {
  return { sensitive, attachments: files, slot };
}

function resting(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Unix seconds. */
function clockOfDevice(): number {
  return Math.floor(Date.now() / 1000);
}

function standingOf({ state, listing, asked, fingerprint }: ProvenStanding): Standing {
  return { state, listing: listing && namedIn(listing), asked: asked && namedIn(asked), fingerprint };
}

function namedIn({ name, org, town, kind }: Named): Named {
  return { name, org, town, kind };
}

/** A professional without the keys themselves. */
function listedPlainly({ entry, listing, since, compared }: Professional): PlainProfessional {
  const { name, org, town, kind, fingerprint } = listing;
  return { entry, name, org, town, kind, fingerprint, since, compared };
}

/** A word without its case and accents. */
function bare(word: string): string {
  return word.normalize("NFKD").replace(/\p{M}/gu, "").trim().toLowerCase();
}
