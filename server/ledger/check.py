"""Checks a whole vault against itself: tree, signature, deposits, records, blobs, space.

Knows: what has to agree with what. Refuses to know: how to mend it. A problem names what is wrong by its index in the
ledger or by its id, and nothing else of anybody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, undefer

from crypto_core.errors import TemoinError
from crypto_core.receipts.checkpoint import Checkpoint
from crypto_core.receipts.leaf import Commitment, entry_bytes
from crypto_core.receipts.merkle import hash_leaf
from crypto_core.receipts.tree import new_nodes, root
from crypto_core.receipts.witnessed import open_checkpoint
from server.accounts.models import Account, Departed, Recovery
from server.boxes.models import Box, BoxDeposit, DepositBlob
from server.database import flaws
from server.guesses.models import Guesses
from server.items.models import Revision
from server.ledger.deep import DeepCheck
from server.ledger.models import Deposit, LedgerEntry, LedgerNode
from server.ledger.nodes import Nodes, frontier, reader
from server.parts import Parts
from server.problems import Refusal
from server.shares.models import Bundle
from server.stores import NotKept
from server.uploads.models import Blob, Upload

BATCH = 1024
"""Entries that are read at once."""


@dataclass
class CheckReport:
    """What was counted, and one sentence for each thing that is wrong."""

    entries: int = 0
    deposits: int = 0
    revisions: int = 0
    blobs: int = 0
    bytes: int = 0
    """Of records and blobs that were read and hashed."""
    problems: list[str] = field(default_factory=list)


@dataclass
class DeepReport(CheckReport):
    """The same, and what `--deep` counts beside."""

    checkpoints: int = 0
    cosignatures: int = 0


def check_vault(vault: Parts) -> CheckReport:
    """Reads everything once, as it stood at one moment. Raises Refusal `unavailable` if the database can't be read."""
    report = CheckReport()
    with vault.database.read() as session:
        _check_all(vault, session, report, None)
    return report


def check_deep(vault: Parts) -> DeepReport:
    """The same, and every checkpoint, every cosignature and the marker as well."""
    report = DeepReport()
    with vault.database.read() as session:
        deep = DeepCheck(vault.ledger, session, report.problems)
        _check_all(vault, session, report, deep)
        report.checkpoints, report.cosignatures = deep.checkpoints, deep.cosignatures
    return report


def _check_all(vault: Parts, session: Session, report: CheckReport, deep: DeepCheck | None) -> None:
    report.problems += flaws(session)
    _check_tree(vault, session, report, deep)
    owners = _check_revisions(session, report) | _check_blobs(vault, session, report)
    _check_deposits(session, report, owners)
    _check_space(session, report)
    _check_accounts(vault, session, report)


def _check_tree(vault: Parts, session: Session, report: CheckReport, deep: DeepCheck | None) -> None:
    """The entries, the nodes above them, and the newest checkpoint over all."""
    tree: Nodes = {}
    size = nodes = 0
    if deep is not None:
        deep.check_checkpoints(-1, 0, reader(tree))
    for batch in _in_batches(session):
        missing = next((n for n, (index, _) in enumerate(batch, size) if index != n), None)
        if missing is not None:
            report.problems.append(f"the entry {missing} is missing")
            return
        added = new_nodes(size, [hash_leaf(entry) for _, entry in batch], reader(tree))
        tree.update({(level, index): value for level, index, value in added})
        if deep is not None:
            deep.check_checkpoints(size, size + len(batch), reader(tree))
        size, nodes = size + len(batch), nodes + len(added)
        report.problems += _differing_nodes(session, added)
        tree = {place: tree[place] for place in frontier(size)}
    report.entries = size
    if session.scalar(select(func.count()).select_from(LedgerNode)) != nodes:
        report.problems.append("the tree has other nodes than its entries give")
    expected = Checkpoint(vault.ledger.origin, size, root(size, reader(tree)))
    try:
        newest = vault.ledger.newest(session).note.encode()
        if open_checkpoint(newest, vault.ledger.keys.look().policy).checkpoint != expected:
            report.problems.append("the newest checkpoint is not that of the tree")
    except (Refusal, TemoinError):
        report.problems.append("the newest checkpoint is not signed by the ledger's key")
    if deep is not None:
        deep.finish(size)


def _differing_nodes(session: Session, added: list[tuple[int, int, bytes]]) -> Iterator[str]:
    by_level: dict[int, dict[int, bytes]] = {}
    for level, index, value in added:
        by_level.setdefault(level, {})[index] = value
    for level, expected in by_level.items():
        span = LedgerNode.index.between(min(expected), max(expected))
        rows = session.execute(select(LedgerNode.index, LedgerNode.hash).where(LedgerNode.level == level, span))
        kept = {index: value for index, value in rows}
        yield from (
            f"the node {index} of level {level} is not that of its entries"
            for index, value in expected.items()
            if kept.get(index) != value
        )


def _check_revisions(session: Session, report: CheckReport) -> dict[int, tuple[bytes, int]]:
    """Every record by its own hash; gives (SHA-256, size) by deposit."""
    owners = {}
    kept = select(Revision).where(Revision.record.is_not(None)).execution_options(yield_per=64)
    for revision in session.scalars(kept):
        name = f"revision {revision.revision} of item {revision.item.hex()}"
        record = revision.record or b""
        report.revisions += 1
        report.bytes += len(record)
        if (len(record), sha256(record).digest()) != (revision.size, revision.sha256):
            report.problems.append(f"{name}: the record is not the one that was deposited")
        if revision.deposit is None or revision.sha256 is None:
            report.problems.append(f"{name}: there is no deposit")
        else:
            owners[revision.deposit] = (revision.sha256, revision.size)
    return owners


def _check_blobs(vault: Parts, session: Session, report: CheckReport) -> dict[int, tuple[bytes, int]]:
    """Every blob by its bytes; gives (SHA-256, size) by deposit."""
    owners = {}
    blobs = select(Blob).options(undefer(Blob.data)).execution_options(yield_per=16)
    for blob in session.scalars(blobs):
        report.blobs += 1
        owners[blob.deposit] = (blob.sha256, blob.size)
        seen, length = sha256(), 0
        try:
            for piece in [blob.data] if blob.data is not None else vault.store.read(blob.blob, 0, blob.size):
                seen.update(piece)
                length += len(piece)
        except NotKept:
            report.problems.append(f"blob {blob.blob.hex()}: its bytes are missing")
            continue
        report.bytes += length
        stored = length if blob.data is not None else vault.store.size(blob.blob)
        if (stored, length, seen.digest()) != (blob.size, blob.size, blob.sha256):
            report.problems.append(f"blob {blob.blob.hex()}: its bytes are not those that were deposited")
    return owners


def _check_deposits(session: Session, report: CheckReport, owners: dict[int, tuple[bytes, int]]) -> None:
    """Every deposit gives its entry, and belongs to the record or blob that it was made for."""
    rows = select(Deposit, LedgerEntry.entry).outerjoin(LedgerEntry, LedgerEntry.index == Deposit.index)
    found = set()
    for deposit, entry in session.execute(rows.execution_options(yield_per=BATCH)):
        report.deposits += 1
        found.add(deposit.index)
        commitment = Commitment(deposit.nonce, deposit.time, deposit.size, deposit.sha256)
        if entry_bytes(commitment) != entry:
            report.problems.append(f"the deposit {deposit.index} does not give its entry")
        if owners.get(deposit.index) != (deposit.sha256, deposit.size):
            report.problems.append(f"the deposit {deposit.index} belongs to no record and no blob")
    report.problems += [f"the deposit {index} is missing" for index in sorted(owners.keys() - found)]


def _check_space(session: Session, report: CheckReport) -> None:
    """What each account is told that it uses is what is kept for it and announced by it."""
    used: dict[bytes, int] = {}
    for table in (Revision, Blob, Upload, Bundle, Box):
        for account, size in session.execute(select(table.account, func.sum(table.size)).group_by(table.account)):
            used[account] = used.get(account, 0) + size
    report.problems += _settle_boxes(session, used)
    for account, counted in session.execute(select(Account.account, Account.used)):
        if used.pop(account, 0) != counted:
            report.problems.append(f"account {account.hex()}: the space counted is not the space used")
    leaving = set(session.scalars(select(Departed.owner)))  # the next collection goes on with them
    report.problems += [f"account {one.hex()} is gone, and its bytes are not" for one in used if one not in leaving]


def _check_accounts(vault: Parts, session: Session, report: CheckReport) -> None:
    """Every account can be opened by whoever knows its secrets: what the pepper sealed opens, and tries are counted."""
    for one in session.scalars(select(Account).execution_options(yield_per=64)):
        sealed = {"K_id": one.k_id, "login_pk": one.login_pk, "share_N": one.share_n, "share_S": one.share_s}
        report.problems += _not_opening(vault, one.account, one.epoch, sealed)
    for recovery in session.scalars(select(Recovery).execution_options(yield_per=64)):
        sealed = {"recovery_login_pk": recovery.login_pk, "share_R": recovery.share_r}
        report.problems += _not_opening(vault, recovery.account, recovery.epoch, sealed)
    for account in session.scalars(select(Account.account).where(Account.account.not_in(select(Guesses.account)))):
        report.problems.append(f"account {account.hex()}: the count of its tries is missing")


def _not_opening(vault: Parts, account: bytes, epoch: int, sealed: dict[str, bytes]) -> Iterator[str]:
    for column, value in sealed.items():
        try:
            vault.pepper.open_row(column, account, epoch, value)
        except Refusal:
            yield f"account {account.hex()}: {column} is not what the pepper sealed"


def _settle_boxes(session: Session, used: dict[bytes, int]) -> Iterator[str]:
    """Every box by what was put into it; what its holder uses, its account does."""
    deposited, pieces = (
        {box: count for box, count in session.execute(query)}
        for query in (
            select(BoxDeposit.box, func.sum(BoxDeposit.size)).group_by(BoxDeposit.box),
            select(DepositBlob.box, func.count()).group_by(DepositBlob.box),
        )
    )
    for table in (Blob, Upload):
        held = select(Box.box, func.count()).join(table, table.account == Box.holder).group_by(Box.box)
        for box, count in session.execute(held):
            pieces[box] = pieces.get(box, 0) + count
    for one in session.scalars(select(Box)):
        size = used.pop(one.holder, 0)
        used[one.account] = used.get(one.account, 0) + size
        if (one.used, one.pieces) != (size + deposited.get(one.box, 0), pieces.get(one.box, 0)):
            yield f"box {one.box.hex()}: what is counted is not what was put in"


def _in_batches(session: Session) -> Iterator[Sequence[Row[int, bytes]]]:
    """(index, entry) in the order of the indexes, BATCH at a time."""
    query, after = select(LedgerEntry.index, LedgerEntry.entry).order_by(LedgerEntry.index).limit(BATCH), -1
    while batch := session.execute(query.where(LedgerEntry.index > after)).all():
        yield batch
        after = batch[-1][0]
