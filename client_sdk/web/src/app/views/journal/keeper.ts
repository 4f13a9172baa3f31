// Keeps a draft while it is typed: at each pause, at least every two seconds, and at once when it is asked for.
// Knows: what is not kept yet, and one call at a time. Refuses to know: what is in a draft, and how it is sealed.
//
// "Kept" is said only when the newest text was kept, and no longer once another tab took it. A failure is told, and tried again with the next letter or pause.

import { type Signal, signal } from "@preact/signals";
import type { Id, TypedDraft, VaultApi } from "../../../worker/api.js";

/** Milliseconds after the last letter. */
export const PAUSE = 400;
/** Milliseconds after which a text that goes on is kept nevertheless. */
export const LONGEST = 2000;

/** `gone`: another tab made an entry of it, went on with it, or threw it away. */
export type Keeping = "nothing" | "unsaved" | "kept" | "failed" | "gone";
/** A draft as it stands in the form; empty: there is nothing worth keeping in it. */
export type Unkept = Omit<TypedDraft, "saved"> & { readonly empty: boolean };

type Slots = Pick<VaultApi, "keepDraft" | "dropDraft" | "drafts">;

export class DraftKeeper {
  readonly state: Signal<Keeping> = signal<Keeping>("nothing");
  /** Why the last try failed. */
  readonly error: Signal<unknown> = signal<unknown>(null);
  /** Where the latest that could be kept lies; each time in another place. */
  slot: Id | null;

  #newest: Unkept | null = null;
  #kept: Unkept | null = null;
  #running: Promise<void> | null = null;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #longest: ReturnType<typeof setTimeout> | undefined;
  #ended = false;
  readonly #vault: Slots;

  /** `slot`: the draft that is gone on with, null for a new one. */
  constructor(vault: Slots, slot: Id | null) {
    this.#vault = vault;
    this.slot = slot;
  }

  /** Something was typed. */
  change(draft: Unkept): void {
    if (this.#ended) return;
    this.#newest = draft;
    this.state.value = "unsaved";
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => void this.#once(), PAUSE);
    this.#longest ??= setTimeout(() => void this.#once(), LONGEST);
  }

  /** Keeps what is not kept yet: before a lock, when the page is hidden, when the view is left. Never rejects.
   *
   * Gives whether everything is kept now. */
  async flush(): Promise<boolean> {
    do await this.#once(); while (!this.#ended && this.#newest !== this.#kept && this.state.value !== "failed");
    return this.#ended || this.#newest === this.#kept;
  }

  /** Looks whether the draft is still there: whoever comes back to this tab may have been in another one. Where that
   * can't be known, nothing else is said. Never rejects. */
  async look(): Promise<void> {
    const { slot } = this, asked = this.#newest;
    if (slot === null || this.#ended || asked !== this.#kept) return;
    const found = await this.#vault.drafts().catch(() => null);
    if (found === null || this.#ended || asked !== this.#newest || slot !== this.slot) return;
    if (!found.some((one) => one.slot === slot)) this.state.value = "gone";
  }

  /** The text has become an entry, or waits in the outbox: its draft is gone, and nothing more is kept. */
  end(): void {
    this.#ended = true;
    this.#stop();
    this.state.value = "nothing";
  }

  #stop(): void {
    clearTimeout(this.#pause);
    clearTimeout(this.#longest);
    this.#longest = undefined;
  }

  async #once(): Promise<void> {
    this.#stop();
    while (this.#running) await this.#running;
    if (this.#ended || this.#newest === this.#kept || this.#newest === null) return;
    this.#running = this.#keep(this.#newest).finally(() => (this.#running = null));
    await this.#running;
  }

  async #keep(draft: Unkept): Promise<void> {
    try {
      const { empty, ...rest } = draft;
      if (!empty) {
        this.slot = await this.#vault.keepDraft({ ...rest, saved: Math.floor(Date.now() / 1000) }, this.slot);
      } else if (this.slot !== null) {
        await this.#vault.dropDraft(this.slot);
        this.slot = null;
      }
    } catch (error) {
      this.error.value = error;
      this.state.value = "failed";
      return;
    }
    this.#kept = draft;
    this.error.value = null;
    if (draft === this.#newest) this.state.value = draft.empty ? "nothing" : "kept";
  }
}
