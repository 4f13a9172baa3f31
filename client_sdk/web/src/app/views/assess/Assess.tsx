// Taking stock: the public questionnaire's sentences, ticked on this device. Knows: what is ticked while the view is
// shown. Refuses to know: anything beyond, unless the person chooses to keep it, sealed.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { lang, say } from "../../i18n.js";
import { Button, focusHeading, Notice, Problem, Tick, Title, useHeld } from "../../parts/index.js";
import { address, go } from "../../router.js";
import { refreshItems, session, vault } from "../../state.js";
import { EMPTY_DRAFT } from "../../../sdk/items.js";
import type { Draft, FoundDraft } from "../../../worker/api.js";
import { DangerScale } from "../journal/Danger.js";
import { type Begun, Offered, Unopened, useDrafts } from "../journal/Drafts.js";
import "../journal/journal.css";
import { kept as told } from "../journal/told.js";
import { isWaiting, useKeeper } from "../journal/useKeeper.js";
import { NAMES, Result } from "./Result.js";
import { answered, QUESTIONS, THEMES, weigh } from "./weigh.js";

/** Waits for the ticks that a lock may have interrupted, then shows the questionnaire with them. A draft has no field
 * for answers: it holds the names of the ticked questions as its tags, sealed as any draft. */
export default function Assess(): JSX.Element {
  const begun = useDrafts({ kind: "assessment" });
  const { drafts, unread } = begun;
  const [chosen, setChosen] = useState<FoundDraft | null>(null);
  const first = useRef<FoundDraft | null | undefined>(undefined);
  if (drafts === null && unread === null) return <Title>{say("assess.name")}</Title>;
  // What is open stays on the screen, whatever is found later.
  if (first.current === undefined) first.current = drafts?.find(({ locked }) => !locked) ?? null;
  const resumed = chosen ?? first.current;
  return <Questionnaire key={resumed?.slot} resumed={resumed} begun={begun} onResume={setChosen} />;
}

function Questionnaire({ resumed, begun, onResume }: {
  resumed: FoundDraft | null; begun: Begun; onResume: (draft: FoundDraft) => void;
}): JSX.Element {
  const [ticked, setTicked] = useState<ReadonlySet<string>>(() => new Set(resumed?.draft.tags ?? []));
  const [danger, setDanger] = useState<number | null>(resumed?.draft.danger ?? null);
  const [sensitive, setSensitive] = useState(resumed?.sensitive ?? false);
  const [shown, setShown] = useState(false);
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [waits, setWaits] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  useHeld(saving);
  const { keeper, change, end, here } = useKeeper(resumed, begun.found);
  const level = weigh(answered(ticked));
  useEffect(() => {
    if (shown) heading.current?.focus();
  }, [shown]);

  const noted = (ticks: ReadonlySet<string>, felt: number | null, behind: boolean): void => {
    setTicked(ticks);
    setDanger(felt);
    setSensitive(behind);
    change({
      item: null, revision: null, kind: "assessment", draft: { ...EMPTY_DRAFT, tags: [...ticks], danger: felt },
      sensitive: behind, empty: ticks.size === 0 && felt === null,
    });
  };
  const tick = (id: string, on: boolean): void => {
    const next = new Set(ticked);
    if (on) next.add(id);
    else next.delete(id);
    noted(next, danger, sensitive);
  };
  const clear = (): void => {
    noted(new Set(), null, false);
    setShown(false);
    focusHeading();
  };
  const keep = async (): Promise<void> => {
    const opened = session.peek();
    setSaving(true);
    setError(null);
    await keeper.flush();
    try {
      const draft: Draft = { ...EMPTY_DRAFT, title: say("assess.title"), text: inWords(ticked), danger };
      const kept = await vault().writeAssessment(draft, answered(ticked), { sensitive, files: [], slot: keeper.slot });
      end();
      if (session.peek() !== opened) return;
      await refreshItems();
      if (!here.current) return;
      told.value = { id: kept.id, revision: kept.revision, conflict: kept.conflict };
      go("assessment", kept.id, true);
    } catch (failed) {
      setSaving(false);
      if (isWaiting(failed)) {
        end();
        setWaits(true);
      } else setError(failed);
    }
  };

  return (
    <>
      <Title>{say("assess.name")}</Title>
      <p class="lead">{say("site.check.lead")}</p>
      <Notice><p>{say("assess.private")}</p></Notice>
      <Unopened count={begun.unopened} />
      <Offered
        begun={begun} said="assess.drafts" but={resumed?.slot ?? null} since={keeper.saved.value}
        onResume={(draft) => void keeper.leave(begun.found).then((kept) => kept && onResume(draft))}
      />
      <p class="tools"><a href={address("curve")}>{say("assess.curve.name")}</a></p>
      <form
        autocomplete="off" inert={saving}
        onSubmit={(event) => {
          event.preventDefault();
          if (shown) heading.current?.focus();
          setShown(true);
        }}
      >
        {THEMES.map(([theme, names]) => (
          <fieldset key={theme}>
            <legend>{names[lang.value]}</legend>
            {QUESTIONS.filter((question) => question.theme === theme).map(({ id, texts }) => (
              <Tick key={id} label={texts[lang.value]} checked={ticked.has(id)} onChange={(on) => tick(id, on)} />
            ))}
          </fieldset>
        ))}
        <DangerScale value={danger} onChange={(felt) => noted(ticked, felt, sensitive)} />
        <p class="actions">
          <Button type="submit">{say("site.check.show")}</Button>
          <Button plain onClick={clear}>{say("site.check.clear")}</Button>
        </p>
      </form>
      {shown && <Result level={level} heading={heading} />}
      {shown && !waits && (
        <section class="not-on-paper" inert={saving}>
          <h2>{say("assess.keep.title")}</h2>
          <p>{say("assess.keep.text")}</p>
          <Tick
            label={say("journal.sensitive.label")} hint={say("journal.sensitive.hint")} checked={sensitive}
            onChange={(behind) => noted(ticked, danger, behind)}
          />
          <Problem error={error} />
          {error !== null && <p class="hint">{say("assess.still_here")}</p>}
          <p class="actions"><Button busy={saving} onClick={() => void keep()}>{say("assess.keep.do")}</Button></p>
        </section>
      )}
      <div role="status">
        {saving && <p class="waiting">{say("journal.write.saving")}</p>}
        {waits && <Notice><p>{say("assess.waiting")}</p></Notice>}
      </div>
    </>
  );
}

/** What was ticked, for whoever reads it without the questions. */
function inWords(ticked: ReadonlySet<string>): string {
  const level = weigh(answered(ticked));
  const said = QUESTIONS.filter(({ id }) => ticked.has(id)).map(({ texts }) => `– ${texts[lang.value]}`);
  const lines = said.length > 0 ? said : [say("assess.none_ticked")];
  return [say(`site.check.${NAMES[level]}.title`), "", ...lines].join("\n");
}
