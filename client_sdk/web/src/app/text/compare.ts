// What changed between two texts, word by word. Knows: jsdiff, and when a text is too different to be told word by
// word. Refuses to know: which of them is right.

import { diffLines, diffWordsWithSpace } from "diff";

export interface Change {
  readonly kind: "same" | "added" | "removed";
  readonly text: string;
}

/** Beyond this many changed words, lines are compared; beyond as many lines, the texts stand whole. */
const MOST_EDITS = 1500;

/** The pieces of both texts in order: what is `same` or `removed` makes the older, `same` or `added` the newer. */
export function compareTexts(older: string, newer: string): readonly Change[] {
  const limit = { maxEditLength: MOST_EDITS };
  const found = diffWordsWithSpace(older, newer, limit) ?? diffLines(older, newer, limit) ??
    [{ value: older, removed: true, added: false }, { value: newer, removed: false, added: true }];
  return found.filter(({ value }) => value !== "").map(({ value, added, removed }) =>
    ({ kind: added ? "added" : removed ? "removed" : "same", text: value }));
}
