"""How a command comes by the vault it is about: the folder, the settings, and what is said when it can't be opened.

Knows: the environment and the option `--data`. Refuses to know: what a command does with the vault.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import click

from crypto_core.errors import TemoinError
from server.config import ServerConfig
from server.folder import DatabaseDamaged, FolderClosed
from server.journal.service import follow, require_newest
from server.migrations import upgrade
from server.parts import Parts, open_parts
from server.problems import Refusal

data_option = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False, readable=False), default=Path("data"),
    envvar="TEMOIN_DATA", show_default=True, help="The vault's folder. [TEMOIN_DATA]",
)
_MACHINE = "A file that is needed could not be read or written. Look for free space, and for permission in its folder."
_CLOSED = errno.EACCES, errno.EPERM, errno.EROFS
_CLOSED_TO_SQLITE = sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN
_DAMAGED_TO_SQLITE = sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def configure(data: Path, host: str = "") -> ServerConfig:
    """The settings of the environment, for the vault in this folder. Raises ConfigRefused."""
    return ServerConfig.from_environ(os.environ, data, host=host)


@contextlib.contextmanager
def open_vault(data: Path) -> Iterator[Parts]:
    """The vault with its tables as they are today, beside one that may be running; never an old copy."""
    with sentences(), contextlib.closing(open_parts(configure(data))) as parts:
        upgrade(parts.database)
        require_newest(parts)
        yield parts
        follow(parts)


@contextlib.contextmanager
def sentences() -> Iterator[None]:
    """Whatever a person may meet is told in its sentence."""
    try:
        yield
    except TemoinError as error:
        raise _failure(error.sentence, error.code, error.detail) from None
    except Refusal as refusal:
        cause = getattr(refusal.__cause__, "orig", refusal.__cause__)
        if _is_closed(cause):
            raise _failure(FolderClosed.sentence, FolderClosed.code, _words_of(cause)) from None
        if _code_of(cause) in _DAMAGED_TO_SQLITE:
            raise _failure(DatabaseDamaged.sentence, DatabaseDamaged.code, _words_of(cause)) from None
        raise _failure(refusal.kind.sentence, refusal.code, _words_of(cause)) from None
    except OSError as error:
        raise machine_failure(error) from None


def machine_failure(error: OSError) -> click.ClickException:
    """What the system did not do; never which file it was."""
    if _is_closed(error):
        return _failure(FolderClosed.sentence, FolderClosed.code, _words_of(error))
    return _failure(_MACHINE, "device", _words_of(error))


def _failure(sentence: str, code: str, detail: str) -> click.ClickException:
    return click.ClickException(f"{sentence} ({code}{detail and f': {detail}'})")


def _is_closed(cause: BaseException | None) -> bool:
    """Whether the system let nobody in, or nobody write: trying again changes nothing."""
    if isinstance(cause, sqlite3.Error):
        return _code_of(cause) in _CLOSED_TO_SQLITE
    return isinstance(cause, OSError) and cause.errno in _CLOSED


def _code_of(cause: BaseException | None) -> int:
    """SQLite's primary result code; 0 of anything else."""
    code: int = getattr(cause, "sqlite_errorcode", 0)
    return code & 0xFF


def _words_of(cause: BaseException | None) -> str:
    """The system's own, or SQLite's of a database that can't be used: a disk or a file, never what is in it."""
    if isinstance(cause, sqlite3.Error):
        return str(cause)
    return os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else ""
