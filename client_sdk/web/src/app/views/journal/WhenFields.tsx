// When it happened, as exactly as a person knows it. Knows: a day and hour, a month, a year, or words.
// Refuses to know: whether that is exact enough: it is.

import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { say } from "../../i18n.js";
import { Choice, Field } from "../../parts/index.js";
import { spellHappened, spellMonths } from "../../text/when.js";
import { type Fields, happenedIn, LIMITS, type When } from "./form.js";

const KINDS: readonly When[] = ["none", "day", "month", "year", "words"];

/** The fields for the time of the facts, and how it will be read. */
export function WhenFields(props: { fields: Fields; change: (part: Partial<Fields>) => void }): JSX.Element {
  const { fields, change } = props;
  const id = useId();
  const happened = happenedIn(fields);
  return (
    <fieldset class="when">
      <legend>{say("journal.when.label")}</legend>
      <div class="choices">
        {KINDS.map((kind) => (
          <label key={kind} class="choice">
            <input
              type="radio" name={id} autocomplete="off" checked={fields.when === kind}
              onChange={() => change({ when: kind })}
            />{" "}
            <span>{say(`journal.when.${kind}`)}</span>
          </label>
        ))}
      </div>
      {fields.when === "day" && (
        <div class="beside">
          <Dated
            label={say("journal.when.date")} type="date" value={fields.date} onInput={(date) => change({ date })}
          />
          <Dated
            label={say("journal.when.time")} type="time" value={fields.time} onInput={(time) => change({ time })}
          />
        </div>
      )}
      {(fields.when === "month" || fields.when === "year") && (
        <div class="beside">
          {fields.when === "month" && (
            <Choice
              label={say("journal.when.month_name")} value={fields.month} onChange={(month) => change({ month })}
              options={[["", "–"], ...spellMonths().map((name, n) => [String(n + 1).padStart(2, "0"), name] as const)]}
            />
          )}
          <Field
            label={say("journal.when.year_number")} value={fields.year} inputMode="numeric" maxLength={4}
            onInput={(year) => change({ year })}
          />
        </div>
      )}
      {fields.when === "words" && (
        <Field
          label={say("journal.when.words_label")} hint={say("journal.when.words_hint")} value={fields.words}
          maxLength={LIMITS.words} onInput={(words) => change({ words })}
        />
      )}
      {happened && fields.when !== "words" && (
        <p class="hint">{say("journal.when.read", { when: spellHappened(happened) })}</p>
      )}
      <p class="hint">{say("journal.when.apart")}</p>
    </fieldset>
  );
}

function Dated(props: {
  label: string; type: "date" | "time"; value: string; onInput: (value: string) => void;
}): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input
        id={id} type={props.type} value={props.value} autocomplete="off"
        {...(props.type === "date" ? { max: "9999-12-29" } : {})}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
    </div>
  );
}
