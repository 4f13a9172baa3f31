"""Getting back in with the recovery words alone: shown, waited for, and then used for everything new.

Knows: protocol §8, "Recovery code", and what to do when an answer was lost. Refuses to know: terminals, and what is
kept in the vault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from client_sdk import keychain
from client_sdk.errors import Refused
from client_sdk.home import Pin
from client_sdk.keychain import Credentials
from client_sdk.transport import Transport, dump_body, endpoint
from crypto_core.encoding import format_b64url
from crypto_core.sealing import passphrase
from crypto_core.sealing.recovery import Language, RecoveryKeys, derive_recovery, parse_words
from crypto_core.signed_requests import recover_change_message, recover_message

START, FINISH = "/v1/recovery/start", "/v1/recovery/finish"
KEYS, CREDENTIALS = "/v1/recovery/keys", "/v1/recovery/credentials"
_TRIES = 4


@dataclass
class Shown:
    """A recovery code that the vault has found right. Held as short as can be."""

    account: bytes
    """16 bytes."""
    begun: int
    due: int
    """Unix seconds, by the vault's clock: from when on, for a week, it opens."""
    code: bytes = field(repr=False)
    """The 32 bytes that the words spell."""
    token: bytes = field(repr=False)
    keys: dict[str, Any] | None = field(repr=False)
    """What opens with it (schemas.accounts.RecoveryKeys); None before it is due."""

    @property
    def is_due(self) -> bool:
        """Whether the waiting time is over."""
        return self.keys is not None


@dataclass
class Recovered:
    """What is to take the place of what was lost, made here and not yet sent. The sheet with the new words is written
    before it is."""

    shown: Shown = field(repr=False)
    recovery_words: str = field(repr=False)
    login: passphrase.LoginKeys = field(repr=False)
    fields: dict[str, Any] = field(repr=False)
    """The body but for its challenge."""
    sent: bytes | None = field(default=None, repr=False)
    """The exact bytes once sent: the same go again after a lost answer."""


def show(transport: Transport, words: str) -> Shown:
    """Shows the words: the first time the waiting begins, and whoever is logged in is told.

    Raises SecretRefused for what can't be a code, Refused `recovery_refused` for one that is nobody's (any more).
    """
    return _show(transport, parse_words(words))


def make(shown: Shown, typed: Credentials, pin: Pin, language: Language, this_year: int) -> Recovered:
    """Everything that is sent, for a code that is due. Raises SecretRefused, UnsupportedVersion where a newer program
    wrote the account record, TamperedError or MalformedError if what the vault gives is not this code's."""
    assert shown.keys is not None
    typed.require_new(this_year)
    keyring, state = keychain.open_recovered(shown.account, shown.code, shown.keys, pin)
    try:
        words, login, fields = keychain.make_recovered(typed, keyring, state, pin, language)
    finally:
        keyring.forget()
    return Recovered(shown, words, login, {**fields, "identity": shown.keys["identity"]})


def send(transport: Transport, made: Recovered) -> None:
    """Sends it; again, after a NetworkError, with the same `made`. Every session ends, and the words shown open nothing
    any more.

    Raises Refused: `account_exists` for a pair that can't be used, `recovery_over` where it was stopped meanwhile, ….
    """
    row, shown = endpoint("POST", CREDENTIALS), made.shown
    old = derive_recovery(shown.code)
    for tries in range(1, _TRIES + 1):
        if made.sent is None:
            made.fields["challenge"] = _challenge(transport, old)
            made.sent = dump_body(row, made.fields)
        message = recover_change_message(transport.host, made.fields["challenge"], made.sent)
        try:
            transport.ask("POST", CREDENTIALS, made.sent, token=shown.token, headers={
                name: format_b64url(passphrase.sign_with_seed(seed, message))
                for name, seed in (
                    ("Temoin-Signature", old.login_seed), ("Temoin-Signature-New", made.login.login_seed),
                )
            })
            return
        except Refused as refusal:
            if refusal.code not in ("challenge_refused", "unauthorized") or tries == _TRIES:
                raise
            if refusal.code == "challenge_refused":
                made.sent = None
            elif not _is_shown_again(transport, shown):
                return  # the code was replaced: by this very request, whose answer was lost


def _show(transport: Transport, code: bytes) -> Shown:
    keys = derive_recovery(code)
    challenge = _challenge(transport, keys)
    sig = passphrase.sign_with_seed(keys.login_seed, recover_message(transport.host, keys.rid, challenge))
    answer = transport.ask("POST", FINISH, {"rid": keys.rid, "challenge": challenge, "sig": sig})
    shown = Shown(answer["account"], answer["begun"], answer["due"], code, answer["token"], None)
    try:
        shown.keys = transport.ask("GET", KEYS, token=shown.token)
    except Refused as refusal:
        if refusal.code != "recovery_waiting":
            raise
    return shown


def _is_shown_again(transport: Transport, shown: Shown) -> bool:
    """A fresh token, where copying words took longer than the last one lived; False if the code is nobody's now."""
    try:
        shown.token = _show(transport, shown.code).token
    except Refused as refusal:
        if refusal.code != "recovery_refused":
            raise
        return False
    return True


def _challenge(transport: Transport, keys: RecoveryKeys) -> bytes:
    challenge: bytes = transport.ask("POST", START, {"rid": keys.rid})["challenge"]
    return challenge
