// Gives back to the vault what it lost and this device holds, and writes off what nobody has.
// Knows: which revisions a finished sync did not show, and what becomes of those that can't go back to their place
// (docs/spec/items.md). Refuses to know: passwords, and why the vault lost anything.

import { encodeText } from "../crypto_core/encoding.js";
import { CryptoCoreError, TemoinError, VerificationError } from "../crypto_core/errors.js";
import type { Checkpoint } from "../crypto_core/receipts/checkpoint.js";
import { parseReceipt } from "../crypto_core/receipts/receipt.js";
import { openRestorations, type Restoration } from "../crypto_core/receipts/restoration.js";
import { MAX_ROTATIONS_SIZE } from "../crypto_core/receipts/rotation.js";
import { NeedsPin } from "../crypto_core/sealing/keyring.js";
import type { PutRevision } from "../schemas/items.js";
import * as limits from "../schemas/limits.js";
import { LedgerForked, NetworkError, Refused, ServerFault, TrustError } from "./errors.js";
import type { Id } from "./items.js";
import type { Waiting } from "./outbox.js";
import type { Hash } from "./protocol/sync.js";
import type { Reader } from "./reader.js";
import type { ReceiptPlace } from "./receipts.js";
import type { Row } from "./replica.js";
import { RESTORATIONS, readPublished, type Session } from "./session.js";
import type { Synchroniser } from "./synchroniser.js";
import { SETTLING, batchesOf, missingBlobs, type Writer } from "./writer.js";

/** A file that the vault hasn't any more, and the item that goes on without it. Both names may be empty.
 *
 * `gap`: of a recording only so many segments are lost, from the number `first` on; one is about a second. The rest is kept. */
export interface LostFile {
  readonly item: Id;
  readonly title: string;
  readonly name: string;
  readonly gap?: { readonly first: number; readonly count: number };
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
  /** Whether the account went back as well: its password and PIN may be those from before again. */
  readonly recordOlder: boolean;
}

/** The same while it is being done. */
interface Settling extends Settled {
  givenBack: number;
  readonly anew: Id[];
  writtenOff: number;
  readonly files: LostFile[];
  left: TemoinError | null;
  recordOlder: boolean;
}

/** A row of which all that was sealed is here. */
type Held = Row & { readonly wrap: Uint8Array; readonly record: Uint8Array };

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
  /** Record hashes that stand nowhere any more. */
  readonly #gone = new Set<Hash>();
  #lostFiles: readonly LostFile[] = [];

  constructor(session: Session, reader: Reader, synchroniser: Synchroniser, writer: Writer) {
    this.#session = session;
    this.#reader = reader;
    this.#synchroniser = synchroniser;
    this.#writer = writer;
  }

  /** Files that items went on without in this session, but for what a warning's end gave back. */
  get lostFiles(): readonly LostFile[] {
    return this.#lostFiles;
  }

  /** Sends what the last sync should have shown, the very bytes, and says how many went. Whatever does not go is tried again
   * at the next opening, and keeps nobody from reading. */
  async giveBack(): Promise<number> {
    let given = 0;
    try {
      for await (const sent of this.#giveBack()) given += sent;
    } catch (error) {
      if (!isUnreached(error)) left(error);
    }
    return given;
  }

  /** What a person's word allows, before their warning goes: texts whose place is taken become items of their own, and what
   * is missing then is written off. Takes the sensitive tier to be open. Throws NetworkError or ServerFault. */
  async settle(): Promise<Settled> {
    const settled = nothingYet();
    await this.#settle(settled);
    return settled;
  }

  async #settle(settled: Settling): Promise<void> {
    const synchroniser = this.#synchroniser;
    try {
      if (!synchroniser.isFinished || (await this.#withheld()).length > 0) {
        this.#displaced.clear();
        await synchroniser.syncAnyhow(); // another device may have given the same back by now
      }
      for await (const sent of this.#giveBack()) settled.givenBack += sent;
      await this.#writeAnew(settled);
      if (this.#gone.size > 0) await synchroniser.syncAnyhow(); // what stands in their place is not lost
      if (settled.left === null) { // or what stands in a place that is still taken here would be called lost
        settled.writtenOff = await this.#writeOff();
      }
    } catch (error) {
      settled.left ??= left(error); // nobody is kept from ending a warning: with a full space, nothing could be deleted
    }
    const { replica } = this.#session;
    await replica.writing(() => replica.setFact(SETTLING, true));
  }

  /** Where a warning ended, or an item went without a file that the vault has lost, and not all that follows was done, does it
   * now, as far as nothing is in its way. */
  async finishAnyhow(): Promise<void> {
    if (!this.#session.replica.fact(SETTLING) || this.#session.warnings.any) return;
    const settled = nothingYet();
    try {
      await this.#settle(settled);
      await this.#complete(settled);
    } catch (error) {
      if (!isUnreached(error)) throw error; // tried again at the next opening
    }
    const told = new Set(this.#lostFiles.map(nameOf));
    const news = settled.files.filter((file) => !told.has(nameOf(file)));
    if (news.length > 0) this.#lostFiles = [...this.#lostFiles, ...news];
  }

  /** What follows once no warning stands, and after a sync: items go on without files that the vault hasn't, which are named
   * whether that works or not; receipts under a history that it doesn't go on with are asked for anew. What is locked is left
   * until the PIN is given. Throws NetworkError or ServerFault. */
  async complete(before: Settled): Promise<Settled> {
    const settled: Settling = { ...before, anew: [...before.anew], files: [...before.files] };
    await this.#complete(settled);
    return settled;
  }

  async #complete(settled: Settling): Promise<void> {
    const { replica } = this.#session;
    const [reason = null] = await this.#writer.flush(); // what was cut off waits there, and is not to be said again
    settled.left ??= reason;
    for (const row of replica.newestOfEach()) {
      try {
        await this.#leaveOutLost(row, settled);
      } catch (error) {
        settled.left ??= left(error);
      }
    }
    try {
      await this.#renewReceipts(settled.left === null);
    } catch (error) {
      settled.left ??= left(error);
    }
    if (settled.left === null) await replica.writing(() => replica.setFact(SETTLING, false));
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

  /** How many went, with each request. */
  async *#giveBack(): AsyncGenerator<number, void> {
    for (const batch of batchesOf(await this.#fitting(), ({ record }) => record.length)) {
      yield await this.#send(batch.filter(({ item }) => !this.#displaced.has(item)));
    }
  }

  /** How many are nowhere. */
  async #writeOff(): Promise<number> {
    const lost = await this.#synchroniser.missing(this.#gone);
    const hashes = [...lost].filter((hash) => hash !== "").sort(); // not of a link that could not be opened
    for (let start = 0; start < hashes.length; start += limits.LOST) {
      await this.#writer.writeOff(hashes.slice(start, start + limits.LOST));
    }
    return hashes.filter((hash) => !this.#gone.has(hash)).length; // what stands by itself now is not lost
  }

  /** What this device holds whole, and the last sync should have shown, in the order in which it came. */
  async #withheld(): Promise<readonly Held[]> {
    const { replica } = this.#session;
    await this.#synchroniser.loadLinks();
    return replica.notSeenIn(replica.fact("pass")).filter(isHeld)
      .filter((row) => this.#synchroniser.knownHash(row) !== "").sort((one, other) => one.seq - other.seq);
  }

  /** Of them, those whose place may be free, in the order in which they came, though none before the one that it follows.
   * Where the vault doesn't show what this device has before them, something else may stand there, and nothing goes on top
   * of that. */
  async #fitting(): Promise<readonly Held[]> {
    const { replica } = this.#session;
    const came: (readonly [seq: number, row: Held])[] = [];
    for (const rows of byItem(await this.#withheld())) {
      const { item, revision } = rows[0] as Held;
      const follows = revision === 1 || replica.row(item, revision - 1)?.pass === replica.fact("pass");
      if (!follows || rows.at(-1)?.revision !== revision - 1 + rows.length) this.#displaced.add(item);
      else if (!this.#displaced.has(item)) {
        let latest = 0;
        for (const row of rows) came.push([latest = Math.max(latest, row.seq), row]);
      }
    }
    return came.sort(([one], [other]) => one - other).map(([, row]) => row);
  }

  /** How many went. Where something else stands in the place of one, the others go by themselves. */
  async #send(rows: readonly Held[]): Promise<number> {
    while (rows.length > 0) {
      try {
        await this.#writer.sendAgain(rows.map((row) => this.#asSent(row)));
        return rows.length;
      } catch (error) {
        if (error instanceof LedgerForked) continue; // thrown once: the vault has them, and answers the same to the same bytes
        if (!(error instanceof Refused)) throw error;
        const missing = error.code === "blob_missing" ? this.#notKnownAbsent(error, rows) : [];
        for (const blob of missing) this.#absent.add(blob);
        if (missing.length > 0) continue;
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
    return 0;
  }

  /** Of the blobs that were sent with these, those that the vault says only now it hasn't. */
  #notKnownAbsent(refusal: Refused, rows: readonly Held[]): readonly Id[] {
    const missing = missingBlobs(refusal);
    return rows.flatMap(({ blobs }) => blobs).filter((blob) => missing.has(blob) && !this.#absent.has(blob));
  }

  #asSent({ item, revision, wrap, link, record, blobs, erases }: Held): PutRevision {
    return {
      item, revision, replaces: revision - 1, wrap, link, record, blobs: blobs.filter((blob) => !this.#absent.has(blob)),
      erases: erases === null ? null : [...erases],
    };
  }

  async #writeAnew(settled: Settling): Promise<void> {
    for (const rows of byItem((await this.#withheld()).filter(({ item }) => this.#displaced.has(item)))) {
      const texts = rows.filter(({ erases }) => erases === null);
      const letGo = (waiting: Waiting): Promise<void> => this.#letGo(rows[0]?.item ?? "", waiting);
      try {
        if (rows.at(-1)?.erases === null) settled.anew.push(await this.#writer.writeAnew(texts, letGo));
        else await letGo([]);
      } catch (error) {
        settled.left ??= left(error);
      }
    }
  }

  /** Of bytes whose place is taken, so that what stands there can be read here; and the next sync brings it. What was erased
   * before them goes along, or it would stand there as something that can't be opened. `waiting` is written with it. */
  async #letGo(item: Id, waiting: Waiting): Promise<void> {
    const { home, replica } = this.#session;
    const rows = replica.history(item).filter((row) => row.pass < replica.fact("pass"));
    for (const row of rows) {
      const hash = await this.#synchroniser.recordHash(row);
      if (hash !== null) this.#gone.add(hash);
      for (const [name, data] of [["record", row.record], ["wrap", row.wrap], ["link", row.link]] as const) {
        if (data !== null) await home.keepEvidence(name, data);
      }
    }
    await replica.writing(() => {
      for (const row of rows) replica.drop(row);
      replica.setFact("cursor", "");
    }, waiting);
  }

  /** One more revision of an item whose record names files that the vault hasn't. Throws NeedsPin while it is locked. */
  async #leaveOutLost(row: Row, settled: Settling): Promise<void> {
    const item = this.#reader.open(row);
    if (item.state === "locked") throw new NeedsPin();
    const lost = new Set<Id>();
    for (const blob of this.#reader.named(row)) {
      if (!row.blobs.includes(blob) && !(await this.#reader.receipts.hasBlob(blob))) lost.add(blob);
    }
    if (lost.size === 0) return;
    for (const { blob, name, parts } of item.contents) {
      const isLost = (parts?.map((part) => part.blob) ?? [blob]).some((one) => lost.has(one));
      if (isLost) settled.files.push({ item: item.id, title: item.title ?? "", name });
    }
    if (item.kind !== "extract") await this.#writer.leaveOut(row, lost); // which is made anew
  }

  /** Those whose tree is no beginning of the ledger any more, where the ledger has signed that it was set back. They are
   * looked through once more unless these are `all` of them. */
  async #renewReceipts(all: boolean): Promise<void> {
    const { replica } = this.#session;
    const told = await this.restorations();
    const records = told.slice(replica.fact("restorations"));
    if (records.length === 0) return;
    const size = Math.min(...records.map((record) => record.size));
    const known = new Map<string, Promise<boolean>>();
    for (const row of replica.since(0)) {
      for (const place of this.#reader.receiptPlaces(row)) {
        const held = await replica.receipt(place.name);
        const note = held === null ? null : noteOf(held);
        const tree = note === null ? null : this.#tree(note);
        if (held === null || note === null || tree === null || tree.size <= size) continue;
        const fits = known.get(note) ?? this.#session.isOfThisLedger(tree);
        known.set(note, fits);
        if (!(await fits)) await this.#renew(place, held);
      }
    }
    if (all) await replica.writing(() => replica.setFact("restorations", told.length));
  }

  async #renew(place: ReceiptPlace, held: string): Promise<void> {
    const { home, replica } = this.#session;
    try {
      const { receipt } = await this.#session.ask("GET", place.path, { places: place.places });
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
}

/** Why one thing may be left to be done, while others go on; anything else is thrown on. */
function left(error: unknown): TemoinError {
  const reasons = [Refused, CryptoCoreError, TrustError, NeedsPin];
  if (error instanceof TemoinError && reasons.some((reason) => error instanceof reason)) return error;
  throw error;
}

function nothingYet(): Settling {
  return { givenBack: 0, anew: [], writtenOff: 0, files: [], left: null, recordOlder: false };
}

function nameOf({ item, name }: LostFile): string {
  return `${item}/${name}`;
}

function isUnreached(error: unknown): boolean {
  return error instanceof NetworkError || error instanceof ServerFault;
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
  for (const row of rows) {
    const some = items.get(row.item);
    if (some === undefined) items.set(row.item, [row]);
    else some.push(row);
  }
  return [...items.values()].map((some) => some.sort((one, other) => one.revision - other.revision));
}
