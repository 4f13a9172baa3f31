// What there is to press in the end, in sight from the beginning. Knows: how much of the screen it may take. Refuses to
// know: what is pressed.

import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** The part of the screen beyond which it would hide too much: where letters are large, or above a keyboard. */
const MOST = 0.3;

/** Stays at the lower edge as long as its place is further below; at its place alone where it is large, or `idle`: there
 * is nothing to press yet. */
export function InSight({ idle, children }: { idle?: boolean; children: ComponentChildren }): JSX.Element {
  const bar = useRef<HTMLDivElement>(null);
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
  return <div ref={bar} class={fits && !idle ? "in-sight stays" : "in-sight"}>{children}</div>;
}
