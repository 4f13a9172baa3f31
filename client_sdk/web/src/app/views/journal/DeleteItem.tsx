// Deleting, with what it means said first. Knows: hidden now, erased after seven days, undone until then.
// Refuses to know: why.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { Button, Sure } from "../../parts/index.js";
import { go } from "../../router.js";
import { refreshItems, vault } from "../../state.js";
import type { Item } from "../../../worker/api.js";
import { madeOf } from "./Made.js";
import { deleted } from "./told.js";

export function DeleteItem({ item }: { item: Item }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const parts = madeOf(item).length;
  const remove = async (): Promise<void> => {
    const { id, erasedAfter } = await vault().deleteItem(item.id);
    deleted.value = { id, erasedAfter };
    await refreshItems();
    setAsking(false);
    go("home", null, true);
  };
  return (
    <>
      <Button plain onClick={() => setAsking(true)}>{say("journal.delete.name")}</Button>
      {asking && (
        <Sure
          title={say("journal.delete.title")} leave={say("journal.delete.leave")} yes={say("journal.delete.do")}
          onLeave={() => setAsking(false)} onYes={remove}
        >
          <p>{say("journal.delete.means")}</p>
          <p>{say("journal.delete.shared")}</p>
          {parts > 0 && <p>{say("journal.made.stay", { count: parts })}</p>}
        </Sure>
      )}
    </>
  );
}
