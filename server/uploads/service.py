"""Uploads: a large blob that arrives in units, in any order, over a network that breaks.

Knows: protocol §5: which units are there, what completing checks, when an upload is given up.
Refuses to know: HTTP; what the bytes are; whether an `account` is one or the holder of a box (server.boxes).

The row of a unit is written after its bytes were synced, and only rows count: a body cut in the middle, or a crash,
leaves bytes that nobody believes. The whole is hashed when it is completed, and if that goes wrong, unit by unit,
so that a unit which the disk lost is asked for again.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256 as sha256_of
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, literal, select, union_all, update
from sqlalchemy.orm import Session

from schemas import limits
from server.boxes.space import give_space_back, take_space
from server.database import connection_of, table
from server.ledger.service import Deposited, Enter
from server.parts import Parts
from server.problems import Refusal
from server.stores import NotStaged
from server.uploads.checking import LEASE, signs_of_life
from server.uploads.kept import answer, find_same, insert_blob, require_free, sweep
from server.uploads.models import Blob, Leftover, Upload, UploadUnit

AGAIN = 2
"""Seconds after which whoever was told that a whole is being checked may ask how it ended."""

_WRITTEN = ("upload_incomplete", "not_found", "blob_conflict")
"""Refusals of a check that the rows it left tell of, too, for as long as they are true."""
_ADD_UNITS = insert(table(UploadUnit))
_STANDING = union_all(
    *(
        select(one.size, literal(one is Blob)).where(one.blob == bindparam("id"), one.account == bindparam("account"))
        for one in (Blob, Upload)
    )
)
_UNITS = (
    select(UploadUnit.unit, UploadUnit.sha256)
    .where(UploadUnit.blob == bindparam("id"), UploadUnit.unit.between(bindparam("first"), bindparam("last")))
    .order_by(UploadUnit.unit)
)


def start_upload(vault: Parts, account: bytes, blob: bytes, size: int) -> dict[str, Any]:
    """Announces a blob, as schemas.uploads.Upload; again with the same size it says how far it has come.

    Raises Refusal `blob_conflict` or `quota_full`.
    """

    def work(session: Session, _enter: Enter) -> dict[str, Any]:
        known = session.get(Blob, blob) or session.get(Upload, blob)
        if known is None:
            require_free(session, blob)
            take_space(session, account, size, vault.config.quota)
            session.add(Upload(blob=blob, account=account, size=size, started=vault.clock.now()))
            return _state(blob, size, {}, False)
        if (known.account, known.size) != (account, size):
            raise Refusal("blob_conflict")
        return _state(blob, size, _units(session, blob), isinstance(known, Blob))

    return vault.ledger.commit(work)


def read_upload(vault: Parts, account: bytes, blob: bytes) -> dict[str, Any]:
    """As schemas.uploads.Upload, with all units that are there. Raises Refusal `not_found`."""
    with vault.database.read() as session:
        known = session.get(Blob, blob) or session.get(Upload, blob)
        if known is None or known.account != account:
            raise Refusal("not_found")
        return _state(blob, known.size, _units(session, blob), isinstance(known, Blob))


def put_units(
    vault: Parts, account: bytes, blob: bytes, first: int, length: int, pieces: Iterator[bytes],
    announced: Sequence[bytes] | None = None,
) -> dict[str, Any]:
    """Stages the whole units that `pieces` (`length` bytes, counted by whoever reads them) consist of.

    `announced`: the SHA-256 that each unit must have; without it, whoever reads `pieces` checks them. The answer, as
    schemas.uploads.Upload, names the units of this request alone. A unit that is there already is only compared.

    Raises Refusal `not_found`, `upload_complete`, `unit_invalid`, `digest_mismatch`, `blob_conflict`, `storage_full`,
    and what `pieces` raises; nothing is kept of the request then.
    """
    with vault.database.read() as session:
        size = _require_open(session, account, blob)
        span = unit_span(first, length, size)
        known = _units(session, blob, span)
    if announced is not None and len(announced) != len(span):
        raise Refusal("digest_mismatch")
    body = _Body(vault, pieces, size, dict(zip(span, announced or ())))
    try:
        for is_known, run in groupby(span, known.__contains__):
            body.take(blob, list(run), is_known)
        body.end()
    except Exception:
        _drop_stray(vault, blob)
        raise
    vault.steps.reach("unit.synced")
    _require_same(known, body.hashes)
    if len(known) < len(span):
        _record(vault, account, blob, body.hashes)
    return _state(blob, size, body.hashes, False)


def complete(vault: Parts, account: bytes, blob: bytes, sha256: bytes) -> dict[str, Any]:
    """Checks the whole and keeps it, as schemas.uploads.KeptBlob; idempotent, also side by side.

    Raises Refusal `not_found`, `upload_incomplete`, `upload_mismatch`, `blob_conflict`, `storage_full`; or
    `upload_checking`, where that takes longer than a request waits: it goes on, and to ask again is all that is needed.
    """
    with vault.database.read() as session:
        kept = session.get(Blob, blob)
        if kept is not None:
            return _complete_again(vault, account, kept, sha256)
        upload = _find(session, account, blob)
        count = session.scalar(select(func.count()).where(UploadUnit.blob == blob))
    if count != limits.unit_count(upload.size):
        raise Refusal("upload_incomplete")
    name = account, blob, sha256
    answered = None
    if vault.checks.is_running(name) or not _is_checked_elsewhere(vault, upload):
        answered = vault.checks.result(
            name, lambda: _check_and_keep(vault, account, blob, upload.size, sha256), written=_WRITTEN
        )
    if answered is None:
        raise Refusal("upload_checking", retry_after=AGAIN)
    return answered


def _check_and_keep(vault: Parts, account: bytes, blob: bytes, size: int, sha256: bytes) -> dict[str, Any]:
    """The rest of completing, however long the store takes for it."""
    with vault.database.read() as session:
        if find_same(session, account, blob, size, sha256):  # by a check that ended after whoever asks had looked
            return answer(vault, account, blob, None)

    def work(session: Session, enter: Enter) -> Deposited | None:
        if find_same(session, account, blob, size, sha256):
            return None
        session.delete(_find(session, account, blob))
        session.flush()
        return insert_blob(vault, session, enter, account, blob, size, sha256, None)

    with signs_of_life(lambda is_alive: _note_checking(vault, blob, is_alive)):
        _finish(vault, blob, size, sha256)
        vault.steps.reach("complete.renamed")
        try:
            deposit = vault.ledger.commit(work)
        except Refusal:
            _drop_stray(vault, blob)
            raise
    return answer(vault, account, blob, deposit)


def give_up(vault: Parts, account: bytes, blob: bytes) -> None:
    """Drops an upload and what has arrived of it. Raises Refusal `not_found` or `upload_complete`."""

    def work(session: Session, _enter: Enter) -> None:
        _drop(session, _find(session, account, blob))

    vault.ledger.commit(work)
    sweep(vault)


def drop_uploads(session: Session, account: bytes) -> None:
    """Drops all that are on their way for an account, or a box's holder. The caller has to `sweep`."""
    for upload in session.scalars(select(Upload).where(Upload.account == account)):
        _drop(session, upload)


def collect(vault: Parts) -> None:
    """Drops the uploads that were announced too long ago, and what is left in the store of anything dropped, or of what
    came too late for it."""
    last = vault.clock.now() - vault.config.upload_age

    def work(session: Session, _enter: Enter) -> None:
        for upload in session.scalars(select(Upload).where(Upload.started <= last)):
            _drop(session, upload)

    vault.ledger.commit(work)
    sweep(vault)
    for blob in vault.store.staging():  # a server that was killed could not see to them
        _drop_stray(vault, blob)


def unit_span(first: int, length: int, size: int) -> range:
    """The consecutive whole units from `first` on that have `length` bytes in a blob of `size` bytes.

    Raises Refusal `unit_invalid` if there are none such, or more than one request may bring.
    """
    count = limits.unit_count(size)
    if first < count:
        start = limits.unit_range(first, size)[0]
        for stop in range(first + 1, min(count, first + limits.UNITS_PER_PUT) + 1):
            if limits.unit_range(stop - 1, size)[1] - start == length:
                return range(first, stop)
    raise Refusal("unit_invalid")


class _Body:
    """Cuts a body at the borders of its units; `hashes` has the SHA-256 of each that went by."""

    def __init__(self, vault: Parts, pieces: Iterator[bytes], size: int, announced: dict[int, bytes]) -> None:
        self.hashes: dict[int, bytes] = {}
        self._announced = announced
        self._vault = vault
        self._pieces = pieces
        self._size = size
        self._rest = b""

    def take(self, blob: bytes, units: list[int], is_known: bool) -> None:
        """Stages the next units, or only hashes them."""
        stream = (piece for unit in units for piece in self._unit(unit))
        if is_known:
            for _ in stream:
                pass
        else:
            start, stop = limits.unit_range(units[0], self._size)[0], limits.unit_range(units[-1], self._size)[1]
            self._vault.store.stage(blob, start, stop - start, self._until_written(stream))

    def end(self) -> None:
        """Lets the reader of the body make its last checks. Raises what they raise."""
        for _ in self._pieces:
            raise Refusal("unit_invalid")

    def _until_written(self, stream: Iterator[bytes]) -> Iterator[bytes]:
        yield from stream
        self._vault.steps.reach("unit.written")

    def _unit(self, unit: int) -> Iterator[bytes]:
        start, stop = limits.unit_range(unit, self._size)
        seen, missing = sha256_of(), stop - start
        while missing:
            piece = self._rest or next(self._pieces, b"")
            if not piece:
                raise Refusal("body_incomplete")
            piece, self._rest = piece[:missing], piece[missing:]
            seen.update(piece)
            missing -= len(piece)
            yield piece
        self.hashes[unit] = digest = seen.digest()
        if not hmac.compare_digest(digest, self._announced.get(unit, digest)):
            raise Refusal("digest_mismatch")


def _record(vault: Parts, account: bytes, blob: bytes, hashes: dict[int, bytes]) -> None:
    """The rows that make staged units be there; those that came meanwhile have to be the same."""

    def work(session: Session, _enter: Enter) -> None:
        _require_open(session, account, blob)
        known = _units(session, blob, hashes)
        _require_same(known, hashes)
        fresh = [{"blob": blob, "unit": unit, "sha256": hashes[unit]} for unit in hashes if unit not in known]
        if fresh:
            connection_of(session).execute(_ADD_UNITS, fresh)
        vault.steps.reach("unit.recorded")

    try:
        vault.ledger.commit(work)
    except Refusal:
        _drop_stray(vault, blob)
        raise


def _is_checked_elsewhere(vault: Parts, upload: Upload) -> bool:
    """Whether another process has said lately that it is at it: a second one would read all of it beside the first."""
    return upload.checking is not None and abs(vault.clock.now() - upload.checking) < LEASE


def _note_checking(vault: Parts, blob: bytes, is_alive: bool) -> None:
    """Tells the other processes. Never raises a Refusal: what can't be told costs them no more than time."""
    with suppress(Refusal), vault.database.write() as session:
        now = vault.clock.now() if is_alive else None
        session.execute(update(Upload).where(Upload.blob == blob).values(checking=now))


def _finish(vault: Parts, blob: bytes, size: int, sha256: bytes) -> None:
    def check(digest: bytes) -> None:
        vault.steps.reach("complete.hashed")
        if digest != sha256:
            raise Refusal("upload_mismatch")

    try:
        vault.store.finish(blob, size, check)
    except NotStaged:
        _look_again(vault, blob, size)
        raise Refusal("upload_incomplete") from None
    except Refusal as refusal:
        if refusal.code != "upload_mismatch":
            raise
        whole = _look_again(vault, blob, size)
        if whole == sha256:  # a unit that was damaged has come again meanwhile
            raise Refusal("unavailable") from None
        if whole is None and vault.store.size(blob) is None:
            raise Refusal("upload_incomplete") from None
        raise


def _look_again(vault: Parts, blob: bytes, size: int) -> bytes | None:
    """Forgets the units whose staged bytes are not those that arrived, so that they are sent again. The SHA-256 of the
    whole; None if a unit is missing."""
    with vault.database.read() as session:
        known = _units(session, blob)
    damaged, all_seen = [], sha256_of()
    for unit, expected in known.items():
        seen = sha256_of()
        for piece in vault.store.staged(blob, *limits.unit_range(unit, size)):
            seen.update(piece)
            all_seen.update(piece)
        if seen.digest() != expected:
            damaged.append(unit)
    if vault.store.size(blob) is not None:  # somebody kept the whole meanwhile, and may die before the vault knows
        return None

    def work(session: Session, _enter: Enter) -> None:
        for unit in damaged:
            session.execute(delete(UploadUnit).where(UploadUnit.blob == blob, UploadUnit.unit == unit))

    vault.ledger.commit(work)
    return None if damaged or len(known) < limits.unit_count(size) else all_seen.digest()


def _complete_again(vault: Parts, account: bytes, kept: Blob, sha256: bytes) -> dict[str, Any]:
    if kept.account != account:
        raise Refusal("not_found")
    if kept.sha256 != sha256:
        raise Refusal("blob_conflict")
    return answer(vault, account, kept.blob, None)


def _drop(session: Session, upload: Upload) -> None:
    give_space_back(session, upload.account, upload.size)
    session.merge(Leftover(blob=upload.blob))
    session.delete(upload)


def _drop_stray(vault: Parts, blob: bytes) -> None:
    """After bytes that nobody will speak of: where they came too late for their upload they go, unless another upload
    of that name has begun. Never raises a Refusal: whoever calls has one to tell."""

    def work(session: Session, _enter: Enter) -> None:
        if session.get(Blob, blob) is not None:
            vault.store.discard(blob)
        elif session.get(Upload, blob) is None:
            session.merge(Leftover(blob=blob))

    with suppress(Refusal):
        with vault.database.read() as session:
            if session.get(Upload, blob) is not None:
                return
        vault.ledger.commit(work)
        sweep(vault)


def _find(session: Session, account: bytes, blob: bytes) -> Upload:
    """The account's own upload, to be dropped. Raises Refusal `upload_complete` or `not_found`."""
    _require_open(session, account, blob)
    return session.get_one(Upload, blob)


def _require_open(session: Session, account: bytes, blob: bytes) -> int:
    """The size of the account's own upload. Raises Refusal `upload_complete` or `not_found`."""
    found = connection_of(session).execute(_STANDING, {"id": blob, "account": account}).first()
    if found is None:
        raise Refusal("not_found")
    size, is_kept = found
    if is_kept:
        raise Refusal("upload_complete")
    return int(size)


def _units(session: Session, blob: bytes, among: range | dict[int, bytes] | None = None) -> dict[int, bytes]:
    """The units that are there, in order, with their hashes; all of them, or those in a contiguous span."""
    first, last = (0, limits.U32) if among is None else (min(among), max(among))
    rows = connection_of(session).execute(_UNITS, {"id": blob, "first": first, "last": last})
    return {unit: digest for unit, digest in rows}


def _require_same(known: dict[int, bytes], hashes: dict[int, bytes]) -> None:
    if any(hashes[unit] != digest for unit, digest in known.items()):
        raise Refusal("blob_conflict")


def _state(blob: bytes, size: int, units: dict[int, bytes], is_complete: bool) -> dict[str, Any]:
    return {
        "blob": blob,
        "size": size,
        "units": [{"unit": unit, "sha256": digest} for unit, digest in units.items()],
        "complete": is_complete,
    }
