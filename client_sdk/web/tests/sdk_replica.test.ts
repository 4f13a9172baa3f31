// What a device has received: what may take the place of what, what two tabs see of each other, what a crash leaves.
import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";

import { encodeText, formatB64url, formatHex, parseB64url } from "../src/crypto_core/encoding.js";
import { MalformedError, OutOfOrder } from "../src/crypto_core/errors.js";
import { makeId } from "../src/crypto_core/randomness.js";
import { ready } from "../src/crypto_core/sodium.js";
import { DeviceFailed, Home, MemoryLocks, MemoryStore, type AccountHome } from "../src/sdk/home.js";
import type { Id } from "../src/sdk/items.js";
import { Replica, recordName, type Received, type Row } from "../src/sdk/replica.js";
import { runs } from "./runs.js";

beforeAll(ready);

function makeHome(): AccountHome {
  return new Home(new MemoryStore(), new MemoryLocks()).account(formatB64url(makeId()), formatB64url(makeId()));
}

function received(item: Id, revision: number, record: string | null, more: Partial<Received> = {}): Received {
  const bytes = record === null ? null : encodeText(record);
  return { item, revision, deposited: 1, wrap: bytes, link: encodeText("link"), record: bytes, blobs: [], erases: null, ...more };
}

function places(rows: readonly Row[]): readonly string[] {
  return rows.map((row) => `${row.item}.${row.revision}`);
}

/** All that can be read of a replica. */
function told(replica: Replica): unknown {
  return {
    since: replica.since(0), newest: replica.newestOfEach(), gone: replica.gone(), tombstones: replica.tombstones(),
    cursor: replica.fact("cursor"), pass: replica.fact("pass"),
  };
}

const steps = fc.array(fc.record({
  act: fc.constantFrom("receive", "receive", "receive", "erase", "drop", "refresh"),
  tab: fc.nat(1), item: fc.constantFrom(...["A", "B", "C"].map((letter) => `${letter.repeat(21)}A`)), revision: fc.integer({ min: 1, max: 2 }),
  record: fc.constantFrom(null, "one", "two"), pass: fc.nat(2),
}), { maxLength: 14 });

test("never lets other bytes take the place of what it holds; both tabs, and the next visit, see the same", async () => {
  await fc.assert(fc.asyncProperty(steps, async (acts) => {
    const home = makeHome();
    const tabs = [await Replica.open(home), await Replica.open(home)];
    const held = new Map<string, string | null>();
    for (const { act, tab, item, revision, record, pass } of acts) {
      const replica = tabs[tab]!;
      const key = `${item}.${revision}`;
      await replica.refresh(); // what comes first under the account's lock
      if (act === "receive") {
        const isTaken = await replica.writing(() => replica.receive(received(item, revision, record), pass));
        const known = held.get(key) ?? null;
        expect(isTaken).toBe(known === null || record === null || known === record);
        held.set(key, known ?? record);
      }
      const row = replica.row(item, revision);
      if (row === null) continue;
      if (act === "erase") {
        await replica.writing(() => replica.erase(row));
        held.set(key, null);
      }
      if (act === "drop") {
        await replica.writing(() => replica.drop(row));
        held.delete(key);
      }
    }
    const again = await Replica.open(home);
    for (const replica of tabs) {
      await replica.refresh();
      expect(told(replica)).toEqual(told(again));
    }
    expect([...places(again.since(0))].sort()).toEqual([...held.keys()].sort());
    for (const row of again.since(0)) {
      const record = held.get(`${row.item}.${row.revision}`) ?? null;
      expect(row.record).toEqual(record === null ? null : encodeText(record));
    }
    expect(again.newestOfEach().length).toBe(new Set([...held.keys()].map((key) => key.slice(0, 22))).size);
  }), { numRuns: runs(60) });
});

test("what was let go of is taken back where the vault still gives it, also within one pass", async () => {
  const item = formatB64url(makeId());
  const replica = await Replica.open(makeHome());
  await replica.writing(() => replica.receive(received(item, 1, "x"), 1));
  await replica.writing(() => replica.erase(replica.row(item, 1)!));
  await replica.writing(() => replica.receive(received(item, 1, "x"), 1));
  expect(replica.row(item, 1)).toMatchObject({ record: encodeText("x"), wrap: encodeText("x") });
});

test("finds rows by what they are", async () => {
  const replica = await Replica.open(makeHome());
  await replica.writing(() => {
    replica.receive(received("b", 1, "x", { blobs: [{ blob: "f" }, "g"] }), 1);
    replica.receive(received("a", 1, "x"), 1);
    replica.receive(received("b", 3, "x", { erases: ["f"] }), 2);
    replica.receive(received("b", 2, null), 2);
  });
  expect(places(replica.newestOfEach())).toEqual(["b.3", "a.1"]);
  expect(places(replica.history("b"))).toEqual(["b.1", "b.2", "b.3"]);
  expect(places(replica.gone())).toEqual(["b.2"]);
  expect(places(replica.tombstones())).toEqual(["b.3"]);
  expect(places(replica.notSeenIn(2))).toEqual(["b.1", "a.1"]);
  expect(places(replica.since(2))).toEqual(["b.3", "b.2"]);
  expect([replica.names("f"), replica.names("g"), replica.names("h")]).toEqual([true, true, false]);
  expect(replica.row("b", 1)?.blobs).toEqual(["f", "g"]);
  expect([replica.row("b", 4), replica.newest("c"), replica.history("c")]).toEqual([null, null, []]);
});

test("what is erased takes with it the receipts of what nothing else holds", async () => {
  const [ended, stays, one, both] = Array.from({ length: 4 }, () => formatB64url(makeId())) as [Id, Id, Id, Id];
  const home = makeHome();
  const replica = await Replica.open(home);
  const names = [recordName(ended, 1), recordName(stays, 1), ...[one, both].map((blob) => formatHex(parseB64url(blob)))];
  await replica.writing(() => {
    replica.receive(received(ended, 1, "x", { blobs: [one, both] }), 1);
    replica.receive(received(stays, 1, "x", { blobs: [both] }), 1);
    for (const name of names) replica.keepReceipt(name, "proof");
  });
  await replica.writing(() => replica.erase(replica.row(ended, 1)!));
  const again = await Replica.open(home);
  expect(await Promise.all(names.map((name) => again.receipt(name)))).toEqual([null, "proof", null, "proof"]);
  expect(again.row(ended, 1)).toMatchObject({ wrap: null, record: null, link: encodeText("link") });
});

test("another link, too, contradicts what is here", async () => {
  const replica = await Replica.open(makeHome());
  await replica.writing(() => {
    expect(replica.receive(received("a", 1, "x"), 1)).toBe(true);
    expect(replica.receive(received("a", 1, "x", { link: encodeText("other") }), 1)).toBe(false);
    expect(replica.receive(received("a", 1, "x", { wrap: encodeText("other") }), 1)).toBe(false);
  });
});

describe("writing", () => {
  test("is all or nothing, here and on the device", async () => {
    const home = makeHome();
    const replica = await Replica.open(home);
    await replica.writing(() => replica.receive(received("a", 1, "x"), 1));
    const failing = replica.writing(() => {
      replica.receive(received("b", 1, "x"), 1);
      replica.setFact("cursor", "further");
      throw new Error("in the middle");
    });
    await expect(failing).rejects.toThrow("in the middle");
    vi.spyOn(home.store, "write").mockRejectedValueOnce(new DeviceFailed("QuotaExceededError"));
    const full = replica.writing(() => {
      replica.receive(received("c", 1, "x"), 1);
      replica.setFact("cursor", "further");
    }, [["also", 1]]);
    await expect(full).rejects.toThrow(DeviceFailed);
    expect(await home.store.get("also")).toBe(undefined);
    for (const one of [replica, await Replica.open(home)]) {
      expect([places(one.since(0)), one.fact("cursor")]).toEqual([["a.1"], ""]);
    }
    await replica.writing(() => replica.receive(received("b", 1, "x"), 1), [["also", 1]]);
    expect(places((await Replica.open(home)).since(0))).toEqual(["a.1", "b.1"]);
    expect(await home.store.get("also")).toBe(1);
  });

  test("is the only way to change anything, and waits for its turn", async () => {
    const replica = await Replica.open(makeHome());
    expect(() => replica.receive(received("a", 1, "x"), 1)).toThrow(OutOfOrder);
    expect(() => replica.setFact("pass", 1)).toThrow(OutOfOrder);
    expect(() => replica.keepReceipt("a", "x")).toThrow(OutOfOrder);
    await Promise.all(["a", "b", "c"].map((item) => replica.writing(() => replica.receive(received(item, 1, "x"), 1))));
    expect(places(replica.since(0))).toEqual(["a.1", "b.1", "c.1"]);
  });

  test("of a thousand rows takes few values of the store, and one change writes one page", async () => {
    const home = makeHome();
    const replica = await Replica.open(home);
    const record = "x".repeat(2048);
    await replica.writing(() => {
      for (let number = 0; number < 1000; number += 1) replica.receive(received(`i${number}`, 1, record), 1);
    });
    const kept = await home.list("rows");
    expect(kept.length).toBeLessThan(25);
    const write = vi.spyOn(home.store, "write");
    await replica.writing(() => replica.receive(received("i3", 1, null), 1));
    expect([...write.mock.calls[0]![0].put!].length).toBe(2);
    write.mockClear();
    await replica.writing(() => replica.receive(received("i3", 1, null), 1));
    expect(write).not.toHaveBeenCalled();
    expect(places((await Replica.open(home)).since(0))).toEqual(places(replica.since(0)));
  });
});

test("keeps receipts and small facts", async () => {
  const home = makeHome();
  const replica = await Replica.open(home);
  expect([await replica.receipt("a"), replica.fact("account_n"), replica.fact("dirty")]).toEqual([null, 0, false]);
  await replica.writing(() => {
    replica.keepReceipt("a", "proof");
    replica.setFact("account_n", 7);
    replica.setFact("dirty", true);
  });
  const again = await Replica.open(home);
  expect([await again.receipt("a"), again.fact("account_n"), again.fact("dirty")]).toEqual(["proof", 7, true]);
  again.close();
  expect(again.since(0)).toEqual([]);
});

test("what was damaged is not taken for nothing", async () => {
  for (const [name, value] of [["", { rows: [] }], ["000000", "no page"]] as const) {
    const home = makeHome();
    const replica = await Replica.open(home);
    await replica.writing(() => replica.receive(received("a", 1, "x"), 1));
    await home.store.write({ put: [[home.key("rows", name), value]] });
    await expect(Replica.open(home)).rejects.toThrow(MalformedError);
  }
});
