// A clear copy, only after it was said what that means. Knows: the warning, and a name that tells nothing.
// Refuses to know: what becomes of the copy: nobody here can take it back.

import type { JSX } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { Button, Dialog, Problem, Yes } from "../../parts/index.js";
import type { Content, Item } from "../../../worker/api.js";
import { isProblem } from "../../../worker/problems.js";
import { saveFile } from "./addresses.js";
import { Going } from "./Going.js";
import { neutralName } from "./kinds.js";
import { useSource } from "./source.js";

export function DownloadFile({ item, content }: { item: Item; content: Content }): JSX.Element {
  const source = useSource();
  const [asking, setAsking] = useState(false);
  const [neutral, setNeutral] = useState(true);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [saved, setSaved] = useState<string | null>(null);
  const revoke = useRef<() => void>(() => undefined);
  const here = useRef(true);
  const group = useId();
  useLayoutEffect(() => () => {
    here.current = false;
    revoke.current();
  }, []);
  const names = [neutralName(content.name, say("documents.download.neutral_name")), content.name] as const;
  const differs = isProblem(error) && error.code === "content_differs";
  const save = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const bytes = await source.readContent(item.id, item.revision, content.blob, undefined, differs);
      if (!here.current) return;
      const name = names[neutral ? 0 : 1];
      revoke.current();
      revoke.current = saveFile(bytes, name);
      setSaved(name);
      setAsking(false);
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  };
  return (
    <>
      <Button plain onClick={() => setAsking(true)}>
        {say("documents.download.name")}<span class="unseen"> {content.name}</span>
      </Button>
      <span role="status" class="saved">{saved !== null && say("documents.download.done", { name: saved })}</span>
      {asking && (
        <Dialog title={say("documents.download.title")} onClose={() => setAsking(false)}>
          <p>{say("documents.download.means")}</p>
          <p>{say("documents.download.found")}</p>
          <fieldset>
            <legend>{say("documents.download.choose")}</legend>
            <div class="choices">
              {names.map((name, place) => (
                <label key={place} class="choice">
                  <input
                    type="radio" name={group} autocomplete="off" checked={neutral === (place === 0)}
                    onChange={() => setNeutral(place === 0)}
                  />{" "}
                  <span class="file-name">
                    {say(place === 0 ? "documents.download.neutral" : "documents.download.own", { name })}
                  </span>
                </label>
              ))}
            </div>
          </fieldset>
          {busy && <Going said={say("documents.file.fetching")} />}
          <Problem error={error} />
          <p class="actions">
            <Button plain onClick={() => setAsking(false)}>{say("documents.download.leave")}</Button>
            <Yes busy={busy} onClick={() => void save()}>
              {say(`documents.download.${busy ? "busy" : differs ? "differing" : "do"}`)}
            </Yes>
          </p>
        </Dialog>
      )}
    </>
  );
}
