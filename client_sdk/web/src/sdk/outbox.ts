// What was written and is not yet kept: sealed revisions that survive a crash, sent again byte for byte.
// Knows: the exact bytes of `POST /v1/items`, sealed once more for this device. Refuses to know: sockets.
// An entry goes when its receipts verified, and not before.

import * as v from "valibot";

import { parseJson } from "../crypto_core/encoding.js";
import { CryptoCoreError, MalformedError } from "../crypto_core/errors.js";
import type { Keyring } from "../crypto_core/sealing/keyring.js";
import { openDeviceState, sealDeviceState } from "../crypto_core/sealing/records.js";
import { PutItems, type PutRevision } from "../schemas/items.js";
import { DeviceNewer } from "./errors.js";
import type { AccountHome } from "./home.js";
import { dumpBody, endpoint } from "./transport.js";

const NAME = "outbox";
const DIGITS = 12;

/** One batch: the body as it goes, and its revisions by the names of schemas.items.PutRevision. */
export interface Entry {
  readonly number: number;
  readonly body: Uint8Array;
  readonly revisions: readonly PutRevision[];
}

/** What is written where batches begin to wait: sealed, each under its key. */
export type Waiting = readonly (readonly [key: string, sealed: Uint8Array])[];

/** The batches of one account that wait, the oldest first. Used under the account's lock. */
export class Outbox {
  readonly #home: AccountHome;
  readonly #keyring: Keyring;

  constructor(home: AccountHome, keyring: Keyring) {
    this.#home = home;
    this.#keyring = keyring;
  }

  /** A new batch, on disk when this resolves; what it was made from, under the key `draft`, goes in the same moment.
   *
   * Throws DeviceFailed: then nothing was kept, and the draft stays. */
  async keep(revisions: readonly PutRevision[], draft?: string): Promise<Entry> {
    return this.#write(await this.#next(), revisions, draft === undefined ? [] : [draft]);
  }

  /** New batches, all of them or none: `write` has them written, with whatever goes in the same moment. */
  async keepAll(
    batches: readonly (readonly PutRevision[])[], write: (waiting: Waiting) => Promise<void>,
  ): Promise<readonly Entry[]> {
    const first = await this.#next();
    const entries = batches.map((revisions, at) => entryOf(first + at, revisions));
    await write(entries.map((entry) => this.#sealed(entry)));
    return entries;
  }

  /** The same writing, sealed anew after a conflict. */
  replace(entry: Entry, revisions: readonly PutRevision[]): Promise<Entry> {
    return this.#write(entry.number, revisions);
  }

  /** What is kept by the vault, or was given up. If a crash brings it back, the same bytes change nothing. */
  remove(entry: Entry): Promise<void> {
    return this.#home.store.write({ delete: [this.#key(entry.number)] });
  }

  /** What waits. A batch that this account didn't write is put aside as evidence. Throws DeviceNewer. */
  async entries(): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    for (const [name, sealed] of await this.#home.list("outbox")) {
      const entry = await this.#read(Number(name), sealed as Uint8Array);
      if (entry !== null) entries.push(entry);
    }
    return entries;
  }

  async #write(
    number: number, revisions: readonly PutRevision[], instead: readonly string[] = [],
  ): Promise<Entry> {
    const entry = entryOf(number, revisions);
    await this.#home.store.write({ put: [this.#sealed(entry)], delete: instead });
    return entry;
  }

  #sealed({ number, body }: Entry): Waiting[number] {
    return [this.#key(number), sealDeviceState(this.#keyring.mkN, NAME, this.#keyring.account, body)];
  }

  /** The number of the batch that comes after all that wait. */
  async #next(): Promise<number> {
    return Number((await this.#home.list("outbox")).at(-1)?.[0] ?? "0") + 1;
  }

  async #read(number: number, sealed: Uint8Array): Promise<Entry | null> {
    let body: Uint8Array;
    try {
      body = openDeviceState(this.#keyring.mkN, NAME, this.#keyring.account, sealed);
    } catch (error) {
      if (!(error instanceof CryptoCoreError)) throw error;
      await this.#home.keepEvidence(NAME, sealed);
      await this.#home.store.write({ delete: [this.#key(number)] });
      return null;
    }
    try {
      return { number, body, revisions: v.parse(PutItems, parseJson(body)).revisions };
    } catch (error) { // sealed here, so no damage
      throw error instanceof MalformedError || error instanceof v.ValiError ? new DeviceNewer() : error;
    }
  }

  #key(number: number): string {
    return this.#home.key("outbox", String(number).padStart(DIGITS, "0"));
  }
}

function entryOf(number: number, revisions: readonly PutRevision[]): Entry {
  return { number, body: dumpBody(endpoint("POST", "/v1/items"), { revisions }), revisions };
}
