// Where files are added. Knows: what was chosen and said, and what became of each file. Refuses to know: keys; and it
// says "kept" only where the vault has said so. Whatever fails, all that was chosen is still here.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { number, say } from "../../i18n.js";
import { Button, FileName, InSight, Notice, sentenceOf, Tick, Title, Waiting } from "../../parts/index.js";
import { address, go } from "../../router.js";
import { refreshItems, session, vault } from "../../state.js";
import type { FoundDraft, Id, Kept } from "../../../worker/api.js";
import { Offered, Unopened, useDrafts } from "../journal/Drafts.js";
import { tooLong } from "../journal/form.js";
import "../journal/journal.css";
import { Locked } from "../journal/Locked.js";
import { makeThumbnail } from "../journal/thumbnail.js";
import { kept as told } from "../journal/told.js";
import { DocumentFields } from "./DocumentFields.js";
import "./documents.css";
import { draftFrom, EMPTY_FORM, formOf } from "./form.js";
import { useKeeping } from "./keeping.js";
import { type FileKind, kindOf } from "./kinds.js";
import { TakeOut, turned } from "./Picked.js";
import { Picker, Untouched } from "./Picker.js";
import { CHOSEN, type Chosen, dropDraft, isOpen, sendAll, TAKEN_OUT } from "./sending.js";
import { SmallPicture } from "./Thumb.js";
import { Begun, GoesOn } from "./Unfinished.js";
import { UploadCourse } from "./Uploads.js";

/** New documents; `id` is the slot of a draft that is gone on with. */
export default function AddDocument({ id }: { id: Id | null }): JSX.Element {
  const begun = useDrafts({ kind: "document" });
  const { drafts, unread } = begun;
  const open = useRef<FoundDraft | null>(null);
  const [round, setRound] = useState(0);
  if (id !== null && drafts === null && unread === null) return <Waiting>{say("documents.opening")}</Waiting>;
  const found = drafts?.find(({ slot }) => slot === id) ?? null;
  if (open.current === null && found?.locked) return <Locked title={say("documents.add.name")} />;
  const resumed = round > 0 ? null : open.current ??= found;
  return (
    <Adding
      key={`${round} ${resumed?.slot}`} resumed={resumed} found={begun.found} again={() => setRound(round + 1)}
    >
      <Begun />
      <Unopened count={begun.unopened} />
      <Offered
        begun={begun} said="documents.drafts.new" but={id} onResume={({ slot }) => go("addDocument", slot)}
      />
    </Adding>
  );
}

/** `children`: what stands above the form. */
function Adding(props: {
  resumed: FoundDraft | null; found: (drafts: readonly FoundDraft[]) => void; again: () => void; children: ComponentChildren;
}): JSX.Element {
  const { resumed, found, again, children } = props;
  const keeping = useKeeping(null, resumed, resumed ? formOf(resumed.draft, resumed.sensitive) : EMPTY_FORM, found);
  const [files, setFiles] = useState<readonly Chosen[]>([]);
  const latest = useRef(files);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const counter = useRef(0);
  const list = useRef<HTMLDivElement>(null);

  const set = (next: readonly Chosen[]): void => {
    latest.current = next;
    setFiles(next);
  };
  const pick = (picked: readonly File[]): void => {
    const more = picked.map((file): Chosen => ({ key: counter.current++, file, small: null, fate: CHOSEN }));
    set([...latest.current.filter((one) => !isAgain(one, picked)), ...more]);
    setRefused(null);
    setSaid(say("documents.chosen.added", { count: more.length }));
    for (const one of more) {
      void makeThumbnail(one.file).then((small) => {
        if (small) set(latest.current.map((other) => (other.key === one.key ? { ...other, small } : other)));
      });
    }
  };
  const turn = (one: Chosen): void => {
    const out = one.fate !== TAKEN_OUT;
    set(latest.current.map((other) => (other.key === one.key ? { ...other, fate: out ? TAKEN_OUT : CHOSEN } : other)));
    setSaid(turned(one.file, out));
  };

  const keep = async (): Promise<void> => {
    const form = keeping.newest();
    const long = tooLong(form.fields);
    if (long) return setRefused(say(`documents.long.${long.field}`, { limit: number(long.limit) }));
    if (!latest.current.some(isOpen)) return setRefused(say("documents.chosen.none"));
    set(latest.current.filter(({ fate }) => fate !== TAKEN_OUT));
    const opened = session.peek();
    const draft = draftFrom(form);
    const titled = latest.current.length === 1;
    setBusy(true);
    setRefused(null);
    setSaid("");
    await keeping.keeper.flush();
    const one = (chosen: Chosen, transfer: number): Promise<Kept> => keepOne(
      chosen, vault().addDocument(chosen.file, titled ? draft : { ...draft, title: "" }, {
        sensitive: form.fields.sensitive, files: [], slot: titled ? keeping.keeper.slot : null, transfer,
      }),
    );
    await sendAll(latest.current, one, (key, fate) => {
      set(latest.current.map((other) => (other.key === key ? { ...other, fate } : other)));
    });
    if (session.peek() !== opened) return;
    if (latest.current.every((chosen) => !isOpen(chosen))) {
      if (!titled) await dropDraft(keeping.keeper.slot);
      keeping.end();
    }
    await refreshItems();
    if (!keeping.here.current) return;
    setBusy(false);
    const [only] = latest.current;
    if (latest.current.length === 1 && only?.fate.kind === "kept") {
      told.value = { id: only.fate.id, revision: 1, conflict: false };
      go("document", only.fate.id, true);
    }
  };

  const failed = files.some(({ fate }) => fate.kind === "failed");
  useEffect(() => {
    if (!busy && failed) list.current?.querySelector("[role=alert]")?.scrollIntoView({ block: "center" }); // says why
  }, [busy]);

  const wanted = files.filter(({ fate }) => fate !== TAKEN_OUT);
  const ended = wanted.length > 0 && !busy && wanted.every((one) => !isOpen(one));
  if (ended) return <Results files={wanted} again={again} />;
  const { fields } = keeping.form;
  return (
    <>
      <Title>{say("documents.add.name")}</Title>
      {children}
      {resumed && <Notice><p>{say("documents.drafts.again")}</p></Notice>}
      <form
        class="write" autocomplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void keep();
        }}
      >
        <div hidden={busy}><Picker onPick={pick} /></div>
        <p class="unseen" role="status">{said}</p>
        <div ref={list}><ChosenFiles files={files} onTurn={busy ? null : turn} /></div>
        <div role="status">{busy && <p class="hint">{say("documents.add.meanwhile")}</p>}</div>
        <div hidden={busy}>
          <Untouched />
          <DocumentFields keeping={keeping} title={wanted.length < 2 ? "documents.field.title_hint" : null} />
          <div class="behind">
            <Tick
              label={say("documents.sensitive.label")} hint={say("documents.sensitive.hint")} checked={fields.sensitive}
              onChange={(sensitive) => keeping.change({ fields: { ...keeping.newest().fields, sensitive } })}
            />
          </div>
        </div>
        {failed && !busy && <Notice care><p>{say("documents.add.still_here")}</p></Notice>}
        <InSight idle={busy || wanted.length === 0} refused={refused}>
          <p class="actions">
            <Button type="submit" busy={busy}>
              {busy ? say("documents.add.busy") : failed ? say("documents.add.again")
                : say("documents.add.keep", { count: Math.max(1, wanted.length) })}
            </Button>
          </p>
        </InSight>
        <p class="actions">
          <a class="button plain" href={address("documents")}>
            {say(busy ? "documents.add.elsewhere" : "documents.add.leave")}
          </a>
        </p>
      </form>
    </>
  );
}

/** Whether a file that couldn't be read to its end is one of those that were chosen since: it takes its place. */
function isAgain({ file, fate }: Chosen, picked: readonly File[]): boolean {
  const code = fate.kind === "failed" ? (fate.error as { code?: unknown }).code : null;
  return (code === "file_unreadable" || code === "file_changed") && picked.some(({ name }) => name === file.name);
}

/** A document that is kept, and its small picture beside it where this device may. */
async function keepOne({ small }: Chosen, adding: Promise<Kept>): Promise<Kept> {
  const kept = await adding;
  if (small !== null) await keepSmall(kept, small).catch(() => undefined); // it is made again when the image is shown
  return kept;
}

async function keepSmall({ id, revision }: Kept, small: Blob): Promise<void> {
  const [content] = (await vault().item(id, revision)).contents; // none where it is sensitive, and locked already
  if (content !== undefined) await vault().keepThumbnail(content.blob, small);
}

function ChosenFiles(props: {
  files: readonly Chosen[]; onTurn: ((one: Chosen) => void) | null;
}): JSX.Element | null {
  const { files, onTurn } = props;
  if (files.length === 0) return null;
  return (
    <ul class="chosen" aria-label={say("documents.chosen.name")}>
      {files.map((one) => (
        <li key={one.key} class={one.fate === TAKEN_OUT ? "taken-out" : undefined}>
          <span class="thumb">
            <SmallPicture blob={one.small} word={say(`documents.kind.${kindOfFile(one.file)}`)} />
          </span>
          <div class="chosen-words">
            <p class="file-name"><FileName file={one.file} /></p>
            {one.fate.kind === "chosen" && one.file.size === 0 && <p class="fate">{say("documents.chosen.empty")}</p>}
            {one.fate.kind === "chosen" && <GoesOn file={one.file} />}
            <FateOf one={one} />
          </div>
          {onTurn !== null && (isOpen(one) || one.fate === TAKEN_OUT) && (
            <TakeOut file={one.file} out={one.fate === TAKEN_OUT} onTurn={() => onTurn(one)} />
          )}
        </li>
      ))}
    </ul>
  );
}

function kindOfFile({ type, name }: File): FileKind {
  return kindOf({ mime: type, name });
}

function FateOf({ one: { file, fate } }: { one: Chosen }): JSX.Element | null {
  if (fate.kind === "chosen") return null;
  if (fate.kind === "taken_out") return <p class="fate">{say("documents.chosen.out")}</p>;
  if (fate.kind === "failed") return <div role="alert" class="fate"><p>{sentenceOf(fate.error)}</p></div>;
  if (fate.kind !== "kept" && fate.kind !== "waits") return <UploadCourse file={file} />;
  return (
    <p class="fate" role="status">
      {say(fate.kind === "kept" ? "documents.fate.kept" : "documents.fate.waits")}
      {fate.kind === "kept" && <>{" "}<a href={address("document", fate.id)}>{say("documents.fate.see")}</a></>}
    </p>
  );
}

function Results({ files, again }: { files: readonly Chosen[]; again: () => void }): JSX.Element {
  const kept = files.filter(({ fate }) => fate.kind === "kept").length, waits = files.length - kept;
  return (
    <>
      <Title>{say("documents.results.name")}</Title>
      <div role="status">
        {kept > 0 && <Notice><p>{say("documents.results.kept", { count: kept })}</p></Notice>}
        {waits > 0 && <Notice><p>{say("documents.results.waits", { count: waits })}</p></Notice>}
      </div>
      <ChosenFiles files={files} onTurn={null} />
      <p class="actions">
        <a class="button" href={address("documents")}>{say("documents.results.all")}</a>
        <Button plain onClick={again}>{say("documents.results.more")}</Button>
      </p>
    </>
  );
}
