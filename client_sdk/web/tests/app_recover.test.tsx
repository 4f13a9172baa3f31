// @vitest-environment happy-dom
// Getting back in with the recovery words: shown, waited for, chosen anew; and what an open space says of it meanwhile.

import { act, waitFor } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { lookForRecovery, recovering, session } from "../src/app/state.js";
import { MemoryVault, NAME, NEXT_WORDS, PASSWORD, PIN, problem, RECOVERY_WAIT, WORDS } from "./memory_vault.js";
import { CHOSEN, choose, endPage, open, startPage, type Scene } from "./app_scene.js";

/** The vault's clock, in milliseconds: a spring day, at noon. */
const NOON = Date.UTC(2026, 3, 1, 12);
let now = NOON;
let page: Scene;

beforeEach(async () => {
  now = NOON;
  page = await startPage(new MemoryVault({ now: () => now }));
});
afterEach(endPage);

const calls = (name: string): readonly (readonly unknown[])[] => page.vault.calls.filter(([called]) => called === name);
const heading = (): string => document.querySelector("h1")?.textContent ?? "";

async function show(words = WORDS.join(" ")): Promise<void> {
  await page.type("The 24 words", words);
  await page.press("Show the words");
}

/** From the door to words that are due. */
async function due(): Promise<void> {
  await page.vault.showRecovery(WORDS.join(" "));
  now += RECOVERY_WAIT * 1000;
  await page.press("I have lost the password, the PIN or the device");
  await show();
  await page.see("You can come back");
}

/** From there until everything is sent. */
async function chooseAnew(): Promise<void> {
  await page.press("Go on");
  await choose();
  await page.see("The old sheet won’t open anything any more");
  await copyBack();
}

/** The sheet is noted, and four of its words typed back. */
async function copyBack(): Promise<void> {
  await page.press("I have noted them");
  for (const label of document.querySelectorAll(".asked-words label")) {
    const words = label.textContent ?? "";
    await page.type(words, NEXT_WORDS[Number(/\d+/.exec(words)![0]) - 1]!);
  }
  await page.press("Check");
}

describe("showing the words", () => {
  it("is found where somebody has lost something: at the door, and beside the way in", async () => {
    await page.press("Open my space");
    await page.press("I have lost something");
    await page.press("Come back with the recovery words");
    await page.see("The 24 words of your sheet are enough");
    expect([location.hash, document.activeElement?.textContent]).toEqual(["#80", "Come back with the recovery words"]);
  });

  it("says the rule that isn't kept, or that they are refused; what was typed stays", async () => {
    await page.press("I have lost the password, the PIN or the device");
    await show("abaisser abandon");
    await page.see("All 24 words of the sheet are needed.");
    await show(NEXT_WORDS.join(" "));
    await page.see("The recovery words aren’t right.");
    expect(document.querySelector("textarea")?.value).toBe(NEXT_WORDS.join(" "));
  });

  it("before they are due: says until when, why, and that nothing has to stay open; and keeps nothing", async () => {
    await page.press("I have lost the password, the PIN or the device");
    await show();
    await page.see("The words are right");
    const text = page.text().replaceAll("\u202f", " ").replaceAll("\u00a0", " ");
    expect(text).toMatch(/from April 4, 2026 at \d+:00 [AP]M on, with these same words/);
    expect(text).toMatch(/The waiting began on April 1, 2026 at/);
    for (const said of ["Nothing has to stay open", "somebody who finds the sheet gets nothing at once", "can stop it"]) {
      expect(text).toContain(said);
    }
    expect(document.activeElement?.textContent).toBe("The words are right");
    expect([page.count.started, page.count.ended]).toEqual([1, 1]);
    await page.press("I understand");
    await page.see("Your space is locked");
  });

  it("once more is the same waiting", async () => {
    await page.vault.showRecovery(WORDS.join(" "));
    now += 86_400_000;
    await page.press("I have lost the password, the PIN or the device");
    await show();
    await page.see(/from April 4, 2026/);
  });
});

describe("words that are due", () => {
  it("lead to a new name, password, PIN and sheet, and into the space", async () => {
    await due();
    await chooseAnew();
    await waitFor(() => expect(session.value?.username).toBe("sol"));
    expect(calls("makeRecovered")).toEqual([
      ["makeRecovered", CHOSEN, "english"],
    ]);
    expect(location.hash).toBe("#0");
    expect(page.text()).not.toContain(CHOSEN.password);
    const old = { username: NAME, password: PASSWORD, pin: PIN };
    await expect(page.vault.logIn(old)).rejects.toMatchObject({ code: "login_refused" });
  });

  it("an answer that doesn't come: what to do, which sheet to keep, and it is sent again", async () => {
    await due();
    page.vault.fail("recover", problem("network"));
    await chooseAnew();
    await page.see("Keep both sheets until then.");
    await page.press("Try again");
    await waitFor(() => expect(session.value?.username).toBe("sol"));
    expect(calls("makeRecovered")).toHaveLength(1);
  });

  it.each(["recovery_over", "recovery_waiting"])("stopped meanwhile (%s): says so, and the words can be shown again", async (code) => {
    await due();
    page.vault.fail("recover", problem(code, { retryAfter: 259_200 }));
    await chooseAnew();
    await page.see("This was stopped by somebody who knows the password and the PIN");
    expect(heading()).toBe("Come back with the recovery words");
    await show();
    await page.see("You can come back");
  });

  it("whoever leaves half-way leaves no key behind", async () => {
    await due();
    await page.press("Go on");
    await page.see("Step 1 of 5");
    await page.press("← Back");
    await page.see("You can come back");
    expect(page.count.ended).toBe(0);
    history.pushState(null, "", "#0");
    dispatchEvent(new PopStateEvent("popstate"));
    await waitFor(() => expect(page.count.ended).toBe(1));
  });
});

describe("an open space while the words were shown", () => {
  const NOTICE = "The recovery words of this space were shown.";
  const pending = { begun: NOON / 1000, due: NOON / 1000 + RECOVERY_WAIT };

  async function told(): Promise<void> {
    page.vault.recovering = pending;
    page.vault.opening = { ...page.vault.opening, recovery: pending };
    await open();
  }

  it("says so on every view, until when, and leads to what can be done", async () => {
    await told();
    await page.see(NOTICE);
    expect(page.text()).toMatch(/From April 4, 2026 at/);
    for (const way of ["Documents", "Search", "Settings"]) {
      await page.press(way);
      await waitFor(() => expect(heading()).toBe(way));
      expect(page.text()).toContain(NOTICE);
      expect(document.querySelector("main [role=status]")?.textContent).toContain(NOTICE);
    }
    await page.press(/^The recovery words were shown/);
    await page.see("Somebody showed them on April 1, 2026");
    expect(page.text()).not.toContain(NOTICE);
    expect(document.querySelector("nav [aria-current]")?.textContent).toBe("Settings");
    expect(page.text()).toContain("There is nothing to do.");
  });

  it("is looked for again each minute while it is open", async () => {
    const every = vi.spyOn(globalThis, "setInterval");
    await open();
    const look = every.mock.calls.find(([, ms]) => ms === 60_000)![0] as () => void;
    every.mockRestore();
    await page.press("Settings");
    expect(page.text()).not.toContain(NOTICE);
    expect(page.text()).not.toContain("how to stop it");
    page.vault.recovering = pending;
    await act(async () => look());
    await page.see(NOTICE);
    await page.see("how to stop it");
    page.vault.fail("pendingRecovery", problem("network"));
    await act(lookForRecovery);
    expect(page.text()).toContain(NOTICE); // what isn't known anew stays
  });

  it("stops it with both secrets, and says that it may begin again", async () => {
    await told();
    await page.press("You, or not you: what to do");
    await page.type("Present password", PASSWORD);
    await page.type("Present PIN", "805194");
    await page.press("Stop it");
    await page.see("That isn’t the right PIN.");
    expect(page.vault.recovering).toEqual(pending);
    await page.type("Present PIN", PIN);
    await page.press("Stop it");
    await page.see("It is stopped. The words opened nothing.");
    await page.see("Whoever has the words can begin again");
    expect(page.vault.recovering).toBeNull();
    expect(document.activeElement?.textContent).toBe("The recovery words were shown");
    await page.press("← Settings");
    await waitFor(() => expect(heading()).toBe("Settings"));
    expect(page.text()).not.toContain(NOTICE);
    expect(page.text()).not.toContain("how to stop it");
  });

  it("forgets it at a lock", async () => {
    await told();
    await page.press("Lock");
    await page.see("Your space is locked");
    expect([recovering.value, page.text().includes(NOTICE)]).toEqual([null, false]);
  });

  it("leads to new words, which are asked back before both secrets, and hold only then; what waits is over", async () => {
    await told();
    await page.press("You, or not you: what to do");
    await page.type("Present password", PASSWORD);
    await page.type("Present PIN", PIN);
    await page.press("Stop it");
    await page.press("Make new words");
    await page.see("New recovery words");
    page.vault.recovering = pending; // begun again
    await page.press("Make new words");
    await page.see("24 words, in this order");
    await copyBack();
    await page.see("The new words are noted.");
    expect(page.text().indexOf("The new words are noted.")).toBeLessThan(page.text().indexOf("New user name"));
    await confirm("805194");
    await page.see("That isn’t the right PIN.");
    await page.see("The new words are noted.");
    await confirm(PIN);
    await waitFor(() => expect(page.text()).not.toContain("The new words are noted."));
    const asked = { username: NAME, password: PASSWORD, pin: PIN };
    expect(calls("changeCredentials").at(-1)).toEqual([
      "changeCredentials", { password: PASSWORD, pin: PIN }, asked, true,
    ]);
    expect(page.text()).not.toContain(NOTICE);
    await expect(page.vault.showRecovery(WORDS.join(" "))).rejects.toMatchObject({ code: "recovery_refused" });
  });

  it("new words that were made and not confirmed change nothing", async () => {
    await open();
    await page.press("Settings");
    await page.press(/^User name, password, PIN/);
    await page.press("Make new words");
    await page.see("24 words, in this order");
    await copyBack();
    await page.press("Keep the words from before");
    await confirm(PIN);
    await page.see("Everything is empty");
    expect(calls("changeCredentials")).toEqual([]);
  });
});

async function confirm(pin: string): Promise<void> {
  await page.type("Present password", PASSWORD);
  await page.type("Present PIN", pin);
  await page.press("Change");
}
