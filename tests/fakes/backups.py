"""The database of a vault that is served: copied, lost, put back.

Knows: what docs/operations/settings.md tells an operator to do. Refuses to know: what anybody kept in it.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.fakes.processes import RealVault


def back_up(vault: RealVault, copy: Path) -> None:
    """While the vault runs."""
    with closing(sqlite3.connect(vault.data / "vault.db")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def lose(vault: RealVault, copy: Path) -> None:
    """The database is gone; the copy lies in its place."""
    vault.stop()
    for name in ("vault.db", "vault.db-wal", "vault.db-shm"):
        (vault.data / name).unlink(missing_ok=True)
    shutil.copy(copy, vault.data / "vault.db")


def set_back(vault: RealVault, copy: Path, *, journal: bool = True) -> None:
    """The same, put right and served. Without `journal` that one is lost as well: what came back stays."""
    lose(vault, copy)
    if not journal:
        (vault.data / "journal.db").unlink()
    done = vault.command("restore", *([] if journal else ["--without-journal"]))
    assert done.returncode == 0, done.stderr
    vault.start()


def lose_files(vault: RealVault) -> None:
    """The vault knows of no file any more, while it runs."""
    with closing(sqlite3.connect(vault.data / "vault.db", timeout=30)) as database, database:
        assert database.execute("DELETE FROM blobs").rowcount > 0
