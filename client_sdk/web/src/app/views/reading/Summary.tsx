// One page about what somebody shared, to print: what there is, from when, and what its receipt comes to. A table on paper
// and where there is room, else a card for each; the roles say that it is one table either way.
// Knows: titles and times. Refuses to know: texts and files: those are in the timeline.

import type { ComponentChildren, JSX } from "preact";
import { useMemo } from "preact/hooks";
import { formatHex } from "../../../crypto_core/encoding.js";
import { day, moment, number, say } from "../../i18n.js";
import { Button, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import { reading } from "../../state.js";
import type { Handed, SharedItem } from "../../../worker/api.js";
import { titleOf, whenOf } from "../journal/facts.js";
import { oldestFirst } from "./Handed.js";
import { NothingOpen } from "./NothingOpen.js";
import { standingOf } from "./Proof.js";
import "./reading.css";

/** Hexadecimal digits of a fingerprint that stand in the table; the whole of it stands in the timeline. */
const DIGITS = 16;

const COLUMNS = ["when", "what", "deposited", "receipt", "fingerprint"] as const;

export default function Summary(): JSX.Element {
  return reading.value === null ? <NothingOpen /> : <Page shared={reading.value.shared} />;
}

function Page({ shared }: { shared: Handed }): JSX.Element {
  const sorted = useMemo(() => oldestFirst(shared.items.map(({ item }) => item)), [shared]);
  const files = sorted.reduce((count, item) => count + item.contents.length, 0);
  return (
    <article class="handed-summary">
      <p class="tools"><a href={address("shared")}>← {say("reading.title")}</a></p>
      <Title>{say("reading.summary.title")}</Title>
      <p>
        {say("reading.summary.count", { count: sorted.length, files: number(files) })}{" "}
        {say("reading.given", { moment: moment(shared.created) })}
      </p>
      <table role="table" aria-label={say("reading.summary.title")}>
        <thead role="rowgroup">
          <tr role="row">
            {COLUMNS.map((name) => <th key={name} role="columnheader" scope="col">{say(`reading.summary.${name}`)}</th>)}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {sorted.map((item) => {
            const cells = cellsOf(shared.items.find((each) => each.item === item)!);
            return (
              <tr key={`${item.id}.${item.revision}`} role="row">
                {COLUMNS.map((name) => name === "what"
                  ? <th key={name} role="rowheader" scope="row" data-name={say(`reading.summary.${name}`)}>{cells[name]}</th>
                  : <td key={name} role="cell" data-name={say(`reading.summary.${name}`)}>{cells[name]}</td>)}
              </tr>
            );
          })}
        </tbody>
      </table>
      <p>{say("reading.summary.proves")}</p>
      <p>{say("reading.summary.not")}</p>
      <p class="hint">{say(shared.pinned ? "reading.key_known" : "reading.key_named")}</p>
      <p class="actions"><Button onClick={() => print()}>{say("site.article.print")}</Button></p>
      <p class="hint not-on-paper">{say("site.check.print_care")}</p>
    </article>
  );
}

function cellsOf(one: SharedItem): Readonly<Record<(typeof COLUMNS)[number], ComponentChildren>> {
  const { item, proof } = one;
  const isOpen = item.state === "open", sealed = proof?.verified.commitment.sha256;
  return {
    when: isOpen ? whenOf(item) : "—", what: isOpen ? titleOf(item) : say("reading.not_given"),
    deposited: item.deposited === 0 ? "—" : day(item.deposited), receipt: standingOf(one),
    fingerprint: sealed === undefined ? "—" : <code>{formatHex(sealed).slice(0, DIGITS)}</code>,
  };
}
