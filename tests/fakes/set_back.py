"""A vault whose database is put back as it was, in this process.

Knows: what `temoin-server` does around a restore. Refuses to know: what anybody kept in it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from server.app import create_app
from server.folder import open_folder
from server.journal.restore import Restored, restore
from server.journal.service import require_newest
from server.ledger.check import check_vault
from server.ledger.keeper import LedgerKeeper
from server.ledger.submitting import Posted
from server.parts import assemble
from tests.fakes.vault import FakeVault


def copied(vault: FakeVault) -> Path:
    """A copy of the database and the blobs, as a backup has them."""
    vault.parts.close()
    data, copy = vault.parts.config.data, vault.parts.config.data.parent / "copy"
    assert not (data / "vault.db-wal").exists()
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(data / "blobs", copy / "blobs", dirs_exist_ok=True)
    shutil.copy(data / "vault.db", copy)
    return copy


def put_back(vault: FakeVault, copy: Path) -> None:
    """The copy in the place of what there is, in a new process. What the fakes hold on to goes on with that one."""
    keep_mark(vault)
    vault.parts.close()
    shutil.copytree(copy, vault.parts.config.data, dirs_exist_ok=True)
    reopen(vault)


def reopen(vault: FakeVault) -> None:
    config = vault.parts.config
    vault.parts = assemble(config, open_folder(config), clock=vault.clock, steps=vault.steps)
    vault.app = create_app(vault.parts)


def keep_mark(vault: FakeVault) -> None:
    """What `temoin-server run` does once a second."""
    LedgerKeeper(vault.parts, _nobody).mark()


def restored(vault: FakeVault, copy: Path, **how: Any) -> Restored:
    """The copy, put back and put right."""
    put_back(vault, copy)
    done = restore(vault.parts, **how)
    assert done is not None
    vault.parts.close()  # or what it has written since lies over the next copy
    reopen(vault)
    require_newest(vault.parts)
    assert check_vault(vault.parts).problems == []
    return done


def _nobody(_address: str, _body: bytes) -> Posted:
    raise AssertionError("there is no witness")
