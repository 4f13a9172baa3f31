"""The folder of a witness: its key, what it has seen, and evidence.

Knows: file names, permissions, and the private key's spelling. Refuses to know: checkpoints.

    witness.key   mode 600: PRIVATE+KEY+<name>+<key ID>+base64(0x04 ‖ seed), as Go's sumdb/note writes one
    witness.db    the newest checkpoint of each ledger (client_sdk.witness.store)
    evidence/     two signed notes of one ledger that do not fit together, in a folder each
"""

from __future__ import annotations

import os
import stat
import tempfile
from hashlib import sha256
from pathlib import Path

from crypto_core.encoding import format_b64, parse_b64, parse_hex
from crypto_core.errors import CryptoCoreError, MalformedError
from crypto_core.randomness import make_bytes
from crypto_core.receipts.note import COSIGNATURE, SignerKey
from crypto_core.receipts.signatures import SEED_SIZE
from client_sdk.witness.errors import WitnessExists, WitnessKeyExposed, WitnessKeyWrong, WitnessMissing, WitnessName
from client_sdk.witness.store import Store

KEY, STATE, EVIDENCE = "witness.key", "witness.db", "evidence"
MOST_UNPROVEN = 100
"""Cases kept of checkpoints whose proof failed: anybody can make those of notes that are public."""

_PREFIX = "PRIVATE+KEY+"
_KEY_ID = 4


def make_folder(folder: Path, name: str) -> SignerKey:
    """A new witness with a key of its own. Raises WitnessExists, having changed nothing, or WitnessName."""
    try:
        signer = SignerKey(name, make_bytes(SEED_SIZE), COSIGNATURE)
    except CryptoCoreError:
        raise WitnessName() from None
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WitnessExists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    Store.create(folder / STATE)
    try:
        descriptor = os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise WitnessExists() from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(format_skey(signer) + "\n")
        file.flush()
        os.fsync(file.fileno())
    _sync(folder)
    return signer


def open_folder(folder: Path) -> tuple[SignerKey, Store]:
    """The key and the state. Raises WitnessMissing, WitnessKeyExposed or WitnessKeyWrong."""
    try:
        with (folder / KEY).open(encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise WitnessKeyExposed()
            signer = parse_skey(file.read(2000).removesuffix("\n"))
    except OSError:
        raise WitnessMissing("the key") from None
    except (CryptoCoreError, ValueError):
        raise WitnessKeyWrong() from None
    if not (folder / STATE).is_file():  # SQLite would make an empty one, and the witness would have forgotten
        raise WitnessMissing("what it has seen")
    return signer, Store(folder / STATE)


def format_skey(signer: SignerKey) -> str:
    """`PRIVATE+KEY+name+hex(key ID)+base64(algorithm ‖ seed)`. A secret."""
    secret = format_b64(bytes([signer.algorithm]) + signer.seed)
    return f"{_PREFIX}{signer.name}+{signer.verifier.key_hash.hex()}+{secret}"


def parse_skey(text: str) -> SignerKey:
    """A witness's private key from its one spelling. Raises MalformedError, which never holds it."""
    name, hash_text, secret = [*text.removeprefix(_PREFIX).split("+", 2), "", ""][:3]
    key_id, value = parse_hex(hash_text, _KEY_ID), parse_b64(secret, 1 + SEED_SIZE)
    if not text.startswith(_PREFIX) or value[0] != COSIGNATURE:
        raise MalformedError("not the private key of a witness")
    signer = SignerKey(name, value[1:], COSIGNATURE)
    if signer.verifier.key_hash != key_id:
        raise MalformedError("the key ID is not that of the key")
    return signer


class EvidenceFolder:
    """Keeps two notes of one ledger that do not fit together, under names that say which case it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / EVIDENCE

    def keep(self, kind: str, held: str, offered: str) -> None:
        """`fork`: two roots for one size, proven by the notes alone. `unproven`: the proof that came with the offered
        note failed; no more than MOST_UNPROVEN of these are kept. The same case is kept once."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        case = self._folder / f"{kind}-{sha256((held + offered).encode()).hexdigest()[:16]}"
        if case.exists() or (kind == "unproven" and len(self.cases(kind)) >= MOST_UNPROVEN):
            return
        temporary = Path(tempfile.mkdtemp(dir=self._folder, prefix=".new-"))
        for name, note in (("held.note", held), ("offered.note", offered)):
            with (temporary / name).open("w", encoding="utf-8", newline="") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
        _sync(temporary)
        if not case.exists():
            temporary.rename(case)
            _sync(self._folder)

    def cases(self, kind: str) -> list[Path]:
        """The folders of a kind, each with `held.note` and `offered.note`."""
        return sorted(self._folder.glob(f"{kind}-*"))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
