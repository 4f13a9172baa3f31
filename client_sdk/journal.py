"""What a device writes down before the first byte of a file leaves, so that it may go on after any cut.

Knows: key, salt and the SHA-256 of each unit of an upload; sealed, and for a sensitive file the key under pk_S alone.
Refuses to know: sockets, and the file's path (a salted hash tells whether it is the same one).

Nonces follow from key and salt: what was sealed once under them may be sealed again only if it is the very same.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from client_sdk.home import AccountHome, make_folder, read_file, sync_folder, write_file
from crypto_core.encoding import HASH_SIZE, format_b64url, format_json, is_number, parse_b64url, parse_json, u64
from crypto_core.errors import CryptoCoreError, MalformedError
from crypto_core.randomness import make_bytes, make_id
from crypto_core.sealing.envelope import SALT_SIZE
from crypto_core.sealing.keyring import RECORD_WRAP_SIZE, Keyring, NeedsPin, unwrap_record_key, wrap_record_key
from crypto_core.sealing.records import make_content_key, open_device_state, seal_device_state

_NAME = "upload"
_AGE = 30 * 86_400
"""Seconds after which a journal is of no use: the vault has collected its units long before."""


class JournalMismatch(Exception):
    """Other bytes than were journalled, or units on the vault that were not: this blob is abandoned, another begun."""


@dataclass(frozen=True)
class Source:
    """A file to send, as it was when it was looked at. Any difference later makes it another one."""

    path: Path = field(repr=False)
    size: int
    changed: int
    """Modification time in nanoseconds."""
    touched: int
    """When anything of it was changed, its rights and its name too, in nanoseconds: nobody can set it back."""

    def mark(self, salt: bytes) -> bytes:
        """32 bytes that are equal for the same file and salt, and tell nothing else."""
        place = os.fsencode(self.path.absolute())
        return sha256(salt + u64(self.size) + u64(self.changed % 2**64) + place).digest()


class Journal:
    """One upload's journal, held against other processes until closed."""

    def __init__(self, folder: Path, blob: bytes, key: bytes, salt: bytes, lock: int) -> None:
        self.blob, self.salt = blob, salt
        self.key = key
        self._folder, self._lock = folder, lock
        self._units = _load_units(folder / "units")
        self._fresh = bytearray()
        self.known = len(self._units)
        """How many units were journalled by an earlier run."""

    def note(self, number: int, digest: bytes) -> None:
        """The SHA-256 of a unit, in order. Raises JournalMismatch if another was journalled for it before."""
        if number < len(self._units):
            if self._units[number] != digest:
                raise JournalMismatch
            return
        self._units.append(digest)
        self._fresh += digest

    def sync(self) -> None:
        """On disk when this returns: called before the units leave."""
        if self._fresh:
            with open(self._folder / "units", "ab", opener=_private) as file:
                file.write(self._fresh)
                file.flush()
                os.fsync(file.fileno())
            self._fresh.clear()

    def close(self) -> None:
        """Lets other processes have it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def remove(self) -> None:
        """The file is kept, or was given up."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self.close()


class PassingJournal(Journal):
    """A journal that nobody reads later: what it was for goes on within one run, or is begun anew."""

    def __init__(self) -> None:
        self.blob, self.key, self.salt, self.known = make_id(), make_content_key(), make_bytes(SALT_SIZE), 0
        self._units, self._fresh = list[bytes](), bytearray()

    def sync(self) -> None:
        self._fresh.clear()

    def close(self) -> None:
        pass

    def remove(self) -> None:
        pass


class Journals:
    """The journals of one account on this device."""

    def __init__(self, home: AccountHome, keyring: Keyring) -> None:
        self._home, self._keyring = home, keyring

    def make(self, source: Source, sensitive: bool) -> Journal:
        """A new blob id, key and salt for a file, on disk when this returns. Raises OSError, leaving nothing behind."""
        blob, key, salt = make_id(), make_content_key(), make_bytes(SALT_SIZE)
        folder = self._home.uploads / blob.hex()
        make_folder(folder)
        facts = {
            "v": 1, "blob": format_b64url(blob), "salt": format_b64url(salt),
            "source": format_b64url(source.mark(salt)), "sensitive": sensitive,
            "key": format_b64url(wrap_record_key(self._keyring, blob, 1, key, sensitive)),
        }
        sealed = seal_device_state(self._keyring.mk_n, _NAME, self._keyring.account, format_json(facts))
        made = Journal(folder, blob, key, salt, _try_lock(folder))
        try:
            write_file(folder / "head", sealed)
            sync_folder(self._home.uploads)
        except BaseException:
            made.remove()
            raise
        return made

    def find(self, source: Source, sensitive: bool) -> Journal | None:
        """The journal of an upload of this very file that was cut, unless another process is at it.

        A sensitive one needs the sensitive tier: without the PIN its file is sent anew.
        """
        for folder, facts in self._folders():
            if facts is None or facts["sensitive"] is not sensitive or facts["source"] != source.mark(facts["salt"]):
                continue
            try:
                key, _ = unwrap_record_key(self._keyring, facts["blob"], 1, facts["key"])
            except NeedsPin:
                continue
            lock = _try_lock(folder)
            if lock >= 0:
                return Journal(folder, facts["blob"], key, facts["salt"], lock)
        return None

    def tidy(self, is_kept: Any) -> None:
        """Removes journals of blobs that `is_kept` says an item names, and those of long ago, with what was cut before
        it was a journal; but none that another process is at: this device's clock may be wrong.
        """
        for folder, facts in list(self._folders()):
            with suppress(FileNotFoundError):  # whoever was at it has removed it
                age = time.time() - folder.stat().st_mtime  # to take the lock may make a file in it
                if (lock := _try_lock(folder)) < 0:
                    continue
                try:
                    if age > _AGE or facts is not None and is_kept(facts["blob"]):
                        shutil.rmtree(folder, ignore_errors=True)
                finally:
                    os.close(lock)

    def _folders(self) -> Iterator[tuple[Path, dict[str, Any] | None]]:
        """Each folder with what its head says; None where none was written. One that can't be opened is left alone."""
        for folder in sorted(self._home.uploads.iterdir()) if self._home.uploads.exists() else []:
            sealed = read_file(folder / "head")
            if sealed is None:
                yield folder, None
                continue
            try:
                opened = open_device_state(self._keyring.mk_n, _NAME, self._keyring.account, sealed)
                facts = _parse_head(opened)
            except CryptoCoreError:
                continue
            if facts["blob"].hex() == folder.name:
                yield folder, facts


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _parse_head(data: bytes) -> dict[str, Any]:
    match parse_json(data):
        case {
            "v": version, "blob": str(blob), "salt": str(salt), "source": str(source), "sensitive": bool(sensitive),
            "key": str(key),
        } if is_number(version, 1):
            return {
                "blob": parse_b64url(blob, 16), "salt": parse_b64url(salt, SALT_SIZE), "sensitive": sensitive,
                "source": parse_b64url(source, HASH_SIZE), "key": parse_b64url(key, RECORD_WRAP_SIZE),
            }
        case _:
            raise MalformedError("not the head of a journal")


def _load_units(path: Path) -> list[bytes]:
    data = read_file(path) or b""
    whole = len(data) - len(data) % HASH_SIZE
    if whole != len(data):  # the last write was cut: its units never left
        os.truncate(path, whole)
    return [data[start : start + HASH_SIZE] for start in range(0, whole, HASH_SIZE)]


def _try_lock(folder: Path) -> int:
    """A descriptor that holds the folder, or −1 if another process does, or has just removed it."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return -1
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return -1
    return descriptor
