// The root of the one error tree, and the leaves that crypto_core raises.
// Knows: a stable code and a sentence for each thing that can go wrong with bytes; both are Python's, letter by letter.
// Refuses to know: HTTP, files, and the value that was wrong (a message never holds a secret).
//
// The mistakes of a caller (a key of 31 bytes, a step out of order) are `OutOfOrder` or `RangeError`: they are bugs of
// ours, no part of this tree, and never caught.

/** Something a person may meet. `code` is stable in every language; `sentence` says what to do next. */
export abstract class TemoinError extends Error {
  static readonly code: string = "";
  static readonly sentence: string = "";

  /** For a developer: which rule was broken. Never holds a secret or what a person wrote. */
  readonly detail: string;

  constructor(detail = "") {
    super(detail || new.target.sentence);
    this.name = new.target.code;
    this.detail = detail;
  }

  get code(): string {
    return (this.constructor as typeof TemoinError).code;
  }

  get sentence(): string {
    return (this.constructor as typeof TemoinError).sentence;
  }
}

/** The bytes given are not what they should be. */
export abstract class CryptoCoreError extends TemoinError {}

/** The bytes do not have the form that the format demands. */
export class MalformedError extends CryptoCoreError {
  static override readonly code = "malformed";
  static override readonly sentence =
    "This file or message is damaged or is not of the expected kind. Ask for it again from where it came.";
}

/** Well formed, but made by a newer version than this one. */
export class UnsupportedVersion extends CryptoCoreError {
  static override readonly code = "version_unsupported";
  static override readonly sentence =
    "This was made by a newer version. Update this program to open it; nothing is lost.";
}

/** The seal does not open: another key, another place, or changed bytes. Which one can't be told. */
export class TamperedError extends CryptoCoreError {
  static override readonly code = "tampered";
  static override readonly sentence =
    "This could not be opened: it was changed, or it was sealed for another key or place.";
}

/** A user name, password, PIN or recovery code breaks a rule. `detail` names the rule, never the value. */
export class SecretRefused extends CryptoCoreError {
  static override readonly code = "secret_refused";
  static override readonly sentence = "This can't be used. Read the rule that is named here, and choose again.";
}

/** A proof does not hold. Each numbered step of the verification has a leaf of its own below this. */
export class VerificationError extends CryptoCoreError {
  static override readonly code: string = "not_proven";
  static override readonly sentence: string = "This proof does not hold.";
  /** `not_yet`: nothing is wrong with the bytes, but a key or a cosignature that is needed is not there yet. */
  static readonly outcome: "invalid" | "not_yet" = "invalid";

  get outcome(): "invalid" | "not_yet" {
    return (this.constructor as typeof VerificationError).outcome;
  }
}

/** A Merkle inclusion proof does not lead from this leaf to this root. */
export class InclusionMismatch extends VerificationError {
  static override readonly code = "proof_inclusion";
  static override readonly sentence =
    "The ledger does not prove that it holds this entry. Keep both files and ask somebody you trust to look.";
}

/** A Merkle consistency proof does not show that one tree is the beginning of the other. */
export class ConsistencyMismatch extends VerificationError {
  static override readonly code = "proof_consistency";
  static override readonly sentence =
    "The ledger does not prove that it only grew. Keep both of its statements: they may be evidence.";
}

/** A signature by a key that is known does not verify. */
export class SignatureInvalid extends VerificationError {
  static override readonly code = "signature_invalid";
  static override readonly sentence =
    "A signature is not genuine. The signed text was changed, or somebody else made it.";
}

/** A signed note carries no signature by any key that is known here. Its text can't be believed, nor disproved. */
export class NoteKeyUnknown extends VerificationError {
  static override readonly code = "note_key_unknown";
  static override readonly sentence =
    "Nobody you trust has signed this yet. Give the key of the ledger, or ask for a newer copy.";
  static override readonly outcome = "not_yet";
}

/** A checkpoint signed by a key alone that has handed a smaller ledger on to another key. */
export class NoteKeyRetired extends VerificationError {
  static override readonly code = "note_key_retired";
  static override readonly sentence =
    "This was signed with a key of the ledger that has been replaced, and not with the one "
    + "that replaced it. Keep it: somebody may hold the old key. Ask who runs the ledger.";
}

/** A record of a new key that the old key, or the new one, has not signed. */
export class RotationUnsigned extends VerificationError {
  static override readonly code = "rotation_unsigned";
  static override readonly sentence =
    "The record of the ledger's new key is not signed by both keys. Do not "
    + "rely on the new key, and ask who runs the ledger by another way.";
}

/** Records of new keys that do not follow on from each other, or from a key that is known here. */
export class RotationBroken extends VerificationError {
  static override readonly code = "rotation_broken";
  static override readonly sentence =
    "The records of the ledger's keys do not lead from the key that is known here to the "
    + "new one. Do not rely on the new key, and ask who runs the ledger by another way.";
}

/** A record of a new key that speaks of an earlier ledger than the record before it, or than one that was seen. */
export class RotationBackwards extends VerificationError {
  static override readonly code = "rotation_backwards";
  static override readonly sentence =
    "A record of the ledger's new key says that it took over earlier than it "
    + "can have. Keep the record, and ask who runs the ledger by another way.";
}

/** Two records in which one key hands the ledger on differently. */
export class RotationForked extends VerificationError {
  static override readonly code = "rotation_forked";
  static override readonly sentence =
    "The ledger's key was handed on twice, in records that differ. Keep both: the old key may "
    + "have been stolen. Ask who runs the ledger by another way before you rely on either.";
}

/** Step 1: not a receipt. */
export class ReceiptMalformed extends VerificationError {
  static override readonly code = "receipt_malformed";
  static override readonly sentence = "This is not a whole, undamaged receipt. Ask for it again from where it came.";
}

/** Step 2: a receipt, but for a file of another content or size. */
export class ReceiptOtherBytes extends VerificationError {
  static override readonly code = "receipt_other_bytes";
  static override readonly sentence =
    "This receipt belongs to another file, or the file was changed. Look for the file as it was deposited.";
}

/** Step 5: the path does not lead from the entry to the root of the checkpoint. */
export class ReceiptNotIncluded extends VerificationError {
  static override readonly code = "receipt_not_included";
  static override readonly sentence =
    "The receipt does not prove that the ledger holds this file: it was changed or was never right.";
}

/** Step 6: a signature under the checkpoint, by a key of the policy, does not verify. */
export class ReceiptSignature extends VerificationError {
  static override readonly code = "receipt_signature";
  static override readonly sentence =
    "A signature in this receipt is not genuine. The receipt was changed, or somebody else made it.";
}

/** Step 6: no ledger of the policy has signed the checkpoint. */
export class ReceiptKeyUnknown extends VerificationError {
  static override readonly code = "receipt_key_unknown";
  static override readonly sentence =
    "This receipt can't be verified yet: it needs the key of the ledger that signed it.";
  static override readonly outcome = "not_yet";
}

/** Step 6: the checkpoint is larger than the key that signed it may sign alone. */
export class ReceiptKeyRetired extends VerificationError {
  static override readonly code = "receipt_key_retired";
  static override readonly sentence =
    "This receipt was signed with a key of the ledger after another key had replaced it. "
    + "Keep it: somebody may hold the old key. Ask the service for the receipt again.";
}

/** Step 7: too few of the witnesses that the policy demands have cosigned the checkpoint. */
export class ReceiptQuorumMissing extends VerificationError {
  static override readonly code = "receipt_quorum_missing";
  static override readonly sentence =
    "This receipt can't be verified yet: too few witnesses have signed it. Ask the service for a newer one.";
  static override readonly outcome = "not_yet";
}

/** A step was asked for in a state that does not allow it: our mistake, never the reader's. */
export class OutOfOrder extends Error {}
