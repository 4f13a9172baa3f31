// A mood, in the person's own words. Knows: a few words to begin with. Refuses to know: which mood is good.

import type { JSX } from "preact";
import { say } from "../../i18n.js";
import { Field } from "../../parts/index.js";
import { LIMITS } from "./form.js";

const MOODS = ["good", "calm", "tired", "sad", "angry", "afraid", "lost"] as const;

export function Mood({ value, onInput }: { value: string; onInput: (value: string) => void }): JSX.Element {
  return (
    <div class="mood">
      <Field
        label={say("journal.mood.label")} hint={say("journal.mood.hint")} value={value} maxLength={LIMITS.mood}
        onInput={onInput}
      />
      <div class="chips" role="group" aria-label={say("journal.mood.some")}>
        {MOODS.map((name) => {
          const word = say(`journal.mood.${name}`);
          return (
            <button
              key={name} type="button" class="chip" aria-pressed={value === word}
              onClick={() => onInput(value === word ? "" : word)}
            >
              {word}
            </button>
          );
        })}
      </div>
    </div>
  );
}
