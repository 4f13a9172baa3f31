// With whom: somebody who is listed, whose digits can be compared, or whoever has a link and a code.
// Knows: the whole list, which was verified on this device. Refuses to know: any server's opinion of whom one looks for.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { Button, Choice, Field, Notice, Problem, Title, Waiting } from "../../parts/index.js";
import { vault } from "../../state.js";
import type { Listed, Professional } from "../../../worker/sharing.js";
import { aboutOf, find, KINDS, linesOf } from "./spoken.js";

/** How many are shown; words bring the others. */
const SHOWN = 30;

export function Who({ next }: { next: (reader: Professional | null) => void }): JSX.Element {
  const [way, setWay] = useState<"both" | "list">("both");
  const [chosen, setChosen] = useState<Professional | null>(null);
  if (chosen !== null) return <Compare key="compare" reader={chosen} next={next} back={() => setChosen(null)} />;
  if (way === "list") {
    return <Search key="list" choose={setChosen} byLink={() => next(null)} back={() => setWay("both")} />;
  }
  return (
    <>
      <Title>{say("share.who.title")}</Title>
      <section class="to-whom">
        <h2>{say("share.who.professional")}</h2>
        <p>{say("share.who.professional_text")}</p>
        <p class="actions"><Button onClick={() => setWay("list")}>{say("share.who.search")}</Button></p>
      </section>
      <section class="to-whom">
        <h2>{say("share.who.link")}</h2>
        <p>{say("share.who.link_text")}</p>
        <p class="actions"><Button plain onClick={() => next(null)}>{say("share.who.make_link")}</Button></p>
      </section>
    </>
  );
}

function Search(props: { choose: (one: Professional) => void; byLink: () => void; back: () => void }): JSX.Element {
  const [listed, setListed] = useState<Listed | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [typed, setTyped] = useState("");
  const [kind, setKind] = useState("");
  const load = (): void => {
    setError(null);
    vault().professionals().then(setListed, setError);
  };
  useEffect(load, []);
  const found = find(listed?.professionals ?? [], typed, kind);
  const isEmpty = listed?.professionals.length === 0;
  return (
    <>
      <Title>{say("share.find.title")}</Title>
      <p class="hint">{say("share.find.private")}</p>
      {listed === null && error === null && <Waiting>{say("share.find.reading")}</Waiting>}
      <Problem error={error} />
      {error !== null && <p class="actions"><Button onClick={load}>{say("share.find.again")}</Button></p>}
      {listed !== null && !isEmpty && (
        <form role="search" autocomplete="off" onSubmit={(event) => event.preventDefault()}>
          <Field label={say("share.find.words")} type="search" value={typed} onInput={setTyped} />
          <Choice
            label={say("share.find.kind")} value={kind} onChange={setKind}
            options={[["", say("share.find.any")], ...KINDS.map((one) => [one, say(`share.kind.${one}`)] as const)]}
          />
          <p role="status">{found.length === 0 ? say("share.find.none") : say("share.find.found", { count: found.length })}</p>
        </form>
      )}
      {isEmpty && <Notice><p>{say("share.find.nobody")}</p></Notice>}
      <ul class="row-list">
        {found.slice(0, SHOWN).map((one) => (
          <li key={one.entry}>
            <button class="row pro" type="button" onClick={() => props.choose(one)}>
              <b>{one.name}</b> <span>{aboutOf(one)}</span>{" "}
              {one.compared !== "no" && <span class="row-marks"><span>{say(`share.compared.${one.compared}`)}</span></span>}
            </button>
          </li>
        ))}
      </ul>
      {found.length > SHOWN && <p class="hint">{say("share.find.more")}</p>}
      {(listed?.unread ?? 0) > 0 && <p class="hint">{say("share.find.unread", { count: listed!.unread })}</p>}
      <p class="actions">
        {isEmpty && <Button onClick={props.byLink}>{say("share.who.make_link")}</Button>}
        <Button plain onClick={props.back}>{say("share.find.back")}</Button>
      </p>
    </>
  );
}

/** The digits, read out by telephone before anything is shared. */
function Compare(props: {
  reader: Professional; next: (reader: Professional) => void; back: () => void;
}): JSX.Element {
  const { reader, next, back } = props;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const same = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await vault().noteCompared(reader.entry);
      next({ ...reader, compared: "yes" });
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return (
    <>
      <Title>{reader.name}</Title>
      <p class="lead">{aboutOf(reader)}</p>
      {reader.compared === "changed" && <Notice care><p>{say("share.compare.changed")}</p></Notice>}
      {reader.compared === "yes" && <Notice><p>{say("share.compare.done")}</p></Notice>}
      <h2>{say("share.compare.title")}</h2>
      <p>{say("share.compare.why")}</p>
      <p class="digits">{linesOf(reader.fingerprint).map((line) => <span key={line}>{line}</span>)}</p>
      <p>{say("share.compare.call")}</p>
      <Problem error={error} />
      <p class="actions">
        {reader.compared !== "yes" && (
          <Button busy={busy} onClick={() => void same()}>{say("share.compare.same")}</Button>
        )}
        {reader.compared === "yes" && <Button onClick={() => next(reader)}>{say("account.sign_up.next")}</Button>}
        {reader.compared === "no" && (
          <Button plain onClick={() => next(reader)}>{say("share.compare.later")}</Button>
        )}
        <Button plain onClick={back}>{say("share.compare.other")}</Button>
      </p>
    </>
  );
}
