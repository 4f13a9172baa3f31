"""A person's vault, as a program uses it: from user name, password and PIN to entries, files and verified receipts.

Knows: the order of the steps (client_sdk.protocol). Refuses to know: terminals, and how a seal is made.
After an opening nothing of password and PIN is kept; after a lock, no key.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from client_sdk import opening, recovering
from client_sdk.account import Account
from client_sdk.attaching import Attaching, Leave
from client_sdk.box_visit import Visit
from client_sdk.boxes import Boxes
from client_sdk.directory import Professionals
from client_sdk.door import Door
from client_sdk.errors import ItemUnknown, NotOpen
from client_sdk.extract import Redaction, redact
from client_sdk.gathering import Chosen, Gathering, Outcome, Plan
from client_sdk.home import Home
from client_sdk.items import (
    Content, Deletion, Draft, Happened, Item, Kept, KeptReceipt, Opening, SealedBlob, State,
)
from client_sdk.keychain import Credentials, NewAccount
from client_sdk.opening import OpenedBundle
from client_sdk.packs.own import OwnPack, make_pack
from client_sdk.professional import Office
from client_sdk.progress import NO_PROGRESS, Progress
from client_sdk.protocol.unlock import UnlockEvent, unlocking
from client_sdk.reader import Reader
from client_sdk.receipts import record_place
from client_sdk.recovering import Recovered, Shown
from client_sdk.redeposit import LostFile, Redepositor
from client_sdk.sensitive import SensitiveTier
from client_sdk.session import Session
from client_sdk.sharing import Shares
from client_sdk.synchroniser import Synchroniser
from client_sdk.transport import HttpTransport, Transport
from client_sdk.upgrading import Upgrade, Upgrader
from client_sdk.uploader import Uploader
from client_sdk.writer import Writer, require_open
from crypto_core.errors import TemoinError
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.receipt import VerifiedReceipt

__all__ = [
    "Content", "Credentials", "Deletion", "Draft", "Happened", "Item", "Kept", "KeptReceipt", "NewAccount", "Opening",
    "Progress", "SealedBlob", "State", "VaultClient", "VerifiedReceipt",
]


@dataclass(frozen=True)
class _Open:
    """What an open vault works with."""

    session: Session
    reader: Reader
    synchroniser: Synchroniser
    writer: Writer
    redepositor: Redepositor
    uploader: Uploader
    attaching: Attaching
    sensitive: SensitiveTier
    account: Account
    professionals: Professionals
    shares: Shares
    boxes: Boxes
    office: Office


class VaultClient:
    """One person's vault, locked at first. A context manager: leaving it locks."""

    def __init__(
        self, transport: Transport, home: Home, *, clock: Callable[[], int] = lambda: int(time.time()),
        progress: Progress = NO_PROGRESS, sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`clock` gives Unix seconds, for the times that a person sees; nothing secret depends on it."""
        self._transport, self._clock, self._progress, self._sleep = transport, clock, progress, sleep
        self._door = Door(transport, home, clock)
        self._machine = unlocking()
        self._open: _Open | None = None

    @classmethod
    def connect(cls, server: str, home: Path, *, progress: Progress = NO_PROGRESS) -> VaultClient:
        """`server` is https://…, or http:// on this very device; `home` is TEMOIN_HOME. Raises ServerAddress."""
        return cls(HttpTransport(server), Home(home), progress=progress)

    def __enter__(self) -> VaultClient:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Locks, and lets go of the connection."""
        try:
            self.lock()
        finally:
            self._transport.close()

    @property
    def policy(self) -> Policy:
        """Trust in the pinned ledger of the open vault, as it is exported beside receipts."""
        return self._opened().session.trust.policy

    @property
    def is_open(self) -> bool:
        """Whether somebody is logged in, and nothing has locked since."""
        return self._open is not None

    @property
    def lost_files(self) -> tuple[LostFile, ...]:
        """Files that the vault has lost, and that items have gone on without since it was opened: to be told, so that
        whoever still has one adds it again. What `account.accept_trust` gives back is not among them; none once it is
        locked."""
        return () if self._open is None else self._open.redepositor.lost_files

    # getting in

    def make_account(self, username: str, password: str, pin: str, *, language: str = "english") -> NewAccount:
        """Everything that a new account needs, made here; nothing of it is sent. `.recovery_words` are the 24 words.

        `language` of the words: english or french. Raises SecretRefused, whose `detail` names the rule.
        """
        return self._door.make_account(Credentials(username, password, pin), language)

    def register(self, new: NewAccount) -> bytes:
        """Makes the account, and gives its id. After a NetworkError the same `new` is given again: the same bytes go.

        Raises Refused `account_exists` for a pair of name and password that can't be used.
        """
        return self._door.register(new)

    def log_in(self, username: str, password: str, pin: str) -> Opening:
        """Opens the vault, sends what waited, synchronises, and says what a person should know; but for a recovery that
        is pending, which `account.pending_recovery` tells, and every person has to be told of.

        Raises Refused (`login_refused`, `pin_wrong`, `pin_locked`, …), SecretRefused, VaultChanged, NetworkError.
        """
        self.lock()
        met = self._door.meet()
        try:
            typed = Credentials(username, password, pin)
            entered = self._door.enter(typed, met, self._machine, self._progress)
            session = entered.session
            self._open = self._parts(session, username)
            self._door.compare_keys(session)
            with session.home.lock():
                waiting = self._open.writer.flush()
                self._open.synchroniser.sync_anyhow(entered.answer)
                given_back = self._open.redepositor.give_back()
                self._open.redepositor.finish_anyhow()
                self._open.uploader.tidy()
        except BaseException:
            self._forget()
            raise
        told = {name: entered.told[name] for name in ("last_opened", "wrong_pins", "wrong_total", "advise_change")}
        restorations = session.restorations() if session.warnings else ()
        return Opening(
            **told, warnings=session.told, waiting=len(waiting), given_back=given_back, restorations=restorations
        )

    def show_recovery(self, words: str) -> Shown:
        """Shows the 24 recovery words: the first time a waiting time begins; `.is_due` once it is over.

        Raises SecretRefused, Refused (`recovery_refused`, …), UnsupportedVersion, TamperedError, MalformedError.
        """
        return recovering.show(self._transport, self._door.meet(), words)

    def make_recovered(
        self, shown: Shown, username: str, password: str, pin: str, *, language: str = "english"
    ) -> Recovered:
        """What takes the place of user name, password, PIN and words, for words that are due; nothing of it is sent.
        `.recovery_words` are the new ones. Raises SecretRefused."""
        return self._door.make_recovered(shown, Credentials(username, password, pin), language)

    def recover(self, made: Recovered) -> None:
        """Sends it: from then on only the new ones open. After a NetworkError the same `made` is given again.

        Raises Refused: `account_exists` for a pair of name and password that can't be used, `recovery_waiting` where it
        was stopped meanwhile, ….
        """
        recovering.send(self._transport, self._door.meet(), made, self._door.is_gone)

    def step_up(self, pin: str) -> None:
        """Opens the sensitive tier for two minutes, and does what a warning that ended left to be done behind the PIN.
        Raises Refused (`pin_wrong`, `pin_locked`, …)."""
        opened = self._opened()
        opened.sensitive.open(pin)
        with opened.session.home.lock():
            opened.redepositor.finish_anyhow()

    def lock(self) -> None:
        """Writes the account record if anything was written, ends the session, and forgets every key.

        A vault that can't be reached changes nothing: the record is then written at the end of the next session.
        """
        if self._open is None:
            return
        session, account = self._open.session, self._open.account
        try:
            if session.replica.fact("dirty") and session.state.facts and not session.warnings:
                account.write_record()
            session.ask("POST", "/v1/logout")
        except TemoinError:
            pass
        finally:
            self._forget()

    # reading

    def items(self, kind: str | None = None) -> list[Item]:
        """The newest revision of every item that isn't deleted, of one kind if named.

        What is locked or needs a newer version has no kind to go by, and is always listed.
        """
        return self._opened().reader.items(kind)

    def item(self, item_id: bytes, revision: int | None = None) -> Item:
        """One revision, the newest if none is named. Raises ItemUnknown, also for a deleted item."""
        return self._opened().reader.item(item_id, revision)

    def extracts(self, item_id: bytes) -> list[Item]:
        """The parts that were made of an item to be shared, the oldest first; but for those that are locked."""
        made = [one for one in self._opened().reader.items("extract") if one.of is not None and one.of[0] == item_id]
        return sorted(made, key=lambda one: one.deposited)

    def history(self, item_id: bytes) -> list[Item]:
        """Every revision, the oldest first; a deletion has kind `tombstone`. Raises ItemUnknown."""
        return self._opened().reader.history(item_id)

    def read_content(self, item: Item, content: Content, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The original bytes of a content, or of the range [start, stop), each chunk verified before it comes.

        A whole file is also checked against its size and hashes, at the very end: until the iterator has ended
        without BlobSwapped, it must not be taken for whole. Raises RangeInvalid.
        """
        if content not in item.contents:
            raise ValueError("a content of another item")
        return self._opened().reader.content(content, start, stop)

    def receipt(self, item: Item) -> KeptReceipt:
        """The verified receipt of an item's record; it also fixes the contents that the record names."""
        reader = self._opened().reader
        return reader.receipts.at(record_place(reader.row(item.id, item.revision)))

    def upgrade_receipts(self, item_id: bytes | None = None, policy: Policy | None = None) -> Iterator[Upgrade]:
        """Replaces receipts by newer ones that witnesses have cosigned, of one item with all its revisions or of every
        item; `extra` stays. `policy` says whose cosignatures count. Raises ItemUnknown."""
        opened = self._opened()
        replica = opened.session.replica
        ids = [row.item for row in replica.newest_of_each()] if item_id is None else [item_id]
        upgrader = Upgrader(opened.session, opened.reader, policy)
        for one in ids:
            if not (rows := replica.history(one)):
                raise ItemUnknown()
            yield from upgrader.upgrade(rows)

    def pack(self, items: Sequence[Item]) -> OwnPack:
        """These revisions as an evidence pack of one's own, at most `packs.own.MOST_ITEMS`, for `write_pack`.

        Raises ItemUnknown, NeedsPin for a locked one, UnsupportedVersion, TamperedError, or what verifying raises.
        """
        opened = self._opened()
        return make_pack(opened.session, opened.reader, [(item.id, item.revision) for item in items])

    def sealed_blobs(self, item: Item) -> Iterator[SealedBlob]:
        """An item's sealed record and contents with their verified receipts, to export. Raises NeedsPin."""
        reader = self._opened().reader
        return reader.sealed_blobs(reader.row(item.id, item.revision))

    # writing

    def write_entry(
        self, draft: Draft, *, sensitive: bool = False, attachments: Sequence[Path] = (), leave: Leave | None = None,
    ) -> Kept:
        """A new journal entry. It takes no PIN to add a sensitive one.

        Raises NoteTooLong, ValueRefused, FileUnreadable, FileChanged; after a NetworkError the sealed text waits here,
        unless it was a file that could not be sent. `leave` is told of such a file (without an error: Ctrl-C
        stopped it), and the text is kept without it.
        """
        with self._writing(attachments, sensitive, leave) as (opened, contents):
            return opened.writer.add((draft,), "journal", sensitive, contents)[0]

    def write_entries(self, drafts: Sequence[Draft], *, sensitive: bool = False) -> list[Kept]:
        """Several journal entries, in as few requests as the wire allows; none at all if no record holds one of them.

        Raises as `write_entry`.
        """
        with self._writing((), sensitive) as (opened, _):
            return opened.writer.add(drafts, "journal", sensitive)

    def write_assessment(self, draft: Draft, answers: Mapping[str, bool], *, sensitive: bool = False) -> Kept:
        """A self-assessment: `answers` by question, and in `draft.text` the same in words. Raises as `write_entry`."""
        with self._writing((), sensitive) as (opened, contents):
            return opened.writer.add((draft,), "assessment", sensitive, contents, answers)[0]

    def edit_entry(
        self, item_id: bytes, changes: Mapping[str, Any], *, attachments: Sequence[Path] = (),
        leave: Leave | None = None, base: Item | None = None,
    ) -> Kept:
        """An item's next revision; `changes` has names and values of Draft. Earlier revisions stay in its history.
        `leave`: as `write_entry`. `base`: the item as `editable` gave it, for changes that took somebody a while to
        type: it may have closed by now, or the network may be gone, and to seal takes no PIN.

        Raises what `editable` raises.
        """
        sensitive = (base or self.editable(item_id)).sensitive
        with self._writing(attachments, sensitive, leave) as (opened, contents):
            return opened.writer.edit(base or opened.writer.editable(item_id), changes, contents)

    def editable(self, item_id: bytes) -> Item:
        """An item, if it can be edited here and now: asked before anybody types what then stands nowhere else.

        Raises ItemUnknown, NeedsPin, UnsupportedVersion, Untrusted, or ValueRefused for an extract.
        """
        opened = self._opened()
        opened.session.warnings.require_none()
        return opened.writer.editable(item_id)

    def add_document(
        self, path: Path, *, title: str | None = None, category: str | None = None, sensitive: bool = False,
        draft: Draft | None = None,
    ) -> Kept:
        """A file as a document; `title` is the file's name unless given, `draft` brings the other fields.

        After a NetworkError the same call goes on where it was cut.
        """
        filled = draft or Draft()
        filled = replace(
            filled, title=(filled.title or path.name) if title is None else title,
            category=filled.category if category is None else category,
        )
        with self._writing((path,), sensitive) as (opened, contents):
            return opened.writer.add((filled,), "document", sensitive, contents)[0]

    def add_documents(self, files: Sequence[Chosen], plan: Plan = Plan()) -> Iterator[Outcome]:
        """Many files, several at once, each as a document: an outcome for each, in the order in which they end. What
        this device deposited before from the same place is not sent again, unless the plan says so.

        Raises NetworkError, ServerFault or Refused, after which the same call goes on where it was cut.
        """
        opened = self._opened()
        return Gathering(opened.session, opened.writer, opened.uploader).add(files, plan)

    def make_extract(self, item: Item, redaction: Redaction) -> Kept:
        """A part of an open revision, to be shared: an item of its own, with its own receipt.

        Raises NeedsPin, UnsupportedVersion, ItemUnknown, or ValueRefused (as `redact`).
        """
        part = redact(require_open(item), redaction)
        with self._writing((), False) as (opened, _):
            return opened.writer.extract(part, item.sensitive)

    def stay(self) -> None:
        """Asks for something, so that the session does not end for lack of use. Raises Refused once it is over."""
        self._opened().session.ask("GET", "/v1/account")

    def delete_item(self, item_id: bytes) -> Deletion:
        """Hides an item now; it is erased after seven days, and can be restored until then.

        Raises ItemUnknown, Untrusted, or Refused `revision_conflict` if another device changed it meanwhile.
        """
        with self._writing((), False) as (opened, _):
            return opened.writer.delete(item_id)

    def restore_item(self, item_id: bytes) -> Kept:
        """Brings a deleted item back. Raises ItemUnknown if it isn't deleted or was erased, NeedsPin, Untrusted."""
        with self._writing((), False) as (opened, _):
            return opened.writer.restore(item_id)

    # what has a module of its own

    @property
    def account(self) -> Account:
        """The account itself: its person proven once more, its secrets, its record."""
        return self._opened().account

    @property
    def professionals(self) -> Professionals:
        """The directory, as this device believes it."""
        return self._opened().professionals

    @property
    def shares(self) -> Shares:
        """What this person shares."""
        return self._opened().shares

    @property
    def boxes(self) -> Boxes:
        """This person's deposit boxes."""
        return self._opened().boxes

    @property
    def office(self) -> Office:
        """What this account is and receives as a professional."""
        return self._opened().office

    # what takes no account

    def enter_box(self, fragment: str) -> Visit:
        """Enters somebody else's box; takes no account. `fragment` is what follows the address.

        Raises LinkMalformed, Refused (`box_over`, `cap_refused`, …), VaultChanged.
        """
        return Visit(
            self._transport, fragment, policy=self.known_policy(), clock=self._clock, progress=self._progress,
            sleep=self._sleep,
        )

    def open_link(self, fragment: str, code: str, resume: bytes | None = None) -> OpenedBundle:
        """Opens what a link leads to; takes no account. `fragment` is what follows the address. Each call spends a try.
        `resume`: as `opening.open_counted`.

        Raises LinkMalformed, SecretRefused, Refused (`code_wrong`, `bundle_over`, …), BundleError, VaultChanged.
        """
        verify = opening.verify_under(self.known_policy())
        return opening.open_link(self._transport, fragment, code, verify=verify, clock=self._clock, resume=resume)

    def known_policy(self) -> Policy:
        """Trust in the ledger of the vault that answers here, as this device pinned it when it first met it, and in
        every key that the ledger's records lead to from there."""
        return self._door.known_policy()

    # what the above is made of

    def _parts(self, session: Session, username: str) -> _Open:
        reader, synchroniser = Reader(session), Synchroniser(session)
        writer = Writer(session, reader, synchroniser)
        professionals, sensitive = Professionals(session), SensitiveTier(session, writer, self._machine)
        back, uploader = Redepositor(session, reader, synchroniser, writer), Uploader(session, self._sleep)
        account = Account(self._door, session, synchroniser, professionals, sensitive, back, username, self._forget)
        return _Open(
            session, reader, synchroniser, writer, back, uploader, Attaching(session, uploader), sensitive, account,
            professionals, Shares(session, reader, professionals), Boxes(session, reader, writer),
            Office(session, professionals),
        )

    @contextmanager
    def _writing(
        self, attachments: Sequence[Path], sensitive: bool, leave: Leave | None = None
    ) -> Iterator[tuple[_Open, list[Content]]]:
        opened = self._opened()
        with opened.attaching.writing(attachments, sensitive, leave) as contents:
            yield opened, contents

    def _opened(self) -> _Open:
        if self._open is None:
            raise NotOpen()
        return self._open

    def _forget(self) -> None:
        opened, self._open = self._open, None
        self._machine.receive(UnlockEvent.LOCKED)
        if opened is not None:
            opened.sensitive.close()
            opened.session.keyring.forget()
            opened.session.replica.close()
