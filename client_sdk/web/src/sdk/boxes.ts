// The deposit boxes of a person: made here, their address shown once; then what somebody put into them.
// Knows: docs/spec/deposit-box.md on the person's side, and what is checked before anything of a deposit is shown.
// Refuses to know: pages, who has an address, and how an item is written. Nothing of a deposit is fetched unasked.

import * as v from "valibot";

import { formatJson, parseB64url, parseJson } from "../crypto_core/encoding.js";
import { CryptoCoreError, MalformedError, type TemoinError } from "../crypto_core/errors.js";
import {
  deriveDepositCap, formatBoxFragment, makeBoxSecret, makeBoxSeed, openBox, openBoxNote, openDeposit, sealBox,
  sealBoxNote, unwrapDepositKey,
} from "../crypto_core/sealing/boxes.js";
import { deriveBox } from "../crypto_core/sealing/keys.js";
import type { Box } from "../schemas/boxes.js";
import { BoxNote, VERSION } from "../schemas/deposits.js";
import * as limits from "../schemas/limits.js";
import { Contents, bounded, collect, sealedContentSize } from "./contents.js";
import { sha256 } from "./digest.js";
import { forgetKeys } from "./door.js";
import { BlobSwapped, ContentBroken, ContentDiffers, DepositBroken, ItemUnknown, ServerFault, ValueRefused } from "./errors.js";
import type { Content, Id, Kept, KeptReceipt, Sent } from "./items.js";
import type { Progress } from "./progress.js";
import { BLOB, type Reader } from "./reader.js";
import { contentPlace, wordsPlace } from "./receipts.js";
import { parseDeposit } from "./sent_words.js";
import type { Session } from "./session.js";
import { dumpBody, endpoint } from "./transport.js";
import type { Writer } from "./writer.js";

export const BOXES = "/v1/boxes";
export const BOX = "/v1/boxes/<id:box>";
export const DEPOSITS = "/v1/boxes/<id:box>/deposits";
export const DEPOSIT = "/v1/boxes/<id:box>/deposits/<id:deposit>";

/** A box to be made. `name` is for the person alone; `expires` in Unix seconds; `deposits` and `bytes` (sealed) bound all
 * that is ever put in. */
export interface NewBox {
  readonly box: Id;
  readonly name: string;
  readonly expires: number;
  readonly deposits: number;
  readonly bytes: number;
}

/** A box made here and perhaps sent: the same bytes go again after a lost answer. `fragment` is `#d…`, what follows the
 * address of the page; nobody keeps it. */
export interface MadeBox {
  readonly box: Id;
  readonly body: Uint8Array;
  readonly fragment: string;
}

/** A box as the vault tells of it. `name` is null where the person's own note of it doesn't open. */
export interface KeptBox extends Omit<Box, "seal" | "note"> {
  readonly name: string | null;
}

/** What waits: a time, and sealed sizes. `files` are those of the files alone. */
export interface Waiting {
  readonly deposit: Id;
  readonly deposited: number;
  readonly size: number;
  readonly files: readonly number[];
  /** When a refusal takes effect; null where it was not refused. */
  readonly erasedAfter: number | null;
}

/** A deposit that was opened and checked. `receipt` is that of its words, and says when it was `deposited`; files are opened
 * one by one. */
export interface OpenedDeposit {
  readonly sent: Sent;
  readonly contents: readonly Content[];
  readonly deposited: number;
  readonly receipt: KeptReceipt;
}

/** The boxes of one session. */
export class Boxes {
  readonly #session: Session;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #contents: Contents;
  readonly #opened = new Map<Id, OpenedDeposit>();
  /** Files that were read to their last byte, and are what their depositor named. */
  readonly #whole = new Set<Id>();
  #last: MadeBox | null = null;

  /** `progress` hears of what is read. */
  constructor(session: Session, reader: Reader, writer: Writer, progress: Progress) {
    this.#session = session;
    this.#reader = reader;
    this.#writer = writer;
    this.#contents = new Contents((blob, start, stop) => session.read(BLOB, { blob }, start, stop), progress);
  }

  /** Everything that is sent, made here; asked again for the same box, the same bytes. Throws ValueRefused. */
  make({ box, name, expires, deposits, bytes }: NewBox): MadeBox {
    if (this.#last?.box === box) return this.#last;
    const { mkN } = this.#session.keyring;
    const [id, seed, secret] = [parseB64url(box), makeBoxSeed(), makeBoxSecret()];
    const note = { v: VERSION, name } as const;
    if (!v.is(BoxNote, note)) throw new ValueRefused("name");
    const [pkBox, skBox] = deriveBox(seed);
    const body = dumpBody(endpoint("POST", BOXES), {
      box, expires, deposits, bytes, cap_hash: sha256(deriveDepositCap(secret, id)), seal: sealBox(mkN, id, seed),
      note: sealBoxNote(mkN, id, formatJson(note)),
    });
    const fragment = formatBoxFragment({ box: id, secret, pkBox });
    forgetKeys(seed, secret, skBox);
    this.#last = { box, body, fragment };
    return this.#last;
  }

  /** Sends it, with a token of stage `confirmed`. Throws Refused. */
  async send({ box, body }: MadeBox, token: Uint8Array): Promise<void> {
    const kept = await this.#session.transport.ask("POST", BOXES, { body, token });
    if (kept.box !== box) throw new ServerFault("an answer about another box");
    this.#last = null;
  }

  /** All boxes, ended ones too, the newest first. */
  async list(): Promise<readonly KeptBox[]> {
    return (await this.#session.ask("GET", BOXES)).boxes.map(({ seal: _, note, ...rest }) => (
      { ...rest, name: this.#noted(rest.box, note) }
    ));
  }

  /** Ends one: nobody puts anything in any more. What waits stays. */
  async close(box: Id): Promise<void> {
    await this.#session.ask("DELETE", BOX, { places: { box } });
  }

  /** What waits in one, the oldest first. */
  async waiting(box: Id): Promise<readonly Waiting[]> {
    const { deposits } = await this.#session.ask("GET", DEPOSITS, { places: { box } });
    return deposits.map(({ deposit, deposited, size, blobs, erased_after: erasedAfter }) => (
      { deposit, deposited, size, files: blobs.map((one) => one.size), erasedAfter }
    ));
  }

  /** Opens the words of a deposit, and nothing else of it: its files stay where they are.
   *
   * Throws ItemUnknown where it doesn't wait any more, DepositBroken, Refused, NetworkError, TrustError. */
  async open(box: Id, deposit: Id): Promise<OpenedDeposit> {
    const places = { box };
    const { boxes } = await this.#session.ask("GET", BOXES);
    const { deposits } = await this.#session.ask("GET", DEPOSITS, { places });
    const kept = boxes.find((one) => one.box === box);
    const named = deposits.find((one) => one.deposit === deposit);
    if (kept === undefined || named === undefined) throw new ItemUnknown("no such deposit");
    if (named.size > limits.DEPOSIT) throw new DepositBroken("malformed");
    const blob = await this.#words(deposit, named.size);
    try {
      const id = parseB64url(box);
      const [pkBox, skBox] = openBox(this.#session.keyring.mkN, id, kept.seal);
      const key = unwrapDepositKey(pkBox, skBox, id, named.key);
      forgetKeys(skBox);
      const { name, message, written, contents } = parseDeposit(openDeposit(key, id, parseB64url(deposit), blob));
      const told = named.blobs.map((one) => `${one.blob} ${one.size}`).join();
      if (contents.map((one) => `${one.blob} ${sealedContentSize(one.size)}`).join() !== told) {
        throw new MalformedError("other files than it names");
      }
      const sealed = sha256(blob);
      const sent = { box, deposit, key, sealed, size: blob.length, name, message, written };
      const receipt = await this.#reader.receipts.at(wordsPlace(sent));
      const opened = { sent, contents, deposited: receipt.verified.commitment.time, receipt };
      this.#opened.set(deposit, opened);
      return opened;
    } catch (error) {
      throw asBroken(error);
    }
  }

  /** A file of a deposit that was opened. Throws ItemUnknown. */
  contentOf(deposit: Id, blob: Id): Content {
    const found = this.#opened.get(deposit)?.contents.find((one) => one.blob === blob);
    if (found === undefined) throw new ItemUnknown("no such file");
    return found;
  }

  /** Its original bytes, or the range [start, stop). Whoever sent it may have lied about it, so that nothing here speaks
   * against the vault. Throws RangeInvalid, DepositBroken, ContentDiffers after all of it came, Refused, NetworkError. */
  async *content(content: Content, start = 0, stop: number | null = null): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#contents.read(content, start, stop);
    } catch (error) {
      throw error instanceof ContentDiffers ? error : asBroken(error);
    }
    if (start === 0 && stop === null) this.#whole.add(content.blob);
  }

  /** A deposit that was opened becomes an item, which names its words and files as they were sent. Each file is read whole
   * first, and its receipt proven: in an item, a file that isn't what is said of it would look like the vault's fault.
   *
   * Throws ItemUnknown, DepositBroken, Refused, NetworkError, TrustError. */
  async accept(deposit: Id): Promise<Kept> {
    const opened = this.#opened.get(deposit);
    if (opened === undefined) throw new ItemUnknown("not opened");
    try {
      for (const content of opened.contents) {
        await this.#reader.receipts.at(contentPlace(content));
        if (!this.#whole.has(content.blob)) for await (const _ of this.content(content));
      }
    } catch (error) {
      throw asBroken(error);
    }
    return this.#session.locked(() => this.#writer.receive(opened.sent, opened.contents));
  }

  /** Refuses one: erased after seven days, and accepting it until then undoes that; at once with a token of stage
   * `confirmed`. Again: nothing. */
  async refuse(box: Id, deposit: Id, token: Uint8Array | null): Promise<void> {
    const places = { box, deposit };
    if (token === null) await this.#session.ask("DELETE", DEPOSIT, { places });
    else await this.#session.transport.ask("DELETE", DEPOSIT, { places, token });
  }

  /** The sealed words, of the size that was told. Throws DepositBroken. */
  async #words(deposit: Id, size: number): Promise<Uint8Array> {
    const words = await collect(bounded(this.#session.read(BLOB, { blob: deposit }), size));
    if (words.length !== size) throw new DepositBroken("malformed");
    return words;
  }

  #noted(box: Id, note: Uint8Array): string | null {
    try {
      const read = v.safeParse(BoxNote, parseJson(openBoxNote(this.#session.keyring.mkN, parseB64url(box), note)));
      return read.success ? read.output.name : null;
    } catch (error) {
      if (!(error instanceof CryptoCoreError)) throw error;
      return null;
    }
  }
}

/** An error of a check, as it is said of a deposit. */
function asBroken(error: unknown): unknown {
  const isOfDeposit = [CryptoCoreError, BlobSwapped, ContentBroken, ContentDiffers].some((one) => error instanceof one);
  return isOfDeposit ? new DepositBroken((error as TemoinError).code) : error;
}
