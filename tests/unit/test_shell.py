"""/app: one page in the language asked for, kept by nobody; its files compressed, lasting, each under its own law."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from server.headers import ALWAYS, APP, PLAYER, WORKERS
from server.shell.service import FOLDER, PREFIX
from tests.fakes.vault import fake_vault


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    assert (FOLDER / "manifest.json").is_file(), "build it first: make app"
    with fake_vault(tmp_path) as vault:
        yield vault.app.test_client()


@pytest.mark.parametrize(("asked", "lang"), [("fr", "fr"), ("en-GB,en;q=0.8", "en"), ("de", "fr")])
def test_the_page_speaks_the_language_asked_for_and_nobody_keeps_it(client: FlaskClient, asked: str, lang: str) -> None:
    answer = client.get("/app", headers={"Accept-Language": asked})
    assert answer.status_code == 200
    assert f'<html lang="{lang}">' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Accept-Language" in answer.headers["Vary"]
    assert answer.headers["Content-Security-Policy"] == APP["Content-Security-Policy"]
    assert "<title>Carnet</title>" in answer.text
    assert "data-exit" in answer.text


def test_every_element_that_loads_carries_the_hash_of_what_it_loads(client: FlaskClient) -> None:
    page = client.get("/app").text
    elements = re.findall(r'<(?:script|link)[^>]+(?:src|href)="([^"]+)"[^>]*>', page)
    assert len(elements) >= 5
    for address, integrity in re.findall(r'(?:src|href)="(/[as]/[^"]+)" integrity="sha384-([^"]+)"', page):
        elements.remove(address)
        assert base64.b64encode(hashlib.sha384(client.get(address).data).digest()).decode() == integrity
    assert elements == []


def test_files_are_compressed_and_kept_for_a_year(client: FlaskClient) -> None:
    names = sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".js", ".css"))
    assert names
    for name in names:
        answer = client.get(PREFIX + name, headers={"Accept-Encoding": "gzip"})
        assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
        assert gzip.decompress(answer.data) == (FOLDER / name).read_bytes()
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        smallest = client.get(PREFIX + name, headers={"Accept-Encoding": "gzip, br"})
        assert (smallest.status_code, smallest.headers["Content-Encoding"]) == (200, "br")
        assert smallest.data == (FOLDER / f"{name}.br").read_bytes() and len(smallest.data) < len(answer.data)
        assert smallest.headers["ETag"] != answer.headers["ETag"] and smallest.headers["Vary"] == "Accept-Encoding"
        assert client.get(f"{PREFIX}{name}.br").status_code == 404


def test_only_what_a_worker_loads_may_compile_wasm(client: FlaskClient) -> None:
    for path in FOLDER.glob("*.js"):
        policy = client.get(PREFIX + path.name).headers["Content-Security-Policy"]
        assert (policy == WORKERS["Content-Security-Policy"]) == path.name.startswith("w")
        assert ("wasm-unsafe-eval" in policy) == path.name.startswith("w")
        assert "'unsafe-inline'" not in policy and "'unsafe-eval'" not in policy


def test_what_the_page_loads_is_never_named_like_what_a_worker_loads() -> None:
    """A hash may begin with any letter, so each name begins with one of its own."""
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    loaded = {name for one in manifest.values() for name in (one["file"], *one.get("css", ()))}
    assert len(loaded) > 30 and {name[0] for name in loaded} == {"p"}
    assert {path.name[0] for path in FOLDER.iterdir()} == {"p", "w", "s", "m"}  # the player's, and the manifest itself


def test_the_player_runs_nothing_stands_in_our_frames_alone_and_its_worker_reaches_nothing(client: FlaskClient) -> None:
    answer = client.get(f"{PREFIX}p/")
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    assert "<script" not in answer.text and "src=" not in answer.text
    for name, value in PLAYER.items():
        assert answer.headers.getlist(name) == [value]
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy and "default-src 'none'" in policy
    assert "script-src" not in policy and "connect-src" not in policy
    (worker,) = FOLDER.glob(f"s{'?' * 8}.js")  # the names of all others have eight letters
    alone = client.get(PREFIX + worker.name).headers["Content-Security-Policy"]
    assert alone == ALWAYS["Content-Security-Policy"]  # it may ask for nothing at all
    for path in ("/app", "/fr/1", f"{PREFIX}p/x", f"{PREFIX}p"):
        assert "frame-ancestors 'none'" in client.get(path).headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["manifest.json", "nothing.js", "..%2Fservice.py", "../service.py", ".."])
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(PREFIX + name).status_code == 404
