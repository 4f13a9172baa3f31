// What a device writes down before the first byte of a file leaves, so that it may go on after any cut.
// Knows: key, salt and the SHA-256 of each unit of an upload; sealed, the key of a sensitive file under pk_S alone.
// Refuses to know: sockets. A salted hash tells whether a file is the same one; its name is kept so that it can be asked
// for again, and a sensitive one's is not.
//
// Nonces follow from key and salt: what was sealed once under them may be sealed again only if it is the very same.

import {
  HASH_SIZE, formatB64url, formatJson, concat, parseB64url, parseJson, isSame, u64,
} from "../crypto_core/encoding.js";
import { CryptoCoreError, MalformedError } from "../crypto_core/errors.js";
import { makeBytes, makeId } from "../crypto_core/randomness.js";
import { SALT_SIZE } from "../crypto_core/sealing/envelope.js";
import {
  NeedsPin, RECORD_WRAP_SIZE, unwrapRecordKey, wrapRecordKey, type Keyring,
} from "../crypto_core/sealing/keyring.js";
import { makeContentKey, openDeviceState, sealDeviceState } from "../crypto_core/sealing/records.js";
import { sha256 } from "./digest.js";
import type { AccountHome } from "./home.js";
import type { Id } from "./items.js";

const NAME = "upload";
/** Seconds after which a journal is of no use: the vault has collected its units long before. */
const AGE = 30 * 86_400;

/** Other bytes than were journalled, or units on the vault that were not: this blob is abandoned, another begun. */
export class JournalMismatch extends Error {}

/** A file to send, as it was when it was looked at. Any difference later makes it another one. */
export class Source {
  readonly file: Blob;
  readonly name: string;
  readonly size: number;
  /** Modification time in milliseconds; 0 if the browser gives none. */
  readonly changed: number;

  constructor(file: Blob & { readonly name?: string; readonly lastModified?: number }) {
    this.file = file;
    this.name = file.name ?? "";
    this.size = file.size;
    this.changed = file.lastModified ?? 0;
  }

  /** 32 bytes that are equal for the same file and salt, and tell nothing else. */
  mark(salt: Uint8Array): Uint8Array {
    const changed = new Uint8Array(8);
    new DataView(changed.buffer).setBigInt64(0, BigInt(Math.trunc(this.changed)));
    return sha256(concat(salt, u64(this.size), changed, new TextEncoder().encode(this.name)));
  }
}

/** One upload's journal, held against other tabs until closed. */
export class Journal {
  readonly blob: Id;
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  /** How many units were journalled by an earlier run. */
  readonly known: number;
  readonly #home: AccountHome;
  readonly #units: Uint8Array[];
  readonly #release: () => void;
  #synced: number;

  constructor(
    home: AccountHome, blob: Id, key: Uint8Array, salt: Uint8Array, units: readonly Uint8Array[], release: () => void,
  ) {
    this.#home = home;
    this.blob = blob;
    this.key = key;
    this.salt = salt;
    this.#units = [...units];
    this.#release = release;
    this.known = this.#synced = units.length;
  }

  /** The SHA-256 of a unit, in order. Throws JournalMismatch if another was journalled for it before. */
  note(number: number, digest: Uint8Array): void {
    const known = this.#units[number];
    if (known === undefined) this.#units.push(digest);
    else if (!isSame(known, digest)) throw new JournalMismatch();
  }

  /** On disk when this resolves: awaited before the units leave. */
  async sync(): Promise<void> {
    const first = this.#synced;
    const fresh = this.#units.slice(first);
    if (fresh.length === 0) return;
    await this.#home.store.write({ put: [[this.#home.key("uploads", unitsName(this.blob, first)), concat(...fresh)]] });
    this.#synced = first + fresh.length;
  }

  /** Lets other tabs have it. */
  close(): void {
    this.#release();
  }

  /** The file is kept, or was given up. */
  async remove(): Promise<void> {
    await removeAll(this.#home, this.blob);
    this.close();
  }
}

/** What an upload asks of its journal. */
export type UploadJournal = Pick<Journal, "blob" | "key" | "salt" | "known" | "note" | "sync" | "close" | "remove">;

/** A journal that nobody reads later: what it was for goes on within one visit, or is begun anew. */
export class PassingJournal implements UploadJournal {
  readonly blob = formatB64url(makeId());
  readonly key = makeContentKey();
  readonly salt = makeBytes(SALT_SIZE);
  readonly known = 0;
  readonly #units: Uint8Array[] = [];

  note(number: number, digest: Uint8Array): void {
    const known = this.#units[number];
    if (known === undefined) this.#units.push(digest);
    else if (!isSame(known, digest)) throw new JournalMismatch();
  }

  async sync(): Promise<void> {
    // nothing of it is kept
  }

  close(): void {
    // nobody else has it
  }

  async remove(): Promise<void> {
    // nothing of it is kept
  }
}

/** The journals of one account on this device. */
export class Journals {
  readonly #home: AccountHome;
  readonly #keyring: Keyring;
  readonly #clock: () => number;

  constructor(home: AccountHome, keyring: Keyring, clock: () => number) {
    this.#home = home;
    this.#keyring = keyring;
    this.#clock = clock;
  }

  /** A new blob id, key and salt for a file, on disk when this resolves. */
  async make(source: Source, sensitive: boolean): Promise<Journal> {
    const blob = makeId();
    const id = formatB64url(blob);
    const key = makeContentKey();
    const salt = makeBytes(SALT_SIZE);
    const facts = {
      v: 1, blob: id, salt: formatB64url(salt), source: formatB64url(source.mark(salt)), sensitive,
      name: sensitive ? null : source.name, size: source.size, changed: source.changed,
      key: formatB64url(wrapRecordKey(this.#keyring, blob, 1, key, sensitive)), made: this.#clock(),
    };
    const sealed = sealDeviceState(this.#keyring.mkN, NAME, this.#keyring.account, formatJson(facts));
    const release = await this.#home.tryLock("uploads", id);
    await this.#home.store.write({ put: [[this.#home.key("uploads", id), sealed]] });
    return new Journal(this.#home, id, key, salt, [], release ?? (() => undefined));
  }

  /** The journal of an upload of this very file that was cut, unless another tab is at it.
   *
   * A sensitive one needs the sensitive tier: without the PIN its file is sent anew. */
  async find(source: Source, sensitive: boolean): Promise<Journal | null> {
    for (const head of await this.#heads()) {
      if (head.sensitive !== sensitive || !isSame(head.source, source.mark(head.salt))) continue;
      const key = this.#unwrap(head);
      const release = key && (await this.#home.tryLock("uploads", head.blob));
      if (!key || !release) continue;
      return new Journal(this.#home, head.blob, key, head.salt, await loadUnits(this.#home, head.blob), release);
    }
    return null;
  }

  /** What was begun and not finished, the oldest first; but for what a tab is sending now. */
  async unfinished(): Promise<readonly Unfinished[]> {
    const found: Unfinished[] = [];
    for (const { blob, name, size, changed, sensitive, made } of await this.#heads()) {
      const release = await this.#home.tryLock("uploads", blob);
      if (release === null) continue;
      const known = (await loadUnits(this.#home, blob)).length;
      release();
      found.push({ blob, name, size, changed, sensitive, made, known });
    }
    return found.sort((one, other) => one.made - other.made);
  }

  /** The journal of an upload is let go of: its file is sent anew if it is given again. */
  async drop(blob: Id): Promise<void> {
    await removeAll(this.#home, blob);
  }

  /** Removes journals of blobs that `isKept` says an item names, and those of long ago. */
  async tidy(isKept: (blob: Id) => boolean): Promise<void> {
    for (const head of await this.#heads()) {
      if (isKept(head.blob) || this.#clock() - head.made > AGE) await removeAll(this.#home, head.blob);
    }
  }

  #unwrap(head: Head): Uint8Array | null {
    try {
      return unwrapRecordKey(this.#keyring, parseB64url(head.blob), 1, head.key)[0];
    } catch (error) {
      if (error instanceof NeedsPin || error instanceof CryptoCoreError) return null;
      throw error;
    }
  }

  async #heads(): Promise<readonly Head[]> {
    const heads: Head[] = [];
    for (const [name, value] of await this.#home.list("uploads")) {
      if (name.includes(".") || !(value instanceof Uint8Array)) continue;
      try {
        const head = parseHead(openDeviceState(this.#keyring.mkN, NAME, this.#keyring.account, value));
        if (head.blob === name) heads.push(head);
      } catch (error) {
        if (!(error instanceof CryptoCoreError)) throw error;
      }
    }
    return heads;
  }
}

/** A file of which a part may have left. `name` is null for a sensitive one; `known`: units that were journalled. */
export interface Unfinished {
  readonly blob: Id;
  readonly name: string | null;
  readonly size: number;
  /** Modification time in milliseconds. */
  readonly changed: number;
  readonly sensitive: boolean;
  /** Unix seconds. */
  readonly made: number;
  readonly known: number;
}

interface Head extends Omit<Unfinished, "known"> {
  readonly salt: Uint8Array;
  readonly source: Uint8Array;
  readonly key: Uint8Array;
}

function parseHead(data: Uint8Array): Head {
  const {
    v, blob, salt, source, sensitive, name, size, changed, key, made,
  } = parseJson(data) as Record<string, unknown>;
  if (
    v !== 1 || typeof blob !== "string" || typeof salt !== "string" || typeof source !== "string"
    || typeof sensitive !== "boolean" || typeof key !== "string" || typeof made !== "number"
    || (typeof name !== "string" && name !== null) || typeof size !== "number" || typeof changed !== "number"
  ) {
    throw new MalformedError("not the head of a journal");
  }
  return {
    blob, name, size, changed, sensitive, made, salt: parseB64url(salt, SALT_SIZE), source: parseB64url(source, HASH_SIZE),
    key: parseB64url(key, RECORD_WRAP_SIZE),
  };
}

/** Where the hashes lie that one sync wrote: ids have no dot, and the numbers sort as they count. */
function unitsName(blob: Id, first: number): string {
  return `${blob}.${String(first).padStart(9, "0")}`;
}

async function loadUnits(home: AccountHome, blob: Id): Promise<readonly Uint8Array[]> {
  const kept = await home.store.list(home.key("uploads", `${blob}.`));
  const units: Uint8Array[] = [];
  for (const [, hashes] of kept) {
    if (!(hashes instanceof Uint8Array)) throw new MalformedError("not the hashes of a journal");
    for (let at = 0; at < hashes.length; at += HASH_SIZE) units.push(hashes.slice(at, at + HASH_SIZE));
  }
  return units;
}

async function removeAll(home: AccountHome, blob: Id): Promise<void> {
  const units = await home.store.list(home.key("uploads", `${blob}.`));
  await home.store.write({ delete: [home.key("uploads", blob), ...units.map(([key]) => key)] });
}
