// What a person says about a file, as the fields hold it. Knows: how it becomes a draft and comes back from one.
// Refuses to know: the file.

import type { Draft } from "../../../worker/api.js";
import { changesFrom, draftIn, EMPTY_FIELDS, type Fields, fieldsOf, isEmpty } from "../journal/form.js";

export interface Form {
  readonly fields: Fields;
  readonly category: string;
}

export const EMPTY_FORM: Form = { fields: EMPTY_FIELDS, category: "" };

export function formOf(draft: Draft, sensitive: boolean): Form {
  return { fields: fieldsOf(draft, sensitive), category: draft.category ?? "" };
}

export function draftFrom({ fields, category }: Form): Draft {
  return { ...draftIn(fields), category: category.trim() || null };
}

/** Whether nothing was said that a person would miss. */
export function isUnsaid({ fields, category }: Form): boolean {
  return category === "" && isEmpty(fields);
}

/** What an edit sends. */
export function changesOf(before: Draft, form: Form): Partial<Draft> {
  const after = draftFrom(form);
  const changes = changesFrom(before, after);
  return after.category === (before.category || null) ? changes : { ...changes, category: after.category };
}
