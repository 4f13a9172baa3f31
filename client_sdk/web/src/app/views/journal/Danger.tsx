// The feeling of danger, 0 to 10, as a person says it. Knows: eleven steps and their words, and the numbers to call.
// Refuses to know: whether the feeling is right.

import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { say } from "../../i18n.js";
import { Dials } from "../assess/Dials.js";

const STEPS = Array.from({ length: 11 }, (_, step) => step);
/** From here on, the numbers that answer day and night stand below. */
const HIGH = 8;

/** Eleven radio buttons with words, and one for "I don't want to say". */
export function DangerScale(props: { value: number | null; onChange: (value: number | null) => void }): JSX.Element {
  const name = useId();
  const { value, onChange } = props;
  return (
    <fieldset class="danger">
      <legend>{say("journal.danger.label")}</legend>
      <p class="hint">{say("journal.danger.hint")}</p>
      <div class="danger-steps">
        {STEPS.map((step) => (
          <label key={step} class="danger-step">
            <input
              type="radio" name={name} autocomplete="off" checked={value === step} onChange={() => onChange(step)}
              aria-label={stepSaid(step)}
            />
            <span aria-hidden="true">{step}</span>
          </label>
        ))}
      </div>
      <p class="danger-ends" aria-hidden="true"><span>{stepSaid(0)}</span> <span>{stepSaid(10)}</span></p>
      <label class="choice">
        <input
          type="radio" name={name} autocomplete="off" checked={value === null} onChange={() => onChange(null)}
        />{" "}
        <span>{say("journal.danger.none")}</span>
      </label>
      <div role="status">
        {value !== null && <p class="danger-said">{dangerSaid(value)}</p>}
      </div>
      {value !== null && value >= HIGH && <div class="notice"><p>{say("journal.danger.now")}</p><Dials /></div>}
    </fieldset>
  );
}

/** A step as a sentence says it: "7 sur 10 : de la peur". */
export function dangerSaid(step: number): string {
  return say("journal.danger.said", { step, word: dangerWord(step) });
}

function stepSaid(step: number): string {
  return say("journal.danger.step", { step, word: dangerWord(step) });
}

/** A step in a few words. */
function dangerWord(step: number): string {
  const band = step === 0 ? "0" : step <= 3 ? "1" : step <= 6 ? "4" : step <= 8 ? "7" : "9";
  return say(`journal.danger.words.${band}`);
}
