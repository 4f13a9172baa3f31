"""Everything with a side effect, in one place: handed in by wsgi.py, by the command line, or by a test.

Knows: which parts there are and how a running vault's are opened. Refuses to know: what they are used for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

from server.config import ServerConfig
from server.database import Database
from server.folder import Folder, VaultIncomplete, VaultNewer, open_folder, read_secret
from server.journal.file import Journal
from server.ledger.keys import LedgerKeys
from server.ledger.marker import Marker
from server.ledger.service import Ledger
from server.migrations import is_known, version_of
from server.pepper import Pepper
from server.ports import Clock, Steps
from server.steps import NoSteps, SystemClock
from server.stores import BlobStore
from server.stores.folder import FolderBlobStore
from server.stores.objects import ObjectRecords
from server.uploads.checking import Checks

if TYPE_CHECKING:
    from server.stores.bucket import Bucket


@dataclass(frozen=True)
class Parts:
    """One open vault."""

    config: ServerConfig
    folder: Folder
    clock: Clock
    steps: Steps
    database: Database
    journal: Journal
    pepper: Pepper
    store: BlobStore
    ledger: Ledger
    checks: Checks

    def close(self) -> None:
        """Lets go of the database, of the journal and of the store."""
        self.database.close()
        self.journal.close()
        self.store.close()


def open_parts(config: ServerConfig, *, clock: Clock | None = None, steps: Steps | None = None) -> Parts:
    """The parts of the vault that `init` made. Raises the errors of `server.folder`, or Refusal `unavailable`."""
    folder = open_folder(config)
    file = config.database_file
    if not file.is_file() or not file.stat().st_size:  # SQLite would begin a new one, in which nobody has an account
        raise VaultIncomplete("the database")
    made = assemble(config, folder, clock=clock, steps=steps)
    try:
        version = version_of(made.database)
        if version is None:  # and so would whoever brings the tables to the newest version
            raise VaultIncomplete("the database")
        if not is_known(version):
            raise VaultNewer(version)
    except BaseException:
        made.close()
        raise
    return made


def assemble(
    config: ServerConfig, folder: Folder, *, clock: Clock | None = None, steps: Steps | None = None
) -> Parts:
    """The parts of a vault whose folder is open; its tables may not be there yet."""
    clock, steps = clock or SystemClock(), steps or NoSteps()
    database = Database(config.database_url)
    keys = LedgerKeys(config.data, folder.ledger_signer)
    return Parts(
        config=config,
        folder=folder,
        clock=clock,
        steps=steps,
        database=database,
        journal=Journal(config.journal_file),
        pepper=folder.pepper,
        store=_open_store(config, database, clock),
        ledger=Ledger(database, keys, clock, steps, folder.facts.origin, Marker(config.data)),
        checks=Checks(config.check_wait),
    )


def open_bucket(config: ServerConfig) -> Bucket | None:
    """The bucket for blobs, if there is to be one; nothing is asked of it yet. Raises the errors of `read_secret`.

    What speaks S3 is loaded only where there is a bucket: that is a fifth of what a start loads.
    """
    if config.s3 is None:
        return None
    from server.stores.bucket import Bucket

    secret = config.s3.secret
    if config.s3.secret_file is not None:
        secret = read_secret(config.s3.secret_file, "the secret of the object store")
    return Bucket(config.s3, secret)


def _open_store(config: ServerConfig, database: Database, clock: Clock) -> BlobStore:
    bucket = open_bucket(config)
    if bucket is None:
        return FolderBlobStore(config.data / "blobs")
    from server.stores.s3 import S3BlobStore

    return S3BlobStore(bucket, ObjectRecords(database, clock))


def parts() -> Parts:
    """The parts of the running application."""
    found: Parts = current_app.extensions["parts"]
    return found
