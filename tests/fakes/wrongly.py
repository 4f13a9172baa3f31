"""Files that were sealed otherwise than whoever sealed them says: by somebody who means harm, or a device that fails.

Knows: how a content is sealed, and how one that isn't what it seems is kept. Refuses to know: who reads it.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from client_sdk.client import Draft, VaultClient
from client_sdk.items import Content, Kept
from crypto_core.randomness import make_bytes, make_id
from crypto_core.sealing.envelope import SEALED_CHUNK_SIZE, seal_stream
from crypto_core.sealing.padding import pad_content
from crypto_core.sealing.records import content_sealer, make_content_key

BROKEN = ("another key", "broken padding", "a changed byte", "another header", "a chunk less")
"""What doesn't open."""
DIFFERING = ("another sha256", "a larger size", "a smaller size")
"""What opens to its end."""
DATA = make_bytes(100_000)


def seal_wrongly(how: str, data: bytes = DATA) -> tuple[Content, bytes]:
    """A content as its depositor names it, and the blob, whose SHA-256 it names as it is. `how`: one of the above, `a
    newer version`, or `rightly`."""
    key, blob = make_content_key(), make_id()
    plain = b"".join(pad_content(len(data), [data]))
    if how == "a newer version":
        plain = b"TO02" + plain[4:]
    if how == "broken padding":
        plain = plain[:-1] + b"\1"
    sealed = bytearray().join(seal_stream(content_sealer(key, blob), [plain]))
    if how == "a changed byte":
        sealed[3 * SEALED_CHUNK_SIZE] ^= 1
    if how == "another header":
        sealed[30] ^= 1
    if how == "a chunk less":
        del sealed[-SEALED_CHUNK_SIZE:]
    content = Content(blob, key, sha256(sealed).digest(), sha256(data).digest(), "a.bin", "text/plain", len(data))
    said: dict[str, dict[str, bytes | int]] = {
        "another key": {"key": make_content_key()}, "another sha256": {"sha256": make_bytes(32)},
        "a larger size": {"size": len(data) + 1}, "a smaller size": {"size": len(data) - 1},
    }
    return replace(content, **said.get(how, {})), bytes(sealed)  # type: ignore[arg-type]


def add_differing(client: VaultClient, path: Path, title: str) -> Kept:
    """A document with a file that opens to its end, and isn't the one that its entry names."""
    with client._writing((path,), False) as (opened, (content,)):
        other = replace(content, sha256=make_bytes(32))
        return opened.writer.add((Draft(title=title),), "document", False, (other,))[0]


def begin_recording(client: VaultClient, title: str) -> Kept:
    """A recording whose segments never came."""
    nothing = Content(make_id(), make_bytes(32), bytes(32), bytes(32), "audio.webm", "audio/webm", 0, ())
    with client._writing((), False) as (opened, _):
        return opened.writer.add((Draft(title=title),), "document", False, (nothing,))[0]
