"""The account of an open vault: its person proven once more, its secrets changed, its record kept.

Knows: what password and PIN given anew allow, and what the account record says next. Refuses to know: what is kept in
the vault, and how a secret is proven (client_sdk.door).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from client_sdk import keychain
from client_sdk.change import change_credentials
from client_sdk.directory import Professionals
from client_sdk.door import Door, choose_language
from client_sdk.errors import NetworkError, Refused, ServerFault
from client_sdk.items import NextWait, Recovering, RecoveryWait
from client_sdk.keychain import AccountState, Credentials, RecoveryWords
from client_sdk.protocol.sync import Finding
from client_sdk.redeposit import Redepositor, Settled
from client_sdk.sensitive import SensitiveTier
from client_sdk.session import Session
from client_sdk.synchroniser import Synchroniser
from crypto_core.errors import TemoinError, UnsupportedVersion
from crypto_core.sealing import passphrase

_MERGES = 5
_UNSURE = ("unauthorized", "unavailable")
"""So answers a vault, too, to a request that comes again because the answer to the first one was lost."""


class Account:
    """The account of one session. `forget` locks the vault here, and asks nobody."""

    def __init__(
        self, door: Door, session: Session, synchroniser: Synchroniser, professionals: Professionals,
        sensitive: SensitiveTier, redepositor: Redepositor, username: str, forget: Callable[[], None],
    ) -> None:
        self._door, self._session, self._synchroniser, self._professionals = door, session, synchroniser, professionals
        self._sensitive, self._redepositor, self._username, self._forget = sensitive, redepositor, username, forget

    def confirm(self, password: str, pin: str) -> bytes:
        """A token of stage `confirmed`, good for two minutes, for password and PIN given anew. Raises Refused
        (`login_refused`, `pin_wrong`, …)."""
        return self._door.confirm(self._session, self._username, password, pin)[1]

    def accept_trust(self, password: str, pin: str) -> Settled:
        """Ends the warnings, with password and PIN given anew. What was seen stays under `evidence/`.

        A changed ledger key is believed from now on; an account record that could not be read is written anew; what the
        vault had lost is settled (docs/spec/items.md), and what is said of it is given back. Raises Refused if either
        secret is not right. After a NetworkError or ServerFault the same call goes on where it was cut.
        """
        session = self._session
        self.confirm(password, pin)
        restored = self._restored(pin) if Finding.ACCOUNT_RECORD_INVALID in session.warnings.findings else None
        is_older = Finding.ACCOUNT_RECORD_OLDER in session.warnings.findings
        if Finding.DIRECTORY_FORKED in session.warnings.findings:
            self._professionals.start_anew()
        self._sensitive.open(pin)
        try:
            with session.home.lock():
                session.state = restored or session.state
                settled = self._redepositor.settle()
                settled.record_older = is_older
                self._accept()
            if restored is not None:
                self.write_record()
            with session.home.lock():
                self._synchroniser.sync_anyhow()
                if not session.warnings:
                    self._redepositor.complete(settled)
        finally:
            self._sensitive.close()
        return settled

    def make_words(self, language: str = "english") -> RecoveryWords:
        """New recovery words, for `change_credentials`; nothing of them is sent. `.text` is what is written down."""
        return keychain.make_words(choose_language(language))

    def change_credentials(
        self, password: str, pin: str, new: Credentials, words: RecoveryWords | None = None
    ) -> None:
        """Another user name, password or PIN, with the present password and PIN given anew. Every other session ends.

        What is kept stays as it is, and the recovery code unless there are new `words`. Raises Refused
        (`login_refused`, `pin_wrong`, `account_exists`, …), SecretRefused, or Untrusted while a warning stands. After a
        NetworkError or ServerFault the vault is locked here, and nobody knows which pair holds: the new one is tried
        first, then the old.
        """
        session = self._session
        session.warnings.require_none()
        if not session.state.facts:
            raise UnsupportedVersion()
        new.require_new(self._door.this_year, present_pin=pin)
        same_pin = passphrase.normalise_pin(pin) == passphrase.normalise_pin(new.pin)
        try:
            self._sensitive.open(pin)
            login, confirmed = self._door.confirm(session, self._username, password, pin)
            with session.home.lock():
                change_credentials(session, self._synchroniser, login, confirmed, new, same_pin=same_pin, words=words)
            self._username = new.username
        except (NetworkError, ServerFault):
            self._forget()
            raise
        finally:
            self._sensitive.close()

    def pending_recovery(self) -> Recovering | None:
        """Whether somebody is getting back in with the recovery words. None as well where a vault is too old to say."""
        answer = self._known("/v1/recovery")
        return None if answer is None or answer["pending"] is None else Recovering(**answer["pending"])

    def stop_recovery(self, password: str, pin: str) -> None:
        """Puts a stop to it, with password and PIN given anew. Whoever has the words may begin again, and wait again.
        Raises Refused (`login_refused`, `pin_wrong`, …)."""
        self._session.transport.ask("DELETE", "/v1/recovery", token=self.confirm(password, pin))

    def recovery_wait(self) -> RecoveryWait | None:
        """How long whoever shows the recovery words waits. None where a vault is too old to let anybody choose."""
        answer = self._known("/v1/recovery/wait")
        return None if answer is None else _wait_of(answer)

    def set_recovery_wait(self, password: str, pin: str, wait: int) -> RecoveryWait:
        """Another waiting time, `wait` seconds (0 to 30 days), with password and PIN given anew.

        A shorter one holds only when the present one is over; whoever waits already goes on as before. Raises Refused
        (`login_refused`, `pin_wrong`, …).
        """
        token = self.confirm(password, pin)
        return _wait_of(self._session.transport.ask("PUT", "/v1/recovery/wait", {"wait": wait}, token=token))

    def erase(self, password: str, pin: str) -> None:
        """Erases the account with all that is kept for it, in the vault and on this device, with password and PIN given
        anew. Nobody can bring anything of it back.

        Raises Refused (`login_refused`, `pin_wrong`, `account_listed`, …), or Untrusted while a warning stands: nothing
        was erased then. After another error it wasn't either, unless the vault is locked here: then nobody knows
        whether it was, and it was if the pair opens nothing any more. Raises OSError where it was, and this device
        can't remove its part.
        """
        session = self._session
        session.warnings.require_none()
        login, confirmed = self._door.confirm(session, self._username, password, pin)
        try:
            session.transport.ask("DELETE", "/v1/account", token=confirmed)
        except (NetworkError, ServerFault, Refused) as failure:
            if isinstance(failure, Refused) and failure.code not in _UNSURE or not self._is_gone(login):
                raise
        self._forget()
        session.home.erase()

    def write_record(self) -> None:
        """Compare-and-swap; whoever was slower synchronises, so that the heads of both are in it."""
        session = self._session
        with session.home.lock():
            for _ in range(_MERGES):
                facts = {
                    **session.state.facts, "n": session.state.n + 1, "previous": session.state.hash,
                    "epoch": session.keyring.epoch, "pin_epoch": session.keyring.pin_epoch,
                    "heads": list(self._synchroniser.load_links().heads),
                    "ledger_vkey": session.pin.ledger_vkey, "directory_vkey": session.pin.directory_vkey,
                }
                blob = keychain.seal_account_state(session.keyring.mk_n, session.account, facts)
                try:
                    session.ask("PUT", "/v1/account/record", {"n": facts["n"], "account_record": blob})
                except Refused as refusal:
                    if refusal.code != "record_conflict":
                        raise
                    self._synchroniser.sync_anyhow()
                    if session.warnings or not session.state.facts:
                        return
                else:
                    session.keep_state(facts["n"], blob)
                    return

    def _known(self, path: str) -> dict[str, Any] | None:
        try:
            return self._session.ask("GET", path)
        except Refused as refusal:
            if refusal.code != "not_found":
                raise
            return None

    def _is_gone(self, login: passphrase.LoginKeys) -> bool:
        """As the door says. False, and locked here, where that can't be asked."""
        try:
            return self._door.is_gone(login)
        except TemoinError:
            self._forget()
            return False

    def _restored(self, pin: str) -> AccountState | None:
        """What is to follow an account record that can't be read; None if the vault gives a good one by now."""
        session, known = self._session, self._session.state
        answer = session.ask("GET", "/v1/account")
        if not self._synchroniser.read_account(answer).faults:
            return None
        if known.facts:  # where it is the lost one itself, what follows it is what other devices expect
            return known if known.n == session.offered.n else replace(session.offered, facts=known.facts)
        self._sensitive.open(pin)  # a device that has never read a good one
        try:
            facts = keychain.restore_account_facts(session.keyring, session.pin, answer["identity"])
        finally:
            self._sensitive.close()
        return replace(session.offered, facts=facts)

    def _accept(self) -> None:
        session, offered = self._session, self._door.offered
        if Finding.LEDGER_FORKED in session.warnings.findings:
            session.forget_ledger()
        if Finding.LEDGER_KEY_CHANGED in session.warnings.findings and offered is not None:
            session.forget_ledger()
            self._door.keep_pin(offered)
            session.pin = offered
            session.trust.policy = offered.policy
        session.warnings.accept(session.links.account_n)
        with session.replica.writing():
            session.replica.remember_account(session.state.n, session.state.hash, None)
            session.replica.set_fact("dirty", 1)


def _wait_of(answer: dict[str, Any]) -> RecoveryWait:
    following = answer["next"]
    return RecoveryWait(answer["wait"], None if following is None else NextWait(**following))
