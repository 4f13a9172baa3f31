"""Files that were sealed otherwise than whoever sealed them says: by somebody who means harm, or a device that fails.

Knows: how a content is sealed. Refuses to know: who deposits it, and who reads it.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from client_sdk.items import Content
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
