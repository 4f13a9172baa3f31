"""Changes user name, password or PIN: new wraps for the same keys, signed by the old login key and the new one.

Knows: protocol §8, "Change", and when another device was faster. Refuses to know: what is kept; no blob is touched.
"""

from __future__ import annotations

from client_sdk import keychain
from client_sdk.errors import Refused
from client_sdk.keychain import Credentials, RecoveryWords
from client_sdk.session import Session
from client_sdk.synchroniser import Synchroniser
from client_sdk.transport import dump_body, endpoint
from crypto_core.encoding import format_b64url
from crypto_core.errors import UnsupportedVersion
from crypto_core.sealing import passphrase
from crypto_core.signed_requests import change_message

CREDENTIALS = "/v1/account/credentials"
_ROW = endpoint("POST", CREDENTIALS)
_MERGES = 5
_PASSING = ("credentials_conflict", "challenge_refused")
"""Another device wrote the account record first; or the challenge was too old by the time it came."""


def change_credentials(
    session: Session, synchroniser: Synchroniser, old: passphrase.LoginKeys, confirmed: bytes, typed: Credentials,
    *, same_pin: bool, words: RecoveryWords | None,
) -> None:
    """Sends the change with a token of stage `confirmed`, and goes on under the new epoch. Under the account's lock.

    Raises Refused (`account_exists` for a pair that can't be used), Untrusted while a warning stands, NeedsPin unless
    the sensitive tier is open, or UnsupportedVersion. After a NetworkError nobody knows which pair holds: the new one
    is tried first.
    """
    for tries in range(1, _MERGES + 1):
        account = session.ask("GET", "/v1/account")
        synchroniser.sync_anyhow(account)
        session.warnings.require_none()
        if not session.state.facts:  # a newer program wrote the account record meanwhile: it must not be lost
            raise UnsupportedVersion()
        heads = synchroniser.load_links().heads
        new, fields = keychain.make_change(
            typed, session.keyring, session.state, session.pin, heads, same_pin=same_pin, words=words
        )
        challenge = session.transport.ask("POST", "/v1/login/start", {"k_id": old.k_id})["challenge"]
        body = dump_body(_ROW, {**fields, "identity": account["identity"], "challenge": challenge})
        message = change_message(session.transport.host, challenge, body)
        try:
            session.transport.ask("POST", CREDENTIALS, body, token=confirmed, headers={
                name: format_b64url(passphrase.sign_with_seed(login.login_seed, message))
                for name, login in (("Temoin-Signature", old), ("Temoin-Signature-New", new))
            })
        except Refused as refusal:
            if refusal.code not in _PASSING or tries == _MERGES:
                raise
        else:
            session.keyring.renew(new.k_ps, fields["epoch"], fields["pin_epoch"])
            session.drop_box = fields["drop_box"]
            session.keep_state(fields["n"], fields["account_record"])
            return
