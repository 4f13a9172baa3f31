// Several files, sent one after the other. Knows: what becomes of each, and after which failure the next has no better
// chance. Refuses to know: how a file is sealed and sent.

import type { Id, Kept } from "../../../worker/api.js";

/** `waits`: all of it is sealed and its file sent; what names it lies in the outbox of this device. */
export type Fate =
  | { readonly kind: "chosen" }
  | { readonly kind: "sending" }
  | { readonly kind: "kept"; readonly id: Id }
  | { readonly kind: "waits" }
  | { readonly kind: "failed"; readonly error: unknown };

export interface Chosen {
  readonly key: number;
  readonly file: File;
  /** A small picture of it, null where there can be none. */
  readonly small: Blob | null;
  readonly fate: Fate;
}

export const CHOSEN: Fate = { kind: "chosen" };

/** Whether it still has to be sent. */
export function isOpen({ fate }: Chosen): boolean {
  return fate.kind === "chosen" || fate.kind === "failed";
}

/** What is about one file alone: the next one may well go. */
const OF_THE_FILE = ["file_unreadable", "file_changed", "too_large"];

/** Sends what is open, in order. `tell` hears of each change. Stops where the next would fail alike. Rejects never. */
export async function sendAll(
  all: readonly Chosen[], send: (one: Chosen, last: boolean) => Promise<Kept>, tell: (key: number, fate: Fate) => void,
): Promise<void> {
  const open = all.filter(isOpen);
  let clean = true;
  for (const { key } of open) tell(key, CHOSEN); // what went wrong before is not said twice
  for (const [place, one] of open.entries()) {
    tell(one.key, { kind: "sending" });
    try {
      const { id } = await send(one, clean && place === open.length - 1);
      tell(one.key, { kind: "kept", id });
    } catch (error) {
      const { code, extra } = error as { code?: string; extra?: { waiting?: unknown } };
      if (extra?.waiting === true) tell(one.key, { kind: "waits" });
      else {
        clean = false;
        tell(one.key, { kind: "failed", error });
        if (code === undefined || !OF_THE_FILE.includes(code)) return;
      }
    }
  }
}
