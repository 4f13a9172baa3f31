// The sealed file and its receipt for somebody else, as one archive. Knows: what is in it, and that it tells that this
// service was used. Refuses to know: keys; nothing in it can be read.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { say, size } from "../../i18n.js";
import { askPin, Button, Dialog, Problem, Yes } from "../../parts/index.js";
import { vault } from "../../state.js";
import type { Item } from "../../../worker/api.js";
import { saveFile } from "../documents/addresses.js";
import { Going } from "../documents/Going.js";

export function Export({ item, revision }: { item: Item; revision: number }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [saved, setSaved] = useState<string | null>(null);
  const revoke = useRef<() => void>(() => undefined);
  const here = useRef(true);
  useLayoutEffect(() => () => {
    here.current = false;
    revoke.current();
  }, []);
  const open = async (): Promise<void> => {
    if (item.sensitive && !(await askPin())) return;
    setAsking(true);
  };
  const save = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const { blob, name } = await vault().exportReceipts(item.id, revision);
      if (!here.current) return;
      revoke.current();
      revoke.current = saveFile(blob, name);
      setSaved(name);
      setAsking(false);
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  };
  const whole = item.contents.reduce((sum, content) => sum + content.size, 0);
  return (
    <section class="not-on-paper">
      <h2>{say("receipts.export.name")}</h2>
      <p>{say("receipts.export.what")}</p>
      <p class="actions"><Button onClick={() => void open()}>{say("receipts.export.open")}</Button></p>
      <p role="status" class="saved">{saved !== null && say("receipts.export.done", { name: saved })}</p>
      {asking && (
        <Dialog title={say("receipts.export.title")} onClose={() => setAsking(false)}>
          <p>{say("receipts.export.sealed")}</p>
          <p>{say("receipts.export.for")}</p>
          <p>{say("receipts.export.found")}</p>
          {whole > 0 && <p class="hint">{say("receipts.export.size", { size: size(whole) })}</p>}
          {busy && <Going said={say("receipts.export.packing")} />}
          <Problem error={error} />
          <p class="actions">
            <Button plain onClick={() => setAsking(false)}>{say("receipts.export.leave")}</Button>
            <Yes busy={busy} onClick={() => void save()}>
              {say(busy ? "receipts.export.busy" : "receipts.export.do")}
            </Yes>
          </p>
        </Dialog>
      )}
    </section>
  );
}
