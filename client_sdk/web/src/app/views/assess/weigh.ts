// Weighs what was ticked, by the rule of the public questionnaire (server/help/static/check.js) and on its questions.
// Knows: one grave tick, or many of any kind, bring the last result. Refuses to know: any word for "no danger";
// more ticks never bring a calmer result than fewer.

import questionnaire from "../../../../../../server/help/data/questions.json";

type Texts = Readonly<Record<string, string>>;
export type Answers = Readonly<Record<string, boolean>>;
/** 0 is the calmest that can be said, 2 puts the numbers first. */
export type Level = 0 | 1 | 2;

export interface Question {
  readonly id: string;
  readonly theme: string;
  readonly grave: boolean;
  readonly texts: Texts;
}

export const QUESTIONS: readonly Question[] = questionnaire.questions;
export const THEMES: readonly (readonly [string, Texts])[] = Object.entries(questionnaire.themes);

/** The result for the questions that are ticked. One that isn't known any more weighs as a tick of any kind. */
export function weigh(answers: Answers): Level {
  const ticked = Object.keys(answers).filter((id) => answers[id]);
  const grave = QUESTIONS.some((question) => question.grave && ticked.includes(question.id));
  if (grave || ticked.length >= questionnaire.many) return 2;
  return ticked.length >= questionnaire.some ? 1 : 0;
}

/** Every question with its answer: what is kept says no as well as yes. */
export function answered(ticked: ReadonlySet<string>): Answers {
  return Object.fromEntries(QUESTIONS.map(({ id }) => [id, ticked.has(id)]));
}
