// "Delete everything", with a real server: what goes, what is refused, and what is known when the answer got lost.
import { beforeAll, expect, test } from "vitest";

import { ready } from "../src/crypto_core/sodium.js";
import type { VaultClient } from "../src/sdk/client.js";
import type { TypedDraft } from "../src/sdk/items.js";
import { Credentials } from "../src/sdk/keychain.js";
import { Finding } from "../src/sdk/protocol/sync.js";
import { Warnings } from "../src/sdk/trust_store.js";
import { Browser, registered, saying } from "./clients.js";
import { json, type Sent } from "./memory_network.js";
import { sharedVault, type SharedVault } from "./shared_vault.js";

let vault: SharedVault;

beforeAll(async () => {
  await ready();
  vault = await sharedVault();
}, 60_000);

const HALF: TypedDraft = {
  item: null, revision: null, kind: "journal", draft: saying("half a sen"), sensitive: false, saved: 1,
};
const isErasure = ({ method, path }: Sent): boolean => method === "DELETE" && path === "/v1/account";
const isLogin = ({ path }: Sent): boolean => path.startsWith("/v1/login/");
const erasures = ({ network }: Browser): number => network.seen.filter(isErasure).length;
const refusal = (code: string, status: number): Response =>
  json({ type: "about:blank", title: code, status, code, detail: code }, status);

/** Somebody who has written, and has words that wait, a draft, and a file. */
async function aLife(browser?: Browser): Promise<{ readonly browser: Browser; readonly client: VaultClient }> {
  const own = browser ?? (await registered(vault.url));
  const client = await own.logIn();
  await client.addDocument({ file: new File(["a letter"], "letter.txt"), thumbnail: null }, saying("a letter"));
  own.network.cutBefore = ({ method, path }) => method === "POST" && path === "/v1/items";
  await expect(client.writeEntry(saying("in a tunnel"))).rejects.toMatchObject({ code: "network" });
  own.network.cutBefore = () => false;
  await client.drafts.keep(HALF);
  return { browser: own, client };
}

/** Of which kinds the places are that a browser keeps: accounts, hosts and vaults. */
const kinds = async (browser: Browser): Promise<string> =>
  [...new Set((await browser.kept()).map(([key]) => key[0]))].sort().join("");

function erase({ browser: { typed }, client }: { browser: Browser; client: VaultClient }): Promise<void> {
  return client.account.erase(typed.password, typed.pin);
}

async function isErased({ browser, client }: { browser: Browser; client: VaultClient }): Promise<void> {
  expect(client.isOpen).toBe(false);
  expect(await kinds(browser)).toBe("sv");
  await expect(browser.another().logIn()).rejects.toMatchObject({ code: "login_refused" });
}

test("nothing is left here or there, and the same pair may begin anew", async () => {
  const one = await aLife();
  expect(await kinds(one.browser)).toBe("asv");
  const elsewhere = await one.browser.another().logIn();
  await erase(one);
  await isErased(one);
  await expect(elsewhere.synchronise()).rejects.toMatchObject({ code: "unauthorized" });
  await expect(one.browser.logIn()).rejects.toMatchObject({ code: "login_refused" });
  expect(one.browser.network.paths("POST").filter((path) => path === "/v1/logout")).toEqual([]);
  const again = one.browser.tab();
  await again.register(await again.makeAccount(one.browser.typed));
  await again.logIn(one.browser.typed);
  expect([again.items(), await again.waiting(), await again.drafts.list()]).toEqual([[], [], []]);
});

test("somebody else's in the same browser stays as it is", async () => {
  const other = await aLife();
  await other.client.lock();
  const before = await other.browser.kept();
  const typed = (await registered(vault.url)).typed;
  const mine = await aLife(new Browser(vault.url, typed, other.browser.store));
  await erase(mine);
  expect(await other.browser.kept()).toEqual(before);
});

test("what another tab has kept since goes when that hears of it; another account's tab hears nothing of its own", async () => {
  const one = await aLife();
  const beside = await one.browser.logIn();
  const { id } = one.client.account;
  await erase(one);
  await beside.drafts.keep(HALF);
  expect(await kinds(one.browser)).toBe("asv");
  expect(await beside.leaveErased(id)).toBe(true);
  await isErased({ ...one, client: beside });
  const other = await aLife();
  expect(await other.client.leaveErased(id)).toBe(false);
  expect(other.client.isOpen).toBe(true);
});

test.each<[string, (browser: Browser) => void]>([
  ["once, and the next is refused", ({ network }) => {
    network.cutAfter = (sent) => isErasure(sent) && network.seen.filter(isErasure).length === 1;
  }],
  ["each time", ({ network }) => (network.cutAfter = isErasure)],
  ["behind an error of something in between", ({ network }) => {
    network.spoils = (sent, body) => (isErasure(sent) ? new Uint8Array() : body);
  }],
])("an answer that is lost %s: whether the pair opens anything tells that it is done", async (_, spoil) => {
  const one = await aLife();
  spoil(one.browser);
  await erase(one);
  await isErased(one);
});

test("a request that never arrives erases nothing: it is said, the vault stays open, and no session is left behind", async () => {
  const one = await aLife();
  const { browser, client } = one;
  const before = await browser.kept();
  browser.network.cutBefore = isErasure;
  await expect(erase(one)).rejects.toMatchObject({ code: "network" });
  expect(client.isOpen).toBe(true);
  expect(await browser.kept()).toEqual(before);
  const asked = browser.network.seen.filter(({ path }) => isLogin({ path } as Sent) || path === "/v1/logout");
  expect(asked.map(({ path }) => path).slice(-3)).toEqual(["/v1/login/start", "/v1/login/finish", "/v1/logout"]);
  browser.network.cutBefore = () => false;
  await client.synchronise();
  expect(client.items().map((item) => item.text).sort()).toEqual(["a letter", "in a tunnel"]);
  await erase(one);
  await isErased(one);
});

test.each([[true], [false]])("where nobody says whether it was done (%s) the vault locks and keeps what it has", async (done) => {
  const one = await aLife();
  const { browser, client } = one;
  const before = await browser.kept();
  browser.network[done ? "cutAfter" : "cutBefore"] = isErasure;
  const cut = browser.network.cutBefore;
  browser.network.cutBefore = (sent) => cut(sent) || (isLogin(sent) && erasures(browser) > 0);
  await expect(erase(one)).rejects.toMatchObject({ code: "network" });
  expect(client.isOpen).toBe(false);
  expect(await browser.kept()).toEqual(before);
  browser.network.cutBefore = browser.network.cutAfter = () => false;
  const again = browser.logIn();
  if (done) await expect(again).rejects.toMatchObject({ code: "login_refused" });
  else expect((await again).items().map((item) => item.text)).toContain("in a tunnel");
});

test("whose password or PIN is wrong, or who is listed, erases nothing", async () => {
  const one = await aLife();
  const { browser, client } = one;
  const { username, password, pin } = browser.typed;
  for (const [typed, code] of [
    [new Credentials(username, `${password}!`, pin), "login_refused"],
    [new Credentials(username, password, "805194"), "pin_wrong"],
  ] as const) await expect(client.account.erase(typed.password, typed.pin)).rejects.toMatchObject({ code });
  expect(erasures(browser)).toBe(0);
  browser.network.answers = (sent) => (isErasure(sent) ? refusal("account_listed", 409) : null);
  await expect(erase(one)).rejects.toMatchObject({ code: "account_listed" });
  expect(erasures(browser)).toBe(1);
  expect(browser.network.seen.filter(isErasure).at(-1)).toBe(browser.network.seen.at(-1)); // nobody asks what was said
  expect(client.isOpen).toBe(true);
  expect(client.items().map((item) => item.text)).toEqual(["a letter"]);
});

test("a session that ended meanwhile is said to have: the account is there", async () => {
  const one = await aLife();
  one.browser.network.answers = (sent) => (isErasure(sent) ? refusal("unauthorized", 401) : null);
  await expect(erase(one)).rejects.toMatchObject({ code: "unauthorized" });
  expect(one.client.isOpen).toBe(true);
});

test("under a warning nothing is asked", async () => {
  const one = await aLife();
  const { browser, client } = one;
  const [pin] = await browser.home.pins();
  const warnings = await Warnings.load(browser.home.account(pin!.vaultId, client.account.id));
  await warnings.add(Finding.ITEMS_MISSING);
  await client.synchronise().catch(() => undefined);
  const before = browser.network.seen.length;
  await expect(erase(one)).rejects.toMatchObject({ code: "warned" });
  expect(browser.network.seen).toHaveLength(before);
  expect(client.isOpen).toBe(true);
});
