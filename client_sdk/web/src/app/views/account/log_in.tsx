// Logging in: user name, password and PIN, asked for together. Knows: what each refusal asks of a person.
// Refuses to know: keys, and what was typed once the vault is open.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";

import { say } from "../../i18n.js";
import { Button, Field, Notice, Problem, Secret, Title, useWait, WaitLeft } from "../../parts/index.js";
import { address } from "../../router.js";
import { closed } from "../../state.js";
import { begin, getIn } from "./enter.js";

const CLOSED_PIN = ["pin_closed", "pin_locked"];

export function LogIn(): JSX.Element {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [pin, setPin] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const pinInput = useRef<HTMLInputElement>(null);
  const wait = useWait(error);
  const code = (error as { code?: string } | null)?.code ?? "";
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const vault = begin();
      getIn(vault, username, await vault.logIn({ username, password, pin }));
    } catch (failed) {
      setBusy(false);
      setError(failed);
      if ((failed as { code?: string }).code === "pin_wrong") {
        setPin("");
        pinInput.current?.focus();
      }
    }
  };
  return (
    <>
      <p class="tools"><a href={address("home")}>← {say("account.back")}</a></p>
      <Title>{say("account.log_in.title")}</Title>
      {closed.value?.why === "unsure" && <Notice care><p>{say("account.closed.unsure")}</p></Notice>}
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && wait === 0) void submit();
        }}
      >
        <Field label={say("account.username")} value={username} onInput={setUsername} />
        <Secret label={say("account.password")} value={password} onInput={setPassword} />
        <Secret label={say("account.pin")} value={pin} onInput={setPin} digits input={pinInput} />
        <Problem error={error} />
        <WaitLeft seconds={wait} />
        {CLOSED_PIN.includes(code) && <p><a href={address("reopen")}>{say("account.log_in.reopen")}</a></p>}
        <div class="actions">
          <Button type="submit" busy={busy || wait > 0}>
            {say(busy ? "account.log_in.busy" : "account.log_in.do")}
          </Button>
        </div>
        <p role="status" class="hint">{busy ? say("account.log_in.patience") : ""}</p>
      </form>
      <p class="hint">{say("account.log_in.browser")}</p>
      <details>
        <summary>{say("account.log_in.lost")}</summary>
        <p>{say("account.log_in.lost_pin")} <a href={address("reopen")}>{say("account.log_in.reopen")}</a></p>
        <p>{say("account.log_in.lost_password")} <a href={address("recover")}>{say("account.log_in.recover")}</a></p>
        <p>{say("account.log_in.lost_sheet")}</p>
      </details>
    </>
  );
}
