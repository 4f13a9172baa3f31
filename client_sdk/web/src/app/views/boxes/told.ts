// How a box and what waits in it are called, and the address of one deposit in the router. Knows: names, sizes, ids.
// Refuses to know: what is inside.

import { say, size } from "../../i18n.js";
import type { KeptBox, Waiting } from "../../../worker/boxes.js";
import type { Id } from "../../../worker/api.js";

export function nameOf({ name }: KeptBox): string {
  return name ?? say("boxes.unreadable");
}

/** How much waits. */
export function waitingOf(count: number): string {
  return count === 0 ? say("boxes.nothing") : say("boxes.waiting", { count });
}

/** About how much waits: sealed bytes are a little more than what was sent. */
export function muchOf({ files }: Waiting): string {
  if (files.length === 0) return say("boxes.words_only");
  return say("boxes.files", { count: files.length, size: size(files.reduce((sum, one) => sum + one, 0)) });
}

/** What the view of one deposit is about. */
export function formatPlace(box: Id, deposit: Id): string {
  return `${box} ${deposit}`;
}

export function parsePlace(id: string): readonly [box: Id, deposit: Id] {
  const [box = "", deposit = ""] = id.split(" ");
  return [box, deposit];
}
