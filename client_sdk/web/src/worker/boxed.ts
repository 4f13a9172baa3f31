// Deposit boxes, in the worker: one deposit that is open, and one visit to somebody else's box, at most.
// Knows: which call is about which. Refuses to know: how it is proven (sdk/boxes.ts, sdk/box_visit.ts), and the page.

import { parseBoxFragment } from "../crypto_core/sealing/boxes.js";
import type { Policy } from "../crypto_core/receipts/policy.js";
import type { Given, MadeDeposit, Visit } from "../sdk/box_visit.js";
import type { Boxes, OpenedDeposit } from "../sdk/boxes.js";
import type { VaultClient } from "../sdk/client.js";
import { forgetKeys } from "../sdk/door.js";
import { ItemUnknown, NotOpen } from "../sdk/errors.js";
import type { Content as OpenedContent } from "../sdk/items.js";
import { verifyUnder } from "../sdk/opening.js";
import type { Content, Draft, Id, Kept } from "./api.js";
import type { Proven, Room, ShownDeposit, Waiting } from "./boxes.js";
import { fileOf, pieceOf, plainContent, plainSent } from "./pieces.js";

export class Boxed {
  #deposit: OpenedDeposit | null = null;
  #fragment: string | null = null;
  #visit: Visit | null = null;
  #given: Given[] = [];
  #made: MadeDeposit | null = null;

  // the person's side

  async waiting(boxes: Boxes, box: Id): Promise<readonly Waiting[]> {
    return (await boxes.waiting(box)).map(({ deposit, deposited, size, blobs, erased_after: erasedAfter }) => ({
      deposit, deposited, files: blobs.length, bytes: blobs.reduce((sum, one) => sum + one.size, size), erasedAfter,
    }));
  }

  async open(boxes: Boxes, box: Id, deposit: Id): Promise<ShownDeposit> {
    this.#forgetDeposit();
    this.#deposit = await boxes.open(box, deposit);
    const { sent, deposited, contents, receipt } = this.#deposit;
    return { sent: plainSent(sent), deposited, contents: contents.map(plainContent), receipt };
  }

  file(boxes: Boxes, id: Id, range?: readonly [number, number]): Promise<Blob> {
    const content = this.#content(id);
    return fileOf(boxes.content(content, ...(range ?? [])), content.mime);
  }

  piece(boxes: Boxes, id: Id, start: number, stop: number): Promise<ArrayBuffer> {
    const content = this.#content(id);
    return pieceOf((from, to) => boxes.content(content, from, to), start, stop);
  }

  async accept(boxes: Boxes, draft: Draft, sensitive: boolean): Promise<Kept> {
    if (this.#deposit === null) throw new NotOpen();
    const kept = await boxes.accept(this.#deposit, draft, sensitive);
    this.#forgetDeposit();
    return kept;
  }

  /** Nothing is looked at any more, and no address is known. */
  close(): void {
    this.#forgetDeposit();
    this.leave();
  }

  // the depositor's side

  /** Takes the end of an address; asks nobody. Throws LinkMalformed. */
  meet(fragment: string): void {
    forgetKeys(parseBoxFragment(fragment).secret);
    this.leave();
    this.#fragment = fragment;
  }

  async enter(client: VaultClient, policy: Policy): Promise<Room> {
    if (this.#fragment === null) throw new NotOpen();
    this.#visit ??= await client.enterBox(this.#fragment, { verify: verifyUnder(policy) });
    const { until, deposits, bytes } = this.#visit.room;
    return { until, deposits, bytes };
  }

  async give(file: File): Promise<Content> {
    const given = await this.#visiting().give(file);
    this.#given.push(given);
    this.#made = null;
    return plainContent(given.content);
  }

  leaveOut(content: Id): void {
    this.#given = this.#given.filter((one) => one.content.blob !== content);
    this.#made = null;
  }

  async deposit(name: string, message: string): Promise<Proven> {
    const visit = this.#visiting();
    this.#made ??= visit.make(name, message, this.#given);
    const { deposited, receipt } = await visit.send(this.#made);
    const files = this.#given.map((one) => ({ name: one.content.name, receipt: one.receipt }));
    this.#made = null;
    this.#given = [];
    return { deposited, receipts: [{ name: "", receipt }, ...files] };
  }

  /** The address and all that was given are forgotten. */
  leave(): void {
    this.#visit?.forget();
    this.#visit = this.#fragment = this.#made = null;
    this.#given = [];
  }

  #visiting(): Visit {
    if (this.#visit === null) throw new NotOpen();
    return this.#visit;
  }

  #content(id: Id): OpenedContent {
    const found = this.#deposit?.contents.find((one) => one.blob === id);
    if (found === undefined) throw new ItemUnknown();
    return found;
  }

  #forgetDeposit(): void {
    if (this.#deposit !== null) forgetKeys(this.#deposit.sent.key);
    this.#deposit = null;
  }
}
