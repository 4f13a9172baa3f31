// What stands inside the seals of a deposit box: a depositor's words, and the person's own note of the box, as JSON.
// Knows: their fields and limits (docs/spec/deposit-box.md). Refuses to know: keys' uses and seals.

import * as v from "valibot";

import { Content } from "./documents.js";
import { strict, text, time } from "./fields.js";
import * as limits from "./limits.js";

export const VERSION = 1;

/** What a depositor says, sealed: who they say they are, in their own words, and their files. `written` is by the
 * depositor's clock. */
export const Deposit = v.pipe(
  strict({
    v: v.literal(VERSION),
    name: text(limits.PERSON),
    message: text(limits.MESSAGE),
    written: time(),
    contents: v.pipe(v.array(Content), v.maxLength(limits.DEPOSIT_BLOBS)),
  }),
  v.check(({ message, contents }) => message !== "" || contents.length > 0, "Words or a file."),
);
export type Deposit = v.InferOutput<typeof Deposit>;

/** What the person sees of a box: its name, and for whom it is. */
export const BoxNote = strict({ v: v.literal(VERSION), name: text(limits.LISTED, 1) });
export type BoxNote = v.InferOutput<typeof BoxNote>;
