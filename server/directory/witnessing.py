"""The directory as witnesses cosign it, and how the operator has everybody ask for their cosignatures.

Knows: which witnesses there are, what they signed under the directory, and how an entry names them. Refuses to know:
how one is asked (server.ledger.submitting), and whom a reader trusts.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto_core.errors import TemoinError
from crypto_core.receipts.directory import Witnessed, format_entry
from crypto_core.receipts.note import format_vkey
from crypto_core.receipts.policy import NONE, Policy, parse_policy
from crypto_core.receipts.tree import consistency_proof
from server.directory.models import DirectoryCosignature, DirectoryWitness
from server.directory.tree import Tree, append, begin_directory, leaves, mark, newest
from server.ledger.models import Asked, LedgerWitness
from server.ledger.service import Signed
from server.ledger.witnesses import list_witnesses
from server.parts import Parts


class WitnessesTooFew(TemoinError):
    code = "directory_witnesses_too_few"
    sentence = (
        "Fewer witnesses than that have cosigned the directory as it is now, so nothing was asked of anybody: people "
        "could share with no one. `temoin-server witnesses list` shows who has; give each the directory's key first."
    )


@dataclass(frozen=True)
class DirectoryLog:
    """The directory, for server.ledger.submitting. An empty one is shown to no witness."""

    vault: Parts
    word = "directory"
    kept = DirectoryCosignature

    def newest(self, session: Session) -> Signed:
        found = newest(session)
        return Signed(found.size, found.time, found.note)

    def shown(self, session: Session) -> Signed | None:
        found = self.newest(session)
        return found if found.size else None

    def consistency(self, session: Session, old: int, new: int) -> list[bytes]:
        return consistency_proof(old, new, Tree(leaves(session)).read)

    def asked(self, session: Session, witness: LedgerWitness) -> Asked:
        found = session.get(DirectoryWitness, witness.name)
        return found or DirectoryWitness(name=witness.name, size=0, trouble="", failures=0, not_before=0)


def require_witnesses(vault: Parts, count: int) -> Policy:
    """Has everybody ask from now on for cosignatures by so many of today's witnesses under the directory; by none for
    0. Adds an entry, which those who were asked for before have to cosign, too.

    Raises WitnessesTooFew, or a DirectoryRefuses.
    """
    begin_directory(vault)
    with vault.database.write() as session:
        witnesses, size = list_witnesses(session), newest(session).size
        signed = set(session.scalars(select(DirectoryCosignature.vkey).where(DirectoryCosignature.size == size)))
        ready = len(witnesses) if not size else sum(one.vkey in signed for one in witnesses)
        if count > ready:
            raise WitnessesTooFew(f"{ready} of {len(witnesses)}")
        policy = _policy(vault, witnesses, count)
        append(vault, session, format_entry(Witnessed(policy)))
    mark(vault)
    return policy


def _policy(vault: Parts, witnesses: list[LedgerWitness], count: int) -> Policy:
    """Names of witnesses are numbers in it: the operator's own words are nobody's business."""
    lines = [f"log {format_vkey(vault.folder.directory_signer.verifier)}"]
    if count:
        names = [f"w{number}" for number in range(1, len(witnesses) + 1)]
        lines += [f"witness {name} {one.vkey}" for name, one in zip(names, witnesses, strict=True)]
        lines += [f"group enough {count} {' '.join(names)}", "quorum enough"]
    else:
        lines.append(f"quorum {NONE.decode()}")
    return parse_policy("".join(f"{line}\n" for line in lines).encode())
