"""The few static files of the pages, under addresses made of their own hash.

Knows: bytes, their hashes and media types. Refuses to know: which page uses which. An address says nothing about
what it is for, never changes its bytes, and may be kept by a browser for a year.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
PREFIX = "/s/"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """One file: `address` is its path on the site, `integrity` what the page's element carries."""

    address: str
    integrity: str
    media_type: str
    body: bytes
    packed: bytes


@cache
def assets() -> dict[str, Asset]:
    """All static files, by the name they have in the folder."""
    return {path.name: make_asset(path.read_bytes(), path.suffix) for path in sorted(FOLDER.iterdir())}


@cache
def by_address() -> dict[str, Asset]:
    """The same, by the last part of the address."""
    return {asset.address.removeprefix(PREFIX): asset for asset in assets().values()}


def make_asset(body: bytes, suffix: str) -> Asset:
    """An asset of these bytes. Raises KeyError for a suffix that no page uses."""
    digest = hashlib.sha384(body).digest()
    return Asset(
        address=f"{PREFIX}{digest.hex()[:16]}{suffix}",
        integrity="sha384-" + base64.b64encode(digest).decode("ascii"),
        media_type=TYPES[suffix],
        body=body,
        packed=gzip.compress(body, 9, mtime=0),
    )
