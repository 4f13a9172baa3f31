// Opens what somebody shared, with a link and a code or with a bundle's key, until its end.
// Knows: what a reader checks, and in which order (docs/spec/bundle.md). Refuses to know: pages, whose account it is, and
// what becomes of what was read. Nothing is written anywhere: all of it goes with the object.

import * as v from "valibot";

import { concat, encodeText, formatB64url, isSame, parseB64url, parseJson } from "../crypto_core/encoding.js";
import { CryptoCoreError, MalformedError, UnsupportedVersion, VerificationError } from "../crypto_core/errors.js";
import { makeId } from "../crypto_core/randomness.js";
import type { Policy } from "../crypto_core/receipts/policy.js";
import { verifyReceipt, type VerifiedReceipt } from "../crypto_core/receipts/receipt.js";
import { openRecord } from "../crypto_core/sealing/records.js";
import {
  deriveCap, deriveCode, deriveLink, openBundle, parseCode, parseFragment, unwrapForLink, type OpenedManifest,
} from "../crypto_core/sealing/sharing.js";
import { sodium } from "../crypto_core/sodium.js";
import { Manifest, VERSION, type SharedRecord } from "../schemas/bundles.js";
import type { BundleOpened, OpenBundle } from "../schemas/shares.js";
import { Contents, sealedContentSize } from "./contents.js";
import { sha256 } from "./digest.js";
import { BlobSwapped, BundleIncomplete, BundleSwapped, Refused, TrustError } from "./errors.js";
import type { Content, Id, Item, KeptReceipt } from "./items.js";
import type { Progress } from "./progress.js";
import { closed, opened, parseRecord } from "./reader.js";
import { blobName, recordName } from "./replica.js";
import type { Places, Transport } from "./transport.js";

const LINK = "/v1/links/<id:bundle>";
const OPEN = "/v1/bundles/<id:bundle>/open";
const RECORD = "/v1/bundles/<id:bundle>/items/<id:item>/revisions/<u32:revision>";
const RECORD_RECEIPT = "/v1/bundles/<id:bundle>/items/<id:item>/revisions/<u32:revision>/receipt";
const BLOB = "/v1/bundles/<id:bundle>/blobs/<id:blob>";
const BLOB_RECEIPT = "/v1/bundles/<id:bundle>/blobs/<id:blob>/receipt";
/** Records that are fetched at once. */
const AT_ONCE = 4;

/** Proves a receipt for a blob's SHA-256 (32 bytes) and size. Throws a leaf of VerificationError or TrustError. */
export type Verify = (receipt: string, sha256: Uint8Array, size: number) => Promise<VerifiedReceipt>;

/** What a reader reads with. */
export interface ReadingWith {
  readonly transport: Transport;
  readonly verify: Verify;
  /** Unix seconds, by which a reader judges the end that was signed. */
  readonly clock: () => number;
  readonly progress: Progress;
}

/** One item of what was shared, with the sealed bytes of its record. `item` says nothing but its id where it isn't given
 * as it was named: `refused` is why.
 *
 * `proof` is the receipt of its record; where it is null, `doubt` is why. `item.deposited` is its time, or 0. */
export interface SharedItem {
  readonly item: Item;
  readonly record: Uint8Array | null;
  readonly refused: string | null;
  readonly proof: KeptReceipt | null;
  readonly doubt: string | null;
}

/** The ids by which openings are counted, one for each bundle until that opening is whole: what is cut on its way and
 * tried again is one opening. */
export class Openings {
  readonly #ids = new Map<Id, Id>();

  /** Opens; `ask` sends the request. Throws Refused. */
  async open(
    bundle: Id, cap: Uint8Array, ask: (body: OpenBundle) => Promise<BundleOpened>,
  ): Promise<BundleOpened> {
    const opening = this.#ids.get(bundle) ?? formatB64url(makeId());
    this.#ids.set(bundle, opening);
    try {
      return await ask({ cap, opening });
    } catch (error) {
      if (error instanceof Refused && error.code === "id_taken") this.#ids.delete(bundle); // its hour is over
      throw error;
    }
  }

  /** That opening is whole: the next one is another. */
  end(bundle: Id): void {
    this.#ids.delete(bundle);
  }
}

/** What the end of a link carries. Holds a secret. */
export class Link {
  readonly bundle: Id;
  readonly #id: Uint8Array;
  readonly #key: Uint8Array;

  private constructor(id: Uint8Array, key: Uint8Array) {
    this.bundle = formatB64url(id);
    this.#id = id;
    this.#key = key;
  }

  /** From `#b` and 64 characters. Throws LinkMalformed. */
  static parse(fragment: string): Link {
    const [id, secret] = parseFragment(fragment);
    const link = new Link(id, deriveLink(secret, id));
    sodium.memzero(secret);
    return link;
  }

  /** What is sent for a code, 32 bytes. Throws SecretRefused. */
  deriveCode(code: string): Uint8Array {
    return deriveCode(this.#key, this.#id, parseCode(code));
  }

  /** The bundle's key. Throws TamperedError or MalformedError. */
  unwrap(share: Uint8Array, wrap: Uint8Array): Uint8Array {
    return unwrapForLink(this.#key, share, this.#id, wrap);
  }

  /** Overwrites the secret. */
  forget(): void {
    sodium.memzero(this.#key);
  }
}

/** A bundle that is open: proven to be the one asked for, for this reader, signed, and not over. */
export class OpenedBundle {
  readonly bundle: Id;
  /** Ed25519, 32 bytes: the same in all that this person shares, and nobody's name. */
  readonly sender: Uint8Array;
  /** Unix seconds, by the clock of whoever shared it. */
  readonly created: number;
  readonly expires: number;
  readonly message: string;
  readonly items: readonly SharedItem[];
  /** Holds the records' keys. */
  readonly manifest: OpenedManifest;
  readonly #asking: Asking;
  readonly #contents: Contents;

  private constructor(manifest: Manifest, proven: OpenedManifest, items: readonly SharedItem[], asking: Asking) {
    this.bundle = manifest.bundle;
    this.sender = proven.sender;
    this.created = manifest.created;
    this.expires = proven.expires;
    this.message = manifest.message;
    this.items = items;
    this.manifest = proven;
    this.#asking = asking;
    this.#contents = new Contents((blob, start, stop) => asking.read(BLOB, { blob }, start, stop), asking.by.progress);
  }

  /** Opens what a bundle's key (32 bytes) opens, and reads every record. `reader` is the reader's own pk_box, null by a
   * link. Throws Refused, NetworkError, TamperedError, MalformedError, UnsupportedVersion, BundleError. */
  static async open(
    bundle: Id, key: Uint8Array, reader: Uint8Array | null, { token, seal }: BundleOpened, by: ReadingWith,
  ): Promise<OpenedBundle> {
    const proven = openBundle(key, parseB64url(bundle), seal, reader, by.clock());
    const manifest = parseManifest(proven.json);
    const asking = new Asking(bundle, token, by);
    const items = await inTurns(manifest.items, (named) => asking.item(named));
    return new OpenedBundle(manifest, proven, items, asking);
  }

  /** A content of one of the items. Throws BundleIncomplete where there is none. */
  contentOf(item: Id, revision: number, blob: Id): Content {
    const found = this.items.find((one) => one.item.id === item && one.item.revision === revision);
    const content = found?.item.contents.find((one) => one.blob === blob);
    if (content === undefined) throw new BundleIncomplete();
    return content;
  }

  /** Its original bytes, or the range [start, stop). Throws RangeInvalid, BundleSwapped, BundleIncomplete, and Refused
   * `bundle_over` or `opening_over` once it has ended. */
  async *content(content: Content, start = 0, stop: number | null = null): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#contents.read(content, start, stop);
    } catch (error) {
      throw asShared(error);
    }
  }

  /** The blob of a content without parts, as it was deposited. Whoever takes it compares its SHA-256 in the end.
   *
   * Throws BundleIncomplete, or Refused `bundle_over` or `opening_over` once it has ended. */
  async *sealed(content: Content): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#asking.read(BLOB, { blob: content.blob });
    } catch (error) {
      throw asShared(error);
    }
  }

  /** The receipt of a content without parts. Throws VerificationError, TrustError, BundleIncomplete, or Refused. */
  receipt({ blob, sealed, size }: Content): Promise<KeptReceipt> {
    return this.#asking.receipt(BLOB_RECEIPT, { blob }, blobName(blob), sealed, sealedContentSize(size));
  }

  /** The receipts of a content, one for each part of a recording. Throws as `receipt`. */
  async receipts(content: Content): Promise<readonly KeptReceipt[]> {
    return inTurns(content.parts ?? [content], (part) => this.receipt(part));
  }
}

/** Opens with a link and its code. Each call spends a try.
 *
 * Throws Refused (`code_wrong` with `extra.left`, `bundle_over`, …), SecretRefused, and as `openCounted`. */
export async function openLink(link: Link, code: string, openings: Openings, by: ReadingWith): Promise<OpenedBundle> {
  const { bundle } = link;
  const places = { bundle };
  const { share, wrap } = await by.transport.ask("POST", LINK, { places, body: { x: link.deriveCode(code) } });
  const key = link.unwrap(share, wrap);
  sodium.memzero(share);
  return openCounted(bundle, key, null, openings, by, (body) => by.transport.ask("POST", OPEN, { places, body }));
}

/** How receipts are proven by whoever has no account: under a policy alone. */
export function verifyUnder(policy: Policy): Verify {
  return async (receipt, digest, size) => verifyReceipt(encodeText(receipt), { sha256: digest, size, policy });
}

/** Opens what a bundle's key (32 bytes, overwritten in the end) opens: that is counted, and the person sees when.
 *
 * Throws Refused (`bundle_over`, `openings_used`, …), NetworkError, and as `OpenedBundle.open`. */
export async function openCounted(
  bundle: Id, key: Uint8Array, reader: Uint8Array | null, openings: Openings, by: ReadingWith,
  ask: (body: OpenBundle) => Promise<BundleOpened>,
): Promise<OpenedBundle> {
  try {
    const answer = await openings.open(bundle, deriveCap(key, parseB64url(bundle)), ask);
    const whole = await OpenedBundle.open(bundle, key, reader, answer, by);
    openings.end(bundle);
    return whole;
  } finally {
    sodium.memzero(key);
  }
}

/** Asks for what one bundle names, with the token of one opening. */
class Asking {
  readonly by: ReadingWith;
  readonly #bundle: Id;
  readonly #token: Uint8Array;

  constructor(bundle: Id, token: Uint8Array, by: ReadingWith) {
    this.by = by;
    this.#bundle = bundle;
    this.#token = token;
  }

  read(
    path: typeof BLOB | typeof RECORD, places: Places, start?: number, stop?: number | null,
  ): AsyncGenerator<Uint8Array, void> {
    return this.by.transport.read(path, start, stop, { token: this.#token, places: { bundle: this.#bundle, ...places } });
  }

  /** An item as it is shown, whatever is given in its place. */
  async item(named: SharedRecord): Promise<SharedItem> {
    const { item, revision, key } = named;
    const place = { item, revision, deposited: 0 };
    try {
      const record = await this.#record(named);
      const facts = parseRecord(openRecord(key, parseB64url(item), revision, record));
      const [proof, doubt] = await this.#proof(named);
      const deposited = proof?.verified.claimedTime ?? 0;
      return { item: opened({ ...place, deposited }, false, facts), record, refused: null, proof, doubt };
    } catch (error) {
      const why = asShared(error);
      if (!(why instanceof CryptoCoreError || isOfBundle(why))) throw why;
      const state = why instanceof UnsupportedVersion ? "newer_version" : "missing";
      return { item: closed(place, state, false), record: null, refused: why.code, proof: null, doubt: null };
    } finally {
      sodium.memzero(key);
    }
  }

  /** A receipt that verified for these bytes. */
  async receipt(
    path: typeof BLOB_RECEIPT | typeof RECORD_RECEIPT, places: Places, name: string, digest: Uint8Array, size: number,
  ): Promise<KeptReceipt> {
    try {
      const asked = { token: this.#token, places: { bundle: this.#bundle, ...places } };
      const { receipt } = await this.by.transport.ask("GET", path, asked);
      return { name, receipt, verified: await this.by.verify(receipt, digest, size) };
    } catch (error) {
      throw asShared(error);
    }
  }

  /** The sealed record, of the named bytes. */
  async #record({ item, revision, record, size }: SharedRecord): Promise<Uint8Array> {
    const blocks: Uint8Array[] = [];
    let length = 0;
    for await (const block of this.read(RECORD, { item, revision })) {
      length += block.length;
      if (length > size) break;
      blocks.push(block);
    }
    const bytes = concat(...blocks);
    if (length !== size || !isSame(sha256(bytes), record)) throw new BundleSwapped("another hash than was shared");
    return bytes;
  }

  /** The record's receipt, or the code of why there is none that holds: what was written is read all the same. */
  async #proof({ item, revision, record, size, index }: SharedRecord): Promise<[KeptReceipt | null, string | null]> {
    try {
      const name = recordName(item, revision);
      const kept = await this.receipt(RECORD_RECEIPT, { item, revision }, name, record, size);
      if (kept.verified.index !== index) throw new BundleSwapped("the receipt of another deposit");
      return [kept, null];
    } catch (error) {
      const isDoubt = error instanceof VerificationError || error instanceof TrustError || isOfBundle(error);
      if (!isDoubt) throw error;
      return [null, error.code];
    }
  }
}

/** What a manifest says. Throws MalformedError or UnsupportedVersion. */
export function parseManifest(json: Uint8Array): Manifest {
  const value = parseJson(json);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new MalformedError("not a manifest");
  if ((value as Record<string, unknown>)["v"] !== VERSION) throw new UnsupportedVersion();
  const loaded = v.safeParse(Manifest, value);
  if (!loaded.success) throw new MalformedError("a manifest that its schema does not allow");
  return loaded.output;
}

function isOfBundle(error: unknown): error is BundleSwapped | BundleIncomplete {
  return error instanceof BundleSwapped || error instanceof BundleIncomplete;
}

/** An error as it is said of what somebody shared. */
function asShared(error: unknown): unknown {
  if (error instanceof BlobSwapped) return new BundleSwapped(error.detail);
  if (error instanceof Refused && error.code === "not_found") return new BundleIncomplete();
  return error;
}

/** Does all, a few at a time, and gives their results in order. */
async function inTurns<T, R>(all: readonly T[], act: (one: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < all.length) {
      const place = next++;
      results[place] = await act(all[place]!);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}
