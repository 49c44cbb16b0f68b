"""One connection writes to SQLite; threads have it in turn; it recovers from errors of the database."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from sqlalchemy import Engine, text

from online_guard.errors import ErrorKind, GuardError
from online_guard.store import sqlite_writer
from online_guard.store.sqlite_writer import check_sqlite, writer_of
from online_guard.store.tables import ClassRecord
from online_guard.store.unit_of_work import open_engine, reading, writing


@pytest.fixture
def engine(sqlite_url: str):
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


def a_class(class_id: str) -> ClassRecord:
    return ClassRecord(class_id=class_id, platform_id="P", body="{}")


def test_all_writing_is_done_by_one_connection(engine: Engine) -> None:
    seen = set()
    for number in range(3):
        with writing(engine) as database:
            seen.add(id(database.connection().connection.driver_connection))
            database.add(a_class(str(number)))
    assert len(seen) == 1


def test_threads_write_in_the_order_in_which_they_ask(engine: Engine) -> None:
    order: list[int] = []

    def write(number: int) -> None:
        with writing(engine) as database:
            order.append(number)
            database.add(a_class(str(number)))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    with writing(engine):
        for thread in threads:
            thread.start()
            time.sleep(0.02)
    for thread in threads:
        thread.join()
    assert order == list(range(8))
    with reading(engine) as database:
        assert database.execute(text("SELECT count(*) FROM training_class")).scalar() == 8


def test_one_transaction_inside_another_is_an_error_and_no_dead_lock(engine: Engine) -> None:
    with writing(engine), pytest.raises(RuntimeError, match="inside another"):  # noqa: SIM117
        with writing(engine):
            pass
    with writing(engine) as database:
        database.add(a_class("after"))


def test_a_full_disk_is_unavailable_and_recovers(engine: Engine) -> None:
    with writing(engine) as database:
        database.add(a_class("before"))
        pages = database.execute(text("PRAGMA page_count")).scalar()
        database.execute(text(f"PRAGMA max_page_count={pages}"))

    def fill() -> None:
        with writing(engine) as database:
            database.add(ClassRecord(class_id="large", platform_id="P", body="x" * 1_000_000))

    with pytest.raises(GuardError) as caught:
        fill()
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    fill()  # the connection, and with it the limit, is a new one
    with reading(engine) as database:
        assert database.get(ClassRecord, "large") is not None


def test_the_start_checks_the_version(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    check_sqlite(engine)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 9))
    with pytest.raises(GuardError, match="too old"):
        check_sqlite(engine)


@pytest.mark.parametrize("pragma", ["synchronous=NORMAL", "foreign_keys=OFF"])
def test_the_start_checks_that_what_is_confirmed_is_kept(engine: Engine, pragma: str) -> None:
    with writer_of(engine).lent() as connection:
        connection.connection.driver_connection.execute(f"PRAGMA {pragma}")  # type: ignore[union-attr]
    with pytest.raises(GuardError, match=pragma.partition("=")[0]):
        check_sqlite(engine)
    assert set(sqlite_writer.PRAGMAS) == {"journal_mode", "synchronous", "foreign_keys"}
