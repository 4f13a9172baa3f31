// Whether what is typed is kept as a draft. Knows: that it is said only when it is so, and not at all in a browser that
// keeps nothing. Refuses to know: what is typed.

import type { JSX } from "preact";
import { say } from "../../i18n.js";
import { Notice, sentenceOf } from "../../parts/index.js";
import { forgetful } from "../../state.js";
import type { DraftKeeper } from "./keeper.js";

/** `kept`: the key of what is said of a draft that is kept. Not read aloud by itself: it changes at every pause. */
export function DraftMark({ keeper, kept }: { keeper: DraftKeeper; kept: string }): JSX.Element {
  const state = keeper.state.value;
  if (state === "failed") {
    return (
      <div class="notice care" role="alert">
        <p>{say("journal.draft.failed")} {sentenceOf(keeper.error.value)}</p>
      </div>
    );
  }
  const silent = state === "nothing" || state === "gone" || forgetful.value;
  return (
    <>
      <p class="draft-mark hint">{!silent && say(state === "kept" ? kept : "journal.draft.unsaved")}</p>
      <div role="status">{state === "gone" && <Notice care><p>{say("journal.draft.gone")}</p></Notice>}</div>
    </>
  );
}
