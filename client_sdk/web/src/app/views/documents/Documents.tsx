// All documents, the newest facts first. Knows: titles, categories, small pictures, and what is looked for.
// Refuses to know: what is behind the PIN: not even whether it is a document.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { day, say } from "../../i18n.js";
import { askPin, Button, Choice, Field, Problem, Title, Waiting } from "../../parts/index.js";
import { address, go } from "../../router.js";
import { items, itemsError } from "../../state.js";
import { fold, hasAll, wordsOf } from "../../text/fold.js";
import { isWanted, newestFirst } from "../../text/order.js";
import type { Item } from "../../../worker/api.js";
import { Offered, useDrafts } from "../journal/Drafts.js";
import { titleOf, whenOf } from "../journal/facts.js";
import "../journal/journal.css";
import { CATEGORIES, spellCategory } from "./categories.js";
import "./documents.css";
import { Thumb } from "./Thumb.js";
import { Begun } from "./Unfinished.js";

/** Rows that are drawn before somebody asks for more. */
const SHOWN = 60;

export default function Documents(): JSX.Element {
  const all = items.value;
  const begun = useDrafts({ kind: "document" });
  const documents = useMemo(() => all && newestFirst(all.filter(({ kind }) => kind === "document")), [all]);
  const locked = useMemo(() => newestFirst((all ?? []).filter(({ state }) => state === "locked")), [all]);
  return (
    <>
      <Title>{say("documents.name")}</Title>
      <p class="actions">
        <a class="button" href={address("addDocument")}>{say("documents.add.name")}</a>
        <a class="button plain" href={address("record")}>{say("documents.record.name")}</a>
      </p>
      <Begun link />
      <Offered
        begun={begun} said="documents.drafts.new" but={null} onResume={({ slot }) => go("addDocument", slot)}
      />
      <Problem error={itemsError.value} />
      {documents === null && itemsError.value === null && <Waiting>{say("documents.opening")}</Waiting>}
      {documents?.length === 0 && <Empty />}
      {documents !== null && documents.length > 0 && <Found documents={documents} />}
      {locked.length > 0 && <Locked items={locked} />}
    </>
  );
}

function Empty(): JSX.Element {
  return (
    <section class="empty">
      <h2>{say("documents.empty.title")}</h2>
      <p>{say("documents.empty.start")}</p>
      <p class="hint">{say("documents.empty.sealed")}</p>
    </section>
  );
}

/** What fits the words and the category; everything while nothing is asked. */
function Found({ documents }: { documents: readonly Item[] }): JSX.Element {
  const [typed, setTyped] = useState("");
  const [category, setCategory] = useState("");
  const [shown, setShown] = useState(SHOWN);
  const found = useMemo(() => {
    const words = wordsOf(typed);
    return documents.filter((item) => fits(item, words) && (category === "" || nameOf(item) === category));
  }, [documents, typed, category]);
  const names = useMemo(() => namesIn(documents), [documents]);
  const asked = typed.trim() !== "" || category !== "";
  return (
    <>
      <form role="search" class="sift" autocomplete="off" onSubmit={(event) => event.preventDefault()}>
        <Field label={say("documents.search.words")} type="search" value={typed} onInput={setTyped} />
        {names.length > 1 && (
          <Choice
            label={say("documents.category.label")} value={category} onChange={setCategory}
            options={[["", say("documents.search.all")], ...names.map((name) => [name, name] as const)]}
          />
        )}
      </form>
      <p role="status" class={asked ? undefined : "unseen"}>{say("documents.search.found", { count: found.length })}</p>
      {found.length === 0 && <p>{say("documents.search.nothing")}</p>}
      <ul class="row-list">{found.slice(0, shown).map((item) => <li key={item.id}><Row item={item} /></li>)}</ul>
      {found.length > shown && (
        <p class="actions"><Button plain onClick={() => setShown(shown + SHOWN)}>{say("documents.more")}</Button></p>
      )}
    </>
  );
}

function Row({ item }: { item: Item }): JSX.Element {
  const [first] = item.contents;
  const marks = [
    item.category && spellCategory(item.category),
    item.contents.length > 1 ? say("documents.files", { count: item.contents.length }) : null,
    item.sensitive ? say("documents.sensitive.mark") : null,
  ].filter((mark): mark is string => mark !== null && mark !== "");
  return (
    <a class="row document-row" href={address("document", item.id)}>
      {first ? <Thumb content={first} /> : <span class="thumb" />}
      <span>
        <span class="row-when">{whenOf(item)}</span>{" "}
        <b>{titleOf(item)}</b>{" "}
        {marks.length > 0 && <span class="row-marks">{marks.map((mark) => <span key={mark}>{mark}</span>)}</span>}
      </span>
    </a>
  );
}

function Locked({ items: locked }: { items: readonly Item[] }): JSX.Element {
  return (
    <section>
      <h2>{say("documents.locked.title")}</h2>
      <p>{say("documents.locked.text", { count: locked.length })}</p>
      <p class="actions"><Button plain onClick={() => void askPin()}>{say("documents.locked.open")}</Button></p>
      <ul class="row-list">
        {locked.map((item) => (
          <li key={item.id}>
            <a class="row row-closed" href={address("entry", item.id)}>
              <span class="row-when">{say("documents.locked.deposited", { day: day(item.deposited) })}</span>{" "}
              <b>{say("documents.locked.row")}</b>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The category of an item as it is shown; without one it is "other". */
function nameOf(item: Item): string {
  return spellCategory(item.category || "other");
}

/** The categories that are there: the known ones in their order, then what was typed. */
function namesIn(documents: readonly Item[]): readonly string[] {
  const there = new Set(documents.map(nameOf));
  const known = CATEGORIES.map(spellCategory);
  return [...known.filter((name) => there.has(name)), ...[...there].filter((name) => !known.includes(name)).sort()];
}

function fits(item: Item, words: readonly string[]): boolean {
  const elsewhere = words.filter((word) => !hasAll(fold(item.category ? spellCategory(item.category) : ""), [word]));
  return isWanted(item, { words: elsewhere, tag: null, danger: null, sensitive: null });
}
