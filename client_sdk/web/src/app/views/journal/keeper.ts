// Keeps a draft while it is typed: at each pause, at least every two seconds, and at once when it is asked for.
// Knows: what is not kept yet, and one call at a time. Refuses to know: what is in a draft, and how it is sealed.
//
// "Kept" is said only when the newest text was kept, and no longer once another tab took it. A failure is told, and tried again with the next letter or pause.

import { type Signal, signal } from "@preact/signals";
import type { FoundDraft, Id, TypedDraft, VaultApi } from "../../../worker/api.js";

/** Milliseconds after the last letter. */
export const PAUSE = 400;
/** Milliseconds after which a text that goes on is kept nevertheless. */
export const LONGEST = 2000;

/** `gone`: another tab made an entry of it, went on with it, or threw it away. */
export type Keeping = "nothing" | "unsaved" | "kept" | "failed" | "gone";
/** A draft as it stands in the form; empty: there is nothing worth keeping in it. */
export type Unkept = Omit<TypedDraft, "saved"> & { readonly empty: boolean };

/** What has to be known of a draft to go on with it. */
export type Resumed = Pick<FoundDraft, "slot" | "saved">;

type Slots = Pick<VaultApi, "keepDraft" | "dropDraft" | "drafts">;

export class DraftKeeper {
  readonly state: Signal<Keeping> = signal<Keeping>("nothing");
  /** Why the last try failed. */
  readonly error: Signal<unknown> = signal<unknown>(null);
  /** Where the latest that could be kept lies; each time in another place. */
  slot: Id | null;
  /** When that was, in Unix seconds. */
  readonly saved: Signal<number | null>;

  #newest: Unkept | null = null;
  #kept: Unkept | null = null;
  #running: Promise<void> | null = null;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #longest: ReturnType<typeof setTimeout> | undefined;
  #ended = false;
  readonly #vault: Slots;

  /** `resumed`: the draft that is gone on with, null for a new one. */
  constructor(vault: Slots, resumed: Resumed | null) {
    this.#vault = vault;
    this.slot = resumed?.slot ?? null;
    this.saved = signal(resumed?.saved ?? null);
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

  /** Before another draft takes the place of this one on the screen: this one is then offered beside it. Gives whether
   * everything is kept. Never rejects. */
  async leave(beside: (found: readonly FoundDraft[]) => void): Promise<boolean> {
    if (!(await this.flush())) return false;
    const found = await this.#vault.drafts().catch(() => null);
    if (found !== null) beside(found);
    return true;
  }

  /** Looks whether the draft is still there: whoever comes back to this tab may have been in another one. Gives the
   * drafts that lie beside it; null where that can't be known, and then nothing else is said. Never rejects. */
  async look(): Promise<readonly FoundDraft[] | null> {
    const { slot } = this, asked = this.#newest;
    if (this.#ended || asked !== this.#kept) return null;
    const found = await this.#vault.drafts().catch(() => null);
    if (found === null || this.#ended || asked !== this.#newest || slot !== this.slot) return null;
    if (slot !== null && !found.some((one) => one.slot === slot)) this.state.value = "gone";
    return found.filter((one) => one.slot !== slot);
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
        const saved = Math.floor(Date.now() / 1000);
        this.slot = await this.#vault.keepDraft({ ...rest, saved }, this.slot);
        this.saved.value = saved;
      } else if (this.slot !== null) {
        await this.#vault.dropDraft(this.slot);
        this.slot = this.saved.value = null;
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
