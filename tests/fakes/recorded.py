"""A recording in segments, as a page keeps one: the command line makes none.

Knows: how the SDK writes its record. Refuses to know: cameras, and what a test wants of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from client_sdk.client import Draft, Kept, VaultClient
from client_sdk.items import Content
from client_sdk.writer import Writing
from crypto_core.encoding import ID_SIZE
from crypto_core.randomness import make_bytes


def record_film(client: VaultClient, folder: Path, segments: Sequence[bytes], whole: bytes) -> Kept:
    """One file whose segments are blobs of their own; its record names the SHA-256 of `whole`."""
    paths = [folder / f"segment-{number}" for number in range(len(segments))]
    for path, segment in zip(paths, segments, strict=True):
        path.write_bytes(segment)
    with client._writing(paths, False) as (vault, parts):
        film = Content(
            parts[0].blob, make_bytes(32), parts[0].sealed, sha256(whole).digest(), "film.webm", "video/webm",
            sum(part.size for part in parts), tuple(parts),
        )
        json = vault.writer._record("document", Draft(title="Film"), (film,), None, {})
        blobs = tuple(one.blob for one in parts)
        [kept] = vault.writer._deposit((Writing(make_bytes(ID_SIZE), 1, json, False, blobs),))
    return kept
