// Files that are sent, two at once, whatever view is shown. Knows: what becomes of each, what is tried again by itself,
// and after which failure the next has no better chance. Refuses to know: how a file is sealed and sent.

import { effect } from "@preact/signals";
import type { Id, Kept } from "../../../worker/api.js";
import { loadUnfinished, reachable, session, vault } from "../../state.js";
import { addUpload, changeUpload, removeUpload, uploads, type Course, type Upload } from "../../uploads.js";

/** `chosen`: nothing was begun. `taken_out`: it isn't to be kept, unless it is put back. */
export type Fate = { readonly kind: "chosen" | "taken_out" } | Course;

export interface Chosen {
  readonly key: number;
  readonly file: File;
  /** A small picture of it, null where there can be none. */
  readonly small: Blob | null;
  readonly fate: Fate;
}

export const CHOSEN: Fate = { kind: "chosen" };
export const TAKEN_OUT: Fate = { kind: "taken_out" };

/** Whether it still has to be sent. */
export function isOpen({ fate }: Chosen): boolean {
  return fate.kind === "chosen" || fate.kind === "failed";
}

/** What is about one file alone: the next one may well go. */
const OF_THE_FILE = ["file_unreadable", "file_changed", "too_large"];
const AT_ONCE = 2;
/** Milliseconds after which a cut file tries by itself, also if nobody has told that the network is back. */
const AGAIN = 30_000;

/** Sends what is open. `send` is given the number by which its transfer is told of; `tell` hears of each change, and of
 * `chosen` for what was not tried since it would fail alike. A file that is paused or cut is waited for, and the others
 * go on. Rejects never. */
export async function sendAll(
  all: readonly Chosen[], send: (one: Chosen, transfer: number) => Promise<Kept>,
  tell: (key: number, fate: Fate) => void,
): Promise<void> {
  const open = all.filter(isOpen);
  const begun = open.map((one) => [one, addUpload(one.file, one.small)] as const);
  const opened = session.peek();
  let stopped = false;
  await Promise.all(begun.map(async ([one, { key }]) => {
    const set = (course: Course): void => {
      changeUpload(key, { course });
      tell(one.key, course);
    };
    set({ kind: "queued" });
    const ended = await course(key, () => send(one, key), set, () => stopped || session.peek() !== opened);
    if (ended === null || ended.kind === "failed") removeUpload(key); // it stands where it was chosen
    if (ended === null) return tell(one.key, CHOSEN);
    if (ended.kind === "failed" && !OF_THE_FILE.includes(codeOf(ended.error))) stopped = true;
    set(ended);
  }));
  await loadUnfinished();
}

/** Stops a file where it is. */
export function pause({ key, course }: Upload): void {
  if (course.kind === "sending") void vault().pause(key).catch(() => undefined);
}

/** Lets go of a file that is paused or cut; what has arrived of it goes, too. */
export async function giveUp({ key, file, goOn }: Upload): Promise<void> {
  given.add(key);
  goOn?.();
  const { size, lastModified } = file;
  const begun = await vault().unfinished();
  const same = begun.filter((one) => one.size === size && one.changed === lastModified
    && (one.name === null || one.name === file.name));
  await Promise.all(same.map(({ id }) => vault().giveUp(id)));
  await loadUnfinished(); // who waited for the file may have looked before it was gone
}

/** Those that the person has let go of. */
const given = new Set<number>();

/** One file's way to its end; null if it was not tried, or was let go of. */
async function course(
  key: number, send: () => Promise<Kept>, set: (course: Course) => void, stopped: () => boolean,
): Promise<Course | null> {
  for (;;) {
    await turn();
    try {
      if (stopped() || given.has(key)) return null;
      changeUpload(key, { marks: [] });
      set({ kind: "sending" });
      const { id } = await send();
      return { kind: "kept", id };
    } catch (error) {
      if ((error as { extra?: { waiting?: unknown } }).extra?.waiting === true) return { kind: "waits" };
      const code = codeOf(error);
      if (code !== "network" && code !== "paused") return { kind: "failed", error };
      set({ kind: code === "network" ? "cut" : "paused" });
    } finally {
      over();
    }
    await goneOn(key);
    if (given.has(key)) return null;
    set({ kind: "queued" });
  }
}

/** Until the person, or the network, lets it go on. */
async function goneOn(key: number): Promise<void> {
  const cut = uploads.peek().find((one) => one.key === key)?.course.kind === "cut";
  await new Promise<void>((resolve) => {
    changeUpload(key, { goOn: resolve });
    if (cut) whenBack(resolve);
  });
  changeUpload(key, { goOn: null });
}

function whenBack(act: () => void): void {
  const over = new AbortController();
  const now = (): void => {
    over.abort();
    act();
  };
  addEventListener("online", now, { signal: over.signal });
  const timer = setTimeout(now, AGAIN);
  let missing = !reachable.peek();
  const stop = effect(() => {
    if (reachable.value && missing) queueMicrotask(now);
    missing ||= !reachable.value;
  });
  over.signal.addEventListener("abort", () => {
    clearTimeout(timer);
    stop();
  });
}

let sending = 0;
const queue: (() => void)[] = [];

async function turn(): Promise<void> {
  if (sending < AT_ONCE) sending += 1;
  else await new Promise<void>((resolve) => queue.push(resolve));
}

function over(): void {
  const next = queue.shift();
  if (next === undefined) sending -= 1;
  else next(); // it takes this one's place
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** The slot of a draft that described several files: it is needed until the last of them is kept. */
export async function dropDraft(slot: Id | null): Promise<void> {
  if (slot !== null) await vault().dropDraft(slot).catch(() => undefined);
}
