"""`temoin recover` and `temoin stop-recovery`: what is said while it waits, and that no sheet of words is lost."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from client_sdk.cli import account
from client_sdk.cli.failures import exit_code
from client_sdk.errors import NetworkError, Refused, SdkError, ServerFault
from client_sdk.items import NextWait, Recovering, RecoveryWait
from schemas import outputs
from tests.fakes.cli_client import NOW, PASSWORD, PIN, USER, WORDS, Terminal

SHEET = "bridge siege burger and so on"
DUE = NOW + 3 * 86_400


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    places = itertools.cycle(range(24))
    monkeypatch.setattr(account, "make_bytes", lambda size: bytes([next(places) not in (2, 21)]) * size)
    for name, value in (("RECOVERY_WORDS", SHEET), ("NEW_PASSWORD", "un bateau sur le lac"), ("NEW_PIN", "739154")):
        monkeypatch.setenv(f"TEMOIN_{name}", value)
    return Terminal.on(tmp_path / "home", monkeypatch)


def test_words_that_have_to_wait_change_nothing_and_say_until_when(terminal: Terminal) -> None:
    ended = terminal.run("recover", USER)
    assert ended.exit_code == 0
    assert "2025-06-18" in ended.stdout and "within a week" in ended.stdout
    assert "can stop it" in ended.stderr
    assert terminal.fake.called("show_recovery") == [(SHEET,)]
    assert terminal.fake.called("make_recovered") == []
    said = outputs.Recovered().load(json.loads(terminal.run("recover", USER, "--json").stdout))
    assert said == {"recovered": False, "begun": NOW, "due": DUE, "recovery": None}


def test_words_that_are_due_ask_for_everything_new_and_the_new_words_back(terminal: Terminal) -> None:
    terminal.fake.is_due = True
    ended = terminal.run("recover", USER, "--words", "french", input="wordc\nwordv\n")
    assert ended.exit_code == 0
    assert terminal.fake.called("make_recovered") == [(USER, PASSWORD, PIN, "french")]
    assert len(terminal.fake.called("recover")) == 1
    assert "You are back in" in ended.stdout and SHEET not in ended.output
    said = json.loads(terminal.run("recover", USER, "--json", input="wordc\nwordv\n").stdout)
    assert (said["recovered"], said["recovery"]) == (True, WORDS)


@pytest.mark.parametrize("typed", ["worda\nworda\nworda\nwordc\nwordv\n", ""])
def test_new_words_that_are_on_no_paper_change_nothing(terminal: Terminal, typed: str) -> None:
    terminal.fake.is_due = True
    ended = terminal.run("recover", USER, input=typed)
    assert ended.exit_code == (1 if typed else 2)
    assert "nothing was made or changed" in ended.stderr
    assert ("worda" in ended.output) == bool(typed)
    assert terminal.fake.called("recover") == []


def test_the_new_words_go_into_a_file_of_ones_own(terminal: Terminal, tmp_path: Path) -> None:
    terminal.fake.is_due = True
    file = tmp_path / "words.txt"
    ended = terminal.run("recover", USER, "--recovery-out", file, "--json")
    assert (ended.exit_code, json.loads(ended.stdout)["recovery"]) == (0, None)
    assert (file.read_text(), file.stat().st_mode & 0o777) == (f"{WORDS}\n", 0o600)
    assert terminal.run("recover", USER, "--recovery-out", file).exit_code == 1
    assert file.read_text() == f"{WORDS}\n"


@pytest.mark.parametrize(
    ("failure", "kept"),
    [
        (NetworkError(), True), (ServerFault(), True), (Refused("unavailable", 503, "Try again."), True),
        (Refused("account_exists", 409, "Choose another."), False), (Refused("recovery_over", 410, "Over."), False),
    ],
)
def test_words_that_may_open_stay_and_others_do_not(
    terminal: Terminal, tmp_path: Path, failure: SdkError, kept: bool
) -> None:
    terminal.fake.is_due, terminal.fake.failures["recover"] = True, failure
    file = tmp_path / "words.txt"
    ended = terminal.run("recover", USER, "--recovery-out", file)
    assert (ended.exit_code, file.exists()) == (exit_code(failure), kept)
    assert ("both sheets" in ended.stderr.replace("\n", " ")) == kept


def test_every_opening_tells_whoever_is_logged_in(terminal: Terminal) -> None:
    terminal.fake.recovering = Recovering(NOW, DUE)
    assert "stop-recovery" in terminal.run("login-check", USER).stderr
    told = terminal.run("journal", "list", USER).stderr
    assert "2025-06-18" in told and "temoin stop-recovery" in told
    stopped = terminal.run("stop-recovery", USER)
    assert (stopped.exit_code, stopped.stdout.split()[0]) == (0, "Stopped.")
    assert terminal.fake.called("stop_recovery") == [(PASSWORD, PIN)]


def test_nobody_is_told_that_somebody_was_stopped_who_never_began(terminal: Terminal) -> None:
    ended = terminal.run("stop-recovery", USER)
    assert ended.exit_code == 0 and "there was nothing to stop" in " ".join(ended.stdout.split())
    assert terminal.fake.called("stop_recovery"), "somebody may have begun since it was looked at"


def test_how_long_the_words_wait_is_shown_and_chosen_with_both_secrets(terminal: Terminal) -> None:
    shown = terminal.run("recovery-wait", USER)
    assert (shown.exit_code, terminal.fake.called("set_recovery_wait")) == (0, [])
    assert "words: 3 days." in shown.stdout
    assert "words: 14 days." in terminal.run("recovery-wait", USER, "--days", "14").stdout
    assert terminal.fake.called("set_recovery_wait") == [(PASSWORD, PIN, 14 * 86_400)]
    said = json.loads(terminal.run("recovery-wait", USER, "--days", "0", "--json").stdout)
    assert outputs.RecoveryWait().load(said) == {"wait": 0, "next": None}


@pytest.mark.parametrize("days", ["31", "-1", "2.5"])
def test_a_waiting_time_that_can_not_be_is_refused_before_anything_is_asked(terminal: Terminal, days: str) -> None:
    ended = terminal.run("recovery-wait", USER, "--days", days)
    assert (ended.exit_code, terminal.fake.called("log_in")) == (2, [])
    assert "--days" in ended.stderr


def test_no_waiting_time_says_what_it_means(terminal: Terminal) -> None:
    ended = terminal.run("recovery-wait", USER, "--days", "0")
    assert "words: no wait." in ended.stdout and "nobody is told before" in ended.stderr.replace("\n", " ")


def test_every_opening_tells_of_a_waiting_time_that_was_shortened(terminal: Terminal) -> None:
    terminal.fake.wait = RecoveryWait(14 * 86_400, NextWait(0, DUE))
    told = terminal.run("journal", "list", USER).stderr.replace("\n", " ")
    assert "From 2025-06-18" in told and "open sooner (no wait)" in told
    assert "--days 14," in told and "--new-words" in told
    assert "From 2025-06-18" in terminal.run("recovery-wait", USER).stdout
    terminal.fake.wait = RecoveryWait(0, None)
    assert "recovery words" not in terminal.run("journal", "list", USER).stderr


def test_a_vault_that_lets_nobody_choose_says_so(terminal: Terminal) -> None:
    terminal.fake.wait = None
    assert terminal.run("journal", "list", USER).exit_code == 0
    ended = terminal.run("recovery-wait", USER)
    assert ended.exit_code != 0 and "too old to let you choose" in ended.stderr.replace("\n", " ")


def test_new_words_may_be_had_without_losing_anything(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    assert terminal.run("change", USER).exit_code == 0
    assert terminal.run("change", USER, "--new-words", input="wordc\nwordv\n").exit_code == 0
    ended = terminal.run("change", USER, "--new-words", "--words", "french", "--recovery-out", file)
    assert (ended.exit_code, file.read_text()) == (0, f"{WORDS}\n")
    assert "old recovery words open nothing" in ended.stdout.replace("\n", " ")
    assert terminal.fake.called("make_words") == [("english",), ("french",)]
    given = [words for *_, words in terminal.fake.called("change_credentials")]
    assert [one is not None for one in given] == [False, True, True]


def test_new_words_that_are_on_no_paper_change_no_credentials(terminal: Terminal, tmp_path: Path) -> None:
    ended = terminal.run("change", USER, "--new-words", input="")
    assert (ended.exit_code, terminal.fake.called("change_credentials")) == (2, [])
    assert "worda" not in ended.output
    assert terminal.run("change", USER, "--recovery-out", tmp_path / "words.txt").exit_code == 2
    (tmp_path / "mine").write_text("mine")
    ended = terminal.run("change", USER, "--new-words", "--recovery-out", tmp_path / "mine")
    assert (ended.exit_code, (tmp_path / "mine").read_text()) == (1, "mine")
    terminal.fake.failures["change_credentials"] = NetworkError()
    ended = terminal.run("change", USER, "--new-words", "--recovery-out", tmp_path / "new")
    assert (ended.exit_code, (tmp_path / "new").exists(), "both sheets" in ended.stderr) == (3, True, True)
