// A text in words and sentences, each with its place. Knows: spaces, and what ends a sentence.
// Refuses to know: any language's grammar; a sentence that is taken for two is marked twice.

/** What can be marked: from the start of `start` to `stop`, in code points, with the spaces after it in `gap`. */
export interface Piece {
  readonly start: number;
  readonly stop: number;
  readonly text: string;
  readonly gap: string;
}

/** A sentence: which words it is made of, [first, after). */
export type Sentence = readonly [first: number, after: number];

const WORD = /(\S+)(\s*)/gu;
const END = /[.!?…。！？]["'»”’)\]]*$/u;

export function wordsIn(text: string): readonly Piece[] {
  const words: Piece[] = [];
  let at = lengthOf(/^\s*/u.exec(text)?.[0] ?? "");
  for (const [, word = "", gap = ""] of text.matchAll(WORD)) {
    const stop = at + lengthOf(word);
    words.push({ start: at, stop, text: word, gap });
    at = stop + lengthOf(gap);
  }
  return words;
}

/** A line ends a sentence, too. « ? », apart as in French, belongs to what is before it. */
export function sentencesIn(words: readonly Piece[]): readonly Sentence[] {
  const sentences: Sentence[] = [];
  let first = 0;
  words.forEach(({ text, gap }, place) => {
    const next = words[place + 1]?.text ?? "";
    if (gap.includes("\n") || next === "" || (END.test(text) && !/^[\p{P}]+$/u.test(next))) {
      sentences.push([first, place + 1]);
      first = place + 1;
    }
  });
  return sentences;
}

/** [from, to), in code points. */
export type Passage = readonly [from: number, to: number];

/** The words that are marked, as passages of the text. */
export function passagesOf(words: readonly Piece[], marked: ReadonlySet<number>): readonly Passage[] {
  const passages: [number, number][] = [];
  words.forEach(({ start, stop }, place) => {
    if (!marked.has(place)) return;
    const last = passages.at(-1);
    if (last !== undefined && marked.has(place - 1)) last[1] = stop;
    else passages.push([start, stop]);
  });
  return passages;
}

/** The words that a passage touches. */
export function wordsAt(words: readonly Piece[], [from, to]: Passage): readonly number[] {
  return words.flatMap(({ start, stop }, place) => (start < to && from < stop ? [place] : []));
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
