"""Runs the migrations against the configured database."""

from alembic import context

from online_guard.store import (  # noqa: F401 - their tables belong to the metadata
    account_tables,
    chunk_tables,
    log_tables,
    postgresql,
    webhook_tables,
)
from online_guard.store.tables import Base
from online_guard.store.unit_of_work import open_engine

url = context.config.get_main_option("sqlalchemy.url") or ""
engine = open_engine(url)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            postgresql.lock_migrations(connection)
        context.run_migrations()
engine.dispose()
