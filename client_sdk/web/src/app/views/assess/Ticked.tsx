// What was ticked in a self-assessment. Knows: the questions as they are now, and the text that was kept for the others.
// Refuses to know: what it may mean.

import type { JSX } from "preact";
import { lang, say } from "../../i18n.js";
import type { Item } from "../../../worker/api.js";
import { Prose } from "../journal/facts.js";
import { QUESTIONS } from "./weigh.js";

export function Ticked({ item }: { item: Item }): JSX.Element {
  const answers = item.answers ?? {};
  const ticked = QUESTIONS.filter((question) => answers[question.id]);
  const unknown = Object.keys(answers).some((id) => answers[id] && !QUESTIONS.some((question) => question.id === id));
  if (unknown) return <Prose text={item.text ?? ""} />;
  if (ticked.length === 0) return <p>{say("assess.none_ticked")}</p>;
  return <ul class="prose">{ticked.map(({ id, texts }) => <li key={id}>{texts[lang.value]}</li>)}</ul>;
}
