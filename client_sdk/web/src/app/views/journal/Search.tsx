// Looking for something that was written. Knows: titles, texts, places, people, tags, as they are open on this device.
// Refuses to know: what is behind the PIN, and any server: nothing that is looked for leaves the page.

import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { askPin, Button, Choice, Field, More, Title, Waiting } from "../../parts/index.js";
import { items } from "../../state.js";
import { wordsOf } from "../../text/fold.js";
import { isWanted, newestFirst, tagsOf, type Wanted } from "../../text/order.js";
import type { Item } from "../../../worker/api.js";
import "./journal.css";
import { Rows } from "./Rows.js";

/** Milliseconds after the last letter, and the longest that the page stands still while it looks. */
const PAUSE = 150, STEP = 25;
const LEVELS = ["1", "4", "7", "9"] as const;

interface Found {
  readonly items: readonly Item[];
  readonly words: readonly string[];
}

export default function Search(): JSX.Element {
  const all = items.value;
  const sorted = useMemo(() => newestFirst(all ?? []), [all]);
  const tags = useMemo(() => tagsOf(all ?? []), [all]);
  const [typed, setTyped] = useState("");
  const [tag, setTag] = useState("");
  const [danger, setDanger] = useState("");
  const [sensitive, setSensitive] = useState("");
  const [found, setFound] = useState<Found | null>(null);
  const asked = wordsOf(typed).length > 0 || tag !== "" || danger !== "" || sensitive !== "";
  useEffect(() => {
    if (!asked) return setFound(null);
    const wanted: Wanted = {
      words: wordsOf(typed), tag: tag || null, danger: danger ? Number(danger) : null,
      sensitive: sensitive === "" ? null : sensitive === "yes",
    };
    return lookThrough(sorted, wanted, (matching) => setFound({ items: matching, words: wanted.words }));
  }, [sorted, typed, tag, danger, sensitive]);
  const any = ["", say("journal.search.any")] as const;
  const locked = sorted.filter(({ state }) => state === "locked").length;
  return (
    <>
      <Title>{say("journal.search.name")}</Title>
      <form role="search" autocomplete="off" onSubmit={(event) => event.preventDefault()}>
        <Field
          label={say("journal.search.words")} hint={say("journal.search.hint")} type="search" value={typed}
          onInput={setTyped}
        />
        <More name={say("journal.search.filters")}>
          {tags.length > 0 && (
            <Choice
              label={say("journal.fact.tags")} value={tag} onChange={setTag}
              options={[any, ...tags.map((one) => [one, one] as const)]}
            />
          )}
          <Choice
            label={say("journal.search.danger")} value={danger} onChange={setDanger}
            options={[any, ...LEVELS.map((step) => [
              step, say("journal.search.from", { step, word: say(`journal.danger.words.${step}`) }),
            ] as const)]}
          />
          <Choice
            label={say("journal.search.sensitive")} value={sensitive} onChange={setSensitive}
            options={[any, ["yes", say("journal.search.only_sensitive")], ["no", say("journal.search.not_sensitive")]]}
          />
        </More>
      </form>
      {all === null && <Waiting>{say("journal.opening")}</Waiting>}
      <p role="status">{found && say("journal.search.found", { count: found.items.length })}</p>
      {asked && found?.items.length === 0 && <p>{say("journal.search.nothing")}</p>}
      {found && <Rows items={found.items} words={found.words} />}
      {locked > 0 && (
        <p class="locked-note">
          {say("journal.search.locked", { count: locked })}{" "}
          <Button plain onClick={() => void askPin()}>{say("journal.locked.open")}</Button>
        </p>
      )}
    </>
  );
}

/** Looks after a pause, in short steps, so that the next letter is never late. Gives how to stop. */
function lookThrough(all: readonly Item[], wanted: Wanted, done: (matching: readonly Item[]) => void): () => void {
  const matching: Item[] = [];
  let at = 0;
  let timer = setTimeout(step, PAUSE);
  function step(): void {
    const until = performance.now() + STEP;
    while (at < all.length && performance.now() < until) {
      const item = all[at++] as Item;
      if (isWanted(item, wanted)) matching.push(item);
    }
    if (at < all.length) timer = setTimeout(step);
    else done(matching);
  }
  return () => clearTimeout(timer);
}
