// A text that grows by questions, one at a time; each can be skipped. Knows: which question stands, and its answer's
// place in the text. Refuses to know: the text as a whole; what is there besides the answers stays as it is.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { Button, TextArea } from "../../parts/index.js";
import { answersIn, cut, withAnswer } from "../../text/guided.js";
import { questions } from "./facts.js";

/** Where the time of the facts can be given besides. */
const WHEN = 1;

export function Guided(props: {
  text: string; onText: (text: string) => void; onWhole: () => void; when: ComponentChildren;
}): JSX.Element {
  const { text, onText, onWhole, when } = props;
  const asked = questions();
  const answers = answersIn(text, asked);
  const [at, setAt] = useState(() => Math.max(0, asked.findIndex((question) => !answers.has(question))));
  const question = asked[at] as string;
  const answer = answers.get(question) ?? "";
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector("textarea")?.focus(), [at]);
  const besides = cut(text, asked).some((part) => part.question === null && part.body.trim() !== "");
  return (
    <div class="guided" ref={box}>
      <p class="hint" aria-live="polite">{say("journal.guided.at", { at: at + 1, of: asked.length })}</p>
      <TextArea
        key={question} label={question} rows={6} value={answer}
        onInput={(value) => onText(withAnswer(text, asked, question, value))}
      />
      {at === WHEN && when}
      <div class="actions">
        {at < asked.length - 1 ? (
          <Button onClick={() => setAt(at + 1)}>
            {say(answer.trim() === "" ? "journal.guided.skip" : "journal.guided.next")}
          </Button>
        ) : <Button onClick={onWhole}>{say("journal.guided.whole")}</Button>}
        {at > 0 && <Button plain onClick={() => setAt(at - 1)}>{say("journal.guided.back")}</Button>}
      </div>
      {besides && <p class="hint">{say("journal.guided.besides")}</p>}
    </div>
  );
}
