// The keys that wrap keys, and what they wrap: master keys, identity, drop-box (docs/spec/keys.md).
// Knows: which secret, label and context each wrap takes (protocol §3, §8). Refuses to know: what is kept in memory and
// for how long (that is the keyring), and where a share comes from.

import { derive, kek as deriveKek, KEY_SIZE, requireKey } from "../derivation.js";
import { concat, encodeText, ID_SIZE, u32 } from "../encoding.js";
import { MalformedError, TamperedError } from "../errors.js";
import { context, Kind } from "../labels.js";
import { sodium } from "../sodium.js";
import { openSealed, seal } from "./envelope.js";
import { deriveRecovery } from "./recovery.js";

/** A 32-byte key once sealed. */
export const WRAPPED_KEY_SIZE = 104;
export const DROP_BOX_SIZE = 136;
/** A 32-byte key once boxed for somebody's public key and one place. */
export const BOXED_KEY_SIZE = 128;

/** Which master key is wrapped: the normal or the sensitive one, for the password and PIN or for the recovery code. */
export type MasterWrap = "mk-n" | "mk-s" | "rec-n" | "rec-s";
export type IdentityKind = typeof Kind.IDENTITY_SIGN | typeof Kind.IDENTITY_BOX;

/** KEK_N, 32 bytes, from K_pw, pin_L and the share that the server keeps for this PIN (32 bytes each). */
export function deriveKekN(kPw: Uint8Array, pinWrapping: Uint8Array, shareN: Uint8Array): Uint8Array {
  return deriveKek("temoin/v1/kek-n", joined(kPw, pinWrapping, shareN));
}

/** KEK_S, 32 bytes: only who already holds MK_N and gives pin_S and the server's share gets it. */
export function deriveKekS(mkN: Uint8Array, pinWrapping: Uint8Array, shareS: Uint8Array): Uint8Array {
  return deriveKek("temoin/v1/kek-s", joined(derive(mkN, Kind.S_GATE), pinWrapping, shareS));
}

/** KEK_R, 32 bytes, from the 32 bytes of the recovery code itself and the share that the waiting time guards. */
export function deriveKekR(recoveryKey: Uint8Array, shareR: Uint8Array): Uint8Array {
  return deriveKek("temoin/v1/kek-r", joined(deriveRecovery(recoveryKey).wrapKey, shareR));
}

/** A master key under the KEK for its place: 104 bytes. */
export function wrapMaster(
  kek: Uint8Array, which: MasterWrap, account: Uint8Array, epoch: number, mk: Uint8Array,
): Uint8Array {
  return seal(kek, wrapContext(which, account, epoch), requireKey(mk));
}

/** The inverse of `wrapMaster`. Throws TamperedError or MalformedError. */
export function unwrapMaster(
  kek: Uint8Array, which: MasterWrap, account: Uint8Array, epoch: number, wrapped: Uint8Array,
): Uint8Array {
  return keyOf(openSealed(kek, wrapContext(which, account, epoch), wrapped));
}

/** The 32-byte seed of the Ed25519 (IDENTITY_SIGN) or X25519 (IDENTITY_BOX) identity: 104 bytes. */
export function sealIdentity(mkN: Uint8Array, kind: IdentityKind, account: Uint8Array, seed: Uint8Array): Uint8Array {
  return seal(derive(mkN, Kind.IDENTITY), context(kind, account), requireKey(seed));
}

/** The inverse of `sealIdentity`. Throws TamperedError or MalformedError. */
export function openIdentity(mkN: Uint8Array, kind: IdentityKind, account: Uint8Array, sealed: Uint8Array): Uint8Array {
  return keyOf(openSealed(derive(mkN, Kind.IDENTITY), context(kind, account), sealed));
}

/** The X25519 pair [public, secret] of a 32-byte seed, as libsodium's crypto_box_seed_keypair makes it. */
export function deriveBox(seed: Uint8Array): [Uint8Array, Uint8Array] {
  const pair = sodium.crypto_box_seed_keypair(requireKey(seed));
  return [pair.publicKey, pair.privateKey];
}

/** pk_S ‖ sk_S under MK_S: 136 bytes. Whoever holds pk_S adds sensitive keys, only sk_S reads them. */
export function sealDropBox(
  mkS: Uint8Array, account: Uint8Array, epoch: number, pkS: Uint8Array, skS: Uint8Array,
): Uint8Array {
  return seal(derive(mkS, Kind.DROP_BOX), context(Kind.DROP_BOX, account, u32(epoch)), joined(pkS, skS));
}

/** [pk_S, sk_S]. Throws TamperedError or MalformedError. */
export function openDropBox(
  mkS: Uint8Array, account: Uint8Array, epoch: number, sealed: Uint8Array,
): [Uint8Array, Uint8Array] {
  const pair = openSealed(derive(mkS, Kind.DROP_BOX), context(Kind.DROP_BOX, account, u32(epoch)), sealed);
  if (pair.length !== 2 * KEY_SIZE) {
    throw new MalformedError("a drop-box is two keys");
  }
  return [pair.slice(0, KEY_SIZE), pair.slice(KEY_SIZE)];
}

/** `crypto_box_seal(pk, key ‖ place ‖ SHA-256(pk))`: a key (32 bytes) for whoever holds the other half of `pk`, and for
 * one place (16 bytes): 128 bytes. */
export function boxKey(pk: Uint8Array, key: Uint8Array, place: Uint8Array): Uint8Array {
  if (place.length !== ID_SIZE) {
    throw new RangeError("an id is exactly 16 bytes");
  }
  return sodium.crypto_box_seal(concat(requireKey(key), place, sodium.crypto_hash_sha256(pk)), requireKey(pk));
}

/** [key, place, hash]: whoever asks compares the last two. Throws TamperedError or MalformedError. */
export function unboxKey(
  pk: Uint8Array, sk: Uint8Array, boxed: Uint8Array,
): [key: Uint8Array, place: Uint8Array, hash: Uint8Array] {
  if (boxed.length !== BOXED_KEY_SIZE) {
    throw new MalformedError("a boxed key is 128 bytes");
  }
  let plain: Uint8Array;
  try {
    plain = sodium.crypto_box_seal_open(boxed, pk, sk);
  } catch {
    throw new TamperedError("the box does not open");
  }
  return [plain.slice(0, KEY_SIZE), plain.slice(KEY_SIZE, KEY_SIZE + ID_SIZE), plain.slice(KEY_SIZE + ID_SIZE)];
}

/** What a seal of a key or seed held, 32 bytes. Throws MalformedError. */
export function keyOf(message: Uint8Array): Uint8Array {
  if (message.length !== KEY_SIZE) {
    throw new MalformedError("a key is exactly 32 bytes");
  }
  return message;
}

function wrapContext(which: MasterWrap, account: Uint8Array, epoch: number): Uint8Array {
  return context(Kind.WRAP, encodeText(which), account, u32(epoch));
}

function joined(...keys: readonly Uint8Array[]): Uint8Array {
  return concat(...keys.map(requireKey));
}
