// A person's vault from sign-up to another device, with a real server: what is written comes back, and only so.
import { expect, test } from "vitest";

import { Credentials } from "../src/sdk/keychain.js";
import { Browser, collected, registered, saying } from "./clients.js";
import { ownVault } from "./shared_vault.js";

const vault = await ownVault();

test("what is written on one device is read on another, sensitive or not", async () => {
  const laptop = await registered(vault.url);
  const client = await laptop.logIn();
  const happened = { from: 1_709_244_000, to: 1_711_915_199, precision: "month", words: "2024-03" } as const;
  const draft = saying("في المساء 🕯️", {
    title: "soir", happened, place: "Rue des Lilas", people: ["S."], tags: ["soir"], danger: 7, mood: "peur",
    category: "menace",
  });
  const kept = await client.writeEntry(draft);
  const secret = await client.writeEntry(saying("behind the PIN"), { sensitive: true });
  expect(kept.verified.commitment.size).toBeGreaterThan(1000);
  await client.lock();

  const phone = await laptop.another().logIn();
  const [first, second] = phone.items();
  expect(first).toMatchObject({ ...draft, written: expect.any(Number), id: kept.id, state: "open", kind: "journal" });
  expect(second).toMatchObject({ id: secret.id, state: "locked", sensitive: true, text: null, kind: null });
  await phone.stepUp(laptop.typed.pin);
  expect(phone.item(secret.id).text).toBe("behind the PIN");
  phone.dropSensitive();
  expect(phone.item(secret.id).state).toBe("locked");
});

test("an assessment is kept as one, and an edit leaves its answers as they were", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const answers = { "hits": true, "threatens": false };
  const kept = await client.add(saying("He hits.", { danger: 8 }), "assessment", {}, answers);
  await client.writeEntry(saying("a day"));
  await client.editEntry(kept.id, { danger: 9 });
  expect(client.items("assessment").map(({ danger, ...item }) => [danger, item.answers])).toEqual([[9, answers]]);
  expect(client.history(kept.id).map((item) => item.danger)).toEqual([8, 9]);
});

test("deleted, restored, deleted", async () => {
  const client = await (await registered(vault.url)).logIn();
  const { id } = await client.writeEntry(saying("one"));
  const deletion = await client.deleteItem(id);
  expect(deletion.erasedAfter).toBeGreaterThan(Date.now() / 1000 + 6 * 86_400);
  expect(client.items()).toEqual([]);
  expect(client.items("tombstone")).toMatchObject([{ id, revision: 2, kind: "tombstone" }]);
  expect(() => client.item(id)).toThrow(expect.objectContaining({ code: "item_unknown" }));
  await client.restoreItem(id);
  expect(client.item(id)).toMatchObject({ text: "one", revision: 3 });
  await client.deleteItem(id);
  expect(client.history(id).map((item) => item.kind)).toEqual(["journal", "tombstone", "journal", "tombstone"]);
});

test("a new account is opened with what it was made with: nothing is stretched a third time", async () => {
  const browser = new Browser(vault.url);
  let stretched = 0;
  const { QUICK_ARGON } = await import("./clients.js");
  const client = browser.tab({
    argon: { ...QUICK_ARGON, stretch: (...typed) => ((stretched += 1), QUICK_ARGON.stretch(...typed)) },
  });
  const made = await client.makeAccount(browser.typed, "french");
  expect(made.recoveryWords.split(" ")).toHaveLength(24);
  const { derivePinLogin } = await import("../src/crypto_core/sealing/passphrase.js");
  const { parseB64url } = await import("../src/crypto_core/encoding.js");
  const pinLogin = derivePinLogin(made.login.kPl, parseB64url(made.account), browser.typed.pin);
  await client.register(made);
  const opening = await client.enterNew(made, browser.typed.username, pinLogin);
  expect([opening.lastOpened, opening.warnings, stretched]).toEqual([null, [], 2]);
  expect([...made.login.kPw, ...made.login.kPl, ...made.login.loginSeed].every((byte) => byte === 0)).toBe(true);
  await client.writeEntry(saying("first"));
  await client.lock();
  expect((await browser.another().logIn()).items().map((item) => item.text)).toEqual(["first"]);
});

test("a sign-up whose answer was lost is sent again, byte for byte", async () => {
  const browser = new Browser(vault.url);
  const client = browser.tab();
  const made = await client.makeAccount(browser.typed);
  browser.network.cutAfter = (sent) => sent.path === "/v1/accounts";
  await expect(client.register(made)).rejects.toMatchObject({ code: "network" });
  browser.network.cutAfter = () => false;
  await client.register(made);
  const bodies = browser.network.seen.filter((sent) => sent.path === "/v1/accounts").map((sent) => sent.body.join());
  expect(new Set(bodies).size).toBe(1);
  expect((await browser.opening()).warnings).toEqual([]);
});

test("a wrong password, a wrong PIN; and the next opening counts the PINs", async () => {
  const browser = await registered(vault.url);
  const { username, password, pin } = browser.typed;
  const client = browser.tab();
  for (const [typed, code] of [
    [new Credentials(username, `${password}!`, pin), "login_refused"],
    [new Credentials(username, password, "805194"), "pin_wrong"],
    [new Credentials(username, password, "12"), "secret_refused"],
  ] as const) await expect(client.logIn(typed)).rejects.toMatchObject({ code });
  expect(client.isOpen).toBe(false);
  expect(await client.logIn(browser.typed)).toMatchObject({ wrongPins: 1, wrongTotal: 1 });
});

test("a login refused on a device that computes wrongly says so, and not that the password is wrong", async () => {
  const browser = await registered(vault.url);
  const { ArgonWrong, Stretched } = await import("../src/crypto_core/sealing/passphrase.js");
  const client = browser.tab({
    argon: { stretch: async () => new Stretched(new Uint8Array(32)), test: () => Promise.reject(new ArgonWrong()) },
  });
  await expect(client.logIn(browser.typed)).rejects.toMatchObject({ code: "argon_wrong" });
  await expect(client.makeAccount(browser.typed)).rejects.toMatchObject({ code: "argon_wrong" });
});

test("other credentials: the old pair opens nothing any more, the new one everything", async () => {
  const browser = await registered(vault.url);
  const { username, password, pin } = browser.typed;
  const client = await browser.logIn();
  const { id } = await client.writeEntry(saying("behind the PIN"), { sensitive: true });
  const next = new Credentials(`${username} two`, "a boat on the wide lake", "8051937");
  await expect(client.account.changeCredentials(password, "805194", next)).rejects.toMatchObject({ code: "pin_wrong" });
  const same = new Credentials(username, "a boat on the wide lake", "999999"); // it was mistyped, and isn't chosen
  for (const typed of ["999999", "\u0669".repeat(6)]) { // the same digits
    await expect(client.account.changeCredentials(password, typed, same)).rejects.toMatchObject({ code: "pin_wrong" });
  }
  await client.account.changeCredentials(password, pin, next);
  await client.writeEntry(saying("after"));
  await client.lock();
  await expect(browser.logIn()).rejects.toMatchObject({ code: "login_refused" });
  const again = new Browser(vault.url, next);
  const opened = await again.logIn();
  await opened.stepUp(next.pin);
  expect(opened.item(id).text).toBe("behind the PIN");
  expect(opened.items().map((item) => item.text)).toEqual(["behind the PIN", "after"]);
});

test("sessions are listed, and all others ended", async () => {
  const browser = await registered(vault.url);
  const { password, pin } = browser.typed;
  const [mine, other] = [await browser.logIn(), await browser.another().logIn()];
  expect((await mine.account.sessions()).map((one) => one.current).sort()).toEqual([false, true]);
  expect(await mine.account.endOtherSessions(password, pin)).toBeGreaterThan(0);
  await expect(other.writeEntry(saying("x"))).rejects.toMatchObject({ code: "unauthorized" });
  expect((await mine.account.sessions()).map((one) => one.current)).toEqual([true]);
});

test("the recovery code opens a PIN path that wrong PINs delayed", async () => {
  const browser = new Browser(vault.url);
  const { username, password } = browser.typed;
  const client = browser.tab();
  const made = await client.makeAccount(browser.typed);
  await client.register(made);
  for (let tries = 0; tries < 5; tries += 1) {
    const wrong = new Credentials(username, password, "805194");
    await expect(client.logIn(wrong)).rejects.toMatchObject({ code: "pin_wrong" });
  }
  const locked = { code: "pin_locked", retryAfter: expect.any(Number) };
  await expect(client.logIn(browser.typed)).rejects.toMatchObject(locked);
  const words = made.recoveryWords.split(" ");
  await expect(client.reopenPin(username, password, [...words.slice(1), "zoo"].join(" "))).rejects.toMatchObject({
    code: "secret_refused",
  });
  await client.reopenPin(username, password, made.recoveryWords.toUpperCase());
  expect(await client.logIn(browser.typed)).toMatchObject({ wrongPins: 5 });
});

test("a lock forgets at once, and whatever was asked before gets nothing more", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const kept = await client.writeEntry(saying("one"));
  const locking = client.lock();
  expect(client.isOpen).toBe(false);
  expect(() => client.items()).toThrow(expect.objectContaining({ code: "not_open" }));
  await locking;
  const again = await browser.logIn();
  expect(again.item(kept.id).text).toBe("one");
});

test("a vault that does not answer keeps nobody from locking", async () => {
  const client = await (await registered(vault.url)).logIn();
  await client.writeEntry(saying("one"));
  await vault.stop();
  try {
    await client.lock();
    expect(client.isOpen).toBe(false);
  } finally {
    await vault.start();
  }
});

test("nothing that a person wrote or typed stands readable on the device", async () => {
  const browser = await registered(vault.url);
  const client = await browser.logIn();
  const canary = "CANARY-2f1c9b";
  const file = new File([new TextEncoder().encode(canary.repeat(50_000))], `${canary}.txt`, { type: "text/plain" });
  const thumbnail = new Blob([canary], { type: "image/webp" });
  await client.writeEntry(saying(canary, { title: canary, place: canary, tags: [canary] }), {
    attachments: [{ file, thumbnail }],
  });
  browser.network.cutBefore = (sent) => sent.method === "POST" && sent.path === "/v1/items";
  await expect(client.writeEntry(saying(canary))).rejects.toMatchObject({ code: "network" });
  await client.drafts.keep({ item: null, revision: null, kind: "journal", draft: saying(canary), sensitive: false, saved: 1 });
  const said = Buffer.from((await import("node:v8")).serialize(await browser.kept())).toString("latin1");
  const { username, password, pin } = browser.typed;
  for (const needle of [canary, username, password, pin, "text/plain"]) expect(said).not.toContain(needle);
  const sent = browser.network.seen.map((one) =>
    one.path + one.query.toString() + Buffer.from(one.body).toString("latin1"));
  for (const needle of [canary, username, password]) expect(sent.join()).not.toContain(needle);
  const [item] = client.items();
  expect(await collected(client.readContent(client.contentOf(item!.id, 1, item!.contents[0]!.blob))))
    .toHaveLength(canary.length * 50_000);
});
