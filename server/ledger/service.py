"""The ledger at work: many deposits, one transaction, one signature; and receipts, now and later.

Knows: protocol §6, the ledger's keys, and how waiting deposits are batched. Refuses to know: who deposits what.

Group commit: whoever comes while a transaction runs waits in the queue, and the next one to lead takes all that wait,
once the database's write lock is its own, into one transaction. Nobody waits for a window, and every answer waits for
a signed checkpoint that covers it. Several processes take turns by that lock.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, Select, delete, insert, select, true
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crypto_core.errors import TemoinError
from crypto_core.randomness import make_bytes
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from crypto_core.receipts.leaf import NONCE_SIZE, Commitment, entry_bytes
from crypto_core.receipts.merkle import hash_leaf
from crypto_core.receipts.note import SignerKey
from crypto_core.receipts.receipt import Receipt, format_receipt
from crypto_core.receipts.tree import consistency_proof, inclusion_proof, new_nodes, root
from server.database import Database, Prepared, connection_of, table
from server.ledger.cosignatures import best_cosigned, with_cosignatures
from server.ledger.guard import STOPPED_BY, Guard, StoppedBy
from server.ledger.keys import Keys, LedgerKeys
from server.ledger.marker import Marker
from server.ledger.models import Deposit, LedgerEntry, LedgerNode, SignedCheckpoint
from server.ledger.nodes import Nodes, compute, frontier, read_nodes, reader
from server.ports import Clock, Steps
from server.problems import Refusal

T = TypeVar("T")
_log = logging.getLogger("temoin.server")

MOST_AT_ONCE = 64
"""Works in one transaction, so that the first of a long queue is not kept waiting by the last."""


_ADD_CHECKPOINT = Prepared(insert(table(SignedCheckpoint)))
_ADD_DEPOSITS = Prepared(insert(table(Deposit)))
_ADD_ENTRIES = Prepared(insert(table(LedgerEntry)))
_ADD_NODES = Prepared(insert(table(LedgerNode)))
_NEWEST = (
    select(SignedCheckpoint.size, SignedCheckpoint.time, SignedCheckpoint.note)
    .order_by(SignedCheckpoint.size.desc())
    .limit(1)
)
_STOPPED = STOPPED_BY.subquery()
_NEWEST_AND_STOPPED_BY = Prepared(
    _NEWEST.add_columns(_STOPPED.c.name, _STOPPED.c.trouble).outerjoin(_STOPPED, true())
)
"""All that a transaction has to know before it grows the tree."""


class Signed(NamedTuple):
    """A checkpoint: the signed note over the tree of `size` entries, and when that was."""

    size: int
    time: int
    note: str


class LedgerExists(Exception):
    """A ledger is made once."""


@dataclass
class Deposited:
    """One deposit of the work that entered it; `receipt` is there once `commit` has returned."""

    index: int
    commitment: Commitment
    receipt: str = ""

    @property
    def time(self) -> int:
        return self.commitment.time


Enter = Callable[[list[tuple[bytes, int]]], list[Deposited]]
"""Pairs of SHA-256 and size in bytes → their deposits, at the next free indexes."""
Work = Callable[[Session, Enter], T]


@dataclass
class _Growth:
    """What one transaction adds to the tree of `size` entries."""

    connection: Connection
    size: int
    time: int
    nodes: Nodes
    keys: Callable[[], Keys]
    """Those that sign. Raises Refusal where the ledger may not grow; a work that enters nothing doesn't ask."""
    deposits: list[Deposited] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    note: str = ""

    def enter(self, things: list[tuple[bytes, int]]) -> list[Deposited]:
        """Draws the nonces and writes the rows, in whatever savepoint the transaction is."""
        if things:
            self.keys()
        start = self.new_size
        commitments = [Commitment(make_bytes(NONCE_SIZE), self.time, size, sha256) for sha256, size in things]
        entered = [Deposited(start + offset, commitment) for offset, commitment in enumerate(commitments)]
        if entered:
            entries = [entry_bytes(commitment) for commitment in commitments]
            rows = [{"index": one.index, "entry": entry} for one, entry in zip(entered, entries, strict=True)]
            _ADD_ENTRIES.run_each(self.connection, rows)
            made = [{"index": one.index, **vars(one.commitment)} for one in entered]
            _ADD_DEPOSITS.run_each(self.connection, made)
            self.deposits += entered
            self.leaves += map(hash_leaf, entries)
        return entered

    def drop_from(self, count: int) -> None:
        """Takes back what was entered after the first `count` deposits."""
        del self.deposits[count:], self.leaves[count:]

    @property
    def new_size(self) -> int:
        return self.size + len(self.deposits)


@dataclass
class _Pending(Generic[T]):
    """A work in the queue, and what became of it."""

    work: Work[T]
    result: T = field(init=False)
    deposits: list[Deposited] = field(default_factory=list)
    growth: _Growth | None = None
    """Set once the transaction that it ran in is durable."""
    failure: BaseException | None = None

    @property
    def is_settled(self) -> bool:
        return self.growth is not None or self.failure is not None

    def run(self, session: Session, growth: _Growth) -> None:
        """Runs as the only work of a transaction, which ends with whatever it raises."""
        self.result = self.work(session, growth.enter)
        session.flush()
        self.deposits = growth.deposits[:]

    def run_among_others(self, session: Session, growth: _Growth) -> None:
        """Runs in a savepoint: a work that raises leaves no row and no entry, and does not disturb the others.

        A fault of the database is nobody's own: it is raised, and ends the transaction for all.
        """
        before = len(growth.deposits)
        savepoint = growth.connection.begin_nested()
        try:
            self.result = self.work(session, growth.enter)
            session.flush()
            savepoint.commit()
            self.deposits = growth.deposits[before:]
        except DBAPIError:
            raise
        except Exception as failure:
            savepoint.rollback()
            growth.drop_from(before)
            self.failure = failure
        session.expunge_all()  # the next work reads for itself


class Ledger:
    """The one ledger of a vault. `origin` is its name, in every checkpoint; `keys` sign them."""

    def __init__(
        self, database: Database, keys: LedgerKeys, clock: Clock, steps: Steps, origin: str, marker: Marker
    ) -> None:
        self.database = database
        self.keys = keys
        self.origin = origin
        self.guard = Guard(keys, marker)
        self._clock = clock
        self._steps = steps
        self._queue: deque[_Pending[Any]] = deque()
        self._lead = Lock()
        self._frontier: tuple[int, Nodes] = (0, {})

    @property
    def signer(self) -> SignerKey:
        """The newest of the keys that sign."""
        return self.keys.shown().newest

    def create(self) -> None:
        """Signs the empty tree. Raises LedgerExists if there is a ledger already."""
        with self.database.write() as session:
            if session.execute(select(SignedCheckpoint.size).limit(1)).first():
                raise LedgerExists()
            self._sign(_Growth(connection_of(session), 0, self._clock.now(), {}, self.keys.look))

    def commit(self, work: Work[T]) -> T:
        """Runs `work(session, enter)` in a transaction; returns its result once all of it is durable and covered by
        a signed checkpoint. What `work` raises undoes the work and is raised here.

        Another thread may run it: no request, no application context. It must not call the ledger again.
        A work that enters nothing signs nothing, and still shares its sync to disk with whoever waits.
        """
        mine: _Pending[T] = _Pending(work)
        self._queue.append(mine)
        with self._lead:
            while not mine.is_settled:
                self._run_waiting()
        if mine.growth is None:
            raise mine.failure or RuntimeError("settled without an outcome")
        for deposit in mine.deposits:
            proof = inclusion_proof(deposit.index, mine.growth.new_size, reader(mine.growth.nodes))
            deposit.receipt = _format(deposit.commitment, deposit.index, proof, mine.growth.note)
        return mine.result

    def newest(self, session: Session) -> Signed:
        """The newest checkpoint. Raises Refusal `unavailable` if there is no ledger."""
        return _first(session, _NEWEST)

    def signed(self, session: Session, size: int) -> Signed:
        """The checkpoint of this size. Raises Refusal `not_found`."""
        found = session.get(SignedCheckpoint, size)
        if found is None:
            raise Refusal("not_found")
        return Signed(found.size, found.time, found.note)

    def public(self, session: Session, interval: int) -> Signed:
        """The checkpoint that everybody may see: it moves every `interval` seconds, so that who asks again and again
        does not see each deposit; with 0 it is the newest."""
        if not interval:
            return self.newest(session)
        now = self._clock.now()
        settled = (SignedCheckpoint.time < now - now % interval) | (SignedCheckpoint.size == 0)
        settled |= SignedCheckpoint.time > now  # the clock was set back: nobody waits until it has caught up
        return _first(session, _NEWEST.where(settled))

    def receipt(self, session: Session, index: int) -> Deposited:
        """The deposit at `index`, its receipt under the checkpoint that proves most (`best_cosigned`), the newest where
        no witness has cosigned one yet. Raises Refusal `not_found`."""
        row = session.get(Deposit, index)
        if row is None:
            raise Refusal("not_found")
        cosigned = best_cosigned(session, index)
        chosen = self.newest(session) if cosigned is None else self.signed(session, cosigned)
        proof = self.inclusion(session, index, chosen.size)
        commitment = Commitment(row.nonce, row.time, row.size, row.sha256)
        note = with_cosignatures(session, chosen.size, chosen.note)
        return Deposited(index, commitment, _format(commitment, index, proof, note))

    def forget(self, session: Session, indexes: list[int]) -> None:
        """Cuts these entries loose from what was deposited: nobody can make their receipts any more."""
        session.execute(delete(Deposit).where(Deposit.index.in_(indexes)))

    def inclusion(self, session: Session, index: int, size: int) -> list[bytes]:
        """RFC 6962 proof that the tree of `size` entries has the one at `index`; size at most the newest's."""
        return compute(session, lambda read: inclusion_proof(index, size, read))

    def consistency(self, session: Session, old: int, new: int) -> list[bytes]:
        """RFC 6962 proof that the tree of `new` entries begins with that of `old`; new at most the newest's."""
        return compute(session, lambda read: consistency_proof(old, new, read))

    def _run_waiting(self) -> None:
        """One transaction, by the thread that leads, for all that wait once it is its turn; where its turn does not
        come, that is the end for those who waited from the beginning."""
        batch: list[_Pending[Any]] = []
        waiting = len(self._queue)
        try:
            with self.database.write() as session:
                batch = self._take(len(self._queue))
                growth = self._start(session)
                if len(batch) == 1:
                    batch[0].run(session, growth)
                else:
                    session.connection()  # it joins the transaction of all, not the savepoint of whoever is first
                    for pending in batch:
                        pending.run_among_others(session, growth)
                if growth.deposits:
                    self._append(growth)
                self._steps.reach("ledger.commit.before")
        except BaseException as failure:
            for pending in batch or self._take(waiting):
                pending.failure = pending.failure or failure
            if not isinstance(failure, Exception):
                raise
            return
        self._frontier = (growth.new_size, {place: growth.nodes[place] for place in frontier(growth.new_size)})
        try:
            self._steps.reach("ledger.commit.after")
        finally:
            for pending in batch:
                if pending.failure is None:
                    pending.growth = growth

    def _take(self, number: int) -> list[_Pending[Any]]:
        return [self._queue.popleft() for _ in range(min(number, MOST_AT_ONCE))]

    def _start(self, session: Session) -> _Growth:
        found = _NEWEST_AND_STOPPED_BY.rows(connection_of(session))
        if not found:
            raise Refusal("unavailable")
        *signed, name, trouble = found[0]
        newest = Signed(*signed)
        size, nodes = self._frontier
        if size != newest.size:  # another process has written
            nodes = read_nodes(session, frontier(newest.size))
        time = max(newest.time, self._clock.now())
        stopped_by = None if name is None else (name, trouble)
        keys = self._keys_once(session, newest, size, stopped_by)
        return _Growth(connection_of(session), newest.size, time, dict(nodes), keys)

    def _keys_once(
        self, session: Session, newest: Signed, known: int, stopped_by: StoppedBy
    ) -> Callable[[], Keys]:
        """Asks the guard when the first of a transaction wants to enter something; what it says holds until the end of
        the transaction, whose lock keeps keys and witnesses as they are. Raises Refusal `ledger_stopped`."""
        asked: list[Keys | Refusal] = []

        def keys() -> Keys:
            if not asked:
                asked.append(self._keys(session, newest, known, stopped_by))
            if isinstance(asked[0], Refusal):
                raise asked[0]
            return asked[0]

        return keys

    def _keys(
        self, session: Session, newest: Signed, known: int, stopped_by: StoppedBy
    ) -> Keys | Refusal:
        try:
            return self.guard.require(session, newest.note, newest.size, known, stopped_by)
        except TemoinError as reason:
            _log.error("the ledger does not sign: %s", reason.code)
            return Refusal("ledger_stopped")

    def _append(self, growth: _Growth) -> None:
        added = new_nodes(growth.size, growth.leaves, reader(growth.nodes))
        growth.nodes.update({(level, index): value for level, index, value in added})
        rows = [{"level": level, "index": index, "hash": value} for level, index, value in added]
        _ADD_NODES.run_each(growth.connection, rows)
        self._steps.reach("ledger.nodes")
        self._sign(growth)

    def _sign(self, growth: _Growth) -> None:
        size = growth.new_size
        checkpoint = Checkpoint(self.origin, size, root(size, reader(growth.nodes)))
        growth.note = growth.keys().sign(format_checkpoint(checkpoint))
        self._steps.reach("ledger.sign")
        _ADD_CHECKPOINT.run(growth.connection, size=size, time=growth.time, note=growth.note)


def _first(session: Session, query: Select[int, int, str]) -> Signed:
    found = connection_of(session).execute(query).first()
    if found is None:
        raise Refusal("unavailable")
    return Signed(*found)


def _format(commitment: Commitment, index: int, proof: list[bytes], note: str) -> str:
    return format_receipt(Receipt(commitment.extra, index, tuple(proof), note)).decode()
