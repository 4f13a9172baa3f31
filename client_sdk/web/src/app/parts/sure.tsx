// The question before something goes, or leaves the vault. Knows: that a hand that trembles presses twice, so that a yes
// which follows at once is none. Refuses to know: what it is about.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { Button, Dialog, Problem } from "./index.js";

/** Milliseconds without a press before a yes is taken: more than any device lets pass within a double tap. Browsers wait
 * before they take one, too (Chromium half a second, Firefox a whole one). */
export const QUIET = 700;

/** A question with two answers. `onYes` does it, and closes this; what it rejects with is said here. `more`: what else
 * can be answered. */
export function Sure(props: {
  title: string; children: ComponentChildren; leave: string; yes: string; more?: ComponentChildren;
  onLeave: () => void; onYes: () => Promise<void>;
}): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const answer = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await props.onYes();
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onLeave}>
      {props.children}
      <Problem error={error} />
      <p class="actions">
        <Button plain onClick={props.onLeave}>{props.leave}</Button>
        <Yes busy={busy} onClick={() => void answer()}>{props.yes}</Yes>
        {props.more}
      </p>
    </Dialog>
  );
}

/** The button that says yes in a question. It takes nothing as long as nobody can have read that; whoever presses
 * meanwhile, wherever it is, has to wait anew. */
export function Yes({ children, busy, onClick }: {
  children: ComponentChildren; busy: boolean; onClick: () => void;
}): JSX.Element {
  const [early, setEarly] = useState(true);
  useEffect(() => {
    const over = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        over.abort();
        setEarly(false);
      }, QUIET);
    };
    addEventListener("click", wait, { capture: true, signal: over.signal });
    wait();
    return () => {
      over.abort();
      clearTimeout(timer);
    };
  }, []);
  return <Button busy={busy || early} onClick={onClick}>{children}</Button>;
}
