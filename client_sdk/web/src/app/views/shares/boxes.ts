// Boxes over a picture, and the copy in which they are. Knows: where they lie, and that a copy is made of pixels alone.
// Refuses to know: what is beneath them: their colour is black, whatever it was. A blur, a mosaic or an average colour
// is computed from what it hides, and can be read back.

/** In pixels of the copy. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The longer side of a copy has this many pixels at most: a canvas of more ends the page on an old telephone. */
export const SIDE = 2560;
const QUALITY = 0.9;
/** Parts of the longer side: what an arrow moves, and the least side of a box. */
const STEP = 1 / 40, LEAST = 1 / 50;

export type Move = "left" | "up" | "down" | "right" | "narrower" | "wider" | "shorter" | "taller";
export const MOVES: readonly Move[] = ["left", "up", "down", "right", "narrower", "wider", "shorter", "taller"];

/** How large the copy is. */
export function copySize({ width, height }: Size): Size {
  const scale = Math.min(1, SIDE / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** The box between two corners, within the picture; null for one too small to be meant. */
export function boxBetween(one: Pick<Box, "x" | "y">, other: Pick<Box, "x" | "y">, size: Size): Box | null {
  const [left, right] = inOrder(between(0, one.x, size.width), between(0, other.x, size.width));
  const [top, bottom] = inOrder(between(0, one.y, size.height), between(0, other.y, size.height));
  const least = LEAST * Math.max(size.width, size.height) / 2;
  if (right - left < least || bottom - top < least) return null;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** One in the middle, to be moved. */
export function boxAmid({ width, height }: Size): Box {
  return { x: width * 0.4, y: height * 0.4, width: width * 0.2, height: height * 0.2 };
}

/** A box moved or made larger by one step; it stays within the picture. */
export function moved(box: Box, how: Move, size: Size): Box {
  const longer = Math.max(size.width, size.height);
  const step = STEP * longer;
  const dx = how === "left" ? -step : how === "right" ? step : 0;
  const dy = how === "up" ? -step : how === "down" ? step : 0;
  const dw = how === "narrower" ? -step : how === "wider" ? step : 0;
  const dh = how === "shorter" ? -step : how === "taller" ? step : 0;
  const least = Math.min(LEAST * longer, size.width, size.height);
  const width = between(least, box.width + dw, size.width), height = between(least, box.height + dh, size.height);
  return {
    width, height, x: between(0, box.x + dx, size.width - width), y: between(0, box.y + dy, size.height - height),
  };
}

/** A copy of a picture with boxes over it, as JPEG, upright as it is shown. Nothing of the file goes into it but the
 * pixels that are not under a box. Rejects where this browser can't make one. */
export async function coverPicture(picture: HTMLImageElement, boxes: readonly Box[]): Promise<Blob> {
  const { width, height } = copySize({ width: picture.naturalWidth, height: picture.naturalHeight });
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const ink = canvas.getContext("2d");
  if (ink === null) throw new Error("no canvas");
  ink.fillStyle = "#fff"; // JPEG knows no transparency
  ink.fillRect(0, 0, width, height);
  ink.drawImage(picture, 0, 0, width, height);
  ink.fillStyle = "#000";
  for (const box of boxes) {
    const x = Math.floor(box.x), y = Math.floor(box.y);
    ink.fillRect(x, y, Math.ceil(box.x + box.width) - x, Math.ceil(box.y + box.height) - y);
  }
  try {
    const copy = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    if (copy === null) throw new Error("no copy");
    return copy;
  } finally {
    Object.assign(canvas, { width: 0, height: 0 }); // some browsers keep its pixels for long
  }
}

function between(least: number, value: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}

function inOrder(one: number, other: number): readonly [number, number] {
  return one < other ? [one, other] : [other, one];
}
