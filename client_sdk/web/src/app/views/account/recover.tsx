// Getting back in with the recovery words alone. Knows: that the words are shown, that it is waited, and that everything is
// chosen anew then. Refuses to know: keys, and what was typed once it was sent.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import type { ShownRecovery } from "../../../worker/api.js";
import { moment, say } from "../../i18n.js";
import { Button, Notice, Problem, Title, useWait, WaitLeft } from "../../parts/index.js";
import { address } from "../../router.js";
import { endVault } from "../../vault.js";
import { Choosing } from "./choosing.js";
import { begin, useEnding } from "./enter.js";
import { WordsField } from "./sheet.js";

/** After these the words have to be shown again. Where it was stopped, that has begun the waiting anew. */
const ENDED = ["recovery_over", "recovery_waiting", "recovery_refused"];

export function Recover(): JSX.Element {
  const [shown, setShown] = useState<ShownRecovery | null>(null);
  const [choosing, setChoosing] = useState(false);
  const [ended, setEnded] = useState<unknown>(null);
  useEnding();
  const end = (error: unknown): boolean => {
    const { code } = error as { code: string };
    if (!ENDED.includes(code)) return false;
    setEnded(code === "recovery_refused" ? error : { code: "recovery_over" });
    setShown(null);
    setChoosing(false);
    return true;
  };
  if (shown === null) return <Words ended={ended} right={setShown} />;
  if (!shown.isDue) return <Wait shown={shown} />;
  if (!choosing) return <Due next={() => setChoosing(true)} />;
  return (
    <Choosing
      back={() => setChoosing(false)} make={(typed, language) => begin().makeRecovered(typed, language)}
      send={() => begin().recover()} notSent="account.recover.not_sent" ended={end} renewed
    />
  );
}

function Words({ ended, right }: { ended: unknown; right: (shown: ShownRecovery) => void }): JSX.Element {
  const [words, setWords] = useState("");
  const [error, setError] = useState<unknown>(ended);
  const [busy, setBusy] = useState(false);
  const wait = useWait(error);
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const shown = await begin().showRecovery(words);
      if (!shown.isDue) endVault(); // nobody has to wait here
      right(shown);
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return (
    <>
      <p class="tools"><a href={address("logIn")}>← {say("account.back")}</a></p>
      <Title key="words">{say("account.recover.title")}</Title>
      <p class="lead">{say("account.recover.lead")}</p>
      <p>{say("account.recover.how")}</p>
      <Notice><p>{say("account.recover.told")}</p></Notice>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && wait === 0) void submit();
        }}
      >
        <WordsField value={words} onInput={setWords} />
        <Problem error={error} />
        <WaitLeft seconds={wait} />
        <div class="actions">
          <Button type="submit" busy={busy || wait > 0}>
            {say(busy ? "account.sign_up.checking" : "account.recover.do")}
          </Button>
        </div>
      </form>
    </>
  );
}

function Wait({ shown }: { shown: ShownRecovery }): JSX.Element {
  return (
    <>
      <Title key="wait">{say("account.recover.wait_title")}</Title>
      <p class="lead">{say("account.recover.wait_due", { moment: moment(shown.due) })}</p>
      <ul>
        <li>{say("account.recover.wait_begun", { moment: moment(shown.begun) })}</li>
        <li>{say("account.recover.wait_open")}</li>
        <li>{say("account.recover.wait_week")}</li>
        <li>{say("account.recover.wait_sheet")}</li>
      </ul>
      <h2>{say("account.recover.why_title")}</h2>
      <p>{say("account.recover.why")}</p>
      <p>{say("account.recover.wait_help")}</p>
      <div class="actions"><a class="button" href={address("home")}>{say("account.recover.wait_close")}</a></div>
    </>
  );
}

function Due({ next }: { next: () => void }): JSX.Element {
  return (
    <>
      <Title key="due">{say("account.recover.due_title")}</Title>
      <p class="lead">{say("account.recover.due_lead")}</p>
      <ul>
        <li>{say("account.recover.due_new")}</li>
        <li>{say("account.recover.due_sheet")}</li>
        <li>{say("account.recover.due_kept")}</li>
        <li>{say("account.recover.due_elsewhere")}</li>
      </ul>
      <div class="actions"><Button onClick={next}>{say("account.sign_up.next")}</Button></div>
    </>
  );
}
