"""Somebody loses name, password, PIN and device, and has a sheet of words: real processes, and three days."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.config import DAY
from tests.fakes.orders import Orders
from tests.fakes.processes import Device, RealVault, running

OLD, NEW = ("tortue lavabo quinze nuage", "805193"), ("un bateau sur le lac", "739154")


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[RealVault]:
    orders = Orders.new(tmp_path / "orders")
    orders.clock.time = int(time.time())
    with running(RealVault(tmp_path / "vault", 2, orders=orders.folder)) as vault:
        yield vault


def test_the_sheet_of_words_brings_everything_back(vault: RealVault, tmp_path: Path) -> None:
    lost = Device(tmp_path / "lost", vault.url, "camille", *OLD)
    found = Device(tmp_path / "found", vault.url, "camille b", *NEW)
    sheet, fresh = lost.register(), tmp_path / "fresh.txt"
    assert lost.run("journal", "add", "camille", "--text", "un soir").code == 0
    assert lost.run("journal", "add", "camille", "--text", "derrière le code", "--sensitive").code == 0
    words = sheet.read_text("utf-8").strip()

    first = found.run("recover", "camille b", "--json", secrets=(words,))
    assert (first.code, json.loads(first.out)["recovered"]) == (0, False)
    told = lost.run("journal", "list", "camille")
    assert "temoin stop-recovery" in told.err.replace("\n", " ")
    assert vault.orders is not None
    Orders(vault.orders).clock.advance(3 * DAY)
    done = found.run("recover", "camille b", "--recovery-out", fresh, "--json", secrets=(words, *NEW))
    assert (done.code, json.loads(done.out)["recovered"]) == (0, True)

    texts = json.loads(found.run("dossier", "camille b", "-o", tmp_path / "all", "--json").out)
    assert texts["items"] == 2
    page = (tmp_path / "all" / "index.html").read_text("utf-8")
    assert "un soir" in page and "derrière le code" in page
    assert lost.run("journal", "list", "camille").code == 1
    assert found.run("recover", "camille b", secrets=(words,)).code == 1
    assert found.run("recover", "camille b", secrets=(fresh.read_text("utf-8").strip(),)).code == 0


def test_how_long_the_sheet_waits_is_the_persons_own_choice(vault: RealVault, tmp_path: Path) -> None:
    device = Device(tmp_path / "device", vault.url, "camille", *OLD)
    found = Device(tmp_path / "found", vault.url, "camille b", *NEW)
    words = device.register().read_text("utf-8").strip()
    assert vault.orders is not None
    clock = Orders(vault.orders).clock

    def choose(*more: str) -> dict[str, Any]:
        return dict(json.loads(device.run("recovery-wait", "camille", *more, "--json").out))

    assert choose() == {"wait": 3 * DAY, "next": None}
    assert choose("--days", "30") == {"wait": 30 * DAY, "next": None}
    shorter = choose("--days", "0")
    assert (shorter["wait"], shorter["next"]["wait"]) == (30 * DAY, 0)
    assert "--new-words" in device.run("journal", "list", "camille").err
    clock.advance(30 * DAY)
    assert choose() == {"wait": 0, "next": None}
    done = found.run("recover", "camille b", "--recovery-out", tmp_path / "fresh.txt", "--json", secrets=(words, *NEW))
    assert (done.code, json.loads(done.out)["recovered"]) == (0, True)
