// One entry, to read. Knows: what happened, when it was written, when it was deposited, and that these are three times.
// Refuses to know: earlier versions; they have a view of their own.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { say } from "../../i18n.js";
import { Button, Notice, Title } from "../../parts/index.js";
import { address, go } from "../../router.js";
import type { Id, Item } from "../../../worker/api.js";
import "../documents/documents.css";
import { FileOf } from "../documents/FileOf.js";
import { DeleteItem } from "./DeleteItem.js";
import { Facts, headingOf, Prose, SentWords, viewOf } from "./facts.js";
import "./journal.css";
import { Made, PartOf } from "./Made.js";
import { Reading } from "./reading.js";
import { kept } from "./told.js";

export default function Entry({ id }: { id: Id | null }): JSX.Element {
  useEffect(() => () => {
    kept.value = null;
  }, []);
  return <Reading id={id}>{(item) => <Read item={item} />}</Reading>;
}

function Read({ item }: { item: Item }): JSX.Element {
  const view = viewOf(item);
  // What was locked had no kind: now it has, and its own view.
  useEffect(() => {
    if (view !== "entry") go(view, item.id, true);
  }, [view]);
  const isPart = item.kind === "extract"; // it is never changed: another one is made
  const just = kept.value?.id === item.id && kept.value.revision === item.revision;
  return (
    <article class="entry">
      <div role="status" class="not-on-paper">{just && <Notice><p>{say("journal.kept")}</p></Notice>}</div>
      <Title>{headingOf(item)}</Title>
      {isPart && <PartOf item={item} />}
      {item.text && <Prose text={item.text} />}
      {item.sent && <SentWords sent={item.sent} />}
      {item.contents.length > 0 && (
        <section aria-label={say("journal.fact.files")}>
          {item.contents.map((content) => <FileOf key={content.blob} item={item} content={content} />)}
        </section>
      )}
      <Facts item={item} />
      <p class="hint not-on-paper">{say("journal.times")}</p>
      <Made item={item} />
      <p class="actions">
        {!isPart && <a class="button" href={address("edit", item.id)}>{say("journal.entry.edit")}</a>}
        {!isPart && (
          <a class="button plain" href={address("history", item.id)}>
            {say("journal.entry.history", { count: item.revision })}
          </a>
        )}
        <a class="button plain" href={address("share", item.id)}>{say("share.name")}</a>
        <Button plain onClick={() => print()}>{say("site.article.print")}</Button>
        <DeleteItem item={item} />
      </p>
      <p class="hint not-on-paper">{say("site.check.print_care")}</p>
    </article>
  );
}
