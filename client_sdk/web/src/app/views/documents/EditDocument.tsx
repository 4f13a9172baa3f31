// What is said about a document, changed. Knows: that this is a new version, and the one before stays readable.
// Refuses to know: the files: they never change.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { number, say } from "../../i18n.js";
import { askPin, Button, InSight, Notice, Problem, sentenceOf, Title, useHeld } from "../../parts/index.js";
import { go } from "../../router.js";
import { refreshItems, session, vault } from "../../state.js";
import type { FoundDraft, Item } from "../../../worker/api.js";
import { type Begun, Offered, Outdated, Unopened } from "../journal/Drafts.js";
import { draftOf, tooLong } from "../journal/form.js";
import { cameBetween, kept as told } from "../journal/told.js";
import { isWaiting } from "../journal/useKeeper.js";
import { DocumentFields } from "./DocumentFields.js";
import { changesOf, formOf } from "./form.js";
import { useKeeping } from "./keeping.js";

/** `begun`: the drafts of it; another one takes the place of `resumed` by `onResume`. */
export function EditDocument(props: {
  item: Item; resumed: FoundDraft | null; begun: Begun; onResume: (draft: FoundDraft) => void; done: () => void;
}): JSX.Element {
  const { item, resumed, begun, onResume, done } = props;
  const before = useMemo(() => draftOf(item), []);
  const keeping = useKeeping(item, resumed, formOf(resumed?.draft ?? before, item.sensitive), begun.found);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const [waits, setWaits] = useState<unknown>(null);
  useHeld(busy);

  const save = async (): Promise<void> => {
    const form = keeping.newest();
    const long = tooLong(form.fields);
    if (long) return setRefused(say(`documents.long.${long.field}`, { limit: number(long.limit) }));
    const changes = changesOf(before, form);
    if (Object.keys(changes).length === 0) return setRefused(say("documents.edit.unchanged"));
    const opened = session.peek();
    setBusy(true);
    setError(null);
    setRefused(null);
    await keeping.keeper.flush();
    try {
      if (item.sensitive && !(await askPin())) return setBusy(false);
      const kept = await vault().editEntry(item.id, changes, [], keeping.keeper.slot);
      keeping.end();
      if (session.peek() !== opened) return;
      await refreshItems();
      if (!keeping.here.current) return;
      const conflict = kept.conflict || cameBetween(resumed?.revision ?? item.revision, kept);
      told.value = { id: kept.id, revision: kept.revision, conflict };
      if (conflict) go("history", kept.id, true);
      else done();
    } catch (failed) {
      setBusy(false);
      if (isWaiting(failed)) {
        keeping.end();
        setWaits(failed);
      } else setError(failed);
    }
  };

  if (waits !== null) {
    return (
      <>
        <Title key="waits">{say("documents.edit.name")}</Title>
        <Notice><p>{say("documents.edit.waits")}</p><p>{sentenceOf(waits)}</p></Notice>
        <p class="actions"><Button onClick={done}>{say("documents.edit.back")}</Button></p>
      </>
    );
  }
  return (
    <>
      <Title>{say("documents.edit.name")}</Title>
      <p class="hint">{say("documents.edit.versions")}</p>
      <Unopened count={begun.unopened} />
      <Outdated item={item} resumed={resumed} />
      <Offered
        begun={begun} said="documents.drafts.changes" but={resumed?.slot ?? null} since={keeping.keeper.saved.value}
        onResume={(draft) => void keeping.keeper.leave(begun.found).then((kept) => kept && onResume(draft))}
      />
      <form
        class="write" inert={busy} autocomplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void save();
        }}
      >
        <DocumentFields keeping={keeping} title="" />
        <Problem error={error} />
        {error !== null && <p class="hint">{say("documents.edit.still_here")}</p>}
        <InSight refused={refused}>
          <p class="actions"><Button type="submit" busy={busy}>{say("documents.edit.keep")}</Button></p>
        </InSight>
        <p class="actions"><Button plain onClick={done}>{say("documents.edit.leave")}</Button></p>
      </form>
      <div role="status">{busy && <p class="waiting">{say("documents.edit.saving")}</p>}</div>
    </>
  );
}
