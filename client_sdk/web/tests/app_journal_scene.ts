// An open vault around one view, for its tests. Knows: the memory twin, the words in French.
// Refuses to know: the shell.
import { act, cleanup, render, type RenderResult } from "@testing-library/preact";
import type { VNode } from "preact";

import words from "../locales/fr.json";
import site from "../../../server/help/locales/fr.json";
import { speakWords } from "../src/app/i18n.js";
import { place } from "../src/app/router.js";
import { enter, forget, hear, items } from "../src/app/state.js";
import type { Item } from "../src/worker/api.js";
import { MemoryVault, NAME, PASSWORD, PIN } from "./memory_vault.js";

export { PIN };

/** A vault that is open and holds these items. */
export async function openVault(held: readonly Item[]): Promise<MemoryVault> {
  cleanup();
  forget();
  history.replaceState(null, "", "#0");
  place.value = { view: "home", id: null };
  speakWords("fr", { ...words, site } as never);
  const vault = new MemoryVault({ items: held });
  await vault.listen((notice) => hear(notice, () => undefined));
  enter(vault, NAME, await vault.logIn({ username: NAME, password: PASSWORD, pin: PIN }));
  await until(() => items.value !== null);
  return vault;
}

export function show(view: VNode): RenderResult {
  return render(view);
}

/** Waits, with the timers that there are, until something is so. */
export async function until(so: () => unknown): Promise<void> {
  const end = performance.now() + 15_000;
  while (!so()) {
    if (performance.now() > end) throw new Error(`never: ${so.toString()}\n${document.body.textContent}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

/** Answers the open question with the button of these words, once it takes an answer. */
export async function answer(words: string): Promise<void> {
  const takes = (): HTMLElement | undefined => [...document.querySelectorAll<HTMLElement>("dialog button")]
    .find((one) => one.textContent === words && one.getAttribute("aria-disabled") !== "true");
  await until(takes);
  await act(async () => takes()!.click());
}

/** What was given to the calls of one name. */
export function callsOf(vault: MemoryVault, name: string): readonly unknown[][] {
  return vault.calls.filter(([call]) => call === name).map(([, ...given]) => given);
}
