// Checks an evidence pack, offline: every file is accounted for, and every one at fault is named.
// Knows: the steps of docs/spec/pack.md, and what holds which file. Refuses to know: where the files lie (source.ts),
// the network, and any person's own keys: those that open the records stand in the pack.

import { decodeText, HASH_SIZE, isSame, parseB64url, parseHex } from "../../crypto_core/encoding.js";
import {
  MalformedError, RotationBroken, TemoinError, UnsupportedVersion, VerificationError,
} from "../../crypto_core/errors.js";
import type { Checkpoint } from "../../crypto_core/receipts/checkpoint.js";
import { MAX_NOTE_SIZE, formatVkey } from "../../crypto_core/receipts/note.js";
import { MAX_POLICY_SIZE, parsePolicy, type Policy } from "../../crypto_core/receipts/policy.js";
import { MAX_RECEIPT_SIZE, verifyReceipt, type VerifiedReceipt } from "../../crypto_core/receipts/receipt.js";
import { MAX_ROTATIONS_SIZE, openRotations, rotatePolicy } from "../../crypto_core/receipts/rotation.js";
import { SIGNATURE_SIZE } from "../../crypto_core/receipts/signatures.js";
import { MAX_SUBMISSION_SIZE } from "../../crypto_core/receipts/submission.js";
import { openCheckpoint } from "../../crypto_core/receipts/witnessed.js";
import { openRecord } from "../../crypto_core/sealing/records.js";
import { verifyManifest } from "../../crypto_core/sealing/sharing.js";
import type { Manifest, SharedRecord } from "../../schemas/bundles.js";
import type { Deposit } from "../../schemas/deposits.js";
import { DEPOSIT as LARGEST_WORDS, MANIFEST as LARGEST_MANIFEST, RECORD as LARGEST_RECORD } from "../../schemas/limits.js";
import { Contents, hashed, sealedContentSize } from "../contents.js";
import { Sha256 } from "../digest.js";
import { POLICY, SEALED } from "../dossier.js";
import { BlobSwapped, ContentBroken, ContentDiffers } from "../errors.js";
import type { Content, Item, Sent } from "../items.js";
import { parseManifest } from "../opening.js";
import {
  CHECKPOINT, CONSISTENCY, MANIFEST, PAGE, ROTATIONS, SEALED_FOLDER, SIGNATURE, SUMS, VERIFIER, blobStem,
  consistencyName, originalName, partsOf, proofName, recordStem, sealedName,
} from "./pack.js";
import { PackChanged, PackExtra, PackIncomplete, PackMalformed, PackMissing, PackOther } from "./errors.js";
import { requireSame, verifyBeginning } from "./ledger.js";
import { MOST_FILES, type PackSource } from "./source.js";
import { NO_PROGRESS, type Progress } from "../progress.js";
import { opened, parseRecord } from "../reader.js";
import { openWords, requireRepeated } from "../sent_words.js";

/** A pack's own names have at most 220 bytes. */
const LARGEST_SUMS = MOST_FILES * 320;
const LINE = /^([0-9a-f]{64}) {2}([^\n]+)$/;

/** A file at fault, and what is wrong with it. */
export interface Finding {
  readonly name: string;
  readonly error: TemoinError;
}

/** The own words of whoever put an item in, as they were signed and sealed, and their receipt. */
export interface CheckedWords {
  readonly said: Deposit;
  readonly receipt: VerifiedReceipt | null;
}

/** One item of which the record can be read. `isWhole`: record, files and originals are as they were signed, each with a
 * receipt. `words` are null where nobody else put it in, and where the pack doesn't have them as they were signed. */
export interface CheckedItem {
  readonly item: Item;
  readonly receipt: VerifiedReceipt | null;
  readonly words: CheckedWords | null;
  readonly isWhole: boolean;
}

/** What a pack proves, and every file that it doesn't hold for. Only `checkPack` makes one. */
export interface PackReport {
  /** By name. */
  readonly findings: readonly Finding[];
  /** `not_yet`: nothing is wrong, but a key, a cosignature, an item or a newer program is missing. */
  readonly outcome: "valid" | "invalid" | "not_yet";
  /** How many items the manifest names, and how many of them are whole. */
  readonly items: number;
  readonly proven: number;
  readonly read: readonly CheckedItem[];
  /** The key that signed the manifest, 32 bytes, and when that was, in Unix seconds by the signer's clock; null if nobody
   * is proven to have. */
  readonly sender: Uint8Array | null;
  readonly created: number | null;
  /** The ledgers' keys of the pack's own policy, as vkeys: to compare. */
  readonly keys: readonly string[];
  /** By the name of the sealed file. */
  readonly receipts: ReadonlyMap<string, VerifiedReceipt>;
  /** The state of the ledger that the pack's own receipts are proven to lead to, and how many stand under a larger tree. */
  readonly checkpoint: Checkpoint | null;
  readonly beyond: number;
}

/** Takes all the steps, whatever the pack holds. Without a `policy` the receipts are checked under the pack's own, which
 * says no more than that they belong to one ledger. */
export async function checkPack(
  source: PackSource, policy: Policy | null = null, progress: Progress = NO_PROGRESS,
): Promise<PackReport> {
  const sizes = [...source.names].map(([name, size]) => (name.startsWith(`${SEALED_FOLDER}/`) ? 2 * size : size));
  progress.start("", sizes.reduce((sum, size) => sum + size, 0));
  try {
    return await new Checking(source, policy, progress).report();
  } finally {
    progress.done();
  }
}

type Listed = ReadonlyMap<string, Uint8Array>;

/** One pack. Each step leaves what it found to those after it. */
class Checking {
  readonly #source: PackSource;
  readonly #policy: Policy | null;
  readonly #progress: Progress;
  #found: Finding[] = [];
  /** The SHA-256 of each file that can be read. */
  readonly #is = new Map<string, Uint8Array>();
  /** What the sums say, null if they can't be read. */
  #listed: Listed | null = null;
  readonly #changed = new Set<string>();
  readonly #proven = new Set<string>();
  readonly #needed = new Set([PAGE, VERIFIER, MANIFEST, SIGNATURE, POLICY, ROTATIONS, SUMS]);
  /** Whether it is known what all the files are for. */
  #allRead = true;
  readonly #receipts = new Map<string, VerifiedReceipt>();
  readonly #read: CheckedItem[] = [];
  #at: Checkpoint | null = null;
  #beyond = 0;

  constructor(source: PackSource, policy: Policy | null, progress: Progress) {
    this.#source = source;
    this.#policy = policy;
    this.#progress = progress;
  }

  async report(): Promise<PackReport> {
    await this.#hashAll();
    const own = await this.#readPolicy();
    const policy = await this.#trusted(own);
    await this.#checkReceipts(policy);
    const manifest = await this.#readManifest();
    let proven = 0;
    for (const [at, named] of manifest?.items.entries() ?? []) proven += Number(await this.#checkItem(at + 1, named));
    await this.#checkLedger(policy);
    this.#account();
    const findings = this.#found.sort((one, other) => (one.name < other.name ? -1 : Number(one.name > other.name)));
    const signed = this.#proven.has(SIGNATURE) ? manifest : null;
    return {
      findings, outcome: findings.length === 0 ? "valid" : findings.every(({ error }) => isOpen(error)) ? "not_yet" : "invalid",
      items: manifest?.items.length ?? 0, proven, read: this.#read,
      sender: signed?.sender ?? null, created: signed?.created ?? null,
      keys: own?.logs.map(({ key }) => formatVkey(key)) ?? [],
      receipts: this.#receipts, checkpoint: this.#at, beyond: this.#beyond,
    };
  }

  // 1  sums

  /** Each file hashed, and compared with what the sums say. */
  async #hashAll(): Promise<void> {
    for (const [name, reason] of this.#source.odd) this.#say(name, new PackExtra(reason));
    for (const name of this.#source.names.keys()) {
      const digest = new Sha256();
      const isRead = await this.#trying(name, async () => {
        for await (const _ of hashed(this.#shown(name), digest));
        return true;
      });
      if (isRead) this.#is.set(name, digest.digest());
    }
    this.#listed = await this.#parsed(SUMS, LARGEST_SUMS, parseSums);
    for (const [name, digest] of this.#listed ?? []) {
      const { names, odd } = this.#source;
      if (!names.has(name) && !odd.has(name)) this.#say(name, new PackMissing());
      else if (!isSame(this.#is.get(name) ?? digest, digest)) this.#changed.add(name);
    }
  }

  // 2  receipts

  async #readPolicy(): Promise<Policy | null> {
    const policy = await this.#parsed(POLICY, MAX_POLICY_SIZE, (data) => {
      try {
        return parsePolicy(data);
      } catch (error) {
        throw error instanceof UnsupportedVersion ? new MalformedError(error.code) : error;
      }
    });
    return this.#changed.has(POLICY) ? null : policy;
  }

  /** Whom the receipts are checked under: the policy that was given, or the pack's own, in every key that the pack's
   * records lead to from there. A given one that they don't lead from stays as it was; the receipts then tell. */
  async #trusted(own: Policy | null): Promise<Policy | null> {
    const given = this.#policy;
    const isThere = this.#source.names.has(ROTATIONS) && !this.#changed.has(ROTATIONS);
    const chain = isThere ? await this.#parsed(ROTATIONS, MAX_ROTATIONS_SIZE, openRotations) : null;
    if (chain === null) return given ?? own;
    const rotated = own && this.#try(ROTATIONS, () => rotatePolicy(own, chain));
    if (given === null) return rotated ?? own;
    try {
      return rotatePolicy(given, chain);
    } catch (error) {
      if (error instanceof RotationBroken) return given;
      throw error;
    }
  }

  async #checkReceipts(policy: Policy | null): Promise<void> {
    for (const [name, sha256] of this.#is) {
      if (!name.startsWith(`${SEALED_FOLDER}/`) || !name.endsWith(SEALED)) continue;
      const proof = proofName(name);
      if (!this.#isHere(proof) || policy === null || this.#changed.has(name) || this.#changed.has(proof)) continue;
      const size = this.#source.names.get(name)!;
      const receipt = await this.#parsed(proof, MAX_RECEIPT_SIZE, (data) =>
        verifyReceipt(data, { sha256, size, policy }));
      if (receipt !== null) this.#receipts.set(name, receipt);
    }
  }

  // 3  signature, and what it names

  async #readManifest(): Promise<Manifest | null> {
    const json = await this.#small(MANIFEST, LARGEST_MANIFEST);
    const manifest = json && this.#try(MANIFEST, () => parseManifest(json));
    const signature = await this.#parsed(SIGNATURE, 2 * SIGNATURE_SIZE + 1, parseSignature);
    if (json !== null && manifest !== null && signature !== null) {
      this.#try(this.#changed.has(MANIFEST) ? MANIFEST : SIGNATURE, () => {
        verifyManifest(json, manifest.sender, signature);
        this.#proven.add(MANIFEST).add(SIGNATURE);
      });
    }
    const known = this.#changed.has(MANIFEST) && !this.#proven.has(MANIFEST) ? null : manifest;
    if (known === null) this.#allRead = false;
    return known;
  }

  // 4  contents

  async #checkItem(number: number, named: SharedRecord): Promise<boolean> {
    const stem = recordStem(named.item, named.revision);
    const name = stem + SEALED;
    if (!this.#isKnown(name)) return false;
    const item = await this.#readItem(name, named);
    const receipt = this.#receiptOf(name, named.index);
    if (item === null) {
      this.#allRead = false;
      return false;
    }
    let isWhole = receipt !== null;
    for (const [at, content] of item.contents.entries()) {
      const holds = await this.#checkContent(content, originalName(number, at + 1, content));
      isWhole &&= holds;
    }
    const index = named.words ?? null;
    const words = item.sent === null || index === null ? null : await this.#checkWords(item, item.sent, index, name);
    isWhole &&= item.sent === null || index === null || words !== null && words.receipt !== null && words.isRepeated;
    this.#read.push({ item, receipt, words, isWhole });
    return isWhole;
  }

  /** Whether the pack knows of a sealed file that was signed; if not, it is said. */
  #isKnown(name: string): boolean {
    const both = [name, proofName(name)];
    if (!both.some((one) => this.#source.names.has(one) || this.#listed?.has(one))) {
      this.#say(name, new PackIncomplete());
      return false;
    }
    for (const one of both) this.#needed.add(one);
    return true;
  }

  /** The receipt of one deposit; another's is said. */
  #receiptOf(name: string, index: number): VerifiedReceipt | null {
    const receipt = this.#receipts.get(name) ?? null;
    if (receipt === null || receipt.index === index) return receipt;
    this.#say(proofName(name), new PackOther("the receipt of another deposit"));
    return null;
  }

  /** Somebody's own words, which were shared with what they put in. `isRepeated`: the item, whose record is the file
   * `record`, says as they do. */
  async #checkWords(
    item: Item, sent: Sent, index: number, record: string,
  ): Promise<CheckedWords & { readonly isRepeated: boolean } | null> {
    const name = blobStem(sent.deposit) + SEALED;
    if (!this.#isKnown(name) || !this.#isIt(name, sent.sealed, sent.size)) return null;
    const receipt = this.#receiptOf(name, index);
    const said = await this.#parsed(name, LARGEST_WORDS, (data) => openWords(sent, data));
    if (said === null) return null;
    const isRepeated = this.#try(record, () => {
      requireRepeated(item, said);
      return true;
    }) === true;
    return { said, receipt, isRepeated };
  }

  async #readItem(name: string, { item, revision, key, record, size }: SharedRecord): Promise<Item | null> {
    if (!this.#isIt(name, record, size)) return null;
    return this.#parsed(name, LARGEST_RECORD, (data) => opened(
      { item, revision, deposited: this.#receipts.get(name)?.claimedTime ?? 0 }, false,
      parseRecord(openRecord(key, parseB64url(item), revision, data)),
    ));
  }

  async #checkContent(content: Content, place: string): Promise<boolean> {
    this.#needed.add(place);
    const contents = new Contents((blob) => this.#shown(sealedName({ blob })), NO_PROGRESS);
    const whole = new Sha256();
    let [holds, last] = [true, place];
    for (const part of partsOf(content)) {
      last = sealedName(part);
      this.#needed.add(last).add(proofName(last));
      const isIt = this.#isIt(last, part.sealed, sealedContentSize(part.size));
      const isOpened = isIt && await this.#trying(last, async () => {
        for await (const block of contents.read(part)) whole.update(block);
        return true;
      });
      holds = holds && isOpened === true && this.#receipts.has(last);
    }
    if (holds && !isSame(whole.digest(), content.sha256)) {
      this.#say(last, new PackOther("another original than the record names"));
      holds = false;
    }
    return this.#isIt(place, content.sha256, content.size) && holds;
  }

  /** Whether a file is what was signed; if not, it is said. */
  #isIt(name: string, digest: Uint8Array, size: number): boolean {
    const is = this.#is.get(name);
    if (!this.#isHere(name)) return false;
    if (is === undefined || !isSame(is, digest) || this.#source.names.get(name) !== size) {
      this.#say(name, new PackOther("another SHA-256 or size"));
      return false;
    }
    this.#proven.add(name);
    return true;
  }

  /** Whether a file is there that a record names; if not, it is said whether the sums know of it. */
  #isHere(name: string): boolean {
    if (this.#source.names.has(name)) return true;
    this.#say(name, this.#listed?.has(name) ? new PackMissing() : new PackIncomplete());
    return false;
  }

  // 5  ledger

  async #checkLedger(policy: Policy | null): Promise<void> {
    const every = new Set([...this.#source.names.keys(), ...this.#listed?.keys() ?? []]);
    const stems = new Set([...every].filter((name) => name.startsWith(`${SEALED_FOLDER}/`)).map(stemOf));
    const note = this.#source.names.has(CHECKPOINT) ? await this.#small(CHECKPOINT, MAX_NOTE_SIZE) : null;
    const newest = note === null || policy === null || this.#changed.has(CHECKPOINT) ? null
      : this.#try(CHECKPOINT, () => openCheckpoint(note, policy).checkpoint);
    if (every.has(CHECKPOINT)) {
      this.#needed.add(CHECKPOINT);
      if (newest === null || this.#receipts.size < stems.size) { // for which receipts these are can't be known
        for (const name of every) if (name.startsWith(`${CONSISTENCY}/`)) this.#needed.add(name);
      }
    }
    if (note === null || newest === null) return;
    const before = this.#found.length;
    for (const { checkpoint: tree } of this.#receipts.values()) {
      if (tree.origin === newest.origin && tree.size <= newest.size) await this.#checkBeginning(tree, note, newest);
      else this.#beyond += 1;
    }
    if (this.#found.length === before) this.#at = newest;
  }

  async #checkBeginning(tree: Checkpoint, note: Uint8Array, newest: Checkpoint): Promise<void> {
    if (tree.size === newest.size) return void this.#try(CHECKPOINT, () => requireSame(tree, newest));
    const name = consistencyName(tree.size);
    this.#needed.add(name);
    await this.#parsed(name, MAX_SUBMISSION_SIZE, (proof) => verifyBeginning(tree, proof, note, newest));
  }

  // and then

  /** Names what was changed, and what nothing names. */
  #account(): void {
    const listed = this.#listed;
    this.#found = this.#found.filter(({ name }) => !this.#changed.has(name));
    for (const name of this.#changed) {
      if (this.#proven.has(name)) this.#say(SUMS, new PackChanged(`another sum than that of ${name}`));
      else this.#say(name, new PackChanged());
    }
    const { names } = this.#source;
    for (const name of [PAGE, MANIFEST, SIGNATURE, POLICY, SUMS]) if (!names.has(name)) this.#say(name, new PackMissing());
    for (const name of names.keys()) {
      if (listed !== null && name !== SUMS && !listed.has(name)) {
        if (this.#proven.has(name)) this.#say(SUMS, new PackChanged(`no sum of ${name}`));
        else this.#say(name, new PackExtra());
      } else if (this.#allRead && !this.#needed.has(name)) {
        this.#say(name, new PackExtra());
      }
    }
  }

  /** What a small file says; null after saying why it says nothing. */
  async #parsed<T>(name: string, most: number, parse: (data: Uint8Array) => T): Promise<T | null> {
    const data = await this.#small(name, most);
    return data === null ? null : this.#try(name, () => parse(data));
  }

  /** A file that is held as a whole; null after saying why it can't be. */
  async #small(name: string, most: number): Promise<Uint8Array | null> {
    const size = this.#source.names.get(name);
    if (size === undefined || size > most) {
      this.#say(name, size === undefined ? new PackMissing() : new PackMalformed("far too long"));
      return null;
    }
    return this.#trying(name, async () => {
      const data = new Uint8Array(size);
      let at = 0;
      for await (const block of this.#source.blocks(name)) {
        if (at + block.length > size) throw new PackMalformed("longer than it says");
        data.set(block, at);
        at += block.length;
      }
      return data.subarray(0, at);
    });
  }

  async *#shown(name: string): AsyncGenerator<Uint8Array, void> {
    for await (const block of this.#source.blocks(name)) {
      this.#progress.advance(block.length);
      yield block;
    }
  }

  #try<T>(name: string, act: () => T): T | null {
    try {
      return act();
    } catch (error) {
      return this.#refused(name, error);
    }
  }

  async #trying<T>(name: string, act: () => Promise<T>): Promise<T | null> {
    try {
      return await act();
    } catch (error) {
      return this.#refused(name, error);
    }
  }

  #refused(name: string, error: unknown): null {
    const isOther = [BlobSwapped, ContentBroken, ContentDiffers].some((one) => error instanceof one);
    if (isOther) this.#say(name, new PackOther((error as TemoinError).detail));
    else if (error instanceof MalformedError && !name.endsWith(SEALED)) this.#say(name, new PackMalformed(error.detail));
    else if (error instanceof TemoinError) this.#say(name, error);
    else throw error;
    return null;
  }

  #say(name: string, error: TemoinError): void {
    const isSaid = this.#found.some((one) => one.name === name && one.error.code === error.code);
    if (!isSaid) this.#found.push({ name, error });
  }
}

/** SHA-256 by name. Throws MalformedError. */
function parseSums(data: Uint8Array): Listed {
  const lines = decodeText(data).split("\n");
  const sums = new Map<string, Uint8Array>();
  if (lines.pop() !== "") throw new MalformedError("a last line without its end");
  for (const line of lines) {
    const [, digest = "", name = ""] = LINE.exec(line) ?? [];
    if (name === "" || name === SUMS || sums.has(name)) throw new MalformedError("not a sum of another file");
    sums.set(name, parseHex(digest, HASH_SIZE));
  }
  return sums;
}

/** 64 bytes. Throws MalformedError. */
function parseSignature(data: Uint8Array): Uint8Array {
  const text = decodeText(data);
  if (!text.endsWith("\n")) throw new MalformedError("no newline at its end");
  return parseHex(text.slice(0, -1), SIGNATURE_SIZE);
}

function stemOf(name: string): string {
  return name.slice(0, name.lastIndexOf("."));
}

function isOpen(error: TemoinError): boolean {
  return error instanceof UnsupportedVersion || error instanceof VerificationError && error.outcome === "not_yet";
}
