"""Random sequences of calls, jobs and direct SQL against review: nobody is refused for good without persons.

Each sequence has a learner of its own with one session that a rule rejects. After every step the rows are read back by
plain SQL and compared with what review promises (`broken`), in words of this file alone.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from online_guard.errors import GuardError
from online_guard.service.house import House
from online_guard.service.reviewing import appeals, notices, review
from online_guard.service.verification import verify_class
from online_guard.simulate.course import Course
from online_guard.store import queries
from online_guard.store.event_chunks import put_rows
from online_guard.store.tables import ClassRecord, EnrolmentRecord, SessionRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import DecisionKind, EventType

REVIEWERS = ("甲", "乙", "丙", "丁")
APPEND_ONLY = ("review_law", "review_decision", "review_appeal", "review_notice", "review_ground")
OPENED_MS = 1_623_124_800_000
Row = tuple[Any, ...]


@dataclass
class World:
    """One learner: what was read last, and what the sequence has done so far."""

    house: House
    rng: Random
    class_id: str
    now_ms: int = OPENED_MS
    kept: dict[str, set[Row]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    @property
    def enrolment_id(self) -> str:
        """Return the only enrolment."""
        return f"{self.class_id}-e"


def new_world(house: House, rng: Random, class_id: str) -> World:
    """Store and verify a class with one session that declared twice the rate (OG103), twice."""
    course = Course(class_id=class_id, platform_id=f"P-{class_id}")
    row = course.class_row()
    with writing(house.engine) as database:
        database.add(ClassRecord(class_id=class_id, platform_id=course.platform_id, body=json.dumps(row)))
        database.flush()
        database.add(
            EnrolmentRecord(
                enrolment_id=f"{class_id}-e", class_id=class_id, learner_id=f"L-{class_id}", name=b"",
                identity_number=b"", face_checks="required", leave="[]",
            )
        )  # fmt: skip
        database.flush()
        session = SessionRecord(
            platform_id=course.platform_id, session_id="s", enrolment_id=f"{class_id}-e", lesson_no=1,
            opened_at_ms=OPENED_MS, opened_received_ms=OPENED_MS, device_id="d", closed_received_ms=OPENED_MS + 60_000,
        )  # fmt: skip
        database.add(session)
        database.flush()
        put_rows(database, session.row_id, _events())
    verify_class(house, class_id)
    return World(house, rng, class_id)


def _events() -> list[dict[str, Any]]:
    said = [(EventType.PLAY, 0, 1.0), (EventType.RATE, 10, 2.0), (EventType.PAUSE, 20, 1.0)]
    return [
        {
            "seq": seq, "type": kind.code, "at_ms": OPENED_MS + second * 1000, "received_ms": OPENED_MS + second * 1000,
            "position_s": float(second), "playing": kind is not EventType.PAUSE, "rate": rate, "player": "tab",
        }
        for seq, (kind, second, rate) in enumerate(said)
    ]  # fmt: skip


@dataclass(frozen=True)
class Sequence:
    """What came of one: the promises it broke with its steps, and whether somebody was refused for good, rightly."""

    broken: list[str]
    refused: bool


def run(house: House, seed: str, steps: int = 12) -> Sequence:
    """Return what came of a random sequence against an open house."""
    rng = Random(seed)
    world = new_world(house, rng, f"class-{seed}")
    for _ in range(rng.randint(steps // 2, steps)):
        name, step = rng.choice(STEPS)
        world.now_ms += 1_000
        try:
            step(world)
            world.done.append(name)
        except (GuardError, DBAPIError) as refusal:
            world.done.append(f"{name}: {getattr(refusal, 'code', 'refused')}")
        if found := broken(world):
            return Sequence([f"{seed}: {', '.join(found)} after {' → '.join(world.done)}"], refused=False)
    return Sequence([], refused=bool(world.kept["review_notice"]))


def broken(world: World) -> list[str]:
    """Return which promises the stored rows break."""
    with reading(world.house.engine) as database:
        rows = {table: _rows(database, table, world) for table in APPEND_ONLY}
    found = [
        f"{table} lost or changed rows" for table in APPEND_ONLY if not world.kept.get(table, set()) <= rows[table]
    ]
    new = rows["review_ground"] - world.kept.get("review_ground", set())
    world.kept = rows
    decisions: dict[str, list[Row]] = {}
    for row in sorted(rows["review_decision"], key=lambda row: (row[0], row[1])):
        decisions.setdefault(row[0], []).append(row)
    for made in decisions.values():
        found += _broken_history(made)
    found += [f"{len(rows['review_notice'])} notices without grounds" for notice in rows["review_notice"]
              if not any(ground[0] == notice[0] for ground in rows["review_ground"])]  # fmt: skip
    for _, _, finding_id, number in rows["review_ground"]:
        made = decisions.get(finding_id, [])
        if not _two_upheld(made, number):
            found.append("a final refusal without two persons' decision")
    for _, _, finding_id, number in new:
        later = decisions.get(finding_id, [])[number:]
        if any(_agree(one, other, "dismiss") for one, other in itertools.pairwise(later)):
            found.append("a final refusal on what had been dismissed")
        if any(row[0] == finding_id and row[2] >= number for row in rows["review_appeal"]):
            found.append("a final refusal under appeal")
    return found


def _rows(database: Session, table: str, world: World) -> set[Row]:
    columns, where = {
        "review_law": ("policy_sha256, second_person", "1 = 1"),
        "review_decision": ("finding_id, number, decision, reviewer, reason, decided_ms", "class_id = :class_id"),
        "review_appeal": ("finding_id, number, decisions_before, opened_by", "class_id = :class_id"),
        "review_notice": ("notice_id, enrolment_id, issued_by", "enrolment_id = :enrolment_id"),
        "review_ground": ("notice_id, lesson_no, finding_id, decision_number", "enrolment_id = :enrolment_id"),
    }[table]
    values = {"class_id": world.class_id, "enrolment_id": world.enrolment_id}
    return {tuple(row) for row in database.execute(text(f"SELECT {columns} FROM {table} WHERE {where}"), values)}


def _broken_history(made: list[Row]) -> list[str]:
    found = []
    if [row[1] for row in made] != list(range(1, len(made) + 1)):
        found.append("decisions out of order")
    for one, other in itertools.pairwise(made):
        if (one[2], one[3]) == (other[2], other[3]):
            found.append("somebody confirmed themselves")
        if one[5] >= other[5]:
            found.append("decisions dated out of order")
    if any(not row[3].strip() or not row[4].strip() for row in made):
        found.append("a decision without reviewer or reason")
    return found


def _agree(one: Row, other: Row, decision: str) -> bool:
    return one[2] == other[2] == decision and one[3] != other[3]


def _two_upheld(made: list[Row], number: int) -> bool:
    return 2 <= number <= len(made) and _agree(made[number - 2], made[number - 1], "uphold")


def _findings(database: Session, world: World) -> list[str]:
    query = text("SELECT finding_id FROM finding WHERE class_id = :class_id AND effect <> 'note' ORDER BY finding_id")
    return list(database.scalars(query, {"class_id": world.class_id}))


def _finding(world: World) -> str:
    with reading(world.house.engine) as database:
        names = _findings(database, world)
    return world.rng.choice(names) if names else "OG103-none"


def _decide(world: World) -> None:
    decision = world.rng.choices([DecisionKind.UPHOLD, DecisionKind.DISMISS], [3, 1])[0]
    said = review.Said(decision, "看过", world.rng.choice(REVIEWERS), "auditor")
    review.decide(world.house, _finding(world), said, world.now_ms)


def _two_agree(world: World) -> None:
    decision = world.rng.choices([DecisionKind.UPHOLD, DecisionKind.DISMISS], [3, 1])[0]
    with reading(world.house.engine) as database:
        names = _findings(database, world)
    for name in names:
        for reviewer in world.rng.sample(REVIEWERS, 2):
            review.decide(world.house, name, review.Said(decision, "看过", reviewer, "auditor"), world.now_ms)


def _appeal(world: World) -> None:
    appeals.appeal(world.house, _finding(world), f"P-{world.class_id}", "key", "learner", "没有", world.now_ms)


def _notice(world: World) -> None:
    notices.issue(world.house, world.enrolment_id, world.rng.choice(REVIEWERS), world.now_ms)


def _verify(world: World) -> None:
    with writing(world.house.engine) as database:
        queries.enqueue(database, [world.class_id], world.now_ms)
    verify_class(world.house, world.class_id)


def _sql(world: World) -> None:
    """Run one to four statements in one transaction, as whoever holds the application's connection could."""
    rng = world.rng
    with writing(world.house.engine) as database:
        for _ in range(rng.randint(1, 3)):
            _run(database, rng.choice(STATEMENTS), _values(database, world))


def _values(database: Session, world: World) -> dict[str, Any]:
    rng = world.rng
    return {
        "class_id": world.class_id,
        "enrolment_id": world.enrolment_id,
        "finding": rng.choice([*_findings(database, world), f"OG103-{world.class_id}"]),
        "number": rng.randint(0, 4),
        "decision": rng.choice(["uphold", "uphold", "dismiss"]),
        "reviewer": rng.choice([*REVIEWERS, " "]),
        "at": rng.randint(0, 9) + world.now_ms,
        "notice": f"n-{world.class_id}-{rng.randint(1, 2)}",
        "sha": rng.choice([world.house.policy.sha256] * 9 + ["x"]),
        "off": False,
    }


def _run(database: Session, statement: str, values: dict[str, Any]) -> None:
    names = re.findall(r":(\w+)", statement)
    database.execute(text(statement), {name: values[name] for name in names})


def _forge_notice(world: World) -> None:
    """Forge a notice that rests on any decision there is."""
    with writing(world.house.engine) as database:
        values = _values(database, world)
        query = text("SELECT finding_id, number FROM review_decision WHERE class_id = :class_id")
        made = sorted(map(tuple, database.execute(query, {"class_id": world.class_id})))
        if made:
            values["finding"], values["number"] = world.rng.choice(made)
        _run(database, STATEMENTS[0], values)
        _run(database, STATEMENTS[1], values)


def _forge_decisions(world: World) -> None:
    """Forge the next decisions on a finding by one person or two."""
    with writing(world.house.engine) as database:
        values = _values(database, world)
        for _ in range(world.rng.randint(1, 3)):
            values["at"] += 10
            _run(database, STATEMENTS[2], values)
            values["reviewer"] = world.rng.choice([values["reviewer"], *REVIEWERS])


_NEXT = "(SELECT coalesce(max(number), 0) + 1 FROM review_decision WHERE finding_id = :finding)"
_DECIDED = "'OG103', 'session', 'x', 'session-x', :class_id, :enrolment_id"
STATEMENTS = (
    "INSERT INTO review_ground VALUES (:notice, 1, :finding, :number, :enrolment_id, :class_id)",
    "INSERT INTO review_notice VALUES (:notice, :enrolment_id, '甲', :at, :sha)",
    f"INSERT INTO review_decision VALUES (:finding, {_NEXT}, {_DECIDED}, :decision, 'r', :reviewer, 'x', :at, :sha)",
    f"INSERT INTO review_decision VALUES (:finding, :number, {_DECIDED}, :decision, 'r', :reviewer, 'x', :at, :sha)",
    """INSERT INTO review_decision SELECT * FROM review_decision WHERE class_id = :class_id
    ON CONFLICT (finding_id, number) DO UPDATE SET decision = 'uphold', reviewer = :reviewer""",
    "UPDATE review_decision SET reviewer = :reviewer WHERE class_id = :class_id",
    "UPDATE review_decision SET decision = :decision WHERE class_id = :class_id",
    "DELETE FROM review_decision WHERE class_id = :class_id",
    "DELETE FROM review_appeal WHERE class_id = :class_id",
    "UPDATE review_appeal SET decisions_before = 0 WHERE class_id = :class_id",
    "UPDATE review_notice SET issued_by = :reviewer WHERE enrolment_id = :enrolment_id",
    "UPDATE review_ground SET decision_number = :number WHERE enrolment_id = :enrolment_id",
    "DELETE FROM review_ground WHERE enrolment_id = :enrolment_id",
    "DELETE FROM review_notice WHERE enrolment_id = :enrolment_id",
    "UPDATE review_law SET second_person = :off",
    "DELETE FROM review_law",
    "UPDATE finding SET effect = 'reject' WHERE class_id = :class_id",
    "UPDATE finding SET evidence = '{}' WHERE class_id = :class_id",
    "DELETE FROM finding WHERE class_id = :class_id",
    "UPDATE review_case SET state = 'decided', priority = 2 WHERE class_id = :class_id",
    "DELETE FROM result WHERE class_id = :class_id",
)
"""What direct SQL tries: forging, changing, deleting and moving rows of review, and of what it rests on."""
STEPS: tuple[tuple[str, Callable[[World], None]], ...] = (
    ("decide", _decide), ("decide", _decide), ("two agree", _two_agree), ("two agree", _two_agree), ("appeal", _appeal),
    ("notice", _notice), ("verify", _verify), ("sql", _sql), ("sql", _sql), ("sql", _sql),
    ("forged notice", _forge_notice), ("forged notice", _forge_notice), ("forged notice", _forge_notice),
    ("forged decisions", _forge_decisions), ("forged decisions", _forge_decisions),
)  # fmt: skip
