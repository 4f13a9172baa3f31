// Everything that somebody keeps, as evidence packs of their own, in clear or sealed for words of their own. Knows: which items
// go into which of them, and what has to be said before. Refuses to know: what stands in a pack, and what becomes of it: nobody here can take it back.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";

import { lang, say, size } from "../../i18n.js";
import { askPin, Button, Notice, Problem, Tick, Title, Waiting } from "../../parts/index.js";
import { address } from "../../router.js";
import { extracts, items, itemsError, vault } from "../../state.js";
import { MOST_ITEMS, type Item, type PackedItem, type SavedPack } from "../../../worker/api.js";
import "../documents/documents.css";
import { saveFile } from "../documents/addresses.js";
import { Going } from "../documents/Going.js";
import { calledOf } from "../journal/facts.js";
import { Lacking, Named } from "../reading/Lacking.js";
import { useSaving } from "../reading/saving.js";
import { Words } from "./Words.js";

/** What was begun: `at` is the next part, or how many there are where all are saved. What is written meanwhile changes none. */
interface Begun {
  readonly parts: readonly (readonly Item[])[];
  readonly at: number;
  readonly sealed: boolean;
}

export function Dossier(): JSX.Element {
  const [wanted, setWanted] = useState(false);
  const [begun, setBegun] = useState<Begun | null>(null);
  const [stopped, setStopped] = useState(false);
  const [sealed, setSealed] = useState(false);
  /** Those of the backup that is made: none yet, on the screen, or on paper. */
  const [words, setWords] = useState<readonly string[] | "noted" | null>(null);
  const [refused, setRefused] = useState<unknown>(null);
  const actions = useRef<HTMLParagraphElement>(null);
  const { current: open } = useRef(vault());
  const { busy, error, saved, save } = useSaving(() => void open.leaveOwn());
  const sensitive = fitting(true).filter((one) => one.sensitive).length;
  const chosen = fitting(wanted);
  const unfit = everything().filter(({ state }) => state === "newer_version" || state === "missing").length;
  const next = begun?.parts[begun.at] ?? null;
  const parts = next === null ? split(chosen) : begun!.parts;
  /** What is saved is of the kind that is ticked: what is said of it stands beside nothing else. */
  const done = !stopped && !busy && saved !== null && begun?.sealed === sealed ? { name: saved[0], pack: saved[1], begun } : null;
  const want = async (yes: boolean): Promise<void> => {
    setWanted(yes);
    if (yes && !(await askPin())) setWanted(false);
  };
  const show = (): Promise<void> => {
    setRefused(null);
    return open.makeBackupWords(lang.value === "fr" ? "french" : "english").then(setWords, setRefused);
  };
  const press = async (): Promise<void> => {
    setStopped(false);
    if ((next ?? chosen).some((one) => one.sensitive) && !(await askPin())) return;
    const now = next === null ? { parts: split(fitting(wanted)), at: 0, sealed } : begun!;
    const [part, count] = [now.parts[now.at]!, now.parts.length];
    const name = nameOf(sealed, count === 1 ? null : now.at + 1);
    const named = part.map(({ id: item, revision }) => ({ item, revision }));
    if (!(await save(name, (into) => open.saveOwn(into, named, sealed)))) return;
    setStopped(false); // that came too late
    setBegun({ ...now, at: now.at + 1, sealed });
    if (now.at + 1 === count) setWords(null); // another backup has others
  };
  const stop = (): void => {
    setStopped(true);
    void open.leaveOwn();
    actions.current?.querySelector("button")?.focus(); // the one that was pressed goes
  };
  if (words !== null && words !== "noted") {
    return <Words words={words} next={() => setWords("noted")} leave={() => setWords(null)} />;
  }
  return (
    <>
      <p class="tools"><a href={address("settings")}>← {say("account.settings.title")}</a></p>
      <Title>{say("pack.own.title")}</Title>
      <p>{say("pack.own.what")}</p>
      <p>{say("pack.own.sent")}</p>
      <div inert={busy || next !== null}>
        <Tick
          label={say("pack.sealed.tick")} hint={say("pack.sealed.tick_hint")} checked={sealed}
          onChange={(yes) => {
            setSealed(yes);
            setWords(null);
          }}
        />
      </div>
      <Notice care>
        {sealed ? (
          <>
            <p><b>{say("pack.sealed.care")}</b></p>
            <p>{say("pack.sealed.place")}</p>
            <p>{say("pack.sealed.open")}</p>
            <ItsPage />
          </>
        ) : (
          <>
            <p><b>{say("pack.own.clear")}</b></p>
            <p>{say("pack.own.place")}</p>
            <p>{say("pack.own.after")}</p>
          </>
        )}
      </Notice>
      <Problem error={itemsError.value} />
      {items.value === null && itemsError.value === null && <Waiting>{say("shell.loading")}</Waiting>}
      {items.value !== null && (
        <>
          {sensitive > 0 && (
            <div inert={busy || next !== null}>
              <Tick
                label={say("pack.own.sensitive", { count: sensitive })} hint={say("pack.own.sensitive_hint")}
                checked={wanted} onChange={(yes) => void want(yes)}
              />
            </div>
          )}
          {unfit > 0 && <Notice><p>{say("pack.own.left", { count: unfit })}</p></Notice>}
          {parts.length === 0 && <p>{say(sensitive > 0 ? "pack.own.only_sensitive" : "pack.own.nothing")}</p>}
          {parts.length > 0 && (
            <>
              {parts.length > 1 && <p>{say("pack.own.parts", { count: parts.length, most: MOST_ITEMS })}</p>}
              <Large parts={parts} sealed={sealed} />
              <p class="hint">{say("pack.own.without")}</p>
              {busy && <Going said={say("pack.own.packing")} />}
              <Problem error={error ?? refused} />
              {sealed && words === "noted" && <Notice><p>{say("pack.sealed.ready")}</p></Notice>}
              <p class="actions" ref={actions}>
                {sealed && words === null ? (
                  <Button onClick={() => void show()}>{say(done === null ? "pack.sealed.show" : "pack.sealed.another")}</Button>
                ) : (
                  <Button busy={busy} onClick={() => void press()}>
                    {busy ? say("pack.save.busy") : parts.length === 1 ? say(sealed ? "pack.sealed.do" : "pack.own.do")
                      : say("pack.own.do_part", { number: next === null ? 1 : begun!.at + 1, count: parts.length })}
                  </Button>
                )}
                {busy && <Button plain onClick={stop}>{say("pack.own.stop")}</Button>}
              </p>
            </>
          )}
        </>
      )}
      <div role="status">
        {stopped && !busy && <p>{say("pack.own.stopped")}</p>}
        {done !== null && <Saved {...done} />}
      </div>
    </>
  );
}

/** About how large all of it will be, as far as that is known. */
function Large({ parts, sealed }: Pick<Begun, "parts" | "sealed">): JSX.Element {
  const all = parts.flat();
  const files = all.flatMap(({ contents }) => contents).reduce((sum, content) => sum + content.size, 0);
  return (
    <p class="hint">
      {files > 0 ? say(sealed ? "pack.sealed.size" : "pack.save.size", { size: size(2 * files) }) : say("pack.own.size_words")}
      {all.some(({ state }) => state === "locked") && <> {say("pack.own.size_more")}</>}
    </p>
  );
}

function Saved({ name, pack, begun: { parts, at, sealed } }: { name: string; pack: SavedPack; begun: Begun }): JSX.Element {
  return (
    <>
      <p class="saved">
        {say(pack.blob === null ? "pack.own.done" : "pack.own.given", { name, count: parts[at - 1]!.length - pack.left.length })}
      </p>
      <Lacking pack={pack} items={everything()}>
        <Named said="pack.own.without_receipt" names={titlesOf(pack.left)} />
        {pack.left.length > 0 && <p>{say("pack.own.still_here", { count: pack.left.length })}</p>}
      </Lacking>
      {at < parts.length && <p>{say("pack.own.more", { count: parts.length - at })}</p>}
      {at === parts.length && <p>{say(sealed ? "pack.sealed.read" : "pack.own.read")}</p>}
      {at === parts.length && !sealed && <p>{say("pack.save.check")}</p>}
    </>
  );
}

/** What opens a sealed file where this service isn't. */
function ItsPage(): JSX.Element {
  const [given, setGiven] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const press = async (): Promise<void> => {
    setError(null);
    try {
      saveFile(await vault().verifierPage(), say("pack.sealed.page_file"));
      setGiven(true);
    } catch (failed) {
      setError(failed);
    }
  };
  return (
    <>
      <p class="actions"><Button plain onClick={() => void press()}>{say("pack.sealed.page")}</Button></p>
      <div role="status">{given && <p>{say("pack.sealed.page_given", { name: say("pack.sealed.page_file") })}</p>}</div>
      <Problem error={error} />
    </>
  );
}

/** Of the file, or of its part of this number; one that is sealed has a name that tells nothing. */
function nameOf(sealed: boolean, number: number | null): string {
  if (sealed) return number === null ? say("pack.sealed.file") : say("pack.sealed.file_part", { number });
  return number === null ? say("pack.save.file") : say("pack.own.file", { number });
}

/** Of items that are listed. */
function titlesOf(left: readonly PackedItem[]): readonly string[] {
  const ids = new Set(left.map(({ item }) => item));
  return everything().filter(({ id }) => ids.has(id)).map(calledOf);
}

function everything(): readonly Item[] {
  return [...items.value ?? [], ...extracts.value];
}

/** What can be saved, the oldest deposit first; what is sensitive only where it is wanted. */
function fitting(sensitive: boolean): readonly Item[] {
  return everything().filter((one) => (one.state === "open" || one.state === "locked") && (sensitive || !one.sensitive))
    .sort((one, other) => one.deposited - other.deposited || one.revision - other.revision);
}

function split(all: readonly Item[]): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(all.length / MOST_ITEMS) }, (_, at) =>
    all.slice(at * MOST_ITEMS, (at + 1) * MOST_ITEMS));
}
