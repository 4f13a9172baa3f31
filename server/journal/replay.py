"""How each line of the journal is laid over a copy that is older than it.

Knows: which rows a line stands for, in every room of the vault. Refuses to know: when. What a line tells may be in the
copy already, or be of something that the copy has never seen; both come out the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crypto_core.encoding import ID_SIZE
from server.accounts.erasure import close_account
from server.accounts.models import Account, Recovery
from server.boxes.ending import end_box, erase_deposit
from server.boxes.models import Box, BoxDeposit
from server.directory.models import DirectoryCheckpoint, DirectoryEntry, Professional
from server.guesses.models import Guesses
from server.items.erasure import erase_item
from server.items.models import Item, Revision
from server.journal.lines import GONE, load_row
from server.ledger.service import Enter
from server.parts import Parts
from server.shares.ending import end_bundle

Lay = Callable[[bytes, bytes | None, dict[str, Any]], None]


@dataclass
class Copy:
    """A copy in the middle of being put right, in one work for the ledger."""

    vault: Parts
    session: Session
    enter: Enter
    kinds: dict[str, Lay] = field(init=False)
    """In their order: who is listed has an account and an entry; what is ended goes last."""

    def __post_init__(self) -> None:
        self._by_digest = {
            sha256(account).digest(): account for account in self.session.scalars(select(Account.account))
        }
        self._make_room()
        for model in (Item, BoxDeposit):  # what was taken back since the copy must not be erased in its time
            self.session.execute(update(model).values(erase_at=None))
        self.kinds = {
            "entry": self._entry, GONE: self._gone, "account": self._account, "professional": self._professional,
            "item": self._item, "deposit": self._deposit, "box": self._box, "bundle": self._bundle,
        }

    def lay(self, kind: str, key: bytes, account: bytes | None, value: dict[str, Any]) -> None:
        """One line over whatever the copy has."""
        self.kinds[kind](key, account, value)

    def _make_room(self) -> None:
        """What an account or a code is found by may be somebody else's by now: nobody's until its line comes, which
        each has that the journal is old enough to know."""
        for row in [*self.session.scalars(select(Account)), *self.session.scalars(select(Recovery))]:
            row.lookup = row.account.ljust(32, b"\0")
        self.session.flush()

    def _entry(self, _key: bytes, _account: bytes | None, value: dict[str, Any]) -> None:
        self.session.merge(DirectoryEntry(**load_row(DirectoryEntry, value["entry"])))
        self.session.merge(DirectoryCheckpoint(**load_row(DirectoryCheckpoint, value["checkpoint"])))
        self.session.flush()

    def _gone(self, key: bytes, _account: bytes | None, _value: dict[str, Any]) -> None:
        account = self._by_digest.get(key)
        if account is None:
            return
        listed = self.session.get(Professional, account)
        if listed is not None:  # the directory has the entry that ends it
            listed.entry = None
            self.session.flush()
        close_account(self.vault, account, self.session, self.enter)

    def _account(self, key: bytes, _account: bytes | None, value: dict[str, Any]) -> None:
        columns = load_row(Account, value["account"])
        row = self.session.get(Account, key)
        if row is None:
            now = self.vault.clock.now()
            self.session.add(Account(used=0, last_opened=None, **columns))
            self.session.flush()
            self.session.add(
                Guesses(account=key, attempts=0, not_before=0, wrong_total=0, lowered=now, wrong_since=0)
            )
        else:
            for name, one in columns.items():
                setattr(row, name, one)
        self.session.merge(Recovery(**load_row(Recovery, value["recovery"])))
        self.session.flush()

    def _professional(self, _key: bytes, _account: bytes | None, value: dict[str, Any]) -> None:
        self.session.merge(Professional(**load_row(Professional, value)))

    def _item(self, key: bytes, account: bytes | None, value: dict[str, Any]) -> None:
        """Every place that the copy hasn't, tombstones with a deposit of their own, and then what they erase."""
        if account is None or self.session.get(Account, account) is None:
            return
        rows = [load_row(Revision, one) for one in value["revisions"]]
        item = self.session.get(Item, key) or Item(item=key, account=account, revision=0)
        self.session.add(item)
        self.session.flush()
        for row in rows[item.revision:]:
            entered: dict[str, Any] = {"size": 0}
            if row.get("record") is not None:
                (deposit,) = self.enter([(sha256(row["record"]).digest(), len(row["record"]))])
                made = deposit.commitment
                entered = {
                    "size": made.size, "sha256": made.sha256, "deposit": deposit.index, "deposited": deposit.time,
                }
                self.session.get_one(Account, account).used += len(row["record"])
            self.session.add(Revision(account=account, item=key, **{**row, **entered}))
            item.revision = row["revision"]
        self.session.flush()
        if value["erased_by"] is not None:
            erase_item(self.vault, self.session, account, key, value["erased_by"])
        item.erase_at = value["erase_at"]

    def _deposit(self, key: bytes, account: bytes | None, value: dict[str, Any]) -> None:
        row = self.session.get(BoxDeposit, (key[:ID_SIZE], key[ID_SIZE:]))
        if row is None or row.became is not None or account is None:
            return
        row.erase_at = value["erase_at"]
        if row.erase_at is None:
            erase_deposit(self.vault, self.session, account, row)

    def _box(self, key: bytes, _account: bytes | None, value: dict[str, Any]) -> None:
        row = self.session.get(Box, key)
        if row is not None:
            end_box(self.vault, self.session, row, value["ended"], value["why"])

    def _bundle(self, key: bytes, _account: bytes | None, value: dict[str, Any]) -> None:
        end_bundle(self.session, key, value["ended"], value["why"])
