// What the worker does when the page asks: VaultApi over one VaultClient, put together of its tables of calls.
// Knows: how client, store and network are made for it. Refuses to know: what a call does (worker/calls), and how it is
// answered (worker/answering.ts).

import type { Policy } from "../crypto_core/receipts/policy.js";
import { ready } from "../crypto_core/sodium.js";
import type { Argon } from "../sdk/argon.js";
import { VaultClient, type ClientOptions } from "../sdk/client.js";
import { fetched } from "../sdk/door.js";
import { Home, MemoryLocks, openLocks, openStore, type Store } from "../sdk/home.js";
import type { Transport } from "../sdk/transport.js";
import { Answering, type Ground } from "./answering.js";
import type { VaultApi } from "./api.js";
import { boxesCalls } from "./calls/boxes.js";
import { enteringCalls } from "./calls/entering.js";
import { itemsCalls } from "./calls/items.js";
import { readingCalls } from "./calls/reading.js";
import { sharingCalls } from "./calls/sharing.js";
import { writingCalls } from "./calls/writing.js";
import { Watched } from "./watched.js";

/** What the service is made with; a test brings twins. */
export interface ServiceParts {
  readonly transport: Transport;
  readonly argon: Argon;
  readonly store?: () => Promise<Store>;
  readonly home?: (store: Store) => Home;
  readonly client?: Pick<ClientOptions, "clock" | "sleep" | "now">;
}

/** The vault of one page. */
export interface VaultService extends VaultApi {
  /** The network is back, as far as the browser knows. */
  online(): Promise<void>;
}

export function vaultService(parts: ServiceParts): VaultService {
  const by = new Answering((answering) => begin(parts, answering));
  return {
    listen: (listener) => by.listen(listener), online: () => by.online(),
    ...enteringCalls(by), ...itemsCalls(by), ...writingCalls(by), ...readingCalls(by), ...sharingCalls(by),
    ...boxesCalls(by),
  };
}

async function begin(parts: ServiceParts, by: Answering): Promise<Ground> {
  const [store] = await Promise.all([(parts.store ?? openStore)(), ready()]);
  // What is kept in this worker alone needs no lock between tabs; a browser that forbids stores forbids those, too.
  const home = parts.home?.(store) ?? new Home(store, store.persistent ? openLocks() : new MemoryLocks());
  const transport = new Watched(parts.transport, (reachable) => by.reach(reachable));
  const { clock = clockOfDevice, sleep = resting, now = () => performance.now() } = parts.client ?? {};
  const reading = by.transfer(false);
  const client = new VaultClient(transport, home, {
    ...parts.client, clock, argon: parts.argon, progress: by.transfer(true), reading,
    onSensitive: (until) => by.tell({ kind: "sensitive", open: until !== null, until }),
  });
  const published = async (): Promise<readonly [Policy, false]> => {
    const { publishedPolicy } = await fetched(import("./checking.js"));
    return [await publishedPolicy(transport), false];
  };
  return {
    client, forgetful: !store.persistent, link: { transport, clock, progress: reading },
    box: { transport, clock, sleep, now },
    policy: async () => {
      const held = await home.policy();
      return held === null ? published() : [held, true];
    },
    followed: async () => {
      const held = await home.policy();
      if (held === null) return published();
      const { followedPolicy } = await fetched(import("./checking.js"));
      return [await followedPolicy(transport, home, held), true];
    },
  };
}

function resting(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Unix seconds. */
function clockOfDevice(): number {
  return Math.floor(Date.now() / 1000);
}
