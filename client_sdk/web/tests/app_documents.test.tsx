// @vitest-environment happy-dom
// Documents, read: what is behind the PIN tells nothing, no clear copy without a warning, and no address that stays.
import { cleanup, fireEvent, screen } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { place } from "../src/app/router.js";
import { items } from "../src/app/state.js";
import { CATEGORIES, spellCategory } from "../src/app/views/documents/categories.js";
import Document from "../src/app/views/documents/Document.js";
import Documents from "../src/app/views/documents/Documents.js";
import { kindOf, LARGEST, neutralName, TEXT_SHOWN } from "../src/app/views/documents/kinds.js";
import * as pdf from "../src/app/views/documents/pdf.js";
import { decodeText } from "../src/app/views/documents/text.js";
import { EMPTY_DRAFT } from "../src/sdk/items.js";
import type { Content, Item } from "../src/worker/api.js";
import { type Addresses, watchAddresses, watchDownloads } from "./app_documents_scene.js";
import { answer, callsOf, openVault, PIN, show, until } from "./app_journal_scene.js";
import { type MemoryVault, problem } from "./memory_vault.js";
import { sampleId, sampleItem } from "./samples.js";

vi.mock("../src/app/views/documents/pdf.js", () => ({
  openPdf: vi.fn(), asksForPassword: (error: Error) => error.message === "password",
}));

const hash = Uint8Array.from({ length: 32 }, (_, place) => place);
const GROUPS = "0001 0203 0405 0607 0809 0a0b 0c0d 0e0f 1011 1213 1415 1617 1819 1a1b 1c1d 1e1f";
const content = (name: string, mime: string, size = 2000): Content =>
  ({ blob: `blob ${name}`, name, mime, size, sealed: hash, sha256: hash });
const document_ = (n: number, given: Partial<Item>): Item =>
  sampleItem(n, { kind: "document", deposited: 1_700_000_000 + n, ...given });
const DOOR = document_(1, {
  title: "La porte", category: "injury", text: "Le lendemain.", contents: [content("IMG_1.png", "image/png")],
});
const PAPER = document_(2, {
  title: "Certificat", category: "medical certificate", contents: [content("c.pdf", "application/pdf")],
});
const WORDS = document_(3, { title: "Échange", category: "sms", contents: [content("m.txt", "text/plain")] });
const SECRET = document_(4, { title: "Cachée", sensitive: true, contents: [content("s.png", "image/png")] });
const SOUND = document_(5, { title: "Voix", contents: [content("v.ogg", "audio/ogg")] });
const FILM = document_(6, { title: "Film", contents: [content("f.mp4", "video/mp4", LARGEST.video + 1)] });
const SCAN = document_(7, { title: "Gros", contents: [content("g.tiff", "image/tiff", LARGEST.image + 1)] });
const PAGE = document_(8, { title: "Page", contents: [content("p.svg", "image/svg+xml")] });
const NOTE = sampleItem(9, { title: "Un texte", deposited: 1_700_000_100 });
const ALL = [DOOR, PAPER, WORDS, SECRET, SOUND, FILM, SCAN, PAGE, NOTE];

let vault: MemoryVault;
let addresses: Addresses;

beforeEach(async () => {
  vault = await openVault(ALL);
  addresses = watchAddresses();
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const said = (): string => document.body.textContent ?? "";
const press = (name: string | RegExp): void => void fireEvent.click(screen.getByRole("button", { name }));
const titles = (): readonly (string | null)[] =>
  [...document.querySelectorAll(".document-row b")].map((one) => one.textContent);
const shown = async (item: Item): Promise<void> => {
  show(<Document id={item.id} />);
  await until(() => screen.queryByRole("heading", { level: 1 }));
};

describe("the list", () => {
  test("has documents alone, the newest first, with their categories; an unknown one as it was typed", () => {
    show(<Documents />);
    expect(titles()).toEqual(["Page", "Gros", "Film", "Voix", "Échange", "Certificat", "La porte"]);
    expect(said()).toContain("Certificat médical");
    expect(said()).toContain("sms");
    expect(said()).not.toContain("Un texte");
  });

  test("is searched by words, also those of a category, and by category", async () => {
    show(<Documents />);
    fireEvent.input(screen.getByRole("searchbox"), { target: { value: "certificat MEDICAL" } });
    await until(() => titles().length === 1);
    expect(titles()).toEqual(["Certificat"]);
    fireEvent.input(screen.getByRole("searchbox"), { target: { value: "echange" } });
    await until(() => titles()[0] === "Échange");
    fireEvent.input(screen.getByRole("searchbox"), { target: { value: "" } });
    fireEvent.change(screen.getByLabelText("Catégorie"), { target: { value: "Blessure" } });
    await until(() => titles().join() === "La porte");
    fireEvent.input(screen.getByRole("searchbox"), { target: { value: "rien de tel" } });
    await until(() => said().includes("Rien ne correspond"));
  });

  test("what is behind the PIN is a closed row, of which not even the kind is told, until it is given", async () => {
    show(<Documents />);
    expect(said()).not.toContain("Cachée");
    expect(said()).toContain("1 élément est fermé");
    expect(callsOf(vault, "thumbnail").flat()).not.toContain(SECRET.contents[0]?.blob);
    await vault.stepUp(PIN);
    await until(() => titles().includes("Cachée"));
    await vault.dropSensitive();
    await until(() => !said().includes("Cachée"));
  });

  test("shows small pictures on the screen alone, fetches no file, and takes their addresses back", async () => {
    let see: () => void = () => undefined;
    vi.stubGlobal("IntersectionObserver", class {
      constructor(call: (entries: readonly { isIntersecting: boolean }[]) => void) {
        const before = see;
        see = () => (before(), call([{ isIntersecting: true }]));
      }
      observe(): void {}
      disconnect(): void {}
    });
    await vault.keepThumbnail(DOOR.contents[0]!.blob, new Blob(["small"]));
    const view = show(<Documents />);
    await until(() => screen.queryByRole("searchbox"));
    expect(callsOf(vault, "thumbnail")).toEqual([]);
    see();
    await until(() => document.querySelector(".thumb img"));
    expect(callsOf(vault, "thumbnail").length).toBe(2); // the two images, and nothing that is none
    expect(callsOf(vault, "readContent")).toEqual([]);
    view.unmount();
    expect(addresses.made).toHaveLength(1);
    expect([...addresses.open]).toEqual([]);
  });

  test("that is empty says what to do", async () => {
    vault = await openVault([]);
    show(<Documents />);
    expect(said()).toContain("Aucun document pour le moment");
    expect(screen.getByRole("link", { name: "Ajouter un document" })).toBeTruthy();
  });
});

describe("a document", () => {
  test("says name, type, size and the hash of the original in groups, and the three times", async () => {
    await shown(DOOR);
    expect(said()).toContain("IMG_1.png");
    expect(said()).toContain("image/png");
    expect(said()).toContain(GROUPS);
    expect(said()).toContain("Le lendemain.");
    for (const name of ["Écrit le", "Déposé le", "Preuve du dépôt"]) expect(said()).toContain(name);
  });

  test("behind the PIN shows nothing before it, and closes again with it", async () => {
    await shown(SECRET);
    expect(said()).not.toContain("Cachée");
    await vault.stepUp(PIN);
    await until(() => said().includes("Cachée"));
    press(/^Montrer l’image/);
    await until(() => document.querySelector("img.picture"));
    expect(addresses.open.size).toBeGreaterThan(0);
    await vault.dropSensitive();
    await until(() => !said().includes("Cachée"));
    expect([...addresses.open]).toEqual([]);
  });

  test("an image is fetched when it is asked for, hidden when that is, and its address taken back", async () => {
    await shown(DOOR);
    expect(callsOf(vault, "readContent")).toEqual([]);
    press(/^Montrer l’image/);
    await until(() => document.querySelector("img.picture"));
    expect(document.querySelector("img.picture")?.getAttribute("alt")).toBe("Image IMG_1.png");
    press(/^Cacher/);
    await until(() => document.querySelector("img.picture") === null);
    expect([...addresses.open]).toEqual([]);
    press(/^Montrer l’image/);
    await until(() => document.querySelector("img.picture"));
    cleanup();
    expect([...addresses.open]).toEqual([]);
  });

  test("an image that this browser can't draw says so, and the download is beside it", async () => {
    await shown(DOOR);
    press(/^Montrer l’image/);
    await until(() => document.querySelector("img.picture"));
    fireEvent.error(document.querySelector("img.picture")!);
    await until(() => said().includes("Ce navigateur ne sait pas montrer ce fichier"));
    expect(screen.getByRole("button", { name: /^Télécharger/ })).toBeTruthy();
  });

  test("a text is shown as text, whatever it is", async () => {
    await shown(WORDS);
    press(/^Montrer le texte/);
    await until(() => document.querySelector("pre")?.textContent?.includes("Tu vas le regretter"));
    expect(screen.getAllByRole("group", { name: "m.txt" }).at(-1)).toBe(document.querySelector("pre")); // it is scrolled by keys
    expect(callsOf(vault, "readContent")[0]).toEqual([WORDS.id, 1, WORDS.contents[0]?.blob, undefined]);
    expect(said()).not.toContain("Seul le début");
  });

  test("of a long text only the beginning is fetched, and that is said", async () => {
    const long = document_(20, { title: "Long", contents: [content("l.log", "text/plain", TEXT_SHOWN + 1)] });
    vault = await openVault([long]);
    await shown(long);
    press(/^Montrer le texte/);
    await until(() => said().includes("Seul le début est montré"));
    expect(callsOf(vault, "readContent")[0]?.[3]).toEqual([0, TEXT_SHOWN]);
  });

  test("a PDF is drawn page by page, its words can be heard, and it is closed with the view", async () => {
    const close = vi.fn();
    const draw = vi.fn(async (page: number) => `Page numéro ${page}`);
    vi.mocked(pdf.openPdf).mockResolvedValue({ pages: 7, draw, close });
    await shown(PAPER);
    expect(pdf.openPdf).not.toHaveBeenCalled();
    press(/^Montrer le document/);
    await until(() => said().includes("Page numéro 5"));
    expect(document.querySelectorAll("canvas")).toHaveLength(5);
    expect(screen.getByRole("img", { name: "Page 2 sur 7" })).toBeTruthy();
    press(/^5 pages sur 7/);
    await until(() => said().includes("Page numéro 7"));
    cleanup();
    await until(() => close.mock.calls.length === 1);
  });

  test.each([
    ["broken", "Ce navigateur ne sait pas montrer ce fichier"],
    ["password", "Ce PDF demande un mot de passe à lui"],
  ])("a PDF that is not opened (%s) says so, and the download is beside it", async (why, words) => {
    vi.mocked(pdf.openPdf).mockRejectedValue(new Error(why));
    await shown(PAPER);
    press(/^Montrer le document/);
    await until(() => said().includes(words));
    expect(screen.getByRole("button", { name: /^Télécharger/ })).toBeTruthy();
  });

  test("a file without a byte is said to be empty, and there is nothing to open", async () => {
    const empty = document_(2, { contents: [content("c.pdf", "application/pdf", 0)] });
    vault = await openVault([empty]);
    await shown(empty);
    expect(said()).toContain("Ce fichier est vide. Il l’était déjà quand il a été gardé.");
    expect(screen.queryByRole("button", { name: /^Montrer le document/ })).toBeNull();
  });

  test("a recording of which nothing is there isn't called empty, nor is nothing downloaded", async () => {
    const open = document_(2, { contents: [{ ...content("v.webm", "audio/webm", 0), isOpen: true }] });
    vault = await openVault([open]);
    await shown(open);
    expect(said()).toContain("Rien de cet enregistrement ne peut être lu pour l’instant.");
    expect(said()).not.toContain("vide");
    expect(screen.queryByRole("button", { name: /^Télécharger/ })).toBeNull();
    expect(said()).not.toMatch(/Taille|Empreinte/);
  });

  test("a recording that isn't closed has a size so far, and no fingerprint", async () => {
    const open = document_(2, { contents: [{ ...content("v.webm", "audio/webm", 310), isOpen: true }] });
    vault = await openVault([open]);
    await shown(open);
    expect(said()).toContain("310\u00a0octets");
    expect(said()).not.toContain("Empreinte");
  });

  test.each([true, false])("a recording says whether a part of it is missing (%s)", async (hasGap) => {
    const one = document_(2, { contents: [{ ...content("v.webm", "audio/webm", 9), hasGap }] });
    vault = await openVault([one]);
    await shown(one);
    expect(said().includes("Il manque au moins un passage de cet enregistrement")).toBe(hasGap);
  });

  test("a recording is played from memory", async () => {
    await shown(SOUND);
    press(/^Ouvrir le son/);
    await until(() => document.querySelector("audio"));
    expect(document.querySelector("audio")?.controls).toBe(true);
    cleanup();
    expect([...addresses.open]).toEqual([]);
  });

  test.each([
    [FILM, /plus de 50\sMo/], [SCAN, /Au-delà de 100\sMo/], [PAGE, /ne se montre pas dans la page/],
  ])("what is too large, or could act, is never opened in the page", async (item, words) => {
    await shown(item);
    expect(said()).toMatch(words);
    expect(screen.queryByRole("button", { name: /^(Montrer|Ouvrir)/ })).toBeNull();
    expect(screen.getByRole("button", { name: /^Télécharger/ })).toBeTruthy();
  });

  test("that can't be fetched says why, and can be asked for again", async () => {
    await shown(DOOR);
    vault.fail("readContent", problem("network"));
    press(/^Montrer l’image/);
    await until(() => screen.queryByRole("alert"));
    press(/^Montrer l’image/);
    await until(() => document.querySelector("img.picture"));
  });
});

describe("a clear copy", () => {
  test("comes only after the warning, under a name that tells nothing, and its address is taken back", async () => {
    const asked = watchDownloads();
    await shown(DOOR);
    press(/^Télécharger/);
    await until(() => screen.queryByRole("dialog"));
    expect(said()).toContain("Le fichier sera lisible sur cet appareil, sans code ni mot de passe");
    expect(said()).toContain("aussi après que vous avez quitté cette page");
    expect(callsOf(vault, "readContent")).toEqual([]);
    await answer("Télécharger");
    await until(() => asked.length > 0);
    expect(asked.map(({ name }) => name)).toEqual(["fichier.png"]);
    await until(() => said().includes("Donné au navigateur sous le nom fichier.png"));
    expect(addresses.open.size).toBe(1);
    cleanup();
    expect([...addresses.open]).toEqual([]);
  });

  test("has its own name if that is chosen, and none is made if it is not wanted", async () => {
    const asked = watchDownloads();
    await shown(DOOR);
    press(/^Télécharger/);
    await until(() => screen.queryByRole("dialog"));
    press("Ne pas télécharger");
    await until(() => screen.queryByRole("dialog") === null);
    press(/^Télécharger/);
    await until(() => screen.queryByRole("dialog"));
    fireEvent.click(screen.getByRole("radio", { name: /Son propre nom/ }));
    vault.fail("readContent", problem("network"));
    await answer("Télécharger");
    await until(() => screen.queryByRole("alert"));
    expect(asked).toEqual([]);
    await answer("Télécharger");
    await until(() => asked.length > 0);
    expect(asked[0]?.name).toBe("IMG_1.png");
  });
});

test("a file that isn't the one that its entry names is handed over, once that was said", async () => {
  const asked = watchDownloads();
  await shown(DOOR);
  press(/^Télécharger/);
  await until(() => screen.queryByRole("dialog"));
  vault.fail("readContent", problem("content_differs"));
  await answer("Télécharger");
  await until(() => screen.queryByRole("alert"));
  expect(said()).toMatch(/s’est ouvert jusqu’au bout, mais ce n’est pas celui qui est annoncé.*le service n’y est pour rien/);
  expect(asked).toEqual([]);
  await answer("Télécharger quand même");
  await until(() => asked.length > 0);
  expect(callsOf(vault, "readContent").map((call) => call[4])).toEqual([undefined, true]);
});

describe("editing", () => {
  const titleBox = (): HTMLInputElement => screen.getByRole("textbox", { name: "Titre" });

  test("sends what differs; the file is not among it", async () => {
    await shown(DOOR);
    press("Modifier");
    await until(() => screen.queryByRole("textbox", { name: "Titre" }));
    fireEvent.submit(document.querySelector("form.write")!);
    await until(() => said().includes("Rien n’a changé"));
    fireEvent.input(titleBox(), { target: { value: "La porte cassée" } });
    fireEvent.change(screen.getByLabelText("Catégorie"), { target: { value: "threat" } });
    fireEvent.submit(document.querySelector("form.write")!);
    await until(() => said().includes("Gardé. Le reçu a été vérifié"));
    expect(callsOf(vault, "editEntry")[0]?.slice(0, 3))
      .toEqual([DOOR.id, { title: "La porte cassée", category: "threat" }, []]);
    expect(said()).toContain("Menace");
  });

  test("that fails leaves what was typed, in the page and as a draft, which is offered later", async () => {
    await shown(DOOR);
    press("Modifier");
    await until(() => screen.queryByRole("textbox", { name: "Titre" }));
    fireEvent.input(titleBox(), { target: { value: "La porte cassée" } });
    vault.fail("editEntry", problem("network"));
    fireEvent.submit(document.querySelector("form.write")!);
    await until(() => said().includes("Ce que vous avez écrit est toujours ici"));
    expect(titleBox().value).toBe("La porte cassée");
    cleanup();
    await shown(DOOR);
    await until(() => said().includes("Des changements commencés vous attendent"));
    press(/^Reprendre/);
    await until(() => screen.queryByRole("textbox", { name: "Titre" }));
    expect(titleBox().value).toBe("La porte cassée");
  });

  test("at the same time as another device leads to both texts", async () => {
    const really = vault.editEntry.bind(vault);
    vault.editEntry = async (...given) => ({ ...await really(...given), conflict: true });
    await shown(DOOR);
    press("Modifier");
    await until(() => screen.queryByRole("textbox", { name: "Titre" }));
    fireEvent.input(titleBox(), { target: { value: "Autre" } });
    fireEvent.submit(document.querySelector("form.write")!);
    await until(() => place.value.view === "history");
  });

  test("stays on the screen when the sensitive tier closes meanwhile", async () => {
    await vault.stepUp(PIN);
    await until(() => items.value?.some(({ title }) => title === "Cachée"));
    await shown(SECRET);
    press("Modifier");
    await until(() => screen.queryByRole("textbox", { name: "Titre" }));
    fireEvent.input(titleBox(), { target: { value: "Mieux cachée" } });
    await vault.dropSensitive();
    await until(async () => items.value?.some(({ state }) => state === "locked"));
    expect(titleBox().value).toBe("Mieux cachée");
  });

  test("a draft of something else is not offered", async () => {
    vault.begin({
      slot: sampleId(90), item: PAPER.id, revision: 1, kind: "document", draft: { ...EMPTY_DRAFT, title: "X" },
      sensitive: false, saved: 1,
    });
    await shown(DOOR);
    await until(() => callsOf(vault, "drafts").length > 0);
    expect(said()).not.toContain("vous attend");
  });
});

describe("what a file is", () => {
  test.each([
    ["image/jpeg", "a", "image"], ["image/svg+xml", "a.svg", "other"], ["text/html", "a.html", "text"],
    ["application/pdf", "a", "pdf"],
    ["application/octet-stream", "a.HEIC", "image"], ["", "a.txt", "text"], ["application/zip", "a.txt", "other"],
    ["application/octet-stream", "a.exe", "other"], ["AUDIO/MPEG", "a", "audio"], ["video/mp4", "a", "video"],
    ["application/octet-stream", "a.MOV", "video"], ["", "a.opus", "audio"], ["application/zip", "a.mp4", "other"],
  ])("%s %s is %s", (mime, name, kind) => {
    expect(kindOf({ mime, name })).toBe(kind);
  });

  test("a neutral name keeps nothing but the ending", () => {
    expect(neutralName("Certificat du 12 mars.PDF", "fichier")).toBe("fichier.pdf");
    expect(neutralName("sans ending", "fichier")).toBe("fichier");
    expect(neutralName("..", "fichier")).toBe("fichier");
    expect(neutralName("nom.de personne", "fichier")).toBe("fichier");
  });

  test("the command line's categories are known, whatever their case; another word stays", () => {
    expect(CATEGORIES.map(spellCategory)).toHaveLength(new Set(CATEGORIES.map(spellCategory)).size);
    expect(spellCategory("Medical certificate")).toBe("Certificat médical");
    expect(spellCategory("Lettre de l’école")).toBe("Lettre de l’école");
  });

  test("text is read as it was written", () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    expect(decodeText(bytes("été 🌱"), false)).toBe("été 🌱");
    expect(decodeText(bytes("\ufeffété"), false)).toBe("été");
    expect(decodeText(bytes("été").slice(0, -1), true)).toBe("ét");
    expect(decodeText(Uint8Array.of(0xe9, 0x74, 0xe9), false)).toBe("été");
    expect(decodeText(Uint8Array.of(0xff, 0xfe, 0xe9, 0, 0x74, 0), false)).toBe("ét");
    expect(decodeText(Uint8Array.of(0xfe, 0xff, 0, 0xe9), false)).toBe("é");
  });
});
