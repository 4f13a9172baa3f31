// What stands around every view: the ways to others, what has to be said meanwhile, and the end of a quiet time.
// Knows: the facts of a session. Refuses to know: what it holds.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { lang, moment, say } from "../i18n.js";
import { LANGUAGES } from "../languages.js";
import { lockNow, secondsLeft, stay } from "../lock.js";
import { address, type View } from "../router.js";
import {
  beforeLock, forgetful, givenBack, lookForRecovery, lookForWait, reachable, reading, recovering, recoveryWait, sending,
  sensitiveUntil, session, stopping, unfinished, unread, vault, waiting, warnings,
} from "../state.js";
import { paceOf, underWay, uploads } from "../uploads.js";
import { useFits } from "./in_sight.js";
import { Button, Dialog, focusHeading, lasting, Notice, waitingTime } from "./index.js";

/** How often an open space looks whether somebody has shown the recovery words, or shortened how long they wait. */
const LOOK_MS = 60_000;
/** Where it is said that something was given back to the service. */
const TELLS_GIVEN_BACK: readonly View[] = ["home", "trust"];

const WAYS: readonly (readonly [View, string, readonly View[]])[] = [
  ["home", "shell.journal", [
    "write", "entry", "edit", "history", "calendar", "deleted", "shares", "share", "boxes", "newBox", "box", "looked",
  ]],
  ["documents", "shell.documents", ["addDocument", "document", "receipt", "verify", "uploads", "record"]],
  ["assess", "shell.assess", ["assessment", "curve"]],
  ["search", "shell.search", []],
  ["settings", "shell.settings", [
    "credentials", "sessions", "trust", "erase", "dossier", "listing", "inbox", "shared", "summary",
    "recovery", "waitingTime",
  ]],
];

/** The ways through an open vault, and the key that closes it; the key alone where only what somebody shared is read. */
export function Bar({ open, view }: { open: boolean; view: View }): JSX.Element | null {
  if (!open && reading.value === null) return null;
  return (
    <nav class="ways-bar" aria-label={say("shell.nav")}>
      <ul>
        {open && WAYS.map(([to, key, within]) => (
          <li key={to}>
            <a href={address(to)} {...current(to === view, within.includes(view))}>
              {say(key)}
            </a>
          </li>
        ))}
        <li><button class="lock" type="button" onClick={() => void lockNow("asked")}>{say("shell.lock")}</button></li>
      </ul>
    </nav>
  );
}

function current(here: boolean, below: boolean): { "aria-current"?: "page" | "true" } {
  return here ? { "aria-current": "page" } : below ? { "aria-current": "true" } : {};
}

/** What the vault has to say, whatever is shown. Its region is there before it speaks: only then is it heard. */
export function Said({ open, view }: { open: boolean; view: View }): JSX.Element {
  return (
    <>
      <div role="status">
        {open && <Standing view={view} />}
      </div>
      {open && <SensitiveOpen />}
      {open && <Sending />}
      {open && view !== "uploads" && <UnderWay />}
    </>
  );
}

function Standing({ view }: { view: View }): JSX.Element {
  useEffect(() => {
    const looking = setInterval(() => void Promise.all([lookForRecovery(), lookForWait()]), LOOK_MS);
    return () => clearInterval(looking);
  }, []);
  const shorter = recoveryWait.value?.next ?? null;
  return (
    <>
      {recovering.value !== null && view !== "recovery" && (
        <Notice care>
          <p>
            {say("shell.recovering", { moment: moment(recovering.value.due) })}{" "}
            <a href={address("recovery")}>{say("shell.recovering_more")}</a>
          </p>
        </Notice>
      )}
      {shorter !== null && view !== "waitingTime" && (
        <Notice care>
          <p>
            {say("shell.shortened", { moment: moment(shorter.since), wait: waitingTime(shorter.wait) })}{" "}
            <a href={address("waitingTime")}>{say("shell.recovering_more")}</a>
          </p>
        </Notice>
      )}
      {!reachable.value && <Notice care><p>{say("shell.unreachable")}</p></Notice>}
      {forgetful.value && <Notice care><p>{say("shell.forgetful")}</p></Notice>}
      {waiting.value > 0 && <Notice><p>{say("shell.waiting", { count: waiting.value })}</p></Notice>}
      {warnings.value.length > 0 && view !== "trust" && (
        <Notice care>
          <p>
            {say(stopping.value.length > 0 ? "shell.warned" : "shell.warned_softly")}{" "}
            <a href={address("trust")}>{say("shell.warned_more")}</a>
          </p>
        </Notice>
      )}
      {givenBack.value > 0 && TELLS_GIVEN_BACK.includes(view) && (
        <Notice><p>{say("shell.given_back", { count: givenBack.value })}</p></Notice>
      )}
      {view === "home" && unfinished.value.length > 0 && (
        <Notice>
          <p>
            {say("shell.uploads.unfinished", { count: unfinished.value.length })}{" "}
            <a href={address("uploads")}>{say("shell.uploads.see")}</a>
          </p>
        </Notice>
      )}
      {view === "home" && <LastOpening />}
    </>
  );
}

function SensitiveOpen(): JSX.Element | null {
  const until = sensitiveUntil.value;
  return until === null ? null : <OpenUntil until={until} />;
}

/** In sight as long as that leaves enough of the page to be read. */
function OpenUntil({ until }: { until: number }): JSX.Element {
  const notice = useRef<HTMLDivElement>(null);
  const fits = useFits(notice);
  const [, setCount] = useState(0);
  useEffect(() => {
    const ticking = setInterval(() => setCount((count) => count + 1), 1000);
    return () => clearInterval(ticking);
  }, []);
  const left = Math.max(1, Math.ceil((until - Date.now()) / 1000));
  return (
    <div ref={notice} class={fits ? "notice sensitive held" : "notice sensitive"}>
      <p>
        <span role="status">{say("shell.sensitive")}</span>{" "}
        <span class="left" role="timer">{say("shell.sensitive_left", { wait: lasting(left) })}</span>
      </p>
      <Button
        plain onClick={() => {
          void vault().dropSensitive();
          focusHeading(true); // this goes
        }}
      >
        {say("shell.sensitive_close")}
      </Button>
    </div>
  );
}

function Sending(): JSX.Element | null {
  const at = sending.value;
  if (at === null) return null;
  return (
    <p class="sending">
      <label>
        {say("shell.sending", { name: at.name })}{" "}
        <progress value={at.done} max={at.total} />
      </label>
    </p>
  );
}

/** One quiet line: how far the files are that are being sent, wherever somebody looks meanwhile. */
function UnderWay(): JSX.Element | null {
  const going = underWay.value;
  const [, look] = useState(0);
  useEffect(() => {
    const looking = setInterval(() => look((count) => count + 1), 1000); // nothing is told while nothing leaves
    return () => clearInterval(looking);
  }, []);
  if (going.length === 0) return null;
  const all = uploads.value.filter((one) => going.includes(one) && one.total > 0);
  const [done, total] = [all.reduce((sum, one) => sum + one.done, 0), all.reduce((sum, one) => sum + one.total, 0)];
  const kinds = new Set(going.map((one) => (paceOf(one).silent ? "cut" : one.course.kind)));
  const key = kinds.has("sending") || kinds.has("queued") ? "going" : kinds.has("cut") ? "cut" : "paused";
  const words = say(`shell.uploads.${key}`, { count: going.length });
  return (
    <p class="sending under-way">
      <span>{words}</span>{" "}
      {total > 0 && <progress value={done} max={total} aria-label={words} />}{" "}
      <a href={address("uploads")}>{say("shell.uploads.see")}</a>
    </p>
  );
}

/** When the vault was last opened and how many wrong PINs were tried since: somebody else may have been there. */
function LastOpening(): JSX.Element | null {
  const opening = unread.value;
  if (opening === null) return null;
  const careful = opening.wrongPins > 0 || opening.adviseChange;
  if (opening.lastOpened === null && !careful) return null;
  return (
    <Notice care={careful}>
      {opening.lastOpened !== null && <p>{say("shell.last_opened", { moment: moment(opening.lastOpened) })}</p>}
      <p>
        {opening.wrongPins === 0 ? say("shell.no_wrong_pins") : say("shell.wrong_pins", { count: opening.wrongPins })}
      </p>
      {careful && <p>{say("shell.wrong_passwords")}</p>}
      {opening.adviseChange && (
        <p>{say("shell.advise_change")} <a href={address("credentials")}>{say("shell.advise_change_do")}</a></p>
      )}
      <Button
        plain onClick={() => {
          unread.value = null;
          focusHeading(true); // this goes
        }}
      >
        {say("shell.read")}
      </Button>
    </Notice>
  );
}

/** Help, languages, and the way out by keyboard: at the end of every view. */
export function Foot({ speakHere }: { speakHere: (next: string) => Promise<void> }): JSX.Element {
  return (
    <footer class="foot">
      <ul>
        <li><Public page={1} words={say("site.page.1")} /></li>
        <li><Public page={6} words={say("site.page.6")} /></li>
        <Languages speakHere={speakHere} />
      </ul>
      <p class="hint">{say("site.exit.hint")}</p>
    </footer>
  );
}

/** Each language by its own name. */
function Languages({ speakHere }: { speakHere: (next: string) => Promise<void> }): JSX.Element {
  return (
    <>
      {LANGUAGES.filter((one) => one !== lang.value).map((one) => (
        <li key={one}>
          <button class="link" type="button" lang={one} onClick={() => void speakHere(one)}>{nameOf(one)}</button>
        </li>
      ))}
    </>
  );
}

function nameOf(language: string): string {
  const name = new Intl.DisplayNames(language, { type: "language" }).of(language) ?? language;
  return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
}

/** A link to a public page: in another tab, which can't reach this one. */
export function Public({ page, words, framed }: { page: number; words: string; framed?: boolean }): JSX.Element {
  return (
    <a
      href={`/${lang.value}/${page || ""}`} target="_blank" rel="noopener noreferrer"
      {...(framed ? { class: "way" } : {})}
    >
      <span class={framed ? "way-site" : "words"}>{words}</span><NewTab />
    </a>
  );
}

/** Says to who doesn't see it that a link opens another tab. */
export function NewTab(): JSX.Element {
  return <span class="unseen"> ({say("shell.new_tab")})</span>;
}

/** Thirty seconds before the vault locks by itself. */
export function SoonLocked(): JSX.Element | null {
  const left = secondsLeft.value;
  return left === null ? null : <Soon left={left} />;
}

function Soon({ left }: { left: number }): JSX.Element {
  const only = session.value !== null ? null : reading.value !== null ? "read" : "sent";
  return (
    <Dialog title={say(only === null ? "shell.soon_title" : "shell.soon_page")} onClose={stay} urgent>
      <p aria-hidden="true" class="left">{say("shell.soon_left", { wait: lasting(left) })}</p>
      <p class="unseen" role="status">{left % 10 === 0 ? say("shell.soon_left", { wait: lasting(left) }) : ""}</p>
      {beforeLock.size > 0 && !forgetful.value && <p>{say("shell.soon_kept")}</p>}
      {only !== null && <p>{say(`shell.soon_${only}`)}</p>}
      {underWay.value.length > 0 && <p>{say("shell.uploads.soon")}</p>}
      <div class="actions">
        <Button onClick={stay}>{say("shell.stay")}</Button>
        <Button plain onClick={() => void lockNow("asked")}>{say("shell.lock")}</Button>
      </div>
    </Dialog>
  );
}
