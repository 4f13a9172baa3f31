// A person with several devices, each a VaultClient over a network that a test can spoil.
// Knows: how a client is put together, and how a test begins. Refuses to know: what a test wants of them.

import { Network } from "./memory_network.js";
import { QUICK, somebody } from "./memory_device.js";
import type { Argon } from "../src/sdk/argon.js";
import { VaultClient, type ClientOptions } from "../src/sdk/client.js";
import { Home, MemoryLocks, MemoryStore, type Evidence, type Store } from "../src/sdk/home.js";
import { EMPTY_DRAFT, type Draft, type Opening } from "../src/sdk/items.js";
import { Credentials } from "../src/sdk/keychain.js";
import { HttpTransport } from "../src/sdk/transport.js";

/** In Argon2id's place: a vault can't tell. */
export const QUICK_ARGON: Argon = { stretch: QUICK, test: () => Promise.resolve() };

const HURRY = (): Promise<void> => Promise.resolve();

/** What a browser keeps on disk, in memory for as long as a test takes. */
export class Disk extends MemoryStore {
  override readonly persistent = true;
}

/** One browser of one person: what it keeps outlives its clients. */
export class Browser {
  readonly network = new Network();
  readonly store: Store;
  readonly home: Home;
  readonly typed: Credentials;
  readonly #url: string;

  constructor(url: string, typed: Credentials = somebody(), store: Store = new Disk()) {
    this.#url = url;
    this.typed = typed;
    this.store = store;
    this.home = new Home(store, new MemoryLocks());
  }

  /** A client that nobody has logged in to yet, as a tab has one; it never waits between tries. */
  tab(options: ClientOptions = {}): VaultClient {
    const transport = new HttpTransport(this.#url, { fetch: this.network.fetch, sleep: HURRY });
    return new VaultClient(transport, this.home, { argon: QUICK_ARGON, sleep: HURRY, ...options });
  }

  /** A client that is logged in. */
  async logIn(options: ClientOptions = {}): Promise<VaultClient> {
    const client = this.tab(options);
    await client.logIn(this.typed);
    return client;
  }

  /** What a login says; locked again. */
  async opening(options: ClientOptions = {}): Promise<Opening> {
    const client = this.tab(options);
    const opening = await client.logIn(this.typed);
    await client.lock();
    return opening;
  }

  /** Another browser of the same person. */
  another(): Browser {
    return new Browser(this.#url, this.typed);
  }

  /** Every value that this browser keeps, by its key. */
  kept(): Promise<readonly (readonly [string, unknown])[]> {
    return this.store.list("");
  }

  /** What speaks against the vault, of any account. */
  async evidence(): Promise<readonly Evidence[]> {
    const kept = (await this.kept()).map(([, value]) => value);
    return kept.filter((value): value is Evidence =>
      typeof value === "object" && value !== null && "data" in value && "name" in value);
  }
}

/** A browser whose person has signed up with it. */
export async function registered(url: string): Promise<Browser> {
  const browser = new Browser(url);
  const client = browser.tab();
  await client.register(await client.makeAccount(browser.typed));
  return browser;
}

/** A draft that says this. */
export function saying(text: string, more: Partial<Draft> = {}): Draft {
  return { ...EMPTY_DRAFT, text, ...more };
}

export async function collected(blocks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const block of blocks) pieces.push(block);
  return Uint8Array.from(Buffer.concat(pieces));
}
