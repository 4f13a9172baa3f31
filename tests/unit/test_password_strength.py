"""A password that is guessed first is refused with what would help; a good one passes in any script."""

import subprocess
import sys

import pytest

from client_sdk.strength import require_strong
from crypto_core.errors import SecretRefused


@pytest.mark.parametrize(
    "password", ["iloveyou", "azertyuiop", "motdepasse1", "aaaaaaaaaaaa", "camille1990", "12345678910", "Passw0rd!"]
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(SecretRefused) as refused:
        require_strong(password, "camille")
    assert password not in refused.value.detail
    assert "unrelated words" in refused.value.detail


@pytest.mark.parametrize(
    "password",
    ["tortue lavabo quinze nuage", "le chat de la voisine dort au soleil", "لوحة مفاتيح سماء بحر قمر", "q8#Vd-x2Lm!0"],
)
def test_a_good_one_passes(password: str) -> None:
    require_strong(password, "camille")


def test_the_user_name_makes_a_password_weak() -> None:
    require_strong("wolfgangzauberin", "camille")
    with pytest.raises(SecretRefused):
        require_strong("wolfgangzauberin", "wolfgangzauberin")


def test_a_very_long_password_is_judged_by_its_beginning() -> None:
    require_strong("un long poème que personne ne devine " * 27, "camille")
    with pytest.raises(SecretRefused):
        require_strong("a" * 1000, "camille")


def test_the_word_lists_are_loaded_only_when_asked() -> None:
    code = "import client_sdk.strength, client_sdk.cli, sys; sys.exit('zxcvbn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
