// A recording, whatever happens to it: one file to who reads it, and what was sealed is never lost.
import { createHash, randomBytes } from "node:crypto";

import { beforeAll, expect, test } from "vitest";

import { ready } from "../src/crypto_core/sodium.js";
import type { VaultClient } from "../src/sdk/client.js";
import { EMPTY_DRAFT, type Id } from "../src/sdk/items.js";
import { SEGMENT, type Safe } from "../src/sdk/recorder.js";
import { collected, registered, saying, type Browser } from "./clients.js";
import { sharedVault, type SharedVault } from "./shared_vault.js";

let vault: SharedVault;

beforeAll(async () => {
  await ready();
  vault = await sharedVault();
}, 60_000);

const what = (sensitive = false) => ({
  draft: { ...EMPTY_DRAFT, title: "Son" }, sensitive, name: "1.webm", mime: "audio/webm",
});
const slices = (...sizes: readonly number[]): readonly Uint8Array[] => sizes.map((size) => new Uint8Array(randomBytes(size)));
const whole = async (client: VaultClient, id: Id, ...range: readonly number[]): Promise<Buffer> =>
  Buffer.from(await collected(client.readContent(client.item(id).contents[0]!, ...range)));
const here = async (browser: Browser): Promise<number> =>
  (await browser.kept()).filter(([key]) => /^a.{22}g/.test(key)).length;

async function record(client: VaultClient, parts: readonly Uint8Array[], told: Safe[] = [], sensitive = false): Promise<Id> {
  const id = await client.recordings.begin(what(sensitive), (safe) => told.push(safe));
  for (const [second, part] of parts.entries()) await client.recordings.add(id, part, second + 1);
  return id;
}

test("is a document with one file, of which any range is read, and each segment has a receipt", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const parts = slices(40_000, 1, SEGMENT + 5, 100_000);
  const told: Safe[] = [];
  const id = await record(client, parts, told);
  await client.recordings.end(id);
  const sound = Buffer.concat(parts);
  expect(told.at(-1)).toEqual({ here: 4, kept: 4 });
  expect(await here(browser)).toBe(0);
  const other = await browser.another().logIn();
  expect(other.items("document").map((item) => [item.id, item.revision, item.title])).toEqual([[id, 2, "Son"]]);
  const [content] = other.item(id).contents;
  expect(content).toMatchObject({ name: "1.webm", mime: "audio/webm", size: sound.length, isOpen: false });
  expect(Buffer.from(content!.sha256)).toEqual(createHash("sha256").update(sound).digest());
  expect(content!.parts).toHaveLength(5);
  expect(await whole(other, id)).toEqual(sound);
  for (const [start, stop] of [[0, 10], [39_999, 40_002], [40_001, sound.length], [200_000, 320_000]] as const) {
    expect(await whole(other, id, start, stop)).toEqual(sound.subarray(start, stop));
  }
  expect((await other.exportReceipts(id, 2)).size).toBeGreaterThan(sound.length);
});

test("that ended before its first second is taken back", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const id = await record(client, []);
  expect(await client.recordings.end(id)).toBeNull();
  const other = await browser.another().logIn();
  expect([client, other].map((one) => one.items("document"))).toEqual([[], []]);
});

test("is edited as any document, and stays one file", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const parts = slices(1000, 2000);
  const id = await record(client, parts);
  await client.recordings.end(id);
  const file = new File(["beside"], "beside.txt", { type: "text/plain" });
  await client.editEntry(id, { title: "Le 3 mars" }, { attachments: [{ file, thumbnail: null }] });
  const other = await browser.another().logIn();
  expect(other.item(id)).toMatchObject({ title: "Le 3 mars", revision: 3, kind: "document" });
  expect(other.item(id).contents.map(({ name, size }) => [name, size])).toEqual([["1.webm", 3000], ["beside.txt", 6]]);
  expect(await whole(other, id)).toEqual(Buffer.concat(parts));
});

test("that breaks off is closed by another device, with all that had arrived", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const parts = slices(5000, 6000, 7000);
  const told: Safe[] = [];
  const id = await record(client, parts, told);
  await expect.poll(() => told.at(-1)).toEqual({ here: 3, kept: 3 });
  const other = await browser.another().logIn();
  expect(other.item(id).contents[0]).toMatchObject({ size: 0, isOpen: true });
  await other.recordings.finish();
  expect(await whole(other, id)).toEqual(Buffer.concat(parts));
  await other.recordings.finish();
  expect(other.item(id).revision).toBe(2);
  const more = slices(8000);
  await client.recordings.add(id, more[0]!, 4); // it went on, where it was recorded
  await client.recordings.end(id);
  await other.synchronise();
  expect(await whole(other, id)).toEqual(Buffer.concat([...parts, ...more]));
});

test("without a network it lies sealed on this device, and goes when somebody opens the vault again", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  browser.network.cutBefore = (sent) => sent.method !== "GET";
  const parts = slices(5000, 6000);
  const told: Safe[] = [];
  const id = await record(client, parts, told);
  expect(told.at(-1)).toEqual({ here: 2, kept: 0 });
  expect(await here(browser)).toBe(2);
  const [kept] = (await browser.kept()).filter(([key]) => /^a.{22}g/.test(key));
  expect(Buffer.from(kept![1] as Uint8Array).includes(Buffer.from(parts[0]!.subarray(0, 16)))).toBe(false);
  await expect(client.recordings.end(id)).rejects.toMatchObject({ code: "network" });
  browser.network.cutBefore = () => false;
  await client.lock();
  const again = await browser.logIn();
  await again.recordings.finish();
  expect(await whole(again, id)).toEqual(Buffer.concat(parts));
  expect(await here(browser)).toBe(0);
});

test("behind the PIN it takes none to record, and one to read and to close what broke off", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const parts = slices(3000, 4000);
  const ended = await record(client, parts, [], true);
  await client.recordings.end(ended);
  const told: Safe[] = [];
  const broken = await record(client, parts, told, true);
  await expect.poll(() => told.at(-1)).toEqual({ here: 2, kept: 2 });
  const other = await browser.another().logIn();
  await other.recordings.finish();
  expect(other.item(broken)).toMatchObject({ state: "locked", revision: 1 });
  await other.stepUp(browser.typed.pin);
  await other.recordings.finish();
  for (const id of [ended, broken]) expect(await whole(other, id)).toEqual(Buffer.concat(parts));
});

test("a segment that the vault gives wrongly is not taken for one", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const told: Safe[] = [];
  const id = await record(client, slices(3000, 4000), told);
  await expect.poll(() => told.at(-1)).toEqual({ here: 2, kept: 2 });
  const another = browser.another();
  const other = await another.logIn();
  another.network.spoils = (sent, body) => {
    if (sent.path.startsWith("/v1/blobs/")) body[100] = (body[100] ?? 0) ^ 1;
    return body;
  };
  await expect(other.recordings.finish()).rejects.toMatchObject({ code: "tampered" });
  expect(other.item(id).revision).toBe(1);
  await expect(other.writeEntry(saying("meanwhile"))).resolves.toMatchObject({ revision: 1 });
});
