// What belongs together, folded away until it is wanted. Knows: that it is open at first if there is something in it.
// Refuses to know: what that is.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";

/** `shown`: open at first; from then on the person opens and closes it. */
export function More(props: { name: string; shown?: boolean; children: ComponentChildren }): JSX.Element {
  const [open] = useState(props.shown ?? false);
  return <details class="more" open={open}><summary>{props.name}</summary>{props.children}</details>;
}
