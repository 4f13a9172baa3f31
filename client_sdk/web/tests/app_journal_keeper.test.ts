// The draft that is kept while it is typed: whatever happens between, the newest text is what is kept in the end.
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { DraftKeeper, LONGEST, PAUSE, type Unkept } from "../src/app/views/journal/keeper.js";
import { EMPTY_DRAFT } from "../src/sdk/items.js";
import type { FoundDraft, KeptDraft, TypedDraft } from "../src/worker/api.js";
import { runs } from "./runs.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const draft = (text: string): Unkept =>
  ({ item: null, revision: null, kind: "journal", draft: { ...EMPTY_DRAFT, text }, sensitive: false, empty: text === "" });

/** A device that keeps drafts, slowly, and fails when it is told to. */
class Device {
  all: readonly KeptDraft[] = [];
  readonly times: number[] = [];
  failing = false;
  delay = 0;
  busy = 0;
  #ids = 0;

  /** The only one. */
  get kept(): KeptDraft | null {
    expect(this.all.length).toBeLessThan(2);
    return this.all[0] ?? null;
  }

  get texts(): readonly string[] {
    return this.all.map((one) => one.draft.text);
  }

  async keepDraft(given: TypedDraft, before: string | null): Promise<string> {
    await this.#work();
    this.times.push(Date.now());
    const slot = `slot${++this.#ids}`;
    this.all = [...this.all.filter((one) => one.slot !== before), { ...given, slot }];
    return slot;
  }

  async drafts(): Promise<readonly FoundDraft[]> {
    await this.#work();
    return this.all.map((one) => ({ ...one, locked: false }));
  }

  async dropDraft(slot: string): Promise<void> {
    await this.#work();
    this.all = this.all.filter((one) => one.slot !== slot);
  }

  async #work(): Promise<void> {
    expect(++this.busy).toBe(1); // one at a time: an older text never comes after a newer one
    await new Promise((done) => setTimeout(done, this.delay));
    this.busy -= 1;
    if (this.failing) throw new Error("full");
  }
}

test("is kept at a pause, not before", async () => {
  const device = new Device(), keeper = new DraftKeeper(device, null);
  keeper.change(draft("Il"));
  await vi.advanceTimersByTimeAsync(PAUSE - 1);
  expect(device.kept).toBeNull();
  expect(keeper.state.value).toBe("unsaved");
  await vi.advanceTimersByTimeAsync(2);
  expect(device.kept).toMatchObject({ slot: "slot1", item: null, draft: { text: "Il" } });
  expect(keeper.state.value).toBe("kept");
});

test("is kept at least every two seconds by somebody who never pauses", async () => {
  const device = new Device(), keeper = new DraftKeeper(device, null);
  const start = Date.now();
  for (let letters = 1; letters <= 100; letters += 1) {
    keeper.change(draft("x".repeat(letters)));
    await vi.advanceTimersByTimeAsync(150);
  }
  await vi.advanceTimersByTimeAsync(PAUSE);
  const gaps = device.times.map((time, place) => time - (device.times[place - 1] ?? start));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(LONGEST + 150);
  expect(device.kept?.draft.text).toBe("x".repeat(100));
});

test("says kept only when the newest text is", async () => {
  const device = new Device(), keeper = new DraftKeeper(device, null);
  device.delay = 1000;
  keeper.change(draft("a"));
  await vi.advanceTimersByTimeAsync(PAUSE + 500);
  keeper.change(draft("ab"));
  await vi.advanceTimersByTimeAsync(550);
  expect(device.kept?.draft.text).toBe("a");
  expect(keeper.state.value).toBe("unsaved");
  await vi.advanceTimersByTimeAsync(2000);
  expect(device.kept?.draft.text).toBe("ab");
  expect(keeper.state.value).toBe("kept");
});

test("a failure is told, and the next letter tries again", async () => {
  const device = new Device(), keeper = new DraftKeeper(device, null);
  device.failing = true;
  keeper.change(draft("a"));
  await vi.advanceTimersByTimeAsync(PAUSE + 1);
  expect(keeper.state.value).toBe("failed");
  expect(keeper.error.value).toBeInstanceOf(Error);
  const flushed = keeper.flush();
  await vi.advanceTimersByTimeAsync(1);
  expect(await flushed).toBe(false);
  device.failing = false;
  keeper.change(draft("ab"));
  await vi.advanceTimersByTimeAsync(PAUSE + 1);
  expect(device.kept?.draft.text).toBe("ab");
  expect(keeper.error.value).toBeNull();
});

test("once the text has become an entry, no draft comes after it", async () => {
  const device = new Device(), keeper = new DraftKeeper(device, null);
  keeper.change(draft("a"));
  keeper.end();
  keeper.change(draft("ab"));
  await vi.advanceTimersByTimeAsync(5000);
  expect(await keeper.flush()).toBe(true);
  expect(device.times).toEqual([]);
});

describe("two tabs on one draft", () => {
  const tabs = async (device: Device): Promise<readonly [DraftKeeper, DraftKeeper]> => {
    const one = new DraftKeeper(device, null);
    one.change(draft("Il a"));
    await one.flush();
    return [one, new DraftKeeper(device, device.kept)];
  };

  beforeEach(() => vi.useRealTimers());

  test("what one types is kept, also when the other makes an entry of what it started from", async () => {
    const device = new Device(), [one, other] = await tabs(device);
    one.change(draft("Il a crié"));
    expect(await one.flush()).toBe(true);
    await device.dropDraft(other.slot!); // it is an entry now
    other.end();
    expect(device.texts).toEqual(["Il a crié"]);
    one.change(draft("Il a crié, longtemps"));
    expect(await one.flush()).toBe(true);
    expect(device.texts).toEqual(["Il a crié, longtemps"]);
  });

  test("what both type is kept, each of it", async () => {
    const device = new Device(), [one, other] = await tabs(device);
    for (const more of [" crié", " crié et"]) {
      one.change(draft(`Il a${more}`));
      expect(await one.flush()).toBe(true);
      other.change(draft(`Elle a${more}`));
      expect(await other.flush()).toBe(true);
    }
    expect(device.texts).toEqual(["Il a crié et", "Elle a crié et"]);
    other.change(draft(""));
    expect(await other.flush()).toBe(true);
    expect(device.texts).toEqual(["Il a crié et"]);
  });
});

describe("a draft that another tab took", () => {
  const taken = async (): Promise<readonly [Device, DraftKeeper]> => {
    const device = new Device(), keeper = new DraftKeeper(device, null);
    keeper.change(draft("Il a"));
    await keeper.flush();
    await device.dropDraft(keeper.slot!);
    return [device, keeper];
  };

  beforeEach(() => vi.useRealTimers());

  test("is said to be kept until somebody looks, then to be gone, and is not brought back by that", async () => {
    const [device, keeper] = await taken();
    expect(keeper.state.value).toBe("kept");
    await keeper.look();
    expect(keeper.state.value).toBe("gone");
    expect(await keeper.flush()).toBe(true);
    expect(device.texts).toEqual([]);
  });

  test("is kept anew as soon as something is typed", async () => {
    const [device, keeper] = await taken();
    await keeper.look();
    keeper.change(draft("Il a crié"));
    expect(await keeper.flush()).toBe(true);
    expect(device.texts).toEqual(["Il a crié"]);
    await keeper.look();
    expect(keeper.state.value).toBe("kept");
  });

  test("is said to be gone where somebody was going to go on with it, too", async () => {
    const [device, { slot }] = await taken(), keeper = new DraftKeeper(device, { slot: slot!, saved: 1 });
    await keeper.look();
    expect(keeper.state.value).toBe("gone");
  });

  test("is nothing that a look knows which comes too late, or fails", async () => {
    const [device, keeper] = await taken();
    device.failing = true;
    await keeper.look();
    expect(keeper.state.value).toBe("kept");
    device.failing = false;
    device.delay = 20;
    const looking = keeper.look();
    keeper.change(draft("Il a crié"));
    await looking;
    expect(keeper.state.value).toBe("unsaved");
    keeper.end();
  });
});

describe("whatever happens", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("type" as const), text: fc.string({ maxLength: 4 }) }),
    fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 3000 }) }),
    fc.record({ kind: fc.constant("flush" as const) }),
    fc.record({ kind: fc.constant("fail" as const), failing: fc.boolean() }),
    fc.record({ kind: fc.constant("slow" as const), delay: fc.integer({ min: 0, max: 1500 }) }),
  );

  test("the last text is kept by a flush that succeeds, and by a pause", async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, pause) => {
      const device = new Device(), keeper = new DraftKeeper(device, null);
      let newest: string | null = null;
      for (const one of steps) {
        if (one.kind === "type") keeper.change(draft(newest = one.text));
        else if (one.kind === "wait") await vi.advanceTimersByTimeAsync(one.ms);
        else if (one.kind === "flush") void keeper.flush();
        else if (one.kind === "fail") device.failing = one.failing;
        else device.delay = one.delay;
      }
      await vi.advanceTimersByTimeAsync(20_000);
      device.failing = false;
      if (pause && newest !== null) keeper.change(draft(newest));
      const flushed = pause ? null : keeper.flush();
      await vi.advanceTimersByTimeAsync(20_000);
      if (flushed) expect(await flushed).toBe(true);
      expect(device.kept?.draft.text ?? "").toBe(newest ?? "");
      expect(keeper.state.value).toBe(newest ? "kept" : "nothing");
    }), { numRuns: runs(200) });
  });
});
