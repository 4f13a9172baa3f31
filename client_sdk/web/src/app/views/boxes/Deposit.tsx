// Somebody's box, for whoever was given its address, without an account: words, files, sent. Knows: what arrived, and
// what can't be done. Refuses to know: whose box it is, whether anybody looked, and the address once the worker has it.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { moment, say, size } from "../../i18n.js";
import { met } from "../../link.js";
import { stay } from "../../lock.js";
import { Button, Field, Notice, Problem, TextArea, Title, Waiting } from "../../parts/index.js";
import { address } from "../../router.js";
import { putting, sending } from "../../state.js";
import type { VaultApi } from "../../../worker/api.js";
import type { PutIn, Room } from "../../../worker/boxes.js";
import { begin } from "../account/enter.js";
import { saveFile } from "../documents/addresses.js";
import "../documents/documents.css";
import { Going } from "../documents/Going.js";
import { type Picked, PickedFiles, wantedOf } from "../documents/Picked.js";
import { Drop } from "../documents/Picker.js";
import "../journal/journal.css";

/** After these the same address leads nowhere. */
const OVER = ["box_over", "cap_refused", "link_malformed"];
/** Characters of a message, and of a name. */
const MESSAGE = 4000;
const NAME = 200;
/** Files of one deposit. */
const FILES = 100;
/** What sealing adds to a file, at most: a twentieth, and what a small one is filled up to. */
const sealedSize = (file: File): number => 50_000 + file.size * 1.04;

interface Entered {
  readonly vault: VaultApi;
  readonly room: Room;
}

export default function Deposit(): JSX.Element {
  const fragment = met.value;
  const [entered, setEntered] = useState<Entered | null>(null);
  const [done, setDone] = useState<PutIn | null>(null);
  const [error, setError] = useState<unknown>(null);
  const run = useRef<symbol | null>(null);
  const enter = (asked: string | null): void => {
    const mine = run.current = Symbol();
    setEntered(null);
    setDone(null);
    setError(null);
    const entering = async (): Promise<Entered> => {
      const vault = begin();
      putting.value = true;
      if (asked !== null) await vault.meetBox(asked);
      if (met.value === asked) met.value = null; // the worker has it, and nobody here reads it any more
      return { vault, room: await vault.enterBox() };
    };
    entering().then(
      (found) => run.current === mine && setEntered(found),
      (failed: unknown) => run.current === mine && setError(failed),
    );
  };
  useEffect(() => {
    if (fragment !== null) enter(fragment);
  }, [fragment]);
  useEffect(() => () => {
    run.current = null;
    putting.value = false;
  }, []);
  const again = (): void => enter(met.value);
  if (done !== null && entered !== null) return <Done vault={entered.vault} done={done} again={again} />;
  const none = fragment === null && run.current === null;
  return (
    <>
      <Title>{say("boxes.put.title")}</Title>
      <p class="lead">{say("boxes.put.lead")}</p>
      {entered !== null ? <Form {...entered} onDone={setDone} /> : (
        <>
          <Problem error={error} />
          {error === null && (none ? <Notice><p>{say("boxes.put.none")}</p></Notice> : <Waiting>{say("shell.loading")}</Waiting>)}
          {error !== null && !OVER.includes(codeOf(error)) && <Button onClick={again}>{say("shell.again")}</Button>}
        </>
      )}
      <h2>{say("boxes.put.know")}</h2>
      <ul>
        {(["sealed", "final", "untold", "history", "device"] as const).map((key) => <li key={key}>{say(`boxes.put.${key}`)}</li>)}
      </ul>
      <p class="tools"><a href={address("home")}>{say("reading.link.other")}</a></p>
    </>
  );
}

function Form({ vault, room, onDone }: Entered & { onDone: (done: PutIn) => void }): JSX.Element {
  const [name, setName] = useState("");
  const [message, setMessage] = useState("");
  const [picked, setPicked] = useState<readonly Picked[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [empty, setEmpty] = useState(false);
  const isLong = [...message].length > MESSAGE;
  const files = wantedOf(picked).map(({ file }) => file);
  const isMany = files.length > FILES;
  const isMuch = files.reduce((sum, file) => sum + sealedSize(file), 0) > room.bytes;
  const submit = async (): Promise<void> => {
    setEmpty(message.trim() === "" && files.length === 0);
    if (isLong || isMany || isMuch || (message.trim() === "" && files.length === 0)) return;
    setBusy(true);
    setError(null);
    try {
      onDone(await vault.putIn({ name: name.trim(), message: message.trim() }, files));
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  if (room.deposits === 0) return <Problem error={{ code: "box_full" }} />;
  return (
    <form
      class="form write"
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) void submit();
      }}
    >
      <p>{say("boxes.put.room", { size: size(room.bytes), moment: moment(room.until) })}</p>
      <fieldset class="bare" disabled={busy}>
        <Field label={say("boxes.put.name")} hint={say("boxes.put.name_hint")} value={name} onInput={setName} maxLength={NAME} />
        <TextArea
          label={say("boxes.put.message")} hint={say("boxes.put.message_hint")} value={message} onInput={setMessage} rows={6}
        />
        {isLong && <p class="error" role="alert">{say("share.terms.too_long", { count: MESSAGE })}</p>}
        {!busy && <Chosen files={picked} onChange={setPicked} />}
        {isMany && <p class="error" role="alert">{say("boxes.put.too_many", { count: FILES })}</p>}
        {isMuch && <p class="error" role="alert">{say("boxes.put.too_much", { size: size(room.bytes) })}</p>}
      </fieldset>
      {(busy || files.length > 0) && <p class="hint">{say("boxes.put.cut")}</p>}
      {busy && <OnItsWay />}
      {empty && message.trim() === "" && files.length === 0 && <p class="error" role="alert">{say("boxes.put.empty")}</p>}
      <Problem error={error} />
      {codeOf(error) === "network" && <p>{say("boxes.put.goes_on")}</p>}
      <p class="actions">
        <Button type="submit" busy={busy}>{say(busy ? "boxes.put.busy" : error === null ? "boxes.put.do" : "shell.again")}</Button>
      </p>
    </form>
  );
}

/** What is being sent. While bytes leave, the page stays open: here is nothing to come back to. */
function OnItsWay(): JSX.Element {
  const at = sending.value;
  useEffect(stay, [at]);
  return <Going said={at === null ? say("boxes.put.sealing") : say("shell.sending", { name: at.name })} sent />;
}

function Chosen({ files, onChange }: {
  files: readonly Picked[]; onChange: (files: readonly Picked[]) => void;
}): JSX.Element {
  const [said, setSaid] = useState("");
  const add = (more: readonly File[]): void => {
    onChange([...files, ...more.map((file) => ({ file, thumbnail: null, out: false }))]);
    setSaid(say("journal.files.added", { count: more.length }));
  };
  return (
    <>
      <Drop
        label={say("documents.pick.files")} drop={say("documents.pick.drop")} hint={say("boxes.put.files_hint")}
        onPick={add} camera
      />
      <p class="unseen" role="status">{said}</p>
      <PickedFiles files={files} onChange={onChange} out={say("boxes.put.out")} />
    </>
  );
}

function Done({ vault, done, again }: { vault: VaultApi; done: PutIn; again: () => void }): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [saved, setSaved] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const save = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const { blob, name } = await vault.receiptsOfDeposit();
      saveFile(blob, name);
      setSaved(name);
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  };
  return (
    <>
      <Title>{say("boxes.sent.title")}</Title>
      <p class="lead">{say("boxes.sent.when", { moment: moment(done.deposited) })}</p>
      <p>{say("boxes.sent.untold")}</p>
      <h2>{say("boxes.sent.receipts")}</h2>
      <p>{say("boxes.sent.proves", { count: done.receipts })}</p>
      <Notice care><p>{say("boxes.sent.care")}</p></Notice>
      <Problem error={error} />
      <p class="actions">
        <Button plain busy={busy} onClick={() => void save()}>{say(busy ? "receipts.export.busy" : "boxes.sent.save")}</Button>
      </p>
      <p role="status" class="saved">{saved !== null && say("receipts.export.done", { name: saved })}</p>
      <p class="actions"><Button onClick={again}>{say("boxes.sent.more")}</Button></p>
      <p class="tools"><a href={address("home")}>{say("reading.link.other")}</a></p>
    </>
  );
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}
