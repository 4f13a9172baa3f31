"""Items: keeps revisions, all of a batch or none, and gives them back in the order in which they were kept.

Knows: protocol §4 as far as a server may: what follows what, which blobs must be there, what a tombstone sets going.
Refuses to know: what a record says; HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, partial
from hashlib import sha256
from typing import Any

from sqlalchemy import BindParameter, Row, bindparam, insert, select, update
from sqlalchemy.orm import Session

from crypto_core.encoding import format_b64url
from schemas import limits
from schemas.items import Revision as RevisionAnswer
from server.accounts.service import take_space
from server.boxes.ending import accept_deposits
from server.database import Prepared, connection_of, table
from server.items.cursor import format_cursor, parse_cursor
from server.items.erasure import erase_if_due, erase_item, erase_unnamed, pack_ids, unpack_ids
from server.items.models import Item, NamedBlob, Revision
from server.journal.service import follow, note
from server.ledger.service import Deposited, Enter
from server.parts import Parts
from server.problems import Refusal
from server.uploads.kept import AT_ONCE, missing_blobs, sweep
from server.uploads.models import Blob

Sent = dict[str, Any]
"""One revision as schemas.items.PutRevision loads it."""
Place = tuple[bytes, int]
"""Item and revision."""

_ADD_ITEMS = Prepared(insert(table(Item)))
_RAISE_ITEMS = Prepared(
    update(table(Item))
    .where(Item.item == bindparam("id"))
    .values(revision=bindparam("newest"), erase_at=None)
)
_ADD_REVISIONS = Prepared(insert(table(Revision)))
_ADD_NAMES = Prepared(insert(table(NamedBlob)))


def put_revisions(vault: Parts, account: bytes, sent: list[Sent], *, is_confirmed: bool) -> list[dict[str, Any]]:
    """Keeps a batch, as a list of schemas.items.KeptRevision in the order sent; what is kept already, with the same
    bytes, is answered again. A tombstone is carried out at once if the session `is_confirmed`, else after a delay.

    Raises Refusal `revision_conflict` with the newer `revisions`, `blob_missing` with the `blobs`, `id_taken`,
    `quota_full`; nothing is kept then.
    """

    def work(session: Session, enter: Enter) -> tuple[dict[Place, Deposited], _Batch]:
        batch = _Batch(vault, session, account, sent)
        batch.require_blobs()
        deposits = batch.keep(enter)
        vault.steps.reach("item.rows")
        batch.settle_tombstones(is_confirmed)
        return deposits, batch

    deposits, batch = vault.ledger.commit(work)
    if batch.has_deleted:
        follow(vault)
    if batch.has_erased:
        sweep(vault)
    return [
        _kept(*_place(one), deposits.get(_place(one)) or prove_record(vault, account, *_place(one))) for one in sent
    ]


def prove_record(vault: Parts, account: bytes, item: bytes, revision: int) -> Deposited:
    """The deposit of a record, its receipt brought up to date. Raises Refusal `not_found`, also once it is erased."""
    with vault.database.read() as session:
        index = session.scalar(
            select(Revision.deposit).where(
                Revision.account == account, Revision.item == item, Revision.revision == revision
            )
        )
        if index is None:
            raise Refusal("not_found")
        return vault.ledger.receipt(session, index)


def read_page(vault: Parts, account: bytes, after: str, limit: int) -> dict[str, Any]:
    """The next revisions after a cursor, as schemas.items.SyncPage: at most `limit`, at most 8 MiB of records, at
    least one if there is one. Raises Refusal `invalid` for what is no cursor."""
    generation = vault.folder.facts.generation
    seq = parse_cursor(after, generation)
    with vault.database.read() as session:
        mine = select(Revision.seq, Revision.size).where(Revision.account == account, Revision.seq > seq)
        ahead = session.execute(mine.order_by(Revision.seq).limit(limit + 1)).all()
        page = _cut(ahead[:limit])
        rows = _dump(session, [row.seq for row in page])
    return {
        "generation": generation,
        "revisions": rows,
        "cursor": format_cursor(generation, page[-1].seq if page else seq),
        "more": len(page) < len(ahead),
    }


def collect(vault: Parts) -> None:
    """Carries out the tombstones that are due, and drops the complete blobs that no item has named for too long."""
    now = vault.clock.now()
    with vault.database.read() as session:
        due = session.scalars(select(Item.item).where(Item.erase_at <= now)).all()
    for item in due:
        vault.ledger.commit(partial(erase_if_due, vault, item, now))
    while vault.ledger.commit(partial(erase_unnamed, vault, now - vault.config.unnamed_blob_age)) == AT_ONCE:
        pass
    sweep(vault)


@dataclass
class _Batch:
    """A batch against what stands in the database: `fresh` are those to be kept, the others are kept already.

    Raises Refusal `id_taken` or `revision_conflict` when it is made.
    """

    vault: Parts
    session: Session
    account: bytes
    sent: list[Sent]
    standing: dict[bytes, int] = field(init=False)
    """The newest revision of each item that was there before."""
    newest: dict[bytes, int] = field(init=False)
    """The newest revision of each item once this batch is kept."""
    hidden: set[bytes] = field(init=False)
    """Those items whose newest revision was a tombstone that waits to be carried out."""
    fresh: dict[Place, Sent] = field(default_factory=dict)
    has_deleted: bool = False
    """Whether something was deleted, or a deletion taken back, which an old copy must not undo."""
    has_erased: bool = False
    """Whether a tombstone was carried out."""

    def __post_init__(self) -> None:
        ids = {one["item"] for one in self.sent}
        named = {f"id{at}": one for at, one in enumerate(ids)}
        rows = _standing(len(named)).rows(connection_of(self.session), **named)
        if any(owner != self.account for _, owner, *_ in rows):
            raise Refusal("id_taken")
        self.standing = {item: revision for item, _, revision, _ in rows}
        self.hidden = {item for item, _, _, erase_at in rows if erase_at is not None}
        self.newest = dict(self.standing)
        conflicts = []
        for one in self.sent:
            item, revision = _place(one)
            if revision == self.newest.get(item, 0) + 1:
                self.fresh[item, revision] = one
                self.newest[item] = revision
            elif not self._is_kept(one):
                conflicts.append((item, revision))
        if conflicts:
            raise Refusal("revision_conflict", revisions=self._newer(conflicts))

    def require_blobs(self) -> None:
        named = {blob for one in self.fresh.values() for blob in one["blobs"]}
        missing = missing_blobs(self.session, self.account, named)
        if missing:
            raise Refusal("blob_missing", blobs=[format_b64url(blob) for blob in missing])

    def keep(self, enter: Enter) -> dict[Place, Deposited]:
        """The rows of all fresh revisions, and their deposits."""
        if not self.fresh:
            return {}
        records = [one["record"] for one in self.fresh.values()]
        take_space(self.session, self.account, sum(map(len, records)), self.vault.config.quota)
        entered = enter([(sha256(record).digest(), len(record)) for record in records])
        self.vault.steps.reach("deposit.entries")
        deposits = dict(zip(self.fresh, entered, strict=True))
        connection = connection_of(self.session)
        changed = {item: self.newest[item] for item, _ in self.fresh}
        _RAISE_ITEMS.run_each(connection, [
            {"id": item, "newest": newest} for item, newest in changed.items() if item in self.standing
        ])
        _ADD_ITEMS.run_each(connection, [
            {"item": item, "account": self.account, "revision": newest}
            for item, newest in changed.items() if item not in self.standing
        ])
        for item in changed.keys() & self.hidden:
            note(self.session, "item", item)
            self.has_deleted = True
        _ADD_REVISIONS.run_each(connection, [self._row(one, deposits[_place(one)]) for one in self.fresh.values()])
        named = [
            {"item": one["item"], "revision": one["revision"], "place": place, "blob": blob}
            for one in self.fresh.values()
            for place, blob in enumerate(one["blobs"])
        ]
        if named:
            _ADD_NAMES.run_each(connection, named)
            accept_deposits(self.vault, self.session, self.account, {name["blob"] for name in named})
        self.vault.steps.reach("deposit.rows")
        return deposits

    def settle_tombstones(self, is_confirmed: bool) -> None:
        """Carries out, or puts on the calendar, those tombstones of the batch that are the newest."""
        for one in self.sent:
            item, revision = _place(one)
            if one["erases"] is None or revision != self.newest[item]:
                continue
            if is_confirmed:
                erase_item(self.vault, self.session, self.account, item, revision)
                self.has_deleted = self.has_erased = True
            elif (item, revision) in self.fresh:
                self.has_deleted = True
                at = self.vault.clock.now() + self.vault.config.deletion_delay
                self.session.execute(update(Item).where(Item.item == item).values(erase_at=at))
                note(self.session, "item", item)

    def _is_kept(self, one: Sent) -> bool:
        """Whether these very bytes are kept, or stand in this batch already."""
        earlier = self.fresh.get(_place(one))
        if earlier is not None:
            return earlier == one
        row = self.session.execute(
            select(Revision.sha256, Revision.wrap, Revision.link, Revision.erases).where(
                Revision.item == one["item"], Revision.revision == one["revision"]
            )
        ).one_or_none()
        if row is None or tuple(row) != (sha256(one["record"]).digest(), one["wrap"], one["link"], _packed(one)):
            return False
        names = self.session.scalars(
            select(NamedBlob.blob)
            .where(NamedBlob.item == one["item"], NamedBlob.revision == one["revision"])
            .order_by(NamedBlob.place)
        )
        return list(names) == list(one["blobs"])

    def _newer(self, conflicts: list[Place]) -> list[dict[str, Any]]:
        """What stands where the conflicting revisions wanted to, and after: as much as fits in one page."""
        found: list[Row[int, int]] = []
        for item, revision in conflicts:
            query = select(Revision.seq, Revision.size).where(Revision.item == item, Revision.revision >= revision)
            found += self.session.execute(query.order_by(Revision.seq).limit(limits.PAGE)).all()
        rows = _dump(self.session, [row.seq for row in _cut(sorted(set(found)))])
        dumped: list[dict[str, Any]] = RevisionAnswer(many=True).dump(rows)
        return dumped

    def _row(self, one: Sent, deposit: Deposited) -> dict[str, Any]:
        return {
            "account": self.account,
            "item": one["item"],
            "revision": one["revision"],
            "deposited": deposit.time,
            "size": deposit.commitment.size,
            "sha256": deposit.commitment.sha256,
            "deposit": deposit.index,
            "erases": _packed(one),
            "link": one["link"],
            "wrap": one["wrap"],
            "record": one["record"],
        }


@cache
def _standing(count: int) -> Prepared:
    """Which of so many items there are, whose they are, their newest revisions, and when they are to be erased."""
    ids: list[BindParameter[bytes]] = [bindparam(f"id{at}") for at in range(count)]
    return Prepared(select(Item.item, Item.account, Item.revision, Item.erase_at).where(Item.item.in_(ids)))


def _place(one: Sent) -> Place:
    return one["item"], one["revision"]


def _packed(one: Sent) -> bytes | None:
    return None if one["erases"] is None else pack_ids(one["erases"])


def _kept(item: bytes, revision: int, deposit: Deposited) -> dict[str, Any]:
    return {"item": item, "revision": revision, "deposited": deposit.time, "receipt": deposit.receipt}


def _cut(rows: Iterable[Row[int, int]]) -> list[Row[int, int]]:
    """Of rows with a `size`, those from the first on that fit in one page together; the first one always does."""
    page: list[Row[int, int]] = []
    total = 0
    for row in rows:
        total += row.size
        if page and total > limits.BATCH:
            break
        page.append(row)
    return page


def _dump(session: Session, seqs: list[int]) -> list[dict[str, Any]]:
    """These revisions as schemas.items.Revision, in the order of `seqs`, which rises."""
    rows = list(session.scalars(select(Revision).where(Revision.seq.in_(seqs)).order_by(Revision.seq)))
    named: dict[Place, list[dict[str, Any]]] = {}
    for item, revision, blob, size in session.execute(
        select(NamedBlob.item, NamedBlob.revision, NamedBlob.blob, Blob.size)
        .join(Revision, (Revision.item == NamedBlob.item) & (Revision.revision == NamedBlob.revision))
        .join(Blob, Blob.blob == NamedBlob.blob)
        .where(Revision.seq.in_(seqs))
        .order_by(NamedBlob.item, NamedBlob.revision, NamedBlob.place)
    ):
        named.setdefault((item, revision), []).append({"blob": blob, "size": size})
    return [
        {
            "item": row.item,
            "revision": row.revision,
            "deposited": row.deposited,
            "wrap": row.wrap,
            "link": row.link,
            "record": row.record,
            "blobs": named.get((row.item, row.revision), []),
            "erases": None if row.erases is None else unpack_ids(row.erases),
        }
        for row in rows
    ]
