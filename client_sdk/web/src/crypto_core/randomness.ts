// The one place that draws random bytes.
// Knows: libsodium's generator. Refuses to know: what they are for.

import { ID_SIZE } from "./encoding.js";
import { sodium } from "./sodium.js";

/** `size` random bytes. */
export function makeBytes(size: number): Uint8Array {
  return sodium.randombytes_buf(size);
}

/** A fresh 16-byte id, never used again. */
export function makeId(): Uint8Array {
  return makeBytes(ID_SIZE);
}
