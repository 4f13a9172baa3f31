// The PIN once more, for what stands behind it. Knows: who asks, and that one question is enough at a time.
// Refuses to know: what it opens, and the PIN once it was sent.

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { say } from "../i18n.js";
import { refreshItems, sensitiveUntil, vault } from "../state.js";
import { Button, Dialog, Problem, Secret } from "./index.js";
import { useWait, WaitLeft } from "./wait.js";

const asking = signal<{ readonly promise: Promise<boolean>; readonly answer: (open: boolean) => void } | null>(null);

/** Whether the sensitive tier is open: at once if it is, else after the PIN was asked for. */
export function askPin(): Promise<boolean> {
  if (sensitiveUntil.value !== null && sensitiveUntil.value > Date.now()) return Promise.resolve(true);
  if (asking.value !== null) return asking.value.promise;
  let answer: (open: boolean) => void = () => undefined;
  const promise = new Promise<boolean>((resolve) => (answer = resolve));
  asking.value = { promise, answer };
  return promise;
}

/** The question, while somebody asks it; the shell shows it. */
export function PinDialog(): JSX.Element | null {
  useEffect(() => () => answerWith(false), []);
  return asking.value === null ? null : <Question />;
}

function answerWith(open: boolean): void {
  const asked = asking.value;
  asking.value = null;
  asked?.answer(open);
}

function Question(): JSX.Element {
  const [pin, setPin] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const wait = useWait(error);
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await vault().stepUp(pin);
      await refreshItems();
      answerWith(true);
    } catch (failed) {
      setError(failed);
      setBusy(false);
      setPin("");
      input.current?.focus();
    }
  };
  return (
    <Dialog title={say("parts.pin_title")} onClose={() => answerWith(false)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && wait === 0) void submit();
        }}
      >
        <Secret
          label={say("parts.pin")} hint={say("parts.pin_hint")} value={pin} onInput={setPin} digits input={input}
        />
        <Problem error={error} />
        <WaitLeft seconds={wait} />
        <div class="actions">
          <Button type="submit" busy={busy || wait > 0}>{say(busy ? "parts.opening" : "parts.open")}</Button>
          <Button plain onClick={() => answerWith(false)}>{say("parts.cancel")}</Button>
        </div>
      </form>
    </Dialog>
  );
}
