// Drafts on a device on which a newer version was at work: what it wrote stays as it is, and is not shown by half.
import { beforeAll, expect, test } from "vitest";

import { formatB64url, formatJson, parseB64url, parseJson } from "../src/crypto_core/encoding.js";
import { makeBytes, makeId } from "../src/crypto_core/randomness.js";
import { Keyring } from "../src/crypto_core/sealing/keyring.js";
import { openDeviceState, sealDeviceState } from "../src/crypto_core/sealing/records.js";
import { ready } from "../src/crypto_core/sodium.js";
import { Drafts } from "../src/sdk/drafts.js";
import { Home, MemoryLocks, MemoryStore } from "../src/sdk/home.js";
import { saying } from "./clients.js";

beforeAll(ready);

type Said = Record<string, unknown>;

test.each([
  ["the draft", (head: Said) => ({ ...head, until: 7 })],
  ["its words", (head: Said) => ({ ...head, says: more(head["says"] as string, (words) => ({ ...words, colour: "red" })) })],
  ["its time", (head: Said) => ({
    ...head, says: more(head["says"] as string, (words) => ({ ...words, happened: { ...words["happened"] as Said, zone: "" } })),
  })],
])("what this version doesn't know in %s makes it another's", async (_what, newer) => {
  const account = makeId();
  const keyring = new Keyring(account, makeBytes(32), makeBytes(32), 1, 1, makeBytes(32));
  const home = new Home(new MemoryStore(), new MemoryLocks()).account(formatB64url(makeId()), formatB64url(account));
  const drafts = new Drafts(home, keyring);
  const happened = { from: 1, to: 2, precision: "day" as const, words: "" };
  const draft = { ...saying("half a sent"), happened };
  const slot = await drafts.keep({ item: null, revision: null, kind: "journal", draft, sensitive: false, saved: 1 });
  expect((await drafts.list()).map((one) => one.draft.text)).toEqual(["half a sent"]);
  expect(await drafts.unopened()).toBe(0);

  const sealed = await home.store.get(home.key("drafts", slot)) as Uint8Array;
  const head = parseJson(openDeviceState(keyring.mkN, "draft", account, sealed)) as Said;
  const other = sealDeviceState(keyring.mkN, "draft", account, formatJson(newer(head)));
  await home.store.write({ put: [[home.key("drafts", slot), other]] });
  expect(await drafts.list()).toEqual([]);
  expect(await drafts.unopened()).toBe(1);
  expect(await home.store.get(home.key("drafts", slot))).toEqual(other);
});

test("the version that a draft changes is kept with it; of an older draft it isn't known", async () => {
  const account = makeId();
  const keyring = new Keyring(account, makeBytes(32), makeBytes(32), 1, 1, makeBytes(32));
  const home = new Home(new MemoryStore(), new MemoryLocks()).account(formatB64url(makeId()), formatB64url(account));
  const drafts = new Drafts(home, keyring);
  const item = formatB64url(makeId());
  const typed = { item, kind: "journal" as const, draft: saying("half a sent"), sensitive: false };
  await drafts.keep({ ...typed, revision: 3, saved: 2 });
  await drafts.keep({ ...typed, revision: null, saved: 1 });
  expect((await drafts.list()).map(({ revision }) => revision)).toEqual([3, null]);
});

function more(says: string, change: (words: Said) => Said): string {
  return formatB64url(formatJson(change(parseJson(parseB64url(says)) as Said)));
}
