// Bundles as they travel: sealed bytes, ids, hashes, times and counts, nothing else.
// Knows: protocol §7 on the wire. Refuses to know: what is shared, what a code is, and who a link was given to.

import * as v from "valibot";

import { bytes, bytesBetween, hash, id, oneOf, strict, time, u32, whole } from "./fields.js";
import * as limits from "./limits.js";

const seal = () => bytesBetween(1024, limits.MANIFEST);
const note = () => bytesBetween(1024, limits.NOTE);
const openings = () => whole(1, limits.OPENINGS);

/** One revision whose record the reader may fetch. */
export const NamedRecord = strict({ item: id(), revision: u32() });
export type NamedRecord = v.InferOutput<typeof NamedRecord>;

/** For the current entry number `entry` of the directory; `wrap` is boxed for its key. */
export const ForProfessional = strict({ entry: whole(), wrap: bytes(limits.BOX_WRAP) });
export type ForProfessional = v.InferOutput<typeof ForProfessional>;

/** For whoever has the link and the code: `x` comes of both, `share` is released against it. */
export const ForLink = strict({ wrap: bytes(limits.SEALED_KEY), share: bytes(limits.KEY), x: bytes(limits.KEY) });
export type ForLink = v.InferOutput<typeof ForLink>;

/** `POST /v1/bundles`: for one professional or for one link, never both.
 *
 * `records` and `blobs` are all that the reader may fetch, each the account's own and kept. `replaces` names a bundle of
 * the same account that this one extends: it ends, and its openings count for this one. `note` is for the person alone:
 * what was shared, and with whom; it holds no key. */
export const PutBundle = v.pipe(
  strict({
    bundle: id(),
    expires: time(),
    openings: openings(),
    cap_hash: hash(),
    seal: seal(),
    note: note(),
    records: v.pipe(v.array(NamedRecord), v.minLength(1), v.maxLength(limits.BUNDLE_RECORDS)),
    blobs: v.pipe(v.array(id()), v.maxLength(limits.BUNDLE_BLOBS)),
    professional: v.nullable(ForProfessional),
    link: v.nullable(ForLink),
    replaces: v.nullable(id()),
  }),
  v.check((one) => (one.professional === null) !== (one.link === null), "A professional or a link, one of the two."),
);
export type PutBundle = v.InferOutput<typeof PutBundle>;

export const BundleKept = strict({ bundle: id(), created: time() });
export type BundleKept = v.InferOutput<typeof BundleKept>;

/** One bundle as the person sees it. Once `ended`, nothing of it can be fetched; its row stays.
 *
 * `opened` has the time of each opening, those that were carried over too. `entry` is null for a link. `wrong_codes`
 * counts since the last right one; at CODE_TRIES the bundle ends. */
export const Bundle = strict({
  bundle: id(),
  created: time(),
  expires: time(),
  openings: openings(),
  opened: v.array(time()),
  note: note(),
  entry: v.nullable(whole()),
  wrong_codes: whole(0, limits.CODE_TRIES),
  ended: v.nullable(time()),
  why: v.nullable(oneOf("revoked", "expired", "replaced", "codes", "erased", "unlisted")),
  replaced_by: v.nullable(id()),
});
export type Bundle = v.InferOutput<typeof Bundle>;

/** The newest first. */
export const Bundles = strict({ bundles: v.array(Bundle) });
export type Bundles = v.InferOutput<typeof Bundles>;

/** One bundle as its professional sees it before opening it: who sent it stands inside. */
export const Received = strict({
  bundle: id(),
  entry: whole(),
  created: time(),
  expires: time(),
  openings: openings(),
  opened: whole(),
  wrap: bytes(limits.BOX_WRAP),
});
export type Received = v.InferOutput<typeof Received>;

/** What has not ended, the newest first. */
export const Inbox = strict({ bundles: v.array(Received) });
export type Inbox = v.InferOutput<typeof Inbox>;

/** Every try counts before it is compared. */
export const TryCode = strict({ x: bytes(limits.KEY) });
export type TryCode = v.InferOutput<typeof TryCode>;

/** What a right code releases. */
export const LinkShare = strict({ share: bytes(limits.KEY), wrap: bytes(limits.SEALED_KEY), expires: time() });
export type LinkShare = v.InferOutput<typeof LinkShare>;

/** `opening` is an id of the reader's own. The same one again, within its hour, is not counted again. */
export const OpenBundle = strict({ cap: bytes(limits.KEY), opening: id() });
export type OpenBundle = v.InferOutput<typeof OpenBundle>;

/** `token` is good for what the bundle names, until `expires`, and for nothing else. */
export const BundleOpened = strict({ token: bytes(limits.TOKEN), expires: time(), seal: seal() });
export type BundleOpened = v.InferOutput<typeof BundleOpened>;
