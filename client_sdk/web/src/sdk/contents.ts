// Opens the sealed bytes of contents, whole or any range, wherever they come from.
// Knows: which sealed bytes a range needs, and the hashes that a record names. Refuses to know: who asks, and by what right.
// Contents come out verified chunk by chunk; whoever reads a whole file must not take it for whole before the end.

import { concat, isSame, parseB64url } from "../crypto_core/encoding.js";
import { MalformedError, TamperedError } from "../crypto_core/errors.js";
import {
  CHUNK_SIZE, HEADER_SIZE, RUN_CHUNKS, SEALED_CHUNK_SIZE, openStream, sealedRange, sealedSize, splitOff,
  type Blocks, type Opener,
} from "../crypto_core/sealing/envelope.js";
import { contentPlainSize, contentRange, unpadContent } from "../crypto_core/sealing/padding.js";
import { contentOpener } from "../crypto_core/sealing/records.js";
import { Sha256 } from "./digest.js";
import { BlobSwapped, ContentBroken, ContentDiffers, RangeInvalid, Refused, ServerFault } from "./errors.js";
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

  /** The original bytes of a content, or of the range [start, stop). Until it has ended, what came must not be taken for whole.
   *
   * Throws RangeInvalid for a range outside; BlobSwapped where the blob is not the one whose SHA-256 the record names. Where it
   * is, whoever kept it is not at fault: ContentBroken if it doesn't open, and ContentDiffers, after all of it came, if it opens
   * as another original than the record names. A blob that doesn't open is read to its end, or that of the record's size,
   * to learn which it is. */
  read(content: Content, start = 0, stop: number | null = null): AsyncGenerator<Uint8Array> {
    const { parts } = content;
    if (start === 0 && stop === null) return parts === undefined ? this.#whole(content) : this.#every(content, parts);
    const end = stop === null ? content.size : Math.min(stop, content.size);
    if (!(start >= 0 && start <= content.size && end >= start)) throw new RangeInvalid();
    return this.#joined(parts ?? [content], start, end);
  }

  /** The sealed bytes of a content, as they are kept; nothing is verified. */
  sealed(content: Content): AsyncGenerator<Uint8Array> {
    return this.#shown(content.name, sealedContentSize(content.size), this.#readBlob(content.blob));
  }

  async *#whole(content: Content): AsyncGenerator<Uint8Array> {
    const [sealedHash, plainHash] = [new Sha256(), new Sha256()];
    const passing = hashed(bounded(this.sealed(content), sealedContentSize(content.size)), sealedHash);
    let [why, size]: [string | null, number] = [null, 0];
    try {
      const [header, body] = await splitOff(kept(passing), HEADER_SIZE);
      const opener = contentOpener(content.key, parseB64url(content.blob), header);
      for await (const block of unpadContent(openStream(opener, body))) {
        plainHash.update(block);
        size += block.length;
        yield block;
      }
    } catch (error) {
      if (!isBroken(error)) throw error;
      why = error.code;
      for await (const _ of passing);
    } finally {
      await passing.return(undefined);
    }
    if (!isSame(sealedHash.digest(), content.sealed)) throw new BlobSwapped(why ?? "another hash than the record names");
    if (why !== null) throw new ContentBroken(why);
    const digest = plainHash.digest();
    if (size !== content.size || !isSame(digest, content.sha256)) throw new ContentDiffers(digest, size);
  }

  /** All of a recording; a part that differs is said in the end, and keeps none of the others back. */
  async *#every(content: Content, parts: readonly Content[]): AsyncGenerator<Uint8Array> {
    const hash = new Sha256();
    let [size, differs] = [0, false];
    for (const part of parts) {
      try {
        for await (const block of this.#whole(part)) {
          hash.update(block);
          size += block.length;
          yield block;
        }
      } catch (error) {
        if (!(error instanceof ContentDiffers)) throw error;
        differs = true;
      }
    }
    const digest = hash.digest();
    if (differs || !isSame(digest, content.sha256)) throw new ContentDiffers(digest, size);
  }

  /** The bytes [start, stop) of segments, one after the other. */
  async *#joined(parts: readonly Content[], start: number, stop: number): AsyncGenerator<Uint8Array> {
    let before = 0;
    for (const part of parts) {
      const [first, last] = [Math.max(0, start - before), Math.min(stop - before, part.size)];
      if (first < last) yield* this.#range(part, first, last);
      before += part.size;
    }
  }

  /** Where the range isn't given, or doesn't open, the blob is read whole to learn whose fault that is. */
  async *#range(content: Content, start: number, stop: number): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#openRange(content, start, stop);
    } catch (error) {
      const isShort = error instanceof Refused && error.code === "range_invalid";
      if (!isShort && !isBroken(error)) throw error;
      try {
        for await (const _ of this.#whole(content));
      } catch (found) {
        if (!(found instanceof ContentDiffers)) throw found;
      }
      throw isShort ? error : new BlobSwapped(error.code); // of the blob that was kept it would have opened
    }
  }

  async *#openRange(content: Content, start: number, stop: number): AsyncGenerator<Uint8Array> {
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
    const opener = contentOpener(content.key, parseB64url(blob), header);
    this.#headers.set(blob, header);
    const plain = openRun(opener, first, this.#shown(content.name, end - firstByte, body), end === whole);
    yield* cut(plain, plainStart - first * CHUNK_SIZE, stop - start);
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

/** The same blocks, cut so that no more than one byte beyond `size` comes: enough to see that there is more. */
export async function* bounded(blocks: Blocks, size: number): AsyncGenerator<Uint8Array> {
  let left = size + 1;
  for await (const block of blocks) {
    yield block.subarray(0, left);
    left -= block.length;
    if (left <= 0) return;
  }
}

/** All of them in one piece: of what is `bounded`, and small. */
export async function collect(blocks: Blocks): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const block of blocks) pieces.push(block);
  return concat(...pieces);
}

/** The blob of a content without parts, as it was deposited, if `sealed` is that.
 *
 * Throws in the place of an end BlobSwapped where it is another, and ContentBroken where only its size is another than the record
 * says. */
export async function* checked(content: Content, sealed: Blocks): AsyncGenerator<Uint8Array> {
  const [digest, size] = [new Sha256(), sealedContentSize(content.size)];
  let left = size;
  for await (const block of hashed(bounded(sealed, size), digest)) {
    left -= block.length;
    yield block;
  }
  if (!isSame(digest.digest(), content.sealed)) throw new BlobSwapped("another hash than the record names");
  if (left !== 0) throw new ContentBroken("another size than the record names");
}

/** Bytes that don't open; whose fault that is, their hash tells. */
function isBroken(error: unknown): error is TamperedError | MalformedError {
  return error instanceof TamperedError || error instanceof MalformedError;
}

/** The same blocks; whoever wants no more of them doesn't end them. */
async function* kept(blocks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let next = await blocks.next(); next.done !== true; next = await blocks.next()) yield next.value;
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
