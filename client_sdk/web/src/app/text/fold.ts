// Text as it is looked for: without accents, capitals, or kinds of apostrophes and spaces.
// Knows: how letters fold, and where in the text a found word stands. Refuses to know: whose text it is.
//
// Folding goes letter by letter, so that a place in the folded text has one place in the text as it was written.

const PLAIN: Readonly<Record<string, string>> = {
  "œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "ς": "σ", "’": "'", "‘": "'", "ʼ": "'",
  "‐": "-", "‑": "-", "–": "-", "—": "-", "«": "\"", "»": "\"", "“": "\"", "”": "\"",
};
const SPECIAL = new RegExp(`[${Object.keys(PLAIN).join("")}]`, "gu");

/** The text without accents and capitals: "Cœur d’Été" is "coeur d'ete". Folding twice changes nothing more. */
export function fold(text: string): string {
  const bare = text.normalize("NFKD").toLowerCase().normalize("NFKD");
  return bare.replace(/\p{M}+/gu, "").replace(SPECIAL, (letter) => PLAIN[letter] ?? letter).replace(/\s/gu, " ");
}

/** The words that are looked for, folded; none for blanks alone. */
export function wordsOf(query: string): readonly string[] {
  return fold(query).split(" ").filter((word) => word !== "");
}

/** Whether a folded text has every word somewhere in it, also as the beginning or the middle of another. */
export function hasAll(folded: string, words: readonly string[]): boolean {
  return words.every((word) => folded.includes(word));
}

/** Where words stand in a text as it was written: half-open ranges in order, none touching another. */
export function findWords(text: string, words: readonly string[]): readonly (readonly [number, number])[] {
  if (words.length === 0) return [];
  const { folded, starts } = foldWithPlaces(text);
  const found: [number, number][] = [];
  for (const word of words) {
    for (let at = folded.indexOf(word); at >= 0 && word !== ""; at = folded.indexOf(word, at + word.length)) {
      found.push([starts[at] as number, starts[at + word.length] as number]);
    }
  }
  found.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  const joined: [number, number][] = [];
  for (const range of found) {
    const last = joined.at(-1);
    if (last && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
    else joined.push([...range]);
  }
  return joined;
}

export interface Piece {
  readonly text: string;
  readonly found: boolean;
}

/** A stretch of the text around the first word that is found, in pieces; its beginning if none is. */
export function excerpt(text: string, words: readonly string[], length = 160): readonly Piece[] {
  const ranges = findWords(text, words);
  const first = ranges[0]?.[0] ?? 0;
  const start = first < length / 2 ? 0 : wordBorder(text, first - Math.floor(length / 4));
  const stop = Math.min(text.length, start + length);
  const pieces: Piece[] = [];
  let at = start;
  for (const [from, to] of ranges) {
    if (from < at || to > stop) continue;
    pieces.push({ text: text.slice(at, from), found: false }, { text: text.slice(from, to), found: true });
    at = to;
  }
  pieces.push({ text: text.slice(at, stop), found: false });
  const shown = pieces.filter((piece) => piece.text !== "");
  return [...(start > 0 ? [{ text: "… ", found: false }] : []), ...shown,
    ...(stop < text.length ? [{ text: " …", found: false }] : [])];
}

/** Letters that were folded before: an alphabet or two, whatever the text. */
const letters = new Map<string, string>();

function foldLetter(letter: string): string {
  let plain = letters.get(letter);
  if (plain === undefined) letters.set(letter, plain = fold(letter));
  return plain;
}

function wordBorder(text: string, near: number): number {
  const space = text.slice(0, near).search(/\s\S*$/u);
  return space < 0 || near - space > 40 ? near : space + 1;
}

/** The folded text, and for each of its units (and for its end) the place in the text that it comes from. */
function foldWithPlaces(text: string): { readonly folded: string; readonly starts: readonly number[] } {
  let folded = "";
  const starts: number[] = [];
  let at = 0;
  for (const letter of text) {
    const plain = foldLetter(letter);
    for (let unit = 0; unit < plain.length; unit += 1) starts.push(at);
    folded += plain;
    at += letter.length;
  }
  starts.push(text.length);
  return { folded, starts };
}
