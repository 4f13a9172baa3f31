// What a failed look at a receipt says. Knows: three answers: it doesn't hold, it can't be said yet, it didn't come.
// Refuses to know: the receipt.

export type Outcome = "invalid" | "later" | "unread";

const LATER = ["receipt_key_unknown", "receipt_quorum_missing", "note_key_unknown"];
const INVALID = [
  "receipt_malformed", "receipt_other_bytes", "receipt_not_included", "receipt_signature", "receipt_key_retired",
  "not_proven", "proof_inclusion", "proof_consistency", "signature_invalid", "note_key_retired",
];

/** By the code of an error. What is neither proven wrong nor waiting for a signature was not read at all. */
export function outcomeOf(error: unknown): Outcome {
  const { code = "" } = error as { code?: string };
  return INVALID.includes(code) ? "invalid" : LATER.includes(code) ? "later" : "unread";
}
