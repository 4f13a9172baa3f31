// Writing over a bad network and from several devices, with a real server: no typed character is lost, none kept twice.
import { expect, test } from "vitest";

import type { VaultClient } from "../src/sdk/client.js";
import { saying, registered, collected, type Browser } from "./clients.js";
import { json } from "./memory_network.js";
import { ownVault } from "./shared_vault.js";

const vault = await ownVault();

const isPost = (sent: { readonly method: string; readonly path: string }): boolean =>
  sent.method === "POST" && sent.path === "/v1/items";
const posts = (browser: Browser): number => browser.network.seen.filter(isPost).length;
const texts = (client: VaultClient): readonly (string | null)[] => client.items().map((item) => item.text);

async function twoDevices(): Promise<readonly [Browser, Browser]> {
  const laptop = await registered(vault.url);
  return [laptop, laptop.another()];
}

test.each(["ن", "😱", "\u202e"])("two hundred thousand characters of any script are kept: %j", async (sign) => {
  const client = await (await registered(vault.url)).logIn();
  const kept = await client.writeEntry(saying(sign.repeat(200_000)));
  expect(client.item(kept.id).text).toBe(sign.repeat(200_000));
});

const TOO_LONG = [["a".repeat(900_001)], ["😱".repeat(262_144)]] as const;

test.each(TOO_LONG)("a text that no record holds is refused with advice", async (text) => {
  const client = await (await registered(vault.url)).logIn();
  await expect(client.writeEntry(saying(text))).rejects.toMatchObject({ code: "text_too_long" });
  expect([client.items(), await client.waiting()]).toEqual([[], []]);
});

test("a value that no record holds is named and not quoted, and its file is not sent", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const attachments = [{ file: new File(["x"], "x"), thumbnail: null }];
  const wrong = saying("half a sign: \ud83d", { danger: 11, place: "p".repeat(501) });
  await expect(client.writeEntry(wrong, { attachments })).rejects.toMatchObject({
    code: "invalid", detail: "danger, place, text",
  });
  expect(browser.network.paths("PUT")).toEqual([]);
});

test("an edit is the next revision and the earlier one stays", async () => {
  const client = await (await registered(vault.url)).logIn();
  const kept = await client.writeEntry(saying("first", { title: "t" }));
  const edited = await client.editEntry(kept.id, { text: "second" });
  expect(edited).toMatchObject({ id: kept.id, revision: 2, conflict: false });
  expect(client.history(kept.id).map((item) => [item.text, item.title])).toEqual([["first", "t"], ["second", "t"]]);
  await expect(client.editEntry(kept.id, { colour: "red" } as object)).rejects.toMatchObject({ code: "invalid" });
});

test("many entries go in few requests", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const drafts = Array.from({ length: 150 }, (_, number) => saying(`entry ${number}`));
  const kept = await client.writeEntries(drafts);
  expect(posts(browser)).toBe(2);
  expect(texts(client)).toEqual(drafts.map((draft) => draft.text));
  expect(new Set(kept.map((one) => one.id)).size).toBe(150);
  await client.lock();
  expect(texts(await browser.another().logIn())).toEqual(drafts.map((draft) => draft.text));
});

test("unknown items are unknown", async () => {
  const client = await (await registered(vault.url)).logIn();
  const nobody = "A".repeat(22);
  for (const ask of [
    async () => client.item(nobody), async () => client.history(nobody), () => client.deleteItem(nobody),
    () => client.restoreItem(nobody), () => client.editEntry(nobody, { text: "x" }),
  ]) await expect(ask()).rejects.toMatchObject({ code: "item_unknown" });
});

test("a lost answer keeps an entry once", async () => {
  const [laptop, phone] = await twoDevices();
  const client = await laptop.logIn();
  let lost = 0;
  laptop.network.cutAfter = (sent) => isPost(sent) && lost++ === 0;
  await client.writeEntry(saying("once"));
  const bodies = laptop.network.seen.filter(isPost).map((sent) => sent.body.join());
  expect([bodies.length, new Set(bodies).size]).toEqual([2, 1]);
  await client.lock();
  expect(texts(await phone.logIn())).toEqual(["once"]);
});

test.each(["cutBefore", "cutAfter"] as const)("what could not be sent goes at the next opening (%s)", async (cut) => {
  const [laptop, phone] = await twoDevices();
  const client = await laptop.logIn();
  laptop.network[cut] = isPost;
  let waited = 0;
  const waits = (): void => void (waited += 1);
  await expect(client.writeEntry(saying("far from any network"), { waits })).rejects.toMatchObject({ code: "network" });
  expect(waited).toBe(1);
  expect(await client.waiting()).toMatchObject([{ text: "far from any network", deposited: 0, state: "open" }]);
  await client.lock();
  laptop.network[cut] = () => false;
  const again = laptop.tab();
  expect(await again.logIn(laptop.typed)).toMatchObject({ waiting: 0, warnings: [] });
  expect([texts(again), await again.waiting()]).toEqual([["far from any network"], []]);
  await again.lock();
  expect(texts(await phone.logIn())).toEqual(["far from any network"]);
});

test("a later entry takes the earlier one with it, and a full space keeps both here", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  browser.network.answers = (sent) => isPost(sent) ? json({
    type: "about:blank", title: "Space full", status: 507, code: "quota_full", detail: "full",
  }, 507) : null;
  for (const text of ["one", "two"]) {
    await expect(client.writeEntry(saying(text))).rejects.toMatchObject({ code: "quota_full" });
  }
  expect((await client.waiting()).map((item) => item.text)).toEqual(["one", "two"]);
  browser.network.answers = () => null;
  await client.writeEntry(saying("three"));
  expect([texts(client), await client.waiting()]).toEqual([["one", "two", "three"], []]);
});

test("an ended session loses nothing", async () => {
  const [laptop, phone] = await twoDevices();
  const client = await laptop.logIn();
  const { password, pin } = laptop.typed;
  await (await phone.logIn()).account.endOtherSessions(password, pin);
  await expect(client.writeEntry(saying("written too late"))).rejects.toMatchObject({ code: "unauthorized" });
  await client.lock();
  expect(texts(await laptop.logIn())).toEqual(["written too late"]);
});

test("a server that starts anew between the request and its answer", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  await vault.stop();
  const writing = client.writeEntry(saying("while it was gone")).catch((error: unknown) => error);
  expect(await writing).toMatchObject({ code: "network" });
  await vault.start();
  expect(await client.synchronise()).toBe(0);
  expect(texts(client)).toEqual(["while it was gone"]);
}, 90_000);

test("two devices that edit the same entry keep both texts", async () => {
  const [laptop, phone] = await twoDevices();
  const first = await laptop.logIn();
  const { id } = await first.writeEntry(saying("first"));
  const second = await phone.logIn();
  await first.editEntry(id, { text: "from the laptop" });
  expect(await second.editEntry(id, { text: "from the phone" })).toMatchObject({ id, revision: 3, conflict: true });
  const all = ["first", "from the laptop", "from the phone"];
  expect(second.history(id).map((item) => item.text)).toEqual(all);
  await first.synchronise();
  expect(first.history(id).map((item) => item.text)).toEqual(all);
  for (const browser of [laptop, phone]) expect((await browser.opening()).warnings).toEqual([]);
});

test("an edit that meets a deletion becomes a new item; a deletion that meets an edit asks", async () => {
  const [laptop, phone] = await twoDevices();
  const first = await laptop.logIn();
  const [one, two] = [await first.writeEntry(saying("one")), await first.writeEntry(saying("two"))];
  const second = await phone.logIn();
  await first.deleteItem(one.id);
  const kept = await second.editEntry(one.id, { text: "edited" });
  expect([kept.conflict, kept.revision, kept.id === one.id]).toEqual([true, 1, false]);
  await first.editEntry(two.id, { text: "two, edited" });
  await expect(second.deleteItem(two.id)).rejects.toMatchObject({ code: "revision_conflict" });
  expect(await second.waiting()).toEqual([]);
  await second.synchronise();
  expect(texts(second)).toEqual(["two, edited", "edited"]);
});

test("a sensitive edit in conflict waits for the PIN", async () => {
  const [laptop, phone] = await twoDevices();
  const { pin } = laptop.typed;
  const first = await laptop.logIn();
  const { id } = await first.writeEntry(saying("first"), { sensitive: true });
  const second = await phone.logIn();
  await second.stepUp(pin);
  phone.network.cutBefore = isPost;
  await expect(second.editEntry(id, { text: "from the phone" })).rejects.toMatchObject({ code: "network" });
  await second.lock();
  await first.stepUp(pin);
  await first.editEntry(id, { text: "from the laptop" });
  phone.network.cutBefore = () => false;
  const again = phone.tab();
  expect(await again.logIn(phone.typed)).toMatchObject({ waiting: 1 });
  expect((await again.waiting()).map((item) => item.state)).toEqual(["locked"]);
  await again.stepUp(pin);
  expect(await again.waiting()).toEqual([]);
  expect(again.history(id).map((item) => item.text)).toEqual(["first", "from the laptop", "from the phone"]);
});

test("an edit of an item that was deleted elsewhere and erased is kept, without the files that went", async () => {
  const [laptop, phone] = await twoDevices();
  const first = await laptop.logIn();
  const file = new File(["a photograph"], "photo.jpg");
  const { id } = await first.writeEntry(saying("with a photograph"), { attachments: [{ file, thumbnail: null }] });
  const blob = first.item(id).contents[0]!.blob;
  const second = await phone.logIn();
  phone.network.cutBefore = isPost;
  await expect(second.editEntry(id, { text: "edited far away" })).rejects.toMatchObject({ code: "network" });
  await first.deleteItem(id);
  phone.network.cutBefore = () => false;
  let refused = 0;
  phone.network.answers = (sent) => { // as the vault says once the seven days are over
    if (!isPost(sent)) return null;
    const { revisions } = JSON.parse(new TextDecoder().decode(sent.body)) as { revisions: { blobs: string[] }[] };
    if (!revisions.some((one) => one.blobs.includes(blob)) || refused++ === 0) return null;
    const problem = { type: "about:blank", title: "Blob missing", status: 409, code: "blob_missing", detail: "" };
    return json({ ...problem, blobs: [blob] }, 409);
  };
  await second.synchronise();
  await second.synchronise();
  const [item] = second.items();
  expect(second.items()).toHaveLength(1);
  expect([item!.text, item!.id === id, item!.contents, refused]).toEqual(["edited far away", false, [], 2]);
});

test("two tabs that write do not tear what their browser keeps", async () => {
  const browser = await registered(vault.url);
  const [one, two] = [await browser.logIn(), await browser.logIn()];
  await Promise.all(["a", "b", "c"].flatMap((text) =>
    [one, two].map((tab, at) => tab.writeEntry(saying(`${text}${at}`)))));
  await one.refresh();
  expect(one.changed).toBe(true);
  expect([...texts(one)].sort()).toEqual(["a0", "a1", "b0", "b1", "c0", "c1"]);
  await one.lock();
  await two.lock();
  expect(await browser.opening()).toMatchObject({ warnings: [], waiting: 0 });
  expect(await browser.another().opening()).toMatchObject({ warnings: [] });
});

test("whoever locks second merges both heads; a record that could not be written is written next time", async () => {
  const [laptop, phone] = await twoDevices();
  const [first, second] = [await laptop.logIn(), await phone.logIn()];
  await first.writeEntry(saying("one"));
  await second.writeEntry(saying("two"));
  await first.lock();
  await second.lock();
  for (const browser of [laptop, phone]) expect((await browser.opening()).warnings).toEqual([]);
  const client = await laptop.logIn();
  await client.writeEntry(saying("three"));
  laptop.network.cutBefore = (sent) => sent.path === "/v1/account/record";
  await client.lock();
  laptop.network.cutBefore = () => false;
  await laptop.opening();
  expect(laptop.network.paths("PUT").filter((path) => path === "/v1/account/record").length).toBeGreaterThan(1);
  expect([...texts(await phone.logIn())].sort()).toEqual(["one", "three", "two"]);
});

test("attachments are carried, and an edit adds more", async () => {
  const client = await (await registered(vault.url)).logIn();
  const files = ["one", "two"].map((name) =>
    ({ file: new File([name], `${name}.txt`, { type: "text/plain" }), thumbnail: null }));
  const { id } = await client.writeEntry(saying("see both"), { attachments: files });
  await client.editEntry(id, {}, { attachments: [{ file: new File(["three"], "three.bin"), thumbnail: null }] });
  const { contents } = client.item(id);
  expect(contents.map((one) => [one.name, one.mime, one.size])).toEqual([
    ["one.txt", "text/plain", 3], ["two.txt", "text/plain", 3], ["three.bin", "application/octet-stream", 5],
  ]);
  const read = await Promise.all(contents.map((one) => collected(client.readContent(one))));
  const said = read.map((bytes) => new TextDecoder().decode(bytes));
  expect(said).toEqual(["one", "two", "three"]);
});
