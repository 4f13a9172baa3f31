"""`temoin audit` over a socket: a ledger as plain files, followed, copied, told about; and a vault's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import httpx
import pytest

from bench.following import ENTRIES, MEMORY, follow
from bench.measure import seconds_of
from client_sdk.following.follower import Follower
from client_sdk.following.mirror import STATE, Mirror
from client_sdk.home import Home, Pin
from client_sdk.published import PublishedFiles
from crypto_core.receipts.note import SignerKey, format_vkey
from crypto_core.receipts.policy import Policy
from schemas import outputs
from tests.fakes.cli_client import Terminal
from tests.fakes.ledgers import VKEY, serving_files, write_ledger
from tests.fakes.vault import FakeVault
from tests.fakes.wire import FakeWire

SIZE = 256 * 40


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal.on(tmp_path / "home", monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_ledger(tmp_path / "files", SIZE)
    return tmp_path / "files"


def forked(folder: Path) -> None:
    """Puts a longer history of the same key in the place of the one that is served."""
    shutil.rmtree(folder / "tile")
    write_ledger(folder, SIZE + 256, every=99)


def test_a_ledger_is_followed_for_people_and_for_programs(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    with serving_files(folder) as url:
        words = ("audit", "follow", url, "--state", tmp_path / "state", "--once")
        assert (refused := terminal.run(*words)).exit_code == 1 and "policy_needed" in refused.stderr
        first = terminal.run(*words, "--vkey", VKEY)
        assert first.exit_code == 0, first.stderr
        assert f"{SIZE} entries" in first.stdout and "each at its place" in first.stdout
        again = terminal.run(*words, "--json")
    look = outputs.AuditLook().load(json.loads(again.stdout))
    assert (again.exit_code, look["event"], look["size"], look["read"]) == (0, "same note", SIZE, 0)
    assert (look["found"], look["quorum"], look["walked"], look["uncompared"]) == ([], None, SIZE, 0)


def test_a_fork_ends_with_one_and_the_report_keeps_it(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    state, honest = tmp_path / "state", (folder / "checkpoint").read_bytes()
    with serving_files(folder) as url:
        words = ("audit", "follow", url, "--state", state)
        assert terminal.run(*words, "--once", "--vkey", VKEY).exit_code == 0
        forked(folder)
        for ended in (terminal.run(*words), terminal.run(*words, "--json")):
            assert ended.exit_code == 1 and "ledger_forked" in ended.output
    told = json.loads(terminal.run("audit", "report", "--state", state, "--json").stdout)
    (finding,) = told["findings"]
    kept = {(state / "evidence" / name).read_bytes() for name in finding["evidence"]}
    assert (finding["code"], kept) == ("ledger_forked", {honest, (folder / "checkpoint").read_bytes()})
    assert "ledger_forked" in terminal.run("audit", "report", "--state", state).stdout


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_follower_that_is_stopped_has_found_nothing(
    terminal: Terminal, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: tuple[str, ...]
) -> None:
    def press_ctrl_c(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("client_sdk.cli.audit.time.sleep", press_ctrl_c)
    with serving_files(folder) as url:
        ended = terminal.run("audit", "follow", url, "--state", tmp_path / "state", "--vkey", VKEY, *as_json)
    assert (ended.exit_code, "stopped" in ended.stderr, "Traceback" in ended.stderr) == (130, True, False)
    assert str(SIZE) in ended.stdout


def test_a_note_of_somebody_who_is_ahead_waits_and_is_told(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    ahead = tmp_path / "ahead"
    write_ledger(ahead, SIZE + 256)
    words = ("audit", "follow", "--state", tmp_path / "state", "--once", "--vkey", VKEY)
    with serving_files(folder) as url:
        told = terminal.run(*words, url, "--also", ahead / "checkpoint")
    assert told.exit_code == 0 and "Not compared yet, for want of tiles: 1" in told.stderr
    with serving_files(ahead) as url:
        later = terminal.run(*words, url, "--late", 10**9)  # what comes is a year old
    assert later.exit_code == 0 and "Not compared" not in later.stderr


def test_a_copy_is_served_and_followed(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with serving_files(folder) as url:
        made = terminal.run("audit", "mirror", url, copy, "--vkey", VKEY, "--json")
    assert made.exit_code == 0, made.stderr
    assert json.loads(made.stdout)["read"] == SIZE
    for path in (one for one in folder.rglob("*") if one.is_file()):
        assert (copy / path.relative_to(folder)).read_bytes() == path.read_bytes()
    with serving_files(copy) as url:
        followed = terminal.run("audit", "follow", url, "--state", tmp_path / "state", "--once", "--vkey", VKEY)
    assert followed.exit_code == 0, followed.stderr


def test_a_vaults_own_address_is_enough_and_so_is_having_met_its_ledger(
    terminal: Terminal, tmp_path: Path
) -> None:
    write_ledger(tmp_path / "vault" / "ledger", SIZE)
    directory = format_vkey(SignerKey("directory.example", b"\x02" * 32).verifier)
    with serving_files(tmp_path / "vault") as url:
        unmet = terminal.run("audit", "follow", url, "--state", tmp_path / "state", "--once")
        assert unmet.exit_code == 1 and "policy_needed" in unmet.stderr
        Home(terminal.home).pin("vault.example", Pin(bytes(16), VKEY, directory))
        for words in (("follow", url, "--state", tmp_path / "state", "--once"), ("mirror", url, tmp_path / "copy")):
            ended = terminal.run("audit", *words, "--json")
            assert ended.exit_code == 0, ended.stderr
            assert json.loads(ended.stdout)["read"] == SIZE


def test_an_address_without_a_ledger_is_told_as_such(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    words = ("audit", "follow", "--state", tmp_path / "state", "--once", "--vkey", VKEY, "--json")
    with serving_files(tmp_path / "empty") as url:
        ended = terminal.run(*words, url)
    told = json.loads(ended.stderr)
    assert (ended.exit_code, told["code"]) == (3, "server") and "no ledger at this address" in told["sentence"]


def test_the_report_in_words_and_in_json(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    nothing = terminal.run("audit", "report", "--state", state)
    assert nothing.exit_code == 1 and "nothing_followed" in nothing.stderr
    with serving_files(folder) as url:
        terminal.run("audit", "follow", url, "--state", state, "--once", "--vkey", VKEY)
    words = terminal.run("audit", "report", "--state", state)
    assert words.exit_code == 0
    for said in ("Nothing was found", "Proven", "Not proven", f"{SIZE}, of which {SIZE} were read"):
        assert said in words.stdout
    told = outputs.AuditReport().load(json.loads(terminal.run("audit", "report", "--state", state, "--json").stdout))
    assert (told["walked"], told["looks"], told["findings"]) == (SIZE, 1, [])
    assert all(sentence in " ".join(words.stdout.split()) for sentence in (*told["proven"], *told["not_proven"]))


@pytest.mark.parametrize("words", [
    ("https://ledger.example?x=1", "--vkey", VKEY), ("http://ledger.example/ledger", "--vkey", VKEY),
    ("https://ledger.example/ledger", "--vkey", "no key"),
])
def test_what_was_not_given_rightly_is_said_before_anything_is_fetched(
    terminal: Terminal, tmp_path: Path, words: tuple[str, ...]
) -> None:
    ended = terminal.run("audit", "follow", *words, "--state", tmp_path / "state", "--once")
    assert ended.exit_code == 1 and not (tmp_path / "state").exists()


def test_a_vaults_own_ledger_is_followed_and_its_copy_is_what_it_serves(vault: FakeVault, tmp_path: Path) -> None:
    ledger = vault.parts.ledger
    ledger.commit(lambda _session, enter: enter([(bytes([n % 251]) * 32, 9) for n in range(600)]))
    address = "http://127.0.0.1"
    files = PublishedFiles(f"{address}/ledger", wire=FakeWire(address, httpx.WSGITransport(vault.app)))
    policy = Policy.for_key(format_vkey(ledger.signer.verifier))
    copy = tmp_path / "copy"
    look = Follower(copy / STATE, "", files, vault.clock.now, policy, sink=Mirror(copy)).look()
    assert (look.found, look.read) == ((), 600)
    for path in (one for one in copy.rglob("*") if one.is_file() and STATE not in one.parts):
        assert files.read(path.relative_to(copy).as_posix(), 10**9) == path.read_bytes()


@pytest.mark.soak
@pytest.mark.alone
def test_a_million_entries_are_followed_fast_and_in_little_memory(tmp_path: Path) -> None:
    write_ledger(tmp_path / "files", ENTRIES)
    peaks = list[int]()
    with serving_files(tmp_path / "files") as url:
        took = seconds_of(lambda: peaks.append(follow(url, tmp_path / "state", ENTRIES)))
    assert ENTRIES / took >= 200_000 and max(peaks) < MEMORY
