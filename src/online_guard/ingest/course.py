"""Which class, lesson and enrolment a foreign log means: from a course file, or derived from the log itself."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from online_guard.errors import ErrorKind, Fault, GuardError
from online_guard.ingest.pseudonyms import Pseudonyms
from online_guard.ingest.refusals import Refusal
from online_guard.ingest.rows import ClassRow, EnrolmentRow, Id, LessonRow, SessionRow
from online_guard.ingest.tables import class_fault


@dataclass(frozen=True)
class Place:
    """Where a sitting belongs."""

    platform_id: str
    enrolment_id: str
    learner_id: str
    lesson_no: int
    duration_s: float


class VideoPlace(msgspec.Struct, forbid_unknown_fields=True):
    """A video of the log is a lesson of a class."""

    video: str
    class_id: Id
    lesson_no: int


class ActorPlace(msgspec.Struct, forbid_unknown_fields=True):
    """An actor of the log, by its name there or by its pseudonym, is an enrolment."""

    actor: str
    enrolment_id: Id


class CourseFile(msgspec.Struct, forbid_unknown_fields=True):
    """The content of a course file: rows as in a bundle, and what the log's names mean."""

    classes: list[ClassRow]
    enrolments: list[EnrolmentRow]
    videos: list[VideoPlace]
    actors: list[ActorPlace]


@dataclass(frozen=True)
class Course:
    """Classes and enrolments, and where (actor, video) of a log belongs: a place, or why there is none."""

    classes: list[ClassRow]
    enrolments: list[EnrolmentRow]
    derived: bool
    _lessons: Mapping[str, list[tuple[ClassRow, LessonRow]]]
    _enrolments: Mapping[str, list[EnrolmentRow]] = field(repr=False)

    def place(self, actor: str, video: str, pseudonyms: Pseudonyms) -> Place | Refusal:
        """Return where a sitting belongs."""
        lessons = self._lessons.get(video, [])
        if not lessons:
            return Refusal(f"课程文件里没有该视频 / the course file has no video {video!r:.200}", "videos")
        learner = pseudonyms.of("learner", actor)
        enrolled = [*self._enrolments.get(actor, []), *self._enrolments.get(learner, [])]
        if not enrolled:
            return Refusal(f"课程文件里没有该学员 / the course file has no actor {learner}", "actors")
        fits = [(c, lesson, row) for c, lesson in lessons for row in enrolled if row.class_id == c.class_id]
        if len(fits) != 1:
            words = "没有报该班次" if not fits else "对应多个班次,无法确定"
            reason = f"该学员{words} / {learner} has {len(fits)} enrolments in the classes of video {video!r:.200}"
            return Refusal(reason, "actors")
        training, lesson, row = fits[0]
        return Place(training.platform_id, row.enrolment_id, row.learner_id, lesson.lesson_no, lesson.duration_s)


def read_course(path: Path) -> Course:
    """Return the course of a TOML or JSON file.

    Raises:
        GuardError: the file can't be read, a field is missing, unknown or wrong, or it names what it doesn't hold.
    """
    try:
        text = path.read_bytes()
        decoded = msgspec.json.decode(text) if path.suffix == ".json" else tomllib.loads(text.decode())
        given = msgspec.convert(decoded, CourseFile)
    except OSError as error:
        raise _bad(path, [f"无法读取 / can't be read: {error.strerror}"]) from error
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _bad(path, [str(error)]) from error
    if faults := list(_faults(given)):
        raise _bad(path, faults)
    lessons = {(c.class_id, lesson.lesson_no): (c, lesson) for c in given.classes for lesson in c.lessons}
    enrolments = {row.enrolment_id: row for row in given.enrolments}
    return Course(
        given.classes,
        given.enrolments,
        False,
        _grouped((row.video, lessons[row.class_id, row.lesson_no]) for row in given.videos),
        _grouped((row.actor, enrolments[row.enrolment_id]) for row in given.actors),
    )


def session_row(
    place: Place, session_id: str, opened_at_ms: int, opened_received_ms: int, device_id: str
) -> SessionRow:
    """Return the session of a sitting."""
    return SessionRow(
        platform_id=place.platform_id,
        session_id=session_id,
        enrolment_id=place.enrolment_id,
        lesson_no=place.lesson_no,
        opened_at_ms=opened_at_ms,
        opened_received_ms=opened_received_ms,
        device_id=device_id,
    )


def _grouped(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for name, value in pairs:
        if value not in groups.setdefault(name, []):
            groups[name].append(value)
    return groups


def _faults(given: CourseFile) -> Iterable[str]:
    """Yield what is wrong between the rows of a course file, whose fields are each right."""
    for name, ids in (
        ("classes", [row.class_id for row in given.classes]),
        ("enrolments", [row.enrolment_id for row in given.enrolments]),
    ):
        yield from (
            f"主键重复 / given twice - at `$.{name}`: {key}" for key in sorted({i for i in ids if ids.count(i) > 1})
        )
    classes = {row.class_id: row for row in given.classes}
    for place, training in enumerate(given.classes):
        if fault := class_fault(training):
            yield f"{fault.reason} - at `$.classes[{place}].{fault.field}`"
    for place, enrolment in enumerate(given.enrolments):
        if enrolment.class_id not in classes:
            yield f"没有该班次 / no such class - at `$.enrolments[{place}].class_id`: {enrolment.class_id}"
    for place, video in enumerate(given.videos):
        lessons = (
            {lesson.lesson_no for lesson in classes[video.class_id].lessons} if video.class_id in classes else set()
        )
        if video.lesson_no not in lessons:
            where = f"$.videos[{place}]"
            yield f"没有该课程 / no such lesson - at `{where}`: {video.class_id}/{video.lesson_no}"
    known = {row.enrolment_id for row in given.enrolments}
    for place, actor in enumerate(given.actors):
        if actor.enrolment_id not in known:
            yield f"没有该报名 / no such enrolment - at `$.actors[{place}].enrolment_id`: {actor.enrolment_id}"


def _bad(path: Path, faults: list[str]) -> GuardError:
    return GuardError(
        ErrorKind.INVALID,
        "ingest.bad_course",
        faults[0],
        where=str(path),
        remedy="格式见 docs/adapters.md / docs/adapters.md shows the form",
        faults=tuple(Fault(str(path), fault) for fault in faults),
    )
