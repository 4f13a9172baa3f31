// The end of a space. Knows: what goes, what stays, and that nobody has to decide it today. Refuses to know: how it is done.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";

import { say } from "../../i18n.js";
import { lockNow } from "../../lock.js";
import { Public } from "../../parts/frame.js";
import { Notice, Tick, Title, Waiting } from "../../parts/index.js";
import { address } from "../../router.js";
import { erasing, vault } from "../../state.js";
import { Confirmed } from "./confirm.js";

const GOES = ["written", "shared", "boxes", "waiting", "account"] as const;
const STAYS = ["opened", "ledger", "remains", "sheet"] as const;

export function Erase(): JSX.Element {
  const [understood, setUnderstood] = useState(false);
  const [asked, setAsked] = useState(false);
  const box = useRef<HTMLInputElement>(null);
  const ready = (): boolean => {
    setAsked(!understood);
    if (!understood) box.current?.focus();
    return understood;
  };
  const erase = async (password: string, pin: string): Promise<void> => {
    erasing.value = true;
    await lockNow((await vault().erase(password, pin)) ? "erased" : "perhaps_erased");
  };
  return (
    <>
      <p class="tools"><a href={address("settings")}>← {say("account.settings.title")}</a></p>
      <Title>{say("account.erase.title")}</Title>
      <Notice><p>{say("account.erase.pressed")}</p></Notice>
      <h2>{say("account.erase.goes_title")}</h2>
      <p>{say("account.erase.goes_lead")}</p>
      <ul>{GOES.map((key) => <li key={key}>{say(`account.erase.goes.${key}`)}</li>)}</ul>
      <h2>{say("account.erase.stays_title")}</h2>
      <ul>
        {STAYS.map((key) => <li key={key}>{say(`account.erase.stays.${key}`)}</li>)}
        <li>{say("account.settings.device_history")} <Public page={6} words={say("site.page.6")} /></li>
      </ul>
      <h2>{say("account.erase.save_title")}</h2>
      <p>{say("account.erase.save_files")}</p>
      <p>{say("account.erase.save_all")}</p>
      <p>{say("account.erase.save_care")}</p>
      <p class="tools">
        <a href={address("documents")}>{say("account.erase.to_files")}</a>
        <a href={address("dossier")}>{say("account.settings.dossier")}</a>
      </p>
      <h2>{say("account.erase.do_title")}</h2>
      <Confirmed action={say("account.erase.do")} confirm={erase} ready={ready} failed={() => (erasing.value = false)}>
        <Tick
          label={say("account.erase.understood")} checked={understood} onChange={setUnderstood} input={box}
          error={asked && !understood ? say("account.erase.not_understood") : null}
        />
      </Confirmed>
      {erasing.value && <Waiting>{say("account.erase.busy")}</Waiting>}
    </>
  );
}
