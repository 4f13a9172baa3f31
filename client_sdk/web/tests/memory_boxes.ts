// The deposit boxes of the memory twin: one that is open, in which two deposits wait, one that has ended; and an address.
// Knows: what the contract says of each call. Refuses to know: keys, seals, the network.

import type { Content, Draft, Id, Kept, Sent, VaultApi } from "../src/worker/api.js";
import type { Box, BoxesApi, NewBox, Proven, Room, ShownDeposit, Waiting } from "../src/worker/boxes.js";
import { MemoryReading, failure, proof } from "./memory_reading.js";
import { samplePicture } from "./samples.js";

const DAY = 86_400;
const HASH = Uint8Array.from({ length: 32 }, (_, n) => (n * 53 + 3) % 256);
const ids = (word: string, n: number): Id => `${word}${"0".repeat(20 - word.length)}${n}A`;

/** The end of the one address that lets anything in. */
export const BOX_ADDRESS = `#d${"mEmory0".repeat(15)}AA`;

/** One box and what waits in it. */
interface Filled {
  readonly box: Box;
  readonly deposits: readonly { readonly waiting: Waiting; readonly shown: ShownDeposit }[];
}

export abstract class MemoryBoxes extends MemoryReading implements BoxesApi {
  /** What there is; change it to see boxes that are full, over, or empty. */
  kept: readonly Filled[] = samples();
  /** What the address leads to; change it to see a box that is full. */
  room: Room = { until: Math.floor(Date.now() / 1000) + 20 * DAY, deposits: 3, bytes: 500_000_000 };
  #open: ShownDeposit | null = null;
  #met: string | null = null;
  #given: Content[] = [];

  protected abstract override called(name: keyof VaultApi, ...given: unknown[]): Promise<void>;
  abstract makeId(): Promise<Id>;
  /** An item of the open account, as `received` ones are. */
  protected abstract receive(
    draft: Draft, sensitive: boolean, sent: Sent, contents: readonly Content[], files: ReadonlyMap<Id, Blob>,
  ): Promise<Kept>;

  async boxes(): Promise<readonly Box[]> {
    await this.called("boxes");
    return this.kept.map(({ box, deposits }) => ({ ...box, waiting: deposits.length }));
  }

  async makeBox(password: string, pin: string, box: NewBox): Promise<string> {
    await this.called("makeBox", password, pin, box);
    this.confirmed(password, pin);
    const made = { ...box, created: this.time(), made: 0, used: 0, waiting: 0, ended: null, why: null };
    this.kept = [{ box: made, deposits: [] }, ...this.kept];
    return BOX_ADDRESS;
  }

  async closeBox(box: Id): Promise<void> {
    await this.called("closeBox", box);
    this.#find(box);
    this.kept = this.kept.map((one) => (one.box.box !== box || one.box.ended !== null ? one
      : { ...one, box: { ...one.box, ended: this.time(), why: "closed" } }));
  }

  async waitingIn(box: Id): Promise<readonly Waiting[]> {
    await this.called("waitingIn", box);
    return this.#find(box).deposits.map(({ waiting }) => waiting);
  }

  async openDeposit(box: Id, deposit: Id): Promise<ShownDeposit> {
    await this.called("openDeposit", box, deposit);
    const found = this.#find(box).deposits.find(({ waiting }) => waiting.deposit === deposit);
    if (found === undefined) throw failure("item_unknown");
    this.#open = found.shown;
    return found.shown;
  }

  async readDeposited(content: Id): Promise<Blob> {
    await this.called("readDeposited", content);
    const found = this.#open?.contents.find((one) => one.blob === content);
    if (found === undefined) throw failure("item_unknown");
    return found.mime.startsWith("image/") ? samplePicture(found) : new Blob(["…"], { type: found.mime });
  }

  async readDepositedPiece(content: Id, start: number, stop: number): Promise<ArrayBuffer> {
    return (await this.readDeposited(content)).slice(start, stop).arrayBuffer();
  }

  async acceptDeposit(draft: Draft, sensitive: boolean): Promise<Kept> {
    await this.called("acceptDeposit", draft, sensitive);
    if (this.#open === null) throw failure("not_open");
    const { sent, contents } = this.#open;
    const files = new Map<Id, Blob>();
    for (const one of contents) files.set(one.blob, await this.readDeposited(one.blob));
    const item = await this.receive(draft, sensitive, sent, contents, files);
    this.#replace(sent.box, sent.deposit, () => null);
    this.#open = null;
    return item;
  }

  async refuseDeposit(box: Id, deposit: Id): Promise<void> {
    await this.called("refuseDeposit", box, deposit);
    this.#find(box);
    const erasedAfter = this.time() + 7 * DAY;
    this.#replace(box, deposit, ({ waiting, shown }) => ({ shown, waiting: { ...waiting, erasedAfter } }));
  }

  async meetBox(fragment: string): Promise<void> {
    await this.called("meetBox", fragment);
    if (!/^#d[\w-]{107}$/.test(fragment)) throw failure("link_malformed");
    this.#met = fragment;
  }

  async enterBox(): Promise<Room> {
    await this.called("enterBox");
    if (this.#met === null) throw failure("not_open");
    if (this.#met !== BOX_ADDRESS) throw failure("cap_refused");
    return this.room;
  }

  async giveFile(file: File): Promise<Content> {
    await this.called("giveFile", file.name);
    if (file.size > this.room.bytes) throw failure("box_full");
    const blob = await this.makeId();
    const mime = file.type || "application/octet-stream";
    const content = { blob, sealed: HASH, sha256: HASH, name: file.name, mime, size: file.size };
    this.#given.push(content);
    return content;
  }

  async leaveOut(content: Id): Promise<void> {
    await this.called("leaveOut", content);
    this.#given = this.#given.filter((one) => one.blob !== content);
  }

  async depositInBox(name: string, message: string): Promise<Proven> {
    await this.called("depositInBox", name, message);
    if (this.room.deposits === 0) throw failure("box_full");
    if (message === "" && this.#given.length === 0) throw failure("invalid");
    this.room = { ...this.room, deposits: this.room.deposits - 1 };
    const names = ["", ...this.#given.map((one) => one.name)];
    const receipts = names.map((one) => ({ name: one, receipt: proof(one, 0).receipt }));
    this.#given = [];
    return { deposited: this.time(), receipts };
  }

  async leaveBox(): Promise<void> {
    await this.called("leaveBox");
    this.#met = null;
    this.#given = [];
  }

  #find(box: Id): Filled {
    const found = this.kept.find((one) => one.box.box === box);
    if (found === undefined) throw failure("not_found");
    return found;
  }

  #replace(box: Id, deposit: Id, change: (one: Filled["deposits"][number]) => Filled["deposits"][number] | null): void {
    this.kept = this.kept.map((one) => (one.box.box !== box ? one : {
      ...one, deposits: one.deposits.flatMap((each) => {
        const changed = each.waiting.deposit === deposit ? change(each) : each;
        return changed === null ? [] : [changed];
      }),
    }));
  }
}

function samples(): readonly Filled[] {
  const now = Math.floor(Date.now() / 1000);
  const open = ids("box", 1);
  const box: Box = {
    box: open, name: "Pour ma sœur", created: now - 10 * DAY, expires: now + 20 * DAY, deposits: 5, bytes: 1_000_000_000,
    made: 2, used: 3_400_000, waiting: 2, ended: null, why: null,
  };
  const over = { ...box, box: ids("box", 2), name: "La voisine", expires: now - DAY, made: 0, used: 0, waiting: 0 };
  return [
    { box, deposits: [deposit(open, 1, now - 3 * DAY, true), deposit(open, 2, now - DAY, false)] },
    { box: { ...over, ended: now - DAY, why: "expired" }, deposits: [] },
  ];
}

function deposit(box: Id, n: number, deposited: number, picture: boolean): Filled["deposits"][number] {
  const id = ids("deposit", n);
  const contents: readonly Content[] = picture ? [{
    blob: ids("blob", n), sealed: HASH, sha256: HASH, name: "palier.jpg", mime: "image/jpeg", size: 3_300_000,
  }] : [];
  const sent: Sent = {
    box, deposit: id, sealed: HASH, size: 1096, written: deposited - 60, name: picture ? "Ana" : "",
    message: picture ? "J’ai pris cette photo sur le palier.\nJe peux en parler." : "J’ai tout entendu hier soir.",
  };
  const bytes = contents.reduce((sum, one) => sum + one.size, sent.size);
  return {
    waiting: { deposit: id, deposited, files: contents.length, bytes, erasedAfter: null },
    shown: { sent, deposited, contents, receipt: proof(id, deposited) },
  };
}
