"""Where a sync stopped.

Knows: `generation16 ‖ u64 seq` in base64url. Refuses to know: what stands before and after it.
"""

from __future__ import annotations

from crypto_core.encoding import ID_SIZE, format_b64url, parse_b64url, u64
from crypto_core.errors import MalformedError
from server.problems import Refusal

_SIZE = ID_SIZE + 8


def format_cursor(generation: bytes, seq: int) -> str:
    return format_b64url(generation + u64(seq))


def parse_cursor(text: str, generation: bytes) -> int:
    """The seq after which to go on: 0, a full sync, for the empty cursor and for one of another generation.

    Raises Refusal `invalid` for what was never a cursor.
    """
    if not text:
        return 0
    try:
        raw = parse_b64url(text, _SIZE)
    except MalformedError:
        raise Refusal("invalid", fields={"after": ["Not a cursor."]}) from None
    seq = int.from_bytes(raw[ID_SIZE:], "big")
    if raw[:ID_SIZE] != generation:
        return 0
    if seq >= 1 << 63:
        raise Refusal("invalid", fields={"after": ["Not a cursor."]})
    return seq
