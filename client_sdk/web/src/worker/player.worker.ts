// The service worker of the player: what the media element of one small frame asks for, it asks of the page around it.
// Knows: byte ranges, and which frame asked. Refuses to know: what the bytes are and who opened them; it has no key, no
// network (its own answer's policy names none), no store, and no memory: when it is stopped, nothing is lost.
//
// Only the frame is in its scope: neither the page nor the vault's worker ever passes here. An answer has the length
// that was asked for, as some browsers ask only once, and comes in pieces, each fetched when the one before was taken.

import { parseRange, type Range } from "./ranges.js";

/** What is asked of the page: bytes of what it plays under this address, no more than up to `stop`. */
export interface Asked extends Range {
  readonly address: string;
  readonly stop: number;
}

/** What it answers; null where there is nothing to be had. */
export interface Piece {
  readonly bytes: ArrayBuffer;
  /** Bytes of the whole. */
  readonly size: number;
  readonly type: string;
}

/** Bytes of the first piece, so that something is there soon; each next one is twice as large, up to the largest. */
const FIRST = 131_072, LARGEST = 524_288;
/** Pieces end where a sealed chunk does: none is fetched twice. */
const BORDER = 16_384;

const worker = self as unknown as ServiceWorkerGlobalScope;
worker.addEventListener("install", () => void worker.skipWaiting());
worker.addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate") event.respondWith(answer(event)); // the frame itself is the server's
});

async function answer({ request, clientId }: FetchEvent): Promise<Response> {
  const header = request.headers.get("Range");
  const range = header === null ? { start: 0, stop: null } : parseRange(header);
  const client = await worker.clients.get(clientId);
  if (client === undefined) return Response.error();
  if (range === null) return new Response(null, { status: 416 });
  const ask = (start: number, stop: number): Promise<Piece> => askOf(client, { address: request.url, start, stop });
  const { start } = range;
  try {
    const first = await ask(start, Math.min(border(start + FIRST), range.stop ?? Infinity));
    const stop = Math.min(range.stop ?? first.size, first.size);
    if (start >= stop) return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${first.size}` } });
    return new Response(inPieces(first, start, stop, ask), {
      status: header === null ? 200 : 206,
      headers: {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "Content-Length": String(stop - start),
        "Content-Type": first.type,
        ...(header === null ? {} : { "Content-Range": `bytes ${start}-${stop - 1}/${first.size}` }),
      },
    });
  } catch {
    return Response.error();
  }
}

function inPieces(
  first: Piece, start: number, stop: number, ask: (start: number, stop: number) => Promise<Piece>,
): ReadableStream<Uint8Array> {
  let [at, step] = [start, FIRST];
  const pass = (controller: ReadableStreamDefaultController<Uint8Array>, { bytes }: Piece): void => {
    at += bytes.byteLength;
    controller.enqueue(new Uint8Array(bytes));
    if (at >= stop) controller.close();
  };
  return new ReadableStream({
    start: (controller) => pass(controller, first),
    pull: async (controller) => {
      step = Math.min(2 * step, LARGEST);
      pass(controller, await ask(at, Math.min(border(at + step), stop)));
    },
  }, { highWaterMark: 0 });
}

function border(place: number): number {
  return place - place % BORDER;
}

/** Rejects where the page has nothing to give. */
function askOf(client: Client, asked: Asked): Promise<Piece> {
  return new Promise((resolve, reject) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<Piece | null>) => {
      port1.close();
      if (data === null) reject(new Error("nothing"));
      else resolve(data);
    };
    client.postMessage(asked, [port2]);
  });
}
