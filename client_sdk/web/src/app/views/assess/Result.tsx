// What ticked sentences may mean, in the words of the public page. Knows: three results; the last puts the numbers
// first. Refuses to know: a result that says "no danger": there is none.

import type { JSX } from "preact";
import { say } from "../../i18n.js";
import { Public } from "../../parts/frame.js";
import { Dials, Talk } from "./Dials.js";
import type { Level } from "./weigh.js";

export const NAMES = ["low", "middle", "high"] as const;
/** The public page about preparing to leave. */
const PLAN = 214;

export function Result(props: { level: Level; heading?: { current: HTMLHeadingElement | null } }): JSX.Element {
  const { level, heading } = props;
  const name = NAMES[level];
  return (
    <section class="result" aria-labelledby="result">
      <h2 id="result" tabIndex={-1} {...(heading ? { ref: heading } : {})}>{say(`site.check.${name}.title`)}</h2>
      {level === 2 && <Dials />}
      <p>{say(`site.check.${name}.text`)}</p>
      {level === 2 && <p><Public page={PLAN} words={say("site.check.high.plan")} /></p>}
      <Talk />
      <p class="notice care">{say("site.contacts.care")}</p>
    </section>
  );
}
