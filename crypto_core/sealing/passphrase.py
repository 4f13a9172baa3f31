"""From user name, password and PIN to every value that protocol §1 derives (docs/spec/secrets.md).

Knows: how each is spelled, what is refused at sign-up, Argon2id, the labels of each derivation.
Refuses to know: the server, shares, what the keys open, what day it is (a caller names the year).

Normalising never depends on the Unicode version of the machine: the fold table and the list of assigned code points
are data (casefold.json, Unicode 14), and a text of assigned code points normalises alike in every later version.
"""

from __future__ import annotations

import json
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any

from nacl.bindings import crypto_pwhash_ALG_ARGON2ID13, crypto_pwhash_alg, crypto_pwhash_SALTBYTES
from nacl.exceptions import RuntimeError as SodiumRuntimeError

from crypto_core.derivation import KEY_SIZE, derive, require_key
from crypto_core.encoding import ID_SIZE, u32
from crypto_core.errors import SecretRefused, TemoinError, UnsupportedVersion
from crypto_core.labels import Kind, context
from crypto_core.receipts import signatures

USERNAME_POINTS = 64
PASSWORD_BYTES = (8, 1024)
PIN_DIGITS = (4, 12)
MIB = 1024 * 1024


class NotEnoughMemory(TemoinError):
    """Argon2id could not get its memory."""

    code = "not_enough_memory"
    sentence = "This device has too little free memory to open the vault. Close other programs and try again."


@dataclass(frozen=True)
class ArgonSet:
    """The cost of one Argon2id (RFC 9106) call; one lane, as libsodium has it."""

    ops: int
    mem_bytes: int


ARGON_SETS = {1: ArgonSet(ops=3, mem_bytes=64 * MIB)}
"""Numbered for ever. Set 1 is also the floor."""
NEWEST_ARGON = max(ARGON_SETS)


@dataclass(frozen=True)
class Stretched:
    """What Argon2id gave: 32 bytes from which everything of the password derives. Forget it after login."""

    raw: bytes = field(repr=False)


@dataclass(frozen=True)
class LoginKeys:
    """What one user name and password derive, 32 bytes each. Only `k_id` may leave the device."""

    k_id: bytes
    login_seed: bytes = field(repr=False)
    k_pw: bytes = field(repr=False)
    k_pl: bytes = field(repr=False)
    k_ps: bytes = field(repr=False)


@dataclass(frozen=True)
class PinLogin:
    """tag_L, which the server counts and compares, and pin_L, which never leaves. Forget both after login."""

    tag: bytes = field(repr=False)
    wrapping: bytes = field(repr=False)


@dataclass(frozen=True)
class PinStep:
    """tag_S and pin_S, as `PinLogin`, for the step-up to sensitive items. Forget both at once."""

    tag: bytes = field(repr=False)
    wrapping: bytes = field(repr=False)


def normalise_username(text: str, *, sign_up: bool = False) -> str:
    """NFKC, full case folding by the table, NFKC, U+0020 stripped at both ends; 1 to 64 code points.

    At sign-up unassigned code points are refused, too. Raises SecretRefused; `detail` names the rule.
    """
    _require_text("user name", text, sign_up)
    folded = "".join(map(_folding, unicodedata.normalize("NFKC", text)))
    name = unicodedata.normalize("NFKC", folded).strip(" ")
    if not 1 <= len(name) <= USERNAME_POINTS:
        raise SecretRefused(f"the user name has 1 to {USERNAME_POINTS} characters")
    return name


def normalise_password(text: str, *, sign_up: bool = False) -> str:
    """Every space (Zs) as U+0020, then NFC; 8 to 1,024 bytes of UTF-8, no control characters (Cc).

    At sign-up unassigned code points are refused, too. Raises SecretRefused; `detail` names the rule.
    """
    _require_text("password", text, sign_up)
    spaced = "".join(" " if unicodedata.category(point) == "Zs" else point for point in text)
    password = unicodedata.normalize("NFC", spaced)
    if any(unicodedata.category(point) == "Cc" for point in password):
        raise SecretRefused("the password has no control characters")
    shortest, longest = PASSWORD_BYTES
    if not shortest <= len(password.encode("utf-8")) <= longest:
        raise SecretRefused(f"the password has {shortest} to {longest} bytes")
    return password


def normalise_pin(text: str, *, sign_up: bool = False, this_year: int | None = None) -> str:
    """4 to 12 digits, those of any script as ASCII.

    At sign-up refuses what is guessed first: a common PIN, one digit repeated, a straight sequence, and a year from
    1900 to `this_year` (to 2099 if not given). Raises SecretRefused; `detail` names the rule.
    """
    shortest, longest = PIN_DIGITS
    if not shortest <= len(text) <= longest:
        raise SecretRefused(f"the PIN has {shortest} to {longest} digits")
    pin = "".join(map(_ascii_digit, text))
    if sign_up:
        _refuse_guessable(pin, 2099 if this_year is None else this_year)
    return pin


def stretch(username: str, password: str, vault_id: bytes, argon_set: int = 1) -> Stretched:
    """st of protocol §1: Argon2id over the normalised password, salted with vault (16 bytes) and normalised name.

    Takes about 0.2 s and 64 MiB. Raises SecretRefused, UnsupportedVersion for a set this version doesn't know, and
    NotEnoughMemory.
    """
    if len(vault_id) != ID_SIZE:
        raise ValueError("a vault id is exactly 16 bytes")
    if argon_set not in ARGON_SETS:
        raise UnsupportedVersion("unknown Argon2id parameters")
    cost = ARGON_SETS[argon_set]
    name, secret = normalise_username(username).encode("utf-8"), normalise_password(password).encode("utf-8")
    salt = sha256(context(Kind.PWSALT, vault_id, name)).digest()[:crypto_pwhash_SALTBYTES]
    try:
        raw = crypto_pwhash_alg(KEY_SIZE, secret, salt, cost.ops, cost.mem_bytes, crypto_pwhash_ALG_ARGON2ID13)
    except (SodiumRuntimeError, MemoryError):
        raise NotEnoughMemory from None
    return Stretched(raw)


def derive_login(st: Stretched) -> LoginKeys:
    """K_id, the Ed25519 seed of K_login, K_pw, K_pl and K_ps."""
    return LoginKeys(
        k_id=derive(st.raw, Kind.ACCOUNT_ID),
        login_seed=derive(st.raw, Kind.LOGIN_SEED),
        k_pw=derive(st.raw, Kind.PW_WRAP),
        k_pl=derive(st.raw, Kind.PIN_LOGIN_KEY),
        k_ps=derive(st.raw, Kind.PIN_STEP_KEY),
    )


def derive_pin_login(k_pl: bytes, account: bytes, pin: str) -> PinLogin:
    """tag_L and pin_L, for an account of 16 bytes. Raises SecretRefused if this is no PIN."""
    fields = (_require_account(account), normalise_pin(pin).encode("ascii"))
    return PinLogin(derive(k_pl, Kind.PIN_LOGIN, *fields), derive(k_pl, Kind.PIN_KEK, *fields))


def derive_pin_step(k_ps: bytes, account: bytes, pin_epoch: int, pin: str) -> PinStep:
    """tag_S and pin_S; `pin_epoch` counts the PINs of the account, from 1. Raises SecretRefused if this is no PIN."""
    fields = (_require_account(account), u32(pin_epoch), normalise_pin(pin).encode("ascii"))
    return PinStep(derive(k_ps, Kind.PIN_STEP, *fields), derive(k_ps, Kind.PIN_KEK, *fields))


def sign_with_seed(seed: bytes, message: bytes) -> bytes:
    """The 64-byte Ed25519 signature (RFC 8032) of the key that this 32-byte seed makes."""
    return signatures.sign_ed25519(require_key(seed), message)


def derive_public(seed: bytes) -> bytes:
    """The 32-byte Ed25519 public key of a 32-byte seed."""
    return signatures.derive_public(require_key(seed))


def _require_text(what: str, text: str, sign_up: bool) -> None:
    points = [ord(point) for point in text]
    if any(0xD800 <= point <= 0xDFFF for point in points):
        raise SecretRefused(f"the {what} is not valid text")
    if sign_up and not all(map(_is_assigned, points)):
        raise SecretRefused(f"the {what} has a character that not every device knows")


def _refuse_guessable(pin: str, this_year: int) -> None:
    if pin in _common_pins():
        raise SecretRefused("the PIN is one of the commonest")
    if len(pin) == 4 and 1900 <= int(pin) <= this_year:
        raise SecretRefused("the PIN looks like a year of birth")
    steps = {(int(after) - int(before)) % 10 for before, after in zip(pin, pin[1:], strict=False)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        raise SecretRefused("the PIN is one digit repeated or a straight sequence")


def _require_account(account: bytes) -> bytes:
    if len(account) != ID_SIZE:
        raise ValueError("an account is exactly 16 bytes")
    return account


def _folding(point: str) -> str:
    folding: str = _unicode()["fold"].get(f"{ord(point):x}", point)
    return folding


def _is_assigned(point: int) -> bool:
    ranges: list[list[int]] = _unicode()["assigned"]
    place = bisect_right(ranges, point, key=lambda both: both[0]) - 1
    return place >= 0 and point <= ranges[place][1]


def _ascii_digit(point: str) -> str:
    zeros: list[int] = _unicode()["zeros"]
    place = bisect_right(zeros, ord(point)) - 1
    if place < 0 or ord(point) - zeros[place] > 9:
        raise SecretRefused("the PIN has digits only")
    return str(ord(point) - zeros[place])


@cache
def _unicode() -> dict[str, Any]:
    table: dict[str, Any] = _data("casefold.json")
    return table


@cache
def _common_pins() -> frozenset[str]:
    return frozenset(_data("common_pins.json"))


def _data(name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))
