// @vitest-environment happy-dom
// Sharing on the page, from the choice to the list of what is shared: whole things, and parts of them.
import { act, cleanup, fireEvent, screen } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { address } from "../src/app/router.js";
import { extracts, items, refreshItems } from "../src/app/state.js";
import { boxAmid, boxBetween, copySize, moved, MOVES, SIDE, type Box } from "../src/app/views/shares/boxes.js";
import * as boxes from "../src/app/views/shares/boxes.js";
import Share from "../src/app/views/shares/Share.js";
import Shares from "../src/app/views/shares/Shares.js";
import { extending } from "../src/app/views/shares/told.js";
import Entry from "../src/app/views/journal/Entry.js";
import Timeline from "../src/app/views/journal/Timeline.js";
import type { Content, Item } from "../src/worker/api.js";
import { watchAddresses } from "./app_documents_scene.js";
import { answer, callsOf, openVault, show, until } from "./app_journal_scene.js";
import { PASSWORD, PIN, problem, type MemoryVault } from "./memory_vault.js";
import { sampleId, sampleItem } from "./samples.js";

const HASH = new Uint8Array(32).fill(7);
const file = (n: number, name: string, mime: string): Content =>
  ({ blob: `blob${n}`, name, mime, size: 9, sealed: HASH, sha256: HASH });
const HELD: readonly Item[] = [
  sampleItem(1, {
    deposited: 1_770_000_000, title: "Devant l’école", place: "rue de l’École", people: ["Nadia"],
    text: "Il attendait. Nadia a tout vu.\nPuis il est parti avec nadia.",
    contents: [file(1, "porte.png", "image/png"), file(2, "lettre.txt", "text/plain")],
  }),
  sampleItem(2, { deposited: 1_771_000_000, title: "Le soir", text: "Rien." }),
  sampleItem(3, { deposited: 1_772_000_000, title: "Derrière", text: "Les mots exacts.", sensitive: true }),
];
let vault: MemoryVault;
const said = (): string => document.body.textContent ?? "";
const press = async (name: string | RegExp): Promise<void> => {
  await act(async () => void fireEvent.click(screen.getByRole("button", { name })));
};
const tick = async (name: RegExp): Promise<void> => {
  await act(async () => void fireEvent.click(screen.getByRole("checkbox", { name })));
};
const option = (text: RegExp): HTMLElement => screen.getByRole("option", { name: text });
const key = (element: Element, name: string, shiftKey = false): void => {
  act(() => void fireEvent.keyDown(element, { key: name, shiftKey }));
};
const cutTexts = (): string[] => [...document.querySelectorAll(".cutting del")].map((one) => one.textContent ?? "");

beforeEach(async () => {
  vault = await openVault(HELD);
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  extending.value = null;
});

/** From the list of everything to what is left out of the entry by the school. */
async function choosePart(): Promise<void> {
  show(<Share id={null} />);
  await tick(/Devant l’école/);
  await press("Continuer");
  await press(/Choisir un extrait/);
}

/** From whom to the preview. */
async function goOn(): Promise<void> {
  await press("Continuer");
  await press("Faire un lien et un code");
  await act(async () => void fireEvent.submit(document.querySelector("form")!));
  await until(() => said().includes("Ce qui sera montré"));
}

async function confirm(): Promise<void> {
  for (const [label, value] of [["Mot de passe actuel", PASSWORD], ["Code actuel", PIN]] as const) {
    const input = [...document.querySelectorAll("label")].find((one) => one.textContent === label);
    const field = document.getElementById(input?.getAttribute("for") ?? "") as HTMLInputElement;
    act(() => void fireEvent.input(field, { target: { value } }));
  }
  await act(async () => void fireEvent.submit(document.querySelector("form")!));
}

describe("sharing", () => {
  test("something whole goes from the choice to a link and a code, shown once", async () => {
    show(<Share id={null} />);
    await press("Continuer");
    expect(said()).toContain("Cochez au moins un élément.");
    await tick(/Devant l’école/);
    await press("Continuer");
    expect(said()).toContain("En entier, ou un extrait");
    expect((screen.getByRole("radio", { name: "En entier" }) as HTMLInputElement).checked).toBe(true);
    await goOn();
    expect(said()).toContain("Nadia a tout vu.");
    expect(said()).not.toContain("Extrait");
    await confirm();
    await until(() => said().includes("C’est partagé"));
    const [, , sharing] = callsOf(vault, "share")[0] as [string, string, { items: unknown }];
    expect(sharing.items).toEqual([{ item: sampleId(1), revision: 1 }]);
    expect(document.querySelector(".digits")?.textContent).toBe("1234 5678");
  });

  test("names the thing that has no receipt that holds, and shares nothing", async () => {
    show(<Share id={null} />);
    await tick(/Devant l’école/);
    await tick(/Le soir/);
    await press("Continuer");
    await goOn();
    vault.fail("share", problem("item_unproven", { extra: { item: sampleId(2), revision: 1 } }));
    await confirm();
    await until(() => screen.queryByRole("alert"));
    expect(screen.getByRole("alert").textContent).toMatch(/donc rien n’a été partagé.*«\u00a0Le soir\u00a0» peut être retiré/s);
    vault.fail("share", problem("network"));
    await confirm();
    await until(() => said().includes("Le service ne répond pas"));
    expect(said()).not.toContain("peut être retiré");
  });

  test("is extended for the reader it has: only until when and how often is asked", async () => {
    const before = {
      bundle: "bundle", created: 1_780_000_000, expires: 1_790_000_000, openings: 3, opened: [1_781_000_000], entry: 0,
      name: "Claire Martin", items: [{ item: sampleId(2), revision: 1 }], wrongCodes: 0, ended: null, why: null,
      replacedBy: null,
    };
    vault.shared = [before];
    show(<Shares />);
    await until(() => said().includes("Claire Martin"));
    await press(/^Prolonger/);
    cleanup();
    show(<Share id={null} />);
    expect(said()).toContain("ce que vous partagez avec Claire Martin");
    expect(said()).toContain("Ouvertures déjà comptées\u00a0: 1.");
    await act(async () => void fireEvent.submit(document.querySelector("form")!));
    await until(() => said().includes("Ce qui sera montré"));
    await confirm();
    await until(() => said().includes("C’est partagé"));
    expect(callsOf(vault, "share")[0]![2]).toMatchObject({ to: 0, replaces: "bundle", openings: 11, items: before.items });
    expect(said()).toContain("Claire Martin peut l’ouvrir");
  });

  test("with somebody who is looked for says where nobody fits, and in an empty list shows the other way at once", async () => {
    const choose = async (): Promise<void> => {
      show(<Share id={sampleId(1)} />);
      await press("Continuer");
      await press("Continuer");
      await press("Chercher dans la liste");
    };
    await choose();
    await until(() => said().includes("3 personnes"));
    act(() => void fireEvent.input(screen.getByRole("searchbox"), { target: { value: "zzz" } }));
    expect(screen.getByRole("status").textContent).toContain("Ces mots ne correspondent à personne ici.");
    cleanup();
    vault.listed = [];
    await choose();
    await until(() => said().includes("Cette liste est encore vide."));
    expect(screen.queryByRole("searchbox")).toBeNull();
    await press("Faire un lien et un code");
    expect(said()).toContain("Jusqu’à quand");
  });

  test("by a link is extended by another one, and says so before", async () => {
    extending.value = {
      bundle: "bundle", created: 1, expires: 2, openings: 3, opened: [], entry: null, name: null,
      items: [{ item: sampleId(2), revision: 1 }], wrongCodes: 0, ended: 2, why: "expired", replacedBy: null,
    };
    show(<Share id={null} />);
    expect(said()).toContain("les anciens n’ouvriront plus rien");
    await act(async () => void fireEvent.submit(document.querySelector("form")!));
    await until(() => said().includes("Ce qui sera montré"));
    await confirm();
    await until(() => said().includes("1234 5678"));
    expect(callsOf(vault, "share")[0]![2]).toMatchObject({ to: null, replaces: "bundle" });
  });

  test("is listed with its openings, and ended after asking", async () => {
    vault.shared = [{
      bundle: "bundle", created: 1_780_000_000, expires: 1_790_000_000, openings: 3, opened: [1_781_000_000], entry: null,
      name: null, items: [{ item: sampleId(2), revision: 1 }, { item: sampleId(9), revision: 1 }], wrongCodes: 2,
      ended: null, why: null, replacedBy: null,
    }];
    show(<Shares />);
    await until(() => said().includes("Lien et code"));
    expect(said()).toContain("Le soir");
    expect(said()).toContain("Un élément supprimé depuis");
    await press(/^Mettre fin/);
    await answer("Mettre fin au partage");
    await until(() => callsOf(vault, "revokeShare").length === 1);
    await until(() => said().includes("Terminés"));
  });
});

describe("a part", () => {
  beforeEach(choosePart);

  test("starts with the text and nothing else, and is refused where nothing is left out or nothing is left", async () => {
    for (const box of screen.getAllByRole("checkbox")) expect((box as HTMLInputElement).checked).toBe(false);
    for (const name of [/^Titre/, /^Lieu/, /^Personnes/, /porte\.png/, /lettre\.txt/]) await tick(name);
    await press("Garder cet extrait");
    expect(screen.getByRole("alert").textContent).toContain("Rien n’est laissé de côté");
    for (const name of [/^Titre/, /^Lieu/, /^Personnes/, /porte\.png/, /lettre\.txt/]) await tick(name);
    expect(screen.queryByRole("alert")).toBeNull();
    for (const one of screen.getAllByRole("option")) act(() => void fireEvent.click(one));
    await press("Garder cet extrait");
    expect(screen.getByRole("alert").textContent).toContain("Il ne reste rien à donner");
    expect(callsOf(vault, "makeExtract")).toEqual([]);
  });

  test("is cut by a tap on a sentence or a word, and comes back by another", async () => {
    act(() => void fireEvent.click(option(/Nadia a tout vu/)));
    expect(cutTexts().join("")).toBe("Nadia a tout vu.");
    await press("Mots");
    act(() => void fireEvent.click(option(/^vu/)));
    expect(cutTexts()).toHaveLength(3);
    await press("Phrases");
    expect(option(/Nadia a tout vu/).getAttribute("aria-selected")).toBe("false");
    expect(said()).toContain("1 passage est coupé");
  });

  test("is cut with keys alone, one stop of the tab key for the whole text", async () => {
    await press("Mots");
    const options = screen.getAllByRole("option");
    expect(options.filter((one) => one.tabIndex === 0)).toHaveLength(1);
    key(options[0]!, "End");
    expect(document.activeElement).toBe(options.at(-1));
    key(options.at(-1)!, " ");
    key(options.at(-1)!, "ArrowLeft", true);
    key(options.at(-1)!, "Home");
    expect(cutTexts()).toEqual(["avec", "nadia."]);
    expect(document.activeElement).toBe(options[0]);
    act(() => void fireEvent.click(options[2]!));
    act(() => void fireEvent.click(options[4]!, { shiftKey: true }));
    expect(cutTexts()).toEqual(["Nadia", "a", "tout", "avec", "nadia."]);
  });

  test("tells where words that were cut stand all the same, and cuts them there", async () => {
    await press("Mots");
    act(() => void fireEvent.click(option(/^Nadia/)));
    expect(said()).toContain("se trouvent encore 1 fois dans le texte");
    await press("Les couper là aussi");
    expect(document.activeElement?.getAttribute("role")).toBe("option"); // the button goes
    expect(cutTexts()).toEqual(["Nadia", "nadia."]);
    expect(said()).not.toContain("se trouvent encore");
    await tick(/^Personnes/);
    expect(said()).toContain("sont dans ce que vous donnez : Personnes présentes".replace(" :", "\u00a0:"));
  });

  test("is kept, stands in the place of its whole, and the preview and the reader see nothing else", async () => {
    await press("Mots");
    act(() => void fireEvent.click(option(/^Nadia/)));
    await press("Les couper là aussi");
    await tick(/^Lieu/);
    await tick(/lettre\.txt/);
    await press("Garder cet extrait");
    await until(() => said().includes("En entier, ou un extrait"));
    const [item, revision, redaction, covered] = callsOf(vault, "makeExtract")[0]!;
    expect([item, revision, covered]).toEqual([sampleId(1), 1, []]);
    expect(redaction).toEqual({ cuts: [[14, 19], [54, 60]], facts: ["place"], files: ["blob2"] });
    expect((screen.getByRole("radio", { name: /L’extrait fait le/ }) as HTMLInputElement).checked).toBe(true);
    await goOn();
    expect(said()).toContain("Il attendait. […] a tout vu.");
    expect(said()).toContain("Extrait\u00a0: des parties ont été laissées de côté");
    for (const word of [/nadia/i, /porte\.png/, /Devant l’école/]) expect(said()).not.toMatch(word);
    await confirm();
    await until(() => said().includes("C’est partagé"));
    const [, , sharing] = callsOf(vault, "share")[0] as [string, string, { items: unknown }];
    expect(sharing.items).toEqual([{ item: extracts.value[0]!.id, revision: 1 }]);
  });

  test("that can't be kept says why, and everything that was chosen stays", async () => {
    act(() => void fireEvent.click(option(/Nadia a tout vu/)));
    vault.fail("makeExtract", Object.assign(new Error(), { code: "network" }));
    await press("Garder cet extrait");
    await until(() => screen.queryByRole("alert"));
    expect(cutTexts().join("")).toBe("Nadia a tout vu.");
    await press("Garder cet extrait");
    await until(() => extracts.value.length === 1);
  });

  test("has a picture with parts of it covered in the place of the picture", async () => {
    const { blobs } = watchAddresses();
    const cover = vi.spyOn(boxes, "coverPicture").mockResolvedValue(new Blob(["copy"], { type: "image/jpeg" }));
    await press(/En masquer des parties/);
    await until(() => document.querySelector(".cover img"));
    const picture = document.querySelector<HTMLImageElement>(".cover img")!;
    for (const [name, value] of [["naturalWidth", 400], ["naturalHeight", 300]] as const) {
      Object.defineProperty(picture, name, { value });
    }
    act(() => void fireEvent.load(picture));
    await press("Faire la copie");
    expect(screen.getByRole("alert").textContent).toContain("au moins un cadre");
    await press("Ajouter un cadre");
    const before = document.querySelector("rect")!.getAttribute("x");
    key(screen.getByRole("button", { name: "Cadre 1" }), "ArrowLeft");
    expect(Number(document.querySelector("rect")!.getAttribute("x"))).toBeLessThan(Number(before));
    key(screen.getByRole("button", { name: "Cadre 1" }), "ArrowRight", true);
    await press("Plus haut");
    await press("Faire la copie");
    expect(cover.mock.calls[0]![1]).toEqual([{ x: 150, y: 120, width: 90, height: 70 }]);
    await until(() => said().includes("une copie de porte.png"));
    await press("Garder cet extrait");
    await until(() => extracts.value.length === 1);
    const [{ contents, masked }] = extracts.value as [Item];
    expect(contents.map(({ name }) => name)).toEqual(["image-1.jpg"]);
    expect(masked).toEqual([contents[0]!.blob]);
    expect([...blobs.values()].every((one) => one.size > 0)).toBe(true);
  });
});

describe("what was made to be shared", () => {
  beforeEach(async () => {
    await vault.makeExtract(sampleId(1), 1, { cuts: [[0, 13]], facts: ["title"], files: [] }, []);
    await refreshItems();
  });

  test("stands beneath its whole and in what is shared, and is no entry of the journal", async () => {
    const [part] = extracts.value as [Item];
    expect(items.value!.map(({ kind }) => kind)).not.toContain("extract");
    show(<Timeline />);
    await until(() => document.querySelectorAll(".row").length > 0);
    expect([...document.querySelectorAll(".row b")].filter((one) => one.textContent === "Devant l’école")).toHaveLength(1);
    cleanup();
    show(<Entry id={sampleId(1)} />);
    expect(said()).toContain("Ce que vous en avez tiré pour le partager");
    expect(document.querySelector(`a.row[href="${address("entry", part.id)}"]`)).not.toBeNull();
    await press("Supprimer");
    expect(said()).toContain("L’extrait que vous en avez fait reste.");
    cleanup();
    show(<Shares />);
    await until(() => said().includes("1 extrait fait pour être partagé"));
  });

  test("is read with the way to its whole, and is never changed", async () => {
    const [part] = extracts.value as [Item];
    show(<Entry id={part.id} />);
    await until(() => said().includes("[…]"));
    expect(said()).toContain("Ceci est un extrait");
    expect(screen.queryByText("Modifier")).toBeNull();
    expect(screen.getByRole("link", { name: "Voir le tout" }).getAttribute("href")).toBe(address("entry", sampleId(1)));
  });

  test("is offered again, and one share may be extended with it", async () => {
    const [part] = extracts.value as [Item];
    extending.value = {
      bundle: "bundle", created: 1, expires: 2, openings: 3, opened: [1], entry: null, name: null,
      items: [{ item: part.id, revision: 1 }], wrongCodes: 0, ended: null, why: null, replacedBy: null,
    };
    show(<Share id={null} />);
    await press(/Retour/);
    expect(said()).toContain("Faire un lien et un code"); // somebody else may be chosen all the same
    await press(/Retour/);
    expect(screen.getByRole("radio", { name: /L’extrait fait le/ })).toHaveProperty("checked", true);
    await act(async () => void fireEvent.click(screen.getByRole("radio", { name: "En entier" })));
    await press("Continuer");
    await press(/Retour/);
    expect(screen.getByRole("radio", { name: "En entier" })).toHaveProperty("checked", true);
  });
});

describe("boxes", () => {
  const size = { width: 400, height: 300 };

  test("stay within the picture, however they are moved", () => {
    for (const how of MOVES) {
      let box: Box = boxAmid(size);
      for (let step = 0; step < 60; step += 1) box = moved(box, how, size);
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.y).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(400);
      expect(box.y + box.height).toBeLessThanOrEqual(300);
      expect(Math.min(box.width, box.height)).toBeGreaterThan(0);
    }
  });

  test("are drawn from any corner, and not by a tap", () => {
    const box = { x: 10, y: 20, width: 80, height: 60 };
    expect(boxBetween({ x: 90, y: 80 }, { x: 10, y: 20 }, size)).toEqual(box);
    expect(boxBetween({ x: -50, y: 20 }, { x: 900, y: 900 }, size)).toEqual({ x: 0, y: 20, width: 400, height: 280 });
    expect(boxBetween({ x: 10, y: 20 }, { x: 11, y: 21 }, size)).toBeNull();
  });

  test("lie on a copy that an old telephone can hold", () => {
    expect(copySize({ width: 8000, height: 6000 })).toEqual({ width: SIDE, height: 1920 });
    expect(copySize({ width: 9, height: 90_000 })).toEqual({ width: 1, height: SIDE });
    expect(copySize(size)).toEqual(size);
  });
});
