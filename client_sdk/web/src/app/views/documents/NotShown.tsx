// A file that this browser can't show. Knows: that it is whole nevertheless, and what can be done.
// Refuses to know: why.

import type { JSX } from "preact";
import { say } from "../../i18n.js";

export function NotShown(): JSX.Element {
  return <p class="notice" role="status">{say("documents.file.cannot")}</p>;
}
