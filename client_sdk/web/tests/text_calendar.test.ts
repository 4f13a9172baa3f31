// Days on the wall: arithmetic against the calendar of the platform, in every zone the same.
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { addDays, addMonths, dayAt, daysIn, timeOf, weekday, weeksOf } from "../src/app/text/calendar.js";

const days = fc.integer({ min: -700_000, max: 2_900_000 }).map((count) => addDays("1970-01-01", count));

test.each([
  ["2026-01-31", 1, "2026-02-28"], ["2024-01-31", 1, "2024-02-29"], ["2026-03-31", -1, "2026-02-28"],
  ["2026-12-15", 1, "2027-01-15"], ["2026-01-15", -1, "2025-12-15"], ["9999-12-31", 1, "9999-12-31"], ["0001-01-31", -1, "0001-01-31"],
])("%s and %i month is %s", (day, count, then) => expect(addMonths(day, count)).toBe(then));

test.each([["2026-11-26", 3], ["2024-02-29", 3], ["1970-01-01", 3], ["2000-01-01", 5]])("%s is day %i of its week", (day, place) => {
  expect(weekday(day)).toBe(place);
});

describe("a month", () => {
  test("has each of its days once, in order, under its weekday", () => fc.assert(fc.property(days, (day) => {
    const weeks = weeksOf(day);
    const squares = weeks.flat().filter((square) => square !== null);
    expect(squares).toEqual(Array.from({ length: daysIn(day) }, (_, count) => `${day.slice(0, 8)}${String(count + 1).padStart(2, "0")}`));
    for (const week of weeks) {
      expect(week).toHaveLength(7);
      week.forEach((square, place) => square && expect(weekday(square)).toBe(place));
      expect(week.some((square) => square !== null)).toBe(true);
    }
  })));
});

describe("steps", () => {
  test("of days undo one another, and keep the order", () => fc.assert(fc.property(days, fc.integer({ min: -4000, max: 4000 }), (day, count) => {
    const there = addDays(day, count);
    if (there > "0001-01-01" && there < "9999-12-31") expect(addDays(there, -count)).toBe(day);
    expect(Math.sign(timeOf(there) - timeOf(day))).toBe(there === day ? 0 : Math.sign(count));
  })));

  test("of months land in that month, on that day or its last", () => fc.assert(fc.property(days, fc.integer({ min: -900, max: 900 }), (day, count) => {
    const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
    const there = addMonths(day, count);
    const at = year * 12 + month - 1 + count;
    if (at < 12 || at > 9999 * 12 + 11) return;
    expect(Number(there.slice(0, 4)) * 12 + Number(there.slice(5, 7)) - 1).toBe(at);
    expect(Number(there.slice(8))).toBe(Math.min(date, daysIn(there)));
  })));
});

test("the day of a moment is this device's", () => fc.assert(fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
  const date = new Date(seconds * 1000);
  expect(dayAt(seconds)).toBe(
    [date.getFullYear(), String(date.getMonth() + 1).padStart(2, "0"), String(date.getDate()).padStart(2, "0")].join("-"));
})));
