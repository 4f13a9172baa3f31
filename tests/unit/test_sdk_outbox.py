"""Sealed writing that waits: the same bytes in the same order, and nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from client_sdk.home import AccountHome, Home
from client_sdk.outbox import Outbox
from crypto_core.randomness import make_bytes, make_id
from crypto_core.sealing.keyring import Keyring
from schemas import limits


def a_keyring() -> Keyring:
    return Keyring(make_id(), make_bytes(32), make_bytes(32), 1, 1, make_bytes(32))


def a_revision(number: int = 1) -> dict[str, Any]:
    return {
        "item": make_id(), "revision": number, "replaces": number - 1, "wrap": make_bytes(limits.WRAP),
        "link": make_bytes(limits.LINK), "record": make_bytes(1096), "blobs": [make_id()], "erases": None,
    }


def an_account(tmp_path: Path) -> AccountHome:
    return Home(tmp_path).account(make_id(), make_id())


def test_what_waits_comes_back_in_order_byte_for_byte(tmp_path: Path) -> None:
    home, keyring = an_account(tmp_path), a_keyring()
    kept = [Outbox(home, keyring).keep((a_revision(), a_revision(2))) for _ in range(12)]
    again = Outbox(home, keyring).entries()
    assert [one.body for one in again] == [one.body for one in kept]
    assert [dict(one) for one in again[0].revisions] == [dict(one) for one in kept[0].revisions]


def test_a_replaced_batch_keeps_its_place(tmp_path: Path) -> None:
    outbox = Outbox(an_account(tmp_path), a_keyring())
    first, second = outbox.keep((a_revision(),)), outbox.keep((a_revision(),))
    anew = outbox.replace(first, (a_revision(3),))
    assert [one.body for one in outbox.entries()] == [anew.body, second.body]
    outbox.remove(anew)
    outbox.remove(anew)
    assert [one.body for one in outbox.entries()] == [second.body]


def test_a_foreign_or_changed_file_is_put_aside(tmp_path: Path) -> None:
    home, keyring = an_account(tmp_path), a_keyring()
    outbox = Outbox(home, keyring)
    outbox.keep((a_revision(),))
    Outbox(home, a_keyring()).keep((a_revision(),))
    (home.outbox / "000000000007").write_bytes(b"not sealed")
    (home.outbox / ".new-left-by-a-crash").write_bytes(b"torn")
    assert len(outbox.entries()) == 1
    assert len(list((home.folder / "evidence").iterdir())) == 2
    assert len(outbox.entries()) == 1


def test_what_waits_is_sealed(tmp_path: Path) -> None:
    home, revision = an_account(tmp_path), a_revision()
    Outbox(home, a_keyring()).keep((revision,))
    data, = (one.read_bytes() for one in home.outbox.iterdir())
    assert revision["item"] not in data and b"revision" not in data
