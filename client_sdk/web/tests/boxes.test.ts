// A box through a real vault: somebody without an account puts something in, the person looks, keeps it or refuses it.
// And what can be wrong with it: a vault that lies, a depositor who lies, a network that breaks.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { unzipSync } from "fflate";
import { beforeAll, describe, expect, test } from "vitest";

import { formatB64url, parseB64url, parseTime } from "../src/crypto_core/encoding.js";
import { makeId } from "../src/crypto_core/randomness.js";
import { parsePolicy } from "../src/crypto_core/receipts/policy.js";
import { verifyReceipt } from "../src/crypto_core/receipts/receipt.js";
import { formatBoxFragment, parseBoxFragment } from "../src/crypto_core/sealing/boxes.js";
import { deriveBox } from "../src/crypto_core/sealing/keys.js";
import { ready } from "../src/crypto_core/sodium.js";
import { Address, Visit, type Words } from "../src/sdk/box_visit.js";
import type { NewBox } from "../src/sdk/boxes.js";
import type { VaultClient } from "../src/sdk/client.js";
import { sha256 } from "../src/sdk/digest.js";
import type { Id } from "../src/sdk/items.js";
import { verifyUnder } from "../src/sdk/opening.js";
import { blobName } from "../src/sdk/replica.js";
import { formatDeposit, parseDeposit } from "../src/sdk/sent_words.js";
import { HttpTransport } from "../src/sdk/transport.js";
import { collected, registered, type Browser } from "./clients.js";
import { json, Network } from "./memory_network.js";
import { python } from "./real_vault.js";
import { sharedVault, type SharedVault } from "./shared_vault.js";

const MB = 1_000_000;
const WORDS: Words = { name: "Nadia", message: "J’ai tout vu, devant l’école." };
const hurry = (): Promise<void> => Promise.resolve();
const aFile = (size: number, name = "IMG_2043.jpg"): File =>
  new File([randomBytes(size)], name, { type: "image/jpeg", lastModified: 1_700_000_000_000 });
const bytesOf = async (file: Blob): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await file.arrayBuffer());

let vault: SharedVault;

beforeAll(async () => {
  await ready();
  vault = await sharedVault();
}, 120_000);

interface Scene {
  readonly browser: Browser;
  readonly client: VaultClient;
  readonly box: Id;
  readonly fragment: string;
  readonly network: Network;
}

/** Somebody with a box, and the network of whoever has its address. */
async function aBox(plan: Partial<NewBox> = {}): Promise<Scene> {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const box = formatB64url(makeId());
  const expires = Math.floor(Date.now() / 1000) + 86_400;
  const { password, pin } = browser.typed;
  const whole = { box, name: "Nadia", expires, deposits: 3, bytes: 20 * MB, ...plan };
  const boxes = await client.boxes();
  const made = boxes.make(whole);
  await boxes.send(made, await client.account.confirm(password, pin));
  return { browser, client, box, fragment: made.fragment, network: new Network() };
}

async function visit({ client, fragment, network }: Pick<Scene, "client" | "fragment" | "network">): Promise<Visit> {
  const transport = new HttpTransport(vault.url, { fetch: network.fetch, sleep: hurry });
  const by = { transport, verify: verifyUnder(client.policy), clock: () => 1_764_000_000, sleep: hurry, now: () => 0 };
  return Visit.enter(Address.parse(fragment), by);
}

describe("what was put in", () => {
  test("can be edited where the vault has lost the words that came with it", async () => {
    const scene = await aBox();
    const { client, browser, box } = scene;
    await (await visit(scene)).deposit(WORDS, []);
    const boxes = await client.boxes();
    const [waiting] = await boxes.waiting(box);
    await boxes.open(box, waiting!.deposit);
    const { id } = await boxes.accept(waiting!.deposit);
    const lost = client.item(id).sent!.deposit;
    const named: (readonly string[])[] = [];
    browser.network.answers = ({ method, path, body }) => { // as a vault says that was set back to before they came
      if (method !== "POST" || path !== "/v1/items") return null;
      const { revisions: [revision] } = JSON.parse(new TextDecoder().decode(body)) as { revisions: { blobs: string[] }[] };
      named.push(revision!.blobs);
      const problem = { type: "about:blank", title: "", status: 409, code: "blob_missing", detail: "", blobs: [lost] };
      return revision!.blobs.includes(lost) ? json(problem, 409) : null;
    };
    await client.editEntry(id, { title: "Edited" });
    expect(named).toEqual([[lost], []]);
    expect(client.item(id)).toMatchObject({ title: "Edited", sent: { message: WORDS.message } });
  });

  test("is opened, kept as it was sent, and says whose it is, on another device too", async () => {
    const scene = await aBox();
    const { client, box, browser } = scene;
    const [photo, film] = [aFile(60_000), aFile(3 * MB, "film.mp4")];
    const entered = await visit(scene);
    expect(entered.room).toMatchObject({ deposits: 3, bytes: 20 * MB });
    const put = await entered.deposit(WORDS, [photo, film]);
    expect(put.receipts.map((one) => one.name)[0]).toBe(blobName(put.deposit));
    expect(put.receipts).toHaveLength(3);

    const boxes = await client.boxes();
    expect(await boxes.list()).toMatchObject([{ box, name: "Nadia", made: 1, waiting: 1, ended: null }]);
    const [waiting] = await boxes.waiting(box);
    expect(waiting).toMatchObject({ deposit: put.deposit, erasedAfter: null });
    expect(waiting!.files).toHaveLength(2);

    const opened = await boxes.open(box, put.deposit);
    expect(opened.sent).toMatchObject({ ...WORDS, written: 1_764_000_000 });
    expect(opened.contents.map((one) => one.name)).toEqual(["IMG_2043.jpg", "film.mp4"]);
    const found = boxes.contentOf(put.deposit, opened.contents[0]!.blob);
    expect(Buffer.compare(await collected(boxes.content(found)), await bytesOf(photo))).toBe(0);

    const kept = await boxes.accept(put.deposit);
    expect(await boxes.waiting(box)).toEqual([]);
    await client.editEntry(kept.id, { title: "Ce que Nadia a vu", text: "Reçu le soir même." });
    const other = await browser.another().logIn();
    const item = other.item(kept.id);
    expect(item).toMatchObject({ kind: "received", title: "Ce que Nadia a vu", sent: { ...WORDS, deposit: put.deposit } });
    const whole = await collected(other.readContent(item.contents[1]!));
    expect(Buffer.compare(whole, await bytesOf(film))).toBe(0);
    const archive = unzipSync(await bytesOf(await other.exportReceipts(kept.id, 2)));
    expect(Object.keys(archive)).toContain(`${blobName(put.deposit)}.tlog-proof`);
  });

  test("is proven to whoever sent it by an archive in which nothing can be opened", async () => {
    const scene = await aBox();
    const entered = await visit(scene);
    expect(await entered.receipts(scene.client.policy)).toBeNull();
    const put = await entered.deposit(WORDS, [aFile(300_000)]);
    const archive = unzipSync(await bytesOf((await entered.receipts(scene.client.policy))!));
    const policy = parsePolicy(archive["policy.txt"]!);
    for (const { name } of put.receipts) {
      const sealed = archive[`${name}.sealed`]!;
      const facts = { sha256: sha256(sealed), size: sealed.length, policy };
      expect(verifyReceipt(archive[`${name}.tlog-proof`]!, facts).outcome).toBe("valid");
    }
    const every = Buffer.concat(Object.values(archive));
    for (const said of [WORDS.name, WORDS.message, "IMG_2043"]) expect(every.includes(said)).toBe(false);
  });

  test("was put in when its receipt says, whatever the vault says beside it", async () => {
    const scene = await aBox();
    const { browser, box, network } = scene;
    const stated = "2020-02-02T20:20:20Z";
    network.rewrites.set(`POST /v1/boxes/${box}/deposits`, (said) => ({ ...said, deposited: stated }));
    browser.network.rewrites.set(`GET /v1/boxes/${box}/deposits`, (said) => {
      said.deposits[0].deposited = stated;
      return said;
    });
    const { deposit, deposited, receipts } = await (await visit(scene)).deposit(WORDS, []);
    expect(deposited).toBe(receipts[0]!.verified.commitment.time);
    const boxes = await scene.client.boxes();
    expect((await boxes.waiting(box))[0]!.deposited).toBe(parseTime(stated)); // the lie was heard
    expect((await boxes.open(box, deposit)).deposited).toBe(deposited);
  });

  test("is gone in seven days where it was refused, unless it is kept until then; with password and PIN at once", async () => {
    const scene = await aBox();
    const { client, box, browser } = scene;
    const entered = await visit(scene);
    const [first, second] = [await entered.deposit(WORDS, []), await entered.deposit({ ...WORDS, name: "" }, [])];
    const boxes = await client.boxes();
    await boxes.refuse(box, first.deposit, null);
    const [refused] = await boxes.waiting(box);
    expect(refused!.erasedAfter! - Date.now() / 1000).toBeGreaterThan(6.9 * 86_400);
    await boxes.open(box, first.deposit);
    const kept = await boxes.accept(first.deposit);
    expect(client.item(kept.id).sent?.name).toBe("Nadia");
    const { password, pin } = browser.typed;
    await boxes.refuse(box, second.deposit, await client.account.confirm(password, pin));
    expect(await boxes.waiting(box)).toEqual([]);
    await expect(boxes.open(box, second.deposit)).rejects.toMatchObject({ code: "item_unknown" });
  });
});

test("what Python's depositor puts in, a browser's person opens", async () => {
  const { client, box, fragment } = await aBox();
  const folder = mkdtempSync(join(tmpdir(), "depositor-"));
  writeFileSync(join(folder, "a.txt"), "témoin");
  await python(`
import json
from pathlib import Path
from client_sdk.client import VaultClient
folder = Path(${JSON.stringify(folder)})
with VaultClient.connect(${JSON.stringify(vault.url)}, folder / "home") as client:
    visit = client.enter_box(${JSON.stringify(fragment)})
    visit.send(visit.make("Paul", "de la ligne de commande", [visit.give(folder / "a.txt")]))
print(json.dumps(None))
`);
  rmSync(folder, { recursive: true });
  const boxes = await client.boxes();
  const [waiting] = await boxes.waiting(box);
  const { sent, contents: [file] } = await boxes.open(box, waiting!.deposit);
  expect(sent).toMatchObject({ name: "Paul", message: "de la ligne de commande" });
  expect(new TextDecoder().decode(await collected(boxes.content(file!)))).toBe("témoin");
}, 180_000);

test("a visit whose hour is over goes on in another", async () => {
  const scene = await aBox();
  const { network, box } = scene;
  const path = `POST /v1/boxes/${box}/enter`;
  network.rewrites.set(path, (said) => ({ ...said, token: formatB64url(randomBytes(32)) }));
  const entered = await visit(scene);
  network.rewrites.clear();
  await entered.deposit(WORDS, [aFile(300_000)]);
  expect(network.paths("POST").filter((asked) => asked.endsWith("/enter"))).toHaveLength(2);
});

describe("an address", () => {
  test("of a closed box is over; with another secret it is refused", async () => {
    const scene = await aBox();
    const parts = parseBoxFragment(scene.fragment);
    const wrong = formatBoxFragment({ ...parts, secret: randomBytes(32) });
    await expect(visit({ ...scene, fragment: wrong })).rejects.toMatchObject({ code: "cap_refused" });
    const entered = await visit(scene);
    await (await scene.client.boxes()).close(scene.box);
    await expect(visit(scene)).rejects.toMatchObject({ code: "box_over" });
    await expect(entered.deposit(WORDS, [])).rejects.toMatchObject({ code: "box_over" });
    expect(await (await scene.client.boxes()).list()).toMatchObject([{ why: "closed" }]);
  });

  test("takes no more than the box was given", async () => {
    const scene = await aBox({ deposits: 1, bytes: MB });
    const entered = await visit(scene);
    await expect(entered.deposit(WORDS, [aFile(2 * MB)])).rejects.toMatchObject({ code: "box_full" });
    await entered.deposit(WORDS, []);
    await expect(entered.deposit({ ...WORDS, name: "encore" }, [])).rejects.toMatchObject({ code: "box_full" });
  });

  test("whose public key was swapped on its way seals for nobody: the deposit doesn't open", async () => {
    const scene = await aBox();
    const parts = parseBoxFragment(scene.fragment);
    const [pkBox] = deriveBox(randomBytes(32));
    const entered = await visit({ ...scene, fragment: formatBoxFragment({ ...parts, pkBox }) });
    const { deposit } = await entered.deposit(WORDS, []);
    const boxes = await scene.client.boxes();
    await expect(boxes.open(scene.box, deposit)).rejects.toMatchObject({ code: "deposit_broken", detail: "tampered" });
  });
});

describe.each(["cutBefore", "cutAfter"] as const)("%s", (cut) => {
  test.each([0, 1, 2, 3, 4, 5])("the network dies at request %i of a deposit; the same call goes on", async (last) => {
    const scene = await aBox();
    const { network, client, box } = scene;
    const entered = await visit(scene);
    const file = aFile(900_000);
    const before = network.seen.length;
    network[cut] = () => network.seen.length > before + last;
    await entered.deposit(WORDS, [file]).catch((error: unknown) => expect(error).toMatchObject({ code: "network" }));
    network[cut] = () => false;
    // Another object each time, as a worker is handed one.
    const again = new File([await bytesOf(file)], file.name, { type: file.type, lastModified: file.lastModified });
    const { deposit } = await entered.deposit(WORDS, [again]);
    const boxes = await client.boxes();
    expect((await boxes.waiting(box)).map((one) => one.deposit)).toEqual([deposit]);
    await boxes.open(box, deposit);
    const { id } = await boxes.accept(deposit);
    const whole = await collected(client.readContent(client.item(id).contents[0]!));
    expect(Buffer.compare(whole, await bytesOf(file))).toBe(0);
  });
});

describe("a vault that lies", () => {
  test("gives other words: they don't open, and nothing speaks against another", async () => {
    const scene = await aBox();
    const { browser, box } = scene;
    const entered = await visit(scene);
    const { deposit } = await entered.deposit(WORDS, []);
    const boxes = await scene.client.boxes();
    browser.network.spoils = (sent, body) => {
      if (sent.path === `/v1/blobs/${deposit}`) body[body.length - 1]! ^= 1;
      return body;
    };
    await expect(boxes.open(box, deposit)).rejects.toMatchObject({ code: "deposit_broken" });
    browser.network.spoils = null;
    expect((await boxes.open(box, deposit)).sent.message).toBe(WORDS.message);
  });

  test("swaps a file that waits, or names fewer: nothing is taken over", async () => {
    const scene = await aBox();
    const { browser, box } = scene;
    const entered = await visit(scene);
    const { deposit } = await entered.deposit(WORDS, [aFile(40_000)]);
    const boxes = await scene.client.boxes();
    const { contents: [file] } = await boxes.open(box, deposit);
    browser.network.spoils = (sent, body) => {
      if (sent.path === `/v1/blobs/${file!.blob}`) body[body.length - 1]! ^= 1;
      return body;
    };
    await expect(boxes.accept(deposit)).rejects.toMatchObject({ code: "deposit_broken" });
    browser.network.spoils = null;
    browser.network.rewrites.set(`GET /v1/boxes/${box}/deposits`, (said) => {
      said.deposits[0].blobs = [];
      return said;
    });
    await expect(boxes.open(box, deposit)).rejects.toMatchObject({ code: "deposit_broken" });
    expect(scene.client.items(null)).toEqual([]);
    expect(scene.client.warnings).toEqual([]);
  });

  test("gives another's key for it, or the words of another deposit", async () => {
    const scene = await aBox();
    const { browser, box } = scene;
    const entered = await visit(scene);
    await entered.deposit(WORDS, []);
    const { deposit } = await entered.deposit({ ...WORDS, name: "Lina" }, []);
    const boxes = await scene.client.boxes();
    browser.network.rewrites.set(`GET /v1/boxes/${box}/deposits`, (said) => {
      [said.deposits[0].key, said.deposits[1].key] = [said.deposits[1].key, said.deposits[0].key];
      return said;
    });
    await expect(boxes.open(box, deposit)).rejects.toMatchObject({ code: "deposit_broken", detail: "tampered" });
  });
});

test.each([
  [{ sha256: randomBytes(32) }, "content_differs"], [{ key: randomBytes(32) }, "deposit_broken"],
  [{ size: 40_001 }, "content_differs"], [{ size: 39_999 }, "content_differs"],
])("a file that isn't what its depositor says is not kept, and the vault isn't blamed for it", async (said, code) => {
  const scene = await aBox();
  const entered = await visit(scene);
  const { deposit } = await entered.deposit(WORDS, [aFile(40_000)]);
  const boxes = await scene.client.boxes();
  const opened = await boxes.open(scene.box, deposit);
  Object.assign(opened.contents[0]!, said);
  await expect(collected(boxes.content(opened.contents[0]!))).rejects.toMatchObject({ code }); // looked at before, too
  await expect(boxes.accept(deposit)).rejects.toMatchObject({ code: "deposit_broken" });
  expect(scene.client.warnings).toEqual([]);
  expect(await scene.browser.evidence()).toEqual([]);
});

test("words are spelled in one way, and neither empty nor without end", () => {
  const blob = formatB64url(makeId());
  const content = {
    blob, key: randomBytes(32), sealed: randomBytes(32), sha256: randomBytes(32), name: "a.txt", mime: "text/plain", size: 3,
  };
  const words = { v: 1, name: "", message: "", written: 1_764_000_000, contents: [content] } as const;
  expect(formatDeposit(parseDeposit(formatDeposit({ ...words, contents: [content] })))).toEqual(
    formatDeposit({ ...words, contents: [content] }),
  );
  for (const refused of [{ ...words, contents: [] }, { ...words, contents: [], message: "a".repeat(4001) }]) {
    expect(() => formatDeposit(refused)).toThrow(expect.objectContaining({ code: "invalid" }));
  }
  expect(parseB64url(blob)).toHaveLength(16);
});
