"""A county's assessment month, made up from a seed: 8 000 candidates of 400 classes, 12 rooms, 20 days, 4 slots."""

from __future__ import annotations

from datetime import date, time, timedelta

import numpy as np
from numpy.random import Generator

from online_guard.assessment.roster import Candidate
from online_guard.assessment.venues import Examiner, Room, Site, Slot, Travel, Venues
from online_guard.terms import AssessmentPart, CertificateRoute

WINDOW = "2021-08"
OPENS = date(2021, 8, 1)
CLOSED = frozenset({date(2021, 8, 30), date(2021, 8, 31)})
"""August 2021 has 22 working days; 20 are used."""
OCCUPATIONS = ("电工", "焊工", "育婴员", "养老护理员", "中式烹调师", "美容师", "保育员", "家政服务员")
HOURS = ((8, 0), (10, 0), (13, 30), (15, 30))


def county(
    seed: int, classes: int = 400, enterprises: int = 150, learners_a_class: int = 20
) -> tuple[list[Candidate], Venues]:
    """Return candidates and venues; classes differ in size by half, some learners are enrolled twice."""
    random = np.random.default_rng(seed)
    sizes = random.integers(learners_a_class // 2, learners_a_class * 3 // 2 + 1, classes)
    while sizes.sum() != classes * learners_a_class:
        one = random.integers(classes)
        step = 1 if sizes.sum() < classes * learners_a_class else -1
        if learners_a_class // 2 <= sizes[one] + step <= learners_a_class * 3 // 2:
            sizes[one] += step
    batches = [_batch(random) for _ in range(enterprises)]
    people = [one for number, size in enumerate(sizes) for one in _class(random, number, int(size), batches)]
    return _enrol_some_twice(random, people), _venues(random)


def _batch(random: Generator) -> tuple[date, date]:
    """Return when an enterprise's training ends, and the day that it applies for: for all its classes together."""
    ended = OPENS - timedelta(days=int(random.integers(10, 120)))
    return ended, OPENS + timedelta(days=int(random.choice([0, 0, 0, 2, 4, 7, 9, 14])))


def _class(random: Generator, number: int, size: int, batches: list[tuple[date, date]]) -> list[Candidate]:
    enterprise = int(random.integers(len(batches)))
    ended, not_before = batches[enterprise]
    return [
        Candidate(
            enrolment_id=f"e{number:03d}-{n:02d}",
            learner_id=f"l{number:03d}-{n:02d}",
            class_id=f"class-{number:03d}",
            platform_id=f"platform-{number % 3}",
            enterprise=f"企业 {enterprise:03d}",
            institution=f"机构 {enterprise % 20:02d}",
            # An enterprise trains for one or two occupations.
            occupation=OCCUPATIONS[(enterprise + int(number % 5 == 0)) % len(OCCUPATIONS)],
            certificate_route=CertificateRoute.COMPLETION,
            not_before=not_before,
            waiting_since=ended + timedelta(days=int(number % 8)),
        )
        for n in range(size)
    ]


def _enrol_some_twice(random: Generator, people: list[Candidate]) -> list[Candidate]:
    """One in 200 of the second half is somebody of the first half, in another class."""
    half = len(people) // 2
    for _ in range(len(people) // 200):
        one, other = int(random.integers(half)), half + int(random.integers(half))
        people[other] = people[other].model_copy(update={"learner_id": people[one].learner_id})
    return people


def _venues(random: Generator) -> Venues:
    sites = []
    for s in range(3):
        theory = [
            Room(room_id=f"{s}-T{n}", name=f"机房 {n + 1}", part=AssessmentPart.THEORY, seats=int(seats))
            for n, seats in enumerate(random.choice([36, 40, 48, 60], 2))
        ]
        practice = [
            Room(
                room_id=f"{s}-P{n}",
                name=f"实操室 {n + 1}",
                part=AssessmentPart.PRACTICE,
                workstations={
                    OCCUPATIONS[(s * 3 + n * 4 + k) % len(OCCUPATIONS)]: int(random.choice([20, 24, 30]))
                    for k in range(3)
                },
            )
            for n in range(2)
        ]
        sites.append(
            Site(
                site_id=f"site-{s}",
                name=f"考点 {s + 1}",
                address=f"县城 {s + 1} 号",
                rooms=(*theory, *practice),
                closed_on=CLOSED,
            )
        )
    return Venues(
        sites=tuple(sites),
        slots=tuple(
            Slot(slot_no=n + 1, starts=time(*start), ends=time(start[0] + 1, start[1] + 20 if start[1] < 40 else 59))
            for n, start in enumerate(HOURS)
        ),
        examiners=tuple(
            Examiner(
                examiner_id=f"x{n:02d}",
                name=f"考评员 {n + 1}",
                occupations=frozenset(OCCUPATIONS[(n + k * 3) % len(OCCUPATIONS)] for k in range(1 + n % 3)),
                days_off=frozenset(OPENS + timedelta(days=int(day)) for day in random.integers(0, 31, 3)),
            )
            for n in range(32)
        ),
        travel=(Travel(between=("site-0", "site-1"), minutes=25),),
        travel_minutes=45,
    )
