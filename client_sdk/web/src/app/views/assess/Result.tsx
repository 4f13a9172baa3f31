// What ticked sentences may mean, in the words of the public page. Knows: three results; the last puts the numbers
// first. Refuses to know: a result that says "no danger": there is none.

import type { JSX } from "preact";
import { lang, say } from "../../i18n.js";
import { NewTab } from "../../parts/frame.js";
import { Dials, Talk } from "./Dials.js";
import type { Level } from "./weigh.js";

export const NAMES = ["low", "middle", "high"] as const;
/** The public page about preparing to leave. */
const PLAN = 214;

export function Result({ level, heading }: { level: Level; heading?: { current: HTMLHeadingElement | null } }): JSX.Element {
  const name = NAMES[level];
  return (
    <section class="result" aria-labelledby="result">
      <h2 id="result" tabIndex={-1} {...(heading ? { ref: heading } : {})}>{say(`site.check.${name}.title`)}</h2>
      {level === 2 && <Dials />}
      <p>{say(`site.check.${name}.text`)}</p>
      {level === 2 && (
        <p>
          <a href={`/${lang.value}/${PLAN}`} target="_blank" rel="noopener noreferrer">{say("site.check.high.plan")}<NewTab /></a>
        </p>
      )}
      <Talk />
      <p class="notice care">{say("site.contacts.care")}</p>
    </section>
  );
}
