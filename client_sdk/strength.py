"""Whether a password is good enough to begin with, and what would make it so.

Knows: how to ask zxcvbn, whose word lists are loaded only when asked. Refuses to know: the rules of form
(crypto_core.sealing.passphrase), and any way to send or keep what it is shown.
"""

from __future__ import annotations

from crypto_core.errors import SecretRefused

ENOUGH = 3
"""Of 0 to 4: \"safely unguessable\" for an attacker who has stolen a slow hash."""
_JUDGED = 72
"""Characters that zxcvbn takes; what follows them can only add strength."""
_ADVICE = "Three or four unrelated words, or a sentence only you know, are easier to keep in mind and harder to guess."


def require_strong(password: str, username: str) -> None:
    """Raises SecretRefused below a score of 3; `detail` says what would help and holds nothing of the password."""
    from zxcvbn import zxcvbn

    result = zxcvbn(password[:_JUDGED], user_inputs=[username, "temoin", "témoin", "carnet"])
    if result["score"] >= ENOUGH:
        return
    hints = [result["feedback"]["warning"], *result["feedback"]["suggestions"]]
    raise SecretRefused(" ".join(["the password is too easy to guess.", *map(_ended, filter(None, hints)), _ADVICE]))


def _ended(hint: str) -> str:
    return hint if hint.endswith((".", "!", "?")) else f"{hint}."
