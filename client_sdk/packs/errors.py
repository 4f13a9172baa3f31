"""What can be wrong with a file of an evidence pack (docs/spec/pack.md).

Knows: a stable code and a sentence for each. Refuses to know: which file, and what stands in it.
"""

from __future__ import annotations

from crypto_core.errors import VerificationError


class PackError(VerificationError):
    """The root of this branch."""

    code = "pack"
    sentence = "This pack isn't as it was written."


class PackChanged(PackError):
    """Another SHA-256 than the sums say."""

    code = "pack_changed"
    sentence = "This file was changed since the pack was written. Ask for the pack again from where it came."


class PackMissing(PackError):
    """Named, and not there."""

    code = "pack_missing"
    sentence = "This file belongs to the pack and isn't there. Ask for the pack again from where it came."


class PackExtra(PackError):
    """There, and named by nothing."""

    code = "pack_extra"
    sentence = "This file doesn't belong to the pack: somebody put it there later. Don't rely on it."


class PackMalformed(PackError):
    """Not readable as what it should be."""

    code = "pack_malformed"
    sentence = "This can't be read as part of a pack: it is damaged or made so as to mislead. Ask for the pack again."


class PackOther(PackError):
    """Whole, and not what was signed."""

    code = "pack_other"
    sentence = "This isn't what the person who shared it named: it was put in the place of something else."


class PackIncomplete(PackError):
    """Something that the manifest or a record names, and of which nothing here says that it ever was."""

    code = "pack_incomplete"
    sentence = (
        "This belongs to the pack and isn't in it: the vault didn't give it when the pack was written, or somebody "
        "took it out. Ask the person it comes from."
    )
    outcome = "not_yet"
