"""Snapshots: measured and answered at once; the duplicate search is the worker's."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.faces.identity import FaceVector
from online_guard.faces.pipeline import SnapshotReport, inspect
from online_guard.service.capturing import duplicates
from online_guard.service.capturing.kept_pictures import keep_picture
from online_guard.service.capturing.seen_pictures import opened_vector
from online_guard.service.house import House
from online_guard.service.receiving.sessions import verify_again
from online_guard.store import batch_rows, queries, sealed_log
from online_guard.store.logged_rows import session_key, snapshot_entries
from online_guard.store.person_keys import PersonKeys, erased
from online_guard.store.tables import (
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
        vector = reference_vector(house, database, record.enrolment_id)
    report = inspect(image, vector, check=house.passive_check)
    if report.refusal is not None:
        _leave_dead_letter(house, record, snapshot_id, report.refusal, now_ms)
        raise report.refusal
    keep_picture(house, record.enrolment_id, report.sha256, image)
    with writing(house.engine) as database:
        known = database.get(SnapshotRecord, (record.row_id, snapshot_id))
        if known is not None:
            return False, _same_answer(known, report.sha256, at_ms)
        asked = _use_nonce(database, record, nonce, now_ms)
        answer = _answer(snapshot_id, asked, report)
        kept = SnapshotRecord(
            session_row=record.row_id,
            snapshot_id=snapshot_id,
            at_ms=at_ms,
            received_ms=now_ms,
            asked=asked,
            good=report.good,
            sha256=report.sha256,
            phash=report.phash,
            distance=report.distance,
            presented_attack=None if report.presented_attack is None else report.presented_attack.flag,
            report=json.dumps(answer),
        )
        database.add(kept)
        sealed_log.append_all(database, snapshot_entries(session_key(record), kept))
        if report.good and report.capture is not None:
            duplicates.keep_snapshot(house, database, record, snapshot_id, report.capture)
        batch_rows.touch(database, record.row_id)
        verify_if_closed(house, database, record)
    return True, answer


def reference_vector(house: House, database: Session, enrolment_id: str) -> FaceVector | None:
    """Return the face vector of an enrolment's reference photo, if there is one.

    Raises:
        GuardError: The person was erased.
    """
    enrolment = database.get_one(EnrolmentRecord, enrolment_id)
    if enrolment.erased_ms is not None:
        raise erased()
    if enrolment.reference_vector is None:
        return None
    person = PersonKeys(database, house.vault).find(enrolment.learner_id)
    return opened_vector(house.vault, enrolment.reference_vector, person, enrolment_id)


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


def verify_if_closed(house: House, database: Session, record: SessionRecord) -> None:
    """Ask for the verification of a session anew, when it was closed already."""
    known = database.get_one(SessionRecord, record.row_id)
    if known.closed_received_ms is not None:
        verify_again(house, database, known)
