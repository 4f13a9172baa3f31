// Seals and opens one message, whole, as a stream, or any range of it.
// Knows: c2sp.org/chunked-encryption@v1 with HKDF-SHA-512 and ChaCha20-Poly1305 (docs/spec/envelope.md).
// Refuses to know: what is inside, where keys come from, where bytes go.
//
//     0   24  salt
//     24  32  commitment: a sealed message opens under one key and one context only
//     56  ..  chunks of 16,384 bytes + 16 of tag; the last one is always shorter, and may be empty
//
// One (key, context, salt) seals one message for ever: chunk nonces follow from it. Sealing the same bytes again, as a
// resumed upload does, is safe; sealing other bytes under the same three is not.

import { CHACHA20_POLY1305, MAX_SIZE, NONCE_SIZE, TAG_SIZE, type Aead } from "../aead.js";
import { hkdfExpand, KEY_SIZE, requireKey } from "../derivation.js";
import { concat, encodeText } from "../encoding.js";
import { MalformedError, TamperedError } from "../errors.js";
import { makeBytes } from "../randomness.js";
import { sodium } from "../sodium.js";

export const SALT_SIZE = 24;
export const COMMITMENT_SIZE = 32;
export const HEADER_SIZE = SALT_SIZE + COMMITMENT_SIZE;
export const CHUNK_SIZE = MAX_SIZE;
export const SEALED_CHUNK_SIZE = CHUNK_SIZE + TAG_SIZE;
export const MAX_CHUNKS = 2 ** 38;
/** Streams work in runs of 16 chunks: 262,144 bytes in the clear, 262,400 sealed, as uploads do. */
export const RUN_CHUNKS = 16;

const TWO_32 = 2 ** 32;

/** Bytes that come piece by piece, cut anyhow. */
export type Blocks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** How many bytes a message of `size` bytes has once sealed. Throws RangeError beyond 2^52−1. */
export function sealedSize(size: number): number {
  if (!(size >= 0 && Math.floor(size / CHUNK_SIZE) < MAX_CHUNKS)) {
    throw new RangeError("a message has 0 to 2^52-1 bytes");
  }
  return HEADER_SIZE + size + (Math.floor(size / CHUNK_SIZE) + 1) * TAG_SIZE;
}

/** The inverse of `sealedSize`. Throws MalformedError if no message has that length once sealed. */
export function plainSize(sealed: number): number {
  const [whole, rest] = divided(sealed - HEADER_SIZE, SEALED_CHUNK_SIZE);
  if (sealed < HEADER_SIZE || rest < TAG_SIZE || whole >= MAX_CHUNKS) {
    throw new MalformedError("no sealed message has this length");
  }
  return whole * CHUNK_SIZE + rest - TAG_SIZE;
}

/** `message` sealed under a 32-byte key for one context. A salt (24 bytes) is drawn unless given. */
export function seal(
  key: Uint8Array, context: Uint8Array, message: Uint8Array, salt?: Uint8Array, aead = CHACHA20_POLY1305,
): Uint8Array {
  const sealer = new Sealer(key, context, salt, aead);
  return concat(sealer.header, sealer.sealChunks(0, message, true));
}

/** The message. Throws TamperedError (another key, context or byte) or MalformedError (impossible length). */
export function openSealed(
  key: Uint8Array, context: Uint8Array, sealed: Uint8Array, aead = CHACHA20_POLY1305,
): Uint8Array {
  plainSize(sealed.length);
  const opener = new Opener(key, context, sealed.subarray(0, HEADER_SIZE), aead);
  return opener.openChunks(0, sealed.subarray(HEADER_SIZE), true);
}

/** Seals the chunks of one message, in any order. */
export class Sealer {
  readonly salt: Uint8Array;
  /** The first 56 bytes of the sealed message. */
  readonly header: Uint8Array;
  readonly #chunks: Chunks;

  constructor(key: Uint8Array, context: Uint8Array, salt = makeBytes(SALT_SIZE), aead = CHACHA20_POLY1305) {
    const [chunks, commitment] = expand(key, context, salt, aead);
    this.salt = salt;
    this.header = concat(salt, commitment);
    this.#chunks = chunks;
  }

  /** The sealed chunks number `first` and up that hold `data`.
   *
   * `data` is whole chunks; the last call brings what is left, if only nothing, and closes the message.
   * Throws RangeError for a part of a chunk that isn't the last, or beyond 2^38 chunks. */
  sealChunks(first: number, data: Uint8Array, last: boolean): Uint8Array {
    const [whole, rest] = divided(data.length, CHUNK_SIZE);
    if (rest !== 0 && !last) {
      throw new RangeError("only the last chunk is shorter");
    }
    return this.#chunks.encrypt(first, data, whole + Number(last));
  }
}

/** Opens the chunks of one message, in any order. Gives nothing that isn't verified. */
export class Opener {
  readonly #chunks: Chunks;

  /** Checks the commitment. Throws MalformedError unless `header` is 56 bytes, TamperedError if it differs. */
  constructor(key: Uint8Array, context: Uint8Array, header: Uint8Array, aead = CHACHA20_POLY1305) {
    if (header.length !== HEADER_SIZE) {
      throw new MalformedError("the header of a sealed message is 56 bytes");
    }
    const [chunks, commitment] = expand(key, context, header.subarray(0, SALT_SIZE), aead);
    if (!sodium.memcmp(commitment, header.subarray(SALT_SIZE))) {
      throw new TamperedError("the commitment differs");
    }
    this.#chunks = chunks;
  }

  /** What the sealed chunks number `first` and up hold.
   *
   * `sealed` is whole sealed chunks (multiples of 16,400 bytes), followed, if `last`, by the short final one.
   * Throws TamperedError, or MalformedError for another length. */
  openChunks(first: number, sealed: Uint8Array, last: boolean): Uint8Array {
    const [whole, rest] = divided(sealed.length, SEALED_CHUNK_SIZE);
    if ((last ? rest < TAG_SIZE : rest !== 0) || first + whole + Number(last) > MAX_CHUNKS) {
      throw new MalformedError("not whole sealed chunks");
    }
    return this.#chunks.decrypt(first, sealed, whole + Number(last));
  }
}

/** The sealed message of `plain`, cut anyhow: first the header, then runs of 16 chunks, in order. */
export async function* sealStream(sealer: Sealer, plain: Blocks): AsyncGenerator<Uint8Array> {
  yield sealer.header;
  for await (const run of runs(plain, CHUNK_SIZE)) {
    yield sealer.sealChunks(run.first, run.data, run.last);
  }
}

/** What a sealed message holds; `sealedBody`, cut anyhow, is all that follows the header.
 *
 * Only verified chunks come out, in order. Throws TamperedError, also where the end is missing; whoever gets that must
 * not take what came before for the whole. */
export async function* openStream(opener: Opener, sealedBody: Blocks): AsyncGenerator<Uint8Array> {
  for await (const run of runs(sealedBody, SEALED_CHUNK_SIZE)) {
    if (run.last && run.data.length % SEALED_CHUNK_SIZE < TAG_SIZE) {
      throw new TamperedError("the end is missing");
    }
    yield opener.openChunks(run.first, run.data, run.last);
  }
}

/** The first `size` bytes of a stream (fewer if it ends before), and the stream of the rest. */
export async function splitOff(blocks: Blocks, size: number): Promise<[Uint8Array, AsyncGenerator<Uint8Array>]> {
  const stream = inTurn(blocks);
  let head = new Uint8Array();
  while (head.length < size) {
    const next = await stream.next();
    if (next.done) {
      break;
    }
    head = new Uint8Array(concat(head, next.value));
  }
  async function* following(): AsyncGenerator<Uint8Array> {
    if (head.length > size) {
      yield head.subarray(size);
    }
    yield* stream;
  }
  return [head.slice(0, size), following()];
}

/** [sealed start, sealed stop, first chunk]: which sealed bytes hold the plain bytes [start, stop).
 *
 * The sealed stop may lie beyond the end of the message; cut it there. Throws RangeError unless 0 ≤ start ≤ stop. */
export function sealedRange(start: number, stop: number): [number, number, number] {
  if (!(0 <= start && start <= stop)) {
    throw new RangeError("a range runs forward from 0");
  }
  const first = Math.floor(start / CHUNK_SIZE);
  const after = stop > start ? Math.ceil(stop / CHUNK_SIZE) : first;
  return [HEADER_SIZE + first * SEALED_CHUNK_SIZE, HEADER_SIZE + after * SEALED_CHUNK_SIZE, first];
}

/** The plain bytes [start, stop), from the sealed bytes that `sealedRange` names, cut at the end of the message.
 *
 * `of` is the length of the whole sealed message. Throws TamperedError, or MalformedError if `sealed` has another
 * length or the range leaves the message. */
export function openRange(opener: Opener, start: number, stop: number, sealed: Uint8Array, of: number): Uint8Array {
  const [sealedStart, sealedStop, first] = sealedRange(start, stop);
  if (stop > plainSize(of) || sealed.length !== Math.min(sealedStop, of) - sealedStart) {
    throw new MalformedError("not the bytes of this range");
  }
  const data = opener.openChunks(first, sealed, sealedStop > of);
  return data.subarray(start - first * CHUNK_SIZE, stop - first * CHUNK_SIZE);
}

function expand(key: Uint8Array, context: Uint8Array, salt: Uint8Array, aead: Aead): [Chunks, Uint8Array] {
  if (salt.length !== SALT_SIZE) {
    throw new RangeError("a salt is exactly 24 bytes");
  }
  const info = concat(encodeText(`c2sp.org/chunked-encryption@v1+${aead.name}\0`), salt, context);
  const output = hkdfExpand(requireKey(key), info, KEY_SIZE + NONCE_SIZE + COMMITMENT_SIZE);
  const nonceEnd = KEY_SIZE + NONCE_SIZE;
  return [new Chunks(aead, output.slice(0, KEY_SIZE), output.slice(KEY_SIZE, nonceEnd)), output.slice(nonceEnd)];
}

/** The AEAD under the key and base nonce of one message; the nonce of chunk k is `base nonce XOR k`. */
class Chunks {
  readonly #aead: Aead;
  readonly #key: Uint8Array;
  readonly #baseNonce: Uint8Array;

  constructor(aead: Aead, key: Uint8Array, baseNonce: Uint8Array) {
    this.#aead = aead;
    this.#key = key;
    this.#baseNonce = baseNonce;
  }

  encrypt(first: number, data: Uint8Array, count: number): Uint8Array {
    const output = new Uint8Array(data.length + count * TAG_SIZE);
    this.#each(first, count, (nonce, i) => {
      const chunk = data.subarray(i * CHUNK_SIZE, (i + 1) * CHUNK_SIZE);
      const place = i * SEALED_CHUNK_SIZE;
      this.#aead.encrypt(chunk, nonce, this.#key, output.subarray(place, place + chunk.length + TAG_SIZE));
    });
    return output;
  }

  decrypt(first: number, sealed: Uint8Array, count: number): Uint8Array {
    const output = new Uint8Array(sealed.length - count * TAG_SIZE);
    this.#each(first, count, (nonce, i) => {
      const chunk = sealed.subarray(i * SEALED_CHUNK_SIZE, (i + 1) * SEALED_CHUNK_SIZE);
      const place = i * CHUNK_SIZE;
      try {
        this.#aead.decrypt(chunk, nonce, this.#key, output.subarray(place, place + chunk.length - TAG_SIZE));
      } catch {
        throw new TamperedError("a chunk does not verify");
      }
    });
    return output;
  }

  #each(first: number, count: number, work: (nonce: Uint8Array, i: number) => void): void {
    if (!Number.isSafeInteger(first) || first < 0 || first + count > MAX_CHUNKS) {
      throw new RangeError("a message has at most 2^38 chunks");
    }
    for (let i = 0; i < count; i++) {
      work(this.#nonce(first + i), i);
    }
  }

  #nonce(number: number): Uint8Array {
    const nonce = this.#baseNonce.slice();
    const view = new DataView(nonce.buffer);
    view.setUint32(4, view.getUint32(4) ^ Math.floor(number / TWO_32));
    view.setUint32(8, view.getUint32(8) ^ (number % TWO_32));
    return nonce;
  }
}

interface Run {
  readonly first: number;
  readonly data: Uint8Array;
  readonly last: boolean;
}

/** Blocks of any size as runs of 16 chunks; the last run holds the rest, which may be nothing. */
async function* runs(blocks: Blocks, chunkSize: number): AsyncGenerator<Run> {
  const size = RUN_CHUNKS * chunkSize;
  let waiting = new Uint8Array(size);
  let filled = 0;
  let first = 0;
  for await (const block of blocks) {
    for (let at = 0; at < block.length;) {
      const wanted = size - filled;
      const part = block.subarray(at, at + wanted);
      at += part.length;
      if (part.length === size) { // a run as it came: nothing to copy
        yield { first, data: part, last: false };
        first += RUN_CHUNKS;
        continue;
      }
      waiting.set(part, filled);
      filled += part.length;
      if (filled === size) {
        yield { first, data: waiting, last: false };
        first += RUN_CHUNKS;
        waiting = new Uint8Array(size);
        filled = 0;
      }
    }
  }
  yield { first, data: waiting.subarray(0, filled), last: true };
}

async function* inTurn(blocks: Blocks): AsyncGenerator<Uint8Array> {
  yield* blocks;
}

/** Quotient, rounded down, and remainder. */
function divided(size: number, by: number): [number, number] {
  const whole = Math.floor(size / by);
  return [whole, size - whole * by];
}
