"""Puts files and words into somebody else's box, without an account.

Knows: protocol §7 on the depositor's side (docs/spec/deposit-box.md). Refuses to know: terminals, whose box it is, and
what becomes of what was sent. Nothing is read there, and nothing is kept here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from client_sdk.errors import Refused, ServerFault, ValueRefused
from client_sdk.items import Content, KeptReceipt
from client_sdk.journal import Journal, PassingJournal, Source
from client_sdk.opening import verify_under
from client_sdk.progress import Progress
from client_sdk.manifest import stated
from client_sdk.transport import Transport
from client_sdk.uploader import Sender
from crypto_core.randomness import make_id
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import VerifiedReceipt
from crypto_core.sealing.boxes import derive_deposit_cap, parse_box_fragment, seal_deposit, wrap_deposit_key
from crypto_core.sealing.records import make_record_key
from schemas import limits
from schemas.deposits import VERSION, Deposit

ENTER = "/v1/boxes/<id:box>/enter"
DEPOSITS = "/v1/boxes/<id:box>/deposits"


@dataclass(frozen=True)
class Given:
    """A file that the box has taken, and its proven receipt. Nobody is shown it before a deposit names it."""

    content: Content = field(repr=False)
    receipt: str = field(repr=False)


@dataclass(frozen=True)
class MadeDeposit:
    """A deposit made here and perhaps sent: the same bytes go again after a lost answer."""

    deposit: bytes
    words: bytes = field(repr=False)
    """Sealed."""
    key: bytes = field(repr=False)
    """Of the words, boxed for the person, 128 bytes."""
    given: tuple[Given, ...] = field(repr=False)


@dataclass(frozen=True)
class Deposited:
    """A deposit that the vault has taken, and the proven receipt of its words."""

    deposit: bytes
    deposited: int
    """Unix seconds, as the receipt says."""
    sealed: bytes
    """SHA-256 of the sealed words."""
    receipt: str = field(repr=False)


class Visit:
    """One depositor in one box. Making it enters; after an hour it enters again by itself."""

    def __init__(
        self, transport: Transport, fragment: str, *, policy: Policy, clock: Callable[[], int], progress: Progress,
        sleep: Callable[[float], None],
    ) -> None:
        """`fragment`: what follows the address, `#d…`. Raises LinkMalformed, Refused (`box_over`, `cap_refused`, …)."""
        self.policy = policy
        """What receipts are proven under."""
        self._address = address = parse_box_fragment(fragment)
        self._box = _Box(transport, address.box, derive_deposit_cap(address.secret, address.box), policy)
        self._sender = Sender(self._box, _NoJournals(), progress, sleep)
        self._clock = clock
        self._receipts = dict[bytes, KeptReceipt]()
        """Of words that have arrived: once a deposit names them, they are out of reach."""

    @property
    def room(self) -> Mapping[str, Any]:
        """What the box still takes, and until when (schemas.boxes.BoxEntered), as the vault said it last."""
        return self._box.entered

    def give(self, path: Path) -> Given:
        """Sends one file. Raises FileUnreadable, FileChanged, NetworkError, or Refused (`box_full`, `box_over`, …)."""
        uploaded = self._sender.send(path, sensitive=False)
        return Given(uploaded.content, uploaded.receipt)

    def make(self, name: str, message: str, given: Sequence[Given]) -> MadeDeposit:
        """A deposit of what was given, with words; nothing is sent. Raises ValueRefused."""
        box, deposit, key = self._address.box, make_id(), make_record_key()
        words = seal_deposit(key, box, deposit, stated(Deposit(), {
            "v": VERSION, "name": name, "message": message, "written": self._clock(),
            "contents": [one.content for one in given],
        }))
        if len(words) > limits.DEPOSIT:
            raise ValueRefused("more words than one deposit holds")
        return MadeDeposit(deposit, words, wrap_deposit_key(self._address.pk_box, key, box), tuple(given))

    def send(self, made: MadeDeposit) -> Deposited:
        """Puts it into the box. After a NetworkError the same `made` is given again.

        Raises Refused, NetworkError, or a leaf of VerificationError or TrustError.
        """
        kept = self._receipts.get(made.deposit)
        if kept is None:
            kept = self._receipts[made.deposit] = self._sender.send_sealed(made.deposit, made.words)
        blobs = [one.content.blob for one in made.given]
        answer = self._box.asked("POST", DEPOSITS, {"deposit": made.deposit, "key": made.key, "blobs": blobs})
        if answer["deposit"] != made.deposit:
            raise ServerFault("an answer about another deposit")
        words = kept.verified.commitment  # what the answer says beside it proves nothing
        return Deposited(made.deposit, words.time, words.sha256, kept.receipt)


class _NoJournals:
    """What is sent into a box leaves nothing behind on this device."""

    def find(self, source: Source, sensitive: bool) -> Journal | None:
        return None

    def make(self, source: Source, sensitive: bool) -> Journal:
        return PassingJournal()


class _Box:
    """The place where blobs go, below the box's own address, with a visit that is renewed when its hour is over."""

    def __init__(self, transport: Transport, box: bytes, cap: bytes, policy: Policy) -> None:
        self._transport, self._box, self._cap, self._verify = transport, box, cap, verify_under(policy)
        self._entering = threading.Lock()
        self.entered = self._enter()

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **places: bytes | int
    ) -> dict[str, Any]:
        return self.asked(method, _inside(path), body, **places)

    def asked(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **places: bytes | int
    ) -> dict[str, Any]:
        """A JSON request of this visit to a path of the table."""
        return self._visiting(lambda token: self._transport.ask(
            method, path, body, token=token, headers=None, query=None, box=self._box, **places
        ))

    def put(
        self, path: str, pieces: Sequence[bytes | memoryview], digests: Sequence[bytes], **places: bytes | int
    ) -> dict[str, Any]:
        return self._visiting(lambda token: self._transport.put(
            _inside(path), pieces, digests, token=token, box=self._box, **places
        ))

    def prove(self, receipt: str, blob: bytes, digest: bytes, size: int) -> VerifiedReceipt:
        return self._verify(receipt, digest, size)

    def _visiting(self, once: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
        token = self.entered["token"]
        try:
            return once(token)
        except Refused as refusal:
            if refusal.code != "visit_over":
                raise
        with self._entering:
            if self.entered["token"] == token:  # whoever came first has entered for all
                self.entered = self._enter()
        return once(self.entered["token"])

    def _enter(self) -> dict[str, Any]:
        return self._transport.ask("POST", ENTER, {"cap": self._cap}, box=self._box)


def _inside(path: str) -> str:
    """A path of one's own vault as it stands below a box."""
    return path.replace("/v1/", "/v1/boxes/<id:box>/", 1)
