// What the check of a pack came to, in plain words: every file at fault, what is proven, and what isn't.
// Knows: what was found. Refuses to know: whether what was shared is true, and who made it; and says so.

import type { JSX } from "preact";

import { knows, moment, say } from "../app/i18n.js";
import { sentenceOf } from "../app/parts/index.js";
import { formatHex } from "../crypto_core/encoding.js";
import type { TemoinError } from "../crypto_core/errors.js";
import { MANIFEST, SUMS } from "../sdk/packs/pack.js";
import type { CheckedItem, PackReport } from "../sdk/packs/check.js";

/** Characters that stand for an item without a title. */
const BEGINNING = 60;

export function Report({ report, given, heading }: {
  report: PackReport; given: boolean; heading: { current: HTMLHeadingElement | null };
}): JSX.Element {
  const { findings, read } = report;
  const names = [...new Set(findings.map(({ name }) => name))];
  const isNone = names.includes(SUMS) && names.includes(MANIFEST) && read.length === 0;
  const said = isNone ? say("pack.check.none")
    : names.length === 0 ? say("pack.check.whole") : say("pack.check.bad", { count: names.length });
  return (
    <>
      <div class={names.length === 0 ? "notice" : "notice care"} role="status">
        <h2 ref={heading} tabIndex={-1}>{said}</h2>
      </div>
      {names.length > 0 && !isNone && (
        <>
          <h2>{say("pack.check.files")}</h2>
          <ul class="found">
            {names.map((name) => (
              <li key={name}>
                <p><b><code>{name}</code></b></p>
                {findings.filter((one) => one.name === name).map(({ error }) => <p key={error.code}>{whyOf(error)}</p>)}
              </li>
            ))}
          </ul>
        </>
      )}
      {!isNone && <Meaning report={report} given={given} />}
      {read.length > 0 && <Items read={read} />}
    </>
  );
}

/** As who checks a receipt is told it; else as any error is. */
function whyOf({ code }: TemoinError): string {
  return knows(`receipts.verify.why.${code}`) ? say(`receipts.verify.why.${code}`) : sentenceOf({ code });
}

function Meaning({ report: { proven: count, created, sender, keys, receipts, checkpoint, beyond }, given }: {
  report: PackReport; given: boolean;
}): JSX.Element {
  const isLinked = receipts.size > beyond; // some of them to the checkpoint; none where all are of the last minute
  return (
    <>
      {(count > 0 || created !== null) && (
        <>
          <h2>{say("pack.check.proven")}</h2>
          <ul>
            {count > 0 && <li>{say("pack.check.existed", { count })}</li>}
            {count > 0 && <li>{say("pack.check.same")}</li>}
            {created !== null && <li>{say("pack.check.signed", { moment: moment(created) })}</li>}
            {checkpoint !== null && isLinked && <li>{say("pack.check.grew", { size: checkpoint.size })}</li>}
          </ul>
        </>
      )}
      <h2>{say("pack.check.not")}</h2>
      <ul>
        {(["who", "truth", "facts"] as const).map((name) => <li key={name}>{say(`receipts.not.${name}`)}</li>)}
        {checkpoint !== null && beyond > 0 && <li>{say("pack.check.beyond", { count: beyond })}</li>}
        {!given && <li>{say("pack.check.not_key")}</li>}
        <li>{say("pack.check.not_page")}</li>
        <li>{say("pack.check.not_read")}</li>
      </ul>
      <h2>{say("pack.check.keys")}</h2>
      <dl>
        {keys.length > 0 && <dt>{say("pack.check.ledger")}</dt>}
        {keys.map((key) => <dd key={key}><code>{key}</code></dd>)}
        {sender !== null && <><dt>{say("pack.check.sender")}</dt><dd><code>{formatHex(sender)}</code></dd></>}
      </dl>
    </>
  );
}

/** What is no original of the person's own: the item, and which of its files. */
function notesOf({ item, words }: Pick<CheckedItem, "item" | "words">): readonly string[] {
  const sent = new Set(words?.said.contents.map(({ blob }) => blob));
  const files = item.contents.flatMap(({ blob, name }) => [
    ...(item.masked.includes(blob) ? [say("pack.check.masked", { name })] : []),
    ...(sent.has(blob) ? [say("pack.check.sent_file", { name })] : []),
  ]);
  if (item.kind === "extract") return [say("pack.check.extract"), ...files];
  if (item.kind !== "received") return files;
  const deposited = words?.receipt ? say("pack.check.words", { moment: moment(words.receipt.claimedTime) })
    : say("pack.check.words_none");
  return [say("pack.check.received"), deposited, ...files];
}

function Items({ read }: { read: readonly CheckedItem[] }): JSX.Element {
  return (
    <>
      <h2 id="items">{say("pack.check.items")}</h2>
      <div class="table-holder" role="region" aria-labelledby="items" tabIndex={0}>
        <table>
          <thead>
            <tr>{(["deposited", "what", "result"] as const).map((name) => <th key={name} scope="col">{say(`pack.check.${name}`)}</th>)}</tr>
          </thead>
          <tbody>
            {read.map(({ item, receipt, words, isWhole }) => (
              <tr key={`${item.id}.${item.revision}`}>
                <td>
                  {receipt === null ? "—" : moment(receipt.claimedTime)}
                  {receipt !== null && receipt.boundTime !== null
                    && <> {say("pack.check.witnessed", { moment: moment(receipt.boundTime) })}</>}
                </td>
                <th scope="row">
                  {item.title || item.happened?.words || item.text?.slice(0, BEGINNING) || "—"}
                  {notesOf({ item, words }).map((note) => <span key={note} class="hint">{note}</span>)}
                </th>
                <td>{say(isWhole ? "pack.check.holds" : "pack.check.fails")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
