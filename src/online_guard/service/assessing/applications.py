"""Applications of classes for an assessment window (clause (四)21(3), Annex 2)."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from online_guard.assessment import eligibility
from online_guard.assessment.eligibility import Waiting, assess
from online_guard.assessment.situation import Situations
from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import day_of
from online_guard.policy import Policy
from online_guard.service.assessing.assessment import is_admitted, told_rows, told_tests
from online_guard.service.house import House, clock_ms
from online_guard.store import assessment_rows, evidence_loader, queries
from online_guard.store.tables import ApplicationRecord, ClassRecord, EnrolmentRecord
from online_guard.store.unit_of_work import writing
from online_guard.terms import LABELS, CertificateRoute, Paper

Row = dict[str, Any]


@dataclass(frozen=True)
class Filing:
    """An application as it is posted; the last three may be left out.

    Attributes:
        class_id: Whose assessment is applied for.
        window: Such as `2021-08`.
        applied_on: Day of the application.
        assessment_on: Day wanted.
        certificate_route: One of the five of Annex 2, which must be the class's.
        papers: Which papers of Annex 2 are there.
        task_row: Row of Annex 1.
    """

    class_id: str
    window: str
    applied_on: date
    assessment_on: date
    certificate_route: CertificateRoute | None = None
    papers: frozenset[Paper] | None = None
    task_row: int | None = None


def apply(house: House, filing: Filing, platform_id: str | None, now_ms: int) -> tuple[bool, Row]:
    """Keep an application, whatever its tests say; return whether it is new, what was kept, and who is refused why.

    The same again is the same application; only papers, route and task that it lacked can be added to it.

    Raises:
        GuardError: No such class, another application of the class for the window, a route that isn't the
            class's, or a task that Annex 1 doesn't have.
    """
    with writing(house.engine) as database:
        owner = queries.own_class(database, filing.class_id, platform_id)
        _check_route(owner, filing)
        _check_task(house.policy, filing)
        record = database.get(ApplicationRecord, (filing.class_id, filing.window))
        is_new = record is None
        if record is None:
            record = ApplicationRecord(**_key(filing))
            database.add(record)
        elif not _agrees(record, filing):
            raise GuardError(
                ErrorKind.CONFLICT,
                "application.exists",
                "该班次在此批次已有另一申请 / the class has another application for this window",
                where="/class_id",
            )
        if _complete(record, filing) or is_new:
            assessment_rows.log_application(database, record)
        told = _told(database, record) | _known(database, house.policy, record, day_of(now_ms))
        if is_new:
            queries.enqueue(database, [filing.class_id], clock_ms())
    if is_new:
        house.work.set()
    return is_new, told


def _check_route(owner: ClassRecord, filing: Filing) -> None:
    route = json.loads(owner.body)["certificate_route"]
    if filing.certificate_route not in (None, route):
        raise GuardError(
            ErrorKind.CONFLICT,
            "application.other_route",
            f"与班次登记的取证途径不同 / the class has another certificate route: {route}",
            where="/certificate_route",
            remedy="请更正申请或班次 / correct the application, or the class.",
        )


def _check_task(policy: Policy, filing: Filing) -> None:
    numbers = [task.no for task in policy.tasks.rows]
    if filing.task_row is not None and filing.task_row not in numbers:
        raise GuardError(
            ErrorKind.INVALID,
            "application.unknown_task",
            f"附件1没有此序号 / Annex 1 has no such row: {filing.task_row}",
            where="/task_row",
            remedy=f"可填 / one of: {', '.join(map(str, numbers))}",
        )


def _key(filing: Filing) -> Row:
    days = {name: getattr(filing, name).isoformat() for name in ("applied_on", "assessment_on")}
    return {"class_id": filing.class_id, "window": filing.window} | days


def _agrees(record: ApplicationRecord, filing: Filing) -> bool:
    """Return whether what is posted contradicts nothing that is kept."""
    task = record.task_row in (None, filing.task_row) or filing.task_row is None
    return task and all(getattr(record, name) == value for name, value in _key(filing).items())


def _complete(record: ApplicationRecord, filing: Filing) -> bool:
    """Add what the application lacked; return whether there was something."""
    before = record.certificate_route, record.papers, record.task_row
    if filing.certificate_route is not None:
        record.certificate_route = str(filing.certificate_route)
    if filing.papers is not None:
        papers = {*map(str, filing.papers), *json.loads(record.papers or "[]")}
        record.papers = json.dumps(sorted(papers))
    if filing.task_row is not None:
        record.task_row = filing.task_row
    return before != (record.certificate_route, record.papers, record.task_row)


def _told(database: Session, record: ApplicationRecord) -> Row:
    """Return what is kept; what was left out isn't told."""
    names = ("class_id", "window", "applied_on", "assessment_on", "certificate_route", "task_row")
    told = {name: value for name in names if (value := getattr(record, name)) is not None}
    if record.papers is None:
        return told
    papers = json.loads(record.papers)
    return told | {"papers": papers, "missing_papers": _missing(database, record.class_id, papers)}


def _missing(database: Session, class_id: str, papers: Collection[str]) -> list[Row]:
    """Return the papers of Annex 2 that aren't there; leave slips are wanted only where somebody had leave."""
    leave = any(json.loads(row.leave) for row in queries.of_class(database, EnrolmentRecord, class_id))
    wanted = [paper for paper in Paper if leave or paper is not Paper.LEAVE_SLIPS]
    words = [(paper, *LABELS[paper]) for paper in wanted if str(paper) not in papers]
    return [{"paper": str(paper), "zh": zh, "en": en} for paper, zh, en in words]


def _known(database: Session, policy: Policy, record: ApplicationRecord, today: date) -> Row:
    """Return what of eligibility is known already: the class's failed tests, and the learners that are refused.

    While the class waits for a verification, nothing is known of its learners. Nothing is said where nothing fails.
    """
    pending = queries.is_pending(database, record.class_id)
    members = queries.of_class(database, EnrolmentRecord, record.class_id)
    records = evidence_loader.load_records(database, [record.class_id], members)
    (training_class,) = records.classes
    of_class = eligibility.of_application(records, training_class, evidence_loader.application(record), policy)
    tests = told_tests(of_class, Situations(records, (), policy, today).of(record.class_id, record.window, None))
    told = {"failed": list(of_class), "evidence": of_class, "tests": tests} if of_class else {}
    if pending and members:
        return told | {"pending": True}
    entries = assessment_rows.ledgers(database, [member.enrolment_id for member in members])
    rows = [
        row.as_row()
        for row in assess(records, entries, _waiting(database, record.class_id), policy)
        if row.window == record.window
    ]
    refused = [row for row in told_rows(database, rows, policy, today) if not is_admitted(row)]
    return told | ({"refused": refused} if refused else {})


def _waiting(database: Session, class_id: str) -> Waiting:
    """Return what waited at the class's last verification, as its rows of eligibility say."""
    of_enrolment: dict[str, list[str]] = {}
    missing = set()
    for row in queries.results_of_class(database, "eligibility", class_id):
        if "E06" in row["evidence"]:
            of_enrolment[row["enrolment_id"]] = row["evidence"]["E06"]["waiting"]
        if "E07" in row["evidence"]:
            missing.add(class_id)
    return Waiting(of_enrolment, {}, frozenset(missing))
