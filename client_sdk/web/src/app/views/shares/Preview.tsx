// What the reader will see, before it is shared; then password and PIN, since an open device is not enough to show it.
// Knows: the revisions that were chosen. Refuses to know: anything of them that is not shared.

import type { JSX } from "preact";
import { moment, say } from "../../i18n.js";
import { askPin, Button, Notice, Title } from "../../parts/index.js";
import { items } from "../../state.js";
import { newestFirst } from "../../text/order.js";
import type { Item } from "../../../worker/api.js";
import type { Professional, Sharing } from "../../../worker/sharing.js";
import { Confirmed } from "../account/confirm.js";
import { FileFacts, FileOf } from "../documents/FileOf.js";
import { Facts, Prose, titleOf } from "../journal/facts.js";

export function Preview(props: {
  sharing: Sharing; reader: Professional | null; confirm: (password: string, pin: string) => Promise<void>;
}): JSX.Element {
  const { sharing, reader, confirm } = props;
  const ids = new Set(sharing.items.map(({ item }) => item));
  const shown = [...newestFirst((items.value ?? []).filter(({ id }) => ids.has(id)))].reverse();
  const whom = reader === null ? say("share.preview.by_link") : say("share.preview.by_name", { name: reader.name });
  return (
    <>
      <Title>{say("share.preview.title")}</Title>
      <p>{say("share.preview.lead")}</p>
      <dl class="facts-list">
        <div><dt>{say("share.preview.whom")}</dt><dd>{whom}</dd></div>
        <div><dt>{say("share.preview.until")}</dt><dd>{moment(sharing.expires)}</dd></div>
        <div><dt>{say("share.preview.openings")}</dt><dd>{say("share.terms.times", { count: sharing.openings })}</dd></div>
      </dl>
      <section class="handed" aria-label={say("share.preview.seen")}>
        {sharing.message !== "" && <blockquote class="said"><Prose text={sharing.message} /></blockquote>}
        {shown.map((item) => <Seen key={item.id} item={item} />)}
      </section>
      <Notice care>
        <p><b>{say("share.preview.final")}</b></p>
        <p>{say("share.preview.final_text")}</p>
      </Notice>
      <Confirmed action={say("share.preview.do")} confirm={confirm} />
    </>
  );
}

function Seen({ item }: { item: Item }): JSX.Element {
  if (item.state !== "open") {
    return (
      <article class="card-like">
        <h2>{say(`journal.state.${item.state}`)}</h2>
        <p class="actions"><Button plain onClick={() => void askPin()}>{say("journal.locked.open")}</Button></p>
      </article>
    );
  }
  return (
    <article class="card-like">
      <h2>{titleOf(item)}</h2>
      {item.text && <Prose text={item.text} />}
      {item.contents.map((content) => <FileOf key={content.blob} item={item} content={content} />)}
      <Facts item={item} />
      {item.contents.map((content) => <FileFacts key={content.blob} content={content} />)}
    </article>
  );
}
