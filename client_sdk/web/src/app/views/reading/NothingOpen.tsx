// Where nothing that was shared is open: after a refresh, or a step back. Knows: the ways to open it again.
// Refuses to know: what was open.

import type { JSX } from "preact";
import { say } from "../../i18n.js";
import { Notice, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import { session } from "../../state.js";

export function NothingOpen(): JSX.Element {
  return (
    <>
      <Title>{say("reading.title")}</Title>
      <Notice><p>{say("reading.link.none")}</p></Notice>
      {session.value !== null && <p class="tools"><a href={address("inbox")}>{say("reading.inbox.title")}</a></p>}
    </>
  );
}
