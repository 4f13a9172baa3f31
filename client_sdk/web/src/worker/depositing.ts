// Deposit boxes, in the worker: one box of somebody else's, at most, into which something is put; and how a deposit is shown.
// Knows: which call leads to which step. Refuses to know: how it is sealed and proven (sdk/boxes.ts, sdk/box_visit.ts), and
// the page.

import type { Policy } from "../crypto_core/receipts/policy.js";
import { Address, Visit, type SendingWith } from "../sdk/box_visit.js";
import type { OpenedDeposit } from "../sdk/boxes.js";
import { NotOpen } from "../sdk/errors.js";
import { verifyUnder } from "../sdk/opening.js";
import type { Progress } from "../sdk/progress.js";
import { closed } from "../sdk/reader.js";
import type { Download } from "./api.js";
import type { Looked, PutIn, Room, Words } from "./boxes.js";
import { shown } from "./pieces.js";

/** A deposit as the page sees it. */
export function lookedPlainly({ sent, contents, deposited, receipt }: OpenedDeposit): Looked {
  const item = { ...closed({ item: sent.deposit, revision: 1, deposited }, "open", false), kind: "received" as const };
  return { item: shown({ ...item, written: sent.written, contents, sent }), receipt };
}

/** The box of which an address was met. */
export class Depositing {
  #address: Address | null = null;
  #visit: Visit | null = null;
  #policy: Policy | null = null;

  /** Throws LinkMalformed. */
  meet(fragment: string): void {
    const address = Address.parse(fragment);
    this.close();
    this.#address = address;
  }

  /** Throws NotOpen where no address was met, Refused, NetworkError. */
  async enter(by: Omit<SendingWith, "verify">, policy: Policy): Promise<Room> {
    if (this.#address === null) throw new NotOpen();
    this.#visit = await Visit.enter(this.#address, { ...by, verify: verifyUnder(policy) });
    this.#policy = policy;
    return this.#visit.room;
  }

  async putIn(words: Words, files: readonly File[], progress: Progress): Promise<PutIn> {
    const { deposited, receipts } = await this.#entered().deposit(words, files, progress);
    return { deposited, receipts: receipts.length };
  }

  /** With the policy that they were proven under. */
  async receipts(): Promise<Download> {
    const visit = this.#entered();
    const blob = this.#policy && (await visit.receipts(this.#policy));
    if (blob === null) throw new NotOpen();
    return { name: "receipts.zip", mime: blob.type, blob };
  }

  /** The address is forgotten. */
  close(): void {
    this.#address?.forget();
    this.#address = null;
    this.#visit = null;
  }

  #entered(): Visit {
    if (this.#visit === null) throw new NotOpen();
    return this.#visit;
  }
}
