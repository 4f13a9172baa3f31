// A self-assessment that was kept, to read. Knows: what was ticked then, and what it may mean now.
// Refuses to know: whether it has become better; that is for the person to say.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { day, say } from "../../i18n.js";
import { Button, Notice, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import type { Id, Item } from "../../../worker/api.js";
import { DeleteItem } from "../journal/DeleteItem.js";
import { Facts } from "../journal/facts.js";
import "../journal/journal.css";
import { Reading } from "../journal/reading.js";
import { kept } from "../journal/told.js";
import { Result } from "./Result.js";
import { Ticked } from "./Ticked.js";
import { weigh } from "./weigh.js";

export default function Assessment({ id }: { id: Id | null }): JSX.Element {
  useEffect(() => () => {
    kept.value = null;
  }, []);
  return <Reading id={id}>{(item) => <Read item={item} />}</Reading>;
}

function Read({ item }: { item: Item }): JSX.Element {
  const level = weigh(item.answers ?? {});
  return (
    <article class="entry">
      <div role="status" class="not-on-paper">
        {kept.value?.id === item.id && <Notice><p>{say("assess.kept")}</p></Notice>}
      </div>
      <Title>{say("assess.of", { day: day(item.written ?? item.deposited) })}</Title>
      {level === 2 && <Result level={level} />}
      <h2>{say("assess.ticked")}</h2>
      <Ticked item={item} />
      <Facts item={item} />
      <p class="actions">
        <a class="button" href={address("assess")}>{say("assess.again")}</a>
        <a class="button plain" href={address("curve")}>{say("assess.curve.name")}</a>
        <a class="button plain" href={address("share", item.id)}>{say("share.name")}</a>
        <Button plain onClick={() => print()}>{say("site.article.print")}</Button>
        <DeleteItem item={item} />
      </p>
      {level < 2 && <Result level={level} />}
    </article>
  );
}
