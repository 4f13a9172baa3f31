// When the vault closes: after three minutes without activity, when asked, when the session is over, when the page goes.
// Knows: clocks, and the order in which things are let go. Refuses to know: what is let go.
//
// Time is measured here, on the main thread, by two clocks: one that goes on while a device sleeps, one that nobody can
// set back. A device that wakes up late is locked before it takes the first touch for activity.

import { signal } from "@preact/signals";

import { met } from "./link.js";
import { address, forgetPlaces } from "./router.js";
import {
  beforeLock, closed, erasing, forget, forgetful, forgetRead, putting, reading, session, type Closed,
} from "./state.js";
import { endVault, isRunning } from "./vault.js";

/** Without activity for so long, an open vault locks. */
export const IDLE_MS = 180_000;
/** Nothing is open yet and the recovery code is being written on paper: that takes longer. */
export const SIGN_UP_IDLE_MS = 900_000;
/** So long before that, it says so. */
export const WARNING_MS = 30_000;
/** How long a draft may take to be kept, and the vault to close; then it is ended as it is. */
const KEEP_MS = 3_000;
const CLOSE_MS = 4_000;
const NOTHING = new RegExp("^$"); // called, so that no bundler takes it for something without effect
const ACTIVITY = ["pointerdown", "keydown", "input", "wheel", "touchmove", "focusin"] as const;

/** Seconds until the vault locks by itself, while it is being said; null else. */
export const secondsLeft = signal<number | null>(null);

/** The page, as it is emptied at once and shown again. */
export interface Page {
  empty(): void;
  show(): void;
}

let page: Page = { empty: () => undefined, show: () => undefined };
/** The lock that is under way. */
let locking: symbol | null = null;
let last: readonly [number, number] = [0, 0];
let ticking: ReturnType<typeof setInterval> | null = null;

/** Watches from now on, until `stop`. */
export function startLock(shown: Page, stop: AbortSignal): void {
  page = shown;
  for (const kind of ACTIVITY) addEventListener(kind, noteActivity, { capture: true, passive: true, signal: stop });
  document.addEventListener("visibilitychange", () => {
    check();
    if (document.visibilityState === "hidden") keepDrafts();
  }, { signal: stop });
  addEventListener("pageshow", (event: Event) => {
    if ((event as PageTransitionEvent).persisted) page.show(); // kept for Back, and emptied when it went
  }, { signal: stop });
  for (const kind of ["leaving", "pagehide"]) addEventListener(kind, leave, { signal: stop });
}

/** Begins to measure: when the vault's worker has begun. */
export function watch(): void {
  stay();
  ticking ??= setInterval(check, 1000);
}

/** Three minutes more. */
export function stay(): void {
  last = [Date.now(), performance.now()];
  secondsLeft.value = null;
}

/** Keeps what is being written (bounded), and at once empties the page; then the vault locks, and its worker ends. */
export async function lockNow(why: Closed["why"]): Promise<void> {
  if (locking !== null) return;
  const open = session.value;
  const last = erasing.value && why !== "erased" ? "perhaps_erased" : why;
  const only = open !== null ? null : reading.value !== null ? "read" : putting.value ? "put" : "begun";
  const mine = locking = Symbol();
  const hooks = [...beforeLock].map(async (keep) => keep());
  page.empty();
  forgetRead();
  stopWatching();
  const kept = await within(KEEP_MS, Promise.all(hooks));
  if (locking !== mine) return; // left meanwhile: there is nothing more to end
  forget();
  forgetPlaces();
  met.value = null;
  history.replaceState(history.state, "", address("home"));
  if (open !== null) await within(CLOSE_MS, open.vault.lock());
  if (locking !== mine) return;
  locking = null;
  endVault();
  forgetRead(); // what the vault told of meanwhile
  forgetFound();
  const silent = hooks.length === 0 || last === "erased";
  closed.value = { why: only ?? last, kept: silent ? null : kept && !forgetful.value };
  page.show();
}

/** Ends and forgets everything, in this very moment: the person leaves, or the page goes. */
export function leave(): void {
  locking = null;
  stopWatching();
  endVault();
  page.empty();
  forget();
  forgetPlaces();
  met.value = null;
  forgetFound();
  closed.value = null;
}

/** A browser keeps the last text in which any pattern was found (RegExp.$_): now it is one that says nothing. */
function forgetFound(): void {
  NOTHING.exec("");
}

function stopWatching(): void {
  if (ticking !== null) clearInterval(ticking);
  ticking = null;
  secondsLeft.value = null;
}

function noteActivity(): void {
  check();
  if (secondsLeft.value === null) stay(); // once it is said, only an answer counts
}

function check(): void {
  if (ticking === null) return;
  if (!isRunning()) return stopWatching();
  const left = limit() - Math.max(Date.now() - last[0], performance.now() - last[1]);
  if (left <= 0) void lockNow("idle");
  else secondsLeft.value = left <= WARNING_MS ? Math.ceil(left / 1000) : null;
}

function limit(): number {
  return session.value === null && reading.value === null ? SIGN_UP_IDLE_MS : IDLE_MS;
}

function keepDrafts(): void {
  for (const keep of [...beforeLock]) void within(KEEP_MS, keep());
}

/** Whether it was done in time and without an error. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  const done = await Promise.race([work.then(() => true, () => false), late]);
  clearTimeout(timer);
  return done;
}
