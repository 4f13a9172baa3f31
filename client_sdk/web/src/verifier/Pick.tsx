// A button that chooses a file. Knows: that the same one can be chosen again. Refuses to know: what becomes of it.

import type { JSX } from "preact";
import { useId } from "preact/hooks";

/** A button that chooses a file, or all of a `folder`. */
export function Pick(props: {
  label: string; onPick: (files: readonly File[]) => void; busy?: boolean; folder?: boolean; accept?: string;
  plain?: boolean;
}): JSX.Element {
  const id = useId();
  return (
    <label class={props.plain ? "button plain picked" : "button picked"} for={id}>
      {props.label}
      <input
        id={id} class="unseen" type="file" {...(props.accept === undefined ? {} : { accept: props.accept })}
        {...(props.folder ? { webkitdirectory: true } : {})} disabled={props.busy ?? false}
        onChange={({ currentTarget: input }) => {
          const files = [...input.files ?? []];
          input.value = ""; // so that the same one can be chosen again
          props.onPick(files);
        }}
      />
    </label>
  );
}
