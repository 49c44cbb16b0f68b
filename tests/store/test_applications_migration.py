"""Applications, surveys and judged rows of before are logged and dated."""

from __future__ import annotations

import json

from alembic import command
from sqlalchemy import text

from online_guard.simulate.course import Course
from online_guard.store.assessment_rows import candidates
from online_guard.store.row_check import check_rows
from online_guard.store.unit_of_work import alembic_config, migrate, open_engine, reading

BEFORE = "20261125_evidence_log"
EARLIER = (
    "INSERT INTO training_class (class_id, platform_id, body) VALUES ('C', 'P', :body)",
    """INSERT INTO enrolment (enrolment_id, class_id, learner_id, name, identity_number, face_checks, leave)
    VALUES ('E', 'C', 'L', '', '', 'required', '[]')""",
    """INSERT INTO application (class_id, "window", applied_on, assessment_on)
    VALUES ('C', '2021-08', '2021-08-02', '2021-08-14')""",
    "INSERT INTO survey (institution, surveyed_on, score) VALUES ('甲校', '2021-05-01', 0.84)",
    """INSERT INTO result (class_id, kind, owner, body, policy_id, policy_version, policy_sha256)
    VALUES ('C', 'eligibility', 'E', :result, 'p', '1', 'x')""",
)


def test_what_was_there_is_logged_and_dated(database_url: str) -> None:
    command.downgrade(alembic_config(database_url), BEFORE)
    engine = open_engine(database_url)
    given = {"body": json.dumps(Course(class_id="C").class_row()), "result": json.dumps({"window": "2021-08"})}
    with engine.begin() as database:
        for statement in EARLIER:
            database.execute(text(statement), {name: value for name, value in given.items() if f":{name}" in statement})
    migrate(database_url)
    with reading(engine) as database:
        faults = [fault.where for fault in check_rows(database)]
        dated = [(one.enrolment_id, one.updated_ms) for one in candidates(database, "2021-08", "P", 0, None, 9)]
    engine.dispose()
    assert [where for where in faults if where.startswith(("application", "survey"))] == []
    assert dated == [("E", 0)]
