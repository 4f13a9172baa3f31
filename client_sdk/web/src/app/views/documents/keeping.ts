// What is typed about a file, and its draft. Knows: the newest of it. Refuses to know: what it says, and how a draft is
// kept.

import { useRef, useState } from "preact/hooks";
import type { FoundDraft, Item } from "../../../worker/api.js";
import { type Kept, useKeeper } from "../journal/useKeeper.js";
import { draftFrom, type Form, isUnsaid } from "./form.js";

export interface Keeping extends Omit<Kept, "change"> {
  readonly form: Form;
  /** The newest, also where the view was not drawn since. */
  readonly newest: () => Form;
  readonly change: (part: Partial<Form>) => void;
}

/** `item`: what the draft is about, null for a new document. `beside` as in useKeeper. */
export function useKeeping(
  item: Item | null, resumed: FoundDraft | null, start: Form, beside: (found: readonly FoundDraft[]) => void,
): Keeping {
  const [form, setForm] = useState(start);
  const newest = useRef(start);
  const { change: keepLater, ...kept } = useKeeper(resumed, beside);
  const change = (part: Partial<Form>): void => {
    const next = { ...newest.current, ...part };
    newest.current = next;
    setForm(next);
    keepLater({
      item: item?.id ?? null, revision: resumed?.revision ?? item?.revision ?? null, kind: "document",
      draft: draftFrom(next), sensitive: next.fields.sensitive, empty: item === null && isUnsaid(next),
    });
  };
  return { ...kept, form, newest: () => newest.current, change };
}
