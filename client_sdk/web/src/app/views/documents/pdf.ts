// PDF, drawn by pdf.js in a worker of its own. Knows: that it is loaded only now, where its parts lie, and that a file
// by a stranger may try anything: no scripts, no forms, no links, no fonts or tables from anywhere else.
// Refuses to know: what a page says, and how it is parsed.
//
// Its worker is a script of ours whose name begins with `w`: only its answer may compile wasm (server/headers.py), and
// the pictures of scanned papers need that.

import { getDocument, PasswordException, PDFWorker, type PDFDocumentProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import WORKER from "pdfjs-dist/legacy/build/pdf.worker.min.mjs?worker&url";
import JBIG2 from "pdfjs-dist/wasm/jbig2.wasm?url";
import OPENJPEG from "pdfjs-dist/wasm/openjpeg.wasm?url";

import { trusted } from "../../trusted.js";

const DECODERS: Readonly<Record<string, string>> = { "jbig2.wasm": JBIG2, "openjpeg.wasm": OPENJPEG };
/** Pixels of one picture in a PDF, and of one page on the screen: an old phone has no room for more. */
const LARGEST_PICTURE = 2 ** 26, LARGEST_PAGE = 2 ** 23;
/** Physical pixels for each one of the page, at most. */
const SHARPEST = 2;
/** How long its worker may take to end by itself: one that is busy drawing hears of nothing until then. */
const GRACE_MS = 200;

/** Gives the decoders to the worker, which can't guess names that say nothing. Anything else it has to do without. */
class Decoders {
  async fetch({ filename }: { kind: string; filename: string }): Promise<Uint8Array> {
    const address = DECODERS[filename];
    if (address === undefined) throw new Error("not here");
    const answer = await fetch(address, { credentials: "omit", redirect: "error", referrerPolicy: "no-referrer" });
    if (!answer.ok) throw new Error("no decoder");
    return new Uint8Array(await answer.arrayBuffer());
  }
}

/** An opened PDF. `close` ends its worker: nothing of it is left. */
export interface OpenPdf {
  readonly pages: number;
  /** Draws a page (from 1), `width` CSS pixels wide, and gives the words on it. */
  draw(page: number, canvas: HTMLCanvasElement, width: number): Promise<string>;
  close(): void;
}

/** Whether a PDF was not opened since it asks for a password. */
export function asksForPassword(error: unknown): boolean {
  return error instanceof PasswordException;
}

/** Opens a PDF; rejects for one that is broken, or locked with a password. */
export async function openPdf(bytes: Blob): Promise<OpenPdf> {
  const port = new Worker(trusted(WORKER), { type: "module" });
  try {
    const failed = new Promise<never>((_, reject) => {
      port.addEventListener("error", () => reject(new Error("no worker")));
    });
    const task = getDocument({
      data: new Uint8Array(await bytes.arrayBuffer()), worker: new PDFWorker({ port: port as never }),
      BinaryDataFactory: Decoders, wasmUrl: "/", useWorkerFetch: false, maxImageSize: LARGEST_PICTURE,
      enableXfa: false, isOffscreenCanvasSupported: true, verbosity: 0,
    } as Parameters<typeof getDocument>[0]);
    const opened = await Promise.race([task.promise, failed]);
    return {
      pages: opened.numPages,
      draw: (page, canvas, width) => draw(opened, page, canvas, width),
      close: () => {
        const end = (): void => port.terminate();
        const late = setTimeout(end, GRACE_MS);
        void task.destroy().catch(() => undefined).finally(() => clearTimeout(late)).finally(end);
      },
    };
  } catch (error) {
    port.terminate();
    throw error;
  }
}

async function draw(opened: PDFDocumentProxy, page: number, canvas: HTMLCanvasElement, width: number): Promise<string> {
  const found = await opened.getPage(page);
  const { width: whole, height } = found.getViewport({ scale: 1 });
  const wanted = (width / whole) * Math.min(SHARPEST, Math.max(1, devicePixelRatio));
  const viewport = found.getViewport({ scale: Math.min(wanted, Math.sqrt(LARGEST_PAGE / (whole * height))) });
  canvas.width = Math.floor(viewport.width);
  canvas.height = Math.floor(viewport.height);
  await found.render({ canvas, viewport, background: "#fff" }).promise;
  const { items } = await found.getTextContent();
  const text = items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : "") : "")).join("");
  found.cleanup();
  return text;
}
