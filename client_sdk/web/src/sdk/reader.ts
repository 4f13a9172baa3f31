// Opens what the replica holds, and reads contents from the vault.
// Knows: how a sealed row becomes an Item. Refuses to know: how anything is written, how a content is opened (contents.ts),
// and how a receipt is proven (receipts.ts).

import * as v from "valibot";

import { formatB64url, formatHex, formatJson, parseB64url, parseJson } from "../crypto_core/encoding.js";
import { CryptoCoreError, MalformedError, UnsupportedVersion } from "../crypto_core/errors.js";
import { NeedsPin, isSensitive, unwrapRecordKey } from "../crypto_core/sealing/keyring.js";
import { deriveSegment, openRecord } from "../crypto_core/sealing/records.js";
import { KINDS, VERSION } from "../schemas/documents.js";
import { Contents, bounded, checked } from "./contents.js";
import { sha256 } from "./digest.js";
import { BlobSwapped, ItemUnknown } from "./errors.js";
import { NOT_READ, type Content, type Id, type Item, type Kind, type SealedBlob, type Sent, type State } from "./items.js";
import type { Progress } from "./progress.js";
import { Finding } from "./protocol/sync.js";
import { Receipts, contentPlace, recordPlace, wordsPlace, type ReceiptPlace } from "./receipts.js";
import { blobName, type Row } from "./replica.js";
import type { Session } from "./session.js";

export const BLOB = "/v1/blobs/<id:blob>";

/** What a record says, by the names of its schema. */
export type RecordFacts = ReturnType<typeof parseRecord>;

/** Reads for one session. */
export class Reader {
  readonly #session: Session;
  /** What was opened, for as long as the row is what it was. Nothing sensitive is ever in it. */
  readonly #opened = new WeakMap<Row, Item>();
  readonly #contents: Contents;
  readonly receipts: Receipts;

  /** `progress` hears of what is read, apart from what is sent. */
  constructor(session: Session, progress: Progress = session.progress) {
    this.#session = session;
    this.receipts = new Receipts(session);
    this.#contents = new Contents((blob, start, stop) => session.read(BLOB, { blob }, start, stop), progress);
  }

  /** The newest revision of every item that is read, of one kind if named; `tombstone` names those that were deleted.
   *
   * What can't be opened has no kind to go by and is listed with every other kind. */
  items(kind: Kind | null): readonly Item[] {
    return this.#session.replica.newestOfEach().map((row) => this.open(row)).filter((item) =>
      NOT_READ.includes(item.kind) || NOT_READ.includes(kind) ? item.kind === kind
        : kind === null || item.kind === kind || item.kind === null);
  }

  /** One revision, the newest if none is named. Throws ItemUnknown, also if the newest is a deletion. */
  item(id: Id, revision: number | null): Item {
    const item = this.open(this.row(id, revision));
    if (NOT_READ.includes(item.kind) && revision === null) throw new ItemUnknown("deleted");
    return item;
  }

  /** The sealed row of a revision, or of the newest. Throws ItemUnknown. */
  row(id: Id, revision: number | null): Row {
    const { replica } = this.#session;
    const row = revision === null ? replica.newest(id) : replica.row(id, revision);
    if (row === null) throw new ItemUnknown();
    return row;
  }

  /** Every revision, the oldest first, deletions as kind `tombstone`. Throws ItemUnknown, also for a `loss`: nothing of it is
   * to be read. */
  history(id: Id): readonly Item[] {
    const versions = this.#session.replica.history(id).map((row) => this.open(row));
    if (versions.length === 0 || versions[0]?.kind === "loss") throw new ItemUnknown();
    return versions;
  }

  /** A row as a person sees it. Never throws for what the row holds: `state` says why it isn't open. */
  open(row: Row): Item {
    const known = this.#opened.get(row);
    if (known !== undefined) return known;
    const item = this.#open(row);
    if (item.state === "open" && !item.sensitive) this.#opened.set(row, item);
    return item;
  }

  /** What a record says, and whether it is sensitive.
   *
   * Throws NeedsPin, TamperedError, MalformedError, or UnsupportedVersion for another `v` or kind. */
  facts(row: Row): readonly [RecordFacts, boolean] {
    const [json, sensitive] = this.recordJson(row);
    return [parseRecord(json), sensitive];
  }

  /** The JSON inside a record, and whether it is sensitive. Throws as `facts`, but for its content. */
  recordJson(row: Pick<Row, "item" | "revision" | "wrap" | "record">): readonly [Uint8Array, boolean] {
    if (row.wrap === null || row.record === null) throw new ItemUnknown("erased");
    const item = parseB64url(row.item);
    const [key, sensitive] = unwrapRecordKey(this.#session.keyring, item, row.revision, row.wrap);
    return [openRecord(key, item, row.revision, row.record), sensitive];
  }

  /** Whether a revision is behind the PIN; asks for no PIN. Throws TamperedError or MalformedError. */
  isSensitive(row: Row): boolean {
    return row.wrap !== null && isSensitive(this.#session.keyring, parseB64url(row.item), row.revision, row.wrap);
  }

  /** The blobs of the contents that a record names, in the vault or not; none where it can't be opened. */
  named(row: Row): readonly Id[] {
    const facts = this.#said(row);
    return facts === null ? [] : contentsOf(facts).map(({ blob }) => blob);
  }

  /** The same, and a depositor's own words first, where there are any. */
  wentWith(row: Row): readonly Id[] {
    const facts = this.#said(row);
    return [...(facts?.kind === "received" ? [facts.sent.deposit] : []), ...this.named(row)];
  }

  /** Null where it can't be opened. */
  #said(row: Row): RecordFacts | null {
    try {
      return this.facts(row)[0];
    } catch (error) {
      if (error instanceof NeedsPin || error instanceof CryptoCoreError || error instanceof ItemUnknown) return null;
      throw error;
    }
  }

  /** The original bytes of a content, or of the range [start, stop). Throws as `Contents.read`; BlobSwapped leaves a warning
   * behind. */
  content(content: Content, start = 0, stop: number | null = null): AsyncGenerator<Uint8Array> {
    return this.#watched(content, this.#contents.read(content, start, stop));
  }

  /** Where the receipts of a revision are: the record's, and those of its contents if it can be opened; none of an erased
   * one. */
  receiptPlaces(row: Row): readonly ReceiptPlace[] {
    if (row.record === null) return [];
    const { contents, sent } = this.open(row);
    const files = contents.flatMap((one) => one.parts ?? [one]);
    return [recordPlace(row), ...(sent === null ? [] : [wordsPlace(sent)]), ...files.map(contentPlace)];
  }

  /** The record, then a depositor's words, then each content, as they are kept. Throws NeedsPin before anything if it can't be opened. */
  async *sealedBlobs(row: Row): AsyncGenerator<SealedBlob> {
    const [facts] = this.facts(row);
    if (row.record === null) return;
    yield this.receipts.exported(recordPlace(row), [row.record]);
    if (facts.kind === "received") {
      const { sent } = facts;
      yield this.receipts.exported(wordsPlace(sent), this.#session.read(BLOB, { blob: sent.deposit }));
    }
    for (const content of contentsOf(facts)) {
      yield this.receipts.exported(contentPlace(content), this.#contents.sealed(content));
    }
  }

  /** The blob of a content without parts, as it was deposited. Throws as `checked`; BlobSwapped leaves a warning behind.
   * Whoever takes it tells how far it is. */
  sealedContent(content: Content): AsyncGenerator<Uint8Array> {
    return this.#watched(content, checked(content, this.#session.read(BLOB, { blob: content.blob })));
  }

  /** The blob of a depositor's own words, whatever the vault gives in its place, `bounded`. */
  sealedWords({ deposit, size }: Sent): AsyncGenerator<Uint8Array> {
    return bounded(this.#session.read(BLOB, { blob: deposit }), size);
  }

  #open(row: Row): Item {
    if (row.wrap === null || row.record === null) return closed(row, "missing", false);
    try {
      const [facts, sensitive] = this.facts(row);
      return opened(row, sensitive, facts);
    } catch (error) {
      if (error instanceof NeedsPin) return closed(row, "locked", true);
      if (error instanceof UnsupportedVersion) return closed(row, "newer_version", this.isSensitive(row));
      if (error instanceof CryptoCoreError) return closed(row, "missing", false);
      throw error;
    }
  }

  /** The same blocks; bytes that are not those that were kept leave a warning behind. */
  async *#watched(content: Content, blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* blocks;
    } catch (error) {
      if (error instanceof BlobSwapped) {
        const facts = { blob: blobName(content.blob), sealed: formatHex(content.sealed), found: error.detail };
        await this.#session.home.keepEvidence("content", formatJson(facts));
        await this.#session.warnings.add(Finding.BLOB_SWAPPED);
      }
      throw error;
    }
  }
}

/** A record's fields. Throws MalformedError, or UnsupportedVersion for a `v` or kind that this version lacks. */
export function parseRecord(json: Uint8Array): v.InferOutput<(typeof KINDS)[keyof typeof KINDS]> {
  const value = parseJson(json);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new MalformedError("a record is an object");
  }
  const { v: version, kind } = value as Record<string, unknown>;
  if (version !== VERSION || typeof kind !== "string" || !Object.hasOwn(KINDS, kind)) throw new UnsupportedVersion();
  const loaded = v.safeParse(KINDS[kind as keyof typeof KINDS], value);
  if (!loaded.success) throw new MalformedError("a record that its schema does not allow");
  return loaded.output;
}

const UNTOLD = {
  kind: null, title: null, text: null, happened: null, written: null, place: null, people: [], tags: [], danger: null,
  mood: null, category: null, contents: [], answers: null, of: null, masked: [], sent: null,
} as const;

/** Which revision it is, and when it was deposited. */
export type Placed = Pick<Row, "item" | "revision" | "deposited">;

/** An item of which nothing can be shown but that it is there. */
export function closed({ item, revision, deposited }: Placed, state: State, sensitive: boolean): Item {
  return { ...UNTOLD, id: item, revision, deposited, sensitive, state };
}

/** An item as its record, read by `parseRecord`, says it. */
export function opened(row: Placed, sensitive: boolean, facts: RecordFacts): Item {
  const kind = facts.kind === "recording" ? "document" : facts.kind;
  const item = { ...closed(row, "open", sensitive), kind, written: facts.written };
  if (!("contents" in facts)) return item;
  const { title, text, happened, place, people, tags, danger, mood, category } = facts;
  const answers = facts.kind === "assessment" ? facts.answers : null;
  const { of, masked } = facts.kind === "extract" ? facts : item;
  const sent = facts.kind === "received" ? facts.sent : null;
  const contents = filesOf(facts);
  return {
    ...item, title, text, happened, place, people, tags, danger, mood, category, contents, answers, of, masked, sent,
  };
}

/** The files as a person has them: the segments of a recording are one. */
function filesOf(facts: Extract<RecordFacts, { readonly contents: unknown }>): readonly Content[] {
  if (!("segments" in facts) || facts.segments === null) return facts.contents;
  const { key, name, mime, count, sha256: whole } = facts.segments;
  const [parts, others] = [facts.contents.slice(0, count ?? 0), facts.contents.slice(count ?? 0)];
  if (parts.length === 0 && whole !== null) return others; // erased with the item that they were recorded for
  const nothing = sha256(new Uint8Array());
  return [{
    blob: formatB64url(deriveSegment(key, 0)[0]), key, sealed: parts[0]?.sealed ?? nothing, sha256: whole ?? nothing,
    name, mime, size: parts.reduce((size, part) => size + part.size, 0), parts, isOpen: whole === null,
    hasGap: parts.length > 0 && parts.at(-1)?.blob !== formatB64url(deriveSegment(key, parts.length - 1)[0]),
  }, ...others];
}

function contentsOf(facts: RecordFacts): readonly Content[] {
  return "contents" in facts ? facts.contents : [];
}
