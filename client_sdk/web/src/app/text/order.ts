// A person's items in the order of what happened. Knows: newest first, and months. Refuses to know: how they are shown.

import type { Item } from "../../worker/api.js";
import { fold, hasAll } from "./fold.js";
import { secondOf, spanOf } from "./when.js";

/** Newest first by what happened, else by writing; of two at once, the one that was kept last. */
export function newestFirst(items: readonly Item[]): readonly Item[] {
  return items.map((item) => [secondOf(item), item] as const)
    .sort(([one, a], [other, b]) => other - one || b.deposited - a.deposited || (a.id < b.id ? -1 : 1))
    .map(([, item]) => item);
}

export interface Month {
  /** "2026-03", or a year alone. */
  readonly month: string;
  readonly items: readonly Item[];
}

/** Neighbours of one month together; a year that names no month is a heading of its own. */
export function byMonth(items: readonly Item[]): readonly Month[] {
  const months: { month: string; items: Item[] }[] = [];
  for (const item of items) {
    const month = spanOf(item).slice(0, 7);
    const last = months.at(-1);
    if (last?.month === month) last.items.push(item);
    else months.push({ month, items: [item] });
  }
  return months;
}

export interface Wanted {
  /** Folded words, all of which have to be there. */
  readonly words: readonly string[];
  readonly tag: string | null;
  /** The least feeling of danger, null for any or none. */
  readonly danger: number | null;
  readonly sensitive: boolean | null;
}

/** Whether an item is what is looked for. What is locked is never found by words, nor by what only its text says. */
export function isWanted(item: Item, wanted: Wanted): boolean {
  if (wanted.sensitive !== null && item.sensitive !== wanted.sensitive) return false;
  if (wanted.tag !== null && !item.tags.includes(wanted.tag)) return false;
  if (wanted.danger !== null && (item.danger === null || item.danger < wanted.danger)) return false;
  return wanted.words.length === 0 || hasAll(foldedOf(item), wanted.words);
}

/** Tags and how often each is used, the most used first. */
export function tagsOf(items: readonly Item[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const tag of items.flatMap((item) => item.tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].sort(([a, one], [b, other]) => other - one || a.localeCompare(b)).map(([tag]) => tag);
}

/** Folded once per item; gone with the item. */
const foldedItems = new WeakMap<Item, string>();

function foldedOf(item: Item): string {
  let folded = foldedItems.get(item);
  if (folded === undefined) {
    folded = fold(searchable(item).join("\n"));
    foldedItems.set(item, folded);
  }
  return folded;
}

function searchable(item: Item): readonly string[] {
  const { title, text, sent, place, people, tags, mood, happened, contents } = item;
  return [title, text, sent?.name ?? null, sent?.message ?? null, place, ...people, ...tags, mood, happened?.words ?? null, ...contents.map(({ name }) => name)]
    .filter((part): part is string => part !== null && part !== "");
}
