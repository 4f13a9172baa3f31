// @vitest-environment happy-dom
// Adding files: nothing that was chosen or typed is lost, and "kept" is said only when it is so.
import { cleanup, fireEvent, screen } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { Said } from "../src/app/parts/frame.js";
import { QUIET } from "../src/app/parts/index.js";
import { place } from "../src/app/router.js";
import { beforeLock, hear, loadUnfinished, unfinished } from "../src/app/state.js";
import { addUpload, changeUpload, SILENCE, uploads } from "../src/app/uploads.js";
import AddDocument from "../src/app/views/documents/AddDocument.js";
import Document from "../src/app/views/documents/Document.js";
import Documents from "../src/app/views/documents/Documents.js";
import Uploads from "../src/app/views/documents/Uploads.js";
import { EMPTY_DRAFT } from "../src/sdk/items.js";
import type { KeptDraft, WriteOptions } from "../src/worker/api.js";
import { watchAddresses } from "./app_documents_scene.js";
import { answer, callsOf, openVault, PIN, show, until } from "./app_journal_scene.js";
import { type MemoryVault, problem } from "./memory_vault.js";

const SLOT = "slotAAAAAAAAAAAAAAAAAA";
const photograph = new File([new Uint8Array(4000)], "IMG_1.jpg", { type: "image/jpeg" });
const paper = new File(["%PDF-1.4"], "certificat.pdf", { type: "application/pdf" });
let vault: MemoryVault;

beforeEach(async () => {
  vault = await openVault([]);
  [uploads.value, unfinished.value] = [[], []];
  watchAddresses();
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const said = (): string => document.body.textContent ?? "";
const press = (name: string | RegExp): void => void fireEvent.click(screen.getByRole("button", { name }));
const keep = (): void => void fireEvent.submit(document.querySelector("form.write")!);
const type = (text: string, name: string): void =>
  void fireEvent.input(screen.getByRole("textbox", { name, hidden: true }), { target: { value: text } });
function pick(...files: readonly File[]): void {
  const input = document.querySelector<HTMLInputElement>("input[type=file][multiple]")!;
  fireEvent.change(input, { target: { files } });
}
const chosen = (): readonly (string | undefined)[] =>
  [...document.querySelectorAll(".chosen .file-name bdi")].map((one) => one.textContent);

describe("one file", () => {
  test("is kept with what is said of it, and \"kept\" is said only then", async () => {
    let answer: () => void = () => undefined;
    const really = vault.addDocument.bind(vault);
    vault.addDocument = async (...given) => {
      await new Promise<void>((resolve) => (answer = resolve));
      return really(...given);
    };
    show(<AddDocument id={null} />);
    pick(photograph);
    type("Le bras", "Titre");
    fireEvent.change(screen.getByLabelText("Catégorie"), { target: { value: "injury" } });
    type("à la maison", "Lieu");
    type("Nadia, ma sœur", "Personnes présentes");
    type("Le lendemain matin.", "Note");
    fireEvent.click(screen.getByRole("radio", { name: "Une année", hidden: true }));
    await until(() => screen.queryByRole("textbox", { name: "Année", hidden: true }));
    type("2024", "Année");
    fireEvent.click(screen.getByRole("checkbox", { name: "Mettre derrière le code" }));
    keep();
    await until(() => said().includes("On scelle, on envoie"));
    expect(said()).not.toContain("Gardé.");
    answer();
    await until(() => place.value.view === "document");
    expect(callsOf(vault, "addDocument")[0]).toMatchObject([
      photograph,
      {
        title: "Le bras", category: "injury", place: "à la maison", people: ["Nadia", "ma sœur"],
        text: "Le lendemain matin.",
        happened: { precision: "year", words: "2024" },
      },
      { sensitive: true, files: [] },
    ]);
    expect(await vault.drafts()).toEqual([]);
    const { id } = place.value;
    cleanup();
    show(<Document id={id} />);
    await until(() => said().includes("Derrière le code"));
    expect(said()).not.toContain("Le bras");
    await vault.stepUp(PIN);
    await until(() => said().includes("Gardé. Le reçu a été vérifié"));
  });

  test("says how far it is, in a bar and in words", async () => {
    let answer: () => void = () => undefined;
    vault.addDocument = (...given) => {
      vault.calls.push(["addDocument", ...given]);
      return new Promise((_, reject) => (answer = () => reject(problem("server"))));
    };
    show(<AddDocument id={null} />);
    pick(photograph);
    keep();
    await until(() => callsOf(vault, "addDocument")[0]);
    const { transfer } = callsOf(vault, "addDocument")[0]![2] as WriteOptions;
    hear({ kind: "progress", sending: true, name: "IMG_1.jpg", done: 3000, total: 4000, transfer: transfer! },
      () => undefined);
    await until(() => document.querySelector("progress"));
    expect(document.querySelector("progress")).toMatchObject({ value: 3000, max: 4000 });
    expect(said()).toMatch(/3\sko sur 4\sko/);
    expect(said()).toContain("il se ferme après trois minutes, aussi pendant un envoi");
    answer();
    await until(() => screen.queryByRole("alert"));
  });

  test.each([
    "server", "quota_full", "file_changed", "unauthorized", "unexpected",
  ])("that fails with %s stays chosen, with all that was typed", async (code) => {
    show(<AddDocument id={null} />);
    pick(photograph);
    type("Le bras", "Titre");
    vault.fail("addDocument", problem(code));
    keep();
    await until(() => screen.queryByRole("alert"));
    expect(chosen()).toEqual(["IMG_1.jpg"]);
    expect(screen.getByRole<HTMLInputElement>("textbox", { name: "Titre" }).value).toBe("Le bras");
    expect(said()).toContain("Tout ce que vous avez choisi et écrit est toujours ici");
    expect(said()).not.toContain("Gardé.");
    expect((await vault.drafts()).map((one) => one.draft.title)).toEqual(["Le bras"]);
    keep();
    await until(() => place.value.view === "document");
    expect(callsOf(vault, "addDocument")[1]?.[0]).toBe(photograph);
  });

  test("whose network is cut goes on by itself when it is back", async () => {
    show(<AddDocument id={null} />);
    pick(photograph);
    vault.fail("addDocument", problem("network"));
    hear({ kind: "network", reachable: false }, () => undefined);
    keep();
    await until(() => said().includes("L’envoi reprend tout seul"));
    expect(callsOf(vault, "addDocument")).toHaveLength(1);
    expect(screen.queryByRole("alert")).toBeNull();
    hear({ kind: "network", reachable: true }, () => undefined);
    await until(() => place.value.view === "document");
    expect(callsOf(vault, "addDocument").map(([file]) => file)).toEqual([photograph, photograph]);
  });

  test("is paused, and goes on, from wherever somebody looks", async () => {
    vault.fail("addDocument", problem("paused"));
    show(<AddDocument id={null} />);
    pick(photograph);
    keep();
    await until(() => said().includes("En pause"));
    cleanup();
    show(<Uploads />);
    expect(said()).toContain("IMG_1.jpg");
    let answer: () => void = () => undefined;
    const really = vault.addDocument.bind(vault);
    vault.addDocument = async (...given) => {
      await new Promise<void>((resolve) => (answer = resolve));
      return really(...given);
    };
    const { key } = uploads.value[0]!;
    changeUpload(key, { done: 1000, total: 4000 });
    const button = screen.getByRole("button", { name: /^Continuer/ });
    button.focus();
    fireEvent.click(button);
    await until(() => button.textContent === "Mettre en pause IMG_1.jpg");
    expect(document.activeElement).toBe(button);
    answer();
    await until(() => said().includes("Gardé."));
    expect(callsOf(vault, "addDocument")).toHaveLength(2);
  });

  test("of which nothing leaves is not said to be on its way, wherever somebody looks", async () => {
    const { key } = addUpload(photograph, null);
    changeUpload(key, { course: { kind: "sending" }, total: 4000, marks: [[performance.now() - SILENCE + 500, 9]] });
    show(<Said open view="home" />);
    expect(said()).toContain("1 fichier s’envoie");
    await until(() => said().includes("1 fichier attend le réseau"));
  });

  test("that has left whole is being checked, however long that takes, and waits for no network", async () => {
    const { key } = addUpload(photograph, null);
    const long = performance.now() - 10 * SILENCE;
    changeUpload(key, { course: { kind: "sending" }, done: 4000, total: 4000, marks: [[long - 3000, 9], [long, 4000]] });
    show(<><Said open view="home" /><Uploads /></>);
    await new Promise((resolve) => setTimeout(resolve, 1200)); // it looks each second
    expect(said()).toContain("La vérification prend un moment pour un gros fichier");
    expect(said()).toContain("1 fichier s’envoie");
    expect(said()).not.toContain("attend le réseau");
    expect(document.querySelector(".going p.waiting")).not.toBeNull();
  });

  test("is let go of, and what has arrived of it goes", async () => {
    const begun = { id: SLOT, name: "IMG_1.jpg", size: 4000, changed: photograph.lastModified, sensitive: false, made: 1 };
    vault.begun = [begun, { ...begun, id: "other", size: 5 }];
    vault.fail("addDocument", problem("paused"));
    const really = vault.giveUp.bind(vault);
    vault.giveUp = async (id) => {
      await new Promise((done) => setTimeout(done, 50));
      return really(id);
    };
    show(<AddDocument id={null} />);
    pick(photograph);
    keep();
    await until(() => said().includes("En pause"));
    press(/^Abandonner cet envoi/);
    await answer("Ne pas abandonner");
    expect(callsOf(vault, "giveUp")).toEqual([]);
    press(/^Abandonner cet envoi/);
    await answer("Abandonner cet envoi");
    await until(() => callsOf(vault, "giveUp")[0]);
    expect(callsOf(vault, "giveUp")).toEqual([[SLOT]]);
    await until(() => unfinished.value.map(({ id }) => id).join() === "other"); // nor is it said to be half sent
    await until(() => screen.queryByRole("button", { name: "Garder" }));
    expect(chosen()).toEqual(["IMG_1.jpg"]);
    expect(uploads.value).toEqual([]);
  });

  test("that was begun before is told of, and whether it is still the same", async () => {
    const begun = { id: SLOT, name: "IMG_1.jpg", size: 4000, changed: photograph.lastModified, sensitive: false, made: 1 };
    vault.begun = [begun, { ...begun, id: "other", name: null, sensitive: true }];
    await loadUnfinished();
    show(<AddDocument id={null} />);
    expect(said()).toContain("2 fichiers ne sont pas partis en entier");
    expect(said()).toContain("Un fichier derrière le code");
    pick(photograph);
    await until(() => said().includes("Il reprend où il en était."));
    pick(new File(["other"], "IMG_1.jpg", { type: "image/jpeg" }));
    await until(() => said().includes("celui-ci a changé depuis"));
    fireEvent.click(screen.getByRole("button", { name: "Abandonner cet envoi Un fichier derrière le code" }));
    await answer("Abandonner cet envoi");
    await until(() => said().includes("1 fichier n’est pas parti en entier"));
  });

  test("whose description waits in the outbox is not called kept", async () => {
    show(<AddDocument id={null} />);
    pick(photograph);
    vault.fail("addDocument", problem("network", { extra: { waiting: true } }));
    keep();
    await until(() => said().includes("attend encore d’être envoyé"));
    expect(said()).toContain("Il n’est pas encore gardé");
    expect(said()).not.toContain("document gardé");
    press("En ajouter d’autres");
    await until(() => screen.queryByRole("textbox", { name: "Titre" }));
    expect(chosen()).toEqual([]);
  });

  test("without a byte is told of before it is kept: a telephone may not have fetched it yet", async () => {
    show(<AddDocument id={null} />);
    pick(photograph, new File([], "IMG_2.jpg", { type: "image/jpeg" }));
    await until(() => chosen().length === 2);
    expect(said().match(/Ce fichier est vide\./g)).toHaveLength(1);
  });

  test("behind the PIN: what that means is read with it", () => {
    show(<AddDocument id={null} />);
    const described = screen.getByRole("checkbox", { name: "Mettre derrière le code" }).getAttribute("aria-describedby");
    expect(document.getElementById(described!)?.textContent).toContain("Cela ne pourra plus être changé");
  });

  test("is asked for first", async () => {
    show(<AddDocument id={null} />);
    keep();
    await until(() => screen.queryByRole("alert"));
    expect(said()).toContain("Choisissez d’abord un fichier");
    expect(callsOf(vault, "addDocument")).toEqual([]);
  });

  test("can be dropped, also beside the mark, without taking the page away", async () => {
    show(<AddDocument id={null} />);
    const dropped = new Event("drop", { bubbles: true, cancelable: true });
    Object.assign(dropped, { dataTransfer: { files: [paper] } });
    document.querySelector(".picker")!.dispatchEvent(dropped);
    await until(() => chosen().length > 0);
    expect(chosen()).toEqual(["certificat.pdf"]);
    const beside = new Event("drop", { bubbles: true, cancelable: true });
    document.body.dispatchEvent(beside);
    expect(beside.defaultPrevented).toBe(true);
    cleanup();
    await until(() => {
      const later = new Event("drop", { bubbles: true, cancelable: true });
      document.body.dispatchEvent(later);
      return !later.defaultPrevented;
    });
  });

  test("can be taken with the camera", () => {
    show(<AddDocument id={null} />);
    const camera = document.querySelector<HTMLInputElement>("input[capture]")!;
    expect([camera.accept, camera.getAttribute("capture")]).toEqual(["image/*", "environment"]);
    fireEvent.change(camera, { target: { files: [photograph] } });
    return until(() => chosen().includes("IMG_1.jpg"));
  });
});

describe("several files", () => {
  test("are kept, each under its own name, with a result for each", async () => {
    show(<AddDocument id={null} />);
    type("Ensemble", "Titre");
    pick(photograph, paper);
    await until(() => screen.queryByRole("button", { name: "Garder les 2 fichiers" }));
    expect(screen.queryByRole("textbox", { name: "Titre" })).toBeNull();
    keep();
    await until(() => said().includes("2 documents gardés"));
    expect(callsOf(vault, "addDocument").map(([file]) => file)).toEqual([photograph, paper]);
    expect(callsOf(vault, "addDocument").map(([, draft]) => draft)).toMatchObject([{ title: "" }, { title: "" }]);
    expect(screen.getAllByRole("link", { name: "Voir" })).toHaveLength(2);
    expect(await vault.drafts()).toEqual([]);
  });

  test("what can't be read is told of, the next is kept, and only the rest is sent again", async () => {
    show(<AddDocument id={null} />);
    pick(photograph, paper);
    type("Deux", "Note");
    vault.fail("addDocument", problem("file_unreadable"));
    keep();
    await until(() => screen.queryByRole("button", { name: "Essayer à nouveau" }));
    expect(said()).toContain("Ce fichier ne peut pas être lu");
    expect(screen.getAllByRole("link", { name: "Voir" })).toHaveLength(1);
    expect(await vault.drafts()).toHaveLength(1); // the note is still needed
    keep();
    await until(() => said().includes("2 documents gardés"));
    expect(callsOf(vault, "addDocument").map(([file]) => (file as File).name))
      .toEqual(["IMG_1.jpg", "certificat.pdf", "IMG_1.jpg"]);
    expect(await vault.drafts()).toEqual([]);
  });

  test("one that could not be read is chosen again, and takes its own place", async () => {
    show(<AddDocument id={null} />);
    pick(photograph, paper);
    vault.fail("addDocument", problem("file_unreadable"));
    keep();
    await until(() => screen.queryByRole("button", { name: "Essayer à nouveau" }));
    const again = new File([new Uint8Array(4000)], "IMG_1.jpg", { type: "image/jpeg" });
    pick(again);
    expect(chosen()).toEqual(["certificat.pdf", "IMG_1.jpg"]);
    keep();
    await until(() => said().includes("2 documents gardés"));
    expect(callsOf(vault, "addDocument").map(([file]) => file)).toEqual([photograph, paper, again]);
  });

  test("what is not kept can be taken out", async () => {
    show(<AddDocument id={null} />);
    pick(photograph, paper);
    vault.fail("addDocument", problem("quota_full"));
    vault.fail("addDocument", problem("quota_full"));
    keep();
    await until(() => screen.queryAllByRole("alert")[0]);
    await until(() => screen.queryByRole("button", { name: "Essayer à nouveau" }));
    expect(callsOf(vault, "addDocument")).toHaveLength(2);
    expect(chosen()).toEqual(["IMG_1.jpg", "certificat.pdf"]);
    press(/^Retirer certificat/);
    await until(() => screen.queryByRole("button", { name: "Remettre certificat.pdf" }));
    keep();
    await until(() => place.value.view === "document");
    expect(callsOf(vault, "addDocument").map(([file]) => file)).toEqual([photograph, paper, photograph]);
  });

  test("one that was taken out stays where it was, and is put back by the same button", async () => {
    vi.spyOn(performance, "now").mockReturnValue(0);
    show(<AddDocument id={null} />);
    pick(photograph, paper);
    const button = await screen.findByRole("button", { name: "Retirer IMG_1.jpg" });
    button.focus();
    fireEvent.click(button);
    await until(() => button.textContent === "Remettre IMG_1.jpg");
    fireEvent.click(button); // a hand that trembles
    await until(() => said().includes("IMG_1.jpg a été retiré. Le même bouton le remet."));
    expect(chosen()).toEqual(["IMG_1.jpg", "certificat.pdf"]);
    expect(said()).toContain("Retiré\u00a0: il ne sera pas gardé.");
    expect(document.activeElement).toBe(button);
    screen.getByRole("button", { name: "Garder" });
    vi.mocked(performance.now).mockReturnValue(QUIET);
    fireEvent.click(button);
    await until(() => said().includes("IMG_1.jpg est de nouveau là."));
    expect(document.activeElement).toBe(button);
    vi.mocked(performance.now).mockRestore();
    await until(() => screen.queryByRole("button", { name: "Garder les 2 fichiers" }));
    keep();
    await until(() => said().includes("2 documents gardés"));
  });

  test("all of which were taken out are not kept, and one has to be chosen first", async () => {
    show(<AddDocument id={null} />);
    pick(photograph);
    press(/^Retirer/);
    keep();
    await until(() => screen.queryByRole("alert"));
    expect(said()).toContain("Choisissez d’abord un fichier");
    expect(callsOf(vault, "addDocument")).toEqual([]);
    pick(paper);
    keep();
    await until(() => place.value.view === "document");
    expect(callsOf(vault, "addDocument").map(([file]) => file)).toEqual([paper]);
  });

  test("go two at once, and where there is no room the rest is not tried", async () => {
    show(<AddDocument id={null} />);
    pick(photograph, paper, new File(["3"], "3.txt"));
    for (let one = 0; one < 3; one++) vault.fail("addDocument", problem("quota_full"));
    keep();
    await until(() => screen.queryByRole("button", { name: "Essayer à nouveau" }));
    expect(callsOf(vault, "addDocument")).toHaveLength(2);
  });
});

describe("what is typed about a file", () => {
  const draft: KeptDraft = {
    slot: SLOT, item: null, revision: null, kind: "document",
    draft: { ...EMPTY_DRAFT, title: "Le bras", category: "injury" }, sensitive: false, saved: 1_700_000_000,
  };

  test("is kept before a lock, whose page is emptied at once", async () => {
    const shown = show(<AddDocument id={null} />);
    type("Le bras", "Titre");
    const hooks = [...beforeLock].map((hook) => hook());
    shown.unmount();
    await Promise.all(hooks);
    expect(await vault.drafts()).toMatchObject([{ kind: "document", item: null, draft: { title: "Le bras" } }]);
    await until(() => beforeLock.size === 0);
  });

  test("is offered in the list, and gone on with; files have to be picked again, and that is said", async () => {
    vault.begin(draft);
    show(<Documents />);
    await until(() => said().includes("Un ajout commencé vous attend"));
    press(/^Reprendre/);
    expect(place.value).toEqual({ view: "addDocument", id: SLOT });
    cleanup();
    show(<AddDocument id={SLOT} />);
    await until(() => screen.queryByRole("textbox", { name: "Titre" }));
    expect(screen.getByRole<HTMLInputElement>("textbox", { name: "Titre" }).value).toBe("Le bras");
    expect(screen.getByLabelText<HTMLSelectElement>("Catégorie").value).toBe("injury");
    expect(said()).toContain("choisissez-les à nouveau");
    pick(paper);
    keep();
    await until(() => place.value.view === "document");
    expect(callsOf(vault, "addDocument")[0]?.[2]).toMatchObject({ slot: SLOT });
    expect(await vault.drafts()).toEqual([]);
  });

  test("behind the PIN asks for it first", async () => {
    vault.begin({ ...draft, sensitive: true });
    show(<AddDocument id={SLOT} />);
    await until(() => said().includes("Ce contenu est derrière le code"));
    expect(said()).not.toContain("Le bras");
  });
});
