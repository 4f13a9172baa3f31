"""Gives back to the vault what it lost and this device holds, and writes off what nobody has.

Knows: which revisions a finished sync did not show, and what becomes of those that can't go back to their place
(docs/spec/items.md). Refuses to know: passwords, and why the vault lost anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import chain, groupby
from typing import Any

from client_sdk.errors import LedgerForked, Refused, TrustError
from client_sdk.reader import BLOB_RECEIPT, Reader, ReceiptPlace
from client_sdk.replica import Row
from client_sdk.session import Session
from client_sdk.synchroniser import Synchroniser
from client_sdk.writer import Writer, batches_of, missing_blobs
from crypto_core.encoding import HASH_SIZE
from crypto_core.errors import CryptoCoreError, TemoinError, VerificationError
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.receipt import parse_receipt
from schemas import limits

_UNFINISHED = "settling"
"""The replica's fact: 1 from when a warning ended until what follows is done."""
_EXPLAINED = "restorations"
"""The replica's fact: to how many records of restorations the receipts here were compared."""


@dataclass(frozen=True)
class LostFile:
    """A file that the vault hasn't any more, and the item that was made without it. Both names may be empty."""

    item: bytes
    title: str = field(repr=False)
    name: str = field(repr=False)


@dataclass
class Settled:
    """What became of what the vault had lost, once the person had ended the warning."""

    given_back: int = 0
    """Versions that went back to their places."""
    anew: list[bytes] = field(default_factory=list)
    """Items that were written anew, because something else stands in their place."""
    written_off: int = 0
    """Versions that are nowhere: neither in the vault, nor here."""
    files: list[LostFile] = field(default_factory=list)
    left: TemoinError | None = None
    """Why some of it is left to be done, if it is; then what waits is tried again at each opening."""


class Redepositor:
    """Gives back for one session. Used under the account's lock, after a finished sync."""

    def __init__(self, session: Session, reader: Reader, synchroniser: Synchroniser, writer: Writer) -> None:
        self._session, self._reader, self._synchroniser, self._writer = session, reader, synchroniser, writer
        self._absent = set[bytes]()
        """Blobs that the vault said it hasn't."""
        self._displaced = set[bytes]()
        """Items of which something else stands in a place: they wait for the person."""

    def give_back(self) -> int:
        """Sends what the last sync should have shown, the very bytes, and says how many went. What is refused is tried
        again at the next opening. Raises NetworkError or ServerFault."""
        given = 0
        try:
            for batch in batches_of(self._fitting(), _room):
                given += self._send(batch)
        except (Refused, VerificationError, TrustError):
            pass
        return given

    def settle(self) -> Settled:
        """What a person's word allows, before their warning goes: texts whose place is taken become items of their own,
        and what is missing then is written off. Takes the sensitive tier to be open. Raises NetworkError or
        ServerFault."""
        settled = Settled()
        try:
            for batch in batches_of(self._fitting(), _room):
                settled.given_back += self._send(batch)
            if gone := self._write_anew(settled):
                self._synchroniser.sync_anyhow()  # what stands in their place is not lost
            lost = self._synchroniser.missing(gone)
            hashes = sorted(one for one in lost if len(one) == HASH_SIZE)  # not of a link that could not be opened
            for start in range(0, len(hashes), limits.LOST):
                self._writer.write_off(hashes[start : start + limits.LOST])
            settled.written_off = sum(one not in gone for one in hashes)  # what stands by itself now is not lost
        except (Refused, VerificationError, TrustError) as error:
            settled.left = error  # nobody is kept from ending a warning: with a full space, nothing could be deleted
        self._session.replica.set_fact(_UNFINISHED, 1)
        return settled

    def _write_anew(self, settled: Settled) -> set[bytes]:
        """The record hashes that stand nowhere any more."""
        gone = set[bytes]()
        for rows in self._by_item(self._withheld()):
            gone.update(filter(None, map(self._synchroniser.record_hash, rows)))
            let_go = partial(self._let_go, rows[0].item)
            if rows[-1].erases is None:
                texts = [row for row in rows if row.erases is None]
                settled.anew.append(self._writer.write_anew(texts, let_go))
            else:
                let_go()
        return gone

    def finish_anyhow(self) -> None:
        """Where a warning ended, and what follows was cut off, does it now. Raises NetworkError or ServerFault."""
        if self._session.replica.fact(_UNFINISHED) and not self._session.warnings:
            self.complete(Settled())

    def complete(self, settled: Settled) -> None:
        """`finish`, and what came of it; a refusal is noted, for the warning is ended by then. Raises NetworkError or
        ServerFault."""
        try:
            settled.files = self.finish()
        except (Refused, VerificationError, TrustError) as error:
            settled.left = settled.left or error

    def finish(self) -> list[LostFile]:
        """What follows once no warning stands, and after a sync: items go on without files that the vault hasn't, and
        receipts under a history that it doesn't go on with are asked for anew. What is locked is passed over. Raises as
        `Session.ask` and `Session.verify`."""
        files = list(chain.from_iterable(map(self._without_lost, list(self._session.replica.newest_of_each()))))
        self._renew_receipts()
        self._session.replica.set_fact(_UNFINISHED, 0)
        return files

    def _withheld(self) -> list[Row]:
        """What this device holds whole, and the last sync should have shown, in the order in which it came."""
        replica = self._session.replica
        return [
            row for row in replica.not_seen_in(replica.fact("pass") or 0)
            if row.wrap is not None and row.record is not None and self._synchroniser.record_hash(row) is not None
        ]

    def _fitting(self) -> list[Row]:
        """Of them, those whose place may be free, in the order in which they came."""
        return [row for row in self._withheld() if row.item not in self._displaced]

    @staticmethod
    def _by_item(rows: list[Row]) -> Iterator[list[Row]]:
        ordered = sorted(rows, key=lambda row: (row.item, row.revision))
        return (list(group) for _, group in groupby(ordered, key=lambda row: row.item))

    def _send(self, rows: list[Row]) -> int:
        """How many went. Where something else stands in the place of one, the others go by themselves."""
        while True:
            try:
                self._writer.send_again([self._as_sent(row) for row in rows])
                return len(rows)
            except LedgerForked:  # raised once: the vault has taken them, and answers the same to the same bytes
                continue
            except Refused as refusal:
                if refusal.code == "blob_missing" and not missing_blobs(refusal) <= self._absent:
                    self._absent |= missing_blobs(refusal)
                    continue
                if refusal.code != "revision_conflict":
                    raise
                items = list(self._by_item(rows))
                if len(items) == 1:
                    self._displaced.add(rows[0].item)
                    return 0
                return sum(map(self._send, items))

    def _as_sent(self, row: Row) -> dict[str, Any]:
        return {
            "item": row.item, "revision": row.revision, "replaces": row.revision - 1, "wrap": row.wrap,
            "link": row.link, "record": row.record, "erases": row.erases,
            "blobs": [blob for blob in row.blobs if blob not in self._absent],
        }

    def _let_go(self, item: bytes) -> None:
        """Of bytes whose place is taken, so that what stands there can be read here; and the next sync brings it. What
        was erased before them goes along, or it would stand there as something that can't be opened."""
        replica = self._session.replica
        rows = [row for row in replica.not_seen_in(replica.fact("pass") or 0) if row.item == item]
        for row in rows:
            for name, data in (("record", row.record), ("wrap", row.wrap), ("link", row.link)):
                if data is not None:
                    self._session.home.keep_evidence(name, data)
        with replica.writing():
            for row in rows:
                replica.drop(row)
            replica.set_fact("cursor", "")

    def _without_lost(self, row: Row) -> list[LostFile]:
        """One more revision of an item whose record names files that the vault hasn't."""
        lost = frozenset(filter(self._is_lost, set(self._reader.named(row)) - set(row.blobs)))
        if not lost:
            return []
        item = self._reader.open(row)
        if item.kind != "extract":  # which is made anew
            self._writer.leave_out(row, lost)
        return [
            LostFile(item.id, item.title or "", one.name)
            for one in item.contents if not lost.isdisjoint(part.blob for part in one.parts or (one,))
        ]

    def _is_lost(self, blob: bytes) -> bool:
        try:
            self._session.ask("GET", BLOB_RECEIPT, blob=blob)
        except Refused as refusal:
            if refusal.code != "not_found":
                raise
            return True
        return False

    def _renew_receipts(self) -> None:
        """Those whose tree is no beginning of the ledger any more, where the ledger has signed that it was set back."""
        session, replica = self._session, self._session.replica
        records = session.restorations()[replica.fact(_EXPLAINED) or 0:]
        if not records:
            return
        size, fits = min(record.size for record in records), cache(session.is_of_this_ledger)
        for row in list(replica.since(0)):
            for place in self._reader.receipt_places(row):
                if (held := replica.receipt(place.name)) is None:
                    continue
                tree = _tree(held, session.trust.open)
                if tree is not None and tree.size > size and not fits(tree):
                    self._renew(place, held)
        replica.set_fact(_EXPLAINED, len(records) + (replica.fact(_EXPLAINED) or 0))

    def _renew(self, place: ReceiptPlace, held: str) -> None:
        session = self._session
        try:
            text = session.ask("GET", place.path, **place.places)["receipt"]
            session.verify(text, place.sha256, place.size)
        except (Refused, VerificationError):
            return  # it has none; this one proves what it proved
        session.home.keep_evidence("receipt", held.encode("utf-8"))
        with session.replica.writing():
            session.replica.keep_receipt(place.name, text)


def _tree(receipt: str, open_note: Callable[[str], Checkpoint]) -> Checkpoint | None:
    """Under which checkpoint a receipt stands; None of one by a key of before."""
    try:
        return open_note(parse_receipt(receipt.encode()).note)
    except (CryptoCoreError, TrustError):
        return None


def _room(row: Row) -> int:
    return len(row.record or b"")
