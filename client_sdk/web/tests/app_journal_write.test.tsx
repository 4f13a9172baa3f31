// @vitest-environment happy-dom
// Writing: no typed character is lost, and "kept" is said only when it is so.
import { cleanup, fireEvent, screen } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { QUIET } from "../src/app/parts/index.js";
import { place } from "../src/app/router.js";
import { beforeLock, forgetful } from "../src/app/state.js";
import Entry from "../src/app/views/journal/Entry.js";
import History from "../src/app/views/journal/History.js";
import Write, { Edit } from "../src/app/views/journal/Write.js";
import { EMPTY_DRAFT } from "../src/sdk/items.js";
import type { KeptDraft } from "../src/worker/api.js";
import { answer, callsOf, openVault, PIN, show, until } from "./app_journal_scene.js";
import { type MemoryVault, problem } from "./memory_vault.js";
import { sampleId, sampleItem } from "./samples.js";

const TEXT = "Il est rentré tard.\n\nJe n’ai rien dit.";
const SLOT = "slotAAAAAAAAAAAAAAAAAA";
const entry = sampleItem(1, {
  deposited: 1_700_000_000, title: "Hier", text: "Il a crié.", danger: 4, people: ["Nadia"],
});
const secret = sampleItem(2, { deposited: 1_700_000_100, sensitive: true, title: "Secret", text: "Derrière." });
let vault: MemoryVault;

beforeEach(async () => {
  vault = await openVault([entry, secret]);
});
afterEach(cleanup);

const box = (name: string | RegExp = "Votre texte"): HTMLTextAreaElement => screen.getByRole("textbox", { name });
const type = (text: string, name?: string | RegExp): void => {
  fireEvent.input(box(name), { target: { value: text } });
};
const press = (name: string | RegExp): void => void fireEvent.click(screen.getByRole("button", { name }));
const keep = (): void => void fireEvent.submit(document.querySelector("form")!);
const kept = async (): Promise<readonly KeptDraft[]> => (await vault.drafts()).filter(({ slot }) => slot !== SLOT);
const draft = (text: string, more: Partial<KeptDraft> = {}): KeptDraft =>
  ({
    slot: SLOT, item: null, revision: null, kind: "journal", draft: { ...EMPTY_DRAFT, text }, sensitive: false,
    saved: 1_700_000_000, ...more,
  });
const said = (): string => document.body.textContent ?? "";

describe("the draft", () => {
  test("is kept at a pause, and only then said to be", async () => {
    show(<Write id={null} />);
    type(TEXT);
    expect(said()).not.toContain("Brouillon gardé");
    await until(() => said().includes("Brouillon gardé, scellé, sur cet appareil"));
    expect((await kept())[0]?.draft.text).toBe(TEXT);
  });

  test("is not said to be on this device by a browser that keeps nothing", async () => {
    forgetful.value = true;
    show(<Write id={null} />);
    type(TEXT);
    await until(() => callsOf(vault, "keepDraft").length > 0);
    expect(document.querySelector(".draft-mark")!.textContent).toBe("");
    expect(said()).not.toMatch(/brouillon (gardé|reste)/i);
    forgetful.value = false;
    await until(() => said().includes("Brouillon gardé, scellé, sur cet appareil"));
  });

  test("is kept before a lock, whose page is emptied at once", async () => {
    const shown = show(<Write id={null} />);
    type(TEXT);
    const hooks = [...beforeLock].map((hook) => hook());
    shown.unmount();
    await Promise.all(hooks);
    expect((await kept()).map((one) => one.draft.text)).toEqual([TEXT]);
  });

  test("a lock is told when it could not be kept", async () => {
    show(<Write id={null} />);
    type(TEXT);
    vault.fail("keepDraft", problem("device_full"));
    await expect(Promise.all([...beforeLock].map((hook) => hook()))).rejects.toMatchObject({ code: "device_full" });
  });

  test("is kept when the view is left", async () => {
    show(<Write id={null} />).unmount();
    expect(beforeLock.size).toBe(0);
    const shown = show(<Write id={null} />);
    type(TEXT);
    shown.unmount();
    await until(() => callsOf(vault, "keepDraft").length > 0);
    expect((await kept()).map((one) => one.draft.text)).toEqual([TEXT]);
  });

  test("that can't be kept is told, and the text stays", async () => {
    show(<Write id={null} />);
    vault.fail("keepDraft", problem("device_full"));
    type(TEXT);
    await until(() => said().includes("n’a pas pu être gardé sur cet appareil"));
    expect(box().value).toBe(TEXT);
    type(`${TEXT} Rien.`);
    await until(() => said().includes("Brouillon gardé"));
    expect((await kept())[0]?.draft.text).toBe(`${TEXT} Rien.`);
  });

  test("that another tab took is not called kept any more by who comes back, and a lock keeps nothing of it", async () => {
    show(<Write id={null} />);
    type(TEXT);
    await until(() => said().includes("Brouillon gardé"));
    await vault.dropDraft((await kept())[0]!.slot);
    window.dispatchEvent(new Event("focus"));
    await until(() => said().includes("n’est plus gardé comme brouillon"));
    expect(said()).not.toContain("Brouillon gardé");
    expect(box().value).toBe(TEXT);
    expect(beforeLock.size).toBe(0);
    type(`${TEXT} Rien.`);
    await until(() => said().includes("Brouillon gardé"));
    expect(said()).not.toContain("n’est plus gardé comme brouillon");
    await vault.dropDraft((await kept())[0]!.slot);
    document.dispatchEvent(new Event("visibilitychange"));
    await until(() => said().includes("n’est plus gardé comme brouillon"));
  });

  test("found on opening is offered, and never dropped by writing something else", async () => {
    vault.begin(draft("Hier soir, avant"));
    show(<Write id={null} />);
    await until(() => said().includes("Un brouillon vous attend"));
    expect(said()).toContain("Hier soir, avant");
    expect(box().value).toBe("");
    type(TEXT);
    press(/^Reprendre/);
    await until(() => place.value.view === "write");
    expect(place.value.id).toBe(SLOT);
    expect(callsOf(vault, "keepDraft")).toHaveLength(1); // before anything else takes its place
    cleanup();
    expect((await vault.drafts()).map((one) => one.draft.text)).toEqual(["Hier soir, avant", TEXT]);
    show(<Write id={SLOT} />);
    await until(() => screen.queryByRole("textbox", { name: "Votre texte" }));
    expect(box().value).toBe("Hier soir, avant");
    await until(() => said().includes(TEXT.slice(0, 10)));
  });

  test("that another tab left since is told to who comes back, and nothing takes its own place", async () => {
    const saved = 1_700_000_500;
    vault.begin(draft("Hier soir, avant"));
    show(<Write id={SLOT} />);
    await until(() => screen.queryByRole("textbox", { name: "Votre texte" }));
    vault.begin(draft("Hier soir, avant et après", { slot: sampleId(7), saved }));
    expect(said()).not.toContain("Un brouillon vous attend");
    await until(() => window.dispatchEvent(new Event("focus")) && said().includes("Un brouillon plus récent que ce qui"));
    expect(said()).toContain("Un brouillon vous attend");
    expect(box().value).toBe("Hier soir, avant");
    type("Hier soir, bien avant");
    await until(() => said().includes("Brouillon gardé"));
    expect(said()).not.toContain("plus récent que ce qui est ouvert");
    press(/^Reprendre/);
    await until(() => place.value.id === sampleId(7));
    expect((await vault.drafts()).map((one) => one.draft.text)).toEqual(["Hier soir, avant et après", "Hier soir, bien avant"]);
  });

  test("doesn’t leave the screen for another one as long as it can’t be kept", async () => {
    vault.begin(draft("Hier soir, avant"));
    show(<Write id={null} />);
    await until(() => said().includes("Un brouillon vous attend"));
    vault.fail("keepDraft", problem("device_full"));
    type(TEXT);
    press(/^Reprendre/);
    await until(() => said().includes("n’a pas pu être gardé sur cet appareil"));
    expect(place.value.view).toBe("home");
    expect(box().value).toBe(TEXT);
  });

  test("that can’t be opened is told where somebody writes", async () => {
    vault.unopened = 1;
    const shown = show(<Write id={null} />);
    await until(() => said().includes("Un brouillon de cet appareil ne peut pas s’ouvrir ici"));
    shown.unmount();
    show(<Edit id={entry.id} />);
    await until(() => said().includes("Un brouillon de cet appareil ne peut pas s’ouvrir ici"));
  });

  test("is thrown away after a question", async () => {
    vault.begin(draft("Hier soir, avant"));
    show(<Write id={null} />);
    await until(() => said().includes("Un brouillon vous attend"));
    press(/^Jeter/);
    await answer("Le garder");
    expect(await vault.drafts()).toHaveLength(1);
    press(/^Jeter/);
    await answer("Jeter pour de bon");
    await until(() => !said().includes("Un brouillon vous attend"));
    expect(await vault.drafts()).toEqual([]);
  });

  test("behind the PIN stays on the screen when the sensitive tier closes while it is written at", async () => {
    vault.begin(draft("Sous clé", { sensitive: true }));
    show(<Write id={SLOT} />);
    await until(() => said().includes("Ce contenu est derrière le code"));
    await vault.stepUp(PIN);
    await until(() => screen.queryByRole("textbox", { name: "Votre texte" }));
    type("Sous clé, et plus");
    await vault.dropSensitive();
    await until(() => said().includes("Brouillon gardé"));
    expect(box().value).toBe("Sous clé, et plus");
    await vault.stepUp(PIN);
    expect((await vault.drafts())[0])
      .toMatchObject({ sensitive: true, draft: { text: "Sous clé, et plus" } });
    await new Promise((done) => setTimeout(done));
    expect(said()).not.toContain("Un brouillon vous attend"); // it is this one
  });
});

describe("keeping", () => {
  test("is said only when the vault has said it; then the draft is gone", async () => {
    let answer: (() => void) | null = null;
    const really = vault.writeEntry.bind(vault);
    vault.writeEntry = async (...given) => {
      await new Promise<void>((resolve) => (answer = resolve));
      return really(...given);
    };
    show(<Write id={null} />);
    type(TEXT);
    keep();
    await until(() => said().includes("On scelle, on envoie"));
    expect(document.querySelector("form")?.inert).toBe(true);
    await until(() => answer !== null);
    expect(place.value.view).toBe("home");
    answer!();
    await until(() => place.value.view === "entry");
    expect(callsOf(vault, "writeEntry")[0]).toMatchObject([{ text: TEXT }, { sensitive: false, files: [] }]);
    expect(await vault.drafts()).toEqual([]);
    cleanup();
    show(<Entry id={place.value.id} />);
    await until(() => said().includes("Gardé. Le reçu a été vérifié"));
    expect(said()).toContain("Je n’ai rien dit.");
  });

  const failures = ["network", "server", "quota_full", "unauthorized", "unexpected"];
  test.each(failures)("that fails with %s leaves the text and its draft", async (code) => {
    show(<Write id={null} />);
    type(TEXT);
    vault.fail("writeEntry", problem(code));
    keep();
    await until(() => screen.queryByRole("alert"));
    expect(box().value).toBe(TEXT);
    expect(said()).toContain("Votre texte est toujours ici");
    expect(said()).not.toContain("Gardé.");
    expect((await kept())[0]?.draft.text).toBe(TEXT);
    expect(document.querySelector("form")?.inert).toBe(false);
    keep();
    await until(() => place.value.view === "entry");
  });

  test("without a network says that the sealed text waits here, and can't be sent twice", async () => {
    show(<Write id={null} />);
    type(TEXT);
    vault.fail("writeEntry", problem("network", { extra: { waiting: true } }));
    keep();
    await until(() => said().includes("Votre texte est scellé et attend sur cet appareil"));
    expect(said()).toContain("Je n’ai rien dit.");
    expect(said()).not.toContain("Gardé.");
    expect(document.querySelector("form")).toBeNull();
    expect(beforeLock.size).toBe(0);
  });

  test("a file that was taken out stays behind, and one that was put back goes along", async () => {
    show(<Write id={null} />);
    type(TEXT);
    const files = ["IMG_1.jpg", "IMG_2.jpg"].map((name) => new File(["a"], name));
    fireEvent.change(screen.getByLabelText("Ajouter des photos ou des fichiers"), { target: { files } });
    const [first, second] = await Promise.all(files.map(({ name }) => (
      screen.findByRole("button", { name: `Retirer ${name}`, hidden: true })
    )));
    vi.spyOn(performance, "now").mockReturnValue(0);
    for (const button of [first!, second!, second!]) fireEvent.click(button); // a hand that trembles
    await until(() => second!.textContent === "Remettre IMG_2.jpg");
    expect(said()).toContain("IMG_2.jpg a été retiré. Le même bouton le remet.");
    expect(said()).toContain("Retiré\u00a0: il ne sera pas gardé.");
    vi.mocked(performance.now).mockReturnValue(QUIET);
    fireEvent.click(second!);
    await until(() => said().includes("IMG_2.jpg est de nouveau là."));
    vi.mocked(performance.now).mockRestore();
    keep();
    await until(() => place.value.view === "entry");
    expect(callsOf(vault, "writeEntry")[0]).toMatchObject([{ text: TEXT }, { files: [{ file: files[1] }] }]);
  });

  test("nothing is asked for first, and says so", async () => {
    show(<Write id={null} />);
    keep();
    await until(() => screen.queryByRole("alert"));
    expect(said()).toContain("Il n’y a encore rien à garder");
    expect(callsOf(vault, "writeEntry")).toEqual([]);
  });

  test("takes the time of the facts, the place, the people and the feeling along", async () => {
    show(<Write id={null} />);
    type(TEXT);
    fireEvent.click(screen.getByRole("radio", { name: "Avec mes mots" }));
    type("au printemps 2019, le soir", "Avec vos mots");
    type("à la maison", "Lieu");
    type("Nadia, ma sœur", "Personnes présentes");
    fireEvent.click(screen.getByRole("radio", { name: /^7/ }));
    press("peur");
    fireEvent.click(screen.getByRole("checkbox", { name: "Mettre derrière le code" }));
    keep();
    await until(() => callsOf(vault, "writeEntry").length > 0);
    expect(callsOf(vault, "writeEntry")[0]).toMatchObject([
      {
        happened: { from: null, to: null, precision: "words", words: "au printemps 2019, le soir" },
        place: "à la maison",
        people: ["Nadia", "ma sœur"], danger: 7, mood: "peur",
      },
      { sensitive: true },
    ]);
  });
});

describe("guided and free", () => {
  test("are one text, and to go between them loses nothing", async () => {
    show(<Write id={null} />);
    type("D’abord ceci.");
    press("Avec des questions");
    type("Il a crié.\n", /Que s’est-il passé/);
    press("Question suivante");
    press("Passer");
    type("Devant l’école", /Où était-ce/);
    expect(said()).toContain("Question 3 sur 8");
    press("Librement");
    const whole = "D’abord ceci.\n\nQue s’est-il passé\u202f?\nIl a crié.\n\n\nOù était-ce\u202f?\nDevant l’école";
    expect(box().value).toBe(whole);
    type(`${whole}.`);
    press("Avec des questions");
    expect(box(/Quand était-ce/).value).toBe("");
    await until(() => said().includes("Brouillon gardé"));
    expect((await kept())[0]?.draft.text).toBe(`${whole}.`);
  });
});

describe("editing", () => {
  test("sends what differs, on top of what is there", async () => {
    show(<Edit id={entry.id} />);
    await until(() => screen.queryByRole("textbox", { name: "Votre texte" }));
    keep();
    await until(() => said().includes("Rien n’a changé"));
    type("Il a crié, longtemps.");
    keep();
    await until(() => place.value.view === "entry");
    expect(callsOf(vault, "editEntry")[0]?.slice(0, 3)).toEqual([entry.id, { text: "Il a crié, longtemps." }, []]);
    expect((await vault.history(entry.id)).map(({ text }) => text)).toEqual(["Il a crié.", "Il a crié, longtemps."]);
  });

  test("offers the draft of this entry, and keeps what is typed on top of it", async () => {
    vault.begin(draft("Il a crié, et", { item: entry.id }));
    show(<Edit id={entry.id} />);
    await until(() => said().includes("Un brouillon vous attend"));
    expect(box().value).toBe("Il a crié.");
    press(/^Reprendre/);
    await until(() => box().value === "Il a crié, et");
    type("Il a crié, et puis");
    await until(() => said().includes("Brouillon gardé"));
    expect(await vault.drafts()).toMatchObject([{ item: entry.id, draft: { text: "Il a crié, et puis" } }]);
  });

  test("what stood on the screen is offered when a draft takes its place", async () => {
    vault.begin(draft("Il a crié, et", { item: entry.id }));
    show(<Edit id={entry.id} />);
    await until(() => said().includes("Un brouillon vous attend"));
    type("Il n’a rien dit.");
    press(/^Reprendre/);
    await until(() => box().value === "Il a crié, et");
    expect(said()).toContain("Un brouillon vous attend");
    press(/^Reprendre/);
    await until(() => box().value === "Il n’a rien dit.");
    expect((await vault.drafts()).map((one) => one.draft.text)).toEqual(["Il a crié, et", "Il n’a rien dit."]);
  });

  test("a draft that was begun before the latest version says so, and both are shown in the end", async () => {
    vault.begin(draft("Il a crié, ici.", { item: entry.id, revision: 1 }));
    vault.add({ ...entry, revision: 2, text: "Il a crié, là-bas.", deposited: 1_700_000_500 });
    show(<Edit id={entry.id} />);
    await until(() => said().includes("Un brouillon vous attend"));
    expect(said()).not.toContain("Depuis que ce brouillon");
    press(/^Reprendre/);
    await until(() => said().includes("Depuis que ce brouillon a été commencé, une autre version a été gardée."));
    type("Il a crié, ici même.");
    await until(() => said().includes("Brouillon gardé"));
    expect(await vault.drafts()).toMatchObject([{ revision: 1 }]);
    keep();
    await until(() => place.value.view === "history");
    cleanup();
    show(<History id={entry.id} />);
    await until(() => said().includes("Une autre version a été gardée entre-temps"));
    expect(said()).toContain("Il a crié, là-bas.");
    expect(said()).toContain("Il a crié, ici même.");
  });

  test("a version that another tab kept meanwhile is shown, also where no vault had to refuse anything", async () => {
    show(<Edit id={entry.id} />);
    await until(() => screen.queryByRole("textbox", { name: "Votre texte" }));
    type("Il a crié, ici.");
    vault.add({ ...entry, revision: 2, text: "Il a crié, là-bas.", deposited: 1_700_000_500 });
    keep();
    await until(() => place.value.view !== "home");
    expect(place.value.view).toBe("history");
  });

  test("what is behind the PIN asks for it first", async () => {
    show(<Edit id={sampleId(2)} />);
    await until(() => said().includes("Ce contenu est derrière le code"));
    await vault.stepUp(PIN);
    await until(() => screen.queryByRole("textbox", { name: "Votre texte" }));
    expect(box().value).toBe("Derrière.");
  });

  test("at the same time as another device shows both texts", async () => {
    show(<Edit id={entry.id} />);
    await until(() => screen.queryByRole("textbox", { name: "Votre texte" }));
    type("Il a crié, ici.");
    vault.add({ ...entry, revision: 2, text: "Il a crié, là-bas.", deposited: 1_700_000_500 });
    const really = vault.editEntry.bind(vault);
    vault.editEntry = async (...given) => ({ ...await really(...given), conflict: true });
    keep();
    await until(() => place.value.view === "history");
    cleanup();
    show(<History id={entry.id} />);
    await until(() => said().includes("Une autre version a été gardée entre-temps"));
    const open = [...document.querySelectorAll("details[open]")].map((one) => one.textContent);
    expect(open.some((text) => text?.includes("Il a crié, là-bas."))).toBe(true);
    expect(open.some((text) => text?.includes("Il a crié, ici."))).toBe(true);
    expect(document.querySelector("del")?.textContent).toContain("là-bas");
  });
});
