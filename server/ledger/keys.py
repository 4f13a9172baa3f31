"""The keys that sign a ledger: the one that it has, and the one that is to follow, while both sign.

Knows: the key files and the records of rotations in the data folder, and that they may change while a vault runs.
Refuses to know: when a key may go, and what a database holds.

    ledger.key         the ledger's key
    ledger.next.key    the key that follows it, while both sign; in the end it is renamed to ledger.key
    ledger.rotations   the records, as they are published (docs/spec/rotation.md)

Each is replaced whole, and only under the database's write lock. Whoever signs holds that lock as well, and looks
there: so every process signs one checkpoint with the keys of the moment.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from crypto_core.encoding import format_b64url
from crypto_core.errors import CryptoCoreError, TemoinError
from crypto_core.randomness import make_bytes
from crypto_core.receipts.note import Note, SignerKey, format_note, format_vkey, sign
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.rotation import (
    MAX_ROTATIONS_SIZE,
    RotationChain,
    format_rotations,
    open_rotations,
    parse_rotations,
    rotate_policy,
)
from crypto_core.receipts.signatures import SEED_SIZE
from server.folder import LEDGER_KEY, read_signer, rename_file, replace_file

NEXT_KEY, ROTATIONS = "ledger.next.key", "ledger.rotations"
_WHAT = "the ledger key"
_WHAT_NEXT = "the next ledger key"


class LedgerRefuses(TemoinError):
    """Why nothing is signed. `detail` has numbers and the names that the operator gave to witnesses."""


class LedgerKeyReplaced(LedgerRefuses):
    code = "ledger_key_replaced"
    sentence = (
        "The ledger's key is not the one that signed the ledger so far, nor one that a record of a rotation leads to. "
        "Put the right ledger.key back, and ledger.rotations if there was one: receipts and witnesses hold on to the "
        "key, and another one would be another ledger."
    )


class LedgerRotationsDamaged(LedgerRefuses):
    code = "ledger_rotations_damaged"
    sentence = (
        "The file ledger.rotations can't be read, or its records do not hold. Put it back from a copy, or as the "
        "vault, a mirror or an auditor shows it under /ledger/rotations: it is public."
    )


@dataclass(frozen=True)
class Keys:
    """What signs at a moment. `signers`: the newest last; two of them while a rotation lasts."""

    signers: tuple[SignerKey, ...]
    chain: RotationChain

    @property
    def newest(self) -> SignerKey:
        """The key that clients are to know."""
        return self.signers[-1]

    @cached_property
    def policy(self) -> Policy:
        """Trust in every key that this ledger has had, as far as its records say. Nobody else's."""
        return rotate_policy(Policy.for_key(format_vkey(self.newest.verifier)), self.chain)

    def sign(self, text: str) -> str:
        """The note: the text under the signature of each."""
        return format_note(Note(text, tuple(sign(text, signer) for signer in self.signers)))


class LedgerKeys:
    """The key files of one folder. `first`: what `open_folder` found in ledger.key."""

    def __init__(self, folder: Path, first: SignerKey) -> None:
        self._key, self._next, self._rotations = (folder / name for name in (LEDGER_KEY, NEXT_KEY, ROTATIONS))
        self._origin = first.name
        self._known = Keys((first,), RotationChain())
        self._seen: tuple[object, ...] = ()

    def look(self) -> Keys:
        """The keys as the files are now, read again only if one of them was replaced; the same object if none was.

        Raises LedgerKeyReplaced, LedgerRotationsDamaged, or as `read_secret` does.
        """
        while (seen := self._states()) != self._seen:
            try:
                found = self._read()
            except TemoinError:
                if self._states() != seen:  # replaced meanwhile
                    continue
                raise
            self._known, self._seen = found, seen
        return self._known

    def shown(self) -> Keys:
        """The same for whoever only reads: where the files can't be, what could be read last."""
        try:
            return self.look()
        except TemoinError:
            return self._known

    def make_next(self) -> SignerKey:
        """The key that is to follow: a new one, or the one that an announcement left which was interrupted."""
        if not self._next.exists():
            replace_file(self._next, format_b64url(make_bytes(SEED_SIZE)) + "\n")
        return read_signer(self._next, self._origin, _WHAT_NEXT)

    def publish(self, record: str) -> None:
        """Adds a signed record: from now on the next key signs as well. Raises ValueError where the list is full."""
        records = format_rotations((*parse_rotations(self.look().chain.data), record))
        if len(records) > MAX_ROTATIONS_SIZE:
            raise ValueError("no room for another record")
        replace_file(self._rotations, records.decode())

    def let_go(self) -> None:
        """The next key takes the place of the old one, which is gone."""
        rename_file(self._next, self._key)

    def _read(self) -> Keys:
        try:
            chain = open_rotations(self._rotations.read_bytes() if self._rotations.exists() else b"")
        except CryptoCoreError as error:
            raise LedgerRotationsDamaged(error.detail or error.code) from None
        except OSError as error:
            raise LedgerRotationsDamaged(error.strerror or "") from None
        current = read_signer(self._key, self._origin, _WHAT)
        if not chain.rotations or chain.rotations[-1].new == current.verifier:
            return Keys((current,), chain)
        if not self._next.exists():  # the old key was put back
            raise LedgerKeyReplaced()
        following = read_signer(self._next, self._origin, _WHAT_NEXT)
        if (current.verifier, following.verifier) != (chain.rotations[-1].old, chain.rotations[-1].new):
            raise LedgerKeyReplaced()
        return Keys((current, following), chain)

    def _states(self) -> tuple[object, ...]:
        return tuple(_state(path) for path in (self._key, self._next, self._rotations))


def _state(path: Path) -> object:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
