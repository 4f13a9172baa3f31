// A recording that another device closed while it was under way, because it can't know better: its rest is never lost.
import { randomBytes } from "node:crypto";

import { beforeAll, expect, test } from "vitest";

import { ready } from "../src/crypto_core/sodium.js";
import type { VaultClient } from "../src/sdk/client.js";
import { EMPTY_DRAFT, type Id } from "../src/sdk/items.js";
import type { Safe } from "../src/sdk/recorder.js";
import { collected, registered } from "./clients.js";
import { sharedVault, type SharedVault } from "./shared_vault.js";

let vault: SharedVault;

beforeAll(async () => {
  await ready();
  vault = await sharedVault();
}, 60_000);

const WHAT = { draft: { ...EMPTY_DRAFT, title: "Son" }, sensitive: false, name: "1.webm", mime: "audio/webm" };
const slices = (...sizes: readonly number[]): readonly Uint8Array[] => sizes.map((size) => new Uint8Array(randomBytes(size)));
const whole = async (client: VaultClient, id: Id): Promise<Buffer> =>
  Buffer.from(await collected(client.readContent(client.item(id).contents[0]!)));

test("what the telephone had not sent yet comes when it is opened again", async () => {
  const phone = await registered(vault.url);
  const client = await phone.logIn();
  const told: Safe[] = [];
  const parts = slices(5000, 6000, 7000, 8000);
  const id = await client.recordings.begin(WHAT, (safe) => told.push(safe));
  await client.recordings.add(id, parts[0]!, 1);
  await client.recordings.add(id, parts[1]!, 2);
  await expect.poll(() => told.at(-1)).toEqual({ here: 2, kept: 2 });
  phone.network.cutBefore = () => true;
  await client.recordings.add(id, parts[2]!, 3);
  await client.recordings.add(id, parts[3]!, 4);
  await expect(client.recordings.end(id)).rejects.toMatchObject({ code: "network" });
  await client.lock();
  const laptop = await phone.another().logIn();
  await laptop.recordings.finish();
  expect(await whole(laptop, id)).toEqual(Buffer.concat(parts.slice(0, 2)));
  phone.network.cutBefore = () => false;
  const again = await phone.logIn();
  await again.recordings.finish();
  expect(await whole(again, id)).toEqual(Buffer.concat(parts));
});

test("what arrived later is found, also if the telephone never comes back; and looked for no longer than a day", async () => {
  const phone = await registered(vault.url);
  const client = await phone.logIn();
  const told: Safe[] = [];
  const parts = slices(5000, 6000, 7000);
  const id = await client.recordings.begin(WHAT, (safe) => told.push(safe));
  await client.recordings.add(id, parts[0]!, 1);
  await expect.poll(() => told.at(-1)).toEqual({ here: 1, kept: 1 });
  const laptop = phone.another();
  const early = await laptop.logIn();
  await early.recordings.finish();
  await early.lock();
  await client.recordings.add(id, parts[1]!, 2);
  await client.recordings.add(id, parts[2]!, 3);
  await expect.poll(() => told.at(-1)).toEqual({ here: 3, kept: 3 });
  const late = await laptop.logIn();
  await late.recordings.finish();
  expect(await whole(late, id)).toEqual(Buffer.concat(parts));
  const signs = async (): Promise<number> => (await laptop.kept()).filter(([key]) => /^a.{22}k/.test(key)).length;
  expect(await signs()).toBe(1);
  await late.lock();
  const muchLater = await laptop.logIn({ clock: () => Math.floor(Date.now() / 1000) + 2 * 86_400 });
  await muchLater.recordings.finish();
  expect([await signs(), muchLater.item(id).revision]).toEqual([0, 3]);
});
