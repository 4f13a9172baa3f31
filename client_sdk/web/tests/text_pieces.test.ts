// A text in words and sentences: each has its place, and nothing of the text is lost.
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { passagesOf, sentencesIn, wordsAt, wordsIn } from "../src/app/text/pieces.js";
import { ANY_SIGN } from "./signs.js";

const spoken = (text: string): string[] => {
  const words = wordsIn(text);
  return sentencesIn(words).map(([first, after]) => words.slice(first, after).map((one) => one.text).join(" "));
};

describe("words and sentences", () => {
  test("are the whole text, each letter once and at its place", () => {
    const signs = fc.constantFrom(" ", "\n", ".", "»", "🙂");
    const spaced = fc.string({ unit: fc.oneof(signs, fc.string({ unit: ANY_SIGN, maxLength: 1 })) });
    fc.assert(fc.property(spaced, (text) => {
      const letters = Array.from(text);
      const words = wordsIn(text);
      const before = /^\s*/u.exec(text)![0];
      expect(before + words.map((one) => one.text + one.gap).join("")).toBe(text);
      for (const one of words) expect(letters.slice(one.start, one.stop).join("")).toBe(one.text);
      const all = sentencesIn(words).flatMap(([first, after]) => words.slice(first, after));
      expect(all).toEqual(words);
    }));
  });

  test.each([
    ["Il a crié. Puis rien !", ["Il a crié.", "Puis rien !"]],
    ["« Toi ? » dit-il. Non…", ["« Toi ? » dit-il.", "Non…"]],
    ["Sans point\nautre ligne", ["Sans point", "autre ligne"]],
    ["他来了。 走了。", ["他来了。", "走了。"]],
    ["", []],
  ])("%s", (text, sentences) => expect(spoken(text)).toEqual(sentences));

  test("that are marked side by side are one passage", () => {
    const words = wordsIn("  un deux 🙂 quatre");
    expect(passagesOf(words, new Set([0, 1, 3]))).toEqual([[2, 9], [12, 18]]);
    expect(wordsAt(words, [4, 11])).toEqual([1, 2]);
  });
});
