// What is on its way to the vault, whatever view is shown. Knows: how far each file is, and how fast it goes.
// Refuses to know: who sends it, and what is in it; all of it is forgotten at a lock.

import { computed, signal } from "@preact/signals";

/** `queued`: others go first. `paused`: by the person. `cut`: the network is gone, and it goes on by itself.
 * `waits`: the file has arrived, and what names it lies in the outbox of this device. */
export type Course =
  | { readonly kind: "queued" | "sending" | "paused" | "cut" | "waits" }
  | { readonly kind: "kept"; readonly id: string }
  | { readonly kind: "failed"; readonly error: unknown };

export interface Upload {
  /** By which the vault's worker tells of it, too. */
  readonly key: number;
  readonly file: File;
  /** A small picture of it, null where there can be none. */
  readonly small: Blob | null;
  readonly course: Course;
  readonly done: number;
  /** Bytes as they travel: what is sealed is a little longer. 0 before it is known. */
  readonly total: number;
  /** When (milliseconds, performance.now) how many bytes had left in this run: the last seconds of it. */
  readonly marks: readonly (readonly [number, number])[];
  /** What ends a pause or a cut; null while there is none. */
  readonly goOn: (() => void) | null;
}

export const uploads = signal<readonly Upload[]>([]);
/** Those that are not at their end yet. */
export const underWay = computed(() =>
  uploads.value.filter(({ course: { kind } }) => ["queued", "sending", "paused", "cut"].includes(kind)));

/** Milliseconds over which the pace is measured; so long nothing may leave before that is said. */
const SPAN = 15_000;
export const SILENCE = 8_000;
/** Milliseconds before there is a pace to speak of. */
const SOON = 2_000;

let keys = 0;

/** A file begins to wait for its turn. */
export function addUpload(file: File, small: Blob | null): Upload {
  const one: Upload = {
    key: ++keys, file, small, course: { kind: "queued" }, done: 0, total: 0, marks: [], goOn: null,
  };
  uploads.value = [...uploads.value, one];
  return one;
}

export function changeUpload(key: number, part: Partial<Upload>): void {
  uploads.value = uploads.value.map((one) => (one.key === key ? { ...one, ...part } : one));
}

export function removeUpload(key: number): void {
  uploads.value = uploads.value.filter((one) => one.key !== key);
}

/** What the worker tells of one. */
export function noteUpload(key: number, done: number, total: number, found: number, now = performance.now()): void {
  uploads.value = uploads.value.map((one) => {
    if (one.key !== key) return one;
    const sent = done - found, last = one.marks.at(-1);
    if (last !== undefined && last[1] === sent) return { ...one, done, total };
    const marks = [...one.marks.filter(([time, before]) => now - time < SPAN && before <= sent), [now, sent] as const];
    return { ...one, done, total, marks };
  });
}

/** Bytes in a second and seconds that are left, both null while nobody can say; and whether nothing leaves. */
export interface Pace {
  readonly rate: number | null;
  readonly left: number | null;
  readonly silent: boolean;
}

export function paceOf({ marks, done, total }: Upload, now = performance.now()): Pace {
  const [first, last] = [marks[0], marks.at(-1)];
  if (first === undefined || last === undefined) return { rate: null, left: null, silent: false };
  const silent = done < total && now - last[0] > SILENCE; // what has left whole is being checked
  const span = now - first[0];
  if (silent || span < SOON || last[1] === first[1]) return { rate: null, left: null, silent };
  const rate = ((last[1] - first[1]) * 1000) / span;
  return { rate, left: Math.max(1, Math.ceil((total - done) / rate)), silent };
}
