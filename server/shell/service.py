"""The built web client as files under addresses that say nothing, and the page that loads it.

Knows: the folder that the build writes, its manifest, and the page's template. Refuses to know: Flask, who asks, and
what the client does: everything of a person's is sealed by it, on their own device.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from server.help.service import Rendered, Site, page_parts, speak
from server.help.shelf import shelf

FOLDER = Path(__file__).parent / "static"
PREFIX = "/a/"
WORKER = "w"
"""What the name of a file begins with that a worker loads: its answer alone may compile wasm (server.headers)."""
MANIFEST = "manifest.json"
ENTRY = "src/app/main.tsx"
PLAYER = (
    b'<!doctype html><html lang="fr"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
    b"<title>\xe2\x80\xa6</title>"
)
"""The document in which a sound or a film is played: nothing, which the page around it fills."""
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Built:
    """One file of the build. `integrity` is what an element of the page carries."""

    body: bytes
    packed: bytes
    smallest: bytes
    """By brotli (RFC 7932), as the build left it beside the file."""
    media_type: str
    integrity: str


def is_built() -> bool:
    """Whether there is a client to serve: where nobody built it, there is no /app, and no page leads there."""
    return (FOLDER / MANIFEST).is_file()


@cache
def built(name: str) -> Built | None:
    """A file of the build by its name, None if there is none."""
    path = FOLDER / name
    if "/" in name or path.suffix not in TYPES or not path.is_file():
        return None
    body = path.read_bytes()
    digest = base64.b64encode(hashlib.sha384(body).digest()).decode("ascii")
    smallest = path.with_name(f"{name}.br").read_bytes()
    return Built(body, gzip.compress(body, 9, mtime=0), smallest, TYPES[path.suffix], f"sha384-{digest}")


@lru_cache(maxsize=64)
def render_app(site: Site, lang: str) -> Rendered:
    """The page that loads the client, which is built."""
    entry = _manifest()[ENTRY]
    text = _environment().get_template("app.html").render(
        site=site, lang=lang, languages=shelf().languages,
        say=lambda key, **values: speak(lang, key, **values),
        scripts=Markup("\n").join([_entry(entry["file"]), *map(_preload, _imports(entry))]),
        styles=Markup("\n").join(map(_style, entry.get("css", ()))),
    )
    body = text.encode("utf-8")
    return Rendered(body, gzip.compress(body, 9, mtime=0), hashlib.sha256(body).hexdigest()[:32])


@cache
def _manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((FOLDER / MANIFEST).read_text(encoding="utf-8"))
    return manifest


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("server.shell"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals.update(page_parts())
    return environment


def _imports(entry: dict[str, Any]) -> list[str]:
    """What the entry loads before it runs, each file once."""
    found: dict[str, None] = {}
    waiting = list(entry.get("imports", ()))
    while waiting:
        chunk = _manifest()[waiting.pop(0)]
        if chunk["file"] not in found:
            found[chunk["file"]] = None
            waiting += chunk.get("imports", ())
    return list(found)


def _file(name: str) -> Built:
    found = built(name)
    assert found is not None, "the manifest names what isn't there"
    return found


def _entry(name: str) -> Markup:
    return Markup('<script type="module" src="{}{}" integrity="{}"></script>').format(
        PREFIX, name, _file(name).integrity
    )


def _preload(name: str) -> Markup:
    return Markup('<link rel="modulepreload" href="{}{}" integrity="{}">').format(PREFIX, name, _file(name).integrity)


def _style(name: str) -> Markup:
    return Markup('<link rel="stylesheet" href="{}{}" integrity="{}">').format(PREFIX, name, _file(name).integrity)
