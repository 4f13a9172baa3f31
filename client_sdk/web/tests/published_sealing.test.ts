// Known answers published by others: C2SP's chunked encryption, and Wycheproof on the primitives below it.
// Knows: what each case demands. Refuses to know: how it is met.
//
// The chunked cases run through the very envelope code of the vault, with AES-256-GCM in ChaCha20-Poly1305's place.

import { createCipheriv, createDecipheriv, createHash, createHmac } from "node:crypto";
import { inflateSync } from "node:zlib";
import { beforeAll, expect } from "vitest";

import { CHACHA20_POLY1305, TAG_SIZE, type Aead } from "../src/crypto_core/aead.js";
import { hkdfExpand } from "../src/crypto_core/derivation.js";
import { MalformedError, TamperedError } from "../src/crypto_core/errors.js";
import {
  HEADER_SIZE, Opener, SALT_SIZE, SEALED_CHUNK_SIZE, openRange, openSealed, openStream, plainSize, seal, sealedRange,
  splitOff,
} from "../src/crypto_core/sealing/envelope.js";
import { ready, sodium } from "../src/crypto_core/sodium.js";
import { bytesIn, readCases, testPublished } from "./published.js";
import { joined, toHex } from "./vectors.js";

/** By the test's own runtime: libsodium's wasm has none, and nothing else in the vault uses it. */
const AES_256_GCM: Aead = {
  name: "AEAD_AES_256_GCM",
  encrypt(message, nonce, key, into) {
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    into.set(joined([cipher.update(message), cipher.final(), cipher.getAuthTag()]));
  },
  decrypt(sealed, nonce, key, into) {
    const border = sealed.length - TAG_SIZE;
    const cipher = createDecipheriv("aes-256-gcm", key, nonce).setAuthTag(sealed.subarray(border));
    into.set(joined([cipher.update(sealed.subarray(0, border)), cipher.final()]));
  },
};

beforeAll(ready);

function decrypted(sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array {
  const into = new Uint8Array(sealed.length - TAG_SIZE);
  CHACHA20_POLY1305.decrypt(sealed, nonce, key, into);
  return into;
}

testPublished("all 35 chunked encryption cases", async (folder) => {
  for (const one of readCases(folder, "c2sp_chunked_encryption_aes_256_gcm_test", 35)) {
    expect([one["aead"], one["sha"]]).toEqual([AES_256_GCM.name, "SHA-512"]);
    const [key, context] = [bytesIn(one, "key"), bytesIn(one, "ctx")];
    const sealed = Uint8Array.from(inflateSync(bytesIn(one, "ct")));
    if (one.result === "valid") {
      const message = openSealed(key, context, sealed, AES_256_GCM);
      expect([message.length, sha512(message)]).toEqual([one["msgLength"], one["msgSha512"]]);
      expect(isEqual(seal(key, context, message, sealed.slice(0, SALT_SIZE), AES_256_GCM), sealed)).toBe(true);
      const streamed = await stream(key, context, sealed);
      expect([isEqual(streamed.released, message), streamed.refusal]).toEqual([true, null]);
      checkRange(key, context, sealed, message);
    } else {
      expect(isRefusal(caught(() => openSealed(key, context, sealed, AES_256_GCM))), `case ${one.tcId}`).toBe(true);
      const { released, refusal } = await stream(key, context, sealed);
      expect(isRefusal(refusal)).toBe(true);
      const longest = (one["msgLength"] ?? 0) as number;
      expect(released.length).toBeLessThanOrEqual(one.flags.includes("HeaderFailure") ? 0 : longest);
      if (released.length === longest && longest > 0) expect(sha512(released)).toBe(one["msgSha512"]);
    }
  }
});

testPublished("ChaCha20-Poly1305, 325 cases", (folder) => {
  for (const one of readCases(folder, "chacha20_poly1305_test", 325)) {
    const [key, nonce, aad] = [bytesIn(one, "key"), bytesIn(one, "iv"), bytesIn(one, "aad")];
    const message = bytesIn(one, "msg");
    const sealed = joined([bytesIn(one, "ct"), bytesIn(one, "tag")]);
    const open = () => sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, sealed, aad, nonce, key);
    if (one.result !== "valid") {
      expect(caught(open), `case ${one.tcId}`).toBeInstanceOf(Error);
      expect(caught(() => decrypted(sealed, nonce, key)), `case ${one.tcId}`).toBeInstanceOf(Error);
      continue;
    }
    expect(sodium.crypto_aead_chacha20poly1305_ietf_encrypt(message, aad, null, nonce, key)).toEqual(sealed);
    expect(open()).toEqual(message);
    if (aad.length === 0) { // the envelope never has associated data
      const into = new Uint8Array(sealed.length);
      CHACHA20_POLY1305.encrypt(message, nonce, key, into);
      expect(into).toEqual(sealed);
      expect(decrypted(sealed, nonce, key)).toEqual(message);
    }
  }
});

testPublished("HKDF-SHA-512, 83 cases", (folder) => {
  for (const one of readCases(folder, "hkdf_sha512_test", 83)) {
    const prk = Uint8Array.from(createHmac("sha512", bytesIn(one, "salt")).update(bytesIn(one, "ikm")).digest());
    const expand = () => hkdfExpand(prk, bytesIn(one, "info"), one["size"] as number);
    if (one.result === "valid") expect(toHex(expand())).toBe(one["okm"]);
    else expect(expand).toThrow("16,320");
  }
});

testPublished("X25519, 518 cases: libsodium refuses the 31 whose shared secret is zero", (folder) => {
  let refused = 0;
  for (const one of readCases(folder, "x25519_test", 518)) {
    const agree = () => sodium.crypto_scalarmult(bytesIn(one, "private"), bytesIn(one, "public"));
    if (one.flags.includes("ZeroSharedSecret")) {
      expect(caught(agree), `case ${one.tcId}`).toBeInstanceOf(Error);
      refused += 1;
    } else {
      expect(toHex(agree())).toBe(one["shared"]);
    }
  }
  expect(refused).toBe(31);
});

/** What a stream of one-chunk pieces releases, and how it ends. */
async function stream(
  key: Uint8Array, context: Uint8Array, sealed: Uint8Array,
): Promise<{ released: Uint8Array; refusal: unknown }> {
  const released: Uint8Array[] = [];
  try {
    const [header, body] = await splitOff(pieces(sealed), HEADER_SIZE);
    for await (const piece of openStream(new Opener(key, context, header, AES_256_GCM), body)) {
      released.push(piece.slice());
    }
  } catch (refusal) {
    return { released: joined(released), refusal };
  }
  return { released: joined(released), refusal: null };
}

function* pieces(sealed: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < sealed.length; at += SEALED_CHUNK_SIZE) yield sealed.subarray(at, at + SEALED_CHUNK_SIZE);
}

function checkRange(key: Uint8Array, context: Uint8Array, sealed: Uint8Array, message: Uint8Array): void {
  const [start, stop] = [Math.floor(plainSize(sealed.length) / 2), message.length];
  const [sealedStart, sealedStop] = sealedRange(start, stop);
  const opener = new Opener(key, context, sealed.subarray(0, HEADER_SIZE), AES_256_GCM);
  const data = openRange(opener, start, stop, sealed.subarray(sealedStart, sealedStop), sealed.length);
  expect(isEqual(data, message.subarray(start, stop))).toBe(true);
}

/** RangeError: a key that isn't 32 bytes is the caller's mistake. */
function isRefusal(error: unknown): boolean {
  return error instanceof MalformedError || error instanceof TamperedError || error instanceof RangeError;
}

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return null;
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function sha512(data: Uint8Array): string {
  return createHash("sha512").update(data).digest("hex");
}
