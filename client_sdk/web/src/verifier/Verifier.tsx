// Somebody checks a pack that they were given. Knows: how it is chosen, and how far the check is.
// Refuses to know: what a pack is made of (sdk/packs/check.ts). Nothing is sent, and nothing is kept.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { lang, say, size } from "../app/i18n.js";
import { Problem } from "../app/parts/index.js";
import { More } from "../app/parts/more.js";
import { TemoinError } from "../crypto_core/errors.js";
import { MAX_POLICY_SIZE, parsePolicy, type Policy } from "../crypto_core/receipts/policy.js";
import { checkPack, type PackReport } from "../sdk/packs/check.js";
import { PackMalformed } from "../sdk/packs/errors.js";
import { openSource, type GivenFile } from "../sdk/packs/source.js";
import type { Progress } from "../sdk/progress.js";
import { Pick } from "./Pick.js";
import { Report } from "./Report.js";
import { Opened, openSealed, Sealed } from "./Sealed.js";
import { chooseLanguage, LANGUAGES } from "./words.js";

/** How often it is told how far the check is, in milliseconds. */
const PROGRESS_MS = 100;

interface Given {
  readonly name: string;
  readonly policy: Policy;
}

export function Verifier(): JSX.Element {
  const [given, setGiven] = useState<Given | null>(null);
  const [at, setAt] = useState<readonly [done: number, total: number] | null>(null);
  const [opening, setOpening] = useState(false);
  /** What a sealed file held. */
  const [opened, setOpened] = useState<Blob | null>(null);
  const [report, setReport] = useState<PackReport | null>(null);
  const [error, setError] = useState<unknown>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => void (document.title = say("pack.check.title")), [lang.value]);
  useEffect(() => heading.current?.focus(), [report]);
  const begin = (): void => {
    setReport(null);
    setError(null);
    setOpened(null);
    setAt([0, 0]);
  };
  const check = async (brought: readonly GivenFile[] | Blob): Promise<void> => {
    begin();
    try {
      setReport(await checkPack(await openSource(brought), given?.policy ?? null, telling(setAt)));
    } catch (failed) {
      setError(failed instanceof TemoinError ? failed : new PackMalformed());
    }
    setAt(null);
  };
  const open = async (file: File, words: string): Promise<void> => {
    begin();
    setOpening(true);
    try {
      const pack = await openSealed(file, words, telling(setAt));
      await check(pack);
      setOpened(pack);
    } finally {
      setOpening(false);
      setAt(null);
    }
  };
  const zip = (files: readonly File[]): void => {
    if (files[0] !== undefined && at === null) void check(files[0]);
  };
  const folder = (files: readonly File[]): void => {
    if (files.length > 0 && at === null) {
      void check(files.map((file) => ({ path: file.webkitRelativePath || file.name, file })));
    }
  };
  const said = say(opening ? "pack.open.busy" : "pack.check.busy");
  return (
    <>
      <p class="languages">
        {LANGUAGES.map(([language, name]) => (
          <button
            key={language} class="link" type="button" lang={language} onClick={() => chooseLanguage(language)}
            {...(language === lang.value ? { "aria-current": "true" as const } : {})}
          >{name}</button>
        ))}
      </p>
      <h1>{say("pack.check.title")}</h1>
      <p class="lead">{say("pack.check.lead")}</p>
      <Drop onPick={zip}>
        <p class="actions">
          <Pick label={say("pack.check.folder")} onPick={folder} busy={at !== null} folder />
          <Pick label={say("pack.check.zip")} onPick={zip} busy={at !== null} accept=".zip,application/zip" plain />
        </p>
        <p class="hint drop-hint">{say("pack.check.drop")}</p>
        <p class="hint">{say("pack.check.says")}</p>
      </Drop>
      <Key given={given} onGive={setGiven} />
      <Sealed busy={at !== null} open={open} />
      <div role="status">{at !== null && <p class="waiting">{said}</p>}</div>
      {at !== null && (
        <>
          <progress value={at[0]} max={Math.max(1, at[1])} aria-label={said} />
          <p class="hint">{say("pack.check.going", { done: size(at[0]), total: size(at[1]) })}</p>
        </>
      )}
      <Problem error={error} />
      {opened !== null && <Opened pack={opened} />}
      {report !== null && <Report report={report} given={given !== null} heading={heading} />}
    </>
  );
}

/** Whose receipts are believed, where somebody else than the pack says so. */
function Key({ given, onGive }: { given: Given | null; onGive: (given: Given | null) => void }): JSX.Element {
  const [isBad, setIsBad] = useState(false);
  const take = async ([file]: readonly File[]): Promise<void> => {
    if (file === undefined) return;
    try {
      const data = new Uint8Array(await file.slice(0, MAX_POLICY_SIZE + 1).arrayBuffer());
      onGive({ name: file.name, policy: parsePolicy(data) });
      setIsBad(false);
    } catch (error) {
      if (!(error instanceof TemoinError)) throw error;
      onGive(null);
      setIsBad(true);
    }
  };
  return (
    <More name={say("pack.check.key_name")}>
      <p>{say("pack.check.key_why")}</p>
      <p class="actions"><Pick label={say("pack.check.key_choose")} onPick={(files) => void take(files)} plain /></p>
      <p role="status">
        {isBad ? say("pack.check.key_bad") : given !== null && say("pack.check.key_chosen", { name: given.name })}
      </p>
    </More>
  );
}

/** Where a file may be dropped; one that lands beside it must not take the page away. */
function Drop({ children, onPick }: { children: JSX.Element[]; onPick: (files: readonly File[]) => void }): JSX.Element {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const keepPage = (event: DragEvent): void => event.preventDefault();
    const kinds = ["dragover", "drop"] as const;
    for (const kind of kinds) addEventListener(kind, keepPage);
    return () => {
      for (const kind of kinds) removeEventListener(kind, keepPage);
    };
  }, []);
  return (
    <div
      class={over ? "picker picker-over" : "picker"}
      onDragOver={() => setOver(true)} onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onPick([...event.dataTransfer?.files ?? []]);
      }}
    >{children}</div>
  );
}

function telling(tell: (at: readonly [number, number]) => void): Progress {
  let [done, total, told] = [0, 0, 0];
  return {
    start: (_, size) => tell([0, total = size]),
    advance: (count) => {
      done = Math.min(total, done + count);
      const now = Date.now();
      if (now - told < PROGRESS_MS) return;
      told = now;
      tell([done, total]);
    },
    done: () => undefined,
  };
}
