// The recovery code: shown once to be written down or printed, then asked back. Knows: 24 words and their numbers.
// Refuses to know: the key that they spell. On paper stand the words and their numbers, and nothing else.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { say } from "../../i18n.js";
import { Button, Field, focusHeading, Notice, Problem, TextArea, Title } from "../../parts/index.js";

const WORDS = 24;
const ASKED = 4;

/** `renewed`: there is an older sheet. */
export function Sheet(props: { words: readonly string[]; next: () => void; renewed: boolean }): JSX.Element {
  const { words, next, renewed } = props;
  return (
    <>
      <Title>{say("account.sheet.title")}</Title>
      <p>{say("account.sheet.lead")}</p>
      <ul>
        <li>{say("account.sheet.write")}</li>
        <li>{say("account.sheet.place")}</li>
        <li>{say("account.sheet.photo")}</li>
        {renewed && <li>{say("account.sheet.renewed")}</li>}
      </ul>
      <ol class="sheet">
        {words.map((word, place) => <li key={place}>{word}</li>)}
      </ol>
      <div class="actions">
        <Button onClick={next}>{say("account.sheet.noted")}</Button>
        <Button plain onClick={() => print()}>{say("account.sheet.print")}</Button>
      </div>
      <p class="hint">{say("account.sheet.print_care")}</p>
    </>
  );
}

/** Where all of them are typed. */
export function WordsField({ value, onInput }: { value: string; onInput: (value: string) => void }): JSX.Element {
  return (
    <TextArea
      label={say("account.reopen.words")} hint={say("account.reopen.words_hint")} rows={5} value={value} onInput={onInput}
    />
  );
}

export function AskedBack(props: {
  check: (places: readonly number[], words: readonly string[]) => Promise<boolean>; again: () => void; next: () => void;
}): JSX.Element {
  const [places, setPlaces] = useState(() => drawPlaces(ASKED));
  const [typed, setTyped] = useState<readonly string[]>(() => Array(WORDS).fill(""));
  const [wrong, setWrong] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    setWrong(false);
    try {
      if (await props.check(places, places.map((place) => typed[place]!))) return props.next();
      setWrong(true);
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  };
  return (
    <>
      <Title>{say("account.sheet.back_title")}</Title>
      <p>{say("account.sheet.back_lead")}</p>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void submit();
        }}
      >
        <div class="asked-words">
          {places.map((place) => (
            <Field
              key={place} label={say("account.sheet.word", { place: place + 1 })} value={typed[place]!}
              onInput={(word) => setTyped(typed.map((one, n) => (n === place ? word : one)))}
            />
          ))}
        </div>
        <Problem error={error} />
        {wrong && (
          <div role="alert">
            <Notice care><p>{say("account.sheet.wrong")}</p></Notice>
          </div>
        )}
        <div class="actions">
          <Button type="submit" busy={busy}>{say("account.sheet.check")}</Button>
          <Button plain onClick={props.again}>{say("account.sheet.see")}</Button>
        </div>
        {places.length < WORDS && (
          <p>
            <button
              class="link" type="button"
              onClick={() => {
                setPlaces(drawPlaces(WORDS));
                focusHeading(); // the fields are below it, and this button goes
              }}
            >
              {say("account.sheet.all")}
            </button>
          </p>
        )}
      </form>
    </>
  );
}

/** Which words are asked for, 0-based and in order: `count` of them by chance. */
export function drawPlaces(count: number): readonly number[] {
  const places = Array.from({ length: WORDS }, (_, place) => place);
  while (places.length > count) {
    const [drawn] = crypto.getRandomValues(new Uint32Array(1));
    places.splice(drawn! % places.length, 1);
  }
  return places;
}
