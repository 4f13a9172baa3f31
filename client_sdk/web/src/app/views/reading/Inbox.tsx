// What was sent to a professional. Knows: times and counts. Refuses to know: from whom, and what: that stands inside, and
// opening it counts.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { moment, say } from "../../i18n.js";
import { Button, Problem, Title, Waiting } from "../../parts/index.js";
import { address, go } from "../../router.js";
import { reading, vault } from "../../state.js";
import { Digits } from "./Digits.js";
import "./reading.css";
import type { Id, Inbox as Found } from "../../../worker/api.js";

export default function Inbox(): JSX.Element {
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [opening, setOpening] = useState<Id | null>(null);
  useEffect(() => void vault().inbox().then(setFound, setError), []);
  const open = async (bundle: Id): Promise<void> => {
    setOpening(bundle);
    setError(null);
    try {
      const api = vault();
      reading.value = { vault: api, shared: await api.openReceived(bundle) };
      go("shared");
    } catch (failed) {
      setError(failed);
      setOpening(null);
    }
  };
  return (
    <>
      <p class="tools"><a href={address("listing")}>← {say("reading.listing.title")}</a></p>
      <Title>{say("reading.inbox.title")}</Title>
      <p>{say("reading.inbox.lead")}</p>
      <Problem error={error} />
      {found === null && error === null && <Waiting>{say("shell.loading")}</Waiting>}
      <Problem error={found?.alarm ? { code: found.alarm } : null} />
      {found?.strangers.map((digits) => <p key={digits} class="fingerprint"><Digits digits={digits} /></p>)}
      {found?.received.length === 0 && <p>{say("reading.inbox.empty")}</p>}
      <ul class="sessions">
        {found?.received.map(({ bundle, created, expires, openings, opened }) => (
          <li class="card" key={bundle}>
            <b>{say("reading.inbox.from", { moment: moment(created) })}</b>
            <span>{say("reading.until", { moment: moment(expires) })}</span>
            <span>
              {opened === 0 ? say("reading.inbox.unopened", { count: openings })
                : say("reading.inbox.opened", { count: opened, openings })}
            </span>
            <span class="actions">
              <Button busy={opening !== null} onClick={() => void open(bundle)}>
                {say(opening === bundle ? "reading.opening" : "reading.inbox.open")}
                <span class="unseen"> {moment(created)}</span>
              </Button>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
