// What the page asks of the worker about what is written: entries, files, recordings, drafts.
// Knows: which call leads to which step of the client, and what can be paused. Refuses to know: how anything is sealed
// and sent, and the page.

import { formatB64url } from "../../crypto_core/encoding.js";
import { makeId } from "../../crypto_core/randomness.js";
import type { Writing } from "../../sdk/attaching.js";
import type { Answering } from "../answering.js";
import type { Id, WriteOptions, WritingApi } from "../api.js";

export function writingCalls(by: Answering): WritingApi {
  return {
    writeEntry: (draft, options) => by.write((client, waits) =>
      client.writeEntry(draft, { ...writing(options), waits })),

    addDocument: (file, draft, options) => by.send(options.transfer, (sent) => by.write((client, waits) =>
      client.addDocument({ file, thumbnail: null }, draft, { ...writing(options), sent, waits }))),

    pause: (transfer) => by.pause(transfer),

    unfinished: () => by.ask(async (client) => (await client.unfinished()).map(
      ({ blob: id, name, size, changed, sensitive, made }) => ({ id, name, size, changed, sensitive, made }),
    )),

    beginRecording: (what) => by.write(async (client) => {
      const id: Id = await client.recordings.begin(what, ({ here, kept }) =>
        by.tell({ kind: "recording", id, here, kept }));
      return id;
    }),

    addSegment: (id, more, seconds) => by.ask(async (client) =>
      client.recordings.add(id, new Uint8Array(await more.arrayBuffer()), seconds)),

    endRecording: (id) => by.write((client) => client.recordings.end(id)),

    giveUp: (id) => by.ask((client) => client.giveUp(id)),

    writeAssessment: (draft, answers, options) => by.write((client, waits) =>
      client.writeAssessment(draft, answers, { ...writing(options), waits })),

    editEntry: (id, changes, files, slot = null) => by.write((client, waits) =>
      client.editEntry(id, changes, { attachments: files, slot, waits })),

    deleteItem: (id) => by.write((client) => client.deleteItem(id)),

    restoreItem: (id) => by.write((client) => client.restoreItem(id)),

    keepDraft: (draft, before) => by.ask((client) => client.drafts.keep(draft, before)),

    drafts: () => by.ask((client) => client.drafts.list()),
    unopenedDrafts: () => by.ask((client) => client.drafts.unopened()),

    dropDraft: (slot) => by.ask((client) => client.drafts.drop(slot)),

    makeId: () => by.ask(() => formatB64url(makeId())),
  };
}

function writing({ sensitive, files, slot }: WriteOptions): Writing {
  return { sensitive, attachments: files, slot };
}
