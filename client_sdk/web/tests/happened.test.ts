// What a person types as a time: the same spans as in Python, and nothing is ever lost or refused.
import { describe, expect, test } from "vitest";

import { formatHappened, parseHappened } from "../src/sdk/happened.js";

const PARIS = "Europe/Paris";
const seconds = (spelled: string): number => Date.parse(`${spelled}Z`) / 1000;

test.each([
  ["2024-03-01T21:30", "minute", "2024-03-01T20:30:00", "2024-03-01T20:30:59"],
  ["2024-03-01", "day", "2024-02-29T23:00:00", "2024-03-01T22:59:59"],
  ["2024-03", "month", "2024-02-29T23:00:00", "2024-03-31T21:59:59"],
  ["2024", "year", "2023-12-31T23:00:00", "2024-12-31T22:59:59"],
  ["2024-12", "month", "2024-11-30T23:00:00", "2024-12-31T22:59:59"],
  ["2024-10-27T02:30", "minute", "2024-10-27T00:30:00", "2024-10-27T01:30:59"], // came twice that night
  ["2024-10-27", "day", "2024-10-26T22:00:00", "2024-10-27T22:59:59"],
  ["2024-03-31T02:30", "minute", "2024-03-31T00:30:00", "2024-03-31T01:30:59"], // clocks jumped over it
])("the clock on the wall in Paris: %s", (text, precision, first, last) => {
  expect(parseHappened(text, PARIS)).toEqual({ from: seconds(first), to: seconds(last), precision, words: text });
});

test.each([
  "2024-02-30", "2024-13", "2024-03-01T24:00", "2024-3-1", "1969", "0000", "9999", "９９２４", "2024 ", "", "\n2024",
  "2024\n", "9999-12", "9999-12-31", "9999-12-31T23:59", "2023-02-29",
])("what no record can bound is words: %j", (text) => {
  expect(parseHappened(text, PARIS)).toEqual({ from: null, to: null, precision: "words", words: text });
  expect(formatHappened(parseHappened(text, PARIS), PARIS)).toBe(text);
});

describe.each([PARIS, "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC", "Etc/GMT-14", null])(
  "in %s", (zone) => {
    const spelled = (moment: number): readonly string[] => {
      const whole = new Date(moment * 1000).toISOString();
      return [whole.slice(0, 16), whole.slice(0, 10), whole.slice(0, 7), whole.slice(0, 4)];
    };
    let state = 20_240_301;
    const draw = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const moments = Array.from({ length: 400 }, () => Math.floor(400 * 86_400 + draw() * 250_000_000_000));

    test("what is parsed is spelled the same again, and its ends are its own", () => {
      for (const text of moments.flatMap(spelled)) {
        const happened = parseHappened(text, zone);
        expect(happened.words).toBe(text);
        expect(happened.precision).not.toBe("words");
        const inside = formatHappened({ ...happened, from: happened.to }, zone);
        expect([formatHappened(happened, zone), inside]).toEqual([text, text]);
      }
    });

    test("spans follow one another without a hole", () => {
      for (let day = 0; day < 800; day += 1) {
        const [one, two] = [day, day + 1].map((count) =>
          parseHappened(new Date((1_300_000_000 + count * 86_400) * 1000).toISOString().slice(0, 10), zone));
        expect(two?.from).toBeLessThanOrEqual((one?.to ?? 0) + 1);
      }
    });
  },
);
