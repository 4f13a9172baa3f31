// Files that go with what is being written: picked, shown small, taken out and put back. Knows: the files of this device
// that were picked. Refuses to know: how they are sealed and sent.

import type { JSX } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { type Picked, PickedFiles } from "../documents/Picked.js";
import { makeThumbnail } from "./thumbnail.js";

/** The picked files, a button to pick more, and a word that they are not in the draft. */
export function Files(props: {
  files: readonly Picked[]; onChange: (files: readonly Picked[]) => void;
}): JSX.Element {
  const { files, onChange } = props;
  const id = useId();
  const latest = useRef(files);
  latest.current = files;
  const [said, setSaid] = useState("");
  const pick = async (picked: FileList): Promise<void> => {
    const more = await Promise.all([...picked].map(async (file): Promise<Picked> => (
      { file, thumbnail: await makeThumbnail(file), out: false }
    )));
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
      <PickedFiles files={files} onChange={onChange} out={say("documents.chosen.out")} />
    </div>
  );
}
