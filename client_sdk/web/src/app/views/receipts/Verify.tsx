// Somebody checks a receipt that they were given. Knows: the three files, and what each numbered step came to.
// Refuses to know: who they are; nothing is sent, and no vault has to be open.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Checked, VaultApi } from "../../../worker/api.js";
import { moment, say, size } from "../../i18n.js";
import { lockNow } from "../../lock.js";
import { Button, Notice, Problem, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import { hear, session } from "../../state.js";
import { beginVault } from "../../vault.js";
import { Going } from "../documents/Going.js";
import { Hash } from "../documents/FileOf.js";
import { Drop } from "../documents/Picker.js";
import "../documents/documents.css";
import "../journal/journal.css";
import { Meaning } from "./Meaning.js";
import { NOTHING, sort, type Brought } from "./sorting.js";

const STEPS = [1, 2, 3, 4, 5, 6, 7] as const;
const OUTCOMES = { valid: "valid", invalid: "invalid", not_yet: "later" } as const;
const KINDS = ["sealed", "receipt", "policy"] as const;

/** The vault's worker, which has the wasm: it is begun if none runs, and holds no key then. */
function worker(): VaultApi {
  return session.value?.vault ?? beginVault((notice) => hear(notice, (why) => void lockNow(why)));
}

export default function Verify(): JSX.Element {
  const [brought, setBrought] = useState(NOTHING);
  const [busy, setBusy] = useState(false);
  const [checked, setChecked] = useState<Checked | null>(null);
  const [error, setError] = useState<unknown>(null);
  const bring = async (files: readonly File[]): Promise<void> => {
    setChecked(null);
    setError(null);
    setBrought(await sort(brought, files));
  };
  const check = async ({ sealed, receipt, policy }: Brought): Promise<void> => {
    if (sealed === null || receipt === null) return;
    setBusy(true);
    setChecked(null);
    setError(null);
    try {
      setChecked(await worker().checkReceipt(sealed, receipt, policy));
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  };
  const isReady = brought.sealed !== null && brought.receipt !== null;
  return (
    <article class="entry">
      {session.value === null && <p class="tools"><a href={address("home")}>← {say("account.back")}</a></p>}
      <Title>{say("receipts.verify.name")}</Title>
      <p class="lead">{say("receipts.verify.lead")}</p>
      <Drop
        label={say("receipts.verify.choose")} hint={say("receipts.verify.hint")} drop={say("receipts.verify.drop")}
        onPick={(files) => void bring(files)}
      />
      <dl class="facts-list">
        {KINDS.map((kind) => (
          <div key={kind}>
            <dt>{say(`receipts.verify.${kind}`)}</dt>
            <dd>
              {nameOf(brought[kind]) ?? say(kind === "policy" ? "receipts.verify.no_policy" : "receipts.verify.missing")}
            </dd>
          </div>
        ))}
      </dl>
      {isReady && (
        <p class="actions">
          <Button busy={busy} onClick={() => void check(brought)}>{say("receipts.verify.do")}</Button>
        </p>
      )}
      {busy && <Going said={say("receipts.verifying")} />}
      <Problem error={error} />
      <div role="status">{checked !== null && <Outcome checked={checked} given={brought.policy !== null} />}</div>
      {checked !== null && <Result checked={checked} />}
    </article>
  );
}

function nameOf(file: File | null): string | null {
  return file === null ? null : `${file.name} (${size(file.size)})`;
}

function Outcome({ checked, given }: { checked: Checked; given: boolean }): JSX.Element {
  const { outcome, code } = checked;
  return (
    <Notice care={outcome !== "valid"}>
      <p><b>{say(`receipts.outcome.${OUTCOMES[outcome]}`)}</b></p>
      {code !== null && <p>{say(`receipts.verify.why.${code}`)}</p>}
      <p>{say(given ? "receipts.verify.key_given" : "receipts.verify.key_here")}</p>
    </Notice>
  );
}

function Result({ checked }: { checked: Checked }): JSX.Element {
  const { verified, weighed, step, sha256 } = checked;
  return (
    <>
      <h2>{say("receipts.verify.steps")}</h2>
      <ol class="steps checked">
        {STEPS.map((number) => (
          <li key={number}>
            {say(number === 7 && weighed?.asked === false ? "receipts.verify.alone" : `receipts.verify.step.${number}`)}{" "}
            <b>{say(`receipts.verify.mark.${markOf(number, step, checked.outcome)}`)}</b>
          </li>
        ))}
      </ol>
      {weighed?.asked && <Witnesses weighed={weighed} />}
      {verified !== null && <Meaning verified={verified} witnesses={signedBy(checked)} />}
      <h2>{say("receipts.details.name")}</h2>
      <dl class="facts-list">
        <div><dt>{say("receipts.details.sealed")}</dt><dd><Hash bytes={sha256} /></dd></div>
        {verified !== null && (
          <div><dt>{say("receipts.details.origin")}</dt><dd>{verified.checkpoint.origin}</dd></div>
        )}
      </dl>
    </>
  );
}

/** How many witnesses had signed by the bound. */
function signedBy({ verified, weighed }: Checked): number {
  return weighed?.cosigned.filter(({ time }) => time <= (verified?.boundTime ?? 0)).length ?? 0;
}

function markOf(number: number, stop: number, outcome: Checked["outcome"]): "holds" | "fails" | "waits" | "not_reached" {
  if (number < stop) return "holds";
  return number > stop ? "not_reached" : outcome === "not_yet" ? "waits" : "fails";
}

/** Who cosigned, who has not, and who is nobody here. */
function Witnesses({ weighed }: { weighed: NonNullable<Checked["weighed"]> }): JSX.Element {
  return (
    <>
      <h2>{say("receipts.details.witnesses")}</h2>
      <ul>
        {weighed.cosigned.map(({ name, time }) => (
          <li key={name}>{say("receipts.verify.cosigned", { name, moment: moment(time) })}</li>
        ))}
        {weighed.missing.map((name) => <li key={name}>{say("receipts.verify.not_cosigned", { name })}</li>)}
        {weighed.passedOver.map((name) => <li key={name}>{say("receipts.verify.passed_over", { name })}</li>)}
      </ul>
    </>
  );
}
