// A receipt checked alone, over a picked file or its hash.
// Knows: what the shared facts say of each receipt. Refuses to know: vaults.

import { createHash } from "node:crypto";
import { beforeAll, expect, test } from "vitest";

import { ReceiptOtherBytes } from "../src/crypto_core/errors.js";
import { Commitment, entryBytes, formatExtra } from "../src/crypto_core/receipts/leaf.js";
import { hashLeaf } from "../src/crypto_core/receipts/merkle.js";
import { formatCheckpoint } from "../src/crypto_core/receipts/checkpoint.js";
import { SignerKey, formatVkey, signNote } from "../src/crypto_core/receipts/note.js";
import { Policy, parsePolicy } from "../src/crypto_core/receipts/policy.js";
import { Receipt, formatReceipt, parseReceipt, weighReceipt } from "../src/crypto_core/receipts/receipt.js";
import { openRotations, rotatePolicy } from "../src/crypto_core/receipts/rotation.js";
import { ready } from "../src/crypto_core/sodium.js";
import { Auditor, hashFile } from "../src/sdk/auditor.js";
import { FileUnreadable } from "../src/sdk/errors.js";
import { fromHex, readFacts, sha256Hex, toHex } from "./vectors.js";

const UTF8 = new TextEncoder();

beforeAll(ready);

test("every receipt of the shared facts is judged by the hash alone as they say", async () => {
  const facts = readFacts("receipts").filter(({ op, inputs }) => op === "verify_receipt" && "receipt" in inputs);
  const judge = async (inputs: Record<string, string>): Promise<string> => {
    const { receipt, policy, rotations, sha256 } = inputs;
    const held = parsePolicy(UTF8.encode(policy));
    const trusted = rotations === undefined ? held : rotatePolicy(held, openRotations(UTF8.encode(rotations)));
    return (await Auditor.checkReceipt(fromHex(sha256 ?? ""), UTF8.encode(receipt), trusted)).outcome;
  };
  const judged = await Promise.all(facts.map(async ({ name, expect: due, inputs }) => (
    [name, due, await judge(inputs as Record<string, string>).catch((error: { code: string }) => error.code)]
  )));
  const differing = judged.filter(([, due, found]) => found !== (due === "success" ? "valid" : due));
  expect(differing).toEqual([["verify-receipt-2-other-size", "receipt_other_bytes", "valid"]]); // a hash has no size
});

test("of a receipt that misses cosignatures it can be told whose are there and whose are not", () => {
  const weighed = readFacts("receipts").filter(({ op, expect: due }) =>
    op === "verify_receipt" && due === "receipt_quorum_missing"
  ).map(({ name, inputs }) => {
    const { receipt, policy } = inputs as Record<string, string>;
    const trusted = parsePolicy(UTF8.encode(policy));
    const found = weighReceipt(parseReceipt(UTF8.encode(receipt)), trusted);
    expect([found.isMet, found.boundTime]).toEqual([false, null]);
    expect([...found.cosigned.map(({ witness }) => witness), ...found.missing]).toHaveLength(trusted.witnesses.length);
    return [name, found.cosigned.length, found.ignored.length];
  });
  expect(weighed).toEqual([
    ["verify-receipt-7-none", 0, 0], ["verify-receipt-7-one", 1, 0], ["verify-receipt-7-twice-the-same", 1, 0],
    ["verify-receipt-7-unknown-witnesses", 0, 3],
  ]);
});

test("a file of several blocks is hashed whole, and its receipt belongs to no other", async () => {
  const data = new Uint8Array(2 * 1024 * 1024 + 3).map((_, at) => at % 251);
  const file = new Blob([data]);
  expect((await hashFile(file)).map((one) => (one instanceof Uint8Array ? toHex(one) : one)))
    .toEqual([sha256Hex(data), data.length]);
  const [receipt, policy] = receiptFor(data);
  const proven = await Auditor.checkReceipt(file, receipt, policy);
  expect(proven.commitment.size).toBe(data.length);
  await expect(Auditor.checkReceipt(new Blob([data, "."]), receipt, policy)).rejects.toThrow(ReceiptOtherBytes);
  await expect(Auditor.checkReceipt(new Blob([]), receipt, policy)).rejects.toThrow(ReceiptOtherBytes);
});

test("a file that can't be read any more says so", async () => {
  const gone = new Blob(["sealed"]);
  gone.slice = () => Object.assign(new Blob(), {
    arrayBuffer: () => Promise.reject(new DOMException("a name that stays here", "NotReadableError")),
  });
  await expect(hashFile(gone)).rejects.toThrow(new FileUnreadable("NotReadableError"));
});

/** The receipt of the only entry of a ledger, and whom to trust. */
function receiptFor(data: Uint8Array): [Uint8Array, Policy] {
  const sha256 = Uint8Array.from(createHash("sha256").update(data).digest());
  const commitment = new Commitment(new Uint8Array(32), 1_772_400_601, data.length, sha256);
  const signer = new SignerKey("ledger.example", new Uint8Array(32).fill(1));
  const root = hashLeaf(entryBytes(commitment));
  const note = signNote(formatCheckpoint({ origin: signer.name, size: 1, root, extensions: [] }), signer);
  return [formatReceipt(new Receipt(formatExtra(commitment), 0, [], note)), Policy.forKey(formatVkey(signer.verifier))];
}
