// What stands behind the PIN, until it is given. Knows: that there is something. Refuses to know: what.

import type { JSX } from "preact";
import { say } from "../../i18n.js";
import { askPin, Button, Notice, Title } from "../../parts/index.js";

/** Says that the PIN is needed, and asks for it. */
export function Locked({ title }: { title: string }): JSX.Element {
  return (
    <>
      <Title>{title}</Title>
      <Notice><p>{say("journal.locked.text")}</p></Notice>
      <p class="actions"><Button onClick={() => void askPin()}>{say("journal.locked.open")}</Button></p>
    </>
  );
}
