// When it was, in words and in order: what was typed is shown as typed, in whatever zone it is read.
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";

import { speakWords } from "../src/app/i18n.js";
import { compareTexts } from "../src/app/text/compare.js";
import { byMonth, isWanted, newestFirst } from "../src/app/text/order.js";
import { secondOf, spanOf, spellHappened } from "../src/app/text/when.js";
import {
  changesFrom, draftIn, EMPTY_FIELDS, type Fields, fieldsOf, happenedIn, isEmpty, listIn, typedTime,
} from "../src/app/views/journal/form.js";
import { parseHappened } from "../src/sdk/happened.js";
import { sampleItem } from "./samples.js";

beforeEach(() => speakWords("fr", { parts: { first: "1er" } }));

describe("the time of the facts", () => {
  test.each([
    ["2026-03-03T21:30", "3 mars 2026 à\u00a021:30"], ["2026-03-03", "3 mars 2026"], ["2026-03-01", "1er mars 2026"],
    ["2026-03-01T01:01", "1er mars 2026 à\u00a001:01"], ["2026-03-21", "21 mars 2026"], ["2026-03", "mars 2026"], ["2026", "2026"],
    ["au printemps 2019, le soir", "au printemps 2019, le soir"], ["1965-05-03", "3 mai 1965"], ["1965", "1965"], ["2026-02-30", "2026-02-30"],
    ["21:30", "21:30"], ["0000", "0000"], ["2026-13", "2026-13"],
  ])("%s is said as %s", (typed, said) => expect(spellHappened(parseHappened(typed))).toBe(said));

  test("is the clock on the wall where it was typed, read anywhere", () => {
    for (const zone of ["Pacific/Apia", "America/St_Johns", "Europe/Paris"]) {
      expect(spellHappened(parseHappened("2026-03-03T00:10", zone))).toBe("3 mars 2026 à\u00a000:10");
      expect(spanOf(sampleItem(1, { happened: parseHappened("2026-03-03T00:10", zone) }))).toBe("2026-03-03");
    }
  });

  test("goes before the time of writing, also before 1970; words are put where they were written", () => {
    const of = (typed: string, written: number): number => secondOf(sampleItem(1, { happened: parseHappened(typed), written }));
    expect(of("2019", 5)).toBeGreaterThan(1_500_000_000);
    expect(of("1965-05-03", 5)).toBeLessThan(0);
    expect(of("le soir", 5)).toBe(5);
  });
});

describe("order", () => {
  const items = fc.array(fc.record({
    typed: fc.constantFrom("", "2019", "2020-02", "2020-02-03", "2020-02-03T10:00", "au printemps", "1965-01-01"), written: fc.integer({ min: 1, max: 2_000_000_000 }),
  }), { maxLength: 40 }).map((all) => all.map(({ typed, written }, n) =>
    sampleItem(n, { happened: typed ? parseHappened(typed) : null, written, deposited: written })));

  test("newest first, nothing lost, and months hold everything in that order", () => fc.assert(fc.property(items, (all) => {
    const sorted = newestFirst(all);
    expect(new Set(sorted)).toEqual(new Set(all));
    expect(sorted).toHaveLength(all.length);
    sorted.slice(1).forEach((item, place) => expect(secondOf(item)).toBeLessThanOrEqual(secondOf(sorted[place]!)));
    expect(byMonth(sorted).flatMap((month) => month.items)).toEqual(sorted);
  })));

  test("what is locked is found by no word and by no tag", () => {
    const locked = sampleItem(1, { state: "locked", sensitive: true, title: null, text: null });
    const none = { words: [], tag: null, danger: null, sensitive: null };
    expect(isWanted(locked, none)).toBe(true);
    expect(isWanted(locked, { ...none, words: ["a"] })).toBe(false);
    expect(isWanted(locked, { ...none, danger: 1 })).toBe(false);
    expect(isWanted(locked, { ...none, sensitive: true })).toBe(true);
  });
});

describe("fields", () => {
  const words = fc.string({ maxLength: 20 });
  const list = fc.array(words.map((name) => name.replace(/[,;\n]/g, "").trim()).filter((name) => name !== ""), { maxLength: 4 });
  const fields: fc.Arbitrary<Fields> = fc.record({
    title: words.map((title) => title.trim()), text: words, place: words.map((place) => place.trim()), mood: words.map((mood) => mood.trim()),
    people: list.map((names) => [...new Set(names)].join(", ")), tags: list.map((names) => [...new Set(names)].join(", ")),
    danger: fc.option(fc.integer({ min: 0, max: 10 })), sensitive: fc.boolean(),
    when: fc.constantFrom("none", "day", "month", "year", "words"), date: fc.constantFrom("", "2026-03-03", "1965-01-01"),
    time: fc.constantFrom("", "21:30"), month: fc.constantFrom("", "02"), year: fc.constantFrom("", "2019", "19", "2019 "), words,
  });

  test("a draft that was kept fills the fields with all that was typed", () => fc.assert(fc.property(fields, (typed) => {
    const draft = draftIn(typed);
    const again = fieldsOf(draft, typed.sensitive);
    for (const name of ["title", "text", "place", "mood", "people", "tags", "danger", "sensitive"] as const) expect(again[name]).toEqual(typed[name]);
    const time = typedTime(typed);
    expect(typedTime(again)).toBe(time.trim() === "" ? "" : time);
    expect(draftIn(again)).toEqual(draft);
  })));

  test("nothing typed is empty, anything typed is not", () => {
    expect(isEmpty(EMPTY_FIELDS)).toBe(true);
    for (const part of [{ text: "a" }, { title: "a" }, { danger: 0 }, { mood: "a" }, { when: "words", words: "hier" }] as const) {
      expect(isEmpty({ ...EMPTY_FIELDS, ...part })).toBe(false);
    }
  });

  test("an edit sends what differs; a time that stays keeps its span in another zone", () => {
    const before = { ...draftIn({ ...EMPTY_FIELDS, text: "a" }), happened: parseHappened("2026-03-03T10:00", "Pacific/Apia") };
    const after = draftIn({ ...fieldsOf(before, false), text: "b" });
    expect(after.happened).not.toEqual(before.happened);
    expect(changesFrom(before, after)).toEqual({ text: "b" });
    expect(changesFrom(before, { ...after, happened: null })).toEqual({ text: "b", happened: null });
  });

  test("a time without a day, and a month without a year, stay as words", () => {
    expect(happenedIn({ ...EMPTY_FIELDS, when: "day", time: "21:30" })).toMatchObject({ precision: "words", words: "21:30" });
    expect(happenedIn({ ...EMPTY_FIELDS, when: "month", month: "02" })).toMatchObject({ precision: "words", words: "02" });
    expect(listIn(" Anna,, Nadia ;Anna\n")).toEqual(["Anna", "Nadia"]);
  });
});

describe("comparing", () => {
  const texts = fc.array(fc.constantFrom("Il", " ", "a", "crié", ".", "\n", "l’eau", "É", "🙂"), { maxLength: 40 }).map((all) => all.join(""));
  test("the pieces are both texts, whole", () => fc.assert(fc.property(texts, texts, (older, newer) => {
    const changes = compareTexts(older, newer);
    expect(changes.filter(({ kind }) => kind !== "added").map(({ text }) => text).join("")).toBe(older);
    expect(changes.filter(({ kind }) => kind !== "removed").map(({ text }) => text).join("")).toBe(newer);
  })));

  test("one word changed is one word told", () => {
    expect(compareTexts("Il a cassé une assiette.", "Il a cassé deux assiettes.").filter(({ kind }) => kind !== "same")).toEqual([
      { kind: "removed", text: "une" }, { kind: "added", text: "deux" }, { kind: "removed", text: "assiette" }, { kind: "added", text: "assiettes" },
    ]);
  });

  test("texts that have nothing in common don't hold the page up", () => {
    const long = (letter: string): string => Array.from({ length: 20_000 }, (_, n) => `${letter}${n}`).join(" ");
    const start = performance.now();
    const changes = compareTexts(long("a"), long("b"));
    expect(performance.now() - start).toBeLessThan(2000);
    expect(changes.filter(({ kind }) => kind !== "added").map(({ text }) => text).join("")).toBe(long("a"));
  });
});
