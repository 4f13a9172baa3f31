// Sends a file of any size, sealed, over a bad network; goes on where it was cut.
// Knows: protocol §5: journal before bytes, units, two requests in flight, completion, receipt.
// Refuses to know: records. Never holds more of a file than two requests and what is being sealed; never sends a unit
// whose hash isn't journalled. Where the bytes go, and where a journal is kept, whoever sends says (`Way`): a person's
// own vault, or somebody's box.

import { concat, isSame, parseB64url } from "../crypto_core/encoding.js";
import { MalformedError } from "../crypto_core/errors.js";
import { CHUNK_SIZE, RUN_CHUNKS, sealStream } from "../crypto_core/sealing/envelope.js";
import { CONTENT_BORDER, padContent } from "../crypto_core/sealing/padding.js";
import { contentSealer } from "../crypto_core/sealing/records.js";
import * as limits from "../schemas/limits.js";
import type { Upload } from "../schemas/uploads.js";
import { hashed, sealedContentSize } from "./contents.js";
import { Sha256, sha256 } from "./digest.js";
import { FileChanged, FileUnreadable, NetworkError, Refused, SdkError, ServerFault, ValueRefused } from "./errors.js";
import type { Content, Id } from "./items.js";
import { JournalMismatch, Journals, Source, type Journal, type Unfinished } from "./journal.js";
import type { Progress } from "./progress.js";
import { UploadEvent, Width, uploading } from "./protocol/upload.js";
import { BLOB } from "./reader.js";
import { blobName } from "./replica.js";
import type { Session } from "./session.js";

const UPLOADS = "/v1/uploads";
const UPLOAD = "/v1/uploads/<id:blob>";
const UNITS = "/v1/uploads/<id:blob>/units/<u32:first>";
const COMPLETE = "/v1/uploads/<id:blob>/complete";
/** Units in one request: a tab holds several copies of it, and lets go of them when it likes. */
const WIDEST = 8;
/** In a row, after which the network is called gone. The journal stays. */
const FAILURES = 8;
/** How many times a file is begun anew under another key, if what was sealed doesn't match its journal. */
const BLOBS = 3;
const RUN = RUN_CHUNKS * CHUNK_SIZE;
/** Seconds before a vault that checks is asked again, where it doesn't say. */
const AGAIN = 2;
const OTHER_BYTES = ["blob_conflict", "upload_mismatch"];
const PASSING = ["body_incomplete", "digest_mismatch", "unavailable"];

/** A content whose receipt verified; its journal goes when the record that names it lies in the outbox. */
export interface Uploaded {
  readonly content: Content;
  readonly journal: Journal;
}

export type Sleep = (ms: number) => Promise<void>;

/** How one file is sent. `signal` stops it where it is: the same file is given again to go on. */
export interface Sent {
  readonly signal?: AbortSignal | null;
  readonly progress?: Progress;
}

/** Sends the files of one session. `sleep` waits between failures; `now` is a clock in milliseconds. */
export class Uploader {
  readonly #session: Session;
  readonly #sleep: Sleep;
  readonly #now: () => number;
  readonly #journals: Journals;

  constructor(session: Session, sleep: Sleep, now: () => number) {
    this.#session = session;
    this.#sleep = sleep;
    this.#now = now;
    this.#journals = new Journals(session.home, session.keyring, session.clock);
  }

  /** What was begun on this device and not finished. */
  unfinished(): Promise<readonly Unfinished[]> {
    return this.#journals.unfinished();
  }

  /** Gives up an upload that was begun: what has arrived of it goes from the vault, too. */
  async giveUp(blob: Id): Promise<void> {
    await this.#forgetUnits(blob);
    await this.#journals.drop(blob);
  }

  /** Forgets the journals of what an item names by now. */
  tidy(): Promise<void> {
    return this.#journals.tidy((blob) => this.#session.replica.names(blob));
  }

  /** Sends one file, or what is left of it.
   *
   * Throws FileUnreadable, FileChanged, NetworkError (give the same file again to go on), Refused, or what `signal` was
   * aborted with. */
  async send(file: Blob, sensitive: boolean, how: Sent = {}): Promise<Uploaded> {
    const source = new Source(file);
    if (sealedContentSize(source.size) > limits.BLOB) throw new ValueRefused("a file larger than a vault takes");
    for (let tries = 0; tries < BLOBS; tries += 1) {
      const journal = (await this.#journals.find(source, sensitive)) ?? (await this.#journals.make(source, sensitive));
      try {
        return { content: await this.#send(source, journal, how), journal };
      } catch (error) {
        const mismatch = error instanceof JournalMismatch;
        if (mismatch || error instanceof FileChanged) await this.#abandon(journal);
        else journal.close();
        if (!mismatch) throw error;
      }
    }
    throw new FileChanged();
  }

  async #send(source: Source, journal: Journal, how: Sent): Promise<Content> {
    const { signal = null, progress = this.#session.progress } = how;
    const session = this.#session;
    const way: Way = {
      place: ownOf(session), journal, progress, signal, now: this.#now, sleep: this.#sleep,
      prove: (receipt, digest, size) => session.verify(receipt, digest, size),
    };
    const { content, receipt } = await sendContent(source, way);
    const { replica } = session;
    await replica.writing(() => replica.keepReceipt(blobName(journal.blob), receipt));
    return content;
  }

  async #abandon(journal: Journal): Promise<void> {
    await this.#forgetUnits(journal.blob);
    await journal.remove();
  }

  async #forgetUnits(blob: Id): Promise<void> {
    try {
      await this.#session.ask("DELETE", UPLOAD, { places: { blob } });
    } catch (error) {
      if (!(error instanceof SdkError)) throw error; // what nobody names is collected
    }
  }
}

/** Where sealed bytes go. Each is tried once, and throws what a transport does. */
export interface Place {
  /** Says what will come, and learns what is there. */
  announce(blob: Id, size: number): Promise<Upload>;
  putUnits(
    blob: Id, first: number, units: readonly Uint8Array[], digests: readonly Uint8Array[], signal: AbortSignal | null,
  ): Promise<unknown>;
  /** A blob of one unit or less; gives its receipt. */
  putWhole(blob: Id, data: Uint8Array, digest: Uint8Array, signal: AbortSignal | null): Promise<string>;
  /** All units are there; gives the receipt. */
  complete(blob: Id, sha256: Uint8Array): Promise<string>;
}

/** The bytes of one blob on their way. `prove` refuses a receipt that doesn't hold. */
export interface Way {
  readonly place: Place;
  readonly journal: Pick<Journal, "blob" | "key" | "salt" | "known" | "note" | "sync">;
  readonly prove: (receipt: string, sha256: Uint8Array, size: number) => Promise<unknown>;
  readonly progress: Progress;
  readonly signal: AbortSignal | null;
  readonly now: () => number;
  readonly sleep: Sleep;
}

function ownOf(session: Session): Place {
  return {
    announce: (blob, size) => session.ask("POST", UPLOADS, { body: { blob, size } }),
    putUnits: (blob, first, units, digests, signal) => session.put(UNITS, units, digests, { blob, first }, signal),
    putWhole: async (blob, data, digest, signal) =>
      (await session.put(BLOB, [data], [digest], { blob }, signal)).receipt,
    complete: async (blob, sha256) =>
      (await session.ask("POST", COMPLETE, { body: { sha256 }, places: { blob } })).receipt,
  };
}

/** The sealed bytes of a file, in units; `plain` hears the original ones. */
export function sealFile(
  source: Source, { blob, key, salt }: Pick<Journal, "blob" | "key" | "salt">, plain = new Sha256(),
): AsyncGenerator<Uint8Array> {
  const sealer = contentSealer(key, parseB64url(blob), salt);
  return unitsOf(sealStream(sealer, padContent(source.size, hashed(blocksOf(source), plain))));
}

/** Sends one file whole, or what is left of it, and proves its receipt.
 *
 * Throws JournalMismatch where another blob has to be begun, FileUnreadable, FileChanged, NetworkError, Refused, what
 * `prove` throws, or what `signal` was aborted with. */
export async function sendContent(
  source: Source, way: Way,
): Promise<{ readonly content: Content; readonly receipt: string }> {
  const { journal, progress, signal } = way;
  const { blob, key } = journal;
  const machine = uploading();
  machine.receive(UploadEvent.JOURNAL_WRITTEN);
  const size = sealedContentSize(source.size);
  const plain = new Sha256();
  const units = sealFile(source, journal, plain);
  progress.start(source.name, size);
  try {
    const small = size <= limits.FIRST_UNIT;
    signal?.throwIfAborted();
    const sending = small ? null : await Sending.announce(way, size);
    if (sending !== null) machine.receive(UploadEvent.ANNOUNCED);
    const sealed = sending === null ? null : await sending.send(units);
    if (sending !== null) machine.receive(UploadEvent.ALL_ARRIVED);
    const [receipt, digest] = sealed === null ? await sendWhole(way, units) : [await complete(way, sealed), sealed];
    machine.receive(UploadEvent.COMPLETED);
    await way.prove(receipt, digest, size);
    machine.receive(UploadEvent.RECEIPT_VERIFIED);
    const [name, mime] = [nameOf(source), mimeOf(source)];
    const content = { blob, key, sealed: digest, sha256: plain.digest(), name, mime, size: source.size };
    return { content, receipt };
  } catch (error) {
    if (error instanceof MalformedError) throw new FileChanged();
    if (error instanceof Refused && OTHER_BYTES.includes(error.code)) throw new JournalMismatch();
    throw error;
  } finally {
    progress.done();
  }
}

/** Sends a blob of one unit or less. Gives its receipt, not proven yet, and its SHA-256. */
export async function sendWhole(
  way: Omit<Way, "prove">, units: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<readonly [string, Uint8Array]> {
  const { place, journal, progress, signal } = way;
  const pieces: Uint8Array[] = [];
  for await (const unit of units) pieces.push(unit);
  const data = concat(...pieces);
  const digest = sha256(data);
  journal.note(0, digest);
  await journal.sync();
  for (let failures = 1; ; failures += 1) {
    try {
      const receipt = await place.putWhole(journal.blob, data, digest, signal);
      progress.advance(data.length);
      return [receipt, digest];
    } catch (error) {
      signal?.throwIfAborted();
      requirePassing(error, failures);
      await rest(way, pauseAfter(failures - 1));
    }
  }
}

/** All units are there; gives the receipt. The vault checks a large file for longer than any connection stays silent, so
 * that it says that it is at it and is asked again, for as long as it says so. */
async function complete(way: Way, whole: Uint8Array): Promise<string> {
  for (;;) {
    try {
      return await way.place.complete(way.journal.blob, whole);
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "upload_checking") throw error;
      await rest(way, (error.retryAfter ?? AGAIN) * 1000);
    }
  }
}

/** Milliseconds before the next try. */
function pauseAfter(failures: number): number {
  return Math.min(250 * 2 ** failures, 10_000);
}

/** Waits before the next try; at once over when the signal comes. */
async function rest({ signal, sleep }: Pick<Way, "signal" | "sleep">, ms: number): Promise<void> {
  signal?.throwIfAborted(); // whoever comes too late hears nothing of it
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  signal?.addEventListener("abort", stop);
  await Promise.race([sleep(ms), stopped]);
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
}

/** Consecutive units that go in one request. */
interface Run {
  readonly first: number;
  readonly units: Uint8Array[];
  /** The SHA-256 of each of them. */
  readonly digests: Uint8Array[];
}

function emptyRun(first: number): Run {
  return { first, units: [], digests: [] };
}

/** How a request ended; a request never rejects, so that two may be waited for at once. */
type Landing = { readonly run: Run; readonly error: unknown; readonly ms: number };

/** The units of one blob on their way. */
class Sending {
  readonly #way: Way;
  readonly #complete: boolean;
  readonly #there: ReadonlyMap<number, Uint8Array>;
  readonly #width = new Width(WIDEST);
  readonly #waiting: Run[] = [];
  readonly #flying = new Map<Run, Promise<Landing>>();
  #failures = 0;

  private constructor(way: Way, complete: boolean, there: ReadonlyMap<number, Uint8Array>) {
    this.#way = way;
    this.#complete = complete;
    this.#there = there;
  }

  /** Says what will come, and learns what is there. Throws JournalMismatch for units that this journal doesn't know. */
  static async announce(way: Way, size: number): Promise<Sending> {
    const { place, journal } = way;
    const state = await place.announce(journal.blob, size);
    const there = new Map(state.units.map((one) => [one.unit, one.sha256]));
    if ([...there.keys()].some((number) => number >= journal.known)) {
      throw new JournalMismatch(); // somebody else's units, or ours from before the journal was lost
    }
    return new Sending(way, state.complete, there);
  }

  /** Sends what isn't there, and gives the SHA-256 of the whole. */
  async send(units: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    try {
      return await this.#sendAll(units);
    } finally {
      await Promise.all(this.#flying.values()); // what is on its way when something failed
    }
  }

  async #sendAll(units: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const whole = new Sha256();
    let [number, run] = [0, emptyRun(0)];
    const { progress, signal } = this.#way;
    for await (const unit of units) {
      signal?.throwIfAborted();
      whole.update(unit);
      const digest = sha256(unit);
      const there = this.#isThere(number, digest);
      number += 1;
      if (there) {
        progress.found?.(unit.length);
        progress.advance(unit.length);
      } else {
        run.units.push(unit);
        run.digests.push(digest);
      }
      if (run.units.length >= this.#width.units) await this.#pump(0); // what lands may widen what is sent next
      if (there || run.units.length >= this.#width.units) {
        await this.#push(run);
        run = emptyRun(number);
      }
    }
    await this.#push(run);
    await this.#pump(0);
    return whole.digest();
  }

  #isThere(number: number, digest: Uint8Array): boolean {
    this.#way.journal.note(number, digest);
    const known = this.#there.get(number);
    if (known === undefined) return this.#complete;
    if (!isSame(known, digest)) throw new JournalMismatch();
    return true;
  }

  /** Sends a run once the one before has landed, and does not wait for it: meanwhile the next one is sealed. */
  async #push(run: Run): Promise<void> {
    if (run.units.length === 0) return;
    await this.#way.journal.sync();
    await this.#pump(0);
    this.#waiting.push(run);
    await this.#pump(1);
  }

  /** Sends until nothing waits and at most `stay` requests are in flight. */
  async #pump(stay: number): Promise<void> {
    while (this.#waiting.length > 0 || this.#flying.size > stay) {
      while (this.#flying.size < this.#width.requests) {
        const run = this.#waiting.shift();
        if (run === undefined) break;
        this.#flying.set(run, this.#put(run));
      }
      if (this.#waiting.length === 0 && this.#flying.size <= stay) return;
      const landing = await Promise.race(this.#flying.values());
      this.#flying.delete(landing.run);
      await this.#landed(landing);
    }
  }

  async #put(run: Run): Promise<Landing> {
    const { place, journal, signal, now } = this.#way;
    const begun = now();
    try {
      await place.putUnits(journal.blob, run.first, run.units, run.digests, signal);
      return { run, error: null, ms: now() - begun };
    } catch (error) {
      return { run, error, ms: now() - begun };
    }
  }

  async #landed({ run, error, ms }: Landing): Promise<void> {
    const { signal, progress } = this.#way;
    if (error === null || (error instanceof Refused && error.code === "upload_complete")) {
      this.#failures = 0;
      this.#width.succeeded(ms);
      progress.advance(run.units.reduce((size, unit) => size + unit.length, 0));
      return;
    }
    signal?.throwIfAborted();
    this.#failures += 1;
    requirePassing(error, this.#failures);
    this.#width.failed();
    const parts = [...this.#width.split(run.units.length)].map(([start, stop]) => ({
      first: run.first + start, units: run.units.slice(start, stop), digests: run.digests.slice(start, stop),
    }));
    this.#waiting.unshift(...parts);
    await rest(this.#way, pauseAfter(this.#failures));
  }
}

/** The file in pieces that fall together with the runs of the seal, behind the head. */
async function* blocksOf({ file, size }: Source): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < size; ) {
    const stop = Math.min(size, start === 0 ? RUN - CONTENT_BORDER : start + RUN);
    yield await read(file, start, stop);
    start = stop;
  }
}

/** A browser reads a file only as it was when it was picked. */
async function read(file: Blob, start: number, stop: number): Promise<Uint8Array> {
  let data: ArrayBuffer;
  try {
    data = await file.slice(start, stop).arrayBuffer();
  } catch (error) {
    const kind = error instanceof Error ? error.name : "";
    throw start > 0 && kind === "NotReadableError" ? new FileChanged() : new FileUnreadable(kind);
  }
  if (data.byteLength !== stop - start) throw new FileChanged();
  return new Uint8Array(data);
}

/** The sealed runs as units: the header goes with the first. */
async function* unitsOf(sealed: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let header: Uint8Array | null = null;
  let first = true;
  for await (const run of sealed) {
    if (header === null) header = run;
    else if (first) {
      first = false;
      yield concat(header, run);
    } else yield run;
  }
}

/** The file's own name as far as a record holds one. */
function nameOf({ name }: Source): string {
  const points = Array.from(name);
  return points.length > limits.NAME ? points.slice(-limits.NAME).join("") : name || "-";
}

function mimeOf({ file }: Source): string {
  return /^[\x21-\x7e]{1,127}$/.test(file.type) ? file.type : "application/octet-stream";
}

/** Throws `error`, unless it is one that passes and has not come too often in a row. */
function requirePassing(error: unknown, failures: number): void {
  const passing = error instanceof NetworkError || error instanceof ServerFault
    || (error instanceof Refused && PASSING.includes(error.code));
  if (!passing || failures >= FAILURES) throw error;
}
