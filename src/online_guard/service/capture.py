"""Snapshots and liveness results."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.faces.decode import decode
from online_guard.faces.pipeline import SnapshotReport, inspect
from online_guard.service.house import House
from online_guard.service.registration import VECTOR
from online_guard.service.sessions import verify_again
from online_guard.store import queries
from online_guard.store.tables import (
    CheckRecord,
    DeadLetterRecord,
    EnrolmentRecord,
    SessionRecord,
    SnapshotRecord,
)
from online_guard.store.unit_of_work import reading, writing


def add_snapshot(
    house: House,
    session_id: str,
    platform_id: str | None,
    image: bytes,
    snapshot_id: str,
    at_ms: int,
    nonce: str | None,
    now_ms: int,
) -> tuple[bool, dict[str, Any]]:
    """Keep a picture and what was measured on it; return whether it is new, and the answer.

    The same picture under the same id again has the same answer.

    Raises:
        GuardError: Unknown session; bytes that can't be decoded, which leave a dead letter; another picture under
            the id.
    """
    with reading(house.engine) as database:
        record = queries.find_session(database, session_id, platform_id)
        vector = _reference_vector(house, database, record)
    try:
        decode(image)
    except GuardError as refusal:
        _leave_dead_letter(house, record, snapshot_id, refusal, now_ms)
        raise
    report = inspect(image, vector)
    house.blobs.put(report.sha256, image)
    with writing(house.engine) as database:
        known = database.get(SnapshotRecord, (record.row_id, snapshot_id))
        if known is not None:
            return False, _same_answer(known, report.sha256, at_ms)
        asked = _use_nonce(database, record, nonce, now_ms)
        answer = _answer(snapshot_id, asked, report)
        database.add(
            SnapshotRecord(
                session_row=record.row_id,
                snapshot_id=snapshot_id,
                at_ms=at_ms,
                received_ms=now_ms,
                asked=asked,
                good=report.good,
                sha256=report.sha256,
                phash=report.phash,
                distance=report.distance,
                report=json.dumps(answer),
            )
        )
        _verify_again(house, database, record)
    return True, answer


def _reference_vector(house: House, database: Session, record: SessionRecord) -> np.ndarray | None:
    sealed = database.get_one(EnrolmentRecord, record.enrolment_id).reference_vector
    return None if sealed is None else np.frombuffer(house.vault.open(sealed, VECTOR), np.float64)


def _leave_dead_letter(house: House, record: SessionRecord, snapshot_id: str, refusal: GuardError, now_ms: int) -> None:
    with writing(house.engine) as database:
        database.add(
            DeadLetterRecord(
                session_row=record.row_id, kind="snapshot", received_ms=now_ms, reason=refusal.code, content=snapshot_id
            )
        )


def _use_nonce(database: Session, record: SessionRecord, nonce: str | None, now_ms: int) -> bool:
    """Return whether the service asked for the picture; a nonce asks once."""
    if nonce is None:
        return False
    asking = [
        directive
        for directive in queries.directives(database, record.row_id)
        if directive.kind == "snapshot" and directive.nonce == nonce and directive.issued_ms and not directive.used_ms
    ]
    for directive in asking:
        directive.used_ms = now_ms
    return bool(asking)


def _answer(snapshot_id: str, asked: bool, report: SnapshotReport) -> dict[str, Any]:
    return {
        "snapshot_id": snapshot_id,
        "asked": asked,
        "good": report.good,
        "reasons": list(report.reasons),
        "faces": report.faces,
        "distance": None if report.distance is None else round(report.distance, 6),
        "sha256": report.sha256,
        "phash": report.phash,
    }


def _same_answer(known: SnapshotRecord, sha256: str, at_ms: int) -> dict[str, Any]:
    if (known.sha256, known.at_ms) != (sha256, at_ms):
        raise GuardError(
            ErrorKind.CONFLICT,
            "snapshot.other",
            "该照片标识已用于另一张照片 / the id stands for another picture",
            where="?snapshot_id",
            remedy="请换用新的 snapshot_id / use a new snapshot_id.",
        )
    return dict(json.loads(known.report))


def _verify_again(house: House, database: Session, record: SessionRecord) -> None:
    known = database.get_one(SessionRecord, record.row_id)
    if known.closed_received_ms is not None:
        verify_again(house, database, known)


def add_check(
    house: House,
    session_id: str,
    platform_id: str | None,
    *,
    check_id: str,
    at_ms: int,
    outcome: str,
    distance: float | None,
    now_ms: int,
) -> tuple[bool, dict[str, Any]]:
    """Keep the result of a liveness check from a trusted test client; return whether it is new, and the answer.

    Raises:
        GuardError: Unknown session, or another result under the id.
    """
    with writing(house.engine) as database:
        record = queries.find_session(database, session_id, platform_id)
        told = {"check_id": check_id, "at_ms": at_ms, "outcome": outcome, "distance": distance}
        known = database.get(CheckRecord, (record.row_id, check_id))
        if known is not None:
            if {name: getattr(known, name) for name in told} != told:
                raise GuardError(
                    ErrorKind.CONFLICT,
                    "check.other",
                    "该比对标识已有其他结果 / the id stands for another result",
                    where="/check_id",
                )
            return False, told
        database.add(CheckRecord(session_row=record.row_id, **told))
        for directive in queries.directives(database, record.row_id):
            if directive.kind == "liveness" and directive.issued_ms and not directive.used_ms:
                directive.used_ms = now_ms
        _verify_again(house, database, record)
    return True, told
