// Encrypts and opens what is at most one chunk long, into a place that the caller has.
// Knows: ChaCha20-Poly1305 in libsodium's own memory (docs/adr/0019). Refuses to know: chunks, nonces, contexts.
//
// libsodium's wrapper takes five pieces of the wasm heap for each call and gives a new array for each answer. Here one
// piece is taken once, and the answer is written where it is wanted; nothing but what was sealed stays in it.

import { KEY_SIZE } from "./derivation.js";
import { sodium } from "./sodium.js";

export const NONCE_SIZE = 12;
export const TAG_SIZE = 16;
/** The longest message. */
export const MAX_SIZE = 16_384;

/** An AEAD with a 32-byte key, a 12-byte nonce and a 16-byte tag, under its IANA name. There is never associated data. */
export interface Aead {
  readonly name: string;
  /** Writes the sealed `message` (0 to 16,384 bytes) and its tag into `into`, 16 bytes longer. */
  encrypt(message: Uint8Array, nonce: Uint8Array, key: Uint8Array, into: Uint8Array): void;
  /** Writes the message into `into`, 16 bytes shorter than `sealed`. Throws, whatever it likes, and writes nothing, if
   * it does not verify. */
  decrypt(sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array, into: Uint8Array): void;
}

/** What is used of libsodium's compiled code: a pointer is a number, a 64-bit length is two of them. */
interface Compiled {
  readonly HEAPU8: Uint8Array;
  _malloc(size: number): number;
  _crypto_aead_chacha20poly1305_ietf_encrypt(
    sealed: number, sealedLength: null, message: number, length: number, high: 0,
    data: null, dataLength: 0, dataHigh: 0, secretNonce: null, nonce: number, key: number,
  ): number;
  _crypto_aead_chacha20poly1305_ietf_decrypt(
    message: number, length: null, secretNonce: null, sealed: number, sealedLength: number, high: 0,
    data: null, dataLength: 0, dataHigh: 0, nonce: number, key: number,
  ): number;
}

/** A piece of libsodium's memory: key, nonce, and one sealed chunk, which is worked on where it lies. */
class Workbench {
  readonly #code: Compiled;
  readonly #key: number;
  readonly #nonce: number;
  readonly #text: number;

  constructor(code: Compiled) {
    this.#code = code;
    this.#key = code._malloc(KEY_SIZE + NONCE_SIZE + MAX_SIZE + TAG_SIZE);
    if (this.#key === 0) {
      throw new RangeError("no memory");
    }
    this.#nonce = this.#key + KEY_SIZE;
    this.#text = this.#nonce + NONCE_SIZE;
  }

  encrypt(message: Uint8Array, nonce: Uint8Array, key: Uint8Array, into: Uint8Array): void {
    this.#lay(message, nonce, key, message.length, into.length - TAG_SIZE);
    const failed = this.#code._crypto_aead_chacha20poly1305_ietf_encrypt(
      this.#text, null, this.#text, message.length, 0, null, 0, 0, null, this.#nonce, this.#key,
    );
    this.#take(failed, into);
  }

  decrypt(sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array, into: Uint8Array): void {
    this.#lay(sealed, nonce, key, sealed.length - TAG_SIZE, into.length);
    const failed = this.#code._crypto_aead_chacha20poly1305_ietf_decrypt(
      this.#text, null, null, this.#text, sealed.length, 0, null, 0, 0, this.#nonce, this.#key,
    );
    this.#take(failed, into);
  }

  #lay(text: Uint8Array, nonce: Uint8Array, key: Uint8Array, size: number, wanted: number): void {
    if (!(size >= 0 && size <= MAX_SIZE && size === wanted)) {
      throw new RangeError("a chunk has 0 to 16,384 bytes, and sealed 16 more");
    }
    if (nonce.length !== NONCE_SIZE || key.length !== KEY_SIZE) {
      throw new RangeError("a key is exactly 32 bytes, a nonce exactly 12");
    }
    const heap = this.#code.HEAPU8; // another one after each growth
    heap.set(key, this.#key);
    heap.set(nonce, this.#nonce);
    heap.set(text, this.#text);
  }

  #take(failed: number, into: Uint8Array): void {
    const heap = this.#code.HEAPU8;
    if (failed === 0) {
      into.set(heap.subarray(this.#text, this.#text + into.length));
    }
    heap.fill(0, this.#key, this.#text + MAX_SIZE + TAG_SIZE);
    if (failed !== 0) {
      throw new Error("does not verify");
    }
  }
}

let workbench: Workbench | null = null;

function opened(): Workbench {
  return (workbench ??= new Workbench((sodium as unknown as { readonly libsodium: Compiled }).libsodium));
}

/** RFC 8439. The only one the vault uses; tests give another to run the published cases. */
export const CHACHA20_POLY1305: Aead = {
  name: "AEAD_CHACHA20_POLY1305",
  encrypt: (message, nonce, key, into) => opened().encrypt(message, nonce, key, into),
  decrypt: (sealed, nonce, key, into) => opened().decrypt(sealed, nonce, key, into),
};
