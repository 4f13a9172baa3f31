// What of recordings lies sealed on this device, until the record that names it is kept (docs/adr/0074).
// Knows: where each segment lies, how it goes, and what of it the vault has. Refuses to know: what opens one.

import { encodeText } from "../crypto_core/encoding.js";
import { sha256 } from "./digest.js";
import type { Id } from "./items.js";
import { BLOB } from "./reader.js";
import type { Receipts } from "./receipts.js";
import { blobName } from "./replica.js";
import type { Session } from "./session.js";

const DIGITS = 9;

/** The segments that lie here, of one session. Those of one item are used by whoever holds its lock. */
export class Segments {
  readonly #session: Session;
  readonly #receipts: Receipts;

  constructor(session: Session, receipts: Receipts) {
    this.#session = session;
    this.#receipts = receipts;
  }

  /** The items of which something lies here. */
  async items(): Promise<ReadonlySet<Id>> {
    return new Set((await this.#session.home.names("segments")).map((name) => name.split(".")[0] as Id));
  }

  /** The numbers of those that lie here, of one item, in order. */
  async numbers(item: Id): Promise<readonly number[]> {
    return (await this.#session.home.names("segments", `${item}.`)).map((name) => Number(name.split(".")[1]));
  }

  /** The sealed bytes of one, or null. */
  async get(item: Id, number: number): Promise<Uint8Array | null> {
    const sealed = await this.#session.home.store.get(this.#key(item, number));
    return sealed instanceof Uint8Array ? sealed : null;
  }

  /** On disk when this resolves. Throws DeviceFailed. */
  keep(item: Id, number: number, sealed: Uint8Array): Promise<void> {
    return this.#session.home.store.write({ put: [[this.#key(item, number), sealed]] });
  }

  /** Into the vault, under its blob's id, with a receipt that verified. It stays here, but for all after the first where this
   * browser keeps nothing and would hold them in memory. The vault is asked first for one that it has receipted before, and
   * may have lost since. Does nothing for one that doesn't lie here. */
  async send(item: Id, number: number, blob: Id): Promise<void> {
    const session = this.#session, { home, replica } = session;
    const [sealed, held] = [await this.get(item, number), await replica.receipt(blobName(blob))];
    if (sealed === null || (held !== null && (await this.#receipts.hasBlob(blob)))) return;
    const digest = sha256(sealed);
    const { receipt } = await session.put(BLOB, [sealed], [digest], { blob });
    await session.verify(receipt, digest, sealed.length);
    if (held !== null && held !== receipt) await home.keepEvidence("receipt", encodeText(held));
    await replica.writing(() => replica.keepReceipt(blobName(blob), receipt));
    if (!home.store.persistent && number > 0) await this.letGo(item, [number]);
  }

  /** They go from this device. */
  letGo(item: Id, numbers: readonly number[]): Promise<void> {
    return this.#session.home.store.write({ delete: numbers.map((number) => this.#key(item, number)) });
  }

  #key(item: Id, number: number): string {
    return this.#session.home.key("segments", `${item}.${String(number).padStart(DIGITS, "0")}`);
  }
}
