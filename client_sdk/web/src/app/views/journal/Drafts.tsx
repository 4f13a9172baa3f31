// What was begun and not kept yet: to go on with, or to throw away. Knows: drafts, and that none is dropped in silence.
// Refuses to know: what is in them, but for their first words; and files: they are in no draft, and are picked again.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { moment, say } from "../../i18n.js";
import { askPin, Button, Notice, Problem, Sure } from "../../parts/index.js";
import { address } from "../../router.js";
import { sensitiveUntil, vault } from "../../state.js";
import type { FoundDraft, Id, Item, Kind } from "../../../worker/api.js";
import { titleOf } from "./facts.js";

export interface Begun {
  /** Null until they are read. */
  readonly drafts: readonly FoundDraft[] | null;
  /** Why they could not be read. */
  readonly unread: unknown;
  /** How many there are that don't open here, whatever they are about. */
  readonly unopened: number;
  readonly drop: (slot: Id) => Promise<void>;
  /** What lies there now, of whatever kind, beside what is being written. */
  readonly found: (drafts: readonly FoundDraft[]) => void;
}

/** The drafts about an item, or about new ones of a kind. */
export function useDrafts(of: { readonly item: Id | null } | { readonly kind: Kind }): Begun {
  const [drafts, setDrafts] = useState<readonly FoundDraft[] | null>(null);
  const [unread, setUnread] = useState<unknown>(null);
  const [unopened, setUnopened] = useState(0);
  const open = sensitiveUntil.value !== null;
  const item = "item" in of ? of.item : null, kind = "kind" in of ? of.kind : null;
  const isAbout = (one: FoundDraft): boolean => one.item === item && (kind === null || one.kind === kind);
  useEffect(() => {
    let here = true;
    vault().unopenedDrafts().then((count) => here && setUnopened(count), () => undefined); // the same fails below
    vault().drafts().then(
      (found) => {
        if (!here) return;
        const about = found.filter(isAbout);
        // Read again since the PIN opens them: what has come meanwhile is what is being written in this very view.
        setDrafts((known) => (
          known === null ? about : about.filter(({ slot }) => known.some((one) => one.slot === slot))
        ));
      },
      (failed: unknown) => here && setUnread(failed),
    );
    return () => {
      here = false;
    };
  }, [kind, item, open]);
  const drop = async (slot: Id): Promise<void> => {
    await vault().dropDraft(slot);
    setDrafts((all) => all && all.filter((draft) => draft.slot !== slot));
  };
  return { drafts, unread, unopened, drop, found: (all) => setDrafts(all.filter(isAbout)) };
}

/** Drafts to go on with, or to throw away, after a question. `said`: the key of how many there are; `but`: the one
 * that is gone on with already; `since`: when what is being written was kept last, if it was. */
export function Offered(props: {
  begun: Begun; said: string; but: Id | null; since?: number | null; onResume: (draft: FoundDraft) => void;
}): JSX.Element {
  const { begun: { drafts, unread, drop }, said, but, since = null, onResume } = props;
  const [asked, setAsked] = useState<Id | null>(null);
  const offered = (drafts ?? []).filter(({ slot }) => slot !== but);
  const newer = since !== null && offered.some(({ saved }) => saved > since);
  const dropping = offered.find(({ slot }) => slot === asked);
  return (
    <>
      <Problem error={unread} />
      <div role="status">{newer && <Notice care><p>{say("journal.drafts.newer")}</p></Notice>}</div>
      {offered.length > 0 && (
        <section class="notice offered not-on-paper" aria-label={say("journal.drafts.title")}>
          <p><b>{say(said, { count: offered.length })}</b></p>
          <ul>
            {offered.map((draft) => (
              <li key={draft.slot}>
                <Which draft={draft} />
                <p class="actions">
                  <Button plain onClick={() => void resume(draft, onResume)}>
                    {say("journal.drafts.resume")}<Of draft={draft} />
                  </Button>
                  <Button plain onClick={() => setAsked(draft.slot)}>{say("journal.drafts.drop")}<Of draft={draft} /></Button>
                </p>
              </li>
            ))}
          </ul>
        </section>
      )}
      {dropping !== undefined && (
        <Sure
          title={say("journal.drafts.drop_title")} leave={say("journal.drafts.drop_leave")}
          yes={say("journal.drafts.drop_sure")} onLeave={() => setAsked(null)}
          onYes={() => drop(dropping.slot)}
        >
          <Which draft={dropping} />
          <p>{say("journal.drafts.drop_means")}</p>
        </Sure>
      )}
    </>
  );
}

/** Drafts that can't be read here: nobody takes them for lost, nor looks for them among the others. */
export function Unopened({ count }: { count: number }): JSX.Element {
  return <>{count > 0 && <Notice care><p>{say("journal.drafts.unopened", { count })}</p></Notice>}</>;
}

/** Said of a draft that somebody began before the version that is kept now. */
export function Outdated({ item, resumed }: { item: Item | null; resumed: FoundDraft | null }): JSX.Element {
  const begunOn = resumed?.revision ?? null;
  if (item === null || begunOn === null || begunOn >= item.revision) return <></>;
  return (
    <Notice care>
      <p>
        {say("journal.drafts.outdated")}{" "}
        <a href={address("history", item.id)}>{say("journal.history.name")}</a>
      </p>
    </Notice>
  );
}

function Which({ draft }: { draft: FoundDraft }): JSX.Element {
  return (
    <p>
      {draft.locked ? say("journal.state.locked") : titleOf({ ...draft.draft, kind: draft.kind })}{" "}
      <span class="hint">{say("journal.drafts.kept_on", { moment: moment(draft.saved) })}</span>
    </p>
  );
}

function Of({ draft }: { draft: FoundDraft }): JSX.Element {
  return <span class="unseen"> ({moment(draft.saved)})</span>;
}

async function resume(draft: FoundDraft, onResume: (draft: FoundDraft) => void): Promise<void> {
  if (!draft.locked) return onResume(draft);
  if (!(await askPin())) return;
  onResume((await vault().drafts()).find(({ slot }) => slot === draft.slot) ?? draft);
}
