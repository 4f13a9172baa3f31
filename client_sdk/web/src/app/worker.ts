// Starts the vault's worker and speaks with it.
// Knows: comlink, and that what was asked of an ended worker is answered by an error. Refuses to know: what is asked.

import { proxy, wrap } from "comlink";

import type { VaultApi } from "../worker/api.js";
import { Failure, throwProblems } from "../worker/problems.js";
import WORKER from "../worker/vault.worker.ts?worker&url";
import { trusted } from "./trusted.js";
import type { Running } from "./vault.js";

/** The worker, started. If its file can't be had, every call rejects with `network`; once it has ended, so does what is
 * asked later, at once: nobody would answer, and what was given would stay in memory. Throws or rejects with
 * `browser_unfit` where it can't run: an old browser, or one that was told to forbid what it needs. */
export function startWorker(): Running {
  prepare();
  if (typeof Worker === "undefined" || typeof WebAssembly === "undefined") throw unanswered("browser_unfit");
  const worker = new Worker(trusted(WORKER), { type: "module" });
  const remote = wrap<VaultApi>(worker) as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
  const asked = new Set<(error: unknown) => void>();
  let ended: string | null = null;
  const end = (code: string): void => {
    ended = code;
    worker.terminate();
    const rejects = [...asked];
    asked.clear();
    for (const reject of rejects) reject(unanswered(code));
  };
  let runs = false;
  worker.addEventListener("message", () => (runs = true), { once: true });
  worker.addEventListener("error", (event) => {
    if (!(event instanceof ErrorEvent)) end("network"); // its file didn't come; an error inside of it has words
    else if (!runs) end("browser_unfit"); // its file came, and isn't understood
  });
  const ask = (name: string, given: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (ended !== null) return reject(unanswered(ended));
      asked.add(reject);
      const told = given.map((one) => (typeof one === "function" ? proxy(one) : one));
      remote[name]!(...told).then(resolve, reject).finally(() => asked.delete(reject));
    });
  const api = new Proxy({} as VaultApi, {
    get: (_, name) => (name === "then" ? undefined : (...given: unknown[]) => ask(String(name), given)),
  });
  return { api, end: () => end("not_open") };
}

function unanswered(code: string): Failure {
  return new Failure({ code, detail: "ended", retryAfter: null, extra: {} });
}

let prepared = false;

function prepare(): void {
  if (!prepared) throwProblems();
  prepared = true;
}
