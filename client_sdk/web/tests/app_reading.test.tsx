// @vitest-environment happy-dom
// What somebody shared, on the page: from the address of a link to what was handed over, and closed again.
import { act, waitFor } from "@testing-library/preact";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { met } from "../src/app/link.js";
import { IDLE_MS } from "../src/app/lock.js";
import { go } from "../src/app/router.js";
import { closed, reading } from "../src/app/state.js";
import { watchAddresses, watchDownloads } from "./app_documents_scene.js";
import { answer, callsOf } from "./app_journal_scene.js";
import { endPage, open, startPage, type Scene } from "./app_scene.js";
import type { Content, Item, SentWords } from "../src/worker/api.js";
import { CODE, LINK, MESSAGE } from "./memory_reading.js";
import { MemoryVault, PASSWORD, PIN, problem } from "./memory_vault.js";

const SECRET = LINK.slice(2);
let page: Scene;

const follow = async (hash: string): Promise<void> => act(async () => {
  history.pushState(null, "", `/app${hash}`);
  dispatchEvent(new HashChangeEvent("hashchange"));
});
const codeField = (): HTMLInputElement => document.querySelector("form input")!;
const openLink = async (): Promise<void> => {
  page = await startPage(new MemoryVault(), `/app${LINK}`);
  await page.type("The code", CODE);
  await page.press("Open");
  await page.see("What the person wrote to you");
};

beforeAll(async () => { // what a page loads when it is needed
  await Promise.all([import("../src/app/views/reading/index.js"), import("../src/app/views/account/index.js")]);
}, 30_000);

afterEach(() => {
  endPage();
  vi.useRealTimers();
});

describe("a link", () => {
  test("leaves the address at once, the worker has it, and then the page doesn't", async () => {
    page = await startPage(new MemoryVault(), `/app${LINK}`);
    expect(location.hash).toBe("#60");
    await page.see("The code");
    expect(callsOf(page.vault, "meetLink")).toEqual([[LINK]]);
    expect(met.value).toBeNull();
    expect(JSON.stringify(history.state) + location.href + document.body.innerHTML).not.toContain(SECRET.slice(0, 12));
  });

  test("is met in a page that is there already, and asks for the code anew", async () => {
    page = await startPage();
    await follow(LINK);
    expect(location.hash).toBe("#60");
    await page.see("The code");
    await follow(`#b${"C".repeat(64)}`);
    await page.see("The code");
    expect(location.hash).toBe("#60");
    expect(callsOf(page.vault, "meetLink")).toHaveLength(2);
  });

  test("that isn't whole says so, and asks for no code", async () => {
    page = await startPage(new MemoryVault(), "/app#bAAAA");
    await page.see("This link is not whole");
    expect(document.querySelector("form")).toBeNull();
    expect(page.text()).not.toMatch(/type the code|Each opening is counted/);
  });

  test("is tried again where the worker could not be had", async () => {
    const vault = new MemoryVault();
    vault.fail("meetLink", problem("network"));
    page = await startPage(vault, `/app${LINK}`);
    await page.press("Try again");
    await page.see("The code");
  });

  test("says how many tries are left, and asks no more after the fifth", async () => {
    page = await startPage(new MemoryVault(), `/app${LINK}`);
    await page.see("The code");
    await page.type("The code", "123");
    await page.press("Open");
    await page.see("eight digits");
    for (const left of ["4 tries left", "3 tries left", "2 tries left", "1 try left"]) {
      await page.type("The code", "0000 0000");
      await page.press("Open");
      await page.see(left);
      expect(codeField().value).toBe("");
    }
    await page.type("The code", "00000000");
    await page.press("Open");
    await page.see("this link opens nothing any more");
    expect(document.querySelector("form input")).toBeNull();
  });

  test("that the service doesn't know any more says whom to ask, and asks for no code", async () => {
    page = await startPage(new MemoryVault(), `/app${LINK}`);
    await page.see("The code");
    page.vault.fail("openLink", problem("not_found"));
    await page.type("The code", CODE);
    await page.press("Open");
    await page.see("Ask the person who gave you the link.");
    expect(document.querySelector("form input")).toBeNull();
    expect(page.text()).not.toMatch(/type the code|Each opening is counted/);
  });

  test("without what it carried says to open it again", async () => {
    page = await startPage(new MemoryVault(), "/app#60");
    await page.see("Open the link again");
    expect(page.count.started).toBe(0);
  });
});

describe("what was handed over", () => {
  beforeEach(openLink);

  test("is the message, then everything in the order of the facts, each with its receipt", async () => {
    expect(location.hash).toBe("#62");
    expect(page.text()).toContain(MESSAGE.split("\n")[0]);
    const titles = [...document.querySelectorAll(".handed h3")].map((one) => one.textContent);
    expect(titles.indexOf("La première fois")).toBeLessThan(titles.indexOf("Une bonne journée"));
    expect(titles.at(-1)).toBe("Not given");
    expect(page.text()).toContain("1 item isn’t given as it was shared");
    expect(page.text()).toContain("was erased meanwhile, or is withheld");
    expect(page.text()).toContain("No receipt that holds.");
    expect(page.text()).toContain("A signature in the receipt is not genuine");
    expect(page.text()).toContain("The receipt is valid. Deposited on");
    expect(page.text()).toContain("as this service names it");
    expect(page.text()).toContain("Who made these bytes.");
    expect(document.querySelectorAll('a[href^="#40"]')).toHaveLength(0); // no receipt of an own item is offered
  });

  test("calls an entry without a title by its time: its words stand there once", async () => {
    const first = reading.value!.shared.items.find(({ item }) => item.kind === "journal" && item.state === "open")!;
    const item: Item = { ...first.item, title: null, text: "Rien que des mots.", happened: null };
    await act(async () => {
      const { vault, shared } = reading.value!;
      reading.value = { vault, shared: { ...shared, items: [{ ...first, item }] } };
    });
    await page.see("Rien que des mots.");
    expect(page.text().split("Rien que des mots.")).toHaveLength(2);
    expect(document.querySelector(".handed h3")!.textContent).toContain("Written on");
  });

  test("says of an extract that it is one, and of a covered picture that it is a copy", async () => {
    const [first] = reading.value!.shared.items.filter(({ item }) => item.contents.some(({ name }) => name.endsWith(".png")));
    const { item } = first!;
    const [{ blob }] = item.contents as [Content];
    const part: Item = { ...item, kind: "extract", text: "[…] tout vu.", of: { item: item.id, revision: 1 }, masked: [blob] };
    await act(async () => {
      const { vault, shared } = reading.value!;
      reading.value = { vault, shared: { ...shared, items: [{ ...first!, item: part }] } };
    });
    await page.see("parts were left out by the person who shared it");
    await page.see("A copy, not the original");
    const headings = [...document.querySelectorAll("h4")].map((one) => one.textContent);
    expect(headings).toEqual(["The copy"]);
    await act(async () => {
      const { vault, shared } = reading.value!;
      reading.value = { vault, shared: { ...shared, items: [{ ...first!, item: { ...part, masked: [] } }] } };
    });
    expect(page.text()).not.toContain("A copy, not the original");
    expect([...document.querySelectorAll("h4")].map((one) => one.textContent)).toEqual(["The original"]);
  });

  test("has the own words of whoever put something in: when they were sent, or what is wrong with them", async () => {
    const first = reading.value!.shared.items.find(({ proof }) => proof !== null)!;
    const said = { name: "Nadia", message: "J’ai tout vu.", written: 1_764_000_000 };
    const item: Item = { ...first.item, kind: "received", text: "", sent: said };
    const shows = (words: SentWords | null): Promise<void> => act(async () => {
      const { vault, shared } = reading.value!;
      reading.value = { vault, shared: { ...shared, items: [{ ...first, item, words }] } };
    });
    const whole: SentWords = { said, proof: first.proof, doubt: null, files: [] };
    await shows(whole);
    await page.see("with a valid receipt of their own");
    expect(page.text().split("J’ai tout vu.")).toHaveLength(2);
    await shows({ ...whole, said: { ...said, message: "Je n’ai rien vu." }, doubt: "sent_differs" });
    await page.see("says otherwise than what was put in");
    expect([page.text().includes("J’ai tout vu."), page.text().includes("Je n’ai rien vu.")]).toEqual([true, true]);
    await shows({ ...whole, said: null, proof: null, doubt: "bundle_incomplete" });
    await page.see("have no receipt that holds");
    await page.see("When it was sent is not proven.");
    await shows(null);
    expect(page.text()).not.toContain("have no receipt that holds");
    await page.see("From Nadia");
  });

  test("shows a file from what is shared, and saves it only after asking", async () => {
    await page.press(/^Show the image/);
    await waitFor(() => expect(callsOf(page.vault, "readShared")).toHaveLength(1));
    expect(callsOf(page.vault, "readContent")).toEqual([]);
    expect(callsOf(page.vault, "thumbnail")).toEqual([]);
    await page.press(/^Download/);
    await page.see("Download a readable copy?");
    expect(callsOf(page.vault, "readShared")).toHaveLength(1);
  });

  test("has the receipts of its files checked when somebody asks", async () => {
    await page.press("Check the receipts of the files as well");
    await page.see("the receipt is valid; deposited on");
  });

  test("has a summary of one line each, to print", async () => {
    const print = vi.fn();
    vi.stubGlobal("print", print);
    await page.press("Summary to print");
    await page.see("Fingerprint (beginning)");
    const { length } = reading.value!.shared.items;
    expect(document.querySelectorAll("tbody tr")).toHaveLength(length);
    expect(page.text()).not.toContain("Il attendait dans la voiture");
    await page.press(/^Print/);
    expect(print).toHaveBeenCalledOnce();
    vi.unstubAllGlobals();
  });

  test("is saved as a pack after a yes; what isn't in it is said", async () => {
    const downloads = watchDownloads();
    watchAddresses();
    page.vault.isContinued = false;
    const first = page.vault.handed.findIndex(({ proof }) => proof !== null);
    const words: SentWords = { said: null, proof: null, doubt: "bundle_incomplete", files: [] };
    page.vault.handed = page.vault.handed.map((one, place) => (place === first ? { ...one, words } : one));
    await page.press("Save an evidence pack");
    await page.see("will be readable on this device");
    expect(callsOf(page.vault, "savePack")).toEqual([]);
    await answer("Save");
    await page.see("Given to the browser under the name dossier.zip");
    expect(page.text()).toContain("2 items aren’t in it");
    expect(page.text()).toContain("1 item that somebody else put in is there without the words sent with it");
    expect(page.text()).toContain("The ledger gave no signed state");
    expect([callsOf(page.vault, "savePack"), downloads.map(({ name }) => name)]).toEqual([[[null]], ["dossier.zip"]]);
    vi.restoreAllMocks();
  });

  test("goes into the file that the person chose, or nowhere if none was chosen", async () => {
    const pick = vi.fn(() => Promise.reject(new DOMException("", "AbortError")) as Promise<unknown>);
    vi.stubGlobal("showSaveFilePicker", pick);
    const downloads = watchDownloads();
    await page.press("Save an evidence pack");
    await answer("Save");
    expect([pick.mock.calls.length, callsOf(page.vault, "savePack")]).toEqual([1, []]);
    const file = { name: "mardi.zip" };
    pick.mockImplementation(() => Promise.resolve(file));
    await answer("Save");
    await page.see("Saved under the name mardi.zip");
    expect([callsOf(page.vault, "savePack"), downloads]).toEqual([[[file]], []]);
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  test("is left off where somebody changes their mind while it is written", async () => {
    let fail: (error: unknown) => void = () => undefined;
    page.vault.savePack = () => new Promise((_, reject) => (fail = reject));
    page.vault.leavePack = () => Promise.resolve(fail(problem("paused")));
    await page.press("Save an evidence pack");
    await answer("Save");
    await page.see("Writing it");
    await page.press("Don’t save");
    await waitFor(() => expect(document.querySelector("dialog")).toBeNull());
    expect(page.text()).not.toContain("Given to the browser");
    await page.press("Save an evidence pack");
    expect(document.querySelector("dialog [role=alert]")).toBeNull();
  });

  test("goes when it is closed: the worker ends, and the page says how to read on", async () => {
    await page.press("Lock");
    await page.see("use the link and the code once more");
    expect(page.count).toEqual({ started: 1, ended: 1 });
    expect(reading.value).toBeNull();
    expect(page.text()).not.toContain("Devant l’école");
    expect(closed.value).toEqual({ why: "read", kept: null });
    expect(document.querySelector("h1")?.textContent).toBe("It is closed again"); // who read may have no space here
    expect(page.text()).toContain("You need no account for that.");
  });

  test("goes by itself after three minutes without activity", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + IDLE_MS + 1000);
    await act(async () => void document.dispatchEvent(new Event("visibilitychange")));
    await page.see("is closed again");
    expect(reading.value).toBeNull();
    expect(page.count.ended).toBe(1);
  });
});

describe("a professional", () => {
  beforeEach(async () => {
    page = await startPage();
    await open();
  });

  test("asks to be listed, with password and PIN, and sees the digits that others compare", async () => {
    await act(async () => go("settings"));
    await page.press(/^For professionals/);
    await page.see("You are not listed.");
    expect(document.querySelectorAll(".fingerprint span")).toHaveLength(8);
    await page.type("Name", " Claire Martin ");
    await page.type("Town", "Lyon");
    await page.type("Present password", PASSWORD);
    await page.type("Present PIN", PIN);
    await page.press("Send the request");
    await page.see("Your request waits");
    const [named] = callsOf(page.vault, "askToBeListed")[0]!;
    expect(named).toEqual({ name: "Claire Martin", org: "", town: "Lyon", kind: "association" });
    page.vault.approve();
    await act(async () => go("settings"));
    await page.press(/^For professionals/);
    await page.see("You are listed.");
    await page.press("What was sent to you");
    await page.see("Opened 1 time, of 10 allowed.");
    expect(page.text()).toContain("New: not opened yet. Can be opened 10 times.");
    expect(page.text()).not.toContain("Opened 0 times");
  });

  test("opens what was sent, and comes back to the list; an empty list says so", async () => {
    await act(async () => go("inbox"));
    await page.press(/^Open /);
    await page.see("What the person wrote to you");
    expect(page.text()).toContain("that it knew before");
    page.vault.sent = [];
    await page.press("Back to the list");
    await page.see("Nothing is waiting for you.");
    expect(callsOf(page.vault, "closeShared")).toHaveLength(1);
    expect(page.count.ended).toBe(0);
  });

  test("is warned loudly of somebody else under the same name, with their digits", async () => {
    page.vault.strangers = ["11111 22222 33333 44444 55555 66666 77777 88888"];
    await act(async () => go("inbox"));
    await page.see("Somebody is listed under your name");
    expect(document.querySelector("[role=alert]")).not.toBeNull();
    expect([...document.querySelectorAll(".fingerprint span")].map((one) => one.textContent?.trim())[7]).toBe("88888");
  });

  test("is told where the service lists nobody by this account", async () => {
    page.vault.fail("inbox", problem("professional_needed"));
    await act(async () => go("inbox"));
    await page.see("You can ask to be listed");
  });

  test("who follows a link in the open page reads it in the same worker", async () => {
    await follow(LINK);
    await page.type("The code", CODE);
    await page.press("Open");
    await page.see("What the person wrote to you");
    expect(page.count.started).toBe(1);
  });
});
