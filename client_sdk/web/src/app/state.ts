// What the page knows while the vault is open. Knows: one session's facts, as signals. Refuses to know: keys and
// passwords; `forget` lets go of everything, and nothing else of the page may hold what a person wrote.

import { computed, signal } from "@preact/signals";
import {
  ERASED, type Handed, type Item, type LostFile, type Notice, type Opening, type Recovering, type RecoveryWait, type Settled,
  type Unfinished, type VaultApi,
} from "../worker/api.js";
import { noteUpload, uploads } from "./uploads.js";

export interface Session {
  readonly vault: VaultApi;
  readonly username: string;
  readonly opening: Opening;
}

/** What somebody shared, while it is read; `vault` reads it, also where there is no session. */
export interface Reading {
  readonly vault: VaultApi;
  readonly shared: Handed;
}

/** Why nothing is open any more; `read`: only what somebody shared was, `put`: only somebody's box, `begun`: nothing was yet,
 * at the door; `erased`: everything is, or `perhaps_erased`. `kept`: whether what was being written is; null if nothing was. */
export interface Closed {
  readonly why:
    | "asked" | "idle" | "ended" | "unsure" | "read" | "put" | "begun" | "erased" | "perhaps_erased";
  readonly kept: boolean | null;
}

const STOP_NOTHING: readonly string[] = ["ledger_lags"];

export const session = signal<Session | null>(null);
export const reading = signal<Reading | null>(null);
/** Whether something is being put into somebody's box. */
export const putting = signal(false);
/** The newest revision of every item, as the last look brought it; null before the first. What was made of them to be
 * shared stands apart. */
export const items = signal<readonly Item[] | null>(null);
export const extracts = signal<readonly Item[]>([]);
/** Why the last look at the items brought nothing, null if it did. */
export const itemsError = signal<unknown>(null);
/** When the sensitive tier closes (ms since 1970), null while it is closed. */
export const sensitiveUntil = signal<number | null>(null);
export const warnings = signal<readonly string[]>([]);
/** How many versions the service had lost, and has again from this device since the space was opened. */
export const givenBack = signal(0);
/** Files that the service has lost, and that items go on without since the space was opened. */
export const lostFiles = signal<readonly LostFile[]>([]);
/** What came of ending a warning, for as long as the space is open; null where none was ended. */
export const settled = signal<Settled | null>(null);
/** Those of them that let nothing be edited or deleted; the others are told, and stop nothing. */
export const stopping = computed(() => warnings.value.filter((code) => !STOP_NOTHING.includes(code)));
/** Somebody has shown the recovery words; null where nobody has. */
export const recovering = signal<Recovering | null>(null);
/** How long they wait before they open anything; null while nobody has looked. */
export const recoveryWait = signal<RecoveryWait | null>(null);
export const waiting = signal(0);
export const reachable = signal(true);
/** This browser keeps nothing beyond this page: drafts go with it. */
export const forgetful = signal(false);
/** Files that were begun on this device and not finished, and that nobody is sending. */
export const unfinished = signal<readonly Unfinished[]>([]);
/** Up to which second the newest recording is sealed on this device, and in the vault. */
export const safe = signal<{ readonly id: string; readonly here: number; readonly kept: number } | null>(null);
/** How far a transfer has come, in bytes. */
export interface Transfer {
  readonly name: string;
  readonly done: number;
  readonly total: number;
}
/** What is on its way to the vault, and what is on its way from it. */
export const sending = signal<Transfer | null>(null);
export const fetching = signal<Transfer | null>(null);
/** What the last opening has to say, until it was read. */
export const unread = signal<Opening | null>(null);
export const closed = signal<Closed | null>(null);
/** Whether the vault has been asked to delete everything, and hasn't answered yet. */
export const erasing = signal(false);

/** What has to be done before the vault is locked: views that hold unsaved text keep their draft here. Each must read
 * what it keeps before it waits for anything, since the page is emptied meanwhile. */
export const beforeLock = new Set<() => Promise<void>>();

/** The open vault. Throws where there is none: a view that needs it is not shown then. */
export function vault(): VaultApi {
  if (session.value === null) throw new Error("locked");
  return session.value.vault;
}

/** A vault has opened. */
export function enter(opened: VaultApi, username: string, opening: Opening): void {
  session.value = { vault: opened, username, opening };
  closed.value = null;
  warnings.value = opening.warnings;
  givenBack.value = opening.givenBack;
  recovering.value = opening.recovery;
  waiting.value = opening.waiting;
  reachable.value = true;
  unread.value = opening;
  void refreshItems();
  void loadUnfinished();
  void lookForWait();
}

/** Looks anew for what was begun and not finished. Rejects never. */
export async function loadUnfinished(): Promise<void> {
  const open = session.value;
  if (open === null) return;
  const found = await open.vault.unfinished().catch(() => null);
  if (found !== null && session.value === open) unfinished.value = found;
}

/** Looks anew how long the recovery words wait. Rejects never. */
export async function lookForWait(): Promise<void> {
  const open = session.value;
  if (open === null) return;
  const found = await open.vault.recoveryWait().catch(() => recoveryWait.value);
  if (session.value === open) recoveryWait.value = found;
}

/** Looks anew whether somebody gets back in with the recovery words. Rejects never. */
export async function lookForRecovery(): Promise<void> {
  const open = session.value;
  if (open === null) return;
  const found = await open.vault.pendingRecovery().catch(() => recovering.value);
  if (session.value === open) recovering.value = found;
}

/** Reads all items anew: after a write, after a step-up, when another device wrote. Rejects never: see itemsError. */
export async function refreshItems(): Promise<void> {
  const open = session.value;
  if (open === null) return;
  try {
    const found = await open.vault.items();
    if (session.value !== open) return;
    items.value = found.filter(({ kind }) => kind !== "extract");
    extracts.value = found.filter(({ kind }) => kind === "extract");
    itemsError.value = null;
  } catch (error) {
    if (session.value === open) itemsError.value = error;
  }
}

/** What the vault tells by itself. `ended` is called where the session is over. */
export function hear(notice: Notice, ended: (why: Closed["why"]) => void): void {
  switch (notice.kind) {
    case "sensitive":
      sensitiveUntil.value = notice.open ? notice.until : null;
      void refreshItems();
      break;
    case "waiting":
      waiting.value = notice.count;
      break;
    case "network":
      reachable.value = notice.reachable;
      break;
    case "warnings":
      warnings.value = notice.codes;
      break;
    case "given_back":
      givenBack.value = notice.count;
      break;
    case "lost_files":
      lostFiles.value = notice.files;
      break;
    case "session_ended":
      ended(notice.code === ERASED ? "erased" : "ended");
      break;
    case "forgetful":
      forgetful.value = true;
      break;
    case "changed":
      void refreshItems();
      break;
    case "recording":
      if (safe.value?.id === notice.id) safe.value = { id: notice.id, here: notice.here, kept: notice.kept };
      break;
    case "progress": {
      const { name, done, total, found = 0, transfer = null } = notice;
      if (transfer !== null) return noteUpload(transfer, done, total, found);
      (notice.sending ? sending : fetching).value = done < total ? { name, done, total } : null;
    }
  }
}

/** Lets go of everything that was read. The session stays until `endSession`: what is being kept needs its vault. */
export function forgetRead(): void {
  reading.value = null;
  putting.value = false;
  items.value = null;
  extracts.value = [];
  itemsError.value = null;
  sensitiveUntil.value = null;
  warnings.value = [];
  givenBack.value = 0;
  lostFiles.value = [];
  settled.value = null;
  recovering.value = recoveryWait.value = null;
  waiting.value = 0;
  sending.value = null;
  fetching.value = null;
  uploads.value = [];
  unfinished.value = [];
  safe.value = null;
  unread.value = null;
  erasing.value = false;
  beforeLock.clear();
}

export function forget(): void {
  forgetRead();
  session.value = null;
}
