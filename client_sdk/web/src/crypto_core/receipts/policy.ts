// Whom a reader trusts: ledgers, witnesses, and how many of the witnesses are enough.
// Knows: c2sp.org/tlog-policy (docs/spec/note-and-policy.md). Refuses to know: receipts, and what to do with a URL.
// Names of witnesses and groups are opaque octets and mean nothing outside the file: here each character is one octet.

import { decodeText, encodeText, isSame } from "../encoding.js";
import { MalformedError } from "../errors.js";
import { COSIGNATURE, ED25519, formatVkey, parseVkey, type VerifierKey } from "./note.js";
import { requireSpelled } from "./spelling.js";

export const MAX_POLICY_SIZE = 64 * 1024;
export const NONE = "none";

const REFUSED_OCTETS = /[^\x09\x0a\x20-\x7e\x80-\xff]/;
const BLANK = /[ \t]+/;
const NUMBER = /^[1-9][0-9]{0,4}$/;

/** A ledger whose checkpoints are accepted. The key's name is the checkpoint's origin. */
export interface Log {
  readonly key: VerifierKey;
  readonly url: string | null;
  /** How many entries the largest tree has that this key may sign alone; null: any. Not in the file: it follows from
   * the record of the key that replaced it (rotation.ts). */
  readonly last: number | null;
}

/** A cosigner under the name that the policy gives it. */
export interface Witness {
  readonly name: string;
  readonly key: VerifierKey;
  readonly url: string | null;
}

/** Counts as having witnessed once `threshold` of its members have; members are witnesses or earlier groups. */
export interface Group {
  readonly name: string;
  readonly threshold: number;
  readonly members: readonly string[];
}

/** Made by `parsePolicy` or `forKey`, which hold the rules of the format. */
export class Policy {
  readonly logs: readonly Log[];
  readonly witnesses: readonly Witness[];
  readonly groups: readonly Group[];
  /** The name of a witness or group, or `none`. */
  readonly quorum: string;

  constructor(logs: readonly Log[], witnesses: readonly Witness[], groups: readonly Group[], quorum: string) {
    this.logs = logs;
    this.witnesses = witnesses;
    this.groups = groups;
    this.quorum = quorum;
  }

  /** One ledger and no witness: its operator's word is all there is. Throws as `parseVkey` does,
   * and MalformedError for a witness's key. */
  static forKey(vkey: string): Policy {
    return new Policy([{ key: requireAlgorithm(parseVkey(vkey), ED25519), url: null, last: null }], [], [], NONE);
  }

  /** Every key whose signatures are checked. */
  get keys(): VerifierKey[] {
    return [...this.logs, ...this.witnesses].map(({ key }) => key);
  }

  /** Whether the witnesses of these names are enough; with `quorum none`, always. */
  isMetBy(cosigners: Iterable<string>): boolean {
    const witnessed = new Set([NONE, ...cosigners]);
    for (const group of this.groups) { // each names only what stands before it
      if (group.members.filter((member) => witnessed.has(member)).length >= group.threshold) witnessed.add(group.name);
    }
    return witnessed.has(this.quorum);
  }
}

/** The canonical spelling: logs, witnesses, groups, quorum; single spaces, thresholds in digits, no comments.
 * What is known of a log's last tree is left out.
 *
 * Throws RangeError for a policy that breaks a rule of the format. */
export function formatPolicy(policy: Policy): Uint8Array {
  const lines = [
    ...policy.logs.map(({ key, url }) => ["log", spelledKey(key), ...present(url)]),
    ...policy.witnesses.map(({ name, key, url }) => ["witness", name, spelledKey(key), ...present(url)]),
    ...policy.groups.map(({ name, threshold, members }) => ["group", name, String(threshold), ...members]),
    ["quorum", policy.quorum],
  ];
  const data = fromOctets(lines.map((items) => `${items.join(" ")}\n`).join(""));
  requireSpelled(policy, () => parsePolicy(data), told);
  return data;
}

/** A policy of at most 64 KiB, in any layout the format allows. Throws MalformedError, or UnsupportedVersion
 * for a key of an algorithm that this version does not verify (a policy is never enforced by half). */
export function parsePolicy(data: Uint8Array): Policy {
  if (data.length > MAX_POLICY_SIZE) throw new MalformedError("a policy of more than 64 KiB");
  const text = toOctets(data);
  if (REFUSED_OCTETS.test(text)) throw new MalformedError("an octet that a policy may not have");
  const lines = text.split("\n");
  if (lines.pop()) throw new MalformedError("the last line does not end in a newline");
  const reader = new Reader();
  for (const line of lines) {
    const [word, ...items] = line.split(BLANK).filter(Boolean);
    if (word !== undefined && !word.startsWith("#")) reader.read(word, items);
  }
  return reader.finish();
}

/** Collects the lines of one policy, each checked against those before it. */
class Reader {
  readonly #logs: Log[] = [];
  readonly #witnesses: Witness[] = [];
  readonly #groups: Group[] = [];
  readonly #names = new Set<string>();
  readonly #members = new Set<string>();
  #quorum: string | null = null;

  read(word: string, items: readonly string[]): void {
    const [first, second, ...others] = items;
    if (word === "log" && first !== undefined && items.length <= 2) {
      this.#logs.push({ key: newKey(first, ED25519, this.#logs), url: second ?? null, last: null });
    } else if (word === "witness" && first !== undefined && second !== undefined && items.length <= 3) {
      this.#define(first);
      this.#witnesses.push({ name: first, key: newKey(second, COSIGNATURE, this.#witnesses), url: others[0] ?? null });
    } else if (word === "group" && first !== undefined && second !== undefined) {
      this.#groups.push(this.#group(first, second, others));
    } else if (word === "quorum" && first !== undefined && items.length === 1) {
      if (this.#quorum !== null) throw new MalformedError("a second quorum");
      if (first !== NONE) this.#requireDefined(first);
      this.#quorum = first;
    } else {
      throw new MalformedError("a line that is no log, witness, group or quorum");
    }
  }

  finish(): Policy {
    if (this.#quorum === null) throw new MalformedError("a policy without a quorum");
    return new Policy(this.#logs, this.#witnesses, this.#groups, this.#quorum);
  }

  #group(name: string, threshold: string, members: readonly string[]): Group {
    for (const member of members) {
      this.#requireDefined(member);
      if (this.#members.has(member)) throw new MalformedError("a name that is a member twice");
      this.#members.add(member);
    }
    this.#define(name);
    return { name, threshold: parseThreshold(threshold, members.length), members };
  }

  #define(name: string): void {
    if (name === NONE || this.#names.has(name)) throw new MalformedError("a name that is already taken");
    this.#names.add(name);
  }

  #requireDefined(name: string): void {
    if (!this.#names.has(name)) throw new MalformedError("a name that no line before has defined");
  }
}

function parseThreshold(text: string, members: number): number {
  const count = text === "any" ? 1 : text === "all" ? members : NUMBER.test(text) ? Number(text) : null;
  if (count === null) throw new MalformedError("a threshold is all, any or a decimal number");
  if (count < 1 || count > members) {
    throw new MalformedError("a threshold that is not between 1 and the number of members");
  }
  return count;
}

function newKey(vkey: string, algorithm: number, others: readonly { readonly key: VerifierKey }[]): VerifierKey {
  const key = requireAlgorithm(parseVkey(decodeText(fromOctets(vkey))), algorithm);
  if (others.some((other) => isSame(key.public, other.key.public))) {
    throw new MalformedError("the same public key twice");
  }
  return key;
}

function requireAlgorithm(key: VerifierKey, algorithm: number): VerifierKey {
  if (key.algorithm !== algorithm) {
    throw new MalformedError("a ledger's key where a witness's belongs, or the other way round");
  }
  return key;
}

function present(url: string | null): string[] {
  return url === null ? [] : [url];
}

function told({ logs, witnesses, groups, quorum }: Policy): unknown {
  return [
    logs.map(({ key, url }) => [spelledKey(key), url]),
    witnesses.map(({ name, key, url }) => [name, spelledKey(key), url]),
    groups.map(({ name, threshold, members }) => [name, threshold, members]),
    quorum,
  ];
}

function spelledKey(key: VerifierKey): string {
  return toOctets(encodeText(formatVkey(key)));
}

function toOctets(data: Uint8Array): string {
  return Array.from(data, (octet) => String.fromCharCode(octet)).join("");
}

function fromOctets(text: string): Uint8Array {
  return Uint8Array.from(text, (octet) => octet.charCodeAt(0));
}
