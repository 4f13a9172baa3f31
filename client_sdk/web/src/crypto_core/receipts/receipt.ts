// Receipts: a file that proves, offline, that bytes existed no later than a time.
// Knows: c2sp.org/tlog-proof@v1 as docs/spec/receipt.md narrows it, and the numbered steps of its verification.
// Refuses to know: the file itself (its SHA-256 is enough), keys that open it, what time it is now.

import {
  HASH_SIZE, decodeText, encodeText, formatB64, formatTime, isSame, parseB64,
} from "../encoding.js";
import {
  InclusionMismatch, MalformedError, NoteKeyRetired, NoteKeyUnknown, ReceiptKeyRetired, ReceiptKeyUnknown,
  ReceiptMalformed, ReceiptNotIncluded, ReceiptOtherBytes, ReceiptQuorumMissing, ReceiptSignature, SignatureInvalid,
} from "../errors.js";
import { parseCheckpoint, parseDecimal, type Checkpoint } from "./checkpoint.js";
import { EXTRA_SIZE, entryBytes, parseExtra, type Commitment } from "./leaf.js";
import { MAX_PROOF, hashLeaf, verifyInclusion } from "./merkle.js";
import { MAX_NOTE_SIZE, parseNote } from "./note.js";
import { type Policy } from "./policy.js";
import { requireSpelled } from "./spelling.js";
import { openCheckpoint, type WitnessedCheckpoint } from "./witnessed.js";

export const HEADER = "c2sp.org/tlog-proof@v1";
export const MAX_RECEIPT_SIZE = MAX_NOTE_SIZE + 4096;

/** A receipt as it came: nothing in it is verified. `extra` is 80 bytes, `proof` at most 63 hashes,
 * `note` the checkpoint's signed note verbatim. A newer receipt for the same deposit has the same `extra`. */
export class Receipt {
  readonly extra: Uint8Array;
  readonly index: number;
  readonly proof: readonly Uint8Array[];
  readonly note: string;

  constructor(extra: Uint8Array, index: number, proof: readonly Uint8Array[], note: string) {
    this.extra = extra;
    this.index = index;
    this.proof = proof;
    this.note = note;
  }

  /** What the receipt says of the deposit. */
  get commitment(): Commitment {
    return parseExtra(this.extra);
  }

  /** What the receipt says of the ledger. */
  get checkpoint(): Checkpoint {
    return parseCheckpoint(parseNote(encodeText(this.note)).text);
  }
}

declare const PROVEN: unique symbol;

/** Only `verifyReceipt` makes one: holding it is the proof. Plain values, so that it may cross to another thread. */
export interface VerifiedReceipt {
  readonly [PROVEN]: true;
  readonly outcome: "valid";
  readonly index: number;
  /** 40 bytes. */
  readonly entry: Uint8Array;
  readonly commitment: Commitment;
  /** From the entry to the root of the checkpoint. */
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: Checkpoint;
  /** Unix seconds: the operator's word alone. */
  readonly claimedTime: number;
  /** Unix seconds: the earliest moment at which enough trusted witnesses had cosigned; null with `quorum none`. */
  readonly boundTime: number | null;
  /** Key names of all witnesses of the policy whose cosignatures verified, in the order of the policy. */
  readonly cosignedBy: readonly string[];
}

/** The bytes of the `.tlog-proof` file. Throws RangeError for a receipt that has no spelling. */
export function formatReceipt(receipt: Receipt): Uint8Array {
  const { extra, index, proof, note } = receipt;
  const lines = [HEADER, `extra ${formatB64(extra)}`, `index ${index}`, ...proof.map(formatB64)];
  const data = encodeText(`${lines.join("\n")}\n\n${note}`);
  requireSpelled(receipt, () => parseReceipt(data), told);
  return data;
}

/** A receipt in its one spelling, its checkpoint and extra data well formed. Throws MalformedError. */
export function parseReceipt(data: Uint8Array): Receipt {
  if (data.length > MAX_RECEIPT_SIZE) throw new MalformedError("a receipt of more than 68 KiB");
  const border = data.findIndex((octet, at) => octet === 0x0a && data[at + 1] === 0x0a);
  const head = data.subarray(0, border < 0 ? data.length : border);
  const [header, extraLine, indexLine, ...hashes] = decodeText(head).split("\n");
  if (border < 0 || header !== HEADER) throw new MalformedError("not a tlog-proof of version 1");
  if (!extraLine?.startsWith("extra ") || !indexLine?.startsWith("index ")) {
    throw new MalformedError("an extra line and an index line were expected");
  }
  if (hashes.length > MAX_PROOF) throw new MalformedError("a proof of more than 63 hashes");
  const extra = parseB64(extraLine.slice("extra ".length), EXTRA_SIZE);
  const index = parseDecimal(indexLine.slice("index ".length));
  const proof = hashes.map((line) => parseB64(line, HASH_SIZE));
  const note = data.subarray(border + 2);
  parseExtra(extra);
  parseCheckpoint(parseNote(note).text);
  return new Receipt(extra, index, proof, decodeText(note));
}

/** What a receipt should prove: the SHA-256 of the sealed file, its `size` in bytes if known, and whom to trust. */
export interface Expected {
  readonly sha256: Uint8Array;
  readonly size: number | null;
  readonly policy: Policy;
}

/** Proves that a file of this SHA-256 (and of `size` bytes, if that is known) stands in a trusted ledger.
 *
 * Each step that fails throws its own leaf of VerificationError; its `outcome` says "invalid" or "not_yet". */
export function verifyReceipt(data: Uint8Array, { sha256, size, policy }: Expected): VerifiedReceipt {
  // 1  Parse the receipt, its extra data and its checkpoint                 ReceiptMalformed
  // 2  The SHA-256, and the size if known, are those of the extra data      ReceiptOtherBytes
  // 3  Compute the entry from the extra data
  // 4  Compute the leaf hash from the entry
  // 5  The proof leads from the leaf to the root of the checkpoint          ReceiptNotIncluded
  // 6  A ledger of the policy signed the checkpoint under its own origin,   ReceiptKeyUnknown
  //    and every signature by a key of the policy verifies,                 ReceiptSignature
  //    and not by a key alone that a record says was replaced before        ReceiptKeyRetired
  // 7  Enough witnesses of the policy cosigned it                           ReceiptQuorumMissing
  // Then, elsewhere: 8 the RFC 3161 token; 9, with the key, the file's own seal.

  // 1
  const receipt = inOurWords(() => parseReceipt(data), MalformedError, ReceiptMalformed);
  const { commitment, checkpoint } = receipt;
  // 2
  if (!isSame(commitment.sha256, sha256)) throw new ReceiptOtherBytes("another SHA-256");
  if (size !== null && commitment.size !== size) throw new ReceiptOtherBytes("another size");
  // 3
  const entry = entryBytes(commitment);
  // 4
  const leaf = hashLeaf(entry);
  // 5
  inOurWords(
    () => verifyInclusion(receipt.index, checkpoint.size, leaf, receipt.proof, checkpoint.root),
    InclusionMismatch, ReceiptNotIncluded,
  );
  // 6
  const witnessed = weighReceipt(receipt, policy);
  // 7
  if (!witnessed.isMet) throw new ReceiptQuorumMissing();
  const proven: Omit<VerifiedReceipt, typeof PROVEN> = {
    outcome: "valid",
    index: receipt.index,
    entry,
    commitment,
    proof: receipt.proof,
    checkpoint,
    claimedTime: commitment.time,
    boundTime: witnessed.boundTime,
    cosignedBy: witnessed.cosigned.map(({ witness }) => witness.key.name),
  };
  return proven as VerifiedReceipt;
}

/** What is proven and what is not, in one sentence for a person. */
export function provenSentence(verified: VerifiedReceipt): string {
  const claimed = formatTime(verified.claimedTime);
  const proven = verified.boundTime === null
    ? `These bytes existed no later than ${claimed}, by the word of the ledger's operator alone`
    : `These bytes existed no later than ${formatTime(verified.boundTime)}, by the word of the witnesses that you trust`
      + ` (the ledger's operator says ${claimed})`;
  return `${proven}; this does not prove who made them, nor that what they say is true.`;
}

/** Step 6, and who cosigned: of a receipt that misses cosignatures, this says which.
 *
 * Throws ReceiptSignature, ReceiptKeyUnknown or ReceiptKeyRetired. */
export function weighReceipt(receipt: Receipt, policy: Policy): WitnessedCheckpoint {
  const open = () => inOurWords(
    () => openCheckpoint(encodeText(receipt.note), policy), SignatureInvalid, ReceiptSignature,
  );
  return inOurWords(() => inOurWords(open, NoteKeyUnknown, ReceiptKeyUnknown), NoteKeyRetired, ReceiptKeyRetired);
}

type Refusal = new (detail?: string) => Error & { readonly detail: string };

/** Runs one step; the error that the step knows becomes the one that its number has. */
function inOurWords<T>(step: () => T, known: Refusal, own: Refusal): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof known ? new own(error.detail) : error;
  }
}

function told({ extra, index, proof, note }: Receipt): unknown {
  return [formatB64(extra), index, proof.map(formatB64), note];
}
