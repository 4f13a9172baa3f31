"""What can go wrong between a person's device and the vault.

Knows: a stable code and a sentence for each. Refuses to know: how they are shown, and any secret or path.

    SdkError
    ├── Refused              the vault said no; code and sentence are those of the wire (schemas.problems)
    ├── NetworkError         network               nothing came back
    ├── ServerFault          server                the vault failed, or broke its own rules
    ├── ServerAddress        server_address        an address that can't or mustn't be used
    ├── HostDiffers          host_differs
    ├── NotOpen              not_open              log in first
    ├── ItemUnknown          item_unknown
    ├── NoteTooLong          text_too_long
    ├── ValueRefused         invalid
    ├── RangeInvalid         range_invalid
    ├── FileChanged          file_changed
    ├── FileUnreadable       file_unreadable
    ├── PolicyOtherLog       policy_other_log      about the ledger, and the directory is meant; or the other way round
    ├── DeviceNewer          device_newer          what this device keeps is for a newer version to read
    ├── ItemUnproven         item_unproven         of what was to be shared: without a receipt that holds
    ├── ContentBroken        content_broken        sealed as its record says, and doesn't open: no fault of the vault
    ├── ContentDiffers       content_differs       opens to its end as another file than its record names; the same
    ├── BundleSwapped        bundle_swapped        of what somebody shared: other bytes than they named
    ├── BundleIncomplete     bundle_incomplete     of what somebody shared: named, and not given
    ├── SentDiffers          sent_differs          of what somebody shared: not as it was put into a box
    └── TrustError           the vault may not be what it was; what was seen is kept as evidence
        ├── VaultChanged         vault_changed
        ├── LedgerKeyChanged     ledger_key_changed
        ├── LedgerForked         ledger_forked
        ├── LedgerLags           ledger_lags           told, and stops nothing
        ├── CheckpointInvalid    checkpoint_invalid
        ├── DirectoryForked      directory_forked
        ├── ItemsMissing         items_missing
        ├── AccountRecordOlder   account_record_older
        ├── AccountRecordInvalid account_record_invalid
        ├── BlobSwapped          blob_swapped
        ├── ArgonChanged         client_too_old
        └── Untrusted            warned
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from crypto_core.errors import TemoinError, UnsupportedVersion, VerificationError


class SdkError(TemoinError):
    """The root of this branch."""


class Refused(SdkError):
    """The vault's own refusal. `code`, `status` and `sentence` are its answer; `extra` is what came with it."""

    def __init__(
        self, code: str, status: int, sentence: str, retry_after: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.__dict__.update(code=code, sentence=sentence)  # of this answer, where other leaves have one for the class
        super().__init__(f"{status} {code}")
        self.status = status
        self.retry_after = retry_after
        """Seconds to wait, where the vault says so."""
        self.extra: Mapping[str, Any] = extra or {}


class NetworkError(SdkError):
    """No answer, also after several tries."""

    code = "network"
    sentence = "The vault can't be reached right now. Nothing is lost: what was sealed is sent at the next opening."


class ServerFault(SdkError):
    """An answer that the vault should never give."""

    code = "server"
    sentence = "The vault answered in a way that can't be understood. Nothing was lost; try again in a moment."


class ServerAddress(SdkError):
    """Not an address that a secret may be sent to. `detail` says why."""

    code = "server_address"
    sentence = "This address can't be used. A vault has an https address; plain http is for this device alone."


class HostDiffers(SdkError):
    """The vault is known by another host name than the address has; a login is signed for one name only."""

    code = "host_differs"
    sentence = "The vault at this address goes by another name. Use the very address that its people gave you."


class NotOpen(SdkError):
    """This needs an open session."""

    code = "not_open"
    sentence = "The vault is locked. Log in first."


class ItemUnknown(SdkError):
    """No such item or revision here."""

    code = "item_unknown"
    sentence = "There is nothing under this id. List what is there, and try again."


class NoteTooLong(SdkError):
    """More text than one record holds."""

    code = "text_too_long"
    sentence = "This text is too long for one entry. Save it as a file and attach it: a file may have any length."


class ValueRefused(SdkError):
    """A value that a record can't hold. `detail` names the field and the rule, never the value."""

    code = "invalid"
    sentence = "Something in this entry can't be kept as it is; the field is named here."


class RangeInvalid(SdkError):
    """A range outside of the file, or one that runs backwards."""

    code = "range_invalid"
    sentence = "The range asked for lies outside of the file."


class FileChanged(SdkError):
    """A file that was written to while it was being read."""

    code = "file_changed"
    sentence = "The file changed while it was being sealed. Try again when it is complete."


class FileUnreadable(SdkError):
    """A file that is not there, not a file, or not ours to read."""

    code = "file_unreadable"
    sentence = "The file can't be read. Look whether it is there, and whether you may open it."

    @classmethod
    def because(cls, error: OSError) -> Self:
        """With the system's own words."""
        return cls(error.strerror or "")


class DeviceNewer(SdkError):
    """A newer version wrote here what this one would lose by halves. Nothing of it is touched."""

    code = "device_newer"
    sentence = (
        "A newer version of this program was used on this device, and this one can't read all that it keeps. Update "
        "this program. Nothing was changed, and nothing is lost."
    )


class PolicyOtherLog(SdkError):
    """A policy whose logs are not what it was given for: `given` and `meant`, in words."""

    code = "policy_other_log"
    sentence = (
        "This policy is about another log than the one that is meant. A vault has two, its ledger and its directory of "
        "professionals, each with a key and policies of its own. Nothing was changed. Give the policy whose `log` line "
        "has the key that is named here."
    )

    def __init__(self, given: str, meant: str) -> None:
        super().__init__(f"given: {given}; meant: {meant}")


class DepositBroken(SdkError):
    """What was put into a box isn't what it says: whoever sent it sent it so, or the vault changed it."""

    code = "deposit_broken"
    sentence = (
        "What was put into this box can't be opened as it says: it was sent so, or was changed since. Nothing of it "
        "was taken over. Refuse it, or ask whoever sent it to send it again."
    )


class ItemUnproven(SdkError):
    """An item that was to be shared, `item` and `revision`, of which the vault gives no receipt that holds: `error`."""

    code = "item_unproven"
    sentence = (
        "The vault gives no receipt that holds for one of these items, so nothing was shared. You can share the others "
        "without it, or all of them once the vault gives it again."
    )

    def __init__(self, item: bytes, revision: int, error: TemoinError) -> None:
        super().__init__(f"{item.hex()} revision {revision}: {error.code}")
        self.item, self.revision, self.error = item, revision, error


class ContentBroken(SdkError):
    """The vault gave the very bytes whose SHA-256 the record names, and they don't open as it says. `detail` is the
    code of the step that failed."""

    code = "content_broken"
    sentence = (
        "The vault gave this file exactly as it was sealed, but it doesn't open: whoever put it in sealed it wrongly, "
        "or a device failed. The vault is not at fault. If you still have the original, add it again; if it came from "
        "somebody else, ask them for it again."
    )


class ContentDiffers(SdkError):
    """As ContentBroken, but the file opened to its end, and only its SHA-256 or size is another than the record names.
    Raised once all of it came: whoever wants it can have it. `sha256` and `size` are those of what came."""

    code = "content_differs"
    sentence = (
        "This file opened to its end, but its entry names another SHA-256 or size than it has: whoever put it in said "
        "it wrongly, or a device failed. The vault is not at fault. Keep the file and look whether it is what you "
        "expect; it proves nothing of the one that its entry names."
    )

    def __init__(self, sha256: bytes, size: int) -> None:
        super().__init__("another hash or size than the record names")
        self.sha256, self.size = sha256, size


class BundleSwapped(SdkError):
    """Something that was shared has other bytes, or another receipt, than the person named."""

    code = "bundle_swapped"
    sentence = "The vault gave other bytes than were shared. They were not opened. Tell the person who shared them."


class BundleIncomplete(SdkError):
    """Something that was shared is not given: erased meanwhile, or withheld."""

    code = "bundle_incomplete"
    sentence = (
        "The vault doesn't give something that was shared: it was erased meanwhile, or is withheld. Ask the person."
    )


class SentDiffers(SdkError):
    """An item that somebody else put in, and that says otherwise than their own sealed words."""

    code = "sent_differs"
    sentence = (
        "This says otherwise than what was put in: the words differ, or a file. Go by the words that were put in, and "
        "ask the person who shared it."
    )


class TrustError(SdkError):
    """The vault may not be what it was."""


class VaultChanged(TrustError):
    """Another vault answers under the address of the one that is known."""

    code = "vault_changed"
    sentence = (
        "Another vault answers at this address than before. Nothing was sent to it. "
        "Ask the people who run it by another way before you go on."
    )


class LedgerKeyChanged(TrustError):
    """The ledger that this device, or the account itself, knows has another key."""

    code = "ledger_key_changed"
    sentence = (
        "The vault's ledger has another key than before. Receipts that you hold stay valid. "
        "Ask the people who run the vault by another way before you go on."
    )


class LedgerForked(TrustError):
    """Two signed checkpoints of which neither continues the other, as far as the vault can prove."""

    code = "ledger_forked"
    sentence = (
        "The vault signed two histories that do not fit together. Both are kept as evidence on this device; "
        "ask somebody you trust to look at them."
    )


class LedgerLags(TrustError):
    """The public checkpoint has been smaller than the one held here for more than a day: withheld, or not moved on."""

    code = "ledger_lags"
    sentence = (
        "For more than a day the vault has shown everybody an older state of its ledger than this device holds. "
        "What you keep is not touched by it, and everything goes on; tell who runs the vault."
    )


class CheckpointInvalid(TrustError):
    """A checkpoint that is not signed by the pinned key, or not well formed."""

    code = "checkpoint_invalid"
    sentence = "The vault's signed state of its ledger does not verify. Try again; if it stays so, ask who runs it."


class DirectoryForked(TrustError):
    """Two signed states of the directory of professionals of which neither continues the other."""

    code = "directory_forked"
    sentence = (
        "The vault showed another directory of professionals before. Both signed states are kept as evidence. Nothing "
        "is shared with anybody in it, edited or deleted until you have looked at it and run `temoin trust accept`."
    )


class ItemsMissing(TrustError):
    """Revisions that other revisions, the account record or this device know of, and the vault does not show."""

    code = "items_missing"
    sentence = (
        "Something that was kept is no longer shown by the vault, though nobody deleted it. You can read, export and "
        "add; nothing is edited or deleted until you have looked at it and run `temoin trust accept`."
    )


class AccountRecordOlder(TrustError):
    """The account record is not the newest, or not a successor of the one seen before."""

    code = "account_record_older"
    sentence = (
        "The vault shows an older state of your account than one seen before. You can read, export and add; "
        "nothing is edited or deleted until you have looked at it and run `temoin trust accept`."
    )


class AccountRecordInvalid(TrustError):
    """What the vault gives as the account record does not open as the record of this account under its number."""

    code = "account_record_invalid"
    sentence = (
        "The vault gave something else in the place of your account's own record. You can read, export and add; "
        "nothing is edited or deleted until you have looked at it and run `temoin trust accept`, which writes it anew."
    )


class BlobSwapped(TrustError):
    """Bytes under an id that are not those that were kept there."""

    code = "blob_swapped"
    sentence = "The vault returned other bytes than were kept. They were not opened; what is here was not changed."


class ArgonChanged(TrustError):
    """The vault expects a newer client than this."""

    code = "client_too_old"
    sentence = "This vault needs a newer version of this program. Update it first; nothing was asked or sent."


class Untrusted(TrustError):
    """An edit or a deletion while a warning stands, or sharing with somebody who is known from the vault alone."""

    code = "warned"
    sentence = (
        "A warning about this vault stands, so nothing is edited or deleted, or shared with a professional whose "
        "digits you have not compared. Reading, exporting and adding go on. When you have looked at it, "
        "`temoin trust accept` ends the warning."
    )


_OF_ONE = (
    BundleSwapped, BundleIncomplete, ContentBroken, ContentDiffers, TrustError, UnsupportedVersion, VerificationError,
)


def is_of_one(error: TemoinError) -> bool:
    """Whether one thing alone fails, its bytes in the vault or as they were sealed, or its receipt."""
    if isinstance(error, Refused):
        return error.code in ("not_found", "unavailable")
    return isinstance(error, _OF_ONE)
