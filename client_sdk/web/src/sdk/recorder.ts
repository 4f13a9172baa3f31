// Seals what is recorded, segment by segment while it is recorded, and sends it as it comes (docs/adr/0024).
// Knows: the order of a recording: its record, its segments, its closing record. Refuses to know: cameras, microphones.
//
// A segment is sealed and on this device before it is called safe here, and goes from here once its receipt verified.

import { concat, formatB64url } from "../crypto_core/encoding.js";
import { CryptoCoreError } from "../crypto_core/errors.js";
import { makeBytes, makeId } from "../crypto_core/randomness.js";
import { KEY_SIZE } from "../crypto_core/derivation.js";
import { HEADER_SIZE, openStream, sealStream, splitOff } from "../crypto_core/sealing/envelope.js";
import { padContent, unpadContent } from "../crypto_core/sealing/padding.js";
import { contentOpener, contentSealer, deriveSegment } from "../crypto_core/sealing/records.js";
import { Sha256, sha256 } from "./digest.js";
import { ItemUnknown, NetworkError, Refused, ServerFault } from "./errors.js";
import type { PlaceName } from "./home.js";
import type { Content, Draft, Id, Item, Kept } from "./items.js";
import { BLOB, type Reader } from "./reader.js";
import { blobName } from "./replica.js";
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

  constructor(session: Session, writer: Writer, sleep: Sleep, what: Recorded, tell: (safe: Safe) => void) {
    this.#session = session;
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
   * null. Throws NetworkError where that has to wait. */
  async end(): Promise<Kept | null> {
    this.#ending = true;
    try {
      await this.#send();
      if (this.#failure !== null) throw this.#failure;
      if (this.#parts.length === 0) {
        await this.#session.locked(() => this.#writer.delete(this.id));
        return null;
      }
      const { draft, sensitive } = this.#what;
      const joined = this.#joined(false);
      return await this.#session.locked(() => this.#writer.close(this.id, draft, sensitive, joined));
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
    await this.#session.home.store.write({ put: [[segmentKey(this.#session, this.id, number), sealed]] });
    const { name, mime } = this.#what;
    this.#parts.push({
      blob: formatB64url(blob), key, sealed: sha256(sealed), sha256: sha256(plain), name, mime, size: plain.length,
    });
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = null));
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    for (let failures = 0; this.#sent < this.#parts.length;) {
      try {
        if (this.#session.replica.newest(this.id) === null) await this.#session.locked(() => this.#writer.flush());
        await sendSegment(this.#session, this.id, this.#sent, this.#parts[this.#sent] as Content);
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
  readonly #writer: Writer;
  readonly #sleep: Sleep;
  /** What is being recorded, by its item. */
  readonly #running = new Map<Id, Recording>();

  constructor(session: Session, reader: Reader, writer: Writer, sleep: Sleep) {
    this.#session = session;
    this.#reader = reader;
    this.#writer = writer;
    this.#sleep = sleep;
  }

  /** A recording begins: gives its item. `tell` hears how much of it is safe.
   *
   * Throws as `VaultClient.add` does, but for the network: then it goes on here, and is sent when it can. */
  async begin(what: Recorded, tell: (safe: Safe) => void): Promise<Id> {
    this.#writer.requireKeepable(what.draft, "document", what.sensitive, null);
    const recording = new Recording(this.#session, this.#writer, this.#sleep, what, tell);
    await recording.begin();
    this.#running.set(recording.id, recording);
    return recording.id;
  }

  /** More of one, up to so many seconds: sealed on this device when it resolves. Gives the count of segments. Throws
   * ItemUnknown. */
  async add(id: Id, bytes: Uint8Array, seconds: number): Promise<number> {
    return this.#recording(id).add(bytes, seconds);
  }

  /** The end of one; null if there was nothing in it. After a NetworkError it is closed when the network is back. */
  async end(id: Id): Promise<Kept | null> {
    const recording = this.#recording(id);
    this.#running.delete(id);
    return recording.end();
  }

  /** Closes recordings that broke off, here or on another device, and those once more that were closed too early; those
   * behind the PIN while it is given. One of which the vault gives other bytes than were sealed stands in the way of no
   * other; its error is thrown in the end. */
  async finish(): Promise<void> {
    if (this.#session.warnings.any) return;
    let damaged: CryptoCoreError | null = null;
    const looked = await namesIn(this.#session, "closed"), held = await namesIn(this.#session, "segments");
    const doubtful = new Set([...looked, ...held.map((name) => name.split(".")[0])]);
    for (const item of this.#reader.items("document")) {
      const [file] = item.contents;
      if (file?.parts === undefined || (file.isOpen !== true && !doubtful.has(item.id))) continue;
      try {
        await finishRecording(this.#session, this.#writer, item, file, file.parts.length);
      } catch (error) {
        if (!(error instanceof CryptoCoreError)) throw error;
        damaged = error;
      }
    }
    if (damaged !== null) throw damaged;
  }

  #recording(id: Id): Recording {
    const recording = this.#running.get(id);
    if (recording === undefined) throw new ItemUnknown();
    return recording;
  }
}

/** Closes a recording that broke off: what is here goes, what is in the vault is read, and a record names it all. One that
 * was closed with its first `known` segments is closed anew if there are more: whoever closes it can't know whether it
 * goes on elsewhere, and so looks again until a day has passed. Does nothing where another tab is at it. */
async function finishRecording(
  session: Session, writer: Writer, item: Item, file: Content, known: number,
): Promise<void> {
  const release = await session.home.tryLock("segments", item.id);
  if (release === null) return;
  const { home: { store }, home } = session, sign = home.key("closed", item.id);
  try {
    await store.write({ put: [[sign, true]] }); // what is sent from here now is named, even if that takes another run
    if (await findSegment(session, item.id, file, known) !== null) await close(session, writer, item, file);
    else if (file.isOpen !== true && session.clock() - item.deposited > OVER) await store.write({ delete: [sign] });
  } finally {
    release();
  }
}

async function close(session: Session, writer: Writer, item: Item, file: Content): Promise<void> {
  const [parts, whole] = [[] as Content[], new Sha256()];
  for (;;) {
    const found = await findSegment(session, item.id, file, parts.length);
    if (found === null) break;
    whole.update(found.plain);
    parts.push(found.part);
  }
  const joined = joinedOf(file.key, file.name, file.mime, parts, whole.digest());
  await session.locked(() => writer.close(item.id, null, item.sensitive, joined));
}

async function namesIn(session: Session, place: PlaceName): Promise<readonly string[]> {
  return (await session.home.list(place)).map(([name]) => name);
}

interface Segment {
  readonly part: Content;
  readonly plain: Uint8Array;
}

async function findSegment(
  session: Session, item: Id, { key: segments, name, mime }: Content, number: number,
): Promise<Segment | null> {
  const here = await session.home.store.get(segmentKey(session, item, number));
  const [id, key] = deriveSegment(segments, number);
  const blob = formatB64url(id);
  const sealed = here instanceof Uint8Array ? here : await fetchSegment(session, blob);
  if (sealed === null) return null;
  const plain = await openSegment(key, id, sealed);
  const part = { blob, key, sealed: sha256(sealed), sha256: sha256(plain), name, mime, size: plain.length };
  if (here !== undefined) await sendSegment(session, item, number, part);
  return { part, plain };
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

/** A segment that is on this device, into the vault; it goes from here when its receipt verified. */
async function sendSegment(session: Session, item: Id, number: number, part: Content): Promise<void> {
  const key = segmentKey(session, item, number);
  const sealed = await session.home.store.get(key);
  if (!(sealed instanceof Uint8Array)) return; // another run has sent it
  const { receipt } = await session.put(BLOB, [sealed], [part.sealed], { blob: part.blob });
  await session.verify(receipt, part.sealed, sealed.length);
  const { replica } = session;
  await replica.writing(() => replica.keepReceipt(blobName(part.blob), receipt));
  await session.home.store.write({ delete: [key] });
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

function segmentKey(session: Session, item: Id, number: number): string {
  return session.home.key("segments", `${item}.${String(number).padStart(9, "0")}`);
}
