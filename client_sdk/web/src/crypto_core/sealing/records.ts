// Seals records, contents, links, the account record, and what a device keeps (docs/spec/records.md).
// Knows: the key, label and plain layout of each (protocol §3, §4). Refuses to know: what the JSON says (schemas do)
// and how record keys are wrapped (the keyring does).

import { derive, KEY_SIZE } from "../derivation.js";
import { concat, encodeText, HASH_SIZE, ID_SIZE, isSame, u32, u64 } from "../encoding.js";
import { MalformedError, UnsupportedVersion } from "../errors.js";
import { context, Kind } from "../labels.js";
import { makeBytes } from "../randomness.js";
import { Opener, openSealed, seal, Sealer } from "./envelope.js";
import { padRecord, unpadRecord } from "./padding.js";

export const MAX_PARENTS = 16;
/** A link once sealed, whatever it holds. */
export const LINK_SIZE = 626;

const LINK_VERSION = 1;
const LINK_FIXED = 1 + 1 + 8 + HASH_SIZE;
const LINK_PLAIN = LINK_FIXED + MAX_PARENTS * HASH_SIZE;

/** How one revision hangs on those before it; outside its record, and kept when the record is erased. */
export interface Link {
  /** The newest account record that its writer had seen; a u64, and so a bigint: it says whatever a writer wrote. */
  readonly accountN: bigint;
  /** SHA-256 of the record blob, 32 bytes. */
  readonly recordHash: Uint8Array;
  /** Up to 16 record hashes that no known link named yet, the oldest first; none only for the very first. */
  readonly parents: readonly Uint8Array[];
}

/** A new key for one revision's record, 32 bytes. */
export function makeRecordKey(): Uint8Array {
  return makeBytes(KEY_SIZE);
}

/** A new key for one content blob, 32 bytes. */
export function makeContentKey(): Uint8Array {
  return makeBytes(KEY_SIZE);
}

/** The blob id (16 bytes) and the content key (32 bytes) of one segment of a recording, counted from 0. */
export function deriveSegment(segmentsKey: Uint8Array, number: number): readonly [Uint8Array, Uint8Array] {
  const name = derive(segmentsKey, Kind.SEGMENT_ID, u32(number)).slice(0, ID_SIZE);
  return [name, derive(segmentsKey, Kind.SEGMENT, u32(number))];
}

/** One revision's record: `json` padded and sealed for its item (16 bytes) and revision. */
export function sealRecord(key: Uint8Array, item: Uint8Array, revision: number, json: Uint8Array): Uint8Array {
  return seal(key, context(Kind.RECORD, item, u32(revision)), padRecord(json));
}

/** The JSON of a record. Throws TamperedError, MalformedError or UnsupportedVersion. */
export function openRecord(key: Uint8Array, item: Uint8Array, revision: number, blob: Uint8Array): Uint8Array {
  return unpadRecord(openSealed(key, context(Kind.RECORD, item, u32(revision)), blob));
}

/** Seals one content (as `padContent` gives it) for its blob id (16 bytes).
 *
 * `salt` (24 bytes) is given only to seal the very same bytes again, when an upload resumes. */
export function contentSealer(key: Uint8Array, blobId: Uint8Array, salt?: Uint8Array): Sealer {
  return new Sealer(key, context(Kind.CONTENT, blobId), salt);
}

/** Opens one content from the first 56 bytes of its blob. Throws TamperedError or MalformedError. */
export function contentOpener(key: Uint8Array, blobId: Uint8Array, header: Uint8Array): Opener {
  return new Opener(key, context(Kind.CONTENT, blobId), header);
}

/** `0x01 ‖ u8 count ‖ u64 account_n ‖ record hash ‖ 16 × parent, zero-filled`: 554 bytes. */
export function formatLink(link: Link): Uint8Array {
  const hashes = [link.recordHash, ...link.parents];
  if (link.parents.length > MAX_PARENTS || hashes.some((hash) => hash.length !== HASH_SIZE)) {
    throw new RangeError("a link names at most 16 parents, each hash 32 bytes");
  }
  const output = new Uint8Array(LINK_PLAIN);
  output.set(concat(Uint8Array.of(LINK_VERSION, link.parents.length), u64(link.accountN), ...hashes));
  return output;
}

/** The inverse of `formatLink`. Throws MalformedError, or UnsupportedVersion for another first byte. */
export function parseLink(data: Uint8Array): Link {
  if (data.length !== LINK_PLAIN) {
    throw new MalformedError("a link is 554 bytes");
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const count = view.getUint8(1);
  if (view.getUint8(0) !== LINK_VERSION) {
    throw new UnsupportedVersion();
  }
  if (count > MAX_PARENTS) {
    throw new MalformedError("a link names at most 16 parents");
  }
  const link: Link = {
    accountN: view.getBigUint64(2),
    recordHash: data.slice(10, LINK_FIXED),
    parents: Array.from({ length: count }, (_, i) => {
      const start = LINK_FIXED + i * HASH_SIZE;
      return data.slice(start, start + HASH_SIZE);
    }),
  };
  if (!isSame(formatLink(link), data)) {
    throw new MalformedError("zeros follow the parents of a link");
  }
  return link;
}

/** A link, alike in both tiers: 626 bytes. */
export function sealLink(mkN: Uint8Array, item: Uint8Array, revision: number, link: Link): Uint8Array {
  return seal(derive(mkN, Kind.LINK), context(Kind.LINK, item, u32(revision)), formatLink(link));
}

/** The inverse of `sealLink`. Throws TamperedError, MalformedError or UnsupportedVersion. */
export function openLink(mkN: Uint8Array, item: Uint8Array, revision: number, sealed: Uint8Array): Link {
  return parseLink(openSealed(derive(mkN, Kind.LINK), context(Kind.LINK, item, u32(revision)), sealed));
}

/** The account record number `n`, padded as records are. */
export function sealAccountRecord(mkN: Uint8Array, account: Uint8Array, n: number, json: Uint8Array): Uint8Array {
  return seal(derive(mkN, Kind.ACCOUNT_RECORD), context(Kind.ACCOUNT_RECORD, account, u64(n)), padRecord(json));
}

/** The JSON of account record `n`. Throws TamperedError, MalformedError or UnsupportedVersion. */
export function openAccountRecord(mkN: Uint8Array, account: Uint8Array, n: number, blob: Uint8Array): Uint8Array {
  const key = derive(mkN, Kind.ACCOUNT_RECORD);
  return unpadRecord(openSealed(key, context(Kind.ACCOUNT_RECORD, account, u64(n)), blob));
}

/** What a device keeps under one ASCII name (a journal, an outbox), sealed for an account; not padded. */
export function sealDeviceState(mkN: Uint8Array, name: string, account: Uint8Array, data: Uint8Array): Uint8Array {
  return seal(derive(mkN, Kind.DEVICE_STATE), deviceStateContext(name, account), data);
}

/** The inverse of `sealDeviceState`. Throws TamperedError or MalformedError. */
export function openDeviceState(mkN: Uint8Array, name: string, account: Uint8Array, sealed: Uint8Array): Uint8Array {
  return openSealed(derive(mkN, Kind.DEVICE_STATE), deviceStateContext(name, account), sealed);
}

function deviceStateContext(name: string, account: Uint8Array): Uint8Array {
  return context(Kind.DEVICE_STATE, encodeText(name), account);
}
