"""The last checkpoint, outside the database: whoever puts an old copy of the database back finds it still there.

Knows: one file in the data folder, which holds the signed note verbatim. Refuses to know: what follows from it
(server.ledger.guard).

It is written after the checkpoint is durable in the database, by the one process that minds the vault, and so is never
ahead of it: whatever is killed when, it is behind or the same. It is replaced whole: written beside, synced, renamed.
"""

from __future__ import annotations

from pathlib import Path

from crypto_core.errors import CryptoCoreError, TemoinError
from crypto_core.receipts.checkpoint import Checkpoint, parse_checkpoint
from crypto_core.receipts.note import VerifierKey, open_note
from server.folder import replace_file

MARKER = "ledger.mark"


class MarkerDamaged(TemoinError):
    code = "ledger_marker_damaged"
    sentence = (
        "The file ledger.mark can't be read, or is not signed by the ledger's key. If you are sure that the database "
        "is the newest there is, remove this one file; the vault makes it anew."
    )


class Marker:
    """The file of one vault, which may not be there yet."""

    def __init__(self, folder: Path, name: str = MARKER) -> None:
        self._path = folder / name
        self.written = -1
        """The size that this process has seen in it or written to it; -1 before that."""

    @property
    def is_missing(self) -> bool:
        """Whether there is no file yet."""
        return not self._path.exists()

    def read(self, *keys: VerifierKey) -> Checkpoint | None:
        """The checkpoint in it, proven to be signed by one of `keys`; None if there is none. Raises MarkerDamaged."""
        try:
            return parse_checkpoint(open_note(self._path.read_bytes(), keys).text)
        except FileNotFoundError:
            return None
        except CryptoCoreError as error:
            raise MarkerDamaged(error.detail or error.code) from None
        except OSError as error:
            raise MarkerDamaged(error.strerror or "") from None

    def keep(self, size: int, note: str) -> None:
        """Replaces it by the note of a checkpoint of `size`, which the caller has seen to continue the one in it.

        Raises OSError as the disk does.
        """
        replace_file(self._path, note)
        self.written = size
