"""What people do with a vault that dies under their hands, and what must hold whenever it is up again.

Knows: the wire, opaque bytes, receipts and how to verify them. Refuses to know: when and how the vault dies.
Every deed can be done again, with the same bytes, until it was acknowledged; what was acknowledged is written down
here, outside of the vault, and looked for in `look`.
"""

from __future__ import annotations

import hashlib
import random  # which deeds come next; nothing secret is drawn from it
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update
from werkzeug.test import TestResponse

from crypto_core.encoding import format_json, parse_b64url
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.checkpoint import parse_checkpoint
from crypto_core.receipts.merkle import verify_consistency
from crypto_core.receipts.note import open_note, parse_vkey
from crypto_core.receipts.policy import NONE, Log, Policy
from crypto_core.receipts.receipt import verify_receipt
from crypto_core.receipts.signatures import derive_public, sign_ed25519
from crypto_core.signed_requests import change_message
from schemas import limits
from server.recovery.models import Waiting
from tests.fakes.boxes import FakeBox, FakeDeposit
from tests.fakes.served import ServedVault
from tests.fakes.vault import HOST, FakePerson, b64, open_person, random_b64, said

UPLOAD = limits.FIRST_UNIT + limits.UNIT + 1000
"""Three units, the last one short."""
LOOKED_AT = 60
"""Of each kind of thing, how many of the newest are fetched again; `temoin-server check` reads all."""

Deed = Callable[[], None]


@dataclass
class Kept:
    """What was acknowledged."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    records: dict[tuple[str, int], str] = field(default_factory=dict)
    """(item, revision) → record, as it travelled."""
    erased: set[str] = field(default_factory=set)
    deposits: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """Deposit → its box, and whether it waits there."""
    receipts: list[tuple[bytes, int, str]] = field(default_factory=list)
    """(SHA-256, size, receipt)"""
    roots: dict[int, bytes] = field(default_factory=dict)
    """Of every checkpoint that was ever shown, by its size."""


class Story:
    """One person with an open session in one vault; newcomers beside them."""

    def __init__(self, vault: ServedVault, seed: int) -> None:
        self.vault = vault
        self.person = open_person(vault)
        self.kept = Kept()
        self.asked: dict[str, bytes] = {}
        """Every blob that was ever sent, acknowledged or not."""
        self.chance = random.Random(seed)
        self._free: dict[str, int] = {}
        """Items that nobody is editing → their newest revision."""
        self._lock = threading.Lock()
        self._key = parse_vkey(said(self._good(vault.ask("GET", "/v1/vault")))["ledger_vkey"])
        self._policy = Policy((Log(self._key),), (), (), NONE)

    # ---- deeds: each makes its bytes once, and can be done again and again

    def sign_up(self) -> Deed:
        newcomer = FakePerson(self.vault)
        body = format_json(newcomer.sign_up_body(newcomer.challenge()))

        def deed() -> None:
            self._good(newcomer.send_sign_up(body))
            self._good(newcomer.finish_login())

        return deed

    def change_credentials(self) -> Deed:
        person = FakePerson(self.vault).register().log_in()
        fresh = FakePerson(self.vault, account=person.account)
        body, token = person.sign_up_body(person.challenge()), person.confirm()
        body |= {
            "K_id": b64(fresh.k_id), "login_pk": b64(derive_public(fresh.login_seed)), "tag_L": b64(fresh.tag_l),
            "tag_S": b64(fresh.tag_s), "epoch": 2, "expected_epoch": 1, "n": 2, "pin_epoch": 2, "recovery": None,
        }  # fmt: skip
        data = format_json(body)
        message = change_message(HOST, parse_b64url(body["challenge"]), data)
        headers = {
            "Content-Type": "application/json",
            "Temoin-Signature": b64(sign_ed25519(person.login_seed, message)),
            "Temoin-Signature-New": b64(sign_ed25519(fresh.login_seed, message)),
        }

        def deed() -> None:
            old, new = (one.finish_login().status_code for one in (person, fresh))
            assert sorted((old, new)) == [200, 401]  # one of the two holds, never both, never none
            path = "/v1/account/credentials"
            self._good(self.vault.ask("POST", path, data=data, token=token, headers=headers))
            assert person.finish_login().status_code == 401
            self._good(fresh.try_pin("login", fresh.give_password()))

        return deed

    def erase_account(self) -> Deed:
        """Of somebody who keeps a file; whoever died meanwhile has erased all of it, or nothing that anybody sees."""
        leaving = open_person(self.vault)
        blob = b64(make_id())
        self._good(leaving.ask("PUT", f"/v1/blobs/{blob}", data=make_bytes(5000)))
        self._good(leaving.ask("POST", "/v1/items", {"revisions": [self._revision(b64(make_id()), 1, [blob])]}))

        def deed() -> None:
            if leaving.finish_login().status_code == 200:
                self._good(leaving.log_in().ask("GET", f"/v1/blobs/{blob}"))
                self._good(self.vault.ask("DELETE", "/v1/account", token=leaving.confirm()))
            assert leaving.finish_login().status_code == 401
            assert self.vault.ask("GET", f"/v1/blobs/{blob}", token=leaving.token).status_code == 401

        return deed

    def recover(self) -> Deed:
        """With the code of a newcomer, whose waiting is over at once: the clock is everybody's, and days of it would
        end what the others do. Of old and new one opens, never both, never none."""
        person = FakePerson(self.vault).register()
        new = person.recovered()

        def deed() -> None:
            if new.finish_login().status_code == 200:
                return
            assert person.finish_login().status_code == 200
            token = str(said(self._good(person.show_code()))["token"])
            with self.vault.parts.database.write() as session:
                mine = Waiting.account == person.account
                session.execute(update(Waiting).where(mine).values(due=self.vault.clock.now()))
            self._good(person.send_recovered(new, person.recovery_body(new), token))
            assert person.finish_login().status_code == 401
            self._good(new.try_pin("login", new.give_password()))

        return deed

    def try_pin(self) -> Deed:
        """A right one, by a newcomer: a try that is cut off counts as wrong, and five of one person's lock the PIN."""
        newcomer = open_person(self.vault)

        def deed() -> None:
            self._good(newcomer.try_pin("step", newcomer.token))

        return deed

    def keep_blob(self) -> Deed:
        return self._blob(make_bytes(self.chance.randrange(72, 40_000)))

    def upload(self) -> Deed:
        blob, data = self._new_blob(make_bytes(UPLOAD))
        units = [limits.unit_range(unit, UPLOAD) for unit in range(limits.unit_count(UPLOAD))]
        sure: dict[int, str] = {}

        def deed() -> None:
            if blob not in self.kept.blobs:
                self._good(self.person.ask("POST", "/v1/uploads", {"blob": blob, "size": UPLOAD}))
            state = said(self._good(self.person.ask("GET", f"/v1/uploads/{blob}")))
            there = {one["unit"]: one["sha256"] for one in state["units"]}
            if not state["complete"]:
                assert sure.items() <= there.items()  # what was acknowledged is never asked for again
                for unit, (start, stop) in enumerate(units):
                    if unit not in there:
                        path = f"/v1/uploads/{blob}/units/{unit}"
                        answer = said(self._good(self.person.ask("PUT", path, data=data[start:stop])))
                        sure.update({one["unit"]: one["sha256"] for one in answer["units"]})
            digest = b64(hashlib.sha256(data).digest())
            self._keep_blob(blob, self.person.ask("POST", f"/v1/uploads/{blob}/complete", {"sha256": digest}))

        return deed

    def put_items(self) -> Deed:
        return self._items([self._revision(b64(make_id()), 1, []) for _ in range(self.chance.randrange(1, 4))])

    def edit_item(self) -> Deed:
        if not self._free:
            return self.put_items()
        item = self.chance.choice(list(self._free)[-10:])
        return self._items([self._revision(item, self._free.pop(item) + 1, [])])

    def erase_item(self) -> Deed:
        """A new item with a blob and an upload, and its tombstone in a confirmed session: gone at once."""
        blobs = [self._blob(make_bytes(500)), self.upload()]
        names = list(self.asked)[-2:]
        item = b64(make_id())
        first = self._items([self._revision(item, 1, names)])
        tombstone = self._revision(item, 2, [], erases=names)
        done: list[Deed] = []

        def deed() -> None:
            for each in (*blobs, first):
                if each not in done:
                    each()
                    done.append(each)
            with self._lock:
                self.kept.erased.add(item)
                for name in names:
                    self.kept.blobs.pop(name, None)
            answer = self.person.vault.ask("POST", "/v1/items", {"revisions": [tombstone]}, token=self.person.confirm())
            self._keep_items([tombstone], answer)

        return deed

    def put_deposit(self) -> Deed:
        return self._deposit()[1]

    def accept_deposit(self) -> Deed:
        made, put = self._deposit()
        accept = self._items([self._revision(made.item, 1, made.names)])
        return self._settle(made, put, accept)

    def refuse_deposit(self) -> Deed:
        """In a confirmed session: gone at once."""
        made, put = self._deposit()

        def refuse() -> None:
            with self._lock:
                for name in made.names:
                    self.kept.blobs.pop(name, None)
            self._good(made.box.refuse(made.deposit, token=self.person.confirm()))

        return self._settle(made, put, refuse)

    # ---- after a crash

    def look(self) -> None:
        """Everything acknowledged is there; the ledger has only grown; nothing has a receipt that is not whole."""
        newest = self._see_note(self.vault.ask("GET", "/ledger/checkpoint").data)
        assert newest == max(self.kept.roots)
        for size in sorted(self.kept.roots)[-LOOKED_AT:]:
            query = f"old={size}&new={newest}"
            answer = said(self._good(self.vault.ask("GET", f"/v1/ledger/consistency?{query}")))
            proof = [parse_b64url(text) for text in answer["proof"]]
            verify_consistency(size, newest, proof, self.kept.roots[size], self.kept.roots[newest])
        for sha256, length, receipt in self.kept.receipts[-LOOKED_AT:]:
            verify_receipt(receipt.encode(), sha256=sha256, size=length, policy=self._policy)
        for blob in list(self.asked)[-LOOKED_AT:]:
            self._look_at_blob(blob)
        self._look_at_items()
        for deposit, (box, waits) in list(self.kept.deposits.items())[-LOOKED_AT:]:
            waiting = said(self._good(self.person.ask("GET", f"/v1/boxes/{box}/deposits")))["deposits"]
            assert (deposit in {one["deposit"] for one in waiting}) == waits

    def _look_at_blob(self, blob: str) -> None:
        proven = self.person.ask("GET", f"/v1/blobs/{blob}/receipt")
        fetched = self.person.ask("GET", f"/v1/blobs/{blob}")
        assert proven.status_code == fetched.status_code, "a receipt without a blob, or a blob without a receipt"
        if fetched.status_code == 200:
            data = self.asked[blob]
            assert fetched.data == data
            receipt = said(proven)["receipt"].encode()
            verify_receipt(receipt, sha256=hashlib.sha256(data).digest(), size=len(data), policy=self._policy)
        else:
            assert fetched.status_code == 404 and blob not in self.kept.blobs

    def _look_at_items(self) -> None:
        found: dict[tuple[str, int], str | None] = {}
        cursor, more = "", True
        while more:
            page = said(self._good(self.person.ask("GET", f"/v1/items?after={cursor}")))
            found |= {(one["item"], one["revision"]): one["record"] for one in page["revisions"]}
            cursor, more = page["cursor"], page["more"]
        for (item, revision), record in self.kept.records.items():
            assert (item, revision) in found, "an acknowledged revision is missing"
            if item in self.kept.erased and (item, 2) in found and revision == 1:
                assert found[item, revision] is None
            else:
                assert found[item, revision] == record

    # ---- the parts of deeds

    def _new_blob(self, data: bytes) -> tuple[str, bytes]:
        blob = b64(make_id())
        self.asked[blob] = data
        return blob, data

    def _blob(self, content: bytes) -> Deed:
        blob, data = self._new_blob(content)
        return lambda: self._keep_blob(blob, self.person.ask("PUT", f"/v1/blobs/{blob}", data=data))

    def _deposit(self) -> tuple[FakeDeposit, Deed]:
        """What somebody else puts into a box of the person's."""
        made = FakeDeposit(FakeBox(self.person).make(), [make_bytes(5000)])
        self.asked |= made.contents
        sent: dict[str, str] = {}
        """Blob → receipt."""

        def deed() -> None:
            token = str(said(self._good(made.box.enter()))["token"])
            for blob, data in made.contents.items():
                if blob not in sent:
                    answer = self._good(made.box.visit("PUT", f"blobs/{blob}", data=data, token=token))
                    sent[blob] = said(answer)["receipt"]
            self._good(made.put(token=token))
            with self._lock:
                self.kept.deposits[made.deposit] = made.box.box, True
                self.kept.blobs |= made.contents
            for blob, data in made.contents.items():
                self._keep_receipt(data, sent[blob])

        return made, deed

    def _settle(self, made: FakeDeposit, put: Deed, decide: Deed) -> Deed:
        """The deposit, then what becomes of it."""
        done: list[Deed] = []

        def deed() -> None:
            if not done:
                put()
                done.append(put)
            with self._lock:
                self.kept.deposits.pop(made.deposit, None)  # nobody knows, until it is acknowledged
            decide()
            with self._lock:
                self.kept.deposits[made.deposit] = made.box.box, False

        return deed

    def _revision(self, item: str, revision: int, blobs: list[str], erases: list[str] | None = None) -> dict[str, Any]:
        return {
            "item": item, "revision": revision, "replaces": revision - 1, "wrap": random_b64(limits.WRAP),
            "link": random_b64(limits.LINK), "record": random_b64(1096), "blobs": blobs, "erases": erases,
        }  # fmt: skip

    def _items(self, revisions: list[dict[str, Any]]) -> Deed:
        return lambda: self._keep_items(revisions, self.person.ask("POST", "/v1/items", {"revisions": revisions}))

    def _keep_blob(self, blob: str, answer: TestResponse) -> None:
        kept = said(self._good(answer))
        with self._lock:
            self.kept.blobs[blob] = self.asked[blob]
        self._keep_receipt(self.asked[blob], kept["receipt"])

    def _keep_items(self, revisions: list[dict[str, Any]], answer: TestResponse) -> None:
        kept = said(self._good(answer))["revisions"]
        for sent, one in zip(revisions, kept, strict=True):
            assert (one["item"], one["revision"]) == (sent["item"], sent["revision"])
            with self._lock:
                self.kept.records[sent["item"], sent["revision"]] = sent["record"]
                if not sent["blobs"] and sent["erases"] is None:
                    self._free[sent["item"]] = sent["revision"]
            self._keep_receipt(parse_b64url(sent["record"]), one["receipt"])

    def _keep_receipt(self, data: bytes, receipt: str) -> None:
        self._see_note(receipt.partition("\n\n")[2].encode())
        with self._lock:
            self.kept.receipts.append((hashlib.sha256(data).digest(), len(data), receipt))

    def _see_note(self, note: bytes) -> int:
        """Remembers a checkpoint; the vault never shows two trees of one size."""
        seen = parse_checkpoint(open_note(note, [self._key]).text)
        with self._lock:
            assert self.kept.roots.setdefault(seen.size, seen.root) == seen.root, "a fork"
        return seen.size

    def _good(self, answer: TestResponse) -> TestResponse:
        assert answer.status_code in (200, 201), (answer.status_code, answer.data[:300])
        return answer
