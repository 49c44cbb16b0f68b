"""What those who run the service see and do, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from online_guard.errors import GuardError
from online_guard.service.house import House, clock_ms, open_house
from online_guard.service.operating.backups import NO_PG_DUMP, back_up, restore
from online_guard.service.operating.doctor import Level, examine
from online_guard.service.operating.readiness import missing
from online_guard.service.operating.rollbacks import accept_rollback
from online_guard.settings import Settings
from online_guard.store import backlog, condition, jobs, marks
from online_guard.store.tables import ClassRecord, DeadLetterRecord, FindingRecord, ResultRecord
from online_guard.store.unit_of_work import reading, writing
from postgres_server import PostgresServer


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    opened = open_house(Settings(data_dir=tmp_path / "data", database_url=database_url, least_free_mib=0))
    yield opened
    opened.engine.dispose()


def wrong(house: House) -> set[str]:
    """Return what the doctor finds wrong."""
    return {one.what for one in examine(house.settings) if one.level is Level.BAD}


def unsynced(house: House) -> set[str]:
    """Return what is wrong with the tests' PostgreSQL: it doesn't wait for disks."""
    return {"durability"} if house.engine.dialect.name == "postgresql" else set()


def test_a_new_service_is_ready_and_the_doctor_content(house: House) -> None:
    assert missing(house) == {}
    assert wrong(house) <= unsynced(house)
    assert condition.is_durable(condition.durability(house.engine)) is not bool(unsynced(house))


def test_an_older_database_is_refused_until_somebody_accepts_it(house: House) -> None:
    memory = house.settings.memory_file
    mark = marks.look(house.engine, memory)
    marks.remember(memory, mark.database_id, mark.mark + 1)
    with pytest.raises(GuardError) as refusal:
        open_house(house.settings)
    assert refusal.value.code == "database.rolled_back"
    assert wrong(house) == {"rollback"} | unsynced(house)
    accept_rollback(house.settings, "a fail-over")
    open_house(house.settings).engine.dispose()


def test_what_waits_and_what_was_found_is_counted(house: House) -> None:
    now_ms = clock_ms()
    law = {"policy_id": "p", "policy_version": "1", "policy_sha256": "0" * 64}
    with writing(house.engine) as database:
        database.add(ClassRecord(class_id="c", platform_id="p", body="{}"))
        database.flush()
        jobs.ask(database, "verify", "c", now_ms - 5_000)
        jobs.ask(database, "deliver", "w", now_ms - 90_000)
        database.add(DeadLetterRecord(kind="event", received_ms=1, reason="r", content="x"))
        for number, verdict in enumerate(("held", "held", "accepted")):
            body = f'{{"verdict": "{verdict}"}}'
            database.add(ResultRecord(class_id="c", kind="session", owner=f"p/{number}", body=body, **law, **rules()))
    with reading(house.engine) as database:
        told = {(one.name, *one.labels.values()): one.value for one in backlog.measures(database, now_ms)}
        assert backlog.waiting_s(database, now_ms) == 90
        assert backlog.parked_jobs(database) == 0
    assert told["verification_queue",] == 1
    assert told["verification_lag_seconds",] == 5
    assert told["jobs", "deliver", "waiting"] == 1
    assert told["dead_letters", "event"] == 1
    assert (told["sessions", "held"], told["sessions", "accepted"]) == (2, 1)
    assert told["webhook_queue",] == 0


def rules() -> dict[str, str]:
    return {"rules_sha256": "0" * 64} if hasattr(FindingRecord, "rules_sha256") else {}


def test_postgresql_is_copied_by_its_own_tools(
    tmp_path: Path, postgres: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path / "data", database_url=postgres_url)
    house = open_house(settings)
    with writing(house.engine) as database:
        database.add(ClassRecord(class_id="c", platform_id="p", body="{}"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert back_up(settings, tmp_path / "without", with_keys=False).without_database == NO_PG_DUMP
    monkeypatch.setenv("PATH", f"{postgres._postgres.parent}{os.pathsep}/usr/bin")
    assert back_up(settings, tmp_path / "copy", with_keys=True).without_database == ""
    house.engine.dispose()
    there = Settings(data_dir=tmp_path / "there", database_url=postgres_url)
    with pytest.raises(GuardError):
        restore(there, tmp_path / "copy", with_keys=True)
    emptied(postgres_url)
    restore(there, tmp_path / "copy", with_keys=True)
    accept_rollback(there, "a broken disk")
    again = open_house(there)
    with reading(again.engine) as database:
        assert database.get(ClassRecord, "c") is not None
    again.engine.dispose()


def emptied(url: str) -> None:
    """Drop everything in a database."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
