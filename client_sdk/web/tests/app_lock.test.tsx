// @vitest-environment happy-dom
// When the page locks, what it keeps before, and what is left of it: by a clock that the test turns.

import { act } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { IDLE_MS, lockNow, secondsLeft, SIGN_UP_IDLE_MS, WARNING_MS, watch } from "../src/app/lock.js";
import { address, place } from "../src/app/router.js";
import { beforeLock, closed, fetching, items, sensitiveUntil, session, unread, warnings } from "../src/app/state.js";
import { beginVault } from "../src/app/vault.js";
import { EMPTY_DRAFT } from "../src/sdk/items.js";
import { sampleId } from "./samples.js";
import { endPage, open, startPage, type Scene } from "./app_scene.js";

let page: Scene;

const pass = (ms: number): Promise<void> => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));
const touch = (): boolean => dispatchEvent(new Event("pointerdown"));
const calls = (name: string): number => page.vault.calls.filter(([called]) => called === name).length;

beforeEach(async () => {
  page = await startPage();
  vi.useFakeTimers();
});

afterEach(async () => {
  await pass(20_000);
  endPage();
  vi.useRealTimers();
});

describe("an open vault without activity", () => {
  it("says thirty seconds before that it will lock, and locks after three minutes", async () => {
    await open();
    await pass(IDLE_MS - WARNING_MS - 1000);
    expect(secondsLeft.value).toBeNull();
    await pass(1000);
    expect(secondsLeft.value).toBe(30);
    expect(document.querySelector("[role=alertdialog] [data-exit]")).not.toBeNull();
    await pass(WARNING_MS - 1000);
    expect(session.value).not.toBeNull();
    await pass(1000);
    expect(session.value).toBeNull();
    expect(closed.value).toEqual({ why: "idle", kept: null });
    expect(calls("lock")).toBe(1);
    expect(page.count).toEqual({ started: 1, ended: 1 });
    expect(page.text()).toContain("locked after three minutes");
  });

  it("stays open for as long as something is done", async () => {
    await open();
    for (let minute = 0; minute < 10; minute++) {
      await pass(60_000);
      touch();
    }
    expect(session.value).not.toBeNull();
  });

  it("is extended by an answer alone once it has been said", async () => {
    await open();
    await pass(IDLE_MS - 10_000);
    touch();
    expect(secondsLeft.value).toBe(10);
    await page.press("Stay");
    expect(secondsLeft.value).toBeNull();
    await pass(IDLE_MS - WARNING_MS - 1000);
    expect(session.value).not.toBeNull();
    expect(secondsLeft.value).toBeNull();
  });

  it("locks when a device wakes up late, before the first touch counts", async () => {
    await open();
    vi.setSystemTime(Date.now() + 3_600_000); // asleep: no timer ran
    touch();
    expect(document.getElementById("app")!.textContent).toBe("");
    await pass(1000);
    expect(session.value).toBeNull();
  });

  it("locks also where the clock was set back meanwhile", async () => {
    await open();
    vi.setSystemTime(Date.now() - 86_400_000);
    await pass(IDLE_MS);
    expect(session.value).toBeNull();
  });

  it("is not measured while nobody is in", async () => {
    await pass(3_600_000);
    expect(page.count).toEqual({ started: 0, ended: 0 });
    expect(closed.value).toBeNull();
  });
});

describe("a page where somebody began to come in", () => {
  it("says before that it will close, and then claims no space of anybody's", async () => {
    await act(async () => {
      beginVault(() => undefined);
      watch();
    });
    await pass(SIGN_UP_IDLE_MS - WARNING_MS);
    await page.see("This page is about to close");
    await page.see("What is not sent yet isn’t kept.");
    await pass(WARNING_MS);
    expect(closed.value).toEqual({ why: "begun", kept: null });
    expect(page.text()).toContain("This page kept nothing of what was begun in it.");
    for (const untrue of ["Your space is locked", "three minutes"]) expect(page.text()).not.toContain(untrue);
  });
});

describe("a lock", () => {
  it("keeps nothing of what the vault tells of while it locks, or once it has ended", async () => {
    await open();
    const told = { kind: "progress", sending: false, name: "letter.pdf", done: 1, total: 2 } as const;
    await act(async () => page.vault.tell(told));
    expect(fetching.value).toEqual({ name: "letter.pdf", done: 1, total: 2 });
    const { vault } = page;
    const lock = vault.lock.bind(vault);
    const during: unknown[] = [];
    vault.lock = async () => {
      vault.tell(told);
      during.push(fetching.value);
      await lock();
    };
    const done = lockNow("asked");
    await pass(500);
    await done;
    expect(during).toHaveLength(1);
    expect(fetching.value).toBeNull();
    vault.tell(told);
    expect(fetching.value).toBeNull();
  });

  it("empties the page at once, keeps what is being written, and only then locks and ends the vault", async () => {
    await open();
    const order: string[] = [];
    beforeLock.add(async () => {
      order.push("read");
      await new Promise((done) => setTimeout(done, 500));
      expect(session.value).not.toBeNull(); // it still needs the vault
      order.push("kept");
    });
    const done = lockNow("asked");
    expect(order).toEqual(["read"]);
    expect(document.getElementById("app")!.childNodes.length).toBe(0);
    expect(items.value).toBeNull();
    expect(page.count.ended).toBe(0);
    await pass(500);
    await done;
    expect(order).toEqual(["read", "kept"]);
    expect(calls("lock")).toBe(1);
    expect(page.count.ended).toBe(1);
    expect(closed.value).toEqual({ why: "asked", kept: true });
    await page.see("What was being written is kept");
  });

  it("waits for no draft for ever, and says that it may not be whole", async () => {
    await open();
    beforeLock.add(() => new Promise(() => undefined));
    const done = lockNow("asked");
    await pass(3000);
    await done;
    expect(closed.value).toEqual({ why: "asked", kept: false });
    await page.see("may not have been kept");
  });

  it("closes though a draft, and the vault itself, fail", async () => {
    await open();
    beforeLock.add(() => {
      throw new Error("no room");
    });
    page.vault.fail("lock", new Error("no answer"));
    const done = lockNow("asked");
    await pass(0);
    await done;
    expect(session.value).toBeNull();
    expect(page.count.ended).toBe(1);
    expect(closed.value?.kept).toBe(false);
  });

  it("leaves nothing that was read, and no address that leads to it", async () => {
    await open();
    await act(async () => void (await page.vault.stepUp("271828")));
    history.pushState(null, "", address("entry", sampleId(4)));
    await act(async () => void dispatchEvent(new PopStateEvent("popstate")));
    expect(place.value).toEqual({ view: "entry", id: sampleId(4) });
    const done = lockNow("asked");
    await pass(0);
    await done;
    expect([session.value, items.value, sensitiveUntil.value, unread.value]).toEqual([null, null, null, null]);
    expect(warnings.value).toEqual([]);
    expect(beforeLock.size).toBe(0);
    expect(page.text()).toContain("Your space is locked");
    history.pushState(null, "", "#11.0");
    await act(async () => void dispatchEvent(new PopStateEvent("popstate")));
    expect(place.value).toEqual({ view: "home", id: null });
    expect(page.text()).toContain("Your space is locked");
  });

  it("comes when the session has ended elsewhere, and keeps what is being written", async () => {
    await open();
    const keep = vi.fn(async () => undefined);
    beforeLock.add(keep);
    page.vault.tell({ kind: "session_ended", code: "unauthorized" });
    await pass(100);
    expect(keep).toHaveBeenCalledOnce();
    expect(closed.value).toEqual({ why: "ended", kept: true });
    await page.see("The session has ended");
  });

  it("keeps drafts when the page is hidden, without locking", async () => {
    await open();
    const keep = vi.fn(async () => undefined);
    beforeLock.add(keep);
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    document.dispatchEvent(new Event("visibilitychange"));
    expect(keep).toHaveBeenCalledOnce();
    expect(session.value).not.toBeNull();
    vi.restoreAllMocks();
  });
});

describe("the way out", () => {
  for (const kind of ["leaving", "pagehide"]) {
    it(`forgets everything in the very moment of ${kind}, a dialog or a save notwithstanding`, async () => {
      await open();
      page.vault.hang("writeEntry");
      void session.value!.vault.writeEntry(EMPTY_DRAFT, { sensitive: false, files: [], slot: null });
      await pass(1000); // the view has come, and taken the focus
      await pass(IDLE_MS - 20_000);
      expect(secondsLeft.value).not.toBeNull();
      expect(document.querySelector("dialog")).not.toBeNull();
      dispatchEvent(new Event(kind));
      expect(page.count.ended).toBe(1);
      expect([session.value, items.value]).toEqual([null, null]);
      expect(document.getElementById("app")!.childNodes.length).toBe(0);
      expect(secondsLeft.value).toBeNull();
    });
  }

  it("shows a locked page where a kept page comes back", async () => {
    await open();
    dispatchEvent(new Event("pagehide"));
    await act(async () => void dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true })));
    await page.see("Your space is locked");
    expect(page.text()).not.toContain("locked after");
  });

  it("interrupts a lock that is still keeping a draft", async () => {
    await open();
    beforeLock.add(() => new Promise((done) => setTimeout(done, 1000)));
    const done = lockNow("asked");
    dispatchEvent(new Event("leaving"));
    expect(page.count.ended).toBe(1);
    expect(session.value).toBeNull();
    await pass(5000);
    await done;
    expect(document.getElementById("app")!.childNodes.length).toBe(0);
  });
});
