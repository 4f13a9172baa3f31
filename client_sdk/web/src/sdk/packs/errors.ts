// What can be wrong with a file of an evidence pack (docs/spec/pack.md).
// Knows: a stable code and a sentence for each, Python's letter by letter. Refuses to know: which file, and what stands in it.

import { VerificationError } from "../../crypto_core/errors.js";

/** The root of this branch. */
export class PackError extends VerificationError {
  static override readonly code: string = "pack";
  static override readonly sentence: string = "This pack isn't as it was written.";
}

/** Another SHA-256 than the sums say. */
export class PackChanged extends PackError {
  static override readonly code = "pack_changed";
  static override readonly sentence = "This file was changed since the pack was written. Ask for the pack again from where it came.";
}

/** Named, and not there. */
export class PackMissing extends PackError {
  static override readonly code = "pack_missing";
  static override readonly sentence = "This file belongs to the pack and isn't there. Ask for the pack again from where it came.";
}

/** There, and named by nothing. */
export class PackExtra extends PackError {
  static override readonly code = "pack_extra";
  static override readonly sentence = "This file doesn't belong to the pack: somebody put it there later. Don't rely on it.";
}

/** Not readable as what it should be. */
export class PackMalformed extends PackError {
  static override readonly code = "pack_malformed";
  static override readonly sentence =
    "This can't be read as part of a pack: it is damaged or made so as to mislead. Ask for the pack again.";
}

/** Whole, and not what was signed. */
export class PackOther extends PackError {
  static override readonly code = "pack_other";
  static override readonly sentence =
    "This isn't what the person who shared it named: it was put in the place of something else.";
}

/** Something that the manifest or a record names, and of which nothing here says that it ever was. */
export class PackIncomplete extends PackError {
  static override readonly code = "pack_incomplete";
  static override readonly sentence =
    "This belongs to the pack and isn't in it: the vault didn't give it when the pack was written, or somebody "
    + "took it out. Ask the person it comes from.";
  static override readonly outcome = "not_yet";
}
