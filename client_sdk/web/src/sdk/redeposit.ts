// Gives back to the vault what it lost and this device holds, and writes off what nobody has.
// Knows: which revisions a finished sync did not show, and what becomes of those that can't go back to their place
// (docs/spec/items.md). Refuses to know: passwords, and why the vault lost anything.

import { encodeText } from "../crypto_core/encoding.js";
import { CryptoCoreError, TemoinError, VerificationError } from "../crypto_core/errors.js";
import type { Checkpoint } from "../crypto_core/receipts/checkpoint.js";
import { parseReceipt } from "../crypto_core/receipts/receipt.js";
import { openRestorations, type Restoration } from "../crypto_core/receipts/restoration.js";
import { MAX_ROTATIONS_SIZE } from "../crypto_core/receipts/rotation.js";
import type { PutRevision } from "../schemas/items.js";
import * as limits from "../schemas/limits.js";
import { sha256 } from "./digest.js";
import { LedgerForked, NetworkError, Refused, ServerFault, TrustError } from "./errors.js";
import { NOT_READ, type Id } from "./items.js";
import type { Hash } from "./protocol/sync.js";
import { sealedContentSize, type Reader } from "./reader.js";
import { blobName, recordName, type Row } from "./replica.js";
import { RESTORATIONS, readPublished, type Session } from "./session.js";
import type { Synchroniser } from "./synchroniser.js";
import { batchesOf, missingBlobs, type Writer } from "./writer.js";

const BLOB_RECEIPT = "/v1/blobs/<id:blob>/receipt";
const RECORD_RECEIPT = "/v1/items/<id:item>/revisions/<u32:revision>/receipt";

/** A file that the vault hasn't any more, and the item that goes on without it. Both names may be empty. */
export interface LostFile {
  readonly item: Id;
  readonly title: string;
  readonly name: string;
}

/** What became of what the vault had lost, once the person had ended the warning. */
export interface Settled {
  /** Versions that went back to their places. */
  readonly givenBack: number;
  /** Items that were written anew, because something else stands in their place. */
  readonly anew: readonly Id[];
  /** Versions that are nowhere: neither in the vault, nor here. */
  readonly writtenOff: number;
  readonly files: readonly LostFile[];
  /** Why some of it is left to be done, if it is; then what waits is tried again at each opening. */
  readonly left: TemoinError | null;
}

/** A row of which all that was sealed is here. */
type Held = Row & { readonly wrap: Uint8Array; readonly record: Uint8Array };

/** Where a receipt is, and what it is over. */
interface Place {
  readonly name: string;
  readonly sha256: Uint8Array;
  readonly size: number;
  readonly ask: () => Promise<{ readonly receipt: string }>;
}

/** Gives back for one session. Used under the account's lock, after a finished sync. */
export class Redepositor {
  readonly #session: Session;
  readonly #reader: Reader;
  readonly #synchroniser: Synchroniser;
  readonly #writer: Writer;
  /** Blobs that the vault said it hasn't. */
  readonly #absent = new Set<Id>();
  /** Items of which something else stands in a place: they wait for the person. */
  readonly #displaced = new Set<Id>();
  /** Record hashes that stand nowhere any more, and are not written off yet. */
  readonly #gone = new Set<Hash>();

  constructor(session: Session, reader: Reader, synchroniser: Synchroniser, writer: Writer) {
    this.#session = session;
    this.#reader = reader;
    this.#synchroniser = synchroniser;
    this.#writer = writer;
  }

  /** Sends what the last sync should have shown, the very bytes, and says how many went. What is refused is tried again at
   * the next opening. Throws NetworkError or ServerFault. */
  async giveBack(): Promise<number> {
    let given = 0;
    try {
      for (const batch of batchesOf(await this.#fitting(), ({ record }) => record.length)) given += await this.#send(batch);
    } catch (error) {
      left(error);
    }
    return given;
  }

  /** What a person's word allows, before their warning goes: texts whose place is taken become items of their own, and what
   * is missing then is written off. Takes the sensitive tier to be open. Throws NetworkError or ServerFault. */
  async settle(): Promise<Omit<Settled, "files">> {
    if (!this.#synchroniser.isFinished) await this.#synchroniser.syncAnyhow();
    const anew: Id[] = [];
    let [givenBack, writtenOff, why]: [number, number, TemoinError | null] = [0, 0, null];
    try {
      for (const batch of batchesOf(await this.#fitting(), ({ record }) => record.length)) givenBack += await this.#send(batch);
      await this.#writeAnew(anew);
      if (this.#gone.size > 0) await this.#synchroniser.syncAnyhow(); // what stands in their place is not lost
      const hashes = [...new Set([...(await this.#synchroniser.missing()), ...this.#gone])].filter((hash) => hash !== "").sort();
      for (let start = 0; start < hashes.length; start += limits.LOST) {
        const some = hashes.slice(start, start + limits.LOST);
        await this.#writer.writeOff(some);
        writtenOff += some.filter((hash) => !this.#gone.delete(hash)).length; // what stands by itself now is not lost
      }
    } catch (error) {
      why = left(error); // nobody is kept from ending a warning: with a full space, nothing could be deleted
    }
    const { replica } = this.#session;
    await replica.writing(() => replica.setFact("settling", true));
    return { givenBack, anew, writtenOff, left: why };
  }

  /** Where a warning ended, and what follows was cut off, does it now. Throws NetworkError or ServerFault. */
  async finishAnyhow(): Promise<void> {
    if (!this.#session.replica.fact("settling") || this.#session.warnings.any) return;
    try {
      await this.finish();
    } catch (error) {
      left(error);
    }
  }

  /** `finish`, and what came of it; a refusal is noted, for the warning is ended by then. Throws NetworkError or ServerFault. */
  async complete(settled: Omit<Settled, "files">): Promise<Settled> {
    try {
      return { ...settled, files: await this.finish() };
    } catch (error) {
      const why = left(error);
      return { ...settled, files: [], left: settled.left ?? why };
    }
  }

  /** What follows once no warning stands, and after a sync: items go on without files that the vault hasn't, and receipts
   * under a history that it doesn't go on with are asked for anew. What is locked is passed over. Throws as `Session.ask`
   * and `Session.verify`. */
  async finish(): Promise<readonly LostFile[]> {
    const { replica } = this.#session;
    const files: LostFile[] = [];
    for (const row of replica.newestOfEach()) files.push(...(await this.#withoutLost(row)));
    await this.#renewReceipts();
    await replica.writing(() => replica.setFact("settling", false));
    return files;
  }

  /** What the ledger has signed of older copies that were put back, oldest first; none where that can't be read. It excuses
   * nothing. */
  async restorations(): Promise<readonly Restoration[]> {
    const { transport, trust } = this.#session;
    try {
      const data = await readPublished(transport, RESTORATIONS, MAX_ROTATIONS_SIZE);
      return openRestorations(data, trust.policy.logs.map(({ key }) => key));
    } catch (error) {
      const reasons = [CryptoCoreError, NetworkError, Refused, ServerFault];
      if (reasons.some((reason) => error instanceof reason)) return [];
      throw error;
    }
  }

  /** What this device holds whole, and the last sync should have shown, in the order in which it came. */
  async #withheld(): Promise<readonly Held[]> {
    const { replica } = this.#session;
    const rows: Held[] = [];
    for (const row of replica.notSeenIn(replica.fact("pass"))) {
      if (isHeld(row) && (await this.#synchroniser.recordHash(row)) !== null) rows.push(row);
    }
    return rows.sort((one, other) => one.seq - other.seq);
  }

  /** Of them, those whose place may be free. */
  async #fitting(): Promise<readonly Held[]> {
    return (await this.#withheld()).filter(({ item }) => !this.#displaced.has(item));
  }

  /** How many went. Where something else stands in the place of one, the others go by themselves. */
  async #send(rows: readonly Held[]): Promise<number> {
    for (;;) {
      try {
        await this.#writer.sendAgain(rows.map((row) => this.#asSent(row)));
        return rows.length;
      } catch (error) {
        if (error instanceof LedgerForked) continue; // thrown once: the vault has them, and answers the same to the same bytes
        if (!(error instanceof Refused)) throw error;
        const missing = error.code === "blob_missing" ? [...missingBlobs(error)] : [];
        if (missing.some((blob) => !this.#absent.has(blob))) {
          for (const blob of missing) this.#absent.add(blob);
          continue;
        }
        if (error.code !== "revision_conflict") throw error;
        const items = byItem(rows);
        if (items.length > 1) {
          let given = 0;
          for (const one of items) given += await this.#send(one);
          return given;
        }
        this.#displaced.add(rows[0]?.item ?? "");
        return 0;
      }
    }
  }

  #asSent({ item, revision, wrap, link, record, blobs, erases }: Held): PutRevision {
    return {
      item, revision, replaces: revision - 1, wrap, link, record, blobs: blobs.filter((blob) => !this.#absent.has(blob)),
      erases: erases === null ? null : [...erases],
    };
  }

  async #writeAnew(anew: Id[]): Promise<void> {
    for (const rows of byItem(await this.#withheld())) {
      for (const row of rows) this.#gone.add((await this.#synchroniser.recordHash(row)) ?? "");
      const texts = rows.filter(({ erases }) => erases === null);
      const letGo = (): Promise<void> => this.#letGo(rows[0]?.item ?? "");
      if (rows.at(-1)?.erases === null) anew.push(await this.#writer.writeAnew(texts, letGo));
      else await letGo();
    }
  }

  /** Of bytes whose place is taken, so that what stands there can be read here; and the next sync brings it. What was erased
   * before them goes along, or it would stand there as something that can't be opened. */
  async #letGo(item: Id): Promise<void> {
    const { home, replica } = this.#session;
    const rows = replica.notSeenIn(replica.fact("pass")).filter((row) => row.item === item);
    for (const row of rows) {
      for (const [name, data] of [["record", row.record], ["wrap", row.wrap], ["link", row.link]] as const) {
        if (data !== null) await home.keepEvidence(name, data);
      }
    }
    await replica.writing(() => {
      for (const row of rows) replica.drop(row);
      replica.setFact("cursor", "");
    });
  }

  /** One more revision of an item whose record names files that the vault hasn't. */
  async #withoutLost(row: Row): Promise<readonly LostFile[]> {
    if (row.erases !== null) return [];
    const lost = new Set<Id>();
    for (const blob of this.#reader.named(row)) {
      if (!row.blobs.includes(blob) && (await this.#isLost(blob))) lost.add(blob);
    }
    const item = this.#reader.open(row);
    if (lost.size === 0 || item.state !== "open" || NOT_READ.includes(item.kind)) return [];
    if (item.kind !== "extract") await this.#writer.leaveOut(row, lost); // which is made anew
    return item.contents.filter(({ blob, parts }) => (parts?.map((part) => part.blob) ?? [blob]).some((one) => lost.has(one)))
      .map(({ name }) => ({ item: item.id, title: item.title ?? "", name }));
  }

  async #isLost(blob: Id): Promise<boolean> {
    try {
      await this.#session.ask("GET", BLOB_RECEIPT, { places: { blob } });
      return false;
    } catch (error) {
      if (error instanceof Refused && error.code === "not_found") return true;
      throw error;
    }
  }

  /** Those whose tree is no beginning of the ledger any more, where the ledger has signed that it was set back. */
  async #renewReceipts(): Promise<void> {
    const { replica } = this.#session;
    const all = await this.restorations();
    const records = all.slice(replica.fact("restorations"));
    if (records.length === 0) return;
    const size = Math.min(...records.map((record) => record.size));
    const known = new Map<string, Promise<boolean>>();
    for (const row of replica.since(0)) {
      for (const place of this.#places(row)) {
        const held = await replica.receipt(place.name);
        const note = held === null ? null : noteOf(held);
        const tree = note === null ? null : this.#tree(note);
        if (held === null || note === null || tree === null || tree.size <= size) continue;
        const fits = known.get(note) ?? this.#session.isOfThisLedger(tree);
        known.set(note, fits);
        if (!(await fits)) await this.#renew(place, held);
      }
    }
    await replica.writing(() => replica.setFact("restorations", all.length));
  }

  async #renew(place: Place, held: string): Promise<void> {
    const { home, replica } = this.#session;
    try {
      const { receipt } = await place.ask();
      await this.#session.verify(receipt, place.sha256, place.size);
      await home.keepEvidence("receipt", encodeText(held));
      await replica.writing(() => replica.keepReceipt(place.name, receipt));
    } catch (error) {
      if (error instanceof Refused || error instanceof VerificationError) return; // it has none; this one proves what it proved
      throw error;
    }
  }

  /** Under which checkpoint a receipt stands; null of one by a key of before. */
  #tree(note: string): Checkpoint | null {
    try {
      return this.#session.trust.open(note);
    } catch (error) {
      if (error instanceof TrustError) return null;
      throw error;
    }
  }

  /** Where the receipts of a revision are: the record's, and those of its contents if it can be opened. */
  #places(row: Row): readonly Place[] {
    const { item, revision, record } = row;
    if (record === null) return [];
    const own: Place = {
      name: recordName(item, revision), sha256: sha256(record), size: record.length,
      ask: () => this.#session.ask("GET", RECORD_RECEIPT, { places: { item, revision } }),
    };
    const { contents, sent } = this.#reader.open(row);
    const files = contents.flatMap((one) => one.parts ?? [one]).map(({ blob, sealed, size }) =>
      ({ blob, sealed, size: sealedContentSize(size) }));
    const words = sent === null ? [] : [{ blob: sent.deposit, sealed: sent.sealed, size: sent.size }];
    return [own, ...[...words, ...files].map(({ blob, sealed, size }): Place => ({
      name: blobName(blob), sha256: sealed, size, ask: () => this.#session.ask("GET", BLOB_RECEIPT, { places: { blob } }),
    }))];
  }
}

/** Why some of it is left to be done; anything else is thrown on. */
function left(error: unknown): TemoinError {
  const reasons = [Refused, CryptoCoreError, TrustError];
  if (error instanceof TemoinError && reasons.some((reason) => error instanceof reason)) return error;
  throw error;
}

function noteOf(receipt: string): string | null {
  try {
    return parseReceipt(encodeText(receipt)).note;
  } catch (error) {
    if (error instanceof CryptoCoreError) return null;
    throw error;
  }
}

function isHeld(row: Row): row is Held {
  return row.wrap !== null && row.record !== null;
}

/** The rows of each item, in the order of its revisions. */
function byItem(rows: readonly Held[]): readonly (readonly Held[])[] {
  const items = new Map<Id, Held[]>();
  for (const row of rows) items.set(row.item, [...(items.get(row.item) ?? []), row]);
  return [...items.values()].map((some) => some.sort((one, other) => one.revision - other.revision));
}
