"""Migrations: up, down, up again; what they make is what the tables say."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, MetaData, Table, inspect

from online_guard.store import (  # noqa: F401 - all tables
    account_tables,
    answer_tables,
    assessment_tables,
    chunk_tables,
    decision_tables,
    import_tables,
    letter_tables,
    log_tables,
    operation_tables,
    personal_tables,
    result_tables,
    roster_tables,
    rulebooks,
    webhook_tables,
)
from online_guard.store.tables import Base
from online_guard.store.unit_of_work import alembic_config, migrate, open_engine

MIGRATE = [
    sys.executable,
    "-c",
    "import sys; from online_guard.store.unit_of_work import migrate; migrate(sys.argv[1])",
]


def all_tables() -> set[str]:
    """Return the names of all tables and Alembic's own; the migrations' environment imports the modules of them all."""
    return {*Base.metadata.tables, "alembic_version"}


def tables(url: str) -> set[str]:
    """Return the names of the tables in a database."""
    engine = open_engine(url)
    with engine.connect() as connection:
        names = set(inspect(connection).get_table_names())
    engine.dispose()
    return names


def differences(url: str, metadata: MetaData) -> list[object]:
    """Return what Alembic would have to change in a database."""
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found = list(compare_metadata(context, metadata))
    engine.dispose()
    return found


def test_migrations_go_up_down_to_nothing_and_up_again(database_url: str) -> None:
    assert tables(database_url) == all_tables()
    command.downgrade(alembic_config(database_url), "base")
    assert tables(database_url) == {"alembic_version"}
    migrate(database_url)
    assert tables(database_url) == all_tables()
    assert differences(database_url, Base.metadata) == []


def test_migrating_again_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    assert differences(database_url, Base.metadata) == []


def test_two_processes_may_migrate_an_empty_database_at_once(database_url: str) -> None:
    command.downgrade(alembic_config(database_url), "base")
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(subprocess.run, [*MIGRATE, database_url], check=True) for _ in range(2)]:
            done.result()
    assert differences(database_url, Base.metadata) == []


def test_the_drift_check_would_notice_a_table_and_a_column(database_url: str) -> None:
    url = database_url
    drifted = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.sorted_tables:
        table.to_metadata(drifted)
    drifted.tables["job"].append_column(Column("colour", Integer))
    Table("another", drifted, Column("row_id", Integer, primary_key=True))
    assert len(differences(url, drifted)) == 2


def test_there_is_one_head_and_each_migration_is_a_dated_sentence() -> None:
    scripts = ScriptDirectory.from_config(alembic_config("sqlite://"))
    assert len(scripts.get_heads()) == 1
    for revision in scripts.walk_revisions():
        assert revision.doc.endswith(".")
        assert Path(revision.path).name[:10].replace("_", "").isdigit()


def test_a_folder_with_a_percent_sign_is_no_trap(tmp_path: Path) -> None:
    folder = tmp_path / "100% of it"
    folder.mkdir()
    url = f"sqlite:///{folder / 'a.sqlite3'}"
    migrate(url)
    assert tables(url) == all_tables()
