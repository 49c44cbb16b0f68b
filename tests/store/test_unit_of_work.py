"""One transaction for each request: committed at the end, undone by an error; readers wait for nobody."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import IntegrityError

from online_guard.store.tables import ClassRecord, JobRecord
from online_guard.store.unit_of_work import BUSY_TIMEOUT_MS, reading, writing


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", BUSY_TIMEOUT_MS)],
)
def test_sqlite_is_durable_and_checks_foreign_keys(engine: Engine, pragma: str, value: object) -> None:
    for scope in (reading, writing):
        with scope(engine) as database:
            assert database.execute(text(f"PRAGMA {pragma}")).scalar() == value


def a_class(class_id: str) -> ClassRecord:
    """Return a row."""
    return ClassRecord(class_id=class_id, platform_id="P", body="{}")


def test_what_was_written_is_there_for_the_next(engine: Engine) -> None:
    with writing(engine) as database:
        database.add(a_class("one"))
    with reading(engine) as database:
        assert database.get(ClassRecord, "one") is not None


def break_down(engine: Engine) -> None:
    """Write a row, and fail before the end."""
    with writing(engine) as database:
        database.add(a_class("one"))
        database.flush()
        raise RuntimeError


def test_an_error_undoes_everything(engine: Engine) -> None:
    with pytest.raises(RuntimeError):
        break_down(engine)
    with reading(engine) as database:
        assert database.get(ClassRecord, "one") is None


def test_a_row_without_its_parent_is_refused(engine: Engine) -> None:
    with pytest.raises(IntegrityError), writing(engine) as database:
        database.add(JobRecord(class_id="nobody", run_after_ms=0))


def test_errors_of_the_database_do_not_tell_what_was_to_be_stored(engine: Engine) -> None:
    with pytest.raises(IntegrityError) as refusal, writing(engine) as database:
        database.add(JobRecord(class_id="a secret", run_after_ms=0))
    assert "a secret" not in str(refusal.value)


def test_a_reader_sees_one_moment_and_waits_for_no_writer(engine: Engine) -> None:
    with writing(engine) as database:
        database.add(a_class("one"))
    with reading(engine) as reader:
        assert reader.get(ClassRecord, "one") is not None
        with writing(engine) as writer:
            writer.add(a_class("two"))
        assert reader.get(ClassRecord, "two") is None
    with reading(engine) as reader:
        assert reader.get(ClassRecord, "two") is not None


def test_there_is_one_writer_at_a_time(engine: Engine) -> None:
    assert engine.url.database
    impatient = sqlite3.connect(engine.url.database, timeout=0, isolation_level=None)
    with writing(engine) as database:
        database.get(ClassRecord, "one")  # a transaction begins with its first statement
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            impatient.execute("BEGIN IMMEDIATE")
    impatient.execute("BEGIN IMMEDIATE")
    impatient.close()


def test_an_engine_without_the_preparation_would_not_check_foreign_keys(engine: Engine) -> None:
    plain = create_engine(engine.url)
    with plain.begin() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 0
    plain.dispose()
