// Somebody has shown the recovery words: since when, until when, and how it is stopped. Knows: that it may be the person's
// own doing. Refuses to know: who it was, which nobody can say.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { moment, say } from "../../i18n.js";
import { focusHeading, Notice, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import { lookForRecovery, recovering, vault } from "../../state.js";
import { Confirmed } from "./confirm.js";

export function Recovery(): JSX.Element {
  const [stopped, setStopped] = useState(false);
  const pending = recovering.value;
  useEffect(() => void lookForRecovery(), []);
  return (
    <>
      <p class="tools"><a href={address("settings")}>← {say("account.settings.title")}</a></p>
      <Title>{say("account.recovery.title")}</Title>
      <div role="status">
        {pending === null && (stopped ? <Stopped /> : <p>{say("account.recovery.none")}</p>)}
      </div>
      {pending !== null && (
        <>
          <Notice care>
            <p>{say("account.recovery.begun", { moment: moment(pending.begun) })}</p>
            <p>{say("account.recovery.due", { moment: moment(pending.due) })}</p>
          </Notice>
          <p>{say("account.recovery.who")}</p>
          <h2>{say("account.recovery.me_title")}</h2>
          <p>{say("account.recovery.me")}</p>
          <h2>{say("account.recovery.other_title")}</h2>
          <p>{say("account.recovery.other")}</p>
          <Confirmed
            action={say("account.recovery.stop")}
            confirm={async (password, pin) => {
              await vault().stopRecovery(password, pin);
              setStopped(true);
              recovering.value = null;
              focusHeading(); // what was filled in goes
            }}
          />
        </>
      )}
    </>
  );
}

function Stopped(): JSX.Element {
  return (
    <Notice>
      <p>{say("account.recovery.stopped")}</p>
      <p>{say("account.recovery.again")}</p>
      <p>{say("account.recovery.sheet")} <a href={address("credentials")}>{say("account.credentials.words_make")}</a></p>
    </Notice>
  );
}
