// What was begun about a document and not kept yet: to go on with, or to throw away. Knows: drafts of documents.
// Refuses to know: files: they are in no draft, and are picked again.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { moment, say } from "../../i18n.js";
import { askPin, Button, Problem } from "../../parts/index.js";
import { go } from "../../router.js";
import { sensitiveUntil, vault } from "../../state.js";
import type { FoundDraft, Id } from "../../../worker/api.js";

/** The drafts of a document, or of new ones; null until they are read. */
export function useDrafts(item: Id | null): { readonly drafts: readonly FoundDraft[] | null; readonly error: unknown } {
  const [drafts, setDrafts] = useState<readonly FoundDraft[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const open = sensitiveUntil.value !== null;
  useEffect(() => {
    let here = true;
    vault().drafts().then(
      (found) => here && setDrafts(found.filter((draft) => draft.kind === "document" && draft.item === item)),
      (failed: unknown) => here && setError(failed),
    );
    return () => {
      here = false;
    };
  }, [item, open]);
  return { drafts, error };
}

/** `onResume` null: goes to the view that adds a document. `but`: the draft that is gone on with already. */
export function Drafts(props: {
  item: Id | null; onResume: ((draft: FoundDraft) => void) | null; but?: Id | null;
}): JSX.Element | null {
  const { drafts, error } = useDrafts(props.item);
  const [sure, setSure] = useState<Id | null>(null);
  const [gone, setGone] = useState<readonly Id[]>([]);
  const [failed, setFailed] = useState<unknown>(null);
  const shown = (drafts ?? []).filter(({ slot }) => slot !== props.but && !gone.includes(slot));
  const resume = async (draft: FoundDraft): Promise<void> => {
    if (draft.locked && !(await askPin())) return;
    const open = draft.locked ? (await vault().drafts()).find(({ slot }) => slot === draft.slot) ?? draft : draft;
    if (props.onResume) props.onResume(open);
    else go("addDocument", draft.slot);
  };
  const drop = async (slot: Id): Promise<void> => {
    try {
      await vault().dropDraft(slot);
      setGone([...gone, slot]);
    } catch (refused) {
      setFailed(refused);
    }
  };
  return (
    <>
      <Problem error={error ?? failed} />
      {shown.length > 0 && (
        <section class="notice offered" aria-label={say("documents.drafts.title")}>
          <p>
            <b>{say(props.item ? "documents.drafts.changes" : "documents.drafts.new", { count: shown.length })}</b>
          </p>
          <ul>
            {shown.map((draft) => (
              <li key={draft.slot}>
                <p>
                  {draft.locked ? say("documents.locked.row") : draft.draft.title || draft.draft.text.slice(0, 80)}{" "}
                  <span class="hint">{say("documents.drafts.kept_on", { moment: moment(draft.saved) })}</span>
                </p>
                <p class="actions">
                  <Button plain onClick={() => void resume(draft)}>
                    {say("documents.drafts.resume")}<Of draft={draft} />
                  </Button>
                  <Button plain onClick={() => (sure === draft.slot ? void drop(draft.slot) : setSure(draft.slot))}>
                    {say(sure === draft.slot ? "documents.drafts.drop_sure" : "documents.drafts.drop")}
                    <Of draft={draft} />
                  </Button>
                </p>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Of({ draft }: { draft: FoundDraft }): JSX.Element {
  return <span class="unseen"> ({moment(draft.saved)})</span>;
}
