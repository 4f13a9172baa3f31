// A pack of one's own: what a person keeps, signed as if it were shared, and sent to nobody.
// Knows: which files and receipts belong to what is kept. Refuses to know: where it is written. Whoever has it has all that
// stands in it: its manifest holds the keys.

import { formatB64url } from "../../crypto_core/encoding.js";
import { CryptoCoreError } from "../../crypto_core/errors.js";
import { makeId } from "../../crypto_core/randomness.js";
import { derivePublic } from "../../crypto_core/sealing/passphrase.js";
import { signManifest } from "../../crypto_core/sealing/sharing.js";
import type { NotedRecord } from "../../schemas/bundles.js";
import { forgetKeys } from "../door.js";
import { collect } from "../contents.js";
import { isOfOne } from "../errors.js";
import type { Content, Item, KeptReceipt } from "../items.js";
import { loadSignSeed, nameItems, type Kept } from "../manifest.js";
import { differing, type SharedItem, type SharedWords } from "../opening.js";
import { opened, type Reader } from "../reader.js";
import { contentPlace, wordsPlace } from "../receipts.js";
import { openWords } from "../sent_words.js";
import type { Session } from "../session.js";
import type { Packed } from "./pack.js";

/** A manifest that this person signed, and gave to nobody. `json` holds record keys; `signature` has 64 bytes. */
export interface OwnManifest {
  readonly json: Uint8Array;
  readonly signature: Uint8Array;
}

/** What `writePack` makes a pack of. It reads for as long as the session is open. */
export class OwnPack implements Packed {
  readonly manifest: OwnManifest;
  readonly items: readonly SharedItem[];
  readonly left: readonly SharedItem[];
  /** The person's Ed25519 key, 32 bytes: the same in all that they share. */
  readonly sender: Uint8Array;
  /** Unix seconds, by this device's clock. */
  readonly created: number;
  /** None: nobody in particular is spoken to. */
  readonly message = "";
  readonly own = true;
  readonly #reader: Reader;

  constructor(
    manifest: OwnManifest, items: readonly SharedItem[], left: readonly SharedItem[], sender: Uint8Array, created: number,
    reader: Reader,
  ) {
    this.manifest = manifest;
    this.items = items;
    this.left = left;
    this.sender = sender;
    this.created = created;
    this.#reader = reader;
  }

  /** The blob of a content, as it was deposited. Other bytes leave a warning behind. Throws BlobSwapped, or Refused
   * `not_found` or `unavailable` where the vault has lost it. */
  sealed(content: Content): AsyncGenerator<Uint8Array> {
    return this.#reader.sealedContent(content);
  }

  /** Its receipt. Throws VerificationError, TrustError, or Refused. */
  receipt(content: Content): Promise<KeptReceipt> {
    return this.#reader.receipts.at(contentPlace(content));
  }
}

/** Of these revisions, at most as many as a bundle names, in this order. The receipt of each is verified first; its files
 * come when the pack is written. One without a receipt that holds is left out. `signal`: nobody wants it any more.
 *
 * Throws ItemUnknown, NeedsPin, UnsupportedVersion, TamperedError, the signal's reason, ValueRefused for none or too many,
 * or, if no item has a receipt that holds, why the first has none. */
export async function makePack(
  session: Session, reader: Reader, items: readonly NotedRecord[], signal: AbortSignal | null = null,
): Promise<OwnPack> {
  const named = await nameItems(session, reader, items, signal, true);
  try {
    const seed = await loadSignSeed(session);
    const [sender, created, bundle] = [derivePublic(seed), session.clock(), formatB64url(makeId())];
    const json = named.manifest({ bundle, created, expires: created, sender, reader: null, message: "" });
    const manifest = { json, signature: signManifest(json, seed) };
    forgetKeys(seed);
    const kept: SharedItem[] = [];
    for (const one of named.kept) {
      signal?.throwIfAborted();
      kept.push(await itemOf(reader, one));
    }
    const left = named.left.map(({ row, facts, code }): SharedItem =>
      ({ item: opened(row, false, facts), record: null, refused: code, proof: null, doubt: null, words: null }));
    return new OwnPack(manifest, kept, left, sender, created, reader);
  } finally {
    named.forget();
  }
}

async function itemOf(reader: Reader, { row, facts, proof }: Kept): Promise<SharedItem> {
  const item = opened({ ...row, deposited: proof.verified.claimedTime }, false, facts);
  return { item, record: row.record, refused: null, proof, doubt: null, words: await wordsOf(reader, item) };
}

/** The own words of whoever put it in, as the vault gives them; a fault of theirs keeps nothing back. */
async function wordsOf(reader: Reader, item: Item): Promise<SharedWords | null> {
  const { sent } = item;
  if (sent === null) return null;
  try {
    const sealed = await collect(reader.sealedWords(sent));
    const said = openWords(sent, sealed);
    const proof = await reader.receipts.at(wordsPlace(sent));
    return { said, sealed, proof, doubt: differing(item, said) };
  } catch (error) {
    if (!(error instanceof CryptoCoreError || isOfOne(error))) throw error;
    return { said: null, sealed: null, proof: null, doubt: error.code };
  }
}
