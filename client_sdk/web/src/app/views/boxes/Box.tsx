// One box: what waits in it, by time and size alone, and the way to close it. Knows: that a stranger's words may hurt.
// Refuses to know: what they are; nothing of a deposit is fetched here.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { day, moment, say, size } from "../../i18n.js";
import { Button, Notice, Problem, Sure, Title, Waiting as Waits } from "../../parts/index.js";
import { address } from "../../router.js";
import { vault } from "../../state.js";
import type { Id } from "../../../worker/api.js";
import type { KeptBox, Waiting } from "../../../worker/boxes.js";
import "../journal/journal.css";
import { formatPlace, muchOf, nameOf, waitingOf } from "./told.js";

interface Found {
  readonly box: KeptBox;
  readonly deposits: readonly Waiting[];
}

export default function Box({ id }: { id: Id | null }): JSX.Element {
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [closed, setClosed] = useState(false);
  const look = async (): Promise<void> => {
    try {
      const [boxes, deposits] = await Promise.all([vault().boxes(), vault().deposits(id ?? "")]);
      const box = boxes.find((one) => one.box === id);
      if (box === undefined) throw { code: "item_unknown" };
      setFound({ box, deposits });
    } catch (failed) {
      setError(failed);
    }
  };
  useEffect(() => void look(), [id]);
  return (
    <>
      <p class="tools"><a href={address("boxes")}>← {say("boxes.name")}</a></p>
      {found === null ? (
        <>
          {error === null ? <Waits>{say("shell.loading")}</Waits> : <Title>{say("boxes.name")}</Title>}
          <Problem error={error} />
        </>
      ) : (
        <Shown
          {...found} closed={closed}
          onClosed={async () => {
            setClosed(true);
            await look();
          }}
        />
      )}
    </>
  );
}

function Shown({ box, deposits, closed, onClosed }: Found & {
  closed: boolean; onClosed: () => Promise<void>;
}): JSX.Element {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Title>{nameOf(box)}</Title>
      <div role="status">{closed && <Notice><p>{say("boxes.close.done")}</p></Notice>}</div>
      <dl class="facts-list">
        <div><dt>{say("boxes.fact.made")}</dt><dd>{moment(box.created)}</dd></div>
        {box.ended === null ? <div><dt>{say("boxes.fact.until")}</dt><dd>{moment(box.expires)}</dd></div> : (
          <div>
            <dt>{say("boxes.fact.ended")}</dt>
            <dd>{say(`boxes.why.${box.why ?? "closed"}`, { moment: moment(box.ended) })}</dd>
          </div>
        )}
        <div>
          <dt>{say("boxes.fact.deposits")}</dt>
          <dd>{say("boxes.fact.count", { count: box.made, of: box.deposits })}</dd>
        </div>
        <div>
          <dt>{say("boxes.fact.room")}</dt>
          <dd>{say("boxes.fact.used", { used: size(box.used), of: size(box.bytes) })}</dd>
        </div>
      </dl>
      <h2>{waitingOf(deposits.length)}</h2>
      {deposits.length > 0 && <Notice><p>{say("boxes.soft")}</p></Notice>}
      <ul class="row-list">
        {deposits.map((one) => (
          <li key={one.deposit} class="row">
            <span class="row-when">{moment(one.deposited)}</span>{" "}
            <b>{muchOf(one)}</b>{" "}
            {one.erasedAfter !== null && (
              <span class="row-marks">
                <span>{say("boxes.refused", { day: day(one.erasedAfter) })}</span>
              </span>
            )}
            <span class="actions">
              <a class="button plain" href={address("looked", formatPlace(box.box, one.deposit))}>
                {say("boxes.look.name")}<span class="unseen"> {moment(one.deposited)}</span>
              </a>
            </span>
          </li>
        ))}
      </ul>
      {box.ended === null && (
        <p class="actions"><Button plain onClick={() => setAsking(true)}>{say("boxes.close.name")}</Button></p>
      )}
      {asking && <Close box={box} leave={() => setAsking(false)} onClosed={onClosed} />}
    </>
  );
}

function Close(props: { box: KeptBox; leave: () => void; onClosed: () => Promise<void> }): JSX.Element {
  const close = async (): Promise<void> => {
    await vault().closeBox(props.box.box);
    await props.onClosed();
    props.leave(); // only then: the button that led here has gone, and the heading takes the focus
  };
  return (
    <Sure
      title={say("boxes.close.title")} leave={say("boxes.close.leave")} yes={say("boxes.close.do")}
      onLeave={props.leave} onYes={close}
    >
      <p>{say("boxes.close.means")}</p>
      <p>{say("boxes.close.seen")}</p>
    </Sure>
  );
}
