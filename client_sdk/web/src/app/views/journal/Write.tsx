// Where a person writes, anew or on top of what was written. Knows: that nothing that is typed may be lost, and when
// "kept" may be said. Refuses to know: keys, and what is worth writing.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { number, say } from "../../i18n.js";
import {
  askPin, Button, Field, InSight, More, Notice, Problem, sentenceOf, TextArea, Tick, Title, useHeld, Waiting,
} from "../../parts/index.js";
import { address, go } from "../../router.js";
import { forgetful, refreshItems, sensitiveUntil, session, vault } from "../../state.js";
import type { FoundDraft, Id, Item } from "../../../worker/api.js";
import { EditDocument } from "../documents/EditDocument.js";
import { type Picked, wantedOf } from "../documents/Picked.js";
import { dangerSaid, DangerScale } from "./Danger.js";
import { DraftMark } from "./DraftMark.js";
import { type Begun, Offered, Outdated, Unopened, useDrafts } from "./Drafts.js";
import { Files } from "./Files.js";
import {
  changesFrom, draftIn, draftOf, EMPTY_FIELDS, type Fields, fieldsOf, happenedIn, isEmpty, LIMITS, tooLong,
} from "./form.js";
import { Guided } from "./Guided.js";
import "./journal.css";
import { Locked } from "./Locked.js";
import { Mood } from "./Mood.js";
import { cameBetween, kept as told } from "./told.js";
import { isWaiting, useKeeper } from "./useKeeper.js";
import { WhenFields } from "./WhenFields.js";

/** A new entry, or a draft that is gone on with: `id` is its slot. */
export default function Write({ id }: { id: Id | null }): JSX.Element {
  const begun = useDrafts({ kind: "journal" });
  const { drafts, unread } = begun;
  if (id !== null && drafts === null && unread === null) return <Waiting>{say("journal.opening")}</Waiting>;
  const found = drafts?.find(({ slot }) => slot === id) ?? null;
  // What is open stays on the screen while it is written at, also when the sensitive tier closes meanwhile.
  const open = useRef<FoundDraft | null>(null);
  if (open.current === null && found?.locked) return <Locked title={say("journal.write.name")} />;
  const resumed = open.current ??= found;
  return (
    <Form
      key={resumed?.slot ?? ""} title={say("journal.write.name")} item={null} resumed={resumed} begun={begun} but={id}
      onResume={({ slot }) => go("write", slot)}
    />
  );
}

/** The next version of an entry. */
export function Edit({ id }: { id: Id | null }): JSX.Element {
  const begun = useDrafts({ item: id });
  const [item, setItem] = useState<Item | null>(null);
  const [missing, setMissing] = useState<unknown>(null);
  const [resumed, setResumed] = useState<FoundDraft | null>(null);
  const open = sensitiveUntil.value !== null;
  useEffect(() => {
    if (id !== null && item?.state !== "open") vault().item(id).then(setItem, setMissing);
  }, [id, open]);
  const title = say("journal.write.edit");
  if (missing !== null) return <><Title>{title}</Title><Problem error={missing} /></>;
  const looking = begun.drafts === null && begun.unread === null;
  if (item === null || looking) return <Waiting>{say("journal.opening")}</Waiting>;
  if (item.state === "locked") return <Locked title={title} />;
  if (item.state !== "open") {
    return <><Title>{title}</Title><Notice><p>{say(`journal.closed.${item.state}`)}</p></Notice></>;
  }
  const but = resumed?.slot ?? null;
  if (item.kind === "document") {
    return (
      <EditDocument
        key={but} item={item} resumed={resumed} begun={begun} onResume={setResumed} done={() => go("document", id, true)}
      />
    );
  }
  return <Form key={but} title={title} item={item} resumed={resumed} begun={begun} but={but} onResume={setResumed} />;
}

interface FormProps {
  readonly title: string;
  readonly item: Item | null;
  readonly resumed: FoundDraft | null;
  readonly begun: Begun;
  readonly but: Id | null;
  readonly onResume: (draft: FoundDraft) => void;
}

function Form({ title, item, resumed, begun, but, onResume }: FormProps): JSX.Element {
  const before = useMemo(() => (item === null ? null : draftOf(item)), [item]);
  const [fields, setFields] = useState<Fields>(() => {
    if (resumed) return fieldsOf(resumed.draft, resumed.sensitive);
    return before ? fieldsOf(before, item?.sensitive ?? false) : EMPTY_FIELDS;
  });
  const newest = useRef(fields);
  const { keeper, change: keepLater, end, here } = useKeeper(resumed, begun.found);
  const base = resumed?.revision ?? item?.revision ?? null;
  const [files, setFiles] = useState<readonly Picked[]>([]);
  const [guided, setGuided] = useState(false);
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const [ending, setEnding] = useState<unknown>(null);
  useHeld(saving);

  const change = (part: Partial<Fields>): void => {
    const next = { ...newest.current, ...part };
    newest.current = next;
    setFields(next);
    setRefused(null);
    keepLater({
      item: item?.id ?? null, revision: base, kind: item?.kind ?? "journal", draft: draftIn(next),
      sensitive: next.sensitive, empty: item === null && isEmpty(next),
    });
  };

  const save = async (): Promise<void> => {
    const now = newest.current;
    const long = tooLong(now);
    if (long) return setRefused(say(`journal.long.${long.field}`, { limit: number(long.limit) }));
    const wanted = wantedOf(files);
    const changes = before && changesFrom(before, draftIn(now));
    if (changes ? Object.keys(changes).length + wanted.length === 0 : isEmpty(now) && wanted.length === 0) {
      return setRefused(say(changes ? "journal.write.unchanged" : "journal.write.nothing"));
    }
    const opened = session.peek();
    setSaving(true);
    setError(null);
    await keeper.flush();
    try {
      if (item?.sensitive && !(await askPin())) return setSaving(false);
      const kept = item !== null && changes !== null
        ? await vault().editEntry(item.id, changes, wanted, keeper.slot)
        : await vault().writeEntry(draftIn(now), { sensitive: now.sensitive, files: wanted, slot: keeper.slot });
      end();
      if (session.peek() !== opened) return;
      await refreshItems();
      if (!here.current) return;
      const conflict = kept.conflict || cameBetween(base, kept);
      told.value = { id: kept.id, revision: kept.revision, conflict };
      go(conflict ? "history" : "entry", kept.id, true);
    } catch (failed) {
      setSaving(false);
      if (isWaiting(failed)) {
        end();
        setEnding(failed);
      } else setError(failed);
    }
  };

  if (ending !== null) return <Waits fields={fields} error={ending} />;
  const when = <WhenFields fields={fields} change={change} />;
  return (
    <>
      <Title>{title}</Title>
      <Unopened count={begun.unopened} />
      <Outdated item={item} resumed={resumed} />
      <Offered
        begun={begun} said="journal.drafts.offered" but={but} since={keeper.saved.value}
        onResume={(draft) => void keeper.leave(begun.found).then((kept) => kept && onResume(draft))}
      />
      <form
        class="write" inert={saving} autocomplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <div class="switch" role="group" aria-label={say("journal.write.ways")}>
          {[false, true].map((way) => (
            <button key={String(way)} type="button" aria-pressed={guided === way} onClick={() => setGuided(way)}>
              {say(way ? "journal.write.guided" : "journal.write.free")}
            </button>
          ))}
        </div>
        {guided ? (
          <Guided text={fields.text} onText={(text) => change({ text })} onWhole={() => setGuided(false)} when={when} />
        ) : (
          <TextArea
            label={say("journal.write.text")} hint={say("journal.write.text_hint")} rows={9} value={fields.text}
            onInput={(text) => change({ text })}
          />
        )}
        <DraftMark keeper={keeper} kept="journal.draft.kept" />
        {!guided && <More name={say("journal.when.name")} shown={happenedIn(fields) !== null}>{when}</More>}
        <More name={say("journal.more.where")} shown={fields.place !== "" || fields.people !== ""}>
          <Field
            label={say("journal.fact.place")} value={fields.place} maxLength={LIMITS.place}
            onInput={(place) => change({ place })}
          />
          <Field
            label={say("journal.fact.people")} hint={say("journal.more.commas")} value={fields.people}
            onInput={(people) => change({ people })}
          />
        </More>
        <More
          name={say("journal.more.feeling")} shown={fields.danger !== null || fields.mood !== ""}
        >
          <DangerScale value={fields.danger} onChange={(danger) => change({ danger })} />
          <Mood value={fields.mood} onInput={(mood) => change({ mood })} />
        </More>
        <More name={say("journal.more.files")} shown={files.length > 0}>
          <Files files={files} onChange={setFiles} />
          {item !== null && item.contents.length > 0 && (
            <p class="hint">{say("journal.files.there", { count: item.contents.length })}</p>
          )}
        </More>
        <More name={say("journal.more.title")} shown={fields.title !== "" || fields.tags !== ""}>
          <Field
            label={say("journal.more.title_label")} hint={say("journal.more.title_hint")} value={fields.title}
            maxLength={LIMITS.title} onInput={(typed) => change({ title: typed })}
          />
          <Field
            label={say("journal.fact.tags")} hint={say("journal.more.tags_hint")} value={fields.tags}
            onInput={(tags) => change({ tags })}
          />
        </More>
        {item === null && (
          <div class="behind">
            <Tick
              label={say("journal.sensitive.label")} hint={say("journal.sensitive.hint")} checked={fields.sensitive}
              onChange={(sensitive) => change({ sensitive })}
            />
          </div>
        )}
        <Problem error={error} />
        {error !== null && <p class="hint">{say("journal.write.still_here")}</p>}
        <InSight refused={refused}>
          <p class="actions">
            <Button type="submit" busy={saving}>
              {say(item === null ? "journal.write.keep" : "journal.write.keep_version")}
            </Button>
          </p>
        </InSight>
        <p class="actions">
          <a class="button plain" href={item === null ? address("home") : address("entry", item.id)}>
            {say("journal.write.close")}
          </a>
        </p>
        {!forgetful.value && <p class="hint">{say("journal.write.close_hint")}</p>}
      </form>
      <div role="status">{saving && <p class="waiting">{say("journal.write.saving")}</p>}</div>
    </>
  );
}

/** The text is sealed and waits on this device: what there is to know, and the text once more. */
function Waits({ fields, error }: { fields: Fields; error: unknown }): JSX.Element {
  return (
    <>
      <Title>{say("journal.waiting.title")}</Title>
      <Notice>
        <p>{say("journal.waiting.here")}</p>
        {(error as { code?: unknown }).code !== "network" && <p>{sentenceOf(error)}</p>}
      </Notice>
      <p class="actions"><a class="button" href={address("home")}>{say("journal.waiting.back")}</a></p>
      {fields.text.trim() !== "" && <><h2>{say("journal.waiting.text")}</h2><p class="entry-text">{fields.text}</p></>}
      {fields.danger !== null && <p>{dangerSaid(fields.danger)}</p>}
    </>
  );
}
