// A new box: for whom, until when, how much; then its address, once. Knows: what may be chosen. Refuses to know: the
// address later; what is not noted here can only be made anew.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { moment, say, size } from "../../i18n.js";
import { Button, Choice, Field, Notice, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import { vault } from "../../state.js";
import type { NewBox as Plan } from "../../../worker/boxes.js";
import { Confirmed } from "../account/confirm.js";
import "../shares/shares.css";

const DAYS = [1, 3, 7, 14, 30, 90] as const;
const DEPOSITS = [1, 3, 5, 10, 30] as const;
const ROOM = [20_000_000, 200_000_000, 1_000_000_000, 5_000_000_000] as const;
/** Characters of a name. */
const NAME = 200;

export default function NewBox(): JSX.Element {
  const [name, setName] = useState("");
  const [days, setDays] = useState(7);
  const [deposits, setDeposits] = useState(5);
  const [bytes, setBytes] = useState<number>(ROOM[1]);
  const [made, setMade] = useState<string | null>(null);
  const [unnamed, setUnnamed] = useState(false);
  const plan = useRef<Plan | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const expires = Math.floor(Date.now() / 1000) + days * 86_400;
  const named = (): boolean => {
    const empty = name.trim() === "";
    setUnnamed(empty);
    if (empty) input.current?.focus();
    return !empty;
  };
  const make = async (password: string, pin: string): Promise<void> => {
    const same = plan.current;
    // The same box is asked for again after a lost answer, unless something else was chosen meanwhile.
    const chosen = { name: name.trim(), deposits, bytes };
    const kept = same !== null && Object.entries(chosen).every(([key, value]) => same[key as keyof Plan] === value)
      && Math.abs(same.expires - expires) < 3600;
    plan.current = kept ? same : { ...chosen, box: await vault().makeId(), expires };
    setMade(await vault().makeBox(password, pin, plan.current));
  };
  if (made !== null) return <Made fragment={made} expires={plan.current?.expires ?? expires} />;
  return (
    <>
      <p class="tools"><a href={address("boxes")}>← {say("boxes.name")}</a></p>
      <Title>{say("boxes.make.title")}</Title>
      <p>{say("boxes.lead")}</p>
      <Confirmed action={say("boxes.make.do")} confirm={make} ready={named}>
        <Field
          label={say("boxes.make.for")} hint={say("boxes.make.for_hint")} value={name} onInput={setName} maxLength={NAME}
          error={unnamed && name.trim() === "" ? say("boxes.make.unnamed") : null} input={input}
        />
        <Choice
          label={say("boxes.make.until")} value={String(days)} onChange={(value) => setDays(Number(value))}
          options={DAYS.map((count) => [String(count), say("share.terms.days", { count })] as const)}
        />
        <p class="hint" role="status">{say("boxes.made.until", { moment: moment(expires) })}</p>
        <Choice
          label={say("boxes.make.deposits")} value={String(deposits)} onChange={(value) => setDeposits(Number(value))}
          options={DEPOSITS.map((count) => [String(count), say("boxes.make.times", { count })] as const)}
        />
        <Choice
          label={say("boxes.make.room")} value={String(bytes)} onChange={(value) => setBytes(Number(value))}
          options={ROOM.map((count) => [String(count), size(count)] as const)}
        />
        <p class="hint">{say("boxes.make.room_hint")}</p>
        <Notice><p>{say("boxes.make.anybody")}</p></Notice>
      </Confirmed>
    </>
  );
}

function Made({ fragment, expires }: { fragment: string; expires: number }): JSX.Element {
  const whole = `${location.origin}${location.pathname}${fragment}`;
  const [copied, setCopied] = useState<"no" | "yes" | "failed">("no");
  const copy = (): void => {
    Promise.resolve().then(() => navigator.clipboard.writeText(whole)).then(() => setCopied("yes"), () => setCopied("failed"));
  };
  return (
    <>
      <Title>{say("boxes.made.title")}</Title>
      <Notice care><p>{say("boxes.made.once")}</p></Notice>
      <h2>{say("boxes.made.address")}</h2>
      <p>{say("boxes.made.how")}</p>
      <p class="shown-once"><code>{whole}</code></p>
      <p class="actions"><Button plain onClick={copy}>{say("boxes.made.copy")}</Button></p>
      <p role="status">{copied !== "no" && say(`boxes.made.copied_${copied}`)}</p>
      <h2>{say("boxes.made.know")}</h2>
      <ul>
        <li>{say("boxes.made.until", { moment: moment(expires) })}</li>
        {(["blind", "untold", "close"] as const).map((key) => <li key={key}>{say(`boxes.made.${key}`)}</li>)}
      </ul>
      <p class="actions"><a class="button" href={address("boxes")}>{say("boxes.name")}</a></p>
    </>
  );
}
