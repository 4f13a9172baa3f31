// When the facts took place, as a person types it: a minute, a day, a month, a year, or words.
// Knows: the four spellings, and how a local time becomes a span of UTC seconds. Refuses to know: what happened, and
// what time it is now. What was typed is kept letter by letter; a machine's reading stands beside it, never instead.

import { MAX_TIME } from "../crypto_core/encoding.js";
import type { Happened, Precision } from "./items.js";

type Spelled = Exclude<Precision, "words">;
/** Year, month from 1, day, hour, minute, second: a time on the wall. */
type Wall = readonly [number, number, number, number, number, number];

const SPELLINGS: readonly (readonly [Spelled, RegExp])[] = [
  ["minute", /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})$/],
  ["day", /^(\d{4})-(\d{2})-(\d{2})$/],
  ["month", /^(\d{4})-(\d{2})$/],
  ["year", /^(\d{4})$/],
];
const LENGTHS = { minute: 16, day: 10, month: 7, year: 4 } as const;
const DAY = 86_400;
const formats = new Map<string, Intl.DateTimeFormat>();

/** The span that `text` names in `zone` (an IANA name; null: the zone of this device); what is no such time is words.
 *
 * `from` and `to` are its first and its last second. Words, too, are a date that no calendar has, and a time before
 * 1970 or past 9999-12-30, which a record can't bound. Where clocks are set back, a time that comes twice spans both.
 * Throws nothing: a length is the record's to judge. */
export function parseHappened(text: string, zone: string | null = null): Happened {
  for (const [precision, pattern] of SPELLINGS) {
    const found = pattern.exec(text);
    const span = found && spanOf(found.slice(1).map(Number), precision, zone);
    if (span) return { from: span[0], to: span[1], precision, words: text };
  }
  return { from: null, to: null, precision: "words", words: text };
}

/** The spelling of the span's beginning in `zone`, at its own precision; of words, the words.
 *
 * In the zone in which it was parsed this is what was typed (but for an hour that clocks jumped over). */
export function formatHappened(happened: Happened, zone: string | null = null): string {
  if (happened.from === null || happened.precision === "words") return happened.words;
  const [year, month, day, hour, minute] = wallAt(happened.from, zone).map(String) as [string, ...string[]];
  const two = (part: string | undefined): string => (part ?? "").padStart(2, "0");
  const whole = `${year.padStart(4, "0")}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`;
  return whole.slice(0, LENGTHS[happened.precision]);
}

function spanOf(typed: readonly number[], precision: Spelled, zone: string | null): readonly [number, number] | null {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = typed;
  const first: Wall = [year, month, day, hour, minute, 0];
  const spelled = wallOf(utc(first));
  if (year < 1 || spelled.some((part, place) => part !== first[place])) return null; // a date that no calendar has
  const after = wallOf(utc(nextOf(first, precision)));
  if (after[0] > 9999) return null;
  const start = Math.min(...readings(utc(first), zone));
  const end = Math.max(...readings(utc(after), zone)) - 1;
  return start >= 0 && start <= end && end <= MAX_TIME ? [start, end] : null;
}

/** The beginning of the next minute, day, month or year, by the clock on the wall; its parts may run over. */
function nextOf([year, month, day, hour, minute]: Wall, precision: Spelled): Wall {
  if (precision === "minute") return [year, month, day, hour, minute + 1, 0];
  if (precision === "day") return [year, month, day + 1, 0, 0, 0];
  return precision === "month" ? [year, month + 1, 1, 0, 0, 0] : [year + 1, 1, 1, 0, 0, 0];
}

/** Both readings of a time on the wall (as if it were UTC): they differ where clocks are set back or forward. */
function readings(wall: number, zone: string | null): readonly number[] {
  const both = [wall - offsetAt(wall - DAY, zone), wall - offsetAt(wall + DAY, zone)];
  const shown = both.filter((seconds) => seconds + offsetAt(seconds, zone) === wall);
  return shown.length > 0 ? shown : both;
}

function offsetAt(seconds: number, zone: string | null): number {
  return utc(wallAt(seconds, zone)) - seconds;
}

function wallAt(seconds: number, zone: string | null): Wall {
  const date = new Date(seconds * 1000);
  if (zone === null) {
    return [
      date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds(),
    ];
  }
  const parts = new Map(formatOf(zone).formatToParts(date).map((part) => [part.type, Number(part.value)]));
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  return [part("year"), part("month"), part("day"), part("hour"), part("minute"), part("second")];
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric",
    minute: "numeric", second: "numeric",
  });
  formats.set(zone, made);
  return made;
}

function utc([year, month, day, hour, minute, second]: Wall): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return date.getTime() / 1000;
}

function wallOf(seconds: number): Wall {
  const date = new Date(seconds * 1000);
  return [
    date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
}
