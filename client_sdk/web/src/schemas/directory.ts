// The professionals' directory as it travels: who asks to be listed, and what became of it.
// Knows: protocol §7 on the wire. Refuses to know: how an entry is spelled and who approves it.

import * as v from "valibot";

import { bytes, oneOf, strict, text, whole } from "./fields.js";
import * as limits from "./limits.js";

export const PROFESSIONS = ["association", "lawyer", "doctor", "police", "other"] as const;

/** `POST /v1/professional`. `pk_sign` signs the exact body; the signature travels in `Temoin-Signature`.
 *
 * It stands in the directory in clear. An approved professional who asks again is listed as before until the new
 * request is approved; a request that still waits is replaced. */
export const Listing = strict({
  name: text(limits.LISTED, 1),
  org: text(limits.LISTED),
  town: text(limits.LISTED),
  kind: oneOf(...PROFESSIONS),
  pk_box: bytes(limits.KEY),
  pk_sign: bytes(limits.KEY),
});
export type Listing = v.InferOutput<typeof Listing>;

/** The account's own standing. `entry` is the index of its newest entry in the directory, while it has one; `listing`
 * is what that entry says, `asked` what waits for the operator. */
export const Professional = strict({
  state: oneOf("none", "pending", "approved", "revoked"),
  entry: v.nullable(whole()),
  listing: v.nullable(Listing),
  asked: v.nullable(Listing),
});
export type Professional = v.InferOutput<typeof Professional>;
