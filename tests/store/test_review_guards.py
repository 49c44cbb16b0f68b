"""What the database itself refuses of review, whoever writes: each guard, and what it lets through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from online_guard.store.unit_of_work import writing

DOCS = Path(__file__).resolve().parents[2] / "docs"
F = "OG101-f"
LAW = "INSERT INTO review_law VALUES (:sha, 'p', '1', :second_person)"
DECISION = (
    "INSERT INTO review_decision VALUES (:finding, :number, 'OG101', 'session', 'P/S', 'session-c', 'C', :enrolment, "
    ":decision, :reason, :reviewer, 'auditor', :decided_ms, 'two')"
)
APPEAL = (
    "INSERT INTO review_appeal VALUES (:finding, :number, 'OG101', 'session', 'P/S', 'session-c', 'C', 'learner', "
    ":reason, 'key', 5, :before)"
)
GROUND = "INSERT INTO review_ground VALUES (:notice, :lesson, :finding, :number, :enrolment, 'C')"
NOTICE = "INSERT INTO review_notice VALUES (:notice, :enrolment, :by, 9, 'two')"
APPEND_ONLY = ("review_law", "review_decision", "review_appeal", "review_notice", "review_ground")


class Writer:
    """Writes rows of review as the application's own connection could."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def run(self, *statements: str | tuple[str, dict[str, Any]]) -> None:
        """Run statements in one transaction."""
        with writing(self.engine) as database:
            for one in statements:
                words, values = (one, {}) if isinstance(one, str) else one
                database.execute(text(words), values)

    def law(self, sha: str = "two", second_person: bool = True) -> None:
        self.run((LAW, {"sha": sha, "second_person": second_person}))

    def decides(self, reviewer: str, decision: str = "uphold", number: int | None = None, **changes: Any) -> None:
        number = number or self.count("review_decision") + 1
        row = {"finding": F, "enrolment": "C-e", "reason": "x", "decided_ms": number}
        self.run((DECISION, row | {"reviewer": reviewer, "decision": decision, "number": number} | changes))

    def appeals(self, before: int, number: int = 1, reason: str = "x") -> None:
        self.run((APPEAL, {"finding": F, "number": number, "before": before, "reason": reason}))

    def notifies(self, number: int, notice: str = "N", **changes: Any) -> None:
        row = {"notice": notice, "lesson": 1, "finding": F, "number": number, "enrolment": "C-e", "by": "甲"} | changes
        self.run((GROUND, row), (NOTICE, row))

    def count(self, table: str) -> int:
        with writing(self.engine) as database:
            return int(database.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.fixture
def writer(engine: Engine, a_class: Callable[..., None]) -> Writer:
    """Return a writer with a class `C`, its enrolment `C-e`, and a law that asks for two persons."""
    a_class("C", "L")
    made = Writer(engine)
    made.law()
    return made


@pytest.fixture
def upheld(writer: Writer) -> Writer:
    """Return a writer after two persons upheld the finding."""
    writer.decides("甲")
    writer.decides("乙")
    return writer


def refused(words: str) -> Any:
    """Return what expects the database to refuse."""
    return pytest.raises(IntegrityError, match=words or None)


def test_nothing_that_was_written_is_changed_or_deleted(upheld: Writer) -> None:
    upheld.notifies(2)
    upheld.appeals(2)
    for table in APPEND_ONLY:
        column = inspect(upheld.engine).get_columns(table)[0]["name"]
        statements = [f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"]
        if upheld.engine.dialect.name == "postgresql":
            statements.append(f"TRUNCATE {table} CASCADE")
        for statement in statements:
            with refused("append-only"):
                upheld.run(statement)


def test_nothing_that_was_written_is_replaced(upheld: Writer) -> None:
    upheld.notifies(2)
    upheld.appeals(2)
    rows = {table: upheld.count(table) for table in APPEND_ONLY}
    for verb in ("INSERT OR REPLACE INTO", "REPLACE INTO") if upheld.engine.dialect.name == "sqlite" else ():
        for table in APPEND_ONLY:
            with refused(""):
                upheld.run(f"{verb} {table} SELECT * FROM {table}")
        assert "rowid" not in {c["name"] for c in inspect(upheld.engine).get_columns("review_decision")}
    with refused(""):
        upheld.run(
            "INSERT INTO review_decision SELECT * FROM review_decision WHERE number = 1 "
            "ON CONFLICT (finding_id, number) DO UPDATE SET decision = 'dismiss'"
        )
    assert {table: upheld.count(table) for table in APPEND_ONLY} == rows


def test_a_decision_without_what_it_needs(writer: Writer) -> None:
    given: tuple[dict[str, Any], ...] = (
        {"reason": ""}, {"reason": "  "}, {"reviewer": " "}, {"decision": "maybe"}, {"number": 2}, {"number": 7},
    )  # fmt: skip
    for changes in given:
        with refused(""):
            writer.decides(**({"reviewer": "甲"} | changes))


def test_decisions_follow_each_other_in_time(writer: Writer) -> None:
    writer.decides("甲", decided_ms=10)
    with refused("follow each other"):
        writer.decides("乙", decided_ms=10)
    writer.decides("乙", decided_ms=11)


def test_nobody_confirms_themselves(writer: Writer) -> None:
    writer.decides("甲")
    with refused("nobody confirms"):
        writer.decides("甲")
    writer.decides("甲", "dismiss")
    writer.decides("甲", "uphold")
    writer.decides("乙", "uphold")


def test_an_appeal_is_not_decided_by_those_who_refused_nor_by_who_appealed(upheld: Writer) -> None:
    with refused("follow each other"):
        upheld.appeals(1)
    upheld.appeals(2)
    for reviewer in ("甲", "乙", "key"):
        with refused("has not decided before"):
            upheld.decides(reviewer, "dismiss")
    upheld.decides("丙", "dismiss")
    upheld.decides("丁", "dismiss")


def test_a_notice_rests_on_two_persons(writer: Writer) -> None:
    with refused(""):
        writer.notifies(1)
    writer.decides("甲")
    with refused("two persons"):
        writer.notifies(1)
    writer.decides("甲", "dismiss")
    with refused("upheld"):
        writer.notifies(2)
    writer.decides("乙", "uphold")
    with refused("two persons"):
        writer.notifies(3)
    writer.decides("丙", "uphold")
    writer.notifies(4)


def test_no_law_of_one_person_makes_two_persons_needless(writer: Writer) -> None:
    writer.law("one", second_person=False)
    writer.decides("甲")
    with refused("two persons"):
        writer.notifies(1)


def test_where_every_law_asks_for_one_person_one_is_enough(engine: Engine, a_class: Callable[..., None]) -> None:
    a_class("C", "L")
    writer = Writer(engine)
    writer.law("two", second_person=False)
    writer.decides("甲")
    writer.decides("甲", "dismiss")
    with refused("dismissed since"):
        writer.notifies(1)
    writer.decides("甲")
    writer.notifies(3)


def test_a_notice_needs_grounds_of_its_own_enrolment(upheld: Writer) -> None:
    row = {"notice": "N", "enrolment": "C-e", "by": "甲"}
    with refused("person's decision"):
        upheld.run((NOTICE, row))
    ground = {"notice": "N", "lesson": 1, "finding": F, "number": 2, "enrolment": "C-e"}
    with refused(""):
        upheld.run((GROUND, ground))
    assert upheld.count("review_ground") == 0, "grounds without a notice don't last"
    upheld.run((GROUND, ground), (NOTICE, row))
    with refused("not changed"):
        upheld.run((GROUND, ground | {"lesson": 2}))


def test_a_notice_rests_on_findings_about_its_enrolment_or_class(upheld: Writer, a_class: Callable[..., None]) -> None:
    a_class("D", "M", session_id="T")
    with refused("its enrolment"):
        upheld.notifies(2, enrolment="D-e")
    for number, reviewer in enumerate("甲乙", 1):
        upheld.decides(reviewer, finding="OG901-c", enrolment=None, number=number)
    upheld.notifies(2, finding="OG901-c")


def test_a_notice_does_not_rest_on_what_was_dismissed_or_is_appealed(upheld: Writer) -> None:
    upheld.decides("丙", "dismiss")
    upheld.notifies(2, "one word against two changes nothing")
    upheld.decides("丁", "dismiss")
    with refused("dismissed since"):
        upheld.notifies(2)


def test_a_notice_waits_for_the_appeal(upheld: Writer) -> None:
    upheld.appeals(2)
    with refused("waits for the appeal"):
        upheld.notifies(2)
    upheld.decides("丙")
    upheld.notifies(3)


def test_on_postgresql_a_role_that_owns_nothing_can_only_add(postgres_engine: Engine) -> None:
    _, _, rest = (DOCS / "review.md").read_text("utf-8").partition("```sql\n")
    granted = rest.partition("```")[0].replace("online_guard_app", "reviewed_app")
    with writing(postgres_engine) as database:
        database.execute(text(granted))
    writer = Writer(postgres_engine)
    writer.run("SET LOCAL ROLE reviewed_app", (LAW, {"sha": "two", "second_person": True}))
    for words in (
        "UPDATE review_decision SET number = 1",
        "DELETE FROM review_notice",
        "TRUNCATE review_appeal",
        "DROP TRIGGER guard_review_notice_grounds ON review_notice",
        "ALTER TABLE review_ground DISABLE TRIGGER ALL",
    ):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            writer.run("SET LOCAL ROLE reviewed_app", words)
    writer.run("DROP OWNED BY reviewed_app", "DROP ROLE reviewed_app")
