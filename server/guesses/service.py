"""The guess machine: counts a try, durably, before it compares, and slows down whoever goes on being wrong.

Knows: protocol §1, "Guess machine". Refuses to know: what a right PIN opens (its caller says so), and PINs.
One counter serves both purposes of an account. Nothing of the person's is ever destroyed here.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import ColumnElement, SQLColumnExpression, case, literal, update
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.accounts.service import find_account
from server.config import DAY, HOUR, MINUTE
from server.database import rows_changed
from server.guesses.models import Guesses
from server.parts import Parts
from server.problems import Refusal

LADDER = (0, 0, 0, 0, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 8 * HOUR, DAY)
"""Seconds to wait after so many wrong tries in a row; the last one goes on."""
CLOSED_AFTER = 20
CLOSED_FOR = 7 * DAY
WEEK = 7 * DAY
ADVISED_FROM = 10
"""From so many wrong tries in all on, none is free any more, and the person is asked to choose anew."""

T = TypeVar("T")


def delay(attempts: int, wrong_total: int) -> int:
    """Seconds until the next try, after `attempts` wrong ones in a row (1 to 20) and `wrong_total` in all."""
    if attempts >= CLOSED_AFTER:
        return CLOSED_FOR
    waiting = LADDER[min(attempts, len(LADDER)) - 1]
    return max(waiting, MINUTE) if wrong_total >= ADVISED_FROM else waiting


def try_pin(
    parts: Parts, account: bytes, purpose: str, tag: bytes, right: Callable[[Session, Account, Guesses], T]
) -> T:
    """Counts a try, compares it, and if it is right gives what `right` makes of it, in one transaction.

    `purpose` is `login` or `step`; `right` gets the counters as they are without this try.
    Raises Refusal `pin_locked`, `pin_closed` (neither is compared), `pin_wrong`, `limiter_unavailable`, or
    `unauthorized` if the credentials were changed between counting and now, or the account is gone.
    """
    now = parts.clock.now()
    with fail_closed(), parts.database.write() as session:
        row = find_account(session, account)
        refusal = _count(session, account, now)
    if refusal is not None:
        raise refusal
    parts.steps.reach("guess.counted")
    expected = {"login": row.verifier_l, "step": row.verifier_s}[purpose]
    is_right = hmac.compare_digest(expected, parts.pepper.pin_verifier(purpose, account, row.epoch, tag))
    parts.steps.reach("guess.compared")
    if not is_right:
        raise Refusal("pin_wrong")
    with fail_closed(), parts.database.write() as session:
        current = find_account(session, account)
        if current.epoch != row.epoch:  # compared with what was changed meanwhile: those sessions are over
            raise Refusal("unauthorized")
        guesses = session.get_one(Guesses, account)
        guesses.attempts = guesses.not_before = 0
        guesses.wrong_total = max(0, guesses.wrong_total - 1)
        guesses.wrong_since = max(0, guesses.wrong_since - 1)
        return right(session, current, guesses)


def reopen(session: Session, account: bytes) -> None:
    """Ends a delay, or opens a closed path; `wrong_total` stays."""
    guesses = session.get_one(Guesses, account)
    guesses.attempts = guesses.not_before = 0


def _count(session: Session, account: bytes, now: int) -> Refusal | None:
    """Raises `attempts` and `not_before` in one statement that changes nothing while a delay runs: then, why not.

    No delay is ever longer than the ladder says, seen from now: a clock that ran ahead and was set right must not
    keep a person out for as long as it ran ahead.
    """
    mine = Guesses.account == account
    weeks = (literal(now) - Guesses.lowered) // WEEK
    session.execute(
        update(Guesses).where(mine, Guesses.lowered <= now - WEEK).values(
            wrong_total=case((Guesses.wrong_total > weeks, Guesses.wrong_total - weeks), else_=0),
            lowered=Guesses.lowered + weeks * WEEK,
        )
    )
    longest = now + _delay(Guesses.attempts, Guesses.wrong_total)
    session.execute(update(Guesses).where(mine, Guesses.not_before > longest).values(not_before=longest))
    attempts = case((Guesses.attempts >= CLOSED_AFTER, 1), else_=Guesses.attempts + 1)
    counted = update(Guesses).where(mine, Guesses.not_before <= now).values(
        attempts=attempts,
        not_before=now + _delay(attempts, Guesses.wrong_total + 1),
        wrong_total=Guesses.wrong_total + 1,
        wrong_since=Guesses.wrong_since + 1,
    )
    if rows_changed(session, counted):
        return None
    guesses = session.get_one(Guesses, account)
    code = "pin_closed" if guesses.attempts >= CLOSED_AFTER else "pin_locked"
    return Refusal(code, retry_after=guesses.not_before - now)


def _delay(attempts: SQLColumnExpression[int], wrong_total: SQLColumnExpression[int]) -> ColumnElement[int]:
    """`delay`, computed by the database."""
    return case((wrong_total >= ADVISED_FROM, _ladder(attempts, ADVISED_FROM)), else_=_ladder(attempts, 0))


def _ladder(attempts: SQLColumnExpression[int], wrong_total: int) -> ColumnElement[int]:
    return case({n: delay(n, wrong_total) for n in range(1, CLOSED_AFTER + 1)}, value=attempts)


@contextmanager
def fail_closed() -> Iterator[None]:
    """Tries that can't be counted are not compared."""
    try:
        yield
    except Refusal as refusal:
        if refusal.code in ("unavailable", "storage_full"):
            raise Refusal("limiter_unavailable") from None
        raise
