// One recording by camera or microphone, kept while it goes on. Knows: the browser's recorder, a slice each second, and
// that a long one goes on in another part. Refuses to know: seals, and what is heard or seen. Nothing of it is ever a
// file of this device.

import { signal, type Signal } from "@preact/signals";
import type { Draft, Id, Kept } from "../../../worker/api.js";
import { MOST_SEGMENTS } from "../../../worker/api.js";
import { safe, vault } from "../../state.js";

export type Medium = "sound" | "video";
export type Course = "recording" | "ending" | "ended" | "waits" | "failed";

/** Milliseconds of one slice. */
const SLICE = 1000;
const FORMATS: Readonly<Record<Medium, readonly string[]>> = {
  sound: ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"],
  video: ["video/webm;codecs=vp8,opus", "video/mp4", "video/webm"],
};
/** Bits a second: a second of it is one segment, and a telephone can send it. */
const RATES = { audioBitsPerSecond: 64_000, videoBitsPerSecond: 1_500_000 };

/** What is asked of the browser for each medium. */
export const WANTED: Readonly<Record<Medium | "photograph", MediaStreamConstraints>> = {
  sound: { audio: true },
  video: { audio: true, video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } },
  photograph: { video: { facingMode: "environment", width: { ideal: 2560 }, height: { ideal: 1440 } } },
};

/** What a recording is described by; `stem`: its file's name, without number and ending. */
export interface Described {
  readonly draft: Draft;
  readonly sensitive: boolean;
  readonly stem: string;
}

/** Whether this browser can record at all. */
export function canRecord(): boolean {
  return typeof MediaRecorder !== "undefined" && typeof navigator.mediaDevices?.getUserMedia === "function";
}

export class Recorder {
  readonly course: Signal<Course> = signal<Course>("recording");
  /** What went wrong, once it has failed. */
  readonly error: Signal<unknown> = signal<unknown>(null);
  /** Whether it ended since camera or microphone were taken away, by the browser or by another program. */
  taken = false;
  /** The items that were made, one for each part. */
  readonly items: Id[] = [];
  /** What the last of them was kept as; null before, and where that waits. */
  kept: Kept | null = null;
  readonly begun = performance.now();
  readonly #stream: MediaStream;
  readonly #medium: Medium;
  readonly #described: Described;
  #part: Part | null = null;

  constructor(stream: MediaStream, medium: Medium, described: Described) {
    this.#stream = stream;
    this.#medium = medium;
    this.#described = described;
  }

  /** Begins. What goes wrong from now on is told by `course`. */
  start(): void {
    this.#part = this.#next(1);
    for (const track of this.#stream.getTracks()) {
      track.addEventListener("ended", () => {
        this.taken ||= this.course.value === "recording";
        void this.stop();
      });
    }
  }

  /** The end, by the person: the last second goes, and it is closed. Never rejects. */
  async stop(): Promise<void> {
    if (this.course.value !== "recording") return;
    this.course.value = "ending";
    try {
      const waits = !(await this.#part?.end());
      this.course.value = waits ? "waits" : "ended";
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#dark();
    }
  }

  /** Before a lock: the last second is sealed, and nothing is waited for that needs a network. */
  async halt(): Promise<void> {
    if (this.course.value !== "recording") return;
    this.course.value = "ending";
    const last = this.#part?.last();
    this.#dark();
    await last;
  }

  /** Camera and microphone are off. */
  #dark(): void {
    for (const track of this.#stream.getTracks()) track.stop();
  }

  #fail(error: unknown): void {
    this.error.value = error;
    this.course.value = "failed";
    this.#dark();
  }

  #next(number: number): Part {
    const { draft, sensitive, stem } = this.#described;
    const name = number === 1 ? stem : `${stem}-${number}`;
    const title = number === 1 ? draft.title : `${draft.title} (${number})`;
    return new Part(this.#stream, this.#medium, { draft: { ...draft, title }, sensitive, stem: name }, {
      began: this.begun,
      named: (id) => this.items.push(id),
      kept: (kept) => void (this.kept = kept),
      empty: (id) => void this.items.splice(this.items.indexOf(id), 1),
      full: () => {
        const full = this.#part;
        if (this.course.value !== "recording") return;
        this.#part = this.#next(number + 1);
        void full?.end().catch(() => undefined); // closed later, as one that broke off
      },
      failed: (error) => this.#fail(error),
    });
  }
}

interface Hearing {
  /** When the whole began, by performance.now. */
  readonly began: number;
  readonly named: (id: Id) => void;
  readonly kept: (kept: Kept) => void;
  /** It ended before anything was recorded, and is no more. */
  readonly empty: (id: Id) => void;
  readonly full: () => void;
  readonly failed: (error: unknown) => void;
}

/** What becomes one item. */
class Part {
  readonly #hearing: Hearing;
  readonly #recorder: MediaRecorder;
  readonly #id: Promise<Id>;
  readonly #stopped: Promise<void>;
  /** The slices so far: one after the other. */
  #added: Promise<unknown>;

  constructor(stream: MediaStream, medium: Medium, { draft, sensitive, stem }: Described, hearing: Hearing) {
    this.#hearing = hearing;
    const type = FORMATS[medium].find((one) => MediaRecorder.isTypeSupported(one));
    this.#recorder = new MediaRecorder(stream, { ...(type === undefined ? {} : { mimeType: type }), ...RATES });
    const mime = (type ?? this.#recorder.mimeType).split(";")[0] || "application/octet-stream";
    const name = `${stem}.${mime.split("/")[1] ?? "bin"}`;
    this.#id = vault().beginRecording({ draft, sensitive, name, mime });
    this.#added = this.#id.then((id) => {
      safe.value = { id, here: 0, kept: 0 };
      hearing.named(id);
    });
    this.#recorder.addEventListener("dataavailable", ({ data }) => {
      if (data.size === 0) return;
      const seconds = (performance.now() - hearing.began) / 1000;
      this.#added = this.#added.then(async () => {
        const count = await vault().addSegment(await this.#id, data, seconds);
        if (count >= MOST_SEGMENTS && this.#recorder.state === "recording") hearing.full();
      });
      this.#added.catch(hearing.failed);
    });
    this.#added.catch(hearing.failed);
    this.#stopped = new Promise((resolve) => this.#recorder.addEventListener("stop", () => resolve()));
    this.#recorder.start(SLICE);
  }

  /** Until the last slice is sealed here. */
  async last(): Promise<Id> {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
    await this.#stopped;
    await this.#added;
    return this.#id;
  }

  /** Closes it; false if that waits for the network. */
  async end(): Promise<boolean> {
    const id = await this.last();
    try {
      const kept = await vault().endRecording(id);
      if (kept === null) this.#hearing.empty(id);
      else this.#hearing.kept(kept);
      return true;
    } catch (error) {
      const { code, extra } = error as { code?: unknown; extra?: { waiting?: unknown } };
      if (code !== "network" && extra?.waiting !== true) throw error;
      return false;
    }
  }
}
