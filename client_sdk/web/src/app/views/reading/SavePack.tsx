// What somebody shared as an evidence pack, only after it was said what that means. Knows: where a browser lets a file be
// written as it comes. Refuses to know: what becomes of it: nobody here can take it back.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { say, size } from "../../i18n.js";
import { Button, Dialog, Problem, Yes } from "../../parts/index.js";
import type { Item, SavedPack, VaultApi } from "../../../worker/api.js";
import { saveFile } from "../documents/addresses.js";
import { Going } from "../documents/Going.js";

/** Asks where to; not in every browser. */
type Picker = (asked: {
  readonly suggestedName: string; readonly types: readonly { readonly accept: Readonly<Record<string, readonly string[]>> }[];
}) => Promise<FileSystemFileHandle>;

/** Code of what was left off by the person. */
const LEFT = "paused";

export function SavePack({ vault, items }: { vault: VaultApi; items: readonly Item[] }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [saved, setSaved] = useState<readonly [name: string, pack: SavedPack] | null>(null);
  const revoke = useRef<() => void>(() => undefined);
  const here = useRef(true);
  useLayoutEffect(() => () => {
    here.current = false;
    revoke.current();
  }, []);
  const save = async (): Promise<void> => {
    setError(null);
    const name = say("pack.save.file");
    try {
      const into = await chosen(name);
      if (into === undefined) return;
      setBusy(true);
      const pack = await vault.savePack(into);
      if (!here.current) return;
      revoke.current();
      if (pack.blob !== null) revoke.current = saveFile(pack.blob, name);
      setSaved([into?.name ?? name, pack]);
      setAsking(false);
    } catch (failed) {
      if ((failed as { readonly code?: unknown }).code !== LEFT) setError(failed);
    }
    setBusy(false);
  };
  const leave = (): void => {
    if (busy) void vault.leavePack();
    setAsking(false);
  };
  const files = items.flatMap(({ contents }) => contents).reduce((sum, content) => sum + content.size, 0);
  return (
    <>
      <Button plain onClick={() => setAsking(true)}>{say("pack.save.name")}</Button>
      <span role="status" class="saved">{saved !== null && <Saved name={saved[0]} pack={saved[1]} />}</span>
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
            <Yes busy={busy} onClick={() => void save()}>{say(busy ? "pack.save.busy" : "pack.save.do")}</Yes>
          </p>
        </Dialog>
      )}
    </>
  );
}

function Saved({ name, pack: { blob, left, unsaid, isContinued } }: { name: string; pack: SavedPack }): JSX.Element {
  return (
    <>
      {say(blob === null ? "pack.save.done" : "pack.save.given", { name })} {say("pack.save.check")}
      {left > 0 && <> {say("pack.save.left", { count: left })}</>}
      {unsaid > 0 && <> {say("pack.save.unsaid", { count: unsaid })}</>}
      {!isContinued && <> {say("pack.save.no_ledger")}</>}
    </>
  );
}

/** The file to write to; null where this browser lets a page write to none, undefined where the person chose none. */
async function chosen(suggestedName: string): Promise<FileSystemFileHandle | null | undefined> {
  const { showSaveFilePicker: pick } = globalThis as { readonly showSaveFilePicker?: Picker };
  if (pick === undefined) return null;
  try {
    return await pick({ suggestedName, types: [{ accept: { "application/zip": [".zip"] } }] });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return undefined;
    return null;
  }
}
