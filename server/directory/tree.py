"""The directory's tree: grows by one entry, signs, and is read as tiles.

Knows: c2sp.org/tlog-tiles over entries of any length, the directory's key, and the marker outside the database.
Refuses to know: what an entry says, and who may add one. It is small and written by the operator's command alone, so
nodes are hashed anew from the entries whenever they are wanted, and the newest checkpoint is everybody's.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crypto_core.encoding import u64
from crypto_core.errors import CryptoCoreError, TemoinError
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from crypto_core.receipts.merkle import hash_leaf
from crypto_core.receipts.note import open_note, sign_note
from crypto_core.receipts.tiles import HEIGHT, WIDTH, subtree_root
from crypto_core.receipts.tree import new_nodes, root
from server.directory.models import DirectoryCheckpoint, DirectoryCosignature, DirectoryEntry, DirectoryWitness
from server.journal.service import note
from server.ledger.cosignatures import is_cosigned
from server.ledger.marker import Marker, MarkerDamaged
from server.ledger.nodes import reader
from server.ledger.publication import publish_tile
from server.parts import Parts
from server.problems import Refusal

MARKER = "directory.mark"


class DirectoryRefuses(TemoinError):
    """Why nothing is added to the directory. `detail` has numbers alone."""


class DirectoryWentBackwards(DirectoryRefuses):
    code = "directory_went_backwards"
    sentence = (
        "The database holds an older directory than this vault has signed before, as if an old copy had been put back. "
        "Put the newest copy of the database back; the file directory.mark is the checkpoint that it has to reach."
    )


class DirectoryDiverged(DirectoryRefuses):
    code = "directory_diverged"
    sentence = (
        "The database holds another directory than this vault has signed before, or its key is another one. Put the "
        "right copy of the database and of directory.key back, and keep the file directory.mark."
    )


class DirectoryMarkerDamaged(DirectoryRefuses):
    code = "directory_marker_damaged"
    sentence = (
        "The file directory.mark can't be read, or is not signed by the directory's key. If you are sure that the "
        "database is the newest there is, remove this one file; the vault makes it anew."
    )


class DirectoryBehindWitness(DirectoryRefuses):
    code = "directory_behind_witness"
    sentence = (
        "A witness knows a larger directory than this one: an old copy of the database was put back, or the witness is "
        "wrong. Put the newest copy back; or, if you are sure of yours, `temoin-server witnesses remove` it."
    )


class DirectoryDisputed(DirectoryRefuses):
    code = "directory_disputed"
    sentence = (
        "A witness says that the directory does not continue what it has seen. Ask its keeper for the two notes, and "
        "put the right copy of the database back; or, if you are sure of yours, `temoin-server witnesses remove` it."
    )


_STOPPING = {one.code: one for one in (DirectoryBehindWitness, DirectoryDisputed)}


class Tree:
    """The nodes over some leaf hashes."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.size = len(leaves)
        self._nodes = {(level, index): value for level, index, value in new_nodes(0, leaves, reader({}))}

    def read(self, level: int, index: int) -> bytes:
        """A node of it. KeyError for any other."""
        return self._nodes[level, index]

    def root(self, size: int) -> bytes:
        """Of the first `size` leaves, of which there are enough."""
        return root(size, self.read)


def begin_directory(vault: Parts) -> None:
    """Signs the empty tree of a vault that has no directory yet, and writes the marker if it is behind.

    Raises a DirectoryRefuses if a marker says that there was one.
    """
    with vault.database.write() as session:
        if session.scalar(select(func.count()).select_from(DirectoryCheckpoint)) == 0:
            empty = Tree([])
            _require_marked(vault, empty)
            _sign(vault, session, empty)
    mark(vault)


def append(vault: Parts, session: Session, entry: bytes) -> int:
    """Adds an entry and signs the tree that has it; its index. The caller has to `mark` once that is durable.

    Raises a DirectoryRefuses, and ValueError for an entry longer than a bundle can hold (65,535 bytes).
    """
    if len(entry) > 0xFFFF:
        raise ValueError("an entry of up to 65,535 bytes")
    known = leaves(session)
    tree, signed = Tree(known), newest(session)
    _require_marked(vault, tree)
    if signed.size != tree.size or not _is_signed(vault, signed, tree):
        raise DirectoryDiverged(f"at {tree.size} entries")
    _require_undisputed(session)
    session.add(DirectoryEntry(index=tree.size, entry=entry))
    _sign(vault, session, Tree([*known, hash_leaf(entry)]))
    note(session, "entry", u64(tree.size))
    return tree.size


def mark(vault: Parts) -> None:
    """Writes the newest checkpoint beside the database. Raises a DirectoryRefuses if that is no continuation.

    Under the database's write lock, though it writes nothing there: several commands take turns at the file.
    """
    with vault.database.write() as session:
        found, tree = newest(session), Tree(leaves(session))
        _require_marked(vault, tree)
        _marker(vault).keep(found.size, found.note)


def newest(session: Session) -> DirectoryCheckpoint:
    """The newest checkpoint. Raises Refusal `unavailable` if there is no directory."""
    found = session.scalar(select(DirectoryCheckpoint).order_by(DirectoryCheckpoint.size.desc()).limit(1))
    if found is None:
        raise Refusal("unavailable")
    return found


def read_tile(session: Session, path: str) -> bytes:
    """The bytes at `tile/…` in the newest tree, `path` being what follows; Refusal `not_found` if none."""
    size = newest(session).size
    return publish_tile(path, size, partial(_read_entries, session), partial(_read_hashes, session))


def check_directory(vault: Parts, session: Session) -> list[str]:
    """One sentence for each thing that is wrong: every entry, every checkpoint and cosignature, and the marker."""
    indexes = session.scalars(select(DirectoryEntry.index).order_by(DirectoryEntry.index)).all()
    if list(indexes) != list(range(len(indexes))):
        return ["an entry of the directory is missing"]
    tree, problems = Tree(leaves(session)), list[str]()
    checkpoints = session.scalars(select(DirectoryCheckpoint).order_by(DirectoryCheckpoint.size)).all()
    for one in checkpoints:
        if one.size > tree.size or not _is_signed(vault, one, tree):
            problems.append(f"the directory's checkpoint of {one.size} entries is not that of its entries")
    if [one.size for one in checkpoints] != list(range(tree.size + 1)):
        problems.append("a checkpoint of the directory is missing")
    if any(later.time < earlier.time for earlier, later in pairwise(checkpoints)):
        problems.append("a checkpoint of the directory is older than a smaller one")
    texts = {one.size: one.note.rpartition("\n\n")[0] + "\n" for one in checkpoints}
    for kept in session.scalars(select(DirectoryCosignature).order_by(DirectoryCosignature.size)):
        if not is_cosigned(texts.get(kept.size, ""), kept.line, kept.vkey, kept.time):
            name = kept.vkey.partition("+")[0]
            problems.append(f"a cosignature by {name} under {kept.size} entries of the directory does not verify")
    try:
        _require_marked(vault, tree)
        _require_undisputed(session)
    except DirectoryRefuses as reason:
        problems.append(f"{reason.code}: {reason.detail or reason.sentence}")
    return problems


def _sign(vault: Parts, session: Session, tree: Tree) -> None:
    signer = vault.folder.directory_signer
    last = session.scalar(select(func.max(DirectoryCheckpoint.time))) or 0
    note = sign_note(format_checkpoint(Checkpoint(signer.name, tree.size, tree.root(tree.size))), signer)
    session.add(DirectoryCheckpoint(size=tree.size, time=max(last, vault.clock.now()), note=note))
    session.flush()


def _is_signed(vault: Parts, signed: DirectoryCheckpoint, tree: Tree) -> bool:
    """Whether this note is the directory's own, over the tree as it was at that size."""
    signer = vault.folder.directory_signer
    try:
        found = parse_checkpoint(open_note(signed.note.encode(), [signer.verifier]).text)
    except CryptoCoreError:
        return False
    return found == Checkpoint(signer.name, signed.size, tree.root(signed.size))


def _require_marked(vault: Parts, tree: Tree) -> None:
    """Raises a DirectoryRefuses unless the tree continues the one that was marked."""
    try:
        marked = _marker(vault).read(vault.folder.directory_signer.verifier)
    except MarkerDamaged:
        raise DirectoryMarkerDamaged() from None
    if marked is None:
        return
    if tree.size < marked.size:
        raise DirectoryWentBackwards(f"{tree.size} entries after {marked.size}")
    if tree.root(marked.size) != marked.root:
        raise DirectoryDiverged(f"at {marked.size} entries")


def _require_undisputed(session: Session) -> None:
    """Raises a DirectoryRefuses while a witness has seen what this directory doesn't continue."""
    query = select(DirectoryWitness).where(DirectoryWitness.trouble.in_(_STOPPING)).limit(1)
    if (found := session.scalar(query)) is not None:
        raise _STOPPING[found.trouble](found.name)


def _marker(vault: Parts) -> Marker:
    return Marker(vault.config.data, MARKER)


def leaves(session: Session, start: int = 0, stop: int | None = None) -> list[bytes]:
    """The leaf hashes of the entries [start, stop), or of all from `start` on."""
    query = select(DirectoryEntry.entry).where(DirectoryEntry.index >= start).order_by(DirectoryEntry.index)
    if stop is not None:
        query = query.where(DirectoryEntry.index < stop)
    return [hash_leaf(entry) for entry in session.scalars(query)]


def _read_entries(session: Session, index: int, width: int) -> Iterable[bytes]:
    start = index * WIDTH
    span = DirectoryEntry.index.between(start, start + width - 1)
    return session.scalars(select(DirectoryEntry.entry).where(span).order_by(DirectoryEntry.index))


def _read_hashes(session: Session, level: int, index: int, width: int) -> Iterable[bytes]:
    below = 1 << HEIGHT * level
    start = index * WIDTH * below
    found = leaves(session, start, start + width * below)
    return (subtree_root(found[at:at + below]) for at in range(0, len(found), below))
