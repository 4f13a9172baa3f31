"""Takes anchors.

Knows: which checkpoint is to be stamped, that a token is verified before it is kept, when to ask again.
Refuses to know: HTTP, and deposits; no lock and no transaction is held while an authority is asked.
Processes that take none don't load this: it brings X.509.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, select

from crypto_core.errors import TemoinError
from crypto_core.receipts.anchor import format_certificates, make_query, verify_token
from crypto_core.receipts.note import parse_note
from server.anchors.authority import Authority
from server.anchors.models import Anchor
from server.ledger.models import Cosignature
from server.parts import Parts
from server.problems import Refusal

FIRST_RETRY = 60
"""Seconds after a failure; twice as many after each further one."""
LONGEST_RETRY = 3600

_log = logging.getLogger("temoin.server")


class Anchored(NamedTuple):
    """A token that was taken: over the checkpoint of `size` entries, proven for `time` by `authority`."""

    size: int
    time: int
    authority: str


def take_anchor(vault: Parts, authority: Authority) -> Anchored | None:
    """Has the newest checkpoint stamped, or the newest that a witness has cosigned if one has since the last token, and
    keeps the token once it is verified; None, and nobody is asked, if the ledger has not grown since.

    Raises AuthoritySilent, AuthorityFailed, a leaf of AnchorError for a token that is not kept, Refusal.
    """
    with vault.database.read() as session:
        newest, last = vault.ledger.newest(session), session.scalar(select(func.max(Anchor.size))) or 0
        if newest.size == last:
            return None
        cosigned = session.scalar(select(func.max(Cosignature.size)))
        if cosigned is not None and cosigned > last:
            newest = vault.ledger.signed(session, cosigned)
    text = parse_note(newest.note.encode()).text
    query = make_query(text)
    token = authority.ask(query.data)
    trusted = authority.certificates  # those that others signed are no roots, and may stand between
    proven = verify_token(token, text, roots=trusted, links=trusted, nonce=query.nonce)
    kept = Anchor(
        size=newest.size, token=token, chain=format_certificates(proven.chain).decode(), fetched=vault.clock.now()
    )
    with vault.database.write() as session:
        if session.get(Anchor, newest.size) is None:  # else another process was first
            session.add(kept)
    return Anchored(newest.size, proven.latest, proven.authority)


@dataclass
class Rhythm:
    """How long to wait until the authority is asked again: `interval` seconds, fewer after a failure."""

    interval: int
    failures: int = 0

    def first(self, vault: Parts) -> int:
        """Seconds until the first time: the interval goes on where the last process left it. Never raises."""
        try:
            with vault.database.read() as session:
                last: int | None = session.scalar(select(func.max(Anchor.fetched)))
        except Refusal:
            return FIRST_RETRY
        return 0 if last is None else min(max(0, last + self.interval - vault.clock.now()), self.interval)

    def next(self, vault: Parts, authority: Authority) -> int:
        """Takes an anchor if there is something to take, and says how many seconds to wait. Never raises.

        It is asked at times that have nothing to do with deposits: else it would learn when one was made.
        """
        try:
            take_anchor(vault, authority)
        except (TemoinError, Refusal) as error:
            _log.warning("no anchor: %s", error.code)
        except Exception as error:
            _log.error("%s in an anchor", type(error).__name__)
        else:
            self.failures = 0
            return self.interval
        self.failures += 1
        return min(self.interval, LONGEST_RETRY, FIRST_RETRY << min(self.failures - 1, 10))
