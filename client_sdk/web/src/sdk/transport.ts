// The only socket: requests out, answers in, checked against the wire's schemas.
// Knows: fetch, the table of endpoints, how often to try again. Refuses to know: keys, and what is inside the bytes.
//
// Nothing is ever sent after a redirect, nor without TLS except to this very device. A request that may be repeated
// (the table below) is, a few times, when no answer came; whatever else fails is the caller's to judge. A token
// travels in the Authorization header alone; no cookie, no referrer, no cache.

import * as v from "valibot";

import { concat, formatB64, formatB64url, formatJson, parseJson } from "../crypto_core/encoding.js";
import { MalformedError } from "../crypto_core/errors.js";
import {
  ENDPOINTS, JSON, OCTETS, type Answer, type Body, type Endpoint, type Method, type Path,
} from "../schemas/endpoints.js";
import { dump } from "../schemas/fields.js";
import { PROBLEMS } from "../schemas/problems.js";
import { Problem } from "../schemas/vault.js";
import { NetworkError, Refused, ServerAddress, ServerFault } from "./errors.js";

/** The largest JSON answer that is read: a full page of a sync in base64url is smaller. */
export const ANSWER = 32 * 1024 * 1024;
export const TRIES = 4;
/** A second try of these would spend a challenge or a guess: the person decides. All others are idempotent. */
const ONCE: ReadonlySet<string> = new Set([
  "POST /v1/login/finish", "POST /v1/pin", "POST /v1/pin/reopen", "POST /v1/confirm", "POST /v1/recovery/finish",
  "POST /v1/links/<id:bundle>",
]);
/** How long nothing may come; a body has a second more for each 16 KiB, since its progress can't be seen. */
const PATIENCE_MS = 60_000;
const SLOWEST_BYTES_PER_MS = 16.384;
const PLACE = /<\w+:(\w+)>/g;
const CONTENT_RANGE = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/;
const PROBLEM_FIELDS: ReadonlySet<string> = new Set(["type", "title", "status", "code", "detail", "retry_after"]);

/** What fills a path's places: ids and tiles as they are spelled, numbers. */
export type Places = Readonly<Record<string, string | number>>;

export interface Asking {
  readonly token?: Uint8Array | null;
  readonly places?: Places;
  /** Breaks off bytes that are on their way. */
  readonly signal?: AbortSignal | null;
}

export interface AskingJson<B> extends Asking {
  /** What is said, or the exact bytes. */
  readonly body?: B | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number>>;
}

/** What the SDK needs of a connection to one vault. Throws Refused, NetworkError and ServerFault. */
export interface Transport {
  /** The host as signatures name it: lower case, with the port unless it is the default. */
  readonly host: string;

  /** One JSON request to an endpoint of the table; `path` as it stands there, `places` fills it.
   *
   * A body in bytes is sent as it is. What comes back has passed the endpoint's schema. */
  ask<M extends Method, P extends Path<M>>(method: M, path: P, asking?: AskingJson<Body<M, P>>): Promise<Answer<M, P>>;

  /** Bytes with the SHA-256 of each piece, tried once: the caller keeps what it has to send again. */
  put<P extends Path<"PUT">>(
    path: P, pieces: readonly Uint8Array[], digests: readonly Uint8Array[], asking: Asking,
  ): Promise<Answer<"PUT", P>>;

  /** The bytes [start, stop) of a body, or all of it; goes on where it was when a connection breaks. */
  read(path: Path<"GET">, start?: number, stop?: number | null, asking?: Asking): AsyncGenerator<Uint8Array, void>;

  /** Breaks off what is under way. */
  close(): void;
}

export interface Wire {
  /** Takes the network's place in tests. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Waits between tries, so many milliseconds. */
  readonly sleep?: (ms: number) => Promise<void>;
}

/** A Transport over HTTP. `baseUrl` is the page's own origin. Throws ServerAddress. */
export class HttpTransport implements Transport {
  readonly host: string;
  readonly #origin: string;
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly #sleep: (ms: number) => Promise<void>;
  readonly #open = new Set<AbortController>();
  #closed = false;

  constructor(baseUrl: string, wire: Wire = {}) {
    const url = vaultUrl(baseUrl);
    this.host = url.host;
    this.#origin = url.origin;
    this.#fetch = wire.fetch ?? ((target, init) => fetch(target, init));
    this.#sleep = wire.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  }

  close(): void {
    this.#closed = true;
    for (const abort of this.#open) abort.abort();
  }

  async ask<M extends Method, P extends Path<M>>(
    method: M, path: P, asking: AskingJson<Body<M, P>> = {},
  ): Promise<Answer<M, P>> {
    const row = endpoint(method, path);
    const body: object | null = asking.body ?? null;
    const content = body === null || body instanceof Uint8Array ? body : dumpBody(row, body);
    const kind = content === null ? {} : { "Content-Type": JSON };
    const sent = { ...authorization(asking.token), ...asking.headers, ...kind };
    const target = filled(path, asking.places ?? {}) + queried(asking.query ?? {});
    const once = async (): Promise<Answer<M, P>> => {
      const exchange = await this.#exchange(method, target, content, sent);
      return loaded(row, exchange.status, await exchange.collect()) as Answer<M, P>;
    };
    return ONCE.has(`${method} ${path}`) ? once() : this.#tried(once);
  }

  async put<P extends Path<"PUT">>(
    path: P, pieces: readonly Uint8Array[], digests: readonly Uint8Array[], asking: Asking,
  ): Promise<Answer<"PUT", P>> {
    const name = digests.length === 1 ? "Content-Digest" : "Temoin-Unit-Digests";
    const spelled = `sha-256=:${formatB64(concat(...digests))}:`;
    const sent = { ...authorization(asking.token), "Content-Type": OCTETS, [name]: spelled };
    // A Blob, since a tab keeps the bytes of a body until its garbage is collected: 260 MiB in a long upload.
    const content = new Blob([...pieces] as BlobPart[]);
    const exchange = await this.#exchange("PUT", filled(path, asking.places ?? {}), content, sent, asking.signal);
    return loaded(endpoint("PUT", path), exchange.status, await exchange.collect()) as Answer<"PUT", P>;
  }

  async *read(
    path: Path<"GET">, start = 0, stop: number | null = null, asking: Asking = {},
  ): AsyncGenerator<Uint8Array, void> {
    const target = filled(path, asking.places ?? {});
    let [position, left] = [start, TRIES];
    for (;;) {
      try {
        for await (const block of this.#blocks(target, position, stop, asking.token)) {
          position += block.length;
          left = TRIES;
          yield block;
        }
        return;
      } catch (error) {
        left -= 1;
        if (!(error instanceof NetworkError) || left === 0) throw error;
        await this.#sleep(pause(TRIES - left));
      }
    }
  }

  async *#blocks(
    target: string, start: number, stop: number | null, token?: Uint8Array | null,
  ): AsyncGenerator<Uint8Array, void> {
    const whole = start === 0 && stop === null;
    const range = whole ? {} : { Range: `bytes=${start}-${stop === null ? "" : stop - 1}` };
    const exchange = await this.#exchange("GET", target, null, { ...authorization(token), ...range });
    if (exchange.status >= 400) throw refusal(exchange.status, await exchange.collect());
    let left: number | null = null;
    try {
      left = expected(exchange, start, stop, whole);
    } catch (error) {
      exchange.end();
      throw error;
    }
    for await (const block of exchange.blocks()) {
      if (left !== null) left -= block.length;
      if (left !== null && left < 0) throw new ServerFault("more bytes than asked for");
      yield block;
    }
    if (left !== null && left > 0) throw new NetworkError("the answer ended early");
  }

  async #exchange(
    method: string, target: string, content: Uint8Array | Blob | null, headers: Readonly<Record<string, string>>,
    signal: AbortSignal | null = null,
  ): Promise<Exchange> {
    if (this.#closed || signal?.aborted) throw new NetworkError("closed");
    const abort = new AbortController();
    const breakOff = (): void => abort.abort();
    signal?.addEventListener("abort", breakOff);
    this.#open.add(abort);
    const size = content instanceof Blob ? content.size : content?.length ?? 0;
    const timer = setTimeout(() => abort.abort(), PATIENCE_MS + size / SLOWEST_BYTES_PER_MS);
    try {
      const response = await this.#fetch(`${this.#origin}${target}`, {
        method, headers, body: content as BodyInit | null, credentials: "omit", cache: "no-store", redirect: "error",
        referrerPolicy: "no-referrer", signal: abort.signal,
      });
      return new Exchange(response, abort, () => this.#open.delete(abort));
    } catch (error) {
      this.#open.delete(abort);
      throw new NetworkError(nameOf(error));
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", breakOff);
    }
  }

  async #tried<T>(once: () => Promise<T>): Promise<T> {
    for (let count = 1; count < TRIES; count += 1) {
      try {
        return await once();
      } catch (error) {
        const passing = error instanceof NetworkError || (error instanceof Refused && error.code === "unavailable");
        if (!passing || this.#closed) throw error;
        await this.#sleep(pause(count));
      }
    }
    return once();
  }
}

/** An answer while it is open. Everything that the network does wrong inside becomes a NetworkError. */
class Exchange {
  readonly #response: Response;
  readonly #abort: AbortController;
  readonly #ended: () => void;

  constructor(response: Response, abort: AbortController, ended: () => void) {
    this.#response = response;
    this.#abort = abort;
    this.#ended = ended;
  }

  get status(): number {
    return this.#response.status;
  }

  header(name: string): string {
    return this.#response.headers.get(name) ?? "";
  }

  /** The body, piece by piece; what has not come yet is let go of when the reading ends. Throws NetworkError. */
  async *blocks(): AsyncGenerator<Uint8Array, void> {
    const reader = this.#response.body?.getReader();
    try {
      while (reader !== undefined) {
        const { done, value } = await this.#read(reader);
        if (done) return;
        yield value;
      }
    } finally {
      reader?.releaseLock();
      this.end();
    }
  }

  /** Lets go of what has not come yet. */
  end(): void {
    this.#response.body?.cancel().catch(() => undefined);
    this.#abort.abort();
    this.#ended();
  }

  /** The whole body. Throws ServerFault if it does not end. */
  async collect(): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const block of this.blocks()) {
      pieces.push(block);
      size += block.length;
      if (size > ANSWER) throw new ServerFault("an answer that does not end");
    }
    return concat(...pieces);
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<ReadableStreamReadResult<Uint8Array>> {
    const timer = setTimeout(() => this.#abort.abort(), PATIENCE_MS);
    try {
      return await reader.read();
    } catch (error) {
      throw new NetworkError(nameOf(error));
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The row of the table. Throws RangeError for a row that isn't there: our mistake. */
export function endpoint(method: Method, path: string): Endpoint {
  const row = TABLE.get(`${method} ${path}`);
  if (row === undefined) throw new RangeError("no such endpoint");
  return row;
}

/** The bytes of a JSON request. They are kept where they are signed or may be sent again. */
export function dumpBody(row: Endpoint, body: object): Uint8Array {
  if (typeof row.takes !== "object" || row.takes === null) throw new RangeError("this endpoint takes no JSON");
  return formatJson(dump(row.takes, body));
}

/** What a JSON answer says. Throws ServerFault for anything that its schema does not allow. */
export function loadAnswer<S extends v.GenericSchema>(schema: S, data: Uint8Array): v.InferOutput<S> {
  try {
    return v.parse(schema, parseJson(data));
  } catch (error) {
    if (error instanceof MalformedError || error instanceof v.ValiError) {
      throw new ServerFault("an answer that its schema does not allow");
    }
    throw error;
  }
}

function loaded(row: Endpoint, status: number, data: Uint8Array): unknown {
  if (status >= 400) throw refusal(status, data);
  if (status !== 200 && status !== row.status) throw new ServerFault(`status ${status}`);
  let fault = new ServerFault("an answer that no schema knows");
  for (const schema of row.gives) {
    if (typeof schema === "string") continue;
    try {
      return loadAnswer(schema, data);
    } catch (error) {
      if (!(error instanceof ServerFault)) throw error;
      fault = error;
    }
  }
  throw fault;
}

function refusal(status: number, data: Uint8Array): Refused | ServerFault | NetworkError {
  let problem: Problem;
  try {
    problem = loadAnswer(Problem, data);
  } catch (error) {
    if (!(error instanceof ServerFault)) throw error;
    const isPassing = [502, 503, 504].includes(status);
    return isPassing ? new NetworkError(`status ${status}`) : new ServerFault(`status ${status}`);
  }
  const kind = Object.hasOwn(PROBLEMS, problem.code) ? PROBLEMS[problem.code as keyof typeof PROBLEMS] : undefined;
  if (kind === undefined || kind.status !== status || problem.code === "internal") {
    return new ServerFault(`status ${status}`);
  }
  const wait = problem["retry_after"];
  const extra = Object.fromEntries(Object.entries(problem).filter(([name]) => !PROBLEM_FIELDS.has(name)));
  return new Refused(problem.code, status, kind.sentence, Number.isSafeInteger(wait) ? (wait as number) : null, extra);
}

/** How many bytes the answer must have, where it says so. Throws ServerFault if it isn't what was asked for. */
function expected(answer: Exchange, start: number, stop: number | null, whole: boolean): number | null {
  if (answer.status !== (whole ? 200 : 206)) throw new ServerFault(`status ${answer.status}`);
  if (whole) {
    const length = answer.header("Content-Length");
    return /^\d{1,16}$/.test(length) ? Number(length) : null;
  }
  const [, first, last, size] = (CONTENT_RANGE.exec(answer.header("Content-Range")) ?? []).map(Number);
  if (first === undefined || last === undefined || size === undefined || first !== start) {
    throw new ServerFault("another range than asked for");
  }
  if (stop !== null && last !== Math.min(stop, size) - 1) throw new ServerFault("another range than asked for");
  return last + 1 - start;
}

function authorization(token: Uint8Array | null | undefined): Record<string, string> {
  return token === null || token === undefined ? {} : { Authorization: `Bearer ${formatB64url(token)}` };
}

function filled(path: string, places: Places): string {
  return path.replace(PLACE, (_place, name: string) => {
    const value = places[name];
    if (value === undefined) throw new RangeError(`nothing for ${name}`);
    return String(value).split("/").map(encodeURIComponent).join("/");
  });
}

function queried(query: Readonly<Record<string, string | number>>): string {
  const spelled = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString();
  return spelled === "" ? "" : `?${spelled}`;
}

function pause(count: number): number {
  return 250 * 2 ** count;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

function vaultUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new ServerAddress("not a URL");
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new ServerAddress("https://… was expected");
  if (url.username || url.password || url.search || url.hash || url.pathname !== "/") {
    throw new ServerAddress("an address is a host and perhaps a port, nothing more");
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) throw new ServerAddress("http to another device");
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

const TABLE: ReadonlyMap<string, Endpoint> = new Map(ENDPOINTS.map((row) => [`${row.method} ${row.path}`, row]));
