// What the page asks of the worker about what is kept: items, their files, their receipts.
// Knows: which call leads to which step of the client. Refuses to know: how anything is opened, and the page.

import { fetched } from "../../sdk/door.js";
import { recordName } from "../../sdk/replica.js";
import type { Answering } from "../answering.js";
import type { ItemsApi } from "../api.js";
import { fileOf, pieceOf, shown } from "../pieces.js";

export function itemsCalls(by: Answering): ItemsApi {
  return {
    synchronise: () => by.ask(async (client) => {
      await client.synchronise();
      await by.count(client);
    }),

    waiting: () => by.ask(async (client) => (await client.waiting()).map(shown)),

    items: (kind) => by.ask((client) => client.items(kind ?? null).map(shown)),

    item: (id, revision) => by.ask((client) => shown(client.item(id, revision ?? null))),

    history: (id) => by.ask((client) => client.history(id).map(shown)),

    readContent: (item, revision, content, range, differing) => by.ask((client) => {
      const found = client.contentOf(item, revision, content);
      return fileOf(client.readContent(found, ...(range ?? [])), found.mime, differing);
    }),

    readPiece: (item, revision, content, start, stop) => by.ask((client) => {
      const found = client.contentOf(item, revision, content);
      return pieceOf((from, to) => client.readContent(found, from, to), start, stop);
    }),

    thumbnail: (content) => by.ask((client) => client.thumbnail(content)),

    keepThumbnail: (content, preview) => by.ask((client) => client.keepThumbnail(content, preview)),

    receipt: (item, revision) => by.ask((client) => client.receipt(item, revision)),

    exportReceipts: (item, revision) => by.ask(async (client) => {
      const blob = await client.exportReceipts(item, revision);
      return { name: `${recordName(item, revision)}.zip`, mime: blob.type, blob };
    }),

    checkReceipt: (sealed, receipt, policy) => by.ask(async (_, ground) => {
      const { checkReceipt, readPolicy } = await fetched(import("../checking.js"));
      return checkReceipt(sealed, receipt, policy === null ? (await ground.policy())[0] : await readPolicy(policy));
    }),
  };
}
