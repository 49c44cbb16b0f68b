"""A database that Alembic made, and the fewest rows that sessions and jobs need."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from online_guard.simulate.course import Course
from online_guard.store.tables import ClassRecord, EnrolmentRecord, SessionRecord
from online_guard.store.unit_of_work import open_engine, writing


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Return the engine of a migrated, empty database, SQLite and PostgreSQL."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    """Return the engine of a migrated, empty SQLite database, for what only SQLite has."""
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    """Return the engine of a migrated, empty PostgreSQL database, for what only PostgreSQL has."""
    opened = open_engine(postgres_url)
    yield opened
    opened.dispose()


@pytest.fixture
def a_class(engine: Engine) -> Callable[..., None]:
    """Return a function that adds a class with one learner and one session of theirs."""

    def add(
        class_id: str, learner_id: str, platform_id: str = "P", session_id: str = "S", device_id: str = "D"
    ) -> None:
        row = Course(class_id=class_id, platform_id=platform_id).class_row()
        with writing(engine) as database:
            database.add(ClassRecord(class_id=class_id, platform_id=platform_id, body=json.dumps(row)))
            database.flush()
            _enrol(database, class_id, learner_id)
            database.add(
                SessionRecord(
                    platform_id=platform_id,
                    session_id=session_id,
                    enrolment_id=f"{class_id}-e",
                    lesson_no=1,
                    opened_at_ms=1_625_101_200_000,
                    opened_received_ms=1_625_101_200_300,
                    device_id=device_id,
                )
            )

    return add


def _enrol(database: Session, class_id: str, learner_id: str) -> None:
    database.add(
        EnrolmentRecord(
            enrolment_id=f"{class_id}-e",
            class_id=class_id,
            learner_id=learner_id,
            name=b"",
            identity_number=b"",
            face_checks="required",
            leave="[]",
        )
    )
    database.flush()
