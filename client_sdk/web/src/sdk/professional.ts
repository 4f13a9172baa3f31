// A professional's own account: asking to be listed, what became of it, and what was sent to the keys that are listed.
// Knows: the identity that every account has. Refuses to know: who approves whom, and what else the directory lists.

import { parseB64url, formatB64url } from "../crypto_core/encoding.js";
import { TemoinError } from "../crypto_core/errors.js";
import { Kind } from "../crypto_core/labels.js";
import { Listing, deriveFingerprint } from "../crypto_core/receipts/directory.js";
import { deriveBox, openIdentity } from "../crypto_core/sealing/keys.js";
import { derivePublic, signWithSeed } from "../crypto_core/sealing/passphrase.js";
import { unwrapForProfessional } from "../crypto_core/sealing/sharing.js";
import { professionalMessage } from "../crypto_core/signed_requests.js";
import type { Listing as ListingFields, Professional as Answer } from "../schemas/directory.js";
import type { Inbox } from "../schemas/shares.js";
import { foldName, type Professional, type Professionals } from "./directory.js";
import { ItemUnknown } from "./errors.js";
import type { Id } from "./items.js";
import { openCounted, type OpenedBundle, type Openings } from "./opening.js";
import type { Session } from "./session.js";
import { dumpBody, endpoint } from "./transport.js";

const PROFESSIONAL = "/v1/professional";
const INBOX = "/v1/inbox";
const OPEN = "/v1/bundles/<id:bundle>/open";

/** Somebody of this professional's own name is listed with other keys. */
export class ProListedOtherwise extends TemoinError {
  static override readonly code = "pro_listed_otherwise";
  static override readonly sentence =
    "Somebody is listed under your name with keys that aren't yours. People may share with them and believe it is " +
    "you. Tell who runs the vault at once, and compare digits with everybody who shares with you.";
}

/** Who somebody says they are, in clear and for everybody: what a listing has beside its keys. */
export type Named = Omit<ListingFields, "pk_box" | "pk_sign">;

/** The account's standing, with the digits that others compare: those of its own keys, whatever the vault lists. */
export interface Standing extends Answer {
  readonly fingerprint: string;
}

/** An account's own keys. Holds secrets. */
export class Identity {
  readonly pkSign: Uint8Array;
  readonly pkBox: Uint8Array;
  readonly #signSeed: Uint8Array;
  readonly #skBox: Uint8Array;

  /** From the two seeds, 32 bytes each. */
  constructor(signSeed: Uint8Array, boxSeed: Uint8Array) {
    this.#signSeed = signSeed;
    this.pkSign = derivePublic(signSeed);
    [this.pkBox, this.#skBox] = deriveBox(boxSeed);
  }

  /** The digits to compare. */
  get fingerprint(): string {
    return deriveFingerprint(this.pkBox, this.pkSign);
  }

  /** Ed25519 over a message, 64 bytes. */
  sign(message: Uint8Array): Uint8Array {
    return signWithSeed(this.#signSeed, message);
  }

  /** The key of a bundle that was wrapped for this account. Throws TamperedError, MalformedError, BundleOther(Reader). */
  unwrap(bundle: Id, wrap: Uint8Array): Uint8Array {
    return unwrapForProfessional(this.pkBox, this.#skBox, parseB64url(bundle), wrap);
  }
}

/** As it is sealed in the account. Throws TamperedError or MalformedError. */
export async function loadIdentity(session: Session): Promise<Identity> {
  const { mkN, account } = session.keyring;
  const { identity } = await session.ask("GET", "/v1/account");
  return new Identity(
    openIdentity(mkN, Kind.IDENTITY_SIGN, account, identity.sign),
    openIdentity(mkN, Kind.IDENTITY_BOX, account, identity.box),
  );
}

/** What the account of one session is and receives as a professional. */
export class Office {
  readonly #session: Session;
  readonly #professionals: Professionals;

  constructor(session: Session, professionals: Professionals) {
    this.#session = session;
    this.#professionals = professionals;
  }

  /** The account's own standing. */
  async standing(): Promise<Standing> {
    const answer = await this.#session.ask("GET", PROFESSIONAL);
    return { ...answer, fingerprint: (await loadIdentity(this.#session)).fingerprint };
  }

  /** Asks to be listed; `token` is of stage `confirmed`. The name is remembered on this device first.
   *
   * Throws Refused, or MalformedError for a text that can't be shown as it is. */
  async askToBeListed(token: Uint8Array, named: Named): Promise<Standing> {
    const { keyring, transport } = this.#session;
    await this.#professionals.noteOwn(named.name);
    const identity = await loadIdentity(this.#session);
    new Listing(named.name, named.org, named.town, named.kind, identity.pkBox, identity.pkSign);
    const fields = { ...named, pk_box: identity.pkBox, pk_sign: identity.pkSign };
    const body = dumpBody(endpoint("POST", PROFESSIONAL), fields);
    const signature = identity.sign(professionalMessage(transport.host, keyring.account, body));
    const headers = { "Temoin-Signature": formatB64url(signature) };
    return { ...await transport.ask("POST", PROFESSIONAL, { body, headers, token }), fingerprint: identity.fingerprint };
  }

  /** What was sent to this account and has not ended, the newest first. Throws Refused `professional_needed`. */
  async inbox(): Promise<Inbox["bundles"]> {
    return (await this.#session.ask("GET", INBOX)).bundles;
  }

  /** Opens one of the inbox: that counts, and the person sees when.
   *
   * Throws ItemUnknown, as `openCounted`, and as `Identity.unwrap`. */
  async open(bundle: Id, openings: Openings): Promise<OpenedBundle> {
    const received = (await this.inbox()).find((one) => one.bundle === bundle);
    if (received === undefined) throw new ItemUnknown();
    const session = this.#session;
    const identity = await loadIdentity(session);
    const by = {
      transport: session.transport, clock: session.clock, progress: session.progress,
      verify: (receipt: string, digest: Uint8Array, size: number) => session.verify(receipt, digest, size),
    };
    return openCounted(bundle, identity.unwrap(bundle, received.wrap), identity.pkBox, openings, by, (body) =>
      session.ask("POST", OPEN, { places: { bundle }, body }));
  }

  /** Whoever is listed under a name of this account with keys that aren't its own.
   *
   * Its names are those that this device remembers, those that the directory has or had with its keys, and what the vault
   * says: whichever of them is left out, the others count. Throws as `Professionals.read`. */
  async listedOtherwise(): Promise<readonly Professional[]> {
    const [own, { professionals, ever, own: remembered }] = [await this.standing(), await this.#professionals.read()];
    const said = own.listing ?? own.asked;
    const proven = ever.filter(({ fingerprint }) => fingerprint === own.fingerprint).map(({ name }) => name);
    await this.#professionals.noteOwn(...proven);
    const names = new Set([...remembered, ...proven, ...(said === null ? [] : [said.name])].map(foldName));
    return professionals.filter(({ listing }) => names.has(foldName(listing.name)) && listing.fingerprint !== own.fingerprint);
  }
}
