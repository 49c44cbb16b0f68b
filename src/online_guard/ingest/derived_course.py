"""The course that stands in for the one a log doesn't tell: one class of a platform, a lesson for each video."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from online_guard.evidence import civil_day
from online_guard.ingest.course import Course
from online_guard.ingest.pseudonyms import Pseudonyms
from online_guard.ingest.rows import ClassRow, EnrolmentRow, LessonRow
from online_guard.terms import ApplicantKind, CertificateRoute, LessonKind, Mode

UNKNOWN = "未知 unknown"
DERIVED_CLASS_HOURS = 1.0
"""A derived lesson counts one class hour; OG701 then refuses it when it is shorter than one."""


@dataclass(frozen=True)
class WatchedVideo:
    """What a log tells of a video: first and last moment in ms, its length in seconds (0: nothing tells)."""

    video: str
    first_ms: int
    last_ms: int
    length_s: float


def derived_class_id(platform_id: str) -> str:
    """Return the id of the class that stands in for those which a platform's logs don't tell."""
    return f"{platform_id}-derived"


def derive_course(
    watched: Iterable[WatchedVideo],
    actors: Iterable[str],
    pseudonyms: Pseudonyms,
    platform_id: str,
    known: ClassRow | None = None,
) -> Course:
    """Return a course that stands in for the one a log doesn't tell: one class, a lesson for each video.

    One that was derived from earlier logs grows: its lessons keep their numbers, new videos come behind them.

    Lessons are numbered by the first appearance of their videos and are `general`: their order isn't known, so that
    OG501 doesn't judge it. Applicant and occupation are unknown, so that nobody becomes eligible by them.
    """
    videos = sorted(watched, key=lambda row: (row.first_ms, row.video))
    if not videos:
        return Course([], [], True, {}, {})
    training = _derived_class(videos, platform_id)
    if known is not None:
        training = _grown(known, training)
    enrolments = {
        actor: EnrolmentRow(
            enrolment_id=pseudonyms.of("enrolment", actor),
            class_id=training.class_id,
            learner_id=pseudonyms.of("learner", actor),
        )
        for actor in sorted(actors)
    }
    lessons = {lesson.title: lesson for lesson in training.lessons}
    of_video = {row.video: [(training, lessons[row.video])] for row in videos}
    return Course([training], [*enrolments.values()], True, of_video, {a: [row] for a, row in enrolments.items()})


def _derived_class(videos: Sequence[WatchedVideo], platform_id: str) -> ClassRow:
    """Return the class whose lessons are the videos."""
    lessons = [
        LessonRow(
            lesson_no=place,
            title=row.video,
            kind=LessonKind.GENERAL,
            duration_s=max(row.length_s, 1.0),
            class_hours=DERIVED_CLASS_HOURS,
        )
        for place, row in enumerate(videos, 1)
    ]
    days = civil_day(np.array([min(row.first_ms for row in videos), max(row.last_ms for row in videos)])).tolist()
    return ClassRow(
        class_id=derived_class_id(platform_id),
        platform_id=platform_id,
        institution=UNKNOWN,
        applicant_kind=ApplicantKind.INSTITUTION,
        applicant="",
        occupation=UNKNOWN,
        mode=Mode.ONLINE,
        certificate_route=CertificateRoute.SKILL_LEVEL,
        starts_on=days[0],
        ends_on=days[1],
        required_online_hours=DERIVED_CLASS_HOURS * len(lessons),
        teachers=1,
        lessons=lessons,
    )


def _grown(known: ClassRow, derived: ClassRow) -> ClassRow:
    """Return a class derived earlier with what a later log shows: more videos, longer ones, other days."""
    lengths = {lesson.title: lesson.duration_s for lesson in derived.lessons}
    kept = [replace(row, duration_s=max(row.duration_s, lengths.get(row.title, 0.0))) for row in known.lessons]
    titles = {row.title for row in kept}
    added = [row for row in derived.lessons if row.title not in titles]
    last = max((row.lesson_no for row in kept), default=0)
    lessons = [*kept, *(replace(row, lesson_no=last + place) for place, row in enumerate(added, 1))]
    return replace(
        known,
        starts_on=min(known.starts_on, derived.starts_on),
        ends_on=max(known.ends_on, derived.ends_on),
        required_online_hours=DERIVED_CLASS_HOURS * len(lessons),
        lessons=lessons,
    )
