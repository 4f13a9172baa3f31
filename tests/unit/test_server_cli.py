"""`temoin-server`: a vault is made once, opened only if it is whole and its secrets are kept, and checked."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sqlite3
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import server.cli
from schemas.problems import PROBLEMS
from server.cli import collect, main
from server.config import ConfigRefused, ServerConfig
from server.directory.tree import DirectoryMarkerDamaged
from server.folder import (
    FolderClosed, SecretExposed, SecretWrong, VaultExists, VaultIncomplete, VaultMissing, VaultNewer, open_folder,
)
from server.parts import open_parts
from server.problems import Refusal
from tests.fakes.processes import BIN, clean_environment, free_port, run_with_room
from tests.fakes.vault import FakeVault, fake_vault


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEMOIN_DATA", "TEMOIN_HOST", "TEMOIN_ORIGIN", "TEMOIN_PEPPER_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    assert call("init", folder).exit_code == 0
    return folder


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, int, int]]]:
    """What would be served; no socket is opened."""
    calls: list[tuple[str, str, int, int]] = []
    monkeypatch.setattr(server.cli, "serve", lambda *arguments, **_: calls.append(arguments))
    monkeypatch.setattr(server.cli, "_require_address", lambda *_: None)
    monkeypatch.setenv("TEMOIN_DATA", "")  # `run` sets both for its workers: taken back after the test
    monkeypatch.setenv("TEMOIN_HOST", "")
    yield calls


def call(command: str, data: Path, *more: str) -> Result:
    return CliRunner().invoke(main, [command, "--data", str(data), *more])


DAMAGED = "database_damaged: file is not a database"


def test_a_database_that_is_none_is_told_as_what_it_is(data: Path) -> None:
    (data / "vault.db").write_bytes(bytes(range(256)) * 16)
    for command in ("check", "run"):
        ended = call(command, data)
        assert (ended.exit_code, f"({DAMAGED})" in ended.output) == (1, True), ended.output


def test_a_journal_that_is_none_can_be_replaced_as_it_is_told(data: Path, served: list[object]) -> None:
    (data / "journal.db").write_bytes(bytes(range(256)) * 16)
    for command in ("check", "run"):
        ended = call(command, data)
        assert (ended.exit_code, f"({DAMAGED})" in ended.output) == (1, True), ended.output
    (data / "journal.db").rename(data / "kept")
    assert call("restore", data, "--without-journal").exit_code == 0
    assert call("check", data).exit_code == 0
    assert call("run", data).exit_code == 0
    assert served


def test_the_database_of_a_newer_program_is_left_alone_and_told_of(data: Path, served: list[object]) -> None:
    execute(data, "UPDATE alembic_version SET version_num = '9999'")
    for command in ("check", "run", "restore"):
        ended = call(command, data)
        assert (ended.exit_code, VaultNewer.sentence in ended.output) == (1, True), ended.output
    assert not served


def test_the_database_of_an_older_program_is_checked_as_it_is_today(data: Path) -> None:
    execute(data, *(f"ALTER TABLE recoveries DROP COLUMN {name}" for name in ("wait", "next_wait", "next_since")))
    execute(data, "UPDATE alembic_version SET version_num = '0012'")
    assert call("check", data).exit_code == 0


def execute(data: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(data / "vault.db")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def config(data: Path) -> ServerConfig:
    return ServerConfig(data, "vault.example")


# init

def test_init_makes_a_whole_vault_for_nobody_else_to_read(data: Path) -> None:
    assert mode(data) == 0o700
    for name in ("vault.json", "pepper", "ledger.key", "directory.key"):
        assert mode(data / name) == 0o600
    facts = json.loads((data / "vault.json").read_text())
    assert facts.keys() == {"v", "vault_id", "generation", "origin", "created", "pepper_check"}
    assert facts["origin"].startswith("ledger/")
    assert "moin" not in facts["origin"]
    parts = open_parts(config(data))
    try:
        with parts.database.read() as session:
            assert parts.ledger.newest(session).size == 0
    finally:
        parts.close()


def test_init_says_nothing_secret(tmp_path: Path) -> None:
    said = call("init", tmp_path / "data").output
    assert "Ledger: ledger/" in said
    for name in ("pepper", "ledger.key", "directory.key"):
        assert (tmp_path / "data" / name).read_text().split()[-1] not in said


def test_init_twice_is_refused_and_changes_nothing(data: Path) -> None:
    before = {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}
    again = call("init", data)
    assert again.exit_code == 1
    assert VaultExists.sentence in again.output
    assert {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()} == before


def test_init_refuses_a_folder_with_anything_in_it_and_a_pepper_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("x")
    assert VaultExists.sentence in call("init", tmp_path / "full").output
    (tmp_path / "pepper").write_text("old")
    monkeypatch.setenv("TEMOIN_PEPPER_FILE", str(tmp_path / "pepper"))
    assert call("init", tmp_path / "new").exit_code == 1
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "pepper").read_text() == "old"


def test_an_empty_folder_that_is_there_will_do(tmp_path: Path) -> None:
    (tmp_path / "mounted").mkdir(mode=0o755)
    assert call("init", tmp_path / "mounted").exit_code == 0
    assert mode(tmp_path / "mounted") == 0o700


def test_an_init_that_was_interrupted_leaves_nothing_that_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise Refusal("storage_full")

    monkeypatch.setattr(server.cli, "upgrade", fail)
    assert call("init", tmp_path / "data").exit_code == 1
    monkeypatch.undo()
    with pytest.raises(VaultIncomplete):
        open_folder(config(tmp_path / "data"))
    assert VaultExists.sentence in call("init", tmp_path / "data").output


def test_a_place_where_nothing_can_be_written_is_told_of_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ended = call("init", tmp_path / "file" / "data")
    assert (ended.exit_code, type(ended.exception)) == (1, SystemExit)
    assert ended.output.startswith("Error: ") and "(device: Not a directory)" in ended.output
    assert str(tmp_path) not in ended.output


def test_the_pepper_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMOIN_PEPPER_FILE", str(tmp_path / "elsewhere"))
    assert call("init", tmp_path / "data").exit_code == 0
    assert not (tmp_path / "data" / "pepper").exists()
    assert mode(tmp_path / "elsewhere") == 0o600
    assert call("check", tmp_path / "data").exit_code == 0
    monkeypatch.delenv("TEMOIN_PEPPER_FILE")
    assert VaultIncomplete.sentence in call("check", tmp_path / "data").output


# run

def test_run_refuses_without_a_vault(tmp_path: Path, served: list[object]) -> None:
    run = call("run", tmp_path / "data")
    assert run.exit_code == 1
    assert VaultMissing.sentence in run.output
    assert not (tmp_path / "data").exists()
    assert served == []


@pytest.mark.parametrize("name", ["pepper", "ledger.key", "directory.key"])
def test_run_refuses_a_secret_that_is_missing_exposed_or_wrong(data: Path, served: list[object], name: str) -> None:
    secret = data / name
    right = secret.read_bytes()
    secret.chmod(0o640)
    assert SecretExposed.sentence in call("run", data).output
    secret.chmod(0o600)
    for wrong in (b"", b"\xff", right[:-2], right.replace(b"\n", b"=\n"), b"x" * 300):
        secret.write_bytes(wrong)
        assert SecretWrong.sentence in call("run", data).output
    secret.unlink()
    missing = call("run", data)
    assert VaultIncomplete.sentence in missing.output
    assert str(data) not in missing.output
    assert served == []


@pytest.mark.parametrize("part", ["vault.json", "pepper", "ledger.key", "directory.key", "vault.db"])
def test_whoever_misses_a_part_is_never_told_to_make_a_new_vault(data: Path, served: list[object], part: str) -> None:
    (data / part).unlink()
    left = {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}
    for command in ("check", "run", "init"):
        ended = call(command, data)
        told = VaultExists if command == "init" else VaultIncomplete
        assert (ended.exit_code, told.sentence in ended.output) == (1, True), ended.output
    assert {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()} == left
    assert served == []


@pytest.mark.parametrize("is_sqlite", [False, True])
def test_an_empty_database_is_a_missing_one(data: Path, served: list[object], is_sqlite: bool) -> None:
    (data / "vault.db").write_bytes(b"")
    if is_sqlite:
        with contextlib.closing(sqlite3.connect(data / "vault.db")) as empty:
            empty.execute("PRAGMA user_version = 1")
    before = (data / "vault.db").stat().st_size
    for command in ("check", "run"):
        ended = call(command, data)
        assert (ended.exit_code, VaultIncomplete.sentence in ended.output) == (1, True), ended.output
    assert ((data / "vault.db").stat().st_size, served) == (before, [])


def test_run_refuses_the_pepper_of_another_vault(data: Path, tmp_path: Path, served: list[object]) -> None:
    assert call("init", tmp_path / "other").exit_code == 0
    (data / "pepper").write_bytes((tmp_path / "other" / "pepper").read_bytes())
    assert SecretWrong.sentence in call("run", data).output
    assert served == []


@pytest.mark.parametrize("facts", [b"", b"{}", b"[]", b"null", b'{"vault_id": 1}', b"\xff"])
def test_run_refuses_damaged_facts(data: Path, served: list[object], facts: bytes) -> None:
    (data / "vault.json").write_bytes(facts)
    assert VaultIncomplete.sentence in call("run", data).output
    assert served == []


def test_run_serves_and_tells_its_workers_where(
    data: Path, served: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = call("run", data, "--port", "8111", "--workers", "3")
    assert run.exit_code == 0, run.output
    assert served == [("server.wsgi:application", "127.0.0.1", 8111, 3)]
    assert os.environ["TEMOIN_DATA"] == str(data.absolute())
    assert os.environ["TEMOIN_HOST"] == ""


def test_run_says_why_nobody_can_be_listed_and_serves_all_the_same(data: Path, served: list[object]) -> None:
    (data / "directory.mark").write_text("not a note")
    run = call("run", data)
    assert run.exit_code == 0 and len(served) == 1
    assert f"Nobody is listed. {DirectoryMarkerDamaged.sentence}" in run.output


def test_run_on_every_address_wants_to_know_the_public_host(
    data: Path, served: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ConfigRefused.sentence in call("run", data, "--host", "0.0.0.0").output
    monkeypatch.setenv("TEMOIN_HOST", "carnet.example")
    assert call("run", data, "--host", "0.0.0.0").exit_code == 0
    assert len(served) == 1


def test_run_listens_at_an_address_of_this_machine(data: Path, served: list[tuple[str, str, int, int]]) -> None:
    assert call("run", data, "--host", "localhost").exit_code == 0
    assert [bind for _, bind, *_ in served] == ["127.0.0.1"]
    ended = call("run", data, "--host", "vault.example")
    assert (ended.exit_code, "IP address" in ended.output) == (2, True)


@pytest.mark.parametrize(("threads", "copied"), [(1, True), (2, False)])
def test_workers_are_copies_where_nothing_is_open_and_no_other_thread_is_at_work(
    data: Path, served: list[object], monkeypatch: pytest.MonkeyPatch, threads: int, copied: bool
) -> None:
    """A thread that still waits for a silent witness has the database open, and may hold a lock for ever in a copy."""
    asked = list[tuple[bool, bool, bool]]()

    def is_open() -> bool:
        return any(str(data) in str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())

    def serve(*_: object, copied: bool, begun: Callable[[], None]) -> None:
        before = is_open()
        begun()
        deadline = time.monotonic() + 30
        while not is_open() and time.monotonic() < deadline:  # what is done beside the workers goes on
            time.sleep(0.01)
        asked.append((copied, before, is_open()))

    monkeypatch.setattr(server.cli, "serve", serve)
    monkeypatch.setattr("threading.active_count", lambda: threads)
    assert call("run", data).exit_code == 0
    assert asked == [(copied, not copied, True)]


@pytest.mark.parametrize("shared", [False, True])
def test_run_says_who_else_listens_and_refuses_who_does_not_share(
    data: Path, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    served, port = list[object](), free_port()
    monkeypatch.setattr(server.cli, "serve", lambda *arguments, **_: served.append(arguments))
    monkeypatch.setenv("TEMOIN_DATA", "")
    monkeypatch.setenv("TEMOIN_HOST", "")
    with socket.create_server(("127.0.0.1", port), reuse_port=shared):
        ended = call("run", data, "--port", str(port))
    assert (ended.exit_code, len(served)) == ((0, 1) if shared else (1, 0))
    assert ("listens here already" if shared else f"Nobody can listen at 127.0.0.1:{port}") in ended.output


def test_the_application_is_made_from_the_environment(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import logging

    from server.wsgi import application

    monkeypatch.setenv("TEMOIN_DATA", str(data))
    monkeypatch.setenv("TEMOIN_HOST", "carnet.example")
    log = logging.getLogger("temoin.server")
    handlers, propagate, level = list(log.handlers), log.propagate, log.level
    try:
        app = application()
        answer = app.test_client().get("/v1/vault")
        assert answer.status_code == 200
        assert answer.get_json()["host"] == "carnet.example"
        app.extensions["parts"].close()
    finally:
        log.handlers, log.propagate = handlers, propagate
        log.setLevel(level)


# check

def test_check_finds_a_new_vault_sound(data: Path) -> None:
    plain = call("check", data)
    assert plain.exit_code == 0
    assert "Everything is as it should be." in plain.output
    assert json.loads(call("check", data, "--json").output)["problems"] == []


def test_check_ends_with_1_if_anything_is_wrong(data: Path) -> None:
    from sqlalchemy import update

    from server.ledger.models import SignedCheckpoint

    parts = open_parts(config(data))
    with parts.database.write() as session:
        session.execute(update(SignedCheckpoint).values(note="forged"))
    parts.close()
    plain = call("check", data)
    assert plain.exit_code == 1
    assert "Something is wrong." in plain.output
    assert json.loads(call("check", data, "--json").output)["problems"]


PASSES = PROBLEMS["unavailable"].sentence


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (PermissionError(errno.EACCES, "no"), f"{FolderClosed.sentence} (vault_folder_closed: Permission denied)"),
        (OSError(errno.EROFS, "no"), f"{FolderClosed.sentence} (vault_folder_closed: Read-only file system)"),
        (OSError(errno.EIO, "no"), PASSES + " (unavailable: Input/output error)"),
        (sqlite3.OperationalError("database is locked"), PASSES + " (unavailable: database is locked)"),
        (None, PASSES + " (unavailable)"),
    ],
)
def test_what_only_somebody_with_more_rights_can_mend_is_told_from_what_passes(
    data: Path, monkeypatch: pytest.MonkeyPatch, cause: BaseException | None, told: str
) -> None:
    def fail(_: object) -> None:
        raise Refusal("unavailable") from cause

    monkeypatch.setattr(server.cli, "check_vault", fail)
    ended = call("check", data)
    assert (ended.exit_code, ended.output.startswith(f"Error: {told}")) == (1, True), ended.output


# what is printed

@pytest.mark.parametrize(("options", "asked"), [((), ("--version",)), (("--json",), ("check",)), ((), ("check",))])
def test_an_answer_that_can_not_be_written_is_a_failure_in_one_sentence(
    data: Path, options: tuple[str, ...], asked: tuple[str, ...]
) -> None:
    words = [str(BIN / "temoin-server"), *asked, *options]
    environment = clean_environment(TEMOIN_DATA=str(data))
    with open("/dev/full", "w") as full:
        ends = [
            subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, env=environment),
            subprocess.run(words, preexec_fn=lambda: os.close(1), stderr=subprocess.PIPE, text=True, env=environment),
        ]
    assert [(ran.returncode, ran.stderr.startswith("Error: "), ran.stderr.count("\n")) for ran in ends] == 2 * [
        (1, True, 1)
    ]
    assert [ran.stderr.rpartition(" (")[2] for ran in ends] == [
        "device: No space left on device)\n", "device: Bad file descriptor)\n"
    ]


@pytest.mark.parametrize("unbuffered", [False, True])
def test_an_answer_that_is_written_in_part_is_a_failure(tmp_path: Path, unbuffered: bool) -> None:
    ran = run_with_room("temoin-server", tmp_path / "out", 100, unbuffered=unbuffered)
    assert (ran.returncode, "(device" in ran.stderr, (tmp_path / "out").stat().st_size) == (1, True, 100)


def test_that_a_vault_is_ready_is_asked_for_no_more_once_it_is_though_nobody_hears_it(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            stopping.set() if len(asked) > 1 else None
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    def fail(_: str) -> None:
        raise OSError(errno.EBADF, "no")

    asked, stopping = list[str](), threading.Event()
    monkeypatch.setattr(click, "echo", fail)
    with HTTPServer(("127.0.0.1", free_port()), Health) as health:
        threading.Thread(target=health.serve_forever, args=(0.01,), daemon=True).start()
        server.cli._announce("127.0.0.1", health.server_port, stopping)
        health.shutdown()
    assert asked == ["/v1/health"]


# settings

def test_settings_are_read_from_an_environment(tmp_path: Path) -> None:
    environ = {
        "TEMOIN_HOST": "carnet.example", "TEMOIN_QUOTA": "5", "TEMOIN_CHECKPOINT_INTERVAL": "0",
        "TEMOIN_LOGIN_RATE": "1 per day", "TEMOIN_PEPPER_FILE": "/run/pepper", "OTHER": "x",
    }
    made = ServerConfig.from_environ(environ, tmp_path)
    assert (made.host, made.quota, made.checkpoint_interval) == ("carnet.example", 5, 0)
    assert (made.login_rate, made.pepper_file) == ("1 per day", Path("/run/pepper"))
    assert ServerConfig.from_environ({}, tmp_path, host="a:1").pepper_file == tmp_path / "pepper"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TEMOIN_HOST", "Carnet.example"), ("TEMOIN_HOST", "https://carnet.example"), ("TEMOIN_HOST", "é.example"),
        ("TEMOIN_HOST", "carnet example"), ("TEMOIN_HOST", "carnet.example:443"), ("TEMOIN_HOST", "carnet.example:"),
        ("TEMOIN_HOST", "::1"), ("TEMOIN_ORIGIN", "carnet one"), ("TEMOIN_ORIGIN", "carnet+1"),
        ("TEMOIN_ORIGIN", "x" * 101), ("TEMOIN_SITE_TITLE", "\udce9t\udce9"), ("TEMOIN_OPERATOR", "Chez \udce9milie"),
        ("TEMOIN_EXIT_URL", "https://\udce9.example/"), ("TEMOIN_EXIT_URL", "https://a.example/ b"),
        ("TEMOIN_EXIT_URL", "http://"), ("TEMOIN_SITE_TITLE", "a\nb"),
        ("TEMOIN_QUOTA", "20 GiB"), ("TEMOIN_QUOTA", "-1"), ("TEMOIN_CHECKPOINT_INTERVAL", "²"),
    ],
)  # fmt: skip
def test_settings_that_can_not_be_are_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigRefused) as caught:
        ServerConfig.from_environ({name: value}, tmp_path, host="a")
    assert name in caught.value.detail
    assert value not in caught.value.detail


@pytest.mark.parametrize("host", ["", "carnet.example", "carnet.example:8443", "10.0.0.7", "[fd00::7]", "[::1]:8000"])
def test_what_a_host_may_be(tmp_path: Path, host: str) -> None:
    assert ServerConfig.from_environ({"TEMOIN_HOST": host}, tmp_path).host == host


def test_a_name_that_no_ledger_can_have_leaves_no_half_a_vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMOIN_ORIGIN", "carnet one")
    ended = call("init", tmp_path / "data")
    assert (ended.exit_code, "TEMOIN_ORIGIN" in ended.output) == (1, True), ended.output
    assert not (tmp_path / "data").exists()


# collection

def test_a_collection_that_fails_does_not_keep_the_others_from_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []

    def refused(_: object) -> None:
        raise Refusal("unavailable")

    def broken(_: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(server.cli, "COLLECTIONS", (refused, broken, lambda _: ran.append("last")))
    with fake_vault(tmp_path) as vault:
        collect(vault.parts)
    assert ran == ["last"]
    assert "secret" not in caplog.text


def test_every_collection_runs_on_a_real_vault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with fake_vault(tmp_path) as vault:
        check_collect(vault)
    assert caplog.text == ""


def check_collect(vault: FakeVault) -> None:
    vault.clock.advance(40 * 86_400)
    collect(vault.parts)


# blobs in a bucket

S3 = {
    "TEMOIN_STORE": "s3://vault-blobs/first/part/",
    "TEMOIN_S3_ENDPOINT": "https://s3.example:9000/",
    "TEMOIN_S3_KEY_ID": "key",
    "TEMOIN_S3_SECRET": "a secret of its own",
}


def test_the_settings_of_a_bucket(tmp_path: Path) -> None:
    assert ServerConfig.from_environ({}, tmp_path).s3 is None
    read = ServerConfig.from_environ(S3, tmp_path).s3
    assert read is not None
    assert (read.bucket, read.prefix, read.endpoint) == ("vault-blobs", "first/part/", "https://s3.example:9000")
    assert (read.region, read.key_id, read.secret) == ("us-east-1", "key", "a secret of its own")
    assert "a secret of its own" not in repr(ServerConfig.from_environ(S3, tmp_path))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TEMOIN_STORE", "vault-blobs"),
        ("TEMOIN_STORE", "s3://"),
        ("TEMOIN_STORE", "s3://Vault_Blobs"),
        ("TEMOIN_STORE", "s3://vault-blobs/a b"),
        ("TEMOIN_STORE", "s3://vault-blobs/../other"),
        ("TEMOIN_S3_ENDPOINT", "s3.example"),
        ("TEMOIN_S3_ENDPOINT", "https://s3.example/path"),
        ("TEMOIN_S3_ENDPOINT", "https://key:secret@s3.example"),
        ("TEMOIN_S3_KEY_ID", ""),
        ("TEMOIN_S3_SECRET", ""),
        ("TEMOIN_S3_SECRET_FILE", "both"),
    ],
)
def test_a_bucket_that_cannot_be_meant(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        ServerConfig.from_environ(S3 | {variable: value}, tmp_path)
    assert variable.removesuffix("_FILE") in refused.value.detail
    assert "secret@" not in refused.value.detail
