// A closed or delayed PIN, opened by the recovery code. Knows: the three things that are asked for.
// Refuses to know: keys, and what was typed once it was sent.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { say } from "../../i18n.js";
import { Button, Field, Notice, Problem, Secret, Title, useWait, WaitLeft } from "../../parts/index.js";
import { address, go } from "../../router.js";
import { begin } from "./enter.js";
import { WordsField } from "./sheet.js";

export function Reopen(): JSX.Element {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [words, setWords] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const wait = useWait(error);
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await begin().reopenPin(username, password, words);
      setWords("");
      setDone(true);
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  };
  if (done) {
    return (
      <>
        <Title key="done">{say("account.reopen.done_title")}</Title>
        <p>{say("account.reopen.done")}</p>
        <div class="actions"><Button onClick={() => go("logIn", null, true)}>{say("account.door.log_in")}</Button></div>
      </>
    );
  }
  return (
    <>
      <p class="tools"><a href={address("logIn")}>← {say("account.back")}</a></p>
      <Title>{say("account.reopen.title")}</Title>
      <p>{say("account.reopen.lead")}</p>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && wait === 0) void submit();
        }}
      >
        <Field label={say("account.username")} value={username} onInput={setUsername} />
        <Secret label={say("account.password")} value={password} onInput={setPassword} />
        <WordsField value={words} onInput={setWords} />
        <Problem error={error} />
        <WaitLeft seconds={wait} />
        <div class="actions">
          <Button type="submit" busy={busy || wait > 0}>
            {say(busy ? "account.sign_up.checking" : "account.reopen.do")}
          </Button>
        </div>
      </form>
      <Notice><p>{say("account.reopen.otherwise")}</p></Notice>
    </>
  );
}
