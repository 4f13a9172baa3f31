// Files that go with what is being written: picked, shown small, taken back. Knows: the files of this device that were
// picked. Refuses to know: how they are sealed and sent.

import type { JSX } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { Button, FileName } from "../../parts/index.js";
import type { NewFile } from "../../../worker/api.js";
import { Picture } from "../documents/FileOf.js";
import { makeThumbnail } from "./thumbnail.js";

/** The picked files, a button to pick more, and a word that they are not in the draft. */
export function Files(props: {
  files: readonly NewFile[]; onChange: (files: readonly NewFile[]) => void;
}): JSX.Element {
  const { files, onChange } = props;
  const id = useId();
  const latest = useRef(files);
  latest.current = files;
  const [said, setSaid] = useState("");
  const pick = async (picked: FileList): Promise<void> => {
    const more = await Promise.all([...picked].map(async (file) => ({ file, thumbnail: await makeThumbnail(file) })));
    onChange([...latest.current, ...more]);
    setSaid(say("journal.files.added", { count: more.length }));
  };
  return (
    <div class="field files">
      <label for={id}>{say("journal.files.label")}</label>
      <p class="hint" id={`${id}h`}>{say("journal.files.hint")}</p>
      <input
        id={id} type="file" multiple aria-describedby={`${id}h`}
        onChange={(event) => {
          const input = event.currentTarget;
          if (input.files) void pick(input.files).then(() => (input.value = ""));
        }}
      />
      <p class="unseen" role="status">{said}</p>
      {files.length > 0 && (
        <ul class="file-list">
          {files.map((one, place) => (
            <li key={place}>
              {one.thumbnail && <Picture blob={one.thumbnail} alt="" />}
              <span class="file-name"><FileName file={one.file} /></span>
              <Button
                plain onClick={() => {
                  onChange(files.filter((other) => other !== one));
                  setSaid(say("journal.files.removed", { name: one.file.name }));
                  document.getElementById(id)?.focus();
                }}
              >
                {say("journal.files.remove")}<span class="unseen"> {one.file.name}</span>
              </Button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
