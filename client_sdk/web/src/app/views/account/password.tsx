// A new password, and whether it is good enough to begin with. Knows: how zxcvbn's judgement is said.
// Refuses to know: the rules of form (the worker's), and the password once the view is gone.

import type { JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";

import { Failure } from "../../../worker/problems.js";
import { lang, knows, say } from "../../i18n.js";
import { Secret } from "../../parts/index.js";
import { ENOUGH, type Strength } from "./strength.js";

const PAUSE_MS = 250;

/** A password field that says how strong what is typed is, and what would make it stronger. */
export function PasswordField(props: {
  label: string; value: string; onInput: (value: string) => void; username: string; hint?: string;
}): JSX.Element {
  const [strength, setStrength] = useState<Strength | null>(null);
  const id = useId();
  const { username, ...rest } = props;
  useEffect(() => {
    if (props.value === "") return setStrength(null);
    let here = true;
    const pause = setTimeout(() => {
      judge(props.value, username).then((found) => here && setStrength(found), () => here && setStrength(null));
    }, PAUSE_MS);
    return () => {
      here = false;
      clearTimeout(pause);
    };
  }, [props.value, username]);
  return (
    <>
      <div onFocusIn={() => void judge("", username).catch(() => undefined) /* its lists come while it is typed */}>
        <Secret {...rest} />
      </div>
      <div class="strength" id={id} role="status">
        {strength !== null && (
          <>
            <meter
              min={0} max={4} low={ENOUGH} high={ENOUGH} optimum={4} value={Math.max(strength.score, 0.2)}
              aria-hidden="true"
            />
            <p>{say(`account.strength.score.${strength.score}`)}</p>
            {strength.score < ENOUGH && spoken(strength.advice).map((words) => <p class="hint" key={words}>{words}</p>)}
          </>
        )}
      </div>
    </>
  );
}

function spoken(advice: readonly string[]): readonly string[] {
  return advice.map((one) => `account.strength.advice.${one}`).filter(knows).map((key) => say(key));
}

/** Rejects with secret_refused a password that is too easy to guess. */
export async function requireStrong(password: string, username: string): Promise<void> {
  const { score } = await judge(password, username);
  if (score >= ENOUGH) return;
  const detail = "the password is too easy to guess";
  throw new Failure({ code: "secret_refused", detail, retryAfter: null, extra: {} });
}

async function judge(password: string, username: string): Promise<Strength> {
  const { judgeStrength } = await import("./judge.js");
  return judgeStrength(password, username, lang.value);
}
