// Seals what is recorded, segment by segment while it is recorded, and sends it as it comes (docs/adr/0024).
// Knows: the order of a recording: its record, its segments, its closing record. Refuses to know: cameras, microphones.
//
// A segment is sealed and on this device before it is called safe here, and goes from here once the record that names it is
// kept: until then it can be had again from a vault that was set back (docs/adr/0074).

import { concat, formatB64url } from "../crypto_core/encoding.js";
import { CryptoCoreError } from "../crypto_core/errors.js";
import { makeBytes, makeId } from "../crypto_core/randomness.js";
import { KEY_SIZE } from "../crypto_core/derivation.js";
import { HEADER_SIZE, openStream, sealStream, splitOff } from "../crypto_core/sealing/envelope.js";
import { padContent, unpadContent } from "../crypto_core/sealing/padding.js";
import { contentOpener, contentSealer, deriveSegment } from "../crypto_core/sealing/records.js";
import * as limits from "../schemas/limits.js";
import { Sha256, sha256 } from "./digest.js";
import { ItemUnknown, NetworkError, Refused, ServerFault } from "./errors.js";
import { DeviceFailed } from "./home.js";
import type { Content, Draft, Id, Item, Kept } from "./items.js";
import { BLOB, type Reader } from "./reader.js";
import type { LostFile } from "./redeposit.js";
import { blobName } from "./replica.js";
import { Segments } from "./segments.js";
import type { Session } from "./session.js";
import type { Sleep } from "./uploader.js";
import type { Writer } from "./writer.js";

/** Bytes of a recording in one segment at most: sealed it goes in one request. */
export const SEGMENT = 240_000;
/** Seconds after which nothing more of it can come: no session of who records it goes on for so long. */
const OVER = 86_400;
/** Tries of one segment at the end, after which the network is called gone; it is all here, and goes on another time. */
const TRIES = 6;

/** What a recording is to be. `name` and `mime` are those of the one file that it becomes. */
export interface Recorded {
  readonly draft: Draft;
  readonly sensitive: boolean;
  readonly name: string;
  readonly mime: string;
}

/** How many seconds of it are sealed on this device, and how many the vault has, with a receipt that verified. */
export interface Safe {
  readonly here: number;
  readonly kept: number;
}

/** One recording while it goes on. */
class Recording {
  readonly id: Id = formatB64url(makeId());
  readonly #session: Session;
  readonly #segments: Segments;
  readonly #writer: Writer;
  readonly #sleep: Sleep;
  readonly #what: Recorded;
  readonly #tell: (safe: Safe) => void;
  readonly #key = makeBytes(KEY_SIZE);
  readonly #whole = new Sha256();
  readonly #parts: Content[] = [];
  readonly #seconds: number[] = [];
  #release: () => void = () => undefined;
  #sent = 0;
  #sending: Promise<void> | null = null;
  #ending = false;
  #failure: unknown = null;

  constructor(
    session: Session, segments: Segments, writer: Writer, sleep: Sleep, what: Recorded, tell: (safe: Safe) => void,
  ) {
    this.#session = session;
    this.#segments = segments;
    this.#writer = writer;
    this.#sleep = sleep;
    this.#what = what;
    this.#tell = tell;
  }

  /** Its record, with the key of all its segments: in the vault, or in the outbox until the network is back. */
  async begin(): Promise<void> {
    this.#release = (await this.#session.home.tryLock("segments", this.id)) ?? this.#release;
    const { draft, sensitive } = this.#what;
    try {
      await this.#session.locked(() => this.#writer.begin(this.id, draft, sensitive, this.#joined(true)));
    } catch (error) {
      if (!(error instanceof NetworkError || error instanceof ServerFault)) throw error;
    }
  }

  /** More of it, up to so many seconds from its beginning: sealed and on this device when this resolves. Gives how many
   * segments there are. */
  async add(bytes: Uint8Array, seconds: number): Promise<number> {
    for (let start = 0; start < bytes.length; start += SEGMENT) await this.#seal(bytes.subarray(start, start + SEGMENT));
    this.#whole.update(bytes);
    this.#seconds[this.#parts.length - 1] = seconds;
    this.#told();
    void this.#send();
    return this.#parts.length;
  }

  /** The end: what is left goes, then the record that names all segments; one that never had any is taken back, and gives
   * null. `closeAnew` names what there is, where the vault has lost some of it meanwhile. Throws NetworkError where that has
   * to wait. */
  async end(closeAnew: (what: Closing, file: Content) => Promise<Kept | null>): Promise<Kept | null> {
    this.#ending = true;
    const { id } = this, { draft, sensitive } = this.#what;
    try {
      await this.#send();
      if (this.#failure !== null) throw this.#failure;
      if (this.#parts.length === 0) {
        await this.#session.locked(() => this.#writer.delete(id));
        return null;
      }
      const joined = this.#joined(false);
      try {
        const kept = await this.#session.locked(() => this.#writer.close(id, draft, sensitive, joined));
        await this.#segments.letGo(id, await this.#segments.numbers(id));
        return kept;
      } catch (error) {
        const isLost = error instanceof Refused && error.code === "blob_missing";
        const kept = isLost ? await closeAnew({ id, sensitive, draft }, joined) : null;
        if (kept === null) throw error;
        return kept;
      }
    } finally {
      this.#release();
    }
  }

  #joined(isOpen: boolean): Content {
    const { name, mime } = this.#what;
    return joinedOf(this.#key, name, mime, this.#parts, isOpen ? null : this.#whole.digest());
  }

  async #seal(plain: Uint8Array): Promise<void> {
    const number = this.#parts.length;
    const [blob, key] = deriveSegment(this.#key, number);
    const pieces: Uint8Array[] = [];
    for await (const piece of sealStream(contentSealer(key, blob), padContent(plain.length, [plain]))) {
      pieces.push(piece);
    }
    const sealed = concat(...pieces);
    await this.#keep(number, sealed);
    const { name, mime } = this.#what;
    this.#parts.push({
      blob: formatB64url(blob), key, sealed: sha256(sealed), sha256: sha256(plain), name, mime, size: plain.length,
    });
  }

  /** Where there is no room, those that the vault has go first, the oldest first, and more each time; but for the very first,
   * without which no player understands the others. */
  async #keep(number: number, sealed: Uint8Array): Promise<void> {
    for (let count = 1; ; count *= 2) {
      try {
        return await this.#segments.keep(this.id, number, sealed);
      } catch (error) {
        const sent = (await this.#segments.numbers(this.id)).filter((one) => one > 0 && one < this.#sent);
        if (!(error instanceof DeviceFailed) || sent.length === 0) throw error;
        await this.#segments.letGo(this.id, sent.slice(0, count));
      }
    }
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = null));
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    for (let failures = 0; this.#sent < this.#parts.length;) {
      try {
        if (this.#session.replica.newest(this.id) === null) await this.#session.locked(() => this.#writer.flush());
        await this.#segments.send(this.id, this.#sent, (this.#parts[this.#sent] as Content).blob);
        this.#sent += 1;
        failures = 0;
        this.#told();
      } catch (error) {
        const passing = error instanceof NetworkError || error instanceof ServerFault;
        failures += 1;
        if (!passing || (this.#ending && failures >= TRIES)) {
          this.#failure = error;
          return;
        }
        await this.#sleep(Math.min(250 * 2 ** failures, 5000));
      }
    }
    this.#failure = null;
  }

  #told(): void {
    const upTo = (count: number): number => this.#seconds.slice(0, count).findLast((one) => one !== undefined) ?? 0;
    this.#tell({ here: upTo(this.#parts.length), kept: upTo(this.#sent) });
  }
}

/** What one session records. */
export class Recordings {
  readonly #session: Session;
  readonly #reader: Reader;
  readonly #segments: Segments;
  readonly #writer: Writer;
  readonly #sleep: Sleep;
  /** What is being recorded, by its item. */
  readonly #running = new Map<Id, Recording>();
  readonly #lost = new Map<Id, LostFile>();

  constructor(session: Session, reader: Reader, writer: Writer, sleep: Sleep) {
    this.#session = session;
    this.#reader = reader;
    this.#segments = new Segments(session, reader.receipts);
    this.#writer = writer;
    this.#sleep = sleep;
  }

  /** Recordings of which the vault has lost a part, or all, that this device hasn't either; found in this session. */
  get lostFiles(): readonly LostFile[] {
    return [...this.#lost.values()];
  }

  /** A recording begins: gives its item. `tell` hears how much of it is safe.
   *
   * Throws as `VaultClient.add` does, but for the network: then it goes on here, and is sent when it can. */
  async begin(what: Recorded, tell: (safe: Safe) => void): Promise<Id> {
    this.#writer.requireKeepable(what.draft, "document", what.sensitive, null);
    const recording = new Recording(this.#session, this.#segments, this.#writer, this.#sleep, what, tell);
    await recording.begin();
    this.#running.set(recording.id, recording);
    return recording.id;
  }

  /** More of one, up to so many seconds: sealed on this device when it resolves. Gives the count of segments. Throws
   * ItemUnknown. */
  async add(id: Id, bytes: Uint8Array, seconds: number): Promise<number> {
    return this.#recording(id).add(bytes, seconds);
  }

  /** The end of one; null if there was nothing in it. After a NetworkError it is closed when the network is back. What the vault
   * has lost of it meanwhile goes once more. */
  async end(id: Id): Promise<Kept | null> {
    const recording = this.#recording(id);
    this.#running.delete(id);
    return recording.end((what, file) => this.#close(what, file, lastOf(file)));
  }

  /** Closes recordings that broke off, here or on another device, and those once more that were closed too early; those
   * behind the PIN while it is given. While a warning stands it closes none, but what lies here goes to the vault all the
   * same. One of which the vault gives other bytes than were sealed stands in the way of no other; its error is thrown in
   * the end. */
  async finish(): Promise<void> {
    let damaged: CryptoCoreError | null = null;
    const held = await this.#segments.items();
    const doubtful = new Set([...await this.#session.home.names("closed"), ...held]);
    for (const item of this.#reader.items("document")) {
      const [file] = item.contents;
      if (file?.parts === undefined || (file.isOpen !== true && !doubtful.has(item.id))) continue;
      try {
        await this.#alone(item.id, () => this.#session.warnings.any ? this.#send(item.id, file) : this.#finish(item, file));
      } catch (error) {
        if (!(error instanceof CryptoCoreError)) throw error;
        damaged = error;
      }
    }
    for (const id of held) if (this.#isErased(id)) await this.#alone(id, () => this.#letGo(id));
    if (damaged !== null) throw damaged;
  }

  #recording(id: Id): Recording {
    const recording = this.#running.get(id);
    if (recording === undefined) throw new ItemUnknown();
    return recording;
  }

  /** Nothing where another tab, or a recording that goes on, is at it. */
  async #alone<T>(item: Id, act: () => Promise<T>): Promise<T | null> {
    const release = await this.#session.home.tryLock("segments", item);
    if (release === null) return null;
    try {
      return await act();
    } finally {
      release();
    }
  }

  /** Deleted, and nothing of it can be restored. */
  #isErased(id: Id): boolean {
    const rows = this.#session.replica.history(id);
    return rows.length > 0 && rows.every(({ record, erases }) => record === null || erases !== null);
  }

  async #letGo(item: Id): Promise<void> {
    await this.#segments.letGo(item, await this.#segments.numbers(item));
  }

  async #send(item: Id, { key }: Content): Promise<void> {
    for (const number of await this.#segments.numbers(item)) await this.#segments.send(item, number, blobOf(key, number));
  }

  /** Closes a recording that broke off: what is here goes, what is in the vault is read, and a record names it all. One that
   * was closed is closed anew if there is more than its record names: whoever closes it can't know whether it goes on
   * elsewhere, and so looks again until a day has passed. */
  async #finish(item: Item, file: Content): Promise<void> {
    const { home, replica, clock } = this.#session, sign = home.key("closed", item.id);
    await home.store.write({ put: [[sign, true]] }); // what is sent from here now is named, even if that takes another run
    const named = new Set(replica.newest(item.id)?.blobs);
    const isNamed = (number: number): boolean => named.has(blobOf(file.key, number));
    const last = lastOf(file), held = await this.#segments.numbers(item.id);
    const isMore = file.isOpen === true || !held.every(isNamed) || (await this.#find(item.id, file, last + 1)) !== null;
    if (isMore) {
      await this.#close({ id: item.id, sensitive: item.sensitive, draft: null }, file, Math.max(last, ...held));
      return;
    }
    await this.#segments.letGo(item.id, held);
    if (clock() - item.deposited > OVER) await home.store.write({ delete: [sign] });
  }

  /** Names what there is, here or in the vault; null, and nothing is named, where that is nothing. Of what was there once and
   * is nowhere the person is told: up to the segment `last`, or for as long as this device has receipts. */
  async #close({ id, sensitive, draft }: Closing, file: Content, last: number): Promise<Kept | null> {
    const [parts, missing, whole] = [[] as Content[], [] as number[], new Sha256()];
    for (let number = 0; number < limits.BLOBS_PER_REVISION; number += 1) {
      const found = await this.#find(id, file, number);
      if (found !== null) {
        whole.update(found.plain);
        parts.push(found.part);
      } else if (number <= last || (await this.#wasSent(file, number))) missing.push(number);
      else break;
    }
    let kept: Kept | null = null;
    if (parts.length > 0) {
      const joined = joinedOf(file.key, file.name, file.mime, parts, whole.digest());
      kept = await this.#session.locked(() => this.#writer.close(id, draft, sensitive, joined));
      await this.#letGo(id);
    }
    const [first] = missing, lost = { item: id, title: draft?.title ?? this.#reader.item(id, null).title ?? "", name: file.name };
    if (first !== undefined) this.#lost.set(id, kept === null ? lost : { ...lost, gap: { first, count: missing.length } });
    return kept;
  }

  async #wasSent({ key }: Content, number: number): Promise<boolean> {
    return (await this.#session.replica.receipt(blobName(blobOf(key, number)))) !== null;
  }

  /** A segment that lies here, and then is in the vault as well, or that the vault has; null for none. */
  async #find(item: Id, { key: segments, name, mime }: Content, number: number): Promise<Segment | null> {
    const [id, key] = deriveSegment(segments, number);
    const blob = formatB64url(id);
    const here = await this.#segments.get(item, number);
    const sealed = here ?? await fetchSegment(this.#session, blob);
    if (sealed === null) return null;
    const plain = await openSegment(key, id, sealed);
    if (here !== null) await this.#segments.send(item, number, blob);
    return { part: { blob, key, sealed: sha256(sealed), sha256: sha256(plain), name, mime, size: plain.length }, plain };
  }
}

/** What is closed; `draft` as Writer.close has it. */
interface Closing {
  readonly id: Id;
  readonly sensitive: boolean;
  readonly draft: Draft | null;
}

interface Segment {
  readonly part: Content;
  readonly plain: Uint8Array;
}

function blobOf(segments: Uint8Array, number: number): Id {
  return formatB64url(deriveSegment(segments, number)[0]);
}

/** The number of the last segment that a record names; -1 for none. Where the vault has lost some, numbers are left out. */
function lastOf({ key, parts = [] }: Content): number {
  const left = new Set(parts.map(({ blob }) => blob));
  let number = -1;
  while (left.size > 0 && number < limits.BLOBS_PER_REVISION) left.delete(blobOf(key, number += 1));
  return number;
}

async function openSegment(key: Uint8Array, blob: Uint8Array, sealed: Uint8Array): Promise<Uint8Array> {
  const [header, body] = await splitOff([sealed], HEADER_SIZE);
  const pieces: Uint8Array[] = [];
  for await (const piece of unpadContent(openStream(contentOpener(key, blob, header), body))) pieces.push(piece);
  return concat(...pieces);
}

/** Null if the vault has no such segment: the recording ends before it. */
async function fetchSegment(session: Session, blob: Id): Promise<Uint8Array | null> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of session.read(BLOB, { blob })) pieces.push(piece);
  } catch (error) {
    if (error instanceof Refused && error.code === "not_found") return null;
    throw error;
  }
  return concat(...pieces);
}

function joinedOf(
  key: Uint8Array, name: string, mime: string, parts: readonly Content[], whole: Uint8Array | null,
): Content {
  const nothing = sha256(new Uint8Array());
  return {
    blob: formatB64url(deriveSegment(key, 0)[0]), key, sealed: parts[0]?.sealed ?? nothing, sha256: whole ?? nothing,
    name, mime, size: parts.reduce((size, part) => size + part.size, 0), parts: [...parts], isOpen: whole === null,
  };
}
