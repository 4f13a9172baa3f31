// What the page meets: the service over comlink, its notices, drafts, previews, and what crosses when something fails.
import "fake-indexeddb/auto";
import { MessageChannel } from "node:worker_threads";

import { expose, proxy, wrap, type Endpoint } from "comlink";
import { afterEach, beforeAll, expect, test, vi } from "vitest";

import { SecretRefused } from "../src/crypto_core/errors.js";
import { ArgonWrong, NotEnoughMemory } from "../src/crypto_core/sealing/passphrase.js";
import { ready } from "../src/crypto_core/sodium.js";
import { ARGON_HERE, type Argon } from "../src/sdk/argon.js";
import { Home, IndexedStore, MemoryLocks, MemoryStore, type Store } from "../src/sdk/home.js";
import { EMPTY_DRAFT } from "../src/sdk/items.js";
import { HttpTransport } from "../src/sdk/transport.js";
import { PIECE, type Id, type KeptDraft, type Notice, type Typed, type TypedDraft, type VaultApi } from "../src/worker/api.js";
import { answerOnce, argonIn, type Begun, type Line } from "../src/worker/argon.js";
import { Failure, isProblem, throwProblems } from "../src/worker/problems.js";
import { Retry } from "../src/worker/retry.js";
import { vaultService, type VaultService } from "../src/worker/service.js";
import { QUICK_ARGON, saying } from "./clients.js";
import { somebody } from "./memory_device.js";
import { Network, json } from "./memory_network.js";
import { sharedVault, type SharedVault } from "./shared_vault.js";
import { readFacts } from "./vectors.js";

let vault: SharedVault;
const ends: (() => void)[] = [];

beforeAll(async () => {
  await ready();
  throwProblems();
  vault = await sharedVault();
}, 60_000);

afterEach(() => {
  for (const end of ends.splice(0)) end();
  vi.useRealTimers();
});

/** A page: its vault behind a message channel, what it was told, and its network. */
interface Page {
  readonly api: VaultApi;
  readonly service: VaultService;
  readonly network: Network;
  readonly told: Notice[];
  readonly typed: Typed;
  readonly store: Store;
}

async function aPage(typed: Typed = plain(), store?: Store): Promise<Page> {
  const network = new Network();
  const kept = store ?? (await IndexedStore.open(`s${Math.random()}`));
  const service = vaultService({
    transport: new HttpTransport(vault.url, { fetch: network.fetch }), argon: QUICK_ARGON,
    client: { sleep: () => Promise.resolve() },
    store: () => Promise.resolve(kept),
    home: (one) => new Home(one, new MemoryLocks()),
  });
  const { port1, port2 } = new MessageChannel();
  expose(service, port1 as unknown as Endpoint);
  port1.start();
  port2.start();
  ends.push(() => port1.close());
  const api = wrap<VaultApi>(port2 as unknown as Endpoint) as unknown as VaultApi;
  const told: Notice[] = [];
  await api.listen(proxy((notice: Notice) => void told.push(notice)) as never);
  return { api, service, network, told, typed, store: kept };
}

function plain(): Typed {
  const { username, password, pin } = somebody();
  return { username, password, pin };
}

async function signedUp(store?: Store): Promise<Page> {
  const page = await aPage(plain(), store);
  await page.api.makeAccount(page.typed, "french");
  await page.api.register();
  return page;
}

const options = { sensitive: false, files: [], slot: null };
/** Notices come by a way of their own: soon. */
const heard = (page: Page, notice: object): Promise<void> =>
  vi.waitFor(() => expect(page.told).toContainEqual(expect.objectContaining(notice)), 10_000);
const isPost = (sent: { readonly method: string; readonly path: string }): boolean =>
  sent.method === "POST" && sent.path === "/v1/items";

const aText = (more: Partial<TypedDraft> = {}): TypedDraft => ({
  item: null, revision: null, kind: "journal", draft: saying("half a sent"), sensitive: false, saved: 1_700_000_000,
  ...more,
});
/** A draft that is kept. */
async function aDraft({ api }: Page, more: Partial<TypedDraft> = {}): Promise<KeptDraft> {
  return { ...aText(more), slot: await api.keepDraft(aText(more), null) };
}

test("a receipt is checked before anybody is in, by a policy or the key that the vault names; nothing is sent", async () => {
  const { api, network } = await aPage();
  const fact = readFacts("receipts").find(({ name }) => name === "verify-receipt-witnessed")!.inputs;
  const { receipt, policy } = fact as Record<string, string>;
  const files = [new Blob(["a sealed file stands here, opaque to the ledger"]), new Blob([receipt!])] as const;
  const given = await api.checkReceipt(...files, new Blob([policy!]));
  expect([given.outcome, given.step, given.weighed?.cosigned.length]).toEqual(["valid", 8, 3]);
  expect(network.seen).toEqual([]);
  const here = await api.checkReceipt(...files, null);
  expect([here.outcome, here.code, here.step]).toEqual(["not_yet", "receipt_key_unknown", 6]);
  expect(network.seen.map(({ method, path }) => [method, path])).toEqual([
    ["GET", "/v1/vault"], ["GET", "/ledger/rotations"],
  ]);
  await expect(api.checkReceipt(...files, new Blob(["no policy"]))).rejects.toMatchObject({ code: "malformed" });
});

test("sign-up as the page does it: rules, words asked back, and the first opening", async () => {
  const page = await aPage();
  const { api, typed } = page;
  await expect(api.requireNew({ pin: "1234" })).rejects.toMatchObject({ code: "secret_refused", detail: /commonest/ });
  await api.requireNew(typed);
  await expect(api.register()).rejects.toMatchObject({ code: expect.any(String) });
  const words = await api.makeAccount(typed, "french");
  expect(words).toHaveLength(24);
  expect(page.network.paths("POST")).toEqual([]);
  const typedBack = ` ${words[3]!.toUpperCase()} `;
  expect(await api.checkWords([3, 17], [typedBack, words[17]!])).toBe(true);
  expect(await api.checkWords([3, 17], [words[17]!, words[3]!])).toBe(words[3] === words[17]);
  page.network.cutAfter = (sent) => sent.path === "/v1/accounts";
  await expect(api.register()).rejects.toMatchObject({ code: "network" });
  page.network.cutAfter = () => false;
  expect(await api.register()).toMatchObject({ lastOpened: null, wrongPins: 0, warnings: [] });
  await api.lock();
  expect(await api.logIn(typed)).toMatchObject({ lastOpened: expect.any(Number) });
});

test("getting back in as the page does it: nothing is kept of words that wait, new words are asked back", async () => {
  const owner = await signedUp();
  const words = await owner.api.makeWords("french");
  expect(await owner.api.checkWords([0, 23], [words[0]!, words[23]!])).toBe(true);
  await expect(owner.api.changeCredentials(owner.typed, owner.typed, true)).resolves.toBeUndefined();
  await expect(owner.api.changeCredentials(owner.typed, owner.typed, true)).rejects.toMatchObject({ code: "unexpected" });
  const { api } = await aPage();
  const shown = await api.showRecovery(words.join(" "));
  expect(shown).toEqual({ begun: expect.any(Number), due: expect.any(Number), isDue: false });
  await expect(api.makeRecovered(plain(), "french")).rejects.toMatchObject({ code: expect.any(String) });
  expect(await owner.api.pendingRecovery()).toEqual({ begun: shown.begun, due: shown.due });
  await owner.api.stopRecovery(owner.typed.password, owner.typed.pin);
  expect(await owner.api.pendingRecovery()).toBeNull();
  const wait = await owner.api.recoveryWait();
  expect(await owner.api.setRecoveryWait(owner.typed.password, owner.typed.pin, wait.wait + 1)).toEqual({
    wait: wait.wait + 1, next: null,
  });
});

test("an item crosses without what opens its files, and each file comes as bytes that are no page", async () => {
  const { api } = await signedUp();
  const tiny = new Blob(["tiny"], { type: "image/webp" });
  const files = [
    { file: new File(["<script>"], "page.html", { type: "text/html" }), thumbnail: null },
    { file: new File(["jpeg"], "photo.jpg", { type: "image/jpeg" }), thumbnail: tiny },
  ];
  const kept = await api.writeEntry(saying("with files"), { ...options, files });
  expect(kept.verified.commitment.size).toBeGreaterThan(0);
  const [item] = await api.items("journal");
  expect(item!.contents.map((one) => Object.keys(one).sort())).toEqual(
    Array(2).fill(["blob", "mime", "name", "sealed", "sha256", "size"]));
  const [page, photo] = item!.contents;
  const [read, shown] = await Promise.all([page!, photo!].map((one) => api.readContent(item!.id, 1, one.blob))) as [
    Blob, Blob,
  ];
  expect([read.type, await read.text(), shown.type, await shown.text()]).toEqual([
    "application/octet-stream", "<script>", "image/jpeg", "jpeg",
  ]);
  expect(await (await api.readContent(item!.id, 1, photo!.blob, [1, 3])).text()).toBe("pe");
  expect(Buffer.from(await api.readPiece(item!.id, 1, photo!.blob, 1, 3)).toString()).toBe("pe");
  await expect(api.readPiece(item!.id, 1, photo!.blob, 0, PIECE + 1)).rejects.toMatchObject({ code: "range_invalid" });
  const preview = await api.thumbnail(photo!.blob);
  expect([preview!.type, await preview!.text(), await api.thumbnail(page!.blob)]).toEqual(["image/webp", "tiny", null]);
});

test("a sensitive item, its preview and its draft are behind the PIN; two minutes, and they are again", async () => {
  const page = await signedUp();
  const { api, typed } = page;
  const files = [{ file: new File(["jpeg"], "photo.jpg", { type: "image/jpeg" }), thumbnail: new Blob(["tiny"]) }];
  const { id } = await api.writeEntry(saying("behind"), { ...options, sensitive: true, files });
  const draft = await aDraft(page, { sensitive: true, draft: saying("half behind") });
  expect(await api.drafts()).toEqual([{ ...draft, draft: EMPTY_DRAFT, locked: true }]);
  expect((await api.item(id)).state).toBe("locked");
  await expect(api.stepUp("805194")).rejects.toMatchObject({ code: "pin_wrong" });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  await api.stepUp(typed.pin);
  const { blob } = (await api.item(id)).contents[0]!;
  expect(await (await api.thumbnail(blob))!.text()).toBe("tiny");
  expect(await api.drafts()).toEqual([{ ...draft, locked: false }]);
  vi.advanceTimersByTime(119_000);
  expect((await api.item(id)).state).toBe("open");
  vi.advanceTimersByTime(1_000);
  expect([(await api.item(id)).state, await api.thumbnail(blob)]).toEqual(["locked", null]);
  const told = page.told.filter((notice) => notice.kind === "sensitive");
  expect(told.map((notice) => notice.open)).toEqual([true, false]);
});

test("a device that slept over its timer opens nothing more", async () => {
  const { api, typed } = await signedUp();
  const { id } = await api.writeEntry(saying("behind"), { ...options, sensitive: true });
  await api.stepUp(typed.pin);
  const later = Date.now() + 3_600_000;
  vi.spyOn(Date, "now").mockReturnValue(later);
  expect((await api.item(id)).state).toBe("locked");
  vi.restoreAllMocks();
});

test("the latest draft is there after a lock, and after a page that just died", async () => {
  const page = await signedUp();
  let slot: Id | null = null;
  for (const text of ["h", "ha", "hal", "half \ud83d"]) {
    slot = await page.api.keepDraft(aText({ draft: saying(text) }), slot);
  }
  const found = { ...aText({ draft: saying("half \ufffd") }), slot, locked: false };
  expect(await page.api.drafts()).toEqual([found]);
  await page.api.lock();
  await expect(page.api.drafts()).rejects.toMatchObject({ code: "not_open" });
  const again = await aPage(page.typed, page.store); // whatever became of the first one
  await again.api.logIn(page.typed);
  expect(await again.api.drafts()).toEqual([found]);
  await again.api.dropDraft(slot!);
  expect(await again.api.drafts()).toEqual([]);
});

test("keeping a draft takes a few milliseconds, and waits for no upload", async () => {
  const page = await signedUp();
  let { slot } = await aDraft(page, { draft: saying("word ".repeat(2000)) });
  const uploading = page.api.writeEntry(saying("with a file"), {
    ...options, files: [{ file: new File([new Uint8Array(600_000)], "a"), thumbnail: null }],
  });
  const times: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const begun = performance.now();
    slot = await page.api.keepDraft(aText({ draft: saying("word ".repeat(2000)), saved: round }), slot);
    times.push(performance.now() - begun);
  }
  await uploading;
  expect(times.sort((one, other) => one - other)[10]).toBeLessThan(100);
});

test("a draft that became an entry is gone, and one that could not be written stays", async () => {
  const page = await signedUp();
  const { api, network } = page;
  const [one, two] = [await aDraft(page), await aDraft(page)];
  await api.writeEntry(one.draft, { ...options, slot: one.slot });
  expect((await api.drafts()).map((draft) => draft.slot)).toEqual([two.slot]);
  await expect(api.writeEntry(saying("x", { danger: 11 }), { ...options, slot: two.slot })).rejects.toMatchObject({
    code: "invalid", extra: {},
  });
  expect((await api.drafts()).map((draft) => draft.slot)).toEqual([two.slot]);
  network.cutBefore = isPost;
  await expect(api.writeEntry(two.draft, { ...options, slot: two.slot })).rejects.toMatchObject({
    code: "network", extra: { waiting: true },
  });
  expect([await api.drafts(), await api.waiting()]).toMatchObject([[], [{ text: "half a sent", deposited: 0 }]]);
});

test("what another tab typed on from the draft that becomes an entry stays", async () => {
  const page = await signedUp();
  const { api, store } = page;
  const draft = await aDraft(page);
  const other = await aPage(page.typed, store);
  await other.api.logIn(page.typed);
  const [found] = await other.api.drafts();
  await other.api.keepDraft(aText({ draft: saying("half a sentence, and more") }), found!.slot);
  await api.writeEntry(saying("half a sent"), { ...options, slot: draft.slot });
  expect((await api.drafts()).map((one) => one.draft.text)).toEqual(["half a sentence, and more"]);
});

test("an entry takes its draft's place, what is typed after that stays", async () => {
  const page = await signedUp();
  const { api, store } = page;
  const { slot } = await aDraft(page);
  const write = vi.spyOn(store, "write");
  await api.writeEntry(saying("a whole sentence"), { ...options, slot });
  expect(await api.drafts()).toEqual([]);
  const both = write.mock.calls.map(([change]) => [[...change.put ?? []].length, [...change.delete ?? []].length]);
  expect(both, "the outbox takes the draft's place in one write").toContainEqual([1, 1]);
  await api.keepDraft(aText({ draft: saying("and another") }), slot);
  expect((await api.drafts()).map((one) => one.draft.text)).toEqual(["and another"]);
});

test("what waits is told, and sent by itself when the network is back", async () => {
  const page = await signedUp();
  const { api, network, service } = page;
  network.cutBefore = () => true;
  await expect(api.writeEntry(saying("in a tunnel"), options)).rejects.toMatchObject({ extra: { waiting: true } });
  await heard(page, { kind: "network", reachable: false });
  await heard(page, { kind: "waiting", count: 1 });
  network.cutBefore = () => false;
  await service.online();
  await heard(page, { kind: "network", reachable: true });
  await heard(page, { kind: "waiting", count: 0 });
  await heard(page, { kind: "changed" });
  expect((await api.items()).map((item) => item.text)).toEqual(["in a tunnel"]);
});

test("a file that the vault has lost, and without which an entry that waited goes, is told once", async () => {
  const page = await signedUp();
  const { api, network, typed } = page;
  const files = [{ file: new File(["a photograph"], "hall.jpg"), thumbnail: null }];
  network.cutBefore = isPost;
  const draft = saying("see the photograph", { title: "The hall" });
  await expect(api.writeEntry(draft, { ...options, files })).rejects.toMatchObject({ code: "network" });
  network.cutBefore = () => false;
  await api.lock();
  network.answers = (sent) => { // as the vault says once the file is gone
    const problem = { type: "about:blank", title: "", detail: "" };
    if (sent.path.startsWith("/v1/blobs/")) return json({ ...problem, status: 404, code: "not_found" }, 404);
    if (!isPost(sent)) return null;
    const { revisions } = JSON.parse(new TextDecoder().decode(sent.body)) as { revisions: { blobs: string[] }[] };
    const blobs = revisions.flatMap((one) => one.blobs);
    return blobs.length > 0 ? json({ ...problem, status: 409, code: "blob_missing", blobs }, 409) : null;
  };
  expect(await api.logIn(typed)).toMatchObject({ waiting: 0, warnings: [] });
  await heard(page, { kind: "lost_files", files: [{ item: expect.any(String), title: "The hall", name: "hall.jpg" }] });
  await api.synchronise();
  await api.items();
  expect(page.told.filter(({ kind }) => kind === "lost_files")).toHaveLength(1);
});

test("an ended session is told once, and nothing is lost", async () => {
  const page = await signedUp();
  const { api, typed, told } = page;
  const other = await aPage(typed);
  await other.api.logIn(typed);
  const [mine] = (await other.api.sessions()).filter((session) => !session.mine);
  expect(mine).toMatchObject({ id: expect.any(String), begun: expect.any(Number), lastUsed: expect.any(Number) });
  expect(await other.api.endOtherSessions(typed.password, typed.pin)).toBeGreaterThan(0);
  const draft = await aDraft(page);
  await expect(api.writeEntry(saying("too late"), options)).rejects.toMatchObject({
    code: "unauthorized", extra: { waiting: true },
  });
  await expect(api.synchronise()).rejects.toMatchObject({ code: "unauthorized" });
  await heard(page, { kind: "session_ended", code: "unauthorized" });
  await api.keepDraft(aText({ draft: saying("still typing") }), draft.slot);
  await api.lock();
  expect(await api.logIn(typed)).toMatchObject({ waiting: 0 });
  expect((await api.items()).map((item) => item.text)).toEqual(["too late"]);
  expect((await api.drafts()).map((one) => one.draft.text)).toEqual(["still typing"]);
  expect(told.filter((notice) => notice.kind === "session_ended")).toHaveLength(1);
});

test("an account that is erased is gone from every tab; each that has it open says so, locks and keeps nothing since", async () => {
  const page = await signedUp();
  const { api, typed, store, told } = page;
  const [beside, stranger] = [await aPage(typed, store), await signedUp(store)];
  await beside.api.logIn(typed);
  await aDraft(page);
  const draft = await aDraft(beside);
  const others = new Set((await store.list("a")).map(([key]) => key.slice(0, 23)));
  expect(others.size).toBe(2);
  expect(await api.erase(typed.password, typed.pin)).toBe(true);
  await heard(beside, { kind: "session_ended", code: "erased" });
  await expect(beside.api.keepDraft(aText({ draft: saying("still typing") }), draft.slot)).rejects.toMatchObject({
    code: "not_open",
  });
  const left = new Set((await store.list("a")).map(([key]) => key.slice(0, 23)));
  expect([left.size, [...left].every((one) => others.has(one))]).toEqual([1, true]);
  await stranger.api.synchronise();
  await expect(api.synchronise()).rejects.toMatchObject({ code: "not_open" });
  await api.lock();
  for (const one of [told, stranger.told]) expect(one.filter(({ kind }) => kind === "session_ended")).toEqual([]);
});

test("a lock doesn't break off an erasure that was asked for", async () => {
  const { api, store, typed } = await signedUp();
  const erasing = api.erase(typed.password, typed.pin);
  await api.lock();
  expect(await store.list("a")).toEqual([]);
  expect(await erasing).toBe(true);
  await expect(api.logIn(typed)).rejects.toMatchObject({ code: "login_refused" });
});

test("the page is told what became of an erasure, and of nothing that is refused because of it", async () => {
  const { api, network, typed, told } = await signedUp();
  network.answers = ({ method }) => (method === "DELETE" ? new Response(null, { status: 500 }) : null);
  await expect(api.erase(typed.password, typed.pin)).rejects.toMatchObject({ code: "server" });
  await api.synchronise();
  network.answers = () => null;
  let meanwhile: Promise<unknown> | null = null;
  network.spoils = ({ method }, body) => {
    if (method !== "DELETE") return body;
    meanwhile = api.synchronise().catch((error: unknown) => error); // it is done by now
    network.cutBefore = ({ path }) => path.startsWith("/v1/login");
    return new Uint8Array();
  };
  expect(await api.erase(typed.password, typed.pin)).toBe(false);
  expect(await meanwhile).toMatchObject({ code: "unauthorized" });
  expect(told.filter(({ kind }) => kind === "session_ended")).toEqual([]);
  await expect(api.items()).rejects.toMatchObject({ code: "not_open" });
});

test("a device without room says so and keeps what it had", async () => {
  const page = await signedUp();
  const { api, store } = page;
  const draft = await aDraft(page);
  const { DeviceFailed } = await import("../src/sdk/home.js");
  const write = vi.spyOn(store, "write").mockRejectedValue(new DeviceFailed("QuotaExceededError"));
  await expect(api.keepDraft(aText({ draft: saying("more") }), draft.slot)).rejects.toMatchObject({
    code: "device", detail: "QuotaExceededError",
  });
  const writing = api.writeEntry(saying("x"), { ...options, slot: draft.slot });
  await expect(writing).rejects.toMatchObject({ code: "device", extra: {} });
  write.mockRestore();
  expect((await api.drafts()).map((one) => one.draft.text)).toEqual(["half a sent"]);
});

test("a browser that keeps nothing says so", async () => {
  const page = await aPage(plain(), new MemoryStore());
  await heard(page, { kind: "forgetful" });
  expect((await aPage()).told).toEqual([]);
});

test("warnings and progress are told", async () => {
  const page = await signedUp();
  const { api, network, told, typed } = page;
  const file = new File([new Uint8Array(900_000)], "big.bin");
  await api.addDocument(file, EMPTY_DRAFT, options);
  await heard(page, { kind: "progress", name: "big.bin", done: 0 });
  await vi.waitFor(() => {
    const last = told.findLast((notice) => notice.kind === "progress")!;
    expect(last.done).toBe(last.total);
  }, 10_000);
  network.rewrites.set("GET /v1/items", (page) => ({ ...page, revisions: [] }));
  await api.lock();
  const other = await aPage(typed);
  other.network.rewrites.set("GET /v1/items", (page) => ({ ...page, revisions: [] }));
  expect((await other.api.logIn(typed)).warnings).toEqual(["items_missing"]);
  await heard(other, { kind: "warnings", codes: ["items_missing"] });
  other.network.rewrites.clear();
  await other.api.acceptTrust(typed.password, typed.pin);
  await heard(other, { kind: "warnings", codes: [] });
});

test("what fails inside crosses as a problem that quotes nothing", async () => {
  const page = await signedUp();
  const { api, network } = page;
  network.answers = (sent) => isPost(sent) ? json({
    type: "about:blank", title: "PIN locked", status: 429, code: "pin_locked", detail: "wait", retry_after: 60,
  }, 429) : null;
  const refused: unknown = await api.writeEntry(saying("x"), options).catch((error: unknown) => error);
  expect(isProblem(refused)).toBe(true);
  expect(refused).toMatchObject({ code: "pin_locked", retryAfter: 60 });
  network.answers = () => { throw new Error("CANARY"); };
  const odd = await api.keepDraft(null as never, null).catch((error: unknown) => error) as Failure;
  const quotes = `${odd.message}${odd.stack}`.includes("CANARY");
  expect([odd.code, odd.detail, quotes]).toEqual(["unexpected", "TypeError", false]);
});

test("Argon2id is asked once in a worker that is then ended, whatever it answers", async () => {
  const ended: boolean[] = [];
  const begin = (argon: Argon) => (): Begun => {
    const { port1, port2 } = new MessageChannel();
    const other: Line = { onmessage: null, postMessage: (said) => port2.postMessage(said) };
    port2.on("message", (data: unknown) => other.onmessage?.({ data } as MessageEvent));
    answerOnce(other, argon);
    const worker: Begun = {
      onmessage: null, onerror: null, postMessage: (said) => port1.postMessage(said),
      terminate: () => { ended.push(true); port1.close(); },
    };
    port1.on("message", (data: unknown) => worker.onmessage?.({ data } as MessageEvent));
    return worker;
  };
  const asked = argonIn(begin(QUICK_ARGON));
  const typed = ["ana", "a long walk by the quiet river", new Uint8Array(16)] as const;
  expect((await asked.stretch(...typed)).raw).toEqual((await QUICK_ARGON.stretch(...typed)).raw);
  await asked.test();
  for (const error of [new ArgonWrong(), new NotEnoughMemory(), new SecretRefused("a rule")]) {
    const failing = argonIn(begin({ stretch: () => Promise.reject(error), test: () => Promise.reject(error) }));
    await expect(failing.stretch(...typed)).rejects.toMatchObject({ code: error.code, detail: error.detail });
    await expect(failing.test()).rejects.toMatchObject({ code: error.code });
  }
  expect(ended).toHaveLength(8);
  const dies = argonIn(() => {
    const worker: Begun = { onmessage: null, onerror: null, terminate: () => ended.push(true), postMessage: () =>
      queueMicrotask(() => worker.onerror?.({} as ErrorEvent)) };
    return worker;
  });
  await expect(dies.test()).rejects.toMatchObject({ code: "not_enough_memory" });
  expect(ended).toHaveLength(9);
});

test("Argon2id itself, by its known answer", async () => {
  await ARGON_HERE.test();
  const typed = ["ana", "a long walk by the quiet river", new Uint8Array(16)] as const;
  expect((await ARGON_HERE.stretch(...typed)).raw).toEqual((await ARGON_HERE.stretch(...typed)).raw);
});

test("trying again comes later and later, and at once when asked", async () => {
  vi.useFakeTimers();
  let [times, more] = [0, true];
  const retry = new Retry(() => Promise.resolve((times += 1, more)));
  await retry.now();
  expect(times).toBe(0);
  retry.begin();
  retry.begin();
  for (const [seconds, count] of [[5, 1], [9, 1], [1, 2], [20, 3], [40, 4]] as const) {
    await vi.advanceTimersByTimeAsync(seconds * 1000);
    expect(times).toBe(count);
  }
  more = false;
  await retry.now();
  expect([times, retry.isWaiting]).toEqual([5, false]);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(times).toBe(5);
});
