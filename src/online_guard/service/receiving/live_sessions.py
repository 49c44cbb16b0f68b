"""Open sessions as a process has them in mind, so that an ordinary batch asks the database for nothing.

What is remembered counts only while the session's row has the same revision: whoever changes a session, its events,
pictures or checks counts the change there, in whatever process.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy.orm import Session

from online_guard.policy import Policy
from online_guard.service.receiving import directives
from online_guard.service.receiving.directives import Drawn
from online_guard.service.receiving.standing import Track, in_full
from online_guard.store import event_chunks, queries
from online_guard.store.evidence_loader import training_class
from online_guard.store.logged_batches import Opening, opening_of
from online_guard.store.tables import EnrolmentRecord, SessionRecord

MOST_REMEMBERED = 20_000
"""Sessions, some 2 kB each; one that is forgotten is read again."""
Name = tuple[str | None, str]
"""Platform (None where the session id says enough) and session id."""


@dataclass
class LiveSession:
    """An open session: where it stands, and what was drawn for it, at a revision of its row.

    `opening` is what the log says of it.
    """

    row_id: int
    opening: Opening
    duration_s: float
    revision: int
    next_seq: int
    track: Track
    drawn: list[Drawn]


def duration_s(database: Session, record: SessionRecord) -> float:
    """Return the length of a session's lesson in seconds."""
    enrolment = database.get_one(EnrolmentRecord, record.enrolment_id)
    described = training_class(queries.class_record(database, enrolment.class_id))
    return next(lesson.duration_s for lesson in described.lessons if lesson.lesson_no == record.lesson_no)


def load(database: Session, record: SessionRecord, policy: Policy) -> LiveSession:
    """Return a session as the database has it."""
    return LiveSession(
        row_id=record.row_id,
        opening=opening_of(record),
        duration_s=duration_s(database, record),
        revision=record.revision,
        next_seq=event_chunks.next_seq(database, record.row_id),
        track=in_full(database, record, policy),
        drawn=directives.drawn_for(database, record.row_id),
    )


class LiveSessions:
    """Sessions in mind, the one asked for longest ago first; only the thread that settles batches uses it."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, LiveSession] = OrderedDict()
        self._rows: dict[Name, int] = {}

    def get(self, name: Name) -> LiveSession | None:
        """Return a session that is in mind."""
        row = self._rows.get(name)
        found = None if row is None else self._known.get(row)
        if found is None:
            self._rows.pop(name, None)
            return None
        self._known.move_to_end(found.row_id)
        return found

    def keep(self, name: Name, session: LiveSession) -> None:
        """Bear a session in mind under a name; what was known of it before is replaced."""
        self._rows[name] = session.row_id
        self._known[session.row_id] = session
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        if len(self._rows) > 2 * MOST_REMEMBERED:
            self._rows = {name: row for name, row in self._rows.items() if row in self._known}

    def forget(self, session_row: int) -> None:
        """Put a session out of mind."""
        self._known.pop(session_row, None)

    def forget_all(self) -> None:
        """Put all out of mind: what was settled wasn't kept."""
        self._known.clear()
        self._rows.clear()
