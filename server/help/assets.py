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
JOINED = {"site.css": ("exit.css", "site.css")}
"""Files that are served as one, in this order: another sheet is another answer to wait for on a slow network."""


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
    """All that is served, by the name that its file has in the folder, or the last of its files."""
    parts = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir())}
    for name, files in JOINED.items():
        parts |= {name: b"\n".join([parts.pop(file) for file in files])}
    return {name: make_asset(body, Path(name).suffix) for name, body in parts.items()}


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
