"""Getting back in with the recovery words alone: shown, waited for, and then used for everything new.

Knows: protocol §8, "Recovery code", and what to do when an answer was lost. Refuses to know: terminals, and what is
kept in the vault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from client_sdk import keychain
from client_sdk.errors import Refused
from client_sdk.home import Pin
from client_sdk.keychain import AccountState, Credentials, RecoveryWords
from client_sdk.transport import Transport, dump_body, endpoint
from crypto_core.encoding import format_b64url
from crypto_core.sealing import passphrase
from crypto_core.sealing.keyring import Keyring
from crypto_core.sealing.recovery import Language, RecoveryKeys, derive_recovery, parse_words
from crypto_core.signed_requests import recover_change_message, recover_message

START, FINISH = "/v1/recovery/start", "/v1/recovery/finish"
KEYS, CREDENTIALS = "/v1/recovery/keys", "/v1/recovery/credentials"
_TRIES = 4
_PASSING = ("unauthorized", "challenge_refused", "credentials_conflict")
"""Words take longer to be written down than a token or a challenge lives, and another device may write meanwhile."""


@dataclass(frozen=True)
class Shown:
    """A recovery code that the vault has found right."""

    account: bytes
    """16 bytes."""
    begun: int
    due: int
    """Unix seconds, by the vault's clock: from when on, for a week, it opens."""
    code: bytes = field(repr=False)
    """The 32 bytes that the words spell."""
    is_due: bool
    """Whether the waiting time is over."""


@dataclass
class Recovered:
    """What is to take the place of what was lost, made here and not yet sent. The sheet with the new words is written
    before it is."""

    shown: Shown = field(repr=False)
    typed: Credentials = field(repr=False)
    login: passphrase.LoginKeys = field(repr=False)
    words: RecoveryWords = field(repr=False)
    sent: Sent | None = field(default=None, repr=False)
    """The exact request once sent: the same goes again after a lost answer."""

    @property
    def recovery_words(self) -> str:
        """The next 24 words, one space between."""
        return self.words.text


@dataclass(frozen=True)
class Sent:
    """One request, as it goes again."""

    body: bytes = field(repr=False)
    token: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)


def show(transport: Transport, pin: Pin, words: str) -> Shown:
    """Shows the words: the first time the waiting begins, and whoever is logged in is told. What is due is opened here
    already: whoever chooses a new password then knows that it will do.

    Raises SecretRefused for what can't be a code, Refused `recovery_refused` for one that is nobody's (any more),
    UnsupportedVersion where a newer program wrote the account record, TamperedError or MalformedError if what the vault
    gives is not this code's.
    """
    code = parse_words(words)
    stage = _show_code(transport, derive_recovery(code))
    try:
        _open(transport, pin, code, stage)[0].forget()
    except Refused as refusal:
        if refusal.code != "recovery_waiting":
            raise
        return Shown(stage["account"], stage["begun"], stage["due"], code, False)
    return Shown(stage["account"], stage["begun"], stage["due"], code, True)


def make(shown: Shown, typed: Credentials, pin: Pin, language: Language, this_year: int) -> Recovered:
    """New words and the keys of the new pair, for a code that is due. Raises SecretRefused, NotEnoughMemory."""
    typed.require_new(this_year)
    return Recovered(shown, typed, typed.stretch(pin.vault_id), keychain.make_words(language))


def send(
    transport: Transport, pin: Pin, made: Recovered, is_gone: Callable[[passphrase.LoginKeys], bool]
) -> None:
    """Sends it; again, after a NetworkError, with the same `made`. Every session ends, and the words shown open nothing
    any more. `is_gone` asks whether a pair opens nothing.

    Raises Refused: `account_exists` for a pair that can't be used, `recovery_waiting` where it was stopped meanwhile,
    `recovery_refused` where the words were replaced, …; and as `show`.
    """
    for tries in range(1, _TRIES + 1):
        try:
            made.sent = made.sent or _filled(transport, pin, made)
            body, token, headers = made.sent.body, made.sent.token, made.sent.headers
            transport.ask("POST", CREDENTIALS, body, token=token, headers=headers)
            return
        except Refused as refusal:
            if made.sent is not None and refusal.code == "unauthorized" and not is_gone(made.login):
                return  # it was done, and the answer was lost
            made.sent = None
            if refusal.code not in _PASSING or tries == _TRIES:
                raise


def _filled(transport: Transport, pin: Pin, made: Recovered) -> Sent:
    """What to send, of what the code opens now, with a token and a challenge of this moment."""
    old = derive_recovery(made.shown.code)
    stage = _show_code(transport, old)
    keyring, state, identity = _open(transport, pin, made.shown.code, {**stage, "account": made.shown.account})
    try:
        fields = keychain.make_recovered(made.login, made.typed.pin, made.words, keyring, state)
    finally:
        keyring.forget()
    challenge = _challenge(transport, old)
    body = dump_body(endpoint("POST", CREDENTIALS), {**fields, "identity": identity, "challenge": challenge})
    message = recover_change_message(transport.host, challenge, body)
    seeds = {"Temoin-Signature": old.login_seed, "Temoin-Signature-New": made.login.login_seed}
    signed = {name: format_b64url(passphrase.sign_with_seed(seed, message)) for name, seed in seeds.items()}
    return Sent(body, stage["token"], signed)


def _show_code(transport: Transport, keys: RecoveryKeys) -> dict[str, Any]:
    challenge = _challenge(transport, keys)
    sig = passphrase.sign_with_seed(keys.login_seed, recover_message(transport.host, keys.rid, challenge))
    return transport.ask("POST", FINISH, {"rid": keys.rid, "challenge": challenge, "sig": sig})


def _challenge(transport: Transport, keys: RecoveryKeys) -> bytes:
    challenge: bytes = transport.ask("POST", START, {"rid": keys.rid})["challenge"]
    return challenge


def _open(
    transport: Transport, pin: Pin, code: bytes, stage: dict[str, Any]
) -> tuple[Keyring, AccountState, dict[str, bytes]]:
    given = transport.ask("GET", KEYS, token=stage["token"])
    keyring, state = keychain.open_recovered(stage["account"], code, given, pin)
    return keyring, state, given["identity"]
