// One chunk in libsodium's own memory: callers' mistakes, what stays there, memory that grows. Known answers are in
// published_sealing.test.ts.
import { beforeAll, expect, test } from "vitest";

import { CHACHA20_POLY1305, MAX_SIZE, TAG_SIZE } from "../src/crypto_core/aead.js";
import { ready, sodium } from "../src/crypto_core/sodium.js";
import { bytesOf, toHex } from "./vectors.js";

const KEY = bytesOf({ shake: "key", size: 32 });
const NONCE = bytesOf({ shake: "nonce", size: 12 });
const heap = () => (sodium as unknown as { libsodium: { HEAPU8: Uint8Array } }).libsodium.HEAPU8;

beforeAll(ready);

function encrypted(message: Uint8Array): Uint8Array {
  const into = new Uint8Array(message.length + TAG_SIZE);
  CHACHA20_POLY1305.encrypt(message, NONCE, KEY, into);
  return into;
}

test.each([0, 1, 16, MAX_SIZE])("is libsodium's own, for %i bytes, also after its memory has grown", (size) => {
  const message = bytesOf({ shake: "message", size });
  const expected = sodium.crypto_aead_chacha20poly1305_ietf_encrypt(message, null, null, NONCE, KEY);
  expect(toHex(encrypted(message))).toBe(toHex(expected));
  const before = heap().length;
  sodium.crypto_generichash(32, new Uint8Array(before), null);
  expect(heap().length).toBeGreaterThan(before);
  expect(toHex(encrypted(message))).toBe(toHex(expected));
});

test.each([
  ["too long", MAX_SIZE + 1, 32, 12, 0], ["no place for the tag", 10, 32, 12, -1], ["too much place", 10, 32, 12, 1],
  ["a short key", 10, 31, 12, 0], ["a long nonce", 10, 32, 13, 0],
])("a caller's mistake is refused: %s", (_, size, key, nonce, more) => {
  const into = new Uint8Array(size + TAG_SIZE + more);
  const arrays = [new Uint8Array(size), new Uint8Array(nonce), new Uint8Array(key)] as const;
  expect(() => CHACHA20_POLY1305.encrypt(...arrays, into)).toThrow(RangeError);
  const sealed = new Uint8Array(into.length);
  expect(() => CHACHA20_POLY1305.decrypt(sealed, arrays[1], arrays[2], arrays[0])).toThrow(RangeError);
});

test("what does not verify writes nothing, and neither key nor text stays in libsodium's memory", () => {
  const message = bytesOf({ shake: "message", size: MAX_SIZE });
  const sealed = encrypted(message);
  const into = new Uint8Array(MAX_SIZE);
  CHACHA20_POLY1305.decrypt(sealed, NONCE, KEY, into);
  expect(toHex(into)).toBe(toHex(message));
  sealed[100]! ^= 1;
  into.fill(7);
  expect(() => CHACHA20_POLY1305.decrypt(sealed, NONCE, KEY, into)).toThrow();
  expect(into.every((byte) => byte === 7)).toBe(true);
  const memory = Buffer.from(heap().buffer);
  for (const secret of [KEY, message.subarray(0, 32), message.subarray(-32)]) expect(memory.includes(secret)).toBe(false);
  heap().set(KEY, heap().length - 64);
  expect(Buffer.from(heap().buffer).includes(KEY)).toBe(true); // the search finds what is there
  heap().fill(0, heap().length - 64);
});
