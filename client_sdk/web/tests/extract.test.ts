// A part of an item: what was cut from it is in nothing that is made of it, in TypeScript as in Python.
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";

import { CUT, FACTS, findAgain, redact, redactText, stillStands, type Cut, type Fact } from "../src/sdk/extract.js";
import { ValueRefused } from "../src/sdk/errors.js";
import type { Content, Item } from "../src/sdk/items.js";
import { sampleId, sampleItem } from "./samples.js";

interface Cutting {
  readonly text: string;
  readonly cuts: readonly Cut[];
  readonly redacted: string;
  readonly again: readonly Cut[];
}

const SHARED = JSON.parse(
  readFileSync(resolve(import.meta.dirname, "../../../tests/vectors/redactions.json"), "utf-8"),
) as readonly Cutting[];
const content = (n: number): Content => {
  const hash = new Uint8Array(32).fill(n);
  return { blob: `blob${n}`, key: hash, sealed: hash, sha256: hash, name: `file ${n}`, mime: "image/jpeg", size: n };
};
const item = (given: Partial<Item>): Item => sampleItem(1, given as object) as Item;
const WHOLE = item({
  text: "Otto stood there, otto and all.", title: "About Otto", people: ["Otto"], place: "home", danger: 7, written: 9,
  contents: [content(1), content(2), content(3)],
});

describe("a text", () => {
  test.each(SHARED)("is cut as Python cuts it: $text", ({ text, cuts, redacted, again }) => {
    expect(redactText(text, cuts)).toBe(redacted);
    expect(findAgain(text, cuts)).toEqual(again);
  });

  test("keeps nothing of what was cut, and all of the rest", () => {
    const secret = fc.string({ unit: fc.constantFrom("Ω", "Ж"), minLength: 1, maxLength: 5 });
    const shown = fc.string({ unit: "grapheme", maxLength: 8 }).filter((text) => !/[ΩЖ[…\]]/u.test(text));
    fc.assert(fc.property(fc.array(fc.tuple(shown, secret), { maxLength: 8 }), (parts) => {
      let text = "";
      const cuts = parts.map(([said, cut]): Cut => {
        const start = Array.from(text + said).length;
        text += said + cut;
        return [start, start + cut.length];
      });
      const redacted = redactText(text, cuts);
      expect(redacted).not.toMatch(/[ΩЖ]/u);
      const bare = (words: string): string => words.replaceAll(/[ \t\n\u00a0\u202f[…\]]/gu, "");
      expect(bare(redacted)).toBe(bare(parts.map(([said]) => said).join("")));
    }));
  });

  test.each<Cut>([[-1, 2], [0, 6], [3, 3], [4, 2]])("is not cut outside of itself: %i to %i", (...cut) => {
    expect(() => redactText("Otto!", [cut])).toThrow(ValueRefused);
  });
});

describe("a part", () => {
  test("says what was kept, in its order, with a covered picture in the place of the first", () => {
    const covered = { ...content(9), name: "picture-1.jpg" };
    const facts = ["place", "danger"] as const;
    const part = redact(WHOLE, { cuts: [[0, 4]], facts, files: ["blob3"] }, new Map([["blob1", covered]]));
    expect(part.contents.map(({ blob }) => blob)).toEqual(["blob9", "blob3"]);
    expect(part).toMatchObject({ of: { item: sampleId(1), revision: 1 }, masked: ["blob9"] });
    expect(part.draft).toEqual({
      text: `${CUT} stood there, otto and all.`, title: "", happened: null, written: 9, place: "home", people: [],
      tags: [], danger: 7, mood: null, category: null,
    });
  });

  test.each<readonly [string, Partial<Item>, readonly Cut[], readonly Fact[], readonly string[]]>([
    ["all of it", {}, [], FACTS, ["blob1", "blob2", "blob3"]], ["nothing", {}, [[0, 31]], [], []],
    ["a file of another", {}, [[0, 4]], [], ["blob4"]], ["what is made of a part", { kind: "extract" }, [[0, 4]], [], []],
    ["what is closed", { state: "locked" }, [[0, 4]], [], []],
  ])("is never %s", (_, changed, cuts, facts, files) => {
    expect(() => redact({ ...WHOLE, ...changed }, { cuts, facts, files })).toThrow(ValueRefused);
  });

  test("is told where the words that were cut stand all the same", () => {
    const cuts: readonly Cut[] = [[0, 4]];
    const named = { ...content(4), name: "mit-otto.jpg" };
    const one = { ...WHOLE, contents: [named] };
    expect(stillStands(one, { cuts, facts: FACTS, files: ["blob4"] })).toEqual(["text", "title", "people", "files"]);
    expect(stillStands(one, { cuts: [[0, 4], [18, 22]], facts: ["place"], files: [] })).toEqual([]);
  });
});
