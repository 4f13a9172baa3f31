// Opens the sealed bytes of contents, whole or any range, wherever they come from.
// Knows: which sealed bytes a range needs, and the hashes that a record names. Refuses to know: who asks, and by what right.
// Contents come out verified chunk by chunk; whoever reads a whole file must not take it for whole before the end.

import { isSame, parseB64url } from "../crypto_core/encoding.js";
import { MalformedError, TamperedError } from "../crypto_core/errors.js";
import {
  CHUNK_SIZE, HEADER_SIZE, RUN_CHUNKS, SEALED_CHUNK_SIZE, openStream, sealedRange, sealedSize, splitOff,
  type Blocks, type Opener,
} from "../crypto_core/sealing/envelope.js";
import { contentPlainSize, contentRange, unpadContent } from "../crypto_core/sealing/padding.js";
import { contentOpener } from "../crypto_core/sealing/records.js";
import { Sha256 } from "./digest.js";
import { BlobSwapped, RangeInvalid, ServerFault } from "./errors.js";
import type { Content, Id } from "./items.js";
import type { Progress } from "./progress.js";

/** A range that begins this near to the start comes in one request with the header. */
const NEAR = 2 * SEALED_CHUNK_SIZE;

/** The bytes [start, stop) of a blob, or all of it. */
export type ReadBlob = (blob: Id, start?: number, stop?: number | null) => AsyncGenerator<Uint8Array, void>;

/** Opens what `readBlob` fetches; `progress` hears of it. */
export class Contents {
  readonly #readBlob: ReadBlob;
  readonly #progress: Progress;
  /** Headers that opened: public bytes, kept so that whoever seeks in a film asks once for each piece. */
  readonly #headers = new Map<Id, Uint8Array>();

  constructor(readBlob: ReadBlob, progress: Progress) {
    this.#readBlob = readBlob;
    this.#progress = progress;
  }

  /** The original bytes of a content, or of the range [start, stop).
   *
   * Throws RangeInvalid for one outside, BlobSwapped for bytes that are not those that the record names. */
  read(content: Content, start = 0, stop: number | null = null): AsyncGenerator<Uint8Array> {
    const whole = start === 0 && stop === null;
    if (whole && content.parts === undefined) return this.#whole(content);
    const end = stop === null ? content.size : Math.min(stop, content.size);
    if (!(start >= 0 && start <= content.size && end >= start)) throw new RangeInvalid();
    if (content.parts === undefined) return this.#range(content, start, end);
    const joined = this.#joined(content.parts, start, end);
    return whole ? checked(joined, content.sha256, content.size) : joined;
  }

  /** The sealed bytes of a content, as they are kept; nothing is verified. */
  sealed(content: Content): AsyncGenerator<Uint8Array> {
    return this.#shown(content.name, sealedContentSize(content.size), this.#readBlob(content.blob));
  }

  async *#whole(content: Content): AsyncGenerator<Uint8Array> {
    const sealedHash = new Sha256();
    const plainHash = new Sha256();
    const [header, body] = await splitOff(hashed(this.sealed(content), sealedHash), HEADER_SIZE);
    try {
      const opener = contentOpener(content.key, parseB64url(content.blob), header);
      for await (const block of unpadContent(openStream(opener, body))) {
        plainHash.update(block);
        yield block;
      }
    } catch (error) {
      throw asSwapped(error);
    }
    if (!isSame(sealedHash.digest(), content.sealed) || !isSame(plainHash.digest(), content.sha256)) {
      throw new BlobSwapped("another hash than the record names");
    }
  }

  /** The bytes [start, stop) of segments, one after the other; those of them that are wanted whole are hashed. */
  async *#joined(parts: readonly Content[], start: number, stop: number): AsyncGenerator<Uint8Array> {
    let before = 0;
    for (const part of parts) {
      const [first, last] = [Math.max(0, start - before), Math.min(stop - before, part.size)];
      if (first < last) yield* first === 0 && last === part.size ? this.#whole(part) : this.#range(part, first, last);
      before += part.size;
    }
  }

  async *#range(content: Content, start: number, stop: number): AsyncGenerator<Uint8Array> {
    if (start === stop) return;
    const { blob } = content;
    const whole = sealedContentSize(content.size);
    const [plainStart, plainStop] = contentRange(start, stop);
    const [firstByte, after, first] = sealedRange(plainStart, plainStop);
    const end = Math.min(after, whole);
    const known = this.#headers.get(blob);
    const near = known === undefined && firstByte <= NEAR;
    const [header, rest] = known !== undefined ? [known, null] as const : await splitOff(
      this.#readBlob(blob, 0, near ? end : HEADER_SIZE), HEADER_SIZE,
    );
    const body = near && rest !== null
      ? (await splitOff(rest, firstByte - HEADER_SIZE))[1]
      : this.#readBlob(blob, firstByte, end);
    try {
      const opener = contentOpener(content.key, parseB64url(blob), header);
      this.#headers.set(blob, header);
      const plain = openRun(opener, first, this.#shown(content.name, end - firstByte, body), end === whole);
      yield* cut(plain, plainStart - first * CHUNK_SIZE, stop - start);
    } catch (error) {
      throw asSwapped(error);
    }
  }

  async *#shown(name: string, size: number, blocks: Blocks): AsyncGenerator<Uint8Array> {
    this.#progress.start(name, size);
    try {
      for await (const block of blocks) {
        this.#progress.advance(block.length);
        yield block;
      }
    } finally {
      this.#progress.done();
    }
  }
}

/** How many bytes the blob of a content of `size` bytes has. */
export function sealedContentSize(size: number): number {
  return sealedSize(contentPlainSize(size));
}

/** The same blocks, no more than there were; throws BlobSwapped in the place of an end where they hash otherwise. */
export async function* checked(blocks: Blocks, expected: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const digest = new Sha256();
  let left = size;
  for await (const block of hashed(blocks, digest)) {
    left -= block.length;
    if (left < 0) break;
    yield block;
  }
  if (left !== 0 || !isSame(digest.digest(), expected)) throw new BlobSwapped("another hash than the record names");
}

/** The vault is at fault where bytes don't open as those of the record; anything else is what it was. */
function asSwapped(error: unknown): unknown {
  return error instanceof TamperedError || error instanceof MalformedError ? new BlobSwapped(error.code) : error;
}

/** The same blocks, hashed on their way. */
export async function* hashed(blocks: Blocks, digest: Sha256): AsyncGenerator<Uint8Array> {
  for await (const block of blocks) {
    digest.update(block);
    yield block;
  }
}

/** The plain bytes of consecutive sealed chunks from number `first`; `toTheEnd`: the message ends with them.
 *
 * One run's room is used for all of them: what a film leaves behind is collected late. */
async function* openRun(opener: Opener, first: number, sealed: Blocks, toTheEnd: boolean): AsyncGenerator<Uint8Array> {
  const run = new Uint8Array(RUN_CHUNKS * SEALED_CHUNK_SIZE);
  let [number, filled] = [first, 0];
  for await (const block of sealed) {
    for (let at = 0; at < block.length;) {
      if (filled === run.length) { // and there is more: so this run isn't the last
        yield opener.openChunks(number, run, false);
        number += RUN_CHUNKS;
        filled = 0;
      }
      const part = block.subarray(at, at + run.length - filled);
      run.set(part, filled);
      filled += part.length;
      at += part.length;
    }
  }
  yield opener.openChunks(number, run.subarray(0, filled), toTheEnd);
}

async function* cut(plain: AsyncIterable<Uint8Array>, start: number, size: number): AsyncGenerator<Uint8Array> {
  let [skip, left] = [start, size];
  for await (const block of plain) {
    const part = block.subarray(skip, skip + left);
    skip = Math.max(0, skip - block.length);
    left -= part.length;
    if (part.length > 0) yield part;
  }
  if (left > 0) throw new ServerFault("fewer bytes than the range holds");
}
