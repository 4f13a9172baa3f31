// Derives keys with HKDF-SHA-512.
// Knows: RFC 5869 and the two ways the protocol uses it (docs/spec/labels.md). Refuses to know: what a key opens.

import { encodeText } from "./encoding.js";
import { context, type Kind } from "./labels.js";
import { sodium } from "./sodium.js";

export const KEY_SIZE = 32;
const HASH_SIZE = 64;

/** RFC 5869 §2.3 HKDF-Expand with SHA-512: `size` bytes, 1 to 255 × 64. */
export function hkdfExpand(key: Uint8Array, info: Uint8Array, size: number): Uint8Array {
  if (!(size > 0 && size <= 255 * HASH_SIZE)) {
    throw new RangeError("HKDF-Expand gives 1 to 16,320 bytes");
  }
  const output = new Uint8Array(size);
  let block = new Uint8Array();
  for (let made = 0; made < size; made += HASH_SIZE) {
    block = hmacSha512(key, block, info, Uint8Array.of(made / HASH_SIZE + 1));
    output.set(block.subarray(0, size - made), made);
  }
  return output;
}

/** The 32-byte key, seed or tag that `key` gives for one labelled use (protocol §0).
 *
 * A key used here is never used with `seal`. Throws RangeError unless `key` is exactly 32 bytes. */
export function derive(key: Uint8Array, kind: Kind, ...fields: readonly Uint8Array[]): Uint8Array {
  return hkdfExpand(requireKey(key), context(kind, ...fields), KEY_SIZE);
}

/** RFC 5869 §2.2 HKDF-Extract with SHA-512 under an ASCII label as salt, first 32 bytes: a key that wraps keys. */
export function kek(label: string, ikm: Uint8Array): Uint8Array {
  return hmacSha512(encodeText(label), ikm).slice(0, KEY_SIZE);
}

/** `key` itself, if it is exactly 32 bytes; RangeError otherwise. */
export function requireKey(key: Uint8Array): Uint8Array {
  if (key.length !== KEY_SIZE) {
    throw new RangeError("a key is exactly 32 bytes");
  }
  return key;
}

function hmacSha512(key: Uint8Array, ...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const state = sodium.crypto_auth_hmacsha512_init(key);
  for (const piece of pieces) {
    sodium.crypto_auth_hmacsha512_update(state, piece);
  }
  return new Uint8Array(sodium.crypto_auth_hmacsha512_final(state));
}
