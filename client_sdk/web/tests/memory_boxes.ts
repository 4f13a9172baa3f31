// The box part of the memory twin: boxes with something in them, and one box of somebody else.
// Knows: what the contract says of each call. Refuses to know: keys, seals, and who is in.

import type { VerifiedReceipt } from "../src/crypto_core/receipts/receipt.js";
import type { Download, Id, Item, Kept, KeptReceipt, VaultApi } from "../src/worker/api.js";
import type { BoxesApi, KeptBox, Looked, NewBox, PutIn, Room, Waiting, Words } from "../src/worker/boxes.js";
import { Failure } from "../src/worker/problems.js";
import { MemoryShares } from "./memory_shares.js";
import { sampleContent, sampleId, sampleItem, samplePicture } from "./samples.js";

const DAY = 86_400;
const WEEK = 7 * DAY;
/** The end of the one address behind which there is a box. */
export const BOX_LINK = `#d${"mEmoryBox".repeat(11)}mEmoryBo`;
export const SAID = { name: "Nadia", message: "J’ai tout vu, devant l’école.\n\nJe te crois.", written: 0 };

/** What the twin of a vault does besides: see MemoryVault. */
export abstract class MemoryBoxes extends MemoryShares implements BoxesApi {
  /** The boxes, the newest first; change it to see other ends. */
  kept: KeptBox[] = sampleBoxes();
  /** What waits, by box. */
  waits: Map<Id, Waiting[]> = new Map([[sampleId(901), sampleDeposits()]]);
  /** What the other box still takes. */
  room: Room = { until: Math.floor(Date.now() / 1000) + 3 * DAY, deposits: 2, bytes: 50_000_000 };
  /** What was put into it. */
  readonly put: (readonly [Words, readonly File[]])[] = [];
  #met = false;

  protected abstract override called(name: keyof VaultApi, ...given: unknown[]): Promise<void>;
  protected abstract receive(item: Item, files: ReadonlyMap<Id, Blob>): Kept;
  abstract makeId(): Promise<Id>;

  async makeBox(password: string, pin: string, plan: NewBox): Promise<string> {
    await this.called("makeBox", password, pin, plan);
    this.confirmed(password, pin);
    const { box, name, expires, deposits, bytes } = plan;
    this.kept.unshift({
      box, name, created: this.time(), expires, deposits, bytes, made: 0, used: 0, waiting: 0, ended: null, why: null,
    });
    return BOX_LINK;
  }

  async boxes(): Promise<readonly KeptBox[]> {
    await this.called("boxes");
    return this.kept;
  }

  async closeBox(box: Id): Promise<void> {
    await this.called("closeBox", box);
    const now = this.time();
    this.kept = this.kept.map((one) => (one.box === box ? { ...one, ended: now, why: "closed" } : one));
  }

  async deposits(box: Id): Promise<readonly Waiting[]> {
    await this.called("deposits", box);
    return this.waits.get(box) ?? [];
  }

  async lookAt(box: Id, deposit: Id): Promise<Looked> {
    await this.called("lookAt", box, deposit);
    const { deposited } = this.#waits(box, deposit);
    return { item: lookedItem(deposit, deposited), receipt: proof(deposit, deposited) };
  }

  async readDeposited(deposit: Id, content: Id, range?: readonly [number, number]): Promise<Blob> {
    await this.called("readDeposited", deposit, content, range);
    const blob = samplePicture(lookedItem(deposit, 0).contents.find((one) => one.blob === content)!);
    return range === undefined ? blob : blob.slice(range[0], range[1], blob.type);
  }

  async readDepositedPiece(deposit: Id, content: Id, start: number, stop: number): Promise<ArrayBuffer> {
    return (await this.readDeposited(deposit, content, [start, stop])).arrayBuffer();
  }

  async acceptDeposit(deposit: Id): Promise<Kept> {
    await this.called("acceptDeposit", deposit);
    const item = { ...lookedItem(deposit, this.time()), id: await this.makeId() };
    this.#gone(deposit);
    return this.receive(item, new Map(item.contents.map((content) => [content.blob, samplePicture(content)])));
  }

  async refuseDeposit(box: Id, deposit: Id): Promise<void> {
    await this.called("refuseDeposit", box, deposit);
    const erasedAfter = this.time() + WEEK;
    this.waits.set(box, (this.waits.get(box) ?? []).map((one) =>
      (one.deposit === deposit ? { ...one, erasedAfter } : one)));
  }

  async eraseDeposit(box: Id, deposit: Id, password: string, pin: string): Promise<void> {
    await this.called("eraseDeposit", box, deposit, password, pin);
    this.confirmed(password, pin);
    this.#gone(deposit);
  }

  async meetBox(fragment: string): Promise<void> {
    await this.called("meetBox", fragment);
    if (!/^#d[\w-]{107}$/.test(fragment)) throw failure("link_malformed");
    this.#met = fragment === BOX_LINK;
  }

  async enterBox(): Promise<Room> {
    await this.called("enterBox");
    if (!this.#met) throw failure("cap_refused");
    return this.room;
  }

  async putIn(words: Words, files: readonly File[]): Promise<PutIn> {
    await this.called("putIn", words, files);
    this.put.push([words, files]);
    this.room = { ...this.room, deposits: this.room.deposits - 1 };
    return { deposited: this.time(), receipts: 1 + files.length };
  }

  async receiptsOfDeposit(): Promise<Download> {
    await this.called("receiptsOfDeposit");
    return { name: "receipts.zip", mime: "application/zip", blob: new Blob(["PK"]) };
  }

  #waits(box: Id, deposit: Id): Waiting {
    const found = this.waits.get(box)?.find((one) => one.deposit === deposit);
    if (found === undefined) throw failure("item_unknown");
    return found;
  }

  #gone(deposit: Id): void {
    for (const [box, all] of this.waits) {
      const left = all.filter((one) => one.deposit !== deposit);
      this.waits.set(box, left);
      this.kept = this.kept.map((one) => (one.box === box ? { ...one, waiting: left.length } : one));
    }
  }
}

function lookedItem(deposit: Id, deposited: number): Item {
  return {
    ...sampleItem(0, { kind: "received", deposited, written: deposited - 600 }), id: deposit,
    sent: { ...SAID, written: deposited - 600 },
    contents: [sampleContent(7, "IMG_2043.png", "image/png", 3_482_112), sampleContent(11, "messages.txt", "text/plain", 310)],
  };
}

/** One that takes more, one that is over. */
function sampleBoxes(): KeptBox[] {
  const now = Math.floor(Date.now() / 1000);
  const both = { deposits: 5, bytes: 200_000_000, used: 3_700_000 };
  return [
    {
      ...both, box: sampleId(901), name: "Nadia", created: now - 2 * DAY, expires: now + 5 * DAY, made: 2, waiting: 2,
      ended: null, why: null,
    },
    {
      ...both, box: sampleId(902), name: "Ma sœur", created: now - 40 * DAY, expires: now - 33 * DAY, made: 1, waiting: 0,
      ended: now - 33 * DAY, why: "expired",
    },
  ];
}

function sampleDeposits(): Waiting[] {
  const now = Math.floor(Date.now() / 1000);
  return [
    { deposit: sampleId(911), deposited: now - DAY, size: 2048, files: [3_670_000, 40_000], erasedAfter: null },
    { deposit: sampleId(912), deposited: now - 7200, size: 1280, files: [], erasedAfter: null },
  ];
}

const HASH = Uint8Array.from({ length: 32 }, (_, n) => (n * 29 + 3) % 256);

/** Only verifyReceipt makes one: this one is for the eye alone. */
function proof(name: string, deposited: number): KeptReceipt {
  const made = {
    outcome: "valid", index: 9, entry: HASH, claimedTime: deposited, boundTime: null, cosignedBy: [],
    commitment: { nonce: HASH, time: deposited, size: 2048, sha256: HASH },
    checkpoint: { origin: "vault.example/ledger", size: 52, root: HASH },
  };
  return { name, receipt: "", verified: made as unknown as VerifiedReceipt };
}

function failure(code: string): Failure {
  return new Failure({ code, detail: "", retryAfter: null, extra: {} });
}
