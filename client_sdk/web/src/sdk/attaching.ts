// What is written together with files: the files first, then what names them; once that lies in the outbox their journals go.
// Knows: that two are sent at once, and where previews and drafts of what is written lie. Refuses to know: what is
// written, and how a file is sealed and sent.

import type { Drafts, Thumbnails } from "./drafts.js";
import type { Content, Id } from "./items.js";
import type { Session } from "./session.js";
import type { Sent, Uploaded, Uploader } from "./uploader.js";
import type { Keeping } from "./writer.js";

/** So that a photograph doesn't wait for a long video. */
const AT_ONCE = 2;

/** A file of an entry; `thumbnail` is a small preview of it, kept on this device alone. */
export interface Attachment {
  readonly file: Blob;
  readonly thumbnail: Blob | null;
}

/** How something is written. Its draft, in `slot`, goes when it lies in the outbox, and `waits` is called then: it is
 * sent from there, whatever happens. `sent`: how its files go. */
export interface Writing {
  readonly sensitive?: boolean;
  readonly attachments?: readonly Attachment[];
  readonly slot?: Id | null;
  readonly sent?: Sent;
  readonly waits?: () => void;
}

/** What one session writes with files. */
export class Attaching {
  readonly #session: Session;
  readonly #uploader: Uploader;
  readonly #drafts: Drafts;
  readonly #thumbnails: Thumbnails;
  /** What is being sent. */
  #sending: readonly Promise<unknown>[] = [];

  constructor(session: Session, uploader: Uploader, drafts: Drafts, thumbnails: Thumbnails) {
    this.#session = session;
    this.#uploader = uploader;
    this.#drafts = drafts;
    this.#thumbnails = thumbnails;
  }

  /** Files first, then, under the account's lock, `act`, which names them. `keeping`: how that takes the place of its draft, and of
   * the files' journals: they aren't sent again. */
  async write<T>(
    how: Writing, sensitive: boolean, act: (contents: readonly Content[], keeping: Keeping) => Promise<T>,
  ): Promise<T> {
    const sent: Uploaded[] = [];
    try {
      await this.#inTurn(async () => {
        for (const { file, thumbnail } of how.attachments ?? []) {
          const one = await this.#uploader.send(file, sensitive, how.sent);
          sent.push(one);
          if (thumbnail !== null) await this.#thumbnails.keep(one.content.blob, thumbnail, sensitive);
        }
      });
      return await this.#session.locked(() => act(sent.map((one) => one.content), this.#keeping(how, sent)));
    } finally {
      for (const one of sent) one.journal.close();
    }
  }

  #keeping({ slot = null, waits }: Writing, sent: readonly Uploaded[]): Keeping {
    return async (keep) => {
      const entry = await (slot === null ? keep() : this.#drafts.replace(slot, keep));
      waits?.();
      for (const { journal } of sent) await journal.remove();
      return entry;
    };
  }

  /** Does `act` when fewer than two others are under way. */
  async #inTurn(act: () => Promise<void>): Promise<void> {
    while (this.#sending.length >= AT_ONCE) await Promise.race(this.#sending);
    const mine = act();
    const ended = mine.catch(() => undefined).then(() => {
      this.#sending = this.#sending.filter((one) => one !== ended);
    });
    this.#sending = [...this.#sending, ended];
    return mine;
  }
}
