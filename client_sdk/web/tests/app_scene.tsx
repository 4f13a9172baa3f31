// The whole page in a test: the real shell on a document of its own, with the memory twin for a vault.
// Knows: how it is started, and how a person finds things on it. Refuses to know: what is tried.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { act, configure, waitFor } from "@testing-library/preact";

import { speakWords, type Words } from "../src/app/i18n.js";
import { closed, enter, hear } from "../src/app/state.js";
import { leave, lockNow, watch } from "../src/app/lock.js";
import { startShell } from "../src/app/shell.js";
import { beginVault } from "../src/app/vault.js";
import type { Typed } from "../src/worker/api.js";
import { MemoryVault, NAME, PASSWORD, PIN } from "./memory_vault.js";

/** What a page loads when it is needed takes a while on a busy machine. */
configure({ asyncUtilTimeout: 15_000 });

const words = (path: string): Words => JSON.parse(readFileSync(resolve(import.meta.dirname, path), "utf-8")) as Words;

/** Speaks English, as the pages do. */
export function speakEnglish(): void {
  speakWords("en", { ...words("../locales/en.json"), site: words("../../../server/help/locales/en.json") });
}

export interface Scene {
  readonly vault: MemoryVault;
  /** How often a vault was started and ended. */
  readonly count: { started: number; ended: number };
  readonly text: () => string;
  readonly press: (name: string | RegExp) => Promise<void>;
  readonly type: (label: string | RegExp, value: string) => Promise<void>;
  readonly see: (words: string | RegExp) => Promise<void>;
}

let stop = new AbortController();
let begun: MemoryVault | null = null;
const count = { started: 0, ended: 0 };

/** The page as it is when it has just been loaded. */
export async function startPage(vault = new MemoryVault(), path = "/app", state: unknown = null): Promise<Scene> {
  begun = vault;
  closed.value = null;
  Object.assign(count, { started: 0, ended: 0 });
  speakEnglish();
  document.documentElement.lang = "en";
  history.replaceState(state, "", path);
  document.body.innerHTML = '<header><a data-exit>Leave</a><a data-skip>Skip</a></header><div id="app"></div>';
  HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
    this.open = true;
  };
  startShell(() => {
    count.started += 1;
    return { api: begun!, end: () => void (count.ended += 1) };
  }, stop.signal);
  await waitFor(() => found("h1"));
  return { vault, count, text, press, type, see };
}

/** The page is gone. */
export function endPage(): void {
  stop.abort();
  stop = new AbortController();
  leave();
}

/** What a newcomer chooses. */
export const CHOSEN = { username: "sol", password: "girafe bleue sous la pluie", pin: "482913" } as const;

/** From the first question to the sheet. */
export async function choose({ username, password, pin }: Typed = CHOSEN): Promise<void> {
  await see("Step 1 of 5");
  await type("User name", username);
  await press("Go on");
  await see("Step 2 of 5");
  await type("Password", password);
  await press("Go on");
  await see("Step 3 of 5");
  await type("PIN", pin);
  await type("The same PIN again", pin);
  await press("Go on");
}

/** Somebody is in. */
export async function open(): Promise<void> {
  await act(async () => {
    const api = beginVault((notice) => hear(notice, (why) => void lockNow(why)));
    watch();
    enter(api, NAME, await api.logIn({ username: NAME, password: PASSWORD, pin: PIN }));
  });
  await waitFor(() => found("h1"));
}

function text(): string {
  return document.body.textContent ?? "";
}

function found(selector: string): Element {
  const element = document.querySelector(selector);
  if (element === null) throw new Error(`nothing is ${selector}`);
  return element;
}

async function press(name: string | RegExp): Promise<void> {
  const button = await waitFor(() => {
    const all = [...document.querySelectorAll<HTMLElement>("button, a, summary")];
    const one = all.find((each) => fits(each.textContent ?? "", name));
    if (one === undefined) throw new Error(`nothing to press is called ${name}`);
    return one;
  });
  await act(async () => {
    if (button.getAttribute("href")?.startsWith("#")) {
      history.pushState(history.state, "", button.getAttribute("href"));
      dispatchEvent(new PopStateEvent("popstate"));
    } else if (button.getAttribute("type") === "submit") {
      button.closest("form")!.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    } else {
      button.click();
    }
  });
}

async function type(label: string | RegExp, value: string): Promise<void> {
  await waitFor(() => {
    const one = [...document.querySelectorAll("label")].find((each) => fits(each.textContent ?? "", label));
    if (one === undefined) throw new Error(`no field is called ${label}`);
    const input = document.getElementById(one.getAttribute("for")!) as HTMLInputElement;
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await act(async () => undefined);
}

async function see(wanted: string | RegExp): Promise<void> {
  await waitFor(() => {
    if (!fits(text(), wanted, true)) throw new Error(`not to be seen: ${wanted}\n${text()}`);
  });
}

function fits(seen: string, wanted: string | RegExp, within = false): boolean {
  if (typeof wanted !== "string") return wanted.test(seen);
  return within ? seen.includes(wanted) : seen.trim() === wanted;
}
