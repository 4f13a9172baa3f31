// One spelling for each value: integers, length-prefixed fields, base64url, ids, times, strict JSON.
// Knows: protocol §0 (docs/spec/encoding.md). Refuses to know: what the values mean.
// Every `parseX` has a `formatX`, and `formatX(parseX(b))` is `b`; anything else is a MalformedError.

import { MalformedError } from "./errors.js";
import { JsonReader } from "./json_reader.js";

export const ID_SIZE = 16;
export const HASH_SIZE = 32;
export const MAX_SAFE_INTEGER = Number.MAX_SAFE_INTEGER;
/** 9999-12-31T23:59:59Z, the last second RFC 3339 can spell. */
export const MAX_TIME = 253_402_300_799;

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;
const HEX = /^(?:[0-9a-f]{2})*$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** No six bits: the character is not of the alphabet. */
const STRAY = 64;
const B64URL = sixes("-_");
const B64 = sixes("+/");

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Two bytes, big-endian. Throws RangeError out of range (a caller's mistake), as the next two do. */
export function u16(value: number): Uint8Array {
  return bigEndian(value, 2);
}

/** Four bytes, big-endian. */
export function u32(value: number): Uint8Array {
  return bigEndian(value, 4);
}

/** Eight bytes, big-endian. A number is an integer up to 2^53−1; beyond that it takes a bigint. */
export function u64(value: number | bigint): Uint8Array {
  return bigEndian(value, 8);
}

function bigEndian(value: number | bigint, size: number): Uint8Array {
  if ((typeof value === "number" && !Number.isSafeInteger(value)) || value < 0 || value >= 2n ** BigInt(8 * size)) {
    throw new RangeError(`not an integer of ${size} bytes`);
  }
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigUint64(0, BigInt(value));
  return data.subarray(8 - size);
}

/** `u16 length ‖ field`, for fields of up to 65,535 bytes. */
export function lp(field: Uint8Array): Uint8Array {
  return concat(u16(field.length), field);
}

/** The pieces, one after the other, in an array of its own. */
export function concat(...pieces: readonly Uint8Array[]): Uint8Array {
  const output = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    output.set(piece, at);
    at += piece.length;
  }
  return output;
}

/** Whether two arrays hold the same bytes. Takes longer the later they differ: not for what is secret. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  let at = 0;
  while (at < one.length && one[at] === other[at]) {
    at++;
  }
  return one.length === other.length && at === one.length;
}

/** Text as UTF-8. Throws RangeError for a lone surrogate, which UTF-8 can't spell. */
export function encodeText(text: string): Uint8Array {
  if (LONE_SURROGATE.test(text)) {
    throw new RangeError("a lone surrogate");
  }
  return ENCODER.encode(text);
}

/** UTF-8 as text; a byte order mark is kept. Throws MalformedError. */
export function decodeText(data: Uint8Array): string {
  try {
    return DECODER.decode(data);
  } catch {
    throw new MalformedError("not UTF-8");
  }
}

/** RFC 4648 §5 base64url without padding. */
export function formatB64url(data: Uint8Array): string {
  return formatB64(data).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The bytes of canonical base64url without padding; with `size`, exactly that many.
 *
 * Throws MalformedError for padding, the other alphabet, stray characters, spare bits set, or another size. */
export function parseB64url(text: string, size?: number): Uint8Array {
  return sized(fromSixes(text, text.length, B64URL, "base64url"), size);
}

/** RFC 4648 §4 base64 with padding, as signed notes and tlog-proofs use it. */
export function formatB64(data: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < data.length; at += 8192) {
    binary += String.fromCharCode(...data.subarray(at, at + 8192));
  }
  return btoa(binary);
}

/** The bytes of canonical padded base64. Throws MalformedError as `parseB64url` does. */
export function parseB64(text: string, size?: number): Uint8Array {
  const end = text.length - (text.endsWith("==") ? 2 : Number(text.endsWith("=")));
  if (text.length % 4 !== 0) {
    throw new MalformedError("not canonical base64");
  }
  return sized(fromSixes(text, end, B64, "base64"), size);
}

/** The bytes that the first `end` characters spell, six bits each. `atob` forgives much, and a login reads megabytes:
 * a table is quicker than asking it and spelling its answer again. */
function fromSixes(text: string, end: number, values: Uint8Array, name: string): Uint8Array {
  const data = new Uint8Array((end * 3) >> 2);
  let [bits, count, all] = [0, 0, 0];
  for (let at = 0, to = 0; at < end; at++) {
    const six = values[text.charCodeAt(at)] ?? STRAY;
    all |= six;
    bits = ((bits << 6) | six) & 0xffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      data[to++] = bits >> count;
    }
  }
  if ((all & STRAY) !== 0 || count === 6) {
    throw new MalformedError(`not ${name}`);
  }
  if ((bits & ((1 << count) - 1)) !== 0) {
    throw new MalformedError(`not canonical ${name}`);
  }
  return data;
}

/** By character code, the six bits that a character stands for. */
function sixes(last: string): Uint8Array {
  const alphabet = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${last}`;
  const values = new Uint8Array(128).fill(STRAY);
  [...alphabet].forEach((character, six) => (values[character.charCodeAt(0)] = six));
  return values;
}

/** Lower-case hexadecimal, as ids and hashes are shown to people. */
export function formatHex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of lower-case hexadecimal; with `size`, exactly that many. Throws MalformedError. */
export function parseHex(text: string, size?: number): Uint8Array {
  if (!HEX.test(text)) {
    throw new MalformedError("not lower-case hexadecimal");
  }
  const data = new Uint8Array(text.length / 2);
  for (let at = 0; at < data.length; at++) {
    data[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  }
  return sized(data, size);
}

function sized(data: Uint8Array, size: number | undefined): Uint8Array {
  if (size !== undefined && data.length !== size) {
    throw new MalformedError(`expected ${size} bytes`);
  }
  return data;
}

/** Unix seconds, 0 to MAX_TIME, as RFC 3339 UTC with `Z`: `2026-03-01T21:30:00Z`. Throws MalformedError. */
export function formatTime(seconds: number): string {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_TIME) {
    throw new MalformedError("a time is from 1970 to 9999");
  }
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

/** Unix seconds of an RFC 3339 time in the one spelling above, from 1970 to 9999. Throws MalformedError. */
export function parseTime(text: string): number {
  if (!TIME.test(text)) {
    throw new MalformedError("not an RFC 3339 UTC time with whole seconds");
  }
  const seconds = Date.parse(text) / 1000;
  if (Number.isNaN(seconds) || formatTime(seconds) !== text) { // some engines take 31 February for a day in March
    throw new MalformedError("no such day or time");
  }
  return seconds;
}

/** Strict JSON: refuses a BOM, invalid UTF-8, lone surrogates, duplicate names, NaN and Infinity, integers beyond
 * ±(2^53−1), numbers that overflow, whole numbers spelled with a fraction, an exponent or as −0, and nesting deeper than
 * 500.
 *
 * Throws MalformedError; the message never quotes the text. Objects have no prototype. */
export function parseJson(data: Uint8Array): unknown {
  return new JsonReader(decodeText(data)).read();
}

/** Compact UTF-8 JSON in the order given. What is sealed or signed is these bytes, never a second spelling.
 *
 * Throws RangeError for what JSON can't say: undefined, NaN, Infinity, a lone surrogate. */
export function formatJson(value: unknown): Uint8Array {
  return encodeText(JSON.stringify(value, (name, item: unknown) => {
    const sayable = typeof item === "number" ? Number.isFinite(item) : item !== undefined;
    if (!sayable || LONE_SURROGATE.test(name) || (typeof item === "string" && LONE_SURROGATE.test(item))) {
      throw new RangeError("JSON can't say this");
    }
    return item;
  }));
}
