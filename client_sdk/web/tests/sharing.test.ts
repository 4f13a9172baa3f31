// Sharing on the person's side: a directory that is believed only whole, and bundles that only their reader opens.
import * as v from "valibot";
import { beforeAll, describe, expect, test } from "vitest";

import { encodeText, formatB64, formatB64url, formatHex, parseB64url, parseJson } from "../src/crypto_core/encoding.js";
import { TamperedError } from "../src/crypto_core/errors.js";
import { makeBytes, makeId } from "../src/crypto_core/randomness.js";
import { Listing } from "../src/crypto_core/receipts/directory.js";
import { SignerKey } from "../src/crypto_core/receipts/note.js";
import { openRecord } from "../src/crypto_core/sealing/records.js";
import {
  deriveCap, deriveCode, deriveLink, openBundle, parseCode, parseFragment, unwrapForLink, unwrapForProfessional,
} from "../src/crypto_core/sealing/sharing.js";
import { ready } from "../src/crypto_core/sodium.js";
import { Manifest } from "../src/schemas/bundles.js";
import type { Bundle } from "../src/schemas/shares.js";
import type { VaultClient } from "../src/sdk/client.js";
import { sha256 } from "../src/sdk/digest.js";
import { EMPTY_DRAFT, type Id, type Kept } from "../src/sdk/items.js";
import type { Sharing } from "../src/sdk/sharing.js";
import { problemOf } from "../src/worker/problems.js";
import { Browser, saying } from "./clients.js";
import { FakeProfessional, MemoryDirectory, aWitness } from "./memory_directory.js";
import { json } from "./memory_network.js";
import { sharedVault, type SharedVault } from "./shared_vault.js";

/** JSON of the wire. */
type Said = any; // eslint-disable-line @typescript-eslint/no-explicit-any
const PIN = "805193", PASSWORD = "a long walk by the quiet river";
const TOMORROW = Math.floor(Date.now() / 1000) + 86_400;

let vault: SharedVault;

beforeAll(async () => {
  await ready();
  vault = await sharedVault();
}, 60_000);

/** A browser of somebody new, in a vault whose directory is in the test's hands; what it sends to be shared is caught. */
interface Scene {
  readonly browser: Browser;
  readonly client: VaultClient;
  readonly directory: MemoryDirectory;
  readonly sent: Said[];
  listed: Said[];
}

async function aScene(): Promise<Scene> {
  const [browser, directory] = [new Browser(vault.url), new MemoryDirectory()];
  const scene: Scene = { browser, client: browser.tab(), directory, sent: [], listed: [] };
  browser.network.rewrites.set("GET /v1/vault", (said: Said) => ({ ...said, directory_vkey: directory.vkey }));
  browser.network.answers = (sent) => {
    if (sent.path !== "/v1/bundles") return directory.answers(sent);
    if (sent.method === "GET") return json({ bundles: scene.listed });
    scene.sent.push(parseJson(sent.body));
    return json({ bundle: scene.sent.at(-1).bundle, created: "2026-11-26T10:00:00Z" }, 201);
  };
  await scene.client.register(await scene.client.makeAccount(browser.typed));
  await scene.client.logIn(browser.typed);
  return scene;
}

const refusal = async (asked: Promise<unknown>): Promise<string> =>
  asked.then(() => "believed", (error: { code?: string }) => error.code ?? String(error));

const namesOf = async ({ client }: Scene): Promise<readonly string[]> =>
  (await (await client.professionals()).read()).professionals.map(({ entry, listing, compared }) => `${entry} ${listing.name} ${compared}`);

describe("the directory", () => {
  test("is read whole: who is listed now, also two of one name, and nobody who was revoked or replaced", async () => {
    const scene = await aScene();
    const { directory } = scene;
    expect(await namesOf(scene)).toEqual([]);
    const first = directory.list(new FakeProfessional("Anne Élan"));
    directory.list(new FakeProfessional("Claire Martin"));
    expect(await namesOf(scene)).toEqual(["0 Anne Élan no", "1 Claire Martin no"]);
    directory.list(new FakeProfessional("Anne Élan"), first);
    directory.revoke(1);
    directory.list(new FakeProfessional("Anne Élan"));
    expect(await namesOf(scene)).toEqual(["2 Anne Élan no", "4 Anne Élan no"]);
    const asked = scene.browser.network.paths("GET").filter((path) => path.startsWith("/directory/tile/"));
    expect(asked.at(-1)).toBe("/directory/tile/entries/000.p/5");
  });

  test("of more than one bundle of entries is read to its end", async () => {
    const scene = await aScene();
    for (let count = 0; count < 300; count += 1) scene.directory.list(new FakeProfessional(`P${count}`));
    expect(await namesOf(scene)).toHaveLength(300);
    expect(scene.browser.network.paths("GET").slice(-3)).toEqual(
      ["/directory/checkpoint", "/directory/tile/entries/000", "/directory/tile/entries/001.p/44"],
    );
  });

  test("passes over what only a newer version understands, and says how much that is", async () => {
    const { client, directory } = await aScene();
    directory.list(new FakeProfessional("Anne Élan"));
    directory.entries.push(encodeText('{"v":2,"more":true}'));
    const { professionals, unread } = await (await client.professionals()).read();
    expect([professionals.length, unread]).toEqual([1, 1]);
  });

  const lies: Readonly<Record<string, readonly [(directory: MemoryDirectory) => void, string]>> = {
    "signed by another key": [
      (one) => void (one.instead = one.note(2, new SignerKey(one.signer.name, makeBytes(32)))), "directory_invalid",
    ],
    "of another origin": [(one) => void (one.instead = one.note(2, one.signer, "other.example")), "directory_invalid"],
    "that is no note": [(one) => void (one.instead = "nothing"), "directory_invalid"],
    "with another entry than was signed": [
      (one) => void (one.spoils = (bundle) => bundle.map((byte, at) => (at === 20 ? byte ^ 1 : byte))),
      "directory_invalid",
    ],
    "with an entry less": [(one) => void (one.spoils = (bundle) => bundle.slice(0, 40)), "directory_invalid"],
    "that is shorter than it was": [(one) => void (one.instead = one.note(1)), "directory_invalid"],
    "that had other first entries": [(one) => {
      one.entries.shift();
      one.list(new FakeProfessional("Anne Élan"));
      one.list(new FakeProfessional("Claire Martin"));
    }, "directory_forked"],
    "that ends what is not listed": [(one) => void one.revoke(7), "directory_invalid"],
  };

  test.each(Object.entries(lies))("%s is refused, and nothing is shared with anybody in it", async (_, [lie, code]) => {
    const scene = await aScene();
    const { client, directory, browser, sent } = scene;
    directory.list(new FakeProfessional("Anne Élan"));
    directory.list(new FakeProfessional("Claire Martin"));
    expect(await namesOf(scene)).toHaveLength(2);
    const { id } = await client.writeEntry(saying("one"));
    lie(directory);
    expect(await refusal((await client.professionals()).read())).toBe(code);
    expect(await refusal(client.share(PASSWORD, PIN, sharing([[id, 1]], { to: 0 })))).toBe(code);
    expect(sent).toEqual([]);
    const kept = (await browser.evidence()).filter(({ name }) => name === "directory");
    expect(kept).toHaveLength(code === "directory_forked" || directory.instead === directory.note(1) ? 2 : 0);
  });

  test("that could not be had is not believed empty", async () => {
    const scene = await aScene();
    scene.browser.network.cutBefore = ({ path }) => path.startsWith("/directory/");
    expect(await refusal((await scene.client.professionals()).read())).toBe("network");
  });

  test("outlives the tab, sealed: names and digits that were compared can't be read on the device", async () => {
    const scene = await aScene();
    const anne = new FakeProfessional("Anne Élan");
    scene.directory.list(anne);
    await namesOf(scene);
    await (await scene.client.professionals()).noteCompared(0);
    const kept = new TextDecoder("latin1").decode(Buffer.concat((await scene.browser.kept()).map(([key, value]) =>
      Buffer.concat([Buffer.from(key), value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value))]))));
    for (const word of ["Anne", "Grenoble", formatB64url(anne.box[0]), formatHex(anne.box[0]), formatB64(anne.box[0])]) {
      expect(kept).not.toContain(word);
    }
    await scene.client.lock();
    await scene.client.logIn(scene.browser.typed);
    expect(await namesOf(scene)).toEqual(["0 Anne Élan yes"]);
  });

  test("in which somebody's keys have changed since they were compared is told, until the new ones are", async () => {
    const scene = await aScene();
    const { client, directory, sent } = scene;
    const { id } = await client.writeEntry(saying("one"));
    directory.list(new FakeProfessional("Anne Élan"));
    directory.list(new FakeProfessional("Claire Martin"));
    await namesOf(scene);
    await (await client.professionals()).noteCompared(0);
    directory.list(new FakeProfessional("ANNE  Elan"), 0);
    expect(await namesOf(scene)).toEqual(["1 Claire Martin no", "2 ANNE  Elan changed"]);
    expect(await refusal(client.share(PASSWORD, PIN, sharing([[id, 1]], { to: 2 })))).toBe("pro_key_changed");
    expect(sent).toEqual([]);
    await client.share(PASSWORD, PIN, sharing([[id, 1]], { to: 1 }));
    await (await client.professionals()).noteCompared(2);
    expect(await namesOf(scene)).toEqual(["1 Claire Martin no", "2 ANNE  Elan yes"]);
    await client.share(PASSWORD, PIN, sharing([[id, 1]], { to: 2 }));
    expect(sent).toHaveLength(2);
  });

  test("that had two histories is a warning until the person has looked; a link goes on", async () => {
    const scene = await aScene();
    const { client, directory, sent } = scene;
    const { id } = await client.writeEntry(saying("one"));
    const anne = new FakeProfessional("Anne Élan");
    directory.list(anne);
    await namesOf(scene);
    const honest = directory.note();
    directory.entries.length = 0;
    directory.list(new FakeProfessional("Anne Élan"));
    expect(await refusal((await client.professionals()).read())).toBe("directory_forked");
    directory.entries.length = 0;
    directory.list(anne); // the vault shows the first one again
    expect(directory.note()).toBe(honest);
    expect(await refusal(client.share(PASSWORD, PIN, sharing([[id, 1]], { to: 0 })))).toBe("directory_forked");
    expect(client.warnings).toEqual(["directory_forked"]);
    await client.share(PASSWORD, PIN, sharing([[id, 1]]));
    await client.account.acceptTrust(PASSWORD, PIN);
    await client.share(PASSWORD, PIN, sharing([[id, 1]], { to: 0 }));
    expect(sent).toHaveLength(2);
  });

  test("that asks for witnesses is believed with their quorum alone", async () => {
    const scene = await aScene();
    const { client, directory, sent } = scene;
    const { id } = await client.writeEntry(saying("one"));
    const [one, two, three] = [aWitness("one"), aWitness("two"), aWitness("three")];
    directory.list(new FakeProfessional("Anne Élan"));
    directory.demand(2, one, two, three);
    for (const few of [[], [two], [two, aWitness("two")]]) {
      directory.witnesses = few;
      expect(await refusal(client.share(PASSWORD, PIN, sharing([[id, 1]], { to: 0 })))).toBe("directory_unwitnessed");
    }
    directory.witnesses = [one, three];
    await client.share(PASSWORD, PIN, sharing([[id, 1]], { to: 0 }));
    directory.witnesses = [];
    directory.list(new FakeProfessional("Anne Élan")); // shown to one person alone
    expect(await refusal((await client.professionals()).read())).toBe("directory_unwitnessed");
    await client.share(PASSWORD, PIN, sharing([[id, 1]]));
    expect(sent).toHaveLength(2);
    const [old, other] = [aWitness("old"), aWitness("other")];
    directory.demand(1, other);
    for (const few of [[one, two], [other], [one, other]]) {
      directory.witnesses = few;
      expect(await refusal((await client.professionals()).read())).toBe("directory_unwitnessed");
    }
    directory.witnesses = [one, two, other];
    expect(await namesOf(scene)).toHaveLength(2);
    directory.list(new FakeProfessional("Claire Martin"));
    directory.witnesses = [old, other];
    expect(await namesOf(scene)).toHaveLength(3);
  });

  test("under a warning shows the way to those alone whose digits were compared here, and to a link", async () => {
    const scene = await aScene();
    const { browser, client, directory, sent } = scene;
    const { id } = await client.writeEntry(saying("one"));
    directory.list(new FakeProfessional("Anne Élan"));
    const honest = browser.network.answers!;
    browser.network.answers = (one) => (one.path === "/ledger/checkpoint" ? new Response("no note") : honest(one));
    await client.lock();
    await client.logIn(browser.typed);
    expect(client.warnings).toEqual(["checkpoint_invalid"]);
    expect(await refusal(client.share(PASSWORD, PIN, sharing([[id, 1]], { to: 0 })))).toBe("warned");
    await client.share(PASSWORD, PIN, sharing([[id, 1]]));
    await (await client.professionals()).noteCompared(0);
    await client.share(PASSWORD, PIN, sharing([[id, 1]], { to: 0 }));
    expect(sent).toHaveLength(2);
  });

  test("shows a professional whoever has their name, though the vault hides that it is theirs", async () => {
    const { browser, client, directory } = await aScene();
    const named = { name: "Claire Martin", org: "", town: "", kind: "lawyer" } as const;
    await (await client.office()).askToBeListed(await client.account.confirm(PASSWORD, PIN), named);
    browser.network.rewrites.set("GET /v1/professional", (said: Said) => (
      { ...said, state: "none", entry: null, listing: null, asked: null }
    ));
    directory.list(new FakeProfessional("Paul Roux"));
    directory.list(new FakeProfessional("CLAIRE  Martín"));
    const found = async (of: VaultClient): Promise<readonly number[]> =>
      (await (await of.office()).listedOtherwise()).map(({ entry }) => entry);
    expect(await found(client)).toEqual([1]);
    await client.lock();
    await client.logIn(browser.typed); // and it is remembered when the tab was closed
    expect(await found(client)).toEqual([1]);
    const another = browser.another();
    another.network.answers = browser.network.answers;
    another.network.rewrites.set("GET /v1/vault", browser.network.rewrites.get("GET /v1/vault")!);
    another.network.rewrites.set("GET /v1/professional", browser.network.rewrites.get("GET /v1/professional")!);
    const fresh = await another.logIn();
    expect(await found(fresh), "no device can know what it was never told").toEqual([]);
    const asked = browser.network.seen.find(({ method, path }) => `${method} ${path}` === "POST /v1/professional")!;
    const { pk_box: box, pk_sign: own } = parseJson(asked.body) as Said;
    directory.list({ listing: new Listing(named.name, "", "", "lawyer", parseB64url(box), parseB64url(own)) });
    expect(await found(fresh), "unless the directory has its own keys").toEqual([1]);
  });

  test("knows nobody whom it did not show", async () => {
    const { client } = await aScene();
    expect(await refusal((await client.professionals()).noteCompared(0))).toBe("item_unknown");
  });
});

function sharing(items: readonly (readonly [Id, number])[], more: Partial<Sharing> = {}): Sharing {
  return {
    bundle: formatB64url(makeId()), items: items.map(([item, revision]) => ({ item, revision })), to: null,
    message: "", expires: TOMORROW, openings: 10, replaces: null, ...more,
  };
}

/** The manifest of what was sent, as its reader reads it. */
function manifestOf(body: Said, key: Uint8Array, reader: Uint8Array | null): Manifest {
  const opened = openBundle(key, parseB64url(body.bundle), parseB64url(body.seal), reader, TOMORROW - 10);
  return v.parse(Manifest, parseJson(opened.json));
}

describe("a bundle", () => {
  test("for a professional is opened by them alone, names each record by key, hash and receipt, and all contents", async () => {
    const { client, directory, sent, browser } = await aScene();
    const [anne, claire] = [new FakeProfessional("Anne Élan"), new FakeProfessional("Claire Martin")];
    directory.list(claire);
    directory.list(anne);
    const file = new File([makeBytes(50_000) as BlobPart], "photo.jpg");
    const photo = await client.addDocument({ file, thumbnail: null }, { ...EMPTY_DRAFT, title: "Bleu" });
    const kept = await client.writeEntry(saying("the first words"));
    await client.editEntry(kept.id, { text: "other words" });
    const asked = sharing([[kept.id, 1], [photo.id, 1]], { to: 1, message: "canary: for the hearing" });
    expect(await client.share(PASSWORD, PIN, asked)).toBeNull();
    const [body] = sent;
    expect(body).toMatchObject({
      bundle: asked.bundle, openings: 10, link: null, replaces: null, professional: { entry: 1 },
      records: [{ item: kept.id, revision: 1 }, { item: photo.id, revision: 1 }],
      blobs: client.item(photo.id).contents.map(({ blob }) => blob),
    });
    const wrap = parseB64url(body.professional.wrap);
    expect(() => unwrapForProfessional(...claire.box, parseB64url(body.bundle), wrap)).toThrow(TamperedError);
    const key = unwrapForProfessional(...anne.box, parseB64url(body.bundle), wrap);
    expect(parseB64url(body.cap_hash)).toEqual(sha256(deriveCap(key, parseB64url(body.bundle))));
    const manifest = manifestOf(body, key, anne.box[0]);
    expect(manifest).toMatchObject({ message: asked.message, expires: TOMORROW });
    expect(manifest.items.map(({ item, index }) => [item, index])).toEqual(
      [kept, photo].map(({ id, verified }: Kept) => [id, verified.index]),
    );
    await opensAsDeposited(client, browser, manifest);
    for (const { body: bytes, path } of browser.network.seen) {
      expect(new TextDecoder().decode(bytes) + path).not.toContain("canary");
    }
  });

  test("of which one item has no receipt that holds names that one, and isn't shared", async () => {
    const { client, browser, sent } = await aScene();
    const [one, two] = [await client.writeEntry(saying("one")), await client.writeEntry(saying("canary"))];
    const other = browser.another(); // which holds no receipts
    other.network.answers = browser.network.answers;
    other.network.rewrites.set("GET /v1/vault", browser.network.rewrites.get("GET /v1/vault")!);
    const fresh = await other.logIn();
    const path = `GET /v1/items/${two.id}/revisions/1/receipt`;
    other.network.rewrites.set(path, (said: Said) => ({ ...said, receipt: `x${said.receipt}` }));
    const asked = fresh.share(PASSWORD, PIN, sharing([[one.id, 1], [two.id, 1]]));
    await expect(asked).rejects.toMatchObject({ code: "item_unproven", item: two.id, revision: 1, error: { code: "receipt_malformed" } });
    expect(problemOf(await asked.catch((error: unknown) => error))).toEqual({
      code: "item_unproven", detail: `${two.id} revision 1: receipt_malformed`, retryAfter: null,
      extra: { item: two.id, revision: 1 },
    });
    expect(sent).toEqual([]);
    other.network.rewrites.delete(path);
    other.network.answers = (asking) => (
      `GET ${asking.path}` === path ? json({ type: "about:blank", title: "", status: 404, code: "not_found", detail: "" }, 404)
        : browser.network.answers!(asking)
    );
    const gone = fresh.share(PASSWORD, PIN, sharing([[two.id, 1]]));
    await expect(gone).rejects.toMatchObject({ code: "item_unproven", error: { code: "not_found" } });
    await fresh.share(PASSWORD, PIN, sharing([[one.id, 1]]));
    expect(sent).toHaveLength(1);
  });

  test("by link and code is opened with both; nothing that was sent opens it", async () => {
    const { client, browser, sent } = await aScene();
    const { id } = await client.writeEntry(saying("one"));
    const link = await client.share(PASSWORD, PIN, sharing([[id, 1]]));
    const [body] = sent;
    const [bundle, secret] = parseFragment(link!.fragment);
    expect(formatB64url(bundle)).toBe(body.bundle);
    const linkKey = deriveLink(secret, bundle);
    expect(formatB64url(deriveCode(linkKey, bundle, parseCode(link!.code)))).toBe(body.link.x);
    const key = unwrapForLink(linkKey, parseB64url(body.link.share), bundle, parseB64url(body.link.wrap));
    expect(manifestOf(body, key, null)).toMatchObject({ reader: null, bundle: body.bundle });
    expect(body.professional).toBeNull();
    const whole = JSON.stringify(body);
    for (const part of [formatB64url(secret), formatHex(secret), parseCode(link!.code), link!.fragment.slice(2)]) {
      expect(whole).not.toContain(part);
      for (const one of browser.network.seen) expect(one.path + one.query).not.toContain(part);
    }
  });

  test("of what is behind the PIN opens it for the moment in which it is made, and no longer", async () => {
    const { client, sent } = await aScene();
    const kept = await client.writeEntry(saying("secret words"), { sensitive: true });
    expect(client.item(kept.id).state).toBe("locked");
    const link = await client.share(PASSWORD, PIN, sharing([[kept.id, 1]]));
    expect(client.item(kept.id).state).toBe("locked");
    const [bundle, secret] = parseFragment(link!.fragment);
    const { share, wrap } = sent[0].link;
    const key = unwrapForLink(deriveLink(secret, bundle), parseB64url(share), bundle, parseB64url(wrap));
    expect(manifestOf(sent[0], key, null).items).toHaveLength(1);
    await client.stepUp(PIN);
    await client.share(PASSWORD, PIN, sharing([[kept.id, 1]]));
    expect(client.item(kept.id).state).toBe("open");
  });

  test("that got no answer is sent again as it was, with the same link", async () => {
    const { client, browser, sent } = await aScene();
    const { id } = await client.writeEntry(saying("one"));
    const asked = sharing([[id, 1]]);
    browser.network.cutBefore = ({ path }) => path === "/v1/bundles";
    expect(await refusal(client.share(PASSWORD, PIN, asked))).toBe("network");
    const lost = browser.network.seen.filter(({ path }) => path === "/v1/bundles").at(-1)!.body;
    browser.network.cutBefore = () => false;
    const link = await client.share(PASSWORD, PIN, asked);
    expect(sent).toEqual([parseJson(lost)]);
    expect(parseFragment(link!.fragment)[0]).toEqual(parseB64url(asked.bundle));
    await client.share(PASSWORD, PIN, sharing([[id, 1]]));
    expect(sent[1].seal).not.toBe(sent[0].seal);
  });

  test.each([
    ["wrong password", "another password", PIN, "login_refused"], ["wrong PIN", PASSWORD, "805194", "pin_wrong"],
  ])("with a %s is not sent", async (_, password, pin, code) => {
    const { client, sent } = await aScene();
    const { id } = await client.writeEntry(saying("one"));
    expect(await refusal(client.share(password, pin, sharing([[id, 1]])))).toBe(code);
    expect(sent).toEqual([]);
  });

  test.each([
    ["nobody who is listed", (id: Id) => sharing([[id, 1]], { to: 3 }), "professional_unknown"],
    ["an item that isn't there", () => sharing([[formatB64url(makeId()), 1]]), "item_unknown"],
    ["a revision that isn't there", (id: Id) => sharing([[id, 2]]), "item_unknown"],
    ["nothing", () => sharing([]), "invalid"],
    ["a longer message than fits", (id: Id) => sharing([[id, 1]], { message: "x".repeat(4001) }), "invalid"],
  ])("for or of %s is refused here, before anything is asked", async (_, asked, code) => {
    const { client, sent, browser } = await aScene();
    const { id } = await client.writeEntry(saying("one"));
    expect(await refusal(client.share(PASSWORD, PIN, asked(id)))).toBe(code);
    expect(sent).toEqual([]);
    expect(browser.network.paths("POST")).not.toContain("/v1/confirm");
  });

  test("of what was deleted since is refused here", async () => {
    const { client, sent } = await aScene();
    const { id } = await client.writeEntry(saying("one"));
    const { revision } = await client.deleteItem(id);
    expect(await refusal(client.share(PASSWORD, PIN, sharing([[id, revision]])))).toBe("item_unknown");
    expect(sent).toEqual([]);
  });
});

/** Each record is the very one that was deposited, under its receipt, and opens with the key that was given. */
async function opensAsDeposited(client: VaultClient, { network }: Browser, { items }: Manifest): Promise<void> {
  const deposited = network.seen.filter(({ path, method }) => method === "POST" && path === "/v1/items")
    .flatMap(({ body }) => (parseJson(body) as Said).revisions);
  for (const { item, revision, key, record, size, index } of items) {
    const sealed = parseB64url(deposited.find((one) => one.item === item && one.revision === revision).record);
    expect([sealed.length, formatHex(sha256(sealed))]).toEqual([size, formatHex(record)]);
    expect((await client.receipt(item, revision)).verified.index).toBe(index);
    expect(parseJson(openRecord(key, parseB64url(item), revision, sealed))).toMatchObject({ v: 1 });
  }
}

describe("what is shared", () => {
  const listed = (body: Said, more: Partial<Record<keyof Bundle, unknown>> = {}): Said => ({
    bundle: body.bundle, created: "2026-11-26T10:00:00Z", expires: body.expires, openings: body.openings,
    opened: ["2026-11-26T11:00:00Z"], note: body.note, entry: body.professional?.entry ?? null, wrong_codes: 0,
    ended: null, why: null, replaced_by: null, ...more,
  });

  test("is listed with names and items, which only this person can read, on every device", async () => {
    const scene = await aScene();
    const { client, directory, sent } = scene;
    directory.list(new FakeProfessional("Anne Élan"));
    const { id } = await client.writeEntry(saying("one"));
    await client.share(PASSWORD, PIN, sharing([[id, 1]], { to: 0 }));
    await client.share(PASSWORD, PIN, sharing([[id, 1]]));
    scene.listed = [listed(sent[1], { wrong_codes: 2 }), listed(sent[0], { ended: "2026-11-26T12:00:00Z", why: "revoked" })];
    const items = [{ item: id, revision: 1 }];
    expect(await (await client.shares()).list()).toMatchObject([
      { name: null, items, wrong_codes: 2, entry: null, ended: null, opened: [1_795_690_800] },
      { name: "Anne Élan", items, entry: 0, why: "revoked" },
    ]);
  });

  test("with the note of another bundle is listed without it", async () => {
    const scene = await aScene();
    const { client, sent } = scene;
    const { id } = await client.writeEntry(saying("one"));
    await client.share(PASSWORD, PIN, sharing([[id, 1]]));
    await client.share(PASSWORD, PIN, sharing([[id, 1]]));
    scene.listed = [listed(sent[0], { note: sent[1].note })];
    expect(await (await client.shares()).list()).toMatchObject([{ name: null, items: null }]);
  });
});
