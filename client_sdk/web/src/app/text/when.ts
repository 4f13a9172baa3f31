// When something was, in words, and where it stands among the rest. Knows: the time of the facts before the time of
// writing, and both before the time of deposit. Refuses to know: the zone in which a time was typed: a clock on the
// wall is shown as it was typed, wherever it is read.

import { formatHappened } from "../../sdk/happened.js";
import type { Happened } from "../../sdk/items.js";
import { dates, together } from "../i18n.js";
import { type Day, dayAt, daysIn, timeOf } from "./calendar.js";

interface Dated {
  readonly happened: Happened | null;
  readonly written: number | null;
  readonly deposited: number;
}

/** The Unix second by which an item is put in order; before 1970 it is negative. */
export function secondOf(item: Dated): number {
  const { happened } = item;
  if (happened && happened.from !== null) return happened.from;
  const old = happened && spelling(happened);
  return old ? timeOf(`${old.slice(0, 10)}-01-01`.slice(0, 10)) / 1000 : item.written ?? item.deposited;
}

/** The day, month or year of an item: "2026-03-01", "2026-03" or "2026". Where only words say when, the day of
 * writing. */
export function spanOf(item: Dated): string {
  const spelled = item.happened && spelling(item.happened);
  return spelled ? spelled.slice(0, 10) : dayAt(item.written ?? item.deposited);
}

/** The time of the facts as a person would say it; words as they were typed. */
export function spellHappened(happened: Happened): string {
  const text = spelling(happened);
  if (text === null) return happened.words;
  const day = `${text}-01-01`.slice(0, 10);
  const clock = text.length > 10 ? Number(text.slice(11, 13)) * 60 + Number(text.slice(14, 16)) : 0;
  return together(format(STYLES[text.length] as Intl.DateTimeFormatOptions), timeOf(day) + clock * 60_000);
}

/** A month as a heading: "mars 2026". `span` begins with its year and month; a year alone is itself. */
export function spellMonth(span: string): string {
  return span.length < 7 ? span : format({ month: "long", year: "numeric" }).format(timeOf(`${span.slice(0, 7)}-01`));
}

/** A day in full, as it is read aloud: "dimanche 1 mars 2026". The number is that of its square, or who speaks to the page names
 * another. */
export function spellDay(day: Day): string {
  return format({ dateStyle: "full" }).format(timeOf(day));
}

/** The seven days, Monday first: short for the eye, long for the ear. */
export function spellWeekdays(): readonly (readonly [string, string])[] {
  const monday = timeOf("2024-01-01");
  return Array.from({ length: 7 }, (_, count) => {
    const time = monday + count * 86_400_000;
    return [format({ weekday: "short" }).format(time), format({ weekday: "long" }).format(time)] as const;
  });
}

/** The twelve months' names. */
export function spellMonths(): readonly string[] {
  const name = format({ month: "long" });
  return Array.from({ length: 12 }, (_, month) => name.format(Date.UTC(2024, month, 1)));
}

/** By the length of what was typed: year, month, day, minute. */
const STYLES: Readonly<Record<number, Intl.DateTimeFormatOptions>> = {
  4: { year: "numeric" },
  7: { month: "long", year: "numeric" },
  10: { dateStyle: "long" },
  16: { dateStyle: "long", timeStyle: "short" },
};
const SPELLED = /^\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(\d{2})(?:T(?:[01]\d|2[0-3]):[0-5]\d)?)?)?$/;

/** "2026-03-01" and its like; null for words. A time before 1970, which a record can't bound, is words there. */
function spelling(happened: Happened): string | null {
  const text = happened.precision === "words" ? happened.words : formatted(happened);
  const found = SPELLED.exec(text);
  const day = Number(found?.[1] ?? 1);
  return found && text >= "0001" && day > 0 && day <= daysIn(`${text}-01-01`.slice(0, 10)) ? text : null;
}

function formatted(happened: Happened): string {
  return SPELLED.test(happened.words) ? happened.words : formatHappened(happened);
}

/** A format for times that are squares on paper: never moved by a zone. */
function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return dates({ ...options, timeZone: "UTC" });
}
