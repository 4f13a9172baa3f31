// The end of a link that somebody was given: out of the address in the moment in which it is met, and into memory.
// Knows: how it begins. Refuses to know: what it opens; the worker is told it once, and then nobody here has it.
//
// What is in a fragment travels in no request, but stays in what a browser shows, and in its history: replaced, the
// address names a view and no secret. Of what a browser has noted before any script ran, nobody can take it back.

import { signal } from "@preact/signals";

const MARK = "#b";

/** What was taken, until the worker has it; null where there is none. */
export const met = signal<string | null>(null);

/** Takes it, if there is one; `instead` is what the address says from then on. */
export function takeLink(instead: string): void {
  const { hash } = location;
  if (!hash.startsWith(MARK)) return;
  history.replaceState(history.state, "", location.pathname + location.search + instead);
  met.value = hash;
}
