"""The data folder of a vault: what `init` makes once, and what a start finds there or refuses to go on without.

Knows: file names, permissions, the form of vault.json and of the secret files. Refuses to know: tables and blobs.
No message names a path or shows a secret.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from crypto_core.encoding import (
    HASH_SIZE,
    ID_SIZE,
    format_b64url,
    format_time,
    parse_b64url,
    parse_json,
    parse_time,
)
from crypto_core.errors import MalformedError, TemoinError
from crypto_core.randomness import make_bytes, make_id
from crypto_core.receipts.note import SignerKey, format_vkey
from crypto_core.receipts.signatures import SEED_SIZE
from server.config import ServerConfig
from server.pepper import PEPPER_SIZE, Pepper

FACTS = "vault.json"
LEDGER_KEY = "ledger.key"
DIRECTORY_KEY = "directory.key"


class FolderError(TemoinError):
    """The data folder is not as it has to be. `detail` names the part, never its place."""


class VaultExists(FolderError):
    code = "vault_exists"
    sentence = "There is a vault here already, or the beginning of one. Nothing was changed; choose an empty folder."


class VaultMissing(FolderError):
    code = "vault_missing"
    sentence = "There is no vault in this folder. Make one with `temoin-server init`, or name the right folder."


class VaultIncomplete(FolderError):
    code = "vault_incomplete"
    sentence = (
        "A file that this vault needs is missing or can't be read. Put it back from your copy, then start again: a new "
        "vault would open nothing of what is in this one. If only `init` was cut short, take another folder."
    )


class VaultNewer(FolderError):
    code = "vault_newer"
    sentence = (
        "A newer version of this program has served this vault. Nothing was changed. Install that version, or one that "
        "came after it."
    )


class DatabaseDamaged(FolderError):
    code = "database_damaged"
    sentence = (
        "The database of this vault, or its journal, is damaged; to try again changes nothing. Stop the vault, move "
        "the damaged file away and keep it. In the place of the database lay its newest copy, then run `temoin-server "
        "restore`. Of the journal put no copy back: if it alone is damaged, `temoin-server restore --without-journal` "
        "begins another."
    )


class FolderClosed(FolderError):
    code = "vault_folder_closed"
    sentence = (
        "The vault's folder, or a file that belongs to it, can't be read and written by this user. Run this as the "
        "user whose it is, or give it back to them, with all that is in it (chown -R); a disk that is mounted "
        "read-only has to be mounted for writing."
    )


class SecretExposed(FolderError):
    code = "vault_secret_exposed"
    sentence = "A secret file can be read by other users of this machine. Give it mode 600, then start again."


class SecretWrong(FolderError):
    code = "vault_secret_wrong"
    sentence = "A secret file is damaged or belongs to another vault. Put the right one back, then start again."


@dataclass(frozen=True)
class VaultFacts:
    """What a vault says of itself, made once. `generation` changes when an older copy of the database is restored."""

    vault_id: bytes
    generation: bytes
    origin: str
    created: int


@dataclass(frozen=True)
class Folder:
    """An opened data folder."""

    facts: VaultFacts
    pepper: Pepper
    ledger_signer: SignerKey
    directory_signer: SignerKey

    @property
    def ledger_vkey(self) -> str:
        return format_vkey(self.ledger_signer.verifier)

    @property
    def directory_vkey(self) -> str:
        return format_vkey(self.directory_signer.verifier)


def make_folder(config: ServerConfig, now: int) -> Folder:
    """Makes the folder, the pepper and the two signing keys. Not whole before `finish_folder`, and not to be opened.

    Raises VaultExists, having changed nothing, if anything is there already.
    """
    require_empty(config)
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    config.data.chmod(0o700)
    pepper = Pepper(make_bytes(PEPPER_SIZE))
    _write_new(config.pepper_file, f"{pepper.version} {format_b64url(pepper.secret)}\n")
    for name in (LEDGER_KEY, DIRECTORY_KEY):
        _write_new(config.data / name, format_b64url(make_bytes(SEED_SIZE)) + "\n")
    facts = VaultFacts(make_id(), make_id(), config.origin or f"ledger/{make_id().hex()}", now)
    return _open_keys(config.data, facts, pepper)


def require_empty(config: ServerConfig) -> None:
    """Raises VaultExists if anything is there already, FolderClosed if nobody can tell."""
    if _is_inhabited(config.data):
        raise VaultExists()
    if config.pepper_file.exists():
        raise VaultExists("the pepper")


def finish_folder(config: ServerConfig, folder: Folder) -> None:
    """Writes vault.json: from now on the vault is whole."""
    _write_new(config.data / FACTS, _spell_facts(folder))
    _sync_folder(config.data)


def renew_generation(config: ServerConfig, folder: Folder) -> Folder:
    """Writes vault.json with another generation, in the place of the one before: every device begins its sync anew.

    Raises OSError as the disk does.
    """
    renewed = replace(folder, facts=replace(folder.facts, generation=make_id()))
    replace_file(config.data / FACTS, _spell_facts(renewed))
    return renewed


def _spell_facts(folder: Folder) -> str:
    text = {
        "v": 1,
        "vault_id": format_b64url(folder.facts.vault_id),
        "generation": format_b64url(folder.facts.generation),
        "origin": folder.facts.origin,
        "created": format_time(folder.facts.created),
        "pepper_check": format_b64url(folder.pepper.check),
    }
    return json.dumps(text, indent=1) + "\n"


def open_folder(config: ServerConfig) -> Folder:
    """Raises VaultMissing, VaultIncomplete, FolderClosed, SecretExposed or SecretWrong."""
    if not _is_inhabited(config.data):
        raise VaultMissing()
    facts, pepper_check = _read_facts(config.data / FACTS)
    pepper = _read_pepper(config.pepper_file)
    if pepper.check != pepper_check:
        raise SecretWrong("the pepper")
    return _open_keys(config.data, facts, pepper)


def _open_keys(data: Path, facts: VaultFacts, pepper: Pepper) -> Folder:
    signer = read_signer(data / LEDGER_KEY, facts.origin, "the ledger key")
    directory = read_signer(data / DIRECTORY_KEY, f"{facts.origin}/directory", "the directory key")
    return Folder(facts, pepper, signer, directory)


def _read_facts(path: Path) -> tuple[VaultFacts, bytes]:
    try:
        kept = parse_json(path.read_bytes())
        facts = VaultFacts(
            vault_id=parse_b64url(kept["vault_id"], ID_SIZE),
            generation=parse_b64url(kept["generation"], ID_SIZE),
            origin=str(kept["origin"]),
            created=parse_time(kept["created"]),
        )
        return facts, parse_b64url(kept["pepper_check"], HASH_SIZE)
    except PermissionError:
        raise FolderClosed("vault.json") from None
    except (OSError, MalformedError, AttributeError, KeyError, TypeError):
        raise VaultIncomplete("vault.json") from None


def _read_pepper(path: Path) -> Pepper:
    try:
        version, secret = read_secret(path, "the pepper").split(" ")
        if not version.isdigit():
            raise ValueError
        return Pepper(parse_b64url(secret, PEPPER_SIZE), int(version))
    except (MalformedError, ValueError):
        raise SecretWrong("the pepper") from None


def read_signer(path: Path, name: str, what: str) -> SignerKey:
    """The signing key in a secret file, under a name. Raises as `read_secret` does."""
    try:
        return SignerKey(name, parse_b64url(read_secret(path, what), SEED_SIZE))
    except MalformedError:
        raise SecretWrong(what) from None


def read_secret(path: Path, what: str) -> str:
    """The one line of a file that nobody else may read.

    Raises VaultIncomplete, FolderClosed, SecretExposed or SecretWrong.
    """
    try:
        with path.open(encoding="ascii") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise SecretExposed(what)
            return file.read(200).removesuffix("\n")
    except PermissionError:
        raise FolderClosed(what) from None
    except OSError:
        raise VaultIncomplete(what) from None
    except UnicodeDecodeError:
        raise SecretWrong(what) from None


def _is_inhabited(folder: Path) -> bool:
    """Raises FolderClosed."""
    try:
        return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except PermissionError:
        raise FolderClosed() from None


def _write_new(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise VaultExists() from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, text: str) -> None:
    """The whole of `text` under this name, or what was there before: written beside, synced, renamed; mode 0600.

    One writer at a time. Raises OSError as the disk does.
    """
    beside = path.with_name(f"{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    rename_file(beside, path)


def rename_file(path: Path, new: Path) -> None:
    """Renames within a folder, over what may be there; on disk when this returns."""
    path.replace(new)
    _sync_folder(new.parent)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
