"""A person's vault, as a program uses it: from user name, password and PIN to entries, files and verified receipts.

Knows: the order of the steps (client_sdk.protocol). Refuses to know: terminals, and how a seal is made.
After an opening nothing of password and PIN is kept; after a lock, no key.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from client_sdk import keychain, opening, professional
from client_sdk.box_visit import Visit
from client_sdk.boxes import Boxes, KeptBox, MadeBox, NewBox, OpenedDeposit
from client_sdk.change import change_credentials
from client_sdk.directory import Professional, Professionals
from client_sdk.errors import (
    HostDiffers, ItemUnknown, LedgerForked, NetworkError, NotOpen, Refused, ServerFault, TrustError, ValueRefused,
    VaultChanged,
)
from client_sdk.extract import Redaction, redact
from client_sdk.gathering import Chosen, Gathering, Outcome, Plan
from client_sdk.home import Home, Pin
from client_sdk.items import (
    Content, Deletion, Draft, Happened, Item, Kept, KeptReceipt, Opening, SealedBlob, State,
)
from client_sdk.keychain import AccountState, Credentials, NewAccount
from client_sdk.progress import NO_PROGRESS, Progress
from client_sdk.protocol.sync import Finding
from client_sdk.protocol.unlock import Unlock, UnlockEvent, unlocking
from client_sdk.opening import OpenedBundle
from client_sdk.professional import Standing
from client_sdk.reader import Reader
from client_sdk.replica import Replica
from client_sdk.session import ROTATIONS, Session, read_published
from client_sdk.sharing import MadeBundle, Shared, Shares, Sharing
from client_sdk.synchroniser import Synchroniser
from client_sdk.transport import HttpTransport, Transport, dump_body, endpoint
from client_sdk.trust_store import TrustStore, Warnings
from client_sdk.upgrading import Upgrade, Upgrader
from client_sdk.uploader import Uploaded, Uploader
from client_sdk.writer import Writer, require_open
from crypto_core.encoding import format_b64url, format_json
from crypto_core.errors import CryptoCoreError, TemoinError, UnsupportedVersion
from crypto_core.receipts.policy import Policy
from crypto_core.receipts.rotation import MAX_ROTATIONS_SIZE
from crypto_core.receipts.receipt import VerifiedReceipt
from crypto_core.sealing import passphrase
from crypto_core.sealing.keyring import Keyring
from crypto_core.sealing.recovery import LANGUAGES, Language
from schemas.problems import PROBLEMS
from schemas.vault import Vault

__all__ = [
    "Content", "Credentials", "Deletion", "Draft", "Happened", "Item", "Kept", "KeptReceipt", "NewAccount", "Opening",
    "Progress", "SealedBlob", "State", "VaultClient", "VerifiedReceipt",
]

SENSITIVE_SECONDS = 120
"""How long the sensitive tier stays open after a step-up."""
_CHALLENGE_TRIES = 2
_MERGES = 5


@dataclass
class _Open:
    """What an open vault works with."""

    session: Session
    reader: Reader
    synchroniser: Synchroniser
    writer: Writer
    uploader: Uploader
    professionals: Professionals
    shares: Shares
    boxes: Boxes
    username: str
    timer: threading.Timer | None = None


class VaultClient:
    """One person's vault, locked at first. A context manager: leaving it locks."""

    def __init__(
        self, transport: Transport, home: Home, *, clock: Callable[[], int] = lambda: int(time.time()),
        progress: Progress = NO_PROGRESS, sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`clock` gives Unix seconds, for the times that a person sees; nothing secret depends on it."""
        self._transport, self._home, self._clock, self._progress = transport, home, clock, progress
        self._sleep = sleep
        self._machine = unlocking()
        self._open: _Open | None = None
        self._stepping = threading.Lock()

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

    # getting in

    def make_account(self, username: str, password: str, pin: str, *, language: str = "english") -> NewAccount:
        """Everything that a new account needs, made here; nothing of it is sent. `.recovery_words` are the 24 words.

        `language` of the words: english or french. Raises SecretRefused, whose `detail` names the rule.
        """
        chosen: Language | None = next((one for one in LANGUAGES if one == language), None)
        if chosen is None:
            raise ValueRefused("the recovery words are English or French")
        this_year = time.gmtime(self._clock()).tm_year
        return keychain.make_account(Credentials(username, password, pin), self._meet(), chosen, this_year)

    def register(self, new: NewAccount) -> bytes:
        """Makes the account, and gives its id. After a NetworkError the same `new` is given again: the same bytes go.

        Raises Refused `account_exists` for a pair of name and password that can't be used.
        """
        for tries in range(1, _CHALLENGE_TRIES + 1):
            if new.sent is None:
                challenge = self._challenge(new.login)
                new.fields["challenge"] = challenge
                new.sent = dump_body(endpoint("POST", "/v1/accounts"), new.fields)
            signature = format_b64url(new.sign(self._transport.host))
            try:
                answer = self._transport.ask(
                    "POST", "/v1/accounts", new.sent, headers={"Temoin-Signature": signature}
                )
            except Refused as refusal:
                if refusal.code != "challenge_refused" or tries == _CHALLENGE_TRIES:
                    raise
                new.sent = None  # that challenge is too old by now; the account wasn't made
            else:
                if answer["account"] != new.account:
                    raise ServerFault("another account than was asked for")
                break
        return new.account

    def log_in(self, username: str, password: str, pin: str) -> Opening:
        """Opens the vault, sends what waited, synchronises, and says what a person should know.

        Raises Refused (`login_refused`, `pin_wrong`, `pin_locked`, …), SecretRefused, VaultChanged, NetworkError.
        """
        self.lock()
        facts = self._meet()
        try:
            session, answer, opened = self._enter(Credentials(username, password, pin), facts)
            self._open = self._parts(session, username)
            with session.home.lock():
                waiting = self._open.writer.flush()
                self._synchronise(answer)
                self._open.uploader.tidy()
        except BaseException:
            self._forget()
            raise
        told = {name: opened[name] for name in ("last_opened", "wrong_pins", "wrong_total", "advise_change")}
        return Opening(**told, warnings=session.told, waiting=len(waiting))

    def step_up(self, pin: str) -> None:
        """Opens the sensitive tier for two minutes. Raises Refused (`pin_wrong`, `pin_locked`, …)."""
        session = self._opened().session
        keyring = session.keyring
        step = passphrase.derive_pin_step(keyring.k_ps, session.account, keyring.pin_epoch, pin)
        answer = session.ask("POST", "/v1/pin", {"purpose": "step", "x": step.tag})
        with self._stepping:
            keychain.open_sensitive(keyring, step, answer, session.drop_box)
            self._machine.receive(UnlockEvent.STEPPED_UP)
            self._start_timer()
        try:
            with session.home.lock():
                self._opened().writer.flush()  # what a conflict left to be sealed anew needs the PIN
        except (NetworkError, ServerFault):
            pass

    def lock(self) -> None:
        """Writes the account record if anything was written, ends the session, and forgets every key.

        A vault that can't be reached changes nothing: the record is then written at the end of the next session.
        """
        if self._open is None:
            return
        session = self._open.session
        try:
            if session.replica.fact("dirty") and session.state.facts and not session.warnings:
                self._write_account_record()
            session.ask("POST", "/v1/logout")
        except TemoinError:
            pass
        finally:
            self._forget()

    def accept_trust(self, password: str, pin: str) -> None:
        """Ends the warnings, with password and PIN given anew. What was seen stays under `evidence/`.

        A changed ledger key is believed from now on; an account record that could not be read is written anew.
        Raises Refused if either secret is not right.
        """
        opened = self._opened()
        session = opened.session
        self._confirm(password, pin)
        restored = self._restored(opened, pin) if Finding.ACCOUNT_RECORD_INVALID in session.warnings.findings else None
        if Finding.DIRECTORY_FORKED in session.warnings.findings:
            opened.professionals.start_anew()
        with session.home.lock():
            session.state = restored or session.state
            self._accept(session)
        if restored is not None:
            self._write_account_record()

    def change_credentials(self, password: str, pin: str, new: Credentials) -> None:
        """Another user name, password or PIN, with the present password and PIN given anew. Every other session ends.

        What is kept, and the recovery code, stay as they are. Raises Refused (`login_refused`, `pin_wrong`,
        `account_exists`, …), SecretRefused, or Untrusted while a warning stands. After a NetworkError or ServerFault
        the vault is locked here, and nobody knows which pair holds: the new one is tried first, then the old.
        """
        opened = self._opened()
        session = opened.session
        session.warnings.require_none()
        if not session.state.facts:
            raise UnsupportedVersion()
        new.require_new(time.gmtime(self._clock()).tm_year)
        same_pin = passphrase.normalise_pin(pin) == passphrase.normalise_pin(new.pin)
        try:
            self.step_up(pin)
            login, confirmed = self._confirm(password, pin)
            with session.home.lock():
                change_credentials(session, opened.synchroniser, login, confirmed, new, same_pin=same_pin)
            opened.username = new.username
        except (NetworkError, ServerFault):
            self._forget()
            raise
        finally:
            self._drop_sensitive(opened)

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
        return reader.receipt(reader.row(item.id, item.revision))

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

    def sealed_blobs(self, item: Item) -> Iterator[SealedBlob]:
        """An item's sealed record and contents with their verified receipts, to export. Raises NeedsPin."""
        reader = self._opened().reader
        return reader.sealed_blobs(reader.row(item.id, item.revision))

    # writing

    def write_entry(self, draft: Draft, *, sensitive: bool = False, attachments: Sequence[Path] = ()) -> Kept:
        """A new journal entry. It takes no PIN to add a sensitive one.

        Raises NoteTooLong, ValueRefused, FileUnreadable, FileChanged; after a NetworkError the sealed text waits here.
        """
        with self._writing(attachments, sensitive) as (opened, contents):
            return opened.writer.add((draft,), "journal", sensitive, contents)[0]

    def write_entries(self, drafts: Sequence[Draft], *, sensitive: bool = False) -> list[Kept]:
        """Several journal entries, in as few requests as the wire allows."""
        with self._writing((), sensitive) as (opened, _):
            return opened.writer.add(drafts, "journal", sensitive)

    def write_assessment(self, draft: Draft, answers: Mapping[str, bool], *, sensitive: bool = False) -> Kept:
        """A self-assessment: `answers` by question, and in `draft.text` the same in words. Raises as `write_entry`."""
        with self._writing((), sensitive) as (opened, contents):
            return opened.writer.add((draft,), "assessment", sensitive, contents, answers)[0]

    def edit_entry(self, item_id: bytes, changes: Mapping[str, Any], *, attachments: Sequence[Path] = ()) -> Kept:
        """An item's next revision; `changes` has names and values of Draft. Earlier revisions stay in its history.

        Raises ItemUnknown, NeedsPin, UnsupportedVersion, Untrusted.
        """
        opened = self._opened()
        opened.session.warnings.require_none()
        sensitive = opened.writer.editable(item_id).sensitive
        with self._writing(attachments, sensitive) as (opened, contents):
            return opened.writer.edit(item_id, changes, contents)

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

    # sharing

    @property
    def professionals(self) -> Professionals:
        """The directory, as this device believes it."""
        return self._opened().professionals

    def make_bundle(self, sharing: Sharing) -> MadeBundle:
        """A bundle for one reader, made here; nothing of it is sent. Raises as `Shares.make`."""
        return self._opened().shares.make(sharing)

    def send_bundle(self, made: MadeBundle, password: str, pin: str) -> None:
        """Shares it, with password and PIN given anew. After a NetworkError the same `made` is given again.

        Raises Refused (`login_refused`, `pin_wrong`, `professional_unknown`, …).
        """
        _, confirmed = self._confirm(password, pin)
        self._opened().shares.send(made, confirmed)

    def shared(self) -> list[Shared]:
        """All that is and was shared, the newest first, with each opening."""
        return self._opened().shares.list()

    def end_shared(self, bundle: bytes) -> None:
        """Ends a bundle and what it opened. What was opened before can't be called back."""
        self._opened().shares.revoke(bundle)

    # deposit boxes

    def make_box(self, new: NewBox) -> MadeBox:
        """A box for somebody who has no account, made here; nothing of it is sent. Raises ValueRefused."""
        return self._opened().boxes.make(new)

    def send_box(self, made: MadeBox, password: str, pin: str) -> None:
        """Opens it, with password and PIN given anew. After a NetworkError the same `made` is given again."""
        _, confirmed = self._confirm(password, pin)
        self._opened().boxes.send(made, confirmed)

    def boxes(self) -> list[KeptBox]:
        """The boxes, ended ones too, the newest first."""
        return self._opened().boxes.list()

    def close_box(self, box: bytes) -> None:
        """Nothing more is taken by it; what waits in it stays."""
        self._opened().boxes.close(box)

    def waiting_in(self, box: bytes) -> list[dict[str, Any]]:
        """What waits in a box (schemas.boxes.WaitingDeposit): times and sizes, nothing that somebody wrote."""
        return self._opened().boxes.waiting(box)

    def open_deposit(self, box: bytes, deposit: bytes) -> OpenedDeposit:
        """A stranger's words, opened because they were asked for. Raises ItemUnknown, DepositBroken."""
        return self._opened().boxes.open(box, deposit)

    def read_deposited(self, content: Content) -> Iterator[bytes]:
        """The original bytes of a file of a deposit; whole only once the iterator has ended. Raises DepositBroken."""
        return self._opened().boxes.content(content)

    def accept_deposit(self, opened: OpenedDeposit, draft: Draft, *, sensitive: bool = False) -> Kept:
        """Makes a deposit an item, once all of it is proven. Raises DepositBroken, and as `write_entry`."""
        with self._writing((), sensitive) as (vault, _):
            return vault.boxes.accept(opened, draft, sensitive)

    def refuse_deposit(self, box: bytes, deposit: bytes) -> None:
        """Erases it after seven days; until then it can still be accepted. Raises Refused."""
        self._opened().boxes.refuse(box, deposit)

    def erase_deposit(self, box: bytes, deposit: bytes, password: str, pin: str) -> None:
        """Erases it at once, with password and PIN given anew. Raises Refused."""
        _, confirmed = self._confirm(password, pin)
        self._opened().boxes.refuse(box, deposit, confirmed)

    def enter_box(self, fragment: str) -> Visit:
        """Enters somebody else's box; takes no account. `fragment` is what follows the address.

        Raises LinkMalformed, Refused (`box_over`, `cap_refused`, …), VaultChanged.
        """
        verify = opening.verify_under(self.known_policy())
        return Visit(
            self._transport, fragment, verify=verify, clock=self._clock, progress=self._progress, sleep=self._sleep
        )

    # professionals

    def standing(self) -> Standing:
        """This account's own standing as a professional."""
        return professional.standing(self._opened().session)

    def ask_to_be_listed(self, password: str, pin: str, *, name: str, org: str, town: str, kind: str) -> Standing:
        """Asks the operator to list this account, with password and PIN given anew. Raises Refused, MalformedError."""
        _, confirmed = self._confirm(password, pin)
        return professional.ask_to_be_listed(
            self._opened().session, self.professionals, confirmed, name=name, org=org, town=town, kind=kind
        )

    def listed_otherwise(self) -> list[Professional]:
        """Whoever is listed under a name of this professional with other keys. Raises as `Professionals.read`."""
        return professional.listed_otherwise(self._opened().session, self.professionals)

    def inbox(self) -> list[dict[str, Any]]:
        """What was shared with this professional and has not ended (schemas.shares.Received), the newest first."""
        return professional.inbox(self._opened().session)

    def open_received(self, bundle: bytes, resume: bytes | None = None) -> OpenedBundle:
        """Opens one of the inbox: that counts, and the person sees when. `resume`: as `opening.open_counted`.

        Raises ItemUnknown, Refused, BundleError.
        """
        found = next((one for one in self.inbox() if one["bundle"] == bundle), None)
        if found is None:
            raise ItemUnknown()
        return professional.open_received(self._opened().session, bundle, found["wrap"], resume)

    def open_link(self, fragment: str, code: str, resume: bytes | None = None) -> OpenedBundle:
        """Opens what a link leads to; takes no account. `fragment` is what follows the address. Each call spends a try.
        `resume`: as `opening.open_counted`.

        Raises LinkMalformed, SecretRefused, Refused (`code_wrong`, `bundle_over`, …), BundleError, VaultChanged.
        """
        verify = opening.verify_under(self.known_policy())
        return opening.open_link(
            self._transport, fragment, code, verify=verify, clock=self._clock, resume=resume
        )

    def known_policy(self) -> Policy:
        """Trust in the ledger of the vault that answers here, as this device pinned it when it first met it, and in
        every key that the ledger's records lead to from there; records that can't be believed are kept as evidence."""
        pin = self._meet()
        records = read_published(self._transport, ROTATIONS, MAX_ROTATIONS_SIZE)
        try:
            return pin.rotated(records).policy
        except CryptoCoreError as error:
            self._home.keep_evidence(error.code, records)
            return pin.policy

    # what the above is made of

    def _meet(self) -> Pin:
        """The vault's public facts, pinned at the first contact and compared ever after."""
        answer = self._transport.ask("GET", "/v1/vault")
        try:
            return self._compare(answer)
        except TrustError:
            self._home.keep_evidence("vault", format_json(Vault().dump(answer)))
            raise

    def _compare(self, answer: dict[str, Any]) -> Pin:
        keychain.require_argon(answer["argon_newest"])
        if answer["host"] != self._transport.host:
            raise HostDiffers()
        offered = Pin(answer["vault_id"], answer["ledger_vkey"], answer["directory_vkey"])
        known = self._home.pin_of(offered.vault_id)
        if known is None or self._home.vault_at(self._transport.host) is None:
            self._home.pin(self._transport.host, known or offered)
        elif self._home.vault_at(self._transport.host) != offered.vault_id:
            raise VaultChanged()
        self._offered = offered
        return known or offered

    def _challenge(self, login: passphrase.LoginKeys) -> bytes:
        challenge: bytes = self._transport.ask("POST", "/v1/login/start", {"k_id": login.k_id})["challenge"]
        return challenge

    def _confirm(self, password: str, pin: str) -> tuple[passphrase.LoginKeys, bytes]:
        """The login keys that the password gives, and a token of stage `confirmed`. Raises Refused (`login_refused`,
        `pin_wrong`, …)."""
        opened = self._opened()
        session = opened.session
        login = Credentials(opened.username, password, pin).stretch(session.pin.vault_id)
        challenge = self._challenge(login)
        step = passphrase.derive_pin_step(login.k_ps, session.account, session.keyring.pin_epoch, pin)
        signature = keychain.sign_confirm(login, self._transport.host, challenge)
        try:
            answer = session.ask("POST", "/v1/confirm", {"challenge": challenge, "sig": signature, "x": step.tag})
        except Refused as refusal:
            # A challenge of a moment ago that is not this account's was asked for under another user name or password.
            if refusal.code != "challenge_refused":
                raise
            of_another = PROBLEMS["login_refused"]
            raise Refused("login_refused", of_another.status, of_another.sentence, extra=refusal.extra) from None
        confirmed: bytes = answer["token"]
        return login, confirmed

    def _enter(self, typed: Credentials, pin: Pin) -> tuple[Session, dict[str, Any], dict[str, Any]]:
        """Password, then PIN, then the account's own sealed rows. All that is typed or derived dies with this call."""
        login = typed.stretch(pin.vault_id)
        challenge = self._challenge(login)
        self._machine.receive(UnlockEvent.CHALLENGE)
        signature = keychain.sign_login(login, self._transport.host, challenge)
        proven = self._transport.ask(
            "POST", "/v1/login/finish", {"k_id": login.k_id, "challenge": challenge, "sig": signature}
        )
        self._machine.receive(UnlockEvent.PASSWORD_PROVEN)
        account = proven["account"]
        pin_login = passphrase.derive_pin_login(login.k_pl, account, typed.pin)
        opened = self._transport.ask(
            "POST", "/v1/pin", {"purpose": "login", "x": pin_login.tag}, token=proven["token"]
        )
        mk_n = keychain.open_master(login, pin_login, account, opened)
        self._machine.receive(UnlockEvent.PIN_PROVEN)
        answer = self._transport.ask("GET", "/v1/account", token=opened["token"])
        home = self._home.account(pin.vault_id, account)
        replica = Replica(home.replica)
        state = _remembered(replica, mk_n, account)
        keyring = Keyring(account, mk_n, login.k_ps, opened["epoch"], opened["pin_epoch"], state.facts.get("pk_s"))
        session = Session(
            self._transport, opened["token"], keyring, state, state, answer["drop_box"], pin, self._keep_pin, home,
            replica, TrustStore(home, pin.policy), Warnings(home), self._clock, self._progress,
        )
        return session, answer, opened

    def _keep_pin(self, pin: Pin) -> None:
        self._home.pin(self._transport.host, pin)

    def _parts(self, session: Session, username: str) -> _Open:
        if self._offered.ledger_vkey != session.pin.ledger_vkey:
            session.learn_rotations()
        if (self._offered.ledger_vkey, self._offered.directory_vkey) != (
            session.pin.ledger_vkey, session.pin.directory_vkey
        ):
            session.warnings.add(Finding.LEDGER_KEY_CHANGED)
            session.home.keep_evidence("ledger-key", f"{self._offered.ledger_vkey}\n".encode("ascii"))
        reader, synchroniser = Reader(session), Synchroniser(session)
        writer = Writer(session, reader, synchroniser)
        professionals = Professionals(session)
        return _Open(
            session, reader, synchroniser, writer, Uploader(session, self._sleep), professionals,
            Shares(session, reader, professionals), Boxes(session, reader, writer), username,
        )

    def _synchronise(self, answer: dict[str, Any] | None = None) -> None:
        try:
            self._opened().synchroniser.sync(answer)
        except LedgerForked:
            pass  # the warning stands, and is told

    @contextmanager
    def _writing(self, attachments: Sequence[Path], sensitive: bool) -> Iterator[tuple[_Open, list[Content]]]:
        """Files first, then, under the account's lock, what names them; then their journals go."""
        opened = self._opened()
        sent: list[Uploaded] = []
        try:
            for path in attachments:
                sent.append(opened.uploader.send(path, sensitive=sensitive))
            with opened.session.home.lock():
                yield opened, [one.content for one in sent]
            for one in sent:
                one.journal.remove()
        finally:
            for one in sent:
                one.journal.close()

    def _write_account_record(self) -> None:
        """Compare-and-swap; whoever was slower synchronises, so that the heads of both are in it."""
        opened = self._opened()
        session = opened.session
        with session.home.lock():
            for _ in range(_MERGES):
                facts = {
                    **session.state.facts, "n": session.state.n + 1, "previous": session.state.hash,
                    "epoch": session.keyring.epoch, "pin_epoch": session.keyring.pin_epoch,
                    "heads": list(opened.synchroniser.load_links().heads),
                    "ledger_vkey": session.pin.ledger_vkey, "directory_vkey": session.pin.directory_vkey,
                }
                blob = keychain.seal_account_state(session.keyring.mk_n, session.account, facts)
                try:
                    session.ask("PUT", "/v1/account/record", {"n": facts["n"], "account_record": blob})
                except Refused as refusal:
                    if refusal.code != "record_conflict":
                        raise
                    self._synchronise()
                    if session.warnings or not session.state.facts:
                        return
                else:
                    session.keep_state(facts["n"], blob)
                    return

    def _restored(self, opened: _Open, pin: str) -> AccountState | None:
        """What is to follow an account record that can't be read; None if the vault gives a good one by now."""
        session, known = opened.session, opened.session.state
        answer = session.ask("GET", "/v1/account")
        if not opened.synchroniser.read_account(answer).faults:
            return None
        if known.facts:  # where it is the lost one itself, what follows it is what other devices expect
            return known if known.n == session.offered.n else replace(session.offered, facts=known.facts)
        self.step_up(pin)  # a device that has never read a good one
        try:
            facts = keychain.restore_account_facts(session.keyring, session.pin, answer["identity"])
        finally:
            self._drop_sensitive(opened)
        return replace(session.offered, facts=facts)

    def _accept(self, session: Session) -> None:
        if Finding.LEDGER_FORKED in session.warnings.findings:
            session.forget_ledger()
        if Finding.LEDGER_KEY_CHANGED in session.warnings.findings:
            session.forget_ledger()
            self._keep_pin(self._offered)
            session.pin = self._offered
            session.trust.policy = self._offered.policy
        session.warnings.accept(session.links.account_n)
        with session.replica.writing():
            session.replica.remember_account(session.state.n, session.state.hash, None)
            session.replica.set_fact("dirty", 1)

    def _opened(self) -> _Open:
        if self._open is None:
            raise NotOpen()
        return self._open

    def _start_timer(self) -> None:
        opened = self._opened()
        if opened.timer is not None:
            opened.timer.cancel()
        opened.timer = threading.Timer(SENSITIVE_SECONDS, self._drop_sensitive, (opened,))
        opened.timer.daemon = True
        opened.timer.start()

    def _drop_sensitive(self, opened: _Open) -> None:
        with self._stepping:
            opened.session.keyring.drop_sensitive()
            if self._open is opened and self._machine.state is Unlock.SENSITIVE:
                self._machine.receive(UnlockEvent.SENSITIVE_DROPPED)

    def _forget(self) -> None:
        opened, self._open = self._open, None
        self._machine.receive(UnlockEvent.LOCKED)
        if opened is not None:
            if opened.timer is not None:
                opened.timer.cancel()
            opened.session.keyring.forget()
            opened.session.replica.close()


def _remembered(replica: Replica, mk_n: bytes, account: bytes) -> AccountState:
    """The newest account record that this device could read; number 0, which says nothing, if there is none."""
    blob = replica.fact("account_record")
    if blob is not None:
        try:
            return keychain.open_account_state(mk_n, account, replica.fact("account_record_n"), blob)
        except CryptoCoreError:
            pass  # damaged here; the vault has another
    return AccountState(0, b"")
