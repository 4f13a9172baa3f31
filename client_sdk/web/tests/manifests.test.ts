// Manifests of bundles, of both versions: read as they were written, refused where they say what they can't.
import fc from "fast-check";
import { expect, test } from "vitest";

import { encodeText, formatB64url, formatJson, parseJson } from "../src/crypto_core/encoding.js";
import { MalformedError, UnsupportedVersion } from "../src/crypto_core/errors.js";
import { Manifest, VERSION, WITH_WORDS } from "../src/schemas/bundles.js";
import { dump } from "../src/schemas/fields.js";
import { MESSAGE, SAFE_INTEGER, U32 } from "../src/schemas/limits.js";
import { parseManifest } from "../src/sdk/opening.js";
import { runs } from "./runs.js";
import { ANY_SIGN } from "./signs.js";

const bytes = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size });
const ids = bytes(16).map(formatB64url);
const times = fc.integer({ min: 0, max: 4_000_000_000 });
const wholes = fc.integer({ min: 0, max: SAFE_INTEGER });
const items = fc.array(fc.record({
  item: ids, revision: fc.integer({ min: 1, max: U32 }), key: bytes(32), record: bytes(32), size: wholes, index: wholes,
}, { noNullPrototype: true }), { minLength: 1, maxLength: 5 });
/** In one that shares what somebody put into a box, at least one item has their words. */
const manifests: fc.Arbitrary<Manifest> = fc.record({
  bundle: ids, created: times, expires: times, sender: bytes(32), reader: fc.option(bytes(32)),
  message: fc.string({ unit: ANY_SIGN, maxLength: 200 }).filter((text) => !text.includes("\0")), items,
  words: fc.option(fc.tuple(fc.nat(4), wholes, fc.array(fc.option(wholes), { minLength: 5, maxLength: 5 }))),
}, { noNullPrototype: true }).map(({ words, items: shared, ...rest }) => {
  if (words === null) return { v: VERSION, ...rest, items: shared };
  const [said, index, others] = words;
  return {
    v: WITH_WORDS, ...rest,
    items: shared.map((one, at) => ({ ...one, words: at === said % shared.length ? index : others[at] ?? null })),
  };
});

type Spelled = { readonly [name: string]: unknown } & { readonly items: readonly { readonly [name: string]: unknown }[] };

const formatted = (facts: Manifest): Uint8Array => formatJson(dump(Manifest, facts));
const spelledOf = (facts: Manifest): Spelled => parseJson(formatted(facts)) as Spelled;

function without(facts: object, name: string): object {
  return Object.fromEntries(Object.entries(facts).filter(([one]) => one !== name));
}

function isRefused(json: Uint8Array): boolean {
  try {
    parseManifest(json);
    return false;
  } catch (error) {
    if (error instanceof MalformedError || error instanceof UnsupportedVersion) return true;
    throw error;
  }
}

test("a manifest is read as it was written", () => {
  fc.assert(fc.property(manifests, (facts) => {
    expect(parseManifest(formatted(facts))).toEqual(facts);
  }), { numRuns: runs(100) });
});

test("a changed one is refused, or another one that is read as it is written", () => {
  fc.assert(fc.property(manifests, fc.nat(), fc.integer({ min: 1, max: 255 }), (facts, place, bits) => {
    const spelled = formatted(facts);
    const changed = spelled.map((byte, at) => (at === place % spelled.length ? byte ^ bits : byte));
    if (isRefused(changed)) return;
    const other = parseManifest(changed);
    expect(parseManifest(formatted(other))).toEqual(other);
  }), { numRuns: runs(200) });
});

test("one that says what the other version does, that leaves a name out, or has one more, is none", () => {
  fc.assert(fc.property(manifests, fc.nat(4), fc.constantFrom("word", "Words", "blob"), (facts, which, more) => {
    const spelled = spelledOf(facts);
    const at = which % spelled.items.length;
    const inside = spelled.items[at]!;
    const withItem = (item: object): object =>
      ({ ...spelled, items: spelled.items.map((one, place) => (place === at ? item : one)) });
    const changed = [
      { ...spelled, v: VERSION + WITH_WORDS - facts.v }, { ...spelled, [more]: null }, withItem({ ...inside, [more]: null }),
      ...Object.keys(spelled).map((name) => without(spelled, name)),
      ...Object.keys(inside).map((name) => withItem(without(inside, name))),
      { ...spelled, items: [] }, { ...spelled, items: spelled.items.map((one) => ({ ...one, words: null })) },
      { ...spelled, message: "x".repeat(MESSAGE + 1) },
    ];
    expect(changed.map((one) => isRefused(formatJson(one)))).toEqual(changed.map(() => true));
  }), { numRuns: runs(50) });
});

test("what is no manifest is refused as such", () => {
  const data = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(encodeText));
  fc.assert(fc.property(data, (given) => {
    expect(isRefused(given)).toBe(true);
  }), { numRuns: runs(200) });
});
