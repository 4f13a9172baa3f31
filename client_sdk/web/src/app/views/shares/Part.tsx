// A part of something, chosen: words that are cut, what else is given, pictures of which parts are covered.
// Knows: what is on the screen. Refuses to know: how it is sealed. Nothing is given that was not ticked, but for the text.

import type { JSX } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { say, size } from "../../i18n.js";
import { askPin, Button, Notice, Problem, Tick, Title } from "../../parts/index.js";
import { refreshItems, sensitiveUntil, vault } from "../../state.js";
import { passagesOf, wordsAt, wordsIn } from "../../text/pieces.js";
import { FACTS, findAgain, isSaid, stillStands, type Fact } from "../../../sdk/extract.js";
import type { Content, Id, Item, Kept } from "../../../worker/api.js";
import { Picture } from "../documents/FileOf.js";
import { kindOf, LARGEST } from "../documents/kinds.js";
import { spellFact, titleOf } from "../journal/facts.js";
import { Cover } from "./Cover.js";
import { Cutting } from "./Cutting.js";

export function Part(props: { item: Item; done: (kept: Kept) => void; back: () => void }): JSX.Element {
  const { item, done, back } = props;
  const text = item.text ?? "";
  const words = useMemo(() => wordsIn(text), [text]);
  const [cut, setCut] = useState<ReadonlySet<number>>(new Set());
  const [facts, setFacts] = useState<readonly Fact[]>([]);
  const [files, setFiles] = useState<readonly Id[]>([]);
  const [copies, setCopies] = useState<ReadonlyMap<Id, File>>(new Map());
  const [covering, setCovering] = useState<Content | null>(null);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<"whole" | "empty" | null>(null);
  const [error, setError] = useState<unknown>(null);
  const section = useRef<HTMLElement>(null);
  const cuts = useMemo(() => passagesOf(words, cut), [words, cut]);
  const again = useMemo(() => findAgain(text, cuts), [text, cuts]);
  const said = FACTS.filter((name) => isSaid(item[name]));
  const stands = stillStands(item, { cuts, facts, files }).filter((place) => place !== "text");
  const change = (act: () => void): void => {
    setWrong(null);
    setError(null);
    act();
  };
  const cutAgain = (): void => {
    setCut(new Set([...cut, ...again.flatMap((one) => wordsAt(words, one))]));
    section.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus(); // the button goes
  };
  if (covering !== null) {
    return (
      <Cover
        item={item} content={covering} back={() => setCovering(null)}
        done={(copy) => {
          const place = item.contents.indexOf(covering) + 1;
          const name = `${say("share.part.picture", { number: place })}.jpg`;
          setCopies(new Map(copies).set(covering.blob, new File([copy], name, { type: copy.type })));
          setFiles(including(files, covering.blob, false));
          setCovering(null);
        }}
      />
    );
  }
  const keep = async (): Promise<void> => {
    const all = files.length === item.contents.length && facts.length === said.length && cut.size === 0;
    const none = cut.size === words.length && facts.length === 0 && files.length + copies.size === 0;
    setWrong(all ? "whole" : none ? "empty" : null);
    if (all || none) return;
    if (item.sensitive && sensitiveUntil.value === null && !await askPin()) return;
    setBusy(true);
    setError(null);
    try {
      const covered = item.contents.flatMap(({ blob }) => {
        const picture = copies.get(blob);
        return picture === undefined ? [] : [{ content: blob, picture }];
      });
      const kept = await vault().makeExtract(item.id, item.revision, { cuts, facts, files }, covered);
      await refreshItems();
      done(kept);
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return (
    <>
      <p class="tools"><button class="link" type="button" onClick={back}>← {say("account.back")}</button></p>
      <Title>{say("share.part.title")}</Title>
      <p class="lead">{titleOf(item)}</p>
      {words.length > 0 && (
        <section ref={section}>
          <h2>{say("share.part.text")}</h2>
          <p>{say("share.part.text_lead")}</p>
          <Cutting words={words} cut={cut} onChange={(next) => change(() => setCut(next))} />
          <p class="hint" role="status">{say("share.part.cuts", { count: cuts.length })}</p>
          {again.length > 0 && (
            <Notice care>
              <p>{say("share.part.again", { count: again.length })}</p>
              <p class="actions">
                <Button plain onClick={() => change(cutAgain)}>{say("share.part.cut_again")}</Button>
              </p>
            </Notice>
          )}
        </section>
      )}
      {said.length > 0 && (
        <fieldset class="offered">
          <legend>{say("share.part.facts")}</legend>
          <p class="hint">{say("share.part.ticked")}</p>
          {said.map((name) => (
            <Tick
              key={name} checked={facts.includes(name)}
              onChange={(checked) => change(() => setFacts(including(facts, name, checked)))}
              label={<><b>{say(`journal.fact.${name}`)}</b> <span class="hint">{spellFact(item, name)}</span></>}
            />
          ))}
        </fieldset>
      )}
      {item.contents.length > 0 && (
        <fieldset class="offered">
          <legend>{say("share.part.files")}</legend>
          <p class="hint">{say("share.part.ticked")}</p>
          {item.contents.map((content) => (
            <OneFile
              key={content.blob} content={content} given={files.includes(content.blob)}
              copy={copies.get(content.blob) ?? null}
              onGive={(given) => change(() => setFiles(including(files, content.blob, given)))}
              onCover={() => change(() => setCovering(content))}
              onDrop={() => change(() => {
                const left = new Map(copies);
                left.delete(content.blob);
                setCopies(left);
              })}
            />
          ))}
        </fieldset>
      )}
      {stands.length > 0 && (
        <Notice care>
          <p>{say("share.part.stands", { where: stands.map((place) => say(`journal.fact.${place}`)).join(", ") })}</p>
        </Notice>
      )}
      <Notice><p>{say("share.part.means")}</p></Notice>
      {wrong !== null && <p class="error" role="alert">{say(`share.part.${wrong}`)}</p>}
      <Problem error={error} />
      <p class="actions">
        <Button busy={busy} onClick={() => void keep()}>{say(busy ? "share.part.keeping" : "share.part.do")}</Button>
      </p>
    </>
  );
}

/** A file: given as it is, as a copy with parts of it covered, or not at all. */
function OneFile(props: {
  content: Content; given: boolean; copy: File | null; onGive: (given: boolean) => void; onCover: () => void;
  onDrop: () => void;
}): JSX.Element {
  const { content, given, copy, onGive, onCover, onDrop } = props;
  const place = useRef<HTMLDivElement>(null);
  const covers = kindOf(content) === "image" && content.size <= LARGEST.image;
  return (
    <div class="given" ref={place}>
      {copy === null ? (
        <Tick
          checked={given} onChange={onGive}
          label={<><b>{content.name}</b> <span class="hint">{size(content.size)}</span></>}
        />
      ) : (
        <>
          <p>{say("share.part.covered", { name: content.name })}</p>
          <Picture blob={copy} alt={say("share.part.covered_alt", { name: content.name })} />
        </>
      )}
      <p class="actions">
        {covers && (
          <Button plain onClick={onCover}>
            {say(copy === null ? "share.part.cover" : "share.part.cover_anew")}<span class="unseen"> {content.name}</span>
          </Button>
        )}
        {copy !== null && (
          <Button
            plain onClick={() => {
              onDrop();
              place.current?.querySelector("button")?.focus(); // the one that stays
            }}
          >
            {say("share.part.drop")}<span class="unseen"> {content.name}</span>
          </Button>
        )}
      </p>
    </div>
  );
}

/** The same with one more, or without one. */
function including<One>(all: readonly One[], one: One, wanted: boolean): readonly One[] {
  const others = all.filter((each) => each !== one);
  return wanted ? [...others, one] : others;
}
