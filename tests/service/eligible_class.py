"""Classes whose learners are eligible by a stored verification, and the county that assesses them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, time

from online_guard.api.bodies import ClassBody
from online_guard.assessment.venues import Examiner, Room, Site, Slot, Venues
from online_guard.demo.people import identity_number, name_of
from online_guard.service import registration
from online_guard.service.assessing import roster_drafts, rosters, venues
from online_guard.service.assessing.roster_drafts import Wish
from online_guard.service.house import House
from online_guard.simulate.course import Course
from online_guard.store import assessment_rows, queries
from online_guard.store.tables import ApplicationRecord, ResultRecord
from online_guard.store.unit_of_work import writing
from online_guard.terms import AssessmentPart

WINDOW = "2021-08"
ROOMS = (
    Room(room_id="computers", name="机房", part=AssessmentPart.THEORY, seats=4),
    Room(room_id="workshop", name="实训室", part=AssessmentPart.PRACTICE, workstations={"电子商务师": 4}),
)
VENUES = Venues(
    sites=(Site(site_id="centre", name="鉴定中心", address="示例路 1 号", rooms=ROOMS),),
    slots=(
        Slot(slot_no=1, starts=time(9), ends=time(10, 30)),
        Slot(slot_no=2, starts=time(14), ends=time(15, 30)),
    ),
    examiners=tuple(
        Examiner(examiner_id=f"ex-{number}", name=f"考评员{number}", occupations=frozenset({"电子商务师"}))
        for number in (1, 2)
    ),
)


def eligible_class(
    house: House,
    learners: int = 3,
    class_id: str = "C",
    platform_id: str = "hc-online",
    first_person: int = 0,
    window: str = WINDOW,
) -> Sequence[str]:
    """Register a class with learners who are all eligible, and return their enrolments."""
    body = ClassBody.model_validate(Course(class_id=class_id, platform_id=platform_id).class_row())
    registration.put_class(house, body.typed(class_id, platform_id))
    ids = [f"{class_id}-{number}" for number in range(1, learners + 1)]
    for number, enrolment_id in enumerate(ids, first_person):
        registration.put_enrolment(
            house,
            class_id,
            enrolment_id,
            None,
            name=name_of(number),
            identity_number=identity_number(number),
            applicant=None,
            face_checks="required",
            leave=(),
        )
    with writing(house.engine) as database:
        days = {"applied_on": f"{window}-02", "assessment_on": f"{window}-14"}
        record = ApplicationRecord(class_id=class_id, window=window, **days)
        database.add(record)
        assessment_rows.log_application(database, record)
        queries.replace_results(database, class_id, [], [_row(class_id, one, house, window) for one in ids])
    return ids


def _row(class_id: str, enrolment_id: str, house: House, window: str, failed: Sequence[str] = ()) -> ResultRecord:
    evidence = {code: {"clause": "附件2", "value": 2.0, "limit": 3.0} for code in failed}
    body = {"class_id": class_id, "window": window, "enrolment_id": enrolment_id, "eligible": not failed}
    body |= {"failed": list(failed), "unconfirmed": [], "evidence": evidence}
    law = {"policy_id": house.policy.id, "policy_version": "1", "policy_sha256": house.policy.sha256}
    return ResultRecord(class_id=class_id, kind="eligibility", owner=enrolment_id, body=json.dumps(body), **law)


def judge_again(house: House, enrolment_id: str, *failed: str) -> None:
    """Let a later verification say something else of a learner."""
    class_id = enrolment_id.rpartition("-")[0]
    with writing(house.engine) as database:
        known = {row.owner: row for row in queries.of_class(database, ResultRecord, class_id)}
        said = {owner: json.loads(row.body) for owner, row in known.items()}
        window, said[enrolment_id]["failed"] = said[enrolment_id]["window"], list(failed)
        rows = [_row(class_id, owner, house, window, row["failed"]) for owner, row in sorted(said.items())]
        queries.replace_results(database, class_id, [], rows)


def wait_for_verification(house: House, class_id: str) -> None:
    """Let a class wait for its verification."""
    with writing(house.engine) as database:
        queries.enqueue(database, [class_id], 1)


def planned(house: House, *, seed: int = 0, now_ms: int = 1) -> str:
    """Return the id of a finished plan."""
    plan_id = str(roster_drafts.ask(house, Wish(WINDOW, seed, "甲", now_ms))["plan_id"])
    roster_drafts.plan_once(house, plan_id)
    return plan_id


def published(house: House, by: str = "甲", now_ms: int = 5) -> dict[str, object]:
    """Return a version that was planned and published."""
    return rosters.publish(house, WINDOW, planned(house), by, now_ms)[1]


def a_county(house: House) -> None:
    """State the venues of a small county."""
    venues.state(house, VENUES, "甲", 1)


def day(number: int) -> date:
    """Return a day of the window."""
    return date(2021, 8, number)
