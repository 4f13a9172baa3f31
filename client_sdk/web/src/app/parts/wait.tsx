// A time to be waited for, counted down. Knows: clocks. Refuses to know: why.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { say } from "../i18n.js";
import { spelledWait } from "./index.js";

/** Seconds that are left of what an error says to wait; 0 where there is nothing to wait for. */
export function useWait(error: unknown): number {
  const seconds = (error as { retryAfter?: unknown } | null)?.retryAfter;
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (typeof seconds !== "number" || seconds <= 0) return setLeft(0);
    const until = Date.now() + seconds * 1000;
    const count = (): void => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000)));
    count();
    const ticking = setInterval(count, 1000);
    return () => clearInterval(ticking);
  }, [error]);
  return left;
}

/** How long it still takes; seen, but not read aloud each second. */
export function WaitLeft({ seconds }: { seconds: number }): JSX.Element | null {
  if (seconds === 0) return null;
  return <p class="wait-left" role="timer">{say("parts.again_in", { wait: spelledWait(seconds) })}</p>;
}
