"""How long the papers of a county's roster take: `python benchmarks/papers.py [--candidates 8000]`.

400 classes of 20, 12 rooms at 3 sites, as many days as it takes; every file is made once, PDFs by a process each.
"""

from __future__ import annotations

import argparse
import resource
import time
from datetime import date, timedelta
from io import BytesIO

from pypdf import PdfReader
from rich.console import Console
from rich.table import Table

from online_guard.assessment.documents import FILES, AnnexTwo, Papers, Person, make, masked
from online_guard.assessment.roster import Candidate, Duty, Plan, Roster, Sitting
from online_guard.assessment.venues import Room, Site, Slot
from online_guard.demo.people import name_of
from online_guard.policy import DEFAULT_POLICY, load_policy
from online_guard.terms import AssessmentPart, CertificateRoute

SEATS = 40
FIRST_DAY = date(2021, 8, 2)
PARTS = ((AssessmentPart.THEORY, "机房"), (AssessmentPart.PRACTICE, "实操室"))
SLOTS = tuple(
    Slot.model_validate({"slot_no": number, "starts": f"{hour:02}:00", "ends": f"{hour + 1:02}:30"})
    for number, hour in enumerate((8, 10, 14, 16), 1)
)


def main() -> None:
    """Make every file and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=8_000)
    papers = county(parser.parse_args().candidates)
    table = Table("文件 file", "秒 s", "CPU s", "MB", "页 pages", "进程峰值 peak of processes, MB")
    for name in FILES:
        started, used = time.perf_counter(), cpu_s()
        body = make(papers, name).body
        took = time.perf_counter() - started
        pages = str(len(PdfReader(BytesIO(body)).pages)) if name.endswith("pdf") else ""
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024 if pages else 0
        table.add_row(name, f"{took:.1f}", f"{cpu_s() - used:.1f}", f"{len(body) / 1e6:.2f}", pages, f"{peak or ''}")
    Console().print(f"考生 candidates: {len(papers.roster.candidates):,}")
    Console().print(table)


def cpu_s() -> float:
    """Return the processor time of this process and those that it waited for, in s."""
    usage = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in usage)


def county(candidates: int) -> Papers:
    """Return the papers of a roster in which each class's learners sit theory in the morning, then practice."""
    numbers = range(candidates)
    sittings = tuple(sitting for number in numbers for sitting in both_parts(number))
    watched = sorted({(one.on, one.slot_no, one.site_id, one.room_id) for one in sittings})
    duties = tuple(
        Duty(examiner_id=f"x{place % 24}", on=on, slot_no=slot, site_id=site, room_id=room)
        for place, (on, slot, site, room) in enumerate(watched)
    )
    policy = load_policy(DEFAULT_POLICY)
    roster = Roster(
        window="2021-08",
        version=1,
        published_ms=1_627_810_200_000,
        published_by="benchmark",
        policy_id=policy.id,
        policy_version=policy.version,
        policy_sha256=policy.sha256,
        sites=tuple(map(site, range(3))),
        slots=SLOTS,
        candidates=tuple(map(candidate, numbers)),
        plan=Plan(window="2021-08", sittings=sittings, duties=duties, objective=0, bound=0, seed=0),
    )
    return Papers(
        roster=roster,
        people={who(number): Person(name_of(number), masked(f"41152620000101{number:04d}")) for number in numbers},
        examiners={f"x{number}": name_of(number) for number in range(24)},
        annex_two=tuple(map(form, sorted({one.class_id for one in roster.candidates}))),
        tasks=policy.tasks.rows,
        policy_title=policy.title,
        task_of_class={one.class_id: number // 20 % 15 for number, one in enumerate(roster.candidates)},
    )


def who(number: int) -> str:
    """Return a candidate's enrolment."""
    return f"e{number:05d}"


def candidate(number: int) -> Candidate:
    """Return a candidate of the class of 20 to which the number belongs."""
    return Candidate(
        enrolment_id=who(number),
        learner_id=f"l{number:05d}",
        class_id=f"c-2021-{number // 20:03d}",
        platform_id="p1",
        enterprise=f"潢川县第{number // 20}跨境电子商务有限责任公司",
        institution="信阳工业学校",
        occupation="电子商务师",
        certificate_route=CertificateRoute.COMPLETION,
        not_before=FIRST_DAY,
        waiting_since=FIRST_DAY - timedelta(days=20),
    )


def form(class_id: str) -> AnnexTwo:
    """Return a class's form of Annex 2."""
    return AnnexTwo(
        class_id=class_id,
        institution="信阳工业学校",
        occupation="电子商务师",
        starts_on=FIRST_DAY - timedelta(days=40),
        ends_on=FIRST_DAY - timedelta(days=20),
        class_hours=48,
        mode="委托培训 全线上 online",
        planned=20,
        certificate_route=CertificateRoute.COMPLETION,
    )


def both_parts(number: int) -> tuple[Sitting, ...]:
    """Return both sittings of a candidate: 2 rooms a part at 3 sites, 2 slots a part, then the next day."""
    group, seat = divmod(number, SEATS)
    return tuple(
        Sitting(
            enrolment_id=who(number),
            part=part,
            on=FIRST_DAY + timedelta(days=group // 12),
            slot_no=group // 6 % 2 + 1 + 2 * place,
            site_id=f"s{group // 2 % 3}",
            room_id=f"s{group // 2 % 3}-{part}-{group % 2}",
            seat_no=seat + 1,
        )
        for place, (part, _) in enumerate(PARTS)
    )


def site(number: int) -> Site:
    """Return a site with two rooms for each part."""
    rooms = tuple(
        Room(
            room_id=f"s{number}-{part}-{place}",
            name=f"第{place + 1}{kind}",
            part=part,
            **({"seats": SEATS} if part is AssessmentPart.THEORY else {"workstations": {"电子商务师": SEATS}}),
        )
        for part, kind in PARTS
        for place in range(2)
    )
    return Site(site_id=f"s{number}", name=f"潢川县第{number + 1}中学", address="潢川县弋阳办事处航空路", rooms=rooms)


if __name__ == "__main__":
    main()
