// How long the recovery words wait before they open anything. Knows: which times are offered, and that a shorter one doesn't
// hold at once. Refuses to know: whether somebody waits now (recovery.tsx).

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { moment, say } from "../../i18n.js";
import { Choice } from "../../parts/choice.js";
import { focusHeading, Notice, Problem, Title, Waiting, waitingTime } from "../../parts/index.js";
import { address } from "../../router.js";
import { recoveryWait, vault } from "../../state.js";
import { Confirmed } from "./confirm.js";

const OFFERED = [0, 1, 3, 7, 14, 30].map((days) => days * 86_400);

export function WaitingTime(): JSX.Element {
  const [chosen, setChosen] = useState<number | null>(null);
  const [done, setDone] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => void vault().recoveryWait().then((found) => { recoveryWait.value = found; }, setError), []);
  const now = recoveryWait.value;
  const next = now?.next ?? null;
  return (
    <>
      <p class="tools"><a href={address("settings")}>← {say("account.settings.title")}</a></p>
      <Title>{say("account.waiting_time.title")}</Title>
      <p>{say("account.waiting_time.lead")}</p>
      <Problem error={error} />
      {now === null && error === null && <Waiting>{say("shell.loading")}</Waiting>}
      <div role="status">
        {done && <Notice><p>{say("account.waiting_time.done")}</p></Notice>}
        {now !== null && <p>{say("account.waiting_time.now", { wait: waitingTime(now.wait) })}</p>}
        {next !== null && (
          <Notice care>
            <p>{say("account.waiting_time.next", { moment: moment(next.since), wait: waitingTime(next.wait) })}</p>
            {!done && (
              <p>
                {say("account.waiting_time.not_me")}{" "}
                <a href={address("credentials")}>{say("account.settings.credentials")}</a>
              </p>
            )}
          </Notice>
        )}
      </div>
      {now !== null && (
        <>
          <h2>{say("account.waiting_time.which_title")}</h2>
          <ul>
            <li>{say("account.waiting_time.longer")}</li>
            <li>{say("account.waiting_time.shorter")}</li>
            <li>{say("account.waiting_time.none")}</li>
          </ul>
          <p>{say("account.waiting_time.rule")}</p>
          <Confirmed
            action={say("account.waiting_time.do")}
            confirm={async (password, pin) => {
              setDone(false);
              recoveryWait.value = await vault().setRecoveryWait(password, pin, chosen ?? now.wait);
              setChosen(null);
              setDone(true);
              focusHeading(); // it is told up there
            }}
          >
            <Choice
              label={say("account.waiting_time.choice")} value={String(chosen ?? now.wait)}
              onChange={(value) => setChosen(Number(value))}
              options={offered(now.wait).map((wait) => [String(wait), waitingTime(wait)])}
            />
          </Confirmed>
        </>
      )}
    </>
  );
}

/** What is offered, and what holds now, in seconds. */
function offered(now: number): readonly number[] {
  return [...new Set([...OFFERED, now])].sort((one, other) => one - other);
}
