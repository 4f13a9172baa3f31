"""The codes of links: few tries, each counted durably before it is compared; the last one takes the share away.

Knows: protocol §7, "By link and code". Refuses to know: codes (it sees what comes of link and code together), and what
a share opens. Unlike with PINs nobody waits: after CODE_TRIES wrong ones there is nothing left to guess at.

The last try takes verifier and share out of the database as it is counted, and only if it was right are they put back:
whoever is cut off between counting and comparing leaves nothing to try again at.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from schemas.limits import CODE_TRIES
from server.database import rows_changed
from server.guesses.models import LinkCode
from server.guesses.service import fail_closed
from server.parts import Parts
from server.problems import Refusal


def keep_code(vault: Parts, session: Session, bundle: bytes, x: bytes, share: bytes) -> None:
    """A link's 32-byte share, to be released for the 32-byte `x` alone."""
    pepper = vault.pepper
    session.add(LinkCode(
        bundle=bundle, pepper=pepper.version, attempts=0, verifier=pepper.code_verifier(bundle, x),
        share=pepper.seal_row("share_L", bundle, 1, share),
    ))


def try_code(vault: Parts, bundle: bytes, x: bytes, use_up: Callable[[Session], None]) -> bytes:
    """Counts a try at a bundle's code, compares it, and gives the share. `use_up` is called if the last was wrong.

    Raises Refusal `bundle_over` where there is nothing to try at (any more), `code_wrong` with how many tries are
    `left`, `limiter_unavailable`.
    """
    mine = LinkCode.bundle == bundle
    with fail_closed(), vault.database.write() as session:
        counted = update(LinkCode).where(mine, LinkCode.share.is_not(None)).values(attempts=LinkCode.attempts + 1)
        if not rows_changed(session, counted):
            raise Refusal("bundle_over")
        code = session.execute(select(LinkCode.attempts, LinkCode.verifier, LinkCode.share).where(mine)).one()
        is_last = code.attempts >= CODE_TRIES
        if is_last:
            session.execute(update(LinkCode).where(mine).values(verifier=None, share=None))
    vault.steps.reach("guess.counted")
    is_right = hmac.compare_digest(code.verifier, vault.pepper.code_verifier(bundle, x))
    vault.steps.reach("guess.compared")
    with fail_closed(), vault.database.write() as session:
        if is_right:
            again = update(LinkCode).where(mine, LinkCode.share.is_(None) if is_last else LinkCode.share.is_not(None))
            if not rows_changed(session, again.values(attempts=0, verifier=code.verifier, share=code.share)):
                raise Refusal("bundle_over")  # it ended meanwhile
        elif is_last:
            use_up(session)
    if not is_right:
        raise Refusal("code_wrong", left=CODE_TRIES - code.attempts)
    return vault.pepper.open_row("share_L", bundle, 1, code.share)


def forget_code(session: Session, bundle: bytes) -> None:
    """There is nothing to try at any more."""
    session.execute(delete(LinkCode).where(LinkCode.bundle == bundle))
