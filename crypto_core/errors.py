"""The root of the one error tree, and the leaves that crypto_core raises.

Knows: a stable code and a sentence for each thing that can go wrong with bytes.
Refuses to know: HTTP, files, and the value that was wrong (a message never holds a secret).

    TemoinError
    ├── CryptoCoreError          the bytes are at fault
    │   ├── MalformedError         malformed
    │   ├── UnsupportedVersion     version_unsupported
    │   ├── TamperedError          tampered
    │   ├── SecretRefused          secret_refused
    │   └── VerificationError    the proof does not hold; `outcome` tells "invalid" from "not_yet"
    │       ├── InclusionMismatch      proof_inclusion
    │       ├── ConsistencyMismatch    proof_consistency
    │       ├── SignatureInvalid       signature_invalid
    │       ├── NoteKeyUnknown         note_key_unknown         not_yet
    │       ├── NoteKeyRetired         note_key_retired
    │       ├── RotationUnsigned       rotation_unsigned
    │       ├── RotationBroken         rotation_broken
    │       ├── RotationBackwards      rotation_backwards
    │       ├── RotationForked         rotation_forked
    │       └── (one leaf for each numbered step of receipts.receipt.verify_receipt)
    │           ├── ReceiptMalformed       receipt_malformed
    │           ├── ReceiptOtherBytes      receipt_other_bytes
    │           ├── ReceiptNotIncluded     receipt_not_included
    │           ├── ReceiptSignature       receipt_signature
    │           ├── ReceiptKeyUnknown      receipt_key_unknown      not_yet
    │           ├── ReceiptKeyRetired      receipt_key_retired
    │           ├── ReceiptQuorumMissing   receipt_quorum_missing   not_yet
    │           └── (receipts.anchor)        step 8: one leaf for each of its own
    └── (client_sdk.errors)      the server, the network, the person's device

The mistakes of a caller (a key of 31 bytes, a step out of order) are `OutOfOrder` or `ValueError`:
they are bugs of ours, no part of this tree, and never caught.
"""

from __future__ import annotations

from typing import ClassVar, Literal


class TemoinError(Exception):
    """Something a person may meet. `code` is stable in every language; `sentence` says what to do next."""

    code: ClassVar[str]
    sentence: ClassVar[str]

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.sentence)
        self.detail = detail
        """For a developer: which rule was broken. Never holds a secret or what a person wrote."""


class CryptoCoreError(TemoinError):
    """The bytes given are not what they should be."""


class MalformedError(CryptoCoreError):
    """The bytes do not have the form that the format demands."""

    code = "malformed"
    sentence = "This file or message is damaged or is not of the expected kind. Ask for it again from where it came."


class UnsupportedVersion(CryptoCoreError):
    """Well formed, but made by a newer version than this one."""

    code = "version_unsupported"
    sentence = "This was made by a newer version. Update this program to open it; nothing is lost."


class TamperedError(CryptoCoreError):
    """The seal does not open: another key, another place, or changed bytes. Which one can't be told."""

    code = "tampered"
    sentence = "This could not be opened: it was changed, or it was sealed for another key or place."


class SecretRefused(CryptoCoreError):
    """A user name, password, PIN or recovery code breaks a rule. `detail` names the rule, never the value."""

    code = "secret_refused"
    sentence = "This can't be used. Read the rule that is named here, and choose again."


class VerificationError(CryptoCoreError):
    """A proof does not hold. Each numbered step of the verification has a leaf of its own below this."""

    code = "not_proven"
    sentence = "This proof does not hold."
    outcome: ClassVar[Literal["invalid", "not_yet"]] = "invalid"
    """`not_yet`: nothing is wrong with the bytes, but a key or a cosignature that is needed is not there yet."""


class InclusionMismatch(VerificationError):
    """A Merkle inclusion proof does not lead from this leaf to this root."""

    code = "proof_inclusion"
    sentence = "The ledger does not prove that it holds this entry. Keep both files and ask somebody you trust to look."


class ConsistencyMismatch(VerificationError):
    """A Merkle consistency proof does not show that one tree is the beginning of the other."""

    code = "proof_consistency"
    sentence = "The ledger does not prove that it only grew. Keep both of its statements: they may be evidence."


class SignatureInvalid(VerificationError):
    """A signature by a key that is known does not verify."""

    code = "signature_invalid"
    sentence = "A signature is not genuine. The signed text was changed, or somebody else made it."


class NoteKeyUnknown(VerificationError):
    """A signed note carries no signature by any key that is known here. Its text can't be believed, nor disproved."""

    code = "note_key_unknown"
    sentence = "Nobody you trust has signed this yet. Give the key of the ledger, or ask for a newer copy."
    outcome = "not_yet"


class NoteKeyRetired(VerificationError):
    """A checkpoint signed by a key alone that has handed a smaller ledger on to another key."""

    code = "note_key_retired"
    sentence = (
        "This was signed with a key of the ledger that has been replaced, and not with the one that replaced it. "
        "Keep it: somebody may hold the old key. Ask who runs the ledger."
    )


class RotationUnsigned(VerificationError):
    """A record of a new key that the old key, or the new one, has not signed."""

    code = "rotation_unsigned"
    sentence = (
        "The record of the ledger's new key is not signed by both keys. Do not rely on the new key, "
        "and ask who runs the ledger by another way."
    )


class RotationBroken(VerificationError):
    """Records of new keys that do not follow on from each other, or from a key that is known here."""

    code = "rotation_broken"
    sentence = (
        "The records of the ledger's keys do not lead from the key that is known here to the new one. "
        "Do not rely on the new key, and ask who runs the ledger by another way."
    )


class RotationBackwards(VerificationError):
    """A record of a new key that speaks of an earlier ledger than the record before it, or than one that was seen."""

    code = "rotation_backwards"
    sentence = (
        "A record of the ledger's new key says that it took over earlier than it can have. Keep the record, "
        "and ask who runs the ledger by another way."
    )


class RotationForked(VerificationError):
    """Two records in which one key hands the ledger on differently."""

    code = "rotation_forked"
    sentence = (
        "The ledger's key was handed on twice, in records that differ. Keep both: the old key may have been stolen. "
        "Ask who runs the ledger by another way before you rely on either."
    )


class ReceiptMalformed(VerificationError):
    """Step 1: not a receipt."""

    code = "receipt_malformed"
    sentence = "This is not a whole, undamaged receipt. Ask for it again from where it came."


class ReceiptOtherBytes(VerificationError):
    """Step 2: a receipt, but for a file of another content or size."""

    code = "receipt_other_bytes"
    sentence = "This receipt belongs to another file, or the file was changed. Look for the file as it was deposited."


class ReceiptNotIncluded(VerificationError):
    """Step 5: the path does not lead from the entry to the root of the checkpoint."""

    code = "receipt_not_included"
    sentence = "The receipt does not prove that the ledger holds this file: it was changed or was never right."


class ReceiptSignature(VerificationError):
    """Step 6: a signature under the checkpoint, by a key of the policy, does not verify."""

    code = "receipt_signature"
    sentence = "A signature in this receipt is not genuine. The receipt was changed, or somebody else made it."


class ReceiptKeyUnknown(VerificationError):
    """Step 6: no ledger of the policy has signed the checkpoint."""

    code = "receipt_key_unknown"
    sentence = "This receipt can't be verified yet: it needs the key of the ledger that signed it."
    outcome = "not_yet"


class ReceiptKeyRetired(VerificationError):
    """Step 6: the checkpoint is larger than the key that signed it may sign alone."""

    code = "receipt_key_retired"
    sentence = (
        "This receipt was signed with a key of the ledger after another key had replaced it. Keep it: somebody may "
        "hold the old key. Ask the service for the receipt again."
    )


class ReceiptQuorumMissing(VerificationError):
    """Step 7: too few of the witnesses that the policy demands have cosigned the checkpoint."""

    code = "receipt_quorum_missing"
    sentence = "This receipt can't be verified yet: too few witnesses have signed it. Ask the service for a newer one."
    outcome = "not_yet"


class OutOfOrder(RuntimeError):
    """A step was asked for in a state that does not allow it: our mistake, never the reader's."""
