// Another user name, password or PIN, and new recovery words. Knows: that what is left empty stays as it is, and what to do
// when nobody knows whether the change arrived. Refuses to know: keys.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { Failure } from "../../../worker/problems.js";
import { lang, say } from "../../i18n.js";
import { lockNow } from "../../lock.js";
import { Button, Field, focusHeading, Notice, Problem, Secret, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import { lookForRecovery, session, vault } from "../../state.js";
import { Confirmed } from "./confirm.js";
import { PasswordField, requireStrong } from "./password.js";
import { AskedBack, Sheet } from "./sheet.js";

/** After these nobody knows which pair holds: the vault has locked itself. */
const UNSURE = ["network", "server"];

export function Credentials(): JSX.Element {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [pin, setPin] = useState("");
  const [again, setAgain] = useState("");
  const [done, setDone] = useState(false);
  const [sheet, setSheet] = useState<"none" | "shown" | "asked" | "ready">("none");
  const [words, setWords] = useState<readonly string[]>([]);
  const [error, setError] = useState<unknown>(null);
  const renew = sheet === "ready";
  const now = session.value?.username ?? "";
  const change = async (oldPassword: string, oldPin: string): Promise<void> => {
    setDone(false);
    const name = username || now;
    if (username === "" && password === "" && pin === "" && !renew) throw refusal("nothing_new");
    if (pin !== again) throw refusal("pins_differ");
    const next = { username: name, password: password || oldPassword, pin: pin || oldPin };
    await vault().requireNew({
      ...(username ? { username } : {}), ...(password ? { username: name, password } : {}), ...(pin ? { pin } : {}),
    });
    if (password !== "") await requireStrong(password, name);
    await vault().changeCredentials({ password: oldPassword, pin: oldPin }, next, renew);
    if (session.value !== null) session.value = { ...session.value, username: name };
    for (const empty of [setUsername, setPassword, setPin, setAgain]) empty("");
    setSheet("none");
    if (renew) await lookForRecovery(); // what waited for the old words is over
    setDone(true);
    focusHeading(); // it is told up there
  };
  const makeWords = (): Promise<void> => {
    setDone(false);
    setError(null);
    return vault().makeWords(lang.value === "fr" ? "french" : "english").then((made) => {
      setWords(made);
      setSheet("shown");
    }, setError);
  };
  if (sheet === "shown" || sheet === "asked") {
    return (
      <>
        <p class="tools">
          <button class="link" type="button" onClick={() => setSheet("none")}>
            ← {say("account.credentials.title")}
          </button>
        </p>
        {sheet === "shown" ? <Sheet words={words} next={() => setSheet("asked")} renewed /> : (
          <AskedBack
            check={(places, typed) => vault().checkWords(places, typed)} again={() => setSheet("shown")}
            next={() => setSheet("ready")}
          />
        )}
      </>
    );
  }
  return (
    <>
      <p class="tools"><a href={address("settings")}>← {say("account.settings.title")}</a></p>
      <Title>{say("account.credentials.title")}</Title>
      <p>{say("account.credentials.lead")}</p>
      <div role="status">
        {done && <Notice><p>{say("account.credentials.done")}</p></Notice>}
        {renew && <Notice care><p>{say("account.credentials.words_ready")}</p></Notice>}
      </div>
      <Confirmed
        action={say("account.credentials.do")} confirm={change}
        failed={(error) => {
          if (UNSURE.includes((error as { code?: string }).code ?? "")) void lockNow("unsure");
        }}
      >
        <Field
          label={say("account.credentials.username")} hint={say("account.settings.name", { name: now })} value={username}
          onInput={setUsername}
        />
        <PasswordField
          label={say("account.credentials.password")} value={password} onInput={setPassword} username={username || now}
        />
        <Secret
          label={say("account.credentials.pin")} hint={say("account.sign_up.pin_hint")} value={pin} onInput={setPin}
          digits
          maxLength={12}
        />
        {pin !== "" && (
          <Secret label={say("account.sign_up.pin_again")} value={again} onInput={setAgain} digits maxLength={12} />
        )}
        <h2>{say("account.credentials.words")}</h2>
        {renew ? (
          <div class="actions">
            <Button
              plain onClick={() => {
                setSheet("none");
                focusHeading(); // this goes
              }}
            >
              {say("account.credentials.words_keep")}
            </Button>
          </div>
        ) : (
          <>
            <p>{say("account.credentials.words_text")}</p>
            <Problem error={error} />
            <div class="actions">
              <Button plain onClick={() => void makeWords()}>{say("account.credentials.words_make")}</Button>
            </div>
          </>
        )}
      </Confirmed>
    </>
  );
}

function refusal(code: string): Failure {
  return new Failure({ code, detail: "", retryAfter: null, extra: {} });
}
