// What was begun and not sent to its end: after a lock, a closed tab, an empty battery. Knows: names and sizes.
// Refuses to know: the file itself, which no page may open again unless somebody chooses it.

import type { JSX } from "preact";
import { day, say, size } from "../../i18n.js";
import { Button, focusHeading, Notice } from "../../parts/index.js";
import { address } from "../../router.js";
import { loadUnfinished, unfinished, vault } from "../../state.js";
import type { Unfinished } from "../../../worker/api.js";

/** All of it, and how it goes on. `link`: to where files are chosen. */
export function Begun({ link }: { link?: boolean }): JSX.Element | null {
  const all = unfinished.value;
  if (all.length === 0) return null;
  const drop = async (id: string): Promise<void> => {
    await vault().giveUp(id).catch(() => undefined);
    await loadUnfinished();
    focusHeading();
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
            <span>{nameOf(one)} <span class="hint">{size(one.size)}, {day(one.made)}</span></span>{" "}
            <Button plain onClick={() => void drop(one.id)}>
              {say("documents.uploads.give_up")}<span class="unseen"> {nameOf(one)}</span>
            </Button>
          </li>
        ))}
      </ul>
    </Notice>
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
