// Where the vault is open. Knows: when each session began and was last used. Refuses to know: devices and places, which
// the vault doesn't keep.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { AccountSession } from "../../../worker/api.js";
import { moment, say } from "../../i18n.js";
import { focusHeading, Notice, Problem, Title, Waiting } from "../../parts/index.js";
import { address } from "../../router.js";
import { vault } from "../../state.js";
import { Confirmed } from "./confirm.js";

export function Sessions(): JSX.Element {
  const [found, setFound] = useState<readonly AccountSession[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [ended, setEnded] = useState<number | null>(null);
  const look = (): Promise<void> => vault().sessions().then((all) => setFound(hereFirst(all)), setError);
  useEffect(() => void look(), []);
  return (
    <>
      <p class="tools"><a href={address("settings")}>← {say("account.settings.title")}</a></p>
      <Title>{say("account.sessions.title")}</Title>
      <p>{say("account.sessions.lead")}</p>
      <Problem error={error} />
      {found === null && error === null && <Waiting>{say("shell.loading")}</Waiting>}
      {found !== null && (
        <ul class="sessions">
          {found.map((one) => (
            <li class="card" key={one.id}>
              <b>{say(one.mine ? "account.sessions.mine" : "account.sessions.other")}</b>
              <span>{say("account.sessions.begun", { moment: moment(one.begun) })}</span>
              <span>{say("account.sessions.used", { moment: moment(one.lastUsed) })}</span>
            </li>
          ))}
        </ul>
      )}
      <div role="status">
        {ended !== null && <Notice><p>{say("account.sessions.ended", { count: ended })}</p></Notice>}
      </div>
      {found !== null && found.some((one) => !one.mine) && (
        <>
          <h2>{say("account.sessions.end_title")}</h2>
          <p>
            {say("account.sessions.end_lead")}{" "}
            <a href={address("credentials")}>{say("shell.advise_change_do")}</a>
          </p>
          <Confirmed
            action={say("account.sessions.end")}
            confirm={async (password, pin) => {
              setEnded(await vault().endOtherSessions(password, pin));
              setFound(found.filter((one) => one.mine));
              focusHeading(); // what was filled in goes
            }}
          />
        </>
      )}
    </>
  );
}

/** Whoever looks for an opening that isn't theirs sees first which one is. */
function hereFirst(all: readonly AccountSession[]): readonly AccountSession[] {
  return [...all.filter(({ mine }) => mine), ...all.filter(({ mine }) => !mine)];
}
