// A file that doesn't open was always said to be the vault's fault: whoever seals one wrongly could have a person's program
// say that their vault lies, and stop their edits. The vault is at fault where it gives other bytes than those whose SHA-256
// the record names, and nowhere else.
import { randomBytes } from "node:crypto";

import { unzipSync } from "fflate";
import { beforeAll, describe, expect, test, vi } from "vitest";

import { ready } from "../src/crypto_core/sodium.js";
import { Archive, InBlob } from "../src/sdk/archive.js";
import type { VaultClient } from "../src/sdk/client.js";
import { Contents, bounded, checked, sealedContentSize } from "../src/sdk/contents.js";
import { sha256 } from "../src/sdk/digest.js";
import { NetworkError, Refused, TrustError, type SdkError } from "../src/sdk/errors.js";
import { EMPTY_DRAFT, type Content } from "../src/sdk/items.js";
import { sealedName, writePack } from "../src/sdk/packs/pack.js";
import { NO_PROGRESS } from "../src/sdk/progress.js";
import { Writer } from "../src/sdk/writer.js";
import { fileOf } from "../src/worker/pieces.js";
import { collected, registered, type Browser } from "./clients.js";
import { sharedVault, type SharedVault } from "./shared_vault.js";
import { BROKEN, DATA, DIFFERING, SAID, sealWrongly, type How } from "./wrongly.js";

/** What a vault gives of these blobs, in blocks of 10,000 bytes. */
function giving(...blobs: readonly (readonly [Content, Uint8Array])[]): Contents {
  const of = new Map(blobs.map(([content, sealed]) => [content.blob, sealed]));
  return new Contents(async function* (blob, start = 0, stop = null) {
    const whole = of.get(blob)!.subarray(start, stop ?? undefined);
    for (let at = 0; at < whole.length; at += 10_000) yield whole.subarray(at, at + 10_000);
  }, NO_PROGRESS);
}

/** All that came, and the code that it ended with. */
async function came(blocks: AsyncIterable<Uint8Array>): Promise<readonly [Buffer, string | null]> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const block of blocks) pieces.push(block.slice());
  } catch (error) {
    return [Buffer.concat(pieces), (error as SdkError).code];
  }
  return [Buffer.concat(pieces), null];
}

beforeAll(() => ready());

describe.each(BROKEN)("what was sealed wrongly: %s", (how) => {
  test("doesn't open, and the vault is not at fault", async () => {
    const [content, sealed] = await sealWrongly(how);
    const contents = giving([content, sealed]);
    const [data, code] = await came(contents.read(content));
    expect([code, Buffer.compare(data, DATA.subarray(0, data.length))]).toEqual(["content_broken", 0]);
    const ends: (string | null)[] = [];
    for (const at of [0, 20_000, DATA.length - 1]) ends.push((await came(contents.read(content, at, at + 1)))[1]);
    expect(new Set([...ends, null, "content_broken"]).size).toBe(2);
    expect(ends.includes("content_broken")).toBe(how !== "broken padding");
    expect((await came(checked(content, [sealed])))[1]).toBe(how === "a chunk less" ? "content_broken" : null);
  });

  test("the vault is at fault where it gives other bytes of it", async () => {
    const [content, sealed] = await sealWrongly(how);
    sealed[sealed.length - 1]! ^= 1;
    expect((await came(giving([content, sealed]).read(content)))[1]).toBe("blob_swapped");
  });
});

test.each(DIFFERING)("what opens to its end comes whole before it is said to differ: %s", async (how) => {
  const [content, sealed] = await sealWrongly(how);
  const contents = giving([content, sealed]);
  const [data, code] = await came(contents.read(content));
  expect([Buffer.compare(data, DATA), code]).toEqual([0, "content_differs"]);
  await expect(fileOf(contents.read(content), "text/plain")).rejects.toMatchObject({ code, size: DATA.length, sha256: sha256(DATA) });
  expect((await fileOf(contents.read(content), "text/plain", true)).size).toBe(DATA.length);
});

test("one part of a recording that differs keeps none of the others back", async () => {
  const blobs = await Promise.all((["rightly", "another sha256", "a larger size", "rightly"] as const).map((how) => sealWrongly(how)));
  const parts = blobs.map(([content]) => content);
  const four = Buffer.concat([DATA, DATA, DATA, DATA]);
  const whole = { ...parts[0]!, sha256: sha256(four), size: four.length, parts };
  const [data, code] = await came(giving(...blobs).read(whole));
  expect([Buffer.compare(data, four), code]).toEqual([0, "content_differs"]);
  const two = four.subarray(0, 2 * DATA.length);
  for (const [digest, ends] of [[sha256(two), null], [whole.sha256, "content_differs"]] as const) {
    const joined = { ...whole, sha256: digest, size: two.length, parts: [parts[0]!, parts[3]!] };
    const [read, end] = await came(giving(...blobs).read(joined));
    expect([Buffer.compare(read, two), end]).toEqual([0, ends]); // each part is what it says; all of them together may not be
  }
});

test("a vault that gives other bytes of a range alone is still found out", async () => {
  const [content, sealed] = await sealWrongly("rightly");
  const other = sealed.map((byte) => byte ^ 1);
  const contents = new Contents(async function* (_, start = 0, stop = null) {
    yield stop === null ? sealed : other.subarray(start, stop);
  }, NO_PROGRESS);
  expect((await came(contents.read(content, 50_000, 50_010)))[1]).toBe("blob_swapped");
});

test.each([
  ["unavailable", ["a range"]], ["range_invalid", ["a range", "all"]],
])("a vault that refuses a range (%s) is asked for all of it only for want of bytes", async (code, asks) => {
  const [content] = await sealWrongly("rightly");
  const asked: string[] = [];
  const contents = new Contents(async function* (_, _start, stop = null) {
    asked.push(stop === null ? "all" : "a range");
    throw new Refused(code, 503, "");
    yield new Uint8Array();
  }, NO_PROGRESS);
  expect((await came(contents.read(content, 10, 20)))[1]).toBe(code);
  expect(asked).toEqual(asks);
});

test.each([[0, null], [50_000, 50_010]])("a network that breaks off while it is found out blames nobody: %j", async (start, stop) => {
  const [content, sealed] = await sealWrongly("another key");
  const contents = new Contents(async function* (_, from = 0, to = null) {
    yield sealed.subarray(from, to ?? 50_000);
    if (to === null) throw new NetworkError();
  }, NO_PROGRESS);
  expect((await came(contents.read(content, start, stop)))[1]).toBe("network");
});

test.each(["rightly", "another key", "a changed byte"] as const)("what doesn't end is read no further than the record says: %s", async (how) => {
  const [content, sealed] = await sealWrongly(how);
  const size = sealedContentSize(content.size);
  let taken = 0;
  const farTooMuch = async function* (): AsyncGenerator<Uint8Array, void> {
    for (let at = 0; at < 3 * size; at += 1000) {
      const block = new Uint8Array(1000);
      block.set(sealed.subarray(at, at + 1000));
      taken += block.length;
      yield block;
    }
  };
  for (const read of [new Contents(farTooMuch, NO_PROGRESS).read(content), checked(content, farTooMuch())]) {
    taken = 0;
    expect((await came(read))[1]).toBe("blob_swapped");
    expect(taken).toBeLessThanOrEqual(size + 1000);
  }
  const [one, two, three] = ["12", "34", "56"].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];
  expect((await collected(bounded([one, two, three], 3))).length).toBe(4);
  expect((await collected(bounded([one, Buffer.from("3")], 3))).length).toBe(3);
});

test("what doesn't open in its middle is read to its end", async () => {
  const data = new Uint8Array(randomBytes(900_000));
  const [content, sealed] = await sealWrongly("a changed byte", data);
  expect((await came(giving([content, sealed]).read(content)))[1]).toBe("content_broken");
  sealed[sealed.length - 1]! ^= 1;
  expect((await came(giving([content, sealed]).read(content)))[1]).toBe("blob_swapped");
});

test("whoever stops reading in between ends what is fetched", async () => {
  const [content, sealed] = await sealWrongly("rightly", new Uint8Array(randomBytes(600_000)));
  let isEnded = false;
  const contents = new Contents(async function* () {
    try {
      for (let at = 0; at < sealed.length; at += 10_000) yield sealed.subarray(at, at + 10_000);
    } finally {
      isEnded = true;
    }
  }, NO_PROGRESS);
  for await (const _ of contents.read(content)) break;
  expect(isEnded).toBe(true);
});

describe("in a person's own vault", () => {
  let [vault, browser, client]: [SharedVault, Browser, VaultClient] = [] as never;
  const keep = async (how: How): Promise<Content> => {
    const add = Writer.prototype.add;
    const spy = vi.spyOn(Writer.prototype, "add").mockImplementation(function (this: Writer, drafts, kind, sensitive, contents = [], ...more) {
      return add.call(this, drafts, kind, sensitive, contents.map((one) => ({ ...one, ...SAID[how] })), ...more);
    });
    const file = new File([DATA], "a.bin", { type: "text/plain" });
    const { id } = await client.addDocument({ file, thumbnail: null }, EMPTY_DRAFT);
    spy.mockRestore();
    return client.item(id).contents[0]!;
  };

  beforeAll(async () => {
    vault = await sharedVault();
    browser = await registered(vault.url);
    client = await browser.logIn();
  }, 90_000);

  test.each(["another key", ...DIFFERING] as const)("nothing is held against it, and the rest is packed: %s", async (how) => {
    const content = await keep(how);
    const code = how === "another key" ? "content_broken" : "content_differs";
    expect((await came(client.readContent(content)))[1]).toBe(code);
    const items = client.items("document").map(({ id: item, revision }) => ({ item, revision }));
    const into = new InBlob();
    const { lost } = await writePack(await client.pack(items), {
      policy: client.policy, continuity: () => Promise.reject(new NetworkError()), verifier: null,
    }, new Archive(into.stream));
    expect(lost).toContainEqual(expect.objectContaining({ code, isThere: false }));
    const files = unzipSync(new Uint8Array(await into.blob.arrayBuffer()));
    expect(sha256(files[sealedName(content)]!)).toEqual(content.sealed);
    expect(Object.keys(files).filter((name) => name.startsWith("originals/"))).toEqual([]);
    expect(client.warnings).toEqual([]);
    expect(await browser.evidence()).toEqual([]);
    await client.editEntry(items[0]!.item, { title: how });
  });
});

test("neither is a distrust of the vault", async () => {
  const { ContentBroken, ContentDiffers } = await import("../src/sdk/errors.js");
  expect([new ContentBroken(), new ContentDiffers(DATA, 0)].some((error) => error instanceof TrustError)).toBe(false);
});
