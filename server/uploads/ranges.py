"""Which bytes of a blob a request wants.

Knows: RFC 9110 §14.2, one range of bytes. Refuses to know: the blob.
"""

from __future__ import annotations

import re

from server.problems import Refusal

_RANGE = re.compile(r"bytes=([0-9]{1,99})?-([0-9]{1,99})?", re.ASCII | re.IGNORECASE)
"""Of numbers far beyond any size, too: some programs ask from here to 2^64 − 1, or as far as they can count."""


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The half-open range that a `Range` header asks for, within `size` bytes; None for the whole.

    What the RFC lets a server ignore is ignored: another unit, several ranges, a header that is none.
    Raises Refusal `range_invalid` for a range that has no byte.
    """
    match = _RANGE.fullmatch(header or "")
    if match is None:
        return None
    first, last = (None if digits is None else int(digits) for digits in match.groups())
    if last is None and first is None or last is not None and first is not None and last < first:
        return None
    if first is None:
        start, stop = max(0, size - (last or 0)), size
    else:
        start, stop = first, size if last is None else min(last + 1, size)
    if start >= stop:
        raise Refusal("range_invalid")
    return start, stop
