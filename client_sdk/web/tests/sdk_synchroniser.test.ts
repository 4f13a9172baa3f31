// A bad network, a server that is ended, two tabs and another device, with a real server behind it all: nobody is
// alarmed, and nothing is lost. What a vault that lies is found out by is in lying.test.ts.
import { beforeEach, expect, test } from "vitest";

import { Refused } from "../src/sdk/errors.js";
import { Credentials } from "../src/sdk/keychain.js";
import { Browser, registered, saying } from "./clients.js";
import { json } from "./memory_network.js";
import { ownVault } from "./shared_vault.js";

const vault = await ownVault();

/** A laptop that wrote, and a telephone that has seen it. */
let laptop: Browser;
let phone: Browser;
const TEXTS = ["one", "two, edited", "three"];

beforeEach(async () => {
  laptop = await registered(vault.url);
  phone = laptop.another();
  const client = await laptop.logIn();
  await client.writeEntry(saying("one"));
  const { id } = await client.writeEntry(saying("two"));
  await client.editEntry(id, { text: "two, edited" });
  await client.writeEntry(saying("three"));
  await client.lock();
  await phone.opening();
});

/** The vault's refusal, in its own words. */
function refusal(code: string, status: number): Response {
  return json({ type: "about:blank", title: "x", status, code, detail: "x" }, status);
}

test("an erasure that nobody asked for is found, and the text stays here", async () => {
  phone.network.rewrites.set("GET /v1/items", (page: { readonly revisions: readonly object[] }) => ({
    ...page, revisions: page.revisions.map((row) => ({ ...row, wrap: null, record: null, blobs: [] })),
  }));
  expect((await phone.opening()).warnings).toEqual([]); // nothing new: no page shows the lie
  const writing = await laptop.logIn();
  await writing.writeEntry(saying("four"));
  await writing.lock();
  const client = await phone.logIn();
  expect(client.warnings).toEqual(["items_missing"]);
  expect(client.items().map((item) => item.text)).toEqual([...TEXTS, null]);
});

test("a lost answer, a busy vault and a cut connection in the middle change nothing", async () => {
  const failing = new Set(["GET /v1/account", "GET /v1/items", "GET /ledger/checkpoint", "GET /v1/vault"]);
  phone.network.cutAfter = ({ method, path }) => failing.delete(`${method} ${path}`);
  expect((await phone.opening()).warnings).toEqual([]);
  expect(failing.size).toBe(0);
  let busy = 2;
  phone.network.answers = ({ path }) => (path === "/v1/items" && busy-- > 0
    ? refusal("unavailable", 503) : null);
  expect((await phone.opening()).warnings).toEqual([]);
  phone.network.answers = () => null;
  phone.network.cutBefore = ({ path }) => path === "/v1/items";
  await expect(phone.opening()).rejects.toMatchObject({ code: "network" });
  phone.network.cutBefore = () => false;
  expect((await phone.opening()).warnings).toEqual([]);
});

test("a server that is ended and started again is gone on with where it was", async () => {
  const client = await phone.logIn();
  await vault.stop();
  await expect(client.synchronise()).rejects.toMatchObject({ code: "network" });
  await vault.start();
  await client.synchronise();
  expect(client.items().map((item) => item.text)).toEqual(TEXTS);
  await client.writeEntry(saying("four"));
}, 60_000);

test("two tabs that write at once end with the same list, and neither is alarmed", async () => {
  const tabs = [await laptop.logIn(), await laptop.logIn()];
  await Promise.all(Array.from({ length: 6 }, (_, count) => tabs[count % 2]!.writeEntry(saying(`tab ${count}`))));
  for (const tab of tabs) await tab.synchronise();
  const texts = tabs.map((tab) => tab.items().map((item) => item.text));
  expect(texts[0]).toEqual(texts[1]);
  expect([...texts[0]!].sort()).toEqual([...TEXTS, ...Array.from({ length: 6 }, (_, n) => `tab ${n}`)].sort());
  await Promise.all(tabs.map((tab) => tab.lock()));
  expect((await laptop.opening()).warnings).toEqual([]);
  expect((await phone.opening()).warnings).toEqual([]);
});

test("a change of credentials is refused by whoever was faster, and taken in", async () => {
  const client = await laptop.logIn();
  let others = 1;
  laptop.network.answers = ({ path }) => (path === "/v1/account/credentials" && others-- > 0
    ? refusal("credentials_conflict", 409) : null);
  await client.account.changeCredentials(laptop.typed.password, laptop.typed.pin, another(laptop.typed));
  expect(laptop.network.paths("POST").filter((path) => path === "/v1/account/credentials").length).toBe(2);
  await client.writeEntry(saying("after the change"));
  await client.lock();
  await expect(phone.opening()).rejects.toThrow(Refused);
  const again = new Browser(vault.url, another(laptop.typed), phone.store);
  expect((await again.opening()).warnings).toEqual([]);
});

function another(typed: Credentials): Credentials {
  return new Credentials(`${typed.username} too`, "a boat on the wide lake", "8051937");
}
