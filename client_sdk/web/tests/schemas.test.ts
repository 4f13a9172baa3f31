// The fields, tables and documents: the same limits and refusals as Python's marshmallow schemas have.

import { readFileSync } from "node:fs";

import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";

import { formatJson, parseJson } from "../src/crypto_core/encoding.js";
import {
  AccountRecord, dumpAccountRecord, dumpDocument, KINDS, PRECISIONS, VERSION, type Record,
} from "../src/schemas/documents.js";
import { bytes, bytesBetween, dump, hex, id, oneOf, text, time, u32, whole, yesNo } from "../src/schemas/fields.js";
import * as limits from "../src/schemas/limits.js";
import { MEDIA_TYPE, PROBLEMS } from "../src/schemas/problems.js";
import { ANY_SIGN } from "./signs.js";

const python = (name: string) => readFileSync(new URL(`../../../schemas/${name}.py`, import.meta.url), "utf8");
const kept = (schema: v.GenericSchema, value: unknown) => v.is(schema, value);

describe("the tables are Python's", () => {
  test("limits", () => {
    const found: { [name: string]: number } = {};
    for (const [, name, sum] of python("limits").matchAll(/^([A-Z0-9_]+) = ([A-Z0-9_ *+-]+)$/gm)) {
      found[name!] = Function(...Object.keys(found), `return ${sum}`)(...Object.values(found)) as number;
    }
    const { unitCount: _, unitRange: __, ...numbers } = limits;
    expect(Object.keys(found).length).toBeGreaterThan(40);
    expect(numbers).toEqual(found);
  });

  test("problems", () => {
    const row = /^ {4}"(\w+)": ProblemKind\(\s*(\d+),\s*"([^"]*)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+),?\s*\),$/gm;
    const rows = [...python("problems").matchAll(row)].map(([, code, status, title, sentence]) => [
      code, { status: Number(status), title, sentence: sentence!.replace(/"\s*"/g, "").trim().slice(1, -1) },
    ]);
    expect(rows).toHaveLength(python("problems").match(/": ProblemKind\(/g)!.length);
    expect(PROBLEMS).toEqual(Object.fromEntries(rows));
    expect(python("problems")).toContain(`MEDIA_TYPE = "${MEDIA_TYPE}"`);
  });

  test("documents", () => {
    const source = python("documents");
    expect(source).toContain(`VERSION = ${VERSION}\n`);
    expect(source).toContain(`PRECISIONS = (${PRECISIONS.map((one) => `"${one}"`).join(", ")})`);
    const kinds = /^KINDS: .*\{\n([^}]*)\}/m.exec(source)![1]!.match(/"\w+"/g)!.map((one) => one.slice(1, -1));
    expect(Object.keys(KINDS)).toEqual(kinds);
    const { journal: Record, tombstone: Tombstone } = KINDS;
    const [Happened, Content] = [Record.entries.happened.wrapped, Record.entries.contents.item];
    const schemas = { Happened, Content, Record, Tombstone, AccountRecord };
    for (const [name, schema] of Object.entries(schemas)) {
      const body = new RegExp(`^class ${name}\\(.*\\):\\n((?: {4}.*\\n|\\n)*)`, "m").exec(source)![1]!;
      const lines = [...body.matchAll(/^ {4}(\w+) = (.*)$/gm)];
      const fields = lines.map(([, field, rest]) => /data_key="(\w+)"/.exec(rest!)?.[1] ?? field!);
      const sealed = name === "Record" || name === "Tombstone" ? ["v"] : []; // from their base
      expect(Object.keys(schema.entries).sort(), name).toEqual([...sealed, ...fields].sort());
    }
  });
});

test("units of an upload", () => {
  const size = limits.FIRST_UNIT + 2 * limits.UNIT + 1;
  const units = Array.from({ length: limits.unitCount(size) }, (_, unit) => limits.unitRange(unit, size));
  expect(units[0]).toEqual([0, limits.FIRST_UNIT]);
  expect(units.at(-1)).toEqual([size - 1, size]);
  expect(units.slice(1).every(([start], at) => start === units[at]![1])).toBe(true);
  expect([0, 1, limits.FIRST_UNIT, limits.FIRST_UNIT + 1].map(limits.unitCount)).toEqual([1, 1, 1, 2]);
});

describe("fields", () => {
  const refused: readonly (readonly [string, v.GenericSchema, readonly unknown[]])[] = [
    ["bytes", bytes(3), ["AAE", "AAECAw", "AA+/", "AAEC=", "AAE\n", 3, null, undefined, ["AAEC"]]],
    ["bytesBetween", bytesBetween(1, 2), ["", "AAEC", "A"]],
    ["hex", hex(2), ["0A0b", "0a0", "0a0b0c", "", 1]],
    ["id", id(), ["", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAA", 16]],
    ["whole", whole(0, 10), [-1, 11, 0.5, "1", true, null, Number.NaN, 2 ** 53]],
    ["whole, unbounded", whole(), [2 ** 53, -1]],
    ["u32", u32(), [0, 2 ** 32]],
    ["time", time(), ["2026-02-29T00:00:00Z", "2026-03-01T00:00:00+00:00", "1969-12-31T23:59:59Z", 0]],
    ["yesNo", yesNo(), [0, 1, "true", null]],
    ["text", text(3, 1), ["", "abcd", "a\0", "\ud800", "\ude00\ud83d", 1, null]],
    ["oneOf", oneOf("one", "two"), ["three", "", null]],
  ];
  test.each(refused)("%s refuses", (_, schema, values) => {
    expect(values.filter((value) => kept(schema, value))).toEqual([]);
  });

  test("and keeps", () => {
    expect(v.parse(bytes(3), "AAEC")).toEqual(Uint8Array.of(0, 1, 2));
    expect(v.parse(hex(2), "0a0b")).toEqual(Uint8Array.of(10, 11));
    expect(v.parse(id(), "AAAAAAAAAAAAAAAAAAAAAA")).toBe("AAAAAAAAAAAAAAAAAAAAAA");
    expect([v.parse(u32(0), 0), v.parse(u32(), limits.U32), v.parse(whole(), limits.SAFE_INTEGER)]).toHaveLength(3);
    expect(v.parse(time(), "1970-01-01T00:00:01Z")).toBe(1);
    expect(v.parse(text(2, 2), "\ud83d\ude00\u00e9"), "code points are counted").toHaveLength(3);
  });
});

const HASH = new Uint8Array(32).fill(7);
const ID = "AAAAAAAAAAAAAAAAAAAAAA";
const CONTENT = {
  blob: ID, key: HASH, sealed: HASH, sha256: HASH, name: "photo.jpg", mime: "image/jpeg", size: 3,
};
const RECORD: Record = {
  v: 1, kind: "journal", title: "", text: "tonight", happened: { from: 0, to: 59, precision: "minute", words: "just now" },
  written: 1_709_208_000, place: null, people: ["A"], tags: [], danger: 10, mood: null, category: null,
  contents: [CONTENT], after: null,
};
const ASSESSMENT = { ...RECORD, kind: "assessment" as const, answers: { "hits-me": true, constructor: false } };
const EXTRACT = {
  ...RECORD, kind: "extract" as const, of: { item: ID, revision: 3 }, masked: RECORD.contents.map(({ blob }) => blob),
  segments: null,
};
const RECEIVED = {
  ...RECORD, kind: "received" as const,
  sent: { box: ID, deposit: ID, key: HASH, sealed: HASH, size: 1096, name: "A", message: "I saw it", written: 7 },
};
const TOMBSTONE = { v: 1 as const, kind: "tombstone" as const, ends: [HASH], written: 5, after: "note" };
const LOSS = { v: 1 as const, kind: "loss" as const, lost: [HASH], written: 5, after: null };
const ACCOUNT = {
  v: 1 as const, n: 1, previous: null, vault_id: ID, epoch: 1, pin_epoch: 1, argon: 1, pk_S: HASH, identity_sign: HASH,
  identity_box: HASH, ledger_vkey: "l", directory_vkey: "d", heads: [HASH],
};

/** As many answers. */
function answersOf(count: number) {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`q-${i}`, true]));
}

/** Through the bytes that are sealed, and back. */
function again(schema: v.GenericSchema, spelled: unknown): unknown {
  return v.parse(schema, parseJson(formatJson(spelled)));
}

describe("documents", () => {
  test.each([RECORD, { ...RECORD, kind: "document" as const }, ASSESSMENT, EXTRACT, RECEIVED, TOMBSTONE])("$kind comes back", (facts) => {
    expect(again(KINDS[facts.kind], dumpDocument(facts))).toEqual(facts);
  });

  test("the account record comes back", () => {
    expect(again(AccountRecord, dumpAccountRecord(ACCOUNT))).toEqual(ACCOUNT);
    const later = { ...ACCOUNT, n: 2, previous: HASH };
    expect(again(AccountRecord, dumpAccountRecord(later))).toEqual(later);
  });

  test("are spelled as Python spells them", () => {
    expect(dumpDocument(RECORD)).toMatchObject({
      written: "2024-02-29T12:00:00Z",
      happened: { from: "1970-01-01T00:00:00Z", to: "1970-01-01T00:00:59Z" },
      contents: [{ blob: ID, key: "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc" }],
    });
  });

  interface Facts {
    readonly kind: keyof typeof KINDS;
    readonly [name: string]: unknown;
  }
  const wrong: readonly (readonly [string, Facts])[] = [
    ["an unknown name", { ...RECORD, more: 1 }],
    ["a missing name", { ...TOMBSTONE, after: undefined }],
    ["another version", { ...RECORD, v: 2 }],
    ["answers in a journal", { ...RECORD, answers: {} }],
    ["an extract of nothing", { ...EXTRACT, of: null }],
    ["an extract whose covered picture isn't there", { ...EXTRACT, contents: [] }],
    ["an extract that names a covered picture twice", { ...EXTRACT, masked: [...EXTRACT.masked, ...EXTRACT.masked] }],
    ["an extract of something that is still recorded", {
      ...EXTRACT, segments: { key: HASH, name: "a", mime: "b", count: null, sha256: null },
    }],
    ["an extract of revision 0", { ...EXTRACT, of: { item: ID, revision: 0 } }],
    ["what was received, and nobody's", { ...RECEIVED, sent: undefined }],
    ["what was received, with words too long", { ...RECEIVED, sent: { ...RECEIVED.sent, message: "m".repeat(4001) } }],
    ["another kind's shape", { ...TOMBSTONE, kind: "journal" }],
    ["danger 11", { ...RECORD, danger: 11 }],
    ["danger as text", { ...RECORD, danger: "1" }],
    ["a time before 1970", { ...RECORD, written: -1 }],
    ["51 tags", { ...RECORD, tags: Array.from({ length: 51 }, String) }],
    ["an empty tag", { ...RECORD, tags: [""] }],
    ["a title too long", { ...RECORD, title: "t".repeat(501) }],
    ["a text too long", { ...RECORD, text: "t".repeat(limits.TEXT + 1) }],
    ["a NUL", { ...RECORD, text: "\0" }],
    ["words with times", { ...RECORD, happened: { ...RECORD.happened!, precision: "words" } }],
    ["times without precision", { ...RECORD, happened: { from: null, to: null, precision: "day", words: "w" } }],
    ["one time", { ...RECORD, happened: { ...RECORD.happened!, to: null } }],
    ["ends before it begins", { ...RECORD, happened: { from: 1, to: 0, precision: "minute", words: "w" } }],
    ["a short key", { ...RECORD, contents: [{ ...CONTENT, key: HASH.subarray(1) }] }],
    ["a nameless file", { ...RECORD, contents: [{ ...CONTENT, name: "" }] }],
    ["no answers", { ...ASSESSMENT, answers: null }],
    ["a list of answers", { ...ASSESSMENT, answers: [] }],
    ["201 answers", { ...ASSESSMENT, answers: answersOf(201) }],
    ["an answer 1", { ...ASSESSMENT, answers: { q: 1 } }],
    ["a question in capitals", { ...ASSESSMENT, answers: { Q: true } }],
    ["a question of 65", { ...ASSESSMENT, answers: { ["q".repeat(65)]: true } }],
    ["a question with a line end", { ...ASSESSMENT, answers: { "q\n": true } }],
    ["an empty question", { ...ASSESSMENT, answers: { "": true } }],
    ["a tombstone over nothing", { ...TOMBSTONE, ends: [] }],
    ["a loss of nothing", { ...LOSS, lost: [] }],
    ["a loss of 10,001", { ...LOSS, lost: Array.from({ length: 10_001 }, () => HASH) }],
    ["a loss with words", { ...LOSS, text: "lost" }],
  ];
  test.each(wrong)("%s is refused", (_, facts) => {
    expect(kept(KINDS[facts.kind], dumpDocument(facts))).toBe(false);
  });

  test.each(Object.keys(RECORD))("what is said of a wrong %s never quotes it", (name) => {
    for (const value of ["canary", { canary: "canary" }, ["canary\0"], 31_337, Number.NaN]) {
      const refused = v.safeParse(KINDS.document, { ...dumpDocument(RECORD), [name]: value, canary: "canary" });
      expect(refused.success).toBe(false);
      expect(refused.issues!.map(({ message }) => message).join()).not.toMatch(/canary|31_?337|NaN/);
    }
  });

  test("10,000 lost", () => {
    const loss = { ...LOSS, lost: Array.from({ length: 10_000 }, () => HASH) };
    expect(again(KINDS.loss, dumpDocument(loss))).toHaveProperty("lost.length", 10_000);
  });

  test("200 answers, and names of Object's own", () => {
    expect(again(KINDS.assessment, dumpDocument({ ...ASSESSMENT, answers: answersOf(200) }))).toHaveProperty("answers.q-199");
    const odd = parseJson(new TextEncoder().encode('{"__proto__":true}'));
    expect(Object.keys(v.parse(KINDS.assessment.entries.answers, odd))).toEqual(["__proto__"]);
  });

  test("whatever a person writes comes back to the letter", () => {
    const anyText = fc.string({ unit: ANY_SIGN, maxLength: 100 }).filter((one) => !one.includes("\0"));
    const time = fc.integer({ min: 0, max: 253_402_300_799 });
    const level = fc.option(fc.integer({ min: 0, max: 10 }));
    fc.assert(fc.property(anyText, anyText, time, level, (title, said, written, danger) => {
      const facts = { ...RECORD, title, text: said, written, danger, happened: null };
      expect(again(KINDS.journal, dumpDocument(facts))).toEqual(facts);
    }));
  });

  test("dump checks nothing, and leaves what no schema knows", () => {
    expect(dump(whole(), "x")).toBe("x");
    expect(dump(KINDS.tombstone, { other: HASH })).toEqual({ other: HASH });
  });
});
