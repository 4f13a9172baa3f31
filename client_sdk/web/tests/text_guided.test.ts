// Questions and the whole text: nothing is lost between the two.
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { answersIn, cut, withAnswer } from "../src/app/text/guided.js";

const ASKED = ["Que s’est-il passé ?", "Quand ?", "Où ?"];
const lines = fc.oneof(fc.constantFrom(...ASKED, "", "", " Quand ?", "Quand ? ", "Il a crié."), fc.string({ maxLength: 12 }).map((line) => line.replace(/\n/g, "")));
const texts = fc.array(lines, { maxLength: 12 }).map((all) => all.join("\n"));
const answers = fc.array(fc.oneof(fc.constantFrom("", "Oui.", " "), fc.string({ maxLength: 12 })), { maxLength: 4 })
  .map((all) => all.join("\n")).filter((answer) => !answer.split("\n").some((line) => ASKED.includes(line)));
const question = fc.constantFrom(...ASKED);

describe("a text", () => {
  test("that is cut is the text again", () => fc.assert(fc.property(texts, (text) => {
    expect(cut(text, ASKED).map(({ head, body }) => head + body).join("")).toBe(text);
  })));

  test("has the answer that was given, letter by letter", () => fc.assert(fc.property(texts, question, answers, (text, asked, answer) => {
    const sections = cut(text, ASKED).filter((section) => section.question === asked).length;
    const found = answersIn(withAnswer(text, ASKED, asked, answer), ASKED).get(asked);
    if (answer !== "") expect(found).toBe(answer);
    else if (sections < 2) expect(found).toBeUndefined();
  })));

  test("keeps every other answer, and what is no answer", () => fc.assert(fc.property(texts, question, answers, (text, asked, answer) => {
    const sections = (whole: string): (readonly [string | null, string])[] =>
      cut(whole, ASKED).map((section) => [section.question, section.body.replace(/\n+$/, "")] as const);
    const without = (whole: (readonly [string | null, string])[]): (readonly [string | null, string])[] => {
      const first = whole.findIndex(([one]) => one === asked);
      return whole.filter((_, place) => place !== first);
    };
    const after = sections(withAnswer(text, ASKED, asked, answer));
    expect(answer === "" ? after : without(after)).toEqual(without(sections(text)));
  })));

  test("that is typed letter by letter into one answer is what was typed", () => fc.assert(fc.property(texts, question, answers, (text, asked, answer) => {
    let whole = withAnswer(text, ASKED, asked, "");
    if (answersIn(whole, ASKED).has(asked)) return; // asked twice: the second one takes its place
    for (let end = 1; end <= answer.length; end += 1) {
      const before = answersIn(whole, ASKED).get(asked) ?? "";
      expect(before).toBe(answer.slice(0, end - 1));
      whole = withAnswer(whole, ASKED, asked, answer.slice(0, end));
    }
    if (answer !== "") expect(answersIn(whole, ASKED).get(asked)).toBe(answer);
  })));
});

test("answers stand in the order of the questions, under plain headings", () => {
  let text = withAnswer("D’abord ceci.", ASKED, "Où ?", "À la maison.");
  text = withAnswer(text, ASKED, "Que s’est-il passé ?", "Il a crié.\n\nLongtemps.");
  expect(text).toBe("D’abord ceci.\n\nQue s’est-il passé ?\nIl a crié.\n\nLongtemps.\n\nOù ?\nÀ la maison.");
  expect(withAnswer(text, ASKED, "Où ?", "")).toBe("D’abord ceci.\n\nQue s’est-il passé ?\nIl a crié.\n\nLongtemps.");
});
