// The words of the page that checks packs, in the file itself. Knows: which sections it needs. Refuses to know: what is said.

import { pack as pack_en, parts as parts_en, problem as problem_en, receipts as receipts_en } from "../../locales/en.json";
import { pack as pack_fr, parts as parts_fr, problem as problem_fr, receipts as receipts_fr } from "../../locales/fr.json";
import { speakWords, type Lang, type Words } from "../app/i18n.js";

const WORDS: Readonly<Record<Lang, Words>> = {
  en: { pack: pack_en, parts: parts_en, problem: problem_en, receipts: receipts_en },
  fr: { pack: pack_fr, parts: parts_fr, problem: problem_fr, receipts: receipts_fr },
};

/** Each in its own words. */
export const LANGUAGES: readonly (readonly [Lang, string])[] = [["fr", "Français"], ["en", "English"]];

/** The first of a browser's languages that there is; French, if there is none. */
export function languageOf(wanted: readonly string[]): Lang {
  return wanted.map((one) => one.slice(0, 2).toLowerCase()).find((one) => Object.hasOwn(WORDS, one)) ?? "fr";
}

/** Speaks it from now on. */
export function chooseLanguage(next: Lang): void {
  speakWords(next, WORDS[next]!);
  document.documentElement.lang = next;
}
