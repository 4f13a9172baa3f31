// @vitest-environment happy-dom
// Reading the journal: what comes first, what is locked, what changed, what is found, what was deleted.
import { act, cleanup, fireEvent, screen } from "@testing-library/preact";
import { afterEach, describe, expect, test, vi } from "vitest";

import { day } from "../src/app/i18n.js";
import { address, go, place } from "../src/app/router.js";
import { items, refreshItems, waiting } from "../src/app/state.js";
import Calendar from "../src/app/views/journal/Calendar.js";
import Deleted from "../src/app/views/journal/Deleted.js";
import Entry from "../src/app/views/journal/Entry.js";
import History from "../src/app/views/journal/History.js";
import Search from "../src/app/views/journal/Search.js";
import Timeline from "../src/app/views/journal/Timeline.js";
import { Edit } from "../src/app/views/journal/Write.js";
import { parseHappened } from "../src/sdk/happened.js";
import { EMPTY_DRAFT } from "../src/sdk/items.js";
import type { Item } from "../src/worker/api.js";
import { answer, openVault, PIN, show, until } from "./app_journal_scene.js";
import { sampleId, sampleItem } from "./samples.js";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const said = (): string => document.body.textContent ?? "";
const rows = (): string[] => [...document.querySelectorAll(".row b")].map((row) => row.textContent ?? "");
const press = (name: string | RegExp): void => void fireEvent.click(screen.getByRole("button", { name }));

const HELD: readonly Item[] = [
  sampleItem(1, {
    deposited: 1_780_000_000, title: "Écrit en dernier, arrivé en premier", happened: parseHappened("2019"),
    tags: ["école"],
  }),
  sampleItem(2, {
    deposited: 1_770_000_000, title: "Le soir", happened: parseHappened("2026-03-03T21:30"), danger: 8,
    text: "Il a claqué la porte.",
  }),
  sampleItem(3, { deposited: 1_772_000_000, sensitive: true, title: "Secret", text: "Derrière le code." }),
  sampleItem(4, {
    deposited: 1_771_000_000, title: "", text: "Sans titre, mais avec des mots.", danger: 2, mood: "calme",
  }),
  sampleItem(5, { deposited: 1_769_000_000, kind: "document", title: "Certificat" }),
];

describe("the timeline", () => {
  test("goes by what happened, the newest first, under months", async () => {
    await openVault(HELD);
    show(<Timeline />);
    expect(rows()).toEqual([
      "Le soir", "Derrière le code", "Sans titre, mais avec des mots.", "Certificat",
      "Écrit en dernier, arrivé en premier",
    ]);
    expect([...document.querySelectorAll("h2")].map((one) => one.textContent))
      .toEqual(["mars 2026", "février 2026", "janvier 2026", "2019"]);
    expect(said()).toContain("danger ressenti 8/10");
    expect(said()).not.toContain("Secret");
  });

  test("empty says what to do", async () => {
    await openVault([]);
    show(<Timeline />);
    expect(said()).toContain("Une phrase suffit pour commencer");
    expect(screen.getByRole("link", { name: "Écrire" }).getAttribute("href")).toBe("#10");
  });

  test("begins with drafts and with what waits to be sent", async () => {
    const vault = await openVault(HELD);
    const unsent = sampleItem(9, { title: "Pas encore parti", deposited: 0, text: "Il attendait en bas.\n\nEncore." });
    const loss = sampleItem(10, { kind: "loss", title: null, text: null, deposited: 0 }); // nothing to read
    vault.waiting = async () => [loss, unsent];
    vault.begin({
      slot: "slotAAAAAAAAAAAAAAAAAA", item: null, revision: null, kind: "journal", sensitive: false, saved: 1_770_000_000,
      draft: { ...EMPTY_DRAFT, text: "Je commence" },
    });
    show(<Timeline />);
    waiting.value = 1;
    await until(() => rows().length === 7);
    expect(rows().slice(0, 2)).toEqual(["Pas encore parti", "Je commence"]);
    const whole = document.querySelector(".unfinished details")!;
    expect(whole.querySelector("summary b")?.textContent).toBe("Pas encore parti");
    expect(whole.querySelector(".entry-text")?.textContent).toBe(unsent.text);
  });

  test("of 2,000 entries is drawn in steps, from the first ones at once to the last one", async () => {
    await openVault(Array.from({ length: 2000 }, (_, n) => sampleItem(n, {
      deposited: 1_500_000_000 + n * 90_000, title: `Texte ${n}`, danger: n % 11, mood: "calme", tags: ["a", "b"],
      text: "mot ".repeat(200),
    })));
    const before = process.cpuUsage();
    show(<Timeline />);
    expect(rows().length).toBeLessThanOrEqual(30);
    expect(rows()[0]).toBe("Texte 1999");
    const { user, system } = process.cpuUsage(before); // of the processor: beside other work the clock measures that
    expect((user + system) / 1000).toBeLessThan(500); // the whole is measured in a browser: this DOM is no measure for one
    while (document.querySelector("[aria-busy='true']")) await new Promise((done) => setTimeout(done, 200));
    expect(rows()).toEqual(Array.from({ length: 2000 }, (_, n) => `Texte ${1999 - n}`));
  });
});

describe("an entry", () => {
  test("tells three times apart, and shows questions as headings", async () => {
    await openVault([sampleItem(1, {
      deposited: 1_770_000_000, written: 1_769_900_000, happened: parseHappened("2026-01"), title: "Hier",
      text: "Que s’est-il passé\u202f?\nIl a crié.\n\nEt après.", people: ["Nadia"],
    })]);
    show(<Entry id={sampleId(1)} />);
    const facts = [
      "Moment des faits", "janvier 2026", "Écrit le", "31 janvier 2026", "Déposé le", "2 février 2026", "Nadia",
    ];
    for (const fact of facts) expect(said()).toContain(fact);
    expect(screen.getByRole("heading", { level: 2 }).textContent).toBe("Que s’est-il passé\u202f?");
    expect(screen.getByRole("link", { name: "Voir le reçu" }).getAttribute("href")).toMatch(/^#40\.\d+$/);
    expect(said()).not.toContain("Gardé.");
  });

  test("without a title is called by its time: its words stand there once", async () => {
    const text = "Il a crié, puis il est parti.";
    await openVault([sampleItem(1, { deposited: 1_770_000_000, text, happened: parseHappened("2026-01") })]);
    show(<Entry id={sampleId(1)} />);
    expect(said().split(text)).toHaveLength(2);
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("janvier 2026");
  });

  test("behind the PIN shows nothing until it is given, and nothing after two minutes", async () => {
    const vault = await openVault(HELD);
    show(<Entry id={sampleId(3)} />);
    expect(said()).toContain("Ce contenu est derrière le code");
    await vault.stepUp(PIN);
    await until(() => said().includes("Secret"));
    await vault.dropSensitive();
    await until(() => said().includes("Ce contenu est derrière le code"));
    expect(said()).not.toContain("Secret");
  });

  test("that is deleted says what that means, goes, and comes back", async () => {
    const vault = await openVault(HELD);
    show(<Entry id={sampleId(2)} />);
    press("Supprimer");
    await until(() => said().includes("effacé pour de bon après sept jours"));
    expect(said()).toContain("ne peut pas être repris");
    await answer("Supprimer");
    await until(() => place.value.view === "home" && items.value?.length === 4);
    cleanup();
    show(<Timeline />);
    expect(said()).toContain("C’est caché.");
    expect(rows()).not.toContain("Le soir");
    press("Annuler la suppression");
    await until(() => rows().includes("Le soir"));
    expect(said()).toContain("C’est de retour");
    expect((await vault.items()).some(({ id }) => id === sampleId(2))).toBe(true);
  });

  test("that could not be deleted says why, and stays", async () => {
    const vault = await openVault(HELD);
    vault.opening = { ...vault.opening, warnings: ["items_missing"] };
    show(<Entry id={sampleId(2)} />);
    press("Supprimer");
    await until(() => screen.queryByText("Ne pas supprimer"));
    await answer("Supprimer");
    await until(() => screen.queryByRole("alert"));
    expect(items.value).toHaveLength(5);
  });
});

describe("what was deleted", () => {
  test("stands with the day after which it is erased, and can be had back", async () => {
    const vault = await openVault(HELD);
    await vault.deleteItem(sampleId(2));
    await refreshItems();
    const [tombstone] = await vault.items("tombstone");
    show(<Deleted />);
    await until(() => rows().includes("Le soir"));
    const week = 7 * 86_400;
    const erased = day(tombstone!.deposited + week);
    expect(said()).toContain(`Effacé après le ${erased}`);
    press(/^Reprendre/);
    await until(() => said().includes("C’est de retour"));
    await until(() => said().includes("Rien n’a été supprimé"));
  });

  test("and already erased can't be had back", async () => {
    const vault = await openVault(HELD);
    await vault.deleteItem(sampleId(2));
    const [tombstone] = await vault.items("tombstone");
    vault.history = async () => [{ ...HELD[1]!, state: "missing", kind: null }, tombstone!];
    show(<Deleted />);
    await until(() => rows().includes("Déjà effacé"));
    expect(screen.queryByRole("button", { name: /^Reprendre/ })).toBeNull();
  });
});

describe("versions", () => {
  test("are all readable, and two of them compared word by word", async () => {
    const first = sampleItem(1, {
      deposited: 1_770_000_000, title: "Hier", text: "Il a cassé une assiette.", danger: 4,
    });
    await openVault([
      first, { ...first, revision: 2, text: "Il a cassé deux assiettes.", danger: 7 },
      { ...first, revision: 3, text: "Il a cassé deux verres.", danger: 7 },
    ]);
    show(<History id={sampleId(1)} />);
    await until(() => document.querySelectorAll("details").length === 3);
    const told = (tag: string): string[] => [...document.querySelectorAll(tag)].map((one) => one.textContent ?? "");
    expect(told("del").join()).toContain("assiettes");
    expect(told("ins").join()).toContain("verres");
    fireEvent.change(screen.getByLabelText("De"), { target: { value: "1" } });
    await until(() => told("del").join().includes("une"));
    expect(told("del")[0]).toContain("4");
    expect(told("ins")[0]).toContain("7");
    expect(said()).toContain("Il a cassé une assiette.");
  });

  test("of a document tell its category apart, and lead to what may be edited, as what it is", async () => {
    const paper = sampleItem(1, { kind: "document", deposited: 1_770_000_000, title: "Papier", category: "message" });
    const stock = sampleItem(2, { kind: "assessment", deposited: 1_770_000_000 });
    await openVault([paper, { ...paper, revision: 2, category: "threat" }, stock]);
    const leads = (name: string): string | null | undefined => screen.queryByRole("link", { name })?.getAttribute("href");
    show(<History id={paper.id} />);
    await until(() => document.querySelector("ins"));
    expect([document.querySelector("del")!.textContent, document.querySelector("ins")!.textContent].join())
      .toMatch(/Messages.*Menace/);
    expect(leads("Revenir au contenu")).toBe(address("document", paper.id));
    expect(leads("Modifier")).toBe(address("edit", paper.id));
    cleanup();
    show(<Edit id={paper.id} />);
    await until(() => document.querySelector("form"));
    expect(screen.getByLabelText("Catégorie")).toHaveProperty("value", "threat");
    cleanup();
    show(<History id={stock.id} />);
    await until(() => leads("Revenir au contenu") === address("assessment", stock.id));
    expect(leads("Modifier")).toBeUndefined();
  });
});

describe("the calendar", () => {
  test("counts each day, and the arrows go from day to day and over the month's end", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date(2026, 2, 2, 12) });
    await openVault(HELD);
    show(<Calendar />);
    const named = (): string => document.activeElement?.getAttribute("aria-label") ?? "";
    expect(screen.getByRole("button", { name: "mardi 3 mars 2026\u00a0: 1 élément" })).toBeTruthy();
    const grid = screen.getByRole("grid");
    const key = (name: string): void => void act(() => void fireEvent.keyDown(grid, { key: name }));
    key("ArrowRight");
    expect(named()).toContain("mardi 3 mars 2026");
    key("ArrowUp");
    expect(named()).toContain("mardi 24 février 2026");
    key("End");
    expect(named()).toContain("dimanche 1 mars 2026");
    key("PageDown");
    expect(named()).toContain("mercredi 1 avril 2026");
    key("Home");
    expect(named()).toContain("lundi 30 mars 2026");
    expect(document.querySelectorAll(".square[tabindex='0']")).toHaveLength(1);
    fireEvent.click(screen.getByRole("button", { name: /^mardi 3 mars/ }));
    expect(rows()).toEqual(["Le soir"]);
  });
});

describe("the search", () => {
  const search = (words: string): void => {
    fireEvent.input(screen.getByRole("searchbox"), { target: { value: words } });
  };

  test("finds words whatever their accents, shows where, and says what it didn't read", async () => {
    await openVault(HELD);
    show(<Search />);
    search("CLAQUE porte");
    await until(() => said().includes("1 résultat"));
    expect(rows()).toEqual(["Le soir"]);
    expect([...document.querySelectorAll("mark")].map((one) => one.textContent)).toEqual(["claqué", "porte"]);
    expect(said()).toContain("1 élément derrière le code n’a pas été lu");
    search("ecole");
    await until(() => rows().includes("Écrit en dernier, arrivé en premier"));
    search("rien de tel");
    await until(() => said().includes("Rien ne correspond"));
  });

  test("finds what is behind the PIN once it was given", async () => {
    const vault = await openVault(HELD);
    show(<Search />);
    search("derriere");
    await until(() => said().includes("Rien ne correspond"));
    await vault.stepUp(PIN);
    await until(() => rows().includes("Secret"));
  });

  test("chooses by tag, by danger, by PIN", async () => {
    await openVault(HELD);
    show(<Search />);
    const choose = (label: string, value: string): void => {
      fireEvent.change(screen.getByLabelText(label), { target: { value } });
    };
    choose("Danger ressenti", "7");
    await until(() => rows().length > 0);
    expect(rows()).toEqual(["Le soir"]);
    choose("Danger ressenti", "");
    choose("Code", "yes");
    await until(() => rows()[0] === "Derrière le code");
    choose("Code", "");
    choose("Mots-clés", "école");
    await until(() => rows()[0] === "Écrit en dernier, arrivé en premier");
    expect(rows()).toHaveLength(1);
  });
});

test("what was locked and is no entry goes to its own view", async () => {
  const vault = await openVault([sampleItem(7, { deposited: 1, sensitive: true, kind: "document", title: "Photo" })]);
  go("entry", sampleId(7));
  show(<Entry id={sampleId(7)} />);
  await vault.stepUp(PIN);
  await until(() => place.value.view === "document");
  expect(place.value.id).toBe(sampleId(7));
});
