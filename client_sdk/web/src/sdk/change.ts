// Changes user name, password or PIN: new wraps for the same keys, signed by the old login key and the new one.
// Knows: protocol §8, "Change", and when another device was faster. Refuses to know: what is kept; no blob is touched.

import { formatB64url } from "../crypto_core/encoding.js";
import * as passphrase from "../crypto_core/sealing/passphrase.js";
import { changeMessage } from "../crypto_core/signed_requests.js";
import { Refused } from "./errors.js";
import * as keychain from "./keychain.js";
import type { Credentials, RecoveryWords, Stretch } from "./keychain.js";
import type { Session } from "./session.js";
import type { Synchroniser } from "./synchroniser.js";
import { dumpBody, endpoint } from "./transport.js";

export const CREDENTIALS = "/v1/account/credentials";
const MERGES = 5;
/** Another device wrote the account record first; or the challenge was too old by the time it came. */
const PASSING: readonly string[] = ["credentials_conflict", "challenge_refused"];

/** Sends the change with a token of stage `confirmed`, and goes on under the new epoch. Under the account's lock.
 *
 * Throws Refused (`account_exists` for a pair that can't be used), Untrusted while a warning stands, NeedsPin unless
 * the sensitive tier is open. After a NetworkError nobody knows which pair holds: the new one is tried first. */
export async function changeCredentials(
  session: Session, synchroniser: Synchroniser, old: passphrase.LoginKeys, confirmed: Uint8Array, typed: Credentials,
  stretch: Stretch, samePin: boolean, words: RecoveryWords | null,
): Promise<void> {
  const login = await typed.stretchNew(session.pin.vaultId, stretch);
  for (let tries = 1; tries <= MERGES; tries += 1) {
    const account = await session.ask("GET", "/v1/account");
    await synchroniser.syncAnyhow(account);
    session.warnings.requireNone();
    const { heads } = await synchroniser.loadLinks();
    const { fields } = keychain.makeChange(
      login, typed.pin, session.keyring, session.state, session.pin, heads, samePin, words,
    );
    const { challenge } = await session.transport.ask("POST", "/v1/login/start", { body: { K_id: old.kId } });
    const body = dumpBody(endpoint("POST", CREDENTIALS), { ...fields, identity: account.identity, challenge });
    const message = changeMessage(session.transport.host, challenge, body);
    const signed = ({ loginSeed }: passphrase.LoginKeys): string =>
      formatB64url(passphrase.signWithSeed(loginSeed, message));
    try {
      await session.transport.ask("POST", CREDENTIALS, {
        body, token: confirmed, headers: { "Temoin-Signature": signed(old), "Temoin-Signature-New": signed(login) },
      });
    } catch (error) {
      if (!(error instanceof Refused) || !PASSING.includes(error.code) || tries === MERGES) throw error;
      continue;
    }
    session.keyring.renew(login.kPs, fields.epoch, fields.pin_epoch);
    session.dropBox = fields.drop_box;
    await session.keepState(fields.n, fields.account_record);
    return;
  }
}
