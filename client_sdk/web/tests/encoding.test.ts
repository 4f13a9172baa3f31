// What the vectors of encoding, derivation, labels and signed requests can't say: callers' mistakes, exact sizes,
// tables, and that parsing is the inverse of formatting for whatever comes.

import { readFileSync } from "node:fs";

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

import * as derivation from "../src/crypto_core/derivation.js";
import * as encoding from "../src/crypto_core/encoding.js";
import * as errors from "../src/crypto_core/errors.js";
import { context, Kind } from "../src/crypto_core/labels.js";
import { makeId } from "../src/crypto_core/randomness.js";
import * as keyring from "../src/crypto_core/sealing/keyring.js";
import * as passphrase from "../src/crypto_core/sealing/passphrase.js";
import * as requests from "../src/crypto_core/signed_requests.js";
import { ready } from "../src/crypto_core/sodium.js";
import { runs } from "./runs.js";
import { ANY_SIGN } from "./signs.js";
import { fromHex, toHex } from "./vectors.js";

const { MalformedError } = errors;
const utf8 = (text: string) => new TextEncoder().encode(text);
const python = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const anyBytes = fc.uint8Array({ maxLength: 200 });

beforeAll(ready);

describe("integers and fields", () => {
  test("are big-endian and bounded", () => {
    expect(toHex(encoding.u16(0x0102))).toBe("0102");
    expect(toHex(encoding.u32(0x01020304))).toBe("01020304");
    expect(toHex(encoding.u64(0x1f_ffff_ffff_ffff))).toBe("001fffffffffffff");
    expect(toHex(encoding.u64(2n ** 64n - 1n))).toBe("ffffffffffffffff");
    const widths = [[encoding.u16, 2 ** 16], [encoding.u32, 2 ** 32], [encoding.u64, 2 ** 64]] as const;
    for (const [write, limit] of widths) {
      for (const wrong of [limit, -1, 0.5, Number.NaN]) {
        expect(() => write(wrong)).toThrow(RangeError);
      }
    }
    expect(() => encoding.u64(2 ** 53)).toThrow(RangeError);
    expect(() => encoding.u64(2n ** 64n)).toThrow(RangeError);
  });

  test("a field has at most 65,535 bytes", () => {
    expect(toHex(encoding.lp(new Uint8Array(65_535)).subarray(0, 2))).toBe("ffff");
    expect(() => encoding.lp(new Uint8Array(65_536))).toThrow(RangeError);
  });

  test("text that UTF-8 can't spell is a caller's mistake", () => {
    expect(() => encoding.encodeText("a\ud800")).toThrow(RangeError);
    expect(toHex(encoding.encodeText("\ud83d\ude00"))).toBe("f09f9880");
  });
});

describe("bytes as text", () => {
  const spellings = [
    ["base64url", encoding.parseB64url, encoding.formatB64url],
    ["base64", encoding.parseB64, encoding.formatB64],
    ["hexadecimal", encoding.parseHex, encoding.formatHex],
  ] as const;

  test.each(spellings)("%s: parsing is the inverse of formatting", (_, parse, format) => {
    fc.assert(fc.property(anyBytes, (data) => {
      expect(toHex(parse(format(data), data.length))).toBe(toHex(data));
    }));
  });

  test.each(spellings)("%s: whatever else is refused, or has this one spelling", (_, parse, format) => {
    const nearly = fc.string({ unit: fc.constantFrom(..."AZaz09+/-_= \n\u00e9f".split("")), maxLength: 12 });
    fc.assert(fc.property(fc.oneof(nearly, fc.string({ unit: ANY_SIGN })), (text) => {
      let data: Uint8Array;
      try {
        data = parse(text);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError);
        return;
      }
      expect(format(data)).toBe(text);
    }), { numRuns: runs(2000) });
  });

  test("they agree with Node's", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 20_000 }), (data) => {
      expect(encoding.formatB64url(data)).toBe(Buffer.from(data).toString("base64url"));
      expect(encoding.formatB64(data)).toBe(Buffer.from(data).toString("base64"));
    }), { numRuns: runs(30) });
  });

  test.each([0, 2, 4])("a size is exact (%i)", (size) => {
    for (const [parse, text] of [[encoding.parseB64url, "AAEC"], [encoding.parseHex, "000102"]] as const) {
      expect(parse(text, 3)).toHaveLength(3);
      expect(() => parse(text, size)).toThrow(MalformedError);
    }
  });

  test.each(["0", "0G", "AB", " 00", "00\n", "\u0660\u0660", "0x"])("only lower-case hexadecimal: %j", (text) => {
    expect(() => encoding.parseHex(text)).toThrow(MalformedError);
  });

  test.each(["AAE", "AAE=\n", "AAF=", "AA-_", "=AAE", "AAEC====", "\u00e9AAA"])("only padded base64: %j", (text) => {
    expect(() => encoding.parseB64(text)).toThrow(MalformedError);
  });
});

describe("times", () => {
  test("parsing is the inverse of formatting", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: encoding.MAX_TIME }), (seconds) => {
      const text = encoding.formatTime(seconds);
      expect(text).toHaveLength(20);
      expect(encoding.parseTime(text)).toBe(seconds);
    }));
  });

  test.each([-1, encoding.MAX_TIME + 1, 0.5, Number.NaN])("RFC 3339 can't spell %d", (seconds) => {
    expect(() => encoding.formatTime(seconds)).toThrow(MalformedError);
  });

  test("whatever else is refused, or has this one spelling", () => {
    const two = fc.integer({ min: 0, max: 99 }).map((number) => String(number).padStart(2, "0"));
    const year = fc.integer({ min: 0, max: 9999 }).map((number) => String(number).padStart(4, "0"));
    fc.assert(fc.property(year, fc.array(two, { minLength: 5, maxLength: 5 }), (y, [m, d, h, min, s]) => {
      const text = `${y}-${m}-${d}T${h}:${min}:${s}Z`;
      try {
        expect(encoding.formatTime(encoding.parseTime(text))).toBe(text);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError);
      }
    }), { numRuns: runs(2000) });
  });
});

describe("JSON", () => {
  const parse = (text: string) => encoding.parseJson(utf8(text));
  /** As JSON.parse has it, but for names: an object here has no prototype. */
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
  const wellFormed = fc.string({ unit: "grapheme", maxLength: 20 }).filter((text) => !/\p{Surrogate}/u.test(text));
  const tree = fc.letrec((again) => ({
    value: fc.oneof(
      { maxDepth: 5 }, fc.constant(null), fc.boolean(), fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }), wellFormed, fc.array(again("value"), { maxLength: 5 }),
      fc.dictionary(wellFormed.filter((name) => name !== "__proto__"), again("value"), { maxKeys: 5 }),
    ),
  })).value.map((value) => JSON.stringify(value));

  test("reads what JSON.parse reads", () => {
    fc.assert(fc.property(tree, fc.constantFrom(undefined, 1, "\t\r\n "), (text, space) => {
      const spaced = JSON.stringify(JSON.parse(text), null, space);
      expect(plain(parse(spaced))).toEqual(plain(JSON.parse(spaced)));
    }), { numRuns: runs(500) });
  });

  test("of texts one slip away, reads none that JSON.parse refuses", () => {
    const slips = fc.constantFrom(..."{}[],:\"\\ueE+-.0 1tnf\u0001\u00a0");
    fc.assert(fc.property(tree, fc.nat(), slips, (text, at, slip) => {
      const place = at % (text.length + 1);
      const wrong = text.slice(0, place) + slip + text.slice(place + at % 2);
      let found: unknown;
      try {
        found = parse(wrong);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError);
        return;
      }
      expect(plain(found)).toEqual(plain(JSON.parse(new TextDecoder().decode(utf8(wrong))))); // a slip may split a pair
    }), { numRuns: runs(2000) });
  });

  test("any bytes are read or refused as malformed", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }), (data) => {
      try {
        encoding.parseJson(data);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError);
      }
    }), { numRuns: runs(1000) });
  });

  test("writing and reading again changes nothing", () => {
    fc.assert(fc.property(tree, (text) => {
      const data = encoding.formatJson(JSON.parse(text));
      expect(toHex(encoding.formatJson(encoding.parseJson(data)))).toBe(toHex(data));
    }));
  });

  test("names of Object's own are names like others", () => {
    const value = parse('{"__proto__":{"admin":true},"constructor":1,"toString":2}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(["__proto__", "constructor", "toString"]);
    expect(value["admin"]).toBeUndefined();
    expect(parse('{"__proto__":1}')).not.toHaveProperty("hasOwnProperty");
    expect(() => parse('{"__proto__":1,"__proto__":2}')).toThrow(MalformedError);
  });

  test("a text is kept to the letter", () => {
    expect(parse('"\\u00e9\u00e9\\ud83d\\ude00\\"\\\\\\/\\b\\f\\n\\r\\t\u2028\u007f"')).toBe(
      "\u00e9\u00e9\ud83d\ude00\"\\/\b\f\n\r\t\u2028\u007f",
    );
    expect(parse(JSON.stringify("\\".repeat(1001) + "\""))).toBe("\\".repeat(1001) + "\"");
  });

  test("a long text is no deep text", () => {
    expect(parse(`["${"\\n".repeat(900_000)}"]`)).toEqual(["\n".repeat(900_000)]);
    expect(parse(`[${"0,".repeat(100_000)}0]`)).toHaveLength(100_001);
  });

  test("deep nesting is refused, not fatal", () => {
    expect(parse("[".repeat(500) + "]".repeat(500))).toHaveLength(1);
    for (const deep of ["[".repeat(502), '{"a":'.repeat(200_000), "[".repeat(200_000)]) {
      expect(() => parse(deep)).toThrow(MalformedError);
    }
  });

  test("messages never quote the text", () => {
    const texts = ['{"secret":1,"secret":2}', '"secret', '"secret\\ud800"'].map(utf8);
    for (const data of [...texts, fromHex("ff736563726574")]) {
      expect(() => encoding.parseJson(data)).toThrow(MalformedError);
      expect(() => encoding.parseJson(data)).not.toThrow(/secret/);
    }
  });

  test("is written compactly, and what it can't say is a caller's mistake", () => {
    expect(new TextDecoder().decode(encoding.formatJson({ b: "\u00e9\u2028", a: [1, null] }))).toBe(
      '{"b":"\u00e9\u2028","a":[1,null]}',
    );
    for (const wrong of [Number.NaN, [Number.POSITIVE_INFINITY], { a: undefined }, "\ud800", { "\udfff": 1 }]) {
      expect(() => encoding.formatJson(wrong)).toThrow(RangeError);
    }
    expect(() => encoding.formatJson(1n)).toThrow(TypeError);
  });
});

describe("keys and labels", () => {
  test("the labels are Python's, and no two kinds share one", () => {
    const lines = python("crypto_core/labels.py").matchAll(/^ {4}([A-Z_]+) = "([a-z-]+)"/gm);
    expect(Kind).toEqual(Object.fromEntries([...lines].map(([, name, label]) => [name, label])));
    expect(new Set(Object.values(Kind)).size).toBe(Object.keys(Kind).length);
  });

  test("a key is exactly 32 bytes", () => {
    for (const size of [0, 31, 33, 64]) {
      expect(() => derivation.derive(new Uint8Array(size), Kind.ITEMS)).toThrow(RangeError);
    }
  });

  test.each([0, 255 * 64 + 1, Number.NaN])("HKDF-Expand gives 1 to 16,320 bytes, not %d", (size) => {
    expect(() => derivation.hkdfExpand(new Uint8Array(32), new Uint8Array(), size)).toThrow(RangeError);
  });

  test("neighbouring fields never read alike", () => {
    fc.assert(fc.property(fc.array(anyBytes), fc.array(anyBytes), (one, other) => {
      const alike = JSON.stringify(one.map(toHex)) === JSON.stringify(other.map(toHex));
      expect(toHex(context(Kind.WRAP, ...one)) === toHex(context(Kind.WRAP, ...other))).toBe(alike);
    }));
  });

  test("an id is 16 bytes, and never the same", () => {
    expect(makeId()).toHaveLength(encoding.ID_SIZE);
    expect(toHex(makeId())).not.toBe(toHex(makeId()));
  });
});

test("what a login key signs has exact sizes and a lower-case host", () => {
  const [challenge, kId] = [new Uint8Array(32), new Uint8Array(32)];
  for (const host of ["", "Vault.example", "v\u00e4ult.example"]) {
    expect(() => requests.loginMessage(host, kId, challenge)).toThrow(RangeError);
  }
  expect(() => requests.loginMessage("vault.example", kId.subarray(1), challenge)).toThrow(RangeError);
  expect(() => requests.confirmMessage("vault.example", kId, challenge.subarray(1))).toThrow(RangeError);
  expect(() => requests.registerMessage("vault.example", new Uint8Array(33), kId)).toThrow(RangeError);
  expect(() => requests.pinReopenMessage("vault.example", kId, challenge)).toThrow(RangeError);
});

/** The sentence of a class in Python's source: one text, or several in parentheses, one below the other. */
function spoken(body: string): string {
  const found = /^ {4}sentence = (?:(".*")|\(\n([^)]*)\n {4}\))$/m.exec(body)!;
  return [...(found[1] ?? found[2]!).matchAll(/^ *"(.*)"$/gm)].map(([, text]) => text).join("");
}

describe("errors", () => {
  type Leaf = { code: string; sentence: string; outcome?: string };
  const ours = { ...errors, NeedsPin: keyring.NeedsPin, NotEnoughMemory: passphrase.NotEnoughMemory };
  const sources = ["errors.py", "sealing/keyring.py", "sealing/passphrase.py"];
  const classes = sources.flatMap((path) => (
    [...python(`crypto_core/${path}`).matchAll(/^class (\w+)\((\w+)\):\n((?: {4}.*\n|\n)*)/gm)]
      .filter(([, , , body]) => body!.includes("    code = "))
      .map(([, name, parent, body]) => ({
        name: name!,
        parent: parent!,
        code: /^ {4}code = "(.*)"$/m.exec(body!)![1]!,
        sentence: spoken(body!),
        outcome: /^ {4}outcome.* = "(\w+)"$/m.exec(body!)?.[1],
      }))
  ));

  test("Python has as many as are held to it here", () => {
    expect(classes).toHaveLength(23);
    const names = Object.entries(ours).filter(([, one]) => (one as unknown as Leaf).code).map(([name]) => name);
    expect(names.sort()).toEqual(classes.map(({ name }) => name).sort());
  });

  test.each(classes)("$name says what it says in Python", ({ name, parent, code, sentence, outcome }) => {
    const found = ours[name as keyof typeof ours] as unknown as Leaf & (new (detail?: string) => errors.TemoinError);
    expect([found.code, found.sentence]).toEqual([code, sentence]);
    expect(Object.getPrototypeOf(found)).toBe(ours[parent as keyof typeof ours]);
    const inherited = Object.prototype.isPrototypeOf.call(errors.VerificationError, found) ? "invalid" : undefined;
    expect(found.outcome).toBe(outcome ?? inherited);
    const told = new found("a rule");
    expect([told.code, told.sentence, told.detail, told.message]).toEqual([code, sentence, "a rule", "a rule"]);
    expect(new found().message).toBe(sentence);
  });
});
