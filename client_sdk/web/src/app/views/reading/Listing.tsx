// Being listed as a professional: what is asked, what became of it, and the digits that others compare.
// Knows: the account's own standing. Refuses to know: who decides, and why.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { Choice, Field, focusHeading, Notice, Problem, Title, Waiting } from "../../parts/index.js";
import { address } from "../../router.js";
import { vault } from "../../state.js";
import type { Named, Standing } from "../../../worker/api.js";
import { Confirmed } from "../account/confirm.js";
import "../journal/journal.css";
import { KINDS, kindOf } from "../shares/spoken.js";
import { Digits } from "./Digits.js";
import "./reading.css";

export default function Listing(): JSX.Element {
  const [found, setFound] = useState<Standing | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [asked, setAsked] = useState(false);
  useEffect(() => void vault().standing().then(setFound, setError), []);
  return (
    <>
      <p class="tools"><a href={address("settings")}>← {say("account.settings.title")}</a></p>
      <Title>{say("reading.listing.title")}</Title>
      <p>{say("reading.listing.lead")}</p>
      <Problem error={error} />
      {found === null && error === null && <Waiting>{say("shell.loading")}</Waiting>}
      <div role="status">{asked && <Notice><p>{say("reading.listing.sent")}</p></Notice>}</div>
      {found !== null && (
        <>
          <Standings standing={found} />
          <h2>{say(found.listing === null ? "reading.listing.ask" : "reading.listing.ask_anew")}</h2>
          <Ask
            known={found.asked ?? found.listing}
            done={(next) => {
              setFound(next);
              setAsked(true);
              focusHeading();
            }}
          />
        </>
      )}
    </>
  );
}

function Standings({ standing }: { standing: Standing }): JSX.Element {
  const { state, listing, asked, fingerprint } = standing;
  return (
    <>
      <p><b>{say(`reading.listing.state.${state}`)}</b></p>
      {state === "approved" && <p class="actions"><a class="button" href={address("inbox")}>{say("reading.inbox.title")}</a></p>}
      {listing !== null && <Facts title={say("reading.listing.listed")} named={listing} />}
      {asked !== null && <Facts title={say("reading.listing.waiting")} named={asked} />}
      <h2>{say("reading.listing.digits")}</h2>
      <p>{say("reading.listing.digits_why")}</p>
      <p class="fingerprint"><Digits digits={fingerprint} /></p>
    </>
  );
}

function Facts({ title, named }: { title: string; named: Named }): JSX.Element {
  const facts = [
    ["name", named.name], ["org", named.org], ["town", named.town], ["kind_label", kindOf(named)],
  ] as const;
  return (
    <>
      <h2>{title}</h2>
      <dl class="facts-list">
        {facts.filter(([, value]) => value !== "").map(([name, value]) => (
          <div key={name}><dt>{say(`reading.listing.${name}`)}</dt><dd>{value}</dd></div>
        ))}
      </dl>
    </>
  );
}

function Ask({ known, done }: { known: Named | null; done: (standing: Standing) => void }): JSX.Element {
  const [named, setNamed] = useState<Named>(known ?? { name: "", org: "", town: "", kind: "association" });
  const put = (part: Partial<Named>): void => setNamed({ ...named, ...part });
  const bare = { ...named, name: named.name.trim(), org: named.org.trim(), town: named.town.trim() };
  return (
    <Confirmed
      action={say("reading.listing.do")}
      confirm={async (password, pin) => done(await vault().askToBeListed(bare, password, pin))}
    >
      <p class="notice">{say("reading.listing.open")}</p>
      <Field label={say("reading.listing.name")} value={named.name} onInput={(name) => put({ name })} maxLength={200} required />
      <Field label={say("reading.listing.org")} value={named.org} onInput={(org) => put({ org })} maxLength={200} />
      <Field label={say("reading.listing.town")} value={named.town} onInput={(town) => put({ town })} maxLength={200} />
      <Choice
        label={say("reading.listing.kind_label")} value={named.kind}
        onChange={(kind) => put({ kind: kind as Named["kind"] })}
        options={KINDS.map((kind) => [kind, kindOf({ kind })] as const)}
      />
    </Confirmed>
  );
}
