// Sharing, step by step: what, all of it or a part, with whom, until when; then what the reader will see, and the last word.
// Knows: the order of the steps, and that what is extended needs only the last two. Refuses to know: keys; link and code
// are shown once and kept nowhere.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { Notice } from "../../parts/index.js";
import { address } from "../../router.js";
import { vault } from "../../state.js";
import type { Link, Professional, Shared, Sharing } from "../../../worker/sharing.js";
import "../documents/documents.css";
import "../journal/journal.css";
import { Choose } from "./Choose.js";
import { Done } from "./Done.js";
import { Part } from "./Part.js";
import { Parts, replaced, type Making } from "./Parts.js";
import { Preview } from "./Preview.js";
import "./shares.css";
import { DEFAULT, Terms, type Chosen } from "./Terms.js";
import { whomOf } from "./spoken.js";
import { extending } from "./told.js";
import { Who } from "./Who.js";

const STEPS = ["items", "parts", "who", "terms", "preview"] as const;
type Step = (typeof STEPS)[number] | "done";

/** Whom something is shared with, as they are listed. */
export type Reader = Pick<Professional, "entry" | "name">;

export interface Terms extends Chosen {
  /** Null for a link and a code. */
  readonly reader: Reader | null;
}

export default function Share({ id }: { id: string | null }): JSX.Element {
  const [before] = useState(() => extending.value);
  const [step, setStep] = useState<Step>(before === null ? "items" : "terms");
  const [ids, setIds] = useState<readonly string[]>(() =>
    before?.items?.map(({ item }) => item) ?? (id === null ? [] : [id]));
  /** It stays as it is on the screen, also when the sensitive tier closes meanwhile. */
  const [making, setMaking] = useState<Making | null>(null);
  const [terms, setTerms] = useState<Terms>({ ...DEFAULT, reader: before === null ? null : readerOf(before) });
  const [sharing, setSharing] = useState<Sharing | null>(null);
  const [link, setLink] = useState<Link | null>(null);
  useEffect(() => () => {
    extending.value = null;
  }, []);
  const used = before?.opened.length ?? 0;
  const preview = async (items: Sharing["items"], chosen: Chosen): Promise<void> => {
    const { message, days, openings } = chosen;
    setTerms({ ...terms, ...chosen });
    setSharing({
      bundle: await vault().makeId(), items, to: terms.reader?.entry ?? null, message: message.trim(),
      expires: Math.floor(Date.now() / 1000) + days * 86_400, openings: used + openings,
      replaces: before?.bundle ?? null,
    });
    setStep("preview");
  };
  if (making !== null) {
    return (
      <Part
        item={making.item} back={() => setMaking(null)}
        done={(kept) => {
          setIds(replaced(ids, making.id, kept.id));
          setMaking(null);
        }}
      />
    );
  }
  if (step === "done" && sharing !== null) return <Done sharing={sharing} reader={terms.reader} link={link} />;
  const at = STEPS.findIndex((one) => one === step);
  return (
    <>
      <p class="tools">
        {at > 0
          ? <button class="link" type="button" onClick={() => setStep(STEPS[at - 1]!)}>← {say("account.back")}</button>
          : <a href={address("shares")}>← {say("share.list.name")}</a>}
      </p>
      <p class="hint">{say("account.sign_up.step", { step: at + 1, steps: STEPS.length })}</p>
      {before !== null && (
        <Notice>
          <p>
            {before.entry === null ? say("share.extends.by_link", { count: used })
              : say("share.extends.by_name", { name: whomOf(before), count: used })}
          </p>
          <p>{say("share.extends.message")}</p>
        </Notice>
      )}
      {step === "items" && <Choose ids={ids} onChange={setIds} next={() => setStep("parts")} />}
      {step === "parts" && <Parts ids={ids} onChange={setIds} make={setMaking} next={() => setStep("who")} />}
      {step === "who" && (
        <Who
          next={(reader) => {
            setTerms({ ...terms, reader });
            setStep("terms");
          }}
        />
      )}
      {step === "terms" && <Terms ids={ids} chosen={terms} next={preview} />}
      {step === "preview" && sharing !== null && (
        <Preview
          sharing={sharing} reader={terms.reader}
          confirm={async (password, pin) => {
            setLink(await vault().share(password, pin, sharing));
            setStep("done");
          }}
        />
      )}
    </>
  );
}

function readerOf(shared: Shared): Reader | null {
  return shared.entry === null ? null : { entry: shared.entry, name: whomOf(shared) };
}
