// @vitest-environment happy-dom
// "Delete everything": what is said before, that a tick and both secrets are needed, and what the door says after.

import { act } from "@testing-library/preact";
import { afterEach, beforeEach, expect, it } from "vitest";

import { closed, session } from "../src/app/state.js";
import { MemoryVault, PASSWORD, PIN, problem } from "./memory_vault.js";
import { endPage, open, startPage, type Scene } from "./app_scene.js";

const DO = "Delete everything now";
let page: Scene;

beforeEach(async () => {
  page = await startPage(new MemoryVault());
  await open();
  await page.press("Settings");
  await page.press(/^Delete everything/);
  await page.see("What stays");
});
afterEach(endPage);

const asked = (): readonly unknown[][] =>
  page.vault.calls.filter(([called]) => called === "erase").map(([, ...given]) => given);
const box = (): HTMLInputElement => document.querySelector<HTMLInputElement>("main input[type=checkbox]")!;

async function confirm({ tick = true, pin = PIN } = {}): Promise<void> {
  if (tick && !box().checked) await act(async () => box().click());
  await page.type("Present password", PASSWORD);
  await page.type("Present PIN", pin);
  await page.press(DO);
}

it("begins with its heading, and leads back, to what can be saved, and to what a browser's history shows", () => {
  expect(document.activeElement?.textContent).toBe("Delete everything");
  const links = [...document.querySelectorAll<HTMLAnchorElement>("main a")].map((link) => link.getAttribute("href"));
  expect(links).toEqual(["#4", "/en/6", "#20", "#9"]);
  expect(document.querySelector("nav [aria-current]")?.textContent).toBe("Settings");
});

it("does nothing as long as it isn't said to be understood: the tick is asked for, and what was typed stays", async () => {
  await confirm({ tick: false });
  await page.see("Tick this box first");
  expect(asked()).toEqual([]);
  expect(document.activeElement).toBe(box());
  expect(document.getElementById(box().getAttribute("aria-describedby")!)?.textContent).toContain("Tick this box first");
  await act(async () => box().click());
  expect(page.text()).not.toContain("Tick this box first");
  await page.press(DO);
  await page.see("Everything was deleted.");
  expect(asked()).toEqual([[PASSWORD, PIN]]);
});

it("ends at the door, which says so; nothing is open, and the worker has ended", async () => {
  await confirm();
  await page.see("Your space is gone");
  await page.see("Everything was deleted.");
  expect(closed.value).toEqual({ why: "erased", kept: null });
  expect([session.value, page.count.ended]).toEqual([null, 1]);
  expect(document.activeElement?.textContent).toBe("Your space is gone");
});

it("says while it runs that it does", async () => {
  page.vault.hang("erase");
  await confirm();
  await page.see("Everything is being deleted.");
  expect([...document.querySelectorAll("main [role=status]")].map((one) => one.textContent).join()).toContain("Leave this page open");
  await page.press("A few seconds…");
  expect(asked()).toHaveLength(1);
});

it.each([
  ["account_listed", "You stand in the public list of professionals."],
  ["pin_wrong", "That isn’t the right PIN."],
  ["network", "The service can’t be reached."],
  ["warned", ""],
])("that is refused (%s) deletes nothing, and says what to do", async (code, words) => {
  page.vault.fail("erase", problem(code));
  await confirm();
  await page.see(words);
  expect(page.text()).not.toContain("is being deleted");
  expect(document.querySelector("main [role=alert]")?.textContent).not.toBe("");
  expect(session.value).not.toBeNull();
  await confirm();
  await page.see("Your space is gone");
});

it("is said in every other tab as well, which claims of no draft that it is kept", async () => {
  await page.press("Journal");
  await page.press("Write");
  await page.type("Your text", "half a sen");
  await act(async () => page.vault.tell({ kind: "session_ended", code: "erased" }));
  await page.see("Everything was deleted.");
  expect(closed.value).toEqual({ why: "erased", kept: null });
});

it("that is locked before the vault has answered claims nothing", async () => {
  page.vault.hang("erase");
  await confirm();
  await page.press("Lock");
  await page.see("It isn’t certain that everything was deleted");
  expect(session.value).toBeNull();
});

it("locks where nobody knows, and says how to find out", async () => {
  page.vault.erased = false;
  await confirm();
  await page.see("It isn’t certain that everything was deleted");
  await page.see("Your space is locked");
  expect(session.value).toBeNull();
});
