// @vitest-environment happy-dom
// What the page that checks packs says of each item and file. Everything here is invented: what a check finds is pack.test.ts's.
import { cleanup, render } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { VerifiedReceipt } from "../src/crypto_core/receipts/receipt.js";
import type { Content, Item } from "../src/sdk/items.js";
import type { CheckedItem, PackReport } from "../src/sdk/packs/check.js";
import { Report } from "../src/verifier/Report.js";
import { chooseLanguage } from "../src/verifier/words.js";

const HASH = new Uint8Array(32).fill(7);
const file = (blob: string, name: string): Content =>
  ({ blob, key: HASH, sealed: HASH, sha256: HASH, name, mime: "image/jpeg", size: 9 });
const receipt = (claimedTime: number): VerifiedReceipt => ({ claimedTime, boundTime: null }) as unknown as VerifiedReceipt;
const said = (contents: Content[]) => ({ v: 1 as const, name: "Nadia", message: "J’ai tout vu.", written: 1_764_000_000, contents });
const PHOTO = file("photo", "porte.jpg"), ADDED = file("added", "lettre.pdf");

function shown(read: readonly CheckedItem[], more: Partial<PackReport> = {}): Element {
  const report: PackReport = {
    findings: [], outcome: "valid", items: 1, proven: 1, sender: null, created: null, keys: [], receipts: new Map(),
    checkpoint: null, beyond: 0, read, ...more,
  };
  return render(<Report report={report} given={false} heading={{ current: null }} />).container;
}

/** The notes beside one item. */
function notes(kind: Item["kind"], given: Partial<CheckedItem> & { readonly masked?: readonly string[] } = {}): readonly string[] {
  const { masked = [], ...checked } = given;
  const item = { id: "item", revision: 1, kind, title: "Le soir", contents: [PHOTO, ADDED], masked } as unknown as Item;
  const container = shown([{ item, receipt: receipt(1_770_000_000), words: null, isWhole: true, ...checked }]);
  return [...container.querySelectorAll("th[scope=row] .hint")].map((one) => one.textContent ?? "");
}

beforeEach(() => chooseLanguage("en"));
afterEach(cleanup);

test("of the person's own files it says nothing", () => {
  expect(notes("document")).toEqual([]);
});

test("it names the file of an extract that was masked, and no other", () => {
  const [first, second, ...more] = notes("extract", { masked: ["photo"] });
  expect([first, more]).toEqual(["Extract: the person left parts of it out.", []]);
  expect(second).toMatch(/^porte\.jpg: parts of this picture were covered/);
});

test("it names the files that came with somebody else's words, and when those were deposited", () => {
  const words = { said: said([PHOTO]), receipt: receipt(1_764_000_100) };
  const [first, second, third, ...more] = notes("received", { words });
  expect([first, third, more]).toEqual([
    "Put in by somebody else, and accepted by the person.", "porte.jpg: put in with these words.", [],
  ]);
  expect(second).toMatch(/^The words sent with it were deposited on .*2025/);
});

test("of words that aren't there, or have no receipt, it says that nothing is proven of their time", () => {
  for (const words of [null, { said: said([]), receipt: null }]) {
    expect(notes("received", { words })).toEqual([
      "Put in by somebody else, and accepted by the person.", "When the words sent with it were deposited isn’t proven.",
    ]);
    cleanup();
  }
});

test.each([[2, false], [1, true], [0, true]])("that the ledger only grew is said where a receipt shows it (%i of 2 are newer)", (beyond, isSaid) => {
  const checkpoint = { origin: "ledger/1", size: 12, root: HASH, extensions: [] } as unknown as PackReport["checkpoint"];
  const container = shown([], { checkpoint, beyond, receipts: new Map([["a", receipt(1)], ["b", receipt(2)]]) });
  expect(container.textContent!.includes("The ledger only grew")).toBe(isSaid);
});
