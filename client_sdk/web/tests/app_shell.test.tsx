// @vitest-environment happy-dom
// The page around the views: each one comes, and only those that may; coming back; the language, the skip link, what is
// said meanwhile.

import { act, waitFor } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { lang } from "../src/app/i18n.js";
import { address, go, VIEWS, type View } from "../src/app/router.js";
import { TABLE } from "../src/app/shell.js";
import { endPage, open, startPage, type Scene } from "./app_scene.js";
import { sampleId } from "./samples.js";

let page: Scene;
const CLOSED: readonly View[] = ["home", "signUp", "logIn", "reopen", "recover"];
/** An item that a view can show. */
const ABOUT: Readonly<Partial<Record<View, number>>> = {
  entry: 4, edit: 4, history: 12, document: 7, assessment: 14, receipt: 4, box: 901,
};
const step = (view: View, id: string | null = null): Promise<void> => act(async () => go(view, id));
const heading = (): string => document.querySelector("h1")?.textContent ?? "";

beforeEach(async () => {
  page = await startPage();
});
afterEach(endPage);

/** What needs no vault: what it says where nothing was brought to it. */
const ALWAYS: Partial<Record<View, string>> = {
  verify: "Check a receipt", link: "Open the link again", shared: "Open the link again", summary: "Open the link again",
  deposit: "Open the address again",
};

describe("the views", () => {
  it("come all, with a heading that takes the focus and a title that never changes", async () => {
    document.title = "Carnet";
    await open();
    for (const view of Object.keys(VIEWS) as View[]) {
      if (CLOSED.includes(view) && view !== "home") continue;
      await step(view, ABOUT[view] === undefined ? null : sampleId(ABOUT[view]));
      await waitFor(() => expect([view, document.activeElement?.tagName]).toEqual([view, "H1"]));
      expect(document.querySelectorAll("h1").length, view).toBe(1);
      expect(document.title).toBe("Carnet");
    }
  });

  it("are as many as there are addresses", () => {
    expect(Object.keys(TABLE).sort()).toEqual(Object.keys(VIEWS).sort());
  });

  it("stay behind the door while the vault is closed, whatever the address says", async () => {
    for (const view of Object.keys(VIEWS) as View[]) {
      await step(view, ABOUT[view] === undefined ? null : sampleId(ABOUT[view]));
      await page.see(ALWAYS[view] ?? (CLOSED.includes(view) ? "" : "Your space is locked"));
      expect(document.querySelector("nav")).toBeNull();
    }
    expect(page.count.started).toBe(0);
  });

  it("about an item lead home where none is named", async () => {
    await open();
    await step("settings");
    await waitFor(() => expect(heading()).toBe("Settings"));
    await step("entry");
    await waitFor(() => expect(document.querySelector("nav [aria-current=page]")?.textContent).toBe("Journal"));
  });
});

describe("coming back", () => {
  const linkTo = (n: number): HTMLElement => {
    const link = document.querySelector<HTMLElement>(`#main a[href="${address("entry", sampleId(n))}"]`);
    if (link === null) throw new Error("no such link");
    return link;
  };
  /** As the browser does it: the step is there already, with its state. */
  const back = (): Promise<void> => act(async () => {
    history.replaceState({ lang: "en" }, "", address("home"));
    dispatchEvent(new PopStateEvent("popstate"));
  });

  it("finds the list where it was left, at the link that led away, which has the focus", async () => {
    await open();
    await waitFor(() => linkTo(4));
    let top = 321;
    const height = vi.spyOn(HTMLElement.prototype, "getBoundingClientRect");
    height.mockImplementation(() => ({ top }) as DOMRect);
    const scrolled = vi.spyOn(globalThis, "scrollBy").mockImplementation(() => undefined);
    await page.press(/Devant l’école/);
    await waitFor(() => expect(heading()).toBe("Devant l’école"));
    expect(scrolled).not.toHaveBeenCalled();
    top = 900;
    await back();
    await waitFor(() => expect(document.activeElement).toBe(linkTo(4)));
    expect(scrolled).toHaveBeenCalledWith({ top: 900 - 321, behavior: "instant" });
    height.mockRestore();
    scrolled.mockRestore();
  });

  it("by a link begins at the beginning", async () => {
    await open();
    await waitFor(() => linkTo(4));
    await page.press(/Devant l’école/);
    await waitFor(() => expect(heading()).toBe("Devant l’école"));
    await step("home");
    await waitFor(() => linkTo(4));
    expect(document.activeElement?.tagName).toBe("H1");
  });
});

describe("the language", () => {
  it("changes everything on the page, the bar too, and is found again after a refresh", async () => {
    await page.press("Français");
    await page.see("Votre espace est fermé");
    expect([lang.value, document.documentElement.lang]).toEqual(["fr", "fr"]);
    expect(document.querySelector("header [data-exit]")!.textContent).toBe("Vite, je quitte");
    expect(document.querySelector("[data-skip]")!.textContent).toBe("Aller au contenu");
    expect(history.state).toEqual({ lang: "fr" });
    endPage();
    await startPageAgain("/app");
    await page.see("Votre espace est fermé");
  });

  it("is the one of the public page where somebody comes from, which then leaves the address", async () => {
    endPage();
    await startPageAgain("/app#fr", null);
    await page.see("Votre espace est fermé");
    expect(location.hash).toBe("");
  });

  async function startPageAgain(path: string, state: unknown = history.state): Promise<void> {
    page = await startPage(undefined, path, state);
  }
});

describe("what is said meanwhile", () => {
  beforeEach(open);

  it("is said in a region that was there before", async () => {
    const region = document.querySelector("main [role=status]")!;
    await act(async () => page.vault.tell({ kind: "network", reachable: false }));
    expect(region.textContent).toContain("There is no network.");
    await act(async () => page.vault.tell({ kind: "network", reachable: true }));
    expect(region.textContent).not.toContain("There is no network.");
    await act(async () => page.vault.tell({ kind: "waiting", count: 1 }));
    expect(region.textContent).toContain("1 item waits");
    await act(async () => page.vault.tell({ kind: "forgetful" }));
    expect(region.textContent).toContain("keeps nothing on the device");
  });

  it("shows how far something has been sent, until it has", async () => {
    const tell = (sending: boolean, done: number): Promise<void> => act(async () => {
      page.vault.tell({ kind: "progress", sending, name: "a.jpg", done, total: 4 });
    });
    await tell(true, 1);
    expect(document.querySelector("progress")!.value).toBe(1);
    expect(page.text()).toContain("Sending a.jpg");
    await tell(true, 4);
    expect(document.querySelector("progress")).toBeNull();
    await tell(false, 1);
    expect(page.text()).not.toContain("a.jpg");
  });

  it("brings what another device wrote", async () => {
    await waitFor(() => expect(page.text()).toContain("Devant l’école"));
    const known = await page.vault.item(sampleId(4));
    await act(async () => page.vault.add({ ...known, id: sampleId(77), title: "D’ailleurs" }));
    await page.see("D’ailleurs");
  });
});

describe("the page", () => {
  it("leads to its beginning without changing the address", async () => {
    await step("logIn");
    const skip = document.querySelector<HTMLElement>("[data-skip]")!;
    skip.click();
    expect(document.activeElement?.id).toBe("main");
    expect(location.hash).toBe(address("logIn"));
  });

  it("opens public pages in a tab that can't reach this one", () => {
    const out = [...document.querySelectorAll<HTMLAnchorElement>("a[target]")];
    expect(out.length).toBeGreaterThan(2);
    expect(out.every((link) => link.rel === "noopener noreferrer" && link.target === "_blank")).toBe(true);
  });
});
