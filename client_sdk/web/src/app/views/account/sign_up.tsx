// Making a space: a name, a password, a PIN, then the recovery code, which is asked back before anything is sent.
// Knows: the order of the steps. Refuses to know: keys; and nothing typed outlives this view.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { lang, say } from "../../i18n.js";
import { Public } from "../../parts/frame.js";
import { Button, Field, Notice, Problem, Secret, Title, Waiting } from "../../parts/index.js";
import { address } from "../../router.js";
import { session } from "../../state.js";
import { endVault } from "../../vault.js";
import { begin, getIn } from "./enter.js";
import { PasswordField, requireStrong } from "./password.js";
import { AskedBack, Sheet } from "./sheet.js";

const STEPS = ["before", "name", "password", "pin", "making", "sheet", "words", "sending"] as const;
type Step = (typeof STEPS)[number];
/** The steps that a person counts. */
const COUNTED: readonly Step[] = ["name", "password", "pin", "sheet", "words"];

export function SignUp(): JSX.Element {
  const [step, setStep] = useState<Step>("before");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [pin, setPin] = useState("");
  const [words, setWords] = useState<readonly string[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  useEffect(() => () => {
    if (session.value === null) endVault(); // whoever leaves half-way leaves no key behind
  }, []);

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
      setError(failed);
      setStep((failed as { code?: string }).code === "account_exists" ? "name" : otherwise);
    } finally {
      setBusy(false);
    }
  };
  const make = async (): Promise<void> => {
    await begin().requireNew({ username, password, pin });
    setStep("making");
    setWords(await begin().makeAccount({ username, password, pin }, lang.value === "fr" ? "french" : "english"));
  };
  const send = (): Promise<void> =>
    attempt(async () => {
      const vault = begin();
      getIn(vault, username, await vault.register());
    }, "sending", "sending");

  return (
    <>
      {step === "before" && <p class="tools"><a href={address("home")}>← {say("account.back")}</a></p>}
      {BACK[step] !== undefined && (
        <p class="tools">
          <button class="link" type="button" onClick={() => to(BACK[step]!)}>← {say("account.back")}</button>
        </p>
      )}
      {COUNTED.includes(step) && (
        <p class="hint">{say("account.sign_up.step", { step: COUNTED.indexOf(step) + 1, steps: COUNTED.length })}</p>
      )}
      {step === "before" && (
        <Before
          next={() => {
            begin(); // it comes while the name is typed
            to("name");
          }}
        />
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
      {step === "sheet" && <Sheet words={words} next={() => to("words")} />}
      {step === "words" && (
        <AskedBack
          check={(places, typed) => begin().checkWords(places, typed)} again={() => to("sheet")} next={() => {
            to("sending");
            void send();
          }}
        />
      )}
      {step === "sending" && <Sending error={error} busy={busy} again={() => void send()} />}
    </>
  );
}

const BACK: Readonly<Partial<Record<Step, Step>>> = {
  name: "before", password: "name", pin: "password", words: "sheet",
};

function Before({ next }: { next: () => void }): JSX.Element {
  return (
    <>
      <Title>{say("account.sign_up.before_title")}</Title>
      <p class="lead">{say("account.sign_up.before_lead")}</p>
      <ul>
        <li>{say("account.sign_up.before_safe")}</li>
        <li>{say("account.sign_up.before_paper")}</li>
        <li>{say("account.sign_up.before_none")}</li>
      </ul>
      <p class="tools"><Public page={7} words={say("account.sign_up.before_read")} /></p>
      <div class="actions">
        <Button onClick={next}>{say("account.sign_up.begin")}</Button>
        <a class="button plain" href={address("home")}>{say("account.sign_up.later")}</a>
      </div>
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

function Sending({ error, busy, again }: { error: unknown; busy: boolean; again: () => void }): JSX.Element {
  return (
    <>
      <Title>{say("account.sign_up.sending_title")}</Title>
      {busy ? <Waiting>{say("account.sign_up.sending")}</Waiting> : (
        <>
          <Problem error={error} />
          <Notice><p>{say("account.sign_up.not_sent")}</p></Notice>
          <div class="actions"><Button onClick={again}>{say("account.sign_up.send_again")}</Button></div>
        </>
      )}
    </>
  );
}
