// When a synchronisation may be judged, and what is found: links, heads, erasures, the account record.
// Knows: protocol §4's rules over hashes. Refuses to know: keys, disks, requests, and what any record says.
//
// Hashes and ids are canonical base64url here, so that sets and maps compare them.

import { formatB64url } from "../../crypto_core/encoding.js";
import { MAX_PARENTS, type Link } from "../../crypto_core/sealing/records.js";
import type { Id } from "../items.js";
import { Machine, type Transitions } from "./machine.js";

/** A pass that finds something is repeated twice: another device may be writing. */
export const PASSES = 3;

/** A SHA-256 as canonical base64url (43 characters). */
export type Hash = string;

/** An item and a revision. */
export type Place = readonly [item: Id, revision: number];

/** An item and a revision as one text, to compare by. */
export type PlaceKey = string;

/** How far a synchronisation is. Only a finished pass is judged. */
export const Sync = {
  IDLE: "idle",
  ACCOUNT: "account",
  PAGES: "pages",
  FINISHED: "finished",
  TRUSTED: "trusted",
  WARNED: "warned",
} as const;
export type Sync = (typeof Sync)[keyof typeof Sync];

/** What came. */
export const SyncEvent = {
  STARTED: "started",
  ACCOUNT_RECORD: "account record",
  PAGE: "page",
  LAST_PAGE: "last page",
  CLEAN: "clean",
  FOUND: "found",
  FOUND_STILL: "found still",
} as const;
export type SyncEvent = (typeof SyncEvent)[keyof typeof SyncEvent];

export const TRANSITIONS: Transitions<Sync, SyncEvent> = [
  [Sync.IDLE, SyncEvent.STARTED, Sync.ACCOUNT],
  [Sync.ACCOUNT, SyncEvent.ACCOUNT_RECORD, Sync.PAGES],
  [Sync.PAGES, SyncEvent.PAGE, Sync.PAGES],
  [Sync.PAGES, SyncEvent.LAST_PAGE, Sync.FINISHED],
  [Sync.FINISHED, SyncEvent.CLEAN, Sync.TRUSTED],
  [Sync.FINISHED, SyncEvent.FOUND, Sync.ACCOUNT],
  [Sync.FINISHED, SyncEvent.FOUND_STILL, Sync.WARNED],
];

/** A synchronisation that has not begun. */
export function synchronising(): Machine<Sync, SyncEvent> {
  return new Machine<Sync, SyncEvent>(Sync.IDLE, TRANSITIONS);
}

/** What a finished pass may show; the value is the code of the error it becomes. */
export const Finding = {
  ITEMS_MISSING: "items_missing",
  ACCOUNT_RECORD_OLDER: "account_record_older",
  ACCOUNT_RECORD_INVALID: "account_record_invalid",
  BLOB_SWAPPED: "blob_swapped",
  LEDGER_FORKED: "ledger_forked",
  LEDGER_KEY_CHANGED: "ledger_key_changed",
  CHECKPOINT_INVALID: "checkpoint_invalid",
  DIRECTORY_FORKED: "directory_forked",
} as const;
export type Finding = (typeof Finding)[keyof typeof Finding];

/** Every link that this device has seen, in the order in which the vault kept them. */
export class Links {
  /** Record hash → where it stands. */
  readonly places = new Map<Hash, Place>();
  /** Every record hash that a link names. */
  readonly parents = new Set<Hash>();
  readonly #heads = new Set<Hash>();
  #accountN = 0;

  /** The newest account record that any writer had seen. */
  get accountN(): number {
    return this.#accountN;
  }

  /** One more link. */
  add(place: Place, link: Link): void {
    const own = formatB64url(link.recordHash);
    this.places.set(own, place);
    if (!this.parents.has(own)) this.#heads.add(own);
    for (const parent of link.parents.map(formatB64url)) {
      this.parents.add(parent);
      this.#heads.delete(parent);
    }
    this.#accountN = Math.max(this.#accountN, Number(link.accountN));
  }

  /** The record hashes that no link names yet, the oldest first. */
  get heads(): readonly Hash[] {
    return [...this.#heads];
  }

  /** What the next link names. */
  get nextParents(): readonly Hash[] {
    return this.heads.slice(0, MAX_PARENTS);
  }
}

/** What the account record of this pass says, and what this device has seen of it before.
 *
 * `faults`: why it could not be read. Then nothing that is said of it is proven, and it is judged by these alone. */
export interface Account {
  readonly n: number;
  readonly hash: Hash;
  readonly previous: Hash | null;
  readonly heads: readonly Hash[];
  /** 0 if none was seen. */
  readonly seenN: number;
  readonly seenHash: Hash | null;
  readonly faults: ReadonlySet<Finding>;
}

/** A finished pass: all that is judged. */
export interface Pass {
  readonly account: Account;
  readonly links: Links;
  /** The record hashes that tombstones end. */
  readonly ended: ReadonlySet<Hash>;
  /** The record hashes that were written off. */
  readonly lost: ReadonlySet<Hash>;
  /** The record hashes, by their links, of revisions that came without their record. */
  readonly erased: Iterable<Hash>;
  /** Record hashes that this device holds and a full pass did not show. */
  readonly withheld: Iterable<Hash>;
  /** `placeKey` of revisions whose bytes are not those of their link, or of before. */
  readonly swapped: Iterable<PlaceKey>;
}

/** What the person has looked at already, and let stand: missing hashes, `placeKey`s, account record numbers. */
export interface Accepted {
  readonly hashes: ReadonlySet<Hash | PlaceKey>;
  readonly accountN: number;
}

export const NOTHING_ACCEPTED: Accepted = { hashes: new Set(), accountN: 0 };

/** What was found, and which record hashes and `placeKey`s it is about. */
export interface Verdict {
  readonly findings: ReadonlySet<Finding>;
  readonly about: ReadonlySet<Hash | PlaceKey>;
}

/** An item and a revision in one text. */
export function placeKey([item, revision]: Place): PlaceKey {
  return `${item}.${revision}`;
}

/** The record hashes that a finished pass should have shown, but for those that were ended or written off. */
export function missingIn({ account, links, ended, lost, erased, withheld }: Pass): ReadonlySet<Hash> {
  const unexplained = [...links.parents, ...account.heads].filter((one) => !links.places.has(one));
  const missing = [...[...unexplained, ...erased].filter((one) => !ended.has(one)), ...withheld];
  return new Set(missing.filter((one) => !lost.has(one)));
}

/** What a finished pass shows that the person has not accepted yet. */
export function judge(finished: Pass, accepted: Accepted = NOTHING_ACCEPTED): Verdict {
  const { account, links } = finished;
  const about = (found: Iterable<string>): Set<string> =>
    new Set([...found].filter((one) => !accepted.hashes.has(one)));
  const missed = about(missingIn(finished));
  const swapped = about(finished.swapped);
  const findings = new Set(account.faults);
  if (missed.size > 0) findings.add(Finding.ITEMS_MISSING);
  if (swapped.size > 0) findings.add(Finding.BLOB_SWAPPED);
  const linkedN = links.accountN > accepted.accountN ? links.accountN : 0;
  if (account.faults.size === 0 && isOlder(account, linkedN)) findings.add(Finding.ACCOUNT_RECORD_OLDER);
  return { findings, about: new Set([...missed, ...swapped]) };
}

function isOlder(account: Account, linkedN: number): boolean {
  if (account.n < Math.max(account.seenN, linkedN)) return true;
  if (account.n === account.seenN) return account.hash !== account.seenHash;
  return account.n === account.seenN + 1 && account.seenHash !== null && account.previous !== account.seenHash;
}
