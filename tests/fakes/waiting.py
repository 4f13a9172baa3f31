"""Three days that a test doesn't sit out: what waits in a real vault has begun that much earlier.

Knows: where a waiting time stands in the vault's own tables. Refuses to know: what is waited for, and every other time.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from server.config import DAY

WAIT = 3 * DAY


def wait_out(data: Path) -> None:
    """Whatever recovery words have begun in the vault of this folder is due now. Something has to wait."""
    with contextlib.closing(sqlite3.connect(data / "vault.db", timeout=30)) as database, database:
        moved = database.execute("UPDATE waiting_recoveries SET begun = begun - ?, due = due - ?", (WAIT, WAIT))
        assert moved.rowcount > 0, "nothing waits"
