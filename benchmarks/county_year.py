"""Writes a county's year as a bundle: `python benchmarks/county_year.py FOLDER [--scale 1/9] [--directives]`.

At scale 1: 8 000 learners × 40 class hours = 320 000 sessions and more than 90 million events in sorted Parquet. Each
session has its own pauses, rewinds, pop-ups and pictures; about 1.5 % are cheats or left early. The same seed gives the
same bundle. One player a session, no event delivered twice, no decisions: what SQL without the whole law can follow.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from class_events import events_of, popup_id
from class_plan import DAYS, LESSONS, NEVER, ClassPlan, plan_class
from online_guard import evidence
from online_guard.ingest import rows
from online_guard.ingest.bundle import write_bundle
from online_guard.terms import ApplicantKind, CertificateRoute, LessonKind, Mode, Outcome

LEARNERS, LARGEST_CLASS = 8_000, 80
GENERAL_LESSONS = 4
WINDOWS = (4, 8, 12)
DIRECTED_POPUPS = 6
"""The rest are pop-ups of the player's own, shown while the line was bad; with a snapshot and a check 8 a session."""
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/91.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/91.0 Mobile Safari/537.36",
)
OCCUPATIONS = ("电子商务师", "营销员", "快递业务员", "社会工作者")


def write_year(
    folder: Path,
    scale: Fraction = Fraction(1),
    seed: int = 2021,
    *,
    directives: bool = False,
    one_platform: bool = False,
) -> int:
    """Write the bundle and return its number of events.

    Args:
        folder: Must not exist yet.
        scale: Share of the 8 000 learners.
        seed: Of all chance.
        directives: Also write 8 directives a session.
        one_platform: All classes are of one platform.
    """
    plans = _plans(round(LEARNERS * scale), seed)
    if one_platform:
        plans = [replace(plan, platform_id="platform-0") for plan in plans]
    firsts = np.cumsum([0, *map(len, plans)])
    written = 0

    def events() -> Iterator[evidence.Events]:
        nonlocal written
        for plan, first in zip(plans, firsts.tolist(), strict=False):
            block = events_of(plan, first, seed)
            written += len(block)
            yield block

    def each(of_class: Callable[[ClassPlan], Iterator[Any]]) -> Iterator[Any]:
        return (row for plan in plans for row in of_class(plan))

    write_bundle(
        folder,
        classes=map(_class, plans),
        enrolments=each(_enrolments),
        sessions=each(_sessions),
        snapshots=each(_snapshots),
        likenesses=each(_likenesses),
        checks=each(_checks),
        directives=each(_directives) if directives else (),
        applications=map(_application, plans),
        surveys=map(_survey, plans),
        events=events(),
    )
    return written


def _plans(learners: int, seed: int) -> list[ClassPlan]:
    """Return classes of 60 to 80 learners, the last one smaller."""
    rng = np.random.default_rng(seed)
    sizes: list[int] = []
    while (left := learners - sum(sizes)) > 0:
        sizes.append(min(left, int(rng.integers(60, LARGEST_CLASS + 1))))
    return [plan_class(number, len(sizes), size, seed) for number, size in enumerate(sizes)]


def _number(plan: ClassPlan) -> int:
    return int(plan.class_id[1:])


def _class(plan: ClassPlan) -> rows.ClassRow:
    return rows.ClassRow(
        class_id=plan.class_id,
        platform_id=plan.platform_id,
        institution=f"institution-{_number(plan) % 12}",
        applicant_kind=ApplicantKind.ENTERPRISE,
        applicant=f"enterprise-{_number(plan) % 30}",
        occupation=OCCUPATIONS[_number(plan) % len(OCCUPATIONS)],
        mode=Mode.ONLINE,
        certificate_route=CertificateRoute.SKILL_LEVEL,
        starts_on=plan.starts_on,
        ends_on=plan.starts_on + timedelta(days=DAYS - 1),
        required_online_hours=36,
        teachers=-(-plan.learners // 20),
        lessons=[
            rows.LessonRow(
                lesson_no=number,
                title=f"第{number}课",
                kind=LessonKind.PROFESSIONAL if number <= LESSONS - GENERAL_LESSONS else LessonKind.GENERAL,
                duration_s=duration_ms / 1000,
                class_hours=1,
            )
            for number, duration_ms in enumerate(plan.duration_ms.tolist(), 1)
        ],
    )


def _enrolments(plan: ClassPlan) -> Iterator[rows.EnrolmentRow]:
    for learner in range(plan.learners):
        enrolment_id = plan.enrolment_id(learner)
        yield rows.EnrolmentRow(enrolment_id=enrolment_id, class_id=plan.class_id, learner_id=f"learner-{enrolment_id}")


def _sessions(plan: ClassPlan) -> Iterator[rows.SessionRow]:
    rng = np.random.default_rng([_number(plan), 2])
    received = plan.opened_ms + rng.integers(40, 400, len(plan))
    on_phone = (rng.random(len(plan)) < 0.3).tolist()
    client = plan.opened_ms + plan.skew_ms
    for row, session_id in enumerate(plan.session_ids()):
        enrolment_id = plan.enrolment_id(row // LESSONS)
        yield rows.SessionRow(
            platform_id=plan.platform_id,
            session_id=session_id,
            enrolment_id=enrolment_id,
            lesson_no=row % LESSONS + 1,
            opened_at_ms=int(client[row]),
            opened_received_ms=int(received[row]),
            device_id=f"{enrolment_id}-{'phone' if on_phone[row] else 'pc'}",
            user_agent=AGENTS[on_phone[row]],
            ip=f"10.{_number(plan)}.{row // LESSONS}.{1 + on_phone[row]}",
        )


def _snapshots(plan: ClassPlan) -> Iterator[rows.SnapshotRow]:
    rng = np.random.default_rng([_number(plan), 3])
    at_ms = plan.client_ms(plan.snapshot_clock)
    ids = plan.session_ids()
    for row, number in zip(*map(np.ndarray.tolist, np.nonzero(plan.snapshot_clock < NEVER)), strict=True):
        picture = rng.bytes(40).hex()
        yield rows.SnapshotRow(
            platform_id=plan.platform_id,
            session_id=ids[row],
            snapshot_id=f"snapshot-{number}",
            at_ms=int(at_ms[row, number]),
            received_ms=int(at_ms[row, number] - plan.skew_ms[row]) + 1_500,
            asked=True,
            good=True,
            sha256=picture[:64],
            phash=picture[64:],
            distance=round(0.25 + int(picture[:2], 16) / 1500, 3),
            presented_attack=False,
        )


def _likenesses(plan: ClassPlan) -> Iterator[rows.LikenessRow]:
    """Yield the search's near misses: the learner's own reference, far from being the same picture."""
    rng = np.random.default_rng([_number(plan), 4])
    ids = plan.session_ids()
    for row in np.flatnonzero(rng.random(len(plan)) < 0.03).tolist():
        yield rows.LikenessRow(
            platform_id=plan.platform_id,
            session_id=ids[row],
            snapshot_id="snapshot-0",
            other_kind="reference",
            other_id=plan.enrolment_id(row // LESSONS),
            phash_distance=int(rng.integers(3, 20)),
            cosine=round(float(rng.uniform(0.93, 0.97)), 4),
            residual=round(float(rng.uniform(0.15, 0.6)), 4),
            distance=round(float(rng.uniform(0.25, 0.4)), 4),
        )


def _checks(plan: ClassPlan) -> Iterator[rows.CheckRow]:
    rng = np.random.default_rng([_number(plan), 5])
    at_ms = plan.client_ms(plan.check_clock[:, None])[:, 0].tolist()
    again = (rng.random(len(plan)) < 0.05).tolist()
    distance = np.round(rng.uniform(0.25, 0.42, len(plan)), 3).tolist()
    for row, session_id in enumerate(plan.session_ids()):
        own = {"platform_id": plan.platform_id, "session_id": session_id}
        if again[row]:
            yield rows.CheckRow(**own, check_id="check-0", at_ms=at_ms[row] - 40_000, outcome=Outcome.INCONCLUSIVE)
        passed = {"outcome": Outcome.PASSED, "distance": distance[row], "presented_attack": False}
        yield rows.CheckRow(**own, check_id="check-1", at_ms=at_ms[row], **passed)


def _directives(plan: ClassPlan) -> Iterator[rows.DirectiveRow]:
    clock = np.hstack((plan.popup_clock[:, :DIRECTED_POPUPS], plan.snapshot_clock[:, :1], plan.check_clock[:, None]))
    issued = plan.client_ms(np.maximum(clock - 30_000, 0)) - plan.skew_ms[:, None]
    for row, session_id in enumerate(plan.session_ids()):
        popups = [popup_id(session_id, number) for number in range(DIRECTED_POPUPS)]
        names = [*popups, f"snapshot-{session_id}", f"liveness-{session_id}"]
        for name, due, moment in zip(names, clock[row].tolist(), issued[row].tolist(), strict=True):
            if due < NEVER:
                yield rows.DirectiveRow(
                    platform_id=plan.platform_id,
                    session_id=session_id,
                    directive_id=name,
                    kind=name.partition("-")[0],
                    issued_ms=moment,
                    due_playing_ms=due,
                )


def _application(plan: ClassPlan) -> rows.ApplicationRow:
    """Return the application for the first assessment window after the class."""
    after = plan.starts_on + timedelta(days=DAYS + 7)
    month = next((month for month in WINDOWS if month > after.month), WINDOWS[0])
    assessed = date(after.year + (month <= after.month), month, 20)
    return rows.ApplicationRow(
        class_id=plan.class_id,
        window=f"{assessed:%Y-%m}",
        applied_on=assessed - timedelta(days=10),
        assessment_on=assessed,
    )


def _survey(plan: ClassPlan) -> rows.SurveyRow:
    return rows.SurveyRow(
        institution=f"institution-{_number(plan) % 12}",
        surveyed_on=plan.starts_on + timedelta(days=DAYS),
        score=(86 + _number(plan) % 13) / 100,
    )


def main() -> None:
    """Write the bundle that the command line asks for."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--scale", type=Fraction, default=Fraction(1), help="share of the year, such as 1/9")
    arguments.add_argument("--seed", type=int, default=2021)
    arguments.add_argument("--directives", action="store_true", help="also write 8 directives a session")
    given = arguments.parse_args()
    began = time.perf_counter()
    count = write_year(given.folder, given.scale, given.seed, directives=given.directives)
    print(json.dumps({"events": count, "seconds": round(time.perf_counter() - began, 1)}))


if __name__ == "__main__":
    main()
