// The ledger's key is replaced while browsers of one person are there, away, open or lied to; against a real vault.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { describe, expect, test } from "vitest";

import { decodeText, encodeText, formatB64url, parseB64url } from "../src/crypto_core/encoding.js";
import { makeBytes, makeId } from "../src/crypto_core/randomness.js";
import { formatCheckpoint, parseCheckpoint } from "../src/crypto_core/receipts/checkpoint.js";
import { SignerKey, formatVkey, parseNote, signNote } from "../src/crypto_core/receipts/note.js";
import { formatRotations, openRotations, parseRotations, signRotation } from "../src/crypto_core/receipts/rotation.js";
import { Pin, type Home } from "../src/sdk/home.js";
import { HttpTransport } from "../src/sdk/transport.js";
import type { Vault } from "../src/schemas/vault.js";
import { vaultService } from "../src/worker/service.js";
import { QUICK_ARGON, registered, saying, type Browser } from "./clients.js";
import { ownVault } from "./shared_vault.js";

const ROTATIONS = "/ledger/rotations";

const vault = await ownVault();

/** The key that signs alone, as the vault's folder has it. */
function signer(): SignerKey {
  const { origin } = JSON.parse(readFileSync(join(vault.folder, "vault.json"), "utf8")) as { origin: string };
  return new SignerKey(origin, parseB64url(readFileSync(join(vault.folder, "ledger.key"), "utf8").trim()));
}

async function rotate(): Promise<void> {
  await vault.command("rotation", "announce", "--overlap", "0");
  await vault.command("rotation", "finish");
}

/** How many keys have signed the receipt of an entry written in a session of its own. */
async function write(browser: Browser, text: string): Promise<number> {
  const client = await browser.logIn();
  const { receipt } = await client.writeEntry(saying(text));
  await client.lock();
  return parseNote(encodeText(receipt.slice(receipt.indexOf("\n\n") + 2))).signatures.length;
}

async function pinned(home: Home): Promise<Pin> {
  return (await home.pins())[0]!;
}

async function codes(browser: Browser): Promise<readonly string[]> {
  return (await browser.opening()).warnings;
}

async function evidence(browser: Browser): Promise<readonly string[]> {
  return (await browser.evidence()).map(({ name }) => name).sort();
}

/** What the vault publishes, but for its last record, and one more by `old` to a key that nobody else has. */
async function forgedBy(old: SignerKey, drop: number, size: number): Promise<readonly [Uint8Array, SignerKey]> {
  const thief = new SignerKey(old.name, makeBytes(32));
  const notes = parseRotations(new Uint8Array(await (await fetch(`${vault.url}${ROTATIONS}`)).arrayBuffer()));
  const time = Math.floor(Date.now() / 1000);
  const record = signRotation({ old: old.verifier, new: thief.verifier, size, time, until: time }, old, thief);
  return [formatRotations([...notes.slice(0, notes.length - drop), record]), thief];
}

/** A vault that shows the thief's key, and these records. */
function lie(browser: Browser, records: Uint8Array, thief: SignerKey): void {
  const vkey = formatVkey(thief.verifier);
  browser.network.rewrites.set("GET /v1/vault", (said: Vault) => ({ ...said, ledger_vkey: vkey }));
  browser.network.answers = ({ path }) => (path === ROTATIONS ? new Response(decodeText(records)) : null);
}

test("browsers that were there, one that was away, and one that stayed open", async () => {
  const laptop = await registered(vault.url);
  const [phone, tablet] = [laptop.another(), laptop.another()];
  expect(await write(laptop, "with the first key")).toBe(1);
  expect(await codes(phone)).toEqual([]);
  const open = await tablet.logIn();
  const first = (await pinned(phone.home)).ledgerVkey;
  await vault.command("rotation", "announce", "--overlap", "0");
  expect(await write(laptop, "with both")).toBe(2);
  await vault.command("rotation", "finish");
  expect(await write(laptop, "with the second")).toBe(1);
  const second = formatVkey(signer().verifier);
  expect((await open.writeEntry(saying("in a session that began before"))).verified.outcome).toBe("valid");
  await open.lock();
  expect(await codes(phone)).toEqual([]);
  expect(await write(phone, "from the telephone")).toBe(1);
  for (const browser of [laptop, phone, tablet]) {
    const pin = await pinned(browser.home);
    expect([pin.ledgerVkey, pin.knows(first), await evidence(browser)]).toEqual([second, true, []]);
    expect((await browser.home.policy())!.logs.map(({ key }) => formatVkey(key)).sort()).toEqual([first, second].sort());
  }
  expect(await codes(laptop.another())).toEqual([]); // a new one, which meets the second key first
}, 120_000);

test("a browser that met the first key reads what was shared under the second, and puts something in, without an account", async () => {
  const [person, reader] = [await registered(vault.url), await registered(vault.url)];
  const first = (await pinned(reader.home)).ledgerVkey;
  await rotate();
  const client = await person.logIn();
  const { id } = await client.writeEntry(saying("under the second key"));
  const { password, pin } = person.typed;
  const [bundle, box, expires] = [formatB64url(makeId()), formatB64url(makeId()), Math.floor(Date.now() / 1000) + 86_400];
  const link = await client.share(password, pin, {
    bundle, items: [{ item: id, revision: 1 }], to: null, message: "", expires, openings: 9, replaces: null,
  });
  const boxes = await client.boxes();
  const made = boxes.make({ box, name: "Nadia", expires, deposits: 3, bytes: 2_000_000 });
  await boxes.send(made, await client.account.confirm(password, pin));

  const page = vaultService({
    transport: new HttpTransport(vault.url, { fetch: reader.network.fetch, sleep: () => Promise.resolve() }),
    argon: QUICK_ARGON, store: () => Promise.resolve(reader.store), home: () => reader.home,
  });
  await page.meetLink(link!.fragment);
  const { items, pinned: known } = await page.openLink(link!.code);
  expect([known, items.map(({ doubt }) => doubt)]).toEqual([true, [null]]);
  await page.meetBox(made.fragment);
  await page.enterBox();
  expect((await page.putIn({ name: "", message: "I saw it" }, [])).receipts).toBe(1);
  const given = unzipSync(new Uint8Array(await (await page.receiptsOfDeposit()).blob.arrayBuffer()));
  expect(decodeText(given["policy.txt"]!)).toContain(formatVkey(signer().verifier));

  reader.network.answers = ({ path }) => (path === ROTATIONS ? new Response("no records") : null);
  const doubted = await page.openLink(link!.code).then(({ items: [one] }) => one!.doubt);
  expect([doubted === null, await evidence(reader)]).toEqual([false, ["malformed"]]);
  expect((await pinned(reader.home)).ledgerVkey).toBe(first);
}, 120_000);

describe("a vault that lies", () => {
  test("withholds the record", async () => {
    const phone = await registered(vault.url);
    await rotate();
    phone.network.answers = ({ path }) => (path === ROTATIONS ? new Response("") : null);
    expect(await codes(phone)).toEqual(["ledger_key_changed"]);
    expect(await evidence(phone)).toEqual(["ledger-key"]);
  }, 60_000);

  test("has a thief's record of an old key beside the one that is known", async () => {
    const phone = await registered(vault.url);
    const old = signer();
    await rotate();
    expect(await codes(phone)).toEqual([]);
    const { ledgerVkey, rotations } = await pinned(phone.home);
    const [records, thief] = await forgedBy(old, 1, openRotations(rotations).rotations.at(-1)!.size);
    lie(phone, records, thief);
    expect(await codes(phone)).toEqual(["ledger_key_changed"]);
    expect(await evidence(phone)).toEqual(["ledger-key", "rotation_forked", "rotation_forked"]);
    expect((await pinned(phone.home)).ledgerVkey).toBe(ledgerVkey);
  }, 60_000);

  test("has a record from before what was seen", async () => {
    const phone = await registered(vault.url);
    await write(phone, "one more entry");
    const { size } = parseCheckpoint(parseNote(encodeText(await publicNote())).text);
    lie(phone, ...await forgedBy(signer(), 0, size - 1));
    expect(await codes(phone)).toEqual(["ledger_key_changed"]);
    expect(await evidence(phone)).toContain("rotation_backwards");
  }, 60_000);

  test("has a record that the known key did not sign", async () => {
    const phone = await registered(vault.url);
    const stranger = new SignerKey(signer().name, makeBytes(32));
    lie(phone, ...await forgedBy(stranger, 100, 0));
    expect(await codes(phone)).toEqual(["ledger_key_changed"]);
    expect(await evidence(phone)).toContain("rotation_broken");
  }, 60_000);

  test("signs with the old key alone", async () => {
    const phone = await registered(vault.url);
    const old = signer();
    await rotate();
    expect(await codes(phone)).toEqual([]);
    const text = formatCheckpoint({ origin: old.name, size: 1_000_000, root: makeBytes(32), extensions: [] });
    phone.network.answers = ({ path }) => (path === "/ledger/checkpoint" ? new Response(signNote(text, old)) : null);
    expect(await codes(phone)).toEqual(["checkpoint_invalid"]);
    expect(await evidence(phone)).toEqual(["checkpoint"]);
  }, 60_000);
});

async function publicNote(): Promise<string> {
  return (await fetch(`${vault.url}/ledger/checkpoint`)).text();
}
