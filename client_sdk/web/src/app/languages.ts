// The languages of the pages, one file each. Knows: where the files are. Refuses to know: what stands in them.

import { speakWords, type Lang, type Words } from "./i18n.js";

const FILES = import.meta.glob<{ default: Words }>("../../locales/*.json");
const SITE = import.meta.glob<{ default: Record<string, string> }>("../../../../server/help/locales/*.json");

/** The languages that there is a file for. */
export const LANGUAGES: readonly Lang[] = Object.keys(FILES).map(nameOf).sort();

function nameOf(path: string): Lang {
  return path.replace(/^.*\/(\w+)\.json$/, "$1");
}

/** Loads a language and speaks it from now on. Rejects if its file can't be had; then the one before stays. */
export async function speak(next: Lang): Promise<void> {
  const file = Object.entries(FILES).find(([path]) => nameOf(path) === next)?.[1];
  const site = Object.entries(SITE).find(([path]) => nameOf(path) === next)?.[1];
  if (!file || !site) throw new Error("no such language");
  const [own, shared] = await Promise.all([file(), site()]);
  speakWords(next, { ...own.default, site: shared.default });
  if (typeof document !== "undefined") document.documentElement.lang = next;
}
