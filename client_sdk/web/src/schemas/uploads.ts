// Blobs on their way in, as they travel.
// Knows: protocol §5 on the wire. Refuses to know: what a blob is.

import * as v from "valibot";

import { hash, id, strict, text, time, whole, yesNo } from "./fields.js";
import * as limits from "./limits.js";

export const StartUpload = strict({ blob: id(), size: whole(limits.HEADER + 16, limits.BLOB) });
export type StartUpload = v.InferOutput<typeof StartUpload>;

export const Unit = strict({ unit: whole(), sha256: hash() });
export type Unit = v.InferOutput<typeof Unit>;

/** Which units are there. `complete` is true once the blob is kept. */
export const Upload = strict({ blob: id(), size: whole(), units: v.array(Unit), complete: yesNo() });
export type Upload = v.InferOutput<typeof Upload>;

export const CompleteUpload = strict({ sha256: hash() });
export type CompleteUpload = v.InferOutput<typeof CompleteUpload>;

/** Proof that a blob is kept. */
export const KeptBlob = strict({
  blob: id(),
  size: whole(),
  sha256: hash(),
  deposited: time(),
  receipt: text(limits.RECEIPT),
});
export type KeptBlob = v.InferOutput<typeof KeptBlob>;
