// What a device keeps between two visits: sealed bytes, hashes and the public facts of vaults, in this browser.
// Knows: one small port over IndexedDB, its twin in memory, where each thing lies, and locks between tabs.
// Refuses to know: what sealed bytes hold. Names of the database, of keys and of locks tell nothing to who reads them.
//
// Browsers may drop all of it when their disk is full or the place was not visited for long. What would prevent that,
// `navigator.storage.persist()`, is never called: in some browsers it asks the person by the vault's address, and
// leaves a lasting line in their settings. What is lost then comes again from the vault, but for what was not sent
// yet; so everything is sent as soon as there is a network, and nothing is called kept before.

import { openDB, type IDBPDatabase, type IDBPTransaction } from "idb";

import {
  ID_SIZE, concat, decodeText, encodeText, formatB64url, formatHex, formatJson, parseB64url, parseHex, parseJson,
} from "../crypto_core/encoding.js";
import { MalformedError, VerificationError } from "../crypto_core/errors.js";
import { NONE, Policy, type Log } from "../crypto_core/receipts/policy.js";
import { formatVkey } from "../crypto_core/receipts/note.js";
import { openRotations, rotatePolicy } from "../crypto_core/receipts/rotation.js";
import { sodium } from "../crypto_core/sodium.js";
import { DeviceNewer, SdkError, VaultChanged } from "./errors.js";
import type { Id } from "./items.js";

/** The browser did not keep something: no room, or it was forbidden. `detail` is the kind of failure, no more. */
export class DeviceFailed extends SdkError {
  static override readonly code = "device";
  static override readonly sentence =
    "This device could not read or write a file that is needed. Look for free space and for permission to write.";
}

/** All or nothing, and on disk once `write` has resolved. `put` goes before `delete`. */
export interface Changes {
  readonly put?: Iterable<readonly [key: string, value: unknown]>;
  readonly delete?: Iterable<string>;
}

/** Values under ASCII keys. A value is whatever can be cloned; what is read is never the object that was written.
 * Everything throws DeviceFailed where the browser doesn't do it, DeviceNewer where a newer version has done it. */
export interface Store {
  /** Whether what is kept here is still there when the page is opened again. */
  readonly persistent: boolean;
  /** The value, or undefined. */
  get(key: string): Promise<unknown>;
  /** Every key that begins with `prefix`, with its value, in the order of keys; as at one moment. */
  list(prefix: string): Promise<readonly (readonly [key: string, value: unknown])[]>;
  /** Every such key without its value, for what would not fit into memory. */
  keys(prefix: string): Promise<readonly string[]>;
  write(changes: Changes): Promise<void>;
  /** Deletes whatever lies under keys that begin with `prefix`: all or nothing. */
  erase(prefix: string): Promise<void>;
  close(): void;
}

const DATABASE = "a";
const TABLE = "a";
/** A version with other tables, or other values in them, counts on; from then on those that know less keep off. */
const VERSION = 1;
const OPENING_MS = 5000;

/** A Store in IndexedDB. Telephones end connections of pages in the background: then it opens another one. */
export class IndexedStore implements Store {
  readonly persistent = true;
  readonly #name: string;
  #db: Promise<IDBPDatabase> | null = null;

  private constructor(name: string) {
    this.#name = name;
  }

  /** Throws DeviceFailed where this browser has no IndexedDB, forbids it, or doesn't answer for five seconds; DeviceNewer. */
  static async open(name: string = DATABASE): Promise<IndexedStore> {
    const store = new IndexedStore(name);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const waited = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        store.close();
        reject(new DeviceFailed("no answer"));
      }, OPENING_MS);
    });
    try {
      await Promise.race([answered(() => store.#connected()), waited]);
    } finally {
      clearTimeout(timer);
    }
    return store;
  }

  get(key: string): Promise<unknown> {
    return this.#done("readonly", (table) => table.get(key));
  }

  list(prefix: string): Promise<readonly (readonly [string, unknown])[]> {
    return this.#done("readonly", async (table) => {
      const range = beginningWith(prefix);
      const [keys, values] = await Promise.all([table.getAllKeys(range), table.getAll(range)]);
      return keys.map((key, place) => [String(key), values[place]] as const);
    });
  }

  keys(prefix: string): Promise<readonly string[]> {
    return this.#done("readonly", async (table) => (await table.getAllKeys(beginningWith(prefix))).map(String));
  }

  write(changes: Changes): Promise<void> {
    const put = [...(changes.put ?? [])];
    const gone = [...(changes.delete ?? [])];
    return this.#done("readwrite", async (table) => {
      await Promise.all([
        ...put.map(async ([key, value]) => table.put?.(value, key)), ...gone.map(async (key) => table.delete?.(key)),
      ]);
    });
  }

  erase(prefix: string): Promise<void> {
    return this.#done("readwrite", async (table) => table.delete?.(beginningWith(prefix)));
  }

  close(): void {
    void this.#db?.then((db) => db.close(), () => undefined);
    this.#db = null;
  }

  /** One transaction, over when this resolves; nothing of it is kept when it throws. */
  #done<T>(mode: IDBTransactionMode, act: (table: Table) => Promise<T>): Promise<T> {
    return answered(async () => {
      const transaction = await this.#begun(mode);
      try {
        const [result] = await Promise.all([act(transaction.store), transaction.done]);
        return result;
      } catch (error) {
        transaction.done.catch(() => undefined);
        if (transaction.error === null) transaction.abort();
        throw error;
      }
    });
  }

  async #begun(mode: IDBTransactionMode): Promise<Transaction> {
    try {
      return (await this.#connected()).transaction(TABLE, mode, { durability: "strict" });
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "InvalidStateError") throw error;
      this.#db = null; // that connection is closed
      return (await this.#connected()).transaction(TABLE, mode, { durability: "strict" });
    }
  }

  #connected(): Promise<IDBPDatabase> {
    const ended = (): void => {
      this.#db = null;
    };
    this.#db ??= openDB(this.#name, VERSION, {
      upgrade: (db) => void db.createObjectStore(TABLE), terminated: ended,
      blocking: () => this.close(), // a newer version, in another tab, waits for this one to let go
    });
    this.#db.catch(ended);
    return this.#db;
  }
}

type Transaction = IDBPTransaction<unknown, [typeof TABLE], IDBTransactionMode>;
type Table = Transaction["store"];

function beginningWith(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`);
}

/** The twin: lost with the page. */
export class MemoryStore implements Store {
  readonly persistent: boolean = false;
  readonly #values = new Map<string, unknown>();

  get(key: string): Promise<unknown> {
    return Promise.resolve(structuredClone(this.#values.get(key)));
  }

  async list(prefix: string): Promise<readonly (readonly [string, unknown])[]> {
    return (await this.keys(prefix)).map((key) => [key, structuredClone(this.#values.get(key))] as const);
  }

  keys(prefix: string): Promise<readonly string[]> {
    return Promise.resolve([...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort());
  }

  write(changes: Changes): Promise<void> {
    return answered(async () => {
      const put = [...(changes.put ?? [])].map(([key, value]) => [key, structuredClone(value)] as const);
      for (const [key, value] of put) this.#values.set(key, value);
      for (const key of changes.delete ?? []) this.#values.delete(key);
    });
  }

  async erase(prefix: string): Promise<void> {
    for (const key of await this.keys(prefix)) this.#values.delete(key);
  }

  close(): void {}
}

const failed = (): Promise<never> => Promise.reject(new DeviceFailed("erased"));
/** The Store of what was erased: nothing is kept there any more, nor found. */
const ERASED: Store = {
  persistent: false, get: failed, list: failed, keys: failed, write: failed, erase: failed, close: () => undefined,
};

/** The Store of this browser; one in memory where it keeps nothing. Throws DeviceNewer. */
export async function openStore(): Promise<Store> {
  try {
    return await IndexedStore.open();
  } catch (error) {
    if (!(error instanceof DeviceFailed)) throw error;
    return new MemoryStore();
  }
}

/** Exclusion by name. Not re-entrant. */
export interface Locks {
  /** Does `act` while nobody else holds `name`; waits for them first. */
  hold<T>(name: string, act: () => Promise<T>): Promise<T>;
  /** What lets go of `name`, which is held from now on; null where somebody else holds it. */
  tryHold(name: string): Promise<(() => void) | null>;
}

/** Between all tabs and workers of this browser. */
export class BrowserLocks implements Locks {
  hold<T>(name: string, act: () => Promise<T>): Promise<T> {
    return navigator.locks.request(name, act) as Promise<T>;
  }

  tryHold(name: string): Promise<(() => void) | null> {
    return new Promise((resolve, reject) => {
      const asked = navigator.locks.request(name, { ifAvailable: true }, (lock) => {
        if (lock === null) {
          resolve(null);
          return Promise.resolve();
        }
        return new Promise<void>((release) => resolve(release));
      });
      asked.catch(reject);
    });
  }
}

/** The twin: within this worker. */
export class MemoryLocks implements Locks {
  readonly #ends = new Map<string, Promise<unknown>>();

  async hold<T>(name: string, act: () => Promise<T>): Promise<T> {
    const mine = (this.#ends.get(name) ?? Promise.resolve()).then(act, act);
    const end = mine.catch(() => undefined);
    this.#ends.set(name, end);
    try {
      return await mine;
    } finally {
      if (this.#ends.get(name) === end) this.#ends.delete(name);
    }
  }

  async tryHold(name: string): Promise<(() => void) | null> {
    if (this.#ends.has(name)) return null;
    return new Promise((resolve) => void this.hold(name, () => new Promise<void>((release) => resolve(release))));
  }
}

/** Locks between tabs where the browser has them, else within this worker. */
export function openLocks(): Locks {
  return "locks" in navigator ? new BrowserLocks() : new MemoryLocks();
}

/** The facts of a vault, as they were when this device met it; the ledger's key moves on by records alone. */
export class Pin {
  readonly vaultId: Id;
  /** The newest that is known. */
  readonly ledgerVkey: string;
  readonly directoryVkey: string;
  /** The records that led to it, as they are published. */
  readonly rotations: Uint8Array;
  #policy: Policy | null = null;

  constructor(vaultId: Id, ledgerVkey: string, directoryVkey: string, rotations: Uint8Array = new Uint8Array()) {
    this.vaultId = vaultId;
    this.ledgerVkey = ledgerVkey;
    this.directoryVkey = directoryVkey;
    this.rotations = rotations;
  }

  /** Trust in this vault's ledger, in every key that it is known to have had; and in no witness. */
  get policy(): Policy {
    return (this.#policy ??= rotatePolicy(Policy.forKey(this.ledgerVkey), openRotations(this.rotations)));
  }

  /** Whether the ledger is known to have, or to have had, this key. */
  knows(vkey: string): boolean {
    return this.policy.keys.some((key) => formatVkey(key) === vkey);
  }

  /** The pin that published records lead to; fewer than are known change nothing.
   *
   * Throws MalformedError, or what `openRotations`, `RotationChain.joined` and `rotatePolicy` throw. */
  rotated(records: Uint8Array): Pin {
    const chain = openRotations(this.rotations).joined(openRotations(records));
    const newest = chain.keys.at(-1);
    if (newest === undefined) return this;
    rotatePolicy(Policy.forKey(this.ledgerVkey), chain);
    return new Pin(this.vaultId, formatVkey(newest), this.directoryVkey, chain.data);
  }
}

/** Places that belong to no account, and those of one account: one letter each, so that keys tell nothing. */
const SERVERS = "s";
const VAULTS = "v";
const ACCOUNTS = "a";
export const PLACES = {
  rows: "r",
  receipts: "t",
  outbox: "o",
  uploads: "u",
  segments: "g",
  closed: "k",
  drafts: "d",
  previews: "p",
  checkpoint: "c",
  warned: "w",
  evidence: "e",
  directory: "y",
} as const;
export type PlaceName = keyof typeof PLACES;

/** All that this browser keeps for vaults. */
export class Home {
  readonly #store: Store;
  readonly #locks: Locks;

  constructor(store: Store, locks: Locks = openLocks()) {
    this.#store = store;
    this.#locks = locks;
  }

  /** The vault id first met at a host, or null. Throws MalformedError if what was kept was damaged. */
  async vaultAt(host: string): Promise<Id | null> {
    const kept = await this.#store.get(serverKey(host));
    return kept === undefined ? null : formatB64url(parseB64url(String(kept), ID_SIZE));
  }

  /** The pinned facts of a vault, or null. Throws MalformedError if they were damaged, DeviceNewer. */
  async pinOf(vaultId: Id): Promise<Pin | null> {
    const kept = await this.#store.get(pinKey(vaultId));
    return kept === undefined ? null : parsePin(kept);
  }

  /** Keeps a vault's facts. Throws VaultChanged if another vault answered at that host before. */
  async pin(host: string, pin: Pin): Promise<void> {
    const known = await this.vaultAt(host);
    if (known !== null && known !== pin.vaultId) throw new VaultChanged();
    await this.#store.write({ put: [[pinKey(pin.vaultId), formatPin(pin)], [serverKey(host), pin.vaultId]] });
  }

  /** Every vault that this device knows. */
  async pins(): Promise<readonly Pin[]> {
    return (await this.#store.list(VAULTS)).map(([, kept]) => parsePin(kept));
  }

  /** Trust in every ledger that this device knows, to verify receipts offline; null if it knows none. */
  async policy(): Promise<Policy | null> {
    const found = (await this.pins()).flatMap((pin) => pin.policy.logs);
    const logs = new Map<string, Log>(found.map((log) => [formatVkey(log.key), log]));
    const ordered = [...logs].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, log]) => log);
    return ordered.length > 0 ? new Policy(ordered, [], [], NONE) : null;
  }

  /** Where one account's sealed state lies. */
  account(vaultId: Id, account: Id): AccountHome {
    const name = concat(parseB64url(vaultId, ID_SIZE), parseB64url(account, ID_SIZE));
    const folder = formatB64url(sodium.crypto_hash_sha256(name).slice(0, ID_SIZE));
    return new AccountHome(this.#store, this.#locks, `${ACCOUNTS}${folder}`);
  }

  /** Keeps what a vault said of itself that contradicts what is pinned; the same bytes once. */
  keepEvidence(name: string, data: Uint8Array): Promise<void> {
    return keepEvidence(this.#store, PLACES.evidence, name, data);
  }

  close(): void {
    this.#store.close();
  }
}

/** One account on this device: sealed bytes, and public notes of the ledger. */
export class AccountHome {
  readonly #locks: Locks;
  readonly #folder: string;
  #store: Store;

  constructor(store: Store, locks: Locks, folder: string) {
    this.#store = store;
    this.#locks = locks;
    this.#folder = folder;
  }

  get store(): Store {
    return this.#store;
  }

  /** Nothing of the account is left on this device when this resolves. Whatever would still be kept by this tab throws
   * DeviceFailed from now on. Waits for no other tab. */
  erase(): Promise<void> {
    const store = this.#store;
    this.#store = ERASED;
    return store.erase(this.#folder);
  }

  /** The key of something, or the beginning of the keys of all that lies in a place. */
  key(place: PlaceName, name = ""): string {
    return `${this.#folder}${PLACES[place]}${name}`;
  }

  /** What lies in a place: the names that `key` was given, and the values, in the order of names. */
  async list(place: PlaceName): Promise<readonly (readonly [name: string, value: unknown])[]> {
    const prefix = this.key(place);
    return (await this.store.list(prefix)).map(([key, value]) => [key.slice(prefix.length), value] as const);
  }

  /** The names alone of what lies in a place and begins with `prefix`, in order. */
  async names(place: PlaceName, prefix = ""): Promise<readonly string[]> {
    const before = this.key(place).length;
    return (await this.store.keys(this.key(place, prefix))).map((key) => key.slice(before));
  }

  /** Does `act` while no other tab or call holds this account, or this place of it; waits for them first.
   *
   * Not re-entrant. A place is held while the account is, never the other way round. */
  lock<T>(act: () => Promise<T>, place?: PlaceName): Promise<T> {
    return this.#locks.hold(place === undefined ? this.#folder : this.key(place), act);
  }

  /** What lets go of something in a place, held from now on; null where another tab or call holds it. */
  tryLock(place: PlaceName, name: string): Promise<(() => void) | null> {
    return this.#locks.tryHold(this.key(place, name));
  }

  /** Keeps bytes that speak against the vault; the same bytes once. */
  keepEvidence(name: string, data: Uint8Array): Promise<void> {
    return keepEvidence(this.store, this.key("evidence"), name, data);
  }

  /** What was kept so, with the name that was given. */
  async evidence(): Promise<readonly Evidence[]> {
    return (await this.list("evidence")).map(([, value]) => value as Evidence);
  }
}

export interface Evidence {
  readonly name: string;
  readonly data: Uint8Array;
}

function keepEvidence(store: Store, prefix: string, name: string, data: Uint8Array): Promise<void> {
  const kept: Evidence = { name, data };
  const own = sodium.crypto_hash_sha256(concat(encodeText(`${name}-`), data));
  return store.write({ put: [[`${prefix}${formatHex(own.slice(0, ID_SIZE))}`, kept]] });
}

/** Throws DeviceNewer if an object that was kept has a name that is none of these: writing it again would lose it. */
export function requireKnown(facts: unknown, ...names: readonly string[]): void {
  if (typeof facts !== "object" || facts === null || Array.isArray(facts)) return;
  if (!Object.keys(facts).every((name) => names.includes(name))) throw new DeviceNewer();
}

function serverKey(host: string): string {
  return `${SERVERS}${formatB64url(sodium.crypto_hash_sha256(encodeText(host)))}`;
}

function pinKey(vaultId: Id): string {
  return `${VAULTS}${vaultId}`;
}

function formatPin(pin: Pin): Uint8Array {
  return formatJson({
    vault_id: formatHex(parseB64url(pin.vaultId, ID_SIZE)), ledger_vkey: pin.ledgerVkey,
    directory_vkey: pin.directoryVkey, rotations: decodeText(pin.rotations),
  });
}

function parsePin(kept: unknown): Pin {
  const facts = kept instanceof Uint8Array ? parseJson(kept) : null;
  requireKnown(facts, "vault_id", "ledger_vkey", "directory_vkey", "rotations");
  if (typeof facts === "object" && facts !== null && "vault_id" in facts && "ledger_vkey" in facts) {
    const { vault_id: vaultId, ledger_vkey: ledger, directory_vkey: directory } = facts as Record<string, unknown>;
    const { rotations = "" } = facts as Record<string, unknown>; // a device's first release kept none
    if ([vaultId, ledger, directory, rotations].every((one) => typeof one === "string")) {
      const id = formatB64url(parseHex(vaultId as string, ID_SIZE));
      return holding(new Pin(id, ledger as string, directory as string, encodeText(rotations as string)));
    }
  }
  throw new MalformedError("not the facts of a vault");
}

/** What does not hold is refused here, not where it is first used. */
function holding(pin: Pin): Pin {
  try {
    void pin.policy;
    return pin;
  } catch (error) {
    throw error instanceof VerificationError ? new MalformedError(`pinned records: ${error.code}`) : error;
  }
}

async function answered<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    throw name === "VersionError" ? new DeviceNewer() : new DeviceFailed(name);
  }
}
