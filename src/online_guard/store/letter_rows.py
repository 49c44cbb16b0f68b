"""Look-ups of dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import Session

from online_guard.store.letter_tables import LetterStepRecord
from online_guard.store.tables import DeadLetterRecord, SessionRecord


@dataclass(frozen=True)
class Which:
    """Which dead letters are meant; None: whatever it is."""

    platform_id: str | None = None
    session_id: str | None = None
    kind: str | None = None
    state: str | None = None


class Letter(NamedTuple):
    """A dead letter, with the platform and the session that it was for."""

    record: DeadLetterRecord
    platform_id: str | None
    session_id: str | None


_PLATFORM = func.coalesce(SessionRecord.platform_id, DeadLetterRecord.platform_id)
_SESSION = func.coalesce(SessionRecord.session_id, DeadLetterRecord.session_id)


def _letters() -> Select[*tuple[Any, ...]]:
    query = select(DeadLetterRecord, _PLATFORM, _SESSION)
    return query.outerjoin(SessionRecord, SessionRecord.row_id == DeadLetterRecord.session_row)


def letters(database: Session, which: Which, after_row: int, most: int) -> list[Letter]:
    """Return dead letters behind a row, oldest first."""
    query = _letters().where(DeadLetterRecord.row_id > after_row)
    for column, value in (
        (_PLATFORM, which.platform_id),
        (_SESSION, which.session_id),
        (DeadLetterRecord.kind, which.kind),
        (DeadLetterRecord.state, which.state),
    ):
        if value is not None:
            query = query.where(column == value)
    return [Letter(*row) for row in database.execute(query.order_by(DeadLetterRecord.row_id).limit(most))]


def letter(database: Session, row_id: int, platform_id: str | None) -> Letter | None:
    """Return a dead letter, of one platform when it is named."""
    query = _letters().where(DeadLetterRecord.row_id == row_id)
    if platform_id is not None:
        query = query.where(literal(platform_id) == _PLATFORM)
    found = database.execute(query).one_or_none()
    return None if found is None else Letter(*found)


def steps(database: Session, letter_row: int) -> list[LetterStepRecord]:
    """Return what was done with a dead letter, oldest first."""
    query = select(LetterStepRecord).where(LetterStepRecord.letter_row == letter_row)
    return list(database.scalars(query.order_by(LetterStepRecord.row_id)))
