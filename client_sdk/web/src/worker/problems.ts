// How an error crosses from the worker to the page: as a Problem, whose code both sides know.
// Knows: the one error tree, and comlink's way of throwing. Refuses to know: sentences in any language, and the message
// of an error that is not of the tree: it might hold something that a person wrote.

import { transferHandlers } from "comlink";

import { TemoinError } from "../crypto_core/errors.js";
import { ItemUnproven, Refused } from "../sdk/errors.js";
import type { Problem } from "./api.js";

/** Code of what is no error of the tree: our mistake. */
export const UNEXPECTED = "unexpected";
/** Code of a device that has no room left; nothing of what was there is touched. */
export const DEVICE_FULL = "device_full";
/** Code of a transfer that was stopped where it was, by whoever asked for it. */
export const PAUSED = "paused";

/** What the page catches. */
export class Failure extends Error implements Problem {
  readonly code: string;
  readonly detail: string;
  readonly retryAfter: number | null;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(problem: Problem) {
    super(problem.code);
    this.name = "Failure";
    this.code = problem.code;
    this.detail = problem.detail;
    this.retryAfter = problem.retryAfter;
    this.extra = problem.extra;
  }
}

/** Whether something caught is what the worker threw. */
export function isProblem(error: unknown): error is Problem {
  return error instanceof Failure;
}

/** An error as it may leave the worker. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Failure) {
    const { code, detail, retryAfter, extra } = error;
    return { code, detail, retryAfter, extra };
  }
  if (error instanceof Refused) {
    return { code: error.code, detail: error.detail, retryAfter: error.retryAfter, extra: error.extra };
  }
  if (error instanceof ItemUnproven) {
    const { code, detail, item, revision } = error;
    return { code, detail, retryAfter: null, extra: { item, revision } };
  }
  if (error instanceof TemoinError) return { code: error.code, detail: error.detail, retryAfter: null, extra: {} };
  const name = error instanceof Error || error instanceof DOMException ? error.name : typeof error;
  const code = name === "QuotaExceededError" ? DEVICE_FULL : UNEXPECTED;
  return { code, detail: name, retryAfter: null, extra: {} };
}

/** Makes comlink throw Problems, in this realm; called once by the worker and once by the page. */
export function throwProblems(): void {
  const usual = transferHandlers.get("throw");
  if (usual === undefined) throw new Error("comlink throws in another way");
  transferHandlers.set("throw", {
    canHandle: (value): value is unknown => usual.canHandle(value),
    serialize: (thrown: { readonly value: unknown }) => [problemOf(thrown.value), []],
    deserialize: (problem: Problem): never => {
      throw new Failure(problem);
    },
  });
}
