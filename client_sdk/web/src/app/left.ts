// How far down a view was when it was left, so that coming back finds it there. Knows: the link that led away and its
// height on the screen, in memory. Refuses to know: what a view shows; all of it is forgotten at a lock.
//
// A list grows and its far rows have no height yet, so the link counts, not the pixels; those are for a view that was
// left by other means.

interface Left {
  /** The address that was gone to. */
  readonly to: string;
  /** Where its link stood on the screen, null if none led there. */
  readonly top: number | null;
  readonly y: number;
}

const SIGNS = ["wheel", "touchstart", "keydown", "pointerdown"] as const;
const left = new Map<string, Left>();
let met: Left | null = null;

/** A step is about to be made, from one address to another; `back`: to a view that was there before. */
export function noteStep(from: string, to: string, back: boolean): void {
  left.set(from, { to, top: linkTo(to)?.getBoundingClientRect().top ?? null, y: scrollY });
  met = back ? left.get(to) ?? null : null;
}

export function forgetSteps(): void {
  left.clear();
  met = null;
}

/** Scrolls a view that has just appeared to where it was left, or to its beginning if it is new. What is not drawn yet
 * is waited for, until the person does anything. Gives how to stop waiting. */
export function scrollView(): () => void {
  const wanted = met;
  met = null;
  scrollTo({ top: wanted?.top === null ? wanted.y : 0, behavior: "instant" });
  if (wanted === null || wanted.top === null) return () => undefined;
  const { to, top } = wanted;
  const over = new AbortController();
  const found = (): void => {
    const link = linkTo(to);
    if (link === null) return;
    over.abort();
    const settle = (): void => scrollBy({ top: link.getBoundingClientRect().top - top, behavior: "instant" });
    settle();
    link.focus({ preventScroll: true });
    requestAnimationFrame(settle); // what is near it has got its height now
  };
  const grown = new MutationObserver(found);
  const main = document.getElementById("main");
  if (main !== null) grown.observe(main, { childList: true, subtree: true });
  for (const sign of SIGNS) addEventListener(sign, () => over.abort(), { signal: over.signal, passive: true });
  over.signal.addEventListener("abort", () => grown.disconnect());
  found();
  return () => over.abort();
}

function linkTo(address: string): HTMLElement | null {
  return document.querySelector(`#main a[href="${address}"]`);
}
