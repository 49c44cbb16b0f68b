"""One transaction for each request: committed at the end, undone by an error; readers wait for nobody."""

from __future__ import annotations

import sqlite3
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import IntegrityError, InternalError
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.store.tables import ClassRecord, DeadLetterRecord, EnrolmentRecord
from online_guard.store.unit_of_work import BUSY_TIMEOUT_MS, reading, writing
from postgres_server import PostgresServer


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", BUSY_TIMEOUT_MS)],
)
def test_sqlite_is_durable_and_checks_foreign_keys(sqlite_engine: Engine, pragma: str, value: object) -> None:
    for scope in (reading, writing):
        with scope(sqlite_engine) as database:
            assert database.execute(text(f"PRAGMA {pragma}")).scalar() == value


def a_class(class_id: str) -> ClassRecord:
    """Return a row."""
    return ClassRecord(class_id=class_id, platform_id="P", body="{}")


def an_enrolment(class_id: str) -> EnrolmentRecord:
    """Return a row that needs a class."""
    facts = {"name": b"", "identity_number": b"", "face_checks": "required", "leave": "[]"}
    return EnrolmentRecord(enrolment_id="one", class_id=class_id, learner_id="L", **facts)


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
        database.add(an_enrolment("nobody"))


def test_errors_of_the_database_do_not_tell_what_was_to_be_stored(engine: Engine) -> None:
    with pytest.raises(IntegrityError) as refusal, writing(engine) as database:
        database.add(an_enrolment("a secret"))
    assert "a secret" not in "".join(traceback.format_exception(refusal.value))


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


def test_there_is_one_writer_at_a_time_on_sqlite(sqlite_engine: Engine) -> None:
    assert sqlite_engine.url.database
    impatient = sqlite3.connect(sqlite_engine.url.database, timeout=0, isolation_level=None)
    with writing(sqlite_engine) as database:
        database.get(ClassRecord, "one")  # a transaction begins with its first statement
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            impatient.execute("BEGIN IMMEDIATE")
    impatient.execute("BEGIN IMMEDIATE")
    impatient.close()


def test_a_writer_sees_what_the_writer_before_it_committed(engine: Engine) -> None:
    """Twenty increments by four threads: a look-up and a write that others could come between would lose some."""
    with writing(engine) as database:
        database.add(a_class("one"))

    def increment() -> None:
        with writing(engine) as database:
            row = database.get_one(ClassRecord, "one")
            row.platform_id += "+"

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(increment) for _ in range(20)]:
            done.result()
    with reading(engine) as database:
        assert database.get_one(ClassRecord, "one").platform_id == "P" + 20 * "+"


def test_without_the_lock_of_writers_postgresql_would_lose_some(postgres_url: str) -> None:
    plain = create_engine(postgres_url)
    with Session(plain) as one, Session(plain) as other:
        one.add(a_class("one"))
        one.commit()
        for session in (one, other):
            session.get_one(ClassRecord, "one").platform_id += "+"
        one.commit()
        other.commit()
        assert one.get_one(ClassRecord, "one").platform_id == "P+"
    plain.dispose()


@pytest.mark.parametrize(("setting", "value"), [("synchronous_commit", "on"), ("lock_timeout", "30s")])
def test_postgresql_is_durable_and_nobody_waits_for_ever(postgres_engine: Engine, setting: str, value: str) -> None:
    for scope in (reading, writing):
        with scope(postgres_engine) as database:
            assert database.execute(text(f"SHOW {setting}")).scalar() == value


def test_who_reads_may_take_their_time_and_who_writes_may_not(postgres_engine: Engine) -> None:
    setting = text("SHOW idle_in_transaction_session_timeout")
    for scope, value in ((reading, "1h"), (writing, "30s"), (reading, "1h")):
        with scope(postgres_engine) as database:
            assert database.execute(setting).scalar() == value


def test_row_numbers_are_given_in_the_order_of_commits(postgres_engine: Engine) -> None:
    """Who reads on from the last number it knows would miss a smaller one that was committed later."""
    one_writes, other_done = threading.Event(), threading.Event()

    def slow() -> None:
        with writing(postgres_engine) as database:
            database.add(DeadLetterRecord(kind="slow", received_ms=0, reason="", content=""))
            database.flush()
            one_writes.set()
            assert not other_done.wait(0.3), "the other one came in between"

    def quick() -> None:
        assert one_writes.wait(10)
        with writing(postgres_engine) as database:
            database.add(DeadLetterRecord(kind="quick", received_ms=0, reason="", content=""))
        other_done.set()

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(slow), threads.submit(quick)]:
            done.result()
    with reading(postgres_engine) as database:
        kinds = database.scalars(select(DeadLetterRecord.kind).order_by(DeadLetterRecord.row_id))
        assert list(kinds) == ["slow", "quick"]


def test_what_only_reads_can_not_write_on_postgresql(postgres_engine: Engine) -> None:
    with pytest.raises(InternalError, match="read-only"), reading(postgres_engine) as database:
        database.add(a_class("one"))


def test_a_character_that_postgresql_can_not_store_is_stored_as_its_picture(engine: Engine) -> None:
    with writing(engine) as database:
        database.add(ClassRecord(class_id="one", platform_id="P", body='{"a": "\x00"}'))
    with reading(engine) as database:
        body = database.scalars(select(ClassRecord.body)).one()
    assert body == ('{"a": "\x00"}' if engine.dialect.name == "sqlite" else '{"a": "\u2400"}')


def test_a_database_that_is_gone_is_unavailable_and_used_again_when_it_is_back(
    postgres_engine: Engine, postgres: PostgresServer
) -> None:
    with writing(postgres_engine) as database:
        database.add(a_class("one"))
    postgres.stop_immediately()
    try:
        for scope in (reading, writing):
            with pytest.raises(GuardError) as refusal, scope(postgres_engine) as database:
                database.get(ClassRecord, "one")
            assert (refusal.value.kind, refusal.value.code) == (ErrorKind.UNAVAILABLE, "database.unavailable")
    finally:
        postgres.start()
    with reading(postgres_engine) as database:
        assert database.get(ClassRecord, "one") is not None


def test_an_engine_without_the_preparation_would_not_check_foreign_keys(sqlite_engine: Engine) -> None:
    plain = create_engine(sqlite_engine.url)
    with plain.begin() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 0
    plain.dispose()
