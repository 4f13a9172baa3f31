// How far a transfer has come. Knows: the one that is under way. Refuses to know: what is in it.

import type { JSX } from "preact";
import { say, size } from "../../i18n.js";
import { progress } from "../../state.js";

/** A bar and words; before it is known how far, what is being done. Not read aloud at each step. */
export function Going({ said }: { said: string }): JSX.Element {
  const at = progress.value;
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
