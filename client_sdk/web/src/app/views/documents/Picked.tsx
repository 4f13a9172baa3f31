// Files that were picked and not sent yet: taken out, and put back by the same button. Knows: which of them are wanted.
// Refuses to know: how they are sealed and sent.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { Button, FileName, QUIET } from "../../parts/index.js";
import type { NewFile } from "../../../worker/api.js";
import "./documents.css";
import { Picture } from "./FileOf.js";

/** `out`: it doesn't go along, unless it is put back. */
export interface Picked extends NewFile {
  readonly out: boolean;
}

export function wantedOf(picked: readonly Picked[]): readonly NewFile[] {
  return picked.filter(({ out }) => !out).map(({ file, thumbnail }) => ({ file, thumbnail }));
}

/** `out`: what is said of one that was taken out. */
export function PickedFiles({ files, onChange, out }: {
  files: readonly Picked[]; onChange: (files: readonly Picked[]) => void; out: string;
}): JSX.Element {
  const [said, setSaid] = useState("");
  const turn = (one: Picked): void => {
    onChange(files.map((other) => (other === one ? { ...one, out: !one.out } : other)));
    setSaid(turned(one.file, !one.out));
  };
  return (
    <>
      <p class="unseen" role="status">{said}</p>
      {files.length > 0 && (
        <ul class="file-list" aria-label={say("documents.chosen.name")}>
          {files.map((one, place) => (
            <li key={place} class={one.out ? "taken-out" : undefined}>
              {one.thumbnail && <Picture blob={one.thumbnail} alt="" />}
              <span class="file-words">
                <span class="file-name"><FileName file={one.file} /></span>
                {one.out && <span class="fate">{out}</span>}
              </span>
              <TakeOut file={one.file} out={one.out} onTurn={() => turn(one)} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Out, or back again: one and the same button, which keeps its place and the focus. A hand that trembles presses twice,
 * and would undo what it did. */
export function TakeOut({ file, out, onTurn }: { file: File; out: boolean; onTurn: () => void }): JSX.Element {
  const last = useRef(-Infinity);
  return (
    <Button
      plain onClick={() => {
        const time = performance.now();
        if (time - last.current < QUIET) return;
        last.current = time;
        onTurn();
      }}
    >
      {say(out ? "documents.chosen.put_back" : "documents.chosen.remove")}<span class="unseen"> {file.name}</span>
    </Button>
  );
}

/** What is read aloud of a file that was taken out, or put back. */
export function turned({ name }: File, out: boolean): string {
  return say(out ? "documents.chosen.removed" : "documents.chosen.back", { name });
}
