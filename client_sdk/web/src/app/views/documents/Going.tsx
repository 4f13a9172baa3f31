// How far a transfer has come. Knows: the one that is under way. Refuses to know: what is in it.

import type { JSX } from "preact";
import { say, size } from "../../i18n.js";
import { fetching, sending } from "../../state.js";

/** A bar and words, of what is fetched or of what is `sent`; before it is known how far, what is being done. Not read
 * aloud at each step. */
export function Going({ said, sent }: { said: string; sent?: boolean }): JSX.Element {
  const at = (sent ? sending : fetching).value;
  return (
    <div class="going">
      <p class="waiting" role="status">{said}</p>
      {at !== null && (
        <>
          <progress value={at.done} max={at.total} aria-label={said} />
          <p class="hint">{say("documents.going", { done: size(at.done), total: size(at.total) })}</p>
        </>
      )}
    </div>
  );
}
