"""What `temoin … --json` prints.

Knows: the shape of each answer. Refuses to know: how it is printed for people.
Ids and hashes are lower-case hexadecimal.
"""

from marshmallow import fields

from schemas import limits
from schemas.documents import Happened
from schemas.fields import Hex, Strict, Time, Whole, one_of


class Kept(Strict):
    """`journal add`, `journal edit`; and, in an array, `documents add`."""

    id = Hex(limits.ID, required=True)
    revision = Whole(1, required=True)
    deposited = Time(required=True)
    receipt = fields.String(required=True)
    """The tlog-proof, whole, as text."""


class ListedContent(Strict):
    blob = Hex(limits.ID, required=True)
    name = fields.String(required=True)
    mime = fields.String(required=True)
    size = Whole(required=True)
    sha256 = Hex(limits.HASH, required=True)


class ListedItem(Strict):
    """One row of `journal list` and `documents list`. Of a locked sensitive item, kind, title and happened are null
    and contents is empty; of an item that needs a newer version, `state` says so."""

    id = Hex(limits.ID, required=True)
    kind = fields.String(required=True, allow_none=True)
    title = fields.String(required=True, allow_none=True)
    happened = fields.Nested(Happened, required=True, allow_none=True)
    deposited = Time(required=True)
    sensitive = fields.Boolean(required=True)
    contents = fields.List(fields.Nested(ListedContent), required=True)
    revision = Whole(1, required=True)
    state = fields.String(required=True, validate=one_of("open", "locked", "newer_version", "missing"))


class MadeFrom(Strict):
    """Of which item and revision an extract is a part."""

    item = Hex(limits.ID, required=True)
    revision = Whole(1, required=True)


class SentBy(Strict):
    """Whose a received item is, in their own words."""

    box = Hex(limits.ID, required=True)
    deposit = Hex(limits.ID, required=True)
    name = fields.String(required=True)
    message = fields.String(required=True)
    written = Time(required=True)


class ShownItem(ListedItem):
    """`journal show`, and each element of `journal history`. `of` is null but for an extract; its files in `masked` are
    no originals."""

    text = fields.String(required=True)
    written = Time(required=True, allow_none=True)
    place = fields.String(required=True, allow_none=True)
    people = fields.List(fields.String(), required=True)
    tags = fields.List(fields.String(), required=True)
    danger = Whole(0, 10, required=True, allow_none=True)
    mood = fields.String(required=True, allow_none=True)
    category = fields.String(required=True, allow_none=True)
    of = fields.Nested(MadeFrom, required=True, allow_none=True)
    masked = fields.List(Hex(limits.ID), required=True)
    sent = fields.Nested(SentBy, required=True, allow_none=True)
    receipt = fields.String(required=True)


class Deleted(Strict):
    id = Hex(limits.ID, required=True)
    revision = Whole(1, required=True)
    erased_after = Time(required=True)


class Got(Strict):
    """`documents get`: what was written where."""

    id = Hex(limits.ID, required=True)
    name = fields.String(required=True)
    path = fields.String(required=True, allow_none=True)
    size = Whole(required=True)
    sha256 = Hex(limits.HASH, required=True)
    """Of the original, as sealed; equal to that of the file written, unless a range was asked for."""
    range = fields.List(Whole(), required=True, allow_none=True)


class LoginCheck(Strict):
    last_opened = Time(required=True, allow_none=True)
    wrong_pins = Whole(required=True)
    wrong_total = Whole(required=True)
    advise_change = fields.Boolean(required=True)


class Recovered(Strict):
    """`recover`: whether it was done, or waits until `due`; `recovery` are the new words, unless they are in a file."""

    recovered = fields.Boolean(required=True)
    begun = Time(required=True)
    due = Time(required=True)
    recovery = fields.String(required=True, allow_none=True)


class NextWait(Strict):
    wait = Whole(required=True)
    since = Time(required=True)


class RecoveryWait(Strict):
    """`recovery-wait`: seconds, and what holds from a later time on."""

    wait = Whole(required=True)
    next = fields.Nested(NextWait, required=True, allow_none=True)


class AccountDeleted(Strict):
    """`delete-account`."""

    items = Whole(required=True)
    """How many could be seen just before."""


class LostFile(Strict):
    """A file that the vault hasn't any more, and the item that goes on without it."""

    id = Hex(limits.ID, required=True, attribute="item")
    title = fields.String(required=True)
    name = fields.String(required=True)


class TrustAccepted(Strict):
    """`trust accept`: what became of what the vault had lost. `written_off` versions are nowhere; `left` is the code of
    what keeps some of it waiting."""

    given_back = Whole(required=True)
    anew = fields.List(Hex(limits.ID), required=True)
    written_off = Whole(required=True)
    files = fields.List(fields.Nested(LostFile), required=True)
    left = fields.Pluck("Failure", "code", required=True, allow_none=True)


class Exported(Strict):
    id = Hex(limits.ID, required=True)
    directory = fields.String(required=True)
    files = fields.List(fields.String(), required=True)


class Registered(Strict):
    account = Hex(limits.ID, required=True)
    recovery = fields.String(required=True, allow_none=True)
    """The 24 words, unless they were written to a file."""


class CosignedBy(Strict):
    name = fields.String(required=True)
    time = Time(required=True)


class Verified(Strict):
    """`verify`: `outcome` is valid, invalid or not_yet; what is null was not reached."""

    outcome = fields.String(required=True, validate=one_of("valid", "invalid", "not_yet"))
    code = fields.String(required=True, allow_none=True)
    sentence = fields.String(required=True)
    sha256 = Hex(limits.HASH, required=True)
    origin = fields.String(required=True, allow_none=True)
    index = Whole(required=True, allow_none=True)
    tree_size = Whole(required=True, allow_none=True)
    claimed_time = Time(required=True, allow_none=True)
    """What the operator says; in the ledger rounded up to the minute."""
    bound_time = Time(required=True, allow_none=True)
    """The earliest independent time that covers it, where the policy names witnesses."""
    quorum = fields.Boolean(required=True, allow_none=True)
    """Whether enough witnesses cosigned; true where none is asked for."""
    cosigned = fields.List(fields.Nested(CosignedBy), required=True, allow_none=True)
    """The witnesses of the policy whose cosignatures verified, by their keys' names."""
    missing = fields.List(fields.String(), required=True, allow_none=True)
    """Those of the policy that have not cosigned."""
    passed_over = fields.List(fields.String(), required=True, allow_none=True)
    """The names that other signatures bear: nothing is known about them."""


class Found(Strict):
    """Something that speaks against a ledger; `evidence` names files in the folder of that name."""

    code = fields.String(required=True)
    time = Time(required=True)
    detail = fields.String(required=True)
    index = Whole(required=True, allow_none=True)
    count = Whole(1, required=True)
    evidence = fields.List(fields.String(), required=True)


class _Witnessed(Strict):
    origin = fields.String(required=True, allow_none=True)
    size = Whole(required=True, allow_none=True)
    root = Hex(limits.HASH, required=True, allow_none=True)
    cosigned_by = fields.List(fields.String(), required=True, allow_none=True)
    missing = fields.List(fields.String(), required=True, allow_none=True)
    quorum = fields.Boolean(required=True, allow_none=True)
    """Whether enough have cosigned; null where no witness is named."""
    bound_time = Time(required=True, allow_none=True)


WITNESSED = tuple(_Witnessed().fields)
"""What is null where there is no checkpoint to tell of."""


class AuditLook(_Witnessed):
    """`audit follow`, for each look, and `audit mirror`: what was shown, and the largest state that fits all others."""

    event = fields.String(required=True, allow_none=True)
    """As the table of client_sdk.protocol.audit names it; null if the checkpoint did not open."""
    shown_size = Whole(required=True, allow_none=True)
    read = Whole(required=True)
    walked = Whole(required=True)
    lags_since = Time(required=True, allow_none=True)
    uncompared = Whole(required=True)
    """Notes that wait until the ledger shows the tiles that it takes to compare them."""
    found = fields.List(fields.Nested(Found), required=True)


class AuditReport(_Witnessed):
    """`audit report`."""

    url = fields.String(required=True)
    since = Time(required=True)
    looked = Time(required=True)
    looks = Whole(1, required=True)
    walked = Whole(required=True)
    entry_time = Time(required=True)
    lags_since = Time(required=True, allow_none=True)
    uncompared = Whole(required=True)
    findings = fields.List(fields.Nested(Found), required=True)
    proven = fields.List(fields.String(), required=True)
    not_proven = fields.List(fields.String(), required=True)


class Failure(Strict):
    """Any command that fails, with --json: on standard error."""

    code = fields.String(required=True)
    sentence = fields.String(required=True)
    detail = fields.String(required=True)


class PassingFailure(Failure):
    """One that ends by itself, in so many seconds."""

    retry_after = Whole(required=True)


class FileLeft(Failure):
    """A file, or a folder, that was not deposited; `path` as it was given, or as it lies in a folder that was."""

    path = fields.String(required=True)


class FilesFailure(Failure):
    """`documents add` where some of several files were not deposited."""

    files = fields.List(fields.Nested(FileLeft), required=True)


class WitnessedLedger(Strict):
    origin = fields.String(required=True)
    size = Whole(required=True)
    root = Hex(limits.HASH, required=True)


class WitnessStatus(Strict):
    """`witness status`: the newest that was seen of each ledger, and the folders of evidence."""

    vkey = fields.String(required=True)
    ledgers = fields.List(fields.Nested(WitnessedLedger), required=True)
    forks = fields.List(fields.String(), required=True)
    unproven = fields.List(fields.String(), required=True)


class ReceiptState(Strict):
    """A receipt in `receipts upgrade`: `name` is what export calls the file that it belongs to."""

    name = fields.String(required=True)
    tree_size = Whole(1, required=True)
    cosignatures = Whole(required=True)
    """Signature lines beside the ledger's own; with --policy, witnesses of the policy that have cosigned."""
    bound_time = Time(required=True, allow_none=True)


class ReceiptsUpgraded(Strict):
    """`receipts upgrade`: replaced by a newer one, as good as it was, or to be asked for again later."""

    upgraded = fields.List(fields.Nested(ReceiptState), required=True)
    unchanged = fields.List(fields.Nested(ReceiptState), required=True)
    waiting = fields.List(fields.Nested(ReceiptState), required=True)


class VerifiedAnchored(Verified):
    """`verify --tsa`: `bound_time` is the earliest of `witness_time` and `tsa_time`."""

    witness_time = Time(required=True, allow_none=True)
    tsa_time = Time(required=True, allow_none=True)
    """The latest that the token can mean."""
    tsa_authority = fields.String(required=True, allow_none=True)
    """The subject of the signer's certificate (RFC 4514)."""
    tsa_policy = fields.String(required=True, allow_none=True)
    tsa_before_time = Time(required=True, allow_none=True)
    """The earliest that the token over the ledger without the file can mean."""


class ListedProfessional(Strict):
    """`pro find`, and `pro compare`."""

    entry = Whole(required=True)
    name = fields.String(required=True)
    org = fields.String(required=True)
    town = fields.String(required=True)
    kind = fields.String(required=True)
    since = Time(required=True)
    fingerprint = fields.String(required=True)
    compared = fields.String(required=True, validate=one_of("no", "yes", "changed"))


class Standing(Strict):
    """`pro register`, `pro status`: `fingerprint` is that of the account's own keys."""

    state = fields.String(required=True)
    entry = Whole(required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True)
    fingerprint = fields.String(required=True)


class ReceivedBundle(Strict):
    """One row of `pro inbox`."""

    bundle = Hex(limits.ID, required=True)
    created = Time(required=True)
    expires = Time(required=True)
    openings = Whole(required=True)
    opened = Whole(required=True)


class SharedBundle(Strict):
    """`share create`; `address` and `code` only of a link, and only now."""

    bundle = Hex(limits.ID, required=True)
    address = fields.String(required=True, allow_none=True)
    code = fields.String(required=True, allow_none=True)


class SharedOne(Strict):
    """One revision that is shared."""

    item = Hex(limits.ID, required=True)
    revision = Whole(required=True)


class SharedRow(Strict):
    """One row of `share list`, and `share log`. `name` is null for a link, `items` where the note doesn't open, and
    `replaced_by` but for one that another extends."""

    bundle = Hex(limits.ID, required=True)
    name = fields.String(required=True, allow_none=True)
    created = Time(required=True)
    expires = Time(required=True)
    openings = Whole(required=True)
    opened = fields.List(Time(), required=True)
    wrong_codes = Whole(required=True)
    ended = Time(required=True, allow_none=True)
    why = fields.String(required=True, allow_none=True)
    items = fields.List(fields.Nested(SharedOne), required=True, allow_none=True)
    replaced_by = Hex(limits.ID, required=True, allow_none=True)


class Dossier(Strict):
    """`dossier`: the folders or ZIP files that were written; `left` are items that are not in them, `files` the files
    of others that are not, `unproven` those that are there without a receipt."""

    places = fields.List(fields.String(), required=True)
    items = Whole(required=True)
    left = fields.List(fields.String(), required=True)
    files = fields.List(fields.String(), required=True)
    unproven = fields.List(fields.String(), required=True)


class Backup(Dossier):
    """`backup make`: the same of the sealed files that were written; `words` open each of them, null where they went
    into a file of their own."""

    words = fields.String(required=True, allow_none=True)


class OpenedBackup(Strict):
    """`backup open`: the pack that was in it."""

    place = fields.String(required=True)


class OpenedPack(Strict):
    """`pro open`, `open-link`: `missing` are items that the vault did not give as they were shared, `files` the files
    of others, `unproven` those that are there without a receipt; `unsaid` are items that are there without the
    depositor's own words, or say otherwise than these."""

    bundle = Hex(limits.ID, required=True)
    directory = fields.String(required=True)
    message = fields.String(required=True)
    items = Whole(required=True)
    missing = fields.List(fields.String(), required=True)
    files = fields.List(fields.String(), required=True)
    unproven = fields.List(fields.String(), required=True)
    unsaid = fields.List(fields.String(), required=True)


class PackFinding(Strict):
    """One file of a pack that is at fault."""

    name = fields.String(required=True)
    code = fields.String(required=True)
    sentence = fields.String(required=True)
    detail = fields.String(required=True)


class PackReceipt(Strict):
    """What the receipt of one sealed file of a pack proves."""

    name = fields.String(required=True)
    index = Whole(required=True)
    claimed_time = Time(required=True)
    bound_time = Time(required=True, allow_none=True)


class CheckedPack(Strict):
    """`verify-pack`: `proven` of `items` are whole; `keys` are the ledger's, to compare; `beyond` counts receipts that
    are newer than the checkpoint."""

    outcome = fields.String(required=True)
    items = Whole(required=True)
    proven = Whole(required=True)
    sender = Hex(limits.KEY, required=True, allow_none=True)
    keys = fields.List(fields.String(), required=True)
    origin = fields.String(required=True, allow_none=True)
    tree_size = Whole(required=True, allow_none=True)
    beyond = Whole(required=True)
    receipts = fields.List(fields.Nested(PackReceipt), required=True)
    findings = fields.List(fields.Nested(PackFinding), required=True)


class MadeBox(Strict):
    """`box create`: `address` only now."""

    box = Hex(limits.ID, required=True)
    address = fields.String(required=True)


class BoxRow(Strict):
    """One row of `box list`. `name` is null where the note doesn't open."""

    box = Hex(limits.ID, required=True)
    name = fields.String(required=True, allow_none=True)
    created = Time(required=True)
    expires = Time(required=True)
    deposits = Whole(required=True)
    bytes = Whole(required=True)
    made = Whole(required=True)
    used = Whole(required=True)
    waiting = Whole(required=True)
    ended = Time(required=True, allow_none=True)
    why = fields.String(required=True, allow_none=True)


class WaitingDeposit(Strict):
    """One row of `box show`: times and sizes, nothing that somebody wrote."""

    deposit = Hex(limits.ID, required=True)
    deposited = Time(required=True)
    files = Whole(required=True)
    bytes = Whole(required=True)
    erased_after = Time(required=True, allow_none=True)


class ShownDeposit(Strict):
    """`box show` of one deposit: what somebody wrote, and what became of its files with -o."""

    sent = fields.Nested(SentBy, required=True)
    deposited = Time(required=True)
    contents = fields.List(fields.Nested(ListedContent), required=True)
    files = fields.List(fields.String(), required=True)
    receipt = fields.String(required=True)


class GivenFile(Strict):
    """A file of a deposit: `sealed` is the SHA-256 that its receipt is of."""

    name = fields.String(required=True)
    sha256 = Hex(limits.HASH, required=True)
    sealed = Hex(limits.HASH, required=True)
    receipt = fields.String(required=True)


class Deposited(Strict):
    """`box deposit`: what a depositor can prove; `sealed` and `receipt` are those of the words."""

    deposit = Hex(limits.ID, required=True)
    deposited = Time(required=True)
    sealed = Hex(limits.HASH, required=True)
    receipt = fields.String(required=True)
    files = fields.List(fields.Nested(GivenFile), required=True)
