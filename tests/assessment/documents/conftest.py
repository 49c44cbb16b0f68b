"""A small roster of two versions with rare names, and papers of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from functools import cache

import pytest

from online_guard.assessment.documents import AnnexTwo, Made, Papers, Person, make, masked
from online_guard.assessment.roster import Candidate, Duty, Plan, Roster, Sitting, changes
from online_guard.assessment.venues import Room, Site, Slot
from online_guard.policy import load_policy
from online_guard.terms import AssessmentPart, CertificateRoute

NAMES = ("吴𠮷", "杨㛃", "陈䶮", "林昇", "赵喆", "王堃", "孙龘", "李㐂", "阿依古丽·买买提", "欧阳建国", "=1+1", "张伟")
POLICY = load_policy("huangchuan-2021")
DAYS = (date(2021, 8, 10), date(2021, 8, 11))
LONG = "潢川县华英禽业集团第二食品加工有限责任公司城关镇跨境电子商务分公司"


def person(number: int) -> Person:
    """Return the n-th candidate as papers name them."""
    return Person(NAMES[number % len(NAMES)], masked(f"41302619900101{number:04d}"))


def candidate(number: int) -> Candidate:
    """Return the n-th candidate; even ones are of the class with the long enterprise."""
    even = number % 2 == 0
    return Candidate(
        enrolment_id=f"e{number:04d}",
        learner_id=f"l{number:04d}",
        class_id="c-2021-001" if even else "c-2021-002",
        platform_id="p1",
        enterprise=LONG if even else "潢川县快递服务有限公司",
        institution="潢川县信阳工业学校",
        occupation="电子商务师" if even else "快递业务员",
        certificate_route=CertificateRoute.COMPLETION if even else CertificateRoute.SKILL_LEVEL,
        not_before=date(2021, 8, 4),
        waiting_since=date(2021, 7, 20),
    )


SITES = (
    Site(
        site_id="s1",
        name="潢川县第一中学",
        address="潢川县弋阳办事处航空路中段",
        rooms=(
            Room(room_id="r1", name="第一机房", part=AssessmentPart.THEORY, seats=30),
            Room(
                room_id="r2",
                name="实操一室",
                part=AssessmentPart.PRACTICE,
                workstations={"电子商务师": 20, "快递业务员": 20},
            ),
        ),
    ),
)
SLOTS = (
    Slot(slot_no=1, starts=time(9), ends=time(10, 30)),
    Slot(slot_no=2, starts=time(14), ends=time(16)),
)


def plan_of(numbers: range, day: date) -> Plan:
    """Return theory in the morning and practice in the afternoon, all on one day."""
    sittings = [
        Sitting(
            enrolment_id=f"e{number:04d}", part=part, on=day, slot_no=slot, site_id="s1", room_id=room, seat_no=seat
        )
        for seat, number in enumerate(numbers, 1)
        for part, slot, room in ((AssessmentPart.PRACTICE, 2, "r2"), (AssessmentPart.THEORY, 1, "r1"))
    ]
    duties = [
        Duty(examiner_id="x1", on=day, slot_no=slot, site_id="s1", room_id=room)
        for slot, room in ((1, "r1"), (2, "r2"))
    ]
    return Plan(window="2021-08", sittings=tuple(sittings), duties=tuple(duties), objective=3, bound=3, seed=1)


def roster_of(version: int, plan: Plan, before: Plan | None = None) -> Roster:
    """Return a published version."""
    known = sorted({sitting.enrolment_id for sitting in plan.sittings})
    return Roster(
        window="2021-08",
        version=version,
        published_ms=1_627_810_200_000 + version * 86_400_000,
        published_by="assessor",
        policy_id="huangchuan-2021",
        policy_version="3",
        policy_sha256="0" * 64,
        sites=SITES,
        slots=SLOTS,
        candidates=tuple(candidate(int(enrolment[1:])) for enrolment in known),
        plan=plan,
        changes=changes(before, plan) if before else (),
    )


@pytest.fixture(scope="session")
def papers() -> Papers:
    """Return the second version: everybody moved to the next day, one was removed, two were added."""
    old, new = plan_of(range(11), DAYS[0]), plan_of(range(1, 13), DAYS[1])
    return Papers(
        roster=roster_of(2, new, old),
        tasks=POLICY.tasks.rows,
        policy_title=POLICY.title,
        people={f"e{number:04d}": person(number) for number in range(13)},
        examiners={"x1": "周喆"},
        annex_two=(
            AnnexTwo(
                class_id="c-2021-001",
                institution="潢川县信阳工业学校",
                occupation="电子商务师",
                starts_on=date(2021, 7, 1),
                ends_on=date(2021, 7, 20),
                class_hours=48,
                mode="委托培训(全线上)",
                planned=40,
                certificate_route=CertificateRoute.COMPLETION,
                average_present=38.5,
            ),
        ),
        task_of_class={"c-2021-001": 9},
        before=roster_of(1, old),
    )


@pytest.fixture(scope="session")
def made(papers: Papers) -> Callable[[str], Made]:
    """Return each file of the papers, made once: a PDF takes a process."""
    return cache(lambda name: make(papers, name))
