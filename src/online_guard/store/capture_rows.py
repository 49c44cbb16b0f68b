"""Captures, likenesses and liveness checks: the rows of the duplicate search."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, delete, func, not_, or_, select, update
from sqlalchemy.orm import Session

from online_guard.store import queries
from online_guard.store.tables import CaptureRecord, CheckRecord, EnrolmentRecord, LikenessRecord, SessionRecord

REFERENCE, SNAPSHOT, FRAME, REPLACED = "reference", "snapshot", "frame", "replaced"
"""Kinds of captures; a replaced reference keeps its row, so that no other picture ever gets its number."""
KEPT = (CaptureRecord.kind != REPLACED, CaptureRecord.forgotten_ms.is_(None))
"""Conditions of captures whose picture is there."""
AT_ONCE = 500


class CaptureRow(NamedTuple):
    """A capture without its picture; `session` is `platform_id/session_id`, None for a reference; `vector` sealed."""

    row_id: int
    kind: str
    enrolment_id: str
    learner_id: str
    session_row: int | None
    session: str | None
    capture_id: str
    phash: str
    vector: bytes | None

    @property
    def name(self) -> str:
        """Return what BUNDLE calls it: the enrolment of a reference, else `platform/session/capture`."""
        return self.enrolment_id if self.session is None else f"{self.session}/{self.capture_id}"


def bound_to(capture: CaptureRow | CaptureRecord) -> str:
    """Return what a capture's sealed picture and vector are bound to: neither opens in the row of another capture."""
    return json.dumps([capture.enrolment_id, capture.session_row, capture.capture_id, capture.phash])


def captures_after(database: Session, row_id: int) -> Iterable[CaptureRow]:
    """Yield the captures kept after one, in the order in which they were kept."""
    query = _captures().where(CaptureRecord.row_id > row_id, *KEPT)
    query = query.order_by(CaptureRecord.row_id)
    return map(_row, database.execute(query.execution_options(yield_per=AT_ONCE)))


def unsearched(database: Session, class_id: str) -> list[CaptureRow]:
    """Return the captures of a class's learners that weren't compared with earlier ones yet, oldest first."""
    query = _captures().where(CaptureRecord.is_searched.is_(False), EnrolmentRecord.class_id == class_id)
    return list(map(_row, database.execute(query.order_by(CaptureRecord.row_id))))


def _captures() -> Select[*tuple[Any, ...]]:
    columns = (
        CaptureRecord.row_id,
        CaptureRecord.kind,
        CaptureRecord.enrolment_id,
        EnrolmentRecord.learner_id,
        CaptureRecord.session_row,
        SessionRecord.platform_id,
        SessionRecord.session_id,
        CaptureRecord.capture_id,
        CaptureRecord.phash,
        CaptureRecord.vector,
    )
    return (
        select(*columns)
        .join(EnrolmentRecord, EnrolmentRecord.enrolment_id == CaptureRecord.enrolment_id)
        .outerjoin(SessionRecord, SessionRecord.row_id == CaptureRecord.session_row)
    )


def _row(row: Any) -> CaptureRow:
    row_id, kind, enrolment_id, learner_id, session_row, platform_id, session_id, *rest = row
    session = None if session_row is None else f"{platform_id}/{session_id}"
    return CaptureRow(row_id, kind, enrolment_id, learner_id, session_row, session, *rest)


def sealed_picture(database: Session, row_id: int) -> bytes | None:
    """Return the sealed picture of a capture; None for a replaced reference, and one that was forgotten."""
    return database.scalar(select(CaptureRecord.picture).where(CaptureRecord.row_id == row_id, *KEPT))


def replaced(database: Session, row_ids: Collection[int]) -> set[int]:
    """Return which of some captures are replaced references, or were forgotten."""
    query = select(CaptureRecord.row_id).where(CaptureRecord.row_id.in_(row_ids), not_(and_(*KEPT)))
    return set(database.scalars(query))


def forget_captures(database: Session, row_ids: Collection[int], now_ms: int) -> None:
    """Drop pictures and vectors; rows and what was found about them stay."""
    dropped = {"picture": b"", "vector": None, "is_searched": True, "forgotten_ms": now_ms}
    database.execute(update(CaptureRecord).where(CaptureRecord.row_id.in_(row_ids)).values(**dropped))


def forgotten_since(database: Session, moment_ms: int) -> list[int]:
    """Return the captures that were forgotten at a moment or later."""
    return list(database.scalars(select(CaptureRecord.row_id).where(CaptureRecord.forgotten_ms >= moment_ms)))


def mark_searched(database: Session, row_ids: Sequence[int]) -> None:
    """Note that captures were compared with every earlier one."""
    database.execute(update(CaptureRecord).where(CaptureRecord.row_id.in_(row_ids)).values(is_searched=True))


def put_likenesses(database: Session, rows: Iterable[dict[str, Any]]) -> None:
    """Keep likeness rows; of two that compare the same captures the one of the smaller residual, and distance."""
    for row in rows:
        key = (row["session_row"], row["snapshot_id"], row["other_kind"], row["other_id"])
        known = database.get(LikenessRecord, key)
        if known is None:
            database.add(LikenessRecord(**row))
        else:
            for name, value in stronger(row, {name: getattr(known, name) for name in row}).items():
                setattr(known, name, value)
    database.flush()


def stronger(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the likeness row of the smaller residual (None is larger than any), with the smaller distance."""

    def residual(row: dict[str, Any]) -> float:
        return float("inf") if row["residual"] is None else float(row["residual"])

    distances = [row["distance"] for row in (one, other) if row["distance"] is not None]
    return min(one, other, key=residual) | {"distance": min(distances, default=None)}


def forget_reference(database: Session, enrolment_id: str, now_ms: int) -> None:
    """Drop the picture and the vector of an enrolment's reference photo, and what was compared with it."""
    database.execute(
        update(CaptureRecord)
        .where(CaptureRecord.kind == REFERENCE, CaptureRecord.enrolment_id == enrolment_id)
        .values(kind=REPLACED, picture=b"", vector=None, is_searched=True, forgotten_ms=now_ms)
    )
    database.execute(
        delete(LikenessRecord).where(LikenessRecord.other_kind == REFERENCE, LikenessRecord.other_id == enrolment_id)
    )


def classes_of(database: Session, likenesses: Collection[dict[str, Any]]) -> set[str]:
    """Return the classes on both sides of likeness rows."""
    sessions = {row[name] for row in likenesses for name in ("session_row", "other_row")} - {None}
    references = {row["other_id"] for row in likenesses if row["other_kind"] == REFERENCE}
    theirs = select(SessionRecord.enrolment_id).where(SessionRecord.row_id.in_(sessions))
    query = select(EnrolmentRecord.class_id).where(
        or_(EnrolmentRecord.enrolment_id.in_(theirs), EnrolmentRecord.enrolment_id.in_(references))
    )
    return set(database.scalars(query))


def open_check(database: Session, session_row: int, now_ms: int) -> CheckRecord | None:
    """Return the challenge of a session that still waits for its clip."""
    query = select(CheckRecord).where(
        CheckRecord.session_row == session_row, CheckRecord.clip_sha256.is_(None), CheckRecord.expires_ms >= now_ms
    )
    return database.scalar(query.order_by(CheckRecord.issued_ms).limit(1))


def unanswered_checks(database: Session, session_row: int) -> int:
    """Return how many challenges of a session no clip has taken."""
    query = select(func.count()).where(
        CheckRecord.session_row == session_row, CheckRecord.nonce.is_not(None), CheckRecord.clip_sha256.is_(None)
    )
    return database.scalar(query) or 0


def find_check(database: Session, check_id: str, platform_id: str | None) -> tuple[CheckRecord, SessionRecord]:
    """Return a check that the service asked for, and its session; another platform's is as if it weren't there.

    Raises:
        GuardError: There is none.
    """
    query = select(CheckRecord, SessionRecord).join(SessionRecord).where(CheckRecord.check_id == check_id)
    query = query.where(CheckRecord.nonce.is_not(None))
    if platform_id is not None:
        query = query.where(SessionRecord.platform_id == platform_id)
    found = database.execute(query.limit(1)).first()
    if found is None:
        raise queries.not_found("活体比对 liveness check", check_id)
    return found[0], found[1]
