// How a long transfer tells how far it is.
// Knows: three calls. Refuses to know: pages.

/** `start` once with the bytes to come, `advance` as they pass, `done` at the end, also after a failure. */
export interface Progress {
  start(label: string, total: number): void;
  advance(count: number): void;
  done(): void;
}

export const NO_PROGRESS: Progress = { start: () => undefined, advance: () => undefined, done: () => undefined };
