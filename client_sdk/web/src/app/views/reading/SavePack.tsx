// What somebody shared as an evidence pack, only after it was said what that means. Knows: what is said of it.
// Refuses to know: what becomes of it: nobody here can take it back.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { say, size } from "../../i18n.js";
import { Button, Dialog, Problem, Yes } from "../../parts/index.js";
import type { Item, SavedPack, VaultApi } from "../../../worker/api.js";
import { Going } from "../documents/Going.js";
import { Lacking } from "./Lacking.js";
import { useSaving } from "./saving.js";

export function SavePack({ vault, items }: { vault: VaultApi; items: readonly Item[] }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const { busy, error, saved, save } = useSaving(() => void vault.leavePack());
  const leave = (): void => {
    if (busy) void vault.leavePack();
    setAsking(false);
  };
  const press = async (): Promise<void> => {
    if (await save(say("pack.save.file"), (into) => vault.savePack(into))) setAsking(false);
  };
  const files = items.flatMap(({ contents }) => contents).reduce((sum, content) => sum + content.size, 0);
  return (
    <>
      <Button plain onClick={() => setAsking(true)}>{say("pack.save.name")}</Button>
      <div role="status" class="saved">{saved !== null && <Saved name={saved[0]} pack={saved[1]} items={items} />}</div>
      {asking && (
        <Dialog title={say("pack.save.title")} onClose={leave}>
          <p>{say("pack.save.what")}</p>
          <p><b>{say("pack.save.clear")}</b></p>
          <p>{say("pack.save.why")}</p>
          {files > 0 && <p class="hint">{say("pack.save.size", { size: size(2 * files) })}</p>}
          {busy && <Going said={say("pack.save.packing")} />}
          <Problem error={error} />
          <p class="actions">
            <Button plain onClick={leave}>{say("pack.save.leave")}</Button>
            <Yes busy={busy} onClick={() => void press()}>{say(busy ? "pack.save.busy" : "pack.save.do")}</Yes>
          </p>
        </Dialog>
      )}
    </>
  );
}

function Saved({ name, pack, items }: { name: string; pack: SavedPack; items: readonly Item[] }): JSX.Element {
  return (
    <>
      <p>{say(pack.blob === null ? "pack.save.done" : "pack.save.given", { name })} {say("pack.save.check")}</p>
      <Lacking pack={pack} items={items}>
        {pack.left.length > 0 && <p>{say("pack.save.left", { count: pack.left.length })}</p>}
      </Lacking>
    </>
  );
}
