// Warnings: what this device has seen that doesn't fit, in plain words, how a person leaves that state, and what came of it.
// Knows: the codes of warnings. Refuses to know: how they were found.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { knows, moment, say } from "../../i18n.js";
import { focusHeading, Notice, sentenceOf, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import { refreshItems, settled, stopping, vault, warnings } from "../../state.js";
import type { SetBack, Settled } from "../../../worker/api.js";
import { ItemLink, LostFiles } from "../journal/LostFiles.js";
import { Confirmed } from "./confirm.js";

/** What a copy that was put back may be the reason of. */
const OF_A_COPY = ["items_missing", "ledger_forked"];

export function Trust(): JSX.Element {
  const codes = warnings.value;
  return (
    <>
      <p class="tools"><a href={address("settings")}>← {say("account.settings.title")}</a></p>
      <Title>{say("account.trust.title")}</Title>
      {settled.value !== null && <Ended settled={settled.value} />}
      {codes.length === 0 ? <p role="status">{say("account.trust.none")}</p> : (
        <>
          <p>{say("account.trust.lead")}</p>
          {codes.map((code) => (
            <Notice care key={code}>
              <p>{say(knows(`account.trust.${code}`) ? `account.trust.${code}` : "account.trust.other")}</p>
            </Notice>
          ))}
          {codes.some((code) => OF_A_COPY.includes(code)) && <SetBacks />}
          {stopping.value.length === 0 ? <p>{say("account.trust.softly")}</p> : <Stopped />}
        </>
      )}
    </>
  );
}

/** What the ledger itself says of copies that were put back. Where it can't be read, nothing is said of it. */
function SetBacks(): JSX.Element | null {
  const [told, setTold] = useState<readonly SetBack[]>([]);
  useEffect(() => {
    let shown = true;
    vault().restorations().then((found) => shown && setTold(found), () => undefined);
    return () => {
      shown = false;
    };
  }, []);
  if (told.length === 0) return null;
  return (
    <div role="status">
      <Notice>
        {told.map(({ time, size, was }) => (
          <p key={`${time} ${size}`}>{say("account.trust.set_back", { moment: moment(time), size, count: was })}</p>
        ))}
        <p>{say("account.trust.set_back_still")}</p>
      </Notice>
    </div>
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
      {warnings.value.includes("items_missing") && <p>{say("account.trust.accept_missing")}</p>}
      <Confirmed
        action={say("account.trust.accept")}
        confirm={async (password, pin) => {
          settled.value = await vault().acceptTrust(password, pin);
          warnings.value = [];
          focusHeading(); // what was filled in goes
          await refreshItems();
        }}
      />
    </>
  );
}

/** What came of it: what was given back, stands by itself now, is lost, or is left to be done. */
function Ended({ settled: { givenBack, anew, files, writtenOff, left, recordOlder } }: { settled: Settled }): JSX.Element {
  return (
    <div role="status">
      {recordOlder && (
        <Notice care>
          <p><b>{say("account.trust.older_pair")}</b></p>
          <p class="actions"><a class="button" href={address("credentials")}>{say("shell.advise_change_do")}</a></p>
        </Notice>
      )}
      <Notice>
        <p>{say("account.trust.ended")}</p>
        {givenBack > 0 && <p>{say("shell.given_back", { count: givenBack })}</p>}
        {anew.length > 0 && (
          <>
            <p>{say("account.trust.anew", { count: anew.length })}</p>
            <ul>{anew.map((id) => <li key={id}><ItemLink id={id} /></li>)}</ul>
          </>
        )}
        <LostFiles files={files} />
        {writtenOff > 0 && <p>{say("account.trust.given_up", { count: writtenOff })}</p>}
        {left !== null && <p>{say("account.trust.left")} {sentenceOf({ code: left })}</p>}
      </Notice>
    </div>
  );
}
