// Receipts and ledger proofs, as they travel.
// Knows: protocol §6 on the wire. Refuses to know: how a proof is checked.

import * as v from "valibot";

import { bytesBetween, hash, strict, text, time, whole } from "./fields.js";
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

/** A token (RFC 3161, TimeStampResp in DER) over the checkpoint of the tree of `size` entries.
 *
 * `checkpoint` is the signed note, `chain` the certificates between signer and root, in PEM. */
export const Anchor = strict({
  size: whole(1),
  checkpoint: text(limits.CHECKPOINT_NOTE),
  token: bytesBetween(1, limits.TIMESTAMP),
  chain: text(limits.TIMESTAMP),
});
export type Anchor = v.InferOutput<typeof Anchor>;

/** The first anchor over the tree of the size asked for or a larger one, and the last over a smaller. */
export const Anchors = strict({ covering: v.nullable(Anchor), before: v.nullable(Anchor) });
export type Anchors = v.InferOutput<typeof Anchors>;
