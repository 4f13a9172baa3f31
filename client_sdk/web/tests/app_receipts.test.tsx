// @vitest-environment happy-dom
// A receipt in words: what was verified here, by whose word, and what it does not prove.
import { cleanup, fireEvent, screen } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { speakWords } from "../src/app/i18n.js";
import { outcomeOf } from "../src/app/views/receipts/outcome.js";
import Receipt from "../src/app/views/receipts/Receipt.js";
import english from "../locales/en.json";
import site from "../../../server/help/locales/en.json";
import { type Addresses, watchAddresses, watchDownloads } from "./app_documents_scene.js";
import { answer, callsOf, openVault, PIN, show, until } from "./app_journal_scene.js";
import { type MemoryVault, problem } from "./memory_vault.js";
import { sampleItem } from "./samples.js";

const entry = sampleItem(1, { title: "Hier", deposited: 1_700_000_000 });
const again = sampleItem(1, { title: "Hier soir", deposited: 1_700_090_000, revision: 2 });
const secret = sampleItem(2, { title: "Secret", deposited: 1_700_000_000, sensitive: true });
let vault: MemoryVault;
let addresses: Addresses;

beforeEach(async () => {
  vault = await openVault([entry, again, secret]);
  addresses = watchAddresses();
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const said = (): string => document.body.textContent ?? "";
const press = (name: string | RegExp): void => void fireEvent.click(screen.getByRole("button", { name }));

describe("a receipt", () => {
  test("is verified now, and says by whose word, what it proves and what not", async () => {
    show(<Receipt id={entry.id} />);
    await until(() => said().includes("Le reçu est valable"));
    expect(callsOf(vault, "receipt")).toEqual([[entry.id, 2]]);
    expect(said()).toContain("Vérifié ici, dans ce navigateur");
    expect(said()).toContain("Hier soir");
    expect(said()).toContain("sur la seule parole des personnes qui tiennent le service");
    expect(said()).toContain("Aucun témoin indépendant");
    expect(said()).toContain("Qui a fait ces octets.");
    expect(said()).toContain("Que ce qu’ils disent est vrai.");
    expect(said()).toContain("temoin verify");
    expect(document.querySelectorAll("details[open]")).toHaveLength(0);
    for (const fact of ["vault.example/ledger", "c2sp.org/tlog-proof@v1"]) expect(said()).toContain(fact);
  });

  test("that witnesses confirm says their bound, beside the operator's word", async () => {
    const really = vault.receipt.bind(vault);
    vault.receipt = async (...given) => {
      const kept = await really(...given);
      const bound = { boundTime: 1_700_090_600, cosignedBy: ["one.example", "two.example"] };
      return { ...kept, verified: { ...kept.verified, ...bound } };
    };
    show(<Receipt id={entry.id} />);
    await until(() => said().includes("2 témoins indépendants confirment"));
    expect(said()).toContain("sur la parole de témoins indépendants");
    expect(said()).not.toContain("sur la seule parole");
    expect(said()).toContain("one.example, two.example");
  });

  test("of an earlier version is looked at as well", async () => {
    show(<Receipt id={entry.id} />);
    await until(() => said().includes("Le reçu est valable"));
    fireEvent.change(screen.getByLabelText("Version"), { target: { value: "1" } });
    await until(() => callsOf(vault, "receipt").length === 2);
    expect(callsOf(vault, "receipt")[1]).toEqual([entry.id, 1]);
  });

  test.each([
    ["receipt_signature", "Le reçu n’est pas valable"], ["receipt_quorum_missing", "ne peut pas encore être vérifié"],
    ["network", "n’a pas pu être lu"],
  ])("that fails with %s is told apart, and never called valid", async (code, words) => {
    vault.fail("receipt", problem(code));
    show(<Receipt id={entry.id} />);
    await until(() => screen.queryByRole("alert"));
    expect(said()).toContain(words);
    expect(said()).not.toContain("est valable");
    expect(screen.queryByRole("button", { name: /Exporter/ })).toBeNull();
  });

  test("has three answers", () => {
    expect(["receipt_other_bytes", "note_key_unknown", "server"].map((code) => outcomeOf({ code })))
      .toEqual(["invalid", "later", "unread"]);
    expect(outcomeOf(new Error("x"))).toBe("unread");
  });

  test("of what still waits is not there yet", async () => {
    vault = await openVault([sampleItem(5, { title: "En attente", deposited: 0 })]);
    show(<Receipt id={sampleItem(5, {}).id} />);
    await until(() => said().includes("Ceci attend encore d’être envoyé"));
    expect(callsOf(vault, "receipt")).toEqual([]);
  });

  test("of something behind the PIN tells nothing of it", async () => {
    show(<Receipt id={secret.id} />);
    await until(() => said().includes("Le reçu est valable"));
    expect(said()).not.toContain("Secret");
    expect(callsOf(vault, "stepUp")).toEqual([]);
  });

  test("speaks English, too", async () => {
    speakWords("en", { ...english, site } as never);
    show(<Receipt id={entry.id} />);
    await until(() => said().includes("The receipt is valid."));
    expect(said()).toContain("by the word of the people who run the service alone");
    expect(said()).toContain("Who made these bytes.");
  });
});

describe("the archive", () => {
  const open = async (): Promise<void> => {
    show(<Receipt id={entry.id} />);
    await until(() => said().includes("Le reçu est valable"));
    press(/^Exporter/);
    await until(() => screen.queryByRole("dialog"));
  };

  test("is made after it was said what is in it, and its address is taken back", async () => {
    const asked = watchDownloads();
    await open();
    expect(said()).toContain("L’archive ne contient que des octets scellés");
    expect(said()).toContain("voit que ce genre de service a servi");
    expect(callsOf(vault, "exportReceipts")).toEqual([]);
    await answer("Exporter");
    await until(() => asked.length > 0);
    expect(asked[0]?.name).toMatch(/\.zip$/);
    await until(() => said().includes("Donné au navigateur"));
    cleanup();
    expect([...addresses.open]).toEqual([]);
  });

  test("that fails says why, and can be asked for again", async () => {
    const asked = watchDownloads();
    await open();
    vault.fail("exportReceipts", problem("network"));
    await answer("Exporter");
    await until(() => screen.queryByRole("alert"));
    expect(asked).toEqual([]);
    await answer("Exporter");
    await until(() => asked.length > 0);
  });

  test("of something behind the PIN needs it", async () => {
    await vault.stepUp(PIN);
    show(<Receipt id={secret.id} />);
    await until(() => said().includes("Secret"));
    await until(() => screen.queryByRole("button", { name: /^Exporter/ }));
    press(/^Exporter/);
    await until(() => screen.queryByRole("dialog"));
  });
});
