// What one view of sharing tells the next. Knows: which bundle is to be extended. Refuses to know: how.

import { signal } from "@preact/signals";
import type { Shared } from "../../../worker/sharing.js";

/** What is to be extended, from "what I share" to the view that shares. Ids and times, no content. */
export const extending = signal<Shared | null>(null);
