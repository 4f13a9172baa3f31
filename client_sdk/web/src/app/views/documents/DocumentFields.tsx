// The fields of what is said about a file. Knows: which there are. Refuses to know: the file, and whether anything is
// said at all: nothing is required.

import type { JSX } from "preact";
import { say } from "../../i18n.js";
import { Choice, Field, More, TextArea } from "../../parts/index.js";
import { DraftMark } from "../journal/DraftMark.js";
import { type Fields, LIMITS } from "../journal/form.js";
import { WhenFields } from "../journal/WhenFields.js";
import { CATEGORIES, spellCategory } from "./categories.js";
import type { Form } from "./form.js";
import type { Keeping } from "./keeping.js";

/** `title`: the key of what is said of an empty title; empty for nothing. Null: the files keep their own names. */
export function DocumentFields({ keeping, title }: { keeping: Keeping; title: string | null }): JSX.Element {
  const { fields, category } = keeping.form;
  const change = (part: Partial<Fields>): void => keeping.change({ fields: { ...keeping.newest().fields, ...part } });
  return (
    <>
      {title !== null ? (
        <Field
          label={say("documents.field.title")} hint={title && say(title)} value={fields.title}
          maxLength={LIMITS.title} onInput={(typed) => change({ title: typed })}
        />
      ) : <p class="hint">{say("documents.field.titles")}</p>}
      <Category value={category} onChange={(chosen) => keeping.change({ category: chosen })} />
      <More name={say("documents.field.when")} shown={fields.when !== "none"}>
        <WhenFields fields={fields} change={change} />
      </More>
      <More name={say("documents.field.where")} shown={fields.place !== "" || fields.people !== ""}>
        <Field
          label={say("documents.field.place")} value={fields.place} maxLength={LIMITS.place}
          onInput={(place) => change({ place })}
        />
        <Field
          label={say("documents.field.people")} hint={say("documents.field.commas")} value={fields.people}
          onInput={(people) => change({ people })}
        />
      </More>
      <More name={say("documents.field.note")} shown={fields.text !== ""}>
        <TextArea
          label={say("documents.field.note")} hint={say("documents.field.note_hint")} rows={4} value={fields.text}
          onInput={(text) => change({ text })}
        />
      </More>
      <DraftMark keeper={keeping.keeper} kept="documents.drafts.kept" />
    </>
  );
}

function Category(props: { value: Form["category"]; onChange: (category: string) => void }): JSX.Element {
  const options: readonly (readonly [string, string])[] = [
    ["", say("documents.category.none")], ...CATEGORIES.map((one) => [one, spellCategory(one)] as const),
  ];
  const known = options.some(([value]) => value === props.value);
  return (
    <Choice
      label={say("documents.category.label")} {...props}
      options={known ? options : [...options, [props.value, spellCategory(props.value)]]}
    />
  );
}
