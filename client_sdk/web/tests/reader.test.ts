// Reading contents from a real vault: whole or any range, over a connection that breaks, and what rows become.
import { randomBytes } from "node:crypto";

import { beforeAll, expect, test } from "vitest";

import { ready } from "../src/crypto_core/sodium.js";
import { formatJson } from "../src/crypto_core/encoding.js";
import type { VaultClient } from "../src/sdk/client.js";
import { EMPTY_DRAFT, type Content } from "../src/sdk/items.js";
import { parseRecord } from "../src/sdk/reader.js";
import { collected, registered, saying, type Browser } from "./clients.js";
import { sharedVault, type SharedVault } from "./shared_vault.js";

const SIZE = 700_001;
let vault: SharedVault;
let browser: Browser;
let client: VaultClient;
let content: Content;
const original = randomBytes(SIZE);

beforeAll(async () => {
  await ready();
  vault = await sharedVault();
  browser = await registered(vault.url);
  client = await browser.logIn();
  const { id } = await client.addDocument({ file: new File([original], "a.bin"), thumbnail: null }, EMPTY_DRAFT);
  content = client.item(id).contents[0]!;
}, 90_000);

test.each([
  [0, 0], [0, 1], [0, SIZE], [16_383, 16_385], [16_384, 32_768], [262_143, 262_145], [300_000, 650_000],
  [SIZE - 1, SIZE], [SIZE, SIZE], [0, SIZE + 100], [SIZE - 10, SIZE + 1],
])("the range [%i, %i) is those bytes", async (start, stop) => {
  const found = await collected(client.readContent(content, start, stop));
  expect(Buffer.compare(found, original.subarray(start, stop))).toBe(0);
});

test.each([[-1, 5], [10, 5], [SIZE + 1, SIZE + 2], [Number.NaN, 5]])("the range [%d, %d) is refused", (start, stop) => {
  expect(() => client.readContent(content, start, stop)).toThrow(expect.objectContaining({ code: "range_invalid" }));
});

test("a range fetches little more than itself", async () => {
  let fetched = 0;
  browser.network.spoils = (_, body) => ((fetched += body.length), body);
  await collected(client.readContent(content, 400_000, 410_000));
  browser.network.spoils = null;
  expect(fetched).toBeLessThan(10_000 + 3 * 16_400 + 100);
});

test("the next range of the same content is one request, and a header that does not open is not kept", async () => {
  const tab = browser.tab();
  await tab.logIn(browser.typed);
  const asked = (): number => browser.network.paths("GET").filter((path) => path.startsWith("/v1/blobs/")).length;
  browser.network.spoils = (sent, body) => sent.path.startsWith("/v1/blobs/") ? body.map((byte) => byte ^ 1) : body;
  await expect(collected(tab.readContent(content, 400_000, 410_000))).rejects.toMatchObject({ code: "blob_swapped" });
  browser.network.spoils = null;
  const before = asked();
  for (const [start, stop, requests] of [[400_000, 410_000, 2], [500_000, 510_000, 3], [0, 10, 4]] as const) {
    const found = await collected(tab.readContent(content, start, stop));
    expect(Buffer.compare(found, original.subarray(start, stop))).toBe(0);
    expect(asked() - before).toBe(requests);
  }
});

test("a read goes on where the connection broke", async () => {
  const { network } = browser;
  const pass = network.fetch;
  let broken = 0;
  const breaking = async (url: string, init: RequestInit): Promise<Response> => {
    const answer = await pass(url, init);
    if (!url.includes("/v1/blobs/") || broken >= 3) return answer;
    broken += 1;
    const reader = answer.body!.getReader();
    let sent = 0;
    return new Response(new ReadableStream({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done || (sent += value.length) > 150_000) controller.error(new TypeError("cut"));
        else controller.enqueue(value);
      },
    }), { status: answer.status, headers: answer.headers });
  };
  Object.assign(network, { fetch: breaking });
  const tab = browser.tab();
  await tab.logIn(browser.typed);
  const found = await collected(tab.readContent(content));
  Object.assign(network, { fetch: pass });
  expect([Buffer.compare(found, original), broken]).toEqual([0, 3]);
});

test("one changed bit anywhere, a cut end, a longer one: never opened, and kept as evidence", async () => {
  for (const spoil of [
    (body: Uint8Array) => body.map((byte, at) => at === 40 ? byte ^ 1 : byte),
    (body: Uint8Array) => body.map((byte, at) => at === 300_000 ? byte ^ 1 : byte),
    (body: Uint8Array) => body.map((byte, at) => at === body.length - 1 ? byte ^ 1 : byte),
  ]) {
    const reading = await registered(vault.url);
    const reader = await reading.logIn();
    const { id } = await reader.addDocument({ file: new File([original], "a.bin"), thumbnail: null }, EMPTY_DRAFT);
    reading.network.spoils = (sent, body) => sent.path.startsWith("/v1/blobs/") ? spoil(body) : body;
    const reads = collected(reader.readContent(reader.item(id).contents[0]!));
    await expect(reads).rejects.toMatchObject({ code: "blob_swapped" });
    expect(reader.warnings).toEqual(["blob_swapped"]);
    await expect(reader.editEntry(id, { title: "x" })).rejects.toMatchObject({ code: "warned" });
  }
});

test("receipts of another device are fetched once, and verified", async () => {
  const { id } = await client.writeEntry(saying("one"));
  const other = browser.another();
  const reading = await other.logIn();
  const asked = (): number => other.network.paths("GET").filter((path) => path.endsWith("/receipt")).length;
  const first = await reading.receipt(id, 1);
  expect([first.name, asked()]).toEqual([expect.stringMatching(/^[0-9a-f]{32}-1$/), 1]);
  expect(await reading.receipt(id, 1)).toEqual(first);
  expect(asked()).toBe(1);
});

test.each([
  [{ v: 2, kind: "journal" }, "version_unsupported"], [{ v: 1, kind: "folder" }, "version_unsupported"],
  [{ v: 1, kind: "constructor" }, "version_unsupported"], [{ v: 1, kind: "journal" }, "malformed"], [[], "malformed"],
  [null, "malformed"],
])("a record that is %j is %s", (value, code) => {
  expect(() => parseRecord(formatJson(value))).toThrow(expect.objectContaining({ code }));
});
