// Getting back in with the recovery words alone, with a real server: everything is there again, and a bad moment loses
// nothing.
import { join } from "node:path";

import { expect, test } from "vitest";

import { formatB64url, parseB64url } from "../src/crypto_core/encoding.js";
import type { VaultClient } from "../src/sdk/client.js";
import { Credentials } from "../src/sdk/keychain.js";
import type { Recovered, Shown } from "../src/sdk/recovering.js";
import { Browser, saying } from "./clients.js";
import { somebody } from "./memory_device.js";
import { json } from "./memory_network.js";
import { python } from "./real_vault.js";
import { ownVault } from "./shared_vault.js";

const WAIT = 3 * 86_400;
const CREDENTIALS = "/v1/recovery/credentials";
const OTHER_WORDS = (
  "bridge siege burger rigid salt talent wear circle increase ask spy road excuse cave decorate evil pass member "
  + "during inhale uphold frost float bone"
);
const vault = await ownVault();

/** Somebody with an entry and a sensitive one, who has nothing left but the words; and the browser that is lost. */
interface Scene {
  readonly lost: Browser;
  readonly words: string;
  readonly found: Browser;
  readonly client: VaultClient;
}

async function scene(): Promise<Scene> {
  const lost = new Browser(vault.url);
  const first = lost.tab();
  const made = await first.makeAccount(lost.typed);
  await first.register(made);
  await first.logIn(lost.typed);
  await first.writeEntry(saying("what happened"));
  await first.writeEntry(saying("behind the PIN"), { sensitive: true });
  await first.lock();
  const found = new Browser(vault.url, new Credentials(somebody().username, "a boat on the wide lake", "8051937"));
  return { lost, words: made.recoveryWords, found, client: found.tab() };
}

/** Words that are due. */
async function waited({ client, words }: Scene): Promise<Shown> {
  await client.showRecovery(words);
  await pass();
  return client.showRecovery(words);
}

/** As if whatever waits had begun three days before. */
async function pass(): Promise<void> {
  const file = JSON.stringify(join(vault.folder, "vault.db"));
  await python(
    `import sqlite3; db = sqlite3.connect(${file}, timeout=30); `
    + `db.execute("UPDATE waiting_recoveries SET begun = begun - ${WAIT}, due = due - ${WAIT}"); db.commit(); print("null")`,
  );
}

async function made(at: Scene): Promise<Recovered> {
  return at.client.makeRecovered(await waited(at), at.found.typed, "french");
}

/** What the new pair opens, in a browser that has never been here. */
async function texts({ found }: Scene): Promise<readonly (string | null)[]> {
  const client = await found.another().logIn();
  await client.stepUp(found.typed.pin);
  return client.items().map((item) => item.text);
}

test("everything is there again, and only what is new opens it", async () => {
  const at = await scene();
  const { client, words, lost, found } = at;
  const first = await client.showRecovery(words.toUpperCase().replaceAll(" ", ", "));
  expect([first.isDue, first.due - first.begun]).toEqual([false, WAIT]);
  expect((await lost.opening()).recovery).toEqual({ begun: first.begun, due: first.due });
  const shown = await waited(at);
  expect([shown.isDue, shown.due]).toEqual([true, first.begun]);
  const recovered = await client.makeRecovered(shown, found.typed, "french");
  expect(recovered.recoveryWords.split(" ")).toHaveLength(24);
  expect(recovered.recoveryWords).not.toBe(words);
  await client.recover(recovered);
  const opening = await client.enterNew(recovered, found.typed.username, recovered.derivePinLogin());
  expect(opening).toMatchObject({ warnings: [], recovery: null });
  const secret = client.items().find((item) => item.sensitive)!;
  expect(secret.state).toBe("locked");
  await client.stepUp(found.typed.pin);
  expect(client.item(secret.id).text).toBe("behind the PIN");
  await client.writeEntry(saying("after"));
  await client.lock();
  expect(await texts(at)).toEqual(["what happened", "behind the PIN", "after"]);
  await expect(lost.logIn()).rejects.toMatchObject({ code: "login_refused" });
  await expect(client.showRecovery(words)).rejects.toMatchObject({ code: "recovery_refused" });
  expect((await client.showRecovery(recovered.recoveryWords)).isDue).toBe(false);
});

test("words that are none, or another's: the rule, or that they are refused; and nothing begins", async () => {
  const { client, lost, words } = await scene();
  const none: readonly (readonly [string, RegExp])[] = [
    [words.split(" ").slice(1).join(" "), /24 words/], [words.replace(/^\S+/, "qqq"), /word 1 /],
  ];
  for (const [typed, detail] of none) {
    await expect(client.showRecovery(typed)).rejects.toMatchObject({ code: "secret_refused", detail });
  }
  await expect(client.showRecovery(OTHER_WORDS)).rejects.toMatchObject({ code: "recovery_refused" });
  expect((await lost.opening()).recovery).toBeNull();
});

test("an open session is told, and stops it with both secrets; whoever goes on has to wait anew", async () => {
  const at = await scene();
  const owner = await at.lost.logIn();
  expect(await owner.account.pendingRecovery()).toBeNull();
  const recovered = await made(at);
  const { begun, due } = recovered.shown;
  expect(await owner.account.pendingRecovery()).toEqual({ begun, due });
  const { password, pin } = at.lost.typed;
  await expect(owner.account.stopRecovery(password, "805194")).rejects.toMatchObject({ code: "pin_wrong" });
  await owner.account.stopRecovery(password, pin);
  expect(await owner.account.pendingRecovery()).toBeNull();
  await expect(at.client.recover(recovered)).rejects.toMatchObject({ code: "recovery_waiting" });
  expect((await owner.account.pendingRecovery())?.begun).toBeGreaterThan(begun);
  expect((await at.lost.opening()).warnings).toEqual([]);
});

test("how long the words wait is chosen with both secrets, and a shorter time holds later", async () => {
  const at = await scene();
  const owner = await at.lost.logIn();
  const { password, pin } = at.lost.typed;
  const day = 86_400;
  expect((await owner.account.recoveryWait()).next).toBeNull();
  await expect(owner.account.setRecoveryWait(password, "805194", day)).rejects.toMatchObject({ code: "pin_wrong" });
  expect(await owner.account.setRecoveryWait(password, pin, 30 * day)).toEqual({ wait: 30 * day, next: null });
  const shorter = await owner.account.setRecoveryWait(password, pin, 0);
  expect(shorter).toEqual({ wait: 30 * day, next: { wait: 0, since: expect.any(Number) } });
  expect(await owner.account.recoveryWait()).toEqual(shorter);
  const { begun, due } = await at.client.showRecovery(at.words);
  expect(due - begun).toBe(30 * day);
});

test.each([["before it arrived", "cutBefore"], ["after it was done", "cutAfter"]] as const)(
  "an answer that was lost %s: the same goes again, byte for byte", async (_, cut) => {
    const at = await scene();
    const recovered = await made(at);
    const { network } = at.found;
    network[cut] = (sent) => sent.path === CREDENTIALS;
    await expect(at.client.recover(recovered)).rejects.toMatchObject({ code: "network" });
    network[cut] = () => false;
    await at.client.recover(recovered);
    const bodies = network.seen.filter((sent) => sent.path === CREDENTIALS).map((sent) => sent.body.join());
    expect([bodies.length > 1, new Set(bodies).size]).toEqual([true, 1]);
    expect(await texts(at)).toEqual(["what happened", "behind the PIN"]);
  },
);

test.each([[true], [false]])("a token that ended meanwhile: the new pair tells whether it was done (%s)", async (done) => {
  const at = await scene();
  const recovered = await made(at);
  const { network } = at.found;
  network[done ? "cutAfter" : "cutBefore"] = (sent) => sent.path === CREDENTIALS;
  await expect(at.client.recover(recovered)).rejects.toMatchObject({ code: "network" });
  network.cutAfter = network.cutBefore = () => false;
  let answers = 0;
  network.answers = (sent) => (sent.path === CREDENTIALS && (answers += 1) === 1
    ? json({ type: "about:blank", title: "Unauthorized", status: 401, code: "unauthorized", detail: "." }, 401) : null);
  await at.client.recover(recovered);
  expect(answers).toBe(done ? 1 : 2);
  expect(await texts(at)).toEqual(["what happened", "behind the PIN"]);
});

test("an account that another device went on with meanwhile: the sheet stays the right one", async () => {
  const at = await scene();
  const recovered = await made(at);
  const { network } = at.found;
  const other = await at.lost.logIn();
  await other.writeEntry(saying("meanwhile"));
  network.cutBefore = (sent) => sent.path === CREDENTIALS;
  await expect(at.client.recover(recovered)).rejects.toMatchObject({ code: "network" });
  network.cutBefore = () => false;
  await other.lock(); // the account record is another one by now
  await at.client.recover(recovered);
  expect(await texts(at)).toEqual(["what happened", "behind the PIN", "meanwhile"]);
  expect((await at.found.another().opening()).warnings).toEqual([]);
});

test("a damaged account record is put together anew; a share that isn't the account's opens nothing", async () => {
  const at = await scene();
  await waited(at);
  const { network } = at.found;
  const spoil = (name: string) => network.rewrites.set("GET /v1/recovery/keys", (said) => {
    const bytes = parseB64url(said[name]);
    bytes[bytes.length - 1]! ^= 1;
    return { ...said, [name]: formatB64url(bytes) };
  });
  for (const name of ["share_R", "W_RN", "W_RS", "drop_box"]) {
    spoil(name);
    await expect(at.client.showRecovery(at.words)).rejects.toMatchObject({ code: "tampered" });
  }
  spoil("account_record");
  const shown = await at.client.showRecovery(at.words);
  await at.client.recover(await at.client.makeRecovered(shown, at.found.typed));
  expect(await texts(at)).toEqual(["what happened", "behind the PIN"]);
});

test("new words of an open space: only they lead back, and what waited for the old ones is over", async () => {
  const at = await scene();
  const { lost, words, client } = at;
  const { password, pin } = lost.typed;
  await client.showRecovery(words);
  const owner = await lost.logIn();
  const next = await owner.account.makeWords("french");
  expect(next.text.split(" ")).toHaveLength(24);
  await owner.account.changeCredentials(password, pin, lost.typed);
  expect(await owner.account.pendingRecovery()).not.toBeNull(); // made, and not sent
  await owner.account.changeCredentials(password, pin, lost.typed, next);
  expect(await owner.account.pendingRecovery()).toBeNull();
  await expect(client.showRecovery(words)).rejects.toMatchObject({ code: "recovery_refused" });
  const renewed = { ...at, words: next.text };
  await client.recover(await made(renewed));
  expect(await texts(at)).toEqual(["what happened", "behind the PIN"]);
  await expect(owner.account.makeWords("klingon" as never)).rejects.toMatchObject({ code: "invalid" });
});

test("what a new pair may not have is refused before anything is stretched", async () => {
  const at = await scene();
  const shown = await waited(at);
  const weak = new Credentials(at.found.typed.username, "a boat on the wide lake", "1234");
  await expect(at.client.makeRecovered(shown, weak)).rejects.toMatchObject({ code: "secret_refused" });
});

test("a vault that is too old to know of it has nothing that waits", async () => {
  const { lost } = await scene();
  lost.network.answers = (sent) => (sent.path === "/v1/recovery"
    ? json({ type: "about:blank", title: "Not found", status: 404, code: "not_found", detail: "." }, 404) : null);
  expect((await lost.opening()).recovery).toBeNull();
});

test("nothing that was typed or made is shown by what holds it", async () => {
  const { inspect } = await import("node:util");
  const at = await scene();
  const recovered = await made(at);
  const told = `${inspect(recovered, { depth: 9 })} ${JSON.stringify(recovered)} ${String(recovered)}`;
  for (const secret of [at.words, recovered.recoveryWords, at.found.typed.password, at.found.typed.pin]) {
    expect(told).not.toContain(secret);
  }
});
