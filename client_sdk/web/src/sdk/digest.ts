// SHA-256 of what is too long to be held at once.
// Knows: libsodium's three calls. Refuses to know: what is hashed.

import { sodium } from "../crypto_core/sodium.js";

/** SHA-256 of bytes as they come. */
export class Sha256 {
  readonly #state = sodium.crypto_hash_sha256_init();

  update(data: Uint8Array): void {
    sodium.crypto_hash_sha256_update(this.#state, data);
  }

  /** 32 bytes; asked for once, at the end. */
  digest(): Uint8Array {
    return sodium.crypto_hash_sha256_final(this.#state);
  }
}

/** SHA-256 of bytes that are there, 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  return sodium.crypto_hash_sha256(data);
}
