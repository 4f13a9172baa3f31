"""What the ledger says of having been set back: one public file in the data folder, which only grows.

Knows: docs/spec/restoration.md. Refuses to know: why it was set back, and what was lost.
"""

from __future__ import annotations

from crypto_core.errors import CryptoCoreError, TemoinError
from crypto_core.receipts.restoration import Restoration, add_restoration, format_restoration, open_restorations
from server.folder import replace_file
from server.parts import Parts
from server.problems import Refusal

RESTORATIONS = "ledger.restorations"


class RestorationsDamaged(TemoinError):
    code = "ledger_restorations_damaged"
    sentence = (
        "The file ledger.restorations can't be read, or its records do not hold. Put it back from a copy, or as the "
        "vault, a mirror or an auditor shows it under /ledger/restorations: it is public."
    )


def read_restorations(vault: Parts) -> bytes:
    """Every record, oldest first; empty if there is none. Raises Refusal `unavailable`."""
    try:
        return (vault.config.data / RESTORATIONS).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError:
        raise Refusal("unavailable") from None


def say_restored(vault: Parts, generation: bytes, size: int) -> int:
    """Signs that the ledger goes on from its first `size` entries, and publishes it; how many it had.

    Whoever was interrupted and says it again says the same. Raises RestorationsDamaged, MarkerDamaged, Refusal
    `unavailable`, or OSError as the disk does.
    """
    keys, data = vault.ledger.keys.look(), read_restorations(vault)
    try:
        last = open_restorations(data, keys.policy.keys)[-1:]
    except CryptoCoreError as error:
        raise RestorationsDamaged(error.detail or error.code) from None
    marked = vault.ledger.guard.marker.read(*keys.policy.keys)
    was = max(size, marked.size if marked else 0, *(one.was for one in last if one.size == size))
    record = Restoration(vault.folder.facts.origin, generation, size, was, vault.clock.now())
    note = keys.sign(format_restoration(record))
    replace_file(vault.config.data / RESTORATIONS, add_restoration(data, note).decode())
    return was
