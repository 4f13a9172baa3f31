// Choosing a name, a password and a PIN, then the recovery code, which is asked back before anything is sent: for a new
// space, and in the place of what was lost. Knows: the order of the steps. Refuses to know: keys, and for which of the two;
// nothing typed outlives this view.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import type { Opening, Typed } from "../../../worker/api.js";
import { lang, say } from "../../i18n.js";
import { Button, Field, Notice, Problem, Secret, Title, Waiting } from "../../parts/index.js";
import { begin, getIn } from "./enter.js";
import { PasswordField, requireStrong } from "./password.js";
import { AskedBack, Sheet } from "./sheet.js";

const STEPS = ["name", "password", "pin", "making", "sheet", "words", "sending"] as const;
type Step = (typeof STEPS)[number];
/** The steps that a person counts. */
const COUNTED: readonly Step[] = ["name", "password", "pin", "sheet", "words"];
const BACK: Readonly<Partial<Record<Step, Step>>> = { password: "name", pin: "password", words: "sheet" };

/** `make` gives the words, `send` opens the space; `back` leads before the first step. `notSent` is the key of what is said
 * where it couldn't be sent; `ended` is told of that first, and may show something else. `renewed`: an older sheet opens
 * nothing any more. */
export function Choosing(props: {
  back: () => void; make: (typed: Typed, language: "english" | "french") => Promise<readonly string[]>;
  send: () => Promise<Opening>; notSent: string; ended?: (error: unknown) => boolean; renewed?: boolean;
}): JSX.Element {
  const [step, setStep] = useState<Step>("name");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [pin, setPin] = useState("");
  const [words, setWords] = useState<readonly string[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  /** What is typed anew answers the last error. */
  const typing = (set: (value: string) => void) => (value: string): void => {
    set(value);
    setError(null);
  };
  const to = (next: Step): void => {
    setError(null);
    setStep(next);
  };
  /** Does it, then goes on; an error stays here and says what to do, or goes back to `otherwise`. */
  const attempt = async (work: () => Promise<unknown>, next: Step, otherwise: Step = step): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await work();
      setStep(next);
    } catch (failed) {
      if (next === "sending" && props.ended?.(failed)) return;
      setError(failed);
      setStep((failed as { code?: string }).code === "account_exists" ? "name" : otherwise);
    } finally {
      setBusy(false);
    }
  };
  const make = async (): Promise<void> => {
    await begin().requireNew({ username, password, pin });
    setStep("making");
    setWords(await props.make({ username, password, pin }, lang.value === "fr" ? "french" : "english"));
  };
  const send = (): Promise<void> =>
    attempt(async () => getIn(begin(), username, await props.send()), "sending", "sending");

  return (
    <>
      {(step === "name" || BACK[step] !== undefined) && (
        <p class="tools">
          <button class="link" type="button" onClick={() => (step === "name" ? props.back() : to(BACK[step]!))}>
            ← {say("account.back")}
          </button>
        </p>
      )}
      {COUNTED.includes(step) && (
        <p class="hint">{say("account.sign_up.step", { step: COUNTED.indexOf(step) + 1, steps: COUNTED.length })}</p>
      )}
      {step === "name" && (
        <Asked
          key={step} title={say("account.sign_up.name_title")} lead={say("account.sign_up.name_lead")}
          error={error} busy={busy}
          submit={() => void attempt(() => begin().requireNew({ username }), "password")}
        >
          <Field
            label={say("account.username")} hint={say("account.sign_up.name_hint")} value={username}
            onInput={typing(setUsername)}
          />
        </Asked>
      )}
      {step === "password" && (
        <Asked
          key={step} title={say("account.sign_up.password_title")} lead={say("account.sign_up.password_lead")}
          error={error} busy={busy}
          submit={() =>
            void attempt(async () => {
              await begin().requireNew({ username, password });
              await requireStrong(password, username);
            }, "pin")}
        >
          <PasswordField
            label={say("account.password")} hint={say("account.sign_up.password_hint")} value={password}
            onInput={typing(setPassword)} username={username}
          />
          <p class="hint">{say("account.log_in.browser")}</p>
        </Asked>
      )}
      {step === "pin" && (
        <PinStep
          pin={pin} setPin={typing(setPin)} error={error} busy={busy} next={() => void attempt(make, "sheet", "pin")}
        />
      )}
      {step === "making" && <Making />}
      {step === "sheet" && <Sheet words={words} next={() => to("words")} renewed={props.renewed ?? false} />}
      {step === "words" && (
        <AskedBack
          check={(places, typed) => begin().checkWords(places, typed)} again={() => to("sheet")} next={() => {
            to("sending");
            void send();
          }}
        />
      )}
      {step === "sending" && (
        <Sending error={error} busy={busy} again={() => void send()} notSent={props.notSent} />
      )}
    </>
  );
}

function Asked(props: {
  title: string; lead: string; error: unknown; busy: boolean; submit: () => void; children: JSX.Element | JSX.Element[];
}): JSX.Element {
  return (
    <>
      <Title>{props.title}</Title>
      <p>{props.lead}</p>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!props.busy) props.submit();
        }}
      >
        {props.children}
        <Problem error={props.error} />
        <div class="actions">
          <Button type="submit" busy={props.busy}>
            {say(props.busy ? "account.sign_up.checking" : "account.sign_up.next")}
          </Button>
        </div>
      </form>
    </>
  );
}

function PinStep(props: {
  pin: string; setPin: (pin: string) => void; error: unknown; busy: boolean; next: () => void;
}): JSX.Element {
  const [again, setAgain] = useState("");
  const [differ, setDiffer] = useState(false);
  return (
    <Asked
      title={say("account.sign_up.pin_title")} lead={say("account.sign_up.pin_lead")} error={props.error}
      busy={props.busy}
      submit={() => {
        setDiffer(props.pin !== again);
        if (props.pin === again) props.next();
      }}
    >
      <Secret
        label={say("account.pin")} hint={say("account.sign_up.pin_hint")} value={props.pin} onInput={props.setPin}
        digits
        maxLength={12}
      />
      <Secret
        label={say("account.sign_up.pin_again")} value={again} onInput={setAgain} digits maxLength={12}
        error={differ ? say("account.sign_up.pin_differs") : null}
      />
    </Asked>
  );
}

function Making(): JSX.Element {
  return (
    <>
      <Title>{say("account.sign_up.making_title")}</Title>
      <Waiting>{say("account.sign_up.making")}</Waiting>
    </>
  );
}

function Sending(props: { error: unknown; busy: boolean; again: () => void; notSent: string }): JSX.Element {
  const { error, busy, again, notSent } = props;
  return (
    <>
      <Title>{say("account.sign_up.sending_title")}</Title>
      {busy ? <Waiting>{say("account.sign_up.sending")}</Waiting> : (
        <>
          <Problem error={error} />
          <Notice><p>{say(notSent)}</p></Notice>
          <div class="actions"><Button onClick={again}>{say("account.sign_up.send_again")}</Button></div>
        </>
      )}
    </>
  );
}
