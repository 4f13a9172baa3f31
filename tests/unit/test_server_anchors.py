"""Anchors on the server: what is stamped, what is kept of it, who may see it, and an authority that fails."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from crypto_core.errors import TemoinError
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.anchor import AnchorAuthorityUnknown, make_query, parse_certificates, verify_token
from crypto_core.receipts.checkpoint import parse_checkpoint
from crypto_core.receipts.note import (
    COSIGNATURE, SignerKey, format_signatures, format_vkey, open_note, parse_note, sign,
)
from schemas.receipts import Anchors
from server.anchors.authority import Authority, AuthorityFailed, AuthoritySilent, open_authority
from server.anchors.check import check_anchors
from server.anchors.models import Anchor
from server.anchors.service import LONGEST_RETRY, Rhythm, take_anchor
from server.config import DAY, ConfigRefused, ServerConfig
from server.database import table
from server.ledger.models import Cosignature, LedgerWitness
from tests.fakes import authority as fakes
from tests.fakes.processes import ROOT, free_port
from tests.fakes.vault import FakePerson, FakeVault, b64, code, random_b64, said


@pytest.fixture
def tsa(tmp_path: Path) -> fakes.Authority:
    return fakes.make_authority(tmp_path / "tsa")


@pytest.fixture
def asked(tsa: fakes.Authority) -> Iterator[Authority]:
    """The authority as the server reaches it."""
    with fakes.serving_authority(tsa) as url:
        made = Authority(url, parse_certificates(tsa.both_file.read_bytes()))
        yield made
        made.close()


def deposit(person: FakePerson, count: int = 1) -> None:
    for _ in range(count):
        assert person.ask("PUT", f"/v1/blobs/{b64(make_id())}", data=make_bytes(100)).status_code == 201


def kept(vault: FakeVault) -> list[int]:
    with vault.parts.database.read() as session:
        return list(session.scalars(select(Anchor.size).order_by(Anchor.size)))


def newest_text(vault: FakeVault) -> str:
    with vault.parts.database.read() as session:
        return parse_note(vault.parts.ledger.newest(session).note.encode()).text


def anchors(vault: FakeVault, size: int, token: str = "") -> dict[str, dict[str, bytes | str | int] | None]:
    answer = vault.ask("GET", f"/v1/ledger/anchors?size={size}", token=token)
    assert answer.status_code == 200, answer.data
    loaded: dict[str, dict[str, bytes | str | int] | None] = Anchors().load(said(answer))
    return loaded


def test_the_newest_checkpoint_is_stamped_and_everybody_can_prove_it(
    vault: FakeVault, person: FakePerson, tsa: fakes.Authority, asked: Authority
) -> None:
    deposit(person, 3)
    taken = take_anchor(vault.parts, asked)
    assert taken is not None and (taken.size, taken.authority) == (3, "CN=TSA")
    served = anchors(vault, 2)["covering"]
    assert served is not None and served["size"] == 3
    note = open_note(str(served["checkpoint"]).encode(), [vault.parts.ledger.signer.verifier])
    assert parse_checkpoint(note.text).size == 3
    token, chain = served["token"], parse_certificates(str(served["chain"]).encode())
    assert isinstance(token, bytes)
    assert chain == (tsa.signer.certificate, tsa.between.certificate)
    proven = verify_token(token, note.text, roots=[tsa.root.certificate], links=chain)
    assert abs(proven.latest - time.time()) < 60


def test_nobody_is_asked_when_the_tree_has_not_grown(
    vault: FakeVault, person: FakePerson, tsa: fakes.Authority, asked: Authority
) -> None:
    assert take_anchor(vault.parts, asked) is None
    deposit(person)
    assert take_anchor(vault.parts, asked) is not None
    assert take_anchor(vault.parts, asked) is None
    assert len(tsa.asked) == 1
    deposit(person)
    assert take_anchor(vault.parts, asked) is not None
    assert kept(vault) == [1, 2]


def cosign(vault: FakeVault, size: int) -> str:
    """A witness of the vault's cosigns a checkpoint; gives the line."""
    witness = SignerKey("witness.example", make_bytes(32), COSIGNATURE)
    vkey = format_vkey(witness.verifier)
    with vault.parts.database.write() as session:
        text = parse_note(vault.parts.ledger.signed(session, size).note.encode()).text
        line = format_signatures([sign(text, witness, time=5)])
        session.add(LedgerWitness(name="w", vkey=vkey, url="https://witness.example"))
        session.flush()
        session.add(Cosignature(size=size, vkey=vkey, time=5, line=line))
    return line


def test_what_witnesses_have_cosigned_is_stamped_before_what_is_newer(
    vault: FakeVault, person: FakePerson, asked: Authority
) -> None:
    deposit(person, 3)
    line = cosign(vault, 2)
    for size in (2, 3):
        taken = take_anchor(vault.parts, asked)
        assert taken is not None and taken.size == size
    served = anchors(vault, 1)["covering"]
    assert served is not None and served["size"] == 2
    assert str(served["checkpoint"]).endswith(line)


def test_a_query_tells_a_hash_and_a_number_alone(
    vault: FakeVault, person: FakePerson, tsa: fakes.Authority, asked: Authority
) -> None:
    deposit(person)
    take_anchor(vault.parts, asked)
    assert len(tsa.asked[0]) < 80
    assert vault.parts.ledger.origin.encode() not in tsa.asked[0]


def test_the_first_that_covers_and_the_last_before(vault: FakeVault, person: FakePerson, asked: Authority) -> None:
    for count in (2, 3, 4):
        deposit(person, count)
        take_anchor(vault.parts, asked)
    assert kept(vault) == [2, 5, 9]

    def around(size: int) -> list[object]:
        found = anchors(vault, size)
        return [one and one["size"] for one in (found["before"], found["covering"])]

    assert [around(size) for size in (1, 2, 3, 5, 6, 9, 10, 500)] == [
        [None, 2], [None, 2], [2, 5], [2, 5], [5, 9], [5, 9], [9, None], [9, None],
    ]  # fmt: skip


@pytest.mark.parametrize("size", ["0", "-1", "x", "", "9007199254740992"])
def test_a_size_that_is_none(vault: FakeVault, size: str) -> None:
    answer = vault.ask("GET", f"/v1/ledger/anchors?size={size}")
    assert (answer.status_code, code(answer)) == (422, "invalid")


@pytest.mark.vault(checkpoint_interval=60)
def test_an_anchor_shows_nobody_a_newer_state_than_the_public_one(
    vault: FakeVault, person: FakePerson, asked: Authority
) -> None:
    deposit(person)
    take_anchor(vault.parts, asked)
    assert anchors(vault, 1) == {"covering": None, "before": None}
    assert anchors(vault, 500) == {"covering": None, "before": None}
    at_home = anchors(vault, 1, person.token)["covering"]
    assert at_home is not None and at_home["size"] == 1
    assert code(vault.ask("GET", "/v1/ledger/anchors?size=1", token=random_b64(32))) == "unauthorized"
    vault.clock.advance(120)
    assert anchors(vault, 1)["covering"] == at_home


# an authority that fails


@pytest.mark.parametrize(
    ("mood", "expected"),
    [
        ("rubbish", "anchor_malformed"), ("refusing", "tsa_failed"), ("endless", "tsa_failed"),
        ("slow", "tsa_unreachable"), ("dripping", "tsa_unreachable"), ("replaying", "anchor_nonce"),
    ],
)  # fmt: skip
def test_what_an_authority_should_not_say_is_not_kept(
    vault: FakeVault, person: FakePerson, tsa: fakes.Authority, asked: Authority, mood: fakes.Mood, expected: str
) -> None:
    deposit(person)
    tsa.asked.append(make_query(newest_text(vault)).data)  # what is replayed is a token for this very checkpoint
    tsa.mood = mood
    impatient = Authority(asked.url, asked.certificates, patience=1)
    started = time.monotonic()
    with pytest.raises(TemoinError) as refused:  # who answers may take longer than that where a machine is busy
        take_anchor(vault.parts, impatient if expected == "tsa_unreachable" else asked)
    impatient.close()
    assert refused.value.code == expected
    assert time.monotonic() - started < 10
    assert kept(vault) == []
    tsa.mood = "well"
    assert take_anchor(vault.parts, asked) is not None
    assert kept(vault) == [1]


def test_an_authority_that_is_gone(vault: FakeVault, person: FakePerson, asked: Authority) -> None:
    deposit(person)
    gone = Authority(f"http://127.0.0.1:{free_port()}/tsr", asked.certificates)
    with pytest.raises(AuthoritySilent) as caught:
        take_anchor(vault.parts, gone)
    assert caught.value.detail == "no connection"
    elsewhere = Authority(asked.url.replace("/tsr", "/other"), asked.certificates)
    with pytest.raises(AuthorityFailed):
        take_anchor(vault.parts, elsewhere)


def test_a_token_that_leads_to_no_configured_root_is_not_kept(
    vault: FakeVault, person: FakePerson, tsa: fakes.Authority, asked: Authority, tmp_path: Path
) -> None:
    """Not even one that brings the root it was given under."""
    deposit(person)
    other = fakes.make_authority(tmp_path / "other", "Other")
    tsa.signer, tsa.brings_chain = other.signer, True
    tsa.chain_file.write_bytes(other.both_file.read_bytes())
    with pytest.raises(AnchorAuthorityUnknown):
        take_anchor(vault.parts, asked)
    assert kept(vault) == []


def test_no_deposit_waits_for_an_authority(
    vault: FakeVault, person: FakePerson, tsa: fakes.Authority, asked: Authority
) -> None:
    """Also not while it holds an anchor up: no lock, and no transaction of the database."""
    deposit(person)
    tsa.mood = "slow"
    patient = Authority(asked.url, asked.certificates, patience=30)
    taking = threading.Thread(target=take_anchor, args=(vault.parts, patient))
    taking.start()
    while not tsa.asked:
        time.sleep(0.01)
    deposit(person, 3)
    assert taking.is_alive() and kept(vault) == []  # who had waited for it would come back when it is over
    tsa.released.set()
    taking.join(30)
    assert kept(vault) == [1]
    patient.close()


def test_two_that_stamp_at_once_keep_one(
    vault: FakeVault, person: FakePerson, tsa: fakes.Authority, asked: Authority
) -> None:
    deposit(person)
    tsa.mood = "slow"
    patient = Authority(asked.url, asked.certificates, patience=30)
    both = [threading.Thread(target=take_anchor, args=(vault.parts, patient)) for _ in range(2)]
    for one in both:
        one.start()
    while len(tsa.asked) < 2:
        time.sleep(0.01)
    tsa.released.set()
    for one in both:
        one.join(30)
    assert kept(vault) == [1]
    patient.close()


# when it is asked


def test_the_rhythm(
    vault: FakeVault, person: FakePerson, tsa: fakes.Authority, asked: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    rhythm = Rhythm(DAY)
    assert rhythm.first(vault.parts) == 0
    assert rhythm.next(vault.parts, asked) == DAY  # nothing has grown: the next time is not when something does
    deposit(person)
    tsa.mood = "refusing"
    waits = [rhythm.next(vault.parts, asked) for _ in range(9)]
    assert waits == [60, 120, 240, 480, 960, 1920, LONGEST_RETRY, LONGEST_RETRY, LONGEST_RETRY]
    assert Rhythm(5).next(vault.parts, asked) == 5
    assert caplog.text.count("no anchor: tsa_failed") == 10
    assert "Traceback" not in caplog.text and asked.url not in caplog.text
    tsa.mood = "well"
    assert rhythm.next(vault.parts, asked) == DAY
    assert rhythm.failures == 0
    vault.clock.advance(3600)
    assert Rhythm(DAY).first(vault.parts) == DAY - 3600
    vault.clock.advance(3 * DAY)
    assert Rhythm(DAY).first(vault.parts) == 0
    vault.clock.advance(-30 * DAY)  # a clock that was set back
    assert Rhythm(DAY).first(vault.parts) == DAY


def test_a_fault_of_ours_ends_no_rhythm(
    vault: FakeVault, asked: Authority, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr("server.anchors.service.take_anchor", broken)
    assert Rhythm(DAY).next(vault.parts, asked) == 60
    assert "RuntimeError in an anchor" in caplog.text and "secret" not in caplog.text


def test_workers_do_without_what_verifies_tokens() -> None:
    """Eleven megabytes in each process, for what one of them does once a day."""
    code = "import sys, server.cli, server.wsgi, server.app; print('cryptography' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout == "False\n", run.stderr


# check


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token": b"\x30\x00"}, "anchor_malformed"), ({"chain": "nonsense"}, "malformed"),
        ({"size": 1}, "anchor_other_checkpoint"), ({}, None),
    ],
)  # fmt: skip
def test_a_check_sees_an_anchor_that_proves_nothing(
    vault: FakeVault, person: FakePerson, asked: Authority, tmp_path: Path, change: dict[str, object], code: str | None
) -> None:
    deposit(person)
    deposit(person)
    take_anchor(vault.parts, asked)
    if change:
        with vault.parts.database.write() as session:
            session.execute(update(Anchor).values(change))
    others = fakes.make_authority(tmp_path / "other", "Other").root.certificate
    for roots in ([], [others], asked.certificates):
        with vault.parts.database.read() as session:
            found = list(check_anchors(session, roots))
        size = change.get("size", 2)
        assert found == ([] if code is None else [f"the anchor of size {size} proves nothing ({code})"])


def test_a_check_sees_a_signature_where_it_knows_the_root(
    vault: FakeVault, person: FakePerson, asked: Authority
) -> None:
    deposit(person)
    take_anchor(vault.parts, asked)
    with vault.parts.database.write() as session:
        token = session.scalars(select(Anchor.token)).one()
        session.execute(update(Anchor).values(token=token[:-1] + bytes([token[-1] ^ 1])))
    with vault.parts.database.read() as session:
        assert list(check_anchors(session, asked.certificates)) == [
            "the anchor of size 1 proves nothing (anchor_signature)"
        ]


def test_a_check_of_a_vault_from_before_there_were_anchors(vault: FakeVault) -> None:
    with vault.parts.database.write() as session:
        table(Anchor).drop(session.connection())
    with vault.parts.database.read() as session:
        assert list(check_anchors(session, [])) == []


# settings


def test_without_an_address_nobody_is_asked(tmp_path: Path) -> None:
    assert open_authority(ServerConfig(tmp_path)) is None
    assert open_authority(ServerConfig(tmp_path, tsa_roots=tmp_path / "nothing")) is None


def test_the_settings_of_an_authority(tmp_path: Path, tsa: fakes.Authority) -> None:
    environ = {
        "TEMOIN_TSA_URL": "https://tsa.example/tsr", "TEMOIN_TSA_ROOTS": str(tsa.both_file),
        "TEMOIN_ANCHOR_INTERVAL": "3600",
    }  # fmt: skip
    read = ServerConfig.from_environ(environ, tmp_path)
    assert (read.tsa_url, read.tsa_roots, read.anchor_interval) == ("https://tsa.example/tsr", tsa.both_file, 3600)
    opened = open_authority(read)
    assert opened is not None and len(opened.certificates) == 2
    assert ServerConfig.from_environ({}, tmp_path).anchor_interval == DAY


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TEMOIN_TSA_URL", "tsa.example"), ("TEMOIN_TSA_URL", "ftp://tsa.example"),
        ("TEMOIN_TSA_URL", "https://name:word@tsa.example/"), ("TEMOIN_TSA_ROOTS", ""),
        ("TEMOIN_ANCHOR_INTERVAL", "0"), ("TEMOIN_ANCHOR_INTERVAL", "1 day"),
    ],
)  # fmt: skip
def test_settings_that_can_not_be_are_refused_by_name(tmp_path: Path, variable: str, value: str) -> None:
    right = {"TEMOIN_TSA_URL": "https://tsa.example/tsr", "TEMOIN_TSA_ROOTS": "roots.pem"}
    with pytest.raises(ConfigRefused) as caught:
        ServerConfig.from_environ(right | {variable: value}, tmp_path)
    assert variable in caught.value.detail and "word" not in caught.value.detail


@pytest.mark.parametrize("content", [None, b"", b"not a certificate", b"x" * 100_000])
def test_roots_that_can_not_be_read(tmp_path: Path, content: bytes | None) -> None:
    roots = tmp_path / "roots.pem"
    if content is not None:
        roots.write_bytes(content)
    with pytest.raises(ConfigRefused) as caught:
        open_authority(ServerConfig(tmp_path, tsa_url="https://tsa.example", tsa_roots=roots))
    assert "TEMOIN_TSA_ROOTS" in caught.value.detail
