"""A person's deposit boxes: made here, closed, and what waits in them looked at, accepted or refused.

Knows: protocol §7 on the person's side (docs/spec/deposit-box.md), and that whoever deposits may mean harm: nothing of
a deposit is fetched before it is asked for, and all of it is verified before it becomes an item. Refuses to know:
terminals, how a seal is made, and who has an address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from marshmallow import ValidationError

from client_sdk.contents import bounded, open_content, sealed_content_size
from client_sdk.errors import (
    BlobSwapped, ContentBroken, ContentDiffers, DepositBroken, ItemUnknown, Refused, ServerFault,
)
from client_sdk.items import Content, Draft, Kept, KeptReceipt, Sent
from client_sdk.reader import BLOB, Reader
from client_sdk.receipts import content_place, words_place
from client_sdk.sent_words import parse_deposit
from client_sdk.session import Session
from client_sdk.manifest import stated
from client_sdk.transport import dump_body, endpoint
from client_sdk.writer import Writer
from crypto_core.encoding import parse_json
from crypto_core.errors import CryptoCoreError
from crypto_core.randomness import make_id
from crypto_core.sealing.boxes import (
    BoxAddress, derive_deposit_cap, format_box_fragment, make_box_secret, make_box_seed, open_box, open_box_note,
    open_deposit, seal_box, seal_box_note, unwrap_deposit_key,
)
from crypto_core.sealing.keys import derive_box
from schemas.deposits import VERSION, BoxNote

BOXES = "/v1/boxes"
BOX = "/v1/boxes/<id:box>"
DEPOSITS = "/v1/boxes/<id:box>/deposits"
DEPOSIT = "/v1/boxes/<id:box>/deposits/<id:deposit>"


@dataclass(frozen=True)
class NewBox:
    """What a box is for, until when it takes anything (Unix seconds), and how much in all: deposits, sealed bytes."""

    name: str = field(repr=False)
    expires: int
    deposits: int
    bytes: int


@dataclass(frozen=True)
class MadeBox:
    """A box made here and perhaps sent: the same bytes go again after a lost answer."""

    box: bytes
    body: bytes = field(repr=False)
    fragment: str = field(repr=False)
    """`#d…`, what follows the address of the page. Nobody keeps it."""


@dataclass(frozen=True)
class KeptBox:
    """A box as the vault tells of it (schemas.boxes.Box). `name` is the person's own note, None if it doesn't open."""

    facts: Mapping[str, Any]
    name: str | None


@dataclass(frozen=True)
class OpenedDeposit:
    """A deposit whose words are open and receipted. Its files are proven when they are read, or accepted."""

    sent: Sent
    deposited: int
    """Unix seconds, as the receipt says."""
    contents: tuple[Content, ...] = field(repr=False)
    receipt: KeptReceipt
    """Of the words."""


class Boxes:
    """The boxes of one session."""

    def __init__(self, session: Session, reader: Reader, writer: Writer) -> None:
        self._session, self._reader, self._writer = session, reader, writer

    def make(self, new: NewBox) -> MadeBox:
        """Everything that is sent, made here; nothing is sent. Raises ValueRefused."""
        mk_n, box, secret, seed = self._session.keyring.mk_n, make_id(), make_box_secret(), make_box_seed()
        note = stated(BoxNote(), {"v": VERSION, "name": new.name})
        body = dump_body(endpoint("POST", BOXES), {
            "box": box, "expires": new.expires, "deposits": new.deposits, "bytes": new.bytes,
            "cap_hash": sha256(derive_deposit_cap(secret, box)).digest(), "seal": seal_box(mk_n, box, seed),
            "note": seal_box_note(mk_n, box, note),
        })
        return MadeBox(box, body, format_box_fragment(BoxAddress(box, secret, derive_box(seed)[0])))

    def send(self, made: MadeBox, confirmed: bytes) -> None:
        """Sends it, with a token of stage `confirmed`. Raises Refused."""
        kept = self._session.transport.ask("POST", BOXES, made.body, token=confirmed)
        if kept["box"] != made.box:
            raise ServerFault("an answer about another box")

    def close(self, box: bytes) -> None:
        """Nothing more is taken; what waits stays. Again: nothing. Raises Refused."""
        self._session.ask("DELETE", BOX, box=box)

    def waiting(self, box: bytes) -> list[dict[str, Any]]:
        """What waits in a box (schemas.boxes.WaitingDeposit), the oldest first: times and sizes. Raises Refused."""
        rows: list[dict[str, Any]] = self._session.ask("GET", DEPOSITS, box=box)["deposits"]
        return rows

    def open(self, box: bytes, deposit: bytes) -> OpenedDeposit:
        """The words of a deposit, whoever wrote them. No file is fetched.

        Raises ItemUnknown, DepositBroken, or a leaf of VerificationError or TrustError for its receipt.
        """
        kept = next((one for one in self.list() if one.facts["box"] == box), None)
        row = next((one for one in self.waiting(box) if one["deposit"] == deposit), None)
        if kept is None or row is None:
            raise ItemUnknown()
        sealed = self._words(row)
        try:
            pk_box, sk_box = open_box(self._session.keyring.mk_n, box, kept.facts["seal"])
            key = unwrap_deposit_key(pk_box, sk_box, box, row["key"])
            words = parse_deposit(open_deposit(key, box, deposit, sealed))
        except CryptoCoreError as error:
            raise DepositBroken(error.code) from None
        contents = tuple(Content(**one) for one in words["contents"])
        named = [(one.blob, sealed_content_size(one.size)) for one in contents]
        if named != [(one["blob"], one["size"]) for one in row["blobs"]]:
            raise DepositBroken("other files than it names")
        sent = Sent(
            box, deposit, key, sha256(sealed).digest(), len(sealed), words["name"], words["message"], words["written"]
        )
        receipt = self._reader.receipts.at(words_place(sent))
        return OpenedDeposit(sent, receipt.verified.commitment.time, contents, receipt)

    def content(self, content: Content) -> Iterator[bytes]:
        """The original bytes of a file of a deposit, each chunk verified before it comes; whole only once the iterator
        has ended. Raises DepositBroken, or ContentDiffers after all of it came."""
        try:
            yield from open_content(content, self._session.read(BLOB, blob=content.blob))
        except (BlobSwapped, ContentBroken) as error:
            raise DepositBroken(error.detail) from None

    def accept(self, opened: OpenedDeposit, draft: Draft, *, sensitive: bool = False) -> Kept:
        """Makes it an item of the person's, which names the depositor's blobs unchanged and says whose they are.

        Every file is read whole first, and its receipt proven: what somebody else states wrongly must never look like a
        fault of the vault later. Raises DepositBroken, or as `Writer.add`.
        """
        with self._session.home.lock():
            for content in opened.contents:
                try:
                    for _ in self.content(content):
                        pass
                except ContentDiffers as error:
                    raise DepositBroken(error.detail) from None
                self._reader.receipts.at(content_place(content))
            return self._writer.add((draft,), "received", sensitive, opened.contents, sent=opened.sent)[0]

    def refuse(self, box: bytes, deposit: bytes, confirmed: bytes | None = None) -> None:
        """Erases it after seven days, until when accepting undoes it; at once with a token of stage `confirmed`."""
        token = self._session.token if confirmed is None else confirmed
        self._session.transport.ask("DELETE", DEPOSIT, token=token, box=box, deposit=deposit)

    def list(self) -> list[KeptBox]:
        """The boxes, ended ones too, the newest first, as the vault tells it."""
        return [KeptBox(facts, self._name(facts)) for facts in self._session.ask("GET", BOXES)["boxes"]]

    def _words(self, row: Mapping[str, Any]) -> bytes:
        try:
            data = b"".join(bounded(self._session.read(BLOB, blob=row["deposit"]), row["size"]))
        except Refused as refusal:
            raise DepositBroken(refusal.code) from None
        if len(data) != row["size"]:
            raise DepositBroken("words of another size")
        return data

    def _name(self, facts: Mapping[str, Any]) -> str | None:
        try:
            json = parse_json(open_box_note(self._session.keyring.mk_n, facts["box"], facts["note"]))
            name: str = BoxNote().load(json)["name"]
        except (CryptoCoreError, ValidationError):
            return None
        return name
