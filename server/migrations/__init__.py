"""The versions of the database, and the way from each to the next.

Knows: alembic and the write session it is given. Refuses to know: URLs; the one door stays server.database.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config

from server.database import Database


def upgrade(database: Database) -> None:
    """Brings the tables to the newest version, in one transaction; nothing happens if they are there already."""
    config = Config()
    config.set_main_option("script_location", "server:migrations")
    config.set_main_option("path_separator", "os")
    with database.write() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "head")
