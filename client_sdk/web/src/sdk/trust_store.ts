// What this device believes of the vault, and the warnings that stand against it.
// Knows: the newest signed note of the ledger, and what a person has accepted. Refuses to know: records and keys that
// open them. Both notes of a fork stay among the evidence.
//
// Both are mirrored in memory, and read again from the device before they change: another tab may have been first.

import * as v from "valibot";

import { encodeText, formatJson, isSame, parseJson } from "../crypto_core/encoding.js";
import {
  ConsistencyMismatch, CryptoCoreError, MalformedError, NoteKeyRetired, RotationBackwards,
} from "../crypto_core/errors.js";
import type { Checkpoint } from "../crypto_core/receipts/checkpoint.js";
import { verifyConsistency } from "../crypto_core/receipts/merkle.js";
import type { Policy } from "../crypto_core/receipts/policy.js";
import { openCheckpoint } from "../crypto_core/receipts/witnessed.js";
import {
  AccountRecordInvalid, AccountRecordOlder, BlobSwapped, CheckpointInvalid, DeviceNewer, DirectoryForked, ItemsMissing,
  LedgerForked, LedgerKeyChanged, Refused, Untrusted, type TrustError,
} from "./errors.js";
import { requireKnown, type AccountHome } from "./home.js";
import { AuditEvent, auditing } from "./protocol/audit.js";
import { Finding, NOTHING_ACCEPTED, type Accepted } from "./protocol/sync.js";

/** (smaller size, larger size) → the proof that the ledger gives for them. */
export type FetchConsistency = (old: number, wider: number) => Promise<readonly Uint8Array[]>;

export const ERRORS: Readonly<Record<Finding, new () => TrustError>> = {
  items_missing: ItemsMissing,
  account_record_older: AccountRecordOlder,
  account_record_invalid: AccountRecordInvalid,
  blob_swapped: BlobSwapped,
  ledger_forked: LedgerForked,
  ledger_key_changed: LedgerKeyChanged,
  checkpoint_invalid: CheckpointInvalid,
  directory_forked: DirectoryForked,
};

const HELD = v.strictObject({ note: v.string(), since: v.pipe(v.number(), v.safeInteger()) });
/** A note, and when this device began to hold it: Unix seconds by its own clock. */
type Held = v.InferOutput<typeof HELD>;

/** The newest note of one ledger that this account's device has seen. */
export class TrustStore {
  policy: Policy;
  readonly #home: AccountHome;
  #held: Held | null = null;
  #last: { readonly note: string; readonly policy: Policy; readonly checkpoint: Checkpoint } | null = null;

  private constructor(home: AccountHome, policy: Policy) {
    this.#home = home;
    this.policy = policy;
  }

  /** What this device holds of an account's ledger. */
  static async load(home: AccountHome, policy: Policy): Promise<TrustStore> {
    const store = new TrustStore(home, policy);
    await store.refresh();
    return store;
  }

  /** Takes in what another tab believed. Throws MalformedError, DeviceNewer. */
  async refresh(): Promise<void> {
    const kept = await this.#home.store.get(this.#home.key("checkpoint"));
    requireKnown(kept, "note", "since");
    const read = v.safeParse(v.optional(HELD), kept);
    if (!read.success) throw new MalformedError("not what this device holds of the ledger");
    this.#held = read.output ?? null;
  }

  /** The newest note, null if none was seen yet. */
  get newest(): string | null {
    return this.#held?.note ?? null;
  }

  /** A checkpoint that the pinned ledger signed under its own origin. Throws CheckpointInvalid. */
  open(note: string): Checkpoint {
    const last = this.#last;
    if (last !== null && last.note === note && last.policy === this.policy) return last.checkpoint;
    const checkpoint = opened(note, this.policy);
    this.#last = { note, policy: this.policy, checkpoint };
    return checkpoint;
  }

  /** Believes a note, if it and the one held fit together; holds the larger of the two from then (`now`) on.
   *
   * A smaller one is lag, if it fits. Throws CheckpointInvalid, or LedgerForked after keeping both as evidence. */
  advance(note: string, fetchConsistency: FetchConsistency, now: number): Promise<Checkpoint> {
    return this.#alone(() => this.#compare(note, fetchConsistency, now));
  }

  /** Whether a tree and the one of the note held here fit together; any does as long as none is held. */
  async fits(tree: Checkpoint, fetchConsistency: FetchConsistency): Promise<boolean> {
    const held = this.newest;
    return held === null || fit(tree, this.open(held), fetchConsistency);
  }

  /** Whether a public checkpoint has been smaller than the one held here for more than `most` seconds.
   *
   * By this device's clock, which may have been set back meanwhile. */
  lags(publicly: Checkpoint, most: number, now: number): Promise<boolean> {
    return this.#alone(async () => {
      if (this.#held === null || publicly.size >= this.open(this.#held.note).size) return false;
      if (this.#held.since > now) await this.#hold({ ...this.#held, since: now });
      return now - this.#held.since > most;
    });
  }

  /** Trusts the keys that records have led to from now on.
   *
   * Throws RotationBackwards if a record has the key that alone signed the note held here end before it. */
  rotate(policy: Policy): void {
    if (this.newest !== null) {
      try {
        openCheckpoint(encodeText(this.newest), policy);
      } catch (error) {
        throw error instanceof NoteKeyRetired ? new RotationBackwards("before the note held here") : error;
      }
    }
    this.policy = policy;
  }

  /** Lets go of the held note, after a fork was accepted; the evidence stays. */
  forget(): Promise<void> {
    return this.#alone(async () => {
      await this.#home.store.write({ delete: [this.#home.key("checkpoint")] });
      this.#held = null;
    });
  }

  #alone<T>(act: () => Promise<T>): Promise<T> {
    return this.#home.lock(async () => {
      await this.refresh();
      return act();
    }, "checkpoint");
  }

  async #compare(note: string, fetchConsistency: FetchConsistency, now: number): Promise<Checkpoint> {
    const held = this.newest;
    const machine = auditing(held !== null);
    const offered = this.open(note);
    if (held === null) {
      machine.receive(AuditEvent.FIRST_NOTE);
      await this.#hold({ note, since: now });
      return offered;
    }
    const known = held === note ? offered : this.open(held);
    if (known.size === offered.size && isSame(known.root, offered.root)) {
      machine.receive(AuditEvent.SAME_NOTE);
      return offered;
    }
    machine.receive(AuditEvent.OTHER_NOTE);
    if (!(await fit(known, offered, fetchConsistency))) {
      machine.receive(AuditEvent.INCONSISTENT);
      for (const one of [held, note]) await this.#home.keepEvidence("fork", encodeText(one));
      throw new LedgerForked();
    }
    machine.receive(offered.size > known.size ? AuditEvent.GREW : AuditEvent.LAGGED);
    if (offered.size > known.size) await this.#hold({ note, since: now });
    return offered;
  }

  async #hold(held: Held): Promise<void> {
    await this.#home.store.write({ put: [[this.#home.key("checkpoint"), held]] });
    this.#held = held;
  }
}

const KEPT = v.strictObject({
  findings: v.array(v.string()),
  about: v.array(v.string()),
  accepted: v.array(v.string()),
  account_n: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

interface Standing {
  readonly findings: ReadonlySet<Finding>;
  readonly about: ReadonlySet<string>;
  readonly accepted: Accepted;
}

const NOTHING_STANDS: Standing = { findings: new Set(), about: new Set(), accepted: NOTHING_ACCEPTED };

/** What stands against the vault on this device, until the person accepts it. Outlives the page. */
export class Warnings {
  readonly #home: AccountHome;
  #standing = NOTHING_STANDS;

  private constructor(home: AccountHome) {
    this.#home = home;
  }

  /** What stands on this device. Throws MalformedError if it was damaged: that is not taken for nothing. And
   * DeviceNewer. */
  static async load(home: AccountHome): Promise<Warnings> {
    const warnings = new Warnings(home);
    await warnings.refresh();
    return warnings;
  }

  /** Takes in what another tab found or accepted. */
  async refresh(): Promise<void> {
    this.#standing = parseStanding(await this.#home.store.get(this.#home.key("warned")));
  }

  /** Whether a warning stands. */
  get any(): boolean {
    return this.findings.size > 0;
  }

  get findings(): ReadonlySet<Finding> {
    return this.#standing.findings;
  }

  get accepted(): Accepted {
    return this.#standing.accepted;
  }

  /** The warnings, each as the error it would be. */
  get errors(): readonly TrustError[] {
    return Object.values(Finding).filter((finding) => this.findings.has(finding)).map((one) => new ERRORS[one]());
  }

  /** One more warning, and the record hashes and `placeKey`s it is about. */
  add(finding: Finding, about: Iterable<string> = []): Promise<void> {
    return this.#change(({ findings, about: before, accepted }) => ({
      findings: new Set([...findings, finding]), about: new Set([...before, ...about]), accepted,
    }));
  }

  /** The person has looked at what was found here: it counts no more. What is found anew, or in another tab meanwhile,
   * will. */
  accept(accountN: number): Promise<void> {
    const seen = this.#standing;
    return this.#change(({ findings, about, accepted }) => ({
      findings: new Set([...findings].filter((one) => !seen.findings.has(one))),
      about: new Set([...about].filter((one) => !seen.about.has(one))),
      accepted: {
        hashes: new Set([...accepted.hashes, ...seen.about]), accountN: Math.max(accepted.accountN, accountN),
      },
    }));
  }

  /** Throws Untrusted while a warning stands: nothing is edited or deleted then. */
  requireNone(): void {
    if (this.any) throw new Untrusted([...this.findings].sort().join(", "));
  }

  #change(by: (standing: Standing) => Standing): Promise<void> {
    return this.#home.lock(async () => {
      await this.refresh();
      const standing = by(this.#standing);
      await this.#home.store.write({ put: [[this.#home.key("warned"), formatStanding(standing)]] });
      this.#standing = standing;
    }, "warned");
  }
}

function formatStanding({ findings, about, accepted }: Standing): Uint8Array {
  return formatJson({
    findings: [...findings].sort(), about: [...about].sort(), accepted: [...accepted.hashes].sort(),
    account_n: accepted.accountN,
  });
}

function parseStanding(kept: unknown): Standing {
  if (kept === undefined) return NOTHING_STANDS;
  const said = kept instanceof Uint8Array ? parseJson(kept) : null;
  requireKnown(said, ...Object.keys(KEPT.entries));
  const read = v.safeParse(KEPT, said);
  if (!read.success) throw new MalformedError("not what this device keeps of its warnings");
  const { findings, about, accepted, account_n: accountN } = read.output;
  if (!findings.every(isFinding)) throw new DeviceNewer();
  return { findings: new Set(findings), about: new Set(about), accepted: { hashes: new Set(accepted), accountN } };
}

function isFinding(one: string): one is Finding {
  return Object.values<string>(Finding).includes(one);
}

function opened(note: string, policy: Policy): Checkpoint {
  try {
    return openCheckpoint(encodeText(note), policy).checkpoint;
  } catch (error) {
    if (error instanceof CryptoCoreError) throw new CheckpointInvalid(error.code);
    throw error;
  }
}

async function fit(known: Checkpoint, offered: Checkpoint, fetchConsistency: FetchConsistency): Promise<boolean> {
  const [small, large] = known.size <= offered.size ? [known, offered] : [offered, known];
  for (let tries = 0; tries < 2; tries += 1) { // once more, so that one damaged answer isn't taken for a fork
    try {
      const isTrivial = small.size === 0 || small.size === large.size;
      const proof = isTrivial ? [] : await fetchConsistency(small.size, large.size);
      verifyConsistency(small.size, large.size, proof, small.root, large.root);
      return true;
    } catch (error) {
      const isNo = error instanceof Refused && ["not_found", "invalid"].includes(error.code);
      if (!isNo && !(error instanceof ConsistencyMismatch)) throw error;
    }
  }
  return false;
}
