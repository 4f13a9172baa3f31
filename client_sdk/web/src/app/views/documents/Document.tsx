// One document: its files, what was said about them, and what can be done. Knows: that what happened, was written and
// was deposited are three times. Refuses to know: earlier versions; they have a view of their own.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { Button, Notice, Title } from "../../parts/index.js";
import { address, go } from "../../router.js";
import type { FoundDraft, Id, Item } from "../../../worker/api.js";
import { DeleteItem } from "../journal/DeleteItem.js";
import { Offered, useDrafts } from "../journal/Drafts.js";
import { Facts, headingOf, Prose, viewOf } from "../journal/facts.js";
import "../journal/journal.css";
import { Made } from "../journal/Made.js";
import { Reading } from "../journal/reading.js";
import { kept } from "../journal/told.js";
import { spellCategory } from "./categories.js";
import "./documents.css";
import { EditDocument } from "./EditDocument.js";
import { FileFacts, FileOf } from "./FileOf.js";

interface Editing {
  readonly item: Item;
  readonly resumed: FoundDraft | null;
}

export default function Document({ id }: { id: Id | null }): JSX.Element {
  // What is open for editing stays on the screen, also when the sensitive tier closes meanwhile.
  const [editing, setEditing] = useState<Editing | null>(null);
  useEffect(() => () => {
    kept.value = null;
  }, []);
  if (editing) return <Edited {...editing} done={() => setEditing(null)} />;
  return <Reading id={id}>{(item) => <Read item={item} edit={(resumed) => setEditing({ item, resumed })} />}</Reading>;
}

function Edited({ item, resumed: first, done }: Editing & { done: () => void }): JSX.Element {
  const begun = useDrafts({ item: item.id });
  const [resumed, setResumed] = useState(first);
  return (
    <EditDocument
      key={resumed?.slot} item={item} resumed={resumed} begun={begun} onResume={setResumed} done={done}
    />
  );
}

function Read({ item, edit }: { item: Item; edit: (resumed: FoundDraft | null) => void }): JSX.Element {
  const view = viewOf(item);
  const begun = useDrafts({ item: item.id });
  useEffect(() => {
    if (view !== "document") go(view, item.id, true);
  }, [view]);
  const just = kept.value?.id === item.id && kept.value.revision === item.revision;
  const marks = [
    ...(item.category ? [spellCategory(item.category)] : []),
    ...(item.sensitive ? [say("documents.sensitive.mark")] : []),
  ];
  return (
    <article class="entry">
      <div role="status" class="not-on-paper">{just && <Notice><p>{say("documents.kept")}</p></Notice>}</div>
      <Title>{headingOf(item)}</Title>
      {marks.length > 0 && <p class="tags">{marks.map((mark) => <span key={mark}>{mark}</span>)}</p>}
      <Offered begun={begun} said="documents.drafts.changes" but={null} onResume={edit} />
      {item.contents.map((content) => <FileOf key={content.blob} item={item} content={content} />)}
      {item.text && <Prose text={item.text} />}
      <Facts item={item} />
      <p class="hint not-on-paper">{say("documents.times")}</p>
      {item.contents.length > 0 && <h2>{say("documents.originals", { count: item.contents.length })}</h2>}
      {item.contents.map((content) => <FileFacts key={content.blob} content={content} />)}
      <Made item={item} />
      <p class="actions">
        <Button onClick={() => edit(null)}>{say("documents.edit.name")}</Button>
        <a class="button plain" href={address("history", item.id)}>{say("documents.history")}</a>
        <a class="button plain" href={address("share", item.id)}>{say("share.name")}</a>
        <Button plain onClick={() => print()}>{say("site.article.print")}</Button>
        <DeleteItem item={item} />
      </p>
      <p class="hint not-on-paper">{say("site.check.print_care")}</p>
    </article>
  );
}
