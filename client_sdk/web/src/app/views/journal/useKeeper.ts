// A draft keeper for as long as a view is shown. Knows: when a view goes and when the vault locks.
// Refuses to know: what is typed.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { beforeLock, vault } from "../../state.js";
import type { FoundDraft } from "../../../worker/api.js";
import { DraftKeeper, type Resumed, type Unkept } from "./keeper.js";

export interface Kept {
  readonly keeper: DraftKeeper;
  /** Something was typed. */
  readonly change: (draft: Unkept) => void;
  /** Whoever comes back to this tab is told if another one took the draft, or left one beside it; if it was taken, a lock
   * keeps nothing, and says so. */
  readonly look: () => Promise<void>;
  /** What was typed is kept elsewhere: its draft is gone, and a lock has nothing to wait for. */
  readonly end: () => void;
  /** Whether the view is still shown. */
  readonly here: { readonly current: boolean };
}

/** `resumed`: the draft that is gone on with, null for a new one. `beside` hears which others lie there whenever somebody
 * comes back to this tab. */
export function useKeeper(resumed: Resumed | null, beside?: (found: readonly FoundDraft[]) => void): Kept {
  const here = useRef(true);
  const hears = useRef(beside);
  hears.current = beside;
  const kept = useMemo((): Kept => {
    const keeper = new DraftKeeper(vault(), resumed);
    const keepNow = async (): Promise<void> => {
      if (!(await keeper.flush())) throw keeper.error.peek();
    };
    return {
      keeper, here,
      change: (draft) => {
        beforeLock.add(keepNow);
        keeper.change(draft);
      },
      look: async () => {
        const found = await keeper.look();
        if (keeper.state.peek() === "gone") beforeLock.delete(keepNow);
        if (found !== null && here.current) hears.current?.(found);
      },
      end: () => {
        beforeLock.delete(keepNow);
        keeper.end();
      },
    };
  }, []);
  useEffect(() => {
    here.current = true;
    const over = new AbortController();
    const look = (): void => {
      if (document.visibilityState === "visible") void kept.look();
    };
    for (const [target, kind] of [[document, "visibilitychange"], [window, "focus"]] as const) {
      target.addEventListener(kind, look, { signal: over.signal });
    }
    return () => {
      over.abort();
      here.current = false;
      void kept.keeper.flush().then((all) => all && kept.end());
    };
  }, []);
  return kept;
}

/** Whether a text that could not be sent is sealed in this device's outbox: its draft is gone by then. */
export function isWaiting(error: unknown): boolean {
  return (error as { extra?: { waiting?: unknown } } | null)?.extra?.waiting === true;
}
