// The page while the vault is closed: help first, then the two ways in. Knows: why it closed, if it was open, and that
// who read or put something for somebody may have no space here. Refuses to know: whether anybody has one.

import type { JSX } from "preact";

import { say } from "../../i18n.js";
import { Public } from "../../parts/frame.js";
import { Notice, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import { closed, type Closed } from "../../state.js";

/** What was open was somebody else's. */
const GUESTS: readonly Closed["why"][] = ["read", "put"];

export function Door(): JSX.Element {
  const why = closed.value;
  const guest = why !== null && GUESTS.includes(why.why);
  const kind = why?.why === "erased" ? "erased_" : guest ? "guest_" : "";
  return (
    <>
      <Title>{say(why?.why === "begun" ? "account.door.guest_title" : `account.door.${kind}title`)}</Title>
      {why !== null && (
        <div role="status">
          <Notice care={why.kept === false}>
            <p>{say(`account.closed.${why.why}`)}</p>
            {why.kept !== null && <p>{say(why.kept ? "account.closed.kept" : "account.closed.not_kept")}</p>}
          </Notice>
        </div>
      )}
      <p class="lead">{say(`account.door.${kind}lead`)}</p>
      <ul class="doors">
        <li><a class="button" href={address("logIn")}>{say("account.door.log_in")}</a></li>
        <li><a class="button plain" href={address("signUp")}>{say("account.door.sign_up")}</a></li>
      </ul>
      {kind !== "erased_" && <p class="tools"><a href={address("recover")}>{say("account.door.recover")}</a></p>}
      <h2>{say("account.door.help")}</h2>
      <p>{say("account.door.help_text")}</p>
      <p class="ways">
        <a class="way" href="tel:17">
          <span class="way-verb">{say("site.way.call")}</span> <span class="way-number">17</span>
        </a>
        <a class="way" href="sms:114">
          <span class="way-verb">{say("site.way.sms")}</span> <span class="way-number">114</span>
        </a>
        <Public page={0} words={say("account.door.help_all")} framed />
      </p>
      <p class="tools"><a href={address("verify")}>{say("receipts.verify.door")}</a></p>
    </>
  );
}
