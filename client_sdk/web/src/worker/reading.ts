// What others shared, in the worker: one link and one bundle that is open, at most.
// Knows: which call opens which. Refuses to know: how it is proven (sdk/opening.ts), and the page.

import { NotOpen } from "../sdk/errors.js";
import type { KeptReceipt } from "../sdk/items.js";
import type { Policy } from "../crypto_core/receipts/policy.js";
import {
  Link, Openings, openLink, verifyUnder, type OpenedBundle, type ReadingWith, type SharedWords,
} from "../sdk/opening.js";
import type { Id, Handed, SentWords, SharedItem } from "./api.js";
import { fileOf, pieceOf, shown } from "./pieces.js";

export class Reading {
  /** Until an opening is whole, trying again is not another one. */
  readonly openings = new Openings();
  #link: Link | null = null;
  #bundle: OpenedBundle | null = null;

  /** Takes the end of a link; asks nobody. Throws LinkMalformed. */
  meet(fragment: string): void {
    const link = Link.parse(fragment);
    this.close();
    this.#link = link;
  }

  /** Tries a code for the link. `pinned`: the ledger's key was known before. Throws NotOpen where there is no link. */
  async openLink(code: string, by: Omit<ReadingWith, "verify">, policy: Policy, pinned: boolean): Promise<Handed> {
    if (this.#link === null) throw new NotOpen();
    return this.show(await openLink(this.#link, code, this.openings, { ...by, verify: verifyUnder(policy) }), pinned);
  }

  /** From now on this is read. */
  show(bundle: OpenedBundle, pinned: boolean): Handed {
    this.#bundle = bundle;
    const { bundle: id, sender, created, expires, message, items } = bundle;
    return { bundle: id, sender, created, expires, message, items: items.map(shownOf), pinned };
  }

  async file(
    item: Id, revision: number, content: Id, range?: readonly [number, number], differing?: boolean,
  ): Promise<Blob> {
    const bundle = this.opened;
    const found = bundle.contentOf(item, revision, content);
    return fileOf(bundle.content(found, ...(range ?? [])), found.mime, differing);
  }

  async piece(item: Id, revision: number, content: Id, start: number, stop: number): Promise<ArrayBuffer> {
    const bundle = this.opened;
    const found = bundle.contentOf(item, revision, content);
    return pieceOf((from, to) => bundle.content(found, from, to), start, stop);
  }

  async receipts(item: Id, revision: number, content: Id): Promise<readonly KeptReceipt[]> {
    const bundle = this.opened;
    return bundle.receipts(bundle.contentOf(item, revision, content));
  }

  /** What is read. Throws NotOpen. */
  get opened(): OpenedBundle {
    if (this.#bundle === null) throw new NotOpen();
    return this.#bundle;
  }

  /** Nothing is read any more, and the link is forgotten. */
  close(): void {
    this.#link?.forget();
    this.#link = null;
    this.#bundle = null;
  }
}

function shownOf({ record: _, words, ...one }: OpenedBundle["items"][number]): SharedItem {
  return { ...one, item: shown(one.item), words: words && wordsOf(words) };
}

/** Somebody's own words without what opens their files. */
function wordsOf({ said, proof, doubt }: SharedWords): SentWords {
  if (said === null) return { said, proof, doubt, files: [] };
  const { name, message, written, contents } = said;
  return { said: { name, message, written }, proof, doubt, files: contents.map((one) => one.blob) };
}
