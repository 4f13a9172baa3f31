// Deposit boxes as they travel: sealed bytes, ids, hashes, times and counts, nothing else.
// Knows: protocol §7 on the wire (docs/spec/deposit-box.md). Refuses to know: what is put in, and who has an address.

import * as v from "valibot";

import { bytes, bytesBetween, hash, id, oneOf, strict, time, whole } from "./fields.js";
import { NamedBlob } from "./items.js";
import * as limits from "./limits.js";

const deposits = () => whole(1, limits.BOX_DEPOSITS);
const room = () => whole(limits.BOX_BYTES_LEAST, limits.BLOB);
const note = () => bytesBetween(1024, limits.NOTE);

/** `POST /v1/boxes`: what may be put into it until `expires`. `deposits` and `bytes` bound all that ever is.
 *
 * `seal` is the seed of the box's key pair; `note` is for the person alone: what the box is for. */
export const PutBox = strict({
  box: id(),
  expires: time(),
  deposits: deposits(),
  bytes: room(),
  cap_hash: hash(),
  seal: bytes(limits.SEALED_KEY),
  note: note(),
});
export type PutBox = v.InferOutput<typeof PutBox>;

export const BoxKept = strict({ box: id(), created: time() });
export type BoxKept = v.InferOutput<typeof BoxKept>;

/** One box as the person sees it. Once `ended`, nothing more is taken; what waits in it stays.
 *
 * `made` counts the deposits that were ever made, whatever became of them; `used` the sealed bytes that ever came or are
 * announced. */
export const Box = strict({
  box: id(),
  created: time(),
  expires: time(),
  deposits: deposits(),
  bytes: room(),
  made: whole(0, limits.BOX_DEPOSITS),
  used: whole(0, limits.BLOB),
  waiting: whole(0, limits.BOX_DEPOSITS),
  seal: bytes(limits.SEALED_KEY),
  note: note(),
  ended: v.nullable(time()),
  why: v.nullable(oneOf("closed", "expired")),
});
export type Box = v.InferOutput<typeof Box>;

/** The newest first. */
export const Boxes = strict({ boxes: v.array(Box) });
export type Boxes = v.InferOutput<typeof Boxes>;

/** A deposit that was not accepted yet. `key` is boxed for the box's key; the sealed words are the blob `deposit`, of
 * `size` bytes. `erased_after` is when a refusal takes effect, null if it was not refused. */
export const WaitingDeposit = strict({
  deposit: id(),
  deposited: time(),
  key: bytes(limits.BOX_WRAP),
  size: whole(),
  blobs: v.pipe(v.array(NamedBlob), v.maxLength(limits.DEPOSIT_BLOBS)),
  erased_after: v.nullable(time()),
});
export type WaitingDeposit = v.InferOutput<typeof WaitingDeposit>;

/** The oldest first. */
export const WaitingDeposits = strict({ deposits: v.array(WaitingDeposit) });
export type WaitingDeposits = v.InferOutput<typeof WaitingDeposits>;

/** Shows the key of the address; counts nothing. */
export const EnterBox = strict({ cap: bytes(limits.KEY) });
export type EnterBox = v.InferOutput<typeof EnterBox>;

/** `token` is good for putting things into this box until `expires`, and for nothing else. `until` is the box's own end,
 * by its vault's clock; `deposits` and `bytes` are what it still takes. */
export const BoxEntered = strict({
  token: bytes(limits.TOKEN),
  expires: time(),
  until: time(),
  deposits: whole(0, limits.BOX_DEPOSITS),
  bytes: whole(0, limits.BLOB),
});
export type BoxEntered = v.InferOutput<typeof BoxEntered>;

/** `POST /v1/boxes/<box>/deposits`, once all its blobs are kept. `deposit` is the id of the blob that holds the sealed
 * words as well, `blobs` are those of the files. */
export const PutDeposit = v.pipe(
  strict({
    deposit: id(),
    key: bytes(limits.BOX_WRAP),
    blobs: v.pipe(v.array(id()), v.maxLength(limits.DEPOSIT_BLOBS)),
  }),
  v.check(({ deposit, blobs }) => new Set([deposit, ...blobs].map(String)).size === 1 + blobs.length, "A blob is named once."),
);
export type PutDeposit = v.InferOutput<typeof PutDeposit>;

export const DepositKept = strict({ deposit: id(), deposited: time() });
export type DepositKept = v.InferOutput<typeof DepositKept>;
