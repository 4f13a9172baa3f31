// The server as liar: each lie is noticed by its own code, what was seen is kept on the device, and it goes on as
// protocol §4 says: reading, exporting and adding; no edit, no deletion, no other credentials until the person agrees.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { formatB64url, parseB64url } from "../src/crypto_core/encoding.js";
import { makeBytes } from "../src/crypto_core/randomness.js";
import { formatCheckpoint } from "../src/crypto_core/receipts/checkpoint.js";
import { SignerKey, formatVkey, signNote } from "../src/crypto_core/receipts/note.js";
import { ready } from "../src/crypto_core/sodium.js";
import type { VaultClient } from "../src/sdk/client.js";
import { sha256 } from "../src/sdk/digest.js";
import { EMPTY_DRAFT, type Id } from "../src/sdk/items.js";
import { Credentials } from "../src/sdk/keychain.js";
import { ERRORS } from "../src/sdk/trust_store.js";
import { collected, registered, saying, type Browser } from "./clients.js";
import type { Rewrite } from "./memory_network.js";
import { RealVault, python } from "./real_vault.js";

/** JSON of the wire, as a liar sees it. */
type Said = any; // eslint-disable-line @typescript-eslint/no-explicit-any
const [PAGES, ACCOUNT, VAULT] = ["GET /v1/items", "GET /v1/account", "GET /v1/vault"] as const;

let vault: RealVault;

beforeAll(async () => {
  await ready();
  vault = await RealVault.serve();
}, 60_000);

afterAll(() => vault.remove());

/** A laptop that wrote, a telephone that has seen a part of it, and what the vault once answered. */
interface Scene {
  readonly laptop: Browser;
  readonly phone: Browser;
  readonly firstAccount: Said;
  readonly firstPage: Said;
  readonly edited: Id;
}

async function aScene(): Promise<Scene> {
  const laptop = await registered(vault.url);
  const phone = laptop.another();
  const writing = await laptop.logIn();
  await writing.writeEntry(saying("one"));
  const { id: edited } = await writing.writeEntry(saying("two"));
  await writing.lock();
  const seen: Record<string, Said> = {};
  for (const path of [ACCOUNT, PAGES]) phone.network.rewrites.set(path, (said: Said) => (seen[path] ??= said));
  await phone.opening();
  phone.network.rewrites.clear();
  const again = await laptop.logIn();
  await again.editEntry(edited, { text: "two, edited" });
  await again.writeEntry(saying("three"));
  await again.lock();
  return { laptop, phone, firstAccount: seen[ACCOUNT], firstPage: seen[PAGES], edited };
}

const onPages = ({ phone }: Scene, lie: (rows: Said[]) => Said[]): void =>
  void phone.network.rewrites.set(PAGES, (page: Said) => ({ ...page, revisions: lie(page.revisions) }));

const swapped = (name: string) => (rows: Said[]): Said[] => {
  const [first, second, ...rest] = rows;
  if (second === undefined) return rows;
  return [{ ...first, [name]: second[name] }, { ...second, [name]: first[name] }, ...rest];
};

function replaceCheckpoint({ phone }: Scene, note: string): void {
  phone.network.answers = (sent) => sent.path === "/ledger/checkpoint" ? new Response(note) : null;
}

const LIES: Readonly<Record<string, readonly [string, (scene: Scene) => void | Promise<void>]>> = {
  "drops an item": ["items_missing", (scene) => onPages(scene, (rows) => rows.slice(1))],
  "rolls an item back": ["items_missing", (scene) => onPages(scene, (rows) =>
    rows.filter((one) => one.item !== scene.edited || one.revision !== 2))],
  "replays an old page": ["items_missing", ({ phone, firstPage }) =>
    void phone.network.rewrites.set(PAGES, () => ({ ...firstPage, cursor: "", more: false }))],
  "serves an older account record": ["account_record_older", async ({ phone, firstAccount }) => {
    await phone.opening(); // the telephone sees the newest one first
    phone.network.rewrites.set(ACCOUNT, () => firstAccount);
  }],
  "serves an older account record as the newest": ["account_record_older", servesOlderAsNewest],
  "serves an older account record under the newest number": ["account_record_invalid", servesOlderAsNewest],
  "serves garbage as the account record": ["account_record_invalid", ({ phone }) => {
    const garbage = formatB64url(makeBytes(1096));
    phone.network.rewrites.set(ACCOUNT, (said: Said) => ({ ...said, account_record: garbage }));
  }],
  "serves nothing as the account record": ["account_record_invalid", ({ phone }) =>
    void phone.network.rewrites.set(ACCOUNT, (said: Said) => ({ ...said, account_record: "" }))],
  "swaps two records": ["blob_swapped", (scene) => onPages(scene, swapped("record"))],
  "swaps two wraps": ["blob_swapped", (scene) => onPages(scene, swapped("wrap"))],
  "swaps two links": ["blob_swapped", (scene) => onPages(scene, swapped("link"))],
  "serves another checkpoint": ["checkpoint_invalid", (scene) => {
    const signer = new SignerKey("ledger/other", makeBytes(32));
    const text = formatCheckpoint({ origin: "ledger/other", size: 3, root: makeBytes(32), extensions: [] });
    replaceCheckpoint(scene, signNote(text, signer));
  }],
  "forks the ledger": ["ledger_forked", forksTheLedger],
  "shows another ledger key": ["ledger_key_changed", ({ phone }) => {
    const other = formatVkey(new SignerKey("ledger/other", makeBytes(32)).verifier);
    phone.network.rewrites.set(VAULT, (said: Said) => ({ ...said, ledger_vkey: other }));
  }],
};

function servesOlderAsNewest({ phone, firstAccount }: Scene): void {
  phone.network.rewrites.set(ACCOUNT, (said: Said) => ({ ...said, account_record: firstAccount.account_record }));
}

/** A note by the true key over a tree that has never been. */
async function forksTheLedger(scene: Scene): Promise<void> {
  await scene.phone.opening();
  replaceCheckpoint(scene, forgedNote());
}

function forgedNote(): string {
  const { origin } = JSON.parse(readFileSync(join(vault.folder, "vault.json"), "utf8")) as { origin: string };
  const seed = parseB64url(readFileSync(join(vault.folder, "ledger.key"), "utf8").trim());
  const text = formatCheckpoint({ origin, size: 1_000_000, root: makeBytes(32), extensions: [] });
  return signNote(text, new SignerKey(origin, seed));
}

async function requireNoChange(client: VaultClient, id: Id, { typed }: Browser): Promise<void> {
  const next = new Credentials(typed.username, "a boat on the wide lake", "8051937");
  for (const change of [
    () => client.editEntry(id, { text: "x" }), () => client.deleteItem(id), () => client.restoreItem(id),
    () => client.changeCredentials(typed.password, typed.pin, next),
  ]) await expect(change()).rejects.toMatchObject({ code: "warned" });
}

describe.each(Object.entries(LIES))("a vault that %s", (_, [code, lie]) => {
  test(`is found out: ${code}; and the device goes on as promised`, async () => {
    const scene = await aScene();
    const { phone, laptop } = scene;
    await lie(scene);
    const client = phone.tab();
    const opening = await client.logIn(phone.typed);
    expect(opening.warnings).toContain(code);
    expect((await phone.evidence()).length).toBeGreaterThan(0);
    const shown = client.items().filter((item) => item.state === "open");
    expect(shown.length).toBeGreaterThan(0);
    for (const { id, revision, text } of shown) {
      expect(text).not.toBeNull();
      const files = unzipSync(new Uint8Array(await (await client.exportReceipts(id, revision)).arrayBuffer()));
      const { commitment } = (await client.receipt(id, revision)).verified;
      const [name] = Object.keys(files).filter((one) => one.endsWith(".sealed"));
      expect(Buffer.compare(sha256(files[name!]!), commitment.sha256)).toBe(0);
    }
    expect((await client.writeEntry(saying("adding goes on"))).verified.commitment.size).toBeGreaterThan(0);
    await requireNoChange(client, shown[0]!.id, phone);
    await client.lock();
    const again = phone.tab();
    expect((await again.logIn(phone.typed)).warnings.length, "a warning outlives the page").toBeGreaterThan(0);
    phone.network.rewrites.clear();
    phone.network.answers = () => null;
    await expect(again.acceptTrust(phone.typed.password, "805194")).rejects.toMatchObject({ code: "pin_wrong" });
    await again.acceptTrust(phone.typed.password, phone.typed.pin);
    if (code !== "ledger_key_changed") { // this vault hasn't the key that it showed and that was accepted
      await again.editEntry(shown[0]!.id, { text: "edited again" });
      await again.lock();
      for (const browser of [phone, laptop]) expect((await browser.opening()).warnings).toEqual([]);
    }
    expect((await phone.evidence()).length, "what was seen stays").toBeGreaterThan(0);
  }, 60_000);
});

test("an account record that is lost is written anew by a device that knows it", async () => {
  const { phone, laptop, edited } = await aScene();
  await phone.opening();
  const file = JSON.stringify(join(vault.folder, "vault.db"));
  const spoiled = await python( // in the vault itself, for every device and for good
    `import json, os, sqlite3; db = sqlite3.connect(${file}); `
    + "last = db.execute('SELECT max(rowid) FROM accounts').fetchone(); "
    + "done = db.execute('UPDATE accounts SET account_record = ? WHERE rowid = ?', (os.urandom(1096), *last)); "
    + "db.commit(); print(json.dumps(done.rowcount))",
  );
  expect(spoiled).toBe(1);
  const client = phone.tab();
  expect((await client.logIn(phone.typed)).warnings).toEqual(["account_record_invalid"]);
  await client.acceptTrust(phone.typed.password, phone.typed.pin);
  await client.editEntry(edited, { text: "two, edited again" });
  await client.lock();
  for (const browser of [phone, laptop]) {
    const again = browser.tab();
    expect((await again.logIn(browser.typed)).warnings).toEqual([]);
    expect(again.item(edited).text).toBe("two, edited again");
    await again.lock();
  }
});

test("both notes of a fork are kept", async () => {
  const scene = await aScene();
  await forksTheLedger(scene);
  await scene.phone.opening();
  const notes = (await scene.phone.evidence()).filter((one) => one.name === "fork");
  expect(new Set(notes.map((one) => new TextDecoder().decode(one.data).split("\n")[2])).size).toBe(2);
});

test("each warning has a code and a sentence of its own", () => {
  const told = Object.values(ERRORS).map((error) => new error());
  expect(new Set(told.map((one) => one.code)).size).toBe(told.length);
  expect(new Set(told.map((one) => one.sentence)).size).toBe(told.length);
});

test.each(["swaps two records", "swaps two wraps", "swaps two links", "drops an item"])(
  "a page that was spoiled once (%s) is asked for again, and nobody is alarmed", async (name) => {
    const scene = await aScene();
    await LIES[name]![1](scene);
    const { rewrites } = scene.phone.network;
    const rewrite = rewrites.get(PAGES) as Rewrite;
    let times = 0;
    rewrites.set(PAGES, (page: Said) => times++ === 0 ? rewrite(page) : page);
    const client = scene.phone.tab();
    expect((await client.logIn(scene.phone.typed)).warnings).toEqual([]);
    expect(client.items().map((item) => item.text)).toEqual(["one", "two, edited", "three"]);
  },
);

/** The bytes that a request asks for, as the vault gives them. */
function ranged(body: Uint8Array, range: string | null): Response {
  const [, start = "0", stop = ""] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  const [first, last] = [Number(start), stop === "" ? body.length - 1 : Number(stop)];
  const headers = { "Content-Range": `bytes ${first}-${last}/${body.length}` };
  const part = body.slice(first, last + 1) as BodyInit;
  return new Response(part, range === null ? {} : { status: 206, headers });
}

test("two contents that were swapped are never opened", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  for (const name of ["one.jpg", "two.jpg"]) {
    const file = new File([makeBytes(5000) as BlobPart], name);
    await client.addDocument({ file, thumbnail: null }, EMPTY_DRAFT);
  }
  const bodies = browser.network.seen.filter((sent) => sent.method === "PUT" && sent.path.startsWith("/v1/blobs/"));
  const [[first, second], other] = [bodies.map((sent) => sent.path), bodies.map((sent) => sent.body)];
  browser.network.answers = (sent) => {
    const body = sent.path === first ? other[1] : sent.path === second ? other[0] : null;
    return body ? ranged(body, sent.headers.get("Range")) : null;
  };
  for (const { contents: [content] } of client.items("document")) {
    await expect(collected(client.readContent(content!))).rejects.toMatchObject({ code: "blob_swapped" });
    await expect(collected(client.readContent(content!, 10, 20))).rejects.toMatchObject({ code: "blob_swapped" });
  }
  expect((await browser.evidence()).some((one) => one.name === "content")).toBe(true);
  expect(client.warnings).toEqual(["blob_swapped"]);
});

test.each([[{ argon_newest: 2 }, "client_too_old"], [{ vault_id: "A".repeat(22) }, "vault_changed"]])(
  "another vault or other Argon2 parameters get nothing: %j", async (lie, code) => {
    const { phone } = await aScene();
    phone.network.rewrites.set(VAULT, (said: Said) => ({ ...said, ...lie }));
    phone.network.seen.length = 0;
    await expect(phone.tab().logIn(phone.typed)).rejects.toMatchObject({ code });
    expect(phone.network.paths("POST")).toEqual([]);
    const kept = (await phone.evidence()).map((one) => JSON.parse(new TextDecoder().decode(one.data)) as object);
    expect(kept).toEqual([expect.objectContaining(lie)]);
    phone.network.rewrites.clear();
    expect((await phone.opening()).warnings).toEqual([]);
  },
);

test("a vault under another name gets no secret", async () => {
  const { phone } = await aScene();
  phone.network.rewrites.set(VAULT, (said: Said) => ({ ...said, host: "vault.example" }));
  phone.network.seen.length = 0;
  await expect(phone.tab().logIn(phone.typed)).rejects.toMatchObject({ code: "host_differs" });
  expect(phone.network.paths("POST")).toEqual([]);
});

test("pages that lead round in a circle end", async () => {
  const { phone } = await aScene();
  let turn = 0;
  phone.network.rewrites.set(PAGES, (page: Said) => {
    turn += 1;
    return { ...page, more: true, cursor: turn % 2 === 1 ? page.cursor : "" };
  });
  await expect(phone.tab().logIn(phone.typed)).rejects.toMatchObject({ code: "server" });
});

test("a device that holds the other side of a fork goes on adding and exporting", async () => {
  const scene = await aScene();
  const tablet = scene.laptop.another();
  tablet.network.answers = (sent) => sent.path === "/ledger/checkpoint" ? new Response(forgedNote()) : null;
  expect((await tablet.opening()).warnings).toEqual([]);
  tablet.network.answers = () => null;
  const client = tablet.tab();
  expect((await client.logIn(tablet.typed)).warnings).toEqual(["ledger_forked"]);
  expect((await client.writeEntry(saying("four"))).verified.commitment.size).toBeGreaterThan(0);
  for (const { id, revision } of client.items()) {
    expect((await client.exportReceipts(id, revision)).size).toBeGreaterThan(0);
  }
  await requireNoChange(client, scene.edited, tablet);
  await client.acceptTrust(tablet.typed.password, tablet.typed.pin);
  await client.editEntry(scene.edited, { text: "two, edited again" });
  await client.lock();
  expect(await tablet.opening()).toMatchObject({ warnings: [], waiting: 0 });
});

test("a receipt by another key is evidence and a warning; the text is kept once the vault is itself", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  browser.network.rewrites.set("POST /v1/items", (said: Said) => {
    const [head, text] = said.revisions[0].receipt.split("\n\n") as [string, string];
    const note = signNote(`${text}\n`, new SignerKey("ledger/other", makeBytes(32)));
    return { revisions: [{ ...said.revisions[0], receipt: `${head}\n\n${note}` }] };
  });
  await expect(client.writeEntry(saying("four"))).rejects.toMatchObject({ code: "ledger_key_changed" });
  expect((await browser.evidence()).map((one) => one.name)).toContain("receipt");
  await client.lock();
  browser.network.rewrites.clear();
  const again = browser.tab();
  expect(await again.logIn(browser.typed)).toMatchObject({ warnings: ["ledger_key_changed"], waiting: 0 });
  expect(again.items().map((item) => item.text)).toEqual(["four"]);
});

test("a receipt of other bytes is not taken for one: nothing is called kept, and the text waits", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const receipts: string[] = [];
  browser.network.rewrites.set("POST /v1/items", (said: Said) => {
    receipts.push(said.revisions[0].receipt);
    return { revisions: said.revisions.map((one: Said) => ({ ...one, receipt: receipts[0] })) };
  });
  await client.writeEntry(saying("one"));
  await expect(client.writeEntry(saying("two"))).rejects.toMatchObject({ code: "receipt_other_bytes" });
  expect((await client.waiting()).map((item) => item.text)).toEqual(["two"]);
  browser.network.rewrites.clear();
  expect(await client.synchronise()).toBe(0);
  expect(client.items().map((item) => item.text)).toEqual(["one", "two"]);
});
