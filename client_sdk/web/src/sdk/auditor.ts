// Checks a receipt alone: no account, no network, the vault may be gone.
// Knows: a sealed file or its SHA-256, a receipt, a policy. Refuses to know: keys that open the file.

import type { Policy } from "../crypto_core/receipts/policy.js";
import { verifyReceipt, type VerifiedReceipt } from "../crypto_core/receipts/receipt.js";
import { Sha256 } from "./digest.js";
import { FileUnreadable } from "./errors.js";

const BLOCK = 1024 * 1024;

/** Verifies receipts offline. */
export class Auditor {
  /** Proves that the sealed file (or its SHA-256, 32 bytes) stands in a ledger that `policy` trusts.
   *
   * Rejects with a leaf of VerificationError, whose `outcome` tells "invalid" from "not_yet"; or with FileUnreadable. */
  static async checkReceipt(sealed: Blob | Uint8Array, receipt: Uint8Array, policy: Policy): Promise<VerifiedReceipt> {
    if (sealed instanceof Uint8Array) return verifyReceipt(receipt, { sha256: sealed, size: null, policy });
    const [sha256, size] = await hashFile(sealed);
    return verifyReceipt(receipt, { sha256, size, policy });
  }
}

/** [SHA-256, length] of a file of any size, read in pieces. Rejects with FileUnreadable. */
export async function hashFile(file: Blob): Promise<[sha256: Uint8Array, size: number]> {
  const digest = new Sha256();
  for (let at = 0; at < file.size; at += BLOCK) {
    digest.update(await read(file.slice(at, at + BLOCK)));
  }
  return [digest.digest(), file.size];
}

async function read(part: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await part.arrayBuffer());
  } catch (error) {
    throw new FileUnreadable(error instanceof Error ? error.name : "");
  }
}
