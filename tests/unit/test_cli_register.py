"""`temoin register`: an account is made only when its recovery words are safe; `login-check` says what was tried."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest

from client_sdk.cli import account, secrets
from client_sdk.cli.failures import exit_code
from client_sdk.errors import NetworkError, Refused, SdkError, ServerFault
from client_sdk.items import Opening
from schemas import outputs
from tests.fakes.cli_client import NOW, PASSWORD, PIN, USER, WORDS, Terminal


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    places = itertools.cycle(range(24))
    monkeypatch.setattr(account, "make_bytes", lambda size: bytes([next(places) not in (2, 21)]) * size)
    return Terminal.on(tmp_path / "home", monkeypatch)


def test_the_words_are_shown_and_two_of_them_asked_back(terminal: Terminal) -> None:
    ended = terminal.run("register", USER, input="wordc\n WORDV \n")
    assert ended.exit_code == 0
    numbered = re.findall(r"(\d+) (word[a-x])\b", ended.stdout)
    assert numbered == [(str(place), word) for place, word in enumerate(WORDS.split(), 1)]
    assert "Word number 3" in ended.stdout and "Word number 22" in ended.stdout
    assert terminal.fake.called("make_account") == [(USER, PASSWORD, PIN, "english")]
    assert len(terminal.fake.called("register")) == 1


def test_a_slip_may_be_mended_and_a_wrong_paper_not(terminal: Terminal) -> None:
    assert terminal.run("register", USER, input="words\nwordc\nwordv\n").exit_code == 0
    ended = terminal.run("register", USER, input="worda\nworda\nworda\nwordc\nwordv\n")
    assert ended.exit_code == 1
    assert "(words_differ)" in ended.stderr
    assert len(terminal.fake.called("register")) == 1


@pytest.mark.parametrize("typed", ["", "wordc\n"])
def test_without_anybody_to_answer_no_account_is_made(terminal: Terminal, typed: str) -> None:
    ended = terminal.run("register", USER, input=typed)
    assert ended.exit_code == 2
    assert "--recovery-out" in ended.stderr
    assert ("worda" in ended.output) == bool(typed), "words were shown to nobody who could type them back"
    assert terminal.fake.called("register") == []


def test_words_that_were_shown_to_somebody_who_stopped_open_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press_ctrl_c(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(account, "_ask_back", press_ctrl_c)
    ended = terminal.run("register", USER, input="word")
    assert (ended.exit_code, "these words open nothing" in ended.stderr) == (130, True)
    told = terminal.run("register", USER, "--json", input="word").stderr.partition("paper:\n")[2]
    assert json.loads(told)["code"] == "stopped"
    assert terminal.fake.called("register") == []


def test_the_words_go_into_a_file_of_ones_own(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    ended = terminal.run("register", USER, "--recovery-out", file, "--words", "french", "--json")
    assert ended.exit_code == 0
    assert file.read_text() == f"{WORDS}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert terminal.fake.called("make_account")[0][3] == "french"
    registered = outputs.Registered().load(json.loads(ended.stdout))
    assert registered == {"account": b"\xac" * 16, "recovery": None}
    assert "worda" not in ended.output


def test_a_file_that_is_there_is_not_overwritten(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("mine")
    assert terminal.run("register", USER, "--recovery-out", file).exit_code == 1
    assert file.read_text() == "mine"
    assert terminal.fake.calls == []


def test_json_holds_the_words_when_no_file_does(terminal: Terminal) -> None:
    ended = terminal.run("register", USER, "--json", input="wordc\nwordv\n")
    assert json.loads(ended.stdout)["recovery"] == WORDS


def test_words_of_an_account_that_was_refused_are_removed(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    terminal.fake.failures["register"] = Refused("account_exists", 409, "Choose another.")
    assert terminal.run("register", USER, "--recovery-out", file).exit_code == 1
    assert not file.exists()


@pytest.mark.parametrize(
    "failure",
    [
        NetworkError(), ServerFault(), Refused("unavailable", 503, "Try again."),  # a first answer may have been lost
        Refused("rate_limited", 429, "Wait.", 60),
    ],
)
def test_words_of_an_account_that_may_exist_stay(terminal: Terminal, tmp_path: Path, failure: SdkError) -> None:
    file = tmp_path / "words.txt"
    terminal.fake.failures["register"] = failure
    ended = terminal.run("register", USER, "--recovery-out", file)
    assert ended.exit_code == exit_code(failure)
    assert file.read_text() == f"{WORDS}\n"
    assert "login-check" in ended.stderr


@pytest.mark.parametrize(
    ("password", "pin", "told"),
    [
        ("iloveyou", PIN, "too easy to guess"),
        ("short", PIN, "8 to 1024 bytes"),
        (PASSWORD, "2580", "commonest"),
        (PASSWORD, "345678", "straight sequence"),
        (PASSWORD, "1987", "year of birth"),
        (PASSWORD, "12", "4 to 12 digits"),
    ],
)
def test_what_is_guessed_first_is_refused_with_the_rule(
    terminal: Terminal, password: str, pin: str, told: str
) -> None:
    ended = terminal.run("register", USER, TEMOIN_PASSWORD=password, TEMOIN_PIN=pin)
    assert ended.exit_code == 1
    assert told in ended.stderr and "(secret_refused)" in ended.stderr
    assert terminal.fake.calls == []


def test_on_a_terminal_new_secrets_are_typed_twice(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[str] = []
    answers = [PASSWORD, PASSWORD, PIN, PIN]

    def answer(question: str, _variable: str) -> str:
        questions.append(question)
        return answers.pop(0)

    monkeypatch.setattr(secrets, "ask_hidden", answer)
    nobody = {"TEMOIN_PASSWORD": None, "TEMOIN_PIN": None}
    assert terminal.run("register", USER, input="wordc\nwordv\n", **nobody).exit_code == 0
    assert [question.count("once more") for question in questions] == [0, 1, 0, 1]
    answers += [PASSWORD, f"{PASSWORD}!"]
    ended = terminal.run("register", USER, input="wordc\nwordv\n", **nobody)
    assert ended.exit_code == 1
    assert "(secrets_differ)" in ended.stderr


def test_login_check_says_what_was_tried(terminal: Terminal) -> None:
    terminal.fake.opening = Opening(NOW, 3, 12, True)
    printed = terminal.run("login-check", USER).stdout
    assert "Wrong passwords can't be attributed" in printed and "longer PIN" in printed
    assert re.search(r"Wrong PINs since\s+3", printed)
    checked = outputs.LoginCheck().load(json.loads(terminal.run("login-check", USER, "--json").stdout))
    assert checked == {"last_opened": NOW, "wrong_pins": 3, "wrong_total": 12, "advise_change": True}


def test_a_first_opening(terminal: Terminal) -> None:
    terminal.fake.opening = Opening(None, 0, 0, False)
    assert "never before" in terminal.run("login-check", USER).stdout
    assert json.loads(terminal.run("login-check", USER, "--json").stdout)["last_opened"] is None
