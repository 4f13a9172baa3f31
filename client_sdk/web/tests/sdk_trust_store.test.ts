// The ledger as a device sees it: growth, lag, forks; and warnings that last.
import { beforeAll, describe, expect, test } from "vitest";

import { decodeText, encodeText, formatB64url, formatJson } from "../src/crypto_core/encoding.js";
import { CryptoCoreError, MalformedError } from "../src/crypto_core/errors.js";
import { makeBytes, makeId } from "../src/crypto_core/randomness.js";
import { formatCheckpoint } from "../src/crypto_core/receipts/checkpoint.js";
import { hashLeaf } from "../src/crypto_core/receipts/merkle.js";
import { SignerKey, formatVkey, signNote } from "../src/crypto_core/receipts/note.js";
import { Policy } from "../src/crypto_core/receipts/policy.js";
import { consistencyProof, newNodes, root } from "../src/crypto_core/receipts/tree.js";
import { ready } from "../src/crypto_core/sodium.js";
import { CheckpointInvalid, DeviceNewer, LedgerForked, NetworkError, Refused, Untrusted } from "../src/sdk/errors.js";
import { Home, MemoryLocks, MemoryStore, type AccountHome } from "../src/sdk/home.js";
import { Finding } from "../src/sdk/protocol/sync.js";
import { LAG } from "../src/sdk/session.js";
import { TrustStore, Warnings, type FetchConsistency } from "../src/sdk/trust_store.js";

beforeAll(ready);

const ORIGIN = "ledger/test";
const NOON = 1_772_366_400;

/** A Merkle tree of made-up entries under one key. */
class FakeLedger {
  readonly signer: SignerKey;
  readonly asked: (readonly [number, number])[] = [];
  readonly #nodes = new Map<string, Uint8Array>();

  constructor(entries: number, salt = "", signer: SignerKey = new SignerKey(ORIGIN, makeBytes(32))) {
    this.signer = signer;
    const leaves = Array.from({ length: entries }, (_, number) => hashLeaf(encodeText(`${salt}${number}`)));
    for (const [level, index, value] of newNodes(0, leaves, this.#read)) this.#nodes.set(`${level} ${index}`, value);
  }

  note(size: number, origin = ORIGIN): string {
    return signNote(formatCheckpoint({ origin, size, root: root(size, this.#read), extensions: [] }), this.signer);
  }

  readonly prove: FetchConsistency = async (old, wider) => {
    this.asked.push([old, wider]);
    return consistencyProof(old, wider, this.#read);
  };

  get policy(): Policy {
    return Policy.forKey(formatVkey(this.signer.verifier));
  }

  readonly #read = (level: number, index: number): Uint8Array => this.#nodes.get(`${level} ${index}`)!;
}

function makeHome(): AccountHome {
  return new Home(new MemoryStore(), new MemoryLocks()).account(formatB64url(makeId()), formatB64url(makeId()));
}

async function evidence(home: AccountHome): Promise<readonly string[]> {
  return (await home.evidence()).map(({ data }) => decodeText(data)).sort();
}

test("the first note is held and growth is proven", async () => {
  const [home, ledger] = [makeHome(), new FakeLedger(20)];
  const store = await TrustStore.load(home, ledger.policy);
  expect(store.newest).toBeNull();
  for (const size of [3, 3, 4, 11, 20]) expect((await store.advance(ledger.note(size), ledger.prove, NOON)).size).toBe(size);
  expect(ledger.asked).toEqual([[3, 4], [4, 11], [11, 20]]);
  expect((await TrustStore.load(home, ledger.policy)).newest).toBe(ledger.note(20));
});

test("a smaller note is lag if it fits", async () => {
  const ledger = new FakeLedger(20);
  const store = await TrustStore.load(makeHome(), ledger.policy);
  await store.advance(ledger.note(20), ledger.prove, NOON);
  expect((await store.advance(ledger.note(7), ledger.prove, NOON)).size).toBe(7);
  expect([store.newest, ledger.asked]).toEqual([ledger.note(20), [[7, 20]]]);
});

test("a smaller note is told after more than a day, also by a clock that was set back meanwhile", async () => {
  const [home, ledger] = [makeHome(), new FakeLedger(20)];
  const store = await TrustStore.load(home, ledger.policy);
  const lags = async (size: number, now: number): Promise<boolean> =>
    (await TrustStore.load(home, ledger.policy)).lags(store.open(ledger.note(size)), LAG, now);
  expect(await lags(7, NOON)).toBe(false);
  await store.advance(ledger.note(20), ledger.prove, NOON);
  await store.advance(ledger.note(7), ledger.prove, NOON + LAG);
  expect([await lags(7, NOON + LAG), await lags(7, NOON + LAG + 1), await lags(20, NOON + LAG + 1)]).toEqual(
    [false, true, false]);
  expect([await lags(7, NOON - 365 * LAG), await lags(7, NOON - 364 * LAG), await lags(7, NOON - 364 * LAG + 1)]).toEqual(
    [false, false, true]);
});

test("an empty ledger needs no proof", async () => {
  const ledger = new FakeLedger(5);
  const store = await TrustStore.load(makeHome(), ledger.policy);
  for (const size of [0, 5, 0]) await store.advance(ledger.note(size), ledger.prove, NOON);
  expect(ledger.asked).toEqual([]);
});

test("notes that come at once, in two tabs, leave the largest", async () => {
  const [home, ledger] = [makeHome(), new FakeLedger(20)];
  const tabs = [await TrustStore.load(home, ledger.policy), await TrustStore.load(home, ledger.policy)];
  await Promise.all([9, 20, 4, 15].map((size, place) => tabs[place % 2]!.advance(ledger.note(size), ledger.prove, NOON)));
  expect((await TrustStore.load(home, ledger.policy)).newest).toBe(ledger.note(20));
  for (const tab of tabs) await tab.refresh();
  expect(tabs.map((tab) => tab.newest)).toEqual([ledger.note(20), ledger.note(20)]);
});

test.each([[9, 9], [9, 12], [12, 9]])("a fork leaves both notes as evidence: %i, %i", async (first, second) => {
  const [home, ledger] = [makeHome(), new FakeLedger(12)];
  const fork = new FakeLedger(12, "fork", ledger.signer);
  const store = await TrustStore.load(home, ledger.policy);
  const [held, offered] = [ledger.note(first), fork.note(second)];
  await store.advance(held, ledger.prove, NOON);
  await expect(store.advance(offered, fork.prove, NOON)).rejects.toThrow(LedgerForked);
  expect(await evidence(home)).toEqual([held, offered].sort());
  expect(store.newest).toBe(held);
  await store.forget();
  expect((await store.advance(offered, fork.prove, NOON)).size).toBe(second);
});

test.each(["not_found", "invalid"])("a ledger that can't prove it is a fork: %s", async (code) => {
  const ledger = new FakeLedger(12);
  const store = await TrustStore.load(makeHome(), ledger.policy);
  await store.advance(ledger.note(9), ledger.prove, NOON);
  const refuse = () => Promise.reject(new Refused(code, 404, ""));
  await expect(store.advance(ledger.note(12), refuse, NOON)).rejects.toThrow(LedgerForked);
});

test("one damaged proof is not yet a fork", async () => {
  const ledger = new FakeLedger(12);
  const store = await TrustStore.load(makeHome(), ledger.policy);
  await store.advance(ledger.note(9), ledger.prove, NOON);
  const proofs = [[new Uint8Array(32)], await ledger.prove(9, 12)];
  expect((await store.advance(ledger.note(12), async () => proofs.shift()!, NOON)).size).toBe(12);
});

test.each([new NetworkError(), new Refused("unauthorized", 401, "")])(
  "no answer is no fork and changes nothing: %s", async (error) => {
    const [home, ledger] = [makeHome(), new FakeLedger(12)];
    const store = await TrustStore.load(home, ledger.policy);
    await store.advance(ledger.note(9), ledger.prove, NOON);
    await expect(store.advance(ledger.note(12), () => Promise.reject(error), NOON)).rejects.toThrow(error);
    expect([store.newest, await evidence(home)]).toEqual([ledger.note(9), []]);
  });

test("only the pinned key under its origin is believed", async () => {
  const ledger = new FakeLedger(3);
  const store = await TrustStore.load(makeHome(), ledger.policy);
  const other = new FakeLedger(3, "", new SignerKey(ORIGIN, makeBytes(32)));
  const notes = [other.note(3), ledger.note(3, "ledger/other"), ledger.note(3).replace("\n3\n", "\n4\n"), "", "x\n\n"];
  for (const note of notes) await expect(store.advance(note, ledger.prove, NOON)).rejects.toThrow(CheckpointInvalid);
  expect(store.newest).toBeNull();
});

test("what is held in words of a newer version, or damaged, is not taken for nothing", async () => {
  const home = makeHome();
  for (const [kept, error] of [[{ note: "x", since: 1, more: 2 }, DeviceNewer], [{ note: "x" }, MalformedError]] as const) {
    await home.store.write({ put: [[home.key("checkpoint"), kept]] });
    await expect(TrustStore.load(home, new FakeLedger(1).policy)).rejects.toThrow(error);
    expect(await home.store.get(home.key("checkpoint"))).toEqual(kept);
  }
});

describe("warnings", () => {
  test("outlive the page until they are accepted", async () => {
    const home = makeHome();
    const warnings = await Warnings.load(home);
    expect([warnings.any, warnings.errors]).toEqual([false, []]);
    warnings.requireNone();
    await warnings.add(Finding.ITEMS_MISSING, ["hash"]);
    await warnings.add(Finding.LEDGER_FORKED);
    const again = await Warnings.load(home);
    expect(again.errors.map((one) => one.code)).toEqual(["items_missing", "ledger_forked"]);
    expect(() => again.requireNone()).toThrow(Untrusted);
    await again.accept(7);
    const accepted = await Warnings.load(home);
    expect([accepted.any, [...accepted.accepted.hashes], accepted.accepted.accountN]).toEqual([false, ["hash"], 7]);
    await accepted.add(Finding.ITEMS_MISSING, ["other"]);
    await accepted.accept(3);
    expect([[...accepted.accepted.hashes].sort(), accepted.accepted.accountN]).toEqual([["hash", "other"], 7]);
  });

  test("of two tabs are all kept, and seen by both", async () => {
    const home = makeHome();
    const [one, other] = [await Warnings.load(home), await Warnings.load(home)];
    await Promise.all([one.add(Finding.ITEMS_MISSING, ["a"]), other.add(Finding.BLOB_SWAPPED, ["b"])]);
    await Promise.all([one.refresh(), other.refresh()]);
    expect(one.findings).toEqual(other.findings);
    expect(one.findings).toEqual(new Set([Finding.ITEMS_MISSING, Finding.BLOB_SWAPPED]));
  });

  test("that another tab found meanwhile are not accepted with the rest", async () => {
    const home = makeHome();
    const [one, other] = [await Warnings.load(home), await Warnings.load(home)];
    await one.add(Finding.ITEMS_MISSING, ["a"]);
    await other.add(Finding.BLOB_SWAPPED, ["b"]);
    await one.accept(3);
    const left = await Warnings.load(home);
    expect([[...left.findings], [...left.accepted.hashes]]).toEqual([[Finding.BLOB_SWAPPED], ["a"]]);
  });

  test.each([{ findings: ["a_warning_of_tomorrow"] }, { since: 7 }])(
    "of a newer version are neither taken for damage nor touched: %j", async (more) => {
      const home = makeHome();
      const kept = formatJson({ findings: [], about: [], accepted: ["a"], account_n: 1, ...more });
      await home.store.write({ put: [[home.key("warned"), kept]] });
      await expect(Warnings.load(home)).rejects.toThrow(DeviceNewer);
      expect(await home.store.get(home.key("warned"))).toEqual(kept);
    });

  test.each(["", "{}", '{"findings":[],"about":[],"accepted":[],"account_n":"0"}'])(
    "that are damaged are not taken for none: %s", async (damaged) => {
      const home = makeHome();
      for (const kept of [encodeText(damaged), damaged]) {
        await home.store.write({ put: [[home.key("warned"), kept]] });
        await expect(Warnings.load(home)).rejects.toThrow(CryptoCoreError);
      }
    });
});
