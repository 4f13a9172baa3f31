// What a person shares: a bundle made here, for one professional or for a link and a code; then what became of it.
// Knows: protocol §7 on the person's side (docs/spec/bundle.md). Refuses to know: pages, how a seal is made, and who has
// a link. A bundle's key is kept by nobody: what is shared is never changed, only ended or replaced.

import * as v from "valibot";

import { parseB64url, parseJson } from "../crypto_core/encoding.js";
import { CryptoCoreError } from "../crypto_core/errors.js";
import { makeBytes } from "../crypto_core/randomness.js";
import { derivePublic } from "../crypto_core/sealing/passphrase.js";
import {
  deriveCap, deriveCode, deriveLink, formatCode, formatFragment, makeBundleKey, makeCode, makeLinkSecret,
  openBundleNote, sealBundle, sealBundleNote, wrapForLink, wrapForProfessional,
} from "../crypto_core/sealing/sharing.js";
import { BundleNote, VERSION } from "../schemas/bundles.js";
import { BUNDLE_BLOBS, KEY } from "../schemas/limits.js";
import { PROBLEMS } from "../schemas/problems.js";
import type { Bundle, ForLink, ForProfessional } from "../schemas/shares.js";
import { sha256 } from "./digest.js";
import { requireSame, type Professional, type Professionals } from "./directory.js";
import { forgetKeys } from "./door.js";
import { Refused, ServerFault, ValueRefused } from "./errors.js";
import type { Id } from "./items.js";
import { loadSignSeed, nameItems, stated, type Said } from "./manifest.js";
import type { Reader } from "./reader.js";
import type { Session } from "./session.js";
import { dumpBody, endpoint } from "./transport.js";

export const BUNDLES = "/v1/bundles";
export const BUNDLE = "/v1/bundles/<id:bundle>";

/** One revision that is shared. */
export interface SharedItem {
  readonly item: Id;
  readonly revision: number;
}

/** What is to be shared, with whom, until when (Unix seconds); `openings` in all.
 *
 * `to` is the entry of a professional, null for a link. `replaces`: the bundle that this one extends. */
export interface Sharing {
  readonly bundle: Id;
  readonly items: readonly SharedItem[];
  readonly to: number | null;
  readonly message: string;
  readonly expires: number;
  readonly openings: number;
  readonly replaces: Id | null;
}

/** What reaches a reader by two different ways. */
export interface Link {
  /** `#b…`, what follows the address of the page. */
  readonly fragment: string;
  /** `1234 5678`. */
  readonly code: string;
}

/** A bundle made here and perhaps sent: the same bytes go again after a lost answer. */
export interface MadeBundle {
  readonly bundle: Id;
  readonly body: Uint8Array;
  readonly link: Link | null;
}

/** A bundle as the vault tells of it. `name` and `items` are the person's own note; `items` is null if it doesn't open. */
export interface Shared extends Omit<Bundle, "note"> {
  readonly name: string | null;
  readonly items: readonly SharedItem[] | null;
}

/** The sharing of one session. */
export class Shares {
  readonly #session: Session;
  readonly #reader: Reader;
  readonly #professionals: Professionals;
  #last: MadeBundle | null = null;

  constructor(session: Session, reader: Reader, professionals: Professionals) {
    this.#session = session;
    this.#reader = reader;
    this.#professionals = professionals;
  }

  /** Whether any of these is behind the PIN: then it has to be open while the bundle is made. Throws ItemUnknown. */
  needsPin(items: readonly SharedItem[]): boolean {
    return items.some(({ item, revision }) => this.#reader.isSensitive(this.#reader.row(item, revision)));
  }

  /** Everything that is sent, made here; asked again for the same bundle, the same bytes.
   *
   * The receipt of each item is verified first. Throws as `nameItems`, ItemUnproven for the first that has none; ValueRefused,
   * ProKeyChanged, DirectoryInvalid, DirectoryForked, or Refused `professional_unknown` for an entry that is not current. */
  async make(sharing: Sharing): Promise<MadeBundle> {
    if (this.#last?.bundle === sharing.bundle) return this.#last;
    const { bundle, items, to, message, expires, openings, replaces } = sharing;
    const reader = to === null ? null : await this.#readerOf(to);
    const named = await nameItems(this.#session, this.#reader, items);
    const blobs = blobsOf(named.kept.map(({ facts }) => facts));
    const [id, key] = [parseB64url(bundle), makeBundleKey()];
    const seed = await loadSignSeed(this.#session);
    const manifest = named.manifest({
      bundle, created: this.#session.clock(), expires, sender: derivePublic(seed),
      reader: reader === null ? null : sha256(reader.listing.pkBox), message,
    });
    const note = stated(BundleNote, {
      v: VERSION, name: reader?.listing.name ?? null, items: items.map(({ item, revision }) => ({ item, revision })),
    });
    const [link, forLink] = reader === null ? linkFor(id, key) : [null, null];
    const body = dumpBody(endpoint("POST", BUNDLES), {
      bundle, expires, openings, cap_hash: sha256(deriveCap(key, id)), seal: sealBundle(key, id, manifest, seed),
      note: sealBundleNote(this.#session.keyring.mkN, id, note),
      records: items.map(({ item, revision }) => ({ item, revision })), blobs,
      professional: reader === null ? null : boxedFor(reader, key, id), link: forLink, replaces,
    });
    forgetKeys(key, seed);
    named.forget();
    this.#last = { bundle, body, link };
    return this.#last;
  }

  /** Sends it, with a token of stage `confirmed`. Throws Refused. */
  async send({ bundle, body }: MadeBundle, token: Uint8Array): Promise<void> {
    const kept = await this.#session.transport.ask("POST", BUNDLES, { body, token });
    if (kept.bundle !== bundle) throw new ServerFault("an answer about another bundle");
    this.#last = null;
  }

  /** All that is and was shared, the newest first, as the vault tells it. */
  async list(): Promise<readonly Shared[]> {
    return (await this.#session.ask("GET", BUNDLES)).bundles.map(({ note, ...rest }) => (
      { ...rest, ...this.#noted(rest.bundle, note) }
    ));
  }

  /** Ends one: nobody opens it any more, and what runs of it breaks off. Again: nothing. */
  async revoke(bundle: Id): Promise<void> {
    await this.#session.ask("DELETE", BUNDLE, { places: { bundle } });
  }

  async #readerOf(entry: number): Promise<Professional> {
    const { professionals } = await this.#professionals.read();
    const found = professionals.find((one) => one.entry === entry);
    if (found === undefined) {
      const { status, sentence } = PROBLEMS.professional_unknown;
      throw new Refused("professional_unknown", status, sentence);
    }
    requireSame(found);
    // the vault alone says whose key it is, and it was caught at something
    if (found.compared !== "yes") this.#session.warnings.requireNone();
    return found;
  }

  #noted(bundle: Id, note: Uint8Array): Pick<Shared, "name" | "items"> {
    try {
      const json = parseJson(openBundleNote(this.#session.keyring.mkN, parseB64url(bundle), note));
      const read = v.safeParse(BundleNote, json);
      if (read.success) return { name: read.output.name, items: read.output.items };
    } catch (error) {
      if (!(error instanceof CryptoCoreError)) throw error;
    }
    return { name: null, items: null };
  }
}

/** Every blob that records name, each once: a depositor's words, and contents. */
function blobsOf(said: readonly Said[]): readonly Id[] {
  const blobs = new Set(said.flatMap((facts) => [
    ...(facts.kind === "received" ? [facts.sent.deposit] : []), ...facts.contents.map((one) => one.blob),
  ]));
  if (blobs.size > BUNDLE_BLOBS) throw new ValueRefused("more files than one bundle holds");
  return [...blobs];
}

function boxedFor({ entry, listing }: Professional, key: Uint8Array, bundle: Uint8Array): ForProfessional {
  return { entry, wrap: wrapForProfessional(listing.pkBox, key, bundle) };
}

/** A new link and code, and what the vault needs to let them open. */
function linkFor(bundle: Uint8Array, key: Uint8Array): readonly [Link, ForLink] {
  const [secret, share, code] = [makeLinkSecret(), makeBytes(KEY), makeCode()];
  const linkKey = deriveLink(secret, bundle);
  const link = { fragment: formatFragment(bundle, secret), code: formatCode(code) };
  const wire = { wrap: wrapForLink(linkKey, share, bundle, key), share, x: deriveCode(linkKey, bundle, code) };
  forgetKeys(secret, linkKey);
  return [link, wire];
}
