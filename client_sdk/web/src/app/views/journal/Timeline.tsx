// The journal: what is waiting first, then everything, the newest facts first. Knows: drafts, the outbox, items.
// Refuses to know: what is behind the PIN, until it is given.

import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { day, moment, say } from "../../i18n.js";
import { Button, focusHeading, Notice, Problem, Title, Waiting } from "../../parts/index.js";
import { address } from "../../router.js";
import { items, itemsError, lostFiles, refreshItems, sensitiveUntil, vault, waiting } from "../../state.js";
import { newestFirst } from "../../text/order.js";
import { NOT_READ } from "../../../sdk/items.js";
import type { FoundDraft, Item } from "../../../worker/api.js";
import { Unopened } from "./Drafts.js";
import { Facts, Prose, titleOf } from "./facts.js";
import "./journal.css";
import { LostFiles } from "./LostFiles.js";
import { Rows } from "./Rows.js";
import { deleted } from "./told.js";

export default function Timeline(): JSX.Element {
  const all = items.value;
  const sorted = useMemo(() => all && newestFirst(all), [all]);
  return (
    <>
      <Title>{say("journal.name")}</Title>
      <JustDeleted />
      <div role="status">
        {lostFiles.value.length > 0 && <Notice care><LostFiles files={lostFiles.value} /></Notice>}
      </div>
      <p class="actions"><a class="button" href={address("write")}>{say("journal.write.name")}</a></p>
      <nav class="tools" aria-label={say("journal.tools")}>
        <a href={address("calendar")}>{say("journal.calendar.name")}</a>
        <a href={address("curve")}>{say("assess.curve.name")}</a>
        <a href={address("deleted")}>{say("journal.deleted.name")}</a>
        <a href={address("shares")}>{say("share.list.name")}</a>
      </nav>
      <Problem error={itemsError.value} />
      <Unfinished />
      {sorted === null && itemsError.value === null && <Waiting>{say("journal.opening")}</Waiting>}
      {sorted?.length === 0 && <Empty />}
      {sorted !== null && sorted.length > 0 && <Rows items={sorted} months />}
    </>
  );
}

function Empty(): JSX.Element {
  return (
    <section class="empty">
      <h2>{say("journal.empty.title")}</h2>
      <p>{say("journal.empty.start")}</p>
      <p>{say("journal.empty.good")}</p>
      <p class="hint">{say("journal.empty.sealed")}</p>
    </section>
  );
}

/** Drafts, and what could not be sent yet. */
function Unfinished(): JSX.Element | null {
  const [drafts, setDrafts] = useState<readonly FoundDraft[]>([]);
  const [unsent, setUnsent] = useState<readonly Item[]>([]);
  const [unopened, setUnopened] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const count = waiting.value, open = sensitiveUntil.value;
  useEffect(() => {
    let shown = true;
    Promise.all([vault().drafts(), vault().waiting(), vault().unopenedDrafts()]).then(([found, sealed, others]) => {
      if (!shown) return;
      setDrafts(found.filter(({ kind }) => kind === "journal").sort((one, other) => other.saved - one.saved));
      setUnsent(sealed.filter(({ kind }) => !NOT_READ.includes(kind)));
      setUnopened(others);
    }).catch((failed: unknown) => shown && setError(failed));
    return () => {
      shown = false;
    };
  }, [count, open]);
  return (
    <>
      <Problem error={error} />
      <Unopened count={unopened} />
      {unsent.length > 0 && (
        <section class="unfinished">
          <h2>{say("journal.waiting.title")}</h2>
          <p class="hint">{say("journal.waiting.hint")}</p>
          <ul class="row-list">
            {unsent.map((item) => (
              <li key={`${item.id}.${item.revision}`} class="row">
                <Unsent item={item} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {drafts.length > 0 && (
        <section class="unfinished">
          <h2>{say("journal.drafts.title")}</h2>
          <ul class="row-list">
            {drafts.map((draft) => (
              <li key={draft.slot}>
                <a class="row" href={draft.item === null ? address("write", draft.slot) : address("edit", draft.item)}>
                  <span class="row-when">{say("journal.drafts.kept_on", { moment: moment(draft.saved) })}</span>{" "}
                  <b>{draft.locked ? say("journal.state.locked") : titleOf({ ...draft.draft, kind: draft.kind })}</b>
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** What waits is nowhere else: it can be read here in whole. */
function Unsent({ item }: { item: Item }): JSX.Element {
  if (item.state !== "open") return <b>{say(`journal.state.${item.state}`)}</b>;
  return (
    <details>
      <summary><b>{titleOf(item)}</b></summary>
      {item.text && <Prose text={item.text} />}
      <Facts item={item} />
    </details>
  );
}

/** What was just deleted, and how to have it back. */
function JustDeleted(): JSX.Element | null {
  const [error, setError] = useState<unknown>(null);
  const [restored, setRestored] = useState(false);
  const gone = deleted.value;
  useEffect(() => () => {
    deleted.value = null;
  }, []);
  const restore = async (): Promise<void> => {
    if (gone === null) return;
    try {
      await vault().restoreItem(gone.id);
      setRestored(true);
      deleted.value = null;
      focusHeading(); // the button has gone
      await refreshItems();
    } catch (failed) {
      setError(failed);
    }
  };
  return (
    <div role="status">
      {restored && <Notice><p>{say("journal.deleted.restored")}</p></Notice>}
      {gone && (
        <Notice>
          <p>{say("journal.deleted.done", { day: day(gone.erasedAfter) })}</p>
          <p class="actions"><Button plain onClick={() => void restore()}>{say("journal.deleted.undo")}</Button></p>
          <Problem error={error} />
        </Notice>
      )}
    </div>
  );
}
