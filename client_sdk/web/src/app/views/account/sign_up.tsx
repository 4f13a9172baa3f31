// Making a space: what to think of before, then a name, a password, a PIN and the recovery code.
// Knows: that nothing is started before somebody begins. Refuses to know: keys, and how each is chosen (choosing.tsx).

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { say } from "../../i18n.js";
import { Public } from "../../parts/frame.js";
import { Button, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import { Choosing } from "./choosing.js";
import { begin, useEnding } from "./enter.js";

export function SignUp(): JSX.Element {
  const [begun, setBegun] = useState(false);
  useEnding();
  if (begun) {
    return (
      <Choosing
        back={() => setBegun(false)} make={(typed, language) => begin().makeAccount(typed, language)}
        send={() => begin().register()} notSent="account.sign_up.not_sent"
      />
    );
  }
  return (
    <>
      <p class="tools"><a href={address("home")}>← {say("account.back")}</a></p>
      <Before
        next={() => {
          begin(); // it comes while the name is typed
          setBegun(true);
        }}
      />
    </>
  );
}

function Before({ next }: { next: () => void }): JSX.Element {
  return (
    <>
      <Title>{say("account.sign_up.before_title")}</Title>
      <p class="lead">{say("account.sign_up.before_lead")}</p>
      <ul>
        <li>{say("account.sign_up.before_safe")}</li>
        <li>{say("account.sign_up.before_paper")}</li>
        <li>{say("account.sign_up.before_none")}</li>
      </ul>
      <p class="tools"><Public page={7} words={say("account.sign_up.before_read")} /></p>
      <div class="actions">
        <Button onClick={next}>{say("account.sign_up.begin")}</Button>
        <a class="button plain" href={address("home")}>{say("account.sign_up.later")}</a>
      </div>
    </>
  );
}
