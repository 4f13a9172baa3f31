// What was opened as it leaves the worker: an item without keys, a file, or a piece of one.
// Knows: what a browser may show of itself. Refuses to know: where the bytes come from.

import { transfer } from "comlink";

import { ContentDiffers, RangeInvalid } from "../sdk/errors.js";
import type { Item as OpenedItem } from "../sdk/items.js";
import { PIECE, type Item } from "./api.js";

/** What a browser may show of itself; any other file is bytes to it, so that no page can be made of one. */
const SHOWN = /^(image\/(?!svg)[\w.+-]+|audio\/[\w.+-]+|video\/[\w.+-]+|application\/pdf|text\/plain)$/;

/** All of it. A Blob, so that the heap never holds the whole. `differing`: also where it isn't the one that its entry names. */
export async function fileOf(blocks: AsyncIterable<Uint8Array>, mime: string, differing = false): Promise<Blob> {
  const pieces: Blob[] = [];
  try {
    for await (const block of blocks) pieces.push(new Blob([new Uint8Array(block)]));
  } catch (error) {
    if (!(differing && error instanceof ContentDiffers)) throw error;
  }
  return new Blob(pieces, { type: SHOWN.test(mime) ? mime : "application/octet-stream" });
}

/** The bytes [start, stop), which `read` gives. Throws RangeInvalid for more than PIECE. */
export async function pieceOf(
  read: (start: number, stop: number) => AsyncIterable<Uint8Array>, start: number, stop: number,
): Promise<ArrayBuffer> {
  if (stop - start > PIECE) throw new RangeInvalid();
  const piece = new Uint8Array(Math.max(0, stop - start));
  let size = 0;
  for await (const block of read(start, stop)) {
    piece.set(block, size);
    size += block.length;
  }
  const { buffer } = size < piece.length ? piece.slice(0, size) : piece;
  return transfer(buffer, [buffer]);
}

/** An item without what opens its contents, or the words of whoever sent it. */
export function shown({ contents, sent, ...item }: OpenedItem): Item {
  return {
    ...item, contents: contents.map(({ key: _, parts: __, ...content }) => content),
    sent: sent && { name: sent.name, message: sent.message, written: sent.written },
  };
}
