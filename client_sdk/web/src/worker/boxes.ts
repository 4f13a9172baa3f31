// What the page may ask of the worker about deposit boxes: the person's own, and one of somebody else's, without an account.
// Knows: the questions and answers, as plain values. Refuses to know: keys, addresses, and how anything is sealed.

import type { Id, Kept, KeptReceipt } from "../sdk/items.js";
import type { Download, Item } from "./api.js";

/** A box to be made. `name` is for the person alone; `deposits` and `bytes` (sealed) bound all that is ever put in. */
export interface NewBox {
  /** Made beforehand (`makeId`): asked again with the same one, the same bytes are sent. */
  readonly box: Id;
  readonly name: string;
  /** Unix seconds. */
  readonly expires: number;
  readonly deposits: number;
  readonly bytes: number;
}

/** A box as the vault tells of it; times are Unix seconds, by its clock. */
export interface KeptBox extends Omit<NewBox, "name"> {
  /** Null where the person's own note of it doesn't open: the vault gave something else. */
  readonly name: string | null;
  readonly created: number;
  /** Deposits that were ever made, and those that wait. */
  readonly made: number;
  readonly waiting: number;
  /** Sealed bytes that ever came. */
  readonly used: number;
  readonly ended: number | null;
  readonly why: "closed" | "expired" | null;
}

/** What waits: a time, and sealed sizes; `files` are those of the files alone. */
export interface Waiting {
  readonly deposit: Id;
  readonly deposited: number;
  readonly size: number;
  readonly files: readonly number[];
  /** When a refusal takes effect; null where it was not refused. */
  readonly erasedAfter: number | null;
}

/** A deposit whose words were opened and checked. `item` is what it would become; its id is the deposit's. */
export interface Looked {
  readonly item: Item;
  /** Of its words, verified. */
  readonly receipt: KeptReceipt;
}

/** What was put in, as its depositor is told: when, and how many receipts there are. */
export interface PutIn {
  readonly deposited: number;
  readonly receipts: number;
}

/** What a box still takes: so many deposits, so many sealed bytes, until when. */
export interface Room {
  readonly until: number;
  readonly deposits: number;
  readonly bytes: number;
}

/** A depositor's own words; `name` is who they say they are. One of them may be empty. */
export interface Words {
  readonly name: string;
  readonly message: string;
}

export interface BoxesApi {
  // the person
  /** Makes a box, with password and PIN given anew; gives what follows the address of this page, `#d…`, once. */
  makeBox(password: string, pin: string, plan: NewBox): Promise<string>;
  /** All boxes, ended ones too, the newest first. */
  boxes(): Promise<readonly KeptBox[]>;
  /** Nobody puts anything in any more. What waits stays. */
  closeBox(box: Id): Promise<void>;
  /** What waits in a box, the oldest first: times and sizes. */
  deposits(box: Id): Promise<readonly Waiting[]>;
  /** Opens the words of one; its files stay where they are. */
  lookAt(box: Id, deposit: Id): Promise<Looked>;
  /** As readContent and readPiece, of a deposit that was looked at. */
  readDeposited(deposit: Id, content: Id, range?: readonly [number, number], differing?: boolean): Promise<Blob>;
  readDepositedPiece(deposit: Id, content: Id, start: number, stop: number): Promise<ArrayBuffer>;
  /** One that was looked at becomes an item, which says whose it is. */
  acceptDeposit(deposit: Id): Promise<Kept>;
  /** Erased after seven days; accepting it until then undoes that. */
  refuseDeposit(box: Id, deposit: Id): Promise<void>;
  /** Erased at once, with password and PIN given anew. */
  eraseDeposit(box: Id, deposit: Id, password: string, pin: string): Promise<void>;

  // whoever has an address, without an account
  /** Takes the end of an address, and asks nobody. Rejects with link_malformed. */
  meetBox(fragment: string): Promise<void>;
  /** What the box still takes. */
  enterBox(): Promise<Room>;
  /** Puts in words and files. After `network` the same call goes on where it was. */
  putIn(words: Words, files: readonly File[]): Promise<PutIn>;
  /** What was put in last, sealed, with its receipts; nothing in it opens anything. */
  receiptsOfDeposit(): Promise<Download>;
}
