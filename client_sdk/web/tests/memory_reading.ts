// The memory twin of ReadingApi: what somebody shared, by a link or to a professional, all of it invented.
// Knows: what the contract says of each call. Refuses to know: keys, seals, the network.

import { ready } from "../src/crypto_core/sodium.js";
import { parseCode } from "../src/crypto_core/sealing/sharing.js";
import type { VerifiedReceipt } from "../src/crypto_core/receipts/receipt.js";
import type {
  Handed, Id, Inbox, Item, KeptReceipt, LackingFile, Named, PackedItem, Problem, ReadingApi, Received, SavedPack, SharedItem, Standing,
  VaultApi,
} from "../src/worker/api.js";
import { Failure, problemOf } from "../src/worker/problems.js";
import { MemoryBoxes } from "./memory_boxes.js";
import { sampleItems, samplePicture } from "./samples.js";

/** The end of the one link that opens something, and its code. */
export const LINK = "#bAAECAwQFBgcICQoLDA0OD8DBwsPExcbHyMnKy8zNzs_Q0dLT1NXW19jZ2tvc3d7f";
export const CODE = "31415926";
export const MESSAGE = "Merci de lire avant jeudi.\n\nLe plus important est devant l’école.";
const DAY = 86_400;
const TRIES = 5;

/** What the twin of a vault does besides: see MemoryVault. */
export const BACKUP_WORDS = Array.from({ length: 24 }, (_, place) => `bloc${String.fromCharCode(97 + place)}`);

export abstract class MemoryReading extends MemoryBoxes implements ReadingApi {
  /** Everything that can be opened here; change it to see what can't. */
  handed: readonly SharedItem[] = sharedSamples();
  sent: readonly Received[] = [received("received0000000000001A", 2, 0), received("received0000000000002A", 9, 1)];
  /** Whether the ledger says how it went on. */
  isContinued = true;
  /** What a pack of one's own lacks. */
  unproven: readonly PackedItem[] = [];
  lost: readonly LackingFile[] = [];
  /** The digits of others who are listed under the same name. */
  strangers: readonly string[] = [];
  #standing: Standing = { state: "none", listing: null, asked: null, fingerprint: FINGERPRINT };
  #link: string | null = null;
  #wrong = 0;

  protected abstract override called(name: keyof VaultApi, ...given: unknown[]): Promise<void>;

  async meetLink(fragment: string): Promise<void> {
    await this.called("meetLink", fragment);
    if (!/^#b[\w-]{64}$/.test(fragment)) throw failure("link_malformed");
    this.#link = fragment;
  }

  async openLink(code: string): Promise<Handed> {
    await this.called("openLink", code);
    await ready();
    try {
      code = parseCode(code);
    } catch (error) {
      throw new Failure(problemOf(error));
    }
    if (this.#link !== LINK || this.#wrong >= TRIES) throw failure("bundle_over");
    if (code === CODE) return this.#opened("linked0000000000000001", false);
    this.#wrong += 1;
    throw failure("code_wrong", { extra: { left: TRIES - this.#wrong } });
  }

  async standing(): Promise<Standing> {
    await this.called("standing");
    return this.#standing;
  }

  async askToBeListed(named: Named, password: string, pin: string): Promise<Standing> {
    await this.called("askToBeListed", named, password, pin);
    const { state } = this.#standing;
    this.#standing = { ...this.#standing, state: state === "approved" ? state : "pending", asked: named };
    return this.#standing;
  }

  /** The operator has compared the digits. */
  approve(): void {
    this.#standing = { ...this.#standing, state: "approved", listing: this.#standing.asked, asked: null };
  }

  async inbox(): Promise<Inbox> {
    await this.called("inbox");
    return { received: this.sent, alarm: this.strangers.length > 0 ? "pro_listed_otherwise" : null, strangers: this.strangers };
  }

  async openReceived(bundle: Id): Promise<Handed> {
    await this.called("openReceived", bundle);
    return this.#opened(bundle, true);
  }

  async readShared(item: Id, revision: number, content: Id, range?: readonly [number, number]): Promise<Blob> {
    await this.called("readShared", item, revision, content, range);
    const found = this.handed.find((one) => one.item.id === item)?.item.contents.find((one) => one.blob === content);
    if (found === undefined) throw failure("bundle_incomplete");
    const blob = samplePicture(found);
    return range === undefined ? blob : blob.slice(range[0], range[1], blob.type);
  }

  async readSharedPiece(item: Id, revision: number, content: Id, start: number, stop: number): Promise<ArrayBuffer> {
    return (await this.readShared(item, revision, content, [start, stop])).arrayBuffer();
  }

  async sharedReceipts(item: Id, revision: number, content: Id): Promise<readonly KeptReceipt[]> {
    await this.called("sharedReceipts", item, revision, content);
    const { deposited } = this.handed.find((one) => one.item.id === item)!.item;
    return [proof(content, deposited)];
  }

  async savePack(into: FileSystemFileHandle | null): Promise<SavedPack> {
    await this.called("savePack", into);
    const left = this.handed.filter(({ proof }) => proof === null)
      .map(({ item: { id: item, revision } }) => ({ item, revision }));
    const unsaid = this.handed.filter(({ proof, words }) => proof !== null && words !== null && words.doubt !== null).length;
    const blob = into === null ? new Blob(["PK"], { type: "application/zip" }) : null;
    return { blob, left, lost: [], unsaid, isContinued: this.isContinued };
  }

  async leavePack(): Promise<void> {
    await this.called("leavePack");
  }

  async saveOwn(into: FileSystemFileHandle | null, items: readonly PackedItem[], sealed = false): Promise<SavedPack> {
    await this.called("saveOwn", into, items, sealed);
    const blob = into === null ? new Blob(["PK"], { type: "application/zip" }) : null;
    return { blob, left: this.unproven, lost: this.lost, unsaid: 0, isContinued: this.isContinued };
  }

  async makeBackupWords(language: "english" | "french"): Promise<readonly string[]> {
    await this.called("makeBackupWords", language);
    return BACKUP_WORDS;
  }

  async verifierPage(): Promise<Blob> {
    await this.called("verifierPage");
    return new Blob(["<!doctype html>"], { type: "text/html" });
  }

  async leaveOwn(): Promise<void> {
    await this.called("leaveOwn");
  }

  async closeShared(): Promise<void> {
    await this.called("closeShared");
  }

  #opened(bundle: Id, pinned: boolean): Handed {
    const now = Math.floor(Date.now() / 1000);
    return {
      bundle, sender: HASH, created: now - DAY, expires: now + 29 * DAY, message: MESSAGE, items: this.handed, pinned,
    };
  }
}

const HASH = Uint8Array.from({ length: 32 }, (_, n) => (n * 41 + 7) % 256);
const FINGERPRINT = "39585 00426 00439 88300 68467 81511 79180 69772";

/** Of each kind something, one with a receipt that doesn't hold, and one that isn't given. */
function sharedSamples(): readonly SharedItem[] {
  const open = sampleItems(Math.floor(Date.now() / 1000)).filter((one) => one.state === "open" && !one.sensitive);
  return open.map((item, place) => {
    if (place === 1) return { item: { ...item, deposited: 0 }, refused: null, proof: null, doubt: "receipt_signature", words: null };
    if (place === 3) return { item: untold(item), refused: "bundle_incomplete", proof: null, doubt: null, words: null };
    return { item, refused: null, proof: proof(item.id, item.deposited), doubt: null, words: null };
  });
}

function untold(item: Item): Item {
  return {
    ...item, deposited: 0, state: "missing", kind: null, title: null, text: null, happened: null, written: null, place: null,
    people: [], tags: [], danger: null, mood: null, category: null, contents: [], answers: null, of: null, masked: [], sent: null,
  };
}

function received(bundle: Id, days: number, opened: number): Received {
  const now = Math.floor(Date.now() / 1000);
  return { bundle, created: now - days * DAY, expires: now + (30 - days) * DAY, openings: 10, opened };
}

/** Only verifyReceipt makes one: this one is for the eye alone. */
function proof(name: string, deposited: number): KeptReceipt {
  const made = {
    outcome: "valid", index: 7, entry: HASH, claimedTime: deposited, boundTime: null, cosignedBy: [],
    commitment: { nonce: HASH, time: deposited, size: 1536, sha256: HASH },
    checkpoint: { origin: "vault.example/ledger", size: 47, root: HASH },
  };
  return { name, receipt: "", verified: made as unknown as VerifiedReceipt };
}

function failure(code: string, more: Partial<Problem> = {}): Failure {
  return new Failure({ code, detail: "", retryAfter: null, extra: {}, ...more });
}
