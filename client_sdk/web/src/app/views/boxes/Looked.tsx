// One deposit, once the person asks to see it: words first, each file on demand; then kept, or refused. Knows: that
// nothing is shown unasked, and what a name is worth. Refuses to know: who really sent it.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { day, moment, say } from "../../i18n.js";
import { Button, Notice, Problem, Title, Waiting as Waits } from "../../parts/index.js";
import { address, go } from "../../router.js";
import { refreshItems, vault } from "../../state.js";
import type { Id } from "../../../worker/api.js";
import type { Looked as Opened, Waiting } from "../../../worker/boxes.js";
import { FileFacts, FileOf } from "../documents/FileOf.js";
import "../documents/documents.css";
import { From, type Source } from "../documents/source.js";
import { SentWords } from "../journal/facts.js";
import "../journal/journal.css";
import { kept } from "../journal/told.js";
import { Refuse } from "./Refuse.js";
import { muchOf, parsePlace } from "./told.js";

export default function Looked({ id }: { id: string | null }): JSX.Element {
  const [box, deposit] = parsePlace(id ?? "");
  const [found, setFound] = useState<Waiting | null>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const look = async (): Promise<void> => {
    const one = (await vault().deposits(box)).find((all) => all.deposit === deposit);
    if (one === undefined) throw { code: "item_unknown" };
    setFound(one);
  };
  useEffect(() => void look().catch(setError), [id]);
  const open = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    await vault().lookAt(box, deposit).then(setOpened, setError);
    setBusy(false);
  };
  return (
    <>
      <p class="tools"><a href={address("box", box)}>← {say("boxes.look.back")}</a></p>
      <Title>{found === null ? say("boxes.look.title") : say("boxes.look.of", { moment: moment(found.deposited) })}</Title>
      {found === null && error === null && <Waits>{say("shell.loading")}</Waits>}
      {found !== null && <p class="hint">{muchOf(found)}</p>}
      <div role="status">
        {found?.erasedAfter && <Notice care><p>{say("boxes.refused_keeps", { day: day(found.erasedAfter) })}</p></Notice>}
      </div>
      {found !== null && opened === null && (
        <>
          <Notice>
            <p>{say("boxes.look.soft")}</p>
            {found.erasedAfter === null && <p>{say("boxes.look.choice")}</p>}
          </Notice>
          <p class="actions">
            <Button busy={busy} onClick={() => void open()}>{say(busy ? "boxes.look.opening" : "boxes.look.do")}</Button>
          </p>
        </>
      )}
      <Problem error={error} />
      {opened !== null && <Words opened={opened} />}
      {found !== null && (
        <Decide box={box} deposit={deposit} opened={opened !== null} waiting={found} onRefused={() => look().catch(setError)} />
      )}
    </>
  );
}

/** The words, and each file behind a button of its own. They take the focus from the button that showed them. */
function Words({ opened: { item, receipt } }: { opened: Opened }): JSX.Element {
  const words = useRef<HTMLElement>(null);
  useLayoutEffect(() => words.current?.querySelector("h2")?.focus({ preventScroll: true }), []);
  const source = useMemo<Source>(() => ({
    readContent: (one, _, ...asked) => vault().readDeposited(one, ...asked),
    readPiece: (one, _, ...asked) => vault().readDepositedPiece(one, ...asked),
    thumbnail: () => Promise.resolve(null), keepThumbnail: () => Promise.resolve(), makeId: () => vault().makeId(),
  }), []);
  return (
    <From.Provider value={source}>
      <article class="entry" ref={words}>
        {item.sent && <SentWords sent={item.sent} />}
        <p>{say("boxes.look.proven", { moment: moment(receipt.verified.claimedTime) })}</p>
        {item.contents.length > 0 && <p class="hint">{say("boxes.look.files")}</p>}
        {item.contents.map((content) => (
          <div key={content.blob}>
            <FileOf item={item} content={content} />
            <FileFacts content={content} />
          </div>
        ))}
      </article>
    </From.Provider>
  );
}

function Decide(props: {
  box: Id; deposit: Id; opened: boolean; waiting: Waiting; onRefused: () => Promise<void>;
}): JSX.Element {
  const { box, deposit, opened, waiting, onRefused } = props;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [asking, setAsking] = useState(false);
  const accept = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const { id, revision, conflict } = await vault().acceptDeposit(deposit);
      kept.value = { id, revision, conflict };
      await refreshItems();
      go("entry", id, true);
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return (
    <>
      <Problem error={error} />
      {opened && <p>{say("boxes.accept.means")}</p>}
      <p class="actions">
        {opened && (
          <Button busy={busy} onClick={() => void accept()}>{say(busy ? "boxes.accept.busy" : "boxes.accept.do")}</Button>
        )}
        <Button plain onClick={() => setAsking(true)}>
          {say(waiting.erasedAfter === null ? "boxes.refuse.name" : "boxes.refuse.at_once")}
        </Button>
      </p>
      {asking && (
        <Refuse box={box} deposit={deposit} waiting={waiting} leave={() => setAsking(false)} onRefused={onRefused} />
      )}
    </>
  );
}
