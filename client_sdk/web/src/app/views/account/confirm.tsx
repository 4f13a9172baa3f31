// Password and PIN once more, for what may not be done by somebody who merely holds the open device.
// Knows: what each refusal asks of a person. Refuses to know: what is being confirmed.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";

import { say } from "../../i18n.js";
import { Button, Problem, Secret, useWait, WaitLeft } from "../../parts/index.js";

/** `ready`: whether the rest is filled in; what was typed here stays where it isn't. `more`: of what went wrong. */
export function Confirmed(props: {
  children?: ComponentChildren; more?: ComponentChildren; action: string; failed?: (error: unknown) => void; ready?: () => boolean;
  confirm: (password: string, pin: string) => Promise<void>;
}): JSX.Element {
  const [password, setPassword] = useState("");
  const [pin, setPin] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const wait = useWait(error);
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await props.confirm(password, pin);
      setPassword("");
    } catch (failed) {
      setError(failed);
      props.failed?.(failed);
    }
    setPin("");
    setBusy(false);
  };
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy && wait === 0 && (props.ready?.() ?? true)) void submit();
      }}
    >
      {props.children}
      <fieldset>
        <legend>{say("account.confirm.title")}</legend>
        <p class="hint">{say("account.confirm.why")}</p>
        <Secret label={say("account.confirm.password")} value={password} onInput={setPassword} />
        <Secret label={say("account.confirm.pin")} value={pin} onInput={setPin} digits />
      </fieldset>
      <Problem error={error}>{props.more}</Problem>
      <WaitLeft seconds={wait} />
      <div class="actions">
        <Button type="submit" busy={busy || wait > 0}>{busy ? say("account.confirm.busy") : props.action}</Button>
      </div>
    </form>
  );
}
