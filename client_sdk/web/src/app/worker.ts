// Starts the vault's worker and speaks with it.
// Knows: comlink, and that what was asked of an ended worker is answered by an error. Refuses to know: what is asked.

import { proxy, wrap } from "comlink";

import type { VaultApi } from "../worker/api.js";
import { Failure, throwProblems } from "../worker/problems.js";
import WORKER from "../worker/vault.worker.ts?worker&url";
import { trusted } from "./trusted.js";
import type { Running } from "./vault.js";

/** The worker, started. If its file can't be had, every call rejects with `network`. */
export function startWorker(): Running {
  prepare();
  const worker = new Worker(trusted(WORKER), { type: "module" });
  const remote = wrap<VaultApi>(worker) as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
  const asked = new Set<(error: unknown) => void>();
  const end = (code: string): void => {
    worker.terminate();
    const rejects = [...asked];
    asked.clear();
    for (const reject of rejects) reject(new Failure({ code, detail: "ended", retryAfter: null, extra: {} }));
  };
  worker.addEventListener("error", (event) => {
    if (!(event instanceof ErrorEvent)) end("network"); // its file didn't come; an error inside of it has words
  });
  const ask = (name: string, given: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      asked.add(reject);
      const told = given.map((one) => (typeof one === "function" ? proxy(one) : one));
      remote[name]!(...told).then(resolve, reject).finally(() => asked.delete(reject));
    });
  const api = new Proxy({} as VaultApi, {
    get: (_, name) => (name === "then" ? undefined : (...given: unknown[]) => ask(String(name), given)),
  });
  return { api, end: () => end("not_open") };
}

let prepared = false;

function prepare(): void {
  if (!prepared) throwProblems();
  prepared = true;
}
