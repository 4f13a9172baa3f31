// The receipt of an item, in plain words. Knows: what was verified here just now, and by whose word a time holds.
// Refuses to know: whether what was deposited is true, and who made it; and says so.

import { Fragment, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { moment, number, say, size } from "../../i18n.js";
import { Choice, More, Notice, Problem, Title, Waiting } from "../../parts/index.js";
import { address } from "../../router.js";
import { vault } from "../../state.js";
import type { Id, Item, KeptReceipt } from "../../../worker/api.js";
import { Hash } from "../documents/FileOf.js";
import "../documents/documents.css";
import { fromOf, titleOf, viewOf } from "../journal/facts.js";
import "../journal/journal.css";
import { useItem } from "../journal/reading.js";
import { Export } from "./Export.js";
import { Meaning } from "./Meaning.js";
import { outcomeOf } from "./outcome.js";

export default function Receipt({ id }: { id: Id | null }): JSX.Element {
  const { item, error } = useItem(id);
  const [revision, setRevision] = useState<number | null>(null);
  if (error !== null) return <><Title>{say("receipts.name")}</Title><Problem error={error} /></>;
  if (item === null) return <Waiting>{say("receipts.verifying")}</Waiting>;
  const chosen = revision ?? item.revision;
  return (
    <article class="entry">
      <Title>{say("receipts.name")}</Title>
      <p class="lead">{item.state === "open" ? titleOf(item) : say("receipts.of_locked")}</p>
      {item.sent && <p>{fromOf(item.sent)}. {say("boxes.receipt")}</p>}
      {item.revision > 1 && <Versions newest={item.revision} value={chosen} onChange={setRevision} />}
      {item.deposited === 0 ? <Notice><p>{say("receipts.not_yet")}</p></Notice>
        : <Verified key={chosen} item={item} revision={chosen} />}
      <p class="actions"><a class="button plain" href={address(viewOf(item), item.id)}>{say("receipts.back")}</a></p>
    </article>
  );
}

function Versions(props: { newest: number; value: number; onChange: (revision: number) => void }): JSX.Element {
  const revisions = Array.from({ length: props.newest }, (_, place) => props.newest - place);
  return (
    <Choice
      label={say("receipts.version.label")} value={String(props.value)}
      onChange={(chosen) => props.onChange(Number(chosen))}
      options={revisions.map((revision) => [String(revision), say("receipts.version.one", { revision })] as const)}
    />
  );
}

/** Verifies, here and now, each time that it is shown. */
function Verified({ item, revision }: { item: Item; revision: number }): JSX.Element {
  const [found, setFound] = useState<{ readonly kept: KeptReceipt; readonly at: number } | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let here = true;
    vault().receipt(item.id, revision).then(
      (kept) => here && setFound({ kept, at: Math.floor(Date.now() / 1000) }),
      (failed: unknown) => here && setError(failed),
    );
    return () => {
      here = false;
    };
  }, []);
  if (error !== null) {
    return <><p class="outcome"><b>{say(`receipts.outcome.${outcomeOf(error)}`)}</b></p><Problem error={error} /></>;
  }
  if (found === null) return <Waiting>{say("receipts.verifying")}</Waiting>;
  return (
    <>
      <div role="status">
        <Notice>
          <p><b>{say("receipts.outcome.valid")}</b></p>
          <p>{say("receipts.here", { moment: moment(found.at) })}</p>
        </Notice>
      </div>
      <Meaning verified={found.kept.verified} whole />
      <Export item={item} revision={revision} />
      <Offline />
      <Details kept={found.kept} />
    </>
  );
}

/** How anybody checks it without this page, and without the service. */
function Offline(): JSX.Element {
  const file = say("receipts.offline.file");
  return (
    <details class="more not-on-paper">
      <summary>{say("receipts.offline.name")}</summary>
      <p>{say("receipts.offline.who")}</p>
      <ol class="steps">
        <li>{say("receipts.offline.unpack")}</li>
        <li>{say("receipts.offline.install")}<Command line="pip install temoin" /></li>
        <li>
          {say("receipts.offline.run")}
          <Command line={`temoin verify ${file}.sealed ${file}.tlog-proof --policy policy.txt`} />
        </li>
      </ol>
      <p>{say("receipts.offline.outcomes")}</p>
      <p>{say("receipts.offline.key")}</p>
      <p><a href={address("verify")}>{say("receipts.verify.other")}</a></p>
    </details>
  );
}

/** What is copied into a terminal, perhaps by hand: a line ends between two words of it, never within an option. */
function Command({ line }: { line: string }): JSX.Element {
  return (
    <code class="command">
      {line.split(" ").map((word, place) => <Fragment key={place}>{place > 0 && " "}<span>{word}</span></Fragment>)}
    </code>
  );
}

/** For those who compare numbers. */
function Details({ kept: { name, receipt, verified } }: { kept: KeptReceipt }): JSX.Element {
  const { index, checkpoint, commitment, cosignedBy } = verified;
  const facts: readonly (readonly [string, JSX.Element | string])[] = [
    ["origin", checkpoint.origin], ["index", number(index)], ["tree", number(checkpoint.size)],
    ["root", <Hash bytes={checkpoint.root} />], ["sealed", <Hash bytes={commitment.sha256} />],
    ["size", size(commitment.size)], ["entry", <Hash bytes={verified.entry} />],
    ["nonce", <Hash bytes={commitment.nonce} />], ["file", <code class="hash">{name}</code>],
    ["witnesses", cosignedBy.join(", ")],
  ];
  return (
    <More name={say("receipts.details.name")}>
      <dl class="facts-list">
        {facts.filter(([, value]) => value !== "").map(([fact, value]) => (
          <div key={fact}><dt>{say(`receipts.details.${fact}`)}</dt><dd>{value}</dd></div>
        ))}
      </dl>
      <p>{say("receipts.details.whole")}</p>
      <pre class="file-text" tabIndex={0}>{receipt}</pre>
    </More>
  );
}
