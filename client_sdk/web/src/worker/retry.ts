// Tries again, later and later, until nothing is left to do.
// Knows: when. Refuses to know: what.

const FIRST_MS = 5_000;
const LAST_MS = 300_000;

/** Repeats `act` until it says that nothing is left: after 5 seconds, then twice as long, up to 5 minutes. */
export class Retry {
  readonly #act: () => Promise<boolean>;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #pause = FIRST_MS;
  #running = false;

  /** `act` gives whether there is more to do; it does not reject. */
  constructor(act: () => Promise<boolean>) {
    this.#act = act;
  }

  /** Whether it will try again by itself. */
  get isWaiting(): boolean {
    return this.#timer !== null || this.#running;
  }

  /** There is something to do. */
  begin(): void {
    if (!this.isWaiting) this.#wait();
  }

  /** Now is a good moment, if there is anything to do. */
  async now(): Promise<void> {
    if (this.#timer === null) return;
    this.#pause = FIRST_MS;
    await this.#try();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pause = FIRST_MS;
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.#try(), this.#pause);
    this.#pause = Math.min(2 * this.#pause, LAST_MS);
  }

  async #try(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#running = true;
    const more = await this.#act();
    this.#running = false;
    if (more) this.#wait();
    else this.stop();
  }
}
