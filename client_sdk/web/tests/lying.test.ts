// The server as liar: each lie is noticed by its own code, what was seen is kept on the device, and it goes on as
// protocol §4 says: reading, exporting and adding; no edit, no deletion, no other credentials until the person agrees.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { unzipSync } from "fflate";
import { describe, expect, test } from "vitest";

import { formatB64url, formatJson, parseB64url } from "../src/crypto_core/encoding.js";
import { makeBytes } from "../src/crypto_core/randomness.js";
import { formatCheckpoint } from "../src/crypto_core/receipts/checkpoint.js";
import { SignerKey, formatVkey, signNote } from "../src/crypto_core/receipts/note.js";
import * as passphrase from "../src/crypto_core/sealing/passphrase.js";
import { sealAccountRecord } from "../src/crypto_core/sealing/records.js";
import type { OpenStage } from "../src/schemas/accounts.js";
import type { VaultClient } from "../src/sdk/client.js";
import { sha256 } from "../src/sdk/digest.js";
import { EMPTY_DRAFT, type Id } from "../src/sdk/items.js";
import * as keychain from "../src/sdk/keychain.js";
import { Credentials } from "../src/sdk/keychain.js";
import { HttpTransport } from "../src/sdk/transport.js";
import { ERRORS } from "../src/sdk/trust_store.js";
import { collected, registered, saying, type Browser } from "./clients.js";
import { QUICK } from "./memory_device.js";
import type { Rewrite } from "./memory_network.js";
import { python } from "./real_vault.js";
import { ownVault } from "./shared_vault.js";

/** JSON of the wire, as a liar sees it. */
type Said = any; // eslint-disable-line @typescript-eslint/no-explicit-any
const [PAGES, ACCOUNT, VAULT] = ["GET /v1/items", "GET /v1/account", "GET /v1/vault"] as const;

const vault = await ownVault();

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

const other = ({ username }: Credentials): Credentials =>
  new Credentials(username, "a boat on the wide lake", "8051937");

async function requireNoChange(client: VaultClient, id: Id, { typed }: Browser): Promise<void> {
  for (const change of [
    () => client.editEntry(id, { text: "x" }), () => client.deleteItem(id), () => client.restoreItem(id),
    () => client.account.changeCredentials(typed.password, typed.pin, other(typed)),
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
    await expect(again.account.acceptTrust(phone.typed.password, "805194")).rejects.toMatchObject({ code: "pin_wrong" });
    const isOlder = again.warnings.includes("account_record_older");
    const { recordOlder } = await again.account.acceptTrust(phone.typed.password, phone.typed.pin);
    expect(recordOlder).toBe(isOlder);
    if (code !== "ledger_key_changed") { // this vault hasn't the key that it showed and that was accepted
      await again.editEntry(shown[0]!.id, { text: "edited again" });
      await again.lock();
      for (const browser of [phone, laptop]) expect((await browser.opening()).warnings).toEqual([]);
    }
    expect((await phone.evidence()).length, "what was seen stays").toBeGreaterThan(0);
  }, 60_000);
});

const has = (name: string, value: unknown): boolean => typeof value === "object" && value !== null && name in value;

/** In the vault itself, for every device of the newest account and for good. */
async function spoilAccountRecord(): Promise<void> {
  const file = JSON.stringify(join(vault.folder, "vault.db"));
  const spoiled = await python(
    `import json, os, sqlite3; db = sqlite3.connect(${file}); `
    + "last = db.execute('SELECT max(rowid) FROM accounts').fetchone(); "
    + "done = db.execute('UPDATE accounts SET account_record = ? WHERE rowid = ?', (os.urandom(1096), *last)); "
    + "db.commit(); print(json.dumps(done.rowcount))",
  );
  expect(spoiled).toBe(1);
}

test("an account record that is lost is written anew by a device that knows it", async () => {
  const { phone, laptop, edited } = await aScene();
  await phone.opening();
  await spoilAccountRecord();
  const client = phone.tab();
  expect((await client.logIn(phone.typed)).warnings).toEqual(["account_record_invalid"]);
  await client.writeEntry(saying("behind the PIN"), { sensitive: true }); // it knows the key of the drop-box
  await client.account.acceptTrust(phone.typed.password, phone.typed.pin);
  await client.editEntry(edited, { text: "two, edited again" });
  const next = other(phone.typed);
  await client.account.changeCredentials(phone.typed.password, phone.typed.pin, next);
  await client.lock();
  for (const browser of [phone, laptop]) {
    const again = browser.tab();
    expect((await again.logIn(next)).warnings).toEqual([]);
    expect(again.item(edited).text).toBe("two, edited again");
    await again.lock();
  }
});

test("a device that never saw the account record reads and adds, and restores it", async () => {
  const { phone, laptop, edited } = await aScene();
  const writing = await laptop.logIn();
  const { id: hidden } = await writing.writeEntry(saying("behind the PIN"), { sensitive: true });
  await writing.lock();
  await spoilAccountRecord();
  const [tablet, { password, pin }] = [laptop.another(), laptop.typed];
  const client = tablet.tab();
  expect((await client.logIn(tablet.typed)).warnings).toEqual(["account_record_invalid"]);
  expect((await tablet.evidence()).map((one) => one.name)).toContain("account-record");
  expect(client.items().map((item) => item.text)).toEqual(["one", "two, edited", "three", null]);
  for (const { id, revision } of client.items()) {
    expect((await client.receipt(id, revision)).verified.commitment.size).toBeGreaterThan(0);
  }
  await client.writeEntry(saying("four"));
  const file = new File([makeBytes(5000) as BlobPart], "five.jpg");
  tablet.network.seen.length = 0;
  const five = (): Promise<unknown> =>
    client.addDocument({ file, thumbnail: file }, saying("five"), { sensitive: true });
  await expect(five()).rejects.toMatchObject({ code: "pin_needed" }); // nobody has told it the key of the drop-box
  expect(tablet.network.seen, "and no file was sent in vain").toEqual([]);
  await client.stepUp(pin);
  expect(client.item(hidden).text).toBe("behind the PIN");
  client.dropSensitive();
  await five();
  await requireNoChange(client, edited, tablet);
  await client.lock();
  const again = tablet.tab();
  expect((await again.logIn(tablet.typed)).warnings).toEqual(["account_record_invalid"]);
  await again.account.acceptTrust(password, pin);
  await again.editEntry(edited, { text: "two, edited again" });
  const next = other(tablet.typed);
  await again.account.changeCredentials(password, pin, next);
  await again.lock();
  const fresh = laptop.another().tab();
  expect((await fresh.logIn(next)).warnings).toEqual([]);
  await fresh.stepUp(next.pin);
  expect(fresh.items().map((item) => item.text)).toEqual(
    expect.arrayContaining(["behind the PIN", "four", "five", "two, edited again"]));
  for (const browser of [phone, laptop]) expect((await browser.tab().logIn(next)).warnings).toEqual([]);
});

test("an account record that was spoiled once is asked for again, and nobody is alarmed", async () => {
  const scene = await aScene();
  await LIES["serves garbage as the account record"]![1](scene);
  const { rewrites } = scene.phone.network;
  const rewrite = rewrites.get(ACCOUNT) as Rewrite;
  let times = 0;
  rewrites.set(ACCOUNT, (said: Said) => times++ === 0 ? rewrite(said) : said);
  expect((await scene.phone.opening()).warnings).toEqual([]);
});

test("an account record that was damaged on this device is the vault's again", async () => {
  const { phone } = await aScene();
  await phone.opening();
  const [[key, header]] = (await phone.kept()).filter(([, value]) => has("facts", value)) as [[string, Said]];
  const facts = { ...header.facts, account_record: makeBytes(1096) };
  await phone.store.write({ put: [[key, { ...header, facts }]] });
  expect((await phone.opening()).warnings).toEqual([]);
  await spoilAccountRecord();
  const client = phone.tab();
  expect((await client.logIn(phone.typed)).warnings).toEqual(["account_record_invalid"]);
  await client.writeEntry(saying("behind the PIN"), { sensitive: true }); // this device knows a good one
});

/** Writes a record that a later version of the client would write; gives its sealed bytes as the wire has them. */
async function writeNewerRecord({ typed }: Browser): Promise<string> {
  const transport = new HttpTransport(vault.url, {});
  const { vault_id: vaultId } = await transport.ask("GET", "/v1/vault");
  const login = await typed.stretch(vaultId, QUICK);
  const { challenge } = await transport.ask("POST", "/v1/login/start", { body: { K_id: login.kId } });
  const sig = keychain.signLogin(login, transport.host, challenge);
  const proven = await transport.ask("POST", "/v1/login/finish", { body: { K_id: login.kId, challenge, sig } });
  const account = parseB64url(proven.account);
  const pinLogin = passphrase.derivePinLogin(login.kPl, account, typed.pin);
  const tried = { purpose: "login", x: pinLogin.tag } as const;
  const opened = await transport.ask("POST", "/v1/pin", { body: tried, token: proven.token }) as OpenStage;
  const mkN = keychain.openMaster(login, pinLogin, proven.account, opened);
  const n = (await transport.ask("GET", "/v1/account", { token: opened.token })).n + 1;
  const newer = sealAccountRecord(mkN, account, n, formatJson({ v: 2, unheard: "of" }));
  await transport.ask("PUT", "/v1/account/record", { body: { n, account_record: newer }, token: opened.token });
  return formatB64url(newer);
}

test("an account record of a newer version alarms nobody, and is not written over", async () => {
  const { phone, laptop, edited } = await aScene();
  const newer = await writeNewerRecord(laptop);
  let kept = "";
  for (const browser of [laptop, phone, laptop.another(), phone]) { // the third has never seen one that it could read
    browser.network.rewrites.set(ACCOUNT, (said: Said) => {
      kept = said.account_record;
      return said;
    });
    const client = browser.tab();
    expect((await client.logIn(browser.typed)).warnings).toEqual([]);
    await client.editEntry(edited, { text: "edited by an old program" });
    await client.writeEntry(saying("of an old program"));
    const { password, pin } = browser.typed;
    await expect(client.account.changeCredentials(password, pin, other(browser.typed)))
      .rejects.toMatchObject({ code: "version_unsupported" });
    await client.stepUp(pin);
    await client.writeEntry(saying("behind the PIN"), { sensitive: true });
    await client.lock();
    expect(kept).toBe(newer);
  }
  expect((await laptop.opening()).warnings).toEqual([]);
  expect(kept).toBe(newer);
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
  await client.account.acceptTrust(tablet.typed.password, tablet.typed.pin);
  await client.editEntry(scene.edited, { text: "two, edited again" });
  await client.lock();
  expect(await tablet.opening()).toMatchObject({ warnings: [], waiting: 0 });
});

test("a fork that shows in a receipt is told once, and the text is kept then", async () => {
  const { laptop, edited } = await aScene();
  const tablet = laptop.another();
  const client = await tablet.logIn();
  const [[key, held]] = (await tablet.kept()).filter(([, value]) => has("note", value)) as [[string, object]];
  await tablet.store.write({ put: [[key, { ...held, note: forgedNote() }]] });
  await expect(client.writeEntry(saying("four"))).rejects.toMatchObject({ code: "ledger_forked" });
  expect((await tablet.evidence()).filter((one) => one.name === "fork").length).toBe(2);
  expect(client.warnings).toEqual(["ledger_forked"]);
  await client.lock();
  const again = tablet.tab();
  expect(await again.logIn(tablet.typed)).toMatchObject({ warnings: ["ledger_forked"], waiting: 0 });
  expect(again.items().at(-1)?.text).toBe("four");
  await requireNoChange(again, edited, tablet);
});

type Spoil = (head: string, note: string) => readonly [head: string, note: string];
const SPOILT: Readonly<Record<string, readonly [code: string, warnings: readonly string[], spoil: Spoil]>> = {
  "whose signature is broken": ["receipt_signature", [], (head, note) =>
    [head, `${note.slice(0, -12)}AAAA${note.slice(-8)}`]],
  "whose path leads elsewhere": ["receipt_not_included", [], (head, note) =>
    [`${head.slice(0, -8)}AAAA${head.slice(-4)}`, note]],
  "by another key": ["ledger_key_changed", ["ledger_key_changed"], (head, note) =>
    [head, signNote(`${note.split("\n\n")[0]}\n`, new SignerKey("ledger/other", makeBytes(32)))]],
};

test.each(Object.entries(SPOILT))(
  "a receipt %s is evidence, and nothing is kept until the vault is itself", async (_, [code, warnings, spoil]) => {
    const { phone } = await aScene();
    const client = await phone.logIn();
    phone.network.rewrites.set("POST /v1/items", (said: Said) => {
      const [revision] = said.revisions;
      const at = revision.receipt.indexOf("\n\n");
      const spoilt = spoil(revision.receipt.slice(0, at), revision.receipt.slice(at + 2));
      return { revisions: [{ ...revision, receipt: spoilt.join("\n\n") }] };
    });
    await expect(client.writeEntry(saying("four"))).rejects.toMatchObject({ code });
    expect((await phone.evidence()).map((one) => one.name)).toContain("receipt");
    expect((await client.waiting()).map((item) => item.text)).toEqual(["four"]);
    expect(client.warnings).toEqual(warnings);
    await client.lock();
    phone.network.rewrites.clear();
    const again = phone.tab();
    expect(await again.logIn(phone.typed)).toMatchObject({ warnings, waiting: 0 });
    expect(again.items().at(-1)?.text).toBe("four");
  },
);

/** Seconds by the device's own clock, which no vault moves. */
class Clock {
  seconds = 1_800_000_000;
  readonly clock = (): number => this.seconds;
}

/** The vault shows for good what it shows now, and the device deposits once more. */
async function stopThePublicCheckpoint(scene: Scene, clock: Clock): Promise<void> {
  const client = await scene.phone.logIn(clock);
  const note = await (await fetch(`${vault.url}/ledger/checkpoint`)).text();
  await client.writeEntry(saying("four"));
  await client.lock();
  replaceCheckpoint(scene, note);
}

test("a public checkpoint that stays behind is told after a day, and stops nothing", async () => {
  const [scene, clock] = [await aScene(), new Clock()];
  const { phone, edited } = scene;
  await stopThePublicCheckpoint(scene, clock);
  for (const passed of [60, 86_340]) {
    clock.seconds += passed;
    expect((await phone.opening(clock)).warnings).toEqual([]);
    expect(await phone.evidence()).toEqual([]);
  }
  clock.seconds += 1;
  const client = phone.tab(clock);
  expect((await client.logIn(phone.typed)).warnings).toEqual(["ledger_lags"]);
  await client.editEntry(edited, { text: "edited all the same" });
  expect(client.warnings).toEqual(["ledger_lags"]);
  await client.lock();
  expect(new Set((await phone.evidence()).map((one) => one.name))).toEqual(new Set(["lag-public", "lag-held"]));
  phone.network.answers = () => null;
  expect((await phone.opening(clock)).warnings).toEqual([]);
});

test("a clock that ran ahead and was set right doesn't hide a lag for longer than a day", async () => {
  const [scene, clock] = [await aScene(), new Clock()];
  clock.seconds += 365 * 86_400;
  await stopThePublicCheckpoint(scene, clock);
  clock.seconds -= 365 * 86_400;
  expect((await scene.phone.opening(clock)).warnings).toEqual([]);
  clock.seconds += 86_401;
  expect((await scene.phone.opening(clock)).warnings).toEqual(["ledger_lags"]);
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

test("another time beside a true receipt is not believed: when it was deposited is what the receipt says", async () => {
  const phone = await registered(vault.url);
  const client = await phone.logIn();
  phone.network.rewrites.set("POST /v1/items", (said: Said) => ({
    ...said, revisions: said.revisions.map((one: Said) => ({ ...one, deposited: "2020-02-02T20:20:20Z" })),
  }));
  const kept = await client.writeEntry(saying("today"));
  expect(kept.deposited).toBe(kept.verified.commitment.time);
  expect(client.item(kept.id).deposited).toBe(kept.verified.commitment.time);
  expect(kept.deposited).toBeGreaterThan(Date.parse("2026-01-01") / 1000);
});
