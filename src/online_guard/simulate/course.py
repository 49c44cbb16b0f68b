"""A made-up class of a made-up platform, its learners each with one way of studying, and the bundle of all that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from online_guard.evidence import CHINA_OFFSET_MS, DAY_MS
from online_guard.simulate.cheats import CHEATS
from online_guard.simulate.honest import Desk, study_with_incidents
from online_guard.simulate.recorder import Service
from online_guard.simulate.tape import Row, Tape
from online_guard.simulate.ways import DOUBTFUL_WAYS, HONEST_WAYS
from online_guard.terms import LessonKind

FIRST_DAY = date(2021, 6, 1)
LAST_DAY = date(2021, 7, 20)
TITLES = ("电子商务法规与平台规则", "店铺运营与数据分析", "职业道德与劳动法")
KINDS = (LessonKind.PROFESSIONAL, LessonKind.PROFESSIONAL, LessonKind.GENERAL)
WAYS: tuple[str, ...] = (*HONEST_WAYS, *CHEATS)
"""Every way of studying that can be simulated, honest ones first."""


@dataclass(frozen=True)
class Plan:
    """How one learner studies: an honest way, or which lesson is cheated how (a cheat of two lessons by its last)."""

    honest: str = "plain"
    cheats: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, way: str) -> Plan:
        """Return the plan of one of the `WAYS`: a cheat in the last lesson, or in the first two where it takes two."""
        if way in HONEST_WAYS:
            return cls(honest=way)
        return cls(cheats={2 if CHEATS[way].lessons == 2 else len(TITLES): way})


@dataclass(frozen=True)
class Course:
    """A class of three lessons of one class hour each, two of them professional."""

    class_id: str = "2021-ds-01"
    platform_id: str = "hc-online"
    duration_s: float = 2400.0
    teachers: int = 2
    practice_hours: float = 8

    def class_row(self) -> Row:
        """Return the class as a row of the bundle."""
        lessons = [
            {"lesson_no": number, "title": title, "kind": str(kind), "duration_s": self.duration_s, "class_hours": 1.0}
            for number, (title, kind) in enumerate(zip(TITLES, KINDS, strict=True), 1)
        ]
        return {
            "class_id": self.class_id,
            "platform_id": self.platform_id,
            "institution": "示例职业培训学校",
            "applicant_kind": "enterprise",
            "applicant": "示例电子商务有限公司",
            "occupation": "电子商务师",
            "mode": "blended",
            "certificate_route": "skill_level",
            "starts_on": FIRST_DAY.isoformat(),
            "ends_on": LAST_DAY.isoformat(),
            "required_online_hours": float(len(lessons)),
            "teachers": self.teachers,
            "lessons": lessons,
        }

    def application_row(self) -> Row:
        """Return the enterprise's application for the window of August."""
        return {
            "class_id": self.class_id,
            "window": "2021-08",
            "applied_on": "2021-08-02",
            "assessment_on": "2021-08-14",
        }

    def practice_row(self, enrolment_id: str) -> Row:
        """Return the attended practice of a learner."""
        return {
            "enrolment_id": enrolment_id,
            "on": LAST_DAY.isoformat(),
            "class_hours": self.practice_hours,
        }

    def desk(self, service: Service, enrolment_id: str, rng: Random) -> Desk:
        """Return the desk of a learner who begins on some day of the class at a decent hour."""
        day = FIRST_DAY + timedelta(days=rng.randint(3, 20))
        midnight_ms = _midnight_ms(day)
        begins_ms = midnight_ms + rng.randint(8 * 3_600_000, 16 * 3_600_000)
        durations_s = dict.fromkeys(range(1, len(TITLES) + 1), self.duration_s)
        skew_ms = rng.randint(-90_000, 90_000)
        return Desk(
            service,
            self.platform_id,
            enrolment_id,
            durations_s,
            begins_ms,
            rng,
            skew_ms=skew_ms,
        )


def study(desk: Desk, plan: Plan) -> None:
    """Let a learner study the whole course by a plan."""
    if not plan.cheats:
        (HONEST_WAYS | DOUBTFUL_WAYS)[plan.honest].run(desk)
        return
    begins = {last - CHEATS[way].lessons + 1: last for last, way in plan.cheats.items()}
    for lesson_no in sorted(desk.durations_s):
        if lesson_no in begins:
            last = begins[lesson_no]
            CHEATS[plan.cheats[last]].run(desk, last)
        elif lesson_no not in desk.studied:
            study_with_incidents(desk, lesson_no)


def simulate(plans: Sequence[Plan], seed: int | str, course: Course | None = None) -> dict[str, list[Row]]:
    """Return the rows of a bundle by file name (without suffix) in which one learner studies by each plan.

    Args:
        plans: The n-th learner is `{class_id}-{n:03}`.
        seed: The same seed gives the same rows.
        course: The class; the default one where absent.
    """
    course = course or Course()
    tape = Tape(Random(f"{seed}/service"))  # noqa: S311 - it simulates
    enrolments: list[Row] = []
    for number, plan in enumerate(plans, 1):
        enrolment_id = f"{course.class_id}-{number:03}"
        enrolments.append(
            {
                "enrolment_id": enrolment_id,
                "class_id": course.class_id,
                "learner_id": f"learner-{enrolment_id}",
            }
        )
        study(course.desk(tape, enrolment_id, Random(f"{seed}/{enrolment_id}")), plan)  # noqa: S311
    return {
        "classes": [course.class_row()],
        "enrolments": enrolments,
        **tape.rows,
        "offline_hours": [course.practice_row(str(row["enrolment_id"])) for row in enrolments],
        "applications": [course.application_row()],
    }


def write_rows(rows: dict[str, list[Row]], folder: Path) -> None:
    """Write simulated rows as a bundle folder, events as NDJSON, in the order of their making."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in rows.items():
        if name == "classes":
            text = json.dumps(table, ensure_ascii=False, indent=1) + "\n"
            (folder / "classes.json").write_text(text, encoding="utf-8")
        elif table:
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in table)
            (folder / f"{name}.ndjson").write_text("".join(lines), encoding="utf-8")


def _midnight_ms(day: date) -> int:
    """Return the beginning of a civil day in Asia/Shanghai, ms since the epoch."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(start.timestamp()) // (DAY_MS // 1000) * DAY_MS - CHINA_OFFSET_MS
