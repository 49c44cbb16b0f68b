"""Who may sit which assessment: the tests E01 to E12 of SPEC section 6, each with its clause and evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from online_guard.assessment.suspension import suspensions
from online_guard.assessment.windows import add_months, window_of
from online_guard.evidence import Application, Enrolment, Evidence, Project, Survey, TrainingClass
from online_guard.ledger import LedgerEntry, hours_of
from online_guard.policy import Policy
from online_guard.policy.sections import VocationalCertificate
from online_guard.terms import CertificateRoute, Mode

HOURS_NOISE = 1e-9
Details = dict[str, Any]


@dataclass(frozen=True)
class Test:
    """One test: its clause in the notice and what it asks."""

    clause: str
    zh: str
    en: str


TESTS: dict[str, Test] = {
    "E01": Test("附件3", "职业(工种)可按本班培训方式开展", "the occupation may run in the class's mode"),
    "E02": Test("(四)21(3)", "由企业申请考核", "the applicant is an enterprise"),
    "E03": Test("附件2", "认定学时达到本班要求", "the ledger's hours reach what the class requires"),
    "E04": Test("(四)21(2)", "线下实训不少于8学时", "at least 8 class hours of offline practice"),
    "E05": Test("(四)20", "只领合格证书的培训不少于40学时", "at least 40 class hours for a completion certificate"),
    "E06": Test("附件2", "没有待复核的疑点", "nothing waits for a decision"),
    "E07": Test("(四)21(2)", "本班各项管控均已设置", "no control is missing for the class"),
    "E08": Test("(四)21(2)", "上一项目已考核且间隔满一个月", "the previous project was assessed a month before"),
    "E09": Test("附件2", "提前3天申请,考核在批次月份内且在结班之后", "an application in time, for a day in the window"),
    "E10": Test("(四)21(1)", "每班不超过80人,师生比1:20以内", "at most 80 learners, 20 per teacher"),
    "E11": Test("(四)21(3)", "开班时机构未被停班整改", "the institution was not suspended"),
    "E12": Test("(四)21(3)", "该职业没有其他证书可取得", "the occupation has no vocational certificate"),
}


@dataclass(frozen=True)
class Eligibility:
    """Whether a learner may sit the assessment, and every test that failed or couldn't be confirmed."""

    class_id: str
    window: str | None
    enrolment_id: str
    eligible: bool
    failed: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    evidence: Mapping[str, Mapping[str, Any]]

    def as_row(self) -> dict[str, Any]:
        """Return the row of `eligibility.ndjson`."""
        return {
            "class_id": self.class_id,
            "window": self.window,
            "enrolment_id": self.enrolment_id,
            "eligible": self.eligible,
            "failed": list(self.failed),
            "unconfirmed": list(self.unconfirmed),
            "evidence": {code: dict(found) for code, found in self.evidence.items()},
        }


@dataclass(frozen=True)
class Waiting:
    """What waits or stands against an enrolment or its class: subjects in words, for E06 and E07.

    of_enrolment: held sessions and waiting findings of its lessons and itself. of_class: waiting findings of the
    class. controls_missing: whether an OG901 stands.
    """

    of_enrolment: Mapping[str, Sequence[str]]
    of_class: Mapping[str, Sequence[str]]
    controls_missing: frozenset[str]


@dataclass(frozen=True)
class _Books:
    """Look-ups over the evidence, made once."""

    hours: Mapping[str, float]
    practice: Mapping[str, Sequence[tuple[date, float]]]
    projects: Mapping[str, Sequence[Project]]
    surveys: Mapping[str, Sequence[Survey]]
    applications: Mapping[str, Sequence[Application]]
    members: Mapping[str, Sequence[Enrolment]]


def assess(evidence: Evidence, entries: Sequence[LedgerEntry], waiting: Waiting, policy: Policy) -> list[Eligibility]:
    """Return a row for each application and member of its class; `window` None for a class without application.

    Args:
        evidence: Classes, enrolments, practice, projects, surveys and applications.
        entries: The ledger.
        waiting: What waits for a decision, and where controls are missing.
        policy: Thresholds and Annex 3.
    """
    books = _open_books(evidence, entries)
    rows = []
    for training_class in evidence.classes:
        of_class = _class_tests(training_class, books, policy)
        filed_ones: Sequence[Application | None] = books.applications.get(training_class.class_id) or (None,)
        for application in filed_ones:
            filed = _application_tests(training_class, application, policy)
            for enrolment in books.members.get(training_class.class_id, ()):
                own = _enrolment_tests(training_class, enrolment, application, books, waiting, policy)
                found = {**of_class, **filed, **dict(own)}
                rows.append(_row(training_class, enrolment, application, found, policy))
    return sorted(rows, key=lambda row: (row.class_id, row.window or "", row.enrolment_id))


def of_application(
    evidence: Evidence, training_class: TrainingClass, application: Application, policy: Policy
) -> dict[str, Details]:
    """Return the evidence of the failed tests that hang on no learner: E01, E02, E09, E10, E11."""
    of_class = _class_tests(training_class, _open_books(evidence, ()), policy)
    found = of_class | _application_tests(training_class, application, policy)
    return {code: {"clause": TESTS[code].clause, **details} for code, details in sorted(found.items())}


def _open_books(evidence: Evidence, entries: Sequence[LedgerEntry]) -> _Books:
    practice, projects = defaultdict(list), defaultdict(list)
    surveys, applications, members = defaultdict(list), defaultdict(list), defaultdict(list)
    for day in evidence.practice:
        practice[day.enrolment_id].append((day.on, day.class_hours))
    for project in evidence.projects:
        projects[project.learner_id].append(project)
    for survey in evidence.surveys:
        surveys[survey.institution].append(survey)
    for application in evidence.applications:
        applications[application.class_id].append(application)
    for enrolment in evidence.enrolments:
        members[enrolment.class_id].append(enrolment)
    return _Books(hours_of(entries), practice, projects, surveys, applications, members)


def _class_tests(training_class: TrainingClass, books: _Books, policy: Policy) -> dict[str, Details]:
    """Return the evidence of the failed tests about the class alone: E01, E02, E10, E11."""
    failed: dict[str, Details] = {}
    if not policy.occupations.may_run(training_class.occupation, training_class.mode):
        failed["E01"] = {"occupation": training_class.occupation, "mode": str(training_class.mode)}
    if training_class.applicant_kind is not policy.assessment.applicant:
        failed["E02"] = {"applicant_kind": str(training_class.applicant_kind)}
    learners = len({member.learner_id for member in books.members.get(training_class.class_id, ())})
    limits = policy.training_class
    if learners > limits.max_learners or learners > training_class.teachers * limits.learners_per_teacher:
        failed["E10"] = {
            "learners": learners,
            "teachers": training_class.teachers,
            "limit": min(limits.max_learners, training_class.teachers * limits.learners_per_teacher),
        }
    suspended = [
        one.surveyed_on.isoformat()
        for one in suspensions(books.surveys.get(training_class.institution, ()), policy)
        if one.covers(training_class.starts_on)
    ]
    if suspended:
        failed["E11"] = {"surveyed_on": suspended, "limit": policy.satisfaction.minimum}
    return failed


def _application_tests(
    training_class: TrainingClass, application: Application | None, policy: Policy
) -> dict[str, Details]:
    """Return the evidence of E09 if it fails."""
    if application is None:
        return {"E09": {"applied_on": None, "assessment_on": None}}
    day = application.assessment_on
    in_time = (day - application.applied_on).days >= policy.assessment.notice_days
    in_window = window_of(day) == application.window and day.month in policy.assessment.months
    if in_time and in_window and day > training_class.ends_on:
        return {}
    return {
        "E09": {
            "applied_on": application.applied_on.isoformat(),
            "assessment_on": day.isoformat(),
            "window": application.window,
            "notice_days": policy.assessment.notice_days,
            "ends_on": training_class.ends_on.isoformat(),
        }
    }


def _enrolment_tests(
    training_class: TrainingClass,
    enrolment: Enrolment,
    application: Application | None,
    books: _Books,
    waiting: Waiting,
    policy: Policy,
) -> Iterator[tuple[str, Details]]:
    """Yield the evidence of the failed tests about one enrolment: E03 to E08."""
    hours = books.hours.get(enrolment.enrolment_id, 0.0)
    until = application.assessment_on if application else date.max
    practised = sum(
        amount
        for day, amount in books.practice.get(enrolment.enrolment_id, ())
        if training_class.starts_on <= day <= until
    )
    if hours < training_class.required_online_hours - HOURS_NOISE:
        yield "E03", {"value": round(hours, 6), "limit": training_class.required_online_hours}
    least = policy.offline.min_practice_hours
    if training_class.mode is Mode.BLENDED and practised < least - HOURS_NOISE:
        yield "E04", {"value": round(practised, 6), "limit": least}
    whole = policy.hours.certificate_minimum
    completion = training_class.certificate_route is CertificateRoute.COMPLETION
    if completion and hours + practised < whole - HOURS_NOISE:
        yield "E05", {"value": round(hours + practised, 6), "limit": whole}
    open_ = [
        *waiting.of_enrolment.get(enrolment.enrolment_id, ()),
        *waiting.of_class.get(training_class.class_id, ()),
    ]
    if open_:
        yield "E06", {"waiting": sorted(open_)}
    if training_class.class_id in waiting.controls_missing:
        yield "E07", {}
    resting = _too_soon(training_class, books.projects.get(enrolment.learner_id, ()), policy)
    if resting:
        yield "E08", {"projects": resting, "rest_months": policy.assessment.rest_months}


def _too_soon(training_class: TrainingClass, projects: Sequence[Project], policy: Policy) -> list[str]:
    """Return the learner's earlier projects that weren't assessed, or less than the rest before this class."""
    return sorted(
        project.class_id
        for project in projects
        if project.class_id != training_class.class_id
        and project.ended_on <= training_class.ends_on
        and (
            project.assessed_on is None
            or add_months(project.assessed_on, policy.assessment.rest_months) > training_class.starts_on
        )
    )


def _row(
    training_class: TrainingClass,
    enrolment: Enrolment,
    application: Application | None,
    found: Mapping[str, Details],
    policy: Policy,
) -> Eligibility:
    """Return the row, with E12, which may be unconfirmed instead of failed."""
    evidence = {code: {"clause": TESTS[code].clause, **details} for code, details in found.items()}
    unconfirmed: tuple[str, ...] = ()
    if training_class.certificate_route is CertificateRoute.COMPLETION:
        certificate = policy.occupations.vocational_certificate(training_class.occupation)
        if certificate is not VocationalCertificate.NO:
            evidence["E12"] = {"clause": TESTS["E12"].clause, "occupation": training_class.occupation}
            unconfirmed = ("E12",) if certificate is VocationalCertificate.UNKNOWN else ()
    failed = tuple(sorted(set(evidence) - set(unconfirmed)))
    return Eligibility(
        class_id=training_class.class_id,
        window=application.window if application else None,
        enrolment_id=enrolment.enrolment_id,
        eligible=not failed,
        failed=failed,
        unconfirmed=unconfirmed,
        evidence=dict(sorted(evidence.items())),
    )
