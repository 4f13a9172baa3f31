// Items and their revisions, as they travel: ids, sealed bytes, sizes and times, nothing else.
// Knows: protocol §4 on the wire. Refuses to know: what a record says.

import * as v from "valibot";

import { bytes, bytesBetween, id, strict, text, time, u32, whole, yesNo } from "./fields.js";
import * as limits from "./limits.js";

const record = () => bytesBetween(1024, limits.RECORD);
const blobs = () => v.pipe(v.array(id()), v.maxLength(limits.BLOBS_PER_REVISION));

/** One revision. `replaces` is the revision that the client last saw, 0 for a new item; `revision` is the next.
 *
 * `erases` non-null says that this is a tombstone, and names the content blobs that go with it. */
export const PutRevision = v.pipe(
  strict({
    item: id(),
    revision: u32(),
    replaces: u32(0),
    wrap: bytes(limits.WRAP),
    link: bytes(limits.LINK),
    record: record(),
    blobs: blobs(),
    erases: v.nullable(blobs()),
  }),
  v.check((one) => one.revision === one.replaces + 1, "A revision is the one after what it replaces."),
);
export type PutRevision = v.InferOutput<typeof PutRevision>;

/** `POST /v1/items`: all of them or none. */
export const PutItems = strict({
  revisions: v.pipe(
    v.array(PutRevision),
    v.minLength(1),
    v.maxLength(limits.REVISIONS_PER_BATCH),
    v.check(
      (revisions) => revisions.reduce((sum, one) => sum + one.record.length, 0) <= limits.BATCH,
      "A batch holds at most 8 MiB of records.",
    ),
  ),
});
export type PutItems = v.InferOutput<typeof PutItems>;

/** Proof that one revision is kept: its receipt covers the exact record bytes. */
export const KeptRevision = strict({ item: id(), revision: u32(), deposited: time(), receipt: text(limits.RECEIPT) });
export type KeptRevision = v.InferOutput<typeof KeptRevision>;

export const ItemsKept = strict({ revisions: v.array(KeptRevision) });
export type ItemsKept = v.InferOutput<typeof ItemsKept>;

export const NamedBlob = strict({ blob: id(), size: whole() });
export type NamedBlob = v.InferOutput<typeof NamedBlob>;

/** One revision as the vault returns it; `wrap` and `record` are null once it was erased, the link never is. */
export const Revision = strict({
  item: id(),
  revision: u32(),
  deposited: time(),
  wrap: v.nullable(bytes(limits.WRAP)),
  link: bytes(limits.LINK),
  record: v.nullable(record()),
  blobs: v.array(NamedBlob),
  erases: v.nullable(v.array(id())),
});
export type Revision = v.InferOutput<typeof Revision>;

/** Revisions in the order in which they were kept; `cursor` continues, `more` says whether there is more now. */
export const SyncPage = strict({
  generation: id(),
  revisions: v.array(Revision),
  cursor: text(limits.CURSOR),
  more: yesNo(),
});
export type SyncPage = v.InferOutput<typeof SyncPage>;
