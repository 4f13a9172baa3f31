// Until when, how often, and a few words. Knows: what may be chosen. Refuses to know: what is shared.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { moment, say } from "../../i18n.js";
import { Button, Choice, Problem, TextArea, Title } from "../../parts/index.js";
import type { Sharing } from "../../../worker/sharing.js";
import { found } from "./spoken.js";

export interface Chosen {
  readonly message: string;
  /** From now on. */
  readonly days: number;
  /** Beside those that are used up already. */
  readonly openings: number;
}

export const DEFAULT: Chosen = { message: "", days: 30, openings: 10 };
const DAYS = [1, 7, 30, 90, 180, 365] as const;
const OPENINGS = [1, 3, 10, 30, 100] as const;
/** Characters of a message. */
const MESSAGE = 4000;

export function Terms(props: {
  ids: readonly string[]; chosen: Chosen; next: (items: Sharing["items"], chosen: Chosen) => Promise<void>;
}): JSX.Element {
  const { ids, next } = props;
  const [message, setMessage] = useState(props.chosen.message);
  const [days, setDays] = useState(props.chosen.days);
  const [openings, setOpenings] = useState(props.chosen.openings);
  const [error, setError] = useState<unknown>(null);
  const isLong = [...message].length > MESSAGE;
  const submit = async (): Promise<void> => {
    setError(null);
    const shared = ids.flatMap((id) => {
      const item = found(id);
      return item === null ? [] : [{ item: id, revision: item.revision }];
    });
    await next(shared, { message, days, openings }).catch(setError);
  };
  return (
    <>
      <Title>{say("share.terms.title")}</Title>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isLong) void submit();
        }}
      >
        <Choice
          label={say("share.terms.until")} value={String(days)} onChange={(value) => setDays(Number(value))}
          options={DAYS.map((count) => [String(count), say("share.terms.days", { count })] as const)}
        />
        <p class="hint" role="status">
          {say("share.terms.ends", { moment: moment(Math.floor(Date.now() / 1000) + days * 86_400) })}
        </p>
        <Choice
          label={say("share.terms.openings")} value={String(openings)}
          onChange={(value) => setOpenings(Number(value))}
          options={OPENINGS.map((count) => [String(count), say("share.terms.times", { count })] as const)}
        />
        <p class="hint">{say("share.terms.openings_hint")}</p>
        <TextArea
          label={say("share.terms.message")} hint={say("share.terms.message_hint")} value={message}
          onInput={setMessage} rows={5}
        />
        {isLong && <p class="error" role="alert">{say("share.terms.too_long", { count: MESSAGE })}</p>}
        <Problem error={error} />
        <p class="actions"><Button type="submit">{say("share.terms.next")}</Button></p>
      </form>
    </>
  );
}
