// What a person keeps, as the device shows it.
// Knows: the values that VaultClient takes and gives. Refuses to know: seals, wires, disks.

import type { VerifiedReceipt } from "../crypto_core/receipts/receipt.js";

/** 16 bytes as canonical base64url, the way ids stand on the wire (22 characters). */
export type Id = string;

/** `locked`: sensitive, and the PIN was not given again. `missing`: erased, or not shown by the vault. */
export type State = "open" | "locked" | "newer_version" | "missing";

export type Precision = "minute" | "day" | "month" | "year" | "words";

/** When the facts took place, in Unix seconds; no ends with precision `words`. `words` is what was typed. */
export interface Happened {
  readonly from: number | null;
  readonly to: number | null;
  readonly precision: Precision;
  readonly words: string;
}

/** One file of an item. `sealed` is the SHA-256 of its blob, `sha256` that of the original; `key` opens the blob.
 *
 * A recording's is in `parts`, its segments in order: then `key` derives theirs, and `blob` and `sealed` are the first
 * one's. `isOpen`: it was not closed yet, so that more of it may lie in the vault. `hasGap`: segments before its last one
 * are missing, since they were nowhere any more. */
export interface Content {
  readonly blob: Id;
  readonly key: Uint8Array;
  readonly sealed: Uint8Array;
  readonly sha256: Uint8Array;
  readonly name: string;
  readonly mime: string;
  readonly size: number;
  readonly parts?: readonly Content[];
  readonly isOpen?: boolean;
  readonly hasGap?: boolean;
}

/** Whose a received item is: the deposit as it was sent (docs/spec/deposit-box.md). Its sealed words are the blob
 * `deposit`, which `key` opens; `sealed` and `size` are their SHA-256 and bytes. `written` is by the depositor's clock. */
export interface Sent {
  readonly box: Id;
  readonly deposit: Id;
  readonly key: Uint8Array;
  readonly sealed: Uint8Array;
  readonly size: number;
  readonly name: string;
  readonly message: string;
  readonly written: number;
}

/** What a person fills in. `written` is the time of writing, in Unix seconds; the device's clock if null. */
export interface Draft {
  readonly text: string;
  readonly title: string;
  readonly happened: Happened | null;
  readonly written: number | null;
  readonly place: string | null;
  readonly people: readonly string[];
  readonly tags: readonly string[];
  readonly danger: number | null;
  readonly mood: string | null;
  readonly category: string | null;
}

export const EMPTY_DRAFT: Draft = {
  text: "", title: "", happened: null, written: null, place: null, people: [], tags: [], danger: null, mood: null,
  category: null,
};

export type Kind = "journal" | "document" | "assessment" | "extract" | "received" | "tombstone" | "loss";

/** Kinds that say what became of others, and are nothing to read: a deletion, and what the vault lost. */
export const NOT_READ: readonly (Kind | null)[] = ["tombstone", "loss"];

/** One revision of an item. Unless `state` is `open`, only the first five fields say anything. */
export interface Item {
  readonly id: Id;
  readonly revision: number;
  /** Unix seconds, by the vault's clock; the receipt says what is proven. */
  readonly deposited: number;
  readonly sensitive: boolean;
  readonly state: State;
  /** Null unless open. */
  readonly kind: Kind | null;
  readonly title: string | null;
  readonly text: string | null;
  readonly happened: Happened | null;
  readonly written: number | null;
  readonly place: string | null;
  readonly people: readonly string[];
  readonly tags: readonly string[];
  readonly danger: number | null;
  readonly mood: string | null;
  readonly category: string | null;
  readonly contents: readonly Content[];
  /** A self-assessment's answers, by question; null for anything else. */
  readonly answers: Readonly<Record<string, boolean>> | null;
  /** Of which item and revision an extract is a part; null for anything else. */
  readonly of: { readonly item: Id; readonly revision: number } | null;
  /** Of an extract the blobs that are no originals: pictures of which parts were covered. */
  readonly masked: readonly Id[];
  /** What somebody else put into a box; null for what is the person's own. */
  readonly sent: Sent | null;
}

/** Said only of what is kept: the receipt verified under the pinned key. `receipt` is the tlog-proof, whole.
 *
 * `conflict`: another device had changed the item first. Both texts are in its history; this one is on top, or, if the
 * item had been deleted meanwhile, in a new item (`id` says which). */
export interface Kept {
  readonly id: Id;
  readonly revision: number;
  /** Unix seconds, as the receipt says. */
  readonly deposited: number;
  readonly receipt: string;
  readonly verified: VerifiedReceipt;
  readonly conflict: boolean;
}

/** A tombstone that is kept. The item is hidden now and erased after `erasedAfter` (Unix seconds). */
export interface Deletion {
  readonly id: Id;
  readonly revision: number;
  readonly erasedAfter: number;
  readonly receipt: string;
}

/** A receipt that verified. `name` is what export calls the blob: `<item>-<revision>`, or the blob's id, in hex. */
export interface KeptReceipt {
  readonly name: string;
  readonly receipt: string;
  readonly verified: VerifiedReceipt;
}

/** A token of a time-stamping authority (RFC 3161, in DER), the certificates below its root (in PEM), and the signed
 * checkpoint that it is over. Nobody has verified the token: that takes a root, which whoever doubts it chooses. */
export interface Anchor {
  readonly token: Uint8Array;
  readonly chain: string;
  readonly checkpoint: string;
}

/** The sealed bytes of a record or content, to export. Whoever takes `chunks` compares their SHA-256 in the end.
 *
 * Where an authority has stamped the ledger since, the receipt is the one under the stamped checkpoint, and `anchor`
 * its token; `before` is the last one over the ledger without this entry. */
export interface SealedBlob {
  readonly name: string;
  readonly sha256: Uint8Array;
  readonly size: number;
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly receipt: string;
  readonly verified: VerifiedReceipt;
  readonly anchor: Anchor | null;
  readonly before: Anchor | null;
}

/** What a person should know when the vault opens. Wrong passwords can't be attributed, only PINs are counted. */
export interface Opening {
  readonly lastOpened: number | null;
  readonly wrongPins: number;
  readonly wrongTotal: number;
  readonly adviseChange: boolean;
  /** Codes of why the vault may not be what it was; while there are any, nothing is edited or deleted. */
  readonly warnings: readonly string[];
  /** How many sealed batches could not be sent yet: tried again at each opening, and when the network is back. */
  readonly waiting: number;
  /** Null where nobody gets back in with the recovery words. */
  readonly recovery: Recovering | null;
  /** How many versions the vault had lost, and has again from this device. */
  readonly givenBack: number;
}

/** Somebody has shown the recovery words: since when, and from when on they may choose anew, in Unix seconds. */
export interface Recovering {
  readonly begun: number;
  readonly due: number;
}

/** A shorter waiting time, in seconds, and since when it holds, in Unix seconds. */
export interface NextWait {
  readonly wait: number;
  readonly since: number;
}

/** How long whoever shows the recovery words waits, in seconds; `next`: what was chosen and doesn't hold yet. */
export interface RecoveryWait {
  readonly wait: number;
  readonly next: NextWait | null;
}

/** What a person is writing. `item` is null for a new one, and so is `revision`, the version that this changes, as it is
 * where that isn't known; `saved` is in Unix seconds.
 *
 * Its files are not in it: they are picked again, and what was sent of them already is not sent twice. */
export interface TypedDraft {
  readonly item: Id | null;
  readonly revision: number | null;
  readonly kind: Kind;
  readonly draft: Draft;
  readonly sensitive: boolean;
  readonly saved: number;
}

/** A draft as this device keeps it: what lies in a slot never changes there. */
export interface KeptDraft extends TypedDraft {
  readonly slot: Id;
}

/** A draft as it is found again. `locked`: sensitive, and the PIN was not given again; `draft` is then empty. */
export interface FoundDraft extends KeptDraft {
  readonly locked: boolean;
}
