"""Slows down whoever tries passwords, challenges or accounts in bulk, network by network.

Knows: which endpoints are counted, and what costs. Refuses to know: addresses (only a keyed hash that changes
each day is kept) and PINs (they are counted by account, in guesses). A count that can't be kept lets nobody in.
A try is counted before it is compared, so that many at once are no more than one after the other; what turns out to
cost nothing is given back.

Behind a proxy every client has the proxy's address, unless the operator says how many proxies there are.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, cast

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from limits import RateLimitItem, parse_many
from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import RateLimiter
from marshmallow import ValidationError
from sqlalchemy import BigInteger, String, delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.middleware.proxy_fix import ProxyFix

from server.config import DAY, ConfigRefused, ServerConfig
from server.database import Base, Database
from server.parts import Parts, parts
from server.ports import Clock
from server.problems import Refusal

SCHEME = "temoin-database"
WRONG = frozenset({
    "login_refused", "signature_refused", "account_exists", "recovery_refused", "cap_refused", "code_wrong"
})
"""The outcomes that cost a try; a right one costs nothing."""
TRIES = (
    "accounts.finish_login", "accounts.sign_up", "accounts.confirm", "accounts.change_credentials", "guesses.reopen",
    "shares.open_bundle", "shares.try_code", "boxes.enter",
)
"""Where a wrong outcome is counted, all together."""
STARTS = ("accounts.start_login", "boxes.enter")
"""Where each request is counted, whatever comes of it."""


class LimiterCount(Base):
    """Tries from one network at one limit."""

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
            session.add(row)
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
        network_key,
        app=Flask("limits"),  # it would look at each request of its app; those that are counted ask it themselves
        storage_uri=config.limiter_url or f"{SCHEME}://",
        storage_options=cast(Any, options),
        strategy="fixed-window",
        swallow_errors=False,
    )
    for endpoint in TRIES:
        _limit(app, _count_first(limiter.limiter, config.login_rate, "tries", WRONG.__contains__), endpoint)
    for endpoint in STARTS:
        _limit(app, limiter.limit(config.start_rate), endpoint)
    _limit(app, _count_first(limiter.limiter, config.signup_rate, "sign-ups", _was_made), "accounts.sign_up")
    app.register_error_handler(StorageError, lambda _: Refusal("limiter_unavailable").response())
    app.register_error_handler(RateLimitExceeded, lambda _: _too_many(limiter))


def require_store(config: ServerConfig) -> None:
    """Raises ConfigRefused unless tries could be counted where the operator wants them counted."""
    if config.limiter_url:
        try:
            storage_from_string(config.limiter_url)
        except ConfigurationError:
            raise ConfigRefused("TEMOIN_LIMITER_URL names a store that can't be used here") from None


def network_key() -> str:
    """What the network that asks is counted under today."""
    found = parts()
    return found.pepper.network_key(found.clock.now() // DAY, _network(request.remote_addr or ""))


def collect(parts: Parts) -> None:
    """Forgets counts that are over."""
    with parts.database.write() as session:
        session.execute(delete(LimiterCount).where(LimiterCount.expires <= parts.clock.now()))


def _limit(app: Flask, decorate: Any, endpoint: str) -> None:
    app.view_functions[endpoint] = decorate(app.view_functions[endpoint])


def _count_first(strategy: RateLimiter, rate: str, scope: str, costs: Callable[[str], bool]) -> Any:
    """A decorator for views: takes one of `rate` for the network that asks before the view runs, and gives it back if
    the outcome (a code of schemas.problems, empty for a success) costs nothing. After a mistake of ours it stays taken.
    """
    items = parse_many(rate)

    def decorate(view: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(view)
        def counted(*args: Any, **kwargs: Any) -> Response:
            who = network_key(), scope
            _take(strategy, items, who)
            try:
                answer = view(*args, **kwargs)
            except (Refusal, ValidationError) as refusal:
                if not costs(refusal.code if isinstance(refusal, Refusal) else "invalid"):
                    _give_back(strategy, items, who)
                raise
            if not costs(""):
                _give_back(strategy, items, who)
            return answer

        return counted

    return decorate


def _take(strategy: RateLimiter, items: Sequence[RateLimitItem], who: tuple[str, str]) -> None:
    """One of each, or none of any. Raises Refusal `rate_limited`."""
    taken = list[RateLimitItem]()
    for item in items:
        if strategy.test(item, *who):  # whoever has none left costs no write
            taken.append(item)
            if strategy.hit(item, *who):
                continue
        _give_back(strategy, taken, who)
        raise Refusal("rate_limited", retry_after=int(strategy.get_window_stats(item, *who).reset_time) - _now())


def _give_back(strategy: RateLimiter, items: Sequence[RateLimitItem], who: tuple[str, str]) -> None:
    with suppress(StorageError):  # then a try is lost, which the store gives back in its time
        for item in items:
            strategy.hit(item, *who, cost=-1)


def _was_made(code: str) -> bool:
    return not code


def _now() -> int:
    return parts().clock.now()


def _too_many(limiter: Limiter) -> Response:
    breached = limiter.current_limit
    wait = breached.reset_at - _now() if breached else None
    return Refusal("rate_limited", retry_after=wait).response()


def _network(address: str) -> bytes:
    """An IPv4 address, or the /64 that one IPv6 subscriber usually has."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket has no address: all who come by it are one network
        return b""
    if ip.version == 4:
        return ip.packed
    return (ip.ipv4_mapped.packed if ip.ipv4_mapped else ip.packed[:8])
