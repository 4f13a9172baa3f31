// @vitest-environment happy-dom
// Addresses hold numbers and nothing else; what a number stands for is forgotten at a lock.

import { afterAll, beforeEach, describe, expect, it } from "vitest";

import { scrollView } from "../src/app/left.js";
import { address, forgetPlaces, go, keepInHistory, place, startRouter, VIEWS, type View } from "../src/app/router.js";
import { sampleId } from "./samples.js";

const stop = new AbortController();

beforeEach(() => {
  forgetPlaces();
  history.replaceState(null, "", "/app");
  startRouter(stop.signal);
});
afterAll(() => stop.abort());

describe("an address", () => {
  it("is a number for each view, and no two views share one", () => {
    const all = (Object.keys(VIEWS) as View[]).map((view) => address(view));
    expect(new Set(all).size).toBe(all.length);
    expect(all.every((one) => /^#\d+$/.test(one))).toBe(true);
  });

  it("counts items instead of naming them", () => {
    expect(address("entry", sampleId(7))).toBe("#11.0");
    expect(address("document", sampleId(9))).toBe("#22.1");
    expect(address("history", sampleId(7))).toBe("#13.0");
    expect(address("entry", sampleId(7))).not.toContain(sampleId(7));
  });

  it("leads to its view, by hand, by a step and back", () => {
    go("entry", sampleId(7));
    expect([location.hash, place.value]).toEqual(["#11.0", { view: "entry", id: sampleId(7) }]);
    history.pushState(null, "", "#20");
    dispatchEvent(new Event("hashchange"));
    expect(place.value).toEqual({ view: "documents", id: null });
  });

  it("leads home where nothing has that number, or what it stood for is forgotten", () => {
    for (const strange of ["#99", "#11.5", "#fr", "#main", "#11.", "#-1", "#1e1", ""]) {
      history.replaceState(null, "", `/app${strange}`);
      dispatchEvent(new Event("hashchange"));
      expect(place.value).toEqual({ view: "home", id: null });
    }
    go("entry", sampleId(7));
    forgetPlaces();
    dispatchEvent(new Event("popstate"));
    expect(place.value).toEqual({ view: "home", id: null });
  });

  it("says nothing new where it stays the same, however often it is read", () => {
    go("entry", sampleId(7));
    const before = place.value;
    dispatchEvent(new Event("popstate"));
    dispatchEvent(new Event("hashchange"));
    expect(place.value).toBe(before);
  });

  it("forgets at a lock where a view was left", () => {
    const link = document.body.appendChild(Object.assign(document.createElement("main"), { id: "main" }))
      .appendChild(Object.assign(document.createElement("a"), { href: address("entry", sampleId(7)) }));
    const back = (): void => {
      history.replaceState({ lang: "en" }, "", address("search"));
      dispatchEvent(new PopStateEvent("popstate"));
      scrollView()();
    };
    go("search");
    go("entry", sampleId(7));
    back();
    expect(document.activeElement).toBe(link);
    link.blur();
    go("entry", sampleId(7));
    forgetPlaces();
    address("entry", sampleId(7));
    back();
    expect(place.value.view).toBe("search");
    expect(document.activeElement).not.toBe(link);
    document.body.replaceChildren();
  });

  it("keeps with each step of the history what a refresh needs, and no more", () => {
    keepInHistory({ lang: "en" });
    go("search");
    expect(history.state).toEqual({ lang: "en" });
    history.pushState(null, "", "#14"); // as a link does
    dispatchEvent(new Event("hashchange"));
    expect(history.state).toEqual({ lang: "en" });
  });
});
