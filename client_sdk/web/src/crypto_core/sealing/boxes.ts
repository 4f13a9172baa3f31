// Deposit boxes: the key pair that a person makes for one box, its address, and what a depositor seals for it.
// Knows: which secret, label and layout each takes (protocol §7, docs/spec/deposit-box.md). Refuses to know: what a
// deposit says (schemas do), who has an address, and what the vault counts.

import { derive, KEY_SIZE, requireKey } from "../derivation.js";
import { concat, formatB64url, ID_SIZE, isSame } from "../encoding.js";
import { TamperedError } from "../errors.js";
import { context, Kind } from "../labels.js";
import { makeBytes } from "../randomness.js";
import { sodium } from "../sodium.js";
import { openSealed, seal } from "./envelope.js";
import { boxKey, deriveBox, keyOf, unboxKey } from "./keys.js";
import { padRecord, unpadRecord } from "./padding.js";
import { bytesAfter } from "./sharing.js";

/** What stands before the 107 characters of a box's address. */
export const BOX_FRAGMENT = "#d";

/** All that an address carries: box (16 bytes), secret and the box's public key (32 bytes each). */
export interface BoxAddress {
  readonly box: Uint8Array;
  readonly secret: Uint8Array;
  readonly pkBox: Uint8Array;
}

/** seed_D, of which a box's key pair comes (keys.deriveBox), 32 bytes. */
export function makeBoxSeed(): Uint8Array {
  return makeBytes(KEY_SIZE);
}

/** What an address carries beside the public key, 32 bytes. */
export function makeBoxSecret(): Uint8Array {
  return makeBytes(KEY_SIZE);
}

/** What a depositor shows to enter a box (16 bytes), 32 bytes; the vault keeps its SHA-256. */
export function deriveDepositCap(secret: Uint8Array, box: Uint8Array): Uint8Array {
  return derive(secret, Kind.DEPOSIT_CAP, box);
}

/** `#d` and 107 characters of base64url: box ‖ secret ‖ pk_D, 80 bytes. */
export function formatBoxFragment({ box, secret, pkBox }: BoxAddress): string {
  if (box.length !== ID_SIZE) {
    throw new RangeError("an id is exactly 16 bytes");
  }
  return BOX_FRAGMENT + formatB64url(concat(box, requireKey(secret), requireKey(pkBox)));
}

/** The inverse of `formatBoxFragment`. Throws LinkMalformed. */
export function parseBoxFragment(text: string): BoxAddress {
  const every = bytesAfter(BOX_FRAGMENT, text, ID_SIZE + 2 * KEY_SIZE);
  return {
    box: every.slice(0, ID_SIZE), secret: every.slice(ID_SIZE, ID_SIZE + KEY_SIZE), pkBox: every.slice(ID_SIZE + KEY_SIZE),
  };
}

// what the person keeps

/** seed_D (32 bytes), for the person alone: 104 bytes. */
export function sealBox(mkN: Uint8Array, box: Uint8Array, seed: Uint8Array): Uint8Array {
  return seal(derive(mkN, Kind.DEPOSIT_BOX), context(Kind.BOX_SEED, box), requireKey(seed));
}

/** [pk_D, sk_D], 32 bytes each. Throws TamperedError or MalformedError. */
export function openBox(mkN: Uint8Array, box: Uint8Array, sealed: Uint8Array): [pkBox: Uint8Array, skBox: Uint8Array] {
  return deriveBox(keyOf(openSealed(derive(mkN, Kind.DEPOSIT_BOX), context(Kind.BOX_SEED, box), sealed)));
}

/** What the box is for. Padded as records are. */
export function sealBoxNote(mkN: Uint8Array, box: Uint8Array, json: Uint8Array): Uint8Array {
  return seal(derive(mkN, Kind.BOX_NOTES), context(Kind.BOX_NOTE, box), padRecord(json));
}

/** The inverse of `sealBoxNote`. Throws TamperedError, MalformedError or UnsupportedVersion. */
export function openBoxNote(mkN: Uint8Array, box: Uint8Array, sealed: Uint8Array): Uint8Array {
  return unpadRecord(openSealed(derive(mkN, Kind.BOX_NOTES), context(Kind.BOX_NOTE, box), sealed));
}

// what a depositor sends

/** A depositor's words (JSON) under a key of their own (32 bytes), for one deposit in one box. Padded. */
export function sealDeposit(key: Uint8Array, box: Uint8Array, deposit: Uint8Array, json: Uint8Array): Uint8Array {
  return seal(key, context(Kind.DEPOSIT, box, deposit), padRecord(json));
}

/** The inverse of `sealDeposit`. Throws TamperedError, MalformedError or UnsupportedVersion. */
export function openDeposit(key: Uint8Array, box: Uint8Array, deposit: Uint8Array, sealed: Uint8Array): Uint8Array {
  return unpadRecord(openSealed(key, context(Kind.DEPOSIT, box, deposit), sealed));
}

/** `crypto_box_seal(pk_D, key ‖ box ‖ SHA-256(pk_D))`, 128 bytes. */
export function wrapDepositKey(pkBox: Uint8Array, key: Uint8Array, box: Uint8Array): Uint8Array {
  return boxKey(pkBox, key, box);
}

/** The key of a deposit's words, 32 bytes. Throws TamperedError, also if it was boxed for another box or another key of
 * it, or MalformedError. */
export function unwrapDepositKey(
  pkBox: Uint8Array, skBox: Uint8Array, box: Uint8Array, wrap: Uint8Array,
): Uint8Array {
  const [key, named, reader] = unboxKey(pkBox, skBox, wrap);
  if (!isSame(named, box) || !isSame(reader, sodium.crypto_hash_sha256(pkBox))) {
    throw new TamperedError("boxed for another box");
  }
  return key;
}
