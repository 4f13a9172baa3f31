// What the ledger holds of a deposit: forty bytes that tell nobody which file they stand for.
// Knows: protocol §6 (docs/spec/receipt.md). Refuses to know: trees, signatures, what time it is.

import { HASH_SIZE, MAX_SAFE_INTEGER, MAX_TIME, concat, u64 } from "../encoding.js";
import { MalformedError } from "../errors.js";
import { Kind, context } from "../labels.js";
import { sodium } from "../sodium.js";

export const NONCE_SIZE = 32;
export const EXTRA_SIZE = 80;
export const ENTRY_SIZE = 40;
/** Seconds: the public entry tells the minute, the receipt the second. */
export const ROUNDING = 60;

/** A deposit, as its receipt tells it: 32 bytes drawn afresh for it, Unix seconds by the operator's clock,
 * the length of the sealed file in bytes and its SHA-256. Throws RangeError for values that no deposit has. */
export class Commitment {
  readonly nonce: Uint8Array;
  readonly time: number;
  readonly size: number;
  readonly sha256: Uint8Array;

  constructor(nonce: Uint8Array, time: number, size: number, sha256: Uint8Array) {
    if (nonce.length !== NONCE_SIZE || sha256.length !== HASH_SIZE) {
      throw new RangeError("a nonce and a SHA-256 have 32 bytes each");
    }
    if (!Number.isInteger(time) || time < 0 || time > MAX_TIME || !Number.isSafeInteger(size) || size < 0) {
      throw new RangeError("a time or a size out of range");
    }
    this.nonce = nonce;
    this.time = time;
    this.size = size;
    this.sha256 = sha256;
  }
}

/** The 80 bytes of the receipt's `extra` line: `nonce32 ‖ u64 time ‖ u64 size ‖ sha256`. */
export function formatExtra(commitment: Commitment): Uint8Array {
  return concat(commitment.nonce, u64(commitment.time), u64(commitment.size), commitment.sha256);
}

/** The commitment in exactly 80 bytes. Throws MalformedError for another length, a time beyond the year 9999,
 * or a size that is no whole `number`: no file has 2^53 bytes. */
export function parseExtra(data: Uint8Array): Commitment {
  if (data.length !== EXTRA_SIZE) throw new MalformedError("extra data of another length than 80 bytes");
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [time, size] = [view.getBigUint64(32), view.getBigUint64(40)];
  if (time > MAX_TIME) throw new MalformedError("a time that no calendar has");
  if (size > MAX_SAFE_INTEGER) throw new MalformedError("a size that no file has");
  return new Commitment(data.slice(0, 32), Number(time), Number(size), data.slice(48));
}

/** The next whole minute, or `time` itself if it is one. */
export function roundedTime(time: number): number {
  return Math.ceil(time / ROUNDING) * ROUNDING;
}

/** The ledger's entry: `u64 rounded time ‖ SHA-256(ctx("receipt") ‖ extra)`, 40 bytes. */
export function entryBytes(commitment: Commitment): Uint8Array {
  const blinded = sodium.crypto_hash_sha256(concat(context(Kind.RECEIPT), formatExtra(commitment)));
  return concat(u64(roundedTime(commitment.time)), blinded);
}
