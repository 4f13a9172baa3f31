// What can go wrong between a person's device and the vault.
// Knows: a stable code and a sentence for each, Python's letter by letter. Refuses to know: how they are shown (the
// pages have words of their own for each code), and any secret or path.
//
//  SdkError
//  ├── Refused              the vault said no; code and sentence are those of the wire (schemas.problems)
//  ├── NetworkError         network               nothing came back
//  ├── ServerFault          server                the vault failed, or broke its own rules
//  ├── ServerAddress        server_address        an address that can't or mustn't be used
//  ├── HostDiffers          host_differs
//  ├── NotOpen              not_open              log in first
//  ├── ItemUnknown          item_unknown
//  ├── NoteTooLong          text_too_long
//  ├── ValueRefused         invalid
//  ├── RangeInvalid         range_invalid
//  ├── FileChanged          file_changed
//  ├── FileUnreadable       file_unreadable
//  ├── PolicyOtherLog       policy_other_log      about the ledger, and the directory is meant; or the other way round
//  ├── DeviceNewer          device_newer          what this device keeps is for a newer version to read
//  ├── ItemUnproven         item_unproven         of what was to be shared: without a receipt that holds
//  ├── ContentBroken        content_broken        sealed as its record says, and doesn't open: no fault of the vault
//  ├── ContentDiffers       content_differs       opens to its end as another file than its record names; the same
//  ├── BundleSwapped        bundle_swapped        of what somebody shared: other bytes than they named
//  ├── BundleIncomplete     bundle_incomplete     of what somebody shared: named, and not given
//  ├── SentDiffers          sent_differs          of what somebody shared: not as it was put into a box
//  ├── DepositBroken        deposit_broken        of what somebody put into a box: not what it says
//  └── TrustError           the vault may not be what it was; what was seen is kept as evidence
//      ├── VaultChanged         vault_changed
//      ├── LedgerKeyChanged     ledger_key_changed
//      ├── LedgerForked         ledger_forked
//      ├── LedgerLags           ledger_lags           told, and stops nothing
//      ├── CheckpointInvalid    checkpoint_invalid
//      ├── DirectoryForked      directory_forked
//      ├── ItemsMissing         items_missing
//      ├── AccountRecordOlder   account_record_older
//      ├── AccountRecordInvalid account_record_invalid
//      ├── BlobSwapped          blob_swapped
//      ├── ArgonChanged         client_too_old
//      └── Untrusted            warned

import { TemoinError, UnsupportedVersion, VerificationError } from "../crypto_core/errors.js";

/** The root of this branch. */
export abstract class SdkError extends TemoinError {}

/** The vault's own refusal. `code`, `status` and `sentence` are its answer; `extra` is what came with it. */
export class Refused extends SdkError {
  readonly status: number;
  /** Seconds to wait, where the vault says so. */
  readonly retryAfter: number | null;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly #code: string;
  readonly #sentence: string;

  constructor(
    code: string, status: number, sentence: string, retryAfter: number | null = null,
    extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(`${status} ${code}`);
    this.name = code;
    this.#code = code;
    this.#sentence = sentence;
    this.status = status;
    this.retryAfter = retryAfter;
    this.extra = extra;
  }

  override get code(): string {
    return this.#code;
  }

  override get sentence(): string {
    return this.#sentence;
  }
}

/** No answer, also after several tries. */
export class NetworkError extends SdkError {
  static override readonly code = "network";
  static override readonly sentence =
    "The vault can't be reached right now. Nothing is lost: what was sealed is sent at the next opening.";
}

/** An answer that the vault should never give. */
export class ServerFault extends SdkError {
  static override readonly code = "server";
  static override readonly sentence =
    "The vault answered in a way that can't be understood. Nothing was lost; try again in a moment.";
}

/** Not an address that a secret may be sent to. `detail` says why. */
export class ServerAddress extends SdkError {
  static override readonly code = "server_address";
  static override readonly sentence =
    "This address can't be used. A vault has an https address; plain http is for this device alone.";
}

/** The vault is known by another host name than the address has; a login is signed for one name only. */
export class HostDiffers extends SdkError {
  static override readonly code = "host_differs";
  static override readonly sentence =
    "The vault at this address goes by another name. Use the very address that its people gave you.";
}

/** This needs an open session. */
export class NotOpen extends SdkError {
  static override readonly code = "not_open";
  static override readonly sentence = "The vault is locked. Log in first.";
}

/** No such item or revision here. */
export class ItemUnknown extends SdkError {
  static override readonly code = "item_unknown";
  static override readonly sentence = "There is nothing under this id. List what is there, and try again.";
}

/** More text than one record holds. */
export class NoteTooLong extends SdkError {
  static override readonly code = "text_too_long";
  static override readonly sentence =
    "This text is too long for one entry. Save it as a file and attach it: a file may have any length.";
}

/** A value that a record can't hold. `detail` names the field and the rule, never the value. */
export class ValueRefused extends SdkError {
  static override readonly code = "invalid";
  static override readonly sentence = "Something in this entry can't be kept as it is; the field is named here.";
}

/** A range outside of the file, or one that runs backwards. */
export class RangeInvalid extends SdkError {
  static override readonly code = "range_invalid";
  static override readonly sentence = "The range asked for lies outside of the file.";
}

/** A file that was written to while it was being read. */
export class FileChanged extends SdkError {
  static override readonly code = "file_changed";
  static override readonly sentence = "The file changed while it was being sealed. Try again when it is complete.";
}

/** A file that is not there, not a file, or not ours to read. */
export class FileUnreadable extends SdkError {
  static override readonly code = "file_unreadable";
  static override readonly sentence = "The file can't be read. Look whether it is there, and whether you may open it.";
}

/** An item that was to be shared, of which the vault gives no receipt that holds: `error`. `item` is its id. */
export class ItemUnproven extends SdkError {
  static override readonly code = "item_unproven";
  static override readonly sentence =
    "The vault gives no receipt that holds for one of these items, so nothing was shared. You can share the others " +
    "without it, or all of them once the vault gives it again.";
  readonly item: string;
  readonly revision: number;
  readonly error: TemoinError;

  constructor(item: string, revision: number, error: TemoinError) {
    super(`${item} revision ${revision}: ${error.code}`);
    this.item = item;
    this.revision = revision;
    this.error = error;
  }
}

/** The vault gave the very bytes whose SHA-256 the record names, and they don't open as it says. `detail` is the code of the
 * step that failed. */
export class ContentBroken extends SdkError {
  static override readonly code = "content_broken";
  static override readonly sentence =
    "The vault gave this file exactly as it was sealed, but it doesn't open: whoever put it in sealed it wrongly, " +
    "or a device failed. The vault is not at fault. If you still have the original, add it again; if it came from " +
    "somebody else, ask them for it again.";
}

/** As ContentBroken, but the file opened to its end, and only its SHA-256 or size is another than the record names. Thrown once
 * all of it came: whoever wants it can have it. `sha256` and `size` are those of what came. */
export class ContentDiffers extends SdkError {
  static override readonly code = "content_differs";
  static override readonly sentence =
    "This file opened to its end, but its entry names another SHA-256 or size than it has: whoever put it in said " +
    "it wrongly, or a device failed. The vault is not at fault. Keep the file and look whether it is what you " +
    "expect; it proves nothing of the one that its entry names.";
  readonly sha256: Uint8Array;
  readonly size: number;

  constructor(sha256: Uint8Array, size: number) {
    super("another hash or size than the record names");
    this.sha256 = sha256;
    this.size = size;
  }
}

/** Something that was shared has other bytes, or another receipt, than the person named. */
export class BundleSwapped extends SdkError {
  static override readonly code = "bundle_swapped";
  static override readonly sentence =
    "The vault gave other bytes than were shared. They were not opened. Tell the person who shared them.";
}

/** Something that was shared is not given: erased meanwhile, or withheld. */
export class BundleIncomplete extends SdkError {
  static override readonly code = "bundle_incomplete";
  static override readonly sentence =
    "The vault doesn't give something that was shared: it was erased meanwhile, or is withheld. Ask the person.";
}

/** An item that somebody else put in, and that says otherwise than their own sealed words. */
export class SentDiffers extends SdkError {
  static override readonly code = "sent_differs";
  static override readonly sentence =
    "This says otherwise than what was put in: the words differ, or a file. Go by the words that were put in, and " +
    "ask the person who shared it.";
}

/** A newer version wrote here what this one would lose by halves. Nothing of it is touched. */
export class DeviceNewer extends SdkError {
  static override readonly code = "device_newer";
  static override readonly sentence =
    "A newer version of this program was used on this device, and this one can't read all that it keeps. Update this " +
    "program. Nothing was changed, and nothing is lost.";
}

/** A policy whose logs are not what it was given for: `given` and `meant`, in words. */
export class PolicyOtherLog extends SdkError {
  static override readonly code = "policy_other_log";
  static override readonly sentence =
    "This policy is about another log than the one that is meant. A vault has two, its ledger and its directory of " +
    "professionals, each with a key and policies of its own. Nothing was changed. Give the policy whose `log` line " +
    "has the key that is named here.";

  constructor(given: string, meant: string) {
    super(`given: ${given}; meant: ${meant}`);
  }
}

/** What was put into a box isn't what it says: whoever sent it sent it so, or the vault changed it. `detail` is the code
 * of the step that failed. */
export class DepositBroken extends SdkError {
  static override readonly code = "deposit_broken";
  static override readonly sentence =
    "What was put into this box can't be opened as it says: it was sent so, or was changed since. Nothing of it " +
    "was taken over. Refuse it, or ask whoever sent it to send it again.";
}

/** The vault may not be what it was. */
export abstract class TrustError extends SdkError {}

/** Another vault answers under the address of the one that is known. */
export class VaultChanged extends TrustError {
  static override readonly code = "vault_changed";
  static override readonly sentence =
    "Another vault answers at this address than before. Nothing was sent to it. Ask the people who run it by " +
    "another way before you go on.";
}

/** The ledger that this device, or the account itself, knows has another key. */
export class LedgerKeyChanged extends TrustError {
  static override readonly code = "ledger_key_changed";
  static override readonly sentence =
    "The vault's ledger has another key than before. Receipts that you hold stay valid. Ask the people who run " +
    "the vault by another way before you go on.";
}

/** Two signed checkpoints of which neither continues the other, as far as the vault can prove. */
export class LedgerForked extends TrustError {
  static override readonly code = "ledger_forked";
  static override readonly sentence =
    "The vault signed two histories that do not fit together. Both are kept as evidence on this device; ask " +
    "somebody you trust to look at them.";
}

/** The public checkpoint has been smaller than the one held here for more than a day: withheld, or not moved on. */
export class LedgerLags extends TrustError {
  static override readonly code = "ledger_lags";
  static override readonly sentence =
    "For more than a day the vault has shown everybody an older state of its ledger than this device holds. " +
    "What you keep is not touched by it, and everything goes on; tell who runs the vault.";
}

/** A checkpoint that is not signed by the pinned key, or not well formed. */
export class CheckpointInvalid extends TrustError {
  static override readonly code = "checkpoint_invalid";
  static override readonly sentence =
    "The vault's signed state of its ledger does not verify. Try again; if it stays so, ask who runs it.";
}

/** Two signed states of the directory of professionals of which neither continues the other. */
export class DirectoryForked extends TrustError {
  static override readonly code = "directory_forked";
  static override readonly sentence =
    "The vault showed another directory of professionals before. Both signed states are kept as evidence. Nothing is " +
    "shared with anybody in it, edited or deleted until you have looked at it and run `temoin trust accept`.";
}

/** Revisions that other revisions, the account record or this device know of, and the vault does not show. */
export class ItemsMissing extends TrustError {
  static override readonly code = "items_missing";
  static override readonly sentence =
    "Something that was kept is no longer shown by the vault, though nobody deleted it. You can read, export " +
    "and add; nothing is edited or deleted until you have looked at it and run `temoin trust accept`.";
}

/** The account record is not the newest, or not a successor of the one seen before. */
export class AccountRecordOlder extends TrustError {
  static override readonly code = "account_record_older";
  static override readonly sentence =
    "The vault shows an older state of your account than one seen before. You can read, export and add; " +
    "nothing is edited or deleted until you have looked at it and run `temoin trust accept`.";
}

/** What the vault gives as the account record does not open as the record of this account under its number. */
export class AccountRecordInvalid extends TrustError {
  static override readonly code = "account_record_invalid";
  static override readonly sentence =
    "The vault gave something else in the place of your account's own record. You can read, export and add; " +
    "nothing is edited or deleted until you have looked at it and run `temoin trust accept`, which writes it anew.";
}

/** Bytes under an id that are not those that were kept there. */
export class BlobSwapped extends TrustError {
  static override readonly code = "blob_swapped";
  static override readonly sentence =
    "The vault returned other bytes than were kept. They were not opened; what is here was not changed.";
}

/** The vault expects a newer client than this. */
export class ArgonChanged extends TrustError {
  static override readonly code = "client_too_old";
  static override readonly sentence =
    "This vault needs a newer version of this program. Update it first; nothing was asked or sent.";
}

/** An edit or a deletion while a warning stands, or sharing with somebody who is known from the vault alone. */
export class Untrusted extends TrustError {
  static override readonly code = "warned";
  static override readonly sentence =
    "A warning about this vault stands, so nothing is edited or deleted, or shared with a professional whose " +
    "digits you have not compared. Reading, exporting and adding go on. When you have looked at it, " +
    "`temoin trust accept` ends the warning.";
}

const OF_ONE = [
  BundleSwapped, BundleIncomplete, ContentBroken, ContentDiffers, TrustError, UnsupportedVersion, VerificationError,
];

/** Whether one thing alone fails, its bytes in the vault or as they were sealed, or its receipt. */
export function isOfOne(error: unknown): error is TemoinError {
  if (error instanceof Refused) return error.code === "not_found" || error.code === "unavailable";
  return OF_ONE.some((branch) => error instanceof branch);
}
