// Pads what is sealed, so that its size tells little; checks every byte of the padding when it opens.
// Knows: the plain layout of records and contents, and Padmé (docs/spec/padding.md). Refuses to know: keys, and what a
// record says.
//
//     content   "TO01" ‖ u32 head length ‖ {"size":n} ‖ zeros to 16,384 ‖ content ‖ zeros     at least 32 KiB
//     record    "TO01" ‖ u32 length ‖ JSON ‖ zeros                                             at least 1 KiB

import { concat, encodeText, isSame, MAX_SAFE_INTEGER, u32 } from "../encoding.js";
import { MalformedError, UnsupportedVersion } from "../errors.js";
import { splitOff, type Blocks } from "./envelope.js";

export const MAGIC = encodeText("TO01");
export const RECORD_FLOOR = 1024;
export const CONTENT_FLOOR = 32_768;
export const CONTENT_BORDER = 16_384;

const PREFIX_SIZE = MAGIC.length + 4;
const ZEROS = 262_144;
const HEAD = /^\{"size":(0|[1-9][0-9]{0,15})\}$/;
const OTHER_VERSION = /^TO[0-9]{2}$/;

/** The smallest Padmé length that holds `length`: at most 12 % more (Nikitin et al., PETS 2019, algorithm 1). */
export function padme(length: number): number {
  if (length < 2) {
    return length;
  }
  const exponent = bitLength(length) - 1;
  const step = 2 ** (exponent - bitLength(exponent));
  return Math.ceil(length / step) * step;
}

/** How many bytes a content of `size` bytes has once padded, head included. */
export function contentPlainSize(size: number): number {
  return padme(Math.max(CONTENT_BORDER + size, CONTENT_FLOOR));
}

/** The first 16,384 bytes of a padded content. Throws RangeError beyond 2^53−1. */
export function contentHead(size: number): Uint8Array {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new RangeError("a size is 0 to 2^53-1");
  }
  return prefixed(encodeText(`{"size":${size}}`), () => CONTENT_BORDER);
}

/** The inverse of `contentHead`. Throws MalformedError, or UnsupportedVersion for another version's magic. */
export function parseContentHead(head: Uint8Array): number {
  const length = parsePrefix(head);
  const match = HEAD.exec(ascii(head.subarray(PREFIX_SIZE, PREFIX_SIZE + length)));
  const size = match ? Number(match[1]) : -1;
  if (size < 0 || size > MAX_SAFE_INTEGER || !isSame(contentHead(size), head)) {
    throw new MalformedError("not the head of a content");
  }
  return size;
}

/** A content of exactly `size` bytes, cut anyhow, as the stream to seal: head, content, zeros.
 *
 * Throws MalformedError if the content turns out longer or shorter, as a file may that changes while it is read. */
export async function* padContent(size: number, chunks: Blocks): AsyncGenerator<Uint8Array> {
  yield contentHead(size);
  let left = size;
  for await (const chunk of chunks) {
    left -= chunk.length;
    if (left < 0) {
      throw new MalformedError("the content is longer than announced");
    }
    yield chunk;
  }
  if (left > 0) {
    throw new MalformedError("the content is shorter than announced");
  }
  const padding = contentPlainSize(size) - CONTENT_BORDER - size;
  for (let start = 0; start < padding; start += ZEROS) {
    yield new Uint8Array(Math.min(ZEROS, padding - start));
  }
}

/** The content in a padded stream, cut anyhow.
 *
 * Checks head, zeros and total length, the last two only at the end: whoever gets MalformedError must not take what
 * came before for the whole. Throws UnsupportedVersion for another version's magic. */
export async function* unpadContent(chunks: Blocks): AsyncGenerator<Uint8Array> {
  const [head, body] = await splitOff(chunks, CONTENT_BORDER);
  const size = parseContentHead(head);
  let left = size;
  let padding = contentPlainSize(size) - CONTENT_BORDER - size;
  for await (const chunk of body) {
    const content = chunk.subarray(0, left);
    const zeros = chunk.subarray(left);
    left -= content.length;
    padding -= zeros.length;
    if (padding < 0 || !zeros.every((byte) => byte === 0)) {
      throw new MalformedError("not the padding of this content");
    }
    if (content.length > 0) {
      yield content;
    }
  }
  if (left > 0 || padding > 0) {
    throw new MalformedError("the padded content ends early");
  }
}

/** Where the bytes [start, stop) of a content stand in its padded form. */
export function contentRange(start: number, stop: number): [number, number] {
  return [CONTENT_BORDER + start, CONTENT_BORDER + stop];
}

/** A record or account record, padded. */
export function padRecord(json: Uint8Array): Uint8Array {
  return prefixed(json, (size) => padme(Math.max(size, RECORD_FLOOR)));
}

/** The inverse of `padRecord`. Throws MalformedError, or UnsupportedVersion for another version's magic. */
export function unpadRecord(message: Uint8Array): Uint8Array {
  const json = message.slice(PREFIX_SIZE, PREFIX_SIZE + parsePrefix(message));
  if (!isSame(padRecord(json), message)) {
    throw new MalformedError("not a padded record");
  }
  return json;
}

/** `"TO01" ‖ u32 length ‖ body`, then zeros up to what `padded` makes of their number. */
function prefixed(body: Uint8Array, padded: (size: number) => number): Uint8Array {
  const output = new Uint8Array(padded(PREFIX_SIZE + body.length));
  output.set(concat(MAGIC, u32(body.length), body));
  return output;
}

function parsePrefix(message: Uint8Array): number {
  if (message.length < PREFIX_SIZE) {
    throw new MalformedError("shorter than its prefix");
  }
  const magic = message.subarray(0, MAGIC.length);
  if (!isSame(magic, MAGIC)) {
    throw OTHER_VERSION.test(ascii(magic)) ? new UnsupportedVersion() : new MalformedError("another kind of message");
  }
  return new DataView(message.buffer, message.byteOffset).getUint32(MAGIC.length);
}

/** One character for each byte; never mistakes one byte for another, whatever they spell. */
function ascii(data: Uint8Array): string {
  return data.length > CONTENT_BORDER ? "" : String.fromCharCode(...data);
}

function bitLength(value: number): number {
  return value.toString(2).length;
}
