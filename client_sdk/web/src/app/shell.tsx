// The page around the views: which one is shown, the ways to others, the language, and what has to be said meanwhile.
// Knows: the table of views. Refuses to know: what a view shows, and what the vault holds.
//
// While the vault is closed only the views of `CLOSED` are shown, whatever the address says; while it is open, the
// rest; those of `ALWAYS` need no vault.

import { render, type ComponentType, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import "./app.css";
import { say } from "./i18n.js";
import { LANGUAGES, speak } from "./languages.js";
import { takeLink } from "./link.js";
import { startLock } from "./lock.js";
import { Button, PinDialog, Problem, Waiting } from "./parts/index.js";
import { Bar, Foot, Said, SoonLocked } from "./parts/frame.js";
import { Door } from "./views/account/door.js";
import { LogIn } from "./views/account/log_in.js";
import { address, keepInHistory, place, startRouter, type View } from "./router.js";
import { session } from "./state.js";
import { startWith, type Running } from "./vault.js";

/** What every view is given: the item it is about, null where it is about none. */
export interface ViewProps {
  readonly id: string | null;
}

type Found = ComponentType<ViewProps>;

const account = () => import("./views/account/index.js");
const journal = () => import("./views/journal/index.js");
const documents = () => import("./views/documents/index.js");
const assess = () => import("./views/assess/index.js");
const receipts = () => import("./views/receipts/index.js");
const shares = () => import("./views/shares/index.js");
const reading = () => import("./views/reading/index.js");
const boxes = () => import("./views/boxes/index.js");

/** View → how it comes: each group of them in a file of its own, so that who is at the door waits for none. */
export const TABLE: Readonly<Record<View, () => Promise<Found>>> = {
  home: async () => (await journal()).Home,
  write: async () => (await journal()).Write,
  entry: async () => (await journal()).Entry,
  edit: async () => (await journal()).Edit,
  history: async () => (await journal()).History,
  calendar: async () => (await journal()).Calendar,
  search: async () => (await journal()).Search,
  deleted: async () => (await journal()).Deleted,
  documents: async () => (await documents()).Documents,
  addDocument: async () => (await documents()).AddDocument,
  document: async () => (await documents()).Document,
  uploads: async () => (await documents()).Uploads,
  record: async () => (await documents()).Record,
  assess: async () => (await assess()).Assess,
  assessment: async () => (await assess()).Assessment,
  curve: async () => (await assess()).Curve,
  receipt: async () => (await receipts()).Receipt,
  verify: async () => (await receipts()).Verify,
  dossier: async () => (await receipts()).Dossier,
  shares: async () => (await shares()).Shares,
  share: async () => (await shares()).Share,
  link: async () => (await reading()).Link,
  inbox: async () => (await reading()).Inbox,
  shared: async () => (await reading()).Shared,
  summary: async () => (await reading()).Summary,
  listing: async () => (await reading()).Listing,
  boxes: async () => (await boxes()).Boxes,
  newBox: async () => (await boxes()).NewBox,
  box: async () => (await boxes()).Box,
  looked: async () => (await boxes()).Looked,
  deposit: async () => (await boxes()).Deposit,
  signUp: async () => (await account()).SignUp,
  logIn: async () => LogIn,
  reopen: async () => (await account()).Reopen,
  recover: async () => (await account()).Recover,
  settings: async () => (await account()).Settings,
  credentials: async () => (await account()).Credentials,
  sessions: async () => (await account()).Sessions,
  recovery: async () => (await account()).Recovery,
  waitingTime: async () => (await account()).WaitingTime,
  trust: async () => (await account()).Trust,
  erase: async () => (await account()).Erase,
};
const CLOSED: readonly View[] = ["home", "signUp", "logIn", "reopen", "recover"];
const ALWAYS: readonly View[] = ["verify", "link", "shared", "summary", "deposit"];
/** Views that are about an item: without one there is nothing to show. */
const ABOUT: readonly View[] = ["entry", "edit", "history", "document", "assessment", "receipt", "box", "looked"];

/** What has come already: it is shown again without waiting. */
const loaded = new Map<View, Found>([["logIn", LogIn]]);

/** Shows the page in #app, until `stop`; `start` starts a vault when somebody begins to log in or sign up. */
export function startShell(start: () => Running, stop: AbortSignal = new AbortController().signal): void {
  takeLink(address);
  const root = document.getElementById("app");
  if (root === null) throw new Error("no place for the page");
  startWith(() => {
    // While keys are being worked out there is time to load what is shown next.
    void TABLE.home().then((found) => loaded.set("home", found), () => undefined);
    return start();
  });
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

/** As the public page said where somebody came from (`#en`, or `#en.41` for a view), as it was before a refresh, or as
 * the browser asks. */
function firstLanguage(): string {
  const [asked = "", view] = location.hash.slice(1).split(".");
  const before: unknown = (history.state as { lang?: unknown } | null)?.lang;
  if (LANGUAGES.includes(asked)) {
    history.replaceState(history.state, "", location.pathname + location.search + (view ? `#${view}` : ""));
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
  return shown || ALWAYS.includes(view) ? { view, id } : { view: "home", id: null };
}

function Shown({ open, view, id }: { open: boolean; view: View; id: string | null }): JSX.Element {
  const door = !open && view === "home";
  const [error, setError] = useState<unknown>(null);
  const [tries, setTries] = useState(0);
  const View = door ? Door : loaded.get(view);
  useEffect(() => {
    if (View !== undefined) return;
    let here = true;
    TABLE[view]().then(
      (found) => {
        loaded.set(view, found);
        if (here) setTries(tries + 1);
      },
      () => here && setError({ code: "view_missing" }),
    );
    return () => {
      here = false;
    };
  }, [tries]);
  if (View !== undefined) return <View id={id} />;
  if (error === null) return <Waiting>{say("shell.loading")}</Waiting>;
  return (
    <>
      <Problem error={error} />
      <Button
        onClick={() => {
          setError(null);
          setTries(tries + 1);
        }}
      >
        {say("shell.again")}
      </Button>
    </>
  );
}
