// Starts the vault's worker and speaks with it.
// Knows: comlink, the page's one policy of Trusted Types, and that what was asked of an ended worker is answered by an
// error. Refuses to know: what is asked.

import { proxy, wrap } from "comlink";

import type { VaultApi } from "../worker/api.js";
import { Failure, throwProblems } from "../worker/problems.js";
import WORKER from "../worker/vault.worker.ts?worker&url";
import type { Running } from "./vault.js";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): {
    createScriptURL(url: string): URL;
  };
}

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

let policy: ReturnType<TrustedTypes["createPolicy"]> | null = null;

/** The worker's address, under the page's one policy where the browser asks for one: no other script may be started. */
function trusted(address: string): URL | string {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  if (types === undefined) return address;
  policy ??= types.createPolicy("app", {
    createScriptURL: (url) => {
      if (url !== WORKER) throw new TypeError("not our worker");
      return url;
    },
  });
  return policy.createScriptURL(address);
}
