"""Bodies of requests: strict, without unknown keys, with limits."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from online_guard.evidence import Leave, Lesson, TrainingClass
from online_guard.ingest.live import moment_ms
from online_guard.ingest.rows import INT32, LATEST_MS
from online_guard.redaction import holds_number
from online_guard.service.assessing.applications import Filing
from online_guard.terms import (
    Answer,
    ApplicantKind,
    CaseState,
    CertificateRoute,
    DecisionKind,
    FaceChecks,
    LessonKind,
    Mode,
    Paper,
    Subject,
    Verdict,
)

Id = Annotated[str, StringConstraints(pattern=r"^[^/\x00-\x1f\x7f-\x9f]{1,128}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Hours = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False, strict=True)]
Window = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


def _moment(value: object) -> object:
    return moment_ms(value) if isinstance(value, str) else value


def _moment_in_query(value: object) -> object:
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value) else _moment(value)


def _day(value: object) -> date:
    """Return a civil date; a number or a time isn't one, though Pydantic would take it for one."""
    if not isinstance(value, str) or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("日期应为 YYYY-MM-DD / a civil date is YYYY-MM-DD")
    return date.fromisoformat(value)


_IN_RANGE = Field(ge=0, le=LATEST_MS, strict=True, description="毫秒,或带时区的 RFC 3339 / ms, or RFC 3339 with offset")
Moment = Annotated[int, BeforeValidator(_moment, json_schema_input_type=int | str), _IN_RANGE]
MomentInQuery = Annotated[int, BeforeValidator(_moment_in_query, json_schema_input_type=int | str), _IN_RANGE]
Day = Annotated[date, BeforeValidator(_day)]


def _names_nobody(text: str) -> str:
    if holds_number(text):
        raise ValueError("请勿写入身份证号或电话 / leave out identity and phone numbers")
    return text


NAMES_NOBODY = AfterValidator(_names_nobody)
"""Free text that is kept for good and shown to others holds no identity or phone number."""


class Body(BaseModel):
    """A body of a request."""

    model_config = ConfigDict(extra="forbid", strict=False, frozen=True)


class LessonBody(Body):
    """A lesson of a syllabus."""

    lesson_no: Annotated[int, Field(ge=1, le=INT32, strict=True)]
    title: Annotated[str, StringConstraints(max_length=500)]
    kind: LessonKind
    duration_s: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False, strict=True)]
    class_hours: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False, strict=True)]


class ClassBody(Body):
    """A class with its syllabus, as in BUNDLE."""

    class_id: Id | None = None
    platform_id: Id | None = None
    institution: Text
    applicant_kind: ApplicantKind
    applicant: Text
    occupation: Text
    mode: Mode
    certificate_route: CertificateRoute
    starts_on: Day
    ends_on: Day
    required_online_hours: Hours
    teachers: Annotated[int, Field(ge=0, le=10_000, strict=True)]
    lessons: Annotated[list[LessonBody], Field(min_length=1, max_length=1_000)]

    @model_validator(mode="after")
    def _consistent(self) -> ClassBody:
        if self.ends_on < self.starts_on:
            raise ValueError("结束日期早于开班日期 / ends_on lies before starts_on")
        numbers = [lesson.lesson_no for lesson in self.lessons]
        if len(set(numbers)) != len(numbers):
            raise ValueError("lesson_no 重复 / a lesson_no stands twice")
        return self

    def typed(self, class_id: str, platform_id: str) -> TrainingClass:
        """Return the class of a platform, its lessons in order."""
        lessons = sorted((Lesson(**lesson.model_dump()) for lesson in self.lessons), key=lambda one: one.lesson_no)
        return TrainingClass(
            **self.model_dump() | {"class_id": class_id, "platform_id": platform_id, "lessons": tuple(lessons)}
        )


class LeaveBody(Body):
    """A learner's leave."""

    from_on: Day
    to_on: Day
    approved: Annotated[bool, Field(strict=True)]

    @model_validator(mode="after")
    def _in_order(self) -> LeaveBody:
        if self.to_on < self.from_on:
            raise ValueError("请假结束日期早于开始日期 / to_on is before from_on")
        return self


class EnrolmentBody(Body):
    """A learner."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    identity_number: Annotated[str, StringConstraints(max_length=40)]
    applicant: Text | None = None
    face_checks: FaceChecks = FaceChecks.REQUIRED
    leave: Annotated[list[LeaveBody], Field(max_length=100)] = []

    def leaves(self) -> list[Leave]:
        """Return the periods of leave."""
        return [Leave(**period.model_dump()) for period in self.leave]


class OpeningBody(Body):
    """The opening of a session."""

    platform_id: Id | None = None
    session_id: Id
    enrolment_id: Id
    lesson_no: Annotated[int, Field(ge=1, le=INT32, strict=True)]
    opened_at_ms: Moment
    device_id: Id
    user_agent: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    ip: Annotated[str, StringConstraints(max_length=64)] | None = None


class DrawBody(Body):
    """Nothing: a challenge is the service's own, and so is what comes of it."""


class ClaimedLessonBody(Body):
    """Hours claimed for a lesson."""

    lesson_no: Annotated[int, Field(ge=1, le=INT32, strict=True)]
    hours: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False, strict=True)]


class ClaimBody(Body):
    """A claim of hours."""

    claim_id: Id | None = None
    lessons: Annotated[list[ClaimedLessonBody], Field(min_length=1, max_length=1_000)]

    @model_validator(mode="after")
    def _once_each(self) -> ClaimBody:
        numbers = [lesson.lesson_no for lesson in self.lessons]
        if len(set(numbers)) != len(numbers):
            raise ValueError("同一课重复申报 / a lesson is claimed twice")
        return self


class PracticeBody(Body):
    """Attended practice of a day; `video_minutes` of continuous video per class hour."""

    enrolment_id: Id | None = None
    identity_number: Annotated[str, StringConstraints(max_length=40)] | None = None
    on: Day
    class_hours: Annotated[float, Field(gt=0, le=24, allow_inf_nan=False, strict=True)]
    video_minutes: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False, strict=True)] | None = None


Mark = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)]


class ResultBody(Body):
    """What became of a learner in an assessment; `corrects`: the version that this one takes the place of."""

    class_id: Id | None = None
    enrolment_id: Id | None = None
    identity_number: Annotated[str, StringConstraints(max_length=40)] | None = None
    absent: Annotated[bool, Field(strict=True)] = False
    assessed_on: Day | None = None
    theory_mark: Mark | None = None
    practice_mark: Mark | None = None
    passed: Annotated[bool, Field(strict=True)] | None = None
    certificate_route: CertificateRoute | None = None
    certificate_number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)] | None = (
        None
    )
    corrects: Annotated[int, Field(ge=1, le=1_000, strict=True)] | None = None


class ApplicationBody(Body):
    """An application for an assessment; route, papers (Annex 2) and the row of Annex 1 may be left out."""

    class_id: Id
    applied_on: Day
    assessment_on: Day
    certificate_route: CertificateRoute | None = None
    papers: Annotated[list[Paper], Field(max_length=len(Paper))] | None = None
    task_row: Annotated[int, Field(ge=1, le=1_000, strict=True)] | None = None

    def filing(self, window: str) -> Filing:
        """Return the application for a window."""
        papers = None if self.papers is None else frozenset(self.papers)
        return Filing(**dict(self) | {"window": window, "papers": papers})


class ConfirmationBody(Body):
    """What an assessor says of a test that lacked data."""

    code: Annotated[str, StringConstraints(pattern=r"^E[0-9]{2}$")]
    answer: Answer
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), NAMES_NOBODY]


class SurveyBody(Body):
    """A satisfaction survey of an institution."""

    institution: Text
    surveyed_on: Day
    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
    asked: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class DecisionBody(Body):
    """What an auditor says of a finding."""

    decision: DecisionKind
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), NAMES_NOBODY]


class SeenDecisionBody(DecisionBody):
    """What an auditor says of a finding, with the version of its case that they saw."""

    finding_id: Id
    seen: Annotated[str, StringConstraints(max_length=100)] | None = None


class DecisionsBody(Body):
    """What an auditor says of several findings."""

    decisions: Annotated[list[SeenDecisionBody], Field(min_length=1, max_length=200)]


class NextCaseBody(Body):
    """Among which cases the next one is sought, as the filters of the queue; which aren't meant; whether to take it."""

    state: list[CaseState] = []
    platform_id: Id | None = None
    class_id: Id | None = None
    rule: Id | None = None
    verdict: Verdict | None = None
    subject: Subject | None = None
    but: Annotated[list[Id], Field(max_length=400)] = []
    take: Annotated[bool, Field(strict=True)] = True


class SavedViewBody(Body):
    """A view of the queue: the query of its address."""

    query: Annotated[str, StringConstraints(max_length=600)]


class AppealBody(Body):
    """An appeal against a finding."""

    appellant: Literal["learner", "platform"] = "learner"
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5_000), NAMES_NOBODY]


class NoticeBody(Body):
    """The lessons that a notice refuses; without any, all that the ledger refuses."""

    lessons: Annotated[list[Annotated[int, Field(ge=1, le=INT32, strict=True)]], Field(max_length=1_000)] = []
