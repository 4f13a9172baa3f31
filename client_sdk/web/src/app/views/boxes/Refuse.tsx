// Refusing, with what it means said first: erased in seven days, or at once with password and PIN. Knows: that it may be
// evidence. Refuses to know: why.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { day, say } from "../../i18n.js";
import { Button, Dialog, Sure } from "../../parts/index.js";
import { go } from "../../router.js";
import { vault } from "../../state.js";
import type { Id } from "../../../worker/api.js";
import type { Waiting } from "../../../worker/boxes.js";
import { Confirmed } from "../account/confirm.js";

interface Given {
  readonly box: Id;
  readonly deposit: Id;
  readonly waiting: Waiting;
  readonly leave: () => void;
}

export function Refuse(props: Given & { onRefused: () => Promise<void> }): JSX.Element {
  const { box, deposit, waiting, leave, onRefused } = props;
  const [atOnce, setAtOnce] = useState(waiting.erasedAfter !== null);
  if (atOnce) return <Erase {...props} />;
  const refuse = async (): Promise<void> => {
    await vault().refuseDeposit(box, deposit);
    leave();
    await onRefused();
  };
  return (
    <Sure
      title={say("boxes.refuse.title")} leave={say("boxes.refuse.leave")} yes={say("boxes.refuse.do")}
      more={<Button plain onClick={() => setAtOnce(true)}>{say("boxes.refuse.at_once")}</Button>}
      onLeave={leave} onYes={refuse}
    >
      <p>{say("boxes.refuse.means")}</p>
      <p>{say("boxes.refuse.untold")}</p>
    </Sure>
  );
}

function Erase({ box, deposit, waiting, leave }: Given): JSX.Element {
  const erase = async (password: string, pin: string): Promise<void> => {
    await vault().eraseDeposit(box, deposit, password, pin);
    leave();
    go("box", box, true);
  };
  return (
    <Dialog title={say("boxes.refuse.erase_title")} onClose={leave}>
      {waiting.erasedAfter !== null && <p>{say("boxes.refused_keeps", { day: day(waiting.erasedAfter) })}</p>}
      <p>{say("boxes.refuse.untold")}</p>
      <Confirmed action={say("boxes.refuse.erase")} confirm={erase}><p>{say("boxes.refuse.erase_means")}</p></Confirmed>
      <p class="actions">
        <Button plain onClick={leave}>
          {say(waiting.erasedAfter === null ? "boxes.refuse.leave" : "boxes.refuse.erase_leave")}
        </Button>
      </p>
    </Dialog>
  );
}
