// What a person types about an entry, as the fields hold it. Knows: how a draft becomes fields, and fields a draft,
// with nothing lost on the way. Refuses to know: where either is kept.

import { parseHappened } from "../../../sdk/happened.js";
import { EMPTY_DRAFT, type Happened } from "../../../sdk/items.js";
import type { Draft, Item } from "../../../worker/api.js";

/** Characters, as schemas/limits.py has them. */
export const LIMITS = {
  title: 500, text: 900_000, place: 500, words: 200, mood: 100, people: 50, person: 200, tags: 50, tag: 100,
};

export type When = "none" | "day" | "month" | "year" | "words";

export interface Fields {
  readonly title: string;
  readonly text: string;
  readonly when: When;
  readonly date: string;
  readonly time: string;
  /** "01" to "12". */
  readonly month: string;
  readonly year: string;
  readonly words: string;
  readonly place: string;
  /** Names with commas between them, as they are typed. */
  readonly people: string;
  readonly tags: string;
  readonly danger: number | null;
  readonly mood: string;
  readonly sensitive: boolean;
}

export const EMPTY_FIELDS: Fields = {
  title: "", text: "", when: "none", date: "", time: "", month: "", year: "", words: "", place: "", people: "",
  tags: "", danger: null, mood: "", sensitive: false,
};

/** What was typed as the time of the facts, in the spelling of `parseHappened`; empty if nothing was. */
export function typedTime(fields: Fields): string {
  const { when, date, time, month, year, words } = fields;
  if (when === "day") return date && time ? `${date}T${time}` : date || time;
  if (when === "month") return year && month ? `${year.trim()}-${month}` : year.trim() || month;
  return when === "year" ? year.trim() : when === "words" ? words : "";
}

export function happenedIn(fields: Fields): Happened | null {
  const typed = typedTime(fields);
  return typed.trim() === "" ? null : parseHappened(typed);
}

export function draftIn(fields: Fields): Draft {
  return {
    ...EMPTY_DRAFT, title: fields.title.trim(), text: fields.text, happened: happenedIn(fields),
    place: fields.place.trim() || null, people: listIn(fields.people), tags: listIn(fields.tags),
    danger: fields.danger, mood: fields.mood.trim() || null,
  };
}

export function fieldsOf(draft: Draft, sensitive: boolean): Fields {
  return {
    ...EMPTY_FIELDS, ...whenOf(draft.happened), title: draft.title, text: draft.text, place: draft.place ?? "",
    people: draft.people.join(", "), tags: draft.tags.join(", "), danger: draft.danger, mood: draft.mood ?? "",
    sensitive,
  };
}

/** What an item says, as the draft of its next version. */
export function draftOf(item: Item): Draft {
  const { title, text, happened, written, place, people, tags, danger, mood, category } = item;
  return { title: title ?? "", text: text ?? "", happened, written, place, people, tags, danger, mood, category };
}

/** Whether there is anything that a person would miss. */
export function isEmpty(fields: Fields): boolean {
  const { text, title, place, people, tags, mood, danger } = fields;
  return danger === null && typedTime(fields).trim() === "" &&
    [text, title, place, people, tags, mood].every((part) => part.trim() === "");
}

/** The field that holds more than a record may, with its limit; null if all fit. */
export function tooLong(fields: Fields): { readonly field: "text" | "people" | "tags"; readonly limit: number } | null {
  if ([...fields.text].length > LIMITS.text) return { field: "text", limit: LIMITS.text };
  const { people, person, tags, tag } = LIMITS;
  if (overfull(fields.people, people, person)) return { field: "people", limit: people };
  return overfull(fields.tags, tags, tag) ? { field: "tags", limit: tags } : null;
}

/** The fields that differ: what an edit sends. A time typed as before keeps its span, whatever zone it is now. */
export function changesFrom(before: Draft, after: Draft): Partial<Draft> {
  const names = ["title", "text", "happened", "place", "people", "tags", "danger", "mood"] as const;
  const said = (draft: Draft, name: (typeof names)[number]): string =>
    JSON.stringify(name === "happened" ? draft.happened?.words ?? null : draft[name]);
  return Object.fromEntries(names.filter((name) => said(before, name) !== said(after, name))
    .map((name) => [name, after[name]]));
}

/** The names between commas, each once. */
export function listIn(typed: string): readonly string[] {
  return [...new Set(typed.split(/[,;\n]/).map((name) => name.trim()).filter((name) => name !== ""))];
}

function overfull(typed: string, count: number, length: number): boolean {
  const names = listIn(typed);
  return names.length > count || names.some((name) => [...name].length > length);
}

function whenOf(happened: Happened | null): Pick<Fields, "when"> & Partial<Fields> {
  if (happened === null) return { when: "none" };
  const found = /^(\d{4})(?:-(\d{2})(?:-\d{2}(?:T(\d{2}:\d{2}))?)?)?$/.exec(happened.words);
  if (!found) return { when: "words", words: happened.words };
  const [date, year = "", month, time] = found;
  if (month === undefined) return { when: "year", year };
  if (date.length === 7) return { when: "month", year, month };
  return { when: "day", date: date.slice(0, 10), time: time ?? "" };
}
