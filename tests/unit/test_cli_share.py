"""What a script is told of what is shared; and what is refused before anything is sent to anybody."""

from __future__ import annotations

import errno
import json
import os
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import click
import pytest
from click.testing import CliRunner

from client_sdk.box_visit import Deposited, Given
from client_sdk.boxes import NewBox
from client_sdk.cli import temoin
from client_sdk.cli.failures import REFUSED, FileExists, failure_of
from client_sdk.cli.opened_pack import unfinished
from client_sdk.cli.output import NONE, print_rows
from client_sdk.cli.session import judging_until
from client_sdk.cli.share import _reader, _row
from client_sdk.client import Draft, VaultClient
from client_sdk.directory import Professional
from client_sdk.errors import FileChanged, Refused
from client_sdk.packs.pack import write_pack
from client_sdk.packs.check import check_pack
from client_sdk.packs.sink import open_sink
from client_sdk.packs.source import ZipSource
from client_sdk.sharing import Sharing
from crypto_core.encoding import format_b64url
from crypto_core.errors import ReceiptMalformed
from crypto_core.receipts.directory import Listing
from crypto_core.receipts.note import SignerKey, format_vkey
from crypto_core.receipts.policy import Policy
from schemas import limits, outputs
from schemas.problems import PROBLEMS
from tests.fakes.devices import PASSWORD, PIN, Device, make_device
from tests.fakes.vault import FakeVault
from tests.fakes.wrongly import DATA, seal_wrongly

NOBODY = "http://127.0.0.1:1"


@pytest.mark.usefixtures("stretched_once")
def test_a_row_names_the_items_and_what_extended_it(vault: FakeVault, laptop: Device) -> None:
    with laptop.log_in() as client:
        kept = client.write_entry(Draft("one"))
        until, made = vault.clock.now() + 86_400, list[bytes]()
        for replaced in (None, 0):
            sharing = Sharing([(kept.id, 1)], None, until, 9, replaces=None if replaced is None else made[replaced])
            one = client.shares.make(sharing)
            client.shares.send(one, client.account.confirm(PASSWORD, PIN))
            made.append(one.bundle)
        found = {one.facts["bundle"]: one for one in client.shares.list()}
    older, newer = (cast(dict[str, Any], outputs.SharedRow().dump(_row(found[one]))) for one in made)
    assert older["items"] == newer["items"] == [{"item": kept.id.hex(), "revision": 1}]
    assert (older["why"], older["replaced_by"], newer["replaced_by"]) == ("replaced", made[1].hex(), None)


@pytest.mark.usefixtures("stretched_once")
@pytest.mark.parametrize("as_json", [False, True])
def test_the_item_whose_receipt_does_not_hold_is_named_to_the_person(
    laptop: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    other = make_device(laptop.network.vault, tmp_path / "other")  # which holds no receipts
    with laptop.log_in() as client:
        kept = [client.write_entry(Draft("What happened", title=title)).id for title in ("Evening", "Morning")]
    with other.log_in() as client:
        monkeypatch.setattr("client_sdk.cli.share.opened", lambda _common, _user: nullcontext(client))
        place = f"/v1/items/{format_b64url(kept[1])}/revisions/1/receipt"
        other.network.rewrites[place] = lambda said: {**said, "receipt": f"x{said['receipt']}"}
        items, more = [one.hex() for one in kept], ["--json"] if as_json else []
        arguments = ["share", "create", "ana", "--link", "--items", *items, "--until", "2099-01-01", "--server", NOBODY]
        ended = CliRunner().invoke(temoin, [*arguments, *more], env={"TEMOIN_HOME": str(tmp_path)})
    named = f"{kept[1].hex()} revision 1"
    assert ended.exit_code == REFUSED and kept[0].hex() not in ended.stderr
    if as_json:
        failure = json.loads(ended.stderr)
        assert failure["code"] == "item_unproven" and failure["detail"].startswith(named)
        assert "Morning" not in ended.stderr
    else:
        assert f"{named}, Morning: {ReceiptMalformed.sentence}" in " ".join(ended.stderr.split())


@pytest.mark.usefixtures("stretched_once")
def test_what_waits_in_a_box_is_written_though_it_is_not_the_file_that_was_named(
    laptop: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault, place = laptop.network.vault, tmp_path / "files"
    with laptop.log_in() as client, make_device(vault, tmp_path / "other").client() as stranger:
        made = client.boxes.make(NewBox("Box", vault.clock.now() + 86_400, 3, 10_000_000))
        client.boxes.send(made, client.account.confirm(PASSWORD, PIN))
        visit, given = stranger.enter_box(made.fragment), list[Given]()
        for how in ("another sha256", "rightly"):
            content, sealed = seal_wrongly(how)
            given.append(Given(content, visit._sender.send_sealed(content.blob, sealed).receipt))
        done = visit.send(visit.make("him", "look", given))
        monkeypatch.setattr("client_sdk.cli.box.opened", lambda _common, _user: nullcontext(client))
        arguments = ["box", "show", "ana", made.box.hex(), done.deposit.hex(), "-o", str(place), "--server", NOBODY]
        ended = CliRunner().invoke(temoin, arguments, env={"TEMOIN_HOME": str(tmp_path)})
    assert (ended.exit_code, [path.read_bytes() for path in place.iterdir()]) == (REFUSED, [DATA, DATA])
    assert "(content_differs)" in ended.stderr and ended.stderr.count("not the file that was named") == 1


def listing(*names: str) -> VaultClient:
    """A client in whose directory these are, each compared."""
    listed = [
        Professional(entry, Listing(name, "", "Lyon", "lawyer", bytes([entry]) * 32, bytes([entry]) * 32), 0, "yes")
        for entry, name in enumerate(names)
    ]
    return cast(VaultClient, SimpleNamespace(professionals=SimpleNamespace(
        read=lambda: SimpleNamespace(professionals=listed)
    )))


def test_nobody_is_meant_by_no_words_even_where_one_alone_is_listed() -> None:
    assert _reader(listing("Claire Martin"), "martin", False) == 0
    for empty in ("", " ", "\t\u00a0"):
        with pytest.raises(click.UsageError, match="0 listed professionals"):
            _reader(listing("Claire Martin"), empty, False)
    with pytest.raises(click.UsageError, match="2 listed professionals"):
        _reader(listing("Claire Martin", "Paul Martin"), "martin", False)


@pytest.mark.parametrize(("words", "typed", "code"), [
    ((), "", "usage"), ((), "{}\n", None), ((), "\n", "digits_differ"), (("--digits", "{}"), "", None),
])  # fmt: skip
def test_where_nobody_types_the_digits_it_is_said_how_else_to_give_them(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], typed: str, code: str | None
) -> None:
    client, noted = listing("Claire Martin"), list[int]()
    monkeypatch.setattr(client.professionals, "note_compared", noted.append, raising=False)
    digits = client.professionals.read().professionals[0].listing.fingerprint
    monkeypatch.setattr("client_sdk.cli.pro.opened", lambda _common, _user: nullcontext(client))
    arguments = ["pro", "compare", "ana", "0", *(word.format(digits) for word in words)]
    ended = CliRunner().invoke(temoin, arguments, input=typed.format(digits))
    if code is None:
        assert (ended.exit_code, noted) == (0, [0]), ended.stderr
    else:
        assert (ended.exit_code, f"({code})" in ended.stderr, noted) == (2 if code == "usage" else REFUSED, True, [])
        assert ("give them with --digits" in ended.stderr) == (code == "usage")


@pytest.mark.parametrize("said", ["message", "message in a file", "name", "files"])
def test_a_deposit_that_no_box_takes_is_refused_before_a_file_is_sent(tmp_path: Path, said: str) -> None:
    """At an address where nobody is: what is asked first there would fail in another way."""
    photo, words = tmp_path / "photo.jpg", tmp_path / "words.txt"
    photo.write_bytes(b"photo")
    words.write_text("é" * (limits.MESSAGE + 1) + "€" * limits.MESSAGE, "utf-8")
    more = {
        "message": ["--message", "x" * (limits.MESSAGE + 1)], "message in a file": ["--message-file", str(words)],
        "name": ["--from", "x" * (limits.PERSON + 1)], "files": [str(photo)] * limits.DEPOSIT_BLOBS,
    }[said]
    arguments = ["box", "deposit", str(photo), *more, "--server", NOBODY, "--json"]
    ended = CliRunner().invoke(temoin, arguments, env={"TEMOIN_HOME": str(tmp_path), "TEMOIN_LINK": "#d"})
    failure = json.loads(ended.stderr)
    assert (ended.exit_code, failure["code"]) == (2, "usage") and "One deposit takes" in failure["sentence"]
    assert {path.name for path in tmp_path.iterdir()} == {"photo.jpg", "words.txt"}


def test_the_longest_words_are_taken(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("\U0001f4f7" * limits.MESSAGE, "utf-8")
    arguments = ["box", "deposit", "--message-file", str(words), "--server", NOBODY, "--json"]
    ended = CliRunner().invoke(temoin, arguments, env={"TEMOIN_HOME": str(tmp_path), "TEMOIN_LINK": "#d"})
    assert (ended.exit_code, json.loads(ended.stderr)["code"]) == (3, "network")


@pytest.fixture(params=[
    ("box", "deposit", "--message"), ("share", "create", "ana", "--link", "--items", "0" * 32, "--message"),
    ("box", "accept", "ana", "0" * 32, "0" * 32, "--text"),
], ids=" ".join)
def with_words(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Each command that takes words, up to the option for them."""
    return cast(tuple[str, ...], request.param)


def refused_usage(tmp_path: Path, *words: str) -> str:
    """What is said of a command that was not given rightly, before anybody is asked for anything."""
    ended = CliRunner().invoke(temoin, [*words, "--server", NOBODY, "--json"], env={"TEMOIN_HOME": str(tmp_path)})
    failure = json.loads(ended.stderr)
    assert (ended.exit_code, failure["code"]) == (2, "usage"), ended.stderr
    return cast(str, failure["sentence"])


@pytest.mark.parametrize(("data", "said"), [(b"\xff\xfe", "not UTF-8"), (b" \n", "no text in the file")])
def test_a_file_of_words_has_some(tmp_path: Path, with_words: tuple[str, ...], data: bytes, said: str) -> None:
    words = tmp_path / "words.txt"
    words.write_bytes(data)
    *command, option = with_words
    assert said in refused_usage(tmp_path, *command, f"{option}-file", str(words))
    words.write_text("words")
    assert "one place only" in refused_usage(tmp_path, *command, option, "words", f"{option}-file", str(words))


class Visit:
    """A box that takes whatever comes."""

    policy = Policy.for_key(format_vkey(SignerKey("ledger.example", bytes(32)).verifier))

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def enter_box(self, _fragment: str) -> Visit:
        return self

    def make(self, _name: str, _message: str, _given: object) -> None:
        pass

    def send(self, _made: object) -> Deposited:
        return Deposited(bytes(16), 1_795_600_000, bytes(32), "the receipt")


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_what_was_sent_is_said_also_where_its_receipts_cant_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: tuple[str, ...]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("client_sdk.cli.box.connected", lambda _common: Visit())
    monkeypatch.setattr("client_sdk.cli.box.save", full)
    arguments = ["box", "deposit", "--message", "I saw it.", "-o", str(tmp_path / "receipts"), *as_json]
    ended = CliRunner().invoke(temoin, arguments, env={"TEMOIN_HOME": str(tmp_path), "TEMOIN_LINK": "#d"})
    assert (ended.exit_code, "No space left" in ended.stderr) == (1, True)
    told, brace, receipts = ended.stdout.partition("{")
    assert json.loads(brace + receipts)["receipt"] == "the receipt"
    assert ("Deposited" in told) is ("here they are" in ended.stderr) is (not as_json)
    assert "Receipts  " not in told


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_receipts_are_written_also_where_nobody_can_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: tuple[str, ...]
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("client_sdk.cli.box.connected", lambda _common: Visit())
    monkeypatch.setattr("client_sdk.cli.box.print_json", gone)
    monkeypatch.setattr("client_sdk.cli.box.screen", gone)
    arguments = ["box", "deposit", "--message", "I saw it.", "-o", str(tmp_path / "receipts"), *as_json]
    ended = CliRunner().invoke(temoin, arguments, env={"TEMOIN_HOME": str(tmp_path), "TEMOIN_LINK": "#d"})
    assert ended.exit_code == 1
    assert json.loads((tmp_path / "receipts" / "deposit.json").read_text())["receipt"] == "the receipt"


@pytest.mark.parametrize("words", [("box", "deposit"), ("journal", "add", "ana", "--text", "x", "--attach")])
def test_a_pipe_is_no_file_and_is_named_before_anything_is_asked(tmp_path: Path, words: tuple[str, ...]) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert f"'{tmp_path / 'pipe'}' is a pipe" in refused_usage(tmp_path, *words, str(tmp_path / "pipe"))


def test_of_several_files_the_one_that_changed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Changing(Visit):
        def give(self, path: Path) -> None:
            if path.name == "b.jpg":
                raise FileChanged()

    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_text("x")
    monkeypatch.setattr("client_sdk.cli.box.connected", lambda _common: Changing())
    arguments = ["box", "deposit", str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg"), "--json"]
    ended = CliRunner().invoke(temoin, arguments, env={"TEMOIN_HOME": str(tmp_path), "TEMOIN_LINK": "#d"})
    failure = json.loads(ended.stderr)
    assert (ended.exit_code, failure["code"], failure["detail"]) == (1, "file_changed", "b.jpg")


def test_receipts_that_have_no_place_are_told_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    place = str(tmp_path / "notes" / "receipts")
    arguments = ["box", "deposit", "--message", "I saw it.", "-o", place, "--server", NOBODY, "--json"]
    ended = CliRunner().invoke(temoin, arguments, env={"TEMOIN_HOME": str(tmp_path), "TEMOIN_LINK": "#d"})
    assert (ended.exit_code, json.loads(ended.stderr)["code"]) == (1, "device")


@pytest.mark.usefixtures("stretched_once")
def test_an_item_that_is_named_twice_is_in_a_pack_once(laptop: Device, tmp_path: Path) -> None:
    target = tmp_path / "pack.zip"
    with laptop.log_in() as client:
        kept = client.write_entry(Draft("one"))
        twice = Sharing([(kept.id, 1), (kept.id, 1)], None, laptop.network.vault.clock.now() + 86_400, 2)
        made = client.shares.make(twice)
        client.shares.send(made, client.account.confirm(PASSWORD, PIN))
        assert made.link is not None
        with open_sink(target) as sink:
            write_pack(client.open_link(made.link.fragment, made.link.code), client.policy, sink)
    with ZipSource(target) as source:
        report = check_pack(source)
    assert (report.outcome, report.findings, report.proven) == ("valid", (), 2)


@pytest.mark.parametrize(
    ("field", "name"),
    [("--name", ""), *((field, name) for field in ("--name", "--org", "--town")
                       for name in (" Claire", "Claire\n", "Cl\u202eaire", "x" * (limits.LISTED + 1)))],
)
def test_what_no_directory_takes_is_refused_before_any_question(tmp_path: Path, field: str, name: str) -> None:
    given = {"--name": "Claire", "--org": "Rive", "--town": "Lyon"} | {field: name}
    arguments = ["pro", "register", "ana", *(word for pair in given.items() for word in pair), "--kind", "lawyer"]
    ended = CliRunner().invoke(temoin, [*arguments, "--server", NOBODY, "--json"], env={"TEMOIN_HOME": str(tmp_path)})
    failure = json.loads(ended.stderr)
    assert (ended.exit_code, failure["code"]) == (2, "usage")
    assert "A name has 1 to 200 characters" in failure["sentence"]


def test_an_id_can_be_copied_on_a_telephone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("ab" * 16, "For my sister, who lives far away", NONE, "", "2 of 3, 17.3 MB", "open")]
    monkeypatch.setenv("COLUMNS", "45")
    print_rows(("BOX", "NAME", "UNTIL", "WAITING", "TAKEN", "STATE"), rows, "There are no boxes.")
    assert capsys.readouterr().out == f"{'ab' * 16}\n  For my sister, who lives far away  2 of 3, 17.3 MB  open\n"
    monkeypatch.setenv("COLUMNS", "60")
    print_rows(("BOX", "NAME", "UNTIL", "WAITING", "TAKEN", "STATE"), rows, "There are no boxes.")
    assert "ab" * 16 in capsys.readouterr().out
    print_rows(("BOX", "NAME"), [], "There are no boxes.")
    assert capsys.readouterr().out == "There are no boxes.\n"


def refused(code: str, **extra: Any) -> Refused:
    return Refused(code, PROBLEMS[code].status, PROBLEMS[code].sentence, extra=extra)


def test_a_last_day_that_the_vault_does_not_take_is_told_as_such() -> None:
    with pytest.raises(click.UsageError, match="--until has to be a day from today"), judging_until():
        raise refused("invalid", fields={"expires": ["Not a time from now to a year from now."]})
    for other in (refused("invalid", fields={"openings": ["…"]}), refused("invalid"), refused("not_found")):
        with pytest.raises(Refused), judging_until():
            raise other


def test_a_full_box_is_an_answer_and_no_failure_of_the_vault() -> None:
    assert failure_of(refused("box_full")).exit_code == failure_of(refused("quota_full")).exit_code == REFUSED


def test_a_pack_is_not_written_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(FileExists), unfinished(tmp_path / "notes", bytes(16)):
        pass
    assert (tmp_path / "notes").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1
