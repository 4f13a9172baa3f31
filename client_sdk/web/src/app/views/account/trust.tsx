// Warnings: what this device has seen that doesn't fit, in plain words, and how a person leaves that state.
// Knows: the codes of warnings. Refuses to know: how they were found.

import type { JSX } from "preact";

import { knows, say } from "../../i18n.js";
import { focusHeading, Notice, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import { refreshItems, stopping, vault, warnings } from "../../state.js";
import { Confirmed } from "./confirm.js";

export function Trust(): JSX.Element {
  const codes = warnings.value;
  return (
    <>
      <p class="tools"><a href={address("settings")}>← {say("account.settings.title")}</a></p>
      <Title>{say("account.trust.title")}</Title>
      {codes.length === 0 ? <p role="status">{say("account.trust.none")}</p> : (
        <>
          <p>{say("account.trust.lead")}</p>
          {codes.map((code) => (
            <Notice care key={code}>
              <p>{say(knows(`account.trust.${code}`) ? `account.trust.${code}` : "account.trust.other")}</p>
            </Notice>
          ))}
          {stopping.value.length === 0 ? <p>{say("account.trust.softly")}</p> : <Stopped />}
        </>
      )}
    </>
  );
}

function Stopped(): JSX.Element {
  return (
    <>
      <h2>{say("account.trust.meanwhile")}</h2>
      <ul>
        <li>{say("account.trust.reading")}</li>
        <li>{say("account.trust.editing")}</li>
        <li>{say("account.trust.evidence")}</li>
        <li>{say("account.trust.ask")}</li>
      </ul>
      <h2>{say("account.trust.accept_title")}</h2>
      <p>{say("account.trust.accept_lead")}</p>
      <Confirmed
        action={say("account.trust.accept")}
        confirm={async (password, pin) => {
          await vault().acceptTrust(password, pin);
          warnings.value = [];
          focusHeading(); // what was filled in goes
          await refreshItems();
        }}
      />
    </>
  );
}
