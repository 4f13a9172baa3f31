// The one worker in which everything with a key runs, as the page holds it.
// Knows: when it begins (somebody logs in or signs up), and that ending it leaves no key.
// Refuses to know: what is asked and answered, and whether a worker answers or a twin of it (worker.ts is the worker).

import type { Notice, VaultApi } from "../worker/api.js";

/** A vault that can be asked, until it is ended. */
export interface Running {
  readonly api: VaultApi;
  /** Forgets every key at once. What was asked and not answered yet rejects with `not_open`. */
  end(): void;
}

let starter: (() => Running) | null = null;
let running: Running | null = null;

/** Says how a vault is started: the worker, or a twin of it. */
export function startWith(start: () => Running): void {
  starter = start;
}

/** The vault that runs; it is started if none does. `listener` hears what it tells, and nothing of one that was ended: that
 * may name what was being read. */
export function beginVault(listener: (notice: Notice) => void): VaultApi {
  if (running === null) {
    if (starter === null) throw new Error("nothing to start");
    const begun = running = starter();
    begun.api.listen((notice) => { if (running === begun) listener(notice); }).catch(endVault);
  }
  return running.api;
}

/** Whether there is anything to end. */
export function isRunning(): boolean {
  return running !== null;
}

/** Ends the vault: no key is left. */
export function endVault(): void {
  const ended = running;
  running = null;
  ended?.end();
}
