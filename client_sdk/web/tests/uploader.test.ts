// A file of any size over a network that breaks: it comes back byte for byte, and goes on where it was cut.
import { createHash, randomBytes } from "node:crypto";

import { beforeAll, describe, expect, test } from "vitest";

import { ready } from "../src/crypto_core/sodium.js";
import type { VaultClient } from "../src/sdk/client.js";
import type { Id } from "../src/sdk/items.js";
import { EMPTY_DRAFT } from "../src/sdk/items.js";
import { collected, registered, type Browser } from "./clients.js";
import { json, type Sent } from "./memory_network.js";
import { sharedVault, type SharedVault } from "./shared_vault.js";

const UNIT = 262_144;
let vault: SharedVault;

beforeAll(async () => {
  await ready();
  vault = await sharedVault();
}, 60_000);

function aFile(size: number, name = "pièce à conviction.jpeg", changed = 1_700_000_000_000): File {
  return new File([randomBytes(size)], name, { type: "image/jpeg", lastModified: changed });
}

const bytesOf = async (file: Blob): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());
const add = (client: VaultClient, file: Blob, sensitive = false) =>
  client.addDocument({ file, thumbnail: null }, { ...EMPTY_DRAFT, category: "injury" }, { sensitive });
const whole = (client: VaultClient, id: Id): Promise<Uint8Array> =>
  collected(client.readContent(client.item(id).contents[0]!));
const journals = async (browser: Browser): Promise<number> =>
  (await browser.kept()).filter(([key]) => /^a.{22}u/.test(key)).length;

/** The blob that each unit, or small blob, was sent under. */
const blobs = (browser: Browser): ReadonlySet<string> => new Set(
  browser.network.paths("PUT").flatMap((path) => /^\/v1\/(?:blobs|uploads)\/([^/]+)/.exec(path)?.[1] ?? []),
);

test.each([
  0, 1, 16_383, 16_384, 16_385, UNIT - 16_384 - 1, UNIT - 16_384, UNIT - 16_384 + 1, 2 * UNIT - 16_384, 1_000_003,
])("a document of %i bytes comes back on another device", async (size) => {
  const laptop = await registered(vault.url);
  const file = aFile(size);
  const client = await laptop.logIn();
  const { id } = await add(client, file);
  expect(await journals(laptop)).toBe(0);
  await client.lock();
  const other = await laptop.another().logIn();
  expect(other.item(id)).toMatchObject({ kind: "document", title: file.name, category: "injury" });
  expect(other.item(id).contents[0]).toMatchObject({ size, mime: "image/jpeg", name: file.name });
  expect(Buffer.compare(await whole(other, id), await bytesOf(file))).toBe(0);
});

describe.each(["cutBefore", "cutAfter"] as const)("%s", (cut) => {
  test.each([0, 1, 2, 3, 4])("the network dies for good at request %i; the same file is given again", async (last) => {
    const browser = await registered(vault.url);
    const file = aFile(900_000);
    const client = await browser.logIn();
    let passed = 0;
    browser.network[cut] = (sent) => {
      passed += /^\/v1\/(uploads|items)/.test(sent.path) && sent.method !== "GET" ? 1 : 0;
      return passed > last;
    };
    await expect(add(client, file)).rejects.toMatchObject({ code: "network" });
    await client.lock();
    browser.network[cut] = () => false;
    const again = await browser.logIn();
    const { id } = await add(again, file);
    expect(Buffer.compare(await whole(again, id), await bytesOf(file))).toBe(0);
    expect(blobs(browser).size).toBe(1);
    const units = browser.network.seen.filter((sent) => sent.path.includes("/units/")).map((sent) => sent.body.join());
    if (cut === "cutAfter" && last === 4) expect(new Set(units).size).toBe(units.length);
    await again.synchronise();
    expect(await journals(browser)).toBe(0);
  });
});

test("units are sent again in smaller requests when they fail, two requests at once", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const file = aFile(4_000_000);
  let [flying, most] = [0, 0];
  const { fetch: pass } = browser.network;
  Object.assign(browser.network, { fetch: async (url: string, init: RequestInit) => {
    if (!url.includes("/units/")) return pass(url, init);
    most = Math.max(most, (flying += 1));
    return pass(url, init).finally(() => (flying -= 1));
  } });
  browser.network.cutBefore = (sent) => sent.path.includes("/units/") && sent.body.length > 3 * 262_400;
  const watched = await (async () => { const tab = browser.tab(); await tab.logIn(browser.typed); return tab; })();
  const { id } = await add(watched, file);
  expect(Buffer.compare(await whole(client, (await client.synchronise(), id)), await bytesOf(file))).toBe(0);
  expect(most).toBe(2);
  const sizes = browser.network.seen.filter((sent) => sent.path.includes("/units/")).map((sent) => sent.body.length);
  expect(Math.max(...sizes)).toBeGreaterThan(3 * 262_400);
});

test("while a request is on its way the next units are sealed, and wait for it", async () => {
  const browser = await registered(vault.url);
  const file = aFile(900_000);
  let [flying, most, reads] = [0, 0, (): void => undefined];
  const slice = file.slice.bind(file);
  file.slice = (...range) => {
    if (flying > 0) reads();
    return slice(...range);
  };
  const { fetch: pass } = browser.network;
  Object.assign(browser.network, { fetch: async (url: string, init: RequestInit) => {
    if (!url.includes("/units/")) return pass(url, init);
    most = Math.max(most, (flying += 1));
    if (url.endsWith("/units/0")) await new Promise<void>((resolve) => (reads = resolve)); // until more is read
    return pass(url, init).finally(() => (flying -= 1));
  } });
  const client = browser.tab();
  await client.logIn(browser.typed);
  const { id } = await add(client, file);
  expect(Buffer.compare(await whole(client, id), await bytesOf(file))).toBe(0);
  expect(most).toBe(1);
});

test("a vault that checks for longer than anybody waits is asked again, and nothing is sent again", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  let asked = 0;
  browser.network.answers = ({ path }) => {
    if (!path.endsWith("/complete") || (asked += 1) > 3) return null;
    const body = { type: "urn:temoin:problem:upload_checking", title: "", status: 503, code: "upload_checking", detail: "" };
    return json({ ...body, ...(asked === 2 ? {} : { retry_after: 2 }) }, 503);
  };
  const file = aFile(900_000);
  const { id } = await add(client, file);
  expect(Buffer.compare(await whole(client, id), await bytesOf(file))).toBe(0);
  expect(asked).toBe(4);
  expect(new Set(browser.network.paths("PUT")).size).toBe(browser.network.paths("PUT").length);
});

test.each(["asks", "waits"])("whoever stops a file while its page %s, and the vault checks it, is not kept", async (when) => {
  const browser = await registered(vault.url);
  const stop = new AbortController();
  const client = browser.tab({
    sleep: (ms) => {
      if (ms < 3_600_000) return Promise.resolve();
      setTimeout(() => stop.abort(new Error("stopped")));
      return new Promise(() => undefined);
    },
  });
  await client.logIn(browser.typed);
  browser.network.answers = ({ path }) => {
    if (!path.endsWith("/complete")) return null;
    if (when === "asks") stop.abort(new Error("stopped"));
    return json({ type: "", title: "", status: 503, code: "upload_checking", detail: "", retry_after: 3600 }, 503);
  };
  const sent = client.addDocument({ file: aFile(900_000), thumbnail: null }, EMPTY_DRAFT, {
    sent: { signal: stop.signal },
  });
  await expect(sent).rejects.toThrow("stopped");
});

test.each([
  ["other bytes", (file: File) => new File([randomBytes(900_000)], file.name, { lastModified: file.lastModified })],
  ["another time", (file: File) => new File([file], file.name, { lastModified: 1 })],
  ["another name", (file: File) => new File([file], "other", { lastModified: file.lastModified })],
])("a file that differs from what was cut (%s) is sent under another id and key", async (_, other) => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const file = aFile(900_000);
  browser.network.cutBefore = (sent) => sent.path.endsWith("/complete");
  await expect(add(client, file)).rejects.toMatchObject({ code: "network" });
  browser.network.cutBefore = () => false;
  const changed = other(file);
  const { id } = await add(client, changed);
  expect(Buffer.compare(await whole(client, id), await bytesOf(changed))).toBe(0);
  expect(blobs(browser).size).toBe(2);
});

test("a journal that was lost, and units on the vault that nobody remembers: another blob", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const file = aFile(900_000);
  browser.network.cutBefore = (sent) => sent.path.endsWith("/complete");
  await expect(add(client, file)).rejects.toMatchObject({ code: "network" });
  browser.network.cutBefore = () => false;
  const units = (await browser.kept()).map(([key]) => key).filter((key) => /^a.{22}u.*\./.test(key));
  expect(units.length).toBeGreaterThan(0);
  await browser.store.write({ delete: units });
  const { id } = await add(client, file);
  expect(Buffer.compare(await whole(client, id), await bytesOf(file))).toBe(0);
  expect(blobs(browser).size).toBe(2);
});

test("hashes are on disk before their units leave, whatever dies", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const known = new Set<string>();
  const write = browser.store.write.bind(browser.store);
  browser.store.write = async (changes) => {
    await write(changes);
    for (const [key, value] of changes.put ?? []) {
      if (/^a.{22}u.*\./.test(key)) {
        const hashes = value as Uint8Array;
        for (let at = 0; at < hashes.length; at += 32) {
          known.add(Buffer.from(hashes.slice(at, at + 32)).toString("hex"));
        }
      }
    }
  };
  const first = 262_400 + 56;
  const unitsOf = (sent: Sent): Uint8Array[] => {
    const isFirst = /\/units\/0$/.test(sent.path) || sent.path.startsWith("/v1/blobs/");
    const cuts = [0, ...(isFirst ? [first] : [])];
    while (cuts.at(-1)! < sent.body.length) cuts.push(cuts.at(-1)! + 262_400);
    return cuts.slice(1).map((stop, at) => sent.body.slice(cuts[at], stop));
  };
  let looked = 0;
  browser.network.cutBefore = (sent) => {
    if (sent.method !== "PUT" || !/^\/v1\/(blobs|uploads)/.test(sent.path)) return false;
    for (const unit of unitsOf(sent)) {
      looked += 1;
      expect(known.has(createHash("sha256").update(unit).digest("hex"))).toBe(true);
    }
    return false;
  };
  await add(client, aFile(2_000_000));
  await add(client, aFile(10, "small"));
  expect(looked).toBeGreaterThan(8);
});

test("a browser that no longer reads the file", async () => {
  const client = await (await registered(vault.url)).logIn();
  const gone = (after: number): Blob => {
    const file = aFile(900_000);
    const slice = file.slice.bind(file);
    file.slice = (start = 0, stop = 0) => {
      const part = slice(start, stop);
      if (start >= after) part.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotReadableError"));
      return part;
    };
    return file;
  };
  await expect(add(client, gone(0))).rejects.toMatchObject({ code: "file_unreadable" });
  await expect(add(client, gone(300_000))).rejects.toMatchObject({ code: "file_changed" });
});

test("a sensitive upload that was cut leaves no key that opens without the PIN", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const file = aFile(900_000);
  browser.network.cutBefore = (sent) => sent.path.endsWith("/complete");
  await expect(add(client, file, true)).rejects.toMatchObject({ code: "network" });
  browser.network.cutBefore = () => false;
  const { id } = await add(client, file, true); // another blob: the PIN was not given
  expect(blobs(browser).size).toBe(2);
  expect(() => client.contentOf(id, 1, "A".repeat(22))).toThrow(expect.objectContaining({ code: "item_unknown" }));
  await client.stepUp(browser.typed.pin);
  expect(Buffer.compare(await whole(client, id), await bytesOf(file))).toBe(0);
});

test("two calls with one file at once are two uploads, and both come back", async () => {
  const client = await (await registered(vault.url)).logIn();
  const file = aFile(600_000);
  const kept = await Promise.all([add(client, file), add(client, file)]);
  for (const { id } of kept) expect(Buffer.compare(await whole(client, id), await bytesOf(file))).toBe(0);
});

test("a file is never read whole", async () => {
  const client = await (await registered(vault.url)).logIn();
  const file = aFile(5_000_000);
  const sizes: number[] = [];
  const slice = file.slice.bind(file);
  file.slice = (start = 0, stop = 0) => (sizes.push(stop - start), slice(start, stop));
  file.arrayBuffer = () => Promise.reject(new Error("whole"));
  await add(client, file);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(UNIT);
});
