// What a person decides about their space. Knows: where each decision is made, and what this device keeps.
// Refuses to know: how any of it is done.

import type { JSX } from "preact";

import { say } from "../../i18n.js";
import { lockNow } from "../../lock.js";
import { Public } from "../../parts/frame.js";
import { Button, Title } from "../../parts/index.js";
import { address, type View } from "../../router.js";
import { recovering, session, warnings } from "../../state.js";

const CARDS: readonly (readonly [View, string])[] = [
  ["credentials", "credentials"], ["waitingTime", "waiting_time"], ["sessions", "sessions"], ["shares", "shares"], ["boxes", "boxes"],
  ["dossier", "dossier"], ["deleted", "deleted"], ["listing", "listing"], ["erase", "erase"],
];

export function Settings(): JSX.Element {
  return (
    <>
      <Title>{say("account.settings.title")}</Title>
      <p class="hint">{say("account.settings.name", { name: session.value?.username ?? "" })}</p>
      <ul class="cards">
        {cards().map(([view, key]) => (
          <li key={view}>
            <a class="card" href={address(view)}>
              <b>{say(`account.settings.${key}`)}</b> <span>{say(`account.settings.${key}_text`)}</span>
            </a>
          </li>
        ))}
      </ul>
      <h2>{say("account.settings.device")}</h2>
      <p>{say("account.settings.device_sealed")}</p>
      <p>{say("account.settings.device_history")} <Public page={6} words={say("site.page.6")} /></p>
      <h2>{say("account.settings.lock")}</h2>
      <p>{say("account.settings.lock_text")}</p>
      <Button onClick={() => void lockNow("asked")}>{say("shell.lock")}</Button>
    </>
  );
}

/** What asks for a decision now stands first. */
function cards(): typeof CARDS {
  return [
    ...(recovering.value !== null ? [["recovery", "recovery"] as const] : []),
    ...(warnings.value.length > 0 ? [["trust", "trust"] as const] : []),
    ...CARDS,
  ];
}
