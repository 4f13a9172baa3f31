"""One bucket of an S3 server: objects written and read as they stream, removed by the thousand.

Knows: names, bytes, AWS signature version 4 (minio's), and what each answer means to a vault. Refuses to know: blobs.

Every request is signed in its headers, so that no address is ever worth anything. An object is written by one request
of a length said beforehand: on every S3 server it is there whole, or it isn't. Signatures need the true time.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from minio import Minio
from minio.credentials.credentials import Credentials
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error
from minio.signer import sign_v4_s3
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Retry, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from crypto_core.errors import TemoinError
from server.config import S3Settings
from server.problems import Refusal
from server.stores import PIECE, NotKept

AT_ONCE = 1000
"""Objects that one request may remove."""
_PATIENCE = Timeout(connect=3, read=60)
"""Seconds for a connection; and for one on which nothing moves, either way."""
_AGAIN = Retry(
    total=2, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504), raise_on_status=False,
    respect_retry_after_header=False,
)  # fmt: skip
"""For what can be asked twice; a body that streams can't."""
_FULL = frozenset({
    "EntityTooLarge", "InsufficientStorage", "QuotaExceeded", "StorageFull", "XMinioAdminBucketQuotaExceeded",
    "XMinioStorageFull",
})  # fmt: skip
"""How servers say that there is no more room; volumes are far smaller than any server's largest object."""
_CODE = re.compile(rb"<Code>([A-Za-z]{1,60})</Code>")
_NO_PAYLOAD_HASH = "UNSIGNED-PAYLOAD"

_log = logging.getLogger("temoin.server")


class StoreMissing(TemoinError):
    """The bucket is not there."""

    code = "store_missing"
    sentence = "The bucket for blobs is not there. Name the right one in TEMOIN_STORE; only `init` makes a new one."


class StoreRefused(TemoinError):
    """The S3 server does not let this vault in."""

    code = "store_refused"
    sentence = "The object store does not let this vault in. Check key, secret, region and bucket, then start again."


class StoreInhabited(TemoinError):
    """Something is kept already where a new vault would keep its blobs."""

    code = "store_inhabited"
    sentence = "Something is in this bucket already. Nothing was changed; name another in TEMOIN_STORE, or a prefix."


class Bucket:
    """A bucket, or the part of it below a prefix; safe for many threads. `secret` goes into signatures alone."""

    def __init__(self, settings: S3Settings, secret: str) -> None:
        self._settings = settings
        self._base = urlsplit(settings.endpoint)
        self._credentials = Credentials(settings.key_id, secret)
        self._pool = PoolManager(maxsize=32, timeout=_PATIENCE, retries=_AGAIN)
        self._pool.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        self._minio = Minio(
            self._base.netloc, settings.key_id, secret, secure=self._base.scheme == "https", region=settings.region,
            http_client=self._pool,
        )  # fmt: skip

    def put(self, name: str, length: int, pieces: Iterable[bytes]) -> None:
        """Writes a new object of `length` bytes as `pieces` come; what they raise goes to the caller, and the object
        does not come into being. Raises Refusal `storage_full` or `unavailable`."""
        body = _Body(pieces, length)
        try:
            answer = self._ask("PUT", name, {"Content-Length": str(length)}, body)
        except (HTTPError, OSError) as error:
            raise body.failure or _unreachable(error) from error
        if answer.status != 200:
            raise _refusal(answer)

    def get(self, name: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop) of an object, at least one, in pieces.

        Raises NotKept before the first piece if there is no such object, or where it ends too early; Refusal
        `unavailable` whenever it can't be had.
        """
        try:
            answer = self._ask("GET", name, {"Range": f"bytes={start}-{stop - 1}"})
        except (HTTPError, OSError) as error:
            raise _unreachable(error) from error
        if answer.status in (404, 416):
            answer.close()
            raise NotKept()
        found = answer.headers.get("Content-Range", "bytes 0-")  # without one it is the whole
        if answer.status not in (200, 206) or not found.startswith(f"bytes {start}-"):
            raise _refusal(answer)
        return _read(answer, stop - start)

    def remove(self, names: list[str]) -> list[str]:
        """Removes objects, AT_ONCE at most, whether they are there or not; gives those that could not be removed.

        Raises StoreRefused, Refusal `unavailable`.
        """
        wanted = [DeleteObject(self._settings.prefix + name) for name in names]
        with _understood():
            failed = {error.name for error in self._minio.remove_objects(self._settings.bucket, wanted)}
        return [name for name in names if self._settings.prefix + name in failed]

    def close(self) -> None:
        """Closes every idle connection."""
        self._pool.clear()

    def probe(self) -> None:
        """Raises StoreMissing or StoreRefused; Refusal `unavailable` if the server can't be reached."""
        with _understood():
            if not self._minio.bucket_exists(self._settings.bucket):
                raise StoreMissing()
            next(self._minio.list_objects(self._settings.bucket, prefix=self._settings.prefix, recursive=True), None)

    def create(self) -> None:
        """Makes the bucket if it is not there. Raises StoreInhabited if anything is below the prefix already,
        StoreRefused, Refusal `unavailable`."""
        bucket, prefix = self._settings.bucket, self._settings.prefix
        with _understood():
            if not self._minio.bucket_exists(bucket):
                self._minio.make_bucket(bucket, self._settings.region)
            elif next(self._minio.list_objects(bucket, prefix=prefix, recursive=True), None) is not None:
                raise StoreInhabited()

    def _ask(
        self, method: str, name: str, headers: dict[str, str], body: Iterable[bytes] | None = None
    ) -> BaseHTTPResponse:
        now = datetime.now(UTC)
        path = f"{self._base.path.rstrip('/')}/{self._settings.bucket}/{self._settings.prefix}{name}"
        url = self._base._replace(path=path)
        signed = sign_v4_s3(
            method=method, url=url, region=self._settings.region, credentials=self._credentials, date=now,
            content_sha256=_NO_PAYLOAD_HASH,
            headers={
                "Host": url.netloc, "x-amz-date": f"{now:%Y%m%dT%H%M%SZ}", "x-amz-content-sha256": _NO_PAYLOAD_HASH,
                **headers,
            },
        )  # fmt: skip
        return self._pool.request(
            method, url.geturl(), headers={name: str(value) for name, value in signed.items()}, body=body,
            preload_content=body is not None, retries=False if body is not None else None, redirect=False,
        )  # fmt: skip


class _Connection(HTTPConnection):
    """urllib3 gives what is sent no more time than connecting has, and a server's disk may be busy for longer."""

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(_PATIENCE.read_timeout)

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None:
            self.timeout = _PATIENCE.read_timeout
        super().request(*args, **options)


class _TlsConnection(_Connection, HTTPSConnection):
    """The same, under TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Body:
    """Hands pieces on, exactly `length` bytes of them; `failure` is what they raised."""

    def __init__(self, pieces: Iterable[bytes], length: int) -> None:
        self.failure: Exception | None = None
        self._pieces = pieces
        self._missing = length

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._pieces:
                self._missing -= len(piece)
                if self._missing < 0:
                    break
                yield piece
            if self._missing:
                raise ValueError("another length than was announced")
        except Exception as failure:
            self.failure = failure
            raise


def _read(answer: BaseHTTPResponse, length: int) -> Iterator[bytes]:
    """The body in pieces. A connection that was not read to its end is not used again."""
    try:
        while length:
            try:
                piece = answer.read(min(PIECE, length))
            except (HTTPError, OSError) as error:
                raise _unreachable(error) from error
            if not piece:
                raise NotKept()
            length -= len(piece)
            yield piece
        answer.release_conn()
    finally:
        answer.close()


def _refusal(answer: BaseHTTPResponse) -> Refusal:
    """What an answer that is no success means; the log has its status and its S3 code alone."""
    try:
        found = _CODE.search(answer.data)
    except (HTTPError, OSError):
        found = None
    code = found[1].decode() if found else "-"
    _log.error("the object store answered %d %s", answer.status, code)
    return Refusal("storage_full" if code in _FULL or answer.status in (413, 507) else "unavailable")


def _unreachable(error: Exception) -> Refusal:
    """No answer, or one that makes no sense; the log has the error's type alone."""
    _log.error("the object store can't be used: %s", type(error).__name__)
    return Refusal("unavailable")


@contextmanager
def _understood() -> Iterator[None]:
    """Around what minio asks: StoreRefused where the server says no to key, signature or region; else `unavailable`."""
    try:
        yield
    except S3Error as error:
        if error.response.status in (400, 401, 403):
            raise StoreRefused(error.code or "") from None
        raise _unreachable(error) from error
    except (MinioException, HTTPError, OSError, ValueError, TypeError, AttributeError) as error:
        # the last three where the answer is not the XML that minio expects
        raise _unreachable(error) from error
