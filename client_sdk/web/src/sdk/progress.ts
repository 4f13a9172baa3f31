// How a long transfer tells how far it is.
// Knows: a few calls. Refuses to know: pages.

/** `start` once with the bytes to come, `advance` as they pass, `done` at the end, also after a failure. `found`, before
 * the same bytes are told as passed: they were there already. */
export interface Progress {
  start(label: string, total: number): void;
  found?(count: number): void;
  advance(count: number): void;
  done(): void;
}

export const NO_PROGRESS: Progress = { start: () => undefined, advance: () => undefined, done: () => undefined };
