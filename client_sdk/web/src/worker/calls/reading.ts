// What the page asks of the worker about what others share, a link or what was sent to a professional; and about packs, of
// that and of one's own.
// Knows: which call leads to which step, and what of a professional's standing a page sees.
// Refuses to know: how a bundle is proven (sdk/opening.ts), and the page.

import { OutOfOrder } from "../../crypto_core/errors.js";
import { makeBackupKey } from "../../crypto_core/sealing/backup.js";
import { formatWords, readyWords } from "../../crypto_core/sealing/recovery.js";
import { fetched } from "../../sdk/door.js";
import { TrustError } from "../../sdk/errors.js";
import type { VaultClient } from "../../sdk/client.js";
import type { ProListedOtherwise, Standing as ProvenStanding } from "../../sdk/professional.js";
import type { Answering, Ground } from "../answering.js";
import type { Named, ReadingApi, Standing } from "../api.js";
import type { Reading } from "../reading.js";

/** The code of ProListedOtherwise. */
const LISTED_OTHERWISE: typeof ProListedOtherwise.code = "pro_listed_otherwise";
/** The numbers of a pack that is written, of what was shared or of one's own; those of the page's transfers begin at 1. */
const PACK = 0, OWN = -1;

export function readingCalls(by: Answering): ReadingApi {
  /** What others shared, once something of it is looked at. */
  let opened: Reading | null = null;
  /** What the words of a backup spell. */
  let backup: Uint8Array | null = null;
  by.atLock.push(() => {
    opened?.close();
    backup = null;
  });
  const read = <T>(act: (reading: Reading, ground: Ground, client: VaultClient) => T | Promise<T>): Promise<T> =>
    by.ask(async (client, ground) => {
      const { Reading } = await fetched(import("../reading.js"));
      return act(opened ??= new Reading(), ground, client);
    });
  return {
    meetLink: (fragment) => read((reading) => reading.meet(fragment)),

    openLink: (code) => read(async (reading, ground) => {
      const [policy, pinned] = await ground.followed();
      return reading.openLink(code, ground.link, policy, pinned);
    }),

    standing: () => by.ask(async (client) => standingOf(await (await client.office()).standing())),

    askToBeListed: (named, password, pin) => by.enter(async (client) => {
      const confirmed = await client.account.confirm(password, pin);
      return standingOf(await (await client.office()).askToBeListed(confirmed, named));
    }),

    inbox: () => by.ask(async (client) => {
      const office = await client.office();
      const received = (await office.inbox()).map(
        ({ bundle, created, expires, openings, opened: count }) => (
          { bundle, created, expires, openings, opened: count }
        ),
      );
      try {
        const strangers = (await office.listedOtherwise()).map(({ listing }) => listing.fingerprint);
        return { received, alarm: strangers.length > 0 ? LISTED_OTHERWISE : null, strangers };
      } catch (error) {
        if (!(error instanceof TrustError)) throw error;
        return { received, alarm: error.code, strangers: [] };
      }
    }),

    openReceived: (bundle) => read(async (reading, _, client) =>
      reading.show(await (await client.office()).open(bundle, reading.openings), true)),

    readShared: (...asked) => read((reading) => reading.file(...asked)),

    readSharedPiece: (item, revision, content, start, stop) => read((reading) =>
      reading.piece(item, revision, content, start, stop)),

    sharedReceipts: (item, revision, content) => read((reading) => reading.receipts(item, revision, content)),

    savePack: (into) => by.send(PACK, ({ signal }) => read(async (reading, ground) => {
      const [{ savePack }, [policy]] = await Promise.all([fetched(import("../packing.js")), ground.followed()]);
      return savePack(reading.opened, policy, ground.link, into, signal ?? null);
    })),

    leavePack: () => by.pause(PACK),

    saveOwn: (into, items, sealed = false) => by.send(OWN, ({ signal = null }) => by.ask(async (client, ground) => {
      const key = sealed ? backup : null;
      if (sealed && key === null) throw new OutOfOrder("no words were made");
      const { savePack } = await fetched(import("../packing.js"));
      return savePack(await client.pack(items, signal), client.policy, ground.link, into, signal, key);
    })),

    makeBackupWords: (language) => by.ask(async () => {
      await fetched(readyWords());
      backup = makeBackupKey();
      return formatWords(backup, language).split(" ");
    }),

    verifierPage: () => by.ask(async () => (await fetched(import("../packing.js"))).verifierPage()),

    leaveOwn: () => by.pause(OWN),

    closeShared: () => by.ask(() => opened?.close()),
  };
}

function standingOf({ state, listing, asked, fingerprint }: ProvenStanding): Standing {
  return { state, listing: listing && namedIn(listing), asked: asked && namedIn(asked), fingerprint };
}

function namedIn({ name, org, town, kind }: Named): Named {
  return { name, org, town, kind };
}
