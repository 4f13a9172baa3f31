"""The tables behind user names and PINs, failures of Argon2id, and that no secret shows itself."""

from __future__ import annotations

import json
import unicodedata
from importlib import resources
from typing import Any

import pytest
from nacl.exceptions import RuntimeError as SodiumRuntimeError

from crypto_core.errors import SecretRefused, UnsupportedVersion
from crypto_core.sealing import passphrase
from crypto_core.sealing.passphrase import (
    NotEnoughMemory,
    normalise_password,
    normalise_pin,
    normalise_username,
    stretch,
)
from crypto_core.sealing.recovery import derive_recovery, parse_words

ACCOUNT = bytes(range(16))


def table(name: str) -> Any:
    return json.loads(resources.files("crypto_core.sealing").joinpath(name).read_text(encoding="utf-8"))


def test_the_fold_table_agrees_with_this_python_where_unicode_14_has_a_say() -> None:
    data = table("casefold.json")
    assert data["unicode"] == "14.0.0"
    assigned = {point for first, last in data["assigned"] for point in range(first, last + 1)}
    known = {f"{point:x}": chr(point).casefold() for point in assigned if chr(point).casefold() != chr(point)}
    newer = {point for point, folded in known.items() if data["fold"].get(point) != folded}
    assert set(data["fold"]) <= set(known)
    assert not newer or unicodedata.unidata_version != "14.0.0"
    assert len(data["zeros"]) == 66 and all(unicodedata.decimal(chr(zero)) == 0 for zero in data["zeros"])


def test_a_hundred_common_pins_each_of_which_is_a_pin() -> None:
    pins = table("common_pins.json")
    assert len(pins) == len(set(pins)) == 100
    for pin in pins:
        assert normalise_pin(pin) == pin
        with pytest.raises(SecretRefused, match="commonest"):
            normalise_pin(pin, sign_up=True, this_year=2026)


@pytest.mark.parametrize("year", range(1900, 2027))
def test_every_year_of_birth(year: int) -> None:
    with pytest.raises(SecretRefused):
        normalise_pin(str(year), sign_up=True, this_year=2026)
    with pytest.raises(SecretRefused):
        normalise_pin(str(year), sign_up=True)


def test_refusals_name_the_rule_and_never_the_value() -> None:
    value = "zq" * 600
    for refused in (
        lambda: normalise_username(value),
        lambda: normalise_password(value),
        lambda: normalise_pin("zq12"),
        lambda: parse_words(value),
        lambda: parse_words(" ".join(["zq"] * 24)),
    ):
        with pytest.raises(SecretRefused) as refusal:
            refused()
        assert refusal.value.detail and "zq" not in str(refusal.value)


def test_an_unknown_word_is_told_by_its_number() -> None:
    with pytest.raises(SecretRefused, match="word 7 "):
        parse_words(" ".join(["abandon"] * 6 + ["qwerty"] + ["abandon"] * 17))
    with pytest.raises(SecretRefused, match="word 24 "):
        parse_words(" ".join(["abaisser"] * 23 + ["qwerty"]))


@pytest.mark.parametrize("failure", [SodiumRuntimeError("no memory"), MemoryError()])
def test_too_little_memory_is_said(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def fail(*_: object) -> bytes:
        raise failure

    monkeypatch.setattr(passphrase, "crypto_pwhash_alg", fail)
    with pytest.raises(NotEnoughMemory) as refusal:
        stretch("anna", "korrekt Pferd", ACCOUNT)
    assert refusal.value.code == "not_enough_memory"


def test_the_floor_of_argon2id() -> None:
    assert passphrase.NEWEST_ARGON == max(passphrase.ARGON_SETS)
    assert all(cost.ops >= 3 and cost.mem_bytes >= 64 * 2**20 for cost in passphrase.ARGON_SETS.values())
    with pytest.raises(UnsupportedVersion):
        stretch("anna", "korrekt Pferd", ACCOUNT, passphrase.NEWEST_ARGON + 1)


def test_ids_have_16_bytes() -> None:
    for wrong in (b"", bytes(15), bytes(17)):
        with pytest.raises(ValueError, match="16 bytes"):
            stretch("anna", "korrekt Pferd", wrong)
        with pytest.raises(ValueError, match="16 bytes"):
            passphrase.derive_pin_login(bytes(32), wrong, "4927")


def test_no_repr_shows_a_secret() -> None:
    login = passphrase.derive_login(passphrase.Stretched(bytes(range(32))))
    pin_login = passphrase.derive_pin_login(login.k_pl, ACCOUNT, "4927")
    pin_step = passphrase.derive_pin_step(login.k_ps, ACCOUNT, 1, "4927")
    secrets = [login.login_seed, login.k_pw, login.k_pl, login.k_ps, pin_login.tag, pin_step.wrapping]
    shown = repr([passphrase.Stretched(login.k_pw), login, pin_login, pin_step, derive_recovery(login.k_pw)])
    for secret in [*secrets, derive_recovery(login.k_pw).login_seed]:
        assert repr(secret) not in shown and secret.hex() not in shown


def test_a_pin_is_bound_to_account_epoch_and_purpose() -> None:
    key = bytes(32)
    tags = {
        passphrase.derive_pin_login(key, ACCOUNT, "4927").tag,
        passphrase.derive_pin_login(key, ACCOUNT, "4928").tag,
        passphrase.derive_pin_login(key, bytes(16), "4927").tag,
        passphrase.derive_pin_login(key, ACCOUNT, "4927").wrapping,
        passphrase.derive_pin_step(key, ACCOUNT, 1, "4927").tag,
        passphrase.derive_pin_step(key, ACCOUNT, 2, "4927").tag,
        passphrase.derive_pin_step(key, ACCOUNT, 1, "4927").wrapping,
    }
    assert len(tags) == 7
