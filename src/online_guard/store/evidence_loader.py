"""Stored rows → Evidence: a class with its learners' sessions elsewhere, or one lesson of an enrolment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from online_guard.evidence import (
    DAY_MS,
    Application,
    Enrolment,
    Events,
    Evidence,
    Leave,
    Lesson,
    Practice,
    Project,
    Survey,
    TrainingClass,
    assemble,
)
from online_guard.store import event_chunks, queries, review_rows
from online_guard.store.event_chunks import Chunk, chunk_of
from online_guard.store.import_tables import ProjectRecord, SurveyRecord
from online_guard.store.tables import (
    ApplicationRecord,
    CheckRecord,
    ClassRecord,
    ConflictRecord,
    DirectiveRecord,
    EnrolmentRecord,
    LikenessRecord,
    PracticeRecord,
    SessionRecord,
    SnapshotRecord,
)
from online_guard.terms import ApplicantKind, CertificateRoute, FaceChecks, LessonKind, Mode

MOST_AROUND = 24
EVENT_COLUMNS = (
    "seq", "type", "at_ms", "received_ms", "position_s", "from_s", "playing", "rate", "player", "popup",
)  # fmt: skip


def training_class(record: ClassRecord) -> TrainingClass:
    """Return a stored class as evidence."""
    body = json.loads(record.body)
    lessons = [Lesson(**{**row, "kind": LessonKind(row["kind"])}) for row in body.pop("lessons")]
    return TrainingClass(
        **{
            **body,
            "applicant_kind": ApplicantKind(body["applicant_kind"]),
            "mode": Mode(body["mode"]),
            "certificate_route": CertificateRoute(body["certificate_route"]),
            "starts_on": date.fromisoformat(body["starts_on"]),
            "ends_on": date.fromisoformat(body["ends_on"]),
            "lessons": tuple(lessons),
        }
    )


def enrolment(record: EnrolmentRecord) -> Enrolment:
    """Return a stored enrolment as evidence."""
    leave = tuple(
        Leave(date.fromisoformat(row["from_on"]), date.fromisoformat(row["to_on"]), row["approved"])
        for row in json.loads(record.leave)
    )
    return Enrolment(record.enrolment_id, record.class_id, record.learner_id, FaceChecks(record.face_checks), leave)


def practice(record: PracticeRecord) -> Practice:
    """Return a stored day of practice as evidence."""
    return Practice(record.enrolment_id, date.fromisoformat(record.on), record.class_hours)


def project(record: ProjectRecord) -> Project:
    """Return a stored earlier project as evidence."""
    assessed_on = None if record.assessed_on is None else date.fromisoformat(record.assessed_on)
    return Project(record.learner_id, record.class_id, date.fromisoformat(record.ended_on), assessed_on)


def survey(record: SurveyRecord) -> Survey:
    """Return a stored survey as evidence."""
    return Survey(record.institution, date.fromisoformat(record.surveyed_on), record.score)


def application(record: ApplicationRecord) -> Application:
    """Return a stored application as evidence."""
    days = (date.fromisoformat(day) for day in (record.applied_on, record.assessment_on))
    return Application(record.class_id, record.window, *days)


def load_class(database: Session, class_id: str, most_learners: int) -> tuple[Evidence, Events]:
    """Return the evidence of a class, and its raw events, unsettled.

    With it come its learners' sessions in other classes, of every platform, and the sessions of anyone that share a
    device, a picture or a timeline with one of the class, or a face with a reference photo of the class: without them
    some rules could not see all they compare.
    Of a device with more than `most_learners` learners, one session of each comes, without events.
    """
    learners = select(EnrolmentRecord.learner_id).where(EnrolmentRecord.class_id == class_id)
    of_class = select(SessionRecord.row_id).join(EnrolmentRecord).where(EnrolmentRecord.class_id == class_id)
    theirs = select(EnrolmentRecord.enrolment_id).where(EnrolmentRecord.learner_id.in_(learners))
    linked = queries.linked(of_class, most_learners)
    alike = queries.like_references_of(class_id)
    chosen = select(SessionRecord).where(or_(SessionRecord.enrolment_id.in_(theirs), linked, alike))
    rows = list(database.scalars(chosen))
    users = queries.label_users(database, of_class, most_learners)
    others = {row.enrolment_id for row in (*rows, *users)}
    likened = select(LikenessRecord.other_id).where(
        LikenessRecord.other_kind == "reference", LikenessRecord.session_row.in_([row.row_id for row in rows])
    )
    others |= set(database.scalars(likened))
    enrolments = select(EnrolmentRecord).where(
        or_(EnrolmentRecord.learner_id.in_(learners), EnrolmentRecord.enrolment_id.in_(others))
    )
    return _load(database, list(database.scalars(enrolments)), rows, users)


def load_records(database: Session, class_ids: Sequence[str], enrolments: Sequence[EnrolmentRecord]) -> Evidence:
    """Return what eligibility rests on beside the ledger: classes, some of their enrolments, and what is said of them.

    Without sessions, pictures and events.
    """
    return _load(database, enrolments, [], class_ids=class_ids)[0]


def load_lesson(database: Session, enrolment_id: str, lesson_no: int) -> tuple[Evidence, Events]:
    """Return the evidence of the sessions of one lesson of an enrolment, and their raw events, unsettled."""
    sessions = select(SessionRecord).where(
        SessionRecord.enrolment_id == enrolment_id, SessionRecord.lesson_no == lesson_no
    )
    return _load(database, [database.get_one(EnrolmentRecord, enrolment_id)], list(database.scalars(sessions)))


def load_around(database: Session, own: Sequence[SessionRecord]) -> tuple[Evidence, Events]:
    """Return the evidence of sessions of one enrolment and of those at the same time, and raw events, unsettled.

    At the same time: of the same learner on any platform, or of anyone on the same device; the first `MOST_AROUND`.
    """
    learner = database.get_one(EnrolmentRecord, own[0].enrolment_id).learner_id
    theirs = select(EnrolmentRecord.enrolment_id).where(EnrolmentRecord.learner_id == learner)
    first = min(record.opened_received_ms for record in own)
    last = max(record.closed_received_ms or record.opened_received_ms + DAY_MS for record in own)
    around = select(SessionRecord).where(
        or_(SessionRecord.enrolment_id.in_(theirs), SessionRecord.device_id.in_({record.device_id for record in own})),
        SessionRecord.opened_received_ms <= last,
        SessionRecord.opened_received_ms >= first - DAY_MS,
        or_(SessionRecord.closed_received_ms.is_(None), SessionRecord.closed_received_ms >= first),
    )
    others = database.scalars(around.order_by(SessionRecord.opened_received_ms).limit(MOST_AROUND))
    rows = list({record.row_id: record for record in (*own, *others)}.values())
    enrolments = select(EnrolmentRecord).where(EnrolmentRecord.enrolment_id.in_({row.enrolment_id for row in rows}))
    return _load(database, list(database.scalars(enrolments)), rows)


def _load(
    database: Session,
    enrolments: Sequence[EnrolmentRecord],
    sessions: Sequence[SessionRecord],
    silent: Sequence[SessionRecord] = (),
    class_ids: Sequence[str] = (),
) -> tuple[Evidence, Events]:
    """Return the evidence of enrolments and their classes, and of further classes where they are named."""
    ids = [record.enrolment_id for record in enrolments]
    class_ids = sorted({record.class_id for record in enrolments} | set(class_ids))
    classes = select(ClassRecord).where(ClassRecord.class_id.in_(class_ids))
    days = select(PracticeRecord).where(PracticeRecord.enrolment_id.in_(ids))
    filed = select(ApplicationRecord).where(ApplicationRecord.class_id.in_(class_ids))
    described = [training_class(record) for record in database.scalars(classes)]
    earlier = select(ProjectRecord).where(ProjectRecord.learner_id.in_({row.learner_id for row in enrolments}))
    asked = select(SurveyRecord).where(SurveyRecord.institution.in_({row.institution for row in described}))
    by_row = {record.row_id: record for record in sessions}
    evidence = assemble(
        classes=described,
        enrolments=[enrolment(record) for record in enrolments],
        sessions=({record.row_id: record for record in silent} | by_row).values(),
        practice=[practice(row) for row in database.scalars(days)],
        projects=[project(row) for row in database.scalars(earlier)],
        surveys=[survey(row) for row in database.scalars(asked)],
        applications=[application(row) for row in database.scalars(filed)],
        decisions=review_rows.decisions_of_classes(database, class_ids),
        **facts_about(database, by_row),
    )
    places = {key: place for place, key in enumerate(evidence.sessions.key)}
    place_of = {row: places[f"{record.platform_id}/{record.session_id}"] for row, record in by_row.items()}
    return evidence, load_events(database, place_of)


def facts_about(database: Session, by_row: dict[int, SessionRecord]) -> dict[str, Any]:
    """Return snapshots, checks, likenesses and told directives of sessions, with BUNDLE's names of their fields.

    Args:
        database: Open for reading.
        by_row: The sessions by `row_id`.
    """
    told = [row for row in _facts(database, DirectiveRecord, by_row) if row.issued_ms is not None]
    return {
        "snapshots": _facts(database, SnapshotRecord, by_row),
        "checks": _facts(database, CheckRecord, by_row),
        "directives": told,
        "likenesses": _facts(database, LikenessRecord, by_row),
    }


def _facts(database: Session, table: type[Any], by_row: dict[int, SessionRecord]) -> list[SimpleNamespace]:
    result = []
    for record in database.scalars(select(table).where(table.session_row.in_(list(by_row)))):
        session = by_row[record.session_row]
        values = {column.key: getattr(record, column.key) for column in table.__table__.columns}
        result.append(SimpleNamespace(platform_id=session.platform_id, session_id=session.session_id, **values))
    return result


def load_events(database: Session, place_of: dict[int, int]) -> Events:
    """Return stored events of sessions and, after them, those kept aside, as columns.

    Args:
        database: Open for reading.
        place_of: By `row_id` of each session, what stands for it in the column `session`.
    """
    aside = select(ConflictRecord).where(ConflictRecord.session_row.in_(list(place_of))).order_by(ConflictRecord.row_id)
    kept = [Chunk(record.session_row, 1, chunk_of([json.loads(record.content)])) for record in database.scalars(aside)]
    return event_chunks.of_sessions(database, place_of, kept)


def event_columns(rows: Sequence[tuple[Any, ...]]) -> Events:
    """Return rows of (session, then `EVENT_COLUMNS`) as columns; `type` is a code, absent values are None."""
    session, seq, kind, at_ms, received_ms, position, start, playing, rate, player, popup = (
        zip(*rows, strict=True) if rows else [()] * (len(EVENT_COLUMNS) + 1)
    )
    players: dict[str, int] = {}
    popups: dict[str, int] = {}
    return Events(
        session=np.array(session, np.int64),
        seq=np.array(seq, np.int32),
        type=np.array(kind, np.int8),
        at_ms=np.array(at_ms, np.int64),
        received_ms=np.array(received_ms, np.int64),
        position_s=np.array(position, np.float64),
        from_s=np.array([np.nan if value is None else value for value in start], np.float64),
        playing=np.array(playing, np.bool_),
        rate=np.array(rate, np.float32),
        player=np.array([players.setdefault(name, len(players)) for name in player], np.int32),
        popup=np.array([-1 if name is None else popups.setdefault(name, len(popups)) for name in popup], np.int32),
        player_names=np.array(list(players), object),
        popup_names=np.array(list(popups), object),
    )
