// The words of the pages: every language whole, every word used, every error spoken for, French signs kept together.

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { describe, expect, it, vi } from "vitest";

import { ruleOf } from "../src/app/parts/rules.js";
import { sentenceOf } from "../src/app/parts/index.js";
import { say, size, speakWords, type Words } from "../src/app/i18n.js";
import { LANGUAGES } from "../src/app/languages.js";

const web = resolve(import.meta.dirname, "..");
const repository = resolve(web, "../..");
const read = (path: string): string => readFileSync(path, "utf-8");
const files = (folder: string, ending: RegExp): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf-8" })
    .filter((name) => ending.test(name))
    .map((name) => join(folder, name));

const wordsIn = (folder: string): Readonly<Record<string, Words>> =>
  Object.fromEntries(LANGUAGES.map((lang) => [lang, JSON.parse(read(join(folder, `${lang}.json`))) as Words]));
const own = wordsIn(join(web, "locales")), site = wordsIn(join(repository, "server/help/locales"));
const source = ["src/app", "src/verifier"].flatMap((room) => files(join(web, room), /\.tsx?$/)).map(read).join("\n");

/** Every sentence by its whole key, in the order of the file. */
function flat(words: Words, before = ""): readonly (readonly [string, string])[] {
  return Object.entries(words).flatMap(([key, value]) =>
    typeof value === "string" ? [[before + key, value] as const] : flat(value, `${before}${key}.`));
}

const keysOf = (words: Words): readonly string[] => flat(words).map(([key]) => key);
const all = new Set(LANGUAGES.flatMap((lang) => keysOf(own[lang]!)));
const counted = new Set(
  [...all].filter((key) => key.endsWith(".one") && all.has(key.replace(/one$/, "other")))
    .map((key) => key.slice(0, -4)),
);
/** A key as the source names it: without its plural. */
const named = (key: string): string => {
  const stem = key.replace(/\.(one|other)$/, "");
  return counted.has(stem) ? stem : key;
};
const placeholders = (text: string): string => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join();

/** Strings that stand in the source, and the beginnings of those that are put together there. */
const whole = new Set([...source.matchAll(/"((?:site\.)?[a-z_]+(?:\.[\w-]+)+)"/g)].map(([, key]) => key!));
const begun = [...source.matchAll(/`([a-z_]+\.[a-z_.]*)\$\{/g)].map(([, beginning]) => beginning!);

describe("the words", () => {
  it("stand in every language, with the same keys in the same order and the same places to fill", () => {
    const [first, ...others] = LANGUAGES.map((lang) => flat(own[lang]!));
    expect(others.length).toBeGreaterThan(0);
    for (const other of others) {
      expect(other.map(([key]) => key)).toEqual(first!.map(([key]) => key));
      for (const [n, [key, text]] of other.entries()) {
        expect([key, placeholders(text)]).toEqual([key, placeholders(first![n]![1])]);
        expect(text.trim(), key).not.toBe("");
      }
    }
  });

  it("are all there where the source says them", () => {
    const known = new Set(keysOf(own["fr"]!).map(named));
    const said = [...source.matchAll(/\bsay\(\s*"([^"]+)"/g)].map(([, key]) => key!);
    expect(said.length).toBeGreaterThan(100);
    const missing = said.filter((key) => (key.startsWith("site.") ? !(key.slice(5) in site["fr"]!) : !known.has(key)));
    expect(missing).toEqual([]);
    for (const lang of LANGUAGES) {
      expect([...whole].filter((key) => key.startsWith("site.") && !(key.slice(5) in site[lang]!))).toEqual([]);
    }
  });

  it("are all said somewhere", () => {
    const orphans = keysOf(own["fr"]!).map(named)
      .filter((key) => !whole.has(key) && !begun.some((one) => key.startsWith(one)));
    expect([...new Set(orphans)]).toEqual([]);
  });

  it("cross no line", () => {
    const forbidden: Readonly<Record<string, RegExp>> = {
      fr: /·|\(e\)|\(ne\)|vous devez|il faut que vous|\bobligé|aucun danger|hors de danger|pas de danger/i,
      en: /you must|you have to\b|no danger|not in danger|\bhe or she\b|\bs\/he\b/i,
    };
    for (const lang of LANGUAGES) {
      expect(flat(own[lang]!).filter(([, text]) => forbidden[lang]?.test(text))).toEqual([]);
    }
    expect(forbidden["fr"]!.test("Vous devez partir.")).toBe(true);
    expect(forbidden["en"]!.test("There is no danger.")).toBe(true);
  });

  it("keep French signs with their words", () => {
    const loose = /\w'\w|[^\u202f\d/][?!;](?=\s|$)|[^\u00a0]»|[^\u00a0\d/]:(?=\s|$)|«[^\u00a0]/;
    expect(flat(own["fr"]!).filter(([, text]) => loose.test(text))).toEqual([]);
    for (const torn of ["Quoi ?", "Quoi?", "Quoi\u00a0?", "Quoi :", "«Quoi»", "l'aide"]) expect(loose.test(torn)).toBe(true);
  });

  it("have a plural for each form that a language has", () => {
    for (const lang of LANGUAGES) {
      const forms = new Intl.PluralRules(lang).resolvedOptions().pluralCategories;
      expect(forms).toEqual(expect.arrayContaining(["one", "other"]));
    }
    expect(counted.size).toBeGreaterThan(5);
    for (const lang of LANGUAGES) {
      speakWords(lang, own[lang]!);
      for (const count of [0, 1, 2, 1_000_000]) expect(say("parts.seconds", { count })).toMatch(/\d/);
    }
  });
});

describe("a size", () => {
  it("is said as each language does, one byte and many", () => {
    const said = (lang: string, bytes: number): string => {
      speakWords(lang, own[lang]!);
      expect(size(bytes)).not.toContain(" "); // it would be torn at the end of a line
      return size(bytes).replace(/\s/g, " ");
    };
    expect([1, 310, 4_200, 4_210_000].map((bytes) => said("en", bytes)))
      .toEqual(["1 byte", "310 bytes", "4 kB", "4.2 MB"]);
    expect([0, 1, 310, 4_200, 4_210_000].map((bytes) => said("fr", bytes)))
      .toEqual(["0 octet", "1 octet", "310 octets", "4 ko", "4,2 Mo"]);
  });
});

describe("an error", () => {
  const python = ["crypto_core", "client_sdk", "schemas"].flatMap((room) => files(join(repository, room), /\.py$/));
  const codes = new Set<string>();
  const commandLine = /\/(?:cli|following|witness)\/|\/(?:taken|anchors?)\.py$/; // what nobody else meets
  for (const path of python.filter((one) => !commandLine.test(one))) {
    for (const [, code] of read(path).matchAll(/^ {4}code = "(\w+)"/gm)) codes.add(code!);
  }
  const wire = read(join(repository, "schemas/problems.py"));
  for (const [, code] of wire.matchAll(/^ {4}"(\w+)": ProblemKind/gm)) codes.add(code!);
  const rooms = ["crypto_core", "sdk", "worker", "app"];
  const classes = /static (?:override )?readonly code(?:: string)? = "(\w+)"/g;
  for (const path of rooms.flatMap((room) => files(join(web, "src", room), /\.tsx?$/))) {
    const text = read(path);
    for (const [, code] of text.matchAll(classes)) codes.add(code!);
    for (const [, code] of text.matchAll(/\bcode: "(\w+)"|^export const [A-Z_]+ = "(\w+)";$/gm)) {
      if (code) codes.add(code);
    }
  }

  it("has a sentence in every language, whatever its code", () => {
    expect(codes.size).toBeGreaterThan(60);
    for (const lang of LANGUAGES) {
      const spoken = new Set(keysOf(own[lang]!["problem"] as Words));
      expect([...codes, "unexpected", "device_full"].filter((code) => !spoken.has(code))).toEqual([]);
    }
  });

  it("says nothing of a value, and a code that nobody knows has a sentence too", () => {
    speakWords("en", own["en"]!);
    const { problem } = own["en"] as { problem: Record<string, string> };
    expect(sentenceOf({ code: "brand_new" })).toBe(problem["unexpected"]);
    expect(sentenceOf(new Error("secret text"))).toBe(problem["unexpected"]);
    expect(sentenceOf(null)).toBe(problem["unexpected"]);
    expect(sentenceOf({ code: "rule" })).toBe(problem["unexpected"]);
    expect(sentenceOf({ code: "pin_locked", retryAfter: 300 })).toContain("5 minutes");
    expect(sentenceOf({ code: "pin_locked", retryAfter: 7200 })).toContain("2 hours");
    expect(sentenceOf({ code: "pin_locked", retryAfter: 0.2 })).toContain("1 second ");
  });

  it("says of a network's tries when they end, that nothing is lost, and what helps meanwhile", () => {
    vi.useFakeTimers({ now: new Date(2026, 2, 1, 20, 0, 0, 400), toFake: ["Date"] });
    const untilMidnight = 4 * 3600;
    for (const [lang, parts] of [
      ["fr", ["quelqu’un d’autre", "Rien n’est perdu", "4 heures (2 mars 2026 à\u00a000:00)", "Un autre réseau"]],
      ["en", ["somebody else", "Nothing is lost", "4 hours (March 2, 2026 at 12:00", "Another network"]],
    ] as const) {
      speakWords(lang, own[lang]!);
      const sentence = sentenceOf({ code: "rate_limited", retryAfter: untilMidnight });
      for (const part of parts) expect(sentence).toContain(part);
      expect(sentenceOf({ code: "rate_limited", retryAfter: 60 })).not.toContain("2026");
      expect(sentenceOf({ code: "session_limited", retryAfter: 60 })).not.toMatch(/réseau|network/);
    }
    vi.useRealTimers();
  });

  it("names the rule that a secret broke, in the words of Python", () => {
    const passphrase = read(join(repository, "crypto_core/sealing/passphrase.py"));
    const recovery = read(join(repository, "crypto_core/sealing/recovery.py"));
    const sharing = read(join(repository, "crypto_core/sealing/sharing.py"));
    const strength = read(join(repository, "client_sdk/strength.py"));
    const constants: Readonly<Record<string, string>> = {
      what: "password", USERNAME_POINTS: "64", shortest: "8", longest: "1024", WORDS: "24", furthest: "7",
    };
    const refusals = (passphrase + recovery + sharing + strength).matchAll(/SecretRefused\((?:" "\.join\(\[)?f?"([^"]+)"/g);
    const rules = [...refusals].map(([, rule]) =>
      rule!.replace(/\{(\w+)\}/g, (_, name: string) => constants[name]!)
        .replace("PIN has 8 to 1024", "PIN has 4 to 12"));
    expect(rules.length).toBeGreaterThan(10);
    const unknown = rules.filter((rule) => ruleOf(rule) === null);
    expect(unknown).toEqual([]);
    const spoken = Object.keys((own["en"] as { problem: { rule: object } }).problem.rule);
    expect(rules.map((rule) => ruleOf(rule)!.name).filter((name) => !spoken.includes(name))).toEqual([]);
    expect(ruleOf("word 7 is in neither list"))
      .toEqual({ name: "word_unknown", values: { place: 7 } });
    expect(ruleOf("another rule")).toBeNull();
  });
});
