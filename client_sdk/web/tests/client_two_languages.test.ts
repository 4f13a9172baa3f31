// One vault, two languages: what the browser's SDK keeps the command line reads, and the other way round.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { unzipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";

import { formatHex, parseB64url, formatB64url, parseHex } from "../src/crypto_core/encoding.js";
import { ready } from "../src/crypto_core/sodium.js";
import { ARGON_HERE } from "../src/sdk/argon.js";
import { EMPTY_DRAFT, type Id } from "../src/sdk/items.js";
import { Credentials } from "../src/sdk/keychain.js";
import { Browser, collected, saying } from "./clients.js";
import { somebody } from "./memory_device.js";
import { ROOT, RealVault, python } from "./real_vault.js";

const PHOTOGRAPH = join(ROOT, "docs", "demo", "photograph.jpg");
const ARGON = { argon: ARGON_HERE };

let vault: RealVault;
let folder: string;
let bin: string;

beforeAll(async () => {
  await ready();
  bin = join(String(await python("import json, sys; print(json.dumps(sys.prefix))")), "bin");
  vault = await RealVault.serve();
  folder = mkdtempSync(join(tmpdir(), "device-"));
}, 60_000);

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await vault.remove();
});

/** What `temoin` prints, given these words; password and PIN go through a descriptor of their own. */
async function temoin(typed: Credentials, ...words: readonly string[]): Promise<string> {
  const env = { ...process.env, TEMOIN_HOME: join(folder, "home"), TEMOIN_SERVER: vault.url };
  const run = spawn(join(bin, "temoin"), [...words, "--secrets-fd", "3"], {
    env, stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  (run.stdio[3] as NodeJS.WritableStream).end(`${typed.password}\n${typed.pin}\n`);
  const said = { out: "", err: "" };
  run.stdout!.on("data", (data: Buffer) => (said.out += data.toString("utf8")));
  run.stderr!.on("data", (data: Buffer) => (said.err += data.toString("utf8")));
  const [code] = await once(run, "close") as [number];
  expect(code, said.err).toBe(0);
  return said.out;
}

const spelled = (id: Id): string => formatHex(parseB64url(id));

test("the browser signs up and writes, the command line reads: words, photograph, sensitive, assessment", async () => {
  const browser = new Browser(vault.url);
  const { typed } = browser;
  const client = browser.tab(ARGON);
  await client.register(await client.makeAccount(typed, "french"));
  await client.logIn(typed);
  const happened = { from: 1_709_244_000, to: 1_711_915_199, precision: "month", words: "2024-03" } as const;
  const photograph = new File([readFileSync(PHOTOGRAPH)], "photographie é.jpg", { type: "image/jpeg" });
  const more = { place: "القاهرة", tags: ["soir"], danger: 7, happened };
  const entry = await client.writeEntry(saying("في المساء 🕯️", more));
  const secret = await client.writeEntry(saying("behind the PIN"), { sensitive: true });
  const injury = { ...EMPTY_DRAFT, category: "injury" };
  const picture = await client.addDocument({ file: photograph, thumbnail: null }, injury);
  await client.add(saying("He hits.", { danger: 8 }), "assessment", {}, { hits: true });
  await client.editEntry(entry.id, { title: "edited" });
  await client.lock();

  const shown = await temoin(typed, "journal", "show", typed.username, spelled(entry.id), "--json");
  expect(JSON.parse(shown)).toMatchObject({
    text: "في المساء 🕯️", title: "edited", place: "القاهرة", tags: ["soir"], danger: 7, revision: 2,
  });
  const hidden = await temoin(typed, "journal", "show", typed.username, spelled(secret.id), "--json");
  expect(JSON.parse(hidden)).toMatchObject({ text: "behind the PIN", sensitive: true });
  const back = join(folder, "back.jpg");
  await temoin(typed, "documents", "get", typed.username, spelled(picture.id), "-o", back);
  expect(Buffer.compare(readFileSync(back), readFileSync(PHOTOGRAPH))).toBe(0);
}, 120_000);

test("the command line signs up and writes, the browser reads and edits, and nobody is warned", async () => {
  const typed = somebody();
  await temoin(typed, "register", typed.username, "--recovery-out", join(folder, "words.txt"));
  const added = JSON.parse(await temoin(
    typed, "journal", "add", typed.username, "--text", "from the command line 🌧️", "--happened", "2024-03", "--json",
  )) as { id: string };
  const [document] = JSON.parse(await temoin(
    typed, "documents", "add", typed.username, PHOTOGRAPH, "--category", "injury", "--json",
  )) as [{ id: string }];
  const browser = new Browser(vault.url, typed);
  const client = browser.tab(ARGON);
  expect((await client.logIn(typed)).warnings).toEqual([]);
  const [entry, picture] = [added.id, document.id].map((id) => client.item(formatB64url(parseHex(id))));
  const happened = { precision: "month", words: "2024-03" };
  expect(entry).toMatchObject({ text: "from the command line 🌧️", happened });
  expect(Buffer.compare(await collected(client.readContent(picture!.contents[0]!)), readFileSync(PHOTOGRAPH))).toBe(0);
  await client.editEntry(entry!.id, { text: "edited in the browser" });
  await client.lock();
  const shown = await temoin(typed, "journal", "history", typed.username, added.id, "--json");
  expect((JSON.parse(shown) as { text: string }[]).map((one) => one.text)).toEqual([
    "from the command line 🌧️", "edited in the browser",
  ]);
  const words = readFileSync(join(folder, "words.txt"), "utf8").match(/[a-z]{3,8}/g) ?? [];
  expect(words.length).toBeGreaterThanOrEqual(24);
}, 120_000);

test("what the browser exports, `temoin verify` accepts, alone; and nothing else", async () => {
  const browser = new Browser(vault.url);
  const client = browser.tab();
  await client.register(await client.makeAccount(browser.typed));
  await client.logIn(browser.typed);
  const files = [{ file: new File([new Uint8Array(600_000)], "a.bin"), thumbnail: null }];
  const kept = await client.writeEntry(saying("for a judge"), { attachments: files });
  const archive = await client.exportReceipts(kept.id, kept.revision);
  const unpacked = unzipSync(new Uint8Array(await archive.arrayBuffer()));
  const names = Object.keys(unpacked);
  for (const name of names) writeFileSync(join(folder, name), unpacked[name]!);
  const sealed = names.filter((name) => name.endsWith(".sealed"));
  expect([sealed.length, names.length]).toEqual([2, 6]);
  const readme = new TextDecoder().decode(unpacked["README.txt"]);
  for (const name of sealed) expect(readme).toContain(name);
  const verify = (one: string, proof: string) => promisify(execFile)(join(bin, "temoin"), [
    "verify", join(folder, one), join(folder, proof.replace(/\.sealed$/, ".tlog-proof")),
    "--policy", join(folder, "policy.txt"),
  ]);
  await vault.stop();
  try {
    for (const name of sealed) await verify(name, name);
    await expect(verify(sealed[0]!, sealed[1]!)).rejects.toMatchObject({ code: 1 });
  } finally {
    await vault.start();
  }
}, 60_000);

test("what an authority has stamped since is exported under that state, with its token", async () => {
  const browser = new Browser(vault.url);
  const client = browser.tab();
  await client.register(await client.makeAccount(browser.typed));
  await client.logIn(browser.typed);
  const kept = await client.writeEntry(saying("for a judge"));
  await client.writeEntry(saying("after it"));
  const checkpoint = await (await fetch(`${vault.url}/ledger/checkpoint`)).text();
  const size = Number(checkpoint.split("\n")[1]);
  const anchor = { size, checkpoint, token: "MAA", chain: "the authority's\n" };
  const before = { ...anchor, chain: "another's\n", token: "MAE" };
  const exported = async (covering: unknown): Promise<Record<string, Uint8Array>> => {
    browser.network.rewrites.set("GET /v1/ledger/anchors", () => ({ covering, before }));
    const archive = await client.exportReceipts(kept.id, kept.revision);
    return unzipSync(new Uint8Array(await archive.arrayBuffer()));
  };
  const files = await exported(anchor);
  const [name] = Object.keys(files).filter((one) => one.endsWith(".sealed")).map((one) => one.replace(".sealed", ""));
  const text = (suffix: string): string => new TextDecoder().decode(files[`${name}${suffix}`]);
  expect([...files[`${name}.tsr`]!, ...files[`${name}.before.tsr`]!]).toEqual([0x30, 0, 0x30, 1]);
  expect(text(".chain.pem")).toBe("the authority's\nanother's\n");
  expect(text(".before.note")).toBe(checkpoint);
  expect(text(".tlog-proof")).toContain(checkpoint);
  for (const [file, data] of Object.entries(files)) writeFileSync(join(folder, file), data);
  const proof = join(folder, `${name}.tlog-proof`);
  const verified = await promisify(execFile)(join(bin, "temoin"), [
    "verify", join(folder, `${name}.sealed`), proof, "--policy", join(folder, "policy.txt"), "--json",
  ]);
  expect(JSON.parse(verified.stdout)).toMatchObject({ outcome: "valid", tree_size: size });
  for (const wrong of [{ ...anchor, checkpoint: "no note" }, { ...anchor, checkpoint: `${size}\n${checkpoint}` }, null]) {
    expect(Object.keys(await exported(wrong)).sort()).toEqual(
      [".sealed", ".tlog-proof"].map((suffix) => `${name}${suffix}`).concat("README.txt", "policy.txt").sort(),
    );
  }
}, 60_000);
