"""Gives back to the vault what it lost and this device holds, and writes off what nobody has.

Knows: which revisions a finished sync did not show, and what becomes of those that can't go back to their place
(docs/spec/items.md). Refuses to know: passwords, and why the vault lost anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import accumulate, groupby
from operator import itemgetter
from typing import Any

from client_sdk.errors import LedgerForked, NetworkError, Refused, ServerFault, TrustError
from client_sdk.reader import Reader
from client_sdk.receipts import ReceiptPlace
from client_sdk.replica import Row
from client_sdk.session import Session
from client_sdk.synchroniser import Synchroniser
from client_sdk.writer import SETTLING, Writer, batches_of, missing_blobs
from crypto_core.encoding import HASH_SIZE
from crypto_core.errors import CryptoCoreError, TemoinError, VerificationError
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.receipt import parse_receipt
from crypto_core.sealing.keyring import NeedsPin
from schemas import limits

_EXPLAINED = "restorations"
"""The replica's fact: to how many records of restorations the receipts here were compared."""
_LEAVES = (Refused, CryptoCoreError, TrustError, NeedsPin)
"""Why one thing may be left to be done, while others go on."""


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
    record_older: bool = False
    """Whether the account went back as well: its password and PIN may be those from before again."""


class Redepositor:
    """Gives back for one session. Used under the account's lock, after a finished sync."""

    def __init__(self, session: Session, reader: Reader, synchroniser: Synchroniser, writer: Writer) -> None:
        self._session, self._reader, self._synchroniser, self._writer = session, reader, synchroniser, writer
        self._absent = set[bytes]()
        """Blobs that the vault said it hasn't."""
        self._displaced = set[bytes]()
        """Items of which something else stands in a place: they wait for the person."""
        self._gone = set[bytes]()
        """Record hashes that stand nowhere any more."""
        self.lost_files = tuple[LostFile, ...]()
        """Those that items went on without in this session, but for what a warning's end gave back."""

    def give_back(self) -> int:
        """Sends what the last sync should have shown, the very bytes, and says how many went. Whatever does not go is
        tried again at the next opening, and keeps nobody from reading."""
        given = 0
        try:
            for sent in self._give_back():
                given += sent
        except (*_LEAVES, NetworkError, ServerFault):
            pass
        return given

    def settle(self) -> Settled:
        """What a person's word allows, before their warning goes: texts whose place is taken become items of their own,
        and what is missing then is written off. Takes the sensitive tier to be open. Raises NetworkError or
        ServerFault."""
        settled, synchroniser = Settled(), self._synchroniser
        try:
            if self._withheld() or not synchroniser.is_finished:
                self._displaced.clear()
                synchroniser.sync_anyhow()  # another device may have given the same back by now
            for sent in self._give_back():
                settled.given_back += sent
            self._write_anew(settled)
            if self._gone:
                synchroniser.sync_anyhow()  # what stands in their place is not lost
            if settled.left is None:  # or what stands in a place that is still taken here would be called lost
                settled.written_off = self._write_off()
        except _LEAVES as error:  # nobody is kept from ending a warning: with a full space, nothing could be deleted
            settled.left = settled.left or error
        self._session.replica.set_fact(SETTLING, 1)
        return settled

    def finish_anyhow(self) -> None:
        """Where a warning ended, or an item went without a file that the vault has lost, and not all that follows was
        done, does it now, as far as nothing is in its way."""
        if not self._session.replica.fact(SETTLING) or self._session.warnings:
            return
        settled = Settled()
        try:
            settled = self.settle()
            self.complete(settled)
        except (NetworkError, ServerFault):
            pass  # tried again at the next opening
        self.lost_files = tuple(dict.fromkeys((*self.lost_files, *settled.files)))

    def complete(self, settled: Settled) -> None:
        """What follows once no warning stands, and after a sync: items go on without files that the vault hasn't, which
        are named whether that works or not; receipts under a history that it doesn't go on with are asked for anew.
        What is locked is left until the PIN is given. Raises NetworkError or ServerFault."""
        for reason in self._writer.flush():  # what was cut off waits there, and is not to be said again
            settled.left = settled.left or reason
        for row in list(self._session.replica.newest_of_each()):
            try:
                self._leave_out_lost(row, settled)
            except _LEAVES as error:
                settled.left = settled.left or error
        try:
            self._renew_receipts(settled.left is None)
        except _LEAVES as error:
            settled.left = settled.left or error
        if settled.left is None:
            self._session.replica.set_fact(SETTLING, 0)

    def _give_back(self) -> Iterator[int]:
        """How many went, with each request."""
        for batch in batches_of(self._fitting(), _room):
            yield self._send([row for row in batch if row.item not in self._displaced])

    def _write_anew(self, settled: Settled) -> None:
        for rows in self._by_item([row for row in self._withheld() if row.item in self._displaced]):
            let_go = partial(self._let_go, rows[0].item)
            try:
                if rows[-1].erases is None:
                    texts = [row for row in rows if row.erases is None]
                    settled.anew.append(self._writer.write_anew(texts, let_go))
                else:
                    with self._session.replica.writing():
                        let_go()
            except _LEAVES as error:
                settled.left = settled.left or error

    def _write_off(self) -> int:
        """How many are nowhere."""
        lost = self._synchroniser.missing(self._gone)
        hashes = sorted(one for one in lost if len(one) == HASH_SIZE)  # not of a link that could not be opened
        for start in range(0, len(hashes), limits.LOST):
            self._writer.write_off(hashes[start : start + limits.LOST])
        return len(set(hashes) - self._gone)  # what stands by itself now is not lost

    def _withheld(self) -> list[Row]:
        """What this device holds whole, and the last sync should have shown, in the order in which it came."""
        replica = self._session.replica
        return [
            row for row in replica.not_seen_in(replica.fact("pass") or 0)
            if row.wrap is not None and row.record is not None and self._synchroniser.record_hash(row) is not None
        ]

    def _fitting(self) -> list[Row]:
        """Of them, those whose place may be free, in the order in which they came, though none before the one that it
        follows. Where the vault doesn't show what this device has before them, something else may stand there, and
        nothing goes on top of that."""
        replica, came = self._session.replica, list[tuple[int, Row]]()
        for rows in self._by_item(self._withheld()):
            item, before = rows[0].item, rows[0].revision - 1
            shown = replica.row(item, before) if before else None
            follows = before == 0 or shown is not None and shown.pass_ == replica.fact("pass")
            if not follows or rows[-1].revision != before + len(rows):
                self._displaced.add(item)
            elif item not in self._displaced:
                came += zip(accumulate((row.seq for row in rows), max), rows, strict=True)
        return [row for _, row in sorted(came, key=itemgetter(0))]

    @staticmethod
    def _by_item(rows: list[Row]) -> Iterator[list[Row]]:
        ordered = sorted(rows, key=lambda row: (row.item, row.revision))
        return (list(group) for _, group in groupby(ordered, key=lambda row: row.item))

    def _send(self, rows: list[Row]) -> int:
        """How many went. Where something else stands in the place of one, the others go by themselves."""
        while rows:
            try:
                self._writer.send_again([self._as_sent(row) for row in rows])
                return len(rows)
            except LedgerForked:  # raised once: the vault has taken them, and answers the same to the same bytes
                continue
            except Refused as refusal:
                if refusal.code == "blob_missing" and (missing := self._not_known_absent(refusal, rows)):
                    self._absent |= missing
                    continue
                if refusal.code != "revision_conflict":
                    raise
                items = list(self._by_item(rows))
                if len(items) == 1:
                    self._displaced.add(rows[0].item)
                    return 0
                return sum(map(self._send, items))
        return 0

    def _not_known_absent(self, refusal: Refused, rows: list[Row]) -> set[bytes]:
        """Of the blobs that were sent with these, those that the vault says only now it hasn't."""
        return {blob for row in rows for blob in row.blobs} & missing_blobs(refusal) - self._absent

    def _as_sent(self, row: Row) -> dict[str, Any]:
        return {
            "item": row.item, "revision": row.revision, "replaces": row.revision - 1, "wrap": row.wrap,
            "link": row.link, "record": row.record, "erases": row.erases,
            "blobs": [blob for blob in row.blobs if blob not in self._absent],
        }

    def _let_go(self, item: bytes) -> None:
        """Of bytes whose place is taken, so that what stands there can be read here; and the next sync brings it. What
        was erased before them goes along, or it would stand there as something that can't be opened. In a transaction.
        """
        replica = self._session.replica
        rows = [row for row in replica.history(item) if row.pass_ < (replica.fact("pass") or 0)]
        self._gone.update(filter(None, map(self._synchroniser.record_hash, rows)))
        for row in rows:
            for name, data in (("record", row.record), ("wrap", row.wrap), ("link", row.link)):
                if data is not None:
                    self._session.home.keep_evidence(name, data)
        for row in rows:
            replica.drop(row)
        replica.set_fact("cursor", "")

    def _leave_out_lost(self, row: Row, settled: Settled) -> None:
        """One more revision of an item whose record names files that the vault hasn't. Raises NeedsPin while it is
        locked."""
        item = self._reader.open(row)
        if item.state == "locked":
            raise NeedsPin
        unnamed = set(self._reader.named(row)) - set(row.blobs)
        lost = frozenset(blob for blob in unnamed if not self._reader.receipts.has_blob(blob))
        if not lost:
            return
        settled.files += [
            LostFile(item.id, item.title or "", one.name)
            for one in item.contents if not lost.isdisjoint(part.blob for part in one.parts or (one,))
        ]
        if item.kind != "extract":  # which is made anew
            self._writer.leave_out(row, lost)

    def _renew_receipts(self, all_of_them: bool) -> None:
        """Those whose tree is no beginning of the ledger any more, where the ledger has signed that it was set back.
        They are looked through once more unless these are `all_of_them`."""
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
        if all_of_them:
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
