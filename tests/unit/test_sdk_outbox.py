"""Sealed writing that waits: the same bytes in the same order, and nobody else's."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from client_sdk.home import AccountHome, Home, write_file
from client_sdk.outbox import Outbox
from client_sdk.replica import Replica
from client_sdk.transport import dump_body, endpoint
from crypto_core.randomness import make_bytes, make_id
from crypto_core.sealing.keyring import Keyring
from crypto_core.sealing.records import seal_device_state
from schemas import limits


def a_keyring() -> Keyring:
    return Keyring(make_id(), make_bytes(32), make_bytes(32), 1, 1, make_bytes(32))


def a_revision(number: int = 1) -> dict[str, Any]:
    return {
        "item": make_id(), "revision": number, "replaces": number - 1, "wrap": make_bytes(limits.WRAP),
        "link": make_bytes(limits.LINK), "record": make_bytes(1096), "blobs": [make_id()], "erases": None,
    }


@pytest.fixture
def home(tmp_path: Path) -> AccountHome:
    return Home(tmp_path).account(make_id(), make_id())


@contextmanager
def opened_replica(home: AccountHome) -> Iterator[Replica]:
    replica = Replica(home.replica)
    try:
        yield replica
    finally:
        replica.close()


@contextmanager
def opened(home: AccountHome, *keyrings: Keyring) -> Iterator[list[Outbox]]:
    """The outbox of a device as each of these accounts would find it."""
    with opened_replica(home) as replica:
        yield [Outbox(home, replica, keyring) for keyring in keyrings]


def in_a_file(home: AccountHome, keyring: Keyring, name: str, revisions: tuple[dict[str, Any], ...]) -> bytes:
    """A batch as earlier versions kept it; gives its body."""
    body = dump_body(endpoint("POST", "/v1/items"), {"revisions": revisions})
    write_file(home.outbox / name, seal_device_state(keyring.mk_n, "outbox", keyring.account, body))
    return body


def test_what_waits_comes_back_in_order_byte_for_byte(home: AccountHome) -> None:
    keyring = a_keyring()
    with opened(home, keyring) as (outbox,):
        kept = [outbox.keep((a_revision(), a_revision(2))) for _ in range(12)]
    with opened(home, keyring) as (outbox,):
        again = outbox.entries()
    assert [one.body for one in again] == [one.body for one in kept]
    assert [dict(one) for one in again[0].revisions] == [dict(one) for one in kept[0].revisions]


def test_a_replaced_batch_keeps_its_place(home: AccountHome) -> None:
    with opened(home, a_keyring()) as (outbox,):
        first, second = outbox.keep((a_revision(),)), outbox.keep((a_revision(),))
        anew = outbox.replace(first, (a_revision(3),))
        assert [one.body for one in outbox.entries()] == [anew.body, second.body]
        outbox.remove(anew)
        outbox.remove(anew)
        assert [one.body for one in outbox.entries()] == [second.body]


def test_a_foreign_or_changed_batch_is_put_aside(home: AccountHome) -> None:
    with opened(home, a_keyring(), a_keyring()) as (outbox, foreign):
        kept = outbox.keep((a_revision(),))
        foreign.keep((a_revision(),))
    with opened_replica(home) as replica:
        replica.keep_waiting(b"not sealed")
    with opened(home, a_keyring()) as (nobody,):
        assert nobody.entries() == []
    assert len(list((home.folder / "evidence").iterdir())) == 3 and kept.number == 1


def test_what_is_put_aside_holds_up_nothing_else(home: AccountHome) -> None:
    with opened(home, a_keyring(), a_keyring()) as (outbox, foreign):
        foreign.keep((a_revision(),))
        kept = outbox.keep((a_revision(),))
        for _ in range(2):
            assert [one.body for one in outbox.entries()] == [kept.body]
    assert len(list((home.folder / "evidence").iterdir())) == 1


def test_what_waits_is_sealed(home: AccountHome) -> None:
    revision = a_revision()
    with opened(home, a_keyring()) as (outbox,):
        outbox.keep((revision,))
        data = b"".join(one.read_bytes() for one in home.folder.iterdir() if one.is_file())
    assert len(data) > limits.LINK and revision["item"] not in data and b"replaces" not in data


def test_what_waits_is_on_the_disk_once_it_has_settled(home: AccountHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """By then the file was synced to which SQLite writes ahead, with all that waits in it."""
    synced = list[bytes]()

    def sync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        assert path.name == "replica.db-wal"
        synced.append(path.read_bytes())
        os.fdatasync(descriptor)

    monkeypatch.setattr("client_sdk.replica._sync", sync)
    with opened_replica(home) as replica:
        for number in range(3):
            replica.keep_waiting(b"waiting-%d" % number)
        replica.settle()
        assert len(synced) == 3 and all(b"waiting-%d" % number in synced[number] for number in range(3))
        replica.set_fact("dirty", 1)
        replica.settle()
        assert len(synced) == 3
        with replica.writing():
            for number in (3, 4):
                replica.keep_waiting(b"waiting-%d" % number)
            replica.settle()
            assert len(synced) == 3, "what waits inside a transaction is nowhere yet"
        replica.settle()
        assert len(synced) == 4 and b"waiting-3" in synced[3] and b"waiting-4" in synced[3]
        with pytest.raises(ZeroDivisionError), replica.writing():
            replica.keep_waiting(b"waiting-5")
            raise ZeroDivisionError
        with replica.writing():
            replica.set_fact("dirty", 1)
        replica.settle()
        assert len(synced) == 4 and len(replica.waiting()) == 5


@pytest.mark.parametrize("broken", [1, 2, 3])
def test_a_disk_that_does_not_sync_is_told(home: AccountHome, monkeypatch: pytest.MonkeyPatch, broken: int) -> None:
    asked = count(1)

    def sync(descriptor: int) -> None:
        if next(asked) == broken:
            raise OSError(errno.EIO, "no disk")

    monkeypatch.setattr("client_sdk.replica._sync", sync)
    with opened_replica(home) as replica:
        for _ in range(3):
            replica.keep_waiting(b"sealed")
        with pytest.raises(OSError, match="no disk"):
            replica.settle()


def test_what_an_earlier_version_kept_in_files_is_taken_over_in_order(home: AccountHome) -> None:
    keyring = a_keyring()
    bodies = [in_a_file(home, keyring, f"{number:012d}", (a_revision(number),)) for number in (1, 2, 7, 10)]
    (home.outbox / ".new-left-by-a-crash").write_bytes(b"torn")
    (home.outbox / "000000000003").write_bytes(b"not sealed")
    with opened(home, keyring) as (outbox,):
        outbox.take_over()
        assert [one.body for one in outbox.entries()] == bodies
        outbox.take_over()
        assert [one.body for one in outbox.entries()] == bodies and not home.outbox.exists()
    assert [one.read_bytes() for one in (home.folder / "evidence").iterdir()] == [b"not sealed"]


@pytest.mark.parametrize("step", ["unlink", "rmdir"])
def test_a_crash_while_taking_over_loses_nothing(
    home: AccountHome, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    keyring = a_keyring()
    bodies = [in_a_file(home, keyring, f"{number:012d}", (a_revision(),)) for number in (1, 2)]

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with opened(home, keyring) as (outbox,), monkeypatch.context() as patch:
        patch.setattr(Path, step, dies)
        with pytest.raises(KeyboardInterrupt):
            outbox.take_over()
    with opened(home, keyring) as (outbox,):
        outbox.take_over()
        found = [one.body for one in outbox.entries()]
    assert list(dict.fromkeys(found)) == bodies and not home.outbox.exists()


@pytest.mark.parametrize("fails", [Replica.receive, Replica.keep_receipt, Replica.drop_waiting])
def test_what_could_not_be_kept_here_waits_still(
    home: AccountHome, monkeypatch: pytest.MonkeyPatch, fails: Callable[..., object]
) -> None:
    """Revision, receipt and the end of the waiting are one transaction."""
    keyring, revision = a_keyring(), a_revision()

    def full(*_: object) -> None:
        raise OSError(28, "no space")

    replica = Replica(home.replica)
    outbox = Outbox(home, replica, keyring)
    entry = outbox.keep((revision,))
    monkeypatch.setattr(Replica, fails.__name__, full)
    with pytest.raises(OSError), replica.writing():
        replica.receive({**revision, "deposited": 1}, 0)
        replica.keep_receipt("name", "receipt")
        outbox.remove(entry)
    monkeypatch.undo()
    assert [one.body for one in outbox.entries()] == [entry.body]
    assert replica.receipt("name") is None and replica.row(revision["item"], 1) is None
    replica.close()
