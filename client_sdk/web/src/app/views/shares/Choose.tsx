// What is to be shared, as it is now. Knows: what is open and kept. Refuses to know: with whom.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { day, say } from "../../i18n.js";
import { askPin, Button, Field, Notice, Tick, Title, Waiting } from "../../parts/index.js";
import { extracts, items } from "../../state.js";
import { wordsOf } from "../../text/fold.js";
import { isWanted, newestFirst } from "../../text/order.js";
import { marksOf, titleOf, whenOf } from "../journal/facts.js";

/** Rows that are shown; the words that are looked for bring the others. */
const SHOWN = 50;
/** What one bundle holds. */
const MOST = 500;

export function Choose(props: {
  ids: readonly string[]; onChange: (ids: readonly string[]) => void; next: () => void;
}): JSX.Element {
  const { ids, onChange, next } = props;
  const [typed, setTyped] = useState("");
  const [empty, setEmpty] = useState(false);
  const all = items.value;
  if (all === null) return <><Title>{say("share.items.title")}</Title><Waiting>{say("journal.opening")}</Waiting></>;
  const parts = extracts.value.filter(({ id }) => ids.includes(id)); // chosen before, in the place of their whole
  const kept = newestFirst([...all, ...parts]).filter(({ deposited }) => deposited > 0);
  const open = kept.filter(({ state }) => state === "open");
  const locked = kept.filter(({ state }) => state === "locked");
  const wanted = { words: wordsOf(typed), tag: null, danger: null, sensitive: null };
  const found = open.filter((item) => isWanted(item, wanted));
  const shown = [...open.filter(({ id }) => ids.includes(id)), ...found.filter(({ id }) => !ids.includes(id))];
  const chosen = ids.filter((id) => open.some((item) => item.id === id));
  return (
    <>
      <Title>{say("share.items.title")}</Title>
      <p>{say("share.items.lead")}</p>
      {open.length > 8 && (
        <Field label={say("share.items.search")} type="search" value={typed} onInput={setTyped} />
      )}
      {kept.length === 0 && <Notice><p>{say("share.items.none")}</p></Notice>}
      <fieldset class="offered">
        <legend>{say("share.items.which")}</legend>
        {shown.slice(0, Math.max(SHOWN, chosen.length)).map((item) => (
          <Tick
            key={item.id} checked={ids.includes(item.id)}
            onChange={(checked) => {
              setEmpty(false);
              onChange(checked ? [...ids, item.id] : ids.filter((one) => one !== item.id));
            }}
            label={(
              <>
                <b>{titleOf(item)}</b>{" "}
                <span class="hint">{[whenOf(item), ...marksOf(item)].join("\u00a0· ")}</span>
              </>
            )}
          />
        ))}
      </fieldset>
      {shown.length > SHOWN && <p class="hint">{say("share.items.more", { count: shown.length - SHOWN })}</p>}
      {locked.length > 0 && (
        <p class="locked-note">
          {say("share.items.locked", { count: locked.length, day: day(locked[0]!.deposited) })}{" "}
          <Button plain onClick={() => void askPin()}>{say("journal.locked.open")}</Button>
        </p>
      )}
      <p role="status">{say("share.items.chosen", { count: chosen.length })}</p>
      {empty && <p class="error" role="alert">{say("share.items.empty")}</p>}
      {chosen.length > MOST && <p class="error" role="alert">{say("share.items.too_many", { count: MOST })}</p>}
      <p class="actions">
        <Button
          onClick={() => {
            setEmpty(chosen.length === 0);
            if (chosen.length === 0 || chosen.length > MOST) return;
            onChange(chosen);
            next();
          }}
        >
          {say("account.sign_up.next")}
        </Button>
      </p>
    </>
  );
}
