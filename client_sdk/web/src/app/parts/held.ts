// Who had the focus when a form became quiet has it again afterwards. Knows: that what is inert loses it.
// Refuses to know: what is done meanwhile.

import { useLayoutEffect, useRef } from "preact/hooks";

/** `quiet`: what is shown takes nothing for now. Whoever has gone elsewhere since stays there. */
export function useHeld(quiet: boolean): void {
  const held = useRef<Element | null>(null);
  if (quiet) held.current ??= document.activeElement; // it has it still: only what is drawn now takes it away
  useLayoutEffect(() => {
    if (quiet) return;
    const before = held.current;
    held.current = null;
    if (before instanceof HTMLElement && document.activeElement === document.body) before.focus();
  }, [quiet]);
}
