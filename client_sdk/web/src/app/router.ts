// Which view is shown: `#<view>` or `#<view>.<n>`, numbers only. Knows: the table of views, the address's fragment.
// Refuses to know: what a view shows; and the address never holds an id: `n` counts what was opened in this session.

import { signal } from "@preact/signals";

import { forgetSteps, noteStep } from "./left.js";
import { takeLink } from "./link.js";

export const VIEWS = {
  home: 0, signUp: 1, logIn: 2, reopen: 3, settings: 4, credentials: 5, sessions: 6, trust: 7, erase: 8, dossier: 9,
  write: 10, entry: 11, edit: 12, history: 13, calendar: 14, search: 15, deleted: 16,
  documents: 20, addDocument: 21, document: 22, uploads: 23, record: 24,
  assess: 30, assessment: 31, curve: 32,
  receipt: 40, verify: 41,
  shares: 50, share: 51,
  link: 60, inbox: 61, shared: 62, summary: 63, listing: 64,
  boxes: 70, newBox: 71, box: 72, looked: 73, deposit: 74,
  recover: 80, recovery: 81, waitingTime: 82,
} as const;
export type View = keyof typeof VIEWS;

export interface Place {
  readonly view: View;
  /** The item it is about, where it is about one. */
  readonly id: string | null;
}

const HOME: Place = { view: "home", id: null };
export const place = signal<Place>(HOME);
/** What was opened, in order, and the place of each there. */
const numbered: string[] = [];
const numbers = new Map<string, number>();
let kept: unknown = null;

/** The address of a view, about an item if `id` is given. */
export function address(view: View, id: string | null = null): string {
  if (id === null) return `#${VIEWS[view]}`;
  let n = numbers.get(id);
  if (n === undefined) numbers.set(id, n = numbered.push(id) - 1);
  return `#${VIEWS[view]}.${n}`;
}

/** Goes to a view. `replace` leaves no step to come back to. */
export function go(view: View, id: string | null = null, replace = false): void {
  const target = address(view, id);
  if (replace) history.replaceState(kept, "", target);
  else history.pushState(kept, "", target);
  read(false);
}

/** Forgets which numbers stood for which items: at a lock. */
export function forgetPlaces(): void {
  numbered.length = 0;
  numbers.clear();
  forgetSteps();
  place.value = HOME;
}

/** Follows the address from now on, until `stop`. */
export function startRouter(stop: AbortSignal): void {
  history.scrollRestoration = "manual"; // the browser would do it before there is anything
  for (const kind of ["hashchange", "popstate"]) addEventListener(kind, follow, { signal: stop });
  follow();
}

/** What a refresh of this page finds again, in every step of its history: nothing that a person wrote. */
export function keepInHistory(state: unknown): void {
  kept = state;
  history.replaceState(kept, "");
}

/** A step that a link makes has no state yet; one that somebody comes back to has. */
function follow(): void {
  takeLink(address);
  const before = history.state !== null;
  if (!before && kept !== null) history.replaceState(kept, "");
  read(before);
}

function read(back: boolean): void {
  const found = /^#(\d+)(?:\.(\d+))?$/.exec(location.hash);
  const view = found ? (Object.keys(VIEWS) as View[]).find((one) => VIEWS[one] === Number(found[1])) : undefined;
  const id = found?.[2] === undefined ? null : numbered[Number(found[2])];
  const next = view === undefined || id === undefined ? HOME : { view, id };
  const now = place.value;
  if (next.view === now.view && next.id === now.id) return;
  noteStep(address(now.view, now.id), address(next.view, next.id), back);
  place.value = next;
}
