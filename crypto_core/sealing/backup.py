"""A sealed backup: a pack of one's own in a file that shows nothing, opened by 24 words of its own alone.

Knows: the key that the words spell, one label for it and one for the seal, and a padding whose length need not be known
before the end (docs/spec/backup.md). Refuses to know: what a pack is, the vault, and any key of an account.

    "TB01" ‖ pack ‖ 0x80 ‖ zeros to the Padmé length     at least 32 KiB
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from crypto_core.derivation import KEY_SIZE, derive
from crypto_core.errors import CryptoCoreError, MalformedError, TamperedError, UnsupportedVersion
from crypto_core.labels import Kind, context
from crypto_core.randomness import make_bytes
from crypto_core.sealing.envelope import HEADER_SIZE, Opener, Sealer, open_stream, seal_stream, split_off
from crypto_core.sealing.padding import padme

BACKUP_MAGIC = b"TB01"
BACKUP_FLOOR = 32_768

_MARK = b"\x80"
_ZEROS = 262_144
_OTHER_VERSION = re.compile(rb"TB[0-9]{2}")


class BackupRefused(CryptoCoreError):
    """The file does not begin as one that these words open. A file of another kind can't be told from it."""

    code = "backup_refused"
    sentence = (
        "These words don't open this file. They may belong to another backup, or this file is none, or its beginning "
        "is damaged. Look for another paper, or for another copy of the file."
    )


def make_backup_key() -> bytes:
    """The key of a new backup, 32 bytes; `recovery.format_words` spells it."""
    return make_bytes(KEY_SIZE)


def backup_sealer(key: bytes, salt: bytes | None = None) -> Sealer:
    """Seals one file of a backup (as `pad_backup` gives it) with the 32 bytes of its words.

    `salt` (24 bytes) is drawn unless given: several files of one backup may have the same words.
    """
    return Sealer(derive(key, Kind.BACKUP_SEAL), context(Kind.BACKUP), salt=salt)


def backup_opener(key: bytes, header: bytes) -> Opener:
    """Opens one file of a backup from its first 56 bytes. Raises BackupRefused, or MalformedError for fewer bytes."""
    try:
        return Opener(derive(key, Kind.BACKUP_SEAL), context(Kind.BACKUP), header)
    except TamperedError:
        raise BackupRefused from None


def seal_backup(sealer: Sealer, pack: Iterable[bytes]) -> Iterator[bytes]:
    """The sealed file of a pack, cut anyhow and of any length: header, then runs of 16 chunks."""
    return seal_stream(sealer, pad_backup(pack))


def open_backup(key: bytes, sealed: Iterable[bytes]) -> Iterator[bytes]:
    """The pack in a sealed file, cut anyhow.

    Raises BackupRefused before anything comes; TamperedError, MalformedError or UnsupportedVersion at any moment, up to
    the end: whoever gets one must not take what came before for the whole.
    """
    header, body = split_off(sealed, HEADER_SIZE)
    yield from unpad_backup(open_stream(backup_opener(key, header), body))


def pad_backup(pack: Iterable[bytes]) -> Iterator[bytes]:
    """A pack, cut anyhow, as the stream to seal."""
    yield BACKUP_MAGIC
    size = 0
    for block in pack:
        size += len(block)
        yield block
    yield from backup_end(size)


def backup_end(size: int) -> Iterator[bytes]:
    """What follows a pack of `size` bytes: the mark of ISO/IEC 7816-4, and zeros in blocks of at most 256 KiB."""
    yield _MARK
    yield from _zeros(_padded_size(size) - len(BACKUP_MAGIC) - size - len(_MARK))


def unpad_backup(plain: Iterable[bytes]) -> Iterator[bytes]:
    """The inverse of `pad_backup`, of a stream cut anyhow; holds back what may be padding, and knows at the end.

    Raises MalformedError, or UnsupportedVersion for another version's first bytes.
    """
    magic, body = split_off(plain, len(BACKUP_MAGIC))
    if magic != BACKUP_MAGIC:
        raise UnsupportedVersion() if _OTHER_VERSION.fullmatch(magic) else MalformedError("another kind of message")
    size = held = 0
    for block in body:
        kept = block.rstrip(b"\x00")
        if held and not kept:
            held += len(block)
            continue
        if held:  # what looked like the end stands in the middle of the pack
            yield _MARK
            yield from _zeros(held - len(_MARK))
            size += held
        is_mark = kept.endswith(_MARK)
        held = len(block) - len(kept) + len(_MARK) if is_mark else 0
        content = kept[: -len(_MARK)] if is_mark else block
        size += len(content)
        if content:
            yield content
    if not held or len(BACKUP_MAGIC) + size + held != _padded_size(size):
        raise MalformedError("not the padding of a backup")


def _padded_size(size: int) -> int:
    return padme(max(len(BACKUP_MAGIC) + size + len(_MARK), BACKUP_FLOOR))


def _zeros(count: int) -> Iterator[bytes]:
    for start in range(0, count, _ZEROS):
        yield bytes(min(_ZEROS, count - start))
