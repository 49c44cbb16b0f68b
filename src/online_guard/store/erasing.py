"""Destroys a person's data key and what was sealed with it; what was judged stays, under a name that means nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import CursorResult, Engine, delete, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from online_guard.store.capture_rows import forget_captures
from online_guard.store.letter_tables import NOTHING_TOLD, LetterStepRecord
from online_guard.store.personal_tables import ErasureRecord, PersonKeyRecord
from online_guard.store.result_tables import AssessmentResultRecord
from online_guard.store.sqlite_writer import writer_of
from online_guard.store.tables import CaptureRecord, DeadLetterRecord, EnrolmentRecord, SessionRecord

NOTHING = b""
LOCK_TIMEOUT = "5s"
READERS_WAIT_MS = 2_000
"""How long writers wait for the log to be emptied; the retention job does it again."""


class Forgotten(NamedTuple):
    """How many rows an erasure emptied."""

    enrolments: int
    captures: int
    sessions: int
    dead_letters: int


def enrolments_of(database: Session, learner_id: str) -> Sequence[EnrolmentRecord]:
    """Return all enrolments of a person, in all classes of all platforms."""
    return database.scalars(select(EnrolmentRecord).where(EnrolmentRecord.learner_id == learner_id)).all()


def forget_person(database: Session, learner_id: str, now_ms: int) -> Forgotten:
    """Destroy a person's data key, and empty what was sealed under it or under the master key."""
    database.execute(delete(PersonKeyRecord).where(PersonKeyRecord.learner_id == learner_id))
    own = select(EnrolmentRecord.enrolment_id).where(EnrolmentRecord.learner_id == learner_id)
    sessions = select(SessionRecord.row_id).where(SessionRecord.enrolment_id.in_(own))
    captures = select(CaptureRecord.row_id).where(
        CaptureRecord.enrolment_id.in_(own), CaptureRecord.forgotten_ms.is_(None)
    )
    row_ids = database.scalars(captures).all()
    forget_captures(database, row_ids, now_ms)
    emptied = {"name": NOTHING, "identity_number": NOTHING, "applicant": None, "reference_vector": None}
    enrolled = update(EnrolmentRecord).where(
        EnrolmentRecord.learner_id == learner_id, EnrolmentRecord.erased_ms.is_(None)
    )
    sat = update(SessionRecord).where(SessionRecord.row_id.in_(sessions)).values(ip=None, user_agent=None)
    certified = update(AssessmentResultRecord).where(
        AssessmentResultRecord.enrolment_id.in_(own), AssessmentResultRecord.certificate_number.is_not(None)
    )
    _changed(database, certified.values(certificate_number=NOTHING))
    letters = select(DeadLetterRecord.row_id).where(DeadLetterRecord.session_row.in_(sessions))
    database.execute(update(LetterStepRecord).where(LetterStepRecord.letter_row.in_(letters)).values(told=NOTHING_TOLD))
    refused = update(DeadLetterRecord).where(DeadLetterRecord.session_row.in_(sessions)).values(reason="", content="")
    return Forgotten(
        enrolments=_changed(database, enrolled.values(erased_ms=now_ms, **emptied)),
        captures=len(row_ids),
        sessions=_changed(database, sat),
        dead_letters=_changed(database, refused),
    )


def _changed(database: Session, change: Any) -> int:
    done: CursorResult[Any] = database.execute(change, execution_options={"synchronize_session": False})  # type: ignore[assignment]
    return done.rowcount


def record_erasure(database: Session, learner_id: str, erased_ms: int, ordered_by: str, reason: str) -> None:
    """Keep who ordered an erasure, and why; once."""
    known = select(ErasureRecord.row_id).where(
        ErasureRecord.learner_id == learner_id, ErasureRecord.erased_ms == erased_ms
    )
    if database.scalar(known.limit(1)) is None:
        database.add(ErasureRecord(learner_id=learner_id, erased_ms=erased_ms, ordered_by=ordered_by, reason=reason))


def erasures(database: Session) -> Sequence[ErasureRecord]:
    """Return all erasures, oldest first."""
    return database.scalars(select(ErasureRecord).order_by(ErasureRecord.erased_ms, ErasureRecord.row_id)).all()


def is_to_be_erased(database: Session, learner_id: str, erased_ms: int) -> bool:
    """Return whether an erasure must be done again: the person's data came back from before it."""
    key = database.get(PersonKeyRecord, learner_id)
    if key is not None:
        return key.made_ms <= erased_ms
    return any(enrolment.erased_ms is None for enrolment in enrolments_of(database, learner_id))


def scrub(engine: Engine) -> bool:
    """Let nothing of a destroyed key stay in the database's files; return whether that could be done now.

    SQLite overwrites what it deletes (`secure_delete`) and has its log emptied here. PostgreSQL's table of keys is
    written anew; its own log is recycled by the server.
    """
    if engine.dialect.name == "sqlite":
        return _emptied_log(engine)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection_:
            connection_.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
            connection_.execute(text(f"VACUUM FULL {PersonKeyRecord.__tablename__}"))
            connection_.execute(text("RESET lock_timeout"))
    except OperationalError:
        return False
    return True


def _emptied_log(engine: Engine) -> bool:
    """Move SQLite's log into the database by the writer's connection, waiting a moment for those who read."""
    with writer_of(engine).lent() as connection:
        cursor = connection.connection.cursor()
        waiting_ms = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout={READERS_WAIT_MS}")
        try:
            return not cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            cursor.execute(f"PRAGMA busy_timeout={waiting_ms}")
