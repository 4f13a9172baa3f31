// What was begun and not kept yet: to go on with, or to throw away. Knows: drafts, and that none is dropped in silence.
// Refuses to know: what is in them, but for their first words.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { moment, say } from "../../i18n.js";
import { askPin, Button, Problem } from "../../parts/index.js";
import { go } from "../../router.js";
import { sensitiveUntil, vault } from "../../state.js";
import type { FoundDraft, Id, Kind } from "../../../worker/api.js";
import { titleOf } from "./facts.js";

/** The drafts of a kind about an item, or about new ones; null until they are read. */
export function useDrafts(kind: Kind, item: Id | null): {
  readonly drafts: readonly FoundDraft[] | null; readonly error: unknown; readonly drop: (slot: Id) => Promise<void>;
} {
  const [drafts, setDrafts] = useState<readonly FoundDraft[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const open = sensitiveUntil.value !== null;
  useEffect(() => {
    let here = true;
    vault().drafts().then(
      (found) => here && setDrafts(found.filter((draft) => draft.kind === kind && draft.item === item)),
      (failed: unknown) => here && setError(failed),
    );
    return () => {
      here = false;
    };
  }, [kind, item, open]);
  const drop = async (slot: Id): Promise<void> => {
    try {
      await vault().dropDraft(slot);
      setDrafts((all) => all && all.filter((draft) => draft.slot !== slot));
    } catch (failed) {
      setError(failed);
    }
  };
  return { drafts, error, drop };
}

/** Drafts to go on with, or to throw away, which is asked twice. Without `onResume`: goes to the view that writes. */
export function Offered(props: {
  drafts: readonly FoundDraft[]; drop: (slot: Id) => Promise<void>; unread: unknown;
  onResume?: (draft: FoundDraft) => void;
}): JSX.Element | null {
  const { drafts, drop, unread, onResume } = props;
  const [sure, setSure] = useState<Id | null>(null);
  if (unread !== null) return <Problem error={unread} />;
  if (drafts.length === 0) return null;
  return (
    <section class="notice offered" aria-label={say("journal.drafts.title")}>
      <p><b>{say("journal.drafts.offered", { count: drafts.length })}</b></p>
      <ul>
        {drafts.map((draft) => (
          <li key={draft.slot}>
            <p>
              {draft.locked ? say("journal.state.locked") : titleOf({ ...draft.draft, kind: draft.kind })}{" "}
              <span class="hint">{say("journal.drafts.kept_on", { moment: moment(draft.saved) })}</span>
            </p>
            <p class="actions">
              <Button plain onClick={() => void resume(draft, onResume)}>
                {say("journal.drafts.resume")}<Of draft={draft} />
              </Button>
              <Button plain onClick={() => (sure === draft.slot ? void drop(draft.slot) : setSure(draft.slot))}>
                {say(sure === draft.slot ? "journal.drafts.drop_sure" : "journal.drafts.drop")}<Of draft={draft} />
              </Button>
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Of({ draft }: { draft: FoundDraft }): JSX.Element {
  return <span class="unseen"> ({moment(draft.saved)})</span>;
}

async function resume(draft: FoundDraft, onResume?: (draft: FoundDraft) => void): Promise<void> {
  if (draft.locked && !(await askPin())) return;
  const open = draft.locked ? (await vault().drafts()).find(({ slot }) => slot === draft.slot) ?? draft : draft;
  if (onResume) onResume(open);
  else go("write", draft.slot);
}
