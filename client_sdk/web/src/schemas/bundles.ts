// What stands inside the seals of sharing: a bundle's manifest, and the person's own note of it, as JSON.
// Knows: their fields and limits (docs/spec/bundle.md). Refuses to know: keys' uses, seals and signatures.

import * as v from "valibot";

import { bytes, hash, id, strict, text, time, u32, whole } from "./fields.js";
import * as limits from "./limits.js";

export const VERSION = 1;

/** Of a manifest that shares what somebody put into a box together with their own words. */
export const WITH_WORDS = 2;

/** One revision that is shared, with the key of its record. The record names its contents itself.
 *
 * `record` is the SHA-256 of the sealed record, `index` that of its receipt in the ledger; `words` that of the receipt of a
 * depositor's own words, which the record names: null where nobody else put it in. */
export const SharedRecord = strict({
  item: id(),
  revision: u32(),
  key: bytes(limits.KEY),
  record: hash(),
  size: whole(),
  index: whole(),
  words: v.exactOptional(v.nullable(whole())),
});
export type SharedRecord = v.InferOutput<typeof SharedRecord>;

/** What is shared, with whom, until when. `reader` is the SHA-256 of the professional's pk_box, null for a link.
 *
 * Each item has `words` in a manifest WITH_WORDS, and one of them is not null; none has it in another. */
export const Manifest = v.pipe(strict({
  v: v.picklist([VERSION, WITH_WORDS]),
  bundle: id(),
  created: time(),
  expires: time(),
  sender: bytes(limits.KEY),
  reader: v.nullable(hash()),
  message: text(limits.MESSAGE),
  items: v.pipe(v.array(SharedRecord), v.minLength(1), v.maxLength(limits.BUNDLE_RECORDS)),
}), v.check(({ v: version, items }) => {
  const withWords = version === WITH_WORDS;
  return items.every((one) => ("words" in one) === withWords) && (!withWords || items.some(({ words }) => words !== null));
}, "Words of another version."));
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
