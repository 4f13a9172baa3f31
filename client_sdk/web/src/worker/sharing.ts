// What the page may ask of the worker about sharing, on the side of the person who shares.
// Knows: the questions and answers, as plain values. Refuses to know: keys, wraps, and how a bundle is made.

import type { Redaction } from "../sdk/extract.js";
import type { Id, Kept } from "../sdk/items.js";

/** Somebody who is listed in the directory. */
export interface Professional {
  /** The number of their entry. */
  readonly entry: number;
  readonly name: string;
  /** May be empty. */
  readonly org: string;
  readonly town: string;
  /** `association`, `lawyer`, `doctor`, `police`, `other`, or a word that this version doesn't know. */
  readonly kind: string;
  /** Eight groups of five digits, to be compared by telephone. */
  readonly fingerprint: string;
  /** Since when they are listed: Unix seconds. */
  readonly since: number;
  /** `yes`: these digits were compared on this device. `changed`: others were, under the same name: nothing is shared. */
  readonly compared: "no" | "yes" | "changed";
}

/** The directory as it was read and verified. `unread`: entries that only a newer version understands. */
export interface Listed {
  readonly professionals: readonly Professional[];
  readonly unread: number;
}

/** What is to be shared, with whom, until when. */
export interface Sharing {
  /** Made beforehand (`makeId`): asked again with the same one, the same bytes are sent. */
  readonly bundle: Id;
  /** Exactly these revisions, in the order in which they are shown. */
  readonly items: readonly { readonly item: Id; readonly revision: number }[];
  /** The entry of a professional; null for a link and a code. */
  readonly to: number | null;
  readonly message: string;
  /** Unix seconds. */
  readonly expires: number;
  readonly openings: number;
  /** The bundle that this one extends: it ends, and its openings count for this one. */
  readonly replaces: Id | null;
}

/** What a link is made of, said once: the fragment and the code go two different ways. */
export interface Link {
  /** What follows the address of this page: `#b…`. */
  readonly fragment: string;
  /** Eight digits, `1234 5678`. */
  readonly code: string;
}

/** What was or is shared, as the person sees it. Times are Unix seconds, by the vault's clock. */
export interface Shared {
  readonly bundle: Id;
  readonly created: number;
  readonly expires: number;
  readonly openings: number;
  readonly opened: readonly number[];
  /** The professional's entry and name; null for a link. */
  readonly entry: number | null;
  readonly name: string | null;
  /** Null where the note of it doesn't open: the vault gave something else. */
  readonly items: readonly { readonly item: Id; readonly revision: number }[] | null;
  readonly wrongCodes: number;
  readonly ended: number | null;
  readonly why: "revoked" | "expired" | "replaced" | "codes" | "erased" | "unlisted" | null;
  readonly replacedBy: Id | null;
}

/** A picture of an item with parts of it covered, to stand in its place. */
export interface Covered {
  readonly content: Id;
  readonly picture: File;
}

export interface SharingApi {
  /** A part of a revision, to be shared: an item of its own. As any writing, it resolves when the receipt verified. */
  makeExtract(item: Id, revision: number, redaction: Redaction, covered: readonly Covered[]): Promise<Kept>;
  /** Reads the whole directory: whom somebody looks for is nobody's to know. */
  professionals(): Promise<Listed>;
  /** The digits of this entry were compared: from now on nobody of its name is shared with under other keys. */
  noteCompared(entry: number): Promise<void>;
  /** Shares, with password and PIN given anew; a link is given where there is one. */
  share(password: string, pin: string, sharing: Sharing): Promise<Link | null>;
  /** What was and is shared, the newest first. */
  shares(): Promise<readonly Shared[]>;
  /** Ends one. What was opened can't be called back. */
  revokeShare(bundle: Id): Promise<void>;
}
