// A file that this browser can't show. Knows: that it is whole nevertheless, and what can be done.
// Refuses to know: why, but for a password.

import type { JSX } from "preact";
import { say } from "../../i18n.js";

/** `locked`: it asks for a password of its own. */
export function NotShown({ locked }: { locked?: boolean }): JSX.Element {
  return <p class="notice" role="status">{say(locked ? "documents.file.locked" : "documents.file.cannot")}</p>;
}
