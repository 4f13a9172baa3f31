"""What a device keeps between two runs, as files that tear never: written beside, synced, renamed.

Knows: names and places under TEMOIN_HOME, locks, the public facts of vaults.
Refuses to know: what sealed files hold.

    servers/<SHA-256 of the host>      the vault that answered there first
    vaults/<vault id>.json             that vault's ledger key, the records that led to it, and its directory key
    evidence/                          what a vault said of itself that contradicts its pinned facts
    <vault id>/<account id>/           replica.db  uploads/  warned  evidence/
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from client_sdk.errors import DeviceNewer, VaultChanged
from crypto_core.encoding import ID_SIZE, format_json, parse_hex, parse_json
from crypto_core.errors import MalformedError, VerificationError
from crypto_core.receipts.note import format_vkey
from crypto_core.receipts.policy import NONE, Policy
from crypto_core.receipts.rotation import open_rotations, rotate_policy

_Kept = TypeVar("_Kept")
DAMAGED = (
    "What this device keeps of your vault is damaged. Move its folder (TEMOIN_HOME) aside, and don't throw it away: "
    "what the vault has comes again at the next opening, and what was not sent yet lies in there alone."
)


class _KeptDamaged(MalformedError):
    """Other files came from somebody, who has them still; what is kept here nobody can give again."""

    sentence = DAMAGED


@dataclass(frozen=True)
class Pin:
    """The facts of a vault, as they were when this device met it; the ledger's key moves on by records alone."""

    vault_id: bytes
    ledger_vkey: str
    """The newest that is known."""
    directory_vkey: str
    rotations: bytes = b""
    """The records that led to it, as they are published."""

    @cached_property
    def policy(self) -> Policy:
        """Trust in this vault's ledger, in every key that it is known to have had; and in no witness."""
        return rotate_policy(Policy.for_key(self.ledger_vkey), open_rotations(self.rotations))

    def knows(self, vkey: str) -> bool:
        """Whether the ledger is known to have, or to have had, this key."""
        return vkey in {format_vkey(key) for key in self.policy.keys}

    def rotated(self, records: bytes) -> Pin:
        """The pin that published records lead to; fewer than are known change nothing.

        Raises MalformedError, or what `open_rotations`, `RotationChain.joined` and `rotate_policy` raise.
        """
        chain = open_rotations(self.rotations).joined(open_rotations(records))
        if not chain.rotations:
            return self
        rotate_policy(Policy.for_key(self.ledger_vkey), chain)
        return replace(self, ledger_vkey=format_vkey(chain.keys[-1]), rotations=chain.data)


class Home:
    """TEMOIN_HOME, made with mode 0700 when something is first written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def vault_at(self, host: str) -> bytes | None:
        """The vault id first met at a host, or None."""
        return _kept(self._server(host), _parse_vault_id)

    def pin_of(self, vault_id: bytes) -> Pin | None:
        """The pinned facts of a vault, or None. Raises MalformedError if the file was damaged, DeviceNewer."""
        return _kept(self._pin(vault_id), _parse_pin)

    def pin(self, host: str, pin: Pin) -> None:
        """Keeps a vault's facts. Raises VaultChanged if another vault answered at that host before."""
        known = self.vault_at(host)
        if known is not None and known != pin.vault_id:
            raise VaultChanged()
        write_file(self._pin(pin.vault_id), _format_pin(pin))
        if known is None:
            write_file(self._server(host), pin.vault_id.hex().encode("ascii") + b"\n")

    def pins(self) -> list[Pin]:
        """Every vault that this device knows."""
        found = (_kept(path, _parse_pin) for path in sorted((self.folder / "vaults").glob("*.json")))
        return [pin for pin in found if pin is not None]

    def policy(self) -> Policy | None:
        """Trust in every ledger that this device knows, to verify receipts offline; None if it knows none."""
        logs = {log.key: log for pin in self.pins() for log in pin.policy.logs}
        ordered = tuple(logs[key] for key in sorted(logs, key=lambda key: (key.name, key.public)))
        return Policy(ordered, (), (), NONE) if ordered else None

    def account(self, vault_id: bytes, account: bytes) -> AccountHome:
        """Where one account's sealed state lies; made if need be."""
        folder = self.folder / vault_id.hex() / account.hex()
        make_folder(folder)
        return AccountHome(folder)

    def keep_evidence(self, name: str, data: bytes) -> None:
        """Keeps what a vault said of itself that contradicts what is pinned; the same bytes once."""
        keep_evidence(self.folder, name, data)

    def _server(self, host: str) -> Path:
        return self.folder / "servers" / sha256(host.encode("utf-8")).hexdigest()

    def _pin(self, vault_id: bytes) -> Path:
        return self.folder / "vaults" / f"{vault_id.hex()}.json"


@dataclass(frozen=True)
class AccountHome:
    """One account on this device: sealed bytes, and public notes of the ledger."""

    folder: Path

    @cached_property
    def replica(self) -> Path:
        return self.folder / "replica.db"

    @cached_property
    def outbox(self) -> Path:
        """Where an earlier version kept what waits to be sent; the replica does now."""
        return self.folder / "outbox"

    @cached_property
    def uploads(self) -> Path:
        return self.folder / "uploads"

    @cached_property
    def warned(self) -> Path:
        return self.folder / "warned"

    def lock(self) -> AbstractContextManager[None]:
        """Holds other processes of this account off while something is written; waits for them first."""
        return lock_folder(self.folder)

    def keep_evidence(self, name: str, data: bytes) -> None:
        """Keeps bytes that speak against the vault; the same bytes once."""
        keep_evidence(self.folder, name, data)

    def erase(self) -> None:
        """Removes all that this device keeps of the account. Raises OSError for what can't be removed."""
        shutil.rmtree(self.folder)
        with suppress(OSError):  # other accounts of that vault
            self.folder.parent.rmdir()
        sync_folder(next(one for one in self.folder.parents if one.exists()))


@contextmanager
def lock_folder(folder: Path, name: str = "lock") -> Iterator[None]:
    """Holds other processes off what lies in a folder that is there; waits for them first."""
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def keep_evidence(folder: Path, name: str, data: bytes) -> Path:
    """Keeps bytes in `evidence/` of a folder, under a name with their hash; the same bytes once. Gives their place."""
    path = folder / "evidence" / f"{name}-{sha256(data).hexdigest()[:16]}"
    if not path.exists():
        write_file(path, data)
    return path


def make_folder(folder: Path) -> None:
    """A folder for its owner alone, with those above it."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def write_file(path: Path, data: bytes) -> None:
    """The whole of `data` under this name or nothing; mode 0600. On disk when this returns."""
    write_blocks(path, (data,))


def write_blocks(path: Path, blocks: Iterable[bytes]) -> None:
    """As `write_file`, of blocks as they come; what `blocks` raises leaves nothing of them."""
    if not path.parent.exists():
        make_folder(path.parent)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            for block in blocks:
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def read_file(path: Path) -> bytes | None:
    """The bytes of a file, None if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def require_known(facts: object, *names: str) -> None:
    """Raises DeviceNewer if an object has a name that is none of these: to write it again would lose it."""
    if isinstance(facts, dict) and not facts.keys() <= set(names):
        raise DeviceNewer()


def sync_folder(folder: Path) -> None:
    """Makes what was renamed or removed in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _kept(path: Path, parse: Callable[[bytes], _Kept]) -> _Kept | None:
    """What a file says, None if there is none. A MalformedError says which one it is, and what to do."""
    data = read_file(path)
    try:
        return None if data is None else parse(data)
    except MalformedError as error:
        raise _KeptDamaged(f"{path.parent.name}/{path.name}, kept on this device: {error.detail}") from None


def _parse_vault_id(data: bytes) -> bytes:
    return parse_hex(data.decode("ascii", "replace").strip(), ID_SIZE)


def _format_pin(pin: Pin) -> bytes:
    facts = {
        "vault_id": pin.vault_id.hex(), "ledger_vkey": pin.ledger_vkey, "directory_vkey": pin.directory_vkey,
        "rotations": pin.rotations.decode(),
    }
    return format_json(facts) + b"\n"


def _parse_pin(data: bytes) -> Pin:
    facts = parse_json(data)
    require_known(facts, "vault_id", "ledger_vkey", "directory_vkey", "rotations")
    match {"rotations": "", **facts} if isinstance(facts, dict) else None:  # a device's first release kept none
        case {
            "vault_id": str(vault_id), "ledger_vkey": str(ledger), "directory_vkey": str(directory),
            "rotations": str(rotations),
        }:
            pin = Pin(parse_hex(vault_id, ID_SIZE), ledger, directory, rotations.encode())
            try:
                _ = pin.policy  # what does not hold is refused here, not where it is first used
            except VerificationError as error:
                raise MalformedError(f"pinned records: {error.code}") from None
            return pin
        case _:
            raise MalformedError("not the facts of a vault")
