// @vitest-environment happy-dom
// "Save everything": what is said before, what goes along and what doesn't, the parts of much, and how it is stopped.

import { act } from "@testing-library/preact";
import { afterEach, describe, expect, it, vi } from "vitest";

import { session } from "../src/app/state.js";
import { MOST_ITEMS, type Item, type PackedItem, type SavedPack } from "../src/worker/api.js";
import { watchAddresses, watchDownloads } from "./app_documents_scene.js";
import { callsOf, until } from "./app_journal_scene.js";
import { endPage, open, startPage, type Scene } from "./app_scene.js";
import { BACKUP_WORDS } from "./memory_reading.js";
import { MemoryVault, PIN, problem } from "./memory_vault.js";
import { sampleId, sampleItem } from "./samples.js";

const DO = "Save everything";
const WORDS = sampleItem(1, { deposited: 200, title: "Hier" });
const FILE = sampleItem(2, {
  deposited: 100, kind: "document",
  contents: [{ blob: sampleId(9), name: "a.jpg", mime: "image/jpeg", size: 5_000_000, sealed: new Uint8Array(), sha256: new Uint8Array() }],
});
const SECRET = sampleItem(3, { deposited: 150, sensitive: true, contents: FILE.contents });
let page: Scene;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  endPage();
});

async function come(held: readonly Item[]): Promise<void> {
  watchAddresses();
  page = await startPage(new MemoryVault({ items: held }));
  await open();
  await page.press("Settings");
  await page.press(/^Save everything/);
  await page.see("This file isn’t sealed");
  await until(() => !page.text().includes("Loading"));
}

const button = (name: string): HTMLElement | undefined =>
  [...document.querySelectorAll<HTMLElement>("main button")].find((one) => one.textContent === name);
const ticked = (label: string): HTMLInputElement | null =>
  [...document.querySelectorAll<HTMLInputElement>("main input[type=checkbox]")]
    .find((one) => one.closest("label, div")?.textContent?.includes(label)) ?? null;
const box = (): HTMLInputElement | null => ticked("With what is sensitive");
const tick = (): Promise<void> => act(async () => box()!.click());
const lacking = (): readonly (string | null)[] =>
  [...document.querySelectorAll("main [role=status] li")].map(({ textContent }) => textContent);
const saved = (): readonly (readonly number[])[] =>
  callsOf(page.vault, "saveOwn").map(([, items]) => (items as PackedItem[]).map(({ item }) => Number(item.slice(6, 21))));

async function give(pin: string): Promise<void> {
  await page.see("Your PIN, once more");
  await page.type("PIN", pin);
  await page.press("Open");
}

describe("what is said before", () => {
  it("begins with its heading, leads back, and names what it can't hold; nothing happens without a press", async () => {
    await come([WORDS, FILE, sampleItem(4, { state: "missing", kind: null }), sampleItem(5, { state: "newer_version", kind: null })]);
    expect(document.activeElement?.textContent).toBe("Save everything");
    expect(document.querySelector("main a")?.getAttribute("href")).toBe("#4");
    for (const words of ["Whoever has the file", "from the bin as well", "10\u00a0MB", "2 items don’t open here"]) {
      expect(page.text()).toContain(words);
    }
    expect([box(), saved()]).toEqual([null, []]);
  });

  it("says so where there is nothing, and offers nothing to press", async () => {
    await come([sampleItem(4, { state: "missing", kind: null })]);
    await page.see("There is nothing to save for now.");
    expect(button(DO)).toBeUndefined();
  });

  it("says so where all of it is sensitive, and nothing is ticked", async () => {
    await come([SECRET]);
    await page.see("Everything you keep here is sensitive.");
    expect(button(DO)).toBeUndefined();
    await tick();
    await give(PIN);
    await until(() => button(DO));
    await page.press(DO);
    await page.see("1 item given");
  });
});

describe("what goes along", () => {
  it("is all that is open, the oldest first, also what was made to be shared", async () => {
    const downloads = watchDownloads();
    await come([WORDS, FILE, SECRET, sampleItem(4, { deposited: 300, kind: "extract" })]);
    await page.press(DO);
    await page.see("3 items given to the browser under the name dossier.zip");
    expect([saved(), downloads.map(({ name }) => name)]).toEqual([[[2, 1, 4]], ["dossier.zip"]]);
    expect(callsOf(page.vault, "stepUp")).toEqual([]);
    await page.see("open verify.html");
  });

  it("is what is sensitive as well, after a tick and the PIN; a wrong one is said and asked for again", async () => {
    await come([WORDS, FILE, SECRET]);
    await page.see("With what is sensitive (1)");
    expect(page.text()).not.toContain("20\u00a0MB");
    await tick();
    await give("123123");
    await page.see("That isn’t the right PIN.");
    await give(PIN);
    await page.see("20\u00a0MB");
    expect(box()!.checked).toBe(true);
    await page.press(DO);
    await page.see("3 items given");
    expect(saved()).toEqual([[2, 3, 1]]);
  });

  it("isn’t where the PIN is not given: the tick goes", async () => {
    await come([WORDS, SECRET]);
    await tick();
    await page.see("Your PIN, once more");
    await page.press("Cancel");
    await until(() => !box()!.checked);
    await page.press(DO);
    await page.see("1 item given");
    expect(saved()).toEqual([[1]]);
  });

  it("asks for the PIN once more where it has closed meanwhile, and saves nothing without it", async () => {
    await come([WORDS, SECRET]);
    await tick();
    await give(PIN);
    await until(() => document.querySelector("dialog") === null);
    await act(async () => page.vault.dropSensitive());
    await page.see("Sensitive files come on top.");
    await page.press(DO);
    await page.see("Your PIN, once more");
    await page.press("Cancel");
    await until(() => document.querySelector("dialog") === null);
    expect(saved()).toEqual([]);
    await page.press(DO);
    await give(PIN);
    await page.see("2 items given");
    expect(saved()).toEqual([[3, 1]]);
  });

  it("is saved once, however often the button is pressed in one moment", async () => {
    await come([WORDS]);
    await act(async () => {
      button(DO)!.click();
      button(DO)!.click();
    });
    await page.see("1 item given");
    expect(saved()).toEqual([[1]]);
  });

  it("is saved while a warning stands", async () => {
    await come([WORDS]);
    await act(async () => page.vault.tell({ kind: "warnings", codes: ["blob_swapped"] }));
    await page.press(DO);
    await page.see("1 item given");
  });
});

describe("more than one file holds", () => {
  const many = Array.from({ length: MOST_ITEMS + 1 }, (_, n) => sampleItem(n + 1, { deposited: n + 1 }));

  it("goes into several, each by a press of its own; what is written meanwhile moves none", async () => {
    const downloads = watchDownloads();
    await come(many);
    await page.see("They go into 2 files");
    await page.press("Save part 1 of 2");
    await page.see(`${MOST_ITEMS} items given to the browser under the name dossier-1.zip`);
    await page.see("1 part is still to be saved.");
    await act(async () => page.vault.add(sampleItem(9999, { deposited: 0 })));
    await page.press("Save part 2 of 2");
    await page.see("1 item given to the browser under the name dossier-2.zip");
    expect(saved().map((one) => [one.length, one[0], one.at(-1)])).toEqual([[500, 1, 500], [1, 501, 501]]);
    expect(downloads.map(({ name }) => name)).toEqual(["dossier-1.zip", "dossier-2.zip"]);
    await until(() => button("Save part 1 of 2")); // anew, with what was written since
  });

  it("offers a part again that failed", async () => {
    await come(many);
    await page.press("Save part 1 of 2");
    await page.see("1 part is still to be saved.");
    page.vault.fail("saveOwn", problem("network"));
    await page.press("Save part 2 of 2");
    await page.see("The service can’t be reached.");
    await page.press("Save part 2 of 2");
    await page.see("under the name dossier-2.zip");
    expect(saved().map((one) => one.length)).toEqual([500, 1, 1]);
  });
});

describe("somebody who stops it", () => {
  async function writing(): Promise<readonly string[]> {
    await come([WORDS]);
    let fail: (error: unknown) => void = () => undefined;
    const left: string[] = [];
    page.vault.saveOwn = () => new Promise((_, reject) => (fail = reject));
    page.vault.leaveOwn = () => {
      left.push("left");
      return Promise.resolve(fail(problem("paused")));
    };
    await page.press(DO);
    await page.see("Leave this page open.");
    return left;
  }

  it("is told that nothing was saved, and has the button again", async () => {
    const left = await writing();
    await page.press("Stop");
    await page.see("Nothing was saved this time.");
    expect([left, document.querySelector("main [role=alert]")]).toEqual([["left"], null]);
    expect(document.activeElement).toBe(button(DO));
    expect(button("Stop")).toBeUndefined();
  });

  it("too late is told that it was saved", async () => {
    await come([WORDS]);
    let end: (pack: SavedPack) => void = () => undefined;
    page.vault.saveOwn = () => new Promise((resolve) => (end = resolve));
    await page.press(DO);
    await page.see("Leave this page open.");
    await page.press("Stop");
    await act(async () => end({ blob: new Blob(), left: [], lost: [], unsaid: 0, isContinued: true }));
    await page.see("1 item given");
    expect(page.text()).not.toContain("Nothing was saved");
  });

  it("is told what is not in it: items and files by their names, and files without a receipt", async () => {
    await come([WORDS, FILE]);
    page.vault.unproven = [{ item: WORDS.id, revision: WORDS.revision }];
    const file = { item: FILE.id, revision: FILE.revision };
    page.vault.lost = [{ ...file, name: "a.jpg", isThere: false }, { ...file, name: "b.mp4", isThere: true }];
    await page.press(DO);
    await page.see("1 item given");
    const said = page.text();
    expect(said).toContain("the service gave no receipt of it that holds:");
    expect(said).toContain("This file isn’t in it, because the service didn’t give it as it was deposited, or it was sealed otherwise than its entry says:");
    expect(said).toContain("This file is in it without a receipt that holds:");
    expect(lacking()).toEqual(["Hier", "“a.jpg”, with Untitled document", "“b.mp4”, with Untitled document"]);
  });

  it("is told no name of what is behind the PIN once that has closed", async () => {
    await come([SECRET]);
    page.vault.lost = [{ item: SECRET.id, revision: SECRET.revision, name: "a.jpg", isThere: false }];
    await tick();
    await give(PIN);
    await until(() => button(DO));
    await page.press(DO);
    await page.see("1 item given");
    expect(lacking()).toEqual([expect.stringContaining("a.jpg")]);
    await act(async () => page.vault.dropSensitive());
    await until(() => lacking()[0] === "A file, with Behind the PIN");
  });

  it.each([["goes to another page", "Journal"], ["locks", "Lock"]])("because they go (%s) leaves nothing running", async (_, way) => {
    const left = await writing();
    await page.press(way);
    await until(() => left.length > 0);
    if (way === "Lock") await until(() => session.value === null);
  });

  it("has chosen a file, or none", async () => {
    const pick = vi.fn(() => Promise.reject(new DOMException("", "AbortError")) as Promise<unknown>);
    vi.stubGlobal("showSaveFilePicker", pick);
    await come([WORDS]);
    await page.press(DO);
    await until(() => pick.mock.calls.length === 1);
    expect(saved()).toEqual([]);
    pick.mockImplementation(() => Promise.resolve({ name: "mardi.zip" }));
    await page.press(DO);
    await page.see("1 item saved under the name mardi.zip.");
    expect(callsOf(page.vault, "saveOwn")[0]![0]).toEqual({ name: "mardi.zip" });
  });
});

describe("sealed", () => {
  const seal = (): Promise<void> => act(async () => ticked("Seal the file, with 24 words")!.click());
  const kinds = (): readonly unknown[] => callsOf(page.vault, "saveOwn").map(([, , sealed]) => sealed);

  async function noted(): Promise<void> {
    await seal();
    await page.press("Show the words");
    await page.see("The words of this file");
    for (const word of BACKUP_WORDS) expect(page.text()).toContain(word);
    await page.press("I have noted them");
    await answer((place) => BACKUP_WORDS[place]!.toUpperCase());
    await page.press("Check");
    await page.see("The words are on your paper.");
  }

  async function answer(word: (place: number) => string): Promise<void> {
    const labels = [...document.querySelectorAll("main label")].map(({ textContent }) => /Word (\d+)/.exec(textContent ?? ""));
    for (const found of labels) if (found) await page.type(found[0], word(Number(found[1]) - 1));
  }

  it("says what that means, and saves nothing before the words were typed back", async () => {
    const downloads = watchDownloads();
    await come([WORDS]);
    expect(page.text()).not.toContain("Nobody can find these words again");
    await seal();
    await page.see("Nobody can find these words again");
    expect(page.text()).not.toContain("This file isn’t sealed");
    expect(button(DO) ?? button("Save it sealed")).toBeUndefined();
    await page.press("Show the words");
    await page.see("The words of this file");
    expect(document.activeElement?.textContent).toBe("The words of this file");
    await page.press("I have noted them");
    await answer(() => "autre");
    await page.press("Check");
    await page.see("At least one word is different.");
    await page.press("See the words again");
    await page.press("I have noted them");
    await answer((place) => ` ${BACKUP_WORDS[place]!}`);
    await page.press("Check");
    await page.see("The words are on your paper.");
    expect([saved(), page.text().includes(BACKUP_WORDS[3]!)]).toEqual([[], false]);
    await page.press("Save it sealed");
    await page.see("1 item given to the browser under the name misc:");
    await page.see("temoin backup open");
    expect(page.text()).not.toContain("verify.html");
    expect([saved(), kinds(), downloads.map(({ name }) => name)]).toEqual([[[1]], [true], ["misc"]]);
    await page.press("Save the page that opens it");
    await page.see("It holds nothing of yours");
    expect(downloads.map(({ name }) => name)).toEqual(["misc", "page.html"]);
    expect(button("Show the words")).toBeUndefined(); // another one has words of its own
    expect(button("Make another one, with other words")).toBeDefined();
    await seal();
    expect(page.text()).not.toContain("temoin backup open");
    expect(callsOf(page.vault, "makeBackupWords")).toEqual([["english"]]);
  });

  it("is left again: the words are gone, and the file is as it would be", async () => {
    await come([WORDS]);
    await seal();
    await page.press("Show the words");
    await page.press(/← Save everything/);
    await until(() => button("Show the words"));
    expect(page.text()).not.toContain(BACKUP_WORDS[3]!);
    expect(ticked("Seal the file, with 24 words")!.checked).toBe(true);
    await seal();
    await page.press(DO);
    await page.see("under the name dossier.zip");
    expect(kinds()).toEqual([false]);
  });

  it("goes into several with the same words", async () => {
    const downloads = watchDownloads();
    await come(Array.from({ length: MOST_ITEMS + 1 }, (_, n) => sampleItem(n + 1, { deposited: n + 1 })));
    await noted();
    await page.press("Save part 1 of 2");
    await page.see("under the name misc-1");
    await page.press("Save part 2 of 2");
    await page.see("under the name misc-2");
    expect([kinds(), downloads.map(({ name }) => name)]).toEqual([[true, true], ["misc-1", "misc-2"]]);
    expect(callsOf(page.vault, "makeBackupWords").length).toBe(1);
  });

  it("asks for no kind of file, and says what failed", async () => {
    const pick = vi.fn((_: unknown) => Promise.resolve({ name: "photos" }));
    vi.stubGlobal("showSaveFilePicker", pick);
    await come([WORDS]);
    await noted();
    page.vault.fail("saveOwn", problem("device_full"));
    await page.press("Save it sealed");
    await until(() => document.querySelector("main [role=alert]"));
    await page.press("Save it sealed");
    await page.see("1 item saved under the name photos.");
    expect(pick.mock.calls[0]).toEqual([{ suggestedName: "misc" }]);
  });
});
