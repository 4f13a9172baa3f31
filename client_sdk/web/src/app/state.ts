// What the page knows while the vault is open. Knows: one session's facts, as signals. Refuses to know: keys and
// passwords; `forget` lets go of everything, and nothing else of the page may hold what a person wrote.

import { signal } from "@preact/signals";
import type { Item, Opening, VaultApi } from "../worker/api.js";

export interface Session {
  readonly vault: VaultApi;
  readonly username: string;
  readonly opening: Opening;
}

export const session = signal<Session | null>(null);
/** The newest revision of every item, as the last look brought it; null before the first. */
export const items = signal<readonly Item[] | null>(null);
/** When the sensitive tier closes (ms since 1970), null while it is closed. */
export const sensitiveUntil = signal<number | null>(null);
export const warnings = signal<readonly string[]>([]);
export const waiting = signal(0);
export const reachable = signal(true);
export const progress = signal<{ readonly name: string; readonly done: number; readonly total: number } | null>(null);

/** What has to be done before the vault is locked: views that hold unsaved text keep their draft here. */
export const beforeLock = new Set<() => Promise<void>>();

/** The open vault. Throws where there is none: a view that needs it is not shown then. */
export function vault(): VaultApi {
  if (session.value === null) throw new Error("locked");
  return session.value.vault;
}

/** Reads all items anew: after a write, after a step-up, when another device wrote. */
export async function refreshItems(): Promise<void> {
  const open = session.value;
  if (open === null) return;
  const found = await open.vault.items();
  if (session.value === open) items.value = found;
}

export function forget(): void {
  session.value = null;
  items.value = null;
  sensitiveUntil.value = null;
  warnings.value = [];
  waiting.value = 0;
  progress.value = null;
  beforeLock.clear();
}
