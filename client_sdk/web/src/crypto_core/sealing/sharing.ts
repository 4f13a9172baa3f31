// Bundles: the key that a person makes for one reader, what it seals, and the two ways in which it reaches them.
// Knows: which secret, label and layout each takes (protocol §7, docs/spec/bundle.md), and the four names in a manifest
// by which a reader tells whether it is the one asked for. Refuses to know: what else a manifest says (schemas do), whose
// a key is (receipts/directory), what time it is, and what the vault counts.

import { derive, kek, KEY_SIZE, requireKey } from "../derivation.js";
import { concat, encodeText, formatB64url, ID_SIZE, isSame, parseB64url, parseJson, parseTime } from "../encoding.js";
import { CryptoCoreError, MalformedError, SecretRefused, SignatureInvalid } from "../errors.js";
import { context, Kind } from "../labels.js";
import { makeBytes } from "../randomness.js";
import { SIGNATURE_SIZE, verifyEd25519 } from "../receipts/signatures.js";
import { sodium } from "../sodium.js";
import { openSealed, seal } from "./envelope.js";
import { boxKey, keyOf, unboxKey } from "./keys.js";
import { padRecord, unpadRecord } from "./padding.js";
import { signWithSeed } from "./passphrase.js";

export const CODE_DIGITS = 8;
/** What stands before the 64 characters of a link. */
export const FRAGMENT = "#b";

const SPACING = /[ \u00a0\u202f-]/g;
const CODE = /^[0-9]{8}$/;

/** Something shared isn't what it should be. Each leaf has a code of its own. */
export class BundleError extends CryptoCoreError {
  static override readonly code: string = "bundle_refused";
  static override readonly sentence: string = "What was shared here can't be believed. Ask the person who shared it, by another way.";
}

/** The manifest is not signed by the key that it names. */
export class BundleSignature extends BundleError {
  static override readonly code = "bundle_signature";
  static override readonly sentence = "This was not signed by the person it claims to come from. Ask them, by another way, before you use it.";
}

/** The manifest is of another bundle than the one asked for. */
export class BundleOther extends BundleError {
  static override readonly code = "bundle_other";
  static override readonly sentence = "The vault gave something else than was asked for. Don't use it; ask the person who shared it.";
}

/** The manifest was made for another reader. */
export class BundleOtherReader extends BundleError {
  static override readonly code = "bundle_other_reader";
  static override readonly sentence = "This was shared with somebody else. Don't use it; tell the person who shared it.";
}

/** By this device's clock, the end that the person signed is past. */
export class BundleExpired extends BundleError {
  static override readonly code = "bundle_expired";
  static override readonly sentence = "The time for which this was shared is over. Ask for it to be shared again, or set your clock.";
}

/** Not the end of a link as it was given. */
export class LinkMalformed extends BundleError {
  static override readonly code = "link_malformed";
  static override readonly sentence = "This address is not whole. Take it exactly as you were given it, with all that follows the sign #.";
}

/** A manifest that is proven to be the one asked for, for this reader, not over, and signed. Only `openBundle` makes one.
 *
 * `json` holds record keys, `sender` is the Ed25519 key that signed it (32 bytes), `expires` is in Unix seconds,
 * `signature` is what a stranger verifies later, with `verifyManifest` (64 bytes). */
export interface OpenedManifest {
  readonly json: Uint8Array;
  readonly sender: Uint8Array;
  readonly expires: number;
  readonly signature: Uint8Array;
}

/** BK, a new key for one bundle, 32 bytes. */
export function makeBundleKey(): Uint8Array {
  return makeBytes(KEY_SIZE);
}

/** What the fragment of one link carries, 32 bytes. */
export function makeLinkSecret(): Uint8Array {
  return makeBytes(KEY_SIZE);
}

/** A new code of eight digits, each as likely as any other. */
export function makeCode(): string {
  for (;;) {
    const drawn = makeBytes(4).reduce((sum, byte) => sum * 256 + byte, 0);
    if (drawn < 42 * 10 ** CODE_DIGITS) { // below a multiple of 10^8, so that no code is likelier
      return String(drawn % 10 ** CODE_DIGITS).padStart(CODE_DIGITS, "0");
    }
  }
}

/** What a reader shows to open a bundle, 32 bytes; the vault keeps its SHA-256. */
export function deriveCap(bundleKey: Uint8Array, bundle: Uint8Array): Uint8Array {
  return derive(bundleKey, Kind.BUNDLE_CAP, bundle);
}

// what is sealed

/** The manifest's JSON, signed by the identity of this 32-byte seed and sealed for the bundle (16 bytes), padded. */
export function sealBundle(
  bundleKey: Uint8Array, bundle: Uint8Array, manifest: Uint8Array, signSeed: Uint8Array,
): Uint8Array {
  const plain = padRecord(concat(manifest, signManifest(manifest, signSeed)));
  return seal(derive(bundleKey, Kind.BUNDLE_SEAL), context(Kind.BUNDLE, bundle), plain);
}

/** What `verifyManifest` verifies, 64 bytes: by the identity of this 32-byte seed. */
export function signManifest(manifest: Uint8Array, signSeed: Uint8Array): Uint8Array {
  return signWithSeed(signSeed, signed(manifest));
}

/** The manifest, proven. `reader` is the reader's own pk_box (32 bytes), null where a link leads here.
 *
 * Throws TamperedError, MalformedError, UnsupportedVersion, or a BundleError: signature, bundle, reader, end. */
export function openBundle(
  bundleKey: Uint8Array, bundle: Uint8Array, sealed: Uint8Array, reader: Uint8Array | null, now: number,
): OpenedManifest {
  const key = derive(bundleKey, Kind.BUNDLE_SEAL);
  const plain = unpadRecord(openSealed(key, context(Kind.BUNDLE, bundle), sealed));
  const end = Math.max(0, plain.length - SIGNATURE_SIZE);
  const [manifest, signature] = [plain.slice(0, end), plain.slice(end)];
  const facts = parseJson(manifest);
  if (typeof facts !== "object" || facts === null) {
    throw new MalformedError("not a manifest");
  }
  const { bundle: named, sender: signer, expires: last, reader: meant } = facts as Readonly<Record<string, unknown>>;
  if (
    typeof named !== "string" || typeof signer !== "string" || typeof last !== "string"
    || typeof meant !== "string" && meant !== null
  ) {
    throw new MalformedError("not a manifest");
  }
  const [sender, expires] = [parseB64url(signer, KEY_SIZE), parseTime(last)];
  verifyManifest(manifest, sender, signature);
  if (!isSame(parseB64url(named, ID_SIZE), bundle)) {
    throw new BundleOther();
  }
  if (meant !== (reader === null ? null : formatB64url(sodium.crypto_hash_sha256(reader)))) {
    throw new BundleOtherReader();
  }
  if (now >= expires) {
    throw new BundleExpired();
  }
  return { json: manifest, sender, expires, signature };
}

/** The manifest, now proven to be signed by `sender` (32 bytes). Throws BundleSignature. */
export function verifyManifest(manifest: Uint8Array, sender: Uint8Array, signature: Uint8Array): Uint8Array {
  try {
    verifyEd25519(sender, signed(manifest), signature);
    return manifest;
  } catch (error) {
    throw error instanceof SignatureInvalid ? new BundleSignature() : error;
  }
}

/** What the person is shown later of what was shared: holds no key. Padded as records are. */
export function sealBundleNote(mkN: Uint8Array, bundle: Uint8Array, json: Uint8Array): Uint8Array {
  return seal(derive(mkN, Kind.BUNDLE_NOTES), context(Kind.BUNDLE_NOTE, bundle), padRecord(json));
}

/** The inverse of `sealBundleNote`. Throws TamperedError, MalformedError or UnsupportedVersion. */
export function openBundleNote(mkN: Uint8Array, bundle: Uint8Array, sealed: Uint8Array): Uint8Array {
  return unpadRecord(openSealed(derive(mkN, Kind.BUNDLE_NOTES), context(Kind.BUNDLE_NOTE, bundle), sealed));
}

// for a professional

/** `crypto_box_seal(pkBox, BK ‖ bundle ‖ SHA-256(pkBox))`, 128 bytes. */
export function wrapForProfessional(pkBox: Uint8Array, bundleKey: Uint8Array, bundle: Uint8Array): Uint8Array {
  return boxKey(pkBox, bundleKey, bundle);
}

/** BK. Throws TamperedError, or MalformedError, BundleOther, BundleOtherReader for what opens but isn't this wrap. */
export function unwrapForProfessional(
  pkBox: Uint8Array, skBox: Uint8Array, bundle: Uint8Array, wrap: Uint8Array,
): Uint8Array {
  const [bundleKey, named, reader] = unboxKey(pkBox, skBox, wrap);
  if (!isSame(reader, sodium.crypto_hash_sha256(pkBox))) {
    throw new BundleOtherReader();
  }
  if (!isSame(named, bundle)) {
    throw new BundleOther();
  }
  return bundleKey;
}

// by link and code

/** `#b` and 64 characters of base64url: bundle (16 bytes) ‖ secret (32 bytes). */
export function formatFragment(bundle: Uint8Array, secret: Uint8Array): string {
  return FRAGMENT + formatB64url(concat(idOf(bundle), requireKey(secret)));
}

/** [bundle, secret]. Throws LinkMalformed. */
export function parseFragment(text: string): [bundle: Uint8Array, secret: Uint8Array] {
  const both = bytesAfter(FRAGMENT, text, ID_SIZE + KEY_SIZE);
  return [both.slice(0, ID_SIZE), both.slice(ID_SIZE)];
}

/** The `size` bytes that stand in base64url after the sign of a fragment. Throws LinkMalformed. */
export function bytesAfter(sign: string, text: string, size: number): Uint8Array {
  if (!text.startsWith(sign)) {
    throw new LinkMalformed();
  }
  try {
    return parseB64url(text.slice(sign.length), size);
  } catch (error) {
    throw error instanceof MalformedError ? new LinkMalformed() : error;
  }
}

/** `1234 5678`, as it is said to somebody. */
export function formatCode(code: string): string {
  return `${code.slice(0, 4)} ${code.slice(4)}`;
}

/** Eight ASCII digits; spaces and hyphens don't matter. Throws SecretRefused. */
export function parseCode(text: string): string {
  const code = text.replace(SPACING, "");
  if (!CODE.test(code)) {
    throw new SecretRefused("a code has eight digits");
  }
  return code;
}

/** LK, 32 bytes, from what the fragment carries. */
export function deriveLink(secret: Uint8Array, bundle: Uint8Array): Uint8Array {
  return derive(secret, Kind.BUNDLE_LINK, bundle);
}

/** x, 32 bytes: what a code (as `parseCode` gives it) becomes before it is sent. */
export function deriveCode(linkKey: Uint8Array, bundle: Uint8Array, code: string): Uint8Array {
  return derive(derive(linkKey, Kind.LINK_CODE), Kind.CODE, bundle, encodeText(code));
}

/** BK for whoever has the link and gets the vault's share (32 bytes): 104 bytes. */
export function wrapForLink(
  linkKey: Uint8Array, share: Uint8Array, bundle: Uint8Array, bundleKey: Uint8Array,
): Uint8Array {
  return seal(linkKek(linkKey, share), context(Kind.BUNDLE_WRAP, bundle), requireKey(bundleKey));
}

/** The inverse of `wrapForLink`. Throws TamperedError or MalformedError. */
export function unwrapForLink(
  linkKey: Uint8Array, share: Uint8Array, bundle: Uint8Array, wrap: Uint8Array,
): Uint8Array {
  return keyOf(openSealed(linkKek(linkKey, share), context(Kind.BUNDLE_WRAP, bundle), wrap));
}

function linkKek(linkKey: Uint8Array, share: Uint8Array): Uint8Array {
  return kek("temoin/v1/kek-link", concat(derive(linkKey, Kind.LINK_WRAP), requireKey(share)));
}

function signed(manifest: Uint8Array): Uint8Array {
  return context(Kind.BUNDLE_SIG, sodium.crypto_hash_sha256(manifest));
}

function idOf(bundle: Uint8Array): Uint8Array {
  if (bundle.length !== ID_SIZE) {
    throw new RangeError("an id is exactly 16 bytes");
  }
  return bundle;
}
