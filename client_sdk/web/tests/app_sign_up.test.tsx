// @vitest-environment happy-dom
// Getting in: the whole order of sign-up, logging in and what its refusals say, the PIN asked for once more.

import { act, waitFor } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { askPin } from "../src/app/parts/index.js";
import { givenBack, lostFiles, sensitiveUntil, session, settled, unread, warnings } from "../src/app/state.js";
import { drawPlaces } from "../src/app/views/account/sheet.js";
import { judgeStrength } from "../src/app/views/account/judge.js";
import { ENOUGH } from "../src/app/views/account/strength.js";
import { NAME, PASSWORD, PIN, problem, WORDS } from "./memory_vault.js";
import { CHOSEN, choose, endPage, open, startPage, type Scene } from "./app_scene.js";

let page: Scene;

beforeEach(async () => {
  page = await startPage();
});
afterEach(endPage);

const calls = (name: string): readonly (readonly unknown[])[] => page.vault.calls.filter(([called]) => called === name);
const asked = (): readonly number[] =>
  [...document.querySelectorAll(".asked-words label")]
    .map((label) => Number(/\d+/.exec(label.textContent ?? "")![0]) - 1);

async function upToTheSheet(pin: string = CHOSEN.pin): Promise<void> {
  await page.press("Make a space");
  await page.press("Begin");
  await choose({ ...CHOSEN, pin });
}

describe("signing up", () => {
  it("goes through every step, asks four words back, sends, and is in", async () => {
    expect(page.count.started).toBe(0);
    await upToTheSheet();
    await page.see("24 words, in this order");
    expect(page.count.started).toBe(1);
    expect([...document.querySelectorAll(".sheet li")].map((word) => word.textContent)).toEqual(WORDS);
    await page.press("I have noted them");
    const places = asked();
    expect(new Set(places).size).toBe(4);
    for (const place of places) await page.type(`Word ${place + 1}`, ` ${WORDS[place]!.toUpperCase()} `);
    expect(calls("register").length).toBe(0);
    await page.press("Check");
    await waitFor(() => expect(session.value?.username).toBe("sol"));
    expect(calls("makeAccount"))
      .toEqual([["makeAccount", CHOSEN, "english"]]);
    expect(location.hash).toBe("#0");
    expect(page.text()).not.toContain(CHOSEN.password);
    expect(page.count.ended).toBe(0);
  });

  it("starts the vault while the name is typed, and not for who only reads what comes first", async () => {
    await page.press("Make a space");
    await page.see("Before you make a space");
    expect(page.count.started).toBe(0);
    await page.press("Begin");
    await page.see("Step 1 of 5");
    expect(page.count.started).toBe(1);
    expect(calls("requireNew")).toEqual([]);
  });

  it("can't end before the words were written down", async () => {
    await upToTheSheet();
    await page.press("I have noted them");
    for (const place of asked()) await page.type(`Word ${place + 1}`, "abaisser");
    await page.press("Check");
    await page.see("At least one word is different");
    expect(calls("register").length).toBe(0);
    await page.press("See the words again");
    await page.see("24 words, in this order");
    await page.press("I have noted them");
    await page.press("Check all 24 words");
    expect(asked()).toEqual(WORDS.map((_, place) => place));
    for (const [place, word] of WORDS.entries()) await page.type(`Word ${place + 1}`, word);
    await page.press("Check");
    await waitFor(() => expect(session.value).not.toBeNull());
  });

  it("refuses a password that is easy to guess, and says what would help", async () => {
    await page.press("Make a space");
    await page.press("Begin");
    await page.type("User name", "sol");
    await page.press("Go on");
    await page.see("Step 2 of 5");
    await page.type("Password", "password12");
    await page.see("Easy to guess.");
    await page.press("Go on");
    await page.see("too easy to guess. Three or four");
    expect(page.text()).toContain("Step 2 of 5");
    await page.type("Password", "short");
    await waitFor(() => expect(page.text()).not.toContain("Three or four unrelated words, or a sentence"));
    await page.press("Go on");
    await page.see("The password has 8 characters or more.");
  });

  it("names the rule that a PIN breaks, and two PINs that differ", async () => {
    await upToTheSheet("123456");
    await page.see("one of the commonest");
    expect(page.text()).toContain("Step 3 of 5");
    await page.type("PIN", "482913");
    await page.press("Go on");
    await page.see("The two PINs differ.");
    const field = document.querySelector("[aria-invalid=true]")!;
    expect(document.getElementById(field.getAttribute("aria-describedby")!)?.textContent).toContain("differ");
  });

  it("sends the same again after a lost answer, and goes back to the name where the pair is taken", async () => {
    await upToTheSheet();
    await page.press("I have noted them");
    for (const place of asked()) await page.type(`Word ${place + 1}`, WORDS[place]!);
    page.vault.fail("register", problem("network"));
    await page.press("Check");
    await page.see("Your sheet stays the right one");
    page.vault.fail("register", problem("account_exists"));
    await page.press("Try again");
    await page.see("This user name with this password can’t be used.");
    await page.see("Step 1 of 5");
    expect(calls("makeAccount").length).toBe(1);
  });

  it("leaves no key behind when it is left half-way", async () => {
    await upToTheSheet();
    await page.see("24 words");
    history.pushState(null, "", "#0");
    await act(async () => void dispatchEvent(new PopStateEvent("popstate")));
    await page.see("Your space is locked");
    expect(page.count).toEqual({ started: 1, ended: 1 });
    expect(page.text()).not.toContain(WORDS[3]);
  });

  it("draws the places by chance, in order, each once", () => {
    const drawn = Array.from({ length: 60 }, () => drawPlaces(4));
    const rises = (places: readonly number[]): boolean =>
      places.every((place, n) => place < 24 && (n === 0 || place > places[n - 1]!));
    expect(drawn.every(rises)).toBe(true);
    expect(new Set(drawn.flat()).size).toBeGreaterThan(20);
    expect(drawPlaces(24)).toEqual(Array.from({ length: 24 }, (_, place) => place));
  });
});

describe("a password's strength", () => {
  it("is judged with the same threshold as in Python, in both languages", async () => {
    for (const language of ["fr", "en"]) {
      for (const weak of ["password1", "azerty123", "camille1987", "temoin2024", "12345678", "aaaaaaaaaa"]) {
        expect((await judgeStrength(weak, "camille", language)).score, weak).toBeLessThan(ENOUGH);
      }
      for (const strong of [CHOSEN.password, "correct horse battery staple", "x9$Kp2!vRq7&"]) {
        expect((await judgeStrength(strong, "camille", language)).score, strong).toBeGreaterThanOrEqual(ENOUGH);
      }
    }
  });

  it("comes with advice that the pages have words for", async () => {
    const words = (await import("../locales/fr.json")).default.account.strength.advice;
    for (const weak of ["qwertyuiop", "camille", "12/03/1987", "aaaa", "abcabcabc", "motdepasse", "P@ssw0rd"]) {
      const { advice } = await judgeStrength(weak, "camille", "fr");
      expect(advice.length, weak).toBeGreaterThan(0);
      expect(advice.filter((one) => !(one in words))).toEqual([]);
    }
  });
});

describe("logging in", () => {
  const fill = async (password = PASSWORD, pin = PIN): Promise<void> => {
    await page.press("Open my space");
    await page.type("User name", NAME);
    await page.type("Password", password);
    await page.type("PIN", pin);
    await page.press("Open");
  };

  it("says when the space was last opened, and what was tried meanwhile", async () => {
    page.vault.opening = {
      ...page.vault.opening, wrongPins: 3, wrongTotal: 12, adviseChange: true, warnings: ["items_missing"],
    };
    await fill();
    await page.see("3 wrong PINs tried since.");
    await page.see("It is better to change the password");
    await page.see("Nothing is edited or deleted meanwhile");
    expect(warnings.value).toEqual(["items_missing"]);
    await page.press("Got it");
    expect(unread.value).toBeNull();
  });

  it("says what to do after each refusal, and takes no try while there is a time to wait", async () => {
    await fill(PASSWORD, "000000");
    await page.see("That isn’t the right PIN.");
    expect(document.querySelector<HTMLInputElement>("input[inputmode=numeric]")!.value).toBe("");
    expect(document.activeElement?.getAttribute("inputmode")).toBe("numeric");
    page.vault.fail("logIn", problem("pin_locked", { retryAfter: 90 }));
    await page.type("PIN", PIN);
    await page.press("Open");
    await page.see("Wait 2 minutes before you try again.");
    await page.see("You can try again in");
    await page.press("Open");
    expect(calls("logIn").length).toBe(2);
    await page.press("Open again after wrong PINs");
    await page.see("The 24 words");
  });

  it("opens a closed PIN by the recovery words", async () => {
    page.vault.fail("logIn", problem("pin_closed"));
    await fill();
    await page.see("Twenty wrong PINs");
    await page.press("Open again after wrong PINs");
    await page.type("User name", NAME);
    await page.type("Password", PASSWORD);
    await page.type("The 24 words", WORDS.slice(1).join(" "));
    await page.press("Open the way");
    await page.see("The recovery words aren’t right.");
    await page.type("The 24 words", WORDS.join("\n").toUpperCase());
    await page.press("Open the way");
    await page.see("The way is open again");
  });

  it("offers nothing to the browser's memory", async () => {
    await page.press("Open my space");
    const inputs = [...document.querySelectorAll("input")];
    expect(inputs.map((input) => input.getAttribute("autocomplete"))).toEqual(["off", "one-time-code", "one-time-code"]);
    expect(inputs.map((input) => input.type)).toEqual(["text", "password", "password"]);
    expect(inputs.every((input) => input.name === "" && input.getAttribute("data-bwignore") === "true")).toBe(true);
    expect(document.querySelector("form")!.hasAttribute("action")).toBe(false);
  });
});

describe("the PIN once more", () => {
  it("is asked for once, by whomever, and answers all of them", async () => {
    const submit = (): Promise<void> => act(async () => {
      document.querySelector("dialog form")!.dispatchEvent(new Event("submit", { cancelable: true }));
    });
    await open();
    const answers = Promise.all([askPin(), askPin()]);
    await page.see("Your PIN, once more");
    expect(document.querySelector("dialog [data-exit]")).not.toBeNull();
    await page.type("PIN", "000000");
    await submit();
    await page.see("That isn’t the right PIN.");
    await page.type("PIN", PIN);
    await submit();
    expect(await answers).toEqual([true, true]);
    expect(sensitiveUntil.value).toBeGreaterThan(Date.now());
    expect(await askPin()).toBe(true);
    await page.see("What is sensitive is open.");
    await page.press("Close it");
    expect(sensitiveUntil.value).toBeNull();
  });

  it("is answered by no where it is put off, or the page goes", async () => {
    await open();
    const first = askPin();
    await page.press("Cancel");
    expect(await first).toBe(false);
    const second = askPin();
    await page.see("Your PIN, once more");
    dispatchEvent(new Event("leaving"));
    expect(await second).toBe(false);
  });
});

describe("settings", () => {
  beforeEach(open);

  it("change what was filled in, with password and PIN once more", async () => {
    await page.press("Settings");
    await page.press(/^User name, password, PIN/);
    await page.see("User name: ");
    await page.type("New user name", "sol");
    await page.type("New PIN", "482913");
    await page.type("The same PIN again", "482913");
    await page.type("Present password", PASSWORD);
    await page.type("Present PIN", PIN);
    await page.press("Change");
    await page.see("It is changed.");
    expect(calls("changeCredentials").at(-1)).toEqual([
      "changeCredentials", { password: PASSWORD, pin: PIN }, { username: "sol", password: PASSWORD, pin: "482913" },
      false,
    ]);
    expect(session.value?.username).toBe("sol");
  });

  it("change nothing where nothing was filled in", async () => {
    await page.press("Settings");
    await page.press(/^User name, password, PIN/);
    await page.type("Present password", PASSWORD);
    await page.type("Present PIN", PIN);
    await page.press("Change");
    await page.see("Everything is empty");
    expect(calls("changeCredentials")).toEqual([]);
  });

  it("lock where nobody knows whether a change arrived, and say which pair to try first", async () => {
    await page.press("Settings");
    await page.press(/^User name, password, PIN/);
    await page.type("New PIN", "482913");
    await page.type("The same PIN again", "482913");
    await page.type("Present password", PASSWORD);
    await page.type("Present PIN", PIN);
    page.vault.fail("changeCredentials", problem("network"));
    await page.press("Change");
    await page.see("Try the new password and PIN first, then the old ones.");
    expect(session.value).toBeNull();
  });

  it("end all other sessions, with password and PIN once more", async () => {
    await page.press("Settings");
    await page.press(/^Where your space is open/);
    await page.see("Elsewhere");
    expect(page.text()).toMatch(/Here.*Elsewhere/s);
    const change = [...document.querySelectorAll("a")].find(({ textContent }) => textContent === "Change now");
    expect(change?.getAttribute("href")).toBe("#5");
    await page.type("Present password", PASSWORD);
    await page.type("Present PIN", PIN);
    await page.press("Lock everywhere else");
    await page.see("1 session ended.");
    expect(page.text()).not.toContain("Elsewhere");
  });

  it("explain a warning, and end it with password and PIN", async () => {
    page.vault.tell({ kind: "warnings", codes: ["items_missing", "brand_new"] });
    await page.press("See what it is");
    await page.see("Something that was kept is no longer shown");
    await page.see("The service showed something unexpected.");
    await page.see("as evidence");
    await page.type("Present password", PASSWORD);
    await page.type("Present PIN", PIN);
    await page.press("End the warning");
    await page.see("There is no warning.");
    await page.see("Editing and deleting work again.");
    expect(page.text()).not.toMatch(/stand by themselves|kept without it|given up|tried again/);
  });

  it("say what the service has signed of an older copy, and that this excuses nothing", async () => {
    page.vault.setBack = [{ time: 1_795_748_400, size: 812, was: 829 }];
    page.vault.tell({ kind: "warnings", codes: ["ledger_forked"] });
    await page.press("See what it is");
    await page.see("Its ledger goes on from 812 of 829 entries.");
    await page.see("The warning stands all the same");
    await act(async () => page.vault.tell({ kind: "warnings", codes: ["blob_swapped"] }));
    expect(page.text()).not.toContain("812");
  });

  it("say what was given back, and what came of ending a warning", async () => {
    const [first, second] = (await page.vault.items()).filter(({ title }) => title !== null && title !== "");
    page.vault.settled = {
      givenBack: 0, anew: [first!.id], writtenOff: 2, files: [{ item: second!.id, title: second!.title!, name: "hall.jpg" }],
      left: "quota_full", recordOlder: true,
    };
    page.vault.tell({ kind: "given_back", count: 3 });
    await page.see("3 things that the service no longer had were on this device.");
    page.vault.tell({ kind: "warnings", codes: ["items_missing"] });
    await page.press("See what it is");
    await page.see("3 things that the service no longer had");
    await page.see("your devices stop asking for it");
    await page.type("Present password", PASSWORD);
    await page.type("Present PIN", PIN);
    await page.press("End the warning");
    await page.see("“hall.jpg”, with");
    await page.see("may be those from before again: somebody who knows them could open your space.");
    await page.see("2 versions of what you kept");
    await page.see("not enough room left in your space");
    await page.press(first!.title!);
    await page.see(first!.text!.slice(0, 20));
    page.vault.tell({ kind: "session_ended", code: "unauthorized" });
    await act(async () => undefined);
    expect([settled.value, givenBack.value]).toEqual([null, 0]);
  });

  it("name files that the service has lost where somebody opens the space, and forget them at a lock", async () => {
    const [first] = (await page.vault.items()).filter(({ title }) => title !== null && title !== "");
    const files = [{ item: first!.id, title: first!.title!, name: "hall.jpg" }, { item: "gone", title: "Le soir", name: "b.pdf" }];
    await act(async () => page.vault.tell({ kind: "lost_files", files }));
    await page.see("The service no longer has these files.");
    await page.see("“b.pdf”, with Le soir");
    const [link] = [...document.querySelectorAll("main [role=status] a")];
    expect(link!.textContent).toBe(first!.title);
    await page.press(first!.title!);
    await page.see(first!.text!.slice(0, 20));
    page.vault.tell({ kind: "session_ended", code: "unauthorized" });
    await act(async () => undefined);
    expect(lostFiles.value).toEqual([]);
  });

  it("say which seconds of a recording the service has lost, and that the rest is kept", async () => {
    const [first] = (await page.vault.items()).filter(({ title }) => title !== null && title !== "");
    const lost = { item: first!.id, title: first!.title!, name: "1.webm" };
    await act(async () => page.vault.tell({ kind: "lost_files", files: [{ ...lost, gap: { first: 65, count: 7 } }] }));
    await page.see("A part of a recording is missing, about 7 seconds, near 1:05");
    expect(page.text()).not.toContain("add it again");
    await act(async () => page.vault.tell({ kind: "lost_files", files: [{ ...lost, gap: { first: 0, count: 1 } }, lost] }));
    await page.see("The beginning of a recording is missing, about 1 second:");
    await page.see("“1.webm”, with");
    await page.press(first!.title!);
    await page.see(first!.text!.slice(0, 20));
  });

  it("name no file of what is behind the PIN while that is closed, nor one that has no name", async () => {
    const { id, title } = (await page.vault.items()).find(({ sensitive }) => sensitive)!;
    const files = [{ item: id, title: title ?? "", name: "hall.jpg" }, { item: "gone", title: "Le soir", name: "" }];
    await act(async () => page.vault.tell({ kind: "lost_files", files }));
    await page.see("A file, with Behind the PIN");
    await page.see("A file, with Le soir");
    expect(page.text()).not.toContain("hall.jpg");
    await act(() => page.vault.stepUp(PIN));
    await page.see("“hall.jpg”, with");
    await act(async () => page.vault.dropSensitive());
    await page.see("A file, with Behind the PIN");
  });

  it("say of a ledger that lags that nothing is blocked", async () => {
    page.vault.tell({ kind: "warnings", codes: ["ledger_lags"] });
    await page.see("Everything goes on.");
    await page.press("See what it is");
    await page.see("Nothing is blocked.");
    expect(document.querySelector("form")).toBeNull();
  });
});
