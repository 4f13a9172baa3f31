"""The migrations make exactly the tables that the models describe."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, String, Table, inspect, text

import server.app  # noqa: F401  (all models)
from server.database import Base, Database
from server.migrations import newest, upgrade


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'vault.db'}")
    yield made
    made.close()


def differences(database: Database, metadata: MetaData) -> list[object]:
    with database.write() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def spelled(database: Database) -> dict[str, list[str]]:
    """The words with which SQLite would make each table and index; constraints may stand in another order."""
    with database.read() as session:
        rows = session.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
    return {name: sorted(re.findall(r"\w+", sql)) for name, sql in rows if name != "alembic_version"}


def test_the_migrated_tables_are_those_of_the_models(database: Database, tmp_path: Path) -> None:
    upgrade(database)
    assert differences(database, Base.metadata) == []
    made = Database(f"sqlite:///{tmp_path / 'made.db'}")
    try:
        Base.metadata.create_all(made.engine)
        assert spelled(database) == spelled(made)
    finally:
        made.close()


def test_a_difference_would_be_seen(database: Database) -> None:
    upgrade(database)
    other = MetaData()
    for table in Base.metadata.tables.values():
        table.to_metadata(other)
    Table("forgotten", other, Column("name", String, primary_key=True))
    assert differences(database, other) != []


def test_upgrading_again_changes_nothing(database: Database) -> None:
    upgrade(database)
    before = spelled(database)
    upgrade(database)
    assert spelled(database) == before


def test_an_upgrade_that_fails_leaves_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    def fail(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(op, "create_index", fail)
    with pytest.raises(OSError):
        upgrade(database)
    assert inspect(database.engine).get_table_names() == []


def scripts() -> Config:
    config = Config()
    config.set_main_option("script_location", "server:migrations")
    config.set_main_option("path_separator", "os")
    return config


def test_the_newest_file_is_the_end_of_the_chain() -> None:
    assert ScriptDirectory.from_config(scripts()).get_heads() == [newest()]


def test_a_vault_at_the_newest_version_loads_no_alembic(tmp_path: Path, database: Database) -> None:
    upgrade(database)
    code = (
        "import sys; from server.database import Database; from server.migrations import upgrade\n"
        f"upgrade(Database('sqlite:///{tmp_path / 'vault.db'}')); print('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_an_older_version_is_brought_up(database: Database) -> None:
    older = scripts()
    with database.write() as session:
        older.attributes["connection"] = session.connection()
        command.upgrade(older, "0001")
    assert differences(database, Base.metadata) != []
    upgrade(database)
    assert differences(database, Base.metadata) == []
