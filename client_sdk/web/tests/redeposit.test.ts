// A vault that was set back has again what browsers hold; what nobody has is written off, and nothing goes for that.
import { describe, expect, test } from "vitest";

import { decodeText, formatB64url, parseB64url } from "../src/crypto_core/encoding.js";
import type { VaultClient } from "../src/sdk/client.js";
import { DeviceFailed, type Changes } from "../src/sdk/home.js";
import type { Id, Item } from "../src/sdk/items.js";
import type { Row } from "../src/sdk/replica.js";
import type { Settled } from "../src/sdk/redeposit.js";
import { collected, registered, saying, type Browser } from "./clients.js";
import type { Sent } from "./memory_network.js";
import { ownVault } from "./shared_vault.js";

const vault = await ownVault();
const PHOTOGRAPH = new File([new Uint8Array(9000).fill(7)], "hall.jpg", { type: "image/jpeg" });
const attachments = [{ file: PHOTOGRAPH, thumbnail: null }];

/** A browser of somebody who has written `in the copy`. */
async function aLaptop(): Promise<Browser> {
  const laptop = await registered(vault.url);
  await during(laptop, (client) => client.writeEntry(saying("in the copy")));
  return laptop;
}

/** What is done while the vault is open. */
async function during<T>(browser: Browser, act: (client: VaultClient) => Promise<T>): Promise<T> {
  const client = await browser.logIn();
  try {
    return await act(client);
  } finally {
    await client.lock();
  }
}

const accept = (browser: Browser): Promise<Settled> =>
  during(browser, (client) => client.account.acceptTrust(browser.typed.password, browser.typed.pin));

const warnings = async (browser: Browser): Promise<readonly string[]> => (await browser.opening()).warnings;

const texts = (client: VaultClient): readonly (string | null)[] => client.items().map(({ text }) => text).sort();

function named(client: VaultClient, text: string): Item {
  const found = client.items().find((item) => item.text === text);
  if (found === undefined) throw new Error(`nobody wrote ${text}`);
  return found;
}

/** What a browser keeps of an account, as it is sealed. */
async function rows(browser: Browser): Promise<readonly Row[]> {
  const pages = (await browser.kept()).map(([, value]) => value).filter(Array.isArray) as Row[][];
  return pages.flat();
}

const sealed = async (browser: Browser): Promise<readonly unknown[]> =>
  (await rows(browser)).map(({ item, revision, wrap, link, record, blobs, erases }) =>
    ({ item, revision, wrap, link, record, blobs, erases }))
    .sort((one, other) => (`${one.item}.${one.revision}` < `${other.item}.${other.revision}` ? -1 : 1));

/** This browser has never had an entry, though others name it. */
async function forget(browser: Browser, item: Id): Promise<void> {
  for (const [key, value] of await browser.kept()) {
    if (!Array.isArray(value)) continue;
    await browser.store.write({ put: [[key, (value as Row[]).filter((row) => row.item !== item)]] });
  }
}

/** Another browser of the same person, who gives up what is lost and writes in the place of it. */
async function editedElsewhere(laptop: Browser, item: Id, text: string): Promise<Browser> {
  const phone = laptop.another();
  expect((await accept(phone)).writtenOff).toBeGreaterThan(0);
  await during(phone, async (client) => {
    await client.stepUp(phone.typed.pin);
    await client.editEntry(item, { text });
  });
  return phone;
}

const isPutting = ({ method, path }: Sent): boolean => method === "POST" && path === "/v1/items";

test("what came since the copy goes back byte for byte, at the next opening, and nobody else is warned", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  const hidden = await during(laptop, async (client) => {
    await client.writeEntry(saying("since the copy"));
    await client.editEntry(named(client, "in the copy").id, { text: "edited since" });
    return (await client.writeEntry(saying("behind the PIN"), { sensitive: true })).id;
  });
  const before = await sealed(laptop);
  await vault.setBack(copy);

  const opening = await laptop.opening();
  expect(opening.givenBack).toBe(3);
  expect([...opening.warnings].sort()).toEqual(["items_missing", "ledger_forked"]);
  expect((await laptop.opening()).givenBack).toBe(0);
  const receipts = (await laptop.evidence()).filter(({ name }) => name === "receipt");
  expect(receipts.length).toBe(3);

  const phone = laptop.another();
  await during(phone, async (client) => {
    expect(client.warnings).toEqual([]);
    await client.stepUp(phone.typed.pin);
    expect(texts(client)).toEqual(["behind the PIN", "edited since", "since the copy"]);
    expect(client.history(named(client, "edited since").id).length).toBe(2);
    expect(client.item(hidden).sensitive).toBe(true);
  });
  expect(await sealed(laptop)).toEqual(before);
  expect(await sealed(phone)).toEqual(before);

  await during(laptop, async (client) => {
    const said = await client.restorations();
    expect(said.map(({ size, was }) => was - size)).toEqual([3]);
  });
  expect(await accept(laptop)).toEqual({ givenBack: 0, anew: [], writtenOff: 0, files: [], left: null, recordOlder: false });
  expect([await warnings(laptop), await warnings(phone)]).toEqual([[], []]);
  await during(laptop, (client) => client.editEntry(named(client, "edited since").id, { text: "edited again" }));
});

test("a fork that shows only in what is given back is told, and stops nothing", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  await during(laptop, (client) => client.writeEntry(saying("since the copy")));
  const held = await (await fetch(`${vault.url}/ledger/checkpoint`)).text();
  await vault.setBack(copy);
  laptop.network.answers = ({ path }) => (path === "/ledger/checkpoint" ? new Response(held) : null);
  const opening = await laptop.opening();
  expect(opening.givenBack).toBe(1);
  expect([...opening.warnings].sort()).toEqual(["items_missing", "ledger_forked"]);
});

test("an entry goes back without the file that was lost, and goes on without it once the warning is ended", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  const [kept, other] = await during(laptop, async (client) => [
    (await client.writeEntry(saying("see the photograph", { title: "The hall" }), { attachments })).id,
    (await client.writeEntry(saying("another"), { attachments })).id,
  ]);
  await vault.setBack(copy);
  expect((await laptop.opening()).givenBack).toBe(2);

  await during(laptop.another(), async (client) => { // nobody has told this browser of anything
    const { contents: [file], text } = client.item(kept!);
    expect(text).toBe("see the photograph");
    await expect(collected(client.readContent(file!))).rejects.toMatchObject({ code: "not_found" });
    await client.editEntry(other!, { text: "another, edited elsewhere" });
    expect(client.item(other!).contents).toEqual([]);
  });
  expect((await accept(laptop)).files).toEqual([{ item: kept, title: "The hall", name: "hall.jpg" }]);
  await during(laptop, async (client) => {
    expect(client.item(kept!)).toMatchObject({ revision: 2, text: "see the photograph", contents: [] });
    expect(client.history(kept!).map(({ contents }) => contents.length)).toEqual([1, 0]);
    await client.editEntry(kept!, {}, { attachments });
    const { contents: [file] } = client.item(kept!);
    expect((await collected(client.readContent(file!))).length).toBe(9000);
  });
  expect(await warnings(laptop)).toEqual([]);
});

test.each([false, true])("where another browser has written meanwhile both texts stay (sensitive: %s)", async (sensitive) => {
  const laptop = await registered(vault.url);
  const { id } = await during(laptop, (client) => client.writeEntry(saying("first"), { sensitive }));
  const copy = await vault.backUp();
  await during(laptop, async (client) => {
    await client.stepUp(laptop.typed.pin);
    for (const text of ["second, on the laptop", "third, on the laptop"]) await client.editEntry(id, { text });
    await client.writeEntry(saying("by the way"));
  });
  await vault.setBack(copy);
  const phone = await editedElsewhere(laptop, id, "second, on the phone");
  const opening = await laptop.opening();
  expect(opening.givenBack).toBe(1); // by the way
  expect([...opening.warnings].sort()).toEqual(["items_missing", "ledger_forked"]); // nobody swapped anything
  const settled = await accept(laptop);
  expect(settled).toMatchObject({ givenBack: 0, writtenOff: 0, left: null });
  const [anew = ""] = settled.anew;
  for (const browser of [laptop, phone, laptop.another()]) {
    expect(await warnings(browser)).toEqual([]);
    await during(browser, async (client) => {
      await client.stepUp(browser.typed.pin);
      expect(client.history(id).map(({ text }) => text)).toEqual(["first", "second, on the phone"]);
      expect(client.history(anew).map(({ text }) => text)).toEqual(["second, on the laptop", "third, on the laptop"]);
      expect(client.item(anew).sensitive).toBe(sensitive);
    });
  }
  expect((await laptop.evidence()).map(({ name }) => name)).toContain("record");
});

test("what nobody has is written off everywhere, is shown nowhere, and comes back with whoever has it after all", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  const { id: lost } = await during(laptop, (client) => client.writeEntry(saying("lost")));
  await during(laptop, (client) => client.writeEntry(saying("names the lost one")));
  const phone = laptop.another();
  await phone.opening();
  await forget(phone, lost);
  await vault.setBack(copy);
  expect((await phone.opening()).givenBack).toBe(1);
  expect(await accept(phone)).toMatchObject({ writtenOff: 1, anew: [], left: null });

  const third = laptop.another();
  expect([await warnings(phone), await warnings(third)]).toEqual([[], []]);
  const [loss] = (await rows(third)).filter(({ erases }) => erases?.length === 0);
  await during(third, async (client) => {
    expect(texts(client)).toEqual(["in the copy", "names the lost one"]);
    expect(() => client.item(loss!.item)).toThrow();
    expect(() => client.history(loss!.item)).toThrow();
    expect(client.items("tombstone")).toEqual([]);
    await expect(client.pack([{ item: loss!.item, revision: 1 }])).rejects.toMatchObject({ code: "item_unknown" });
  });

  expect((await laptop.opening()).givenBack).toBe(1); // what was written off is not erased
  await during(third, async (client) => expect(client.item(lost).text).toBe("lost"));
});

test("a loss makes no browser let go of anything", async () => {
  const laptop = await aLaptop();
  const id = await during(laptop, async (client) => named(client, "in the copy").id);
  const phone = laptop.another();
  const erased = (page: any): unknown => ({
    ...page, revisions: page.revisions.map((one: any) =>
      (one.item === id ? { ...one, wrap: null, record: null, blobs: [] } : one)),
  });
  phone.network.rewrites.set("GET /v1/items", erased);
  expect(await warnings(phone)).toEqual(["items_missing"]);
  expect((await accept(phone)).writtenOff).toBe(1);
  laptop.network.rewrites.set("GET /v1/items", erased);
  const [[key, header]] = (await laptop.kept()).filter(([, value]) => (value as any)?.facts) as [[string, any]];
  await laptop.store.write({ put: [[key, { ...header, facts: { ...header.facts, cursor: "" } }]] });
  await during(laptop, async (client) => {
    expect(client.warnings).toEqual([]); // it was written off
    expect(client.item(id).text).toBe("in the copy");
  });
});

test("a receipt under the history that was lost is asked for anew, once", async () => {
  const laptop = await aLaptop();
  const id = await during(laptop, async (client) => named(client, "in the copy").id);
  const copy = await vault.backUp();
  await during(laptop, (client) => client.writeEntry(saying("since the copy")));
  const phone = laptop.another();
  const held = await during(phone, (client) => client.receipt(id, 1)); // under the tree of that moment
  await vault.setBack(copy);
  const lost = laptop.another(); // what comes next is another ledger than the one that was signed
  await accept(lost);
  await during(lost, (client) => client.writeEntry(saying("after the copy")));
  await accept(phone);
  const renewed = await during(phone, (client) => client.receipt(id, 1));
  expect(renewed.verified.index).toBe(held.verified.index);
  expect(renewed.receipt).not.toBe(held.receipt);
  const evidence = (await phone.evidence()).filter(({ name }) => name === "receipt").map(({ data }) => decodeText(data));
  expect(evidence).toContain(held.receipt);
  phone.network.seen.length = 0;
  await phone.opening();
  expect(phone.network.paths("GET").filter((path) => path.endsWith("/receipt"))).toEqual([]);
});

test("a file that was sent only now is never left out of what is written", async () => {
  const laptop = await aLaptop();
  await during(laptop, async (client) => {
    let blob = "";
    laptop.network.rewrites.set("POST /v1/items", (said) => said);
    laptop.network.answers = (sent) => {
      if (!isPutting(sent)) return null;
      const [revision] = JSON.parse(new TextDecoder().decode(sent.body)).revisions;
      [blob] = revision.blobs;
      const problem = { type: "/problems/blob_missing", title: "", status: 409, code: "blob_missing", detail: "", blobs: [blob] };
      return new Response(JSON.stringify(problem), { status: 409, headers: { "Content-Type": "application/problem+json" } });
    };
    const edited = client.editEntry(named(client, "in the copy").id, { text: "edited" }, {
      attachments: [{ file: PHOTOGRAPH, thumbnail: null }],
    });
    await expect(edited).rejects.toMatchObject({ code: "blob_missing" });
    expect(parseB64url(blob).length).toBe(16);
    laptop.network.answers = () => null;
  });
});

describe("whoever is cut off while a warning is ended", () => {
  test.each([1, 3, 4, 6, 8])("goes on the next time (cut at %i)", async (count) => {
    const laptop = await aLaptop();
    const id = await during(laptop, async (client) => named(client, "in the copy").id);
    const copy = await vault.backUp();
    const kept = await during(laptop, async (client) => {
      await client.editEntry(id, { text: "edited on the laptop" });
      return (await client.writeEntry(saying("see the photograph"), {
        attachments: [{ file: PHOTOGRAPH, thumbnail: null }],
      })).id;
    });
    await vault.setBack(copy);
    await editedElsewhere(laptop, id, "edited on the phone");
    const client = await laptop.logIn();
    const { password, pin } = laptop.typed;
    let passed = 0;
    laptop.network.cutBefore = ({ path }) => path !== "/v1/confirm" && path !== "/v1/login/start" && (passed += 1) > count;
    const cut = await client.account.acceptTrust(password, pin).then(() => false, (error: unknown) => {
      expect(error).toMatchObject({ code: "network" });
      return true;
    });
    expect(cut || count > 7).toBe(true);
    laptop.network.cutBefore = () => false;
    if (count % 2 === 0) {
      await client.account.acceptTrust(password, pin); // at once, in the same session
      await client.lock();
    } else {
      await client.lock();
      await accept(laptop);
    }
    for (const browser of [laptop, laptop.another()]) {
      expect(await warnings(browser)).toEqual([]);
      await during(browser, async (again) => {
        expect(texts(again)).toEqual(["edited on the laptop", "edited on the phone", "see the photograph"]);
        expect(again.history(kept).map(({ contents }) => contents.length)).toEqual([1, 0]);
      });
    }
  });
});

const PROBLEM = { title: "", detail: "" };
const refused = (status: number, code: string, more: object = {}): Response =>
  new Response(JSON.stringify({ ...PROBLEM, type: `/problems/${code}`, status, code, ...more }), {
    status, headers: { "Content-Type": "application/problem+json" },
  });

/** A space in which nothing more fits, for as long as `act` takes. */
async function full<T>(browser: Browser, act: () => Promise<T>): Promise<T> {
  browser.network.answers = (sent) => (isPutting(sent) ? refused(507, "quota_full") : null);
  try {
    return await act();
  } finally {
    browser.network.answers = () => null;
  }
}

test("what comes after a lost place never goes on top of what another browser wrote", async () => {
  const laptop = await aLaptop();
  const id = await during(laptop, async (client) => named(client, "in the copy").id);
  const copy = await vault.backUp();
  await during(laptop, async (client) => {
    await client.editEntry(id, { text: "second, on the laptop" });
    for (let number = 0; number < 100; number += 1) await client.writeEntry(saying(`number ${number}`));
    await client.editEntry(id, { text: "third, on the laptop" });
  });
  await vault.setBack(copy);
  const phone = await editedElsewhere(laptop, id, "second, on the phone");
  laptop.network.seen.length = 0;
  expect((await laptop.opening()).givenBack).toBe(100); // in more than one request
  await during(phone, async (client) => expect(client.item(id).text).toBe("second, on the phone"));
  const { anew: [anew = ""] } = await accept(laptop);
  await during(laptop, async (client) => {
    expect(client.item(id).text).toBe("second, on the phone");
    expect(client.history(anew).map(({ text }) => text)).toEqual(["second, on the laptop", "third, on the laptop"]);
  });
});

test("a vault that misses ever other files is asked no more", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  await during(laptop, (client) => client.writeEntry(saying("since the copy")));
  await vault.setBack(copy);
  let asked = 0;
  laptop.network.answers = (sent) => {
    if (!isPutting(sent)) return null;
    if ((asked += 1) > 20) throw new Error("asked for ever");
    return refused(409, "blob_missing", { blobs: [formatB64url(new Uint8Array(16).fill(asked))] });
  };
  expect((await laptop.opening()).givenBack).toBe(0);
  expect(asked).toBeLessThan(3);
});

test("a service that takes nothing still lets everything be read", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  await during(laptop, (client) => client.writeEntry(saying("since the copy")));
  await vault.setBack(copy);
  laptop.network.answers = (sent) => (isPutting(sent) ? new Response("", { status: 500 }) : null);
  await during(laptop, async (client) => expect(texts(client)).toEqual(["in the copy", "since the copy"]));
});

test("a full space ends the warning, names the lost files, and has each left out once, when there is room", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  const [kept = "", other = ""] = await during(laptop, async (client) => [
    (await client.writeEntry(saying("see the photograph", { title: "The hall" }), { attachments })).id,
    (await client.writeEntry(saying("another"), { attachments })).id,
  ]);
  await vault.setBack(copy);
  expect((await laptop.opening()).givenBack).toBe(2);
  await full(laptop, async () => {
    const settled = await accept(laptop);
    expect(settled.left).toMatchObject({ code: "quota_full" });
    expect(settled.files).toEqual([
      { item: kept, title: "The hall", name: "hall.jpg" }, { item: other, title: "", name: "hall.jpg" },
    ]);
    for (let turn = 0; turn < 3; turn += 1) expect(await laptop.opening()).toMatchObject({ warnings: [], waiting: 0 });
  });
  for (let turn = 0; turn < 2; turn += 1) expect(await laptop.opening()).toMatchObject({ warnings: [], waiting: 0 });
  await during(laptop, async (client) => {
    for (const id of [kept, other]) expect(client.history(id).map(({ contents }) => contents.length)).toEqual([1, 0]);
  });
});

test("a full space keeps no displaced text from going once there is room", async () => {
  const laptop = await aLaptop();
  const ids = await during(laptop, async (client) => {
    await client.writeEntry(saying("also in the copy"));
    return client.items().map(({ id }) => id);
  });
  const copy = await vault.backUp();
  await during(laptop, async (client) => {
    for (const id of ids) await client.editEntry(id, { text: "on the laptop" });
  });
  await vault.setBack(copy);
  const phone = await editedElsewhere(laptop, ids[0]!, "on the phone");
  await during(phone, (client) => client.editEntry(ids[1]!, { text: "on the phone" }));
  await laptop.opening();
  laptop.network.answers = (sent) => {
    if (!isPutting(sent)) return null;
    const { revisions } = JSON.parse(new TextDecoder().decode(sent.body)) as { revisions: { item: Id }[] };
    return revisions.some(({ item }) => ids.includes(item)) ? null : refused(507, "quota_full");
  };
  expect((await accept(laptop)).left).toMatchObject({ code: "quota_full" });
  laptop.network.answers = () => null;
  for (let turn = 0; turn < 2; turn += 1) expect(await warnings(laptop)).toEqual([]);
  const both = ["on the laptop", "on the laptop", "on the phone", "on the phone"];
  for (const browser of [laptop, laptop.another()]) {
    expect(await warnings(browser)).toEqual([]);
    await during(browser, async (client) => expect(texts(client)).toEqual(both));
  }
});

test("what another browser gave back meanwhile is not written anew", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  const { id } = await during(laptop, (client) => client.writeEntry(saying("see the photograph"), { attachments }));
  const phone = laptop.another();
  await phone.opening();
  await vault.setBack(copy);
  laptop.network.cutBefore = isPutting;
  const client = await laptop.logIn(); // has given nothing back yet
  laptop.network.cutBefore = () => false;
  expect((await phone.opening()).givenBack).toBe(1); // the same bytes, without the file that was lost
  expect((await client.account.acceptTrust(laptop.typed.password, laptop.typed.pin)).anew).toEqual([]);
  expect(client.items().filter(({ text }) => text === "see the photograph").map((item) => item.id)).toEqual([id]);
  await client.lock();
});

test("a file of a sensitive item is left out once the PIN is given", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  const { id } = await during(laptop, (client) =>
    client.writeEntry(saying("see the photograph"), { sensitive: true, attachments }));
  await vault.setBack(copy);
  laptop.network.cutBefore = ({ path }) => path.startsWith("/v1/blobs/");
  await expect(accept(laptop)).rejects.toMatchObject({ code: "network" });
  laptop.network.cutBefore = () => false;
  expect(await warnings(laptop)).toEqual([]);
  await during(laptop, async (client) => {
    await client.stepUp(laptop.typed.pin);
    expect(client.item(id).contents).toEqual([]);
  });
  laptop.network.seen.length = 0;
  await laptop.opening();
  expect(laptop.network.paths("GET").filter((path) => /receipt$|restorations/.test(path))).toEqual([]);
});

test("a vault that was set back twice has everything again, once", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  await during(laptop, (client) => client.writeEntry(saying("since the copy")));
  const before = await sealed(laptop);
  for (const isEnded of [false, true, true]) {
    await vault.setBack(copy);
    expect((await laptop.opening()).givenBack).toBe(1);
    if (isEnded) await accept(laptop);
  }
  expect([await warnings(laptop), await warnings(laptop.another())]).toEqual([[], []]);
  expect(await sealed(laptop)).toEqual(before);
});

test("a loss that waits says that it is one", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  const { id: lost } = await during(laptop, (client) => client.writeEntry(saying("lost")));
  await during(laptop, (client) => client.writeEntry(saying("names the lost one")));
  const phone = laptop.another();
  await phone.opening();
  await forget(phone, lost);
  await vault.setBack(copy);
  const client = await phone.logIn();
  phone.network.cutAfter = isPutting;
  await expect(client.account.acceptTrust(phone.typed.password, phone.typed.pin)).rejects.toMatchObject({ code: "network" });
  phone.network.cutAfter = () => false;
  expect((await client.waiting()).map(({ kind }) => kind)).toEqual(["loss"]);
  await client.lock();
});

test("more versions than one request takes are written anew once, whatever is cut off", async () => {
  const laptop = await aLaptop();
  const id = await during(laptop, async (client) => named(client, "in the copy").id);
  const copy = await vault.backUp();
  await during(laptop, async (client) => {
    for (let number = 0; number <= 100; number += 1) await client.editEntry(id, { text: `${number} on the laptop` });
  });
  await vault.setBack(copy);
  await editedElsewhere(laptop, id, "on the phone");
  await during(laptop, async (client) => {
    let puts = 0;
    laptop.network.cutBefore = (sent) => isPutting(sent) && (puts += 1) > 1; // after what conflicts
    const { password, pin } = laptop.typed;
    await expect(client.account.acceptTrust(password, pin)).rejects.toMatchObject({ code: "network" });
    laptop.network.cutBefore = () => false;
  });
  await accept(laptop);
  expect([await warnings(laptop), await warnings(laptop.another())]).toEqual([[], []]);
  await during(laptop, async (client) => {
    expect(texts(client)).toEqual(["100 on the laptop", "on the phone"]);
    expect(client.items().map((item) => client.history(item.id).length).sort()).toEqual([101, 2]);
  });
});

/** An entry with a file that has arrived, and one behind it; neither entry has. */
async function writtenFarAway(browser: Browser, sensitive = false): Promise<void> {
  browser.network.cutBefore = isPutting;
  await during(browser, async (client) => {
    for (const [text, files] of [["see the photograph", attachments], ["behind it", []]] as const) {
      const written = client.writeEntry(saying(text, { title: "The hall" }), { attachments: files, sensitive });
      await expect(written).rejects.toMatchObject({ code: "network" });
    }
  });
  browser.network.cutBefore = () => false;
}

/** What a vault says to every batch that names files. */
const missing = (browser: Browser, blobsOf: (named: readonly Id[]) => unknown): void => {
  browser.network.answers = (sent) => {
    if (!isPutting(sent)) return null;
    const { revisions } = JSON.parse(decodeText(sent.body)) as { revisions: { blobs: Id[] }[] };
    const named = revisions.flatMap(({ blobs }) => blobs);
    return named.length > 0 ? refused(409, "blob_missing", { blobs: blobsOf(named) }) : null;
  };
};

test.each([false, true])("a text that waited goes without the file that was lost meanwhile (sensitive: %s)", async (sensitive) => {
  const laptop = await aLaptop();
  await writtenFarAway(laptop, sensitive);
  await vault.loseFiles();
  expect(await laptop.opening()).toMatchObject({ waiting: 0, warnings: [] });
  await during(laptop, async (client) => {
    await client.stepUp(laptop.typed.pin);
    const item = named(client, "see the photograph");
    if (sensitive) expect(client.lostFiles).toEqual([{ item: item.id, title: "The hall", name: "hall.jpg" }]);
    expect(item.contents).toEqual([]);
    expect(client.history(item.id).map(({ contents }) => contents.length)).toEqual([1, 0]);
    expect(texts(client)).toContain("behind it");
    await client.editEntry(item.id, {}, { attachments });
    expect((await collected(client.readContent(client.item(item.id).contents[0]!))).length).toBe(9000);
  });
  expect(await warnings(laptop.another())).toEqual([]);
});

test("the files that items go on without are told in the session in which they are left out, once", async () => {
  const laptop = await aLaptop();
  await writtenFarAway(laptop);
  await vault.loseFiles();
  await during(laptop, async (client) => {
    expect(await client.unfinished()).toEqual([]); // it had gone to its end
    const { id: item } = named(client, "see the photograph");
    expect(client.lostFiles).toEqual([{ item, title: "The hall", name: "hall.jpg" }]);
  });
  await during(laptop, async (client) => expect(client.lostFiles).toEqual([]));
});

test("the end of a warning names the file without which a text that waited has gone", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  await during(laptop, (client) => client.writeEntry(saying("since the copy")));
  await writtenFarAway(laptop);
  await vault.setBack(copy);
  expect((await laptop.opening()).givenBack).toBe(1);
  const opening = await laptop.opening(); // at the first one, the ledger was found to be another than before
  expect([opening.waiting, opening.warnings.length > 0]).toEqual([0, true]);
  expect((await accept(laptop)).files.map(({ title, name }) => [title, name])).toEqual([["The hall", "hall.jpg"]]);
  await during(laptop.another(), async (client) => {
    expect(named(client, "see the photograph").contents).toEqual([]);
    expect(texts(client)).toContain("since the copy");
  });
});

test("a text whose place is taken goes without its lost file, though it was cut off", async () => {
  const laptop = await aLaptop();
  const id = await during(laptop, async (client) => named(client, "in the copy").id);
  const copy = await vault.backUp();
  await during(laptop, (client) => client.editEntry(id, { text: "on the laptop" }, { attachments }));
  await vault.setBack(copy);
  await editedElsewhere(laptop, id, "on the phone");
  await during(laptop, async (client) => {
    let puts = 0;
    laptop.network.cutBefore = (sent) => isPutting(sent) && (puts += 1) > 1; // after what conflicts
    const { password, pin } = laptop.typed;
    await expect(client.account.acceptTrust(password, pin)).rejects.toMatchObject({ code: "network" });
    laptop.network.cutBefore = () => false;
  });
  expect((await laptop.opening()).waiting).toBe(0);
  expect((await accept(laptop)).files.map(({ name }) => name)).toEqual(["hall.jpg"]);
  await during(laptop, async (client) => {
    expect(texts(client)).toEqual(["on the laptop", "on the phone"]);
    expect(named(client, "on the laptop").contents).toEqual([]);
  });
});

test("a vault that says that it hasn't a file, and has it, makes nobody drop it", async () => {
  const laptop = await aLaptop();
  await writtenFarAway(laptop);
  missing(laptop, (blobs) => blobs);
  for (let turn = 0; turn < 2; turn += 1) expect(await laptop.opening()).toMatchObject({ waiting: 0, warnings: [] });
  await during(laptop, async (client) => {
    expect(client.lostFiles).toEqual([]);
    const { revision, contents: [file] } = named(client, "see the photograph");
    expect(revision).toBe(1);
    expect((await collected(client.readContent(file!))).length).toBe(9000);
  });
});

const SOME = "AAAAAAAAAAAAAAAAAAAAAA";

test.each([
  [7], [null], [true], [SOME], [{}], [{ [SOME]: 1 }], [[7]], [[null]], [[[]]], [[{}]], [["é"]], [["AAAA"]], [[SOME, 7]], [[]],
  [[SOME]],
])("what a vault misses and does not name is refused, and stops nothing else: %j", async (blobs) => {
  const laptop = await aLaptop();
  await during(laptop, async (client) => {
    missing(laptop, () => blobs);
    const written = client.writeEntry(saying("one more"), { attachments });
    await expect(written).rejects.toMatchObject({ code: "blob_missing" });
    await client.writeEntry(saying("after it"));
  });
  expect((await laptop.opening()).waiting).toBe(1);
});

test("what was given back is refused by a vault that does not name what it misses, and can be read", async () => {
  const laptop = await aLaptop();
  const copy = await vault.backUp();
  await during(laptop, (client) => client.writeEntry(saying("since the copy"), { attachments }));
  await vault.setBack(copy);
  missing(laptop, () => [{}]);
  await during(laptop, async (client) => {
    expect(client.givenBack).toBe(0);
    expect(texts(client)).toContain("since the copy");
  });
});

test("wherever a browser dies while a displaced text is let go of, it is not there twice", async () => {
  const laptop = await aLaptop();
  const id = await during(laptop, async (client) => named(client, "in the copy").id);
  const copy = await vault.backUp();
  await during(laptop, (client) => client.editEntry(id, { text: "on the laptop" }));
  await vault.setBack(copy);
  await editedElsewhere(laptop, id, "on the phone");
  const write = laptop.store.write.bind(laptop.store);
  let waits = false;
  await during(laptop, async (client) => {
    laptop.store.write = async (changes: Changes): Promise<void> => { // nothing is written any more once something waits
      if (waits) throw new DeviceFailed("died");
      const put = [...(changes.put ?? [])];
      waits = put.some(([key]) => /^a.{22}o\d{12}$/.test(key));
      await write({ ...changes, put });
    };
    const { password, pin } = laptop.typed;
    await expect(client.account.acceptTrust(password, pin)).rejects.toMatchObject({ code: "device" });
    expect(waits).toBe(true);
  });
  laptop.store.write = write;
  await laptop.opening();
  await accept(laptop);
  for (const browser of [laptop, laptop.another()]) {
    expect(await warnings(browser)).toEqual([]);
    await during(browser, async (client) => expect(texts(client)).toEqual(["on the laptop", "on the phone"]));
  }
});
