"""Slows down whoever tries passwords, makes accounts or enters boxes in bulk.

Knows: which endpoints are counted, for whom, and what costs. Refuses to know: addresses (only a keyed hash that changes
each day is kept), PINs and the codes of links (they are counted by what they open, in guesses), keys that nobody can
guess, and challenges, of which nothing is kept. A count that can't be kept lets nobody in. A try is counted before it
is compared, so that many at once are no more than one after the other; what turns out to cost nothing is given back.

Each budget is a count of its own: whoever shares a network with somebody who guesses passwords still enters boxes,
opens what was shared, and confirms what an open session asks for (docs/adr/0060).

Behind a proxy every client has the proxy's address, unless the operator says how many proxies there are.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any, NamedTuple, cast

from flask import Flask, Response, request
from flask_limiter import Limiter
from limits import RateLimitItem, parse_many
from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import RateLimiter
from marshmallow import ValidationError
from sqlalchemy import BigInteger, String, delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.middleware.proxy_fix import ProxyFix

from server.accounts.service import current_caller
from server.config import DAY, ConfigRefused, ServerConfig
from server.database import Base, Database
from server.parts import Parts, parts
from server.ports import Clock
from server.problems import Refusal

SCHEME = "temoin-database"


class Counted(NamedTuple):
    """Under what somebody is counted; at `until` (Unix seconds) they are counted under something else."""

    key: str
    until: float = math.inf


@dataclass(frozen=True)
class Budget:
    """So many outcomes that cost, by codes of schemas.problems (an empty one is a success), at all of `endpoints`."""

    scope: str
    rate: str
    """The setting that says how many."""
    endpoints: tuple[str, ...]
    counted: Callable[[], Counted]
    costs: frozenset[str]
    refusal: str = "rate_limited"
    """What is answered when nothing is left, before anything is compared."""


class LimiterCount(Base):
    """What one network, one session or one visitor has used up of one limit."""

    __tablename__ = "limiter_counts"

    key: Mapped[str] = mapped_column(String, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    expires: Mapped[int] = mapped_column(BigInteger, index=True)


class DatabaseStorage(Storage):
    """Counts for `limits` (fixed windows) in the vault's own database, so that all workers share them."""

    STORAGE_SCHEME = [SCHEME]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions)
        self._database: Database = options["database"]
        self._clock: Clock = options["clock"]

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return (Refusal, SQLAlchemyError)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._clock.now()
        with self._database.write() as session:
            row = session.get(LimiterCount, key) or LimiterCount(key=key, count=0, expires=0)
            if row.expires <= now:
                row.count, row.expires = 0, now + expiry
            row.count = max(0, row.count + amount)  # what is given back late belongs to a window that is over
            if row.count:
                session.add(row)
            elif row in session:
                session.delete(row)
            return row.count

    def get(self, key: str) -> int:
        row = self._find(key)
        return row.count if row else 0

    def get_expiry(self, key: str) -> float:
        row = self._find(key)
        return row.expires if row else self._clock.now()

    def check(self) -> bool:
        self._find("")
        return True

    def reset(self) -> int | None:
        with self._database.write() as session:
            session.execute(delete(LimiterCount))
        return None

    def clear(self, key: str) -> None:
        with self._database.write() as session:
            session.execute(delete(LimiterCount).where(LimiterCount.key == key))

    def _find(self, key: str) -> LimiterCount | None:
        with self._database.read() as session:
            row = session.get(LimiterCount, key)
        return row if row and row.expires > self._clock.now() else None


def install_limits(app: Flask, parts: Parts) -> None:
    """Puts the configured rates around the views that are counted."""
    config = parts.config
    if config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxies, x_proto=0)  # type: ignore[method-assign]
    options = {"wrap_exceptions": True}
    if not config.limiter_url:
        options |= cast(Any, {"database": parts.database, "clock": parts.clock})
    limiter = Limiter(
        lambda: _asking().key,
        app=Flask("limits"),  # it would look at each request of its app; those that are counted ask it themselves
        storage_uri=config.limiter_url or f"{SCHEME}://",
        storage_options=cast(Any, options),
        strategy="fixed-window",
        swallow_errors=False,
    )
    for budget in BUDGETS:
        for endpoint in budget.endpoints:
            decorate = _count_first(limiter.limiter, budget, getattr(config, budget.rate))
            app.view_functions[endpoint] = decorate(app.view_functions[endpoint])
    app.register_error_handler(StorageError, lambda _: Refusal("limiter_unavailable").response())


def require_store(config: ServerConfig) -> None:
    """Raises ConfigRefused unless tries could be counted where the operator wants them counted."""
    if config.limiter_url:
        try:
            storage_from_string(config.limiter_url)
        except ConfigurationError:
            raise ConfigRefused("TEMOIN_LIMITER_URL names a store that can't be used here") from None


def _asking(about: bytes = b"") -> Counted:
    """The network that asks, and what it asks about: under another key each day."""
    found = parts()
    today = found.clock.now() // DAY
    return Counted(found.pepper.network_key(today, _network(request.remote_addr or "") + about), (today + 1) * DAY)


def _session() -> Counted:
    """The session that asks: a confirmation belongs to the one that it stands beside."""
    return Counted(current_caller().root.hex())


def _visitor() -> Counted:
    """The network that asks, at one box: nobody can tell from the key which, nor what else that network did."""
    return _asking((request.view_args or {})["box"])


BUDGETS = (
    Budget(
        "tries", "login_rate", ("accounts.finish_login", "accounts.sign_up"), _asking,
        frozenset({"login_refused", "account_exists"}),
    ),
    # Nobody can guess a code; whoever tries costs the vault a row for each.
    Budget(
        "recoveries", "login_rate", ("recovery.finish",), _asking, frozenset({"recovery_refused", "challenge_refused"}),
    ),
    Budget("sign-ups", "signup_rate", ("accounts.sign_up",), _asking, frozenset({""})),
    # Another password is another K_id, for which another challenge was given: where a session says whose password it
    # is, `challenge_refused` is what a wrong one gets.
    Budget(
        "proofs", "confirm_rate", ("accounts.confirm", "accounts.change_credentials", "guesses.reopen"), _session,
        frozenset({"challenge_refused", "login_refused", "signature_refused", "recovery_refused"}), "session_limited",
    ),
    # Whoever changes an account may ask for any pair of name and password: a guess at somebody else's, which accounts,
    # being free, can't bound.
    Budget(
        "changes", "confirm_rate", ("accounts.change_credentials", "recovery.change_credentials"), _asking,
        frozenset({"account_exists"}),
    ),
    Budget("visits", "visit_rate", ("boxes.enter",), _visitor, frozenset({""})),
)
"""The later ones of an endpoint are asked first."""


def collect(parts: Parts) -> None:
    """Forgets counts that are over."""
    with parts.database.write() as session:
        session.execute(delete(LimiterCount).where(LimiterCount.expires <= parts.clock.now()))


def _count_first(strategy: RateLimiter, budget: Budget, rate: str) -> Any:
    """A decorator for views: takes one of `rate` for whoever is counted before the view runs, and gives it back if the
    outcome costs nothing. After a mistake of ours it stays taken.
    """
    items = parse_many(rate)

    def decorate(view: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(view)
        def counted(*args: Any, **kwargs: Any) -> Response:
            who = budget.counted()
            _take(strategy, items, budget, who)
            try:
                answer = view(*args, **kwargs)
            except (Refusal, ValidationError) as refusal:
                if (refusal.code if isinstance(refusal, Refusal) else "invalid") not in budget.costs:
                    _give_back(strategy, items, budget, who)
                raise
            if "" not in budget.costs:
                _give_back(strategy, items, budget, who)
            return answer

        return counted

    return decorate


def _take(strategy: RateLimiter, items: Sequence[RateLimitItem], budget: Budget, who: Counted) -> None:
    """One of each, or none of any. Raises the budget's Refusal."""
    taken = list[RateLimitItem]()
    for item in items:
        if strategy.test(item, who.key, budget.scope):  # whoever has none left costs no write
            taken.append(item)
            if strategy.hit(item, who.key, budget.scope):
                continue
        _give_back(strategy, taken, budget, who)
        ends = min(strategy.get_window_stats(item, who.key, budget.scope).reset_time, who.until)
        raise Refusal(budget.refusal, retry_after=int(ends) - _now())


def _give_back(strategy: RateLimiter, items: Sequence[RateLimitItem], budget: Budget, who: Counted) -> None:
    with suppress(StorageError):  # then a try is lost, which the store gives back in its time
        for item in items:
            strategy.hit(item, who.key, budget.scope, cost=-1)


def _now() -> int:
    return parts().clock.now()


def _network(address: str) -> bytes:
    """An IPv4 address, or the /64 that one IPv6 subscriber usually has."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket has no address: all who come by it are one network
        return b""
    if ip.version == 4:
        return ip.packed
    return (ip.ipv4_mapped.packed if ip.ipv4_mapped else ip.packed[:8])
