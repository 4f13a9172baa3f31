"""Seals what a person writes, keeps it in the outbox, sends it, and calls it kept when its receipt verified.

Knows: protocol §4's order: outbox, request, receipts, replica; what a conflict leads to. Refuses to know: passwords.
Nobody's text is dropped: what was refused stays sealed in the outbox, what conflicted goes on top of the newer one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from itertools import chain
from typing import Any, TypeVar

from marshmallow import ValidationError
from marshmallow.fields import List

from client_sdk.errors import (
    ItemUnknown, NoteTooLong, Refused, ServerFault, TrustError, ValueRefused,
)
from client_sdk.extract import Extract
from client_sdk.items import NOT_READ, Content, Deletion, Draft, Item, Kept, Sent
from client_sdk.outbox import Entry, Outbox
from client_sdk.protocol.sync import Finding, place_key
from client_sdk.reader import Reader
from client_sdk.replica import Row, record_name
from client_sdk.session import Session
from client_sdk.synchroniser import Synchroniser
from crypto_core.encoding import format_b64url, format_json, parse_json
from crypto_core.errors import TemoinError, UnsupportedVersion, VerificationError
from crypto_core.randomness import make_id
from crypto_core.receipts.receipt import VerifiedReceipt
from crypto_core.sealing.keyring import NeedsPin, wrap_record_key
from crypto_core.sealing.records import MAX_PARENTS, Link, make_record_key, seal_link, seal_record
from schemas import limits
from schemas.documents import KINDS, VERSION, Loss, Tombstone
from schemas.fields import Id

ITEMS = "/v1/items"
SETTLING = "settling"
"""The replica's fact: 1 from when a warning ended, or an item went without a file, until what follows is done."""
REBASES = 5
"""How often in a row another device may be first before this is called a refusal."""
ERASURE_DELAY = 7 * 86_400
_TOMBSTONE, _LOSS = Tombstone(), Loss()
_IDS = List(Id())
_SCHEMAS = {kind: schema() for kind, schema in KINDS.items() if kind not in NOT_READ}


_Thing = TypeVar("_Thing")
_Flight = tuple[Entry, Sequence["Writing"], Future[dict[str, Any]] | None]


@dataclass(frozen=True)
class Writing:
    """One revision before it is sealed. `erases`: the blobs that go with a tombstone, None for anything else."""

    item: bytes
    revision: int
    json: bytes = field(repr=False)
    sensitive: bool
    blobs: tuple[bytes, ...] = ()
    erases: tuple[bytes, ...] | None = None


class Writer:
    """Writes for one session. Used under the account's lock."""

    def __init__(self, session: Session, reader: Reader, synchroniser: Synchroniser) -> None:
        self._session, self._reader, self._synchroniser = session, reader, synchroniser
        self._outbox = Outbox(session.home, session.replica, session.keyring)
        self._begun = set[bytes]()
        """Items that are written anew: all their revisions are of this device."""

    def add(
        self, drafts: Sequence[Draft], kind: str, sensitive: bool, contents: Sequence[Content] = (),
        answers: Mapping[str, bool] | None = None, sent: Sent | None = None,
    ) -> list[Kept]:
        """New items, one for each draft, in batches as large as the wire allows; none at all if no record holds one of
        them. `answers` are an assessment's, `sent` says whose a received one is."""
        blobs, after = _named(contents, sent), self._session.trust.newest
        more = {"answers": answers, "sent": sent}
        writings = [
            Writing(make_id(), 1, self._record(kind, draft, contents, after, more), sensitive, blobs)
            for draft in drafts
        ]
        return list(self._deposit_each(list(batches_of(writings, _room))))

    def extract(self, part: Extract, sensitive: bool) -> Kept:
        """A part of an item as an item of its own, behind the PIN as that is. Files that it keeps go as they are."""
        item, revision = part.of
        more = {"of": {"item": item, "revision": revision}, "masked": ()}
        json = self._record("extract", part.draft, part.contents, self._session.trust.newest, more)
        blobs = tuple(one.blob for one in _blobs_of(part.contents))
        return self._deposit((Writing(make_id(), 1, json, sensitive, blobs),))[0]

    def edit(self, item: Item, changes: Mapping[str, Any], contents: Sequence[Content] = ()) -> Kept:
        """The next revision of an item that was `editable`: what it says, with changes, and with more contents."""
        self._session.warnings.require_none()
        unknown = set(changes) - {one.name for one in fields(Draft)}
        if unknown:
            raise ValueRefused(f"no such field: {', '.join(sorted(unknown))}")
        draft = replace(_draft_of(item), **{"written": None, **changes})
        both = (*item.contents, *contents)
        more = {"answers": item.answers, "sent": item.sent}
        json = self._record(str(item.kind), draft, both, self._session.trust.newest, more)
        writing = Writing(item.id, item.revision + 1, json, item.sensitive, _named(both, item.sent))
        return self._deposit((writing,))[0]

    def editable(self, item_id: bytes) -> Item:
        """An item, if it can be edited here and now. Raises ItemUnknown, NeedsPin, UnsupportedVersion, or ValueRefused
        for an extract: what was made for a reader is made anew."""
        item = require_open(self._reader.item(item_id, None))
        if item.kind == "extract":
            raise ValueRefused("an extract is made anew, not changed")
        return item

    def delete(self, item_id: bytes) -> Deletion:
        """A tombstone over every revision. Raises Refused `revision_conflict` if another device wrote meanwhile."""
        self._session.warnings.require_none()
        self._reader.item(item_id, None)
        rows = self._session.replica.history(item_id)
        hashes = [one for row in rows if (one := self._synchroniser.record_hash(row)) is not None]
        erases = tuple(dict.fromkeys(blob for row in rows for blob in row.blobs))
        json = format_json(_TOMBSTONE.dump({
            "v": VERSION, "kind": "tombstone", "ends": hashes, "written": self._session.clock(),
            "after": self._session.trust.newest,
        }))
        writing = Writing(item_id, rows[-1].revision + 1, json, False, (), erases[: limits.BLOBS_PER_REVISION])
        kept = self._deposit((writing,))[0]
        return Deletion(kept.id, kept.revision, kept.deposited + ERASURE_DELAY, kept.receipt)

    def restore(self, item_id: bytes) -> Kept:
        """A deleted item's last text as its next revision. Raises ItemUnknown if it was erased or isn't deleted."""
        self._session.warnings.require_none()
        rows = self._session.replica.history(item_id)
        if not rows or self._reader.open(rows[-1]).kind != "tombstone":
            raise ItemUnknown("not deleted")
        texts = [row for row in rows if row.erases is None and row.record is not None and not row.gone]
        if not texts:
            raise ItemUnknown("erased")
        json, sensitive = self._reader.record_json(texts[-1])
        return self._deposit((Writing(item_id, rows[-1].revision + 1, json, sensitive, texts[-1].blobs),))[0]

    def write_off(self, hashes: Sequence[bytes]) -> None:
        """A `loss`: nobody asks for the records of these hashes any more, at most limits.LOST."""
        json = format_json(_LOSS.dump({
            "v": VERSION, "kind": "loss", "lost": hashes, "written": self._session.clock(),
            "after": self._session.trust.newest,
        }))
        self._deposit((Writing(make_id(), 1, json, False, (), ()),))

    def write_anew(self, rows: Sequence[Row], let_go: Callable[[], None]) -> bytes:
        """What revisions of one item say, as the revisions of a new one; gives its id. `let_go` is called in the
        transaction in which all of it begins to wait on this device. Raises NeedsPin for a sensitive one.
        """
        item, writings = make_id(), list[Writing]()
        self._begun.add(item)
        for revision, row in enumerate(rows, start=1):
            json, sensitive = self._reader.record_json(row)
            writings.append(Writing(item, revision, json, sensitive, row.blobs))
        batches = [self._sealed(batch) for batch in batches_of(writings, _room)]
        with self._session.replica.writing():
            entries = [self._outbox.keep(*batch) for batch in batches]
            let_go()
        self._outbox.settle()
        for entry in entries:
            self._send(entry)
        return item

    def leave_out(self, row: Row, lost: frozenset[bytes]) -> None:
        """One more revision of an item, without files that the vault hasn't any more. Where it is refused nothing
        waits: it is said again by whoever finds them missing. Raises Refused, or NeedsPin for a sensitive one."""
        json, sensitive = self._reader.record_json(row)
        named = (*row.blobs, *(one for one in self._reader.named(row) if one not in row.blobs))
        writing = _without(Writing(row.item, row.revision + 1, json, sensitive, named), lost)
        entry = self._outbox.keep(*self._sealed((writing,)))
        try:
            self._send(entry, (writing,))
        except Refused:
            self._outbox.remove(entry)
            raise

    def send_again(self, revisions: Sequence[dict[str, Any]]) -> None:
        """Revisions that were kept once, as they were, by the names of schemas.items.PutRevision. Their receipts take
        the place of those of before, which are evidence then. Raises Refused."""
        answers = self._session.ask("POST", ITEMS, {"revisions": revisions})["revisions"]
        kept, replica = self._all_verified(revisions, answers, False), self._session.replica
        for one in kept:
            held = replica.receipt(record_name(one.id, one.revision))
            if held is not None and held != one.receipt:
                self._session.home.keep_evidence("receipt", held.encode("utf-8"))
        with replica.writing():
            self._take_in(revisions, kept)

    def flush(self) -> tuple[TemoinError, ...]:
        """Sends what waits, the oldest first and byte for byte; gives back why some of it still waits.

        Raises NetworkError or ServerFault, after which nothing is lost.
        """
        reasons: list[TemoinError] = []
        self._outbox.take_over()
        for entry in self._outbox.entries():
            try:
                self._send(entry)
            except (Refused, VerificationError, TrustError, NeedsPin) as error:
                reasons.append(error)
        return tuple(reasons)

    def _record(
        self, kind: str, draft: Draft, contents: Sequence[Content], after: str | None,
        more: Mapping[str, Any],
    ) -> bytes:
        """`more`: what a record of this kind says besides."""
        session = self._session
        joined = next((one for one in contents if one.parts is not None), None)
        kind = "recording" if kind == "document" and joined is not None else kind
        schema = _SCHEMAS[kind]
        facts = {
            **{one.name: getattr(draft, one.name) for one in fields(Draft)}, "v": VERSION, "kind": kind,
            "written": session.clock() if draft.written is None else draft.written, "contents": _blobs_of(contents),
            "after": after, "segments": joined and _segments_of(joined), **more,
        }
        value = schema.dump(facts)
        try:
            schema.load(value)
        except ValidationError as error:
            names = sorted(map(str, error.messages_dict))
            if len(draft.text) > limits.TEXT:
                raise NoteTooLong() from None
            raise ValueRefused(", ".join(names)) from None
        return format_json(value)

    def _deposit(self, writings: Sequence[Writing]) -> tuple[Kept, ...]:
        """Keeps one batch."""
        return self._deposit_each([writings])

    def _deposit_each(self, batches: Sequence[Sequence[Writing]]) -> tuple[Kept, ...]:
        """Keeps the batches, one request after the other; while one is under way, the next one is sealed, and the
        outbox goes to the disk: the power may go before either is there, but nobody has been told anything by then.

        Whatever is raised, all that was not kept waits in the outbox.
        """
        older, kept, left = self._outbox.entries(), list[Kept](), iter(batches)
        flying: _Flight | None = None
        following: Sequence[Writing] = next(left, ())
        with ThreadPoolExecutor(1) if len(batches) > 1 else nullcontext() as line:
            try:
                while following:
                    writings, following = following, ()
                    entry = self._outbox.keep(*self._sealed(writings))
                    self._flush(older)
                    following = next(left, ())
                    landed = None if flying is None else self._answered(*flying)
                    self._require_trust(entry)
                    flight = None if line is None else line.submit(self._session.ask, "POST", ITEMS, entry.body)
                    flying = entry, writings, flight
                    if landed is not None:
                        kept += self._acknowledge(*landed)
                if flying is not None:
                    kept += self._acknowledge(*self._answered(*flying))
            except BaseException:  # Ctrl-C, too
                for writings in filter(None, chain((following,), left)):
                    self._outbox.keep(*self._sealed(writings))
                self._outbox.settle()
                raise
        return tuple(kept)

    def _flush(self, older: list[Entry]) -> None:
        """Sends what waited before, if it still can be; what is written now must not wait for it."""
        while older:
            entry = older.pop(0)
            try:
                self._send(entry)
            except (Refused, VerificationError, TrustError, NeedsPin):
                continue  # told at the next opening

    def _sealed(self, writings: Sequence[Writing]) -> tuple[tuple[dict[str, Any], ...], tuple[Link, ...]]:
        """The revisions as they go, and their links. Each names what no link names yet; in a batch, the one before."""
        session = self._session
        parents = self._synchroniser.load_links().next_parents
        rest = session.links.heads[len(parents):]
        revisions, links = [], list[Link]()
        for writing in writings:
            place = (writing.item, writing.revision)
            key = make_record_key()
            record = seal_record(key, *place, writing.json)
            if len(record) > limits.RECORD:
                raise NoteTooLong()
            digest = sha256(record).digest()
            links.append(Link(session.state.n, digest, parents))
            revisions.append({
                "item": writing.item, "revision": writing.revision, "replaces": writing.revision - 1,
                "wrap": wrap_record_key(session.keyring, *place, key, writing.sensitive),
                "link": seal_link(session.keyring.mk_n, *place, links[-1]),
                "record": record, "blobs": writing.blobs, "erases": writing.erases,
            })
            heads = (*rest, digest)
            parents, rest = heads[:MAX_PARENTS], heads[MAX_PARENTS:]
        return tuple(revisions), tuple(links)

    def _send(self, entry: Entry, writings: Sequence[Writing] | None = None) -> tuple[Kept, ...]:
        """Sends a batch, one that has waited unless its `writings` are given."""
        self._require_trust(entry)
        try:
            return self._acknowledge(*self._answered(entry, writings, None))
        finally:
            self._outbox.settle()  # what took its place after a conflict

    def _require_trust(self, entry: Entry) -> None:
        """Raises Untrusted for what changes an item, while a warning stands."""
        begun = self._begun | {revision["item"] for revision in entry.revisions if not revision["replaces"]}
        if any(revision["item"] not in begun for revision in entry.revisions):
            self._session.warnings.require_none()

    def _answered(
        self, entry: Entry, writings: Sequence[Writing] | None, flight: Future[dict[str, Any]] | None
    ) -> tuple[Entry, list[dict[str, Any]], bool]:
        """The batch as the vault took it, what it answered, and whether there was a conflict: after one, the batch is
        sent again, saying the same on top of what is there now. `flight`: a first request that is under way.

        `writings` is None for a batch that has waited, which goes without the files that the vault lost meanwhile."""
        conflict, has_waited = False, writings is None
        for _ in range(REBASES):
            try:
                answer = self._session.ask("POST", ITEMS, entry.body) if flight is None else flight.result()
            except Refused as refusal:
                if any(revision["erases"] is not None for revision in entry.revisions):
                    self._outbox.remove(entry)  # a deletion that was refused is asked for anew, never repeated alone
                    raise
                if refusal.code not in ("revision_conflict", "blob_missing"):
                    raise
                erased = self._gone(refusal, entry)
                if refusal.code == "blob_missing" and not erased:
                    lost = missing_blobs(refusal)
                    if not has_waited or lost.isdisjoint(blob for one in entry.revisions for blob in one["blobs"]):
                        raise
                    entry = self._not_naming(entry, lost)
                    continue
                known = self._unsealed(entry) if writings is None else writings
                writings = [_without(writing, erased) for writing in known] if erased else self._rebased(known)
                entry, conflict, flight = self._outbox.replace(entry, *self._sealed(writings)), True, None
            else:
                return entry, answer["revisions"], conflict
        raise Refused("revision_conflict", 409, "Other devices keep changing this. Wait a moment, then save it again.")

    def _not_naming(self, entry: Entry, lost: frozenset[bytes]) -> Entry:
        """The very bytes, without files outside that the vault hasn't; inside, the records go on naming them. What
        becomes of the items then is left to be done (client_sdk.redeposit)."""
        self._session.replica.set_fact(SETTLING, 1)
        revisions = ({**one, "blobs": [blob for blob in one["blobs"] if blob not in lost]} for one in entry.revisions)
        return self._outbox.replace(entry, tuple(revisions), entry.links)

    def _gone(self, refusal: Refused, entry: Entry) -> frozenset[bytes]:
        """The blobs that the vault misses, if each of them went with an item that this account deleted, or was kept
        once with the revision before: what was sent only now is never left out."""
        if refusal.code != "blob_missing":
            return frozenset()
        missing, replica = missing_blobs(refusal), self._session.replica
        known = {blob for row in replica.tombstones() for blob in row.erases or ()}
        for row in filter(None, (replica.newest(one["item"]) for one in entry.revisions if one["replaces"])):
            known.update(self._reader.went_with(row))
        return missing if missing <= known else frozenset()

    def _rebased(self, writings: Sequence[Writing]) -> list[Writing]:
        self._synchroniser.sync()
        self._session.warnings.require_none()
        return [self._on_top(writing, self._session.replica.newest(writing.item)) for writing in writings]

    def _on_top(self, writing: Writing, newest: Row | None) -> Writing:
        if newest is None or newest.revision < writing.revision:
            return writing
        if self._reader.open(newest).kind == "tombstone":
            return replace(writing, item=make_id(), revision=1)
        return replace(writing, revision=newest.revision + 1)

    def _unsealed(self, entry: Entry) -> list[Writing]:
        """What a batch of an earlier run says. Raises NeedsPin for a sensitive one until the PIN is given."""
        writings = []
        for one in entry.revisions:
            row = Row(0, one["item"], one["revision"], 0, one["wrap"], one["link"], one["record"], (), None, False, 0)
            json, sensitive = self._reader.record_json(row)
            writings.append(Writing(row.item, row.revision, json, sensitive, tuple(one["blobs"])))
        return writings

    def _acknowledge(self, entry: Entry, answers: Sequence[dict[str, Any]], conflict: bool) -> tuple[Kept, ...]:
        kept = self._all_verified(entry.revisions, answers, conflict)
        self._outbox.settle()
        with self._session.replica.writing():
            self._take_in(entry.revisions, kept)
            self._outbox.remove(entry)
        for one, link in zip(entry.revisions, entry.links, strict=False):  # no links in a batch of an earlier run
            self._synchroniser.know(one, link)
        return kept

    def _take_in(self, revisions: Sequence[Mapping[str, Any]], kept: Sequence[Kept]) -> None:
        replica = self._session.replica
        for one, now in zip(revisions, kept, strict=True):
            place = (one["item"], one["revision"])
            if not replica.receive({**one, "deposited": now.deposited}, replica.fact("pass") or 0):
                self._session.warnings.add(Finding.BLOB_SWAPPED, (place_key(place),))
            replica.keep_receipt(record_name(*place), now.receipt)
        replica.set_fact("dirty", 1)

    def _all_verified(
        self, revisions: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[str, Any]], conflict: bool
    ) -> tuple[Kept, ...]:
        """In the order of `revisions`. Raises ServerFault for an answer about others."""
        if [(one["item"], one["revision"]) for one in answers] != [(one["item"], one["revision"]) for one in revisions]:
            raise ServerFault("an answer about other revisions")
        return tuple(self._verified(*pair, conflict) for pair in zip(revisions, answers, strict=True))

    def _verified(self, sent: Mapping[str, Any], answer: Mapping[str, Any], conflict: bool) -> Kept:
        record = sent["record"]
        verified: VerifiedReceipt = self._session.verify(answer["receipt"], sha256(record).digest(), len(record))
        time = verified.commitment.time  # what the answer says beside its receipt proves nothing
        return Kept(answer["item"], answer["revision"], time, answer["receipt"], verified, conflict)


def require_open(item: Item) -> Item:
    """The item itself. Raises NeedsPin, UnsupportedVersion or ItemUnknown unless it is open."""
    if item.state == "locked":
        raise NeedsPin
    if item.state == "newer_version":
        raise UnsupportedVersion()
    if item.state != "open":
        raise ItemUnknown(item.state)
    return item


def missing_blobs(refusal: Refused) -> frozenset[bytes]:
    """The blobs that a `blob_missing` names; none where that is no list of ids."""
    try:
        named: Any = _IDS.deserialize(refusal.extra.get("blobs"))
    except ValidationError:
        return frozenset()
    return frozenset(named)


def _draft_of(item: Item) -> Draft:
    return Draft(**{one.name: getattr(item, one.name) for one in fields(Draft)})


def _blobs_of(contents: Iterable[Content]) -> list[Content]:
    """The contents as a record names them: a recording by its segments, which come first."""
    joined = [part for one in contents for part in one.parts or ()]
    return [*joined, *(one for one in contents if one.parts is None)]


def _named(contents: Iterable[Content], sent: Sent | None) -> tuple[bytes, ...]:
    """The blobs that a revision names: somebody else's words before the files."""
    words = () if sent is None else (sent.deposit,)
    return (*words, *(one.blob for one in _blobs_of(contents)))


def _segments_of(joined: Content) -> dict[str, Any]:
    count, digest = (len(joined.parts), joined.sha256) if joined.parts else (None, None)
    return {"key": joined.key, "name": joined.name, "mime": joined.mime, "count": count, "sha256": digest}


def _without(writing: Writing, erased: frozenset[bytes]) -> Writing:
    """The same text without the files that were erased with the item it was written for."""
    facts = parse_json(writing.json)
    if not isinstance(facts, dict) or not erased & set(writing.blobs):
        return writing
    gone = set(map(format_b64url, erased))
    if isinstance(segments := facts.get("segments"), dict) and segments["count"] is not None:
        segments["count"] = sum(one["blob"] not in gone for one in facts["contents"][: segments["count"]])
        if segments["count"] == 0 and "of" in facts:  # an extract has a whole file of segments, or none
            facts["segments"] = None
    facts["contents"] = [one for one in facts["contents"] if one["blob"] not in gone]
    if isinstance(masked := facts.get("masked"), list):
        facts["masked"] = [one for one in masked if one not in gone]
    return replace(writing, json=format_json(facts), blobs=tuple(one for one in writing.blobs if one not in erased))


def batches_of(things: Iterable[_Thing], room_of: Callable[[_Thing], int]) -> Iterator[list[_Thing]]:
    """As many at once as one request takes, each of which needs so many bytes at most."""
    batch, size = list[_Thing](), 0
    for thing in things:
        room = room_of(thing)
        if batch and (len(batch) == limits.REVISIONS_PER_BATCH or size + room > limits.BATCH):
            yield batch
            batch, size = [], 0
        batch.append(thing)
        size += room
    if batch:
        yield batch


def _room(writing: Writing) -> int:
    return 2 * len(writing.json) + 2048  # padding and seal add less
