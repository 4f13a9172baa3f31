// Receipts and ledger proofs, as they travel.
// Knows: protocol §6 on the wire. Refuses to know: how a proof is checked.

import * as v from "valibot";

import { hash, strict, text, time, whole } from "./fields.js";
import * as limits from "./limits.js";

/** A receipt brought up to the newest checkpoint; `extra` never changes. */
export const ReceiptAnswer = strict({ deposited: time(), receipt: text(limits.RECEIPT) });
export type ReceiptAnswer = v.InferOutput<typeof ReceiptAnswer>;

/** RFC 6962 §2.1.2 proof that the tree of `new` entries begins with the tree of `old`. */
export const Consistency = strict({ old: whole(), new: whole(), proof: v.array(hash()) });
export type Consistency = v.InferOutput<typeof Consistency>;

/** RFC 6962 §2.1.1 proof that the entry at `index` is in the tree of `size` entries. */
export const Inclusion = strict({ index: whole(), size: whole(1), proof: v.array(hash()) });
export type Inclusion = v.InferOutput<typeof Inclusion>;
