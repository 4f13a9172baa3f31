// What was begun and not sent to its end: after a lock, a closed tab, an empty battery. Knows: names and sizes.
// Refuses to know: the file itself, which no page may open again unless somebody chooses it.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { day, say, size } from "../../i18n.js";
import { Button, Notice, Sure } from "../../parts/index.js";
import { address } from "../../router.js";
import { loadUnfinished, unfinished, vault } from "../../state.js";
import type { Unfinished } from "../../../worker/api.js";

/** All of it, and how it goes on. `link`: to where files are chosen. */
export function Begun({ link }: { link?: boolean }): JSX.Element | null {
  const all = unfinished.value;
  if (all.length === 0) return null;
  const giveUp = async (id: string): Promise<void> => {
    await vault().giveUp(id).catch(() => undefined);
    await loadUnfinished();
  };
  return (
    <Notice>
      <p>
        {say("documents.begun.text", { count: all.length })}{" "}
        {link && <a href={address("addDocument")}>{say("documents.begun.choose")}</a>}
      </p>
      <ul class="begun">
        {all.map((one) => (
          <li key={one.id}>
            <span><bdi>{nameOf(one)}</bdi> <span class="hint">{size(one.size)}, {day(one.made)}</span></span>{" "}
            <GiveUp name={nameOf(one)} giveUp={() => giveUp(one.id)} />
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** What was sent of a file is let go of, after a question: it may have taken hours. */
export function GiveUp({ name, giveUp }: { name: string; giveUp: () => Promise<void> }): JSX.Element {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button plain onClick={() => setAsking(true)}>
        {say("documents.uploads.give_up")}<span class="unseen"> {name}</span>
      </Button>
      {asking && (
        <Sure
          title={say("documents.uploads.give_up_title")} leave={say("documents.uploads.give_up_leave")}
          yes={say("documents.uploads.give_up")} onLeave={() => setAsking(false)}
          onYes={async () => {
            await giveUp();
            setAsking(false); // where this hasn't gone with it
          }}
        >
          <p class="file-name">{name}</p>
          <p>{say("documents.uploads.give_up_means")}</p>
        </Sure>
      )}
    </>
  );
}

/** Under a file that was chosen: whether it goes on, or has changed since it was begun. */
export function GoesOn({ file }: { file: File }): JSX.Element | null {
  const named = unfinished.value.filter(({ name }) => name === file.name);
  if (named.length === 0) return null;
  const same = named.some(({ size: before, changed }) => before === file.size && changed === file.lastModified);
  return <p class="hint">{say(same ? "documents.begun.goes_on" : "documents.begun.changed")}</p>;
}

function nameOf({ name }: Unfinished): string {
  return name ?? say("documents.begun.sensitive");
}
