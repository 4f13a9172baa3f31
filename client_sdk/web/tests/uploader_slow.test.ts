// A telephone at the edge of its network: 1.2 Mbit/s, 400 ms away, cut every 8 seconds. What is sent twice and what time
// is lost, against a link that is never cut. The vault is real; the time is the link's own, and stands still while this
// machine works.
import { randomBytes } from "node:crypto";

import { beforeAll, expect, test } from "vitest";

import { ready } from "../src/crypto_core/sodium.js";
import { EMPTY_DRAFT } from "../src/sdk/items.js";
import { sealedContentSize } from "../src/sdk/contents.js";
import { registered } from "./clients.js";
import { sharedVault, type SharedVault } from "./shared_vault.js";

const BYTES_PER_MS = 1_200_000 / 8 / 1000;
const LATENCY = 400;
const CUT_EVERY = 8_000;
const SIZE = 6_000_000;

let vault: SharedVault;

beforeAll(async () => {
  await ready();
  vault = await sharedVault();
}, 60_000);

/** Turns of the event loop without anything to do, after which nobody but the clock can go on. */
const QUIET = 25;
let time = 0;
let working = 0;
let alarms: (readonly [number, () => void])[] = [];

const now = (): number => time;
const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => (alarms = [...alarms, [time + Math.max(0, ms), resolve] as const]));

/** Goes on to the next alarm whenever all is quiet, until `over`. */
async function runClock(over: () => boolean): Promise<void> {
  for (let quiet = 0; !over();) {
    await new Promise((resolve) => setImmediate(resolve));
    quiet = working > 0 ? 0 : quiet + 1;
    if (quiet < QUIET || alarms.length === 0) continue;
    const next = alarms.reduce((one, other) => (other[0] < one[0] ? other : one));
    alarms = alarms.filter((one) => one !== next);
    time = next[0];
    next[1]();
    quiet = 0;
  }
}

/** A link that all requests share: bodies go piece by piece, and a cut ends what is on its way. */
class Link {
  sent = 0;
  cuts = 0;
  again = 0;
  lost = 0;
  #free = 0;
  #nextCut = now() + CUT_EVERY;
  readonly #begun = new Map<string, number>();

  async carry(path: string, size: number): Promise<void> {
    const units = Math.max(1, Math.round(size / 262_400));
    const first = Number(/\/units\/(\d+)$/.exec(path)?.[1]);
    for (let unit = first; unit < first + units; unit++) {
      const times = this.#begun.get(String(unit)) ?? 0;
      this.again += times > 0 ? 1 : 0;
      this.#begun.set(String(unit), times + 1);
    }
    const cuts = this.#cuts();
    await sleep(LATENCY);
    for (let left = size; left > 0; left -= 16_384) {
      const count = Math.min(left, 16_384);
      this.#free = Math.max(this.#free, now()) + count / BYTES_PER_MS;
      await sleep(this.#free - now());
      this.sent += count;
      if (this.#cuts() > cuts) {
        this.lost += units;
        throw new TypeError("cut");
      }
    }
  }

  #cuts(): number {
    while (now() > this.#nextCut) {
      this.#nextCut += CUT_EVERY;
      this.cuts += 1;
    }
    return this.cuts;
  }
}

test("at most 1.25 times the bytes and 1.8 times the time are spent, and only what was on its way goes again", async () => {
  const browser = await registered(vault.url);
  const link = new Link();
  const pass = browser.network.fetch;
  Object.assign(browser.network, { fetch: async (url: string, init: RequestInit) => {
    if (init.method === "PUT" && url.includes("/units/")) {
      await link.carry(new URL(url).pathname, (init.body as Blob).size);
    }
    working += 1;
    return pass(url, init).finally(() => (working -= 1));
  } });
  const client = await browser.logIn({ now, sleep });
  const file = new File([randomBytes(SIZE)], "video.mp4");
  const slice = file.slice.bind(file);
  file.slice = (...given) => {
    const part = slice(...given), read = part.arrayBuffer.bind(part);
    part.arrayBuffer = () => {
      working += 1;
      return read().finally(() => (working -= 1));
    };
    return part;
  };
  const begun = now();
  let over = false;
  const adding = client.addDocument({ file, thumbnail: null }, EMPTY_DRAFT).finally(() => (over = true));
  await runClock(() => over);
  await adding;
  const whole = sealedContentSize(SIZE);
  const ideal = whole / BYTES_PER_MS;
  const [bytes, time] = [link.sent / whole, (now() - begun) / ideal];
  console.log(`${link.cuts} cuts, ${bytes.toFixed(3)} times the bytes, ${time.toFixed(2)} times the time, ${link.again} again`);
  expect(link.cuts).toBeGreaterThan(3);
  expect(link.again).toBeLessThanOrEqual(link.lost);
  expect(bytes).toBeLessThanOrEqual(1.25);
  expect(time).toBeLessThanOrEqual(1.8);
});
