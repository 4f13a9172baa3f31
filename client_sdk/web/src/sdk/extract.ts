// A part of an item, to be shared: what its owner left out is nowhere in it.
// Knows: which words, facts and files of an item a part keeps, and that a cut is seen. Refuses to know: seals, how a
// picture is covered, and how a part is sent. What was cut is remembered by nothing that is made here.

import { ValueRefused } from "./errors.js";
import { EMPTY_DRAFT, NOT_READ, type Content, type Draft, type Id, type Item } from "./items.js";

/** What stands for a passage that was cut, however long it was. */
export const CUT = "[…]";
/** What is said of an item beside its text, each kept or left out as a whole. */
export const FACTS = ["title", "happened", "place", "people", "tags", "danger", "mood", "category"] as const;
export type Fact = (typeof FACTS)[number];

const GAP = /^[ \t\n\u00a0\u202f]*$/;
const LETTER = /^[\p{L}\p{N}]/u;
/** Letters from which a passage that was cut is looked for elsewhere: shorter ones stand everywhere. */
const LEAST = 3;

/** A passage of a text, [start, stop), counted in code points. */
export type Cut = readonly [start: number, stop: number];

/** What a part keeps. All that is not named is left out, but for the text: of that, `cuts` are left out. */
export interface Redaction {
  readonly cuts: readonly Cut[];
  readonly facts: readonly Fact[];
  /** Files that are kept as they are, by their blobs. */
  readonly files: readonly Id[];
}

/** A part of an item: what its record says. `of`: which item and revision it was made from; `masked`: those of its
 * contents that are no originals. */
export interface Extract {
  readonly draft: Draft;
  readonly contents: readonly Content[];
  readonly of: { readonly item: Id; readonly revision: number };
  readonly masked: readonly Id[];
}

/** What an item has that a part can keep: an item as it was opened, or as a page has it. */
export type Redactable = Omit<Item, "contents" | "sent"> & {
  readonly contents: readonly Pick<Content, "blob" | "name">[];
};

/** The part of an open item. Its time of writing stays; what kind of thing it was, and somebody else's words, don't.
 *
 * `covered`: by the blob of a picture, the content that stands in its place. Throws ValueRefused for an extract, for a
 * cut, fact or file that the item hasn't, where nothing is left out, and where nothing is left. */
export function redact(item: Item, redaction: Redaction, covered: ReadonlyMap<Id, Content> = new Map()): Extract {
  if (item.state !== "open" || item.kind === "extract" || NOT_READ.includes(item.kind)) {
    throw new ValueRefused("nothing that a part can be made of");
  }
  const blobs = item.contents.map(({ blob }) => blob);
  const named = [...redaction.files, ...covered.keys()].every((blob) => blobs.includes(blob));
  if (!named || !redaction.facts.every((name) => FACTS.includes(name))) {
    throw new ValueRefused("what is to be kept is not there");
  }
  const text = redactText(item.text ?? "", redaction.cuts);
  const said = FACTS.filter((name) => isSaid(item[name]));
  const kept = said.filter((name) => redaction.facts.includes(name));
  const contents = item.contents.flatMap((content) =>
    covered.get(content.blob) ?? (redaction.files.includes(content.blob) ? content : []));
  const isWhole = contents.length === item.contents.length && covered.size === 0 && item.sent === null;
  if (text === item.text && kept.length === said.length && isWhole) throw new ValueRefused("nothing is left out");
  if ((text === CUT || GAP.test(text)) && kept.length === 0 && contents.length === 0) {
    throw new ValueRefused("nothing is left");
  }
  const facts = Object.fromEntries(kept.map((name) => [name, item[name]])) as Partial<Draft>;
  const masked = [...covered.values()].map(({ blob }) => blob);
  const of = { item: item.id, revision: item.revision };
  return { draft: { ...EMPTY_DRAFT, ...facts, text, written: item.written }, contents, of, masked };
}

/** A text with CUT for each passage that is cut; those that touch, or have only spaces between them, are one.
 *
 * Throws ValueRefused for one outside of the text. */
export function redactText(text: string, cuts: readonly Cut[]): string {
  const letters = Array.from(text);
  const pieces: string[] = [];
  let after = 0;
  for (const [start, stop] of joined(letters, cuts)) {
    pieces.push(...letters.slice(after, start), CUT);
    after = stop;
  }
  return [...pieces, ...letters.slice(after)].join("");
}

/** Where a passage that is cut from a text stands once more, in capitals or not: uncut in that text, or `within` another
 * one. Whole words are compared, three letters at least. */
export function findAgain(text: string, cuts: readonly Cut[], within: string | null = null): readonly Cut[] {
  const own = Array.from(text);
  const gone = joined(own, cuts);
  const passages = new Map(gone.map(([start, stop]) => {
    const passage = lowered(bare(own.slice(start, stop)));
    return [passage.join(""), passage] as const;
  }));
  const letters = lowered(within === null ? own : Array.from(within));
  const found: Cut[] = [];
  for (const passage of passages.values()) {
    for (let start = 0; passage.length >= LEAST && start + passage.length <= letters.length; start += 1) {
      if (stands(letters, start, passage)) found.push([start, start + passage.length]);
    }
  }
  const isGone = (one: Cut): boolean => within === null && gone.some((cut) => one[0] < cut[1] && cut[0] < one[1]);
  return found.filter((one) => !isGone(one)).sort((one, other) => one[0] - other[0] || one[1] - other[1]);
}

/** Where words that are cut from the text are kept all the same: `text`, `files` (their names), or one of FACTS. */
export function stillStands(item: Redactable, { cuts, facts, files }: Redaction): readonly (Fact | "text" | "files")[] {
  const text = item.text ?? "";
  const words = {
    title: item.title, happened: item.happened?.words ?? null, place: item.place, people: item.people.join("\n"),
    tags: item.tags.join("\n"), danger: null, mood: item.mood, category: item.category,
  };
  const kept = FACTS.filter((name) => facts.includes(name)).map((name) => [name, words[name] ?? ""] as const);
  const names = item.contents.filter(({ blob }) => files.includes(blob)).map(({ name }) => name).join("\n");
  const places = [["text", null] as const, ...kept, ["files", names] as const];
  return places.filter(([, said]) => findAgain(text, cuts, said).length > 0).map(([name]) => name);
}

/** Whether anything is said there. */
export function isSaid(value: Item[Fact]): boolean {
  return value !== null && value !== "" && !(Array.isArray(value) && value.length === 0);
}

function joined(letters: readonly string[], cuts: readonly Cut[]): readonly Cut[] {
  const found: Cut[] = [];
  for (const [start, stop] of [...cuts].sort((one, other) => one[0] - other[0] || one[1] - other[1])) {
    if (!(start >= 0 && start < stop && stop <= letters.length)) throw new ValueRefused("a cut outside of the text");
    const last = found.at(-1);
    if (last !== undefined && GAP.test(letters.slice(last[1], start).join(""))) {
      found[found.length - 1] = [last[0], Math.max(stop, last[1])];
    } else found.push([start, stop]);
  }
  return found;
}

/** Without what is no letter or digit at its ends. */
function bare(passage: readonly string[]): readonly string[] {
  const first = passage.findIndex((letter) => LETTER.test(letter));
  return first < 0 ? [] : passage.slice(first, passage.findLastIndex((letter) => LETTER.test(letter)) + 1);
}

/** Letter by letter, so that places stay what they are. */
function lowered(letters: readonly string[]): readonly string[] {
  return letters.map((letter) => letter.toLowerCase());
}

function stands(letters: readonly string[], start: number, passage: readonly string[]): boolean {
  return passage.every((letter, place) => letters[start + place] === letter)
    && !LETTER.test(letters[start - 1] ?? "") && !LETTER.test(letters[start + passage.length] ?? "");
}
