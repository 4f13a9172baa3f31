// What the page may ask of the worker about deposit boxes, on both sides.
// Knows: the questions and answers, as plain values. Refuses to know: keys, wraps, and how a deposit is made.

import type { Content, Draft, Id, Kept, KeptReceipt, Sent } from "./api.js";

/** A box as the person sees it. Times are Unix seconds, by the vault's clock. */
export interface Box {
  readonly box: Id;
  /** Null where the note of it doesn't open: the vault gave something else. */
  readonly name: string | null;
  readonly created: number;
  readonly expires: number;
  /** What it takes in all: deposits, and sealed bytes. */
  readonly deposits: number;
  readonly bytes: number;
  /** What was ever put in, whatever became of it. */
  readonly made: number;
  readonly used: number;
  readonly waiting: number;
  readonly ended: number | null;
  readonly why: "closed" | "expired" | null;
}

/** What a box is for. `box` is made beforehand (`makeId`): asked again with the same one, the same bytes are sent. */
export type NewBox = Pick<Box, "box" | "expires" | "deposits" | "bytes"> & { readonly name: string };

/** A deposit that waits: times and sizes, nothing that somebody wrote. */
export interface Waiting {
  readonly deposit: Id;
  readonly deposited: number;
  readonly files: number;
  readonly bytes: number;
  /** When a refusal takes effect; null where it was not refused. */
  readonly erasedAfter: number | null;
}

/** What somebody wrote and sent. Anybody may write any name. `receipt` is that of the words. */
export interface ShownDeposit {
  readonly sent: Sent;
  readonly deposited: number;
  readonly contents: readonly Content[];
  readonly receipt: KeptReceipt;
}

/** What a box still takes, and until when. */
export interface Room {
  readonly until: number;
  readonly deposits: number;
  readonly bytes: number;
}

/** What a depositor can prove: the receipt of the words and of each file, as tlog-proofs. */
export interface Proven {
  readonly deposited: number;
  readonly receipts: readonly { readonly name: string; readonly receipt: string }[];
}

export interface BoxesApi {
  /** The boxes, ended ones too, the newest first. */
  boxes(): Promise<readonly Box[]>;
  /** Makes one, with password and PIN given anew: gives what follows the address of this page, `#d…`, once. */
  makeBox(password: string, pin: string, box: NewBox): Promise<string>;
  /** Nothing more is taken; what waits stays. */
  closeBox(box: Id): Promise<void>;
  waitingIn(box: Id): Promise<readonly Waiting[]>;
  /** A stranger's words, because they were asked for. Until another is opened, the next three are about this one. */
  openDeposit(box: Id, deposit: Id): Promise<ShownDeposit>;
  readDeposited(content: Id, range?: readonly [number, number]): Promise<Blob>;
  readDepositedPiece(content: Id, start: number, stop: number): Promise<ArrayBuffer>;
  /** Makes it an item; every file is read whole and proven first, which may take long. */
  acceptDeposit(draft: Draft, sensitive: boolean): Promise<Kept>;
  /** It is erased after seven days; until then it can still be accepted. */
  refuseDeposit(box: Id, deposit: Id): Promise<void>;

  // for somebody who has an address and no account
  /** Takes the end of an address, and asks nobody. Rejects with link_malformed. */
  meetBox(fragment: string): Promise<void>;
  enterBox(): Promise<Room>;
  /** Sends a file; `progress` notices tell how far it is. It becomes part of the next deposit. */
  giveFile(file: File): Promise<Content>;
  /** Leaves one of them out of the next deposit. */
  leaveOut(content: Id): Promise<void>;
  /** Puts words and what was given into the box. After `network` it is called again: the same bytes go. */
  depositInBox(name: string, message: string): Promise<Proven>;
  leaveBox(): Promise<void>;
}
