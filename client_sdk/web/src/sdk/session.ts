// One open session: what its reader, writer and synchroniser share.
// Knows: who asks whom, with which keys. Refuses to know: what is asked for.

import { concat, decodeText, encodeText, formatB64url, isSame } from "../crypto_core/encoding.js";
import {
  CryptoCoreError, MalformedError, NoteKeyUnknown, ReceiptKeyUnknown, VerificationError,
} from "../crypto_core/errors.js";
import type { Checkpoint } from "../crypto_core/receipts/checkpoint.js";
import { consistencyFromInclusion, hashLeaf } from "../crypto_core/receipts/merkle.js";
import { verifyReceipt, type VerifiedReceipt } from "../crypto_core/receipts/receipt.js";
import { MAX_ROTATIONS_SIZE } from "../crypto_core/receipts/rotation.js";
import type { Keyring } from "../crypto_core/sealing/keyring.js";
import type { Answer, Body, Method, Path } from "../schemas/endpoints.js";
import { CHECKPOINT_NOTE } from "../schemas/limits.js";
import {
  CheckpointInvalid, LedgerForked, LedgerKeyChanged, LedgerLags, Refused, type TrustError,
} from "./errors.js";
import type { AccountHome, Pin } from "./home.js";
import type { Id } from "./items.js";
import { openAccountState, type AccountState } from "./keychain.js";
import type { Progress } from "./progress.js";
import { Finding, Links } from "./protocol/sync.js";
import type { Replica } from "./replica.js";
import type { AskingJson, Places, Transport } from "./transport.js";
import type { TrustStore, Warnings } from "./trust_store.js";

export const CONSISTENCY = "/v1/ledger/consistency";
export const CHECKPOINT = "/ledger/checkpoint";
export const ROTATIONS = "/ledger/rotations";
export const RESTORATIONS = "/ledger/restorations";
/** Seconds for which a public checkpoint may be smaller than the one held here; then it is told. */
export const LAG = 86_400;

export interface SessionParts {
  readonly transport: Transport;
  readonly token: Uint8Array;
  readonly keyring: Keyring;
  readonly state: AccountState;
  readonly dropBox: Uint8Array;
  readonly pin: Pin;
  /** Where a pin that has moved on is kept for this device. */
  readonly keepPin: (pin: Pin) => Promise<void>;
  readonly home: AccountHome;
  readonly replica: Replica;
  readonly trust: TrustStore;
  readonly warnings: Warnings;
  /** Unix seconds. */
  readonly clock: () => number;
  readonly progress: Progress;
}

/** The parts of an open vault. `links` is what the last finished synchronisation showed. */
export class Session {
  readonly transport: Transport;
  readonly keyring: Keyring;
  readonly home: AccountHome;
  readonly replica: Replica;
  readonly trust: TrustStore;
  readonly warnings: Warnings;
  readonly clock: () => number;
  readonly progress: Progress;
  readonly links = new Links();
  pin: Pin;
  /** The newest account record that this device could read, or that a newer version wrote: then it says nothing. */
  state: AccountState;
  /** What the vault gave as account record last, whatever it is. */
  offered: AccountState;
  /** Whether the public checkpoint has been behind for longer than a day. */
  lags = false;
  readonly #token: Uint8Array;
  readonly #keepPin: (pin: Pin) => Promise<void>;
  #dropBox: Uint8Array;

  constructor(parts: SessionParts) {
    this.transport = parts.transport;
    this.#token = parts.token;
    this.keyring = parts.keyring;
    this.state = this.offered = parts.state;
    this.#dropBox = parts.dropBox;
    this.pin = parts.pin;
    this.#keepPin = parts.keepPin;
    this.home = parts.home;
    this.replica = parts.replica;
    this.trust = parts.trust;
    this.warnings = parts.warnings;
    this.clock = parts.clock;
    this.progress = parts.progress;
  }

  /** The account's id. */
  get account(): Id {
    return formatB64url(this.keyring.account);
  }

  /** The sealed drop-box, 136 bytes. */
  get dropBox(): Uint8Array {
    return this.#dropBox;
  }

  set dropBox(sealed: Uint8Array) {
    this.#dropBox = sealed;
  }

  /** A JSON request of this session. */
  ask<M extends Method, P extends Path<M>>(
    method: M, path: P, asking: Omit<AskingJson<Body<M, P>>, "token" | "headers"> = {},
  ): Promise<Answer<M, P>> {
    return this.transport.ask<M, P>(method, path, { ...asking, token: this.#token });
  }

  /** Bytes sent for this session, tried once. */
  put<P extends Path<"PUT">>(
    path: P, pieces: readonly Uint8Array[], digests: readonly Uint8Array[], places: Places,
    signal: AbortSignal | null = null,
  ): Promise<Answer<"PUT", P>> {
    return this.transport.put(path, pieces, digests, { token: this.#token, places, signal });
  }

  /** Bytes for this session, the whole or [start, stop). */
  read(
    path: Path<"GET">, places: Places, start = 0, stop: number | null = null,
  ): AsyncGenerator<Uint8Array, void> {
    return this.transport.read(path, start, stop, { token: this.#token, places });
  }

  /** Does `act` while no other tab or call holds this account, with what other tabs wrote taken in. Not re-entrant. */
  locked<T>(act: () => Promise<T>): Promise<T> {
    return this.home.lock(async () => {
      await this.replica.refresh();
      await this.warnings.refresh();
      await this.trust.refresh();
      return act();
    });
  }

  /** An account record of ours that the vault has taken: with its heads, nothing is left to be written. */
  async keepState(n: number, record: Uint8Array): Promise<void> {
    const state = openAccountState(this.keyring.mkN, this.account, n, record);
    this.state = this.offered = state;
    await this.replica.writing(() => {
      this.replica.rememberAccount(state.n, state.hash, state.blob);
      this.replica.setFact("dirty", false);
    });
  }

  /** What a person is told of the vault: the warnings that stand, and what is no more than told. */
  get told(): readonly TrustError[] {
    return [...this.warnings.errors, ...(this.lags ? [new LedgerLags()] : [])];
  }

  /** Proves a receipt under the pinned key for a blob's SHA-256 (32 bytes) and size, and that the ledger only grew.
   *
   * Only then is anything called kept. A fork is thrown when it is found; after that it stands as a warning, and
   * receipts under the pinned key go on. Throws a leaf of VerificationError, LedgerKeyChanged, CheckpointInvalid or
   * LedgerForked. */
  async verify(receipt: string, sha256: Uint8Array, size: number): Promise<VerifiedReceipt> {
    const data = encodeText(receipt);
    let verified: VerifiedReceipt;
    try {
      verified = await this.#verify(data, sha256, size);
    } catch (error) {
      if (error instanceof VerificationError) await this.home.keepEvidence("receipt", data);
      if (!(error instanceof ReceiptKeyUnknown)) throw error;
      await this.warnings.add(Finding.LEDGER_KEY_CHANGED);
      throw new LedgerKeyChanged();
    }
    await this.believe(receipt.slice(receipt.indexOf("\n\n") + 2), verified);
    return verified;
  }

  /** Whether the records of rotations that the vault publishes have taught this device a key: the pin moves on, and the
   * account record with it. Records that can't be believed are kept as evidence, beside those held. */
  async learnRotations(): Promise<boolean> {
    const records = await readPublished(this.transport, ROTATIONS, MAX_ROTATIONS_SIZE);
    let pin: Pin;
    try {
      pin = this.pin.rotated(records);
      this.trust.rotate(pin.policy);
    } catch (error) {
      if (!(error instanceof CryptoCoreError)) throw error;
      for (const one of [this.pin.rotations, records].filter(({ length }) => length > 0)) {
        await this.home.keepEvidence(error.code, one);
      }
      return false;
    }
    if (isSame(pin.rotations, this.pin.rotations)) return false;
    this.pin = pin;
    await this.#keepPin(pin);
    await this.replica.writing(() => this.replica.setFact("dirty", true));
    return true;
  }

  /** Advances the trust store; a fork leaves a warning, and is thrown the first time.
   *
   * `receipt`: what brought the note. Where its entry is the first that this device didn't know of, it proves by itself
   * that the ledger only grew, and nobody is asked. */
  async believe(note: string, receipt: VerifiedReceipt | null = null): Promise<Checkpoint> {
    const consistency = async (old: number, wider: number): Promise<readonly Uint8Array[]> =>
      receipt !== null && old === receipt.index && wider === receipt.checkpoint.size
        ? consistencyFromInclusion(old, wider, hashLeaf(receipt.entry), receipt.proof)
        : this.#consistency(old, wider);
    try {
      return await this.trust.advance(note, consistency, this.clock());
    } catch (error) {
      if (!(error instanceof LedgerForked)) throw error;
      if (this.warnings.findings.has(Finding.LEDGER_FORKED)) return this.trust.open(note);
      await this.warnings.add(Finding.LEDGER_FORKED);
      throw error;
    }
  }

  /** Whether a tree that was signed once and the note held here fit together. */
  isOfThisLedger(tree: Checkpoint): Promise<boolean> {
    return this.trust.fits(tree, (old, wider) => this.#consistency(old, wider));
  }

  /** Fetches the public checkpoint, and believes it if it fits. One that does not verify, twice, is a warning. */
  async watchLedger(): Promise<void> {
    for (let tries = 0; tries < 2; tries += 1) {
      const note = await readPublished(this.transport, CHECKPOINT, CHECKPOINT_NOTE);
      try {
        await this.#compareWithHeld(await this.believe(textOf(note)), note);
        return;
      } catch (error) {
        if (!(error instanceof CheckpointInvalid)) throw error;
        if (error.detail === NoteKeyUnknown.code && (await this.learnRotations())) continue;
        await this.home.keepEvidence("checkpoint", note);
      }
    }
    await this.warnings.add(Finding.CHECKPOINT_INVALID);
  }

  async #compareWithHeld(publicly: Checkpoint, note: Uint8Array): Promise<void> {
    this.lags = await this.trust.lags(publicly, LAG, this.clock());
    if (!this.lags) return;
    await this.home.keepEvidence("lag-public", note);
    await this.home.keepEvidence("lag-held", encodeText(this.trust.newest ?? ""));
  }

  async #verify(data: Uint8Array, sha256: Uint8Array, size: number): Promise<VerifiedReceipt> {
    try {
      return verifyReceipt(data, { sha256, size, policy: this.trust.policy });
    } catch (error) {
      if (!(error instanceof ReceiptKeyUnknown) || !(await this.learnRotations())) throw error;
    }
    return verifyReceipt(data, { sha256, size, policy: this.trust.policy });
  }

  async #consistency(old: number, wider: number): Promise<readonly Uint8Array[]> {
    return (await this.ask("GET", CONSISTENCY, { query: { old, new: wider } })).proof;
  }
}

/** What anybody may read there; no more than one byte beyond `most`. Nothing where a vault has no such thing. */
export async function readPublished(
  transport: Transport, path: typeof CHECKPOINT | typeof ROTATIONS | typeof RESTORATIONS, most: number,
): Promise<Uint8Array> {
  const blocks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const block of transport.read(path)) {
      blocks.push(block);
      size += block.length;
      if (size > most) break;
    }
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "not_found") throw error;
  }
  return concat(...blocks).slice(0, most + 1);
}

/** The text of a note; nothing if it is not UTF-8, which no ledger signs. */
function textOf(note: Uint8Array): string {
  try {
    return decodeText(note);
  } catch (error) {
    if (error instanceof MalformedError) return "";
    throw error;
  }
}
