// Looking for words: accents and capitals don't matter, and a found word is shown where it stands.
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { excerpt, findWords, fold, hasAll, wordsOf } from "../src/app/text/fold.js";
import { ANY_SIGN } from "./signs.js";

test.each([
  ["Été", "ete"], ["CŒUR", "coeur"], ["l’école", "l'ecole"], ["Straße", "strasse"], ["ﬁn", "fin"], ["Ça  va", "ca  va"],
  ["ΟΔΥΣΣΕΥΣ", "οδυσσευσ"], ["İstanbul", "istanbul"], ["a\u00a0b\nc", "a b c"], ["e\u0301", "e"], ["한글", "한글".normalize("NFKD")],
])("%j folds to %j", (text, folded) => expect(fold(text)).toBe(folded));

const texts = fc.oneof(
  fc.string({ unit: ANY_SIGN, maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(..."aAéÉœŒßẞſςΣİıﬁ’' \n\u00a0\u0301🙂Çñ한"), maxLength: 60 }),
);

describe("folding", () => {
  test("twice is once", () => fc.assert(fc.property(texts, (text) => {
    expect(fold(fold(text))).toBe(fold(text));
  })));

  test("letter by letter is the same as at once", () => fc.assert(fc.property(texts, (text) => {
    expect([...text].map(fold).join("")).toBe(fold(text));
  })));

  test("accents and their spelling don't matter", () => fc.assert(fc.property(texts, (text) => {
    expect(fold(text.normalize("NFD"))).toBe(fold(text.normalize("NFC")));
  })));

  test("a text is found by every word of it, however it is spelled", () => fc.assert(fc.property(texts, (text) => {
    expect(hasAll(fold(text), wordsOf(text))).toBe(true);
    expect(hasAll(fold(text), wordsOf(text.normalize("NFD").toLowerCase()))).toBe(true);
  })));
});

describe("places", () => {
  test("are of the text as it was written, in order, apart, and hold the word", () => {
    fc.assert(fc.property(texts, texts, (before, word) => {
      const words = wordsOf(word);
      const text = `${before} ${word}`;
      let last = -1;
      for (const [from, to] of findWords(text, words)) {
        expect(from).toBeGreaterThan(last);
        expect(to).toBeGreaterThan(from);
        expect(words.some((one) => fold(text.slice(from, to)).includes(one))).toBe(true);
        last = to;
      }
    }));
  });

  test("the pieces of an excerpt are the text, one after the other", () => {
    fc.assert(fc.property(texts, fc.array(texts, { maxLength: 2 }), (text, words) => {
      const pieces = excerpt(text, words.flatMap(wordsOf), 40).map((piece) => piece.text);
      expect(text).toContain(pieces.join("").replace(/^… /, "").replace(/ …$/, ""));
    }));
  });

  test("an excerpt shows the word far inside, with what is around it", () => {
    const text = `${"Rien de spécial ce jour-là. ".repeat(30)}Puis il a fermé la Clé à double tour. ${"Et après. ".repeat(30)}`;
    const pieces = excerpt(text, wordsOf("cle"));
    expect(pieces.find(({ found }) => found)?.text).toBe("Clé");
    expect(pieces.map((piece) => piece.text).join("")).toContain("fermé la Clé à double tour");
    expect(pieces[0]?.text).toBe("… ");
  });
});
