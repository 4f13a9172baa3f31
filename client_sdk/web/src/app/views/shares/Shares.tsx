// What is and was shared: with whom, until when, each opening, and the way to end it. Knows: what the vault tells and
// the person's own note. Refuses to know: who held the screen at an opening, and says so.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { moment, say } from "../../i18n.js";
import { Button, focusHeading, More, Notice, Problem, Sure, Title, Waiting } from "../../parts/index.js";
import { address, go } from "../../router.js";
import { extracts, vault } from "../../state.js";
import type { Shared } from "../../../worker/sharing.js";
import { newestFirst } from "../../text/order.js";
import "../journal/journal.css";
import { Rows } from "../journal/Rows.js";
import "./shares.css";
import { titlesOf, whomOf } from "./spoken.js";
import { extending } from "./told.js";

export default function Shares(): JSX.Element {
  const [found, setFound] = useState<readonly Shared[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [revoked, setRevoked] = useState(false);
  const look = (): Promise<void> => vault().shares().then(setFound, setError);
  useEffect(() => void look(), []);
  const runs = found?.filter(({ ended }) => ended === null) ?? [];
  const over = found?.filter(({ ended }) => ended !== null) ?? [];
  return (
    <>
      <Title>{say("share.list.name")}</Title>
      <p>{say("share.list.lead")}</p>
      <div role="status">{revoked && <Notice><p>{say("share.revoke.done")}</p></Notice>}</div>
      <p class="actions"><a class="button" href={address("share")}>{say("share.new")}</a></p>
      <p class="tools"><a href={address("boxes")}>{say("boxes.name")}</a></p>
      <Problem error={error} />
      {found === null && error === null && <Waiting>{say("shell.loading")}</Waiting>}
      {found?.length === 0 && <p>{say("share.list.none")}</p>}
      <Some
        shared={runs}
        onRevoked={async () => {
          setRevoked(true);
          await look();
          focusHeading(); // the button that had it goes
        }}
      />
      {over.length > 0 && <h2>{say("share.list.over")}</h2>}
      <Some shared={over} onRevoked={look} />
      {extracts.value.length > 0 && (
        <More name={say("share.list.made", { count: extracts.value.length })}>
          <p class="hint">{say("journal.made.lead")}</p>
          <Rows items={newestFirst(extracts.value)} />
        </More>
      )}
    </>
  );
}

function Some({ shared, onRevoked }: { shared: readonly Shared[]; onRevoked: () => Promise<void> }): JSX.Element | null {
  if (shared.length === 0) return null;
  return (
    <ul class="row-list">
      {shared.map((one) => <li key={one.bundle} class="row"><One shared={one} onRevoked={onRevoked} /></li>)}
    </ul>
  );
}

function One({ shared, onRevoked }: { shared: Shared; onRevoked: () => Promise<void> }): JSX.Element {
  const { created, expires, openings, opened, wrongCodes, ended, why } = shared;
  const [asking, setAsking] = useState(false);
  const titles = titlesOf(shared);
  const extend = (): void => {
    extending.value = shared;
    go("share");
  };
  return (
    <>
      <b>{whomOf(shared)}</b>
      <dl class="facts-list">
        <div><dt>{say("share.list.since")}</dt><dd>{moment(created)}</dd></div>
        <div><dt>{say("share.preview.until")}</dt><dd>{moment(expires)}</dd></div>
        {ended !== null && (
          <div>
            <dt>{say("share.list.ended")}</dt>
            <dd>{say(`share.why.${why ?? "revoked"}`, { moment: moment(ended) })}</dd>
          </div>
        )}
        <div>
          <dt>{say("share.list.opened")}</dt>
          <dd>
            {say("share.list.count", { count: opened.length, of: openings })}
            {opened.length > 0 && <ul>{opened.map((time) => <li key={time}>{moment(time)}</li>)}</ul>}
          </dd>
        </div>
        {wrongCodes > 0 && (
          <div><dt>{say("share.list.codes")}</dt><dd>{say("share.list.wrong", { count: wrongCodes })}</dd></div>
        )}
      </dl>
      {titles.length > 0 && (
        <More name={say("share.list.items", { count: titles.length })}>
          <ul>{titles.map((title, place) => <li key={place}>{title}</li>)}</ul>
        </More>
      )}
      <p class="actions">
        {(ended === null || why === "expired") && shared.items !== null && (
          <Button plain onClick={extend}>{say("share.list.extend")}<span class="unseen"> {whomOf(shared)}</span></Button>
        )}
        {ended === null && (
          <Button plain onClick={() => setAsking(true)}>
            {say("share.revoke.name")}<span class="unseen"> {whomOf(shared)}</span>
          </Button>
        )}
      </p>
      {asking && <Revoke shared={shared} close={() => setAsking(false)} onRevoked={onRevoked} />}
    </>
  );
}

function Revoke(props: { shared: Shared; close: () => void; onRevoked: () => Promise<void> }): JSX.Element {
  const revoke = async (): Promise<void> => {
    await vault().revokeShare(props.shared.bundle);
    props.close();
    await props.onRevoked();
  };
  return (
    <Sure
      title={say("share.revoke.title")} leave={say("share.revoke.leave")} yes={say("share.revoke.do")}
      onLeave={props.close} onYes={revoke}
    >
      <p>{say("share.revoke.means")}</p>
      <p>{say(props.shared.opened.length > 0 ? "share.revoke.was_opened" : "share.revoke.unopened")}</p>
    </Sure>
  );
}
