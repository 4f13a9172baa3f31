// A connection that tells whether the vault can be reached.
// Knows: when an answer came and when none did; a cut while bytes are sent is the sender's, who tries again and says so.
// Refuses to know: what is asked and answered.

import { NetworkError } from "../sdk/errors.js";
import type { Transport } from "../sdk/transport.js";

/** Another Transport; `reach` hears of every answer, and of every one that did not come. */
export class Watched implements Transport {
  readonly host: string;
  readonly ask: Transport["ask"];
  readonly put: Transport["put"];
  readonly #inner: Transport;
  readonly #reach: (reachable: boolean) => void;

  constructor(inner: Transport, reach: (reachable: boolean) => void) {
    this.host = inner.host;
    this.#inner = inner;
    this.#reach = reach;
    this.ask = (method, path, asking) => this.#watched(inner.ask(method, path, asking));
    this.put = async (path, pieces, digests, asking) => {
      const answer = await inner.put(path, pieces, digests, asking);
      this.#reach(true);
      return answer;
    };
  }

  async *read(...asked: Parameters<Transport["read"]>): AsyncGenerator<Uint8Array, void> {
    try {
      for await (const block of this.#inner.read(...asked)) {
        this.#reach(true);
        yield block;
      }
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  close(): void {
    this.#inner.close();
  }

  async #watched<T>(asked: Promise<T>): Promise<T> {
    try {
      const answer = await asked;
      this.#reach(true);
      return answer;
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  /** A refusal is an answer, too. */
  #failed(error: unknown): void {
    this.#reach(!(error instanceof NetworkError));
  }
}
