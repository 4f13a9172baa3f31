// Opens what somebody shared, with a link and a code or with a bundle's key, until its end.
// Knows: what a reader checks, and in which order (docs/spec/bundle.md). Refuses to know: pages, whose account it is, and
// what becomes of what was read. Nothing is written anywhere: all of it goes with the object.

import * as v from "valibot";

import { encodeText, formatB64url, isSame, parseB64url, parseJson } from "../crypto_core/encoding.js";
import { CryptoCoreError, MalformedError, UnsupportedVersion, VerificationError } from "../crypto_core/errors.js";
import { makeId } from "../crypto_core/randomness.js";
import type { Policy } from "../crypto_core/receipts/policy.js";
import { verifyReceipt, type VerifiedReceipt } from "../crypto_core/receipts/receipt.js";
import { openRecord } from "../crypto_core/sealing/records.js";
import {
  deriveCap, deriveCode, deriveLink, openBundle, parseCode, parseFragment, unwrapForLink, type OpenedManifest,
} from "../crypto_core/sealing/sharing.js";
import { sodium } from "../crypto_core/sodium.js";
import { Manifest, VERSION, WITH_WORDS, type SharedRecord } from "../schemas/bundles.js";
import type { Deposit } from "../schemas/deposits.js";
import { DEPOSIT as LARGEST_WORDS } from "../schemas/limits.js";
import type { BundleOpened, OpenBundle } from "../schemas/shares.js";
import { Contents, bounded, checked, collect, sealedContentSize } from "./contents.js";
import { sha256 } from "./digest.js";
import { BlobSwapped, BundleIncomplete, BundleSwapped, Refused, TrustError, SentDiffers } from "./errors.js";
import type { Content, Id, Item, KeptReceipt } from "./items.js";
import type { Progress } from "./progress.js";
import { closed, opened, parseRecord } from "./reader.js";
import { blobName, recordName } from "./replica.js";
import { openWords, requireRepeated } from "./sent_words.js";
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

/** The own words of whoever put an item into a box, as they were sealed, with the receipt of that moment.
 *
 * `said` and `sealed` are null where the vault doesn't give them as the item names them, `proof` where no receipt holds;
 * `doubt` is why, or that the item says otherwise. */
export interface SharedWords {
  readonly said: Deposit | null;
  readonly sealed: Uint8Array | null;
  readonly proof: KeptReceipt | null;
  readonly doubt: string | null;
}

/** One item of what was shared, with the sealed bytes of its record. `item` says nothing but its id where it isn't given
 * as it was named: `refused` is why.
 *
 * `proof` is the receipt of its record; where it is null, `doubt` is why. `item.deposited` is its time, or 0. `words` are
 * null where nobody else put it in, and where they weren't shared with it. */
export interface SharedItem {
  readonly item: Item;
  readonly record: Uint8Array | null;
  readonly refused: string | null;
  readonly proof: KeptReceipt | null;
  readonly doubt: string | null;
  readonly words: SharedWords | null;
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
  /** It is somebody else's. */
  readonly own = false;
  readonly items: readonly SharedItem[];
  /** None: what was shared is what the manifest names. */
  readonly left: readonly SharedItem[] = [];
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

  /** Its original bytes, or the range [start, stop). Throws as `Contents.read`, but BundleSwapped for BlobSwapped;
   * BundleIncomplete, and Refused `bundle_over` or `opening_over` once it has ended. */
  async *content(content: Content, start = 0, stop: number | null = null): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#contents.read(content, start, stop);
    } catch (error) {
      throw asShared(error);
    }
  }

  /** The blob of a content without parts, as it was deposited.
   *
   * Throws in the place of an end BundleSwapped where it is another, or ContentBroken as `checked`; BundleIncomplete, or Refused
   * `bundle_over` or `opening_over` once it has ended. */
  async *sealed(content: Content): AsyncGenerator<Uint8Array> {
    try {
      yield* checked(content, this.#asking.read(BLOB, { blob: content.blob }));
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
    const { item, revision, key, record: digest, size, index } = named;
    const place = { item, revision, deposited: 0 };
    try {
      const record = await this.#small(RECORD, { item, revision }, size);
      if (record.length !== size || !isSame(sha256(record), digest)) throw new BundleSwapped("another hash than was shared");
      const facts = parseRecord(openRecord(key, parseB64url(item), revision, record));
      const name = recordName(item, revision);
      const [proof, doubt] = await this.#proof(index, RECORD_RECEIPT, { item, revision }, name, digest, size);
      const shown = opened({ ...place, deposited: proof?.verified.claimedTime ?? 0 }, false, facts);
      return { item: shown, record, refused: null, proof, doubt, words: await this.#words(shown, named.words ?? null) };
    } catch (error) {
      const why = asShared(error);
      if (!isOfShared(why)) throw why;
      const state = why instanceof UnsupportedVersion ? "newer_version" : "missing";
      return { item: closed(place, state, false), record: null, refused: why.code, proof: null, doubt: null, words: null };
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

  /** Somebody's own words beside the item that repeats them; what is wrong with them keeps nothing from a reader. */
  async #words(item: Item, index: number | null): Promise<SharedWords | null> {
    const { sent } = item;
    if (sent === null || index === null) return null;
    const places = { blob: sent.deposit };
    try {
      const sealed = await this.#small(BLOB, places, Math.min(sent.size, LARGEST_WORDS));
      const said = openWords(sent, sealed);
      const name = blobName(sent.deposit);
      const [proof, doubt] = await this.#proof(index, BLOB_RECEIPT, places, name, sent.sealed, sent.size);
      return { said, sealed, proof, doubt: differing(item, said) ?? doubt };
    } catch (error) {
      const why = asShared(error);
      if (!isOfShared(why)) throw why;
      return { said: null, sealed: null, proof: null, doubt: why.code };
    }
  }

  /** A record or words, no more than `bounded` lets by. */
  #small(path: typeof BLOB | typeof RECORD, places: Places, most: number): Promise<Uint8Array> {
    return collect(bounded(this.read(path, places), most));
  }

  /** The receipt of one deposit, or the code of why there is none that holds: what was written is read all the same. */
  async #proof(
    index: number, path: typeof BLOB_RECEIPT | typeof RECORD_RECEIPT, places: Places, name: string, digest: Uint8Array,
    size: number,
  ): Promise<[KeptReceipt | null, string | null]> {
    try {
      const kept = await this.receipt(path, places, name, digest, size);
      if (kept.verified.index !== index) throw new BundleSwapped("the receipt of another deposit");
      return [kept, null];
    } catch (error) {
      const isDoubt = error instanceof VerificationError || error instanceof TrustError || isOfBundle(error);
      if (!isDoubt) throw error;
      return [null, error.code];
    }
  }
}

/** The code for an item that says otherwise than the words; null where it doesn't. */
export function differing(item: Item, said: Deposit): string | null {
  try {
    requireRepeated(item, said);
    return null;
  } catch (error) {
    if (error instanceof SentDiffers) return error.code;
    throw error;
  }
}

/** What a manifest says. Throws MalformedError or UnsupportedVersion. */
export function parseManifest(json: Uint8Array): Manifest {
  const value = parseJson(json);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new MalformedError("not a manifest");
  const { v: version } = value as Record<string, unknown>;
  if (version !== VERSION && version !== WITH_WORDS) throw new UnsupportedVersion();
  const loaded = v.safeParse(Manifest, value);
  if (!loaded.success) throw new MalformedError("a manifest that its schema does not allow");
  return loaded.output;
}

/** What speaks of one thing that was shared, and not of the bundle. */
function isOfShared(error: unknown): error is CryptoCoreError | BundleSwapped | BundleIncomplete {
  return error instanceof CryptoCoreError || isOfBundle(error);
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
