// The components that every view is made of, in the looks of the public pages (server/help/static/site.css) and
// app.css. Knows: how a thing looks and is read aloud. Refuses to know: what it is for.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { knows, moment, say, size } from "../i18n.js";
import { scrollView } from "../left.js";
import { ruleOf } from "./rules.js";

export { Choice } from "./choice.js";
export { More } from "./more.js";
export { useHeld } from "./held.js";
export { InSight } from "./in_sight.js";
export { askPin, PinDialog } from "./pin.js";
export { QUIET, Sure, Yes } from "./sure.js";
export { useWait, WaitLeft } from "./wait.js";

/** The heading of a view; it takes the focus when the view appears, so that a screen reader begins there, unless
 * somebody comes back: then the link that led away has it. Before it is painted: on a slow device the focus would later
 * be taken from who types already, and the letters would be lost. */
export function Title({ children }: { children: ComponentChildren }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    heading.current?.focus({ preventScroll: true });
    return scrollView();
  }, []);
  return <h1 ref={heading} tabIndex={-1}>{children}</h1>;
}

/** The heading takes the focus, where what had it goes: nobody has to look for their place. `still`: nothing scrolls. */
export function focusHeading(still = false): void {
  document.querySelector("h1")?.focus({ preventScroll: still });
}

/** A key that is held on it presses it once. */
export function Button(props: {
  children: ComponentChildren; onClick?: () => void; plain?: boolean; type?: "button" | "submit"; busy?: boolean;
}): JSX.Element {
  return (
    <button
      class={props.plain ? "button plain" : "button"} type={props.type ?? "button"} aria-disabled={props.busy ?? false}
      onKeyDown={(event) => event.repeat && event.key === "Enter" && event.preventDefault()}
      onClick={(event) => {
        if (props.busy) event.preventDefault();
        else props.onClick?.();
      }}
    >
      {props.children}
    </button>
  );
}

/** Seconds from which on nobody would sit and wait. */
const LONG = 5400;
const DAY = 86_400;

/** Asks password managers, too, to offer nothing: whoever opens this device would be let in. Each has its own mark. */
const UNREMEMBERED = {
  "data-1p-ignore": "true", "data-bwignore": "true", "data-lpignore": "true", "data-form-type": "other",
} as const;

/** Some browsers check spelling, and suggest how a sentence goes on, at a service that is sent every word. */
const UNREAD = { spellcheck: false, writingsuggestions: "false" } as const;

/** A labelled field. `error` is a sentence that says what to do. Nothing that is typed is remembered by the browser. */
export function Field(props: {
  label: string; value: string; onInput: (value: string) => void; type?: "text" | "password" | "search";
  hint?: string; error?: string | null; inputMode?: "text" | "numeric"; autocomplete?: string; maxLength?: number;
  required?: boolean; input?: { current: HTMLInputElement | null }; beside?: ComponentChildren;
}): JSX.Element {
  const id = useId();
  const described = [props.hint ? `${id}h` : "", props.error ? `${id}e` : ""].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.hint && <p class="hint" id={`${id}h`}>{props.hint}</p>}
      <div class="input">
        <input
          id={id} type={(props.type ?? "text") as "text"} value={props.value} inputMode={props.inputMode ?? "text"}
          autocomplete={props.autocomplete ?? "off"} autocapitalize="off" {...UNREAD} {...UNREMEMBERED}
          {...(described ? { "aria-describedby": described } : {})} {...(props.error ? { "aria-invalid": true } : {})}
          required={props.required ?? false}
          {...(props.maxLength === undefined ? {} : { maxLength: props.maxLength })}
          {...(props.input ? { ref: props.input } : {})}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
        {props.beside}
      </div>
      {props.error && <p class="error" id={`${id}e`}>{props.error}</p>}
    </div>
  );
}

/** A secret that is typed: hidden, with a switch that shows it.
 *
 * It calls itself a code for once: then Chromium doesn't offer to save it, nor does it note on the device, in clear, the
 * user name for which that offer was refused. It does both for a field that says "off" or "new-password". */
export function Secret(props: {
  label: string; value: string; onInput: (value: string) => void; hint?: string; error?: string | null;
  digits?: boolean; maxLength?: number; input?: { current: HTMLInputElement | null };
}): JSX.Element {
  const [shown, setShown] = useState(false);
  const { digits, ...rest } = props;
  return (
    <Field
      {...rest} type={shown ? "text" : "password"} inputMode={digits ? "numeric" : "text"}
      autocomplete="one-time-code"
      beside={(
        <button class="show" type="button" aria-pressed={shown} onClick={() => setShown(!shown)}>
          {say("parts.show")}<span class="unseen"> {props.label}</span>
        </button>
      )}
    />
  );
}

export function TextArea(props: {
  label: string; value: string; onInput: (value: string) => void; hint?: string; rows?: number;
}): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.hint && <p class="hint" id={`${id}h`}>{props.hint}</p>}
      <textarea
        id={id} value={props.value} rows={props.rows ?? 8} autocomplete="off" {...UNREAD}
        aria-describedby={props.hint ? `${id}h` : undefined}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
    </div>
  );
}

/** `hint`: what ticking it means, below it and read with it; `error`: a sentence that says why it is needed. */
export function Tick(props: {
  label: ComponentChildren; checked: boolean; onChange: (checked: boolean) => void; hint?: string;
  error?: string | null; input?: { current: HTMLInputElement | null };
}): JSX.Element {
  const id = useId();
  const described = [props.hint ? `${id}h` : "", props.error ? `${id}e` : ""].filter(Boolean).join(" ");
  return (
    <>
      <label class="tick">
        <input
          type="checkbox" autocomplete="off" checked={props.checked}
          {...(described ? { "aria-describedby": described } : {})} {...(props.error ? { "aria-invalid": true } : {})}
          {...(props.input ? { ref: props.input } : {})}
          onChange={(event) => props.onChange(event.currentTarget.checked)}
        />{" "}
        <span>{props.label}</span>
      </label>
      {props.hint && <p class="hint" id={`${id}h`}>{props.hint}</p>}
      {props.error && <p class="error" id={`${id}e`}>{props.error}</p>}
    </>
  );
}

/** What a file is called and how large it is. A name may run from right to left, or mean to: the rest doesn't. */
export function FileName({ file }: { file: File }): JSX.Element {
  return <><bdi>{file.name}</bdi> <span class="hint">{size(file.size)}</span></>;
}

export function Notice({ children, care }: { children: ComponentChildren; care?: boolean }): JSX.Element {
  return <div class={care ? "notice care" : "notice"}>{children}</div>;
}

/** What went wrong, in words: what to do next, and that nothing was lost; then what else is said of it. Announced to a screen
 * reader. What has the focus below it stays in sight, where this would push it away. */
export function Problem({ error, children }: { error: unknown; children?: ComponentChildren }): JSX.Element | null {
  const said = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const focused = document.activeElement;
    const isAbove = focused !== null && said.current && said.current.compareDocumentPosition(focused) & Node.DOCUMENT_POSITION_FOLLOWING;
    if (isAbove) focused.scrollIntoView({ block: "nearest" });
  }, [error]);
  if (error === null || error === undefined) return null;
  return <div class="notice care" role="alert" ref={said}><p>{sentenceOf(error)}</p>{children}</div>;
}

/** The sentence for an error: by its code (and the rule that it names), else one that fits any. */
export function sentenceOf(error: unknown): string {
  const problem = error as { code?: unknown; retryAfter?: unknown; detail?: unknown };
  const rule = problem?.code === "secret_refused" && typeof problem.detail === "string" ? ruleOf(problem.detail) : null;
  if (rule !== null) return say(`problem.rule.${rule.name}`, rule.values);
  const code = typeof problem?.code === "string" && knows(`problem.${problem.code}`) ? problem.code : "unexpected";
  const seconds = typeof problem?.retryAfter === "number" ? Math.max(1, Math.ceil(problem.retryAfter)) : 60;
  return say(`problem.${code}`, { wait: spelledWait(seconds) });
}

/** How long is still to be waited; where nobody would sit and wait for it, until when as well. `seconds` is whole. */
export function spelledWait(seconds: number): string {
  const wait = lasting(seconds);
  if (seconds < LONG) return wait;
  return say("parts.until", { wait, moment: moment(Math.round((Date.now() / 1000 + seconds) / 60) * 60) });
}

/** How long something takes, in words: "30 secondes", "5 minutes", "3 jours". `seconds` is whole. */
export function lasting(seconds: number): string {
  if (seconds < 90) return say("parts.seconds", { count: seconds });
  if (seconds < LONG) return say("parts.minutes", { count: Math.ceil(seconds / 60) });
  if (seconds < 2 * DAY) return say("parts.hours", { count: Math.ceil(seconds / 3600) });
  return say("parts.days", { count: Math.ceil(seconds / DAY) });
}

/** Minutes and seconds, as a clock shows them. */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The same as `lasting`, of a waiting time that may be none. */
export function waitingTime(seconds: number): string {
  return seconds === 0 ? say("parts.no_wait") : lasting(seconds);
}

export function Waiting({ children }: { children: ComponentChildren }): JSX.Element {
  return <p class="waiting" role="status">{children}</p>;
}

/** A question that has to be answered before anything else. Escape answers with `onClose`. The way out is inside. */
export function Dialog(props: {
  title: string; children: ComponentChildren; onClose: () => void; urgent?: boolean;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current, asker = document.activeElement;
    if (element && !element.open) element.showModal();
    return () => {
      element?.close();
      queueMicrotask(() => { // once all of what goes with it has gone
        // It may be out of the page by now, and then gives the focus to nobody; so does who asked, if the answer took
        // its place.
        const held = document.activeElement;
        if (held !== document.body && !element?.contains(held)) return;
        if (!(asker instanceof HTMLElement && asker.isConnected)) focusHeading();
        else if (asker === document.body) focusHeading(true);
        else asker.focus();
      });
    };
  }, []);
  return (
    <dialog
      ref={dialog} aria-labelledby={id} {...(props.urgent ? { role: "alertdialog" } : {})}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
    >
      <h2 id={id}>{props.title}</h2>
      {props.children}
      <p class="dialog-exit">
        <a class="exit" href="#0" data-exit>{say("site.exit.label")}</a>
      </p>
    </dialog>
  );
}
