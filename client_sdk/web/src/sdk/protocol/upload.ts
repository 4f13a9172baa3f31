// How a file comes to be kept: journal, units, completion, receipt, record; and how many units go at once.
// Knows: protocol §5's order, and how the size of a request follows the network.
// Refuses to know: bytes, files, requests.

import { UNITS_PER_PUT } from "../../schemas/limits.js";
import { Machine, type Transitions } from "./machine.js";

/** How far one blob is. Only in KEPT may a person be told that it is kept. */
export const Upload = {
  UNKNOWN: "unknown",
  JOURNALLED: "journalled",
  ANNOUNCED: "announced",
  ARRIVED: "arrived",
  COMPLETE: "complete",
  RECEIPTED: "receipted",
  KEPT: "kept",
  ABANDONED: "abandoned",
} as const;
export type Upload = (typeof Upload)[keyof typeof Upload];

/** What happened to it. */
export const UploadEvent = {
  JOURNAL_WRITTEN: "journal written",
  ANNOUNCED: "announced",
  UNIT_ARRIVED: "unit arrived",
  ALL_ARRIVED: "all arrived",
  COMPLETED: "completed",
  RECEIPT_VERIFIED: "receipt verified",
  RECORD_KEPT: "record kept",
  MISMATCH: "mismatch",
} as const;
export type UploadEvent = (typeof UploadEvent)[keyof typeof UploadEvent];

/** A blob of one unit goes from JOURNALLED to COMPLETE in one request. An abandoned one is made anew: id, key, salt. */
export const TRANSITIONS: Transitions<Upload, UploadEvent> = [
  [Upload.UNKNOWN, UploadEvent.JOURNAL_WRITTEN, Upload.JOURNALLED],
  [Upload.JOURNALLED, UploadEvent.ANNOUNCED, Upload.ANNOUNCED],
  [Upload.ANNOUNCED, UploadEvent.UNIT_ARRIVED, Upload.ANNOUNCED],
  [Upload.ANNOUNCED, UploadEvent.ALL_ARRIVED, Upload.ARRIVED],
  [Upload.JOURNALLED, UploadEvent.COMPLETED, Upload.COMPLETE],
  [Upload.ARRIVED, UploadEvent.COMPLETED, Upload.COMPLETE],
  [Upload.COMPLETE, UploadEvent.RECEIPT_VERIFIED, Upload.RECEIPTED],
  [Upload.RECEIPTED, UploadEvent.RECORD_KEPT, Upload.KEPT],
  ...[Upload.JOURNALLED, Upload.ANNOUNCED, Upload.ARRIVED].map(
    (state) => [state, UploadEvent.MISMATCH, Upload.ABANDONED] as const,
  ),
];

/** A blob of which nothing was written yet. */
export function uploading(): Machine<Upload, UploadEvent> {
  return new Machine<Upload, UploadEvent>(Upload.UNKNOWN, TRANSITIONS);
}

/** Milliseconds: a request that took no longer may be followed by one twice as wide; what is in flight is lost when a
 * network is cut. */
export const BRIEF = 1000;
/** Milliseconds: a request that took longer is followed by a narrower one, at last by one that goes alone. */
export const LONG = 3000;
export const IN_FLIGHT = 2;

/** How many units one request carries, and how many requests go at once: 1 and 2 at first; twice as many units, up to
 * 32, after a brief success; half after a failure or a long one; alone where one unit by itself takes long or fails:
 * two would take twice as long each. */
export class Width {
  readonly #most: number;
  #units = 1;
  #requests = IN_FLIGHT;

  constructor(most = UNITS_PER_PUT) {
    this.#most = most;
  }

  get units(): number {
    return this.#units;
  }

  get requests(): number {
    return this.#requests;
  }

  /** `ms`: how long the request was under way. */
  succeeded(ms = 0): void {
    if (ms <= BRIEF) {
      this.#units = Math.min(2 * this.#units, this.#most);
      this.#requests = IN_FLIGHT;
    } else if (ms > LONG) {
      this.failed();
    }
  }

  failed(): void {
    if (this.#units === 1) this.#requests = 1;
    this.#units = Math.max(1, Math.floor(this.#units / 2));
  }

  /** A run of units cut to the present width: [start, stop) of each part. */
  *split(units: number): Generator<readonly [number, number]> {
    for (let start = 0; start < units; ) {
      const stop = Math.min(start + this.#units, units);
      yield [start, stop];
      start = stop;
    }
  }
}
