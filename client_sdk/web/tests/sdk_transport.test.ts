// The only socket: what it sends, what it believes, what it tries again, where it never goes.
import { beforeAll, describe, expect, test, vi } from "vitest";

import { concat, formatB64, formatB64url, isSame } from "../src/crypto_core/encoding.js";
import { ready } from "../src/crypto_core/sodium.js";
import { PROBLEMS } from "../src/schemas/problems.js";
import { sha256 } from "../src/sdk/digest.js";
import { NetworkError, Refused, ServerAddress, ServerFault } from "../src/sdk/errors.js";
import { ANSWER, HttpTransport, TRIES, dumpBody, endpoint } from "../src/sdk/transport.js";
import { json } from "./memory_network.js";

beforeAll(ready);

const VAULT = {
  vault_id: "A".repeat(22), host: "vault.example", ledger_vkey: "x", directory_vkey: "y", argon_newest: 1,
  generation: "A".repeat(22),
};
const TOKEN = Uint8Array.from({ length: 32 }, (_, place) => place);
const BLOB = "A".repeat(22);
type Handler = (request: Request) => Response | Promise<Response>;

function transport(handler: Handler, waits: number[] = []): HttpTransport {
  return new HttpTransport("https://vault.example", {
    fetch: async (url, init) => handler(new Request(url, init)),
    sleep: async (ms) => void waits.push(ms),
  });
}

function problem(code: keyof typeof PROBLEMS, extra: object = {}): Response {
  const { title, status, sentence } = PROBLEMS[code];
  return json({ type: "about:blank", title, status, code, detail: sentence, ...extra }, status);
}

async function all(blocks: AsyncIterable<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const block of blocks) bytes.push(...block);
  return bytes;
}

test.each([
  "http://vault.example", "ftp://vault.example", "vault.example", "", "https://", "https://user@vault.example",
  "https://vault.example/path", "https://vault.example/?q", "https://vault.example/#q", "http://192.168.1.7:8000",
  "http://localhost.example", "https://[::1", "javascript:alert(1)", "http://127.0.0.1.example",
])("no secret goes to a careless address: %s", (address) => {
  expect(() => new HttpTransport(address)).toThrow(ServerAddress);
});

test.each([
  ["https://Vault.Example", "vault.example"], ["https://vault.example:443/", "vault.example"],
  ["https://vault.example:8443", "vault.example:8443"], ["http://127.0.0.1:8000", "127.0.0.1:8000"],
  ["http://localhost", "localhost"], ["http://[::1]:9", "[::1]:9"], ["http://127.0.0.1:80", "127.0.0.1"],
])("the host of %s is spelled as signatures name it", (address, host) => {
  expect(new HttpTransport(address).host).toBe(host);
});

test("a request carries body, token and query, and nothing that a browser adds by itself", async () => {
  const seen: [string, RequestInit][] = [];
  const asking = new HttpTransport("https://vault.example", {
    fetch: async (url, init) => {
      seen.push([url, init]);
      return json({ old: 1, new: 2, proof: [] });
    },
  });
  await asking.ask("GET", "/v1/ledger/consistency", { token: TOKEN, query: { old: 1, new: 2 } });
  const [[url, init]] = seen as [[string, RequestInit]];
  expect(url).toBe("https://vault.example/v1/ledger/consistency?old=1&new=2");
  expect(init.headers).toEqual({ Authorization: `Bearer ${formatB64url(TOKEN)}` });
  expect(init).toMatchObject({
    credentials: "omit", cache: "no-store", redirect: "error", referrerPolicy: "no-referrer",
  });
});

test("what is said is spelled by its schema, exact bytes go as they are", async () => {
  const body = { K_id: new Uint8Array(32) };
  const dumped = dumpBody(endpoint("POST", "/v1/login/start"), body);
  expect(new TextDecoder().decode(dumped)).toBe(`{"K_id":"${"A".repeat(43)}"}`);
  const exact = new TextEncoder().encode('{"spelled" :  "oddly"}');
  const seen: number[][] = [];
  const asking = transport(async (request) => {
    seen.push([...new Uint8Array(await request.arrayBuffer())]);
    return problem("malformed");
  });
  await expect(asking.ask("POST", "/v1/login/start", { body })).rejects.toThrow(Refused);
  await expect(asking.ask("POST", "/v1/items", { body: exact })).rejects.toThrow(Refused);
  expect(seen).toEqual([[...dumped], [...exact]]);
});

test("bytes travel with the digest of each piece, once", async () => {
  const pieces = [new Uint8Array(300_000).fill(97), new Uint8Array([98])];
  const whole = concat(...pieces);
  const seen: Request[] = [];
  const sending = transport(async (request) => {
    seen.push(request);
    expect(isSame(new Uint8Array(await request.arrayBuffer()), whole)).toBe(true);
    return json({ blob: BLOB, size: 9, units: [], complete: false });
  });
  const digests = pieces.map((piece) => sha256(piece));
  const asking = { token: TOKEN, places: { blob: BLOB, first: 7 } };
  await sending.put("/v1/uploads/<id:blob>/units/<u32:first>", pieces, digests, asking);
  await sending.put("/v1/uploads/<id:blob>/units/<u32:first>", [whole], [sha256(whole)], asking);
  expect(seen.map((request) => request.url)).toEqual(Array(2).fill(`https://vault.example/v1/uploads/${BLOB}/units/7`));
  expect(seen[0]!.headers.get("Temoin-Unit-Digests")).toBe(`sha-256=:${formatB64(concat(...digests))}:`);
  expect(seen[0]!.headers.has("Content-Digest")).toBe(false);
  expect(seen[1]!.headers.get("Content-Digest")).toBe(`sha-256=:${formatB64(sha256(whole))}:`);
  const cut = transport(() => {
    seen.push(new Request("https://vault.example"));
    throw new TypeError("cut");
  });
  await expect(cut.put("/v1/blobs/<id:blob>", [whole], [sha256(whole)], asking)).rejects.toThrow(NetworkError);
  expect(seen.length).toBe(3);
});

test("a place that nobody filled, or that leads elsewhere, is no address", async () => {
  const asked: string[] = [];
  const asking = transport((request) => {
    asked.push(request.url);
    return problem("not_found");
  });
  await expect(asking.ask("GET", "/v1/uploads/<id:blob>")).rejects.toThrow(RangeError);
  await expect(asking.ask("GET", "/v1/uploads/<id:blob>", { places: { blob: "a?b#c" } })).rejects.toThrow(Refused);
  expect(asked).toEqual(["https://vault.example/v1/uploads/a%3Fb%23c"]);
  expect(() => endpoint("GET", "/v1/nothing")).toThrow(RangeError);
  expect(() => dumpBody(endpoint("GET", "/v1/vault"), {})).toThrow(RangeError);
});

const CODES = Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[];

test.each(CODES.filter((code) => code !== "internal" && code !== "unavailable"))(
  "the refusal %s keeps its code and sentence", async (code) => {
    const asking = transport(() => problem(code, { retry_after: 7, revisions: [1] }));
    const error = await asking.ask("GET", "/v1/vault").catch((caught: unknown) => caught) as Refused;
    expect(error).toBeInstanceOf(Refused);
    expect(error).toMatchObject({
      code, sentence: PROBLEMS[code].sentence, status: PROBLEMS[code].status, retryAfter: 7, extra: { revisions: [1] },
    });
  });

test.each([
  "", "{}", "null", "[]", '{"vault_id":1}', JSON.stringify({ ...VAULT, more: 1 }), `${JSON.stringify(VAULT)}x`,
  JSON.stringify({ ...VAULT, vault_id: `${"A".repeat(21)}B` }), JSON.stringify(VAULT).replace("{", '{"host":"x",'),
  JSON.stringify({ ...VAULT, argon_newest: 2 ** 60 }), JSON.stringify({ ...VAULT, argon_newest: true }),
])("an answer that breaks its schema is the vault's fault: %s", async (given) => {
  await expect(transport(() => new Response(given)).ask("GET", "/v1/vault")).rejects.toThrow(ServerFault);
});

test("an answer that is no text is the vault's fault", async () => {
  await expect(transport(() => new Response(Uint8Array.of(0xff))).ask("GET", "/v1/vault")).rejects.toThrow(ServerFault);
});

test.each([
  [500, "<html>", ServerFault], [404, "{}", ServerFault], [206, "", ServerFault], [502, "", NetworkError],
  [503, "busy", NetworkError], [504, "", NetworkError],
  [418, '{"type":"x","title":"x","status":418,"code":"teapot","detail":"x"}', ServerFault],
  [500, JSON.stringify({ type: "x", title: "x", status: 500, code: "internal", detail: "x" }), ServerFault],
  [404, JSON.stringify({ type: "x", title: "x", status: 404, code: "invalid", detail: "x" }), ServerFault],
  [404, JSON.stringify({ type: "x", title: "x", status: 404, code: "constructor", detail: "x" }), ServerFault],
] as const)("other failures are told apart: %i %s", async (status, body, error) => {
  await expect(transport(() => new Response(body, { status })).ask("GET", "/v1/vault")).rejects.toThrow(error);
});

test("an endless answer is not read to its end", async () => {
  let given = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      given += 1;
      controller.enqueue(new Uint8Array(1024 * 1024));
    },
  }, { highWaterMark: 0 });
  await expect(transport(() => new Response(endless)).ask("GET", "/v1/vault")).rejects.toThrow("does not end");
  expect(given * 1024 * 1024).toBeLessThanOrEqual(ANSWER + 2 * 1024 * 1024);
});

test("a repeatable request is tried a few times with longer waits", async () => {
  const waits: number[] = [];
  let count = 0;
  const asking = transport(() => {
    count += 1;
    if (count < TRIES) throw new TypeError("down");
    return json(VAULT);
  }, waits);
  expect((await asking.ask("GET", "/v1/vault")).host).toBe("vault.example");
  expect(waits).toEqual([500, 1000, 2000]);
  count = -10;
  await expect(asking.ask("GET", "/v1/vault")).rejects.toThrow(NetworkError);
  expect(count).toBe(-10 + TRIES);
});

test("a busy vault is asked again", async () => {
  const answers = [problem("unavailable"), json(VAULT)];
  expect((await transport(() => answers.shift()!).ask("GET", "/v1/vault")).argon_newest).toBe(1);
});

test("a guess is never spent twice", async () => {
  let count = 0;
  const asking = transport(() => {
    count += 1;
    throw new TypeError("slow");
  });
  const [x, sig] = [new Uint8Array(32), new Uint8Array(64)];
  const guesses = [
    asking.ask("POST", "/v1/pin", { body: { purpose: "login", x } }),
    asking.ask("POST", "/v1/login/finish", { body: { K_id: x, challenge: x, sig } }),
    asking.ask("POST", "/v1/confirm", { body: { challenge: x, sig, x } }),
    asking.ask("POST", "/v1/pin/reopen", { body: { rid: x, challenge: x, sig } }),
    asking.ask("POST", "/v1/recovery/finish", { body: { rid: x, challenge: x, sig } }),
  ];
  for (const guess of guesses) await expect(guess).rejects.toThrow(NetworkError);
  expect(count).toBe(guesses.length);
});

test("what is under way breaks off when the vault is closed, and nothing is asked after it", async () => {
  let count = 0;
  const asking = transport(({ signal }) => {
    count += 1;
    return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  });
  const [one, other] = [asking.ask("GET", "/v1/vault"), all(asking.read("/ledger/checkpoint"))];
  const ended = Promise.allSettled([one, other]);
  await vi.waitFor(() => expect(count).toBe(2));
  asking.close();
  for (const result of await ended) expect(result).toMatchObject({ status: "rejected", reason: { code: "network" } });
  await expect(asking.ask("GET", "/v1/vault")).rejects.toThrow(NetworkError);
  expect(count).toBe(2);
});

test("a vault that says nothing for a minute is given up", async () => {
  vi.useFakeTimers();
  try {
    const asking = transport(({ signal }) => new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    }));
    const asked = asking.ask("POST", "/v1/pin", { body: { purpose: "login", x: new Uint8Array(32) } });
    const said = asked.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(59_000);
    let isOver = false;
    void said.then(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(0);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await said).toBeInstanceOf(NetworkError);
  } finally {
    vi.useRealTimers();
  }
});

/** Serves ranges of `data`; the n-th answer ends after breaks[n] bytes. */
function blobHandler(data: Uint8Array, breaks: number[], seen: string[] = []): Handler {
  return (request) => {
    const range = request.headers.get("Range");
    seen.push(range ?? "whole");
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
    const start = Number(first ?? 0);
    const stop = last ? Math.min(Number(last) + 1, data.length) : data.length;
    const part = data.slice(start, stop);
    const headers = new Headers({ "Content-Length": String(part.length) });
    if (range !== null) headers.set("Content-Range", `bytes ${start}-${stop - 1}/${data.length}`);
    return new Response(part.slice(0, breaks.shift() ?? part.length), { status: range === null ? 200 : 206, headers });
  };
}

const DATA = Uint8Array.from({ length: 100 }, (_, place) => place);

describe("reading", () => {
  test.each([[0, null], [0, 10], [5, null], [5, 60], [50, 1000]] as const)(
    "goes on where it was: [%i, %s)", async (start, stop) => {
      const seen: string[] = [];
      const read = transport(blobHandler(DATA, [3, 0, 2], seen)).read("/v1/blobs/<id:blob>", start, stop, { places: { blob: BLOB } });
      expect(await all(read)).toEqual([...DATA.slice(start, stop ?? undefined)]);
      expect(seen.slice(1)).toEqual([3, 3, 5].map((gone) => `bytes=${start + gone}-${stop === null ? "" : stop - 1}`));
    });

  test("is given up when it never goes on", async () => {
    const waits: number[] = [];
    const reading = transport(blobHandler(DATA, Array.from({ length: 99 }, () => 0)), waits);
    await expect(all(reading.read("/v1/blobs/<id:blob>", 0, null, { places: { blob: BLOB } }))).rejects.toThrow(NetworkError);
    expect(waits.length).toBe(TRIES - 1);
  });

  test.each(["bytes 0-9/100", "bytes 10-25/100", "bytes */100", "", "bytes 10-18/100", "bytes 19-10/100"])(
    "refuses another range than asked for: %s", async (lie) => {
      const reply = () => new Response(new Uint8Array(10), { status: 206, headers: { "Content-Range": lie } });
      const read = transport(reply).read("/v1/blobs/<id:blob>", 10, 20, { places: { blob: BLOB } });
      await expect(all(read)).rejects.toThrow(ServerFault);
    });

  test("refuses a whole body in place of a range, and more bytes than were announced", async () => {
    const whole = transport(() => new Response(DATA)).read("/v1/blobs/<id:blob>", 10, 20, { places: { blob: BLOB } });
    await expect(all(whole)).rejects.toThrow(ServerFault);
    const headers = { "Content-Range": "bytes 10-19/100" };
    const more = transport(() => new Response(DATA, { status: 206, headers }));
    await expect(all(more.read("/v1/blobs/<id:blob>", 10, 20, { places: { blob: BLOB } }))).rejects.toThrow("more bytes");
  });

  test("says why the vault refused", async () => {
    const read = transport(() => problem("not_found")).read("/v1/blobs/<id:blob>", 0, null, { places: { blob: BLOB } });
    await expect(all(read)).rejects.toMatchObject({ code: "not_found" });
  });

  test("lets go of the rest when nobody wants it", async () => {
    let isCancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10)),
      cancel: () => void (isCancelled = true),
    });
    for await (const block of transport(() => new Response(endless)).read("/ledger/checkpoint")) {
      expect(block.length).toBe(10);
      break;
    }
    await vi.waitFor(() => expect(isCancelled).toBe(true));
  });
});
