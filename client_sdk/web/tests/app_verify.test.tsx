// @vitest-environment happy-dom
// A receipt that was given to somebody: sorted, checked step by step by the real code, told in words; and no vault open.
import { act, cleanup, fireEvent, screen } from "@testing-library/preact";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { session } from "../src/app/state.js";
import { endVault, startWith } from "../src/app/vault.js";
import { ready } from "../src/crypto_core/sodium.js";
import Verify from "../src/app/views/receipts/Verify.js";
import { NOTHING, sort } from "../src/app/views/receipts/sorting.js";
import { checkReceipt, readPolicy } from "../src/worker/checking.js";
import { callsOf, openVault, show, until } from "./app_journal_scene.js";
import { speakEnglish } from "./app_scene.js";
import { LEDGER, MemoryVault } from "./memory_vault.js";
import { readFacts } from "./vectors.js";

const SEALED = "a sealed file stands here, opaque to the ledger";
/** Those of a policy alone: the view takes no records of a ledger's keys beside one. */
const facts = readFacts("receipts").filter(({ op, inputs }) =>
  op === "verify_receipt" && "receipt" in inputs && !("rotations" in inputs));
const factOf = (name: string): Record<string, string> =>
  facts.find((fact) => fact.name === `verify-receipt-${name}`)!.inputs as Record<string, string>;
const file = (text: string, name: string): File => new File([text], name);
const filesOf = (name: string, sealed = SEALED): File[] => [
  file(sealed, "x.sealed"), file(factOf(name)["receipt"]!, "x.tlog-proof"), file(factOf(name)["policy"]!, "policy.txt"),
];
const said = (): string => document.body.textContent ?? "";
const marks = (): (string | null)[] => [...document.querySelectorAll(".checked b")].map((mark) => mark.textContent);
let vault: MemoryVault;

async function bring(files: readonly File[]): Promise<void> {
  const input = document.querySelector<HTMLInputElement>("input[type=file]")!;
  Object.defineProperty(input, "files", { value: files, configurable: true });
  await act(async () => void fireEvent.change(input));
}

async function check(files: readonly File[]): Promise<void> {
  show(<Verify />);
  await bring(files);
  await until(() => screen.queryByRole("button", { name: "Check" }));
  fireEvent.click(screen.getByRole("button", { name: "Check" }));
  await until(() => marks().length === 7 || screen.queryByRole("alert"));
}

beforeAll(ready);
beforeEach(() => {
  vault = new MemoryVault();
  session.value = null;
  startWith(() => ({ api: vault, end: () => undefined }));
  speakEnglish();
});
afterEach(() => {
  cleanup();
  endVault();
  vi.restoreAllMocks();
});

describe("somebody who was given a receipt", () => {
  test("needs no open vault, and sees each step, who signed, what is proven and what isn't", async () => {
    await check(filesOf("witnessed"));
    expect(said()).toContain("The receipt is valid.");
    expect(marks()).toEqual(Array.from({ length: 7 }, () => "It holds."));
    expect(said()).toContain("witness1.example/w signed on");
    expect(said()).toContain("2 independent witnesses confirm"); // the third came after the bound
    expect(said()).toContain("Who made these bytes.");
    expect(said()).toContain("with the policy that you chose");
    expect(said()).toContain("4d0c 0fd5");
    expect(vault.calls.map(([name]) => name)).toEqual(["checkReceipt"]);
  });

  test("without a policy has it checked with the key that the service names", async () => {
    await check(filesOf("witnessed").slice(0, 2));
    expect(callsOf(vault, "checkReceipt")[0]!.at(-1)).toBeNull();
    expect(said()).toContain("as this service names it. Whoever doubts the service");
    expect(said()).toContain("No witnesses are asked for.");
    expect(marks()).toEqual(Array.from({ length: 7 }, () => "It holds."));
  });

  test.each([
    ["7-one", SEALED, 7, "can’t be verified yet", "witness2.example/w has not signed yet."],
    ["7-unknown-witnesses", SEALED, 7, "can’t be verified yet", "is not in the policy: nothing is known"],
    ["6-stranger", SEALED, 6, "can’t be verified yet", "the right key is missing"],
    ["6-bent", SEALED, 6, "is not valid", "is not genuine"],
    ["5-other-index", SEALED, 5, "is not valid", "does not lead to the state"],
    ["witnessed", "another file", 2, "is not valid", "belongs to another file"],
    ["1-cut", SEALED, 1, "is not valid", "is not whole"],
  ])("whose check of %s ends at a step is told which, and nothing is called proven", async (...given) => {
    const [name, sealed, step, outcome, why] = given;
    await check(filesOf(name, sealed));
    const failed = outcome.includes("yet") ? "Not yet." : "It does not hold.";
    expect(marks()).toEqual([1, 2, 3, 4, 5, 6, 7].map((at) => (
      at < step ? "It holds." : at === step ? failed : "Not reached."
    )));
    expect(said()).toContain(outcome);
    expect(said()).toContain(why);
    expect(said()).not.toContain("What the receipt proves");
  });

  test("may bring the files one by one, and another one in the place of the first", async () => {
    const [sealed, receipt, policy] = filesOf("witnessed");
    show(<Verify />);
    await bring([receipt!]);
    await until(() => said().includes("x.tlog-proof"));
    expect(screen.queryByRole("button", { name: "Check" })).toBeNull();
    await bring([policy!, file("another", "y.sealed")]);
    await until(() => said().includes("y.sealed"));
    await bring([sealed!]);
    await until(() => said().includes("x.sealed"));
    expect(said()).not.toContain("y.sealed");
    fireEvent.click(screen.getByRole("button", { name: "Check" }));
    await until(() => said().includes("The receipt is valid."));
  });

  test("who has a vault open uses its worker", async () => {
    vault = await openVault([]);
    speakEnglish();
    await check(filesOf("witnessed"));
    expect(callsOf(vault, "checkReceipt")).toHaveLength(1);
    expect(said()).toContain("The receipt is valid.");
  });

  test("is told of a policy that is none, and nothing is called valid", async () => {
    await check([...filesOf("witnessed").slice(0, 2), file("quorum none\nquorum none\n", "policy.txt")]);
    expect(screen.queryByRole("alert")).not.toBeNull();
    expect(said()).not.toContain("is valid");
  });
});

test("files are told apart by what is in them, whatever they are called", async () => {
  const [sealed, receipt, policy] = filesOf("witnessed").map((one) => new File([one], "a.txt"));
  expect(await sort(NOTHING, [policy!, sealed!, receipt!])).toEqual({ sealed, receipt, policy });
  const long = new File([`quorum none\n${"x".repeat(70_000)}`], "policy.txt");
  expect(await sort(NOTHING, [long])).toEqual({ ...NOTHING, sealed: long });
});

test("every receipt of the shared facts ends at the step that its name has", async () => {
  const judged = await Promise.all(facts.map(async ({ name, expect: due, inputs }) => {
    const { receipt, policy } = inputs as Record<string, string>;
    const found = await checkReceipt(new Blob([SEALED]), new Blob([receipt!]), await readPolicy(new Blob([policy!])));
    return [name, due === "success" ? null : due, found.code, found.step];
  }));
  const sealedElsewhere = ["receipt_other_bytes", "receipt_malformed"];
  for (const [name, due, code, step] of judged) {
    if (!sealedElsewhere.includes(String(due))) expect([name, code]).toEqual([name, due]);
    const told = /^verify-receipt-(\d)-/.exec(String(name))?.[1];
    if (told !== undefined && !sealedElsewhere.includes(String(due))) expect([name, step]).toEqual([name, Number(told)]);
  }
  expect(judged.length).toBeGreaterThan(30);
  expect(LEDGER).toContain("ledger.example/2026");
});
