// The door of a link: the code that was told by another way is asked, and nothing else. Knows: how many tries are left.
// Refuses to know: who follows the link, and what the link carries once the worker has it.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { say } from "../../i18n.js";
import { met } from "../../link.js";
import { Button, focusHeading, Notice, Problem, Secret, Title, useWait, Waiting, WaitLeft } from "../../parts/index.js";
import { address, go } from "../../router.js";
import { reading } from "../../state.js";
import type { VaultApi } from "../../../worker/api.js";
import { begin } from "../account/enter.js";

/** After these no code opens it any more. */
const OVER = ["bundle_over", "openings_used", "link_malformed", "link_unknown"];

export default function Link(): JSX.Element {
  const fragment = met.value;
  const [vault, setVault] = useState<VaultApi | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [tries, setTries] = useState(0);
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (fragment === null) return;
    let here = true;
    setVault(null);
    setError(null);
    setOver(false);
    const meet = async (): Promise<VaultApi> => {
      const api = begin();
      await api.meetLink(fragment);
      return api;
    };
    meet().then((api) => {
      if (met.value === fragment) met.value = null; // the worker has it, and reads nothing else any more
      reading.value = null;
      if (here) setVault(api);
    }, (failed: unknown) => {
      if (!here) return;
      setError(failed);
      setOver(OVER.includes(codeOf(failed)));
    });
    return () => {
      here = false;
    };
  }, [fragment, tries]);
  return (
    <>
      <Title>{say("reading.link.title")}</Title>
      {!over && <p class="lead">{say("reading.link.lead")}</p>}
      {vault !== null ? <Code vault={vault} over={over} onOver={() => setOver(true)} /> : (
        <>
          <Problem error={error} />
          {error === null && (fragment === null ? <Notice><p>{say("reading.link.none")}</p></Notice>
            : <Waiting>{say("shell.loading")}</Waiting>)}
          {error !== null && !over && (
            <Button onClick={() => setTries(tries + 1)}>{say("shell.again")}</Button>
          )}
        </>
      )}
      {!over && (
        <>
          <h2>{say("reading.link.know")}</h2>
          <ul>
            {(["sealed", "counted", "history", "screen"] as const).map((name) => <li key={name}>{say(`reading.link.${name}`)}</li>)}
          </ul>
        </>
      )}
      <p class="tools"><a href={address("home")}>{say("reading.link.other")}</a></p>
    </>
  );
}

/** `over`: no code opens it any more. */
function Code({ vault, over, onOver }: { vault: VaultApi; over: boolean; onOver: () => void }): JSX.Element {
  const [code, setCode] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const wait = useWait(error);
  const left = (error as { extra?: { left?: unknown } } | null)?.extra?.left;
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      reading.value = { vault, shared: await vault.openLink(code) };
      go("shared", null, true);
    } catch (refused) {
      const failed = codeOf(refused) === "not_found" ? { code: "link_unknown" } : refused;
      setError(failed);
      setCode("");
      setBusy(false);
      const { extra } = failed as { extra?: { left?: unknown } };
      if (OVER.includes(codeOf(failed)) || extra?.left === 0) {
        onOver();
        focusHeading(true); // field and button go
      } else input.current?.focus();
    }
  };
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy && wait === 0) void submit();
      }}
    >
      {!over && (
        <Secret
          label={say("reading.link.code")} hint={say("reading.link.code_hint")} value={code} onInput={setCode} digits
          input={input}
        />
      )}
      <Problem error={error} />
      {typeof left === "number" && (
        <Notice care><p>{left === 0 ? say("reading.link.destroyed") : say("reading.link.left", { count: left })}</p></Notice>
      )}
      <WaitLeft seconds={wait} />
      {!over && (
        <div class="actions">
          <Button type="submit" busy={busy || wait > 0}>{say(busy ? "reading.opening" : "reading.link.do")}</Button>
        </div>
      )}
    </form>
  );
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "";
}
