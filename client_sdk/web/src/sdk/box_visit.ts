// Puts files and words into somebody else's box, without an account.
// Knows: protocol §7 on the depositor's side (docs/spec/deposit-box.md). Refuses to know: pages, whose box it is, and what
// becomes of what was sent. Nothing is read there, and nothing is kept here.

import { formatB64url } from "../crypto_core/encoding.js";
import { makeId } from "../crypto_core/randomness.js";
import {
  deriveDepositCap, parseBoxFragment, sealDeposit, wrapDepositKey, type BoxAddress,
} from "../crypto_core/sealing/boxes.js";
import { makeRecordKey } from "../crypto_core/sealing/records.js";
import type { BoxEntered } from "../schemas/boxes.js";
import { Deposit, VERSION } from "../schemas/deposits.js";
import * as limits from "../schemas/limits.js";
import { sha256 } from "./digest.js";
import { forgetKeys } from "./door.js";
import { Refused, ServerFault, ValueRefused } from "./errors.js";
import type { Content, Id } from "./items.js";
import { PassingJournal } from "./journal.js";
import type { Verify } from "./opening.js";
import type { Progress } from "./progress.js";
import { stated } from "./sharing.js";
import type { Transport } from "./transport.js";
import { Sender, type JournalMaker, type Place, type Sent, type Sleep } from "./uploader.js";

export const ENTER = "/v1/boxes/<id:box>/enter";
export const DEPOSITS = "/v1/boxes/<id:box>/deposits";
const BLOB = "/v1/boxes/<id:box>/blobs/<id:blob>";
const UPLOADS = "/v1/boxes/<id:box>/uploads";
const UPLOAD = "/v1/boxes/<id:box>/uploads/<id:blob>";
const UNITS = "/v1/boxes/<id:box>/uploads/<id:blob>/units/<u32:first>";
const COMPLETE = "/v1/boxes/<id:box>/uploads/<id:blob>/complete";

/** What a visit is made with. */
export interface VisitingWith {
  readonly transport: Transport;
  readonly verify: Verify;
  /** Unix seconds. */
  readonly clock: () => number;
  readonly progress: Progress;
  readonly sleep: Sleep;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
}

/** A file that the box has taken, and its proven receipt. Nobody is shown it before a deposit names it. */
export interface Given {
  readonly content: Content;
  readonly receipt: string;
}

/** A deposit made here and perhaps sent: the same bytes go again after a lost answer. `words` are sealed, `key` is theirs,
 * boxed for the person (128 bytes). */
export interface MadeDeposit {
  readonly deposit: Id;
  readonly words: Uint8Array;
  readonly key: Uint8Array;
  readonly given: readonly Given[];
}

/** A deposit that the vault has taken (Unix seconds, by its clock), the SHA-256 of its sealed words, and their proven
 * receipt. */
export interface Deposited {
  readonly deposit: Id;
  readonly deposited: number;
  readonly sealed: Uint8Array;
  readonly receipt: string;
}

/** One depositor in one box. After an hour it enters again by itself. */
export class Visit {
  readonly #address: BoxAddress;
  readonly #box: Entered;
  readonly #sender: Sender;
  readonly #clock: () => number;
  /** Of words that have arrived: once a deposit names them, they are out of reach. */
  readonly #receipts = new Map<Id, string>();

  private constructor(address: BoxAddress, box: Entered, by: VisitingWith) {
    this.#address = address;
    this.#box = box;
    this.#sender = new Sender(box, NO_JOURNALS, by.progress, by.sleep, by.now);
    this.#clock = by.clock;
  }

  /** Enters with what follows an address, `#d…`. Throws LinkMalformed, Refused (`box_over`, `cap_refused`, …). */
  static async enter(fragment: string, by: VisitingWith): Promise<Visit> {
    const address = parseBoxFragment(fragment);
    const cap = deriveDepositCap(address.secret, address.box);
    const box = new Entered(formatB64url(address.box), cap, by);
    await box.enter();
    return new Visit(address, box, by);
  }

  /** What the box still takes, and until when, as the vault said it last. */
  get room(): Omit<BoxEntered, "token"> {
    return this.#box.entered;
  }

  /** Sends one file. Throws FileUnreadable, FileChanged, NetworkError, or Refused (`box_full`, `box_over`, …). */
  async give(file: Blob, how: Sent = {}): Promise<Given> {
    const { content, receipt } = await this.#sender.send(file, false, how);
    return { content, receipt };
  }

  /** A deposit of what was given, with words; nothing is sent. Throws ValueRefused. */
  make(name: string, message: string, given: readonly Given[]): MadeDeposit {
    const { box, pkBox } = this.#address;
    const [deposit, key] = [makeId(), makeRecordKey()];
    const words = sealDeposit(key, box, deposit, stated(Deposit, {
      v: VERSION, name, message, written: this.#clock(), contents: given.map((one) => one.content),
    }));
    if (words.length > limits.DEPOSIT) throw new ValueRefused("more words than one deposit holds");
    const wrap = wrapDepositKey(pkBox, key, box);
    forgetKeys(key);
    return { deposit: formatB64url(deposit), words, key: wrap, given };
  }

  /** Puts it into the box. After a NetworkError the same `made` is given again.
   *
   * Throws Refused, NetworkError, or a leaf of VerificationError or TrustError. */
  async send({ deposit, words, key, given }: MadeDeposit): Promise<Deposited> {
    const receipt = this.#receipts.get(deposit) ?? (await this.#sender.sendSealed(deposit, words));
    this.#receipts.set(deposit, receipt);
    const kept = await this.#box.deposit({ deposit, key, blobs: given.map((one) => one.content.blob) });
    if (kept.deposit !== deposit) throw new ServerFault("an answer about another deposit");
    return { deposit, deposited: kept.deposited, sealed: sha256(words), receipt };
  }

  /** Overwrites what the address held. */
  forget(): void {
    forgetKeys(this.#address.secret);
    this.#box.forget();
  }
}

/** What is sent into a box leaves nothing behind on this device. */
const NO_JOURNALS: JournalMaker = {
  find: async () => null,
  make: async () => new PassingJournal(),
};

/** The place where blobs go, below the box's own address, with a visit that is renewed when its hour is over. */
class Entered implements Place {
  readonly #box: Id;
  readonly #cap: Uint8Array;
  readonly #by: VisitingWith;
  #entered: BoxEntered | null = null;
  #entering: Promise<BoxEntered> | null = null;

  constructor(box: Id, cap: Uint8Array, by: VisitingWith) {
    this.#box = box;
    this.#cap = cap;
    this.#by = by;
  }

  get entered(): BoxEntered {
    if (this.#entered === null) throw new ServerFault("nobody has entered");
    return this.#entered;
  }

  async enter(): Promise<void> {
    this.#entering ??= this.#by.transport.ask("POST", ENTER, { body: { cap: this.#cap }, places: { box: this.#box } });
    try {
      this.#entered = await this.#entering;
    } finally {
      this.#entering = null;
    }
  }

  forget(): void {
    forgetKeys(this.#cap);
  }

  announce(blob: Id, size: number) {
    return this.#visiting((token) =>
      this.#by.transport.ask("POST", UPLOADS, { body: { blob, size }, places: { box: this.#box }, token }));
  }

  putUnits(
    blob: Id, first: number, units: readonly Uint8Array[], digests: readonly Uint8Array[], signal: AbortSignal | null,
  ) {
    const places = { box: this.#box, blob, first };
    return this.#visiting((token) => this.#by.transport.put(UNITS, units, digests, { places, token, signal }));
  }

  putWhole(blob: Id, data: Uint8Array, digest: Uint8Array, signal: AbortSignal | null) {
    const places = { box: this.#box, blob };
    return this.#visiting((token) => this.#by.transport.put(BLOB, [data], [digest], { places, token, signal }));
  }

  complete(blob: Id, digest: Uint8Array) {
    const places = { box: this.#box, blob };
    return this.#visiting((token) =>
      this.#by.transport.ask("POST", COMPLETE, { body: { sha256: digest }, places, token }));
  }

  giveUp(blob: Id) {
    const places = { box: this.#box, blob };
    return this.#visiting((token) => this.#by.transport.ask("DELETE", UPLOAD, { places, token }));
  }

  async prove(receipt: string, _blob: Id, digest: Uint8Array, size: number): Promise<void> {
    await this.#by.verify(receipt, digest, size);
  }

  deposit(body: { readonly deposit: Id; readonly key: Uint8Array; readonly blobs: Id[] }) {
    return this.#visiting((token) =>
      this.#by.transport.ask("POST", DEPOSITS, { body, places: { box: this.#box }, token }));
  }

  async #visiting<T>(once: (token: Uint8Array) => Promise<T>): Promise<T> {
    const { token } = this.entered;
    try {
      return await once(token);
    } catch (error) {
      if (!(error instanceof Refused && error.code === "visit_over")) throw error;
    }
    if (this.entered.token === token) await this.enter(); // whoever came first has entered for all
    return once(this.entered.token);
  }
}
