// A pack of what somebody keeps: whole, proven, and read by a stranger; then a vault that lies while it is written, and
// somebody who stops it.
import { randomBytes } from "node:crypto";

import { unzipSync } from "fflate";
import { beforeAll, describe, expect, test, vi } from "vitest";

import { decodeText, formatB64url } from "../src/crypto_core/encoding.js";
import { makeId } from "../src/crypto_core/randomness.js";
import { openBackup } from "../src/crypto_core/sealing/backup.js";
import { plainSize } from "../src/crypto_core/sealing/envelope.js";
import { padme } from "../src/crypto_core/sealing/padding.js";
import { parseWords } from "../src/crypto_core/sealing/recovery.js";
import { verifyManifest } from "../src/crypto_core/sealing/sharing.js";
import { ready } from "../src/crypto_core/sodium.js";
import { BUNDLE_RECORDS } from "../src/schemas/limits.js";
import { blocksOf } from "../src/sdk/archive.js";
import { Address, Visit, type Words } from "../src/sdk/box_visit.js";
import type { VaultClient } from "../src/sdk/client.js";
import { Home, MemoryLocks, MemoryStore } from "../src/sdk/home.js";
import { EMPTY_DRAFT, type Item } from "../src/sdk/items.js";
import { parseManifest, verifyUnder } from "../src/sdk/opening.js";
import { checkPack, type PackReport } from "../src/sdk/packs/check.js";
import type { OwnPack } from "../src/sdk/packs/own.js";
import { openSource } from "../src/sdk/packs/source.js";
import { NO_PROGRESS, type Progress } from "../src/sdk/progress.js";
import { HttpTransport } from "../src/sdk/transport.js";
import { MOST_ITEMS, type SavedPack } from "../src/worker/api.js";
import { savePack } from "../src/worker/packing.js";
import { problemOf, throwProblems } from "../src/worker/problems.js";
import { vaultService } from "../src/worker/service.js";
import { Browser, QUICK_ARGON, registered, saying } from "./clients.js";
import { sharedVault, type SharedVault } from "./shared_vault.js";

vi.mock("../../verifier/verify.html?raw", () => ({ default: "<!doctype html>\n" })); // the page is built elsewhere

type Files = Record<string, Uint8Array>;
const FILE = randomBytes(300_000);
const THEIRS: Words = { name: "Nadia", message: "J’ai tout vu, devant l’école." };
const hurry = (): Promise<void> => Promise.resolve();
const isBlob = ({ path }: { readonly path: string }): boolean => /^\/v1\/blobs\/[\w-]+$/.test(path);

let vault: SharedVault;

beforeAll(async () => {
  await ready();
  throwProblems();
  vault = await sharedVault();
}, 60_000);

interface Scene {
  readonly browser: Browser;
  readonly client: VaultClient;
}

/** Somebody with an entry, its earlier text, a sensitive one and a file. */
async function aScene(): Promise<Scene> {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const { id } = await client.writeEntry(saying("What happened", { title: "Evening" }));
  await client.editEntry(id, { text: "What really happened" });
  await client.writeEntry(saying("Behind the PIN"), { sensitive: true });
  await client.addDocument({ file: new File([FILE], "photo.jpg", { type: "image/jpeg" }), thumbnail: null }, EMPTY_DRAFT);
  return { browser, client };
}

const named = (items: readonly Pick<Item, "id" | "revision">[]) => items.map(({ id: item, revision }) => ({ item, revision }));

function written(
  { browser, client }: Scene, pack: OwnPack, signal: AbortSignal | null = null, progress: Progress = NO_PROGRESS,
): Promise<SavedPack> {
  const transport = new HttpTransport(vault.url, { fetch: browser.network.fetch, sleep: hurry });
  const by = { transport, progress, clock: () => 0 };
  return savePack(pack, client.policy, by, null, signal);
}

async function packed(scene: Scene, items = scene.client.items()): Promise<readonly [Files, PackReport]> {
  const { blob } = await written(scene, await scene.client.pack(named(items)));
  const report = await checkPack(await openSource(blob!), scene.client.policy);
  return [unzipSync(new Uint8Array(await blob!.arrayBuffer())), report];
}

const documentOf = ({ client }: Scene): Item => client.items("document").find(({ kind }) => kind === "document")!;

describe("what somebody keeps", () => {
  test("is all in it, and a stranger finds it whole; it is sent to nobody", async () => {
    const scene = await aScene();
    await scene.client.stepUp(scene.browser.typed.pin);
    scene.browser.network.seen.length = 0;
    const [files, report] = await packed(scene);
    expect([report.outcome, report.items, report.proven, report.findings]).toEqual(["valid", 3, 3, []]);
    const page = decodeText(files["index.html"]!);
    for (const words of ["What really happened", "Behind the PIN", "photo.jpg", "Ce qui a été gardé"]) expect(page).toContain(words);
    expect(page).not.toContain("Ce qui a été transmis");
    const at = scene.client.items().findIndex(({ kind }) => kind === "document") + 1;
    expect(Buffer.compare(files[`originals/00${at}-01-photo.jpg`]!, FILE)).toBe(0);
    expect(new Set(scene.browser.network.seen.map(({ method }) => method))).toEqual(new Set(["GET"]));
    expect(scene.browser.network.seen.filter(isBlob)).toHaveLength(1);
    expect(await (await scene.client.shares()).list()).toEqual([]);
  });

  test("has a manifest that is signed, names no reader, and is over as soon as it is made", async () => {
    const scene = await aScene();
    const pack = await scene.client.pack(named([documentOf(scene)]));
    const { json, signature } = pack.manifest;
    const { sender, reader, message, created, expires } = parseManifest(json);
    expect(verifyManifest(json, sender, signature)).toBe(json);
    expect([reader, message, expires, pack.created]).toEqual([null, "", created, created]);
    expect(() => verifyManifest(json, sender, Uint8Array.from(signature, (byte) => byte ^ 1))).toThrow();
  });

  test("has earlier revisions where they are named", async () => {
    const scene = await aScene();
    const entry = scene.client.items("journal").find(({ title }) => title === "Evening")!;
    const [files, report] = await packed(scene, scene.client.history(entry.id));
    expect([report.outcome, report.proven]).toEqual(["valid", 2]);
    for (const words of ["What happened", "What really happened"]) expect(decodeText(files["index.html"]!)).toContain(words);
  });

  test("that is locked, unknown, deleted, nothing or too much is refused before anything is written", async () => {
    const scene = await aScene();
    const { client } = scene;
    const document = documentOf(scene);
    const refused = (items: readonly Item[]) => client.pack(named(items)).then(() => "made", (error) => error.code);
    expect(await refused(client.items())).toBe("pin_needed");
    expect(await refused([{ ...document, id: formatB64url(makeId()) }])).toBe("item_unknown");
    expect(await refused([])).toBe("invalid");
    expect(MOST_ITEMS).toBe(BUNDLE_RECORDS);
    expect(await refused(Array.from({ length: MOST_ITEMS + 1 }, () => document))).toBe("invalid");
    await client.deleteItem(document.id);
    expect(await refused(client.history(document.id).slice(-1))).toBe("item_unknown");
  });

  test("needs the PIN for no longer than it takes to read the keys", async () => {
    const browser = (await aScene()).browser.another(); // on which no receipt is yet
    const client = await browser.logIn();
    await client.stepUp(browser.typed.pin);
    browser.network.answers = ({ path }) => {
      if (path.endsWith("/receipt")) client.dropSensitive();
      return null;
    };
    const pack = await client.pack(named(client.items()));
    expect(client.items().map(({ state }) => state)).toContain("locked");
    const { blob } = await written({ browser, client }, pack);
    expect((await checkPack(await openSource(blob!), client.policy)).proven).toBe(3);
  });

  test("and somebody else put in goes along with their own words", async () => {
    const scene = await aScene();
    const item = await received(scene);
    const [files, report] = await packed(scene, [item]);
    expect([report.outcome, report.proven, report.read[0]!.words?.said.message]).toEqual(["valid", 1, THEIRS.message]);
    expect(decodeText(files["index.html"]!)).toContain(THEIRS.message);
    scene.browser.network.spoils = (sent, body) => (isBlob(sent) ? body.map((byte) => byte ^ 1) : body);
    const [words] = (await scene.client.pack(named([item]))).items.map((one) => one.words);
    expect(words).toMatchObject({ said: null, sealed: null, doubt: "bundle_swapped" }); // and keep nothing else back
  });
});

/** An item that somebody without an account put into a box. */
async function received({ browser, client }: Scene): Promise<Item> {
  const boxes = await client.boxes();
  const box = formatB64url(makeId());
  const plan = { box, name: "Nadia", expires: Math.floor(Date.now() / 1000) + 86_400, deposits: 3, bytes: 1_000_000 };
  const made = boxes.make(plan);
  await boxes.send(made, await client.account.confirm(browser.typed.password, browser.typed.pin));
  const transport = new HttpTransport(vault.url, { fetch: (...given) => fetch(...given), sleep: hurry });
  const by = { transport, verify: verifyUnder(client.policy), clock: () => 1_764_000_000, sleep: hurry, now: () => 0 };
  const { deposit } = await (await Visit.enter(Address.parse(made.fragment), by)).deposit(THEIRS, []);
  await boxes.waiting(box);
  await boxes.open(box, deposit);
  return client.item((await boxes.accept(deposit)).id);
}

describe("a vault that gives other bytes, or none", () => {
  const ORIGINAL = "originals/002-01-photo.jpg";

  /** Of a document: where its blob is asked for, and where its receipts are. */
  function pathsOf(item: Item) {
    const blob = `/v1/blobs/${item.contents[0]!.blob}`;
    return { blob, receipt: `GET ${blob}/receipt`, record: `GET /v1/items/${item.id}/revisions/${item.revision}/receipt` };
  }

  /** A document, and another one with a file of its own, which come after an entry; on a device without receipts. */
  async function twoFiles(): Promise<Scene & { readonly first: Item; readonly open: readonly Item[] }> {
    const { browser, client: before } = await aScene();
    const file = new File([FILE.toReversed()], "other.jpg", { type: "image/jpeg" });
    await before.addDocument({ file, thumbnail: null }, EMPTY_DRAFT);
    const another = browser.another();
    const client = await another.logIn();
    const open = client.items().filter(({ state }) => state === "open")
      .sort((one, other) => one.deposited - other.deposited || Number(one.kind === "document") - Number(other.kind === "document"));
    const first = open.find(({ contents }) => contents[0]?.name === "photo.jpg")!;
    return { browser: another, client, first, open };
  }

  const forge = (said: { readonly receipt: string }): unknown => ({ ...said, receipt: `x${said.receipt}` });

  async function saved(scene: Scene, items: readonly Item[]): Promise<readonly [SavedPack, Files, PackReport]> {
    const pack = await written(scene, await scene.client.pack(named(items)));
    const report = await checkPack(await openSource(pack.blob!), scene.client.policy);
    return [pack, unzipSync(new Uint8Array(await pack.blob!.arrayBuffer())), report];
  }

  const lacking = ({ findings }: PackReport): object => Object.fromEntries(findings.map(({ name, error }) => [name, error.code]));

  test("other bytes are no evidence, leave a warning, and keep nothing else back; whole they are in it again", async () => {
    const scene = await twoFiles();
    const { blob } = pathsOf(scene.first);
    const { browser, client, open, first } = scene;
    browser.network.spoils = ({ path }, body) => (path === blob ? body.map((byte, at) => (at === 20_000 ? byte ^ 1 : byte)) : body);
    const [pack, files, report] = await saved(scene, open);
    expect(pack).toMatchObject({ left: [], lost: [{ item: first.id, revision: 1, name: "photo.jpg", isThere: false }] });
    const sealed = `sealed/${Buffer.from(first.contents[0]!.blob, "base64url").toString("hex")}.sealed`;
    const at = open.indexOf(first) + 1;
    const original = ORIGINAL.replace("002", `00${at}`);
    expect(lacking(report)).toEqual({ [sealed]: "pack_incomplete", [original]: "pack_incomplete" });
    expect([report.outcome, report.items, report.proven]).toEqual(["not_yet", 3, 2]);
    expect([files[sealed], files[original]]).toEqual([undefined, undefined]);
    const other = Object.keys(files).find((name) => name.endsWith("-other.jpg"))!;
    expect(Buffer.compare(files[other]!, FILE.toReversed())).toBe(0);
    const page = decodeText(files["index.html"]!);
    for (const words of ["What really happened", "photo.jpg", "Ce fichier n’est pas dans ce dossier"]) expect(page).toContain(words);
    expect(client.warnings).toContain("blob_swapped");
    expect((await browser.evidence()).map(({ name }) => name)).toContain("content");
    browser.network.spoils = null;
    const [again, , whole] = await saved(scene, open);
    expect([again.lost, whole.outcome]).toEqual([[], "valid"]);
  });

  test.each(["unavailable", "not_found"])("what it has lost (%s) is asked for once, however often it is named", async (code) => {
    const scene = await twoFiles();
    const { blob } = pathsOf(scene.first);
    const { browser, client, first } = scene;
    await client.editEntry(first.id, { title: "The same file" });
    const status = code === "not_found" ? 404 : 503;
    const problem = { type: "about:blank", title: "No", status, code, detail: "No." };
    browser.network.answers = ({ path }) => (path !== blob ? null
      : new Response(JSON.stringify(problem), { status, headers: { "Content-Type": "application/problem+json" } }));
    const [pack, , report] = await saved(scene, client.history(first.id));
    expect(pack.lost.map(({ revision }) => revision)).toEqual([1, 2]);
    expect([report.outcome, report.proven]).toEqual(["not_yet", 0]);
    expect(browser.network.seen.filter(({ path }) => path === blob)).toHaveLength(1);
  });

  test("a blob that doesn’t end is read no further than it was long", async () => {
    const scene = await twoFiles();
    const { blob } = pathsOf(scene.first);
    scene.browser.network.spoils = ({ path }, body) => (path === blob ? Uint8Array.from(Buffer.concat(Array(20).fill(body))) : body);
    const [pack] = await saved(scene, [scene.first]);
    expect([pack.lost.length, pack.blob!.size < 2 * FILE.length]).toEqual([1, true]);
    expect(scene.client.warnings).toContain("blob_swapped");
  });

  test("a file without a receipt that holds is in it, and proven by nothing", async () => {
    const scene = await twoFiles();
    scene.browser.network.rewrites.set(pathsOf(scene.first).receipt, forge);
    const [pack, files, report] = await saved(scene, [scene.first]);
    expect(pack.lost).toEqual([{ item: scene.first.id, revision: 1, name: "photo.jpg", isThere: true }]);
    expect(Object.values(lacking(report))).toEqual(["pack_incomplete"]);
    expect(report.findings[0]!.name).toMatch(/\.tlog-proof$/u);
    expect(Buffer.compare(files["originals/001-01-photo.jpg"]!, FILE)).toBe(0);
    expect(decodeText(files["index.html"]!)).toContain("rien ici ne prouve quand");
  });

  test("an item without a receipt that holds is left out and named; where that is each of them there is no pack", async () => {
    const scene = await twoFiles();
    scene.browser.network.rewrites.set(pathsOf(scene.first).record, forge);
    const [pack, files, report] = await saved(scene, scene.open);
    expect([pack.left, pack.lost]).toEqual([[{ item: scene.first.id, revision: 1 }], []]);
    expect([report.outcome, report.items]).toEqual(["valid", 2]);
    expect(decodeText(files["index.html"]!)).toContain("Le service n’a pas tout donné");
    await expect(scene.client.pack(named([scene.first]))).rejects.toMatchObject({ code: "receipt_malformed" });
  });

  test("somebody else’s words without a receipt that holds stand as the item repeats them", async () => {
    const before = await aScene();
    const { id } = await received(before);
    const browser = before.browser.another();
    const scene = { browser, client: await browser.logIn() };
    const item = scene.client.item(id);
    browser.network.rewrites.set(`GET /v1/blobs/${item.sent!.deposit}/receipt`, forge);
    const [pack, files, report] = await saved(scene, [item]);
    expect([pack.unsaid, report.outcome]).toEqual([1, "valid"]);
    expect(decodeText(files["index.html"]!)).toContain(THEIRS.message);
  });

  test("without a network there is none", async () => {
    const scene = await twoFiles();
    const pack = await scene.client.pack(named(scene.open));
    scene.browser.network.cutBefore = () => true;
    await expect(written(scene, pack)).rejects.toMatchObject({ code: "network" });
  });
});

/** As the page has it: a file that was chosen, and the worker. */
async function aService({ browser }: Scene) {
  const told: { readonly kind: string; readonly done?: number; readonly total?: number }[] = [];
  const service = vaultService({
    transport: new HttpTransport(vault.url, { fetch: browser.network.fetch, sleep: hurry }), argon: QUICK_ARGON,
    client: { sleep: hurry }, store: () => Promise.resolve(new MemoryStore()),
    home: (store) => new Home(store, new MemoryLocks()),
  });
  await service.listen((notice) => void told.push(notice));
  const { username, password, pin } = browser.typed;
  await service.logIn({ username, password, pin });
  const state = { opened: 0, aborted: 0, closed: 0, bytes: 0, written: [] as Uint8Array[] };
  const into = {
    createWritable: async () => {
      state.opened += 1;
      return new WritableStream<Uint8Array>({
        write: (block) => {
          state.bytes += block.length;
          state.written.push(block.slice());
        },
        close: () => void (state.closed += 1),
        abort: () => void (state.aborted += 1),
      });
    },
  } as unknown as FileSystemFileHandle;
  return { service, into, state, told, pin };
}

describe("the worker", () => {
  test("writes it into the file that was chosen, and says how far it is", async () => {
    const { service, into, state, told, pin } = await aService(await aScene());
    const items = await service.items();
    expect(items.map((one) => one.state).sort()).toEqual(["locked", "open", "open"]);
    await expect(service.saveOwn(into, named(items))).rejects.toMatchObject({ code: "pin_needed" });
    expect(state.opened).toBe(0);
    await service.stepUp(pin);
    expect(await service.saveOwn(into, named(items))).toEqual({
      blob: null, left: [], lost: [], unsaid: 0, isContinued: true,
    });
    expect([state.opened, state.closed, state.aborted, state.bytes > 2 * FILE.length]).toEqual([1, 1, 0, true]);
    const totals = told.flatMap(({ kind, total = 0 }) => (kind === "progress" ? [total] : []));
    expect(Math.max(...totals)).toBeGreaterThan(FILE.length);
  });

  test("seals it on its way for words of its own, in a file or as a Blob; they open the pack, and nothing shows before", async () => {
    const { service, into, state, pin } = await aService(await aScene());
    await service.stepUp(pin);
    const items = named(await service.items());
    await expect(service.saveOwn(into, items, true)).rejects.toBeDefined();
    expect(state.opened).toBe(0);
    const forgotten = await service.makeBackupWords("english");
    const words = await service.makeBackupWords("french");
    expect([words.length, new Set([...words, ...forgotten]).size > 40]).toEqual([24, true]);
    expect(await service.saveOwn(into, items, true)).toEqual({ blob: null, left: [], lost: [], unsaid: 0, isContinued: true });
    expect([state.opened, state.closed, state.aborted]).toEqual([1, 1, 0]);
    const inBlob = (await service.saveOwn(null, items, true)).blob!;
    expect(inBlob.type).toBe("application/octet-stream");
    for (const sealed of [new Blob(state.written as BlobPart[]), inBlob]) {
      const bytes = new Uint8Array(await sealed.arrayBuffer());
      expect(padme(plainSize(bytes.length))).toBe(plainSize(bytes.length));
      for (const word of ["originals/", "bundle.json", "What really happened", "PK\x01\x02"]) {
        expect(Buffer.from(bytes).includes(word)).toBe(false);
      }
      const opened: Uint8Array[] = [];
      for await (const block of openBackup(parseWords(words.join(" ")), [bytes])) opened.push(block);
      const pack = new Blob(opened as BlobPart[]);
      const files = unzipSync(new Uint8Array(await pack.arrayBuffer()));
      expect(decodeText(files["index.html"]!)).toContain("What really happened");
      const report = await checkPack(await openSource(pack));
      expect([report.outcome, report.items]).toEqual(["valid", 3]);
      await expect(openBackup(parseWords(forgotten.join(" ")), [bytes]).next()).rejects.toMatchObject({ code: "backup_refused" });
    }
    await service.lock();
  });

  test("seals all but what the vault doesn’t give", async () => {
    const scene = await aScene();
    const { service } = await aService(scene);
    const items = (await service.items()).filter((one) => one.state === "open");
    const words = await service.makeBackupWords("english");
    scene.browser.network.spoils = (sent, body) => (isBlob(sent) ? body.map((byte, at) => (at === 200_000 ? byte ^ 1 : byte)) : body);
    const made = await service.saveOwn(null, named(items), true);
    expect(made).toMatchObject({ left: [], lost: [{ name: "photo.jpg", isThere: false }] });
    const opened: Uint8Array[] = [];
    for await (const block of openBackup(parseWords(words.join(" ")), blocksOf(made.blob!.stream()))) opened.push(block);
    const report = await checkPack(await openSource(new Blob(opened as BlobPart[])));
    expect([report.outcome, report.items, report.proven, report.findings.length]).toEqual(["not_yet", 2, 1, 2]);
  });

  test.each([
    ["nobody wants it any more", "leaveOwn", "paused", false], ["it locks", "lock", "paused", false],
    ["nobody wants it any more, sealed", "leaveOwn", "paused", true], ["it locks, sealed", "lock", "paused", true],
  ] as const)("leaves nothing half-written where %s", async (_, call, code, sealed) => {
    const scene = await aScene();
    const { service, into, state } = await aService(scene);
    const items = (await service.items()).filter((one) => one.state === "open");
    let ended: Promise<void> = Promise.resolve();
    scene.browser.network.answers = (sent) => {
      if (isBlob(sent)) ended = service[call]();
      return null;
    };
    if (sealed) await service.makeBackupWords("english");
    const failure = await service.saveOwn(into, named(items), sealed).then(() => null, problemOf);
    await ended;
    expect(failure?.code).toBe(code);
    expect([state.opened, state.closed, state.aborted]).toEqual([1, 0, 1]);
  });

  test.each([false, true])("says what the disk says, and lets go of the file (sealed: %s)", async (sealed) => {
    const { service } = await aService(await aScene());
    const items = (await service.items()).filter((one) => one.state === "open");
    const full = { createWritable: async () => new WritableStream({
      write: () => Promise.reject(new DOMException("", "QuotaExceededError")),
    }) } as unknown as FileSystemFileHandle;
    await service.makeBackupWords("english");
    await expect(service.saveOwn(full, named(items), sealed)).rejects.toMatchObject({ code: "device_full" });
  });

  test("asks for no more receipts once nobody wants it any more", async () => {
    const scene = await aScene();
    const { service, into, state } = await aService(scene);
    const items = (await service.items()).filter((one) => one.state === "open");
    const receipts = (): number => scene.browser.network.seen.filter(({ path }) => path.endsWith("/receipt")).length;
    const before = receipts();
    scene.browser.network.answers = ({ path }) => {
      if (path.endsWith("/receipt")) void service.leaveOwn();
      return null;
    };
    await expect(service.saveOwn(into, named(items))).rejects.toMatchObject({ code: "paused" });
    expect([receipts() - before, state.opened]).toEqual([1, 0]);
  });
});
