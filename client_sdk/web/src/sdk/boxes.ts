// A person's deposit boxes: made here, closed, and what waits in them looked at, accepted or refused.
// Knows: protocol §7 on the person's side (docs/spec/deposit-box.md), and that whoever deposits may mean harm: nothing of
// a deposit is fetched before it is asked for, and all of it is verified before it becomes an item. Refuses to know:
// pages, how a seal is made, and who has an address.

import * as v from "valibot";

import { concat, parseB64url, parseJson } from "../crypto_core/encoding.js";
import { CryptoCoreError, MalformedError, UnsupportedVersion } from "../crypto_core/errors.js";
import {
  deriveDepositCap, formatBoxFragment, makeBoxSecret, makeBoxSeed, openBox, openBoxNote, openDeposit, sealBox,
  sealBoxNote, unwrapDepositKey,
} from "../crypto_core/sealing/boxes.js";
import { deriveBox } from "../crypto_core/sealing/keys.js";
import type { Box, WaitingDeposit } from "../schemas/boxes.js";
import { BoxNote, Deposit, VERSION } from "../schemas/deposits.js";
import { Contents, sealedContentSize } from "./contents.js";
import { sha256 } from "./digest.js";
import { forgetKeys } from "./door.js";
import { BlobSwapped, DepositBroken, ItemUnknown, Refused, ServerFault } from "./errors.js";
import type { Content, Draft, Id, Kept, KeptReceipt, Sent } from "./items.js";
import type { Progress } from "./progress.js";
import { BLOB, type Reader } from "./reader.js";
import type { Session } from "./session.js";
import { stated } from "./sharing.js";
import { dumpBody, endpoint } from "./transport.js";
import type { Writer } from "./writer.js";

export const BOXES = "/v1/boxes";
export const BOX = "/v1/boxes/<id:box>";
export const DEPOSITS = "/v1/boxes/<id:box>/deposits";
export const DEPOSIT = "/v1/boxes/<id:box>/deposits/<id:deposit>";

/** What a box is for, until when it takes anything (Unix seconds), and how much in all: deposits, sealed bytes. `box` is
 * made beforehand: asked again with the same one, the same bytes are sent. */
export interface NewBox {
  readonly box: Id;
  readonly name: string;
  readonly expires: number;
  readonly deposits: number;
  readonly bytes: number;
}

/** A box made here and perhaps sent: the same bytes go again after a lost answer. `fragment` is `#d…`, what follows the
 * address of the page. Nobody keeps it. */
export interface MadeBox {
  readonly box: Id;
  readonly body: Uint8Array;
  readonly fragment: string;
}

/** A box as the vault tells of it. `name` is the person's own note, null if it doesn't open. */
export interface KeptBox extends Omit<Box, "note" | "seal"> {
  readonly name: string | null;
}

/** A deposit whose words are open and receipted. Its files are proven when they are read, or accepted.
 *
 * `deposited` is in Unix seconds, by the vault's clock; `receipt` is that of the words. */
export interface OpenedDeposit {
  readonly sent: Sent;
  readonly deposited: number;
  readonly contents: readonly Content[];
  readonly receipt: KeptReceipt;
}

/** The boxes of one session. */
export class Boxes {
  readonly #session: Session;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #contents: Contents;
  #last: MadeBox | null = null;

  /** `progress` hears of what is read. */
  constructor(session: Session, reader: Reader, writer: Writer, progress: Progress = session.progress) {
    this.#session = session;
    this.#reader = reader;
    this.#writer = writer;
    this.#contents = new Contents((blob, start, stop) => session.read(BLOB, { blob }, start, stop), progress);
  }

  /** Everything that is sent, made here; asked again for the same box, the same bytes. Throws ValueRefused. */
  make({ box, name, expires, deposits, bytes }: NewBox): MadeBox {
    if (this.#last?.box === box) return this.#last;
    const { mkN } = this.#session.keyring;
    const [id, secret, seed] = [parseB64url(box), makeBoxSecret(), makeBoxSeed()];
    const note = stated(BoxNote, { v: VERSION, name });
    const body = dumpBody(endpoint("POST", BOXES), {
      box, expires, deposits, bytes, cap_hash: sha256(deriveDepositCap(secret, id)), seal: sealBox(mkN, id, seed),
      note: sealBoxNote(mkN, id, note),
    });
    const fragment = formatBoxFragment({ box: id, secret, pkBox: deriveBox(seed)[0] });
    forgetKeys(secret, seed);
    this.#last = { box, body, fragment };
    return this.#last;
  }

  /** Sends it, with a token of stage `confirmed`. Throws Refused. */
  async send({ box, body }: MadeBox, token: Uint8Array): Promise<void> {
    const kept = await this.#session.transport.ask("POST", BOXES, { body, token });
    if (kept.box !== box) throw new ServerFault("an answer about another box");
    this.#last = null;
  }

  /** The boxes, ended ones too, the newest first, as the vault tells it. */
  async list(): Promise<readonly KeptBox[]> {
    return (await this.#rows()).map(({ note, seal: _, ...rest }) => ({ ...rest, name: this.#name(rest.box, note) }));
  }

  /** Nothing more is taken; what waits stays. Again: nothing. Throws Refused. */
  async close(box: Id): Promise<void> {
    await this.#session.ask("DELETE", BOX, { places: { box } });
  }

  /** What waits in a box, the oldest first: times and sizes. Throws Refused. */
  async waiting(box: Id): Promise<readonly WaitingDeposit[]> {
    return (await this.#session.ask("GET", DEPOSITS, { places: { box } })).deposits;
  }

  /** The words of a deposit, whoever wrote them. No file is fetched.
   *
   * Throws ItemUnknown, DepositBroken, or a leaf of VerificationError or TrustError for its receipt. */
  async open(box: Id, deposit: Id): Promise<OpenedDeposit> {
    const kept = (await this.#rows()).find((one) => one.box === box);
    const row = (await this.waiting(box)).find((one) => one.deposit === deposit);
    if (kept === undefined || row === undefined) throw new ItemUnknown();
    const sealed = await this.#words(row);
    const [key, words] = this.#opened(kept, row, sealed);
    const { name, message, written, contents } = words;
    const isNamed = contents.length === row.blobs.length && contents.every((one, at) =>
      one.blob === row.blobs[at]?.blob && sealedContentSize(one.size) === row.blobs[at].size);
    if (!isNamed) throw new DepositBroken("other files than it names");
    const sent = { box, deposit, key, sealed: sha256(sealed), size: sealed.length, name, message, written };
    return { sent, deposited: row.deposited, contents, receipt: await this.#reader.wordsReceipt(sent) };
  }

  /** The original bytes of a file of a deposit, or of the range [start, stop); whole only once the iterator has ended.
   * Throws RangeInvalid, DepositBroken. */
  async *content(content: Content, start = 0, stop: number | null = null): AsyncGenerator<Uint8Array> {
    let size = 0;
    try {
      for await (const block of this.#contents.read(content, start, stop)) {
        size += block.length;
        yield block;
      }
    } catch (error) {
      if (error instanceof BlobSwapped) throw new DepositBroken(error.detail);
      throw error;
    }
    if (start === 0 && stop === null && size !== content.size) throw new DepositBroken("another size than it names");
  }

  /** Makes it an item of the person's, which names the depositor's blobs unchanged and says whose they are.
   *
   * Every file is read whole first, and its receipt proven: what somebody else states wrongly must never look like a fault
   * of the vault later. Throws DepositBroken, or as `Writer.add`. */
  async accept({ sent, contents }: OpenedDeposit, draft: Draft, sensitive: boolean): Promise<Kept> {
    for (const content of contents) {
      const blocks = this.content(content);
      while (!(await blocks.next()).done);
      await this.#reader.blobReceipt(content);
    }
    return this.#session.locked(async () => {
      const [kept] = await this.#writer.add([draft], "received", sensitive, contents, null, undefined, sent);
      if (kept === undefined) throw new ServerFault("an answer about other revisions");
      return kept;
    });
  }

  /** Erases it after seven days, until when accepting undoes it; at once with a token of stage `confirmed`. */
  async refuse(box: Id, deposit: Id, confirmed: Uint8Array | null = null): Promise<void> {
    const places = { box, deposit };
    if (confirmed === null) await this.#session.ask("DELETE", DEPOSIT, { places });
    else await this.#session.transport.ask("DELETE", DEPOSIT, { places, token: confirmed });
  }

  async #rows(): Promise<readonly Box[]> {
    return (await this.#session.ask("GET", BOXES)).boxes;
  }

  async #words({ deposit, size }: WaitingDeposit): Promise<Uint8Array> {
    const blocks: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const block of this.#session.read(BLOB, { blob: deposit })) {
        blocks.push(block);
        length += block.length;
        if (length > size) break;
      }
    } catch (error) {
      if (error instanceof Refused) throw new DepositBroken(error.code);
      throw error;
    }
    if (length !== size) throw new DepositBroken("words of another size");
    return concat(...blocks);
  }

  #opened({ box, seal }: Box, row: WaitingDeposit, sealed: Uint8Array): [key: Uint8Array, words: Deposit] {
    const id = parseB64url(box);
    try {
      const [pkBox, skBox] = openBox(this.#session.keyring.mkN, id, seal);
      const key = unwrapDepositKey(pkBox, skBox, id, row.key);
      forgetKeys(skBox);
      return [key, parseDeposit(openDeposit(key, id, parseB64url(row.deposit), sealed))];
    } catch (error) {
      if (error instanceof CryptoCoreError) throw new DepositBroken(error.code);
      throw error;
    }
  }

  #name(box: Id, note: Uint8Array): string | null {
    try {
      const read = v.safeParse(BoxNote, parseJson(openBoxNote(this.#session.keyring.mkN, parseB64url(box), note)));
      return read.success ? read.output.name : null;
    } catch (error) {
      if (!(error instanceof CryptoCoreError)) throw error;
      return null;
    }
  }
}

/** A depositor's words. Throws MalformedError, or UnsupportedVersion for another `v`. */
export function parseDeposit(json: Uint8Array): Deposit {
  const value = parseJson(json);
  if (typeof value === "object" && value !== null && (value as Record<string, unknown>)["v"] !== VERSION) {
    throw new UnsupportedVersion();
  }
  const loaded = v.safeParse(Deposit, value);
  if (!loaded.success) throw new MalformedError("words that their schema does not allow");
  return loaded.output;
}
