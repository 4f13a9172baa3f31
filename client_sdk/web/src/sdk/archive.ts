// A .zip as a stream: what is written leaves at once, what is read is read where it lies.
// Knows: the one library, and how it is asked for no thread, no compression and no time of its own.
// Refuses to know: what the files are.

import { BlobReader, ZipReader, ZipWriter, configure } from "@zip.js/zip.js/lib/zip-core.js";

import type { Blocks } from "../crypto_core/sealing/envelope.js";
import { FileUnreadable } from "./errors.js";

configure({ useWebWorkers: false });

const STORED = 0, DEFLATED = 8;
/** When it was packed is nobody's business; DOS times begin here. */
const NEVER = new Date(1980, 0, 1, 12);

/** One file of an archive; `blocks` may throw FileUnreadable at any moment. `mode` is what Unix says that it is, 0 where
 * nothing is said; `isUnusual`: neither stored nor deflated. */
export interface ArchivedFile {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly isEncrypted: boolean;
  readonly isUnusual: boolean;
  blocks(): AsyncGenerator<Uint8Array>;
}

/** Files as they come, stored; beyond 4 GB, or 65,535 of them, in ZIP64. */
export class Archive {
  readonly #zip: ZipWriter<unknown>;

  /** `signal`: whoever waits for a file gets an error, once nobody wants it any more. */
  constructor(into: WritableStream<Uint8Array>, signal: AbortSignal | null = null) {
    const stop = signal === null ? {} : { signal };
    this.#zip = new ZipWriter(into, { level: 0, lastModDate: NEVER, extendedTimestamp: false, dataDescriptor: true, ...stop });
  }

  /** One file after the other: whoever adds waits for the one before. `size` is that of all blocks together. */
  async add(name: string, size: number, blocks: Blocks): Promise<void> {
    await this.#zip.add(name, { readable: streamOf(blocks), size } as { readable: ReadableStream<Uint8Array> });
  }

  /** The end; nothing of the archive can be read without it. */
  async end(): Promise<void> {
    await this.#zip.close();
  }
}

/** A place for an archive where there is no file to write to: a Blob, so that the heap never holds the whole. */
export class InBlob {
  readonly #type: string;
  readonly #pieces: Blob[] = [];
  readonly stream = new WritableStream<Uint8Array>({
    write: (block) => void this.#pieces.push(new Blob([new Uint8Array(block)])),
  });

  /** `type`: what a browser is told that it is. */
  constructor(type = "application/zip") {
    this.#type = type;
  }

  get blob(): Blob {
    return new Blob(this.#pieces, { type: this.#type });
  }
}

/** The files of an archive. Rejects with FileUnreadable where it is none, or where its parts contradict each other. */
export async function openArchive(archive: Blob): Promise<readonly ArchivedFile[]> {
  try {
    const reader = new ZipReader(new BlobReader(archive), { strictness: "balanced", filenameValidation: "tolerant" });
    return (await reader.getEntries()).flatMap((entry) => (entry.directory ? [] : [{
      name: entry.filename, size: entry.uncompressedSize, mode: entry.externalFileAttributes >>> 16,
      isEncrypted: entry.encrypted, isUnusual: entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED,
      blocks: () => written((into) => entry.getData(into, { checkSignature: true, checkOverlappingEntry: true })),
    }]));
  } catch (error) {
    throw unreadable(error);
  }
}

/** What `write` writes, as it comes. Throws FileUnreadable for whatever goes wrong in it. */
async function* written(write: (into: WritableStream<Uint8Array>) => Promise<unknown>): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const end = write(writable);
  end.catch(() => undefined); // told below; nobody waits for it any more where the reader has gone
  try {
    yield* blocksOf(readable);
    await end;
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(error: unknown): FileUnreadable {
  return new FileUnreadable(error instanceof Error ? error.name : "");
}

/** The same blocks, asked for one at a time. */
function streamOf(blocks: Blocks): ReadableStream<Uint8Array> {
  const each = (async function* () {
    yield* blocks;
  })();
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const next = await each.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: async () => void await each.return(undefined),
  }, { highWaterMark: 0 });
}

/** The blocks of a stream, which is given back when nobody wants more. */
export async function* blocksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
