"""How a command comes by the vault it is about: the folder, the settings, and what is said when it can't be opened.

Knows: the environment and the option `--data`. Refuses to know: what a command does with the vault.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import click

from crypto_core.errors import TemoinError
from server.config import ServerConfig
from server.migrations import upgrade
from server.parts import Parts, open_parts
from server.problems import Refusal

data_option = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), default=Path("data"), envvar="TEMOIN_DATA",
    show_default=True, help="The vault's folder.",
)
_MACHINE = "A file that is needed could not be read or written. Look for free space, and for permission in its folder."
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def configure(data: Path, host: str = "") -> ServerConfig:
    """The settings of the environment, for the vault in this folder. Raises ConfigRefused."""
    return ServerConfig.from_environ(os.environ, data, host=host)


@contextlib.contextmanager
def open_vault(data: Path) -> Iterator[Parts]:
    """The vault with its tables as they are today, beside one that may be running."""
    with sentences(), contextlib.closing(open_parts(configure(data))) as parts:
        upgrade(parts.database)
        yield parts


@contextlib.contextmanager
def sentences() -> Iterator[None]:
    """Whatever a person may meet is told in its sentence."""
    try:
        yield
    except TemoinError as error:
        raise click.ClickException(f"{error.sentence} ({error.detail})" if error.detail else error.sentence) from None
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.kind.sentence}{_words_of(refusal)}") from None
    except OSError as error:
        raise machine_failure(error) from None


def machine_failure(error: OSError) -> click.ClickException:
    """What the system did not do; never which file it was."""
    return click.ClickException(f"{_MACHINE} ({os.strerror(error.errno)})" if error.errno else _MACHINE)


def _words_of(refusal: Refusal) -> str:
    """SQLite's own, of a database that can't be used: a disk or a file, never what is in it."""
    cause = getattr(refusal.__cause__, "orig", refusal.__cause__)
    return f" ({cause})" if isinstance(cause, sqlite3.Error) else ""
