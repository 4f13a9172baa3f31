"""How commands end: exit codes, one sentence and a code, JSON on request, and never a traceback."""

from __future__ import annotations

import json
import sqlite3
import time
from datetime import datetime
from pathlib import Path

import click
import pytest

from client_sdk import errors
from client_sdk.cli.failures import failure_of
from client_sdk.items import Opening
from crypto_core import errors as core
from schemas import outputs
from schemas.problems import PROBLEMS
from tests.fakes.cli_client import NOW, USER, Terminal

SECRET = "the cellar key is under the third stone"


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal.on(tmp_path, monkeypatch)


def refusal(code: str, retry_after: int | None = None) -> errors.Refused:
    kind = PROBLEMS[code]
    return errors.Refused(code, kind.status, kind.sentence, retry_after)


@pytest.mark.parametrize(
    ("error", "ends_with"),
    [
        (refusal("login_refused"), 1),
        (refusal("pin_locked", 300), 1),
        (refusal("pin_closed"), 1),
        (refusal("rate_limited", 60), 1),
        (refusal("revision_conflict"), 1),
        (refusal("quota_full"), 1),
        (refusal("storage_full"), 3),
        (refusal("unavailable"), 3),
        (refusal("limiter_unavailable"), 3),
        (errors.NetworkError(), 3),
        (errors.ServerFault(), 3),
        (errors.ItemUnknown(), 1),
        (errors.Untrusted(), 1),
        (errors.VaultChanged(), 1),
        (core.TamperedError(), 1),
        (core.SecretRefused("the PIN has digits only"), 1),
        (core.ReceiptSignature(), 1),
        (core.ReceiptKeyUnknown(), 4),
        (core.ReceiptQuorumMissing(), 4),
        (OSError(28, "No space left on device", "/some/path"), 1),
        (sqlite3.OperationalError("database or disk is full"), 1),
        (sqlite3.DatabaseError("file is not a database"), 1),
        (sqlite3.IntegrityError("UNIQUE constraint failed"), 3),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (RuntimeError(SECRET), 3),
        (click.UsageError("Say which"), 2),
    ],
)
def test_each_failure_has_its_exit_code(terminal: Terminal, error: BaseException, ends_with: int) -> None:
    terminal.fake.failures["items"] = error
    told = [terminal.run("journal", "list", USER, *more) for more in ((), ("--json",))]
    for ended in told:
        assert ended.exit_code == ends_with
        assert ended.stdout == ""
        assert "Traceback" not in ended.stderr and SECRET not in ended.stderr and "/some/path" not in ended.stderr
    shape = outputs.Failure if failure_of(error).retry_after is None else outputs.PassingFailure
    assert shape().load(json.loads(told[1].stderr))["code"] == failure_of(error).code
    assert len(terminal.fake.called("lock")) == 2


def test_a_person_reads_one_sentence_the_code_and_how_long_to_wait(terminal: Terminal) -> None:
    terminal.fake.failures["log_in"] = refusal("pin_locked", 301)
    ended = terminal.run("journal", "list", USER)
    sentence, wait, *_ = ended.stderr.splitlines()
    assert sentence == f"{PROBLEMS['pin_locked'].sentence} (pin_locked)"
    assert wait == "Wait 6 minutes."


def test_a_long_wait_ends_at_a_time_on_this_devices_clock(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = NOW - NOW % 60
    monkeypatch.setattr(time, "time", lambda: now + 0.4)
    terminal.fake.failures["log_in"] = refusal("rate_limited", 6 * 3600 + 1)
    sentence, wait, *_ = terminal.run("journal", "list", USER).stderr.splitlines()
    assert "somebody else" in sentence and "Nothing is lost" in sentence and "another network" in sentence
    assert wait == f"Wait 7 hours, until {datetime.fromtimestamp(now + 6 * 3600).strftime('%Y-%m-%d %H:%M')}."


def test_a_script_is_told_as_well_how_long_to_wait(terminal: Terminal) -> None:
    terminal.fake.failures["log_in"] = refusal("rate_limited", 44)
    told = json.loads(terminal.run("journal", "list", USER, "--json").stderr)
    assert (told["code"], told["retry_after"]) == ("rate_limited", 44)


def test_the_rule_that_was_broken_is_named(terminal: Terminal) -> None:
    terminal.fake.failures["write_entry"] = errors.ValueRefused("place: longer than 500 characters")
    assert "place: longer than 500 characters" in terminal.run("journal", "add", USER, "--text", "x").stderr


def test_an_entry_is_not_said_to_wait_when_nothing_was_sealed(terminal: Terminal) -> None:
    words = ("journal", "add", USER, "--text", "x")
    terminal.fake.failures["log_in"] = errors.NetworkError()
    unopened = terminal.run(*words)
    assert (unopened.exit_code, "nothing was done" in unopened.stderr) == (3, True)
    assert "(network)" in unopened.stderr
    terminal.fake.failures = {"write_entry": errors.NetworkError()}
    cut = terminal.run(*words)
    assert (cut.exit_code, "sent at the next opening" in cut.stderr) == (3, True)


ENTRY = ("journal", "add", USER, "--text", "x")
WAITS, LOOK, NOTHING = "sent at the next opening", "look at what is there", "nothing was done"


@pytest.mark.parametrize(
    ("words", "cut_at", "told"),
    [
        (ENTRY, "write_entry", WAITS), ((*ENTRY, "--attach", __file__), "write_entry", LOOK),
        (("journal", "delete", USER, "01" * 16), "delete_item", WAITS),
        (("documents", "add", USER, __file__), "add_document", LOOK), (("journal", "list", USER), "items", LOOK),
        (("register", USER, "--recovery-out", "words.txt"), "make_account", NOTHING),
        (("register", USER, "--recovery-out", "words.txt"), "register", LOOK),
    ],
)
def test_nothing_is_promised_that_does_not_wait_on_this_device(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], cut_at: str, told: str
) -> None:
    monkeypatch.chdir(terminal.home)
    terminal.fake.add()
    terminal.fake.failures[cut_at] = errors.NetworkError()
    ended = terminal.run(*words)
    assert (ended.exit_code, "(network)" in ended.stderr) == (3, True)
    assert [one for one in (WAITS, LOOK, NOTHING) if one in ended.stderr] == [told]


def test_a_name_that_is_empty_is_asked_for_nowhere_else(terminal: Terminal) -> None:
    terminal.run("journal", "list", "", TEMOIN_USER="somebody else")
    assert [call[0] for call in terminal.fake.called("log_in")] == [""]


@pytest.mark.parametrize("words", [(), ("journal",)])
def test_a_command_alone_shows_how_it_is_used(terminal: Terminal, words: tuple[str, ...]) -> None:
    ended = terminal.run(*words)
    assert ended.exit_code == 2
    assert "Commands:" in ended.stderr


@pytest.mark.parametrize(
    ("help", "rest"),
    [
        ("temoin", ("nonsense",)),
        ("temoin", ("--nonsense", "journal", "list", USER)),
        ("temoin journal", ("nonsense",)),
        ("temoin journal show", (USER,)),
        ("temoin journal show", (USER, "12345")),
        ("temoin journal list", (USER, "--nonsense")),
        ("temoin journal add", (USER,)),  # told by the command itself
        ("temoin journal add", (USER, "--text", "x", "--danger", "11")),
        ("temoin journal add", (USER, "--text", "x", "--happened", " ")),
        ("temoin journal add", (USER, "--text", "x", "--attach", "/nowhere/at all")),
        ("temoin journal add", (USER, "--fields", __file__)),
        ("temoin documents get", (USER, "0" * 32, "--range", "9:3")),
        ("temoin documents get", (USER, "0" * 32, "--range", "3")),
        ("temoin share create", (USER, "--items", "0" * 32)),
        ("temoin verify", (__file__,)),
    ],
)
def test_a_command_not_rightly_given_ends_with_2_asks_nobody_and_names_its_own_help(
    terminal: Terminal, help: str, rest: tuple[str, ...]
) -> None:
    words = (*help.split()[1:], *rest)
    ended = terminal.run(*words)
    assert ended.exit_code == 2
    assert "(usage)" in ended.stderr
    assert ended.stderr.endswith(f"`{help} --help` shows how it is used.\n")
    assert terminal.fake.calls == []
    assert json.loads(terminal.run(*words, "--json").stderr)["code"] == "usage"


def test_the_vault_has_to_be_named(terminal: Terminal) -> None:
    ended = terminal.run("journal", "list", USER, TEMOIN_SERVER=None)
    assert ended.exit_code == 2
    assert "TEMOIN_SERVER" in ended.stderr


def test_each_opening_tells_of_wrong_pins_and_warnings(terminal: Terminal) -> None:
    terminal.fake.opening = Opening(NOW, 3, 12, True, (errors.ItemsMissing(),), 2)
    ended = terminal.run("journal", "list", USER)
    assert ended.exit_code == 0
    for told in ("3 wrong PINs were tried", "longer PIN", "items_missing", "2 sealed on this device"):
        assert told in ended.stderr
    assert terminal.run("journal", "list", USER, "--json").stderr == ""


def test_options_stand_before_or_after_the_arguments(terminal: Terminal) -> None:
    for words in (("journal", "list", "--json", USER), ("journal", "list", USER, "--json")):
        ended = terminal.run(*words, "--server", "http://127.0.0.1:7", TEMOIN_SERVER=None)
        assert json.loads(ended.stdout) == []
    assert {call[0] for call in terminal.fake.called("connect")} == {"http://127.0.0.1:7"}
