"""What a vault is asked before anybody is in, or to let somebody do more: who it is, and whether what was typed holds.

Knows: challenges, what is signed for them, and which vault was met here before. Refuses to know: what is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from client_sdk import keychain, recovering
from client_sdk.errors import HostDiffers, Refused, ServerFault, TrustError, ValueRefused, VaultChanged
from client_sdk.home import Home, Pin
from client_sdk.keychain import AccountState, Credentials, NewAccount
from client_sdk.progress import Progress
from client_sdk.protocol.machine import Machine
from client_sdk.protocol.sync import Finding
from client_sdk.protocol.unlock import Unlock, UnlockEvent
from client_sdk.recovering import Recovered, Shown
from client_sdk.replica import Replica
from client_sdk.session import ROTATIONS, Session, read_published
from client_sdk.transport import Transport, dump_body, endpoint
from client_sdk.trust_store import TrustStore, Warnings
from crypto_core.encoding import format_b64url, format_json
from crypto_core.errors import CryptoCoreError
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.rotation import MAX_ROTATIONS_SIZE
from crypto_core.sealing import passphrase
from crypto_core.sealing.keyring import Keyring
from crypto_core.sealing.recovery import LANGUAGES, Language
from schemas.problems import PROBLEMS
from schemas.vault import Vault

_CHALLENGE_TRIES = 2


@dataclass(frozen=True)
class Entered:
    """A session that has just begun. `told` is what the vault said of the tries at the PIN (schemas.accounts), and
    `answer` the account's own rows."""

    session: Session
    told: dict[str, Any]
    answer: dict[str, Any]


class Door:
    """The door of the vault at one address."""

    def __init__(self, transport: Transport, home: Home, clock: Callable[[], int]) -> None:
        self._transport, self._home, self._clock = transport, home, clock
        self._offered: Pin | None = None

    @property
    def offered(self) -> Pin | None:
        """What the vault said of itself last; not believed where it differs from what was pinned."""
        return self._offered

    @property
    def this_year(self) -> int:
        """By this device's clock, for the rules of a new PIN."""
        return time.gmtime(self._clock()).tm_year

    def meet(self) -> Pin:
        """The vault's public facts, pinned at the first contact and compared ever after.

        Raises ArgonChanged, HostDiffers, VaultChanged.
        """
        answer = self._transport.ask("GET", "/v1/vault")
        try:
            return self._compare(answer)
        except TrustError:
            self._home.keep_evidence("vault", format_json(Vault().dump(answer)))
            raise

    def known_policy(self) -> Policy:
        """What `VaultClient.known_policy` gives; records that can't be believed are kept as evidence."""
        pin = self.meet()
        records = read_published(self._transport, ROTATIONS, MAX_ROTATIONS_SIZE)
        try:
            return pin.rotated(records).policy
        except CryptoCoreError as error:
            self._home.keep_evidence(error.code, records)
            return pin.policy

    def make_account(self, typed: Credentials, language: str) -> NewAccount:
        """What `VaultClient.make_account` gives."""
        return keychain.make_account(typed, self.meet(), choose_language(language), self.this_year)

    def make_recovered(self, shown: Shown, typed: Credentials, language: str) -> Recovered:
        """What `VaultClient.make_recovered` gives."""
        return recovering.make(shown, typed, self.meet(), choose_language(language), self.this_year)

    def register(self, new: NewAccount) -> bytes:
        """What `VaultClient.register` does."""
        for tries in range(1, _CHALLENGE_TRIES + 1):
            if new.sent is None:
                challenge = self._challenge(new.login)
                new.fields["challenge"] = challenge
                new.sent = dump_body(endpoint("POST", "/v1/accounts"), new.fields)
            signature = format_b64url(new.sign(self._transport.host))
            try:
                answer = self._transport.ask(
                    "POST", "/v1/accounts", new.sent, headers={"Temoin-Signature": signature}
                )
            except Refused as refusal:
                if refusal.code != "challenge_refused" or tries == _CHALLENGE_TRIES:
                    raise
                new.sent = None  # that challenge is too old by now; the account wasn't made
            else:
                if answer["account"] != new.account:
                    raise ServerFault("another account than was asked for")
                break
        return new.account

    def is_gone(self, login: passphrase.LoginKeys) -> bool:
        """Whether user name and password, which opened an account a moment ago, open none any more.

        Raises NetworkError, ServerFault, or Refused where the vault says neither.
        """
        try:
            proven = self._prove(login, self._challenge(login))
        except Refused as refusal:
            if refusal.code != "login_refused":
                raise
            return True
        self._transport.ask("POST", "/v1/logout", token=proven["token"])
        return False

    def enter(
        self, typed: Credentials, pin: Pin, machine: Machine[Unlock, UnlockEvent], progress: Progress
    ) -> Entered:
        """Password, then PIN, then the account's own sealed rows. All that is typed or derived dies with this call."""
        login = typed.stretch(pin.vault_id)
        challenge = self._challenge(login)
        machine.receive(UnlockEvent.CHALLENGE)
        proven = self._prove(login, challenge)
        machine.receive(UnlockEvent.PASSWORD_PROVEN)
        account = proven["account"]
        pin_login = passphrase.derive_pin_login(login.k_pl, account, typed.pin)
        opened = self._transport.ask(
            "POST", "/v1/pin", {"purpose": "login", "x": pin_login.tag}, token=proven["token"]
        )
        mk_n = keychain.open_master(login, pin_login, account, opened)
        machine.receive(UnlockEvent.PIN_PROVEN)
        answer = self._transport.ask("GET", "/v1/account", token=opened["token"])
        home = self._home.account(pin.vault_id, account)
        replica = Replica(home.replica)
        state = _remembered(replica, mk_n, account)
        keyring = Keyring(account, mk_n, login.k_ps, opened["epoch"], opened["pin_epoch"], state.facts.get("pk_s"))
        session = Session(
            self._transport, opened["token"], keyring, state, state, answer["drop_box"], pin, self.keep_pin, home,
            replica, TrustStore(home, replica, pin.policy, self._clock), Warnings(home), self._clock, progress,
        )
        return Entered(session, opened, answer)

    def compare_keys(self, session: Session) -> None:
        """A ledger or directory key that is not the pinned one, nor one that its records lead to, is a warning."""
        if (offered := self._offered) is None:
            return
        if offered.ledger_vkey != session.pin.ledger_vkey:
            session.learn_rotations()
        if (offered.ledger_vkey, offered.directory_vkey) != (session.pin.ledger_vkey, session.pin.directory_vkey):
            session.warnings.add(Finding.LEDGER_KEY_CHANGED)
            session.home.keep_evidence("ledger-key", f"{offered.ledger_vkey}\n".encode("ascii"))

    def confirm(
        self, session: Session, username: str, password: str, pin: str
    ) -> tuple[passphrase.LoginKeys, bytes]:
        """The login keys that the password gives, and a token of stage `confirmed`. Raises Refused (`login_refused`,
        `pin_wrong`, …)."""
        login = Credentials(username, password, pin).stretch(session.pin.vault_id)
        challenge = self._challenge(login)
        step = passphrase.derive_pin_step(login.k_ps, session.account, session.keyring.pin_epoch, pin)
        signature = keychain.sign_confirm(login, self._transport.host, challenge)
        try:
            answer = session.ask("POST", "/v1/confirm", {"challenge": challenge, "sig": signature, "x": step.tag})
        except Refused as refusal:
            # A challenge of a moment ago that is not this account's was asked for under another user name or password.
            if refusal.code != "challenge_refused":
                raise
            of_another = PROBLEMS["login_refused"]
            raise Refused("login_refused", of_another.status, of_another.sentence, extra=refusal.extra) from None
        confirmed: bytes = answer["token"]
        return login, confirmed

    def keep_pin(self, pin: Pin) -> None:
        """From now on the vault at this address is known by it."""
        self._home.pin(self._transport.host, pin)

    def _compare(self, answer: dict[str, Any]) -> Pin:
        keychain.require_argon(answer["argon_newest"])
        if answer["host"] != self._transport.host:
            raise HostDiffers()
        offered = Pin(answer["vault_id"], answer["ledger_vkey"], answer["directory_vkey"])
        known = self._home.pin_of(offered.vault_id)
        if known is None or self._home.vault_at(self._transport.host) is None:
            self.keep_pin(known or offered)
        elif self._home.vault_at(self._transport.host) != offered.vault_id:
            raise VaultChanged()
        self._offered = offered
        return known or offered

    def _prove(self, login: passphrase.LoginKeys, challenge: bytes) -> dict[str, Any]:
        signature = keychain.sign_login(login, self._transport.host, challenge)
        return self._transport.ask(
            "POST", "/v1/login/finish", {"k_id": login.k_id, "challenge": challenge, "sig": signature}
        )

    def _challenge(self, login: passphrase.LoginKeys) -> bytes:
        challenge: bytes = self._transport.ask("POST", "/v1/login/start", {"k_id": login.k_id})["challenge"]
        return challenge


def choose_language(language: str) -> Language:
    """Of recovery words. Raises ValueRefused."""
    chosen: Language | None = next((one for one in LANGUAGES if one == language), None)
    if chosen is None:
        raise ValueRefused("the recovery words are English or French")
    return chosen


def _remembered(replica: Replica, mk_n: bytes, account: bytes) -> AccountState:
    """The newest account record that this device could read; number 0, which says nothing, if there is none."""
    blob = replica.fact("account_record")
    if blob is not None:
        try:
            return keychain.open_account_state(mk_n, account, replica.fact("account_record_n"), blob)
        except CryptoCoreError:
            pass  # damaged here; the vault has another
    return AccountState(0, b"")
