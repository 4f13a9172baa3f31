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
    """The version that the newest file of `versions` makes: `NNNN_words.py` makes NNNN."""
    return max(path.name for path in _VERSIONS.glob("[0-9]*_*.py")).partition("_")[0]


def upgrade(database: Database) -> None:
    """Brings the tables to the newest version, in one transaction; nothing happens if they are there already."""
    if _version(database) == newest():
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "server:migrations")
    config.set_main_option("path_separator", "os")
    with database.write() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "head")


def is_begun(database: Database) -> bool:
    """Whether there are tables of any version. Raises Refusal `unavailable` if it can't be read."""
    return _version(database) is not None


def _version(database: Database) -> str | None:
    """That of the tables; None if there are none yet."""
    with database.read() as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return None
        found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
        return found
