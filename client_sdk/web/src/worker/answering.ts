// How the worker answers: one VaultClient behind every call, what the page is told unasked, and when to try again.
// Knows: which calls wait for each other, what of an error crosses, and what is new. Refuses to know: what is asked
// (worker/calls), how a message crosses, and whether this is a worker at all. No key leaves, no word but as an answer.

import type { Policy } from "../crypto_core/receipts/policy.js";
import { OutOfOrder } from "../crypto_core/errors.js";
import type { SendingWith } from "../sdk/box_visit.js";
import type { VaultClient } from "../sdk/client.js";
import { NetworkError, NotOpen, Refused } from "../sdk/errors.js";
import type { ReadingWith } from "../sdk/opening.js";
import type { Progress } from "../sdk/progress.js";
import type { Sent } from "../sdk/uploader.js";
import { ERASED, type Id, type LostFile, type Notice, type Opening } from "./api.js";
import { Failure, PAUSED, problemOf } from "./problems.js";
import { Retry } from "./retry.js";

/** How often a transfer tells how far it is. */
const PROGRESS_MS = 100;

/** What every call stands on. */
export interface Ground {
  readonly client: VaultClient;
  /** Whom a receipt is checked against that came without a policy, and whether this browser knew it before. */
  policy(): Promise<readonly [Policy, pinned: boolean]>;
  /** The same, in every key that the vault's records lead to by now: for whoever reads there or sends without an account. */
  followed(): Promise<readonly [Policy, pinned: boolean]>;
  /** With what a link is read, but for the policy; and with what something is put into a box. */
  readonly link: Omit<ReadingWith, "verify">;
  readonly box: Omit<SendingWith, "verify">;
  /** Whether nothing is kept beyond this page. */
  readonly forgetful: boolean;
}

/** The answers of one page. Calls may come in any order and at once. */
export class Answering {
  /** What is let go of at a lock, besides the vault itself. */
  readonly atLock: (() => void)[] = [];
  readonly #ground: Promise<Ground>;
  readonly #retry = new Retry(() => this.#again());
  #listener: ((notice: Notice) => void) | null = null;
  #entering: Promise<unknown> = Promise.resolve();
  #erasing: Promise<unknown> = Promise.resolve();
  #reachable = true;
  #ended = false;
  #waiting = 0;
  #warned = "";
  #givenBack = 0;
  #lostFiles: readonly LostFile[] = [];
  /** What can be paused, by the page's numbers. */
  readonly #transfers = new Map<number, AbortController>();
  /** Tells other tabs of this browser that something was written (null), or which account was erased; nothing else. */
  readonly #tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("a");

  constructor(begin: (answering: Answering) => Promise<Ground>) {
    this.#ground = begin(this);
    this.#ground.catch(() => undefined); // each call tells it
    this.#tabs?.addEventListener("message", ({ data }: MessageEvent<Id | null>) => void this.#hear(data));
  }

  async listen(listener: (notice: Notice) => void): Promise<void> {
    this.#listener = listener;
    if ((await this.#ground).forgetful) this.tell({ kind: "forgetful" });
  }

  /** The network is back, as far as the browser knows. */
  online(): Promise<void> {
    return this.#retry.now();
  }

  /** One answer. Whatever goes wrong leaves as a Problem, and is looked at on its way. */
  async ask<T>(act: (client: VaultClient, ground: Ground) => T | Promise<T>): Promise<T> {
    const ground = await this.#ground;
    const { client } = ground;
    try {
      const result = await act(client, ground);
      this.#watch(client);
      return result;
    } catch (error) {
      this.#watch(client);
      throw this.#seen(client, error);
    }
  }

  /** What changes who is in: one after the other. */
  enter<T>(act: (client: VaultClient) => Promise<T>): Promise<T> {
    const mine = this.#entering.then(() => this.ask(act));
    this.#entering = mine.catch(() => undefined);
    return mine;
  }

  /** Somebody is in. */
  entered(opening: Opening): Opening {
    this.#ended = false;
    this.#waiting = opening.waiting;
    this.#givenBack = opening.givenBack;
    if (opening.waiting > 0) this.#retry.begin();
    this.finish();
    return opening;
  }

  /** Locks; what is on its way breaks off, but for an erasure, which is waited for. */
  async lock(): Promise<void> {
    this.#breakOff();
    await this.#erasing.catch(() => undefined);
    return this.ask((client) => client.lock());
  }

  /** Erases the open account; other tabs let go of it. False where nobody knows whether it was: it is locked then, too. */
  erase(password: string, pin: string): Promise<boolean> {
    const erasing = this.#erase(password, pin);
    this.#erasing = erasing;
    return erasing;
  }

  /** Something that is written. A Problem says whether the outbox has it. */
  async write<T>(act: (client: VaultClient, waits: () => void) => Promise<T>): Promise<T> {
    let waiting = false;
    try {
      return await this.ask(async (client) => {
        try {
          const result = await act(client, () => void (waiting = true));
          this.#tabs?.postMessage(null);
          return result;
        } finally {
          if (client.isOpen) await this.count(client);
        }
      });
    } catch (error) {
      if (!waiting) throw error;
      const problem = problemOf(error);
      throw new Failure({ ...problem, extra: { ...problem.extra, waiting } });
    }
  }

  /** A transfer of the page's, which it hears of and may pause. */
  async send<T>(transfer: number | null = null, act: (sent: Sent) => Promise<T>): Promise<T> {
    const stop = new AbortController();
    if (transfer !== null) this.#transfers.set(transfer, stop);
    try {
      return await act({ signal: stop.signal, progress: this.transfer(true, transfer) });
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      throw new Failure({ code: PAUSED, detail: "", retryAfter: null, extra: {} });
    } finally {
      if (transfer !== null) this.#transfers.delete(transfer);
    }
  }

  async pause(transfer: number): Promise<void> {
    this.#transfers.get(transfer)?.abort();
  }

  /** Closes recordings that broke off, while nobody waits for it. */
  finish(): void {
    void this.#quietly((client) => client.recordings.finish());
  }

  /** Counts what waits, and sees to it. */
  async count(client: VaultClient): Promise<void> {
    const { length } = await client.waiting();
    if (length !== this.#waiting) this.tell({ kind: "waiting", count: length });
    this.#waiting = length;
    if (length > 0) this.#retry.begin();
  }

  /** Whether the vault could be reached last. */
  reach(reachable: boolean): void {
    if (reachable !== this.#reachable) this.tell({ kind: "network", reachable });
    this.#reachable = reachable;
  }

  tell(notice: Notice): void {
    this.#listener?.(notice);
  }

  /** Tells how far something is. */
  transfer(sending: boolean, transfer: number | null = null): Progress {
    let [name, done, total, told, found] = ["", 0, 0, 0, 0];
    const tell = (): void => {
      told = Date.now();
      this.tell({ kind: "progress", sending, name, done, total, found, transfer });
    };
    return {
      start: (label, size) => {
        [name, done, total, found] = [label, 0, size, 0];
        tell();
      },
      found: (count) => {
        found += count;
      },
      advance: (count) => {
        done += count;
        if (done >= total || Date.now() - told >= PROGRESS_MS) tell(); // the last one, or it would seem to stand still
      },
      done: () => {
        done = total;
        tell();
      },
    };
  }

  #erase(password: string, pin: string): Promise<boolean> {
    return this.enter(async (client) => {
      const { account } = client;
      this.#ended = true; // what is refused meanwhile is refused because of this, and the page hears of it here alone
      try {
        await account.erase(password, pin);
        this.#tabs?.postMessage(account.id);
        return true;
      } catch (error) {
        if (client.isOpen) throw error;
        return false;
      } finally {
        this.#ended = !client.isOpen;
        if (this.#ended) this.#breakOff();
      }
    });
  }

  #breakOff(): void {
    this.#retry.stop();
    for (const one of this.#transfers.values()) one.abort();
    for (const letGo of this.atLock) letGo();
  }

  /** What another tab tells. */
  async #hear(erased: Id | null): Promise<void> {
    if (erased === null) return this.#quietly((client) => client.refresh());
    const { client } = await this.#ground;
    const left = await client.leaveErased(erased).catch(() => true); // locked all the same
    if (!left) return;
    this.#ended = true;
    this.#breakOff();
    this.tell({ kind: "session_ended", code: ERASED });
  }

  /** What another tab did, or what nobody asked for: no error of it is anybody's. */
  async #quietly(act: (client: VaultClient) => Promise<unknown>): Promise<void> {
    const { client } = await this.#ground;
    if (!client.isOpen || this.#ended) return;
    await this.ask(act).catch(() => undefined);
  }

  /** Whether there is more to be tried. */
  async #again(): Promise<boolean> {
    await this.#quietly(async (client) => {
      await client.synchronise();
      await this.count(client);
      await client.recordings.finish();
    });
    const { client } = await this.#ground;
    return client.isOpen && !this.#ended && (this.#waiting > 0 || !this.#reachable);
  }

  /** Tells what is new: rows, warnings, what was given back, and what items go on without. */
  #watch(client: VaultClient): void {
    if (!client.isOpen) return;
    if (client.changed) this.tell({ kind: "changed" });
    const codes = client.warnings;
    if (codes.join() !== this.#warned) this.tell({ kind: "warnings", codes });
    this.#warned = codes.join();
    if (client.givenBack !== this.#givenBack) this.tell({ kind: "given_back", count: client.givenBack });
    this.#givenBack = client.givenBack;
    const { lostFiles: files } = client;
    if (files.length > 0 && files !== this.#lostFiles) this.tell({ kind: "lost_files", files });
    this.#lostFiles = files;
  }

  #seen(client: VaultClient, error: unknown): Failure {
    if (error instanceof NetworkError) {
      this.reach(false);
      if (client.isOpen) this.#retry.begin();
    }
    if (error instanceof Refused && error.code === "unauthorized" && client.isOpen && !this.#ended) {
      this.#ended = true;
      this.#retry.stop();
      this.tell({ kind: "session_ended", code: error.code });
    }
    const wasLocked = error instanceof OutOfOrder && !client.isOpen;
    return new Failure(problemOf(wasLocked ? new NotOpen() : error));
  }
}
