// Streams, ranges and callers' mistakes around the envelope and the padding; what is sealed and refused besides is in
// the vectors, and in published_sealing.test.ts.

import { inspect } from "node:util";

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

import { CHACHA20_POLY1305, type Aead } from "../src/crypto_core/aead.js";
import { hkdfExpand } from "../src/crypto_core/derivation.js";
import { encodeText } from "../src/crypto_core/encoding.js";
import { MalformedError, TamperedError } from "../src/crypto_core/errors.js";
import {
  CHUNK_SIZE, HEADER_SIZE, MAX_CHUNKS, Opener, openRange, openStream, plainSize,
  RUN_CHUNKS, seal, sealedRange, sealedSize, Sealer, SEALED_CHUNK_SIZE, sealStream, splitOff, type Blocks,
} from "../src/crypto_core/sealing/envelope.js";
import { CONTENT_BORDER, contentRange, padContent, unpadContent } from "../src/crypto_core/sealing/padding.js";
import { ready } from "../src/crypto_core/sodium.js";
import { runs } from "./runs.js";
import { bytesOf, joined, toHex } from "./vectors.js";

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);
const CONTEXT = encodeText("a context");
const RUN = RUN_CHUNKS * CHUNK_SIZE;
const message = (size: number) => bytesOf({ shake: "message", size });

beforeAll(ready);

/** A message cut at these places, which may be anywhere and in any order. */
function cut(data: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (data.length + 1)), data.length].sort((one, other) => one - other);
  return ends.map((end, at) => data.subarray(ends[at - 1] ?? 0, end));
}

async function gathered(blocks: Blocks): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const block of blocks) {
    pieces.push(block.slice());
  }
  return joined(pieces);
}

/** What comes out before a refusal, and the refusal. */
async function released(blocks: Blocks): Promise<[Uint8Array, unknown]> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const block of blocks) {
      pieces.push(block.slice());
    }
  } catch (error) {
    return [joined(pieces), error];
  }
  return [joined(pieces), null];
}

const same = (found: Uint8Array, expected: Uint8Array) => Buffer.compare(found, expected) === 0;

describe("a caller's mistakes", () => {
  test.each([0, 31, 33])("a key is 32 bytes, not %i", (size) => {
    expect(() => new Sealer(new Uint8Array(size), CONTEXT)).toThrow(RangeError);
  });

  test.each([0, 23, 25])("a salt is 24 bytes, not %i", (size) => {
    expect(() => seal(KEY, CONTEXT, CONTEXT, new Uint8Array(size))).toThrow(RangeError);
  });

  test("part of a chunk only at the end", () => {
    expect(() => new Sealer(KEY, CONTEXT).sealChunks(0, CONTEXT, false)).toThrow(/last/);
  });

  test.each([-1, 0.5, MAX_CHUNKS, MAX_CHUNKS + 1, Number.NaN])("chunk numbers end at 2^38: %d", (first) => {
    const sealer = new Sealer(KEY, CONTEXT);
    expect(() => sealer.sealChunks(first, new Uint8Array(), true)).toThrow(RangeError);
    expect(() => new Opener(KEY, CONTEXT, sealer.header).openChunks(first, new Uint8Array(16), true)).toThrow();
    expect(sealer.sealChunks(MAX_CHUNKS - 1, new Uint8Array(), true)).toHaveLength(16);
  });

  test.each([-1, 2 ** 52, Number.NaN])("no message has %d bytes", (size) => {
    expect(() => sealedSize(size)).toThrow(RangeError);
  });

  test.each([[-1, 0], [2, 1], [0, Number.NaN]])("ranges run forward: [%d, %d)", (start, stop) => {
    expect(() => sealedRange(start, stop)).toThrow(RangeError);
  });
});

test("a salt is drawn anew", () => {
  expect(toHex(new Sealer(KEY, CONTEXT).salt)).not.toBe(toHex(new Sealer(KEY, CONTEXT).salt));
});

test("neither side shows its key", () => {
  const sealer = new Sealer(KEY, CONTEXT);
  for (const one of [sealer, new Opener(KEY, CONTEXT, sealer.header)]) {
    for (const shown of [JSON.stringify(one), inspect(one, { showHidden: true, depth: 9 }), String(one)]) {
      expect(shown).not.toMatch(/\b3,\s*4,\s*5,\s*6\b|chunks/i);
    }
  }
});

test.each([[15, true], [1, false], [16_401, false], [0, true]])("%i bytes are not whole chunks", (size, last) => {
  const opener = new Opener(KEY, CONTEXT, new Sealer(KEY, CONTEXT).header);
  expect(() => opener.openChunks(0, new Uint8Array(size), last)).toThrow(MalformedError);
});

test("nonces count past 32 bits, and every number has its own", () => {
  const used = new Set<string>();
  const noting: Aead = {
    ...CHACHA20_POLY1305,
    encrypt: (data, nonce, key, into) => {
      used.add(toHex(nonce));
      CHACHA20_POLY1305.encrypt(data, nonce, key, into);
    },
  };
  const sealer = new Sealer(KEY, CONTEXT, new Uint8Array(24), noting);
  const start = encodeText("c2sp.org/chunked-encryption@v1+AEAD_CHACHA20_POLY1305\0");
  const output = hkdfExpand(KEY, joined([start, new Uint8Array(24), CONTEXT]), 76);
  const base = BigInt(`0x${toHex(output.subarray(32, 44))}`);
  const numbers = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 37 + 5, MAX_CHUNKS - 1];
  for (const number of numbers) {
    sealer.sealChunks(number, new Uint8Array(), true);
    expect(used).toContain((base ^ BigInt(number)).toString(16).padStart(24, "0"));
  }
  expect(used.size).toBe(numbers.length);
});

describe("streams", () => {
  const sizes = [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, RUN - 1, RUN, RUN + 1, 2 * RUN + 3 * CHUNK_SIZE + 7];
  const places = fc.array(fc.nat({ max: 3 * RUN }), { maxLength: 8 });

  test("seal and open as the whole does, cut anyhow", async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom(...sizes), places, places, async (size, one, other) => {
      const plain = message(size);
      const salt = KEY.subarray(0, 24);
      const whole = seal(KEY, CONTEXT, plain, salt);
      const sealed = await gathered(sealStream(new Sealer(KEY, CONTEXT, salt), cut(plain, one)));
      expect(same(sealed, whole)).toBe(true);
      const [header, body] = await splitOff(cut(whole, other), HEADER_SIZE);
      expect(same(await gathered(openStream(new Opener(KEY, CONTEXT, header), body)), plain)).toBe(true);
      expect([whole.length, plainSize(whole.length)]).toEqual([sealedSize(size), size]);
    }), { numRuns: runs(40) });
  });

  test("a content comes out as it went in, and only whole", async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom(...sizes), places, places, async (size, one, other) => {
      const padded = await gathered(padContent(size, cut(message(size), one)));
      expect(same(await gathered(unpadContent(cut(padded, other))), message(size))).toBe(true);
      const [start, stop] = contentRange(0, size);
      expect(same(padded.subarray(start, stop), message(size))).toBe(true);
      for (const wrong of [padded.subarray(0, -1), joined([padded, new Uint8Array(1)])]) {
        expect((await released(unpadContent(cut(wrong, other))))[1]).toBeInstanceOf(MalformedError);
      }
    }), { numRuns: runs(30) });
  });

  test.each([0, 2, CHUNK_SIZE])("a content that changes while it is read is refused (%i bytes for 1)", async (size) => {
    const [sent, refusal] = await released(padContent(1, [message(size)]));
    expect(refusal).toBeInstanceOf(MalformedError);
    expect(sent.length).toBeLessThanOrEqual(CONTENT_BORDER + 1);
  });

  test("are never held whole", async () => {
    let drawn = 0;
    function* endless(): Generator<Uint8Array> {
      for (;;) {
        drawn++;
        yield new Uint8Array(RUN);
      }
    }
    const stream = sealStream(new Sealer(KEY, CONTEXT), endless());
    expect((await stream.next()).value).toHaveLength(HEADER_SIZE);
    expect(drawn).toBe(0);
    expect((await stream.next()).value).toHaveLength(RUN_CHUNKS * SEALED_CHUNK_SIZE);
    expect(drawn).toBe(1);
  });

  test("give nothing that isn't verified", async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom(...sizes), fc.nat(), places, async (size, at, one) => {
      const plain = message(size);
      const wrong = seal(KEY, CONTEXT, plain);
      const place = HEADER_SIZE + at % (wrong.length - HEADER_SIZE);
      wrong[place]! ^= 1;
      const opener = new Opener(KEY, CONTEXT, wrong.subarray(0, HEADER_SIZE));
      const [out, refusal] = await released(openStream(opener, cut(wrong.subarray(HEADER_SIZE), one)));
      expect(refusal).toBeInstanceOf(TamperedError);
      expect(same(out, plain.subarray(0, out.length))).toBe(true);
      expect(out.length).toBeLessThanOrEqual(Math.floor((place - HEADER_SIZE) / SEALED_CHUNK_SIZE) * CHUNK_SIZE);
    }), { numRuns: runs(40) });
  });
});

test("any range of a message opens alone", () => {
  const plain = message(3 * CHUNK_SIZE + 5);
  const whole = seal(KEY, CONTEXT, plain);
  const opener = new Opener(KEY, CONTEXT, whole.subarray(0, HEADER_SIZE));
  const place = fc.nat({ max: plain.length });
  fc.assert(fc.property(place, place, (one, other) => {
    const [start, stop] = one < other ? [one, other] : [other, one];
    const [sealedStart, sealedStop] = sealedRange(start, stop);
    const data = openRange(opener, start, stop, whole.subarray(sealedStart, sealedStop), whole.length);
    expect(same(data, plain.subarray(start, stop))).toBe(true);
    const beyond = stop + plain.length + 1;
    const rest = whole.subarray(sealedStart);
    expect(() => openRange(opener, start, beyond, rest, whole.length)).toThrow(MalformedError);
  }));
});
