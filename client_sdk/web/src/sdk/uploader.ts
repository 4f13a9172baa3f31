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
import { Sha256, sha256 } from "./digest.js";
import { FileChanged, FileUnreadable, NetworkError, Refused, SdkError, ServerFault, ValueRefused } from "./errors.js";
import type { Content } from "./items.js";
import { JournalMismatch, Journals, Source, type Journal } from "./journal.js";
import { UploadEvent, Width, uploading } from "./protocol/upload.js";
import { BLOB, hashed, sealedContentSize } from "./reader.js";
import { blobName } from "./replica.js";
import type { Session } from "./session.js";

const UPLOADS = "/v1/uploads";
const UPLOAD = "/v1/uploads/<id:blob>";
const UNITS = "/v1/uploads/<id:blob>/units/<u32:first>";
const COMPLETE = "/v1/uploads/<id:blob>/complete";
const IN_FLIGHT = 2;
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
  readonly journal: Journal;
}

export type Sleep = (ms: number) => Promise<void>;

/** Sends the files of one session. `sleep` waits between failures. */
export class Uploader {
  readonly #session: Session;
  readonly #sleep: Sleep;
  readonly #journals: Journals;

  constructor(session: Session, sleep: Sleep) {
    this.#session = session;
    this.#sleep = sleep;
    this.#journals = new Journals(session.home, session.keyring, session.clock);
  }

  /** Forgets the journals of what an item names by now. */
  tidy(): Promise<void> {
    return this.#journals.tidy((blob) => this.#session.replica.names(blob));
  }

  /** Sends one file, or what is left of it.
   *
   * Throws FileUnreadable, FileChanged, NetworkError (give the same file again to go on), or Refused. */
  async send(file: Blob, sensitive: boolean): Promise<Uploaded> {
    const source = new Source(file);
    if (sealedContentSize(source.size) > limits.BLOB) throw new ValueRefused("a file larger than a vault takes");
    for (let tries = 0; tries < BLOBS; tries += 1) {
      const journal = (await this.#journals.find(source, sensitive)) ?? (await this.#journals.make(source, sensitive));
      try {
        return { content: await this.#send(source, journal), journal };
      } catch (error) {
        const mismatch = error instanceof JournalMismatch;
        if (mismatch || error instanceof FileChanged) await this.#abandon(journal);
        else journal.close();
        if (!mismatch) throw error;
      }
    }
    throw new FileChanged();
  }

  async #send(source: Source, journal: Journal): Promise<Content> {
    const machine = uploading();
    const { progress } = this.#session;
    machine.receive(UploadEvent.JOURNAL_WRITTEN);
    const size = sealedContentSize(source.size);
    const plain = new Sha256();
    const sealer = contentSealer(journal.key, parseB64url(journal.blob), journal.salt);
    const units = unitsOf(sealStream(sealer, padContent(source.size, hashed(blocksOf(source), plain))));
    progress.start(source.name, size);
    try {
      const small = size <= limits.FIRST_UNIT;
      const sending = small ? null : await Sending.announce(this.#session, journal, size, this.#sleep);
      if (sending !== null) machine.receive(UploadEvent.ANNOUNCED);
      const sealed = sending === null ? null : await sending.send(units);
      if (sending !== null) machine.receive(UploadEvent.ALL_ARRIVED);
      const [receipt, digest] = sealed === null
        ? await this.#sendWhole(units, journal)
        : [await this.#complete(journal, sealed), sealed];
      machine.receive(UploadEvent.COMPLETED);
      await this.#session.verify(receipt, digest, size);
      machine.receive(UploadEvent.RECEIPT_VERIFIED);
      const { replica } = this.#session;
      await replica.writing(() => replica.keepReceipt(blobName(journal.blob), receipt));
      const { blob, key } = journal;
      const [name, mime] = [nameOf(source), mimeOf(source)];
      return { blob, key, sealed: digest, sha256: plain.digest(), name, mime, size: source.size };
    } catch (error) {
      if (error instanceof MalformedError) throw new FileChanged();
      if (error instanceof Refused && OTHER_BYTES.includes(error.code)) throw new JournalMismatch();
      throw error;
    } finally {
      progress.done();
    }
  }

  async #complete(journal: Journal, whole: Uint8Array): Promise<string> {
    const places = { blob: journal.blob };
    return (await this.#session.ask("POST", COMPLETE, { body: { sha256: whole }, places })).receipt;
  }

  async #sendWhole(units: AsyncIterable<Uint8Array>, journal: Journal): Promise<readonly [string, Uint8Array]> {
    const pieces: Uint8Array[] = [];
    for await (const unit of units) pieces.push(unit);
    const data = concat(...pieces);
    const digest = sha256(data);
    journal.note(0, digest);
    await journal.sync();
    for (let failures = 1; ; failures += 1) {
      try {
        const answer = await this.#session.put(BLOB, [data], { blob: journal.blob });
        this.#session.progress.advance(data.length);
        return [answer.receipt, digest];
      } catch (error) {
        requirePassing(error, failures);
        await this.#sleep(pause(failures - 1));
      }
    }
  }

  async #abandon(journal: Journal): Promise<void> {
    try {
      await this.#session.ask("DELETE", UPLOAD, { places: { blob: journal.blob } });
    } catch (error) {
      if (!(error instanceof SdkError)) throw error; // what nobody names is collected
    }
    await journal.remove();
  }
}

/** Consecutive units that go in one request. */
interface Run {
  readonly first: number;
  readonly units: readonly Uint8Array[];
}

/** How a request ended; a request never rejects, so that two may be waited for at once. */
type Landing = { readonly run: Run; readonly error: unknown };

/** The units of one blob on their way. */
class Sending {
  readonly #session: Session;
  readonly #journal: Journal;
  readonly #sleep: Sleep;
  readonly #complete: boolean;
  readonly #there: ReadonlyMap<number, Uint8Array>;
  readonly #width = new Width();
  readonly #waiting: Run[] = [];
  readonly #flying = new Map<Run, Promise<Landing>>();
  #failures = 0;

  private constructor(
    session: Session, journal: Journal, sleep: Sleep, complete: boolean, there: ReadonlyMap<number, Uint8Array>,
  ) {
    this.#session = session;
    this.#journal = journal;
    this.#sleep = sleep;
    this.#complete = complete;
    this.#there = there;
  }

  /** Says what will come, and learns what is there. Throws JournalMismatch for units that this journal doesn't know. */
  static async announce(session: Session, journal: Journal, size: number, sleep: Sleep): Promise<Sending> {
    const state = await session.ask("POST", UPLOADS, { body: { blob: journal.blob, size } });
    const there = new Map(state.units.map((one) => [one.unit, one.sha256]));
    if ([...there.keys()].some((number) => number >= journal.known)) {
      throw new JournalMismatch(); // somebody else's units, or ours from before the journal was lost
    }
    return new Sending(session, journal, sleep, state.complete, there);
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
    let [number, first, run]: [number, number, Uint8Array[]] = [0, 0, []];
    for await (const unit of units) {
      whole.update(unit);
      const there = this.#isThere(number, unit);
      if (there) this.#session.progress.advance(unit.length);
      else {
        if (run.length === 0) first = number;
        run.push(unit);
      }
      if (there || run.length >= this.#width.units) {
        await this.#push(first, run);
        run = [];
      }
      number += 1;
    }
    await this.#push(first, run);
    await this.#pump(0);
    return whole.digest();
  }

  #isThere(number: number, unit: Uint8Array): boolean {
    const digest = sha256(unit);
    this.#journal.note(number, digest);
    const known = this.#there.get(number);
    if (known === undefined) return this.#complete;
    if (!isSame(known, digest)) throw new JournalMismatch();
    return true;
  }

  async #push(first: number, units: readonly Uint8Array[]): Promise<void> {
    if (units.length === 0) return;
    await this.#journal.sync();
    this.#waiting.push({ first, units });
    await this.#pump(IN_FLIGHT - 1);
  }

  /** Sends until nothing waits and at most `stay` requests are in flight. */
  async #pump(stay: number): Promise<void> {
    while (this.#waiting.length > 0 || this.#flying.size > stay) {
      while (this.#flying.size < IN_FLIGHT) {
        const run = this.#waiting.shift();
        if (run === undefined) break;
        this.#flying.set(run, this.#put(run));
      }
      const landing = await Promise.race(this.#flying.values());
      this.#flying.delete(landing.run);
      await this.#landed(landing);
    }
  }

  async #put(run: Run): Promise<Landing> {
    try {
      await this.#session.put(UNITS, run.units, { blob: this.#journal.blob, first: run.first });
      return { run, error: null };
    } catch (error) {
      return { run, error };
    }
  }

  async #landed({ run, error }: Landing): Promise<void> {
    if (error === null || (error instanceof Refused && error.code === "upload_complete")) {
      this.#failures = 0;
      this.#width.succeeded();
      this.#session.progress.advance(run.units.reduce((size, unit) => size + unit.length, 0));
      return;
    }
    this.#failures += 1;
    requirePassing(error, this.#failures);
    this.#width.failed();
    const parts = [...this.#width.split(run.units.length)].map(([start, stop]) =>
      ({ first: run.first + start, units: run.units.slice(start, stop) }));
    this.#waiting.unshift(...parts);
    await this.#sleep(pause(this.#failures));
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

/** Milliseconds. */
function pause(failures: number): number {
  return Math.min(250 * 2 ** failures, 10_000);
}
