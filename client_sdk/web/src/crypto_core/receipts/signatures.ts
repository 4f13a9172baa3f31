// Ed25519 as libsodium understands it: the one place that signs and verifies for the public side.
// Knows: RFC 8032 signatures under libsodium's strict rules (S below the group order, a canonical public key,
// neither the key nor R of small order). Refuses to know: what was signed.

import { SignatureInvalid } from "../errors.js";
import { sodium } from "../sodium.js";

export const PUBLIC_SIZE = 32;
export const SEED_SIZE = 32;
export const SIGNATURE_SIZE = 64;

/** The message, now proven to be signed by `publicKey` (32 B) with `signature` (64 B). Throws SignatureInvalid. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Uint8Array {
  if (publicKey.length !== PUBLIC_SIZE || signature.length !== SIGNATURE_SIZE) {
    throw new SignatureInvalid("a public key has 32 bytes, a signature 64");
  }
  if (!sodium.crypto_sign_verify_detached(signature, message, publicKey)) throw new SignatureInvalid();
  return message;
}

/** The 64-byte signature over `message`. Throws RangeError unless `seed` is exactly 32 bytes. */
export function signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return sodium.crypto_sign_detached(message, keyPair(seed).privateKey);
}

/** The 32-byte public key of a 32-byte seed. Throws RangeError for another size. */
export function derivePublic(seed: Uint8Array): Uint8Array {
  return keyPair(seed).publicKey;
}

function keyPair(seed: Uint8Array) {
  if (seed.length !== SEED_SIZE) throw new RangeError("a seed is exactly 32 bytes");
  return sodium.crypto_sign_seed_keypair(seed);
}
