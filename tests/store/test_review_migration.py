"""Findings of before there were cases get names that last, and their classes are verified once more."""

from __future__ import annotations

import json

from alembic import command
from sqlalchemy import text

from online_guard.simulate.course import Course
from online_guard.store.unit_of_work import alembic_config, migrate, open_engine
from online_guard.verdict import case_id, finding_id

BEFORE = "20261125_a_mark"
EARLIER = """
INSERT INTO finding (class_id, rule, rule_since, subject, subject_id, effect, evidence, policy_id, policy_version,
    policy_sha256)
VALUES ('C', :rule, '0.1', :subject, :id, 'review', '{}', 'p', '1', 'x')
"""
FOUND = (("OG101", "session", "P/S"), ("OG405", "snapshot", "P/S/photo"), ("OG901", "class", "C"))


def test_earlier_findings_are_named_and_judged_once_more(database_url: str) -> None:
    command.downgrade(alembic_config(database_url), BEFORE)
    engine = open_engine(database_url)
    row = {"body": json.dumps(Course(class_id="C").class_row())}
    with engine.begin() as database:
        database.execute(text("INSERT INTO training_class (class_id, platform_id, body) VALUES ('C', 'P', :body)"), row)
        for rule, subject, subject_id in FOUND:
            database.execute(text(EARLIER), {"rule": rule, "subject": subject, "id": subject_id})
    migrate(database_url)
    with engine.begin() as database:
        named = {tuple(row) for row in database.execute(text("SELECT finding_id, case_id FROM finding"))}
        asked = [tuple(row) for row in database.execute(text("SELECT duty, key, asked, attempts FROM job"))]
    engine.dispose()
    assert named == {(finding_id(*one), case_id(*one[1:])) for one in FOUND}
    assert case_id("snapshot", "P/S/photo") == case_id("session", "P/S")
    assert asked == [("verify", "C", 1, 0)]
