// The page around the views: which one is shown, the ways to others, the language, and what has to be said meanwhile.
// Knows: the table of views. Refuses to know: what a view shows, and what the vault holds.
//
// While the vault is closed only the views of `CLOSED` are shown, whatever the address says; while it is open, the rest.

import { render, type ComponentType, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import "./app.css";
import { LANGUAGES, say, speak } from "./i18n.js";
import { startLock } from "./lock.js";
import { PinDialog, Problem, Waiting } from "./parts/index.js";
import { Bar, Foot, Said, SoonLocked } from "./parts/frame.js";
import { Door } from "./views/account/door.js";
import { LogIn } from "./views/account/log_in.js";
import { keepInHistory, place, startRouter, type View } from "./router.js";
import { session } from "./state.js";
import { startWith, type Running } from "./vault.js";

/** What every view is given: the item it is about, null where it is about none. */
export interface ViewProps {
  readonly id: string | null;
}

type Group = Readonly<Record<string, ComponentType<ViewProps>>>;

const GROUPS = import.meta.glob<Group>("./views/*/index.tsx");

/** View → the folder of views/ and the name under which its index.tsx exports it. */
const TABLE: Readonly<Record<View, readonly [string, string]>> = {
  home: ["journal", "Home"], write: ["journal", "Write"], entry: ["journal", "Entry"], edit: ["journal", "Edit"],
  history: ["journal", "History"], calendar: ["journal", "Calendar"], search: ["journal", "Search"],
  deleted: ["journal", "Deleted"],
  documents: ["documents", "Documents"], addDocument: ["documents", "AddDocument"], document: ["documents", "Document"],
  assess: ["assess", "Assess"], assessment: ["assess", "Assessment"], curve: ["assess", "Curve"],
  receipt: ["receipts", "Receipt"],
  signUp: ["account", "SignUp"], logIn: ["door", "LogIn"], reopen: ["account", "Reopen"],
  settings: ["account", "Settings"], credentials: ["account", "Credentials"], sessions: ["account", "Sessions"],
  trust: ["account", "Trust"],
};
const CLOSED: readonly View[] = ["home", "signUp", "logIn", "reopen"];
/** Views that are about an item: without one there is nothing to show. */
const ABOUT: readonly View[] = ["entry", "edit", "history", "document", "assessment", "receipt"];

/** What has come already; who is at the door waits for nothing. */
const loaded = new Map<string, Group>([["door", { Door, LogIn }]]);

/** Shows the page in #app, until `stop`; `start` starts a vault when somebody begins to log in or sign up. */
export function startShell(start: () => Running, stop: AbortSignal = new AbortController().signal): void {
  const root = document.getElementById("app");
  if (root === null) throw new Error("no place for the page");
  startWith(start);
  startLock({ empty: () => render(null, root), show: () => render(<Shell />, root) }, stop);
  const first = firstLanguage();
  startRouter(stop);
  document.querySelector("[data-skip]")?.addEventListener("click", (event) => {
    event.preventDefault(); // the address is the router's
    document.getElementById("main")?.focus();
  });
  void speakHere(first).catch(() => speakHere(LANGUAGES[0]!)).finally(() => {
    root.replaceChildren();
    render(<Shell />, root);
  });
}

/** Speaks a language, here and after a refresh; the bar, which the server made, as well. */
export async function speakHere(next: string): Promise<void> {
  await speak(next);
  keepInHistory({ lang: next });
  for (const [mark, key] of [["exit", "site.exit.label"], ["skip", "site.skip"]] as const) {
    for (const element of document.querySelectorAll(`body > * [data-${mark}], body > [data-${mark}]`)) {
      if (element.closest("#app") === null) element.textContent = say(key);
    }
  }
}

/** As the public page said where somebody came from (`#en`), as it was before a refresh, or as the browser asks. */
function firstLanguage(): string {
  const asked = location.hash.slice(1);
  const before: unknown = (history.state as { lang?: unknown } | null)?.lang;
  if (LANGUAGES.includes(asked)) {
    history.replaceState(history.state, "", location.pathname + location.search);
    return asked;
  }
  const known = typeof before === "string" ? before : document.documentElement.lang;
  return LANGUAGES.includes(known) ? known : LANGUAGES[0]!;
}

function Shell(): JSX.Element {
  const open = session.value !== null;
  const { view, id } = shownPlace(open);
  return (
    <>
      <Bar open={open} view={view} />
      <main id="main" tabIndex={-1}>
        <Said open={open} view={view} />
        <Shown key={`${open} ${view} ${id}`} open={open} view={view} id={id} />
      </main>
      <Foot speakHere={speakHere} />
      <SoonLocked />
      {open && <PinDialog />}
    </>
  );
}

function shownPlace(open: boolean): { readonly view: View; readonly id: string | null } {
  const { view, id } = place.value;
  const shown = open ? !CLOSED.includes(view) && !(ABOUT.includes(view) && id === null) : CLOSED.includes(view);
  return shown ? { view, id } : { view: "home", id: null };
}

function Shown({ open, view, id }: { open: boolean; view: View; id: string | null }): JSX.Element {
  const [folder, name] = open || view !== "home" ? TABLE[view] : (["door", "Door"] as const);
  const [error, setError] = useState<unknown>(null);
  const [, setCount] = useState(0);
  const group = loaded.get(folder);
  useEffect(() => {
    if (group !== undefined) return;
    let here = true;
    load(folder).then(() => here && setCount((count) => count + 1), (failed: unknown) => here && setError(failed));
    return () => {
      here = false;
    };
  }, []);
  const Found = group?.[name];
  if (Found !== undefined) return <Found id={id} />;
  if (group !== undefined || error !== null) return <Problem error={{ code: "view_missing" }} />;
  return <Waiting>{say("shell.loading")}</Waiting>;
}

async function load(folder: string): Promise<void> {
  const found = GROUPS[`./views/${folder}/index.tsx`];
  if (found === undefined) throw new Error("no such view");
  loaded.set(folder, await found());
}
