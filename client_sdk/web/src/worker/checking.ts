// A receipt that anybody brings, checked step by step for the page: nothing leaves the device.
// Knows: the numbered steps (docs/spec/receipt.md), and what may be told where one of them fails.
// Refuses to know: whose receipt it is, and keys that open the file.

import { CryptoCoreError, VerificationError } from "../crypto_core/errors.js";
import { MAX_POLICY_SIZE, NONE, parsePolicy, type Policy } from "../crypto_core/receipts/policy.js";
import { MAX_RECEIPT_SIZE, parseReceipt, verifyReceipt, weighReceipt } from "../crypto_core/receipts/receipt.js";
import { MAX_ROTATIONS_SIZE, openRotations, rotatePolicy } from "../crypto_core/receipts/rotation.js";
import { hashFile } from "../sdk/auditor.js";
import { Pin, type Home } from "../sdk/home.js";
import { ROTATIONS, readPublished } from "../sdk/session.js";
import type { Transport } from "../sdk/transport.js";
import type { Checked, Weighed } from "./api.js";

/** Code of an error → the step that it ends at. */
const STOPS_AT: Readonly<Record<string, number>> = {
  receipt_malformed: 1, receipt_other_bytes: 2, receipt_not_included: 5, receipt_key_unknown: 6, receipt_signature: 6,
  receipt_key_retired: 6, receipt_quorum_missing: 7,
};

/** The policy in a file. Rejects with MalformedError or UnsupportedVersion. */
export async function readPolicy(file: Blob): Promise<Policy> {
  return parsePolicy(await read(file, MAX_POLICY_SIZE));
}

/** Trust in the ledger whose vault this page comes from, in every key that its records lead to. */
export async function publishedPolicy(transport: Transport): Promise<Policy> {
  const vault = await transport.ask("GET", "/v1/vault");
  const pin = new Pin(vault.vault_id, vault.ledger_vkey, vault.directory_vkey);
  return pin.rotated(await readPublished(transport, ROTATIONS, MAX_ROTATIONS_SIZE)).policy;
}

/** What a browser trusts that met this vault before, in every key that its records have led to since. Records that can't
 * be believed are kept as evidence and change nothing. */
export async function followedPolicy(transport: Transport, home: Home, held: Policy): Promise<Policy> {
  const records = await readPublished(transport, ROTATIONS, MAX_ROTATIONS_SIZE);
  try {
    return rotatePolicy(held, openRotations(records));
  } catch (error) {
    if (!(error instanceof CryptoCoreError)) throw error;
    await home.keepEvidence(error.code, records);
    return held;
  }
}

/** Checks the sealed file, which is hashed in pieces, against its receipt. Rejects with FileUnreadable. */
export async function checkReceipt(sealed: Blob, receipt: Blob, policy: Policy): Promise<Checked> {
  const data = await read(receipt, MAX_RECEIPT_SIZE);
  const [sha256, size] = await hashFile(sealed);
  const found = { sha256, size, verified: null, weighed: null };
  try {
    const verified = verifyReceipt(data, { sha256, size, policy });
    return { ...found, outcome: "valid", code: null, step: 8, verified, weighed: weigh(data, policy) };
  } catch (error) {
    const step = error instanceof VerificationError ? STOPS_AT[error.code] : undefined;
    if (!(error instanceof VerificationError) || step === undefined) throw error;
    return { ...found, outcome: error.outcome, code: error.code, step, weighed: step === 7 ? weigh(data, policy) : null };
  }
}

function weigh(data: Uint8Array, policy: Policy): Weighed {
  const { cosigned, missing, ignored } = weighReceipt(parseReceipt(data), policy);
  return {
    asked: policy.quorum !== NONE,
    cosigned: cosigned.map(({ witness, time }) => ({ name: witness.key.name, time })),
    missing: missing.map(({ key }) => key.name),
    passedOver: [...new Set(ignored.map(({ name }) => name))],
  };
}

/** The bytes, or one more than there may be. */
async function read(file: Blob, most: number): Promise<Uint8Array> {
  return new Uint8Array(await file.slice(0, most + 1).arrayBuffer());
}
