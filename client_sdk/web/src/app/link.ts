// The end of a link that somebody was given: out of the address in the moment in which it is met, and into memory.
// Knows: how each kind begins, and which view it is for. Refuses to know: what it opens; the worker is told it once, and then nobody here has it.
//
// What is in a fragment travels in no request, but stays in what a browser shows, and in its history: replaced, the
// address names a view and no secret. Of what a browser has noted before any script ran, nobody can take it back.

import { signal } from "@preact/signals";

/** What was shared by a link, and the address of a box. */
const MARKS = { "#b": "link", "#d": "deposit" } as const;

/** What was taken, until the worker has it; null where there is none. */
export const met = signal<string | null>(null);

/** Takes it, if there is one; `address` gives what the address says from then on. */
export function takeLink(address: (view: (typeof MARKS)[keyof typeof MARKS]) => string): void {
  const { hash } = location;
  const mark = hash.slice(0, 2);
  if (!isMark(mark)) return;
  history.replaceState(history.state, "", location.pathname + location.search + address(MARKS[mark]));
  met.value = hash;
}

function isMark(mark: string): mark is keyof typeof MARKS {
  return Object.hasOwn(MARKS, mark);
}
