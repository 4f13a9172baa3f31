// Refusing, with what it means said first: erased in seven days, or at once with password and PIN. Knows: that it may be
// evidence. Refuses to know: why.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { day, say } from "../../i18n.js";
import { Button, Dialog, Problem } from "../../parts/index.js";
import { go } from "../../router.js";
import { vault } from "../../state.js";
import type { Id } from "../../../worker/api.js";
import type { Waiting } from "../../../worker/boxes.js";
import { Confirmed } from "../account/confirm.js";

export function Refuse(props: {
  box: Id; deposit: Id; waiting: Waiting; leave: () => void; onRefused: () => Promise<void>;
}): JSX.Element {
  const { box, deposit, waiting, leave, onRefused } = props;
  const [atOnce, setAtOnce] = useState(waiting.erasedAfter !== null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const asked = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => asked.current?.querySelector("input")?.focus(), [atOnce]); // the button that asked has gone
  const refuse = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await vault().refuseDeposit(box, deposit);
      leave();
      await onRefused();
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  const erase = async (password: string, pin: string): Promise<void> => {
    await vault().eraseDeposit(box, deposit, password, pin);
    leave();
    go("box", box, true);
  };
  return (
    <Dialog title={say(atOnce ? "boxes.refuse.erase_title" : "boxes.refuse.title")} onClose={leave}>
      {waiting.erasedAfter !== null && <p>{say("boxes.refused_keeps", { day: day(waiting.erasedAfter) })}</p>}
      {!atOnce && <p>{say("boxes.refuse.means")}</p>}
      <p>{say("boxes.refuse.untold")}</p>
      <Problem error={error} />
      {atOnce ? (
        <div ref={asked}>
          <Confirmed action={say("boxes.refuse.erase")} confirm={erase}><p>{say("boxes.refuse.erase_means")}</p></Confirmed>
        </div>
      ) : (
        <p class="actions">
          <Button busy={busy} onClick={() => void refuse()}>{say("boxes.refuse.do")}</Button>
          <Button plain onClick={() => setAtOnce(true)}>{say("boxes.refuse.at_once")}</Button>
        </p>
      )}
      <p class="actions">
        <Button plain onClick={leave}>
          {say(waiting.erasedAfter === null ? "boxes.refuse.leave" : "boxes.refuse.erase_leave")}
        </Button>
      </p>
    </Dialog>
  );
}
