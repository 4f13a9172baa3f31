// What waits to be sent: sealed, in order, byte for byte, and nobody else's.
import { beforeAll, expect, test, vi } from "vitest";

import { formatB64url, formatJson } from "../src/crypto_core/encoding.js";
import { makeBytes, makeId } from "../src/crypto_core/randomness.js";
import { Keyring } from "../src/crypto_core/sealing/keyring.js";
import { sealDeviceState } from "../src/crypto_core/sealing/records.js";
import { ready } from "../src/crypto_core/sodium.js";
import type { PutRevision } from "../src/schemas/items.js";
import * as limits from "../src/schemas/limits.js";
import { DeviceNewer } from "../src/sdk/errors.js";
import { DeviceFailed, Home, MemoryLocks, MemoryStore, type AccountHome } from "../src/sdk/home.js";
import { Outbox, type Entry } from "../src/sdk/outbox.js";

beforeAll(ready);

const ACCOUNT = Uint8Array.from({ length: 16 }, (_, place) => place);

function makeKeyring(account: Uint8Array = ACCOUNT): Keyring {
  return new Keyring(account, makeBytes(32), makeBytes(32), 1, 1, makeBytes(32));
}

function makeHome(): AccountHome {
  return new Home(new MemoryStore(), new MemoryLocks()).account(formatB64url(makeId()), formatB64url(ACCOUNT));
}

function revision(erases: readonly string[] | null = null): PutRevision {
  return {
    item: formatB64url(makeId()), revision: 3, replaces: 2, wrap: makeBytes(limits.WRAP), link: makeBytes(limits.LINK),
    record: makeBytes(1096), blobs: [formatB64url(makeId())], erases: erases === null ? null : [...erases],
  };
}

test("what waits comes back in order, byte for byte", async () => {
  const [home, keyring] = [makeHome(), makeKeyring()];
  const outbox = new Outbox(home, keyring);
  const kept: Entry[] = [];
  for (let count = 0; count < 12; count += 1) kept.push(await outbox.keep([revision(), revision([])]));
  expect(await new Outbox(home, keyring).entries()).toEqual(kept);
  await outbox.remove(kept[3]!);
  expect((await outbox.entries()).map((one) => one.number)).toEqual([1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect((await outbox.keep([revision()])).number).toBe(13);
});

test("what waits in words of a newer version waits on", async () => {
  const [home, keyring] = [makeHome(), makeKeyring()];
  const sealed = sealDeviceState(keyring.mkN, "outbox", ACCOUNT, formatJson({ revisions: [], also: 1 }));
  await home.store.write({ put: [[home.key("outbox", "000000000001"), sealed]] });
  await expect(new Outbox(home, keyring).entries()).rejects.toThrow(DeviceNewer);
  expect(await home.list("outbox")).toEqual([["000000000001", sealed]]);
  expect(await home.evidence()).toEqual([]);
});

test("a replaced batch keeps its place", async () => {
  const outbox = new Outbox(makeHome(), makeKeyring());
  const [first, second] = [await outbox.keep([revision()]), await outbox.keep([revision()])];
  const anew = await outbox.replace(first, [revision()]);
  expect(anew.body).not.toEqual(first.body);
  expect(await outbox.entries()).toEqual([anew, second]);
});

test("a batch that this account didn't write, or that was changed, is put aside and never sent", async () => {
  const home = makeHome();
  const outbox = new Outbox(home, makeKeyring());
  await new Outbox(home, makeKeyring()).keep([revision()]);
  const mine = await outbox.keep([revision()]);
  const changed = await outbox.keep([revision()]);
  const key = home.key("outbox", String(changed.number).padStart(12, "0"));
  const sealed = (await home.store.get(key)) as Uint8Array;
  sealed[100]! ^= 1;
  await home.store.write({ put: [[key, sealed]] });
  expect(await outbox.entries()).toEqual([mine]);
  expect((await home.evidence()).map(({ name }) => name)).toEqual(["outbox", "outbox"]);
  expect((await home.list("outbox")).length).toBe(1);
});

test("what a batch was made from goes with the same write, or stays with it", async () => {
  const home = makeHome();
  const outbox = new Outbox(home, makeKeyring());
  const [draft, other] = ["one", "other"].map((name) => home.key("drafts", name)) as [string, string];
  await home.store.write({ put: [[draft, makeBytes(8)], [other, makeBytes(8)]] });
  const write = vi.spyOn(home.store, "write").mockRejectedValueOnce(new DeviceFailed("QuotaExceededError"));
  await expect(outbox.keep([revision()], draft)).rejects.toThrow(DeviceFailed);
  expect([(await home.list("drafts")).length, await outbox.entries()]).toEqual([2, []]);
  write.mockClear();
  await outbox.keep([revision()], draft);
  expect(write, "one write, so that no crash comes between").toHaveBeenCalledOnce();
  expect([(await home.list("drafts")).map(([name]) => name), (await outbox.entries()).length]).toEqual([["other"], 1]);
});

test("batches that belong together begin to wait in one write, with whatever else it writes", async () => {
  const home = makeHome();
  const outbox = new Outbox(home, makeKeyring());
  const first = await outbox.keep([revision()]);
  const batches = [[revision()], [revision(), revision([])]];
  await expect(outbox.keepAll(batches, () => Promise.reject(new DeviceFailed("died")))).rejects.toThrow(DeviceFailed);
  expect(await outbox.entries()).toEqual([first]);
  const kept = await outbox.keepAll(batches, (waiting) => home.store.write({ put: waiting }));
  expect(kept.map(({ number, revisions }) => [number, revisions])).toEqual([[2, batches[0]], [3, batches[1]]]);
  expect(await outbox.entries()).toEqual([first, ...kept]);
});

test("what waits is sealed", async () => {
  const home = makeHome();
  const { body } = await new Outbox(home, makeKeyring()).keep([revision()]);
  const [[, sealed]] = (await home.list("outbox")) as [[string, Uint8Array]];
  expect(sealed.length).toBe(body.length + 72 + 16 * Math.floor(body.length / 16_384));
  const text = Buffer.from(sealed).toString("latin1");
  for (const word of ["revisions", "record", "erases"]) expect(text).not.toContain(word);
});
