// What the page asks of the worker about sharing, on the side of the person who shares.
// Knows: which call leads to which step of the client. Refuses to know: how a bundle is made, and the page.

import type { Professional } from "../../sdk/directory.js";
import type { Answering } from "../answering.js";
import type { Professional as PlainProfessional, SharingApi } from "../sharing.js";

export function sharingCalls(by: Answering): SharingApi {
  return {
    professionals: () => by.ask(async (client) => {
      const { professionals, unread } = await (await client.professionals()).read();
      return { professionals: professionals.map(listedPlainly), unread };
    }),

    noteCompared: (entry) => by.ask(async (client) => (await client.professionals()).noteCompared(entry)),

    makeExtract: (item, revision, redaction, covered) => {
      const pictures = new Map(covered.map(({ content, picture }) => [content, picture]));
      return by.write((client, waits) => client.makeExtract(item, revision, redaction, pictures, { waits }));
    },

    share: (password, pin, sharing) => by.enter((client) => client.share(password, pin, sharing)),

    shares: () => by.ask(async (client) => (await (await client.shares()).list()).map(
      ({ wrong_codes: wrongCodes, replaced_by: replacedBy, ...rest }) => ({ ...rest, wrongCodes, replacedBy }),
    )),

    revokeShare: (bundle) => by.ask(async (client) => (await client.shares()).revoke(bundle)),
  };
}

/** A professional without the keys themselves. */
function listedPlainly({ entry, listing, since, compared }: Professional): PlainProfessional {
  const { name, org, town, kind, fingerprint } = listing;
  return { entry, name, org, town, kind, fingerprint, since, compared };
}
