// Histories that several devices write, shown honestly and not: the first are clean, the others are found.
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

import { formatB64url, parseB64url, u32 } from "../src/crypto_core/encoding.js";
import { MAX_PARENTS, type Link } from "../src/crypto_core/sealing/records.js";
import { ready } from "../src/crypto_core/sodium.js";
import { sha256 } from "../src/sdk/digest.js";
import {
  Finding, Links, judge, missingIn, placeKey, type Accepted, type Account, type Hash, type Pass, type Place,
} from "../src/sdk/protocol/sync.js";

beforeAll(ready);

const DEVICES = 3;
const A = formatB64url(new Uint8Array(32).fill(97));
const B = formatB64url(new Uint8Array(32).fill(98));
const X = formatB64url(new Uint8Array(32).fill(120));

function link(accountN: number, own: Hash, parents: readonly Hash[]): Link {
  return { accountN: BigInt(accountN), recordHash: parseB64url(own), parents: parents.map((one) => parseB64url(one)) };
}

/** One revision as a vault shows it: where it stands, its link, what its tombstone ends, whether it was erased. */
interface Shown {
  readonly place: Place;
  readonly link: Link;
  readonly ends: readonly Hash[];
  readonly erased: boolean;
}

/** An honest vault and its devices: each knows what it has seen, and links to that. */
class World {
  readonly shown: Shown[] = [];
  readonly known = Array.from({ length: DEVICES }, () => new Links());
  readonly #upto = Array.from({ length: DEVICES }, () => 0);
  accountN = 1;
  heads: readonly Hash[] = [];

  sync(device: number): void {
    for (const one of this.shown.slice(this.#upto[device])) this.known[device]!.add(one.place, one.link);
    this.#upto[device] = this.shown.length;
  }

  write(device: number, ends: readonly Hash[] = []): void {
    const number = this.shown.length;
    const own = formatB64url(sha256(u32(number)));
    const made = link(this.accountN, own, this.known[device]!.nextParents);
    const place = [`item ${number}`, 1] as const;
    this.shown.push({ place, link: made, ends, erased: false });
    this.known[device]!.add(place, made); // acknowledged: others may have written in between
  }

  lock(device: number): void {
    this.sync(device);
    this.heads = this.known[device]!.heads;
    this.accountN += 1;
  }

  delete(device: number, target: number): void {
    this.sync(device);
    const ended = this.shown[target % this.shown.length];
    if (ended !== undefined) this.write(device, [hashOf(ended)]);
  }

  get account(): Account {
    return { n: this.accountN, hash: A, previous: null, heads: this.heads, seenN: 0, seenHash: null, faults: new Set() };
  }
}

function hashOf(one: Shown): Hash {
  return formatB64url(one.link.recordHash);
}

const step = fc.record({
  act: fc.constantFrom("write", "write", "write", "sync", "lock", "delete"), device: fc.nat(DEVICES - 1),
  target: fc.nat(50),
});
const worlds = fc.array(step, { minLength: 1, maxLength: 25 }).map((steps) => {
  const world = new World();
  for (const { act, device, target } of steps) {
    if (act === "write") world.write(device);
    if (act === "sync") world.sync(device);
    if (act === "lock") world.lock(device);
    if (act === "delete") world.delete(device, target);
  }
  return world;
});

function linksOf(shown: readonly Shown[]): Links {
  const links = new Links();
  for (const one of shown) links.add(one.place, one.link);
  return links;
}

function judged(shown: readonly Shown[], account: Account): ReadonlySet<Finding> {
  const ended = new Set(shown.flatMap((one) => one.ends));
  const erased = shown.filter((one) => one.erased).map(hashOf);
  return judge({ account, links: linksOf(shown), ended, lost: new Set(), erased, withheld: [], swapped: [] }).findings;
}

const MISSING = new Set([Finding.ITEMS_MISSING]);

describe("any history", () => {
  test("that is honest is clean for everybody", () => {
    fc.assert(fc.property(worlds, (world) => {
      expect(judged(world.shown, world.account)).toEqual(new Set());
    }));
  });

  test("of which a revision was dropped is found out once the account record is written", () => {
    fc.assert(fc.property(worlds, fc.nat(), (world, which) => {
      world.lock(0);
      fc.pre(world.shown.length > 0);
      const [dropped] = world.shown.splice(which % world.shown.length, 1);
      const isEnded = world.shown.some((one) => one.ends.includes(hashOf(dropped!)));
      expect(judged(world.shown, world.account)).toEqual(isEnded ? new Set() : MISSING);
    }));
  });

  test("of which a revision was erased is found out unless a tombstone asked for it", () => {
    fc.assert(fc.property(worlds, fc.nat(), (world, which) => {
      fc.pre(world.shown.length > 0);
      const place = which % world.shown.length;
      const one = world.shown[place]!;
      world.shown[place] = { ...one, erased: true };
      const isAskedFor = world.shown.some((other) => other.ends.includes(hashOf(one)));
      expect(judged(world.shown, world.account)).toEqual(isAskedFor ? new Set() : MISSING);
    }));
  });

  test("with an older account record is found out by whoever saw a newer one", () => {
    fc.assert(fc.property(worlds, fc.integer({ min: 1, max: 5 }), (world, back) => {
      world.lock(0);
      world.write(0);
      const older = { ...world.account, n: world.accountN - Math.min(back, world.accountN - 1), heads: [] };
      expect(judged(world.shown, older)).toContain(Finding.ACCOUNT_RECORD_OLDER);
    }));
  });

  test("leaves one head to whoever has seen everything", () => {
    fc.assert(fc.property(worlds, (world) => {
      world.sync(1);
      const before = linksOf(world.shown).heads.length;
      world.write(1);
      const { heads } = world.known[1]!;
      expect(heads.at(-1)).toBe(hashOf(world.shown.at(-1)!));
      expect(heads.length).toBe(1 + Math.max(0, before - MAX_PARENTS));
    }));
  });
});

function name(number: number): Hash {
  const bytes = new Uint8Array(32);
  bytes[31] = number;
  return formatB64url(bytes);
}

function chain(links: readonly (readonly [number, readonly number[]])[], accountN = 1): Links {
  const made = new Links();
  links.forEach(([own, parents], number) => made.add(["item", number + 1], link(accountN, name(own), parents.map(name))));
  return made;
}

const ACCOUNT: Account = { n: 1, hash: A, previous: null, heads: [], seenN: 0, seenHash: null, faults: new Set() };

function aPass(changes: Partial<Pass> = {}): Pass {
  return {
    account: ACCOUNT, links: chain([[1, []]]), ended: new Set(), lost: new Set(), erased: [], withheld: [], swapped: [],
    ...changes,
  };
}

describe("links", () => {
  test("leave as heads what none of them names, the oldest first", () => {
    const links = chain([[1, []], [2, [1]], [3, [1]], [4, [3]]]);
    expect([links.heads, links.nextParents]).toEqual([[name(2), name(4)], [name(2), name(4)]]);
  });

  test("that come again change nothing", () => {
    expect(chain([[1, []], [2, [1]], [1, []]]).heads).toEqual([name(2)]);
  });

  test("name sixteen heads at most, the oldest", () => {
    const links = chain(Array.from({ length: 20 }, (_, number) => [number, []] as const));
    expect(links.nextParents).toEqual(Array.from({ length: MAX_PARENTS }, (_, number) => name(number)));
  });
});

describe("a finished pass", () => {
  test("that is honest is clean", () => {
    const account = { ...ACCOUNT, n: 2, hash: B, previous: A, heads: [name(2)], seenN: 1, seenHash: A };
    const verdict = judge(aPass({ links: chain([[1, []], [2, [1]]], 2), account }));
    expect([verdict.findings.size, verdict.about.size]).toEqual([0, 0]);
  });

  test.each<readonly [string, Partial<Pass>]>([
    ["a parent", { links: chain([[2, [9]]]) }],
    ["a head", { account: { ...ACCOUNT, heads: [name(9)] } }],
    ["a record", { erased: [name(1)] }],
    ["what was here", { withheld: [name(1)] }],
    ["what was here, also if it was ended", { withheld: [name(1)], ended: new Set([name(1)]) }],
  ])("that lacks %s is found and named, until it is accepted or written off", (_what, changes) => {
    const finished = aPass(changes);
    const verdict = judge(finished);
    expect(missingIn(finished)).toEqual(verdict.about);
    const lost = new Set([...verdict.about].map(String));
    expect([judge({ ...finished, lost }).findings.size, missingIn({ ...finished, lost }).size]).toEqual([0, 0]);
    expect([verdict.findings, verdict.about.size]).toEqual([MISSING, 1]);
    expect(judge(finished, { hashes: verdict.about, accountN: 0 }).findings.size).toBe(0);
  });

  test("lacks nothing that a tombstone ended", () => {
    const finished = aPass({ links: chain([[2, [1]]]), erased: [name(2)], ended: new Set([name(1), name(2)]) });
    expect(judge(finished).findings.size).toBe(0);
  });

  test.each<readonly [Partial<Account>, number]>([
    [{ n: 1, hash: A, seenN: 2, seenHash: B }, 1],
    [{ n: 2, hash: X, seenN: 2, seenHash: B }, 1],
    [{ n: 3, hash: A, previous: X, seenN: 2, seenHash: B }, 1],
    [{ n: 2, hash: B, seenN: 2, seenHash: B }, 3],
  ])("with an older or foreign account record is found: %j, seen by a link: %i", (changes, linked) => {
    const finished = aPass({ links: chain([[1, []]], linked), account: { ...ACCOUNT, ...changes } });
    expect(judge(finished).findings).toEqual(new Set([Finding.ACCOUNT_RECORD_OLDER]));
  });

  test("with an account record that was accepted is older no more", () => {
    const account = { ...ACCOUNT, n: 2, hash: B, seenN: 2, seenHash: B };
    const finished = aPass({ links: chain([[1, []]], 5), account });
    const accepted = (accountN: number): Accepted => ({ hashes: new Set(), accountN });
    expect(judge(finished, accepted(5)).findings.size).toBe(0);
    expect(judge(finished, accepted(4)).findings.size).toBe(1);
  });

  test("whose account record could not be read is judged by that alone", () => {
    const faults = new Set([Finding.ACCOUNT_RECORD_INVALID]);
    const account = { ...ACCOUNT, n: 1, seenN: 7, seenHash: X, faults };
    expect(judge(aPass({ account, links: chain([[1, []]], 9) })).findings).toEqual(faults);
  });

  test("with swapped bytes is found and named", () => {
    const verdict = judge(aPass({ swapped: [placeKey(["item", 1])] }));
    expect([verdict.findings, [...verdict.about]]).toEqual([new Set([Finding.BLOB_SWAPPED]), ["item.1"]]);
  });
});
