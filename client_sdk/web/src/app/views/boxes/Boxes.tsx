// The boxes of a person, and whether something waits in them. Knows: times and counts. Refuses to know: what waits.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { moment, say } from "../../i18n.js";
import { Problem, Title, Waiting } from "../../parts/index.js";
import { address } from "../../router.js";
import { vault } from "../../state.js";
import type { KeptBox } from "../../../worker/boxes.js";
import "../journal/journal.css";
import { nameOf, waitingOf } from "./told.js";

export default function Boxes(): JSX.Element {
  const [found, setFound] = useState<readonly KeptBox[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => void vault().boxes().then(setFound, setError), []);
  const runs = found?.filter(({ ended }) => ended === null) ?? [];
  const over = found?.filter(({ ended }) => ended !== null) ?? [];
  return (
    <>
      <p class="tools"><a href={address("shares")}>← {say("share.list.name")}</a></p>
      <Title>{say("boxes.name")}</Title>
      <p>{say("boxes.lead")}</p>
      <p class="actions"><a class="button" href={address("newBox")}>{say("boxes.make.name")}</a></p>
      <Problem error={error} />
      {found === null && error === null && <Waiting>{say("shell.loading")}</Waiting>}
      {found?.length === 0 && <p>{say("boxes.none")}</p>}
      <Some boxes={runs} />
      {over.length > 0 && <h2>{say("boxes.over")}</h2>}
      <Some boxes={over} />
    </>
  );
}

function Some({ boxes }: { boxes: readonly KeptBox[] }): JSX.Element | null {
  if (boxes.length === 0) return null;
  return (
    <ul class="row-list">
      {boxes.map((one) => (
        <li key={one.box}>
          <a class="row" href={address("box", one.box)}>
            <span class="row-when">
              {one.ended === null ? say("boxes.until", { moment: moment(one.expires) })
                : say(`boxes.why.${one.why ?? "closed"}`, { moment: moment(one.ended) })}
            </span>{" "}
            <b>{nameOf(one)}</b>{" "}
            <span class="row-marks"><span>{waitingOf(one.waiting)}</span></span>
          </a>
        </li>
      ))}
    </ul>
  );
}
