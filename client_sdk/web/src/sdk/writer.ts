// Seals what a person writes, keeps it in the outbox, sends it, and calls it kept when its receipt verified.
// Knows: protocol §4's order (outbox, request, receipts, replica), what a conflict leads to. Refuses to know: passwords.
// Nobody's text is dropped: what was refused stays sealed in the outbox, what conflicted goes on top of the newer one.

import * as v from "valibot";

import { encodeText, formatB64url, formatJson, parseB64url, parseJson } from "../crypto_core/encoding.js";
import { TemoinError, UnsupportedVersion, VerificationError } from "../crypto_core/errors.js";
import { makeId } from "../crypto_core/randomness.js";
import { NeedsPin, wrapRecordKey } from "../crypto_core/sealing/keyring.js";
import { MAX_PARENTS, makeRecordKey, sealLink, sealRecord } from "../crypto_core/sealing/records.js";
import { KINDS, VERSION, dumpDocument, type Segments } from "../schemas/documents.js";
import { id } from "../schemas/fields.js";
import type { PutRevision } from "../schemas/items.js";
import * as limits from "../schemas/limits.js";
import { sha256 } from "./digest.js";
import { ItemUnknown, NoteTooLong, Refused, ServerFault, TrustError, ValueRefused } from "./errors.js";
import type { Extract } from "./extract.js";
import {
  EMPTY_DRAFT, type Content, type Deletion, type Draft, type Id, type Item, type Kept, type Sent,
} from "./items.js";
import { Outbox, type Entry, type Waiting } from "./outbox.js";
import { Finding, placeKey, type Hash } from "./protocol/sync.js";
import type { Reader } from "./reader.js";
import { recordName, type Row } from "./replica.js";
import type { Session } from "./session.js";
import type { Synchroniser } from "./synchroniser.js";

const ITEMS = "/v1/items";
/** The replica's fact: true from when a warning ended, or an item went without a file, until what follows is done. */
export const SETTLING = "settling";
/** How often in a row another device may be first before this is called a refusal. */
const REBASES = 5;
const ERASURE_DELAY = 7 * 86_400;
const IDS = v.array(id());

/** What a person may write; a tombstone is made by deleting. */
export type Written = "journal" | "document" | "assessment" | "received";
export type Answers = Readonly<Record<string, boolean>>;

/** One revision before it is sealed. `erases`: the blobs that go with a tombstone, null for anything else. */
export interface Writing {
  readonly item: Id;
  readonly revision: number;
  readonly json: Uint8Array;
  readonly sensitive: boolean;
  readonly blobs: readonly Id[];
  readonly erases: readonly Id[] | null;
}

/** Has the outbox keep what is written now, in the place of the draft under a key, if there is one: from then on it is
 * sent from there, whatever happens. */
export type Keeping = (keep: (draft?: string) => Promise<Entry>) => Promise<Entry>;
const WITHOUT_DRAFT: Keeping = (keep) => keep();

/** Writes for one session. Used under the account's lock. */
export class Writer {
  readonly #session: Session;
  readonly #reader: Reader;
  readonly #synchroniser: Synchroniser;
  readonly #outbox: Outbox;
  /** Items that were begun by `writeAnew`: more revisions of them change nothing that stood before. */
  readonly #anew = new Set<Id>();

  constructor(session: Session, reader: Reader, synchroniser: Synchroniser) {
    this.#session = session;
    this.#reader = reader;
    this.#synchroniser = synchroniser;
    this.#outbox = new Outbox(session.home, session.keyring);
  }

  /** New items, one for each draft, in batches as large as the wire allows. */
  async add(
    drafts: readonly Draft[], kind: Written, sensitive: boolean, contents: readonly Content[] = [],
    answers: Answers | null = null, keeping?: Keeping,
  ): Promise<readonly Kept[]> {
    const blobs = blobsOf(contents).map((one) => one.blob);
    const writings = drafts.map((draft): Writing => ({
      item: formatB64url(makeId()), revision: 1, json: this.#record(kind, draft, contents, answers), sensitive, blobs,
      erases: null,
    }));
    const kept: Kept[] = [];
    for (const batch of batchesOf(writings, roomOf)) kept.push(...(await this.#deposit(batch, keeping)));
    return kept;
  }

  /** A part of an item as an item of its own, behind the PIN as that is. Files that it keeps go as they are. */
  extract({ draft, contents, of, masked }: Extract, sensitive: boolean, keeping?: Keeping): Promise<Kept> {
    const json = this.#json("extract", draft, contents, { of, masked: [...masked] });
    const blobs = blobsOf(contents).map((one) => one.blob);
    return this.#depositOne({ item: formatB64url(makeId()), revision: 1, json, sensitive, blobs, erases: null }, keeping);
  }

  /** The next revision of an item: what it says now, with changes, and with more contents. */
  async edit(
    id: Id, changes: Partial<Draft>, contents: readonly Content[] = [], keeping?: Keeping,
  ): Promise<Kept> {
    this.#session.warnings.requireNone();
    const item = this.editable(id);
    const both = [...item.contents, ...contents];
    const json = this.#record(item.kind as Written, edited(item, changes), both, item.answers, item.sent);
    return this.#depositOne({
      item: item.id, revision: item.revision + 1, json, sensitive: item.sensitive, blobs: named(item.sent, both),
      erases: null,
    }, keeping);
  }

  /** A deposit of somebody else becomes an item: the vault takes it for accepted with the same request. Nothing of it is
   * sealed anew, so that its receipts stay its own. */
  receive(sent: Sent, contents: readonly Content[]): Promise<Kept> {
    const json = this.#record("received", EMPTY_DRAFT, contents, null, sent);
    return this.#depositOne({
      item: formatB64url(makeId()), revision: 1, json, sensitive: false, blobs: named(sent, contents), erases: null,
    });
  }

  /** The first revision of a recording, before anything of it is there. */
  begin(id: Id, draft: Draft, sensitive: boolean, joined: Content): Promise<Kept> {
    const json = this.#record("document", draft, [joined], null);
    return this.#depositOne({ item: id, revision: 1, json, sensitive, blobs: [], erases: null });
  }

  /** The next revision of a recording, which names its segments. What else is said of it is as it was changed meanwhile;
   * `draft` where that can't be read without the PIN. Where it can't be kept nothing waits: whoever has the
   * segments says it again. */
  async close(id: Id, draft: Draft | null, sensitive: boolean, joined: Content): Promise<Kept> {
    const item = this.#reader.item(id, null);
    const now = draft === null || item.state === "open" ? edited(item, { written: item.written }) : draft;
    const contents = [joined, ...item.contents.filter((one) => one.parts === undefined)];
    const begun: Entry[] = [];
    try {
      return await this.#depositOne({
        item: item.id, revision: item.revision + 1, json: this.#record("document", now, contents, null), sensitive,
        blobs: blobsOf(contents).map((one) => one.blob), erases: null,
      }, async (keep) => {
        begun.push(await keep());
        return begun[0] as Entry;
      });
    } catch (error) {
      for (const entry of begun) await this.#outbox.remove(entry);
      throw error;
    }
  }

  /** Whether this can be kept, asked before its files are sent. Throws NoteTooLong, ValueRefused, or NeedsPin while
   * nobody has told this device the key of the drop-box. */
  requireKeepable(draft: Draft, kind: Written, sensitive: boolean, answers: Answers | null): void {
    this.#record(kind, draft, [], answers);
    if (sensitive) void this.#session.keyring.pkS;
  }

  /** The same for an edit; gives whether the item is sensitive. Throws as `editable` does, too, or Untrusted. */
  requireEditable(id: Id, changes: Partial<Draft>): boolean {
    this.#session.warnings.requireNone();
    const item = this.editable(id);
    this.#record(item.kind as Written, edited(item, changes), [], item.answers, item.sent);
    if (item.sensitive) void this.#session.keyring.pkS;
    return item.sensitive;
  }

  /** An item, if it can be edited here and now. Throws ItemUnknown, NeedsPin, UnsupportedVersion, or ValueRefused for an
   * extract: what was made for a reader is made anew. */
  editable(id: Id): Item {
    const item = requireOpen(this.#reader.item(id, null));
    if (item.kind === "extract") throw new ValueRefused("an extract is made anew, not changed");
    return item;
  }

  /** A tombstone over every revision. Throws Refused `revision_conflict` if another device wrote meanwhile. */
  async delete(id: Id): Promise<Deletion> {
    const session = this.#session;
    session.warnings.requireNone();
    this.#reader.item(id, null);
    const rows = session.replica.history(id);
    const hashes = await Promise.all(rows.map((row) => this.#synchroniser.recordHash(row)));
    const ends = hashes.filter((hash) => hash !== null);
    const erases = [...new Set(rows.flatMap((row) => row.blobs))].slice(0, limits.BLOBS_PER_REVISION);
    const json = formatJson(dumpDocument({
      v: VERSION, kind: "tombstone", ends: ends.map((hash) => parseB64url(hash)), written: session.clock(),
      after: session.trust.newest,
    }));
    const revision = (rows.at(-1)?.revision ?? 0) + 1;
    const kept = await this.#depositOne({ item: id, revision, json, sensitive: false, blobs: [], erases });
    return { id: kept.id, revision, erasedAfter: kept.deposited + ERASURE_DELAY, receipt: kept.receipt };
  }

  /** A deleted item's last text as its next revision. Throws ItemUnknown if it was erased or isn't deleted. */
  async restore(id: Id): Promise<Kept> {
    this.#session.warnings.requireNone();
    const rows = this.#session.replica.history(id);
    const last = rows.at(-1);
    if (last === undefined || this.#reader.open(last).kind !== "tombstone") throw new ItemUnknown("not deleted");
    const text = rows.findLast((row) => row.erases === null && row.record !== null && !row.gone);
    if (text === undefined) throw new ItemUnknown("erased");
    const [json, sensitive] = this.#reader.recordJson(text);
    return this.#depositOne({
      item: id, revision: last.revision + 1, json, sensitive, blobs: text.blobs, erases: null,
    });
  }

  /** A `loss`: nobody asks for the records of these hashes any more, at most limits.LOST. */
  async writeOff(hashes: readonly Hash[]): Promise<void> {
    const { clock, trust } = this.#session;
    const json = formatJson(dumpDocument({
      v: VERSION, kind: "loss", lost: hashes.map((hash) => parseB64url(hash)), written: clock(), after: trust.newest,
    }));
    await this.#depositOne({ item: formatB64url(makeId()), revision: 1, json, sensitive: false, blobs: [], erases: [] });
  }

  /** What revisions of one item say, as the revisions of a new one; gives its id. `letGo` makes the one write in which all of
   * it begins to wait on this device, whatever else it writes. Throws NeedsPin for a sensitive one. */
  async writeAnew(rows: readonly Row[], letGo: (waiting: Waiting) => Promise<void>): Promise<Id> {
    const item = formatB64url(makeId());
    this.#anew.add(item);
    const writings = rows.map((row, at): Writing => {
      const [json, sensitive] = this.#reader.recordJson(row);
      return { item, revision: at + 1, json, sensitive, blobs: row.blobs, erases: null };
    });
    const batches: (readonly PutRevision[])[] = [];
    for (const batch of batchesOf(writings, roomOf)) batches.push(await this.#sealed(batch));
    const entries = await this.#outbox.keepAll(batches, letGo);
    for (const entry of entries) await this.#send(entry, null);
    return item;
  }

  /** One more revision of an item, without files that the vault hasn't any more. Where it is refused nothing waits: it is said
   * again by whoever finds them missing. Throws Refused, or NeedsPin for a sensitive one. */
  async leaveOut(row: Row, lost: ReadonlySet<Id>): Promise<void> {
    const [json, sensitive] = this.#reader.recordJson(row);
    const blobs = [...new Set([...row.blobs, ...this.#reader.named(row)])];
    const writing = without({ item: row.item, revision: row.revision + 1, json, sensitive, blobs, erases: null }, lost);
    const entry = await this.#outbox.keep(await this.#sealed([writing]));
    try {
      await this.#send(entry, [writing]);
    } catch (error) {
      if (error instanceof Refused) await this.#outbox.remove(entry);
      throw error;
    }
  }

  /** Revisions that were kept once, as they were. Their receipts take the place of those of before, which are evidence then.
   * Throws Refused. */
  async sendAgain(revisions: readonly PutRevision[]): Promise<void> {
    const { home, replica } = this.#session;
    const answer = await this.#session.ask("POST", ITEMS, { body: { revisions: [...revisions] } });
    const kept = await this.#allVerified(revisions, answer.revisions, false);
    for (const { id, revision, receipt } of kept) {
      const held = await replica.receipt(recordName(id, revision));
      if (held !== null && held !== receipt) await home.keepEvidence("receipt", encodeText(held));
    }
    await this.#takeIn(revisions, kept);
  }

  /** Sends what waits, the oldest first and byte for byte; gives back why some of it still waits.
   *
   * Throws NetworkError or ServerFault, after which nothing is lost. */
  async flush(): Promise<readonly TemoinError[]> {
    const reasons: TemoinError[] = [];
    for (const entry of await this.#outbox.entries()) {
      try {
        await this.#send(entry, null);
      } catch (error) {
        reasons.push(stays(error));
      }
    }
    return reasons;
  }

  /** What waits, as a person sees it; deposited at no time yet. */
  async waiting(): Promise<readonly Item[]> {
    const entries = await this.#outbox.entries();
    return entries.flatMap((entry) => entry.revisions.map((one) => this.#reader.open(rowOf(one))));
  }

  #record(
    kind: Written, draft: Draft, contents: readonly Content[], answers: Answers | null, sent: Sent | null = null,
  ): Uint8Array {
    const more = { ...(kind === "assessment" ? { answers } : {}), ...(kind === "received" ? { sent } : {}) };
    return this.#json(kind, draft, contents, more);
  }

  /** `more`: what a record of this kind says besides. */
  #json(kind: Written | "extract", draft: Draft, contents: readonly Content[], more: object): Uint8Array {
    const { text, title, happened, written, place, people, tags, danger, mood, category } = draft;
    const joined = contents.find((one) => one.parts !== undefined);
    const segments = joined === undefined ? null : segmentsOf(joined);
    const sealed = kind === "document" && joined !== undefined ? "recording" : kind;
    const value = dumpDocument({
      v: VERSION, kind: sealed, title, text, happened, written: written ?? this.#session.clock(), place, people, tags,
      danger, mood, category, contents: blobsOf(contents), after: this.#session.trust.newest, ...more,
      ...(sealed === "recording" || sealed === "extract" ? { segments } : {}),
    });
    const loaded = v.safeParse(KINDS[sealed], value);
    if (!loaded.success) {
      if (Array.from(text).length > limits.TEXT) throw new NoteTooLong();
      const names = new Set(loaded.issues.map((issue) => String(issue.path?.[0]?.key ?? kind)));
      throw new ValueRefused([...names].sort().join(", "));
    }
    return formatJson(value);
  }

  async #depositOne(writing: Writing, keeping?: Keeping): Promise<Kept> {
    const [kept] = await this.#deposit([writing], keeping);
    if (kept === undefined) throw new ServerFault("an answer about other revisions");
    return kept;
  }

  async #deposit(writings: readonly Writing[], keeping = WITHOUT_DRAFT): Promise<readonly Kept[]> {
    const revisions = await this.#sealed(writings);
    const waiting = await this.#outbox.entries();
    const entry = await keeping((draft) => this.#outbox.keep(revisions, draft));
    for (const older of waiting) {
      try {
        await this.#send(older, null);
      } catch (error) {
        stays(error); // told at the next opening; what is written now must not wait for it
      }
    }
    return this.#send(entry, writings);
  }

  /** The revisions as they go. Each link names what no link names yet; in a batch, the one before. */
  async #sealed(writings: readonly Writing[]): Promise<readonly PutRevision[]> {
    const { keyring, state } = this.#session;
    const links = await this.#synchroniser.loadLinks();
    let heads = links.heads.map((hash) => parseB64url(hash));
    return writings.map((writing) => {
      const [item, { revision }] = [parseB64url(writing.item), writing];
      const key = makeRecordKey();
      const record = sealRecord(key, item, revision, writing.json);
      if (record.length > limits.RECORD) throw new NoteTooLong();
      const recordHash = sha256(record);
      const link = { accountN: BigInt(state.n), recordHash, parents: heads.slice(0, MAX_PARENTS) };
      heads = [...heads.slice(MAX_PARENTS), recordHash];
      return {
        item: writing.item, revision, replaces: revision - 1,
        wrap: wrapRecordKey(keyring, item, revision, key, writing.sensitive),
        link: sealLink(keyring.mkN, item, revision, link), record, blobs: [...writing.blobs],
        erases: writing.erases === null ? null : [...writing.erases],
      };
    });
  }

  /** Sends one batch; after a conflict, what it says on top of what is there now. `known` is null for a batch that has waited,
   * which goes without the files that the vault lost meanwhile. */
  async #send(first: Entry, known: readonly Writing[] | null): Promise<readonly Kept[]> {
    let [entry, writings, conflict] = [first, known, false];
    const begun = new Set([...this.#anew, ...entry.revisions.filter((one) => one.replaces === 0).map((one) => one.item)]);
    if (entry.revisions.some((one) => !begun.has(one.item))) this.#session.warnings.requireNone();
    for (let tries = 0; tries < REBASES; tries += 1) {
      try {
        const answer = await this.#session.ask("POST", ITEMS, { body: entry.body });
        return await this.#acknowledge(entry, answer.revisions, conflict);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (entry.revisions.some((one) => one.erases !== null)) {
          await this.#outbox.remove(entry); // a deletion that was refused is asked for anew, never repeated alone
          throw error;
        }
        const erased = this.#gone(error, entry);
        if (error.code !== "revision_conflict" && erased.size === 0) {
          const lost = error.code === "blob_missing" && known === null ? missingBlobs(error) : new Set<Id>();
          if (!entry.revisions.some(({ blobs }) => blobs.some((blob) => lost.has(blob)))) throw error;
          entry = await this.#notNaming(entry, lost);
          continue;
        }
        const unsealed = writings ?? this.#unsealed(entry);
        writings = erased.size > 0 ? unsealed.map((one) => without(one, erased)) : await this.#rebased(unsealed);
        entry = await this.#outbox.replace(entry, await this.#sealed(writings));
        conflict = true;
      }
    }
    throw new Refused(
      "revision_conflict", 409, "Other devices keep changing this. Wait a moment, then save it again.",
    );
  }

  /** The very bytes, without files outside that the vault hasn't; inside, the records go on naming them. What becomes of the
   * items then is left to be done (sdk/redeposit.ts). */
  async #notNaming(entry: Entry, lost: ReadonlySet<Id>): Promise<Entry> {
    const { replica } = this.#session;
    await replica.writing(() => replica.setFact(SETTLING, true));
    const revisions = entry.revisions.map((one) => ({ ...one, blobs: one.blobs.filter((blob) => !lost.has(blob)) }));
    return this.#outbox.replace(entry, revisions);
  }

  /** The blobs that the vault misses, if each of them went with an item that this account deleted, or was kept once with the
   * revision before: what was sent only now is never left out. */
  #gone(refusal: Refused, { revisions }: Entry): ReadonlySet<Id> {
    if (refusal.code !== "blob_missing") return new Set();
    const { replica } = this.#session;
    const known = new Set(replica.tombstones().flatMap((row) => row.erases ?? []));
    for (const { item, replaces } of revisions) {
      const before = replaces > 0 ? replica.newest(item) : null;
      for (const blob of before === null ? [] : this.#reader.wentWith(before)) known.add(blob);
    }
    const missing = missingBlobs(refusal);
    return [...missing].every((blob) => known.has(blob)) ? missing : new Set();
  }

  async #rebased(writings: readonly Writing[]): Promise<readonly Writing[]> {
    await this.#synchroniser.sync();
    this.#session.warnings.requireNone();
    return writings.map((writing) => this.#onTop(writing, this.#session.replica.newest(writing.item)));
  }

  #onTop(writing: Writing, newest: Row | null): Writing {
    if (newest === null || newest.revision < writing.revision) return writing;
    if (this.#reader.open(newest).kind === "tombstone") {
      return { ...writing, item: formatB64url(makeId()), revision: 1 };
    }
    return { ...writing, revision: newest.revision + 1 };
  }

  /** What a batch of an earlier run says. Throws NeedsPin for a sensitive one until the PIN is given. */
  #unsealed(entry: Entry): readonly Writing[] {
    return entry.revisions.map(({ item, revision, wrap, record, blobs }) => {
      const [json, sensitive] = this.#reader.recordJson({ item, revision, wrap, record });
      return { item, revision, json, sensitive, blobs, erases: null };
    });
  }

  async #acknowledge(
    entry: Entry, answers: readonly Answered[], conflict: boolean,
  ): Promise<readonly Kept[]> {
    const kept = await this.#allVerified(entry.revisions, answers, conflict);
    await this.#takeIn(entry.revisions, kept);
    await this.#outbox.remove(entry);
    return kept;
  }

  /** In the order of `revisions`. Throws ServerFault for an answer about others. */
  async #allVerified(
    revisions: readonly PutRevision[], answers: readonly Answered[], conflict: boolean,
  ): Promise<readonly Kept[]> {
    const places = (all: readonly { readonly item: Id; readonly revision: number }[]): string =>
      all.map((one) => placeKey([one.item, one.revision])).join();
    if (places(answers) !== places(revisions)) throw new ServerFault("an answer about other revisions");
    const pairs = revisions.map((sent, at) => [sent, answers[at] as Answered] as const);
    const kept: Kept[] = [];
    for (const [sent, answer] of pairs) {
      const verified = await this.#session.verify(answer.receipt, sha256(sent.record), sent.record.length);
      const { item: id, revision, receipt } = answer;
      const { time: deposited } = verified.commitment; // what the answer says beside its receipt proves nothing
      kept.push({ id, revision, deposited, receipt, verified, conflict });
    }
    return kept;
  }

  async #takeIn(revisions: readonly PutRevision[], kept: readonly Kept[]): Promise<void> {
    const { replica, warnings } = this.#session;
    const swapped = await replica.writing(() => {
      replica.setFact("dirty", true);
      return revisions.filter((sent, at) => {
        const { deposited, receipt } = kept[at] as Kept;
        replica.keepReceipt(recordName(sent.item, sent.revision), receipt);
        return !replica.receive({ ...sent, deposited }, replica.fact("pass"));
      }).map((sent) => placeKey([sent.item, sent.revision]));
    });
    if (swapped.length > 0) await warnings.add(Finding.BLOB_SWAPPED, swapped);
  }
}

interface Answered {
  readonly item: Id;
  readonly revision: number;
  readonly deposited: number;
  readonly receipt: string;
}

/** The item itself. Throws NeedsPin, UnsupportedVersion or ItemUnknown unless it is open. */
export function requireOpen(item: Item): Item {
  if (item.state === "locked") throw new NeedsPin();
  if (item.state === "newer_version") throw new UnsupportedVersion();
  if (item.state !== "open") throw new ItemUnknown(item.state);
  return item;
}

/** The blobs that a `blob_missing` names; none where that is no list of ids. */
export function missingBlobs({ extra }: Refused): ReadonlySet<Id> {
  const { success, output } = v.safeParse(IDS, extra["blobs"]);
  return new Set(success ? output : []);
}

/** The reason why a batch stays in the outbox; anything else is thrown on. */
function stays(error: unknown): TemoinError {
  const reasons = [Refused, VerificationError, TrustError, NeedsPin];
  if (error instanceof TemoinError && reasons.some((reason) => error instanceof reason)) return error;
  throw error;
}

/** What an item says, with changes; written now unless they say when. */
function edited(item: Item, changes: Partial<Draft>): Draft {
  const unknown = Object.keys(changes).filter((name) => !Object.hasOwn(EMPTY_DRAFT, name)).sort();
  if (unknown.length > 0) throw new ValueRefused(`no such field: ${unknown.join(", ")}`);
  const { text, title, happened, place, people, tags, danger, mood, category } = item;
  const said = { text: text ?? "", title: title ?? "", happened, place, people, tags, danger, mood, category };
  return { ...said, written: null, ...changes };
}

/** The contents as a record names them: a recording by its segments, which come first. */
function blobsOf(contents: readonly Content[]): readonly Content[] {
  return [...contents.flatMap((one) => one.parts ?? []), ...contents.filter((one) => one.parts === undefined)];
}

/** The blobs that a revision names: a depositor's words first, where there are any. */
function named(sent: Sent | null, contents: readonly Content[]): readonly Id[] {
  return [...(sent === null ? [] : [sent.deposit]), ...blobsOf(contents).map((one) => one.blob)];
}

function segmentsOf({ key, name, mime, sha256: whole, parts = [], isOpen = false }: Content): Segments {
  return { key, name, mime, count: isOpen ? null : parts.length, sha256: isOpen ? null : whole };
}

function rowOf({ item, revision, wrap, link, record, blobs, erases }: PutRevision): Row {
  return { seq: 0, item, revision, deposited: 0, wrap, link, record, blobs, erases, gone: false, pass: 0 };
}

/** The same text without the files that were erased with the item it was written for, or that the vault hasn't any more. */
function without(writing: Writing, erased: ReadonlySet<Id>): Writing {
  const facts = parseJson(writing.json) as {
    contents?: readonly { readonly blob: Id }[]; segments?: { count: number | null } | null; of?: unknown; masked?: Id[];
  };
  const { segments } = facts;
  if (typeof segments?.count === "number") {
    segments.count = (facts.contents ?? []).slice(0, segments.count).filter((one) => !erased.has(one.blob)).length;
    if (segments.count === 0 && "of" in facts) facts.segments = null; // an extract has a whole file of segments, or none
  }
  if (facts.masked !== undefined) facts.masked = facts.masked.filter((blob) => !erased.has(blob));
  const contents = facts.contents?.filter((one) => !erased.has(one.blob));
  if (contents === undefined || !writing.blobs.some((blob) => erased.has(blob))) return writing;
  const blobs = writing.blobs.filter((blob) => !erased.has(blob));
  return { ...writing, json: formatJson({ ...facts, contents }), blobs };
}

/** As many at once as one request takes, each of which needs so many bytes at most. */
export function* batchesOf<Thing>(
  things: readonly Thing[], roomOf: (thing: Thing) => number,
): Generator<readonly Thing[]> {
  let batch: Thing[] = [];
  let size = 0;
  for (const thing of things) {
    const room = roomOf(thing);
    if (batch.length === limits.REVISIONS_PER_BATCH || (batch.length > 0 && size + room > limits.BATCH)) {
      yield batch;
      [batch, size] = [[], 0];
    }
    batch.push(thing);
    size += room;
  }
  if (batch.length > 0) yield batch;
}

function roomOf({ json }: Writing): number {
  return 2 * json.length + 2048; // padding and seal add less
}
