// What stands inside the seals of sharing: a bundle's manifest, and the person's own note of it, as JSON.
// Knows: their fields and limits (docs/spec/bundle.md). Refuses to know: keys' uses, seals and signatures.

import * as v from "valibot";

import { bytes, hash, id, strict, text, time, u32, whole } from "./fields.js";
import * as limits from "./limits.js";

export const VERSION = 1;

/** One revision that is shared, with the key of its record. The record names its contents itself.
 *
 * `record` is the SHA-256 of the sealed record, `index` that of its receipt in the ledger. */
export const SharedRecord = strict({
  item: id(),
  revision: u32(),
  key: bytes(limits.KEY),
  record: hash(),
  size: whole(),
  index: whole(),
});
export type SharedRecord = v.InferOutput<typeof SharedRecord>;

/** What is shared, with whom, until when. `reader` is the SHA-256 of the professional's pk_box, null for a link. */
export const Manifest = strict({
  v: v.literal(VERSION),
  bundle: id(),
  created: time(),
  expires: time(),
  sender: bytes(limits.KEY),
  reader: v.nullable(hash()),
  message: text(limits.MESSAGE),
  items: v.pipe(v.array(SharedRecord), v.minLength(1), v.maxLength(limits.BUNDLE_RECORDS)),
});
export type Manifest = v.InferOutput<typeof Manifest>;

/** One revision that was shared. */
export const NotedRecord = strict({ item: id(), revision: u32() });
export type NotedRecord = v.InferOutput<typeof NotedRecord>;

/** What the person sees of it later. `name` is the professional's as listed, null for a link. */
export const BundleNote = strict({
  v: v.literal(VERSION),
  name: v.nullable(text(limits.LISTED, 1)),
  items: v.pipe(v.array(NotedRecord), v.minLength(1), v.maxLength(limits.BUNDLE_RECORDS)),
});
export type BundleNote = v.InferOutput<typeof BundleNote>;
