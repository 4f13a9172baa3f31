// The server as liar, and the network as it is: each lie is noticed by its own code, what was seen is kept, and the
// device goes on as protocol §4 says: reading and adding; no edit, no deletion, no other credentials until the person
// agrees. What was spoiled once is asked for again, and nobody is alarmed. A real server behind it all.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { decodeText, encodeText } from "../src/crypto_core/encoding.js";
import { makeBytes } from "../src/crypto_core/randomness.js";
import { formatCheckpoint } from "../src/crypto_core/receipts/checkpoint.js";
import { SignerKey, formatVkey, signNote } from "../src/crypto_core/receipts/note.js";
import { ready } from "../src/crypto_core/sodium.js";
import { Refused, ServerFault, TrustError, Untrusted } from "../src/sdk/errors.js";
import type { VaultClient } from "../src/sdk/client.js";
import type { Id } from "../src/sdk/items.js";
import { Credentials } from "../src/sdk/keychain.js";
import { Browser, registered, saying } from "./clients.js";
import { json, type Rewrite } from "./memory_network.js";
import { RealVault } from "./real_vault.js";

let vault: RealVault;

beforeAll(async () => {
  await ready();
  vault = await RealVault.serve();
}, 60_000);

afterAll(() => vault.remove());

interface Page {
  readonly cursor: string;
  readonly revisions: readonly Record<string, unknown>[];
}

/** A laptop that wrote, a telephone that has seen a part of it, and what the vault once answered to it. */
interface Scene {
  readonly laptop: Browser;
  readonly phone: Browser;
  readonly edited: Id;
  readonly firstAccount: unknown;
  readonly firstPage: Page;
}

let scene: Scene;

beforeEach(async () => {
  const laptop = await registered(vault.url);
  const phone = laptop.another();
  const client = await laptop.logIn();
  await client.writeEntry(saying("one"));
  const { id } = await client.writeEntry(saying("two"));
  await client.lock();
  const seen = new Map<string, unknown>();
  const noting = (name: string): Rewrite => (answer) => {
    if (!seen.has(name)) seen.set(name, answer);
    return answer;
  };
  phone.network.rewrites.set("GET /v1/account", noting("account"));
  phone.network.rewrites.set("GET /v1/items", noting("page"));
  await phone.opening();
  phone.network.rewrites.clear();
  const again = await laptop.logIn();
  await again.editEntry(id, { text: "two, edited" });
  await again.writeEntry(saying("three"));
  await again.lock();
  scene = {
    laptop, phone, edited: id, firstAccount: seen.get("account"), firstPage: seen.get("page") as Page,
  };
});

type Lie = (scene: Scene) => unknown;

function onPages(device: Browser, lie: (rows: Page["revisions"]) => Page["revisions"]): void {
  device.network.rewrites.set("GET /v1/items", (page: Page) => ({ ...page, revisions: lie(page.revisions) }));
}

function swapped(name: string): Lie {
  return ({ phone }) => onPages(phone, (rows) => {
    const [first, second, ...rest] = rows;
    if (first === undefined || second === undefined) return rows;
    return [{ ...first, [name]: second[name] }, { ...second, [name]: first[name] }, ...rest];
  });
}

function publicNote(device: Browser, note: string): void {
  device.network.spoils = ({ path }, body) => (path === "/ledger/checkpoint" ? encodeText(note) : body);
}

const otherNote = (size: number): string => {
  const signer = new SignerKey("ledger/other", makeBytes(32));
  return signNote(formatCheckpoint({ origin: "ledger/other", size, root: makeBytes(32), extensions: [] }), signer);
};

const LIES: readonly (readonly [string, string, Lie])[] = [
  ["drops an item", "items_missing", ({ phone }) => onPages(phone, (rows) => rows.slice(1))],
  ["rolls an item back", "items_missing", ({ phone, edited }) =>
    onPages(phone, (rows) => rows.filter((row) => row["item"] !== edited || row["revision"] !== 2))],
  ["replays an old page", "items_missing", ({ phone, firstPage }) =>
    phone.network.rewrites.set("GET /v1/items", () => ({ ...firstPage, cursor: "", more: false }))],
  ["serves an older account record", "account_record_older", async ({ phone, firstAccount }) => {
    await phone.opening(); // the telephone sees the newest one first
    phone.network.rewrites.set("GET /v1/account", () => firstAccount);
  }],
  ["swaps two records", "blob_swapped", swapped("record")],
  ["swaps two wraps", "blob_swapped", swapped("wrap")],
  ["swaps two links", "blob_swapped", swapped("link")],
  ["serves another checkpoint", "checkpoint_invalid", ({ phone }) => publicNote(phone, otherNote(3))],
  ["shows another ledger key", "ledger_key_changed", ({ phone }) => {
    const ledger_vkey = formatVkey(new SignerKey("ledger/other", makeBytes(32)).verifier);
    phone.network.rewrites.set("GET /v1/vault", (answer: object) => ({ ...answer, ledger_vkey }));
  }],
];

const NEW = new Credentials("someone else", "a boat on the wide lake", "8051937");

async function requireNoChange(client: VaultClient, typed: Credentials, item: Id): Promise<void> {
  await expect(client.editEntry(item, { text: "x" })).rejects.toThrow(Untrusted);
  await expect(client.deleteItem(item)).rejects.toThrow(Untrusted);
  await expect(client.restoreItem(item)).rejects.toThrow(Untrusted);
  await expect(client.changeCredentials(typed.password, typed.pin, NEW)).rejects.toThrow(Untrusted);
}

describe.each(LIES)("a vault that %s", (_what, code, lie) => {
  test(`is found out as ${code}, and the device goes on as promised`, async () => {
    const { laptop, phone } = scene;
    await lie(scene);
    const client = phone.tab();
    expect((await client.logIn(phone.typed)).warnings).toContain(code);
    expect((await phone.evidence()).length).toBeGreaterThan(0);
    const shown = client.items().filter((item) => item.state === "open");
    expect(shown.length).toBeGreaterThan(0);
    expect((await client.writeEntry(saying("adding goes on"))).verified.commitment.size).toBeGreaterThan(1000);
    await requireNoChange(client, phone.typed, shown[0]!.id);
    await client.lock();
    expect((await client.logIn(phone.typed)).warnings).toContain(code); // a warning outlives the page
    phone.network.rewrites.clear();
    phone.network.spoils = null;
    await client.acceptTrust(phone.typed.password, phone.typed.pin);
    if (code === "ledger_key_changed") return; // this vault hasn't the key that it showed and that was accepted
    await client.editEntry(shown[0]!.id, { text: "edited again" });
    await client.lock();
    for (const device of [phone, laptop]) expect((await device.opening()).warnings).toEqual([]);
    expect((await phone.evidence()).length).toBeGreaterThan(0);
  });
});

test.each(LIES.filter(([, code]) => code === "blob_swapped" || code === "items_missing").slice(0, 2).concat(LIES.slice(4, 7)))(
  "a page in which it %s once is asked for again, and nobody is alarmed", async (_what, _code, lie) => {
    const { phone } = scene;
    await lie(scene);
    const rewrite = phone.network.rewrites.get("GET /v1/items")!;
    let times = 1;
    phone.network.rewrites.set("GET /v1/items", (page) => (times-- > 0 ? rewrite(page) : page));
    const client = phone.tab();
    expect((await client.logIn(phone.typed)).warnings).toEqual([]);
    expect(client.items().map((item) => item.text)).toEqual(["one", "two, edited", "three"]);
  });

test("pages that lead round in a circle end", async () => {
  const { phone } = scene;
  let count = 0;
  phone.network.rewrites.set("GET /v1/items", (page: Page) => {
    count += 1;
    return { ...page, more: true, cursor: count % 2 === 0 ? "" : page.cursor };
  });
  await expect(phone.opening()).rejects.toThrow(ServerFault);
  expect(count).toBeLessThan(10);
});

test.each([[{ argon_newest: 2 }, "client_too_old"], [{ vault_id: "A".repeat(22) }, "vault_changed"]])(
  "another vault, or other parameters of Argon2id, get nothing: %j", async (lie, code) => {
    const { phone } = scene;
    phone.network.rewrites.set("GET /v1/vault", (answer: object) => ({ ...answer, ...lie }));
    phone.network.seen.length = 0;
    const error = await phone.opening().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TrustError);
    expect(error).toMatchObject({ code });
    expect(phone.network.paths("POST")).toEqual([]);
    const kept = (await phone.evidence()).map(({ data }) => JSON.parse(decodeText(data)) as object);
    expect(kept).toEqual([expect.objectContaining(lie)]);
    phone.network.rewrites.clear();
    expect((await phone.opening()).warnings).toEqual([]);
  });

test("an erasure that nobody asked for is found, and the text stays here", async () => {
  const { phone } = scene;
  await phone.opening();
  onPages(phone, (rows) => rows.map((row) => ({ ...row, wrap: null, record: null, blobs: [] })));
  const client = await phone.logIn(); // nothing new: no page shows the lie
  expect(client.warnings).toEqual([]);
  await client.lock();
  const laptop = await scene.laptop.logIn();
  await laptop.writeEntry(saying("four"));
  await laptop.lock();
  const again = await phone.logIn();
  expect(again.warnings).toEqual(["items_missing"]);
  expect(again.items().map((item) => item.text)).toEqual(["one", "two, edited", "three", null]);
});

test("a lost answer, a busy vault and a cut connection in the middle change nothing", async () => {
  const { phone } = scene;
  const failing = new Set(["GET /v1/account", "GET /v1/items", "GET /ledger/checkpoint", "GET /v1/vault"]);
  phone.network.cutAfter = ({ method, path }) => failing.delete(`${method} ${path}`);
  expect((await phone.opening()).warnings).toEqual([]);
  expect(failing.size).toBe(0);
  let busy = 2;
  phone.network.answers = ({ path }) => (path === "/v1/items" && busy-- > 0
    ? json({ type: "about:blank", title: "x", status: 503, code: "unavailable", detail: "x" }, 503) : null);
  expect((await phone.opening()).warnings).toEqual([]);
  phone.network.answers = () => null;
  phone.network.cutBefore = ({ path }) => path === "/v1/items";
  await expect(phone.opening()).rejects.toMatchObject({ code: "network" });
  phone.network.cutBefore = () => false;
  expect((await phone.opening()).warnings).toEqual([]);
});

test("a server that is ended and started again is gone on with where it was", async () => {
  const { phone } = scene;
  const client = await phone.logIn();
  await vault.stop();
  await expect(client.synchronise()).rejects.toMatchObject({ code: "network" });
  await vault.start();
  await client.synchronise();
  expect(client.items().map((item) => item.text)).toEqual(["one", "two, edited", "three"]);
  await client.writeEntry(saying("four"));
}, 60_000);

test("two tabs that write at once end with the same list, and neither is alarmed", async () => {
  const { laptop } = scene;
  const tabs = [await laptop.logIn(), await laptop.logIn()];
  await Promise.all(Array.from({ length: 6 }, (_, count) => tabs[count % 2]!.writeEntry(saying(`tab ${count}`))));
  for (const tab of tabs) await tab.synchronise();
  const texts = tabs.map((tab) => tab.items().map((item) => item.text));
  expect(texts[0]).toEqual(texts[1]);
  expect([...texts[0]!].sort()).toEqual(["one", "two, edited", "three", ...Array.from({ length: 6 }, (_, n) => `tab ${n}`)].sort());
  await Promise.all(tabs.map((tab) => tab.lock()));
  expect((await laptop.opening()).warnings).toEqual([]);
  expect((await scene.phone.opening()).warnings).toEqual([]);
});

test("a change of credentials is refused by whoever was faster, and taken in", async () => {
  const { laptop, phone } = scene;
  const client = await laptop.logIn();
  let others = 1;
  laptop.network.cutBefore = () => false;
  laptop.network.answers = ({ path }) => (path === "/v1/account/credentials" && others-- > 0
    ? json({ type: "about:blank", title: "x", status: 409, code: "credentials_conflict", detail: "x" }, 409) : null);
  await client.changeCredentials(laptop.typed.password, laptop.typed.pin, another(laptop.typed));
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
