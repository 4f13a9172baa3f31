"""What several commands are given: the last day, by the clocks of where the person is; ids; which secrets are read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import click
import pytest
from click.testing import CliRunner

from client_sdk.cli import temoin
from client_sdk.cli.options import until_option
from server.cli import main as temoin_server


@click.command()
@until_option
def tell(expires: int) -> None:
    click.echo(str(expires))


def told(*arguments: str) -> int:
    return int(CliRunner().invoke(tell, arguments, catch_exceptions=False).output)


@pytest.fixture
def paris(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")  # no list of the world's zones is needed
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("day", "last_second"),
    [
        ("2027-01-15", "2027-01-15T23:59:59+01:00"), ("2027-07-15", "2027-07-15T23:59:59+02:00"),
        pytest.param("2027-03-28", "2027-03-28T23:59:59+02:00", id="the clocks go forward"),
        pytest.param("2027-10-31", "2027-10-31T23:59:59+01:00", id="the clocks go back"),
    ],
)
def test_a_day_ends_by_the_clocks_of_its_evening(paris: None, day: str, last_second: str) -> None:
    assert told("--until", day) == datetime.fromisoformat(last_second).timestamp()


def test_without_a_day_it_is_the_end_of_the_thirtieth_from_now() -> None:
    before = datetime.now()
    ends = datetime.fromtimestamp(told())
    assert (ends.hour, ends.minute, ends.second) == (23, 59, 59)
    assert ends.date() in {(now + timedelta(days=30)).date() for now in (before, datetime.now())}


def commands(group: click.Command, *name: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(group, click.Group):
        yield " ".join(name), group
        return
    for word, one in group.commands.items():
        yield from commands(one, *name, word)


OFFLINE = ("verify", "verify-pack", "audit", "witness")
ALL = dict(commands(temoin))
ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)


WRITTEN = [(name, option.opts[0]) for name, one in ALL.items() for option in one.params
           if {"-o", "--recovery-out", "--words-out"} & {*option.opts} and name != "documents get"]


@pytest.mark.parametrize(("name", "option"), WRITTEN)
def test_nothing_readable_gets_a_dash_for_its_name(name: str, option: str) -> None:
    """To whoever gives one it is standard output. Only `documents get` has that."""
    with pytest.raises(click.BadParameter, match="not to standard output"):
        ALL[name].make_context(name, [option, "-", *["1" * 32] * 3], resilient_parsing=False, allow_extra_args=True)


def create(*words: str) -> click.Context:
    return ALL["share create"].make_context("temoin share create", list(words))


@pytest.mark.parametrize(
    "words",
    [
        ("ana", "--link", "--items", ONE, TWO, THREE), ("ana", "--items", ONE, TWO, THREE, "--link"),
        ("ana", "--link", "--items", ONE, "--items", TWO, "--items", THREE),
    ],
)
def test_ids_follow_one_another_or_each_its_option(words: tuple[str, ...]) -> None:
    given = create(*words).params
    assert [one.hex() for one in (*given["items"], *given["more"])] == [ONE, TWO, THREE]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ana", "--link", "--items", ONE, "four"), "the ids of items, 32 hexadecimal digits each"),
        (("ana", "--items", ONE, TWO[1:], "--link"), "the ids of items, 32 hexadecimal digits each"),
        (("--link", "--items", ONE, TWO, "ana"), "After USER stand only options"),
        (("ana", ONE, "--link"), "Missing option '--items'"),
    ],
)
def test_a_stray_word_is_refused(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        create(*words)
    assert said in refused.value.format_message()


@pytest.mark.parametrize("name", [name for name in ALL if name.split()[0] in OFFLINE])
def test_who_speaks_with_no_vault_is_shown_no_option_for_one(name: str) -> None:
    shown = CliRunner().invoke(temoin, [*name.split(), "--help"]).stdout
    assert "--server" not in shown and "--secrets-fd" not in shown


@pytest.mark.parametrize("name", ["verify", "verify-pack"])
def test_a_script_may_give_every_command_the_same_options(name: str) -> None:
    given = ["--server", "http://127.0.0.1:1", "--secrets-fd", "9", "nothing-here", "--json"]
    assert "nothing-here" in CliRunner().invoke(temoin, [name, *given]).stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("open-link", "Read the link, then its code"), ("box deposit", "Read the address"),
        ("change", "Read password, PIN, new password and new PIN"), ("journal list", "Read password and PIN"),
        ("pro inbox", "Read the user name where it isn't given"),
    ],
)
def test_the_help_says_which_secrets_are_read(name: str, said: str) -> None:
    shown = CliRunner().invoke(temoin, [*name.split(), "--help"]).stdout
    assert said in " ".join(shown.split())


def options_of(command: click.Command, path: str) -> Iterator[tuple[str, click.Option]]:
    """Those that the help shows, of a command and all below it."""
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        yield from options_of(each, f"{path} {each.name}")
    yield from ((path, one) for one in command.params if isinstance(one, click.Option) and not one.hidden)


@pytest.mark.parametrize(("program", "least"), [(temoin, 100), (temoin_server, 20)])
def test_each_option_says_what_it_is_and_a_place_to_write_to_has_one_name(program: click.Group, least: int) -> None:
    found = list(options_of(program, str(program.name)))
    assert len(found) > least
    assert [(path, one.opts) for path, one in found if not one.help] == []
    assert [(path, one.opts) for path, one in found if "-o" in one.opts and "--output" not in one.opts] == []
