// @vitest-environment happy-dom
// How long the recovery words wait: shown, chosen with both secrets, and told on every page where it was shortened.

import { act, fireEvent } from "@testing-library/preact";
import { afterEach, beforeEach, expect, it } from "vitest";

import { lookForWait, recoveryWait, session } from "../src/app/state.js";
import { endPage, open, startPage, type Scene } from "./app_scene.js";
import { MemoryVault, PASSWORD, PIN, problem } from "./memory_vault.js";

/** The vault's clock, in milliseconds: a spring day, at noon. */
const NOON = Date.UTC(2026, 3, 1, 12);
const DAY = 86_400;
const NOTICE = "open sooner (no wait).";
let page: Scene;

beforeEach(async () => {
  page = await startPage(new MemoryVault({ now: () => NOON }));
});
afterEach(endPage);

async function look(): Promise<void> {
  await open();
  await page.press("Settings");
  await page.press(/^Waiting time of the recovery words/);
  await page.see("At present:");
}

async function choose(days: number, pin: string = PIN): Promise<void> {
  await act(async () => {
    fireEvent.change(document.querySelector("select")!, { target: { value: String(days * DAY) } });
  });
  await page.type("Present password", PASSWORD);
  await page.type("Present PIN", pin);
  await page.press("Keep this time");
}

it("shows what holds, and what each choice means", async () => {
  await look();
  await page.see("At present: 3 days.");
  const offered = [...document.querySelectorAll("option")].map((one) => one.textContent);
  expect(offered).toEqual(["no wait", "24 hours", "3 days", "7 days", "14 days", "30 days"]);
  expect(document.querySelector("select")?.value).toBe(String(3 * DAY));
  expect(page.text()).toContain("whoever finds the sheet is in at once");
  expect(document.querySelector("nav [aria-current]")?.textContent).toBe("Settings");
});

it("keeps a longer one, which holds at once, and only with the right PIN", async () => {
  await look();
  await choose(14, "805194");
  await page.see("That isn’t the right PIN.");
  expect(page.vault.wait.wait).toBe(3 * DAY);
  expect(document.querySelector("select")?.value).toBe(String(14 * DAY)); // what was chosen stays
  await page.type("Present PIN", PIN);
  document.querySelector("select")!.focus();
  await page.press("Keep this time");
  await page.see("At present: 14 days.");
  await page.see("It is kept.");
  expect(page.vault.wait).toEqual({ wait: 14 * DAY, next: null });
  expect(document.activeElement?.tagName).toBe("H1");
});

it("says from when on a shorter one holds, on every page, and leads back to it", async () => {
  await look();
  await choose(0);
  await page.see("From April 4, 2026 at");
  await page.see("At present: 3 days.");
  expect(page.text()).not.toContain(NOTICE);
  expect(page.text()).not.toContain("Is it not your choice?"); // it was chosen just now
  for (const way of ["Documents", "Search"]) {
    await page.press(way);
    await page.see(NOTICE);
    expect(document.querySelector("main [role=status]")?.textContent).toContain(NOTICE);
  }
  await page.press("You, or not you: what to do");
  await page.see("Is it not your choice?");
  await choose(3);
  await page.see("It is kept.");
  await page.press("Search");
  expect(page.text()).not.toContain(NOTICE);
});

it("is told at the opening, and looked for while it is open; a lock forgets it", async () => {
  page.vault.wait = { wait: 3 * DAY, next: { wait: 0, since: NOON / 1000 + 3 * DAY } };
  await open();
  await page.see(NOTICE);
  page.vault.fail("recoveryWait", problem("network"));
  await act(lookForWait);
  expect(page.text()).toContain(NOTICE); // what isn't known anew stays
  await page.press("Lock");
  await page.see("Your space is locked");
  expect([recoveryWait.value, session.value, page.text().includes(NOTICE)]).toEqual([null, null, false]);
});

it("shows a time that is none of those offered", async () => {
  page.vault.wait = { wait: 36 * 3600, next: null };
  await look();
  await page.see("At present: 36 hours.");
  expect(document.querySelector("select")?.value).toBe(String(36 * 3600));
});

it("says what went wrong where it can't be looked up", async () => {
  page.vault.fail("recoveryWait", problem("server"));
  await open();
  page.vault.fail("recoveryWait", problem("server"));
  await page.press("Settings");
  await page.press(/^Waiting time of the recovery words/);
  await page.see(/service/);
  expect(document.querySelector("[role=alert]")).not.toBeNull();
  expect(document.querySelector("select")).toBeNull();
});
