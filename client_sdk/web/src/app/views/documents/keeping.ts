// What is typed about a file, and its draft. Knows: that nothing typed is lost when the view goes or the vault locks.
// Refuses to know: what is typed.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { beforeLock, vault } from "../../state.js";
import type { FoundDraft, Id } from "../../../worker/api.js";
import { DraftKeeper } from "../journal/keeper.js";
import { draftFrom, type Form, isUnsaid } from "./form.js";

export interface Keeping {
  readonly form: Form;
  /** The newest, also where the view was not drawn since. */
  readonly newest: () => Form;
  readonly change: (part: Partial<Form>) => void;
  readonly keeper: DraftKeeper;
  /** What was typed is kept elsewhere: its draft is gone. */
  readonly end: () => void;
}

/** `item`: what the draft is about, null for a new document. */
export function useKeeping(item: Id | null, resumed: FoundDraft | null, start: Form): Keeping {
  const [form, setForm] = useState(start);
  const newest = useRef(start);
  const keeper = useMemo(() => new DraftKeeper(vault(), resumed?.slot ?? null), []);
  const keepNow = useMemo(() => async (): Promise<void> => {
    if (!(await keeper.flush())) throw keeper.error.peek();
  }, []);
  useEffect(() => () => {
    beforeLock.delete(keepNow);
    void keeper.flush();
  }, []);
  const change = (part: Partial<Form>): void => {
    const next = { ...newest.current, ...part };
    newest.current = next;
    setForm(next);
    beforeLock.add(keepNow);
    keeper.change({
      item, kind: "document", draft: draftFrom(next), sensitive: next.fields.sensitive,
      empty: item === null && isUnsaid(next),
    });
  };
  const end = (): void => {
    keeper.end();
    beforeLock.delete(keepNow);
  };
  return { form, newest: () => newest.current, change, keeper, end };
}
