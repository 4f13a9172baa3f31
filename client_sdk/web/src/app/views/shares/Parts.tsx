// Of each thing that was chosen: all of it, or a part. Knows: which parts were made before. Refuses to know: with whom.

import type { JSX } from "preact";
import { moment, say } from "../../i18n.js";
import { Button, Title } from "../../parts/index.js";
import { extracts, items } from "../../state.js";
import type { Id, Item } from "../../../worker/api.js";
import { marksOf, titleOf, whenOf } from "../journal/facts.js";
import { found } from "./spoken.js";

/** Of what a part is made, in whose place among the chosen ones. */
export interface Making {
  readonly id: Id;
  readonly item: Item;
}

/** The same ones, with another in the place of one. */
export function replaced(ids: readonly Id[], id: Id, other: Id): readonly Id[] {
  return [...new Set(ids.map((one) => (one === id ? other : one)))];
}

export function Parts(props: {
  ids: readonly Id[]; onChange: (ids: readonly Id[]) => void; make: (making: Making) => void; next: () => void;
}): JSX.Element {
  const { ids, onChange, make, next } = props;
  return (
    <>
      <Title>{say("share.parts.title")}</Title>
      <p>{say("share.parts.lead")}</p>
      {ids.map((id) => (
        <One
          key={id} id={id} onChoose={(other) => onChange(replaced(ids, id, other))} onMake={(item) => make({ id, item })}
        />
      ))}
      <p class="actions"><Button onClick={next}>{say("account.sign_up.next")}</Button></p>
    </>
  );
}

function One(props: { id: Id; onChoose: (id: Id) => void; onMake: (item: Item) => void }): JSX.Element | null {
  const { id, onChoose, onMake } = props;
  const chosen = found(id);
  if (chosen === null) return null;
  const whole = chosen.kind === "extract" ? items.value?.find((one) => one.id === chosen.of?.item) ?? null : chosen;
  const made = extracts.value.filter(({ of }) => of !== null && of.item === (whole?.id ?? chosen.of?.item));
  const choices = [
    ...(whole === null ? [] : [[whole.id, say("share.parts.whole")] as const]),
    ...made.map((one) => [one.id, say("share.parts.made", { moment: moment(one.deposited) })] as const),
  ];
  return (
    <fieldset class="to-whom">
      <legend>{titleOf(whole ?? chosen)}</legend>
      <p class="hint">{[whenOf(whole ?? chosen), ...marksOf(whole ?? chosen)].join("\u00a0· ")}</p>
      <p class="choices">
        {choices.map(([value, name]) => (
          <label key={value} class="choice">
            <input type="radio" name={`of-${whole?.id ?? id}`} checked={value === id} onChange={() => onChoose(value)} />
            <span>{name}</span>
          </label>
        ))}
      </p>
      {whole?.state === "open" && (
        <p class="actions">
          <Button plain onClick={() => onMake(whole)}>
            {say("share.parts.make")}<span class="unseen"> {titleOf(whole)}</span>
          </Button>
        </p>
      )}
    </fieldset>
  );
}
