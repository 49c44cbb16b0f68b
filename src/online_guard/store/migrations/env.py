"""Runs the migrations against the configured database."""

from alembic import context
from sqlalchemy import event

# each module of tables, so that all are part of the metadata
import online_guard.store.account_tables
import online_guard.store.answer_tables
import online_guard.store.assessment_tables
import online_guard.store.assignment_tables
import online_guard.store.chunk_tables
import online_guard.store.decision_tables
import online_guard.store.dry_runs
import online_guard.store.import_tables
import online_guard.store.letter_tables
import online_guard.store.log_tables
import online_guard.store.operation_tables
import online_guard.store.personal_tables
import online_guard.store.result_tables
import online_guard.store.roster_tables
import online_guard.store.rulebooks
import online_guard.store.webhook_tables  # noqa: F401
from online_guard.store.tables import Base
from online_guard.store.unit_of_work import open_engine

url = context.config.get_main_option("sqlalchemy.url") or ""
engine = open_engine(url)
if engine.dialect.name == "sqlite":
    # SQLite can't alter most of a table: it is copied and dropped, while others refer to it
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=OFF"))
with engine.connect() as connection:
    # all steps in one transaction: of two processes that start at once the second finds nothing left to do
    context.configure(
        connection=connection, target_metadata=Base.metadata, render_as_batch=True, transactional_ddl=True
    )
    with context.begin_transaction():
        context.run_migrations()
        if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise RuntimeError("a migration left rows that refer to nothing")
engine.dispose()
