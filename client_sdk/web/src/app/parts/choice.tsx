// One of several words. Knows: how a choice is labelled. Refuses to know: what is chosen.

import type { JSX } from "preact";
import { useId } from "preact/hooks";

/** `options`: each value with what is shown for it. */
export function Choice(props: {
  label: string; value: string; onChange: (value: string) => void; options: readonly (readonly [string, string])[];
}): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <select
        id={id} autocomplete="off" value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}
      >
        {props.options.map(([value, shown]) => <option key={value} value={value}>{shown}</option>)}
      </select>
    </div>
  );
}
