// The messages that a login key or an identity signs, each bound to one host.
// Knows: which fields stand under which label (protocol §1, §8). Refuses to know: secrets, and who checks.
// The client signs these bytes, the server rebuilds and verifies them: neither sends them.

import { KEY_SIZE } from "./derivation.js";
import { encodeText, ID_SIZE } from "./encoding.js";
import { context, Kind } from "./labels.js";
import { sodium } from "./sodium.js";

export const CHALLENGE_SIZE = 32;

const NOT_ASCII = /[^\u0000-\u007f]/;

/** For sign-up, over the exact bytes of its body. `host`: lower case, with the port unless it is the default. */
export function registerMessage(host: string, challenge: Uint8Array, body: Uint8Array): Uint8Array {
  return context(Kind.REGISTER, hostField(host), sized(challenge, CHALLENGE_SIZE), sodium.crypto_hash_sha256(body));
}

/** For a change of credentials: the old login key and the new one both sign it. */
export function changeMessage(host: string, challenge: Uint8Array, body: Uint8Array): Uint8Array {
  return context(Kind.CHANGE, hostField(host), sized(challenge, CHALLENGE_SIZE), sodium.crypto_hash_sha256(body));
}

/** For the first step of a login. `kId` and `challenge` are 32 bytes each. */
export function loginMessage(host: string, kId: Uint8Array, challenge: Uint8Array): Uint8Array {
  return context(Kind.LOGIN, hostField(host), sized(kId, KEY_SIZE), sized(challenge, CHALLENGE_SIZE));
}

/** For stage `confirmed`: the password was typed anew. */
export function confirmMessage(host: string, kId: Uint8Array, challenge: Uint8Array): Uint8Array {
  return context(Kind.CONFIRM, hostField(host), sized(kId, KEY_SIZE), sized(challenge, CHALLENGE_SIZE));
}

/** For opening a closed PIN path; the recovery login key signs it. `account` is 16 bytes. */
export function pinReopenMessage(host: string, account: Uint8Array, challenge: Uint8Array): Uint8Array {
  return context(Kind.PIN_REOPEN, hostField(host), sized(account, ID_SIZE), sized(challenge, CHALLENGE_SIZE));
}

/** For getting back in: the recovery login key signs it. `rid` and `challenge` are 32 bytes each. */
export function recoverMessage(host: string, rid: Uint8Array, challenge: Uint8Array): Uint8Array {
  return context(Kind.RECOVER, hostField(host), sized(rid, KEY_SIZE), sized(challenge, CHALLENGE_SIZE));
}

/** For what takes the place of lost credentials: the recovery login key and the new login key both sign it. */
export function recoverChangeMessage(host: string, challenge: Uint8Array, body: Uint8Array): Uint8Array {
  return context(
    Kind.RECOVER_CHANGE, hostField(host), sized(challenge, CHALLENGE_SIZE), sodium.crypto_hash_sha256(body),
  );
}

/** For being listed, over the exact bytes of the request; the identity's own key signs it. `account` is 16 bytes. */
export function professionalMessage(host: string, account: Uint8Array, body: Uint8Array): Uint8Array {
  return context(Kind.PROFESSIONAL, hostField(host), sized(account, ID_SIZE), sodium.crypto_hash_sha256(body));
}

function hostField(host: string): Uint8Array {
  if (host === "" || host !== host.toLowerCase() || NOT_ASCII.test(host)) {
    throw new RangeError("a host is written in lower-case ASCII");
  }
  return encodeText(host);
}

function sized(field: Uint8Array, size: number): Uint8Array {
  if (field.length !== size) {
    throw new RangeError(`expected ${size} bytes`);
  }
  return field;
}
