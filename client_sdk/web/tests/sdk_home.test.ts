// What a device keeps: one contract for both stores and both locks, and the places on top of them.
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { openDB } from "idb";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { decodeText, formatB64url, formatJson } from "../src/crypto_core/encoding.js";
import { MalformedError } from "../src/crypto_core/errors.js";
import { makeBytes, makeId } from "../src/crypto_core/randomness.js";
import { SignerKey, formatVkey } from "../src/crypto_core/receipts/note.js";
import { ready } from "../src/crypto_core/sodium.js";
import { DeviceNewer, VaultChanged } from "../src/sdk/errors.js";
import {
  BrowserLocks, DeviceFailed, Home, IndexedStore, MemoryLocks, MemoryStore, PLACES, Pin, openStore, type Locks,
  type Store,
} from "../src/sdk/home.js";

beforeAll(ready);

let databases = 0;
const STORES: readonly (readonly [string, () => Promise<Store>])[] = [
  ["IndexedDB", () => IndexedStore.open(`test ${databases += 1}`)],
  ["memory", () => Promise.resolve(new MemoryStore())],
];

describe.each(STORES)("a store in %s", (_name, open) => {
  let store: Store;
  beforeEach(async () => {
    store = await open();
    return () => store.close();
  });

  test("gives back what was written, the last one, and nothing where nothing was", async () => {
    await store.write({ put: [["a", 1], ["b", { c: [new Uint8Array([1, 2])] }]] });
    await store.write({ put: [["a", "two"]] });
    expect(await store.get("a")).toBe("two");
    expect(await store.get("b")).toEqual({ c: [new Uint8Array([1, 2])] });
    expect(await store.get("c")).toBeUndefined();
  });

  test("lists what begins alike, by key, and nothing else", async () => {
    await store.write({ put: [["ab2", 2], ["ab1", 1], ["a", 0], ["ac", 3], ["b", 4]] });
    expect(await store.list("ab")).toEqual([["ab1", 1], ["ab2", 2]]);
    expect(await store.list("ad")).toEqual([]);
    expect((await store.list("a")).map(([key]) => key)).toEqual(["a", "ab1", "ab2", "ac"]);
    expect(await store.keys("ab")).toEqual(["ab1", "ab2"]);
  });

  test("deletes after it has put, also what isn't there", async () => {
    await store.write({ put: [["a", 1], ["b", 2]], delete: ["b", "c"] });
    expect(await store.list("")).toEqual([["a", 1]]);
  });

  test("erases what begins alike, and nothing else", async () => {
    await store.write({ put: [["ab2", 2], ["ab1", 1], ["ab", 0], ["a", 0], ["ac", 3]] });
    await store.erase("ab");
    await store.erase("ad");
    expect(await store.list("")).toEqual([["a", 0], ["ac", 3]]);
  });

  test("keeps all of a change or nothing", async () => {
    await store.write({ put: [["a", 1]] });
    const wrong = store.write({ put: [["a", 2], ["b", () => "no value that can be kept"]] });
    await expect(wrong).rejects.toThrow(DeviceFailed);
    expect(await store.list("")).toEqual([["a", 1]]);
  });

  test("gives copies: what somebody does with a value changes nothing here", async () => {
    const value = { list: [1] };
    await store.write({ put: [["a", value]] });
    value.list.push(2);
    ((await store.get("a")) as typeof value).list.push(3);
    expect(await store.get("a")).toEqual({ list: [1] });
    const [[, listed]] = (await store.list("a")) as [[string, typeof value]];
    listed.list.push(4);
    expect(await store.get("a")).toEqual({ list: [1] });
  });
});

test("what was written is there after the connection was ended, as telephones do", async () => {
  const store = await IndexedStore.open("ended");
  await store.write({ put: [["a", 1]] });
  store.close();
  expect(await store.get("a")).toBe(1);
  store.close();
});

test("a browser that ended a connection without a word is connected to again", async () => {
  const store = await IndexedStore.open("silent");
  await store.write({ put: [["a", 1]] });
  const begun = vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementationOnce(() => {
    throw new DOMException("The database connection is closing.", "InvalidStateError");
  });
  expect(await store.get("a")).toBe(1);
  expect(begun).toHaveBeenCalledTimes(2);
  begun.mockRestore();
  store.close();
});

test("where the browser keeps nothing there is a store in memory, and it is said", async () => {
  const kept = globalThis.indexedDB;
  try {
    globalThis.indexedDB = new IDBFactory();
    globalThis.indexedDB.open = () => {
      throw new DOMException("forbidden", "SecurityError");
    };
    const store = await openStore();
    await store.write({ put: [["a", 1]] });
    expect([await store.get("a"), store.persistent]).toEqual([1, false]);
  } finally {
    globalThis.indexedDB = kept;
  }
  const store = await openStore();
  expect(store.persistent).toBe(true);
  store.close();
});

test("what a newer version keeps is not taken for nothing, and an open tab doesn't keep it from coming", async () => {
  const older = await IndexedStore.open("grown");
  await older.write({ put: [["a", 1]] });
  const newer = await openDB("grown", 2);
  expect(await newer.get("a", "a")).toBe(1);
  newer.close();
  await expect(older.get("a")).rejects.toThrow(DeviceNewer);
  await expect(IndexedStore.open("grown")).rejects.toThrow(DeviceNewer);
});

const LOCKS: readonly (readonly [string, () => Locks])[] = [
  ["the browser", () => new BrowserLocks()],
  ["this worker", () => new MemoryLocks()],
];

describe.each(LOCKS)("locks of %s", (_name, make) => {
  test("let one in at a time, in their order, also after a failure; another name waits for nobody", async () => {
    const locks = make();
    const said: string[] = [];
    const act = (name: string, until: () => Promise<unknown>) => async (): Promise<string> => {
      said.push(`${name} in`);
      await until();
      said.push(`${name} out`);
      if (name === "first") throw new Error("fails");
      return name;
    };
    const first = locks.hold("x", act("first", () => sleep(0).then(() => other)));
    const second = locks.hold("x", act("second", () => sleep(0)));
    const other = locks.hold("y", act("other", () => sleep(0)));
    await expect(first).rejects.toThrow("fails");
    expect(await second).toBe("second");
    expect(await other).toBe("other");
    expect(said.filter((one) => !one.startsWith("other"))).toEqual(["first in", "first out", "second in", "second out"]);
    expect(said.indexOf("other out")).toBeLessThan(said.indexOf("first out"));
  });

  test("are tried without waiting: nobody gets what another holds, until it is let go of", async () => {
    const locks = make();
    const release = await locks.tryHold("z");
    expect(release).not.toBeNull();
    expect(await locks.tryHold("z")).toBeNull();
    expect(await locks.tryHold("w")).not.toBeNull();
    const waits = locks.hold("z", async () => "in");
    release?.();
    expect(await waits).toBe("in");
    await locks.hold("z", async () => expect(await locks.tryHold("z")).toBeNull());
  });
});

function makePin(): Pin {
  const vkey = (name: string): string => formatVkey(new SignerKey(name, makeBytes(32)).verifier);
  return new Pin(formatB64url(makeId()), vkey("ledger/test"), vkey("directory/test"));
}

function makeHome(): readonly [Home, MemoryStore] {
  const store = new MemoryStore();
  return [new Home(store, new MemoryLocks()), store];
}

test("a vault is pinned where it was met first, and another one there is refused", async () => {
  const [home] = makeHome();
  const [pin, other] = [makePin(), makePin()];
  expect([await home.vaultAt("a.example"), await home.pinOf(pin.vaultId), await home.policy()]).toEqual([null, null, null]);
  await home.pin("a.example", pin);
  await home.pin("b.example", pin);
  expect(await home.pinOf(pin.vaultId)).toEqual(pin);
  expect([await home.vaultAt("a.example"), await home.vaultAt("b.example")]).toEqual([pin.vaultId, pin.vaultId]);
  await expect(home.pin("a.example", other)).rejects.toThrow(VaultChanged);
  expect(await home.pinOf(other.vaultId)).toBeNull();
  await home.pin("c.example", other);
  expect((await home.pins()).map((one) => one.vaultId).sort()).toEqual([pin.vaultId, other.vaultId].sort());
  expect((await home.policy())?.logs.length).toBe(2);
});

test.each([[new Uint8Array()], [formatJson({ vault_id: "00" })], [formatJson([])], ["text"], [
  formatJson({ vault_id: "0".repeat(32), ledger_vkey: "no key", directory_vkey: "" })]])(
  "damaged facts of a vault are not taken for none", async (damaged) => {
    const [home, store] = makeHome();
    const pin = makePin();
    await store.write({ put: [[`v${pin.vaultId}`, damaged]] });
    await expect(home.pinOf(pin.vaultId)).rejects.toThrow(MalformedError);
  });

test("facts of a vault in words of a newer version are not read by half", async () => {
  const [home, store] = makeHome();
  const pin = makePin();
  await home.pin("a.example", pin);
  const kept = JSON.parse(decodeText((await store.get(`v${pin.vaultId}`)) as Uint8Array)) as object;
  await store.write({ put: [[`v${pin.vaultId}`, formatJson({ ...kept, mirrors: [] })]] });
  await expect(home.pinOf(pin.vaultId)).rejects.toThrow(DeviceNewer);
});

test("accounts don't see each other, and no key or lock tells what it is for", async () => {
  const [home, store] = makeHome();
  const [vault, account] = [formatB64url(makeId()), formatB64url(makeId())];
  const [one, other] = [home.account(vault, account), home.account(vault, formatB64url(makeId()))];
  for (const place of Object.keys(PLACES) as (keyof typeof PLACES)[]) {
    await store.write({ put: [[one.key(place, "x"), place]] });
    expect(await one.list(place)).toEqual([["x", place]]);
    expect(await other.list(place)).toEqual([]);
  }
  await home.pin("vault.example", makePin());
  for (const [key] of await store.list("")) {
    expect(key).not.toMatch(/outbox|draft|account|vault|evidence|server/i);
    expect(key).not.toContain(account);
  }
});

test("an account that is erased leaves nothing, keeps nothing any more, and touches no other", async () => {
  const store = new MemoryStore();
  const home = new Home(store, new MemoryLocks());
  const vaultId = formatB64url(makeId());
  const [mine, other] = [formatB64url(makeId()), formatB64url(makeId())].map((one) => home.account(vaultId, one));
  for (const one of [mine!, other!]) {
    await one.store.write({ put: [[one.key("rows"), 1], [one.key("drafts", "a"), 2]] });
    await one.keepEvidence("b", new Uint8Array([1]));
  }
  await mine!.lock(() => mine!.erase()); // whoever holds it is not waited for
  expect((await store.list("")).map(([key]) => key)).toEqual((await other!.store.list("")).map(([key]) => key));
  expect(await store.list("")).toHaveLength(3);
  await expect(mine!.store.write({ put: [[mine!.key("drafts", "b"), 3]] })).rejects.toThrow(DeviceFailed);
  await expect(mine!.keepEvidence("c", new Uint8Array([2]))).rejects.toThrow(DeviceFailed);
  await expect(mine!.list("rows")).rejects.toThrow(DeviceFailed);
  expect(await store.list("")).toHaveLength(3);
});

test("evidence is kept once, under the name it was given", async () => {
  const [home] = makeHome();
  const account = home.account(formatB64url(makeId()), formatB64url(makeId()));
  for (const data of [1, 1, 2]) await account.keepEvidence("fork", new Uint8Array([data]));
  await account.keepEvidence("link", new Uint8Array([1]));
  const kept = (await account.evidence()).map(({ name, data }) => `${name} ${data.join()}`);
  expect(kept.sort()).toEqual(["fork 1", "fork 2", "link 1"]);
});

test("an account is held for one at a time, a place of it beside that", async () => {
  const [home] = makeHome();
  const account = home.account(formatB64url(makeId()), formatB64url(makeId()));
  let held = false;
  const act = (): Promise<void> => account.lock(async () => {
    expect(held).toBe(false);
    held = true;
    expect(await account.lock(async () => "inner", "checkpoint")).toBe("inner");
    await sleep(5);
    held = false;
  });
  await Promise.all([act(), act(), act()]);
});
