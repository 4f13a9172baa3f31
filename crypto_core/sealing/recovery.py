"""The recovery code: 32 bytes, 24 words to write down, and what derives from them (docs/spec/recovery.md).

Knows: BIP-39's two word lists that we print, and the three labels of protocol §8. Refuses to know: the share that the
server keeps back until the waiting time is over.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal

from crypto_core.derivation import KEY_SIZE, derive, require_key
from crypto_core.errors import SecretRefused
from crypto_core.labels import Kind
from crypto_core.randomness import make_bytes

if TYPE_CHECKING:
    from mnemonic import Mnemonic

WORDS = 24
Language = Literal["english", "french"]
LANGUAGES: tuple[Language, ...] = ("english", "french")

_LETTERS = re.compile("[a-z]+")


@dataclass(frozen=True)
class RecoveryKeys:
    """32 bytes each. Only `rid` may leave the device; `wrap_key` is what `keys.derive_kek_r` joins to the share."""

    rid: bytes
    login_seed: bytes = field(repr=False)
    wrap_key: bytes = field(repr=False)


def make_recovery_key() -> bytes:
    """A new recovery code, 32 bytes."""
    return make_bytes(KEY_SIZE)


def derive_recovery(key: bytes) -> RecoveryKeys:
    """The id, the Ed25519 login seed and the wrapping key of a recovery code."""
    return RecoveryKeys(
        rid=derive(key, Kind.RECOVERY_ID),
        login_seed=derive(key, Kind.RECOVERY_LOGIN),
        wrap_key=derive(key, Kind.RECOVERY_WRAP),
    )


def format_words(key: bytes, language: Language = "english") -> str:
    """The code as 24 words of BIP-39 (256 bits and 8 of checksum), NFC, one space between."""
    return unicodedata.normalize("NFC", _mnemonic(language).to_mnemonic(require_key(key)))


def parse_words(text: str) -> bytes:
    """The 32 bytes of 24 words in either language. Case, accents, and whatever stands between words don't matter.

    Raises SecretRefused; `detail` says which rule, or which word by its number, never the word.
    """
    typed = _LETTERS.findall(_bare(text))
    if len(typed) != WORDS:
        raise SecretRefused(f"there are {WORDS} words")
    unknown = [_first_unknown(typed, language) for language in LANGUAGES]
    if None not in unknown:  # the language that fits longest is the one meant
        furthest = max(number for number in unknown if number)
        raise SecretRefused(f"word {furthest} is in neither list")
    for language, number in zip(LANGUAGES, unknown, strict=True):
        if number is None:
            try:
                return bytes(_mnemonic(language).to_entropy([_word_list(language)[word] for word in typed]))
            except ValueError:
                continue
    raise SecretRefused("a word is another one, or two have changed places")


def _first_unknown(words: list[str], language: Language) -> int | None:
    known = _word_list(language)
    return next((number for number, word in enumerate(words, 1) if word not in known), None)


@cache
def _mnemonic(language: Language) -> Mnemonic:
    from mnemonic import Mnemonic  # for a new code, or one that is typed: seldom

    return Mnemonic(language)


@cache
def _word_list(language: Language) -> dict[str, str]:
    """Each word without its accents, and as BIP-39 spells it. No two words of a list differ by accents only."""
    return {_bare(word): word for word in _mnemonic(language).wordlist}


def _bare(text: str) -> str:
    return "".join(point for point in unicodedata.normalize("NFKD", text) if not unicodedata.combining(point)).lower()
