"""The versions of the database, and the way from each to the next.

Knows: alembic and the write session it is given. Refuses to know: URLs; the one door stays server.database.
A start that finds the newest version loads no alembic: each of its processes would.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from server.database import Database

_VERSIONS = Path(__file__).parent / "versions"


def newest() -> str:
    """The version that the newest file of `versions` makes."""
    return max(_known())


def upgrade(database: Database) -> None:
    """Brings the tables to the newest version, in one transaction; nothing happens if they are there already."""
    if version_of(database) == newest():
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "server:migrations")
    config.set_main_option("path_separator", "os")
    with database.write() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "head")


def is_known(version: str) -> bool:
    """Whether it is one that this program can bring to the newest, and not one of a program that came later."""
    return version in _known()


def _known() -> set[str]:
    """`NNNN_words.py` makes NNNN."""
    return {path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py")}


def version_of(database: Database) -> str | None:
    """That of the tables; None if there are none yet. Raises Refusal `unavailable` if they can't be read."""
    with database.read() as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return None
        found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
        return found
