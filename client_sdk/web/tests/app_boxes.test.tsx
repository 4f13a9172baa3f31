// @vitest-environment happy-dom
// Boxes on the page: made, looked into, kept, refused, closed; and somebody without an account who puts something in.
import { act, screen, waitFor } from "@testing-library/preact";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { met } from "../src/app/link.js";
import { SIGN_UP_IDLE_MS } from "../src/app/lock.js";
import { go } from "../src/app/router.js";
import { closed, putting } from "../src/app/state.js";
import { answer, callsOf } from "./app_journal_scene.js";
import { endPage, open, startPage, type Scene } from "./app_scene.js";
import { BOX_LINK, SAID } from "./memory_boxes.js";
import { MemoryVault, PASSWORD, PIN, problem } from "./memory_vault.js";
import { sampleId } from "./samples.js";

const FIRST = "J’ai tout vu";
let page: Scene;

const choose = async (...files: readonly File[]): Promise<void> => act(async () => {
  const input = document.querySelector<HTMLInputElement>('input[type="file"]')!;
  Object.defineProperty(input, "files", { value: files, configurable: true });
  input.dispatchEvent(new Event("change", { bubbles: true }));
});
const focused = (): Element | null => document.activeElement;
const confirmed = async (action: string): Promise<void> => {
  await page.type("Present password", PASSWORD);
  await page.type("Present PIN", PIN);
  await page.press(action);
};

beforeAll(async () => { // what a page loads when it is needed
  await Promise.all(["boxes", "account", "journal", "shares"].map((one) => import(`../src/app/views/${one}/index.tsx`)));
}, 60_000);

afterEach(() => {
  endPage();
  vi.useRealTimers();
});

describe("a person", () => {
  beforeEach(async () => {
    page = await startPage();
    await open();
  });

  test("finds boxes beside what is shared, and sees that something waits, and not what", async () => {
    await act(async () => go("shares"));
    await page.press("Deposit boxes");
    await page.see("2 deposits wait");
    await page.press(/Nadia/);
    await page.see("Words and 2 files");
    expect(callsOf(page.vault, "lookAt")).toEqual([]);
    expect(page.text()).not.toContain(FIRST);
  });

  test("makes one with password and PIN given anew; its address stands there once", async () => {
    await act(async () => go("newBox"));
    await page.see("Give it to one person alone");
    await confirmed("Make the box");
    await page.see("Give the box a name");
    expect(callsOf(page.vault, "makeBox")).toEqual([]);
    expect(focused()?.getAttribute("aria-invalid")).toBe("true");
    await page.type("Whom will you give the address?", " Nadia ");
    await page.press("Make the box"); // password and PIN are still there
    await page.see("The box is ready");
    expect(document.querySelector("code")!.textContent).toBe(`${location.origin}/app${BOX_LINK}`);
    const [[, , plan]] = callsOf(page.vault, "makeBox") as unknown as [[string, string, { name: string; expires: number }]];
    expect(plan).toMatchObject({ name: "Nadia", deposits: 5, bytes: 200_000_000 });
    expect(Math.round((plan.expires - Date.now() / 1000) / 86_400)).toBe(7);
    await page.press("Deposit boxes");
    await page.see("2 deposits wait");
    expect(document.body.innerHTML + JSON.stringify(history.state) + location.href).not.toContain(BOX_LINK.slice(2, 20));
  });

  test("asks again for the same box after a lost answer", async () => {
    await act(async () => go("newBox"));
    page.vault.fail("makeBox", problem("network"));
    await page.type("Whom will you give the address?", "Nadia");
    await confirmed("Make the box");
    await waitFor(() => expect(document.querySelector('[role="alert"]')).not.toBeNull());
    await page.type("Present PIN", PIN);
    await page.press("Make the box");
    await page.see("The box is ready");
    const [first, second] = callsOf(page.vault, "makeBox") as unknown as [unknown[], unknown[]];
    expect(second[2]).toEqual(first[2]);
  });

  const look = async (): Promise<void> => {
    await act(async () => go("looked", `${sampleId(901)} ${sampleId(911)}`));
    await page.see("They open only if you want to");
  };

  test("reads nothing before asking, then keeps it: it stands in the journal as somebody else's", async () => {
    await look();
    expect(callsOf(page.vault, "lookAt")).toEqual([]);
    await page.press("Show the words");
    await page.see(FIRST);
    expect(focused()?.textContent).toBe("As it was sent"); // the button that had it went
    await page.see("could write any name");
    expect(callsOf(page.vault, "readDeposited")).toEqual([]);
    await page.press(/^Show the image/);
    await waitFor(() => expect(callsOf(page.vault, "readDeposited")).toHaveLength(1));
    await page.press("Keep it");
    await page.see("Written on");
    expect(location.hash).toMatch(/^#11\./);
    await page.see(FIRST);
    await act(async () => go("home"));
    await page.see(`From ${SAID.name}`);
    await page.see("received");
  });

  test("refuses without looking; it can still be kept until it is erased", async () => {
    await look();
    await page.see("refuse without looking");
    await page.press("Refuse");
    await page.see("Refuse this?");
    await answer("Refuse");
    await page.see("You refused this");
    expect([...document.querySelectorAll("#main [role=status]")].map((one) => one.textContent).join())
      .toContain("You refused this");
    expect(callsOf(page.vault, "refuseDeposit")).toEqual([[sampleId(901), sampleId(911)]]);
    expect(page.text()).not.toContain("refuse without looking"); // it is refused already
    await page.press("Erase it at once");
    await page.see("Erase it at once?");
    expect(page.text()).not.toContain("Refuse this?");
    await page.press("Don’t erase it now");
    expect(callsOf(page.vault, "lookAt")).toEqual([]);
    await page.press("Show the words");
    await page.see("Keep it");
  });

  test("erases one at once with password and PIN", async () => {
    await look();
    await page.press("Refuse");
    await page.press("Erase it at once");
    await confirmed("Erase for good");
    await page.see("1 deposit waits");
    expect(callsOf(page.vault, "eraseDeposit")).toEqual([[sampleId(901), sampleId(911), PASSWORD, PIN]]);
  });

  test("is told in words where a deposit doesn't open", async () => {
    page.vault.fail("lookAt", problem("deposit_broken", { detail: "tampered" }));
    await look();
    await page.press("Show the words");
    await page.see("can’t be opened as it says");
  });

  test("closes one, after what it means was said", async () => {
    await act(async () => go("box", sampleId(901)));
    await page.press("Close the box");
    await page.see("sees that it has ended");
    await answer("Close it");
    await page.see("The box is closed.");
    await waitFor(() => expect(document.querySelector("dialog")).toBeNull());
    expect(focused()?.tagName).toBe("H1");
    expect(callsOf(page.vault, "closeBox")).toEqual([[sampleId(901)]]);
  });
});

describe("whoever was given an address", () => {
  const arrive = async (vault = new MemoryVault()): Promise<void> => {
    page = await startPage(vault, `/app${BOX_LINK}`);
  };

  test("finds it gone from the browser at once, and in the worker", async () => {
    await arrive();
    expect(location.hash).toBe("#74");
    await page.see("There is room for 50\u00a0MB");
    expect(callsOf(page.vault, "meetBox")).toEqual([[BOX_LINK]]);
    expect(met.value).toBeNull();
    expect(JSON.stringify(history.state) + location.href + document.body.innerHTML).not.toContain(BOX_LINK.slice(2, 14));
  });

  test("sends words and files, and saves the receipts; nobody says whether anybody looks", async () => {
    await arrive();
    await page.type("Who you are (if you like)", "Nadia");
    await page.type("Your words", FIRST);
    expect(page.text()).not.toContain("Keep this page open until the end");
    await choose(new File(["a"], "IMG_2043.jpg"), new File(["b"], "b.txt"));
    await page.see("Keep this page open until the end");
    await page.press(/^Take out.*b\.txt/);
    await page.see("Taken out: it won’t be sent.");
    expect(screen.getByRole("button", { name: "Put back b.txt" })).toBeTruthy();
    await page.press("Send");
    await page.see("Sent, and time-stamped");
    await page.see("2 receipts");
    const [[words, files]] = page.vault.put as unknown as [[typeof SAID, readonly File[]]];
    expect([words, files.map((one) => one.name)]).toEqual([{ name: "Nadia", message: FIRST }, ["IMG_2043.jpg"]]);
    expect(page.text()).not.toContain(FIRST);
    await page.press("Save the receipts");
    await page.see("receipts.zip");
    await page.press("Send something else");
    await page.see("Your words");
    expect(callsOf(page.vault, "enterBox")).toHaveLength(2);
  });

  test("is asked for words or a file, and told where it is too much, before anything leaves", async () => {
    await arrive();
    await page.see("Your words");
    await page.press("Send");
    await page.see("Write something, or choose a file.");
    const large = new File(["a"], "film.mp4");
    Object.defineProperty(large, "size", { value: 80_000_000 });
    await choose(large);
    await page.see("more than there is room for");
    await page.press("Send");
    expect(page.vault.put).toEqual([]);
    await page.press(/^Take out/);
    await waitFor(() => expect(page.text()).not.toContain("more than there is room for"));
  });

  test("of more files than go at once none is left behind in silence", async () => {
    await arrive();
    await page.see("Your words");
    await choose(...Array.from({ length: 101 }, (_, n) => new File(["a"], `${n}.txt`)));
    await page.see("more files than go at once (100)");
    await page.press("Send");
    expect(page.vault.put).toEqual([]);
    await page.press(/^Take out 100\.txt/);
    await waitFor(() => expect(page.text()).not.toContain("more files than go at once"));
    await page.press("Send");
    await page.see("Sent, and time-stamped");
    expect((page.vault.put as unknown as [[unknown, readonly File[]]])[0][1]).toHaveLength(100);
  });

  test("goes on after the network was cut, with what was written still there", async () => {
    const vault = new MemoryVault();
    vault.fail("putIn", problem("network"));
    await arrive(vault);
    await page.type("Your words", FIRST);
    await page.press("Send");
    await page.see("goes on where it was cut");
    await page.press("Try again");
    await page.see("Sent, and time-stamped");
    expect(vault.put).toHaveLength(1);
  });

  test.each([["box_over", "the box was closed"], ["cap_refused", "does not fit"], ["rate_limited", "mobile data"]])(
    "%s is said in plain words", async (code, words) => {
      const vault = new MemoryVault();
      vault.fail("enterBox", problem(code));
      await arrive(vault);
      await page.see(words);
      expect(document.querySelector("form")).toBeNull();
    },
  );

  test("a full box and an address that isn't whole say so", async () => {
    const vault = new MemoryVault();
    vault.room = { ...vault.room, deposits: 0 };
    await arrive(vault);
    await page.see("not enough room left");
    endPage();
    page = await startPage(new MemoryVault(), "/app#dAAAA");
    await page.see("This link is not whole");
  });

  test("finds nothing after a refresh, and nothing after a quiet time", async () => {
    page = await startPage(new MemoryVault(), "/app#74");
    await page.see("this page keeps nothing");
    endPage();
    await arrive();
    await page.see("Your words");
    expect(putting.value).toBe(true);
    vi.useFakeTimers({ now: Date.now() + SIGN_UP_IDLE_MS + 1000 });
    await act(async () => void document.dispatchEvent(new Event("visibilitychange")));
    await act(async () => void (await vi.advanceTimersByTimeAsync(10_000)));
    vi.useRealTimers();
    await waitFor(() => expect(closed.value?.why).toBe("put"));
    await page.see("open the address once more");
    expect(document.querySelector("h1")?.textContent).toBe("It is closed again");
  });
});
