// Puts files and words into somebody's box, without an account: who has the address can put in, and read nothing.
// Knows: docs/spec/deposit-box.md on the depositor's side. Refuses to know: whose box it is, and what becomes of what was
// sent; nobody is told. Nothing is written anywhere: keys, journals and receipts go with the object.

import { formatB64url, isSame } from "../crypto_core/encoding.js";
import { MalformedError } from "../crypto_core/errors.js";
import { makeBytes, makeId } from "../crypto_core/randomness.js";
import type { Policy } from "../crypto_core/receipts/policy.js";
import {
  deriveDepositCap, parseBoxFragment, sealDeposit, wrapDepositKey, type BoxAddress,
} from "../crypto_core/sealing/boxes.js";
import { SALT_SIZE } from "../crypto_core/sealing/envelope.js";
import { makeContentKey, makeRecordKey } from "../crypto_core/sealing/records.js";
import { sodium } from "../crypto_core/sodium.js";
import { VERSION } from "../schemas/deposits.js";
import { DEPOSIT, DEPOSIT_BLOBS } from "../schemas/limits.js";
import { sealedContentSize } from "./contents.js";
import { sha256 } from "./digest.js";
import { exportReceipts } from "./dossier.js";
import { BlobSwapped, FileChanged, Refused, ServerFault, ValueRefused } from "./errors.js";
import type { Content, Id, KeptReceipt, SealedBlob } from "./items.js";
import { JournalMismatch, Source } from "./journal.js";
import type { Verify } from "./opening.js";
import { NO_PROGRESS, type Progress } from "./progress.js";
import { blobName } from "./replica.js";
import { formatDeposit } from "./sent_words.js";
import type { Transport } from "./transport.js";
import { sealFile, sendContent, sendWhole, type Place, type Sleep, type Way } from "./uploader.js";

const ENTER = "/v1/boxes/<id:box>/enter";
const BLOB = "/v1/boxes/<id:box>/blobs/<id:blob>";
const UPLOADS = "/v1/boxes/<id:box>/uploads";
const UNITS = "/v1/boxes/<id:box>/uploads/<id:blob>/units/<u32:first>";
const COMPLETE = "/v1/boxes/<id:box>/uploads/<id:blob>/complete";
const DEPOSITS = "/v1/boxes/<id:box>/deposits";
/** How many times a file is begun anew under another key. */
const BLOBS = 3;

/** What a depositor sends with. `clock` gives Unix seconds, `now` milliseconds of a clock that nobody sets. */
export interface SendingWith {
  readonly transport: Transport;
  readonly verify: Verify;
  readonly clock: () => number;
  readonly sleep: Sleep;
  readonly now: () => number;
}

/** What a box still takes: so many deposits, so many sealed bytes, until when (Unix seconds, by the vault's clock). */
export interface Room {
  readonly until: number;
  readonly deposits: number;
  readonly bytes: number;
}

/** A depositor's own words; `name` is who they say they are. Either may be empty. */
export interface Words {
  readonly name: string;
  readonly message: string;
}

/** What was put in, and when (Unix seconds, as the receipt of the words says). `receipts` are those of the sealed words and
 * of each file, in this order; all of them verified. */
export interface Deposited {
  readonly deposit: Id;
  readonly deposited: number;
  readonly receipts: readonly KeptReceipt[];
}

/** The end of an address. Holds a secret. */
export class Address {
  readonly box: Id;
  readonly #parts: BoxAddress;

  private constructor(parts: BoxAddress) {
    this.box = formatB64url(parts.box);
    this.#parts = parts;
  }

  /** From `#d` and 107 characters. Throws LinkMalformed. */
  static parse(fragment: string): Address {
    return new Address(parseBoxFragment(fragment));
  }

  /** What is shown to enter, 32 bytes. */
  deriveCap(): Uint8Array {
    return deriveDepositCap(this.#parts.secret, this.#parts.box);
  }

  /** Words sealed under `key` for one deposit, and the key boxed for whoever made the box (128 bytes). */
  seal(key: Uint8Array, deposit: Uint8Array, json: Uint8Array): readonly [blob: Uint8Array, wrap: Uint8Array] {
    const { box, pkBox } = this.#parts;
    return [sealDeposit(key, box, deposit, json), wrapDepositKey(pkBox, key, box)];
  }

  /** Overwrites the secret. */
  forget(): void {
    sodium.memzero(this.#parts.secret);
  }
}

/** A file that arrived, with what seals it again. */
interface Arrived {
  readonly source: Source;
  readonly notes: Notes;
  readonly content: Content;
  readonly receipt: KeptReceipt;
}

/** Sealed words on their way: the same bytes go again after a lost answer. Once there is a receipt they are not sent
 * again: of what a deposit names, the vault takes nothing more. */
interface Sealed {
  readonly said: string;
  readonly deposit: Id;
  readonly blob: Uint8Array;
  readonly wrap: Uint8Array;
  readonly notes: Notes;
  receipt: KeptReceipt | null;
}

/** A visit to one box. It goes on in another token when its hour is over. */
export class Visit {
  readonly room: Room;
  readonly #address: Address;
  readonly #by: SendingWith;
  #token: Uint8Array;
  /** By what a file is and its place among the others: the page hands over another object each time. */
  readonly #notes = new Map<string, Notes>();
  readonly #arrived = new Map<string, Arrived>();
  #sealed: Sealed | null = null;
  #kept: { readonly words: Sealed; readonly receipt: KeptReceipt; readonly files: readonly Arrived[] } | null = null;

  private constructor(address: Address, by: SendingWith, token: Uint8Array, room: Room) {
    this.#address = address;
    this.#by = by;
    this.#token = token;
    this.room = room;
  }

  /** Shows the key of the address; changes nothing. Throws Refused (`cap_refused`, `box_over`, …) or NetworkError. */
  static async enter(address: Address, by: SendingWith): Promise<Visit> {
    const { token, until, deposits, bytes } = await enter(address, by.transport);
    return new Visit(address, by, token, { until, deposits, bytes });
  }

  /** Sends files, then words, then names them all: only then is anything shown to the person.
   *
   * After a NetworkError the same call goes on where it was. Throws Refused (`box_full`, `box_over`, …), FileChanged,
   * FileUnreadable, ValueRefused, VerificationError. */
  async deposit(words: Words, files: readonly Blob[], progress: Progress = NO_PROGRESS): Promise<Deposited> {
    if (files.length > DEPOSIT_BLOBS) throw new ValueRefused("more files than one deposit holds");
    const arrived: Arrived[] = [];
    for (const [place, file] of files.entries()) arrived.push(await this.#file(file, place, progress));
    const sealed = this.#seal(words, arrived);
    const receipt = sealed.receipt ??= await this.#words(sealed);
    const { deposit, wrap: key } = sealed;
    const kept = await this.#asked((token) => this.#by.transport.ask("POST", DEPOSITS, {
      token, places: this.#places, body: { deposit, key, blobs: arrived.map((one) => one.content.blob) },
    }));
    if (kept.deposit !== deposit) throw new ServerFault("an answer about another deposit");
    this.#kept = { words: sealed, receipt, files: arrived };
    this.#sealed = null;
    this.#notes.clear();
    this.#arrived.clear();
    const { time: deposited } = receipt.verified.commitment; // what the answer says beside it proves nothing
    return { deposit, deposited, receipts: [receipt, ...arrived.map((one) => one.receipt)] };
  }

  /** What was deposited last, as it was sealed, with its receipts, as one archive: nothing in it opens anything. Null
   * before there is any. Throws FileChanged where a file isn't what it was. */
  async receipts(policy: Policy): Promise<Blob | null> {
    if (this.#kept === null) return null;
    try {
      return await exportReceipts(this.#sealedAgain(), policy);
    } catch (error) {
      throw error instanceof BlobSwapped || error instanceof MalformedError ? new FileChanged() : error;
    }
  }

  async *#sealedAgain(): AsyncGenerator<SealedBlob> {
    const { words, receipt, files } = this.#kept!;
    const plain = { anchor: null, before: null };
    yield { ...receipt, ...plain, sha256: sha256(words.blob), size: words.blob.length, chunks: [words.blob] };
    for (const { source, notes, content, receipt: own } of files) {
      const size = sealedContentSize(content.size);
      yield { ...own, ...plain, sha256: content.sealed, size, chunks: sealFile(source, notes) };
    }
  }

  async #file(file: Blob, place: number, progress: Progress): Promise<Arrived> {
    const source = new Source(file);
    const same = JSON.stringify([place, source.name, source.size, source.changed]);
    const before = this.#arrived.get(same);
    if (before !== undefined) return before;
    for (let tries = 0; tries < BLOBS; tries += 1) {
      const notes = this.#notes.get(same)?.again() ?? new Notes();
      this.#notes.set(same, notes);
      try {
        const { content, receipt: text } = await sendContent(source, this.#way(notes, progress));
        const receipt = await this.#proven(content.blob, text, content.sealed, sealedContentSize(content.size));
        const arrived = { source, notes, content, receipt };
        this.#arrived.set(same, arrived);
        return arrived;
      } catch (error) {
        const mismatch = error instanceof JournalMismatch;
        if (mismatch || error instanceof FileChanged) this.#notes.delete(same);
        if (!mismatch) throw error;
      }
    }
    throw new FileChanged();
  }

  async #words({ deposit, blob, notes }: Sealed): Promise<KeptReceipt> {
    const [receipt, digest] = await sendWhole(this.#way(notes, NO_PROGRESS), [blob]);
    return this.#proven(deposit, receipt, digest, blob.length);
  }

  #seal({ name, message }: Words, files: readonly Arrived[]): Sealed {
    const contents = files.map((one) => one.content);
    const said = JSON.stringify([name, message, contents.map((one) => one.blob)]);
    if (this.#sealed?.said === said) return this.#sealed;
    const [id, key] = [makeId(), makeRecordKey()];
    const json = formatDeposit({ v: VERSION, name, message, written: this.#by.clock(), contents: [...contents] });
    const [blob, wrap] = this.#address.seal(key, id, json);
    sodium.memzero(key);
    if (blob.length > DEPOSIT) throw new ValueRefused("message");
    const deposit = formatB64url(id);
    this.#sealed = { said, deposit, blob, wrap, notes: new Notes(deposit), receipt: null };
    return this.#sealed;
  }

  async #proven(blob: Id, receipt: string, digest: Uint8Array, size: number): Promise<KeptReceipt> {
    return { name: blobName(blob), receipt, verified: await this.#by.verify(receipt, digest, size) };
  }

  get #places(): { readonly box: Id } {
    return { box: this.#address.box };
  }

  #way(journal: Notes, progress: Progress): Way {
    const { sleep, now, verify } = this.#by;
    return { place: this.#inside(), journal, prove: verify, progress, signal: null, now, sleep };
  }

  #inside(): Place {
    const { transport } = this.#by;
    const places = this.#places;
    return {
      announce: (blob, size) =>
        this.#asked((token) => transport.ask("POST", UPLOADS, { token, places, body: { blob, size } })),
      putUnits: (blob, first, units, digests, signal) => this.#asked((token) =>
        transport.put(UNITS, units, digests, { token, places: { ...places, blob, first }, signal })),
      putWhole: async (blob, data, digest, signal) => (await this.#asked((token) =>
        transport.put(BLOB, [data], [digest], { token, places: { ...places, blob }, signal }))).receipt,
      complete: async (blob, whole) => (await this.#asked((token) =>
        transport.ask("POST", COMPLETE, { token, places: { ...places, blob }, body: { sha256: whole } }))).receipt,
    };
  }

  /** Asks with the token of this visit, and where its hour is over, once more with another one. */
  async #asked<T>(ask: (token: Uint8Array) => Promise<T>): Promise<T> {
    try {
      return await ask(this.#token);
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "visit_over") throw error;
    }
    this.#token = (await enter(this.#address, this.#by.transport)).token;
    return ask(this.#token);
  }
}

function enter(address: Address, transport: Transport) {
  const { box } = address;
  return transport.ask("POST", ENTER, { places: { box }, body: { cap: address.deriveCap() } });
}

/** What an upload notes, in memory alone: key, salt, and the SHA-256 of each unit that may have left. */
class Notes {
  readonly blob: Id;
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  readonly known: number;
  readonly #units: Uint8Array[];

  constructor(
    blob: Id = formatB64url(makeId()), key = makeContentKey(), salt = makeBytes(SALT_SIZE), units: Uint8Array[] = [],
  ) {
    this.blob = blob;
    this.key = key;
    this.salt = salt;
    this.#units = units;
    this.known = units.length;
  }

  /** The same, for another run. */
  again(): Notes {
    return new Notes(this.blob, this.key, this.salt, this.#units);
  }

  note(number: number, digest: Uint8Array): void {
    const known = this.#units[number];
    if (known === undefined) this.#units.push(digest);
    else if (!isSame(known, digest)) throw new JournalMismatch();
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }
}
