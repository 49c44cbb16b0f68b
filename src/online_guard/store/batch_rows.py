"""What a group of event batches reads and writes, each in one statement for all of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from online_guard.store import sealed_log
from online_guard.store.answer_tables import KeptAnswerRecord
from online_guard.store.chunk_tables import EventChunkRecord
from online_guard.store.many import Many
from online_guard.store.sealed_log import Entry
from online_guard.store.tables import DeadLetterRecord, SessionRecord

SESSIONS = cast("Table", SessionRecord.__table__)
_LETTERS, _ANSWERS = (insert(cast("Table", record.__table__)) for record in (DeadLetterRecord, KeptAnswerRecord))
_CHUNKS = Many(
    insert(cast("Table", EventChunkRecord.__table__)),
    ("session_row", "first_seq", "last_seq", "received_ms", "count", "columns"),
)


class State(NamedTuple):
    """What may change of a session while another process has it in mind."""

    revision: int
    closed_received_ms: int | None


def states(database: Session, session_rows: Collection[int]) -> dict[int, State]:
    """Return the state of sessions, by row; nobody else changes it while a transaction that writes goes on."""
    if not session_rows:
        return {}
    numbers = ",".join(map(str, session_rows))  # of our own making: no text of a caller
    query = f"SELECT row_id, revision, closed_received_ms FROM session WHERE row_id IN ({numbers})"  # noqa: S608
    return {row: State(revision, closed) for row, revision, closed in database.connection().exec_driver_sql(query)}


def touch(database: Session, session_row: int) -> None:
    """Count a change to a session, and to the others of its lesson: its pictures may fill a part of theirs."""
    own = select(SessionRecord.enrolment_id, SessionRecord.lesson_no).where(SessionRecord.row_id == session_row)
    enrolment_id, lesson_no = database.execute(own).one()
    database.execute(
        update(SessionRecord)
        .where(SessionRecord.enrolment_id == enrolment_id, SessionRecord.lesson_no == lesson_no)
        .values(revision=SessionRecord.revision + 1)
        .execution_options(synchronize_session=False)
    )


def touch_namesakes(database: Session, session_id: str) -> None:
    """Count a change to every session of an id: with one more of them the id alone may not say which is meant."""
    database.execute(
        update(SessionRecord)
        .where(SessionRecord.session_id == session_id)
        .values(revision=SessionRecord.revision + 1)
        .execution_options(synchronize_session=False)
    )


@dataclass
class Writes:
    """Rows of a group of batches that wait to be written together.

    chunks, letters, answers: rows of `event_chunk`, `dead_letter` and `kept_answer`. changed: sessions whose revision
    grows by one. entries: of the evidence log.
    """

    chunks: list[dict[str, Any]] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)

    def flush(self, database: Session) -> None:
        """Write what waits."""
        connection = database.connection()
        _CHUNKS.execute(connection, self.chunks)
        for statement, rows in ((_LETTERS, self.letters), (_ANSWERS, self.answers)):
            if rows:
                connection.execute(statement, rows)
        sealed_log.append_all(database, self.entries)
        if self.changed:
            numbers = ",".join(map(str, sorted(self.changed)))  # of our own making
            connection.exec_driver_sql(f"UPDATE session SET revision = revision + 1 WHERE row_id IN ({numbers})")  # noqa: S608
        self.chunks, self.letters, self.entries, self.answers, self.changed = [], [], [], [], set()
