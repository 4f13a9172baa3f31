// The player's service worker: it asks who asked it, for no more than is taken, and knows nothing else.
import fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import type { Asked, Piece } from "../src/worker/player.worker.js";
import { formatRange, parseRange } from "../src/worker/ranges.js";
import { runs } from "./runs.js";

describe("a range", () => {
  test("is spelled in one way", () => {
    fc.assert(fc.property(fc.nat(), fc.option(fc.integer({ min: 1 })), (start, more) => {
      const range = { start, stop: more === null ? null : start + more };
      expect(parseRange(formatRange(range))).toEqual(range);
    }), { numRuns: runs(200) });
  });

  test("that is anything else is none", () => {
    for (const header of [
      "", "bytes", "bytes=", "bytes=-5", "bytes=5-4", "bytes=1-2,4-5", "bytes=01-2", "bytes= 1-2", "items=1-2",
      "bytes=1-2 ", "bytes=1.5-2", "bytes=9999999999999999-", "bytes=1-2\n",
    ]) expect(parseRange(header), header).toBeNull();
    fc.assert(fc.property(fc.string(), (text) => {
      const range = parseRange(text);
      if (range !== null) expect(formatRange(range)).toBe(text);
    }), { numRuns: runs(200) });
  });
});

const SIZE = 3_000_001;
const whole = Uint8Array.from({ length: SIZE }, (_, place) => place % 251);
const listeners = new Map<string, (event: unknown) => void>();
const clients = new Map<string, { postMessage(asked: Asked, ports: [MessagePort]): void }>();
let asked: Asked[] = [];
let gives: (asked: Asked) => Piece | null = () => null;

beforeAll(async () => {
  vi.stubGlobal("self", {
    addEventListener: (kind: string, act: (event: unknown) => void) => listeners.set(kind, act),
    skipWaiting: async () => undefined,
    clients: { get: async (id: string) => clients.get(id) },
  });
  await import("../src/worker/player.worker.js");
});

beforeEach(() => {
  asked = [];
  gives = ({ start, stop }) =>
    ({ bytes: whole.slice(start, stop).buffer as ArrayBuffer, size: SIZE, type: "video/mp4" });
  clients.set("frame", {
    postMessage: (said, [port]) => {
      asked.push(said);
      port.postMessage(gives(said));
    },
  });
});

/** What it answers; undefined where it leaves the request to the network. */
async function fetched(headers: Record<string, string>, clientId = "frame", mode = "no-cors"): Promise<Response | undefined> {
  let answer: Promise<Response> | undefined;
  const request = { url: "https://vault.example/a/p/x", mode, headers: new Headers(headers) };
  listeners.get("fetch")!({ request, clientId, respondWith: (given: Promise<Response>) => void (answer = given) });
  return answer;
}

test("an open range is answered to its end, in pieces that grow, each asked for when the one before was taken", async () => {
  const answer = (await fetched({ Range: "bytes=1000-" }))!;
  expect(answer.status).toBe(206);
  expect(Object.fromEntries(answer.headers)).toEqual({
    "accept-ranges": "bytes", "cache-control": "no-store", "content-length": String(SIZE - 1000),
    "content-range": `bytes 1000-${SIZE - 1}/${SIZE}`, "content-type": "video/mp4",
  });
  expect(asked).toHaveLength(1);
  expect(Buffer.compare(await answer.bytes(), whole.subarray(1000))).toBe(0);
  const lengths = asked.map(({ start, stop }) => stop - start);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(524_288);
  expect(lengths[0]).toBeLessThanOrEqual(131_072);
  expect(asked.slice(0, -1).every(({ stop }) => stop % 16_384 === 0)).toBe(true);
  expect(asked.slice(1).every(({ start }, place) => start === asked[place]!.stop)).toBe(true);
});

test("a closed range is those bytes, and two bytes are two", async () => {
  for (const [start, stop] of [[0, 2], [131_071, 131_073], [5, 900_000], [SIZE - 1, SIZE]] as const) {
    asked = [];
    const answer = (await fetched({ Range: `bytes=${start}-${stop - 1}` }))!;
    expect(answer.headers.get("Content-Range")).toBe(`bytes ${start}-${stop - 1}/${SIZE}`);
    expect(Buffer.compare(await answer.bytes(), whole.subarray(start, stop))).toBe(0);
    expect(asked.every((one) => one.start >= start && one.stop <= stop)).toBe(true);
  }
});

test("without a range it is the whole", async () => {
  const answer = (await fetched({}))!;
  expect([answer.status, answer.headers.get("Content-Range")]).toEqual([200, null]);
  expect((await answer.bytes()).length).toBe(SIZE);
});

test("what lies outside, or is no range, is refused", async () => {
  expect((await fetched({ Range: `bytes=${SIZE}-` }))!.status).toBe(416);
  expect((await fetched({ Range: "bytes=-5" }))!.status).toBe(416);
});

test("whoever is not asked for by a frame gets nothing, and the frame itself is the server's", async () => {
  expect((await fetched({ Range: "bytes=0-" }, "elsewhere"))!.type).toBe("error");
  expect(await fetched({}, "frame", "navigate")).toBeUndefined();
  expect(asked).toEqual([]);
});

test("where the page has nothing to give, nothing comes, also in the middle", async () => {
  gives = () => null;
  expect((await fetched({ Range: "bytes=0-" }))!.type).toBe("error");
  gives = ({ start, stop }) => start > 200_000
    ? null : { bytes: whole.slice(start, stop).buffer as ArrayBuffer, size: SIZE, type: "video/mp4" };
  const answer = (await fetched({ Range: "bytes=0-" }))!;
  await expect(answer.bytes()).rejects.toThrow();
});
