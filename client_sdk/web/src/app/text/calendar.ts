// Days and months as a calendar on the wall has them. Knows: days by name ("2026-03-01"), weeks from Monday.
// Refuses to know: zones and hours; a day here is a square on paper, whichever clock it was read from.

/** A day, "2026-03-01": years from 0001 to 9999. */
export type Day = string;

const LENGTH = 86_400_000;

/** The day that is `count` days later, or earlier. Stays within the years 1 to 9999. */
export function addDays(from: Day, count: number): Day {
  return dayOf(Math.min(Math.max(timeOf(from) + count * LENGTH, timeOf("0001-01-01")), timeOf("9999-12-31")));
}

/** The same day of a later or earlier month; its last day where that month is shorter. */
export function addMonths(from: Day, count: number): Day {
  const [year, month, day] = partsOf(from);
  const months = Math.min(Math.max(year * 12 + month - 1 + count, 12), 9999 * 12 + 11);
  const first = named(Math.floor(months / 12), months % 12 + 1, 1);
  return addDays(first, Math.min(day, daysIn(first)) - 1);
}

/** How many days the month of a day has. */
export function daysIn(day: Day): number {
  const [year, month] = partsOf(day);
  return partsOf(dayOf(utc(year, month + 1, 0)))[2];
}

/** 0 for Monday, 6 for Sunday. */
export function weekday(day: Day): number {
  return (new Date(timeOf(day)).getUTCDay() + 6) % 7;
}

/** The weeks of a day's month, Monday first; null where a square belongs to another month. */
export function weeksOf(day: Day): readonly (readonly (Day | null)[])[] {
  const first = `${day.slice(0, 8)}01`;
  const squares: (Day | null)[] = Array.from({ length: weekday(first) }, () => null);
  for (let count = 0; count < daysIn(first); count += 1) squares.push(addDays(first, count));
  while (squares.length % 7 > 0) squares.push(null);
  return Array.from({ length: squares.length / 7 }, (_, week) => squares.slice(week * 7, week * 7 + 7));
}

/** The day of a moment, by this device's clock. `seconds` are Unix seconds. */
export function dayAt(seconds: number): Day {
  const date = new Date(seconds * 1000);
  return named(date.getFullYear(), date.getMonth() + 1, date.getDate());
}

/** A day's beginning as if it were in Greenwich, in milliseconds: only for formats that say `timeZone: "UTC"`. */
export function timeOf(day: Day): number {
  return utc(...partsOf(day));
}

function partsOf(day: Day): [number, number, number] {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return [year, month, date];
}

function dayOf(time: number): Day {
  const date = new Date(time);
  return named(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
}

function named(year: number, month: number, day: number): Day {
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

function utc(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}
