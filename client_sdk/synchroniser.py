"""Brings the replica up to date, and judges the vault by it.

Knows: the account record, the pages, and when a pass is repeated (client_sdk.protocol.sync has the rules).
Refuses to know: what records say, but for those that list what was deleted, or lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from hashlib import sha256
from typing import Any

from marshmallow import ValidationError

from client_sdk.errors import LedgerForked, ServerFault, VaultChanged
from client_sdk.keychain import AccountState, is_earlier_account_state, open_account_state
from client_sdk.protocol.sync import (
    PASSES, Account, Finding, Links, Pass, Sync, SyncEvent, Verdict, judge, missing_in, place_key, synchronising,
)
from client_sdk.replica import Row
from client_sdk.session import Session
from crypto_core.encoding import format_json, parse_json
from crypto_core.errors import CryptoCoreError, MalformedError, TamperedError, UnsupportedVersion
from crypto_core.sealing.keyring import NeedsPin, is_sensitive, unwrap_record_key
from crypto_core.sealing.records import Link, open_link, open_record
from schemas.documents import Loss, Tombstone

_TOMBSTONE, _LOSS = Tombstone(), Loss()
_MAX_PAGES = 1_000_000


class Synchroniser:
    """One account's synchronisation. Used under the account's lock."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._swapped: set[bytes] = set()
        self._spoiled: list[Row] = []
        """Rows of the replica that are not what their link, or their place, says."""
        self._hashes: dict[bytes, bytes] = {}
        """`place_key` → record hash of its link."""
        self._finished: Pass | None = None
        """The pass that was judged last, and below its number."""
        self._finished_in = 0
        self._loaded = 0
        self._sealed_here: dict[bytes, tuple[Mapping[str, Any], Link]] = {}
        """`place_key` → a revision as it was sent, and its link before it was sealed."""

    def sync(self, opened: dict[str, Any] | None = None) -> None:
        """Passes until one is clean, three at most; what is still found then becomes a warning.

        `opened`: the answer of `GET /v1/account`, where it was asked for just now.
        """
        session, machine = self._session, synchronising()
        machine.receive(SyncEvent.STARTED)
        for number in range(1, PASSES + 1):
            account = self.read_account(opened if number == 1 and opened else session.ask("GET", "/v1/account"))
            machine.receive(SyncEvent.ACCOUNT_RECORD)
            for more in self._pages():
                machine.receive(SyncEvent.PAGE if more else SyncEvent.LAST_PAGE)
            verdict = self._judge(account)
            if not verdict.findings:
                machine.receive(SyncEvent.CLEAN)
                self._accept(account)
                break
            if machine.receive(SyncEvent.FOUND if number < PASSES else SyncEvent.FOUND_STILL) is Sync.ACCOUNT:
                self._begin_anew()
            else:
                self._warn(verdict, account)
        session.watch_ledger()

    def sync_anyhow(self, opened: dict[str, Any] | None = None) -> None:
        """As `sync`; a fork that is found stands as a warning, and stops nobody."""
        try:
            self.sync(opened)
        except LedgerForked:
            pass

    def know(self, revision: Mapping[str, Any], link: Link) -> None:
        """A revision that was sealed here, by the names of schemas.items.PutRevision, and its link: where the replica
        has these very bytes, nothing of them needs to be opened."""
        self._sealed_here[place_key((revision["item"], revision["revision"]))] = revision, link

    def load_links(self) -> Links:
        """Every link of the replica that was not opened yet, opened; those that contradict their record are noted."""
        session, links = self._session, self._session.links
        for row in session.replica.since(self._loaded):
            self._loaded = row.seq
            place = (row.item, row.revision)
            link = self._known_link(row)
            if link is None:
                try:
                    link = open_link(session.keyring.mk_n, row.item, row.revision, row.link)
                except CryptoCoreError:
                    self._spoil(row)
                    continue
                if not self._is_whole(row, link.record_hash):
                    self._spoil(row)
            self._hashes[place_key(place)] = link.record_hash
            links.add(place, link)
        return links

    def _known_link(self, row: Row) -> Link | None:
        """Of a row that was sealed here, byte for byte."""
        sent, link = self._sealed_here.pop(place_key((row.item, row.revision)), (None, None))
        if sent is None or any(sent[name] != getattr(row, name) for name in ("wrap", "link", "record")):
            return None
        return link

    def _is_whole(self, row: Row, record_hash: bytes) -> bool:
        """Whether record and wrapped key are those of this place; it takes no PIN to see."""
        if row.record is not None and sha256(row.record).digest() != record_hash:
            return False
        try:
            if row.wrap is not None:
                is_sensitive(self._session.keyring, row.item, row.revision, row.wrap)
        except TamperedError:
            return False
        except MalformedError:
            pass  # sealed for this place by a version that knows more kinds of wraps
        return True

    def _spoil(self, row: Row) -> None:
        self._swapped.add(place_key((row.item, row.revision)))
        self._spoiled.append(row)
        for name, data in (("record", row.record), ("wrap", row.wrap), ("link", row.link)):
            if data is not None:
                self._session.home.keep_evidence(name, data)

    def record_hash(self, row: Row) -> bytes | None:
        """The record hash that a revision's link names; None if the link could not be opened."""
        self.load_links()
        return self._hashes.get(place_key((row.item, row.revision)))

    @property
    def is_finished(self) -> bool:
        """Whether a sync has finished in this session, and none has begun anew since: only then is it known what is
        missing."""
        return self._finished is not None and self._finished_in == (self._session.replica.fact("pass") or 0)

    def missing(self, gone: Set[bytes] = frozenset()) -> set[bytes]:
        """The record hashes that the last sync should have shown and didn't, accepted or not; and of `gone`, which
        stand nowhere any more, those that nobody has written off. Only where it `is_finished`."""
        assert self._finished is not None and self.is_finished, "no pass is finished"
        finished = self._passed(self._finished.account)
        return missing_in(finished) | (gone - finished.ended - finished.lost)

    def read_account(self, answer: dict[str, Any]) -> Account:
        """The account record in an answer of `GET /v1/account`, as far as it can be read; what can't is evidence."""
        session = self._session
        blob, n = answer["account_record"], answer["n"]
        session.drop_box = answer["drop_box"]
        session.offered = AccountState(n, blob)
        seen_n, seen_hash = session.replica.fact("account_n") or 0, session.replica.fact("account_hash")
        try:
            state = open_account_state(session.keyring.mk_n, session.account, n, blob)
        except UnsupportedVersion:  # proven to be number n; whom it follows is not known here, and so not judged
            session.state = session.offered
            return Account(n, session.offered.hash, seen_hash, (), seen_n, seen_hash)
        except CryptoCoreError:
            session.home.keep_evidence("account-record", blob)
            faults = {Finding.ACCOUNT_RECORD_INVALID}
            if is_earlier_account_state(session.keyring.mk_n, session.account, n, blob):
                faults.add(Finding.ACCOUNT_RECORD_OLDER)
            return Account(n, session.offered.hash, faults=frozenset(faults))
        session.state = session.offered = state
        session.keyring.pk_s = state.facts["pk_s"]
        self._compare_pins(state)
        return Account(n, state.hash, state.facts["previous"], tuple(state.facts["heads"]), seen_n, seen_hash)

    def _compare_pins(self, state: AccountState) -> None:
        session, facts = self._session, state.facts
        if facts["vault_id"] != session.pin.vault_id:
            raise VaultChanged("the account was made in another vault")
        if not session.pin.knows(facts["ledger_vkey"]):  # another device may know a newer one, or an older
            session.learn_rotations()
        if not session.pin.knows(facts["ledger_vkey"]) or facts["directory_vkey"] != session.pin.directory_vkey:
            session.warnings.add(Finding.LEDGER_KEY_CHANGED)

    def _pages(self) -> Iterator[bool]:
        session, replica, seen = self._session, self._session.replica, set[str]()
        for _ in range(_MAX_PAGES):
            cursor = replica.fact("cursor") or ""
            page = session.ask("GET", "/v1/items", query={"after": cursor})
            seen.add(cursor)
            if page["more"] and page["cursor"] in seen:
                raise ServerFault("a page that leads back")
            with replica.writing():
                self._take_in(page)
            yield page["more"]
            if not page["more"]:
                return
        raise ServerFault("pages without end")

    def _take_in(self, page: dict[str, Any]) -> None:
        replica = self._session.replica
        if replica.fact("generation") != page["generation"]:  # a foreign cursor: the vault begins from the start
            replica.set_fact("generation", page["generation"])
            replica.set_fact("pass", (replica.fact("pass") or 0) + 1)
        for revision in page["revisions"]:
            if not replica.receive(revision, replica.fact("pass")):
                if not self._is_ours(revision):
                    self._swapped.add(place_key((revision["item"], revision["revision"])))
                if revision["record"] is not None:
                    self._session.home.keep_evidence("record", revision["record"])
        replica.set_fact("cursor", page["cursor"])

    def _is_ours(self, revision: Mapping[str, Any]) -> bool:
        """Whether a device of this account wrote it for this very place: then what is here is missing, not swapped."""
        wrap, link_blob, record = (revision[name] for name in ("wrap", "link", "record"))
        row = Row(0, revision["item"], revision["revision"], 0, wrap, link_blob, record, (), None, False, 0)
        try:
            link = open_link(self._session.keyring.mk_n, row.item, row.revision, row.link)
        except CryptoCoreError:
            return False
        return self._is_whole(row, link.record_hash)

    def _judge(self, account: Account) -> Verdict:
        self._finished, self._finished_in = self._passed(account), self._session.replica.fact("pass") or 0
        return judge(self._finished, self._session.warnings.accepted)

    def _passed(self, account: Account) -> Pass:
        replica = self._session.replica
        links, ended, lost = self.load_links(), set[bytes](), set[bytes]()
        for row in replica.tombstones():
            ends, writes_off = self._read_list(row)
            ended.update(ends)
            lost.update(writes_off)
        gone = {(row.item, row.revision): self._hash(row) for row in replica.gone()}
        withheld = [self._hash(row) for row in replica.not_seen_in(replica.fact("pass") or 0)]
        return Pass(account, links, frozenset(ended), frozenset(lost), gone, withheld, self._swapped)

    def _hash(self, row: Row) -> bytes:
        return self._hashes.get(place_key((row.item, row.revision)), b"")

    def _begin_anew(self) -> None:
        """The next pass asks for everything: what one page left out or spoiled, another may bring."""
        replica = self._session.replica
        self._swapped.clear()
        with replica.writing():
            for row in self._spoiled:
                replica.drop(row)
            self._spoiled.clear()
            replica.set_fact("cursor", "")
            replica.set_fact("pass", (replica.fact("pass") or 0) + 1)

    def _read_list(self, row: Row) -> tuple[list[bytes], list[bytes]]:
        """The record hashes that a tombstone ends, and those that a loss writes off; none if the vault calls something
        a tombstone that is neither."""
        session = self._session
        try:
            if row.wrap is None or row.record is None:
                return [], []
            key, _ = unwrap_record_key(session.keyring, row.item, row.revision, row.wrap)
            value = parse_json(open_record(key, row.item, row.revision, row.record))
            if isinstance(value, dict) and value.get("kind") == "loss":
                return [], _LOSS.load(value)["lost"]
            return _TOMBSTONE.load(value)["ends"], []
        except (CryptoCoreError, NeedsPin, ValidationError):
            return [], []

    def _accept(self, account: Account) -> None:
        replica, state = self._session.replica, self._session.state
        with replica.writing():
            replica.remember_account(account.n, account.hash, state.blob if state.facts else None)
            ended = frozenset[bytes]() if self._finished is None else self._finished.ended
            for row in replica.gone():
                if row.record is not None and self._hash(row) in ended:
                    replica.erase(row)

    def _warn(self, verdict: Verdict, account: Account) -> None:
        session = self._session
        for finding in verdict.findings:
            session.warnings.add(finding, verdict.about)
        for row in session.replica.gone():
            session.home.keep_evidence("link", row.link)
        session.home.keep_evidence("verdict", format_json({
            "findings": sorted(finding.value for finding in verdict.findings),
            "about": sorted(one.hex() for one in verdict.about), "n": account.n, "account_record": account.hash.hex(),
            "heads": sorted(one.hex() for one in account.heads),
        }))
