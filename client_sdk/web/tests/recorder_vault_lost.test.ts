// A recording of which the vault has lost what it had: what still lies on the device goes again, and what is nowhere is told.
import { randomBytes } from "node:crypto";

import { describe, expect, test } from "vitest";

import type { VaultClient } from "../src/sdk/client.js";
import { DeviceFailed, MemoryStore, type Changes } from "../src/sdk/home.js";
import { EMPTY_DRAFT, type Id } from "../src/sdk/items.js";
import type { Safe } from "../src/sdk/recorder.js";
import { Browser, Disk, collected, registered } from "./clients.js";
import { python } from "./real_vault.js";
import { ownVault } from "./shared_vault.js";

const vault = await ownVault();
const [TITLE, NAME] = ["Son", "1.webm"];
const SEGMENT = /^a.{22}g/;
const slices = (...sizes: readonly number[]): readonly Uint8Array[] => sizes.map((size) => new Uint8Array(randomBytes(size)));
const whole = async (client: VaultClient, id: Id): Promise<Buffer> =>
  Buffer.from(await collected(client.readContent(client.item(id).contents[0]!)));
const here = async (browser: Browser): Promise<readonly string[]> =>
  (await browser.kept()).map(([key]) => key).filter((key) => SEGMENT.test(key));
const puts = (browser: Browser): number =>
  browser.network.paths("PUT").filter((path) => path.startsWith("/v1/blobs/")).length;
const kept = (told: readonly Safe[], count: number): Promise<void> =>
  expect.poll(() => told.at(-1)).toEqual({ here: count, kept: count });

/** A recording that goes on, of which the vault has all there is. */
async function recorded(
  client: VaultClient, parts: readonly Uint8Array[], sensitive = false,
): Promise<readonly [Id, Safe[]]> {
  const told: Safe[] = [];
  const what = { draft: { ...EMPTY_DRAFT, title: TITLE }, sensitive, name: NAME, mime: "audio/webm" };
  const id = await client.recordings.begin(what, (safe) => told.push(safe));
  for (const [at, part] of parts.entries()) await client.recordings.add(id, part, at + 1);
  await kept(told, parts.length);
  return [id, told];
}

/** The vault goes back to the copy; the recording goes on for a while. */
async function brokenOff(
  client: VaultClient, id: Id, copy: string, more: readonly Uint8Array[],
): Promise<void> {
  await vault.setBack(copy);
  for (const [at, part] of more.entries()) await client.recordings.add(id, part, 100 + at);
  await expect(client.recordings.end(id)).rejects.toMatchObject({ code: "unauthorized" });
  await client.lock();
}

/** The space is opened, its warning ended, and what broke off is closed. */
async function closed(browser: Browser): Promise<VaultClient> {
  const client = await browser.logIn();
  await client.account.acceptTrust(browser.typed.password, browser.typed.pin);
  await client.stepUp(browser.typed.pin);
  await client.recordings.finish();
  return client;
}

/** A device of an earlier version, which let go of what was sent. */
async function forgotten(browser: Browser, count: number): Promise<void> {
  await browser.store.write({ delete: (await here(browser)).slice(0, count) });
}

describe.each([false, true])("a vault that is set back while it goes on (sensitive: %s)", (sensitive) => {
  test("has all of it again", async () => {
    const phone = await registered(vault.url);
    const copy = await vault.backUp();
    const client = await phone.logIn();
    const [parts, more] = [slices(5000, 6000, 7000), slices(8000, 9000)];
    const [id] = await recorded(client, parts, sensitive);
    await brokenOff(client, id, copy, more);
    expect(await here(phone)).toHaveLength(5);
    const again = await closed(phone);
    const sound = Buffer.concat([...parts, ...more]);
    expect(await whole(again, id)).toEqual(sound);
    expect(again.item(id).contents).toMatchObject([{ hasGap: false }]);
    expect(again.lostFiles).toEqual([]);
    expect(await here(phone)).toEqual([]);
    const other = await phone.another().logIn();
    await other.stepUp(phone.typed.pin);
    expect(await whole(other, id)).toEqual(sound);
  });
});

test("what lies here goes while the warning stands, and the receipts of before become evidence", async () => {
  const phone = await registered(vault.url);
  const copy = await vault.backUp();
  const client = await phone.logIn();
  const [id] = await recorded(client, slices(5000, 6000));
  await brokenOff(client, id, copy, slices(7000));
  const before = puts(phone);
  const again = await phone.logIn();
  expect(again.warnings).not.toEqual([]);
  for (let turn = 0; turn < 2; turn += 1) await again.recordings.finish();
  expect(puts(phone) - before).toBe(3);
  expect(again.item(id)).toMatchObject({ revision: 1, contents: [{ isOpen: true }] });
  expect(await here(phone)).toHaveLength(3);
  expect((await phone.evidence()).filter(({ name }) => name === "receipt")).toHaveLength(3); // and that of its record
});

test("a vault that loses its files while it goes on has them again when it ends", async () => {
  const phone = await registered(vault.url);
  const client = await phone.logIn();
  const parts = slices(5000, 6000, 7000);
  const [id, told] = await recorded(client, parts.slice(0, 2));
  await vault.loseFiles();
  await client.recordings.add(id, parts[2]!, 3);
  await kept(told, 3);
  expect(await client.recordings.end(id)).toMatchObject({ id, revision: 2 });
  expect(await whole(client, id)).toEqual(Buffer.concat(parts));
  expect(await here(phone)).toEqual([]);
  expect(await client.waiting()).toEqual([]);
});

test("what is nowhere any more is told, and the rest is one recording that opens, without a word of any other", async () => {
  const phone = await registered(vault.url);
  const copy = await vault.backUp();
  const client = await phone.logIn();
  const more = slices(8000, 9000);
  const [id] = await recorded(client, slices(5000, 6000, 7000));
  await brokenOff(client, id, copy, more);
  await forgotten(phone, 3);
  const again = await closed(phone);
  expect(again.lostFiles).toEqual([{ item: id, title: TITLE, name: NAME, gap: { first: 0, count: 3 } }]);
  const other = await phone.another().logIn();
  expect(other.item(id).contents).toMatchObject([{ size: 17_000, isOpen: false, hasGap: true }]);
  expect(await whole(other, id)).toEqual(Buffer.concat(more));
  await again.recordings.finish();
  expect(again.item(id).revision).toBe(2);
  await again.lock();
  const later = await phone.logIn();
  await later.recordings.finish();
  expect(later.lostFiles).toEqual([]);
});

test("of which nothing is left anywhere is told at each opening, and stays as it is", async () => {
  const phone = await registered(vault.url);
  const copy = await vault.backUp();
  const client = await phone.logIn();
  const [id] = await recorded(client, slices(5000, 6000));
  await brokenOff(client, id, copy, []);
  await forgotten(phone, 2);
  for (const open of [closed, (browser: Browser) => browser.logIn()]) {
    const again = await open(phone);
    await again.recordings.finish();
    expect(again.lostFiles).toEqual([{ item: id, title: TITLE, name: NAME }]);
    expect(again.item(id)).toMatchObject({ revision: 1, contents: [{ isOpen: true }] });
    await again.lock();
  }
});

/** The seven days are over. */
async function erasedNow(): Promise<void> {
  await vault.stop();
  const path = JSON.stringify(`${vault.folder}/vault.db`);
  await python(`
import sqlite3
with sqlite3.connect(${path}) as db:
    print(db.execute("UPDATE items SET erase_at = 0 WHERE erase_at > 0").rowcount)
`);
  await vault.start();
}

/** A device with room for so many segments. */
class Narrow extends Disk {
  readonly #room: number;

  constructor(room: number) {
    super();
    this.#room = room;
  }

  override async write(changes: Changes): Promise<void> {
    const put = [...(changes.put ?? [])], fresh = put.filter(([key]) => SEGMENT.test(key)).length;
    const there = (await this.keys("a")).filter((key) => SEGMENT.test(key)).length;
    if (fresh > 0 && there + fresh > this.#room) throw new DeviceFailed("QuotaExceededError");
    return super.write({ ...changes, put });
  }
}

async function narrow(room: number): Promise<Browser> {
  const { typed } = await registered(vault.url);
  return new Browser(vault.url, typed, new Narrow(room));
}

test("where there is no room here, the oldest that the vault has go, but for the first", async () => {
  const phone = await narrow(4);
  const copy = await vault.backUp();
  const client = await phone.logIn();
  const parts = slices(5000, 6000, 7000, 8000, 9000);
  const [id, told] = await recorded(client, parts.slice(0, 4));
  await client.recordings.add(id, parts[4]!, 5);
  await kept(told, 5);
  expect((await here(phone)).map((key) => Number(key.split(".")[1]))).toEqual([0, 2, 3, 4]);
  await brokenOff(client, id, copy, []);
  const again = await closed(phone);
  expect(again.lostFiles).toEqual([{ item: id, title: TITLE, name: NAME, gap: { first: 1, count: 1 } }]);
  expect(await whole(again, id)).toEqual(Buffer.concat(parts.filter((_part, at) => at !== 1)));
});

test("a browser that keeps nothing holds no more than the first of what the vault has", async () => {
  const { typed } = await registered(vault.url);
  const phone = new Browser(vault.url, typed, new MemoryStore());
  const client = await phone.logIn();
  const parts = slices(5000, 6000, 7000);
  const [id] = await recorded(client, parts);
  expect((await here(phone)).map((key) => Number(key.split(".")[1]))).toEqual([0]);
  await client.recordings.end(id);
  expect([await whole(client, id), await here(phone)]).toEqual([Buffer.concat(parts), []]);
});

test("a vault that loses its files where there was no room has again what is here, when it ends", async () => {
  const phone = await narrow(3);
  const client = await phone.logIn();
  const parts = slices(5000, 6000, 7000, 8000);
  const [id, told] = await recorded(client, parts.slice(0, 3));
  await client.recordings.add(id, parts[3]!, 4);
  await kept(told, 4);
  await vault.loseFiles();
  await client.recordings.end(id);
  expect(await whole(client, id)).toEqual(Buffer.concat(parts.filter((_part, at) => at !== 1)));
  expect(client.lostFiles).toEqual([{ item: id, title: TITLE, name: NAME, gap: { first: 1, count: 1 } }]);
});

test("where there is no room and nothing that the vault has, it says so", async () => {
  const phone = await narrow(2);
  const client = await phone.logIn();
  phone.network.cutBefore = ({ method }) => method === "PUT";
  const what = { draft: EMPTY_DRAFT, sensitive: false, name: NAME, mime: "audio/webm" };
  const id = await client.recordings.begin(what, () => undefined);
  const [one, two, three] = slices(5000, 6000, 7000);
  await client.recordings.add(id, one!, 1);
  await client.recordings.add(id, two!, 2);
  await expect(client.recordings.add(id, three!, 3)).rejects.toMatchObject({ code: "device" });
  expect(await here(phone)).toHaveLength(2);
  await expect(client.recordings.end(id)).rejects.toMatchObject({ code: "network" });
});

test("what lies here of one that was deleted stays while it can be restored, and goes when it is erased", async () => {
  const phone = await registered(vault.url);
  const client = await phone.logIn();
  const [id] = await recorded(client, slices(5000, 6000));
  phone.network.cutBefore = ({ method, path }) => method === "POST" && path === "/v1/items";
  await expect(client.recordings.end(id)).rejects.toMatchObject({ code: "network" });
  phone.network.cutBefore = () => false;
  await client.deleteItem(id);
  await client.recordings.finish();
  expect(await here(phone)).toHaveLength(2);
  await erasedNow();
  await expect.poll(async () => {
    await client.synchronise();
    await client.recordings.finish();
    return here(phone);
  }, { timeout: 20_000 }).toEqual([]);
});

test("what lies here of one that was deleted and restored is closed", async () => {
  const phone = await registered(vault.url);
  const client = await phone.logIn();
  const parts = slices(5000, 6000);
  const [id] = await recorded(client, parts);
  phone.network.cutBefore = ({ method, path }) => method === "POST" && path === "/v1/items";
  await expect(client.recordings.end(id)).rejects.toMatchObject({ code: "network" });
  phone.network.cutBefore = () => false;
  expect(await client.waiting()).toEqual([]);
  await client.deleteItem(id);
  await client.restoreItem(id);
  await client.recordings.finish();
  expect([await whole(client, id), await here(phone)]).toEqual([Buffer.concat(parts), []]);
});
