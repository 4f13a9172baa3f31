// What the receipt of something that was shared comes to, in plain words: what it proves, and what it doesn't.
// Knows: what was verified here. Refuses to know: whether what was deposited is true, and who made it.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { knows, moment, say } from "../../i18n.js";
import { Button, More, Problem, sentenceOf } from "../../parts/index.js";
import { reading } from "../../state.js";
import type { Item, KeptReceipt, SharedItem } from "../../../worker/api.js";
import { Hash } from "../documents/FileOf.js";
import { SentWords } from "../journal/facts.js";
import { Meaning } from "../receipts/Meaning.js";

/** In a few words, for a line of a table. */
export function standingOf({ proof, refused }: SharedItem): string {
  if (refused !== null) return say("reading.not_given");
  if (proof === null) return say("reading.proof.none");
  return say(proof.verified.boundTime === null ? "reading.proof.operator" : "reading.proof.witnessed");
}

export function Proof({ shared }: { shared: SharedItem }): JSX.Element {
  const { item, proof, refused, doubt, words } = shared;
  if (refused !== null) return <p class="notice care shown-on-paper">{sentenceOf({ code: refused })}</p>;
  if (proof === null) {
    return (
      <div class="notice care shown-on-paper">
        <p><b>{say("reading.proof.none")}</b> {whyOf(doubt ?? "")}</p>
        <p>{say("reading.proof.none_means")}</p>
        <Words words={words} />
      </div>
    );
  }
  const { claimedTime, boundTime } = proof.verified;
  return (
    <section class="proof">
      <p>
        <b>{say("reading.proof.valid")}</b>{" "}
        {say("reading.proof.deposited", { moment: moment(claimedTime) })}{" "}
        {boundTime === null ? say("reading.proof.alone") : say("reading.proof.bound", { moment: moment(boundTime) })}
      </p>
      <Words words={words} />
      <More name={say("reading.proof.more")}>
        <Meaning verified={proof.verified} whole />
        <dl class="facts-list">
          <div><dt>{say("receipts.details.sealed")}</dt><dd><Hash bytes={proof.verified.commitment.sha256} /></dd></div>
          <div><dt>{say("receipts.details.origin")}</dt><dd>{proof.verified.checkpoint.origin}</dd></div>
        </dl>
        {item.contents.length > 0 && <Files item={item} />}
      </More>
    </section>
  );
}

/** What the own words of whoever put something in come to: when they were sent, or what is wrong with them. */
function Words({ words }: { words: SharedItem["words"] }): JSX.Element | null {
  if (words === null) return null;
  const { said, proof, doubt } = words;
  const deposited = proof && <p>{say("reading.proof.words", { moment: moment(proof.verified.claimedTime) })}</p>;
  if (doubt === null) return deposited;
  return (
    <div class="notice care shown-on-paper">
      {proof === null && <p><b>{say("reading.proof.words_none")}</b></p>}
      <p>{whyOf(doubt)}</p>
      {said === null ? <p>{say("reading.proof.words_none_means")}</p> : <SentWords sent={said} within />}
      {deposited}
    </div>
  );
}

/** As who checks a receipt is told it; else as any error is. */
function whyOf(code: string): string {
  return knows(`receipts.verify.why.${code}`) ? say(`receipts.verify.why.${code}`) : sentenceOf({ code });
}

/** The receipts of the files, fetched and verified when somebody asks. */
function Files({ item }: { item: Item }): JSX.Element {
  const [found, setFound] = useState<readonly (readonly KeptReceipt[])[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const check = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const vault = reading.value?.vault;
      setFound(await Promise.all(item.contents.map(async ({ blob }) =>
        await vault?.sharedReceipts(item.id, item.revision, blob) ?? [])));
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  };
  return (
    <>
      <Problem error={error} />
      <div role="status">
        {found !== null && (
          <ul>
            {item.contents.map(({ blob, name }, place) => {
              const times = found[place]!.map(({ verified }) => verified.claimedTime);
              return <li key={blob}>{say("reading.proof.file", { name, moment: moment(Math.max(...times)) })}</li>;
            })}
          </ul>
        )}
      </div>
      {found === null && (
        <Button plain busy={busy} onClick={() => void check()}>
          {say(busy ? "receipts.verifying" : "reading.proof.files")}
        </Button>
      )}
    </>
  );
}
