// What there is to press in the end, in sight from the beginning. Knows: how much of the screen it may take. Refuses to
// know: what is pressed.

import type { ComponentChildren, JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** The part of the screen beyond which it would hide too much: where letters are large, or above a keyboard. */
const MOST = 0.25;

/** Stays at the lower edge as long as its place is further below; at its place alone where it is large, or `idle`: there
 * is nothing to press yet. `refused`: why what was pressed isn't done. */
export function InSight({ idle, refused, children }: {
  idle?: boolean; refused?: string | null; children: ComponentChildren;
}): JSX.Element {
  const bar = useRef<HTMLDivElement>(null);
  const fits = useFits(bar);
  const stays = fits && !idle;
  useEffect(() => {
    if (!stays) return;
    const element = bar.current!;
    const over = new AbortController();
    for (const kind of ["focusin", "click"]) {
      document.addEventListener(kind, (event) => uncover(event, element), { signal: over.signal });
    }
    return () => over.abort();
  }, [stays]);
  useEffect(() => {
    if (refused) bar.current?.scrollIntoView({ block: "nearest" });
  }, [refused, fits]);
  return (
    <div ref={bar} class={stays ? "in-sight stays" : "in-sight"}>
      {refused && <p class="error" role="alert">{refused}</p>}
      {children}
    </div>
  );
}

/** Whether something may stay in sight: it would not hide too much. */
export function useFits(bar: RefObject<HTMLElement | null>): boolean {
  const [fits, setFits] = useState(true);
  useLayoutEffect(() => {
    const element = bar.current!;
    const look = (): void => setFits(element.offsetHeight <= innerHeight * MOST);
    const watching = new ResizeObserver(look);
    watching.observe(element);
    addEventListener("resize", look);
    look();
    return () => {
      watching.disconnect();
      removeEventListener("resize", look);
    };
  }, []);
  return fits;
}

/** What is reached by keyboard, or was pressed where a part of it stood above the bar, is seen whole. A field where
 * somebody writes follows the caret, and no other place. */
function uncover({ type, target }: Event, bar: HTMLElement): void {
  if (!(target instanceof Element) || bar.contains(target)) return;
  if (type === "focusin" && !target.matches(":focus-visible")) return; // a finger is on its way: nothing moves beneath it
  const held = target.closest("main :is(label, a, button, summary, input, select)");
  (held?.closest("label") ?? held)?.scrollIntoView({ block: "nearest" });
}
