// What was done in one view and is told in the next: that something was kept, or deleted. Knows: ids and times.
// Refuses to know: what anybody wrote.

import { signal } from "@preact/signals";
import type { Deletion, Id, Kept } from "../../../worker/api.js";

export const kept = signal<{ readonly id: Id; readonly revision: number; readonly conflict: boolean } | null>(null);
export const deleted = signal<Pick<Deletion, "id" | "erasedAfter"> | null>(null);

/** Whether a version that nobody saw here was kept meanwhile: what was written here went on top of it. `base`: the one
 * that was changed, null for none. */
export function cameBetween(base: number | null, { revision }: Kept): boolean {
  return base !== null && revision > base + 1;
}
