// @vitest-environment happy-dom
// Taking stock: the rule of the public page, nothing kept unless asked, and a curve that says itself in words.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { cleanup, fireEvent, screen } from "@testing-library/preact";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";

import { place } from "../src/app/router.js";
import { beforeLock } from "../src/app/state.js";
import Assess from "../src/app/views/assess/Assess.js";
import Assessment from "../src/app/views/assess/Assessment.js";
import Curve from "../src/app/views/assess/Curve.js";
import { answered, QUESTIONS, weigh } from "../src/app/views/assess/weigh.js";
import { parseHappened } from "../src/sdk/happened.js";
import { EMPTY_DRAFT } from "../src/sdk/items.js";
import { callsOf, openVault, PIN, show, until } from "./app_journal_scene.js";
import { problem } from "./memory_vault.js";
import { runs } from "./runs.js";
import { sampleId, sampleItem } from "./samples.js";

afterEach(cleanup);

const said = (): string => document.body.textContent ?? "";
const tick = (words: string): void => void fireEvent.click(screen.getByRole("checkbox", { name: words }));
const submit = (): void => void fireEvent.submit(document.querySelector("form")!);
const textOf = (id: string): string => QUESTIONS.find((question) => question.id === id)!.texts["fr"]!;

describe("the rule", () => {
  const ticks = fc.subarray(QUESTIONS.map(({ id }) => id)).map((ids) => new Set(ids));

  /** The public page's own script, run on its own form. */
  function weighedByThePage(ids: ReadonlySet<string>): number {
    const path = resolve(import.meta.dirname, "../../../server/help/data/questions.json");
    const data = JSON.parse(readFileSync(path, "utf-8")) as { some: number; many: number };
    const ticks = QUESTIONS.map(({ id, grave }) =>
      `<input type="checkbox" name="${id}" ${grave ? "data-grave" : ""}>`);
    const results = [0, 1, 2].map((level) =>
      `<section data-result="${level}" hidden><h2 tabindex="-1"></h2></section>`);
    document.body.innerHTML = [
      `<form data-check data-some="${data.some}" data-many="${data.many}">`, ...ticks,
      "</form><p data-paper></p><button data-print></button>", ...results,
    ].join("");
    new Function(readFileSync(resolve(import.meta.dirname, "../../../server/help/static/check.js"), "utf-8"))();
    for (const id of ids) document.querySelector<HTMLInputElement>(`[name="${id}"]`)!.checked = true;
    document.querySelector("form")!.dispatchEvent(new Event("submit", { cancelable: true }));
    const shown = [...document.querySelectorAll<HTMLElement>("[data-result]")].filter((one) => !one.hidden);
    expect(shown).toHaveLength(1);
    const result = Number(shown[0]!.dataset["result"]);
    document.body.replaceChildren();
    return result;
  }

  test("is the public page's, for whatever is ticked", () => {
    fc.assert(fc.property(ticks, (ids) => {
      expect(weigh(answered(ids))).toBe(weighedByThePage(ids));
    }), { numRuns: runs(150) });
  });

  test("more ticks never bring a calmer result", () => {
    fc.assert(fc.property(ticks, ticks, (some, more) => {
      expect(weigh(answered(new Set([...some, ...more])))).toBeGreaterThanOrEqual(weigh(answered(some)));
    }));
  });
});

describe("the questionnaire", () => {
  test("a grave answer puts the numbers first, and no result says that all is well", async () => {
    await openVault([]);
    show(<Assess />);
    await until(() => document.querySelectorAll("input[type=checkbox]").length === QUESTIONS.length);
    submit();
    await until(() => said().includes("Ce que vous ressentez compte"));
    expect(said()).toContain("Cela ne veut pas dire que tout va bien");
    tick(textOf("throat"));
    await until(() => said().includes("Votre sécurité d’abord"));
    const result = document.querySelector(".result")!;
    expect(result.querySelector("h2")!.nextElementSibling!.className).toBe("dials");
    expect([...result.querySelectorAll(".dial")].map((dial) => dial.getAttribute("href")))
      .toEqual(["tel:17", "sms:114", "tel:112"]);
    expect(callsOf(await openVault([]), "writeAssessment")).toEqual([]);
  });

  test("is kept only when asked, with every answer and the same in words", async () => {
    const vault = await openVault([]);
    show(<Assess />);
    await until(() => document.querySelector("form"));
    tick(textOf("money"));
    tick(textOf("afraid"));
    fireEvent.click(screen.getByRole("radio", { name: /^9/ }));
    submit();
    await until(() => screen.queryByRole("button", { name: "Garder ces réponses" }));
    expect(callsOf(vault, "writeAssessment")).toEqual([]);
    fireEvent.click(screen.getByRole("button", { name: "Garder ces réponses" }));
    await until(() => place.value.view === "assessment");
    const [draft, answers, options] = callsOf(vault, "writeAssessment")[0] as [
      { text: string; danger: number }, Record<string, boolean>, unknown,
    ];
    expect(draft.danger).toBe(9);
    expect(draft.text).toContain(`– ${textOf("afraid")}`);
    expect(Object.keys(answers)).toHaveLength(QUESTIONS.length);
    expect(Object.keys(answers).filter((id) => answers[id]).sort()).toEqual(["afraid", "money"]);
    expect(options).toMatchObject({ sensitive: false, files: [] });
    expect(await vault.drafts()).toEqual([]);
    cleanup();
    show(<Assessment id={place.value.id} />);
    expect(said()).toContain("Gardé. Le reçu a été vérifié");
    expect(said()).toContain(textOf("money"));
    expect(said()).toContain("Votre sécurité d’abord");
  });

  test("that a lock interrupts is there again, and unticked leaves nothing", async () => {
    const vault = await openVault([]);
    const shown = show(<Assess />);
    await until(() => document.querySelector("form"));
    tick(textOf("money"));
    const hooks = [...beforeLock].map((hook) => hook());
    shown.unmount();
    await Promise.all(hooks);
    show(<Assess />);
    await until(() => document.querySelector("form"));
    expect((screen.getByRole("checkbox", { name: textOf("money") }) as HTMLInputElement).checked).toBe(true);
    fireEvent.click(screen.getByRole("button", { name: "Tout décocher" }));
    await Promise.all([...beforeLock].map((hook) => hook()));
    expect(await vault.drafts()).toEqual([]);
  });

  test("that was begun later and is behind the PIN is told beside the one that is shown", async () => {
    const vault = await openVault([]);
    const begun = (slot: number, saved: number, tag: string, sensitive: boolean): void => vault.begin({
      slot: sampleId(slot), item: null, revision: null, kind: "assessment", draft: { ...EMPTY_DRAFT, tags: [tag] },
      sensitive, saved,
    });
    begun(90, 1_770_000_000, "money", false);
    begun(91, 1_770_000_500, "afraid", true);
    show(<Assess />);
    await until(() => said().includes("D’autres réponses commencées vous attendent"));
    expect(said()).toContain("Un brouillon plus récent que ce qui est ouvert ici");
    const isTicked = (id: string): boolean =>
      (screen.getByRole("checkbox", { name: textOf(id) }) as HTMLInputElement).checked;
    expect([isTicked("money"), isTicked("afraid")]).toEqual([true, false]);
    await vault.stepUp(PIN);
    fireEvent.click(screen.getByRole("button", { name: /^Reprendre/ }));
    await until(() => isTicked("afraid"));
    expect(isTicked("money")).toBe(false);
    expect(await vault.drafts()).toHaveLength(2);
  });

  test.each([false, true])("that can't be sent stays (waiting: %s)", async (waiting) => {
    const vault = await openVault([]);
    show(<Assess />);
    await until(() => document.querySelector("form"));
    tick(textOf("money"));
    submit();
    await until(() => screen.queryByRole("button", { name: "Garder ces réponses" }));
    vault.fail("writeAssessment", problem("network", { extra: { waiting } }));
    fireEvent.click(screen.getByRole("button", { name: "Garder ces réponses" }));
    const wanted = waiting ? "Vos réponses sont scellées et attendent" : "Vos réponses sont toujours ici";
    await until(() => said().includes(wanted));
    expect(said()).not.toContain("Gardé.");
    expect((screen.getByRole("checkbox", { name: textOf("money") }) as HTMLInputElement).checked).toBe(true);
  });
});

describe("the curve", () => {
  test("draws what was felt, and says the same in a table beside what happened", async () => {
    await openVault([
      sampleItem(1, { deposited: 1_770_000_000, title: "Un", danger: 3, happened: parseHappened("2026-01-01") }),
      sampleItem(2, { deposited: 1_770_100_000, title: "Deux", danger: 7, happened: parseHappened("2026-02-01") }),
      sampleItem(3, { deposited: 1_770_200_000, title: "Trois", happened: parseHappened("2026-01-15") }),
      sampleItem(4, { deposited: 1_770_300_000, kind: "assessment", danger: 9, answers: answered(new Set(["kill"])) }),
      sampleItem(5, { deposited: 1_770_400_000, title: "Secret", danger: 10, sensitive: true }),
    ]);
    show(<Curve />);
    const drawing = screen.getByRole("img", { name: /Courbe de 3 ressentis/ });
    expect(drawing.querySelectorAll("circle")).toHaveLength(2);
    expect(drawing.querySelectorAll("path")).toHaveLength(1);
    expect(drawing.querySelectorAll(".curve-event")).toHaveLength(1);
    const heights = [...drawing.querySelectorAll("circle")].map((point) => Number(point.getAttribute("cy")));
    expect(heights[1]).toBeLessThan(heights[0]!);
    const table = [...document.querySelectorAll("tbody tr")].map((row) => row.textContent);
    expect(table).toHaveLength(4);
    expect(table[0]).toContain("Votre sécurité d’abord");
    const third = table.find((row) => row?.includes("Trois"));
    expect(third).toContain("15 janvier 2026");
    expect(third).toContain("non noté");
    expect(said()).not.toContain("Secret");
    expect(said()).toContain("1 élément derrière le code n’y est pas");
  });

  test("of nothing says how it begins", async () => {
    await openVault([sampleItem(1, { deposited: 1, title: "Un" })]);
    show(<Curve />);
    expect(said()).toContain("La courbe se dessine avec");
    expect(sampleId(1)).toHaveLength(22);
  });
});
