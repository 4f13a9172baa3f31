// Plays a sound or a film from sealed ranges: a media element alone in a small frame, a service worker between the two.
// Knows: how the frame is filled, asked and emptied, and that nothing of it may outlive the view. Refuses to know: keys;
// each piece is fetched, verified and opened by the vault's worker, and passed on without being kept.
//
// The service worker's scope is the frame, never this page. It asks the frame, which has no script: we answer, here.

import PLAYER from "../../../worker/player.worker.ts?worker&url";
import { PIECE } from "../../../worker/api.js";
import type { Asked, Piece } from "../../../worker/player.worker.js";
import { trusted } from "../../trusted.js";

/** The frame's address, which only the server answers; what is played lies below it. */
export const FRAME = "/a/p/";
/** What counts as somebody being there, and the keys of the way out: no event leaves a frame by itself. */
const SIGNS = ["pointerdown", "keydown", "keyup", "wheel", "touchmove", "focusin"] as const;
const TYPE = /^(audio|video)\/[\w.+-]+$/;
/** By which a browser looks for itself. */
const UNTOLD = "application/octet-stream";

export interface Media {
  readonly kind: "audio" | "video";
  readonly name: string;
  readonly mime: string;
  /** In bytes. */
  readonly size: number;
  /** Tells nothing, and is never given twice: browsers keep in memory what they played, by its address. */
  readonly id: string;
  /** The bytes [start, stop), verified; rejects with a Problem. */
  read(start: number, stop: number): Promise<ArrayBuffer>;
}

/** What happens meanwhile. */
export interface Heard {
  /** How far it is, in seconds. */
  at(seconds: number): void;
  /** It can't go on: a Problem, or null where this browser doesn't understand the file. */
  failed(error: unknown): void;
}

/** Firefox keeps a film that comes in ranges in a temporary file, readable, until it ends; one that comes whole, it
 * doesn't. No setting of a page changes that. */
export function writesWhatItPlays(): boolean {
  return /\bFirefox\//.test(navigator.userAgent);
}

/** Whether a sound or film comes in ranges here: some private windows have no service workers, and what fits into
 * memory (`fits`) is never written anywhere. */
export function comesInRanges(fits: boolean): boolean {
  return "serviceWorker" in navigator && !(fits && writesWhatItPlays());
}

let starting: Promise<void> | null = null;
let registered: ServiceWorkerRegistration | null = null;
/** How many frames are still to come, for which it is registered. */
let coming = 0;

/** Starts the service worker for a frame that is about to load. Gives what has to be called once that has come, or never
 * will. Rejects where the browser has service workers and forbids them all the same.
 *
 * From then on nothing is registered: a frame that has come is served to its end all the same, and the browser lets go
 * of the service worker with it, whatever becomes of this page, and however fast. */
export async function startPlayer(): Promise<() => void> {
  coming += 1;
  let waits = true;
  const came = (): void => {
    if (!waits) return;
    waits = false;
    coming -= 1;
    if (coming > 0) return;
    void registered?.unregister().catch(() => undefined); // asked for in this very moment
    registered = null;
  };
  starting ??= start().finally(() => (starting = null)); // once for all that begin at the same time
  await starting.catch((error: unknown) => {
    came();
    throw error;
  });
  return came;
}

async function start(): Promise<void> {
  const found = registered = await navigator.serviceWorker.register(trusted(PLAYER) as string, { scope: FRAME });
  const worker = found.installing ?? found.waiting ?? found.active;
  if (worker === null) throw new Error("no player");
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      if (worker.state === "activated") resolve();
      else if (worker.state === "redundant") reject(new Error("no player"));
    };
    worker.addEventListener("statechange", look);
    look();
  });
}

/** Unregisters what a browser kept that was ended just before a frame came. */
export async function sweepPlayer(): Promise<void> {
  try {
    await (await navigator.serviceWorker.getRegistration(FRAME))?.unregister();
  } catch {
    // there is none where there can be none
  }
}

/** Fills a frame that has loaded; plays from `from` seconds on, when somebody says so. Gives how to end it, at once. */
export function playIn(frame: HTMLIFrameElement, media: Media, from: number, heard: Heard): () => void {
  const inside = frame.contentWindow as (Window & typeof globalThis) | null;
  const page = frame.contentDocument;
  const asking = page === null ? null : inside?.navigator.serviceWorker; // an error page is a stranger's
  if (inside === null || page === null || !asking?.controller) {
    heard.failed({ code: "network" });
    return () => undefined;
  }
  const over = new AbortController();
  const { signal } = over;
  const element = page.createElement(media.kind);
  const address = new URL(media.id, page.baseURI).href;
  const fail = (error: unknown): void => {
    if (!signal.aborted) heard.failed(error);
    end();
  };
  const end = (): void => {
    over.abort();
    element.pause();
    element.removeAttribute("src");
    element.load(); // silent, and without a picture, from now on
    element.remove();
  };

  asking.addEventListener("message", ({ data, ports: [port] }: MessageEvent<Asked>) => {
    if (port === undefined) return;
    if (data.address !== address) return port.postMessage(null);
    const { start } = data;
    const stop = Math.min(data.stop, start + PIECE, media.size);
    const read = start < stop ? media.read(start, stop) : Promise.resolve(new ArrayBuffer(0));
    read.then((bytes) => {
      const piece: Piece = { bytes, size: media.size, type: TYPE.test(media.mime) ? media.mime : UNTOLD };
      port.postMessage(signal.aborted ? null : piece, signal.aborted ? [] : [bytes]);
    }, (error: unknown) => {
      port.postMessage(null);
      fail(error);
    });
  }, { signal });
  asking.startMessages();

  for (const sign of SIGNS) inside.addEventListener(sign, repeat, { signal, passive: true, capture: true });
  inside.addEventListener("focusin", () => frame.classList.add("focused"), { signal });
  inside.addEventListener("focusout", () => frame.classList.remove("focused"), { signal });
  inside.addEventListener("contextmenu", (event) => event.preventDefault(), { signal }); // "save as" gives no warning
  element.addEventListener("error", () => {
    fail(element.error?.code === MediaError.MEDIA_ERR_NETWORK ? { code: "network" } : null);
  }, { signal });
  element.addEventListener("timeupdate", () => heard.at(element.currentTime), { signal });
  element.addEventListener("loadedmetadata", () => {
    if (from > 0) element.currentTime = from;
    const { videoWidth, videoHeight } = element as HTMLVideoElement;
    if (videoWidth > 0) frame.style.aspectRatio = `${videoWidth} / ${videoHeight}`;
  }, { signal });

  page.documentElement.lang = document.documentElement.lang;
  Object.assign(page.body.style, { margin: "0", overflow: "hidden" });
  Object.assign(element.style, { boxSizing: "border-box", display: "block", width: "100%", height: "100vh" });
  element.controls = true;
  element.preload = "metadata";
  element.setAttribute("aria-label", media.name);
  element.setAttribute("controlslist", "nodownload nofullscreen noremoteplayback"); // the way out stays on the screen
  element.setAttribute("disableremoteplayback", "");
  element.setAttribute("disablepictureinpicture", "");
  element.setAttribute("playsinline", "");
  element.src = address;
  page.body.append(element);
  return end;
}

/** The same event, in this page. */
function repeat(event: Event): void {
  const { key } = event as Partial<KeyboardEvent>;
  dispatchEvent(key === undefined ? new Event(event.type) : new KeyboardEvent(event.type, { key }));
}
