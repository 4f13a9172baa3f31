// What this device has received of an account: sealed rows, as they came, mirrored in memory.
// Knows: pages of rows in a Store, and which bytes under one id may take the place of which.
// Refuses to know: keys; all of it is sealed.
// A record that the vault says is erased is kept here until the account's own tombstones explain it.
//
// Rows lie many to a page, so that two thousand of them are read in one transaction; a page that changed is written
// whole. Other tabs write too: `refresh` takes in what they did. Under the account's lock it comes before anything is
// written; a receipt alone may be kept without.

import { formatHex, isSame, parseB64url } from "../crypto_core/encoding.js";
import { MalformedError, OutOfOrder } from "../crypto_core/errors.js";
import type { AccountHome, Changes } from "./home.js";
import type { Id } from "./items.js";
import { placeKey, type Hash, type PlaceKey } from "./protocol/sync.js";

/** A page is full at this many bytes, whatever its last row has. */
const PAGE_BYTES = 256 * 1024;
const ROW_BYTES = 256; // what a row takes beside its sealed bytes, roughly

/** One revision. `wrap` and `record` are null once erased; `gone`: the vault no longer gives them. */
export interface Row {
  /** Its place in the order in which this device got to know it. */
  readonly seq: number;
  readonly item: Id;
  readonly revision: number;
  readonly deposited: number;
  readonly wrap: Uint8Array | null;
  readonly link: Uint8Array;
  readonly record: Uint8Array | null;
  readonly blobs: readonly Id[];
  /** What a tombstone takes with it, null for any other revision. */
  readonly erases: readonly Id[] | null;
  readonly gone: boolean;
  /** The last full pass that showed it. */
  readonly pass: number;
}

/** A revision as the vault shows it (schemas.items.Revision) or as this device made it. */
export interface Received {
  readonly item: Id;
  readonly revision: number;
  readonly deposited: number;
  readonly wrap: Uint8Array | null;
  readonly link: Uint8Array;
  readonly record: Uint8Array | null;
  readonly blobs: readonly (Id | { readonly blob: Id })[];
  readonly erases: readonly Id[] | null;
}

/** Small things to remember. */
export interface Facts {
  /** The newest account record that was trusted, 0 for none, and the SHA-256 of its sealed bytes. */
  readonly account_n: number;
  readonly account_hash: Hash | null;
  /** The newest one that could be read here: its sealed bytes and number. */
  readonly account_record: Uint8Array | null;
  readonly account_record_n: number;
  /** Where the next page of a synchronisation begins, and whose cursor that is. */
  readonly cursor: string;
  readonly generation: Id | null;
  /** The number of the full pass that is under way or over. */
  readonly pass: number;
  /** Whether something was written that the account record doesn't know. */
  readonly dirty: boolean;
  /** Whether a warning has ended, or an item went without a file, and what follows (sdk/redeposit.ts) is not done yet. */
  readonly settling: boolean;
  /** To how many records of restorations the receipts here were compared. */
  readonly restorations: number;
}

const NO_FACTS: Facts = {
  account_n: 0, account_hash: null, account_record: null, account_record_n: 0, cursor: "", generation: null, pass: 0,
  dirty: false, settling: false, restorations: 0,
};

/** What is kept beside the pages: how often each page was written, by its number, and the rest. */
interface Header {
  readonly written: readonly number[];
  readonly seq: number;
  readonly facts: Facts;
}

const NOTHING: Header = { written: [], seq: 0, facts: NO_FACTS };

interface Batch {
  readonly pages: Set<number>;
  /** Null for one that goes. */
  readonly receipts: Map<string, string | null>;
  header: boolean;
}

/** The rows of one account. Everything is changed inside of `writing`, and read at once from memory. */
export class Replica {
  readonly #home: AccountHome;
  #facts = NO_FACTS;
  #seq = 0;
  #written: number[] = [];
  /** Number of a page → its rows by `seq`, in order. */
  #pages: Map<number, Row>[] = [];
  readonly #bytes: number[] = [];
  readonly #items = new Map<Id, Map<number, Row>>();
  readonly #pageOf = new Map<PlaceKey, number>();
  #batch: Batch | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(home: AccountHome) {
    this.#home = home;
  }

  /** What is kept of an account, read into memory. Throws MalformedError if it was damaged, DeviceFailed. */
  static async open(home: AccountHome): Promise<Replica> {
    const replica = new Replica(home);
    await replica.#load();
    return replica;
  }

  /** Lets go of everything in memory. */
  close(): void {
    this.#clear();
  }

  /** Takes in what other tabs wrote. Under the account's lock. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      const header = parseHeader(await this.#home.store.get(this.#home.key("rows")));
      const stale = header.written.flatMap((count, page) => (count === this.#written[page] ? [] : [page]));
      const pages = await Promise.all(stale.map((page) => this.#home.store.get(this.#pageKey(page))));
      stale.forEach((page, place) => this.#take(page, parsePage(pages[place])));
      this.#keep(header);
    });
  }

  /** One transaction: all of `act` on disk once this resolves, or nothing; and with it `also`, under keys of others. */
  writing<T>(act: () => T, also: Changes["put"] = []): Promise<T> {
    return this.#inTurn(async () => {
      this.#batch = { pages: new Set(), receipts: new Map(), header: false };
      try {
        const result = act();
        await this.#commit(this.#batch, also);
        return result;
      } catch (error) {
        this.#clear();
        await this.#load();
        throw error;
      } finally {
        this.#batch = null;
      }
    });
  }

  /** Takes one revision in; false if it contradicts what is here: bytes that are here are never overwritten. `blobs` are those
   * that the vault has now, as long as it has the record. */
  receive(revision: Received, pass: number): boolean {
    const known = this.row(revision.item, revision.revision);
    const gone = revision.record === null;
    const named = revision.blobs.map((one) => (typeof one === "string" ? one : one.blob));
    if (known === null) {
      this.#seq += 1;
      this.#insert({
        seq: this.#seq, item: revision.item, revision: revision.revision, deposited: revision.deposited,
        wrap: revision.wrap, link: revision.link, record: revision.record,
        blobs: named, erases: revision.erases,
        gone, pass,
      });
      return true;
    }
    if (!agrees(known, revision)) return false;
    const [wrap, record] = [known.wrap ?? revision.wrap, known.record ?? revision.record]; // what is missing is filled in
    const blobs = gone || named.join() === known.blobs.join() ? known.blobs : named;
    const isNews = known.pass !== pass || known.gone !== gone || known.wrap !== wrap || known.record !== record;
    if (isNews || known.blobs !== blobs) this.#replace({ ...known, pass, gone, wrap, record, blobs });
    return true;
  }

  /** Lets go of a record that the account itself has ended, and with it of the keys of its contents; and of the
   * receipts of whatever nothing else here holds. */
  erase(row: Row): void {
    this.#replace({ ...row, wrap: null, record: null });
    const held = this.#all().filter((one) => one.record !== null);
    const alone = row.blobs.filter((blob) => !held.some((one) => one.blobs.includes(blob)));
    for (const name of [recordName(row.item, row.revision), ...alone.map(blobName)]) {
      this.#begun().receipts.set(name, null);
    }
  }

  /** Lets go of bytes that were never what they should be, so that others may take their place. */
  drop(row: Row): void {
    const page = this.#pageOf.get(placeKey([row.item, row.revision]));
    if (page === undefined || this.#pages[page]?.get(row.seq) === undefined) return;
    this.#begun().pages.add(page);
    this.#pages[page].delete(row.seq);
    this.#unindex(row);
  }

  /** One revision, null if it isn't here. */
  row(item: Id, revision: number): Row | null {
    return this.#items.get(item)?.get(revision) ?? null;
  }

  /** The newest revision of an item, null if there is none. */
  newest(item: Id): Row | null {
    return this.history(item).at(-1) ?? null;
  }

  /** Every revision of an item, the oldest first. */
  history(item: Id): readonly Row[] {
    return [...(this.#items.get(item)?.values() ?? [])].sort((one, other) => one.revision - other.revision);
  }

  /** The newest revision of every item, in the order in which items began. */
  newestOfEach(): readonly Row[] {
    const begun = (rows: readonly Row[]): number => Math.min(...rows.map((row) => row.seq));
    return [...this.#items.keys()].map((item) => this.history(item)).sort((one, other) => begun(one) - begun(other))
      .flatMap((rows) => rows.slice(-1));
  }

  /** Every revision that came after the row `seq`, in that order. */
  since(seq: number): readonly Row[] {
    return this.#all().filter((row) => row.seq > seq);
  }

  /** Revisions that came without their record. */
  gone(): readonly Row[] {
    return this.#all().filter((row) => row.gone);
  }

  /** Revisions that the vault was told are tombstones. */
  tombstones(): readonly Row[] {
    return this.#all().filter((row) => row.erases !== null && row.record !== null);
  }

  /** Revisions that a full pass did not show. */
  notSeenIn(pass: number): readonly Row[] {
    return this.#all().filter((row) => row.pass < pass);
  }

  /** Whether a revision names this blob. */
  names(blob: Id): boolean {
    return this.#all().some((row) => row.blobs.includes(blob));
  }

  /** A receipt that verified, under its blob's name. */
  keepReceipt(name: string, receipt: string): void {
    this.#begun().receipts.set(name, receipt);
  }

  /** A receipt kept before, null if there is none. */
  async receipt(name: string): Promise<string | null> {
    const kept = await this.#home.store.get(this.#home.key("receipts", name));
    return typeof kept === "string" ? kept : null;
  }

  /** One small thing to remember. */
  setFact<N extends keyof Facts>(name: N, value: Facts[N]): void {
    this.#begun().header = true;
    this.#facts = { ...this.#facts, [name]: value };
  }

  /** The newest account record seen: its number and hash; and its sealed bytes, where they can be read. */
  rememberAccount(n: number, hash: Hash, readable: Uint8Array | null): void {
    this.setFact("account_n", n);
    this.setFact("account_hash", hash);
    if (readable === null) return;
    this.setFact("account_record", readable);
    this.setFact("account_record_n", n);
  }

  /** What was set under this name last. */
  fact<N extends keyof Facts>(name: N): Facts[N] {
    return this.#facts[name];
  }

  #all(): Row[] {
    return this.#pages.flatMap((rows) => [...rows.values()]);
  }

  #insert(row: Row): void {
    if ((this.#bytes.at(-1) ?? PAGE_BYTES) >= PAGE_BYTES) this.#take(this.#pages.length, []);
    this.#put(row, this.#pages.length - 1);
  }

  #replace(row: Row): void {
    const page = this.#pageOf.get(placeKey([row.item, row.revision]));
    if (page !== undefined) this.#put(row, page);
  }

  #put(row: Row, page: number): void {
    this.#begun().pages.add(page);
    this.#index(row, page);
  }

  #index(row: Row, page: number): void {
    this.#pages[page]?.set(row.seq, row);
    this.#bytes[page] = (this.#bytes[page] ?? 0) + bytesOf(row);
    this.#pageOf.set(placeKey([row.item, row.revision]), page);
    const revisions = this.#items.get(row.item);
    if (revisions === undefined) this.#items.set(row.item, new Map([[row.revision, row]]));
    else revisions.set(row.revision, row);
  }

  #unindex(row: Row): void {
    this.#pageOf.delete(placeKey([row.item, row.revision]));
    const revisions = this.#items.get(row.item);
    revisions?.delete(row.revision);
    if (revisions?.size === 0) this.#items.delete(row.item);
  }

  #begun(): Batch {
    if (this.#batch === null) throw new OutOfOrder("a change outside of `writing`");
    return this.#batch;
  }

  async #commit(batch: Batch, also: Iterable<readonly [key: string, value: unknown]>): Promise<void> {
    const put = [...also];
    const gone: string[] = [];
    for (const [name, text] of batch.receipts) {
      const key = this.#home.key("receipts", name);
      if (text === null) gone.push(key);
      else put.push([key, text]);
    }
    for (const page of batch.pages) {
      this.#written[page] = (this.#written[page] ?? 0) + 1;
      put.push([this.#pageKey(page), [...(this.#pages[page]?.values() ?? [])]]);
    }
    if (batch.header || batch.pages.size > 0) {
      const header: Header = { written: this.#written, seq: this.#seq, facts: this.#facts };
      put.push([this.#home.key("rows"), header]);
    }
    if (put.length > 0 || gone.length > 0) await this.#home.store.write({ put, delete: gone });
  }

  async #load(): Promise<void> {
    const [first, ...pages] = await this.#home.list("rows");
    this.#keep(parseHeader(first?.[1]));
    pages.forEach(([, rows], page) => this.#take(page, parsePage(rows)));
  }

  #keep(header: Header): void {
    this.#written = [...header.written];
    this.#seq = header.seq;
    this.#facts = header.facts;
  }

  /** These rows are what the page has from now on. */
  #take(page: number, rows: readonly Row[]): void {
    for (const row of this.#pages[page]?.values() ?? []) this.#unindex(row);
    this.#pages[page] = new Map();
    this.#bytes[page] = 0;
    for (const row of rows) this.#index(row, page);
  }

  #clear(): void {
    this.#keep(NOTHING);
    this.#pages = [];
    this.#bytes.length = 0;
    this.#items.clear();
    this.#pageOf.clear();
  }

  #pageKey(page: number): string {
    return this.#home.key("rows", String(page).padStart(6, "0"));
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(act, act);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

/** What a record's receipt is kept under, and what its sealed file is called in an export: `<item>-<revision>`. */
export function recordName(item: Id, revision: number): string {
  return `${blobName(item)}-${revision}`;
}

/** What a content's receipt is kept under, and what its sealed file is called in an export: its id in hexadecimal. */
export function blobName(blob: Id): string {
  return formatHex(parseB64url(blob));
}

function agrees(known: Row, revision: Received): boolean {
  const same = (old: Uint8Array | null, come: Uint8Array | null): boolean =>
    old === null || come === null || isSame(old, come);
  return isSame(known.link, revision.link) && same(known.wrap, revision.wrap) && same(known.record, revision.record);
}

function bytesOf(row: Row): number {
  return ROW_BYTES + row.link.length + (row.wrap?.length ?? 0) + (row.record?.length ?? 0);
}

function parseHeader(kept: unknown): Header {
  if (kept === undefined) return NOTHING;
  const header = kept as Header;
  if (!Array.isArray(header.written) || typeof header.seq !== "number" || typeof header.facts !== "object") {
    throw new MalformedError("not what this device keeps of its rows");
  }
  return header;
}

function parsePage(kept: unknown): readonly Row[] {
  if (!Array.isArray(kept)) throw new MalformedError("not a page of rows");
  return kept as Row[];
}
