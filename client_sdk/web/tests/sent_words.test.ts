// What somebody put into a box, shared on from the browser through a real vault: their own words go along as they were
// sealed, and the page and Python read and check the same. Then a vault that lies about them.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { unzipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";

import { decodeText, formatB64url, formatJson, parseJson } from "../src/crypto_core/encoding.js";
import { makeId } from "../src/crypto_core/randomness.js";
import { Archive, InBlob } from "../src/sdk/archive.js";
import { Address, Visit, type Deposited } from "../src/sdk/box_visit.js";
import type { VaultClient } from "../src/sdk/client.js";
import type { Redaction } from "../src/sdk/extract.js";
import { EMPTY_DRAFT, type Id } from "../src/sdk/items.js";
import { Link, Openings, openLink, parseManifest, verifyUnder, type OpenedBundle } from "../src/sdk/opening.js";
import { writePack } from "../src/sdk/packs/pack.js";
import { checkPack, type PackReport } from "../src/sdk/packs/check.js";
import { fetchContinuity } from "../src/sdk/packs/ledger.js";
import { openSource } from "../src/sdk/packs/source.js";
import { NO_PROGRESS } from "../src/sdk/progress.js";
import { blobName } from "../src/sdk/replica.js";
import { requireRepeated } from "../src/sdk/sent_words.js";
import type { Sharing } from "../src/sdk/sharing.js";
import { HttpTransport } from "../src/sdk/transport.js";
import { registered, type Browser } from "./clients.js";
import { Network } from "./memory_network.js";
import { python } from "./real_vault.js";
import { ownVault } from "./shared_vault.js";

type Files = Record<string, Uint8Array<ArrayBuffer>>;
type Given = { readonly bundle: Id; readonly fragment: string; readonly code: string };

const DAY = 86_400;
const WORDS = { name: "Nadia Ķēniņa", message: "J’ai tout vu, devant l’école." };
const hurry = (): Promise<void> => Promise.resolve();
const clock = (): number => Math.floor(Date.now() / 1000);

/** Its own: where others deposit meanwhile, the newest state of the ledger is another for each who writes a pack. */
const vault = await ownVault();
let browser: Browser;
let client: VaultClient;
let folder: string;
let put: Deposited;
let received: Id;
let own: Id;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "words-"));
  browser = await registered(vault.url);
  client = await browser.logIn();
  const { password, pin } = browser.typed;
  const box = formatB64url(makeId());
  const boxes = await client.boxes();
  const made = boxes.make({ box, name: "Nadia", expires: clock() + DAY, deposits: 3, bytes: 2_000_000 });
  await boxes.send(made, await client.account.confirm(password, pin));
  const by = { transport: transport(new Network()), verify: verifyUnder(client.policy), clock, sleep: hurry, now: () => 0 };
  const visit = await Visit.enter(Address.parse(made.fragment), by);
  put = await visit.deposit(WORDS, [new File([new Uint8Array(60_000).fill(7)], "porte.jpg", { type: "image/jpeg" })]);
  await boxes.open(box, put.deposit);
  received = (await boxes.accept(put.deposit)).id;
  own = (await client.writeEntry({ ...EMPTY_DRAFT, text: "Moi aussi." })).id;
}, 120_000);

afterAll(async () => {
  rmSync(folder, { recursive: true });
});

function transport(network: Network): HttpTransport {
  return new HttpTransport(vault.url, { fetch: network.fetch, sleep: hurry });
}

function sharing(...items: readonly Id[]): Sharing {
  return {
    bundle: formatB64url(makeId()), items: items.map((item) => ({ item, revision: client.item(item).revision })), to: null,
    message: "", expires: clock() + DAY, openings: 20, replaces: null,
  };
}

async function share(...items: readonly Id[]): Promise<Given> {
  const { password, pin } = browser.typed;
  const asked = sharing(...items);
  const link = await client.share(password, pin, asked);
  return { bundle: asked.bundle, fragment: link!.fragment, code: link!.code };
}

function opens({ fragment, code }: Given, network = new Network()): Promise<OpenedBundle> {
  const by = { transport: transport(network), clock, progress: NO_PROGRESS, verify: verifyUnder(client.policy) };
  return openLink(Link.parse(fragment), code, new Openings(), by);
}

async function packed(opened: OpenedBundle, verifier: Uint8Array | null = null): Promise<[Blob, Files]> {
  const into = new InBlob();
  const continuity: Parameters<typeof writePack>[1]["continuity"] = (trees) =>
    fetchContinuity(transport(new Network()), client.policy, trees);
  await writePack(opened, { policy: client.policy, continuity, verifier }, new Archive(into.stream));
  return [into.blob, unzipSync(new Uint8Array(await into.blob.arrayBuffer())) as Files];
}

async function checked(files: Files): Promise<PackReport> {
  return checkPack(await openSource(Object.entries(files).map(([name, data]) => ({ path: `pack/${name}`, file: new Blob([data]) }))));
}

const found = ({ findings }: PackReport): readonly (readonly [string, string])[] =>
  findings.map(({ name, error }) => [name, error.code]);

const stem = (): string => `sealed/${blobName(put.deposit)}`;

test("the words, their own receipt and which files came with them reach the reader", async () => {
  const { items: [first, second], manifest } = await opens(await share(own, received));
  expect([first!.words, second!.words!.doubt]).toEqual([null, null]);
  const { said, proof } = second!.words!;
  expect(said).toMatchObject(WORDS);
  expect(proof!.verified.commitment).toEqual(put.receipts[0]!.verified.commitment);
  expect(proof!.verified.index).toBeLessThan(second!.proof!.verified.index);
  expect(said!.contents.map(({ blob }) => blob)).toEqual(second!.item.contents.map(({ blob }) => blob));
  expect(parseManifest(manifest.json)).toMatchObject({ v: 2, items: [{ words: null }, { words: proof!.verified.index }] });
}, 60_000);

test("without anything received a bundle is of the first version", async () => {
  const { items, manifest } = await opens(await share(own));
  expect([parseManifest(manifest.json).v, decodeText(manifest.json).includes("words"), items[0]!.words]).toEqual([1, false, null]);
}, 60_000);

test("a pack has them, Python checks it, and writes the same to the byte", async () => {
  const given = await share(own, received);
  const [zip, theirs] = [join(folder, "ours.zip"), join(folder, "theirs")];
  const said = await python(`
import json
from pathlib import Path
from client_sdk.client import VaultClient
from client_sdk.packs.pack import write_pack
from client_sdk.packs.sink import open_sink
with VaultClient.connect(${JSON.stringify(vault.url)}, Path(${JSON.stringify(join(folder, "reader"))})) as client:
    opened = client.open_link(${JSON.stringify(given.fragment)}, ${JSON.stringify(given.code)})
    with open_sink(Path(${JSON.stringify(theirs)})) as sink:
        write_pack(opened, client.known_policy(), sink)
words = opened.items[1].words
print(json.dumps([words.said["name"], words.said["message"], words.doubt]))
`);
  expect(said).toEqual([WORDS.name, WORDS.message, null]);
  const other = Object.fromEntries(readdirSync(theirs, { recursive: true, withFileTypes: true }).flatMap((one) => {
    const path = join(one.parentPath, one.name);
    return one.isFile() ? [[relative(theirs, path), new Uint8Array(readFileSync(path))]] : [];
  })) as Files;
  const [blob, files] = await packed(await opens(given), other["verify.html"] ?? null);
  expect(Object.keys(files).sort()).toEqual(Object.keys(other).sort());
  for (const name of Object.keys(files)) expect(Buffer.compare(files[name]!, other[name]!), name).toBe(0);
  expect(decodeText(files["index.html"]!)).toContain(WORDS.message);
  const report = await checked(files);
  expect([found(report), report.outcome, report.proven]).toEqual([[], "valid", 2]);
  const { item, words } = report.read.find((one) => one.item.kind === "received")!;
  expect(words!.said.contents.map((one) => one.blob)).toEqual(item.contents.map((one) => one.blob));
  expect(words!.receipt!.commitment).toEqual(put.receipts[0]!.verified.commitment);
  writeFileSync(zip, new Uint8Array(await blob.arrayBuffer()));
  expect(await python(`
import json
from pathlib import Path
from client_sdk.packs.check import check_pack
from client_sdk.packs.source import ZipSource
with ZipSource(Path(${JSON.stringify(zip)})) as source:
    report = check_pack(source)
print(json.dumps([report.outcome, report.proven]))
`)).toEqual(["valid", 2]);
}, 120_000);

test("a changed, cut or missing byte of the words or their receipt is named", async () => {
  const [, files] = await packed(await opens(await share(received)));
  for (const name of [`${stem()}.sealed`, `${stem()}.tlog-proof`]) {
    const { [name]: data, ...rest } = files;
    expect(found(await checked(rest as Files))).toEqual([[name, "pack_missing"]]);
    expect(found(await checked({ ...files, [name]: data!.map((byte, at) => (at === 60 ? byte ^ 1 : byte)) })))
      .toEqual([[name, "pack_changed"]]);
    expect(found(await checked({ ...files, [name]: data!.slice(0, -1) }))).toEqual([[name, "pack_changed"]]);
  }
  const own_ = Object.keys(files).find((name) => /-1\.tlog-proof$/.test(name))!;
  expect((await checked({ ...files, [`${stem()}.tlog-proof`]: files[own_]! })).outcome).toBe("invalid");
}, 60_000);

test("what the vault withholds, swaps or proves with another receipt is said, and the item is read", async () => {
  const given = await share(own, received);
  const path = `/v1/bundles/${given.bundle}/blobs/${put.deposit}`;
  const gone = (): Response => new Response(JSON.stringify({
    type: "about:blank", title: "Not found", status: 404, code: "not_found", detail: "There is nothing here.",
  }), { status: 404, headers: { "Content-Type": "application/problem+json" } });
  const other = put.receipts[1]!.receipt;
  const lies: readonly [(network: Network) => void, string, boolean][] = [
    [(one) => void (one.answers = (sent) => (sent.path === path ? gone() : null)), "bundle_incomplete", false],
    [(one) => void (one.spoils = (sent, body) => (sent.path === path ? body.map((byte, at) => (at === 99 ? byte ^ 1 : byte)) : body)),
      "bundle_swapped", false],
    [(one) => void (one.answers = (sent) => (sent.path === `${path}/receipt` ? gone() : null)), "bundle_incomplete", true],
    [(one) => void one.rewrites.set(`GET ${path}/receipt`, (said) => ({ ...(said as object), receipt: other })), "receipt_other_bytes", true],
  ];
  for (const [lie, code, isRead] of lies) {
    const network = new Network();
    lie(network);
    const opened = await opens(given, network);
    const [first, second] = opened.items;
    expect([first!.doubt, second!.refused, second!.doubt, second!.item.sent!.message]).toEqual([null, null, null, WORDS.message]);
    expect([second!.words!.doubt, second!.words!.proof, second!.words!.said !== null]).toEqual([code, null, isRead]);
    const [, files] = await packed(opened);
    expect(found(await checked(files))).toEqual([[`${stem()}.sealed`, "pack_incomplete"]]);
    expect(decodeText(files["index.html"]!)).toContain("are not in this folder with their receipt");
  }
}, 120_000);

test("an item whose words have no receipt that holds is named, and nothing is shared", async () => {
  const other = browser.another(); // which holds no receipts
  const { password, pin } = other.typed;
  const fresh = await other.logIn();
  const path = `GET /v1/blobs/${put.deposit}/receipt`;
  other.network.rewrites.set(path, (said) => ({ ...(said as object), receipt: "x" }));
  await expect(fresh.share(password, pin, sharing(own, received))).rejects.toMatchObject({
    code: "item_unproven", item: received, revision: 1, error: { code: "receipt_malformed" },
  });
  const sent = (): number => other.network.seen.filter((one) => one.method === "POST" && one.path === "/v1/bundles").length;
  expect(sent()).toBe(0);
  other.network.rewrites.delete(path);
  await fresh.share(password, pin, sharing(own, received));
  expect(sent()).toBe(1);
}, 60_000);

test("an item that says otherwise than the words, or lacks a file of theirs, is told", async () => {
  const { items: [one] } = await opens(await share(received));
  const { item, words } = one!;
  const said = words!.said!;
  requireRepeated(item, said);
  requireRepeated({ ...item, contents: [...item.contents, { ...item.contents[0]!, blob: formatB64url(makeId()) }] }, said);
  const sent = item.sent!;
  const [file] = item.contents;
  for (const changed of [
    { ...item, sent: null }, { ...item, sent: { ...sent, name: "Nadja" } }, { ...item, sent: { ...sent, message: "" } },
    { ...item, sent: { ...sent, written: 1 } }, { ...item, contents: [] },
    { ...item, contents: [{ ...file!, name: "autre.jpg" }] }, { ...item, contents: [{ ...file!, sha256: new Uint8Array(32) }] },
  ]) {
    expect(() => requireRepeated(changed, said)).toThrow(expect.objectContaining({ code: "sent_differs" }));
  }
}, 60_000);

test("with an extract neither the words nor what names or opens them go", async () => {
  const item = client.item(received);
  const { deposit, key } = item.sent!;
  const redaction: Redaction = { cuts: [], facts: [], files: item.contents.map((one) => one.blob) };
  const made = await client.makeExtract(received, item.revision, redaction, new Map());
  const opened = await opens(await share(made.id));
  const [one] = opened.items;
  expect([one!.words, one!.item.sent, one!.item.kind, one!.item.contents.length]).toEqual([null, null, "extract", 1]);
  const [, files] = await packed(opened);
  const every = Buffer.concat([opened.manifest.json, ...Object.values(files)]);
  for (const leak of [WORDS.name, WORDS.message, deposit, blobName(deposit), formatB64url(key)]) {
    expect(every.includes(leak), leak).toBe(false);
  }
}, 60_000);

test.each([
  [1, [null, 3]], [1, [3, null]], [2, [null, null]], [2, [undefined, 3]],
])("a manifest of version %i that says what the other does is none", async (version, words) => {
  const facts = parseJson((await opens(await share(own, received))).manifest.json) as { readonly items: readonly object[] };
  const items = facts.items.map((one, at) => {
    const { words: _, ...rest } = one as { readonly words: unknown };
    return words[at] === undefined ? rest : { ...rest, words: words[at] };
  });
  expect(() => parseManifest(formatJson({ ...facts, v: version, items }))).toThrow(expect.objectContaining({ code: "malformed" }));
  expect(() => parseManifest(formatJson({ ...facts, v: 3 }))).toThrow(expect.objectContaining({ code: "version_unsupported" }));
}, 60_000);
