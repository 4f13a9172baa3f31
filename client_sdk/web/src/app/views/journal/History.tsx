// Every version of an entry, and what changed between two. Knows: that nothing that was kept is lost by an edit, nor
// when two devices wrote at once. Refuses to know: which version is the true one.

import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { moment, say } from "../../i18n.js";
import { Choice, Notice, Problem, Title, Waiting } from "../../parts/index.js";
import { address } from "../../router.js";
import { items, sensitiveUntil, vault } from "../../state.js";
import { compareTexts } from "../../text/compare.js";
import type { Id, Item } from "../../../worker/api.js";
import { spellCategory } from "../documents/categories.js";
import { Facts, Prose, spellFact, titleOf, viewOf } from "./facts.js";
import "./journal.css";
import { Locked } from "./Locked.js";
import { kept } from "./told.js";

export default function History({ id }: { id: Id | null }): JSX.Element {
  const [versions, setVersions] = useState<readonly Item[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const open = sensitiveUntil.value !== null, known = items.value;
  useEffect(() => {
    if (id !== null) vault().history(id).then(setVersions, setError);
  }, [id, open, known]);
  useEffect(() => () => {
    kept.value = null;
  }, []);
  const conflict = kept.value?.id === id && kept.value.conflict;
  if (error !== null) return <><Title>{say("journal.history.name")}</Title><Problem error={error} /></>;
  if (versions === null || id === null) return <Waiting>{say("journal.opening")}</Waiting>;
  const texts = versions.filter((version) => version.state === "open" && version.kind !== "tombstone");
  const newest = texts.at(-1);
  const lastTwo = texts.slice(-2).reverse();
  const editable = newest !== undefined && newest === versions.at(-1) && newest.kind !== "assessment";
  if (newest === undefined && versions.some(({ state }) => state === "locked")) {
    return <Locked title={say("journal.history.name")} />;
  }
  return (
    <>
      <Title>{say("journal.history.name")}</Title>
      {newest && <p class="lead">{titleOf(newest)}</p>}
      {conflict && (
        <div class="notice care" role="alert">
          <p><b>{say("journal.history.conflict")}</b></p>
          <p>{say("journal.history.conflict_do")}</p>
        </div>
      )}
      {texts.length === 1 && !conflict && (
        <Notice><p>{say(editable ? "journal.history.only" : "journal.history.single")}</p></Notice>
      )}
      {conflict && lastTwo.map((version) => <Version key={version.revision} version={version} whole />)}
      {texts.length > 1 && <Compared versions={texts} />}
      <h2>{say("journal.history.all")}</h2>
      {[...versions].reverse().map((version) => <Version key={version.revision} version={version} />)}
      <p class="actions">
        <a class="button" href={address(newest ? viewOf(newest) : "entry", id)}>{say("journal.history.back")}</a>
        {editable && <a class="button plain" href={address("edit", id)}>{say("journal.entry.edit")}</a>}
      </p>
    </>
  );
}

function nameOf(version: Item): string {
  return say("journal.history.version", { revision: version.revision, moment: moment(version.deposited) });
}

function Version({ version, whole }: { version: Item; whole?: boolean }): JSX.Element {
  if (version.kind === "tombstone") {
    return <p>{say("journal.history.deleted", { moment: moment(version.deposited) })}</p>;
  }
  if (version.state !== "open") return <p>{nameOf(version)} – {say(`journal.state.${version.state}`)}</p>;
  return (
    <details class="version" open={whole ?? false}>
      <summary>{nameOf(version)}</summary>
      {version.title && <p><b>{version.title}</b></p>}
      {version.category && <p class="tags"><span>{spellCategory(version.category)}</span></p>}
      <Prose text={version.text ?? ""} />
      <Facts item={version} />
    </details>
  );
}

function Compared({ versions }: { versions: readonly Item[] }): JSX.Element {
  const [older, setOlder] = useState(String(versions.at(-2)?.revision));
  const [newer, setNewer] = useState(String(versions.at(-1)?.revision));
  const one = versions.find(({ revision }) => String(revision) === older);
  const other = versions.find(({ revision }) => String(revision) === newer);
  const options = versions.map((version) => [String(version.revision), nameOf(version)] as const);
  return (
    <section>
      <h2>{say("journal.history.compare")}</h2>
      <div class="versions">
        <Choice label={say("journal.history.older")} value={older} onChange={setOlder} options={options} />
        <Choice label={say("journal.history.newer")} value={newer} onChange={setNewer} options={options} />
      </div>
      {one && other && <Differences older={one} newer={other} />}
    </section>
  );
}

const COMPARED = ["title", "category", "happened", "place", "people", "danger", "mood", "tags", "files"] as const;

/** What the older one says, struck out, and the newer one, underlined; marked for those who only hear it. */
export function Differences({ older, newer }: { older: Item; newer: Item }): JSX.Element {
  const changes = useMemo(() => compareTexts(older.text ?? "", newer.text ?? ""), [older, newer]);
  const changed = COMPARED.map((name) => [name, spellFact(older, name), spellFact(newer, name)] as const)
    .filter(([, before, after]) => before !== after);
  const same = changes.every(({ kind }) => kind === "same");
  return (
    <div role="status">
      {same && changed.length === 0 && <p>{say("journal.history.same")}</p>}
      {changed.length > 0 && (
        <dl class="facts-list">
          {changed.map(([name, before, after]) => (
            <div key={name}>
              <dt>{say(`journal.fact.${name}`)}</dt>
              <dd><Piece kind="removed" text={before || say("journal.history.nothing")} />{" "}
                <Piece kind="added" text={after || say("journal.history.nothing")} /></dd>
            </div>
          ))}
        </dl>
      )}
      {!same && <p class="entry-text">{changes.map((change, place) => <Piece key={place} {...change} />)}</p>}
    </div>
  );
}

function Piece({ kind, text }: { kind: "same" | "added" | "removed"; text: string }): JSX.Element {
  if (kind === "same") return <>{text}</>;
  const inside = (
    <>
      <span class="unseen"> [{say(`journal.history.${kind}`)}] </span>
      {text}
      <span class="unseen"> [{say("journal.history.end")}] </span>
    </>
  );
  return kind === "added" ? <ins>{inside}</ins> : <del>{inside}</del>;
}
