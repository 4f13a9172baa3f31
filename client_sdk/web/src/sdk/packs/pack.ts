// An evidence pack: what was shared or kept, and by which anybody can check it, offline and for good.
// Knows: the names of its files, and what each of them proves beside the others (docs/spec/pack.md). Refuses to know: how
// a page looks (page.ts), how it is checked (check.ts), and where the archive goes.
//
// Each file is fetched once: its sealed bytes wait outside of the heap, as a Blob, until they were opened as well.

import { encodeText, formatHex } from "../../crypto_core/encoding.js";
import { TemoinError } from "../../crypto_core/errors.js";
import type { Checkpoint } from "../../crypto_core/receipts/checkpoint.js";
import type { Blocks } from "../../crypto_core/sealing/envelope.js";
import { formatPolicy, type Policy } from "../../crypto_core/receipts/policy.js";
import { blocksOf, type Archive } from "../archive.js";
import { Contents, hashed, sealedContentSize } from "../contents.js";
import { Sha256 } from "../digest.js";
import { POLICY, PROOF, SEALED } from "../dossier.js";
import { isOfOne } from "../errors.js";
import type { Content, Id, Item, KeptReceipt, Sent } from "../items.js";
import type { SharedItem, SharedWords } from "../opening.js";
import type { Continuity } from "./ledger.js";
import { formatPage, type Row, type SentRow } from "./page.js";
import { NO_PROGRESS, type Progress } from "../progress.js";
import { blobName, recordName } from "../replica.js";

export const PAGE = "index.html";
export const SUMS = "SHA256SUMS";
export const MANIFEST = "bundle.json";
export const SIGNATURE = "bundle.sig";
export const SEALED_FOLDER = "sealed";
export const ORIGINALS = "originals";
export const CHECKPOINT = "checkpoint";
export const CONSISTENCY = "consistency";
export const ROTATIONS = "rotations";
export const VERIFIER = "verify.html";

/** No file system takes them, or they turn a name round on a screen. */
const UNSAFE = /[\x00-\x1f\x7f/\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const ENDS = /^[ .]+|[ .]+$/gu;
/** Characters of a file's name that are kept, and bytes of UTF-8 that they may come to. */
const LONGEST = 100, LARGEST = 200;

/** A manifest and its signature. `json` is as it was signed, and holds record keys; `signature` has 64 bytes. */
export interface Signed {
  readonly json: Uint8Array;
  readonly signature: Uint8Array;
}

/** What a pack is made of: an open bundle (sdk/opening.ts), or what a person keeps (own.ts). */
export interface Packed {
  readonly manifest: Signed;
  /** In the order of the manifest. */
  readonly items: readonly SharedItem[];
  /** What the manifest doesn't name, though it should have: the vault gave no receipt of it that holds. */
  readonly left: readonly SharedItem[];
  /** Who signed, 32 bytes. */
  readonly sender: Uint8Array;
  /** Unix seconds. */
  readonly created: number;
  readonly message: string;
  /** Whether whoever keeps it made it, for nobody in particular. */
  readonly own: boolean;
  /** The blob of a content without parts, as it was deposited, and of a longer one no more than that. Throws a fault of this one
   * (`isOfOne`) in the place of an end where it is another. */
  sealed(content: Content): AsyncGenerator<Uint8Array>;
  /** Its receipt, verified. */
  receipt(content: Content): Promise<KeptReceipt>;
}

/** What is written beside what was shared. */
export interface Besides {
  readonly policy: Policy;
  /** The records that lead from each of the ledger's keys to the next, as they are published; where it had others. */
  readonly rotations?: Uint8Array;
  /** Asks the ledger, once all receipts are there. What it throws of its own kind means that the pack has no checkpoint. */
  readonly continuity: (trees: readonly Checkpoint[]) => Promise<Continuity>;
  /** The page that checks packs, where there is one. */
  readonly verifier: Uint8Array | null;
}

/** A file of an item that is in a pack, while it, or what proves it, isn't: its place among the item's files, from 1; why; and
 * whether only the receipt is missing. */
export interface LackingFile {
  readonly item: Item;
  readonly number: number;
  readonly code: string;
  readonly isThere: boolean;
}

/** What a pack that was written lacks: the items that the vault did not give, or their receipts, as they were shared or kept;
 * the files of the others that are not in it, and those without a receipt; the items that are there without the depositor's
 * own words, or say otherwise than these; why it has no checkpoint; and whether it has the page that checks it. */
export interface Written {
  readonly refused: readonly SharedItem[];
  readonly lost: readonly LackingFile[];
  readonly unsaid: readonly SharedItem[];
  readonly ledger: TemoinError | null;
  readonly verifier: boolean;
}

/** Writes all of it that the vault gives as it was kept, as one archive, and ends that; what it doesn't keeps nothing else
 * out. `progress` hears of the sealed bytes.
 *
 * Throws NetworkError, ServerFault, Refused once the bundle has ended, and what the archive throws; what was written by then is
 * no archive. */
export async function writePack(
  opened: Packed, besides: Besides, archive: Archive, progress: Progress = NO_PROGRESS,
): Promise<Written> {
  const writer = new Writer(opened, archive, progress);
  const parts = opened.items.filter(isShown).flatMap(({ item }) => item.contents.flatMap(partsOf));
  progress.start("", parts.reduce((sum, { size }) => sum + sealedContentSize(size), 0));
  const rows: Row[] = [];
  try {
    for (const [at, one] of opened.items.entries()) if (isShown(one)) rows.push(await writer.item(at + 1, one));
  } finally {
    progress.done();
  }
  await writer.keep(MANIFEST, opened.manifest.json);
  await writer.keep(SIGNATURE, encodeText(`${formatHex(opened.manifest.signature)}\n`));
  await writer.keep(POLICY, formatPolicy(besides.policy));
  if (besides.rotations?.length) await writer.keep(ROTATIONS, besides.rotations);
  const ledger = await asked(() => besides.continuity(writer.trees));
  const checkpoint = ledger instanceof TemoinError ? null : ledger.checkpoint;
  if (!(ledger instanceof TemoinError)) {
    await writer.keep(CHECKPOINT, ledger.note);
    for (const [size, proof] of ledger.proofs) await writer.keep(consistencyName(size), proof);
  }
  const verifier = besides.verifier !== null;
  if (besides.verifier !== null) await writer.keep(VERIFIER, besides.verifier);
  const refused = [...opened.items.filter((one) => !isShown(one)), ...opened.left];
  const { message, created, sender, own } = opened;
  const missing = refused.length;
  await writer.keep(PAGE, formatPage({ message, created, sender, rows, missing, checkpoint, verifier, own }));
  await writer.end();
  const unsaid = opened.items.filter((one) => isShown(one) && one.words !== null && one.words.doubt !== null);
  return { refused, lost: writer.lost, unsaid, ledger: ledger instanceof TemoinError ? ledger : null, verifier };
}

/** Why not, where the ledger gives nothing that holds: a pack is written all the same. */
async function asked(act: () => Promise<Continuity>): Promise<Continuity | TemoinError> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof TemoinError) return error;
    throw error;
  }
}

/** Where a blob and its receipt lie, but for what their names end with. */
export function blobStem(blob: Id): string {
  return `${SEALED_FOLDER}/${blobName(blob)}`;
}

/** Where the receipt of a sealed file lies. */
export function proofName(sealed: string): string {
  return sealed.slice(0, -SEALED.length) + PROOF;
}

/** Where the blob of a content lies. */
export function sealedName({ blob }: { readonly blob: Id }): string {
  return blobStem(blob) + SEALED;
}

/** Where a record and its receipt lie, but for what their names end with. */
export function recordStem(item: Id, revision: number): string {
  return `${SEALED_FOLDER}/${recordName(item, revision)}`;
}

/** Where it is shown that a tree of this size is the checkpoint's beginning. */
export function consistencyName(size: number): string {
  return `${CONSISTENCY}/${size}`;
}

/** One line for each file but this one, by name, as `sha256sum -c` takes it; hashes are 32 bytes. */
export function formatSums(sums: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return encodeText([...sums].sort(byName).map(([name, digest]) => `${formatHex(digest)}  ${name}\n`).join(""));
}

/** Where the original of a file lies: `number` counts items, `place` the files of one, both from 1. */
export function originalName(number: number, place: number, { name }: { readonly name: string }): string {
  const kept = [...name.replace(UNSAFE, "_").replace(ENDS, "")].slice(-LONGEST);
  while (encodeText(kept.join("")).length > LARGEST) kept.shift();
  return `${ORIGINALS}/${padded(number, 3)}-${padded(place, 2)}-${kept.join("") || "file"}`;
}

/** What was deposited of a content: the segments of a recording, or itself. */
export function partsOf(content: Content): readonly Content[] {
  return content.parts ?? [content];
}

type Shown = SharedItem & { readonly record: Uint8Array; readonly proof: NonNullable<SharedItem["proof"]> };

function isShown(one: SharedItem): one is Shown {
  return one.record !== null && one.proof !== null;
}

class Writer {
  readonly #opened: Packed;
  readonly #archive: Archive;
  readonly #progress: Progress;
  readonly #sums = new Map<string, Uint8Array>();
  /** What was not given, or doesn't open, by the name that is therefore missing: a blob's, or its receipt's. */
  readonly #faults = new Map<string, TemoinError>();
  /** Of every receipt. */
  readonly trees: Checkpoint[] = [];
  readonly lost: LackingFile[] = [];

  constructor(opened: Packed, archive: Archive, progress: Progress) {
    this.#opened = opened;
    this.#archive = archive;
    this.#progress = progress;
  }

  /** A record, its files and their receipts; gives what the page says of them. */
  async item(number: number, { item, record, proof, words }: Shown): Promise<Row> {
    await this.#kept(recordStem(item.id, item.revision) + SEALED, record, proof);
    const { sent } = item;
    if (sent !== null && words?.sealed && words.proof) await this.#kept(blobStem(sent.deposit) + SEALED, words.sealed, words.proof);
    const [places, unproven]: [(string | null)[], Set<Id>] = [[], new Set()];
    for (const [at, content] of item.contents.entries()) {
      const name = originalName(number, at + 1, content);
      const missing = await this.#file(name, content);
      const fault = missing ?? this.#first(partsOf(content).map((part) => proofName(sealedName(part))));
      if (fault !== null) this.lost.push({ item, number: at + 1, code: fault.code, isThere: missing === null });
      if (missing === null && fault !== null) unproven.add(content.blob);
      places.push(missing === null ? name : null);
    }
    const { claimedTime: deposited, index, checkpoint: { origin } } = proof.verified;
    return {
      item, deposited, index, origin, places, masked: new Set(item.masked), sent: sent && sentRow(sent, words), unproven,
    };
  }

  async keep(name: string, data: Uint8Array): Promise<void> {
    await this.#write(name, data.length, [data]);
  }

  async end(): Promise<void> {
    await this.keep(SUMS, formatSums(this.#sums));
    await this.#archive.end();
  }

  /** A small file and its receipt; two revisions may have the same one. */
  async #kept(name: string, data: Uint8Array, proof: KeptReceipt): Promise<void> {
    if (this.#sums.has(name)) return;
    await this.keep(name, data);
    await this.#proof(name, proof);
  }

  async #proof(sealed: string, { receipt, verified }: KeptReceipt): Promise<void> {
    this.trees.push(verified.checkpoint);
    await this.keep(proofName(sealed), encodeText(receipt));
  }

  /** A file as it was deposited, and as it was before; gives why it isn't there. */
  async #file(name: string, content: Content): Promise<TemoinError | null> {
    const sealed = new Map<Id, Blob>();
    for (const part of partsOf(content)) {
      const blob = await this.#deposited(part);
      if (blob !== null) sealed.set(part.blob, blob);
    }
    const missing = this.#first(partsOf(content).map(sealedName));
    const contents = new Contents((blob) => blocksOf(sealed.get(blob)!.stream()), NO_PROGRESS);
    return missing ?? await this.#given(name, content.size, contents.read(content));
  }

  /** A blob and its receipt; two revisions may name the same one. What the vault does not give is asked for once. */
  async #deposited(part: Content): Promise<Blob | null> {
    const [name, pieces]: [string, Blob[]] = [sealedName(part), []];
    if (this.#faults.has(name)) return null;
    const come = this.#coming(part, pieces);
    if (this.#sums.has(name)) {
      await this.#noting(name, async () => {
        for await (const _ of come);
      });
    } else if (await this.#given(name, sealedContentSize(part.size), come) === null) {
      await this.#noting(proofName(name), async () => this.#proof(name, await this.#opened.receipt(part)));
    }
    return this.#faults.has(name) ? null : new Blob(pieces);
  }

  /** The blob that a content names, which is also put aside. */
  async *#coming(part: Content, pieces: Blob[]): AsyncGenerator<Uint8Array> {
    for await (const block of this.#opened.sealed(part)) {
      pieces.push(new Blob([new Uint8Array(block)]));
      this.#progress.advance(block.length);
      yield block;
    }
  }

  /** Keeps a file; or gives why it isn't there. */
  async #given(name: string, size: number, blocks: Blocks): Promise<TemoinError | null> {
    return this.#noting(name, () => this.#write(name, size, blocks));
  }

  /** Whether it was a fault of this one thing; what is everybody's is thrown. */
  async #noting(name: string, act: () => Promise<void>): Promise<TemoinError | null> {
    try {
      await act();
      return null;
    } catch (error) {
      if (!isOfOne(error)) throw error;
      this.#faults.set(name, error);
      return error;
    }
  }

  #first(names: readonly string[]): TemoinError | null {
    return names.map((name) => this.#faults.get(name)).find((fault) => fault !== undefined) ?? null;
  }

  async #write(name: string, size: number, blocks: Blocks): Promise<void> {
    const digest = new Sha256();
    await this.#archive.add(name, size, hashed(blocks, digest));
    this.#sums.set(name, digest.digest());
  }
}

/** A depositor's own words; where the pack doesn't have them, as the item repeats them. */
function sentRow({ name, message, written }: Sent, words: SharedWords | null): SentRow {
  if (!words?.said || !words.proof) {
    return { name, message, written, stamp: null, doubt: "words_missing", files: new Set() };
  }
  const { said, proof: { verified: { claimedTime: deposited, index, checkpoint: { origin } } } } = words;
  return {
    name: said.name, message: said.message, written: said.written, stamp: { deposited, index, origin },
    doubt: words.doubt === null ? null : "words_differ", files: new Set(said.contents.map((one) => one.blob)),
  };
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, "0");
}

/** In the order of code points, as Python sorts. */
function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  const [a, b] = [encodeText(one), encodeText(other)];
  const at = a.findIndex((byte, place) => byte !== b[place]);
  return at < 0 ? a.length - b.length : a[at]! - (b[at] ?? -1);
}
