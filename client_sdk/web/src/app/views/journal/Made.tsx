// What was made of an item to be shared, beneath it; and what is said of such a part. Knows: which parts there are.
// Refuses to know: with whom they are shared.

import type { JSX } from "preact";
import { moment, say } from "../../i18n.js";
import { Notice } from "../../parts/index.js";
import { address } from "../../router.js";
import { extracts, items } from "../../state.js";
import type { Item } from "../../../worker/api.js";
import { titleOf, viewOf } from "./facts.js";

/** The parts of an item, those that are open. */
export function madeOf(item: Item): readonly Item[] {
  return extracts.value.filter(({ of }) => of?.item === item.id);
}

export function Made({ item }: { item: Item }): JSX.Element | null {
  const made = madeOf(item);
  if (made.length === 0) return null;
  return (
    <section class="not-on-paper">
      <h2>{say("journal.made.title")}</h2>
      <p class="hint">{say("journal.made.lead")}</p>
      <ul class="row-list">
        {made.map((one) => (
          <li key={one.id}>
            <a class="row" href={address("entry", one.id)}>
              <span class="row-when">{say("journal.deposited_on", { day: moment(one.deposited) })}</span>{" "}
              <b>{titleOf(one)}</b>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What stands above a part for the person who made it, with the way to the whole. */
export function PartOf({ item }: { item: Item }): JSX.Element {
  const whole = items.value?.find(({ id }) => id === item.of?.item);
  return (
    <Notice>
      <p>{say("journal.made.own")}</p>
      <p>
        {whole === undefined ? say("journal.made.gone")
          : <a href={address(viewOf(whole), whole.id)}>{say("journal.made.whole")}</a>}
      </p>
    </Notice>
  );
}
