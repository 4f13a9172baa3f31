// The professionals' directory: who is listed, by which keys, and the digits by which two people compare them.
// Knows: the entries of protocol §7 (docs/spec/directory.md) and what they come to, read one after the other.
// Refuses to know: who approved whom, trees and signatures, which of two people of one name is the right one, and whether
// the witnesses that an entry asks for have signed.

import { KEY_SIZE } from "../derivation.js";
import {
  MAX_SAFE_INTEGER, decodeText, encodeText, formatB64url, formatJson, formatTime, isSame, parseB64url, parseJson,
  parseTime,
} from "../encoding.js";
import { MalformedError, UnsupportedVersion } from "../errors.js";
import { Kind, context } from "../labels.js";
import { sodium } from "../sodium.js";
import { formatPolicy, parsePolicy, type Policy } from "./policy.js";

export const VERSION = 1;
/** The largest entry, in bytes. */
export const MAX_ENTRY = 4096;

const PROFESSION = /^[a-z]{1,20}$/;
/** Controls, and what turns text around or isn't seen: two names that look alike must not differ by these. */
const UNSEEN = new RegExp(
  "[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb"
    + "\\ud800-\\udfff]",
  "u",
);

/** Who is listed. `name` isn't empty; `org` and `town` may be. The keys are 32 bytes each.
 *
 * Throws MalformedError for a text that can't be shown as it is spelled, or a `kind` that isn't 1–20 small letters. */
export class Listing {
  readonly name: string;
  readonly org: string;
  readonly town: string;
  readonly kind: string;
  readonly pkBox: Uint8Array;
  readonly pkSign: Uint8Array;

  constructor(name: string, org: string, town: string, kind: string, pkBox: Uint8Array, pkSign: Uint8Array) {
    if (name === "" || [name, org, town].some((text) => text !== bare(text) || UNSEEN.test(text))) {
      throw new MalformedError("a name, an organisation or a town that can't be shown as it is");
    }
    if (!PROFESSION.test(kind)) throw new MalformedError("a kind is up to 20 small letters");
    if (pkBox.length !== KEY_SIZE || pkSign.length !== KEY_SIZE) {
      throw new MalformedError("a key is exactly 32 bytes");
    }
    this.name = name;
    this.org = org;
    this.town = town;
    this.kind = kind;
    this.pkBox = pkBox;
    this.pkSign = pkSign;
  }

  /** The digits to compare. */
  get fingerprint(): string {
    return deriveFingerprint(this.pkBox, this.pkSign);
  }
}

/** An entry that lists somebody from a time on (Unix seconds), perhaps in place of an earlier entry. */
export class Listed {
  readonly listing: Listing;
  readonly since: number;
  readonly replaces: number | null;

  constructor(listing: Listing, since: number, replaces: number | null) {
    this.listing = listing;
    this.since = since;
    this.replaces = replaces;
  }
}

/** An entry that ends an earlier one. */
export class Revoked {
  readonly revokes: number;

  constructor(revokes: number) {
    this.revokes = revokes;
  }
}

/** An entry that says whose cosignatures this directory has from now on, and how many of them are enough. */
export class Witnessed {
  readonly policy: Policy;

  constructor(policy: Policy) {
    this.policy = policy;
  }
}

export type Entry = Listed | Revoked | Witnessed;

/** What the entries of a directory come to. Only `readDirectory` makes one. */
export interface Directory {
  /** By index: listed, and neither replaced nor revoked. */
  readonly current: ReadonlyMap<number, Listed>;
  readonly all: ReadonlyMap<number, Entry>;
  /** Entries of a newer version than this one, which are passed over. */
  readonly unread: number;
  /** That of the last entry that has one. */
  readonly policy: Policy | null;
}

/** Eight groups of five digits, a space between: SHA-512(ctx("fingerprint", pkBox, pkSign)), its first 40 bytes as
 * 8 × (u40 mod 100000). The keys are 32 bytes each. */
export function deriveFingerprint(pkBox: Uint8Array, pkSign: Uint8Array): string {
  const digest = sodium.crypto_hash_sha512(context(Kind.FINGERPRINT, pkBox, pkSign));
  return Array.from({ length: 8 }, (_, group) => {
    const number = digest.subarray(5 * group, 5 * group + 5).reduce((sum, byte) => sum * 256 + byte, 0);
    return String(number % 100_000).padStart(5, "0");
  }).join(" ");
}

/** An entry's one spelling: compact JSON, names in this order; a policy in its canonical spelling.
 *
 * Throws MalformedError beyond 4,096 bytes, or for a policy whose names are not UTF-8. */
export function formatEntry(entry: Entry): Uint8Array {
  const spelled = formatJson({ v: VERSION, ...factsOf(entry) });
  if (spelled.length > MAX_ENTRY) throw new MalformedError("an entry of more than 4,096 bytes");
  return spelled;
}

/** The inverse of `formatEntry`. Throws MalformedError, or UnsupportedVersion for another `v`, or for a policy with a key
 * of an algorithm that this version doesn't know. */
export function parseEntry(data: Uint8Array): Entry {
  if (data.length > MAX_ENTRY) throw new MalformedError("an entry of more than 4,096 bytes");
  const facts = parseJson(data);
  if (typeof facts !== "object" || facts === null || Array.isArray(facts)) {
    throw new MalformedError("an entry is an object with a version");
  }
  const said = facts as Readonly<Record<string, unknown>>;
  if (!isWhole(said["v"])) throw new MalformedError("an entry is an object with a version");
  if (said["v"] !== VERSION) throw new UnsupportedVersion();
  const entry = entryOf(said);
  if (!isSame(formatEntry(entry), data)) throw new MalformedError("not the spelling of an entry");
  return entry;
}

/** All entries in their order. Throws MalformedError for one that isn't spelled right, or that replaces or revokes what
 * isn't current: no directory that the operator's commands made has such a one. */
export function readDirectory(entries: Iterable<Uint8Array>): Directory {
  const current = new Map<number, Listed>();
  const all = new Map<number, Entry>();
  let [unread, index] = [0, -1];
  let policy: Policy | null = null;
  for (const data of entries) {
    index++;
    let entry: Entry;
    try {
      entry = parseEntry(data);
    } catch (error) {
      if (!(error instanceof UnsupportedVersion)) throw error;
      unread++;
      continue;
    }
    all.set(index, entry);
    if (entry instanceof Witnessed) {
      policy = entry.policy;
      continue;
    }
    const ends = entry instanceof Revoked ? entry.revokes : entry.replaces;
    if (ends !== null && !current.delete(ends)) throw new MalformedError("an entry that ends what is not listed");
    if (entry instanceof Listed) current.set(index, entry);
  }
  return { current, all, unread, policy };
}

function factsOf(entry: Entry): object {
  if (entry instanceof Revoked) return { revokes: entry.revokes };
  if (entry instanceof Witnessed) return { policy: decodeText(formatPolicy(entry.policy)) };
  const { listing, since, replaces } = entry;
  return {
    name: listing.name,
    org: listing.org,
    town: listing.town,
    kind: listing.kind,
    pk_box: formatB64url(listing.pkBox),
    pk_sign: formatB64url(listing.pkSign),
    from: formatTime(since),
    replaces,
  };
}

function entryOf(said: Readonly<Record<string, unknown>>): Entry {
  const { name, org, town, kind, pk_box: box, pk_sign: sign, from, replaces, revokes, policy } = said;
  const isShort = Object.keys(said).length === 2;
  if (isWhole(revokes) && isShort) return new Revoked(revokes);
  if (typeof policy === "string" && isShort) return new Witnessed(parsePolicy(encodeText(policy)));
  if (
    typeof name === "string" && typeof org === "string" && typeof town === "string" && typeof kind === "string"
    && typeof box === "string" && typeof sign === "string" && typeof from === "string"
    && (replaces === null || isWhole(replaces))
  ) {
    const listing = new Listing(name, org, town, kind, parseB64url(box, KEY_SIZE), parseB64url(sign, KEY_SIZE));
    return new Listed(listing, parseTime(from), replaces);
  }
  throw new MalformedError("an entry without what it has to say");
}

function isWhole(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_SAFE_INTEGER;
}

/** Without spaces (U+0020) at its ends. */
function bare(text: string): string {
  return text.replace(/^ +| +$/g, "");
}
