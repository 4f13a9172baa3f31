// The professionals' directory as this device believes it: read whole, so that nobody learns whom somebody looks for.
// Knows: that the pinned key has signed it, that it only grew, that the witnesses it asks for have signed too, and whose
// digits were compared here. Refuses to know: who approved whom, and which of two people of one name is the right one.
//
// What is remembered lies sealed in this browser: the newest signed note, whose cosignatures are demanded, the keys that
// were compared, and the names that are this account's own. Two histories are a warning about the vault.

import * as v from "valibot";

import {
  concat, decodeText, encodeText, formatB64url, formatJson, isSame, parseB64url, parseJson,
} from "../crypto_core/encoding.js";
import { CryptoCoreError, MalformedError } from "../crypto_core/errors.js";
import { parseCheckpoint, type Checkpoint } from "../crypto_core/receipts/checkpoint.js";
import { Listed as ListedEntry, readDirectory, type Directory, type Listing } from "../crypto_core/receipts/directory.js";
import { hashLeaf } from "../crypto_core/receipts/merkle.js";
import { openNote, parseVkey } from "../crypto_core/receipts/note.js";
import { formatPolicy, parsePolicy, type Policy } from "../crypto_core/receipts/policy.js";
import { WIDTH, entriesPath, parseEntries } from "../crypto_core/receipts/tiles.js";
import { newNodes, root } from "../crypto_core/receipts/tree.js";
import { openCheckpoint } from "../crypto_core/receipts/witnessed.js";
import { openDeviceState, sealDeviceState } from "../crypto_core/sealing/records.js";
import { CHECKPOINT_NOTE } from "../schemas/limits.js";
import { DeviceNewer, DirectoryForked, ItemUnknown, Refused, TrustError } from "./errors.js";
import { Finding } from "./protocol/sync.js";
import type { Session } from "./session.js";

const CHECKPOINT = "/directory/checkpoint";
const TILE = "/directory/tile/<path:tile>";
const STATE = "directory";
/** A directory of more entries than there could be professionals is refused before it is read. */
const MOST_ENTRIES = 100_000;
/** One bundle of entries: 256 of the longest that the wire allows. */
const BUNDLE_SIZE = WIDTH * (2 + 65_535);
const TRIES = 2;

/** The directory is not what its signed state says, or not signed by the pinned key. */
export class DirectoryInvalid extends TrustError {
  static override readonly code = "directory_invalid";
  static override readonly sentence =
    "The vault's directory of professionals does not verify, so nothing is shared with anybody in it. Try again; if " +
    "it stays so, ask who runs the vault.";
}

/** Too few of the witnesses that are demanded have cosigned the newest state of the directory. */
export class DirectoryUnwitnessed extends TrustError {
  static override readonly code = "directory_unwitnessed";
  static override readonly sentence =
    "The witnesses have not confirmed that everybody is shown the same directory of professionals, so nothing is " +
    "shared with anybody in it. Try again in a minute; if it stays so, ask who runs the vault.";
}

/** Somebody of this name was compared, and had other keys. */
export class ProKeyChanged extends TrustError {
  static override readonly code = "pro_key_changed";
  static override readonly sentence =
    "This professional is listed with other keys than those that you compared. Nothing was shared. Call them, by a " +
    "number that you have from elsewhere, and compare the new digits.";
}

const KNOWN = {
  note: v.nullable(v.string()),
  compared: v.array(v.strictObject({
    name: v.string(), org: v.string(), town: v.string(), pk_box: v.string(), pk_sign: v.string(),
  })),
};
const KEPT = v.strictObject({
  v: v.literal(2),
  ...KNOWN,
  /** Whose cosignatures are demanded; null as long as no directory that was believed has named any. */
  policy: v.nullable(v.string()),
  own: v.array(v.string()),
});
/** Before there were witnesses. */
const OLDER = v.pipe(
  v.strictObject({ v: v.literal(1), ...KNOWN }), v.transform((one): Kept => ({ ...one, v: 2, policy: null, own: [] })),
);
const NEWER = v.looseObject({ v: v.pipe(v.number(), v.gtValue(2)) });
/** What this device remembers. */
type Kept = v.InferOutput<typeof KEPT>;

/** Somebody who is listed now. `changed`: others of this name were compared here, this one's keys were not. */
export interface Professional {
  readonly entry: number;
  readonly listing: Listing;
  /** Unix seconds. */
  readonly since: number;
  readonly compared: "no" | "yes" | "changed";
}

/** All who are listed, in the order of entries. `unread`: entries of a newer version, which are passed over. */
export interface Listed {
  readonly professionals: readonly Professional[];
  readonly unread: number;
  /** Whoever was ever listed, those too whose entry has ended. */
  readonly ever: readonly Listing[];
  /** The names under which this account asked to be listed, or was, as this device remembers. */
  readonly own: readonly string[];
}

/** The directory of one session's vault. */
export class Professionals {
  readonly #session: Session;
  /** By entry, as it was shown: digits that somebody compared are never those of another reading. */
  #read: ReadonlyMap<number, Listing> = new Map();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Reads all of it and believes it, if it continues what was seen before and enough witnesses have signed.
   *
   * Throws DirectoryInvalid, DirectoryUnwitnessed, DirectoryForked (both notes are kept as evidence; and again while that
   * warning stands), NetworkError. */
  read(): Promise<Listed> {
    return this.#alone(async (kept) => {
      if (this.#session.warnings.findings.has(Finding.DIRECTORY_FORKED)) throw new DirectoryForked();
      const { note, checkpoint, entries } = await this.#fetch();
      const leaves = entries.map(hashLeaf);
      if (!isSame(rootOf(leaves), checkpoint.root)) throw new DirectoryInvalid("other entries than were signed");
      if (kept.note !== null) await this.#requireGrown(kept.note, note, checkpoint, leaves);
      const directory = understood(entries);
      for (const demanded of [held(kept), directory.policy]) requireMet(note, demanded);
      const policy = directory.policy === null ? kept.policy : decodeText(formatPolicy(directory.policy));
      if (kept.note !== note || kept.policy !== policy) await this.#keep({ ...kept, note, policy });
      const professionals = [...directory.current].map(([entry, { listing, since }]) => (
        { entry, listing, since, compared: standing(listing, kept) }
      ));
      this.#read = new Map(professionals.map(({ entry, listing }) => [entry, listing]));
      const ever = [...directory.all.values()].flatMap((one) => (one instanceof ListedEntry ? [one.listing] : []));
      return { professionals, unread: directory.unread, ever, own: kept.own };
    });
  }

  /** The digits of an entry, as it was read last, were compared: whoever is listed under that name with other keys is
   * refused from now on. Throws ItemUnknown for an entry that was not read, or is not current. */
  async noteCompared(entry: number): Promise<void> {
    const listing = this.#read.get(entry);
    if (listing === undefined) throw new ItemUnknown();
    const { name, org, town, pkBox, pkSign } = listing;
    const pinned = { name, org, town, pk_box: formatB64url(pkBox), pk_sign: formatB64url(pkSign) };
    return this.#alone((kept) => this.#keep({
      ...kept, compared: [...kept.compared.filter((one) => !isSameText(one, pinned)), pinned],
    }));
  }

  /** This account is, or asked to be, listed under these names: the vault is not asked for them again. */
  async noteOwn(...names: readonly string[]): Promise<void> {
    return this.#alone(async (kept) => {
      const own = [...new Set([...kept.own, ...names])];
      if (own.length > kept.own.length) await this.#keep({ ...kept, own });
    });
  }

  /** Lets go of the note held and of whose cosignatures are demanded; compared keys and own names stay. */
  async startAnew(): Promise<void> {
    return this.#alone((kept) => this.#keep({ ...kept, note: null, policy: null }));
  }

  /** The newest state, with every entry of it. A bundle may have grown since its note was asked for: then both anew. */
  async #fetch(): Promise<{ note: string; checkpoint: Checkpoint; entries: readonly Uint8Array[] }> {
    for (let tries = 1; ; tries += 1) {
      const note = await this.#note();
      const checkpoint = this.#open(note);
      if (checkpoint === null) throw new DirectoryInvalid("not signed by the directory that is known");
      if (checkpoint.size > MOST_ENTRIES) throw new DirectoryInvalid("more entries than can be");
      try {
        return { note, checkpoint, entries: await this.#entries(checkpoint.size) };
      } catch (error) {
        if (!(error instanceof Refused) || error.code !== "not_found" || tries === TRIES) throw error;
      }
    }
  }

  async #note(): Promise<string> {
    try {
      return decodeText(await collect(this.#session.transport.read(CHECKPOINT), CHECKPOINT_NOTE));
    } catch (error) {
      if (error instanceof MalformedError) throw new DirectoryInvalid(error.detail);
      throw error;
    }
  }

  /** What the pinned key has signed under its own name; null for anything else. */
  #open(note: string): Checkpoint | null {
    try {
      const key = parseVkey(this.#session.pin.directoryVkey);
      const checkpoint = parseCheckpoint(openNote(encodeText(note), [key]).text);
      return checkpoint.origin === key.name ? checkpoint : null;
    } catch (error) {
      if (error instanceof CryptoCoreError) return null;
      throw error;
    }
  }

  async #entries(size: number): Promise<readonly Uint8Array[]> {
    const entries: Uint8Array[] = [];
    for (let index = 0; index * WIDTH < size; index += 1) {
      const width = Math.min(WIDTH, size - index * WIDTH);
      const tile = entriesPath(index, width).replace(/^tile\//, "");
      try {
        const bytes = await collect(this.#session.transport.read(TILE, 0, null, { places: { tile } }), BUNDLE_SIZE);
        entries.push(...parseEntries(bytes, width));
      } catch (error) {
        if (error instanceof MalformedError) throw new DirectoryInvalid(error.detail);
        throw error;
      }
    }
    return entries;
  }

  /** A held note under another key was let go of with that key. */
  async #requireGrown(
    held: string, note: string, checkpoint: Checkpoint, leaves: readonly Uint8Array[],
  ): Promise<void> {
    const known = this.#open(held);
    if (known === null) return;
    if (known.size <= checkpoint.size && isSame(rootOf(leaves.slice(0, known.size)), known.root)) return;
    for (const one of [held, note]) await this.#session.home.keepEvidence("directory", encodeText(one));
    if (known.size > checkpoint.size) throw new DirectoryInvalid("fewer entries than before");
    await this.#session.warnings.add(Finding.DIRECTORY_FORKED);
    throw new DirectoryForked();
  }

  #alone<T>(act: (kept: Kept) => Promise<T>): Promise<T> {
    return this.#session.home.lock(async () => act(await this.#kept()), "directory");
  }

  /** Throws TamperedError or MalformedError for what is damaged: that is not taken for nothing. And DeviceNewer. */
  async #kept(): Promise<Kept> {
    const { home, keyring } = this.#session;
    const sealed = await home.store.get(home.key("directory"));
    if (sealed === undefined) return { v: 2, note: null, compared: [], policy: null, own: [] };
    if (!(sealed instanceof Uint8Array)) throw new MalformedError("not what this device keeps of the directory");
    const said = parseJson(openDeviceState(keyring.mkN, STATE, keyring.account, sealed));
    if (v.is(NEWER, said)) throw new DeviceNewer();
    const read = v.safeParse(v.union([KEPT, OLDER]), said);
    if (!read.success) throw new MalformedError("not what this device keeps of the directory");
    return read.output;
  }

  async #keep(kept: Kept): Promise<void> {
    const { home, keyring } = this.#session;
    const sealed = sealDeviceState(keyring.mkN, STATE, keyring.account, formatJson(kept));
    await home.store.write({ put: [[home.key("directory"), sealed]] });
  }
}

/** Throws ProKeyChanged for somebody whose keys are not those that were compared. */
export function requireSame({ compared }: Professional): void {
  if (compared === "changed") throw new ProKeyChanged();
}

/** A text by which names are compared for likeness: without case and accents, one space between words. */
export function foldName(text: string): string {
  const bare = text.normalize("NFKD").replace(/\p{M}/gu, "");
  return bare.toUpperCase().toLowerCase().split(/\s+/u).filter((word) => word !== "").join(" ");
}

function standing({ name, pkBox, pkSign }: Listing, { compared }: Kept): Professional["compared"] {
  const known = compared.filter((one) => foldName(one.name) === foldName(name));
  if (known.length === 0) return "no";
  const isKnown = known.some((one) =>
    isSame(parseB64url(one.pk_box), pkBox) && isSame(parseB64url(one.pk_sign), pkSign));
  return isKnown ? "yes" : "changed";
}

/** Whose cosignatures are demanded. Throws MalformedError for what is damaged. */
function held({ policy }: Kept): Policy | null {
  return policy === null ? null : parsePolicy(encodeText(policy));
}

function requireMet(note: string, demanded: Policy | null): void {
  if (demanded === null) return;
  try {
    if (!openCheckpoint(encodeText(note), demanded).isMet) throw new DirectoryUnwitnessed();
  } catch (error) {
    if (error instanceof CryptoCoreError) throw new DirectoryInvalid(error.code);
    throw error;
  }
}

function understood(entries: readonly Uint8Array[]): Directory {
  try {
    return readDirectory(entries);
  } catch (error) {
    if (error instanceof MalformedError) throw new DirectoryInvalid(error.detail);
    throw error;
  }
}

/** The root of the tree of these leaf hashes. */
function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const kept = new Map<string, Uint8Array>();
  const read = (level: number, index: number): Uint8Array => kept.get(`${level}.${index}`) ?? new Uint8Array();
  for (const [level, index, hash] of newNodes(0, leaves, read)) kept.set(`${level}.${index}`, hash);
  return root(leaves.length, read);
}

function isSameText(one: Kept["compared"][number], other: Kept["compared"][number]): boolean {
  return one.name === other.name && one.pk_box === other.pk_box && one.pk_sign === other.pk_sign;
}

/** All bytes of an answer. Throws DirectoryInvalid beyond `most`. */
async function collect(blocks: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const block of blocks) {
    pieces.push(block);
    size += block.length;
    if (size > most) throw new DirectoryInvalid("an answer that does not end");
  }
  return concat(...pieces);
}
