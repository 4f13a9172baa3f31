// What somebody without an account puts into a box in the browser, its person takes over, through a real vault, and what
// Python's SDK puts in as well. And a vault that lies, and a depositor who means harm.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { formatB64url } from "../src/crypto_core/encoding.js";
import { Policy } from "../src/crypto_core/receipts/policy.js";
import { makeId } from "../src/crypto_core/randomness.js";
import { formatBoxFragment, parseBoxFragment } from "../src/crypto_core/sealing/boxes.js";
import { ready } from "../src/crypto_core/sodium.js";
import type { Given, Visit } from "../src/sdk/box_visit.js";
import type { VaultClient } from "../src/sdk/client.js";
import { DepositBroken, ValueRefused } from "../src/sdk/errors.js";
import { EMPTY_DRAFT, type Id } from "../src/sdk/items.js";
import { verifyUnder } from "../src/sdk/opening.js";
import { Browser, collected, registered, saying } from "./clients.js";
import { RealVault, python } from "./real_vault.js";

const UNIT = 262_400;
let vault: RealVault;
let ledger: Policy;

beforeAll(async () => {
  await ready();
  vault = await RealVault.serve();
  const { ledger_vkey: vkey } = await (await fetch(`${vault.url}/v1/vault`)).json() as { readonly ledger_vkey: string };
  ledger = Policy.forKey(vkey);
}, 180_000);

afterAll(() => vault.remove());

interface Scene {
  readonly person: Browser;
  readonly client: VaultClient;
  readonly box: Id;
  readonly fragment: string;
}

async function aBox(room = 10_000_000): Promise<Scene> {
  const person = await registered(vault.url);
  const client = await person.logIn();
  const box = formatB64url(makeId());
  const expires = Math.floor(Date.now() / 1000) + 86_400;
  const { password, pin } = person.typed;
  const fragment = await client.makeBox(password, pin, { box, name: "Pour ma sœur", expires, deposits: 3, bytes: room });
  return { person, client, box, fragment };
}

function aFile(size: number, name: string): File {
  return new File([randomBytes(size)], name, { type: "image/jpeg" });
}

const enter = (fragment: string, browser = new Browser(vault.url)): Promise<Visit> =>
  browser.tab().enterBox(fragment, { verify: verifyUnder(ledger) });

async function deposited(fragment: string, ...files: readonly File[]): Promise<Id> {
  const visit = await enter(fragment);
  const given: Given[] = [];
  for (const file of files) given.push(await visit.give(file));
  return (await visit.send(visit.make("Ana", "Je l’ai vu.", given))).deposit;
}

const bytesOf = async (file: Blob): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());

test("what a depositor sent becomes an item of the very same bytes, and says whose it is", async () => {
  const { client, box, fragment } = await aBox();
  const files = [aFile(300, "petit.jpg"), aFile(3 * UNIT, "grand.jpg")];
  const deposit = await deposited(fragment, ...files);
  const boxes = await client.boxes();
  expect(await boxes.list()).toMatchObject([{ box, name: "Pour ma sœur", made: 1, waiting: 1, ended: null }]);
  expect(await boxes.waiting(box)).toMatchObject([{ deposit, erased_after: null, blobs: [{}, {}] }]);
  const opened = await boxes.open(box, deposit);
  expect(opened.sent).toMatchObject({ name: "Ana", message: "Je l’ai vu.", deposit });
  for (const [at, file] of files.entries()) {
    expect(await collected(boxes.content(opened.contents[at]!))).toEqual(await bytesOf(file));
  }
  const { id } = await boxes.accept(opened, saying("Ce qu’elle a vu"), false);
  const item = client.item(id);
  expect(item).toMatchObject({ kind: "received", text: "Ce qu’elle a vu", sent: opened.sent });
  expect(item.contents.map((one) => one.name)).toEqual(["petit.jpg", "grand.jpg"]);
  expect(await collected(client.readContent(item.contents[1]!))).toEqual(await bytesOf(files[1]!));
  expect(await boxes.waiting(box)).toEqual([]);
  await client.editEntry(id, { text: "plus tard" });
  expect(client.item(id)).toMatchObject({ revision: 2, text: "plus tard", sent: opened.sent });
}, 180_000);

test("the command line's depositor and the browser's person understand each other", async () => {
  const { client, box, fragment } = await aBox();
  const folder = mkdtempSync(join(tmpdir(), "depositor-"));
  writeFileSync(join(folder, "a.txt"), "témoin");
  await python(`
import json
from pathlib import Path
from client_sdk.client import VaultClient
with VaultClient.connect(${JSON.stringify(vault.url)}, Path(${JSON.stringify(folder)}) / "home") as client:
    visit = client.enter_box(${JSON.stringify(fragment)})
    given = [visit.give(Path(${JSON.stringify(folder)}) / "a.txt")]
    visit.send(visit.make("Paul", "de la ligne de commande", given))
    print(json.dumps(None))
`);
  rmSync(folder, { recursive: true });
  const boxes = await client.boxes();
  const [row] = await boxes.waiting(box);
  const opened = await boxes.open(box, row!.deposit);
  expect(opened.sent).toMatchObject({ name: "Paul", message: "de la ligne de commande" });
  expect(new TextDecoder().decode(await collected(boxes.content(opened.contents[0]!)))).toBe("témoin");
}, 180_000);

test("a visit that has ended is begun again by itself, and a lost answer costs nothing", async () => {
  const { client, box, fragment } = await aBox();
  const browser = new Browser(vault.url);
  const path = `POST /v1/boxes/${box}/enter`;
  browser.network.rewrites.set(path, (said: object) => ({ ...said, token: formatB64url(randomBytes(32)) }));
  const visit = await enter(fragment, browser);
  browser.network.rewrites.clear();
  const made = visit.make("", "", [await visit.give(aFile(2 * UNIT, "a.jpg"))]);
  let lost = true;
  browser.network.cutAfter = ({ path: asked }) => asked.endsWith("/deposits") && lost && !(lost = false);
  const first = await visit.send(made);
  expect(await visit.send(made)).toEqual(first);
  expect(browser.network.paths("POST").filter((asked) => asked.endsWith("/enter"))).toHaveLength(2);
  expect(await (await client.boxes()).waiting(box)).toHaveLength(1);
});

test("full, over, with another key: each is told", async () => {
  const { client, box, fragment } = await aBox(262_456);
  const visit = await enter(fragment);
  expect(visit.room).toMatchObject({ deposits: 3, bytes: 262_456 });
  await expect(visit.give(aFile(3 * UNIT, "a.jpg"))).rejects.toMatchObject({ code: "box_full" });
  expect(() => visit.make("Ana", "", [])).toThrow(ValueRefused);
  const address = parseBoxFragment(fragment);
  const other = formatBoxFragment({ ...address, secret: Uint8Array.from(randomBytes(32)) });
  await expect(enter(other)).rejects.toMatchObject({ code: "cap_refused" });
  await expect(enter(fragment.slice(0, -1))).rejects.toMatchObject({ code: "link_malformed" });
  await (await client.boxes()).close(box);
  await expect(enter(fragment)).rejects.toMatchObject({ code: "box_over" });
});

test("a refusal can be taken back by accepting", async () => {
  const { client, box, fragment } = await aBox();
  const deposit = await deposited(fragment, aFile(10, "a.jpg"));
  const boxes = await client.boxes();
  await boxes.refuse(box, deposit);
  expect((await boxes.waiting(box))[0]!.erased_after).toBeGreaterThan(Date.now() / 1000 + 6 * 86_400);
  await boxes.accept(await boxes.open(box, deposit), EMPTY_DRAFT, false);
  expect(client.items("received")).toHaveLength(1);
});

test("what the vault swapped, and what a depositor misstates, is never taken over and stops nobody", async () => {
  const { person, client, box, fragment } = await aBox();
  const deposit = await deposited(fragment, aFile(1000, "a.jpg"));
  const boxes = await client.boxes();
  const rows = `GET /v1/boxes/${box}/deposits`;
  for (const change of [{ key: formatB64url(randomBytes(128)) }, { blobs: [] }, { size: 3 }]) {
    person.network.rewrites.set(rows, ({ deposits: [one] }) => ({ deposits: [{ ...one, ...change }] }));
    await expect(boxes.open(box, deposit)).rejects.toBeInstanceOf(DepositBroken);
  }
  person.network.rewrites.clear();
  const opened = await boxes.open(box, deposit);
  person.network.spoils = ({ path }, body) => (
    path === `/v1/blobs/${opened.contents[0]!.blob}` ? body.map((byte, at) => (at === 70 ? byte ^ 1 : byte)) : body);
  await expect(boxes.accept(opened, EMPTY_DRAFT, false)).rejects.toBeInstanceOf(DepositBroken);
  person.network.spoils = null;
  const visit = await enter(fragment);
  const honest = await visit.give(aFile(1000, "b.jpg"));
  const content = { ...honest.content, sha256: Uint8Array.from(randomBytes(32)) };
  const lie = await visit.send(visit.make("", "", [{ ...honest, content }]));
  await expect(boxes.accept(await boxes.open(box, lie.deposit), EMPTY_DRAFT, false)).rejects.toBeInstanceOf(DepositBroken);
  expect(client.warnings).toEqual([]);
  expect(client.items("received")).toEqual([]);
});
