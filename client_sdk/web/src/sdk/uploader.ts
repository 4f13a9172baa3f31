// Sends a file of any size, sealed, over a bad network; goes on where it was cut.
// Knows: protocol §5: journal before bytes, units, two requests in flight, completion, receipt.
// Refuses to know: records. Never holds more of a file than two requests and what is being sealed; never sends a unit
// whose hash isn't journalled.

import { concat, isSame, parseB64url } from "../crypto_core/encoding.js";
import { MalformedError } from "../crypto_core/errors.js";
import { CHUNK_SIZE, RUN_CHUNKS, sealStream } from "../crypto_core/sealing/envelope.js";
import { CONTENT_BORDER, padContent } from "../crypto_core/sealing/padding.js";
import { contentSealer } from "../crypto_core/sealing/records.js";
import * as limits from "../schemas/limits.js";
import type { KeptBlob, Upload } from "../schemas/uploads.js";
import { hashed, sealedContentSize } from "./contents.js";
import { Sha256, sha256 } from "./digest.js";
import { FileChanged, FileUnreadable, NetworkError, Refused, SdkError, ServerFault, ValueRefused } from "./errors.js";
import type { Content, Id } from "./items.js";
import { JournalMismatch, Journals, Source, type Unfinished, type UploadJournal } from "./journal.js";
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
const OTHER_BYTES = ["blob_conflict", "upload_mismatch"];
const PASSING = ["body_incomplete", "digest_mismatch", "unavailable"];

/** A content whose receipt verified; its journal goes when the record that names it is kept. */
export interface Uploaded {
  readonly content: Content;
  readonly receipt: string;
  readonly journal: UploadJournal;
}

export type Sleep = (ms: number) => Promise<void>;

/** How one file is sent. `signal` stops it where it is: the same file is given again to go on. */
export interface Sent {
  readonly signal?: AbortSignal | null;
  readonly progress?: Progress;
}

/** Where blobs go, and by what right: a person's own vault, or a box in somebody else's. */
export interface Place {
  announce(blob: Id, size: number): Promise<Upload>;
  /** Whole consecutive units from number `first`, each with its SHA-256. Tried once. */
  putUnits(
    blob: Id, first: number, units: readonly Uint8Array[], digests: readonly Uint8Array[], signal: AbortSignal | null,
  ): Promise<Upload>;
  /** A blob of one unit or less. Tried once. */
  putWhole(blob: Id, data: Uint8Array, digest: Uint8Array, signal: AbortSignal | null): Promise<KeptBlob>;
  complete(blob: Id, digest: Uint8Array): Promise<KeptBlob>;
  giveUp(blob: Id): Promise<unknown>;
  /** Resolves once the receipt of a blob is proven, and held if this device holds any. */
  prove(receipt: string, blob: Id, digest: Uint8Array, size: number): Promise<void>;
}

/** Where an upload's journal comes from. */
export interface JournalMaker {
  find(source: Source, sensitive: boolean): Promise<UploadJournal | null>;
  make(source: Source, sensitive: boolean): Promise<UploadJournal>;
}

/** Sends files to one place. `sleep` waits between failures; `now` is a clock in milliseconds. */
export class Sender {
  readonly #place: Place;
  readonly #journals: JournalMaker;
  readonly #progress: Progress;
  readonly #sleep: Sleep;
  readonly #now: () => number;

  constructor(place: Place, journals: JournalMaker, progress: Progress, sleep: Sleep, now: () => number) {
    this.#place = place;
    this.#journals = journals;
    this.#progress = progress;
    this.#sleep = sleep;
    this.#now = now;
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
        return { ...(await this.#send(source, journal, how)), journal };
      } catch (error) {
        const mismatch = error instanceof JournalMismatch;
        if (mismatch || error instanceof FileChanged) await this.#abandon(journal);
        else journal.close();
        if (!mismatch) throw error;
      }
    }
    throw new FileChanged();
  }

  /** A blob of one unit or less, sealed already, and its receipt, proven. */
  async sendSealed(blob: Id, data: Uint8Array): Promise<string> {
    const digest = sha256(data);
    const receipt = await putWhole(this.#way({}), blob, data, digest);
    await this.#place.prove(receipt, blob, digest, data.length);
    return receipt;
  }

  #way({ signal = null, progress = this.#progress }: Sent): Way {
    return { place: this.#place, progress, signal, now: this.#now, sleep: this.#sleep };
  }

  async #send(source: Source, journal: UploadJournal, how: Sent): Promise<Omit<Uploaded, "journal">> {
    const machine = uploading();
    const way = { ...this.#way(how), journal };
    const { signal, progress } = way;
    machine.receive(UploadEvent.JOURNAL_WRITTEN);
    const size = sealedContentSize(source.size);
    const plain = new Sha256();
    const sealer = contentSealer(journal.key, parseB64url(journal.blob), journal.salt);
    const units = unitsOf(sealStream(sealer, padContent(source.size, hashed(blocksOf(source), plain))));
    progress.start(source.name, size);
    try {
      const small = size <= limits.FIRST_UNIT;
      signal?.throwIfAborted();
      const sending = small ? null : await Sending.announce(way, size);
      if (sending !== null) machine.receive(UploadEvent.ANNOUNCED);
      const sealed = sending === null ? null : await sending.send(units);
      if (sending !== null) machine.receive(UploadEvent.ALL_ARRIVED);
      const [receipt, digest] = sealed === null
        ? await sendWhole(way, units)
        : [(await this.#place.complete(journal.blob, sealed)).receipt, sealed];
      machine.receive(UploadEvent.COMPLETED);
      await this.#place.prove(receipt, journal.blob, digest, size);
      machine.receive(UploadEvent.RECEIPT_VERIFIED);
      const { blob, key } = journal;
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

  async #abandon(journal: UploadJournal): Promise<void> {
    await forgetUnits(this.#place, journal.blob);
    await journal.remove();
  }
}

/** Sends the files of one session, and goes on after any cut. */
export class Uploader extends Sender {
  readonly #own: Place;
  readonly #kept: Journals;
  readonly #names: (blob: Id) => boolean;

  constructor(session: Session, sleep: Sleep, now: () => number) {
    const [own, kept] = [ownPlace(session), new Journals(session.home, session.keyring, session.clock)];
    super(own, kept, session.progress, sleep, now);
    this.#own = own;
    this.#kept = kept;
    this.#names = (blob) => session.replica.names(blob);
  }

  /** What was begun on this device and not finished. */
  unfinished(): Promise<readonly Unfinished[]> {
    return this.#kept.unfinished();
  }

  /** Gives up an upload that was begun: what has arrived of it goes from the vault, too. */
  async giveUp(blob: Id): Promise<void> {
    await forgetUnits(this.#own, blob);
    await this.#kept.drop(blob);
  }

  /** Forgets the journals of what an item names by now. */
  tidy(): Promise<void> {
    return this.#kept.tidy(this.#names);
  }
}

/** The vault of the person whose session this is. */
function ownPlace(session: Session): Place {
  const { replica } = session;
  return {
    announce: (blob, size) => session.ask("POST", UPLOADS, { body: { blob, size } }),
    putUnits: (blob, first, units, digests, signal) => session.put(UNITS, units, digests, { blob, first }, signal),
    putWhole: (blob, data, digest, signal) => session.put(BLOB, [data], [digest], { blob }, signal),
    complete: (blob, digest) => session.ask("POST", COMPLETE, { body: { sha256: digest }, places: { blob } }),
    giveUp: (blob) => session.ask("DELETE", UPLOAD, { places: { blob } }),
    prove: async (receipt, blob, digest, size) => {
      await session.verify(receipt, digest, size);
      await replica.writing(() => replica.keepReceipt(blobName(blob), receipt));
    },
  };
}

async function forgetUnits(place: Place, blob: Id): Promise<void> {
  try {
    await place.giveUp(blob);
  } catch (error) {
    if (!(error instanceof SdkError)) throw error; // what nobody names is collected
  }
}

/** What the bytes of one blob travel with. */
interface Way {
  readonly place: Place;
  readonly progress: Progress;
  readonly signal: AbortSignal | null;
  readonly now: () => number;
  readonly sleep: Sleep;
}

/** The same, and what was written down before it left. */
interface JournalledWay extends Way {
  readonly journal: UploadJournal;
}

async function sendWhole(
  way: JournalledWay, units: AsyncIterable<Uint8Array>,
): Promise<readonly [string, Uint8Array]> {
  const { journal } = way;
  const pieces: Uint8Array[] = [];
  for await (const unit of units) pieces.push(unit);
  const data = concat(...pieces);
  const digest = sha256(data);
  journal.note(0, digest);
  await journal.sync();
  return [await putWhole(way, journal.blob, data, digest), digest];
}

/** Gives the receipt, unproven. */
async function putWhole(way: Way, blob: Id, data: Uint8Array, digest: Uint8Array): Promise<string> {
  const { place, progress, signal } = way;
  for (let failures = 1; ; failures += 1) {
    try {
      const { receipt } = await place.putWhole(blob, data, digest, signal);
      progress.advance(data.length);
      return receipt;
    } catch (error) {
      signal?.throwIfAborted();
      requirePassing(error, failures);
      await rest(way, failures - 1);
    }
  }
}

/** Waits before the next try; at once over when the signal comes. */
async function rest({ signal, sleep }: Way, failures: number): Promise<void> {
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  signal?.addEventListener("abort", stop);
  await Promise.race([sleep(Math.min(250 * 2 ** failures, 10_000)), stopped]);
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
  readonly #way: JournalledWay;
  readonly #complete: boolean;
  readonly #there: ReadonlyMap<number, Uint8Array>;
  readonly #width = new Width(WIDEST);
  readonly #waiting: Run[] = [];
  readonly #flying = new Map<Run, Promise<Landing>>();
  #failures = 0;

  private constructor(way: JournalledWay, complete: boolean, there: ReadonlyMap<number, Uint8Array>) {
    this.#way = way;
    this.#complete = complete;
    this.#there = there;
  }

  /** Says what will come, and learns what is there. Throws JournalMismatch for units that this journal doesn't know. */
  static async announce(way: JournalledWay, size: number): Promise<Sending> {
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
    await rest(this.#way, this.#failures);
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
