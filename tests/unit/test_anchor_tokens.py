"""Tokens of a real authority: what is believed, and every way in which one is refused."""

from __future__ import annotations

import subprocess
import time
from hashlib import sha256
from pathlib import Path

import pytest

from crypto_core.errors import MalformedError
from crypto_core.receipts.anchor import (
    MAX_TOKEN_SIZE,
    AnchorAuthorityUnknown,
    AnchorChain,
    AnchorExpired,
    AnchorMalformed,
    AnchorNonce,
    AnchorOtherCheckpoint,
    AnchorPolicy,
    AnchorSignature,
    VerifiedToken,
    format_certificates,
    make_query,
    parse_certificates,
    verify_token,
)
from crypto_core.receipts.checkpoint import Checkpoint, format_checkpoint
from tests.fakes.authority import OTHER_POLICY, POLICY, Authority, Certified, make_authority

TEXT = format_checkpoint(Checkpoint("ledger.example/one", 3, sha256(b"root").digest()))
OTHER_TEXT = format_checkpoint(Checkpoint("ledger.example/one", 4, sha256(b"root").digest()))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "tsa")


def prove(
    authority: Authority, token: bytes, text: str = TEXT, *, policy: str | None = None, nonce: int | None = None
) -> VerifiedToken:
    roots, links = [authority.root.certificate], [authority.between.certificate]
    return verify_token(token, text, roots=roots, links=links, policy=policy, nonce=nonce)


def test_a_token_proves_when_the_checkpoint_existed(authority: Authority) -> None:
    before = int(time.time())
    query = make_query(TEXT)
    proven = prove(authority, authority.stamp(query.data), policy=POLICY, nonce=query.nonce)
    assert before - 2 <= proven.earliest < proven.latest <= time.time() + 2.5
    assert proven.latest - proven.earliest == 4  # 1.5 s either way, rounded outwards
    assert (proven.authority, proven.policy) == ("CN=TSA", POLICY)
    assert proven.chain == (authority.signer.certificate, authority.between.certificate)


def test_the_pages_example_is_right() -> None:
    """What docs/spec/anchors.md shows is the checkpoint of docs/spec/receipt.md, and its hash."""
    spec = Path(__file__).resolve().parents[2] / "docs" / "spec"
    note = (spec / "receipt.md").read_text().split("```")[1].split("\n\n")[1] + "\n"
    page = (spec / "anchors.md").read_text()
    assert note in page and f"{sha256(note.encode()).hexdigest()}  text" in page


def test_openssl_agrees(authority: Authority, tmp_path: Path) -> None:
    """What is kept is what other tools read, over the very bytes that docs/spec/anchors.md names."""
    (tmp_path / "x.tsr").write_bytes(authority.token(TEXT))
    (tmp_path / "text").write_text(TEXT)
    said = subprocess.run(
        ["openssl", "ts", "-verify", "-in", "x.tsr", "-data", "text", "-CAfile", authority.roots_file,
         "-untrusted", authority.chain_file],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert "Verification: OK" in said.stdout + said.stderr


def test_an_authority_may_bring_its_certificates_in_any_order(authority: Authority) -> None:
    authority.brings_chain = True
    for _ in range(4):  # the order of the set is that of bytes: another signer, another order
        authority.signer = authority.between.certify("TSA", issues=False, stamps=True)
        token = authority.token(TEXT)
        assert verify_token(token, TEXT, roots=[authority.root.certificate]).authority == "CN=TSA"


def test_a_token_for_another_checkpoint(authority: Authority) -> None:
    with pytest.raises(AnchorOtherCheckpoint):
        prove(authority, authority.token(OTHER_TEXT))


def test_a_token_over_another_hash_than_the_protocols(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "text").write_text(TEXT)
    query = subprocess.run(
        ["openssl", "ts", "-query", "-data", tmp_path / "text", "-sha512", "-cert"], capture_output=True, check=True
    ).stdout
    with pytest.raises(AnchorOtherCheckpoint):
        prove(authority, authority.stamp(query))


def test_a_token_that_answers_another_question(authority: Authority) -> None:
    with pytest.raises(AnchorNonce):
        prove(authority, authority.token(TEXT), nonce=make_query(TEXT).nonce)


def test_a_token_of_another_policy(authority: Authority) -> None:
    token = authority.token(TEXT, policy=OTHER_POLICY)
    assert prove(authority, token, policy=OTHER_POLICY).policy == OTHER_POLICY
    with pytest.raises(AnchorPolicy):
        prove(authority, token, policy=POLICY)


def test_a_token_from_an_authority_that_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other", "Other")
    with pytest.raises(AnchorAuthorityUnknown) as refused:
        prove(authority, other.token(TEXT))
    assert refused.value.outcome == "not_yet"
    with pytest.raises(AnchorAuthorityUnknown):
        prove(make_authority(tmp_path / "namesake"), other.token(TEXT))


def test_a_root_is_never_believed_because_the_chain_brings_it(authority: Authority, tmp_path: Path) -> None:
    """rfc3161-client trusts every certificate that signed itself, wherever it is given: it must not be given any."""
    other = make_authority(tmp_path / "other", "Other")
    with pytest.raises(AnchorAuthorityUnknown):
        verify_token(
            other.token(TEXT), TEXT, roots=[authority.root.certificate],
            links=[other.between.certificate, other.root.certificate],
        )


def test_what_others_signed_is_no_root(authority: Authority) -> None:
    with pytest.raises(AnchorAuthorityUnknown):
        verify_token(authority.token(TEXT), TEXT, roots=[authority.between.certificate])


def test_a_certificate_between_that_is_missing(authority: Authority) -> None:
    with pytest.raises(AnchorAuthorityUnknown):
        verify_token(authority.token(TEXT), TEXT, roots=[authority.root.certificate])


def test_a_namesake_that_signed_nothing(authority: Authority, tmp_path: Path) -> None:
    namesake = make_authority(tmp_path / "namesake")
    token = authority.token(TEXT)
    with pytest.raises(AnchorChain):
        verify_token(token, TEXT, roots=[authority.root.certificate], links=[namesake.between.certificate])
    with pytest.raises(AnchorChain):
        prove(namesake, token)
    both = [namesake.between.certificate, authority.between.certificate]
    assert verify_token(token, TEXT, roots=[authority.root.certificate], links=both).chain[1] == both[1]


def test_a_certificate_between_that_may_not_issue(authority: Authority) -> None:
    authority.between = authority.root.certify("between", issues=False)
    authority.signer = authority.between.certify("TSA", issues=False, stamps=True)
    with pytest.raises(AnchorChain):
        prove(authority, authority.token(TEXT))


@pytest.mark.parametrize(
    "how",
    [{"serves": True}, {"stamps": True, "serves": True}, {}, {"stamps": True, "critical": False}],
    ids=["a web server's", "both", "none", "not critical"],
)
def test_a_signer_whose_key_is_for_something_else(authority: Authority, how: dict[str, bool]) -> None:
    """What `openssl ts` refuses to sign with, whoever holds a certificate of the same root can sign with."""
    good = authority.between.certify("web", issues=False, stamps=True)
    assert prove(authority, _forge(authority, good)).authority == "CN=web"
    with pytest.raises(AnchorChain):
        prove(authority, _forge(authority, authority.between.certify("web", issues=False, **how)))


def test_a_signer_that_is_an_authority_of_its_own(authority: Authority) -> None:
    """A certificate for stamping that a certificate for stamping has signed: the signer may not issue."""
    below = authority.signer.certify("below", issues=False, stamps=True)
    authority_chain = [authority.between.certificate, authority.signer.certificate]
    with pytest.raises(AnchorChain):
        verify_token(
            authority.token(TEXT, signer=below), TEXT, roots=[authority.root.certificate], links=authority_chain
        )


@pytest.mark.parametrize(("since", "days"), [(-30, 29), (1, 30)])
def test_a_token_outside_of_the_signers_validity(authority: Authority, since: int, days: int) -> None:
    signer = authority.between.certify("TSA", issues=False, stamps=True, since_days=since, days=days)
    with pytest.raises(AnchorExpired):
        prove(authority, authority.token(TEXT, signer=signer))


def test_a_token_outside_of_the_validity_of_what_is_above(authority: Authority) -> None:
    again = authority.root.certify("TSA between", since_days=-30, days=29, key=authority.between.key)
    token, roots = authority.token(TEXT), [authority.root.certificate]
    with pytest.raises(AnchorExpired):
        verify_token(token, TEXT, roots=roots, links=[again.certificate])
    both = [again.certificate, authority.between.certificate]
    assert verify_token(token, TEXT, roots=roots, links=both).chain[1] == authority.between.certificate


def test_a_token_stays_valid_when_its_certificate_has_ended(authority: Authority) -> None:
    """It is the token's time that counts: in ten years no certificate of today is valid."""
    ends, token = 0.0, b""
    while ends <= time.time():  # on a busy machine it may have ended before it stamped
        signer = authority.between.certify("TSA", issues=False, stamps=True, days=1 + 3 / 86_400)
        ends = signer.certificate.not_valid_after_utc.timestamp()
        token = authority.token(TEXT, signer=signer)
    while time.time() < ends + 1:
        time.sleep(0.1)
    assert prove(authority, token).authority == "CN=TSA"


def test_a_signature_that_is_not_genuine(authority: Authority) -> None:
    token = authority.token(TEXT)
    with pytest.raises(AnchorSignature):
        prove(authority, token[:-1] + bytes([token[-1] ^ 1]))


def test_a_changed_time_is_caught(authority: Authority) -> None:
    token = authority.token(TEXT)
    at = token.index(b"\x18\x0f20") + 15  # the last digit of its GeneralizedTime
    with pytest.raises(AnchorSignature):
        prove(authority, token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :])


def test_an_accuracy_widens_what_is_proven(authority: Authority) -> None:
    told, accuracy = _told(authority.token(TEXT)), b"\x30\x07\x02\x01\x01\x80\x02\x01\xf4"  # 1 s, 500 ms
    assert told.count(accuracy) == 1
    two_minutes = told.replace(accuracy, b"\x30\x07\x02\x01\x78\x80\x02\x01\xf4")
    proven = prove(authority, _signed(authority, authority.signer, two_minutes))
    assert proven.latest - proven.earliest == 242
    for nonsense in (b"\x30\x07\x02\x05\x7f\xff\xff\xff\xff", b"\x30\x07\x02\x01\xff\x80\x02\x01\xf4"):
        with pytest.raises(AnchorMalformed):
            prove(authority, _signed(authority, authority.signer, told.replace(accuracy, nonsense)))


def test_an_authority_that_refuses(authority: Authority) -> None:
    with pytest.raises(AnchorMalformed):
        prove(authority, authority.stamp(b"no query"))


@pytest.mark.parametrize(
    "token",
    [b"", b"\x30", b"\x30\x00", b"\x30\x84\xff\xff\xff\xff", bytes(MAX_TOKEN_SIZE + 1), b"<html>"],
)
def test_what_is_no_token(authority: Authority, token: bytes) -> None:
    with pytest.raises(AnchorMalformed) as caught:
        prove(authority, token)
    assert "Error" not in caught.value.detail


def test_a_token_without_its_signers_certificate(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "text").write_text(TEXT)
    query = subprocess.run(
        ["openssl", "ts", "-query", "-data", tmp_path / "text", "-sha256"], capture_output=True, check=True
    ).stdout
    with pytest.raises(AnchorMalformed):
        prove(authority, authority.stamp(query))


def test_a_token_with_more_certificates_than_anybody_needs(authority: Authority) -> None:
    authority.brings_chain = True
    for count, is_read in ((15, True), (16, False)):
        others = [authority.root.certify(f"another {number}") for number in range(count - 1)]
        authority.chain_file.write_bytes(authority.between.pem + b"".join(one.pem for one in others))
        token = authority.token(TEXT)
        if is_read:
            assert prove(authority, token).authority == "CN=TSA"
        else:
            with pytest.raises(AnchorMalformed):
                prove(authority, token)


def test_certificates_in_pem(authority: Authority) -> None:
    both = (authority.root.certificate, authority.between.certificate)
    assert parse_certificates(format_certificates(both)) == both
    assert parse_certificates(b"what comes before\n" + authority.root.pem + b"and after\n") == both[:1]
    for wrong in (b"", b"nonsense", authority.root.pem[:-40], authority.root.pem * 17, bytes(70_000)):
        with pytest.raises(MalformedError):
            parse_certificates(wrong)


def _forge(authority: Authority, signer: Certified) -> bytes:
    """A token that a key signed which `openssl ts` would not take."""
    return _signed(authority, signer, _told(authority.token(TEXT)))


def _told(token: bytes) -> bytes:
    """The TSTInfo inside of a token."""
    return _openssl("cms", "-verify", "-noverify", "-inform", "DER", given=_openssl(
        "ts", "-reply", "-in", "/dev/stdin", "-token_out", given=token
    ))


def _signed(authority: Authority, signer: Certified, told: bytes) -> bytes:
    """A TimeStampResp around a TSTInfo, signed with the commoner tool."""
    for name, pem in (("forger.pem", signer.pem), ("forger.key", signer.key_pem)):
        (authority.folder / name).write_bytes(pem)
    token = _openssl(
        "cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-econtent_type", "1.2.840.113549.1.9.16.1.4",
        "-signer", str(authority.folder / "forger.pem"), "-inkey", str(authority.folder / "forger.key"),
        "-outform", "DER", given=told,
    )  # fmt: skip
    return _element(0x30, b"\x30\x03\x02\x01\x00" + token)


def _element(tag: int, content: bytes) -> bytes:
    size = len(content).to_bytes(2, "big")
    return bytes([tag, 0x82]) + size + content


def _openssl(*words: str, given: bytes) -> bytes:
    return subprocess.run(["openssl", *words], input=given, capture_output=True, check=True, timeout=60).stdout
