// What the reader will see, before it is shared; then password and PIN, since an open device is not enough to show it.
// Knows: the revisions that were chosen. Refuses to know: anything of them that is not shared.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { moment, say } from "../../i18n.js";
import { askPin, Button, Notice, Title } from "../../parts/index.js";
import { isProblem } from "../../../worker/problems.js";
import type { Sharing } from "../../../worker/sharing.js";
import { Confirmed } from "../account/confirm.js";
import { FileOf } from "../documents/FileOf.js";
import { Handed } from "../reading/Handed.js";
import type { Reader } from "./Share.js";
import { found, titlesOf } from "./spoken.js";

export function Preview(props: {
  sharing: Sharing; reader: Reader | null; confirm: (password: string, pin: string) => Promise<void>;
}): JSX.Element {
  const { sharing, reader, confirm } = props;
  const shown = sharing.items.flatMap(({ item }) => found(item) ?? []);
  const [unproven, setUnproven] = useState<string | null>(null);
  const failed = (error: unknown): void => {
    const { item: unproven = null } = isProblem(error) && error.code === "item_unproven" ? error.extra : {};
    setUnproven(titlesOf({ items: sharing.items.filter(({ item }) => item === unproven) })[0] ?? null);
  };
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
      <section aria-label={say("share.preview.seen")}>
        <Handed
          items={shown} message={sharing.message} receiptOf={() => null}
          fileOf={(item, content) => <FileOf item={item} content={content} />}
        />
        {shown.some(({ sent }) => sent !== null) && <p class="hint">{say("share.preview.words")}</p>}
        {shown.some(({ state }) => state === "locked") && (
          <p class="actions"><Button plain onClick={() => void askPin()}>{say("journal.locked.open")}</Button></p>
        )}
      </section>
      <Notice care>
        <p><b>{say("share.preview.final")}</b></p>
        <p>{say("share.preview.final_text")}</p>
      </Notice>
      <Confirmed
        action={say("share.preview.do")} confirm={confirm} failed={failed}
        more={unproven !== null && <p><b>{say("share.preview.unproven", { title: unproven })}</b></p>}
      />
    </>
  );
}
