// What the page may ask of the worker, in which all keys live and everything is sealed.
// Knows: the questions and answers, as plain values. Refuses to know: how either side works.
//
// Every call may reject with a Problem: `code` is an error code of this project (the same string in every language),
// `detail` names a rule, never a value. The worker is ended by `terminate()`: then no key is left.

import type {
  Content as OpenableContent, Deletion, Draft, FoundDraft, Id, Item as OpenedItem, Kept, KeptDraft, KeptReceipt, Kind,
  Opening, Recovering, RecoveryWait, Sent, TypedDraft,
} from "../sdk/items.js";
import type { BoxesApi } from "./boxes.js";
import type { SharingApi } from "./sharing.js";

/** A file of which a part has left, perhaps all: chosen again, it goes on where it was cut. */
export interface Unfinished {
  readonly id: Id;
  /** Null where it is sensitive. */
  readonly name: string | null;
  readonly size: number;
  /** Modification time in milliseconds, as File.lastModified: another one is another file. */
  readonly changed: number;
  readonly sensitive: boolean;
  /** Unix seconds. */
  readonly made: number;
}

/** What a recording is to be; `name` and `mime` are those of the one file that it becomes. */
export interface Recorded {
  readonly draft: Draft;
  readonly sensitive: boolean;
  readonly name: string;
  readonly mime: string;
}

/** A longer recording goes on in another one: a record names 1,000 segments. */
export const MOST_SEGMENTS = 900;

/** One file of an item as the page sees it: the key that opens it stays in the worker. */
export type Content = Omit<OpenableContent, "key" | "parts">;

/** One revision of an item as the page sees it; `sent`: whose it is, where it isn't the person's own. */
export type Item = Omit<OpenedItem, "contents" | "sent"> & {
  readonly contents: readonly Content[];
  readonly sent: Pick<Sent, "name" | "message" | "written"> | null;
};

export interface Typed {
  readonly username: string;
  readonly password: string;
  readonly pin: string;
}

/** What crosses from the worker as an error. */
export interface Problem {
  readonly code: string;
  readonly detail: string;
  /** Seconds to wait, where the vault says so. */
  readonly retryAfter: number | null;
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Why a session has ended where another tab of this browser erased the account. */
export const ERASED = "erased";

/** What the worker tells without being asked. */
export type Notice =
  | { readonly kind: "sensitive"; readonly open: boolean; readonly until: number | null }
  | { readonly kind: "waiting"; readonly count: number }
  | { readonly kind: "network"; readonly reachable: boolean }
  | { readonly kind: "warnings"; readonly codes: readonly string[] }
  /** How many versions the vault had lost, and has again from this device since it was opened. */
  | { readonly kind: "given_back"; readonly count: number }
  /** Files that the vault has lost, or a part of, and that items have gone on without since it was opened. */
  | { readonly kind: "lost_files"; readonly files: readonly LostFile[] }
  | { readonly kind: "session_ended"; readonly code: string }
  | { readonly kind: "changed" }
  /** Up to which second a recording is sealed on this device, and in the vault. */
  | { readonly kind: "recording"; readonly id: Id; readonly here: number; readonly kept: number }
  /** This browser keeps nothing beyond this page (storage is forbidden, as in some private windows): drafts go too. */
  | { readonly kind: "forgetful" }
  /** How many bytes of one file have passed; `sending`: to the vault, else from it. `found`: how many of them were there
   * already. `transfer` is what WriteOptions said. */
  | {
    readonly kind: "progress"; readonly sending: boolean; readonly name: string; readonly done: number;
    readonly total: number; readonly found?: number; readonly transfer?: number | null;
  };

/** What the ledger has signed of an older copy of the vault that was put back at `time`: of `was` entries, the first `size` are
 * still there. */
export interface SetBack {
  readonly time: number;
  readonly size: number;
  readonly was: number;
}

/** A file that the vault hasn't any more, and the item that goes on without it. Both names may be empty.
 *
 * `gap`: of a recording only so many segments are lost, from the number `first` on; one is about a second. The rest is kept. */
export interface LostFile {
  readonly item: Id;
  readonly title: string;
  readonly name: string;
  readonly gap?: { readonly first: number; readonly count: number };
}

/** What became of what the vault had lost, once a warning was ended. */
export interface Settled {
  /** Versions that went back to their places. */
  readonly givenBack: number;
  /** Items that were written anew, because something else stands in their place. */
  readonly anew: readonly Id[];
  /** Versions that are nowhere, and that no device asks for any more. */
  readonly writtenOff: number;
  /** Files that the vault hasn't any more, and the items that go on without them. */
  readonly files: readonly LostFile[];
  /** The code of why some of it is left to be done: each opening tries again. Null where nothing is. */
  readonly left: string | null;
  /** Whether password and PIN may be those from before again. */
  readonly recordOlder: boolean;
}

export interface AccountSession {
  readonly id: string;
  readonly begun: number;
  readonly lastUsed: number;
  readonly mine: boolean;
}

/** Bytes of the largest piece of a content that is read to be played. */
export const PIECE = 524_288;

/** What the witnesses come to, by the names of their keys. */
export interface Weighed {
  /** Whether the policy asks for any. */
  readonly asked: boolean;
  readonly cosigned: readonly { readonly name: string; readonly time: number }[];
  readonly missing: readonly string[];
  /** The names that other signatures bear: nothing is known about them. */
  readonly passedOver: readonly string[];
}

/** What the check of a receipt came to. */
export interface Checked {
  readonly outcome: "valid" | "invalid" | "not_yet";
  /** Null where it is valid. */
  readonly code: string | null;
  /** The step that failed or waits, 1 to 7; 8 where none did. */
  readonly step: number;
  readonly sha256: Uint8Array;
  readonly size: number;
  readonly verified: KeptReceipt["verified"] | null;
  /** Null where step 6 does not hold: then nobody's signature may be told of. */
  readonly weighed: Weighed | null;
}

/** A file to download: its name and bytes. */
export interface Download {
  readonly name: string;
  readonly mime: string;
  readonly blob: Blob;
}

/** The own words of whoever put something into a box, as they sealed them, and the receipt of that moment; `files` came with
 * them. Where the words or the receipt can't be had, or the item says otherwise, `doubt` is the code of why. */
export interface SentWords {
  readonly said: { readonly name: string; readonly message: string; readonly written: number } | null;
  readonly proof: KeptReceipt | null;
  readonly doubt: string | null;
  readonly files: readonly Id[];
}

/** One thing of what somebody shared. Where it isn't given as it was named, `item` says only which it is, and `refused` is
 * the code of why. `proof` is its verified receipt; where it is null, `doubt` is why. `words` are null where nobody else put
 * it in, and where their own words weren't shared with it. */
export interface SharedItem {
  readonly item: Item;
  readonly refused: string | null;
  readonly proof: KeptReceipt | null;
  readonly doubt: string | null;
  readonly words: SentWords | null;
}

/** What somebody shared, while it is open. Times are Unix seconds, by the clock of whoever shared it. */
export interface Handed {
  readonly bundle: Id;
  /** The same 32 bytes in all that one person shares, and nobody's name. */
  readonly sender: Uint8Array;
  readonly created: number;
  readonly expires: number;
  readonly message: string;
  readonly items: readonly SharedItem[];
  /** Whether the ledger's key was known to this browser before; if not, it is the one that the vault names. */
  readonly pinned: boolean;
}

/** What was sent to a professional, before it is opened. */
export interface Received {
  readonly bundle: Id;
  readonly created: number;
  readonly expires: number;
  readonly openings: number;
  readonly opened: number;
}

/** What was sent to a professional and has not ended, the newest first. `alarm`: the code of why the directory can't be
 * trusted with this name; `strangers` are the digits of others who are listed under it. */
export interface Inbox {
  readonly received: readonly Received[];
  readonly alarm: string | null;
  readonly strangers: readonly string[];
}

/** What a professional is listed as, for everybody to read. */
export interface Named {
  readonly name: string;
  readonly org: string;
  readonly town: string;
  readonly kind: "association" | "lawyer" | "doctor" | "police" | "other";
}

/** A professional's own standing; `fingerprint` are the digits of their own keys, to be compared by telephone. */
export interface Standing {
  readonly state: "none" | "pending" | "approved" | "revoked";
  readonly listing: Named | null;
  readonly asked: Named | null;
  readonly fingerprint: string;
}

/** One revision that goes into a pack of one's own. */
export interface PackedItem {
  readonly item: Id;
  readonly revision: number;
}

/** A file of an item that is in a pack, while it isn't, or (`isThere`) its receipt. */
export interface LackingFile extends PackedItem {
  readonly name: string;
  readonly isThere: boolean;
}

/** What became of a pack. `blob`: the archive, where it went into no file. `left`: the items that are not in it, `lost` the
 * files of the others. `unsaid`: how many items in it are without the depositor's own words, or say otherwise than these.
 * `isContinued`: the ledger's newest state is. */
export interface SavedPack {
  readonly blob: Blob | null;
  readonly left: readonly PackedItem[];
  readonly lost: readonly LackingFile[];
  readonly unsaid: number;
  readonly isContinued: boolean;
}

/** How many items go into one pack of one's own: more of them are several packs. */
export const MOST_ITEMS = 500;

/** What others share. A link needs no open vault; what was opened is read until `closeShared`, a lock, or its end. */
export interface ReadingApi {
  /** Takes the end of a link, and asks nobody. Rejects with link_malformed. */
  meetLink(fragment: string): Promise<void>;
  /** Tries a code for it: five wrong ones in a row end it. `extra.left` of code_wrong says how many are left. */
  openLink(code: string): Promise<Handed>;
  standing(): Promise<Standing>;
  /** Asks to be listed, with password and PIN given anew. */
  askToBeListed(named: Named, password: string, pin: string): Promise<Standing>;
  inbox(): Promise<Inbox>;
  /** Opens one of them: it counts, and the person sees when. */
  openReceived(bundle: Id): Promise<Handed>;
  /** As readContent and readPiece, of what is shared. */
  readShared(
    item: Id, revision: number, content: Id, range?: readonly [number, number], differing?: boolean,
  ): Promise<Blob>;
  readSharedPiece(item: Id, revision: number, content: Id, start: number, stop: number): Promise<ArrayBuffer>;
  /** The receipts of a content, verified; a recording has one for each of its parts. */
  sharedReceipts(item: Id, revision: number, content: Id): Promise<readonly KeptReceipt[]>;
  /** All of it as an evidence pack, in clear: into a file that the person chose, or as a Blob. Asks for each file once. */
  savePack(into: FileSystemFileHandle | null): Promise<SavedPack>;
  /** Nobody wants it any more: `savePack` rejects with `paused`, and nothing of it stays. */
  leavePack(): Promise<void>;
  /** These revisions of one's own as an evidence pack, at most MOST_ITEMS; they have to be open. `sealed`: as a backup, for the
   * words of makeBackupWords. */
  saveOwn(into: FileSystemFileHandle | null, items: readonly PackedItem[], sealed?: boolean): Promise<SavedPack>;
  /** Makes the words of a new backup, and gives them; an earlier call's are forgotten, and these at a lock. */
  makeBackupWords(language: "english" | "french"): Promise<readonly string[]>;
  /** The page that checks packs and opens sealed backups, from a disk and for everybody the same. */
  verifierPage(): Promise<Blob>;
  /** As `leavePack`. */
  leaveOwn(): Promise<void>;
  closeShared(): Promise<void>;
}

/** Recovery words that are right. */
export interface ShownRecovery extends Recovering {
  /** Whether they open now, by the vault's clock. */
  readonly isDue: boolean;
}

/** Getting in, staying in, leaving. */
export interface EnteringApi {
  /** Refuses (secret_refused) what a new account may not have; `detail` names the rule. Nothing is sent. */
  requireNew(typed: Partial<Typed>): Promise<void>;
  /** Makes every key of a new account here, sends nothing, and gives the 24 words. Argon2id twice: seconds. */
  makeAccount(typed: Typed, language: "english" | "french"): Promise<readonly string[]>;
  /** Whether these are the words given by makeAccount, makeRecovered or makeWords at these places (0-based); case and accents don't matter. */
  checkWords(places: readonly number[], words: readonly string[]): Promise<boolean>;
  /** Sends the new account, and opens it. After `network` it is called again: the same bytes go. */
  register(): Promise<Opening>;
  logIn(typed: Typed): Promise<Opening>;
  /** Opens the sensitive tier for two minutes. */
  stepUp(pin: string): Promise<void>;
  dropSensitive(): Promise<void>;
  /** Writes the account record if anything was written, ends the session, and forgets every key. */
  lock(): Promise<void>;
  /** Makes new recovery words for a change of credentials, sends nothing, and gives them; an earlier call's are forgotten.
   * checkWords is for these as well. */
  makeWords(language: "english" | "french"): Promise<readonly string[]>;
  /** `renew`: the words of makeWords take the place of the old ones. */
  changeCredentials(
    now: { readonly password: string; readonly pin: string }, next: Typed, renew: boolean,
  ): Promise<void>;
  /** Erases the account and all that is kept for it, here as well, and locks. False: locked, and nobody knows whether it was
   * erased. A Problem says that nothing was. */
  erase(password: string, pin: string): Promise<boolean>;
  /** Ends the warnings; after `network` it is called again, and goes on where it was cut. */
  acceptTrust(password: string, pin: string): Promise<Settled>;
  /** The oldest first; none where that can't be read. */
  restorations(): Promise<readonly SetBack[]>;
  /** The recovery code opens a closed or delayed PIN path: then logIn goes on as usual. */
  reopenPin(username: string, password: string, words: string): Promise<void>;
  /** Shows the recovery words: the first time the waiting begins, and every open session is told. Nothing of them is kept
   * here but where they are due. */
  showRecovery(words: string): Promise<ShownRecovery>;
  /** As makeAccount, in the place of what was lost, with words that are due. */
  makeRecovered(typed: Typed, language: "english" | "french"): Promise<readonly string[]>;
  /** Sends it, and opens the space. After `network` it is called again. */
  recover(): Promise<Opening>;
  /** Whether somebody gets back in with the recovery words; null where nobody does. */
  pendingRecovery(): Promise<Recovering | null>;
  /** Stops it, with password and PIN given anew. */
  stopRecovery(password: string, pin: string): Promise<void>;
  /** How long whoever shows the recovery words waits. */
  recoveryWait(): Promise<RecoveryWait>;
  /** Another waiting time, in seconds, with password and PIN given anew: a shorter one holds when the present one is over. */
  setRecoveryWait(password: string, pin: string, wait: number): Promise<RecoveryWait>;
  sessions(): Promise<readonly AccountSession[]>;
  endOtherSessions(password: string, pin: string): Promise<number>;
}

/** What is kept, and what waits to be. */
export interface ItemsApi {
  /** Brings what other devices wrote, and sends what waits. */
  synchronise(): Promise<void>;
  /** What was written and still waits on this device, sealed: readable, and `deposited` is 0. */
  waiting(): Promise<readonly Item[]>;
  items(kind?: Kind): Promise<readonly Item[]>;
  item(id: Id, revision?: number): Promise<Item>;
  history(id: Id): Promise<readonly Item[]>;
  /** The original bytes of a content, whole and verified to the last one. `range`: [start, stop), undefined: all of it.
   * `differing`: also those of a file that isn't the one that its entry names, once that was said (content_differs). */
  readContent(
    item: Id, revision: number, content: Id, range?: readonly [number, number], differing?: boolean,
  ): Promise<Blob>;
  /** The verified bytes [start, stop) of a content, to be played at once: at most PIECE, or it is range_invalid. */
  readPiece(item: Id, revision: number, content: Id, start: number, stop: number): Promise<ArrayBuffer>;
  /** A small preview, kept sealed on this device alone; null if none was made here. */
  thumbnail(content: Id): Promise<Blob | null>;
  /** Keeps a preview that the page made of an image it has just shown. */
  keepThumbnail(content: Id, preview: Blob): Promise<void>;
  receipt(item: Id, revision: number): Promise<KeptReceipt>;
  /** Sealed bytes, receipts, the policy and how to check them, as one .zip. */
  exportReceipts(item: Id, revision: number): Promise<Download>;

  /** Checks a receipt that anybody brings, with the policy in a file, or else the ledgers that this browser has met, or
   * else the key that this vault names. Needs no open vault; the files are read here and go nowhere. */
  checkReceipt(sealed: Blob, receipt: Blob, policy: Blob | null): Promise<Checked>;
}

/** What is written: each resolves only when the receipt verified. A Problem whose `extra.waiting` is true says that the
 * text is sealed in this device's outbox and sent from there (its draft is gone by then); with any other Problem the
 * draft stays and nothing was begun, but for files that go on where they were cut. */
export interface WritingApi {
  writeEntry(draft: Draft, options: WriteOptions): Promise<Kept>;
  addDocument(file: File, draft: Draft, options: WriteOptions): Promise<Kept>;
  writeAssessment(draft: Draft, answers: Readonly<Record<string, boolean>>, options: WriteOptions): Promise<Kept>;
  /** `slot`: the draft of these changes, gone as with WriteOptions. */
  editEntry(id: Id, changes: Partial<Draft>, files: readonly NewFile[], slot?: Id | null): Promise<Kept>;
  /** Stops sending the files of a call at once: it rejects with `paused`, and the same call goes on where it was. */
  pause(transfer: number): Promise<void>;
  /** What was begun on this device and not finished, the oldest first. */
  unfinished(): Promise<readonly Unfinished[]>;
  /** Gives one up: what has arrived of it goes. */
  giveUp(id: Id): Promise<void>;
  /** A recording begins: gives its item. What is recorded is then added as it comes; `recording` notices tell how much
   * of it is safe. Without a network it goes on, and is sent when it can. */
  beginRecording(what: Recorded): Promise<Id>;
  /** More of it, up to so many seconds from its beginning: sealed on this device when it resolves. Gives how many
   * segments there are; one recording has MOST_SEGMENTS at most. */
  addSegment(id: Id, more: Blob, seconds: number): Promise<number>;
  /** The end. After `network` it is closed by itself when the network is back, or at the next opening. */
  endRecording(id: Id): Promise<Kept | null>;
  deleteItem(id: Id): Promise<Deletion>;
  restoreItem(id: Id): Promise<Kept>;

  // drafts: sealed on this device at each pause, and before a lock
  /** Gives its slot. `before`: the slot that it goes on from, let go of in the same moment. */
  keepDraft(draft: TypedDraft, before: Id | null): Promise<Id>;
  drafts(): Promise<readonly FoundDraft[]>;
  /** How many more lie on this device and don't open here: a newer version's, or torn ones. */
  unopenedDrafts(): Promise<number>;
  dropDraft(slot: Id): Promise<void>;
  makeId(): Promise<Id>;
}

export interface VaultApi extends BoxesApi, EnteringApi, ItemsApi, ReadingApi, SharingApi, WritingApi {
  /** Who listens for notices. One listener; the last one counts. */
  listen(listener: (notice: Notice) => void): Promise<void>;
}

export interface NewFile {
  readonly file: File;
  /** A small JPEG or WebP made by the page from an image, sealed beside it. */
  readonly thumbnail: Blob | null;
}

export interface WriteOptions {
  readonly sensitive: boolean;
  readonly files: readonly NewFile[];
  /** The draft that becomes this entry: gone once the text is in the outbox. */
  readonly slot: Id | null;
  /** A number of the page's own, by which its files are told of and can be paused. */
  readonly transfer?: number;
}

export type {
  Deletion, Draft, FoundDraft, Id, Kept, KeptDraft, KeptReceipt, Kind, Opening, Recovering, RecoveryWait,
  TypedDraft,
};
