// A text that questions guide: the questions stand in it as headings, one a line, the answers below.
// Knows: where an answer stands in the text. Refuses to know: what is asked, and what a good answer is.
//
// The text is the one truth: it is cut in sections and put together again letter by letter, so that to change between
// questions and the whole text loses nothing, and what is no question's answer stays as it is.

interface Section {
  /** The question, null for what stands before the first one. */
  readonly question: string | null;
  /** Blank lines before the question, its own line, and the end of that line. */
  readonly head: string;
  readonly body: string;
}

/** Each answer by its question, as it stands in the text; where a question comes twice, the first. */
export function answersIn(text: string, questions: readonly string[]): ReadonlyMap<string, string> {
  const answers = new Map<string, string>();
  for (const { question, body } of cut(text, questions)) {
    if (question !== null && !answers.has(question)) answers.set(question, body);
  }
  return answers;
}

/** The text with one answer put in its place, which is the order of the questions; without the question if empty. */
export function withAnswer(text: string, questions: readonly string[], question: string, answer: string): string {
  const sections = [...cut(text, questions)];
  let place = sections.findIndex((section) => section.question === question);
  if (answer === "") {
    if (place < 0) return text;
    sections.splice(place, 1);
    const next = sections[place];
    if (next) sections[place] = { ...next, head: next.head.replace(/^\n*/, place === 0 ? "" : "\n\n") };
    return joined(sections);
  }
  if (place < 0) {
    const rank = questions.indexOf(question);
    const after = sections.findIndex((one) => one.question !== null && questions.indexOf(one.question) > rank);
    place = after < 0 ? sections.length : after;
    sections.splice(place, 0, { question, head: `${place === 0 ? "" : "\n\n"}${question}\n`, body: "" });
  }
  const { head } = sections[place] as Section;
  sections[place] = { question, head: head.endsWith("\n") ? head : `${head}\n`, body: answer };
  const next = sections[place + 1];
  if (next) sections[place + 1] = { ...next, head: next.head.replace(/^\n*/, "\n\n") };
  return joined(sections);
}

/** Cuts a text at its questions. Joined as they are, the sections are the text again. */
export function cut(text: string, questions: readonly string[]): readonly Section[] {
  const sections: Section[] = [];
  let question: string | null = null, head = "", body = 0, at = 0;
  const close = (end: number): void => {
    if (question !== null || end > body) sections.push({ question, head, body: text.slice(body, end) });
  };
  for (const line of text.split("\n")) {
    if (questions.includes(line)) {
      const blank = /\n{0,2}$/.exec(text.slice(body, at))?.[0].length ?? 0;
      close(at - blank);
      const end = Math.min(text.length, at + line.length + 1);
      [question, head, body] = [line, text.slice(at - blank, end), end];
    }
    at += line.length + 1;
  }
  close(text.length);
  return sections;
}

function joined(sections: readonly Section[]): string {
  return sections.map(({ head, body }) => head + body).join("");
}
