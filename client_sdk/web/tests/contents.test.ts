// Contents, whole or any range: the bytes that were asked for, however they lie in chunks, runs and segments, and no more
// requests than that takes.
import { randomBytes } from "node:crypto";

import { beforeAll, describe, expect, test } from "vitest";

import { CHUNK_SIZE, HEADER_SIZE, RUN_CHUNKS, SEALED_CHUNK_SIZE } from "../src/crypto_core/sealing/envelope.js";
import { CONTENT_BORDER } from "../src/crypto_core/sealing/padding.js";
import { ready } from "../src/crypto_core/sodium.js";
import { Contents, sealedContentSize, type ReadBlob } from "../src/sdk/contents.js";
import { sha256 } from "../src/sdk/digest.js";
import type { Content, Id } from "../src/sdk/items.js";
import { NO_PROGRESS, type Progress } from "../src/sdk/progress.js";
import { collected } from "./clients.js";
import { sealWrongly } from "./wrongly.js";

/** Padded, it is no longer, and its last chunk is half full. */
const DATA = new Uint8Array(randomBytes(37 * 8192 - CONTENT_BORDER));
const RUN = RUN_CHUNKS * CHUNK_SIZE;
const SIZE = DATA.length;

/** Blobs that are given in blocks of 10,000 bytes, and what was asked for. */
class Kept {
  readonly blobs = new Map<Id, Uint8Array>();
  readonly asked: (readonly [number, number | null])[] = [];

  async keep(data: Uint8Array<ArrayBuffer>): Promise<Content> {
    const [content, sealed] = await sealWrongly("rightly", data);
    this.blobs.set(content.blob, sealed);
    return content;
  }

  readonly read: ReadBlob = (blob, start = 0, stop = null) => {
    this.asked.push([start, stop]);
    const given = this.blobs.get(blob)!.subarray(start, stop ?? undefined);
    return (async function* () {
      for (let at = 0; at < given.length; at += 10_000) yield given.subarray(at, at + 10_000);
    })();
  };
}

async function read(contents: Contents, content: Content, start?: number, stop?: number | null): Promise<Buffer> {
  return Buffer.from(await collected(contents.read(content, start, stop)));
}

beforeAll(() => ready());

describe.each([["half a chunk", DATA], ["whole chunks", new Uint8Array(randomBytes(2 ** 20 - CONTENT_BORDER))]])("of a file that ends with %s", (_, data) => {
  test("any range is that range", async () => {
    const kept = new Kept();
    const [content, contents, size] = [await kept.keep(data), new Contents(kept.read, NO_PROGRESS), data.length];
    const places = [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, RUN, size - RUN, size - 1, size].sort((one, other) => one - other);
    for (const [at, start] of places.entries()) {
      for (const stop of places.slice(at)) {
        const found = await read(contents, content, start, stop);
        expect(found.equals(data.subarray(start, stop)), `${start} to ${stop}`).toBe(true);
      }
    }
    for (const stop of [null, size + 1]) expect((await read(contents, content, 7, stop)).equals(data.subarray(7))).toBe(true);
  });
});

test("a range of a recording goes over its segments", async () => {
  const kept = new Kept();
  const parts = [await kept.keep(DATA), await kept.keep(DATA), await kept.keep(DATA)];
  const whole = Buffer.concat([DATA, DATA, DATA]);
  const content = { ...parts[0]!, sha256: sha256(whole), size: whole.length, parts };
  const contents = new Contents(kept.read, NO_PROGRESS);
  expect((await read(contents, content)).equals(whole)).toBe(true);
  for (const [start, stop] of [[0, 9], [SIZE - 9, SIZE + 9], [SIZE, SIZE + 9], [SIZE - 9, 2 * SIZE + 9], [2 * SIZE, 3 * SIZE]] as const) {
    expect((await read(contents, content, start, stop)).equals(whole.subarray(start, stop)), `${start} to ${stop}`).toBe(true);
  }
});

test.each([[-1, 2], [SIZE + 1, null], [9, 8], [SIZE, 0]])("a range outside (%i to %j) is refused before anything is asked for", async (start, stop) => {
  const kept = new Kept();
  const content = await kept.keep(DATA);
  expect(() => new Contents(kept.read, NO_PROGRESS).read(content, start, stop))
    .toThrow(expect.objectContaining({ code: "range_invalid" }));
  expect(kept.asked).toEqual([]);
});

test("a range takes its own chunks, and the header once", async () => {
  const kept = new Kept();
  const [content, whole] = [await kept.keep(DATA), sealedContentSize(SIZE)];
  await read(new Contents(kept.read, NO_PROGRESS), content, 0, 1);
  expect(kept.asked).toEqual([[0, HEADER_SIZE + 2 * SEALED_CHUNK_SIZE]]); // the first chunk is the head's
  kept.asked.length = 0;
  const contents = new Contents(kept.read, NO_PROGRESS);
  const last = [HEADER_SIZE + 18 * SEALED_CHUNK_SIZE, whole];
  for (const asked of [[[0, HEADER_SIZE], last], [last]]) {
    await read(contents, content, SIZE - 1, SIZE);
    expect(kept.asked.splice(0)).toEqual(asked);
  }
});

test("fewer bytes than the range holds are the vault's fault", async () => {
  const kept = new Kept();
  const content = await kept.keep(DATA);
  const cut: ReadBlob = (blob, start = 0, stop = null) =>
    kept.read(blob, start, start === 0 || stop === null ? stop : stop - SEALED_CHUNK_SIZE);
  await expect(read(new Contents(cut, NO_PROGRESS), content, 9 * CHUNK_SIZE, 11 * CHUNK_SIZE)).rejects.toMatchObject({ code: "server" });
});

test.each([[1, SEALED_CHUNK_SIZE], [null, sealedContentSize(SIZE)]])("progress hears of what is read (to %j), and of its end", async (stop, total) => {
  const kept = new Kept();
  const content = await kept.keep(DATA);
  const heard: unknown[] = [];
  let count = 0;
  const progress: Progress = {
    ...NO_PROGRESS, start: (name, size) => void heard.push(name, size), advance: (more) => void (count += more), done: () => void heard.push(count),
  };
  await read(new Contents(kept.read, progress), content, 0, stop);
  expect(heard).toEqual(["a.bin", total, total]);
});
