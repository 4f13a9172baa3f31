// Where files come in: picked, dropped, or photographed. Knows: that a file dropped beside the mark must not take the
// page away. Refuses to know: what becomes of them.

import type { JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { More } from "../../parts/index.js";

export function Picker({ onPick }: { onPick: (files: readonly File[]) => void }): JSX.Element {
  return (
    <Drop
      label={say("documents.pick.files")} drop={say("documents.pick.drop")} hint={say("documents.pick.hint")}
      onPick={onPick} camera
    />
  );
}

/** A place to choose files at, or to drop them on; `camera`: to take a photograph as well. */
export function Drop({ label, drop, hint, onPick, camera }: {
  label: string; drop: string; hint: string; onPick: (files: readonly File[]) => void; camera?: boolean;
}): JSX.Element {
  const [over, setOver] = useState(false);
  const id = useId();
  useEffect(() => {
    // Without this a file that lands beside the mark is opened by the browser, in place of this page.
    const keepPage = (event: DragEvent): void => event.preventDefault();
    const kinds = ["dragover", "drop"] as const;
    for (const kind of kinds) addEventListener(kind, keepPage);
    return () => {
      for (const kind of kinds) removeEventListener(kind, keepPage);
    };
  }, []);
  const picked = (input: HTMLInputElement): void => {
    const files = [...input.files ?? []];
    input.value = ""; // so that the same file can be picked again
    if (files.length > 0) onPick(files);
  };
  return (
    <div
      class={over ? "picker picker-over" : "picker"}
      onDragOver={() => setOver(true)} onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const files = [...event.dataTransfer?.files ?? []];
        if (files.length > 0) onPick(files);
      }}
    >
      <p class="actions">
        <label class="button picked">
          {label}
          <input
            class="unseen" type="file" multiple aria-describedby={id} onChange={(event) => picked(event.currentTarget)}
          />
        </label>
        {camera && (
          <label class="button plain picked camera">
            {say("documents.pick.camera")}
            <input
              class="unseen" type="file" accept="image/*" capture="environment" aria-describedby={id}
              onChange={(event) => picked(event.currentTarget)}
            />
          </label>
        )}
      </p>
      <p class="hint drop-hint">{drop}</p>
      <p class="hint" id={id}>{hint}</p>
      {camera && <p class="hint camera">{say("documents.pick.camera_hint")}</p>}
    </div>
  );
}

/** Files are often changed before a page is given them; and how to bring one as it is. */
export function Untouched(): JSX.Element {
  return (
    <More name={say("documents.untouched.name")}>
      <p>{say("documents.untouched.why")}</p>
      <ul>
        {(["android", "iphone", "message", "computer"] as const).map((name) => (
          <li key={name}>{say(`documents.untouched.${name}`)}</li>
        ))}
      </ul>
      <p class="hint">{say("documents.untouched.here")}</p>
    </More>
  );
}
