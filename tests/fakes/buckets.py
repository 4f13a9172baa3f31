"""An s3 store on a bucket and a database of its own, without a vault around it.

Knows: how the parts are put together. Refuses to know: which server the bucket is at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.config import S3Settings
from server.database import Base, Database
from server.stores.bucket import Bucket
from server.stores.objects import ObjectRecords
from server.stores.s3 import VOLUME, S3BlobStore
from tests.fakes.vault import SetClock


@contextmanager
def bucket_store(
    folder: Path, settings: S3Settings, *, volume: int = VOLUME, clock: SetClock | None = None
) -> Iterator[S3BlobStore]:
    """A new bucket, its records in `folder`."""
    database = Database(f"sqlite:///{folder / 'objects.db'}")
    Base.metadata.create_all(database.engine)
    bucket = Bucket(settings, settings.secret)
    bucket.create()
    try:
        yield S3BlobStore(bucket, ObjectRecords(database, clock or SetClock()), volume=volume)
    finally:
        bucket.close()
        database.close()
