"""The sensitive tier of an open vault: opened by the PIN, closed by itself.

Knows: how long it stays open, and that a step-up begins the time anew. Refuses to know: what is behind it.
"""

from __future__ import annotations

import threading

from client_sdk import keychain
from client_sdk.errors import NetworkError, ServerFault
from client_sdk.protocol.machine import Machine
from client_sdk.protocol.unlock import Unlock, UnlockEvent
from client_sdk.session import Session
from client_sdk.writer import Writer
from crypto_core.sealing import passphrase

SENSITIVE_SECONDS = 120
"""How long the sensitive tier stays open after a step-up."""


class SensitiveTier:
    """That of one session. May be closed from any thread."""

    def __init__(self, session: Session, writer: Writer, machine: Machine[Unlock, UnlockEvent]) -> None:
        self._session, self._writer, self._machine = session, writer, machine
        self._timer: threading.Timer | None = None
        self._stepping = threading.Lock()

    def open(self, pin: str) -> None:
        """Opens it for two minutes, and sends what waited for it. Raises Refused (`pin_wrong`, `pin_locked`, …)."""
        session, keyring = self._session, self._session.keyring
        step = passphrase.derive_pin_step(keyring.k_ps, session.account, keyring.pin_epoch, pin)
        answer = session.ask("POST", "/v1/pin", {"purpose": "step", "x": step.tag})
        with self._stepping:
            keychain.open_sensitive(keyring, step, answer, session.drop_box)
            self._machine.receive(UnlockEvent.STEPPED_UP)
            self._stop()
            self._timer = threading.Timer(SENSITIVE_SECONDS, self.close)
            self._timer.daemon = True
            self._timer.start()
        try:
            with session.home.lock():
                self._writer.flush()  # what a conflict left to be sealed anew needs the PIN
        except (NetworkError, ServerFault):
            pass

    def close(self) -> None:
        """Closes it. Does nothing if it is closed, or if the vault was locked meanwhile."""
        with self._stepping:
            self._session.keyring.drop_sensitive()
            if self._stop() and self._machine.state is Unlock.SENSITIVE:
                self._machine.receive(UnlockEvent.SENSITIVE_DROPPED)

    def _stop(self) -> bool:
        """Whether there was a timer to stop."""
        if self._timer is None:
            return False
        self._timer.cancel()
        self._timer = None
        return True
