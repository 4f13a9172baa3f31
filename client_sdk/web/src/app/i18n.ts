// The words of the pages. Knows: keys, values to put in, plurals. Refuses to know: who reads, and where the words come from
// (languages.ts).
//
// `say("shell.lock")` looks up locales/<lang>.json, whose sections are the views; where a key is followed by a
// count, `.one` or `.other` is chosen as the language does. Words shared with the public pages are under `site.`.

import { signal } from "@preact/signals";

export type Lang = string;
export type Words = { readonly [key: string]: string | Words };

export const lang = signal<Lang>("fr");
const spoken = signal<Words>({});

/** Speaks words that are given, from now on. */
export function speakWords(next: Lang, words: Words): void {
  spoken.value = words;
  lang.value = next;
}

/** The words under a key, with `{name}` filled. `count` chooses the plural. Throws for a key that isn't there. */
export function say(key: string, values: Readonly<Record<string, string | number>> = {}): string {
  const found = lookUp(key, values["count"]);
  return found.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nothing to put in ${key}`);
    return typeof value === "number" ? number(value) : value;
  });
}

/** Whether there is a sentence under a key: for error codes, which have a common one otherwise. */
export function knows(key: string): boolean {
  return typeof find(spoken.value, key) === "string";
}

function lookUp(key: string, count: string | number | undefined): string {
  const found = find(spoken.value, key);
  if (typeof found === "string") return found;
  if (found && typeof count === "number") {
    const chosen = found[new Intl.PluralRules(lang.value).select(count)] ?? found["other"];
    if (typeof chosen === "string") return chosen;
  }
  throw new Error(`no words for ${key}`);
}

function find(words: Words, key: string): string | Words | undefined {
  if (key.startsWith("site.")) return (words["site"] as Words | undefined)?.[key.slice(5)];
  let found: string | Words | undefined = words;
  for (const part of key.split(".")) {
    if (found === undefined || typeof found === "string") return undefined;
    found = found[part];
  }
  return found;
}

export function number(value: number): string {
  return inLanguage(Intl.NumberFormat, {}).format(value);
}

/** A day as people write it: "1er mars 2026". `seconds` are Unix seconds. */
export function day(seconds: number): string {
  return together(dates({ dateStyle: "long" }), seconds * 1000);
}

/** A day and a time: "1er mars 2026 à 21:30". */
export function moment(seconds: number): string {
  return together(dates({ dateStyle: "long", timeStyle: "short" }), seconds * 1000);
}

/** A time in a format, with the first of a month as the language calls it, where no line ends before the end of a clock's
 * time: "PM", or the hour where there is none. More held together would be torn in a narrow column. */
export function together(format: Intl.DateTimeFormat, milliseconds: number): string {
  const parts = format.formatToParts(milliseconds);
  const end = parts.some(({ type }) => type === "dayPeriod") ? "dayPeriod" : "hour";
  return parts.map(({ type, value }, at) => {
    if (type === "day" && value === "1") return say("parts.first");
    const holds = type === "literal" && parts[at + 1]?.type === end;
    return holds ? value.replace(/ $/, "\u00a0") : value;
  }).join("");
}

/** How the language that is spoken writes dates. */
export function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return inLanguage(Intl.DateTimeFormat, options);
}

/** A size: "4,2 Mo", "310 octets"; never torn at the end of a line. `bytes` is a count. */
export function size(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const step = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return inLanguage(Intl.NumberFormat, {
    style: "unit", unit: units[step] as string, unitDisplay: step > 0 ? "short" : "long",
    maximumFractionDigits: step > 1 ? 1 : 0,
  }).format(bytes / 1000 ** step).replace(" ", "\u00a0");
}

const formats = new Map<string, unknown>();

/** A format of the language that is spoken, made once: a long journal would wait for two thousand of them. */
function inLanguage<Options, Format>(kind: new (language: Lang, options: Options) => Format, options: Options): Format {
  const key = `${kind.name} ${lang.value} ${JSON.stringify(options)}`;
  const known = formats.get(key) as Format | undefined;
  if (known !== undefined) return known;
  const made = new kind(lang.value, options);
  formats.set(key, made);
  return made;
}
