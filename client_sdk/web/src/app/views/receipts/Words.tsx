// The words of a sealed backup: shown once, then asked back. Knows: what is said of them, and that they leave the page when they
// were checked. Refuses to know: the key that they spell, and what they open.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { say } from "../../i18n.js";
import { Button, Title } from "../../parts/index.js";
import { fold } from "../../text/fold.js";
import { AskedBack } from "../account/sheet.js";

/** `next`: they are on paper. `leave`: back to where they were asked for; they open nothing then. */
export function Words(props: { words: readonly string[]; next: () => void; leave: () => void }): JSX.Element {
  const { words, next, leave } = props;
  const [isAsked, setAsked] = useState(false);
  const isRight = (places: readonly number[], typed: readonly string[]): Promise<boolean> =>
    Promise.resolve(places.every((place, at) => fold(words[place]!) === fold(typed[at]!.trim())));
  return (
    <>
      <p class="tools">
        <button class="link" type="button" onClick={leave}>← {say("pack.own.title")}</button>
      </p>
      {isAsked ? <AskedBack check={isRight} again={() => setAsked(false)} next={next} /> : (
        <>
          <Title>{say("pack.sealed.title")}</Title>
          <p>{say("pack.sealed.lead")}</p>
          <ul>
            <li>{say("account.sheet.write")}</li>
            <li>{say("pack.sealed.apart")}</li>
            <li>{say("account.sheet.photo")}</li>
          </ul>
          <ol class="sheet">
            {words.map((word, place) => <li key={place}>{word}</li>)}
          </ol>
          <div class="actions">
            <Button onClick={() => setAsked(true)}>{say("account.sheet.noted")}</Button>
            <Button plain onClick={() => print()}>{say("account.sheet.print")}</Button>
          </div>
          <p class="hint">{say("account.sheet.print_care")}</p>
        </>
      )}
    </>
  );
}
