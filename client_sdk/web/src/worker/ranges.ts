// Byte ranges as a media element asks for them. Knows: the one form that browsers send (RFC 9110, section 14.1.2).
// Refuses to know: suffixes and lists of ranges, which none of them sends, and whose bytes they are.

/** From `start`, up to but not including `stop`; null: to the end. */
export interface Range {
  readonly start: number;
  readonly stop: number | null;
}

/** Fifteen digits: every number is exact. */
const RANGE = /^bytes=(0|[1-9][0-9]{0,14})-(0|[1-9][0-9]{0,14})?$/;

/** What a Range header asks for, null where it is none of ours. */
export function parseRange(header: string): Range | null {
  const [, first, last] = RANGE.exec(header) ?? [];
  if (first === undefined) return null;
  const range = { start: Number(first), stop: last === undefined ? null : Number(last) + 1 };
  return range.stop !== null && range.stop <= range.start ? null : range;
}

/** The inverse of `parseRange`. */
export function formatRange({ start, stop }: Range): string {
  return `bytes=${start}-${stop === null ? "" : stop - 1}`;
}
