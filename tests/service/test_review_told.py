"""What is told of decisions: to the evidence log in the same transaction, and to the platform once they take effect."""

from __future__ import annotations

import json

import pytest
from reviewers import DISMISS, UPHOLD, Review
from sqlalchemy import select, text

from online_guard.errors import GuardError
from online_guard.service.house import clock_ms
from online_guard.service.notifying import webhooks
from online_guard.service.reviewing import notices
from online_guard.store import review_rows
from online_guard.store.log_tables import LogEntryRecord
from online_guard.store.row_check import check_rows
from online_guard.store.unit_of_work import reading, writing
from online_guard.store.webhook_tables import EndpointRecord, MessageRecord

HIDDEN = "2021-ds-01-004"


def logged(review: Review) -> list[dict[str, object]]:
    """Return what the log says of decisions, oldest first."""
    with reading(review.house.engine) as database:
        query = (
            select(LogEntryRecord.payload).where(LogEntryRecord.kind == "decision").order_by(LogEntryRecord.entry_id)
        )
        return [json.loads(payload or "{}") for payload in database.scalars(query)]


def faults(review: Review) -> list[str]:
    """Return the rows of review that aren't what was logged."""
    with reading(review.house.engine) as database:
        return [fault.where for fault in check_rows(database) if fault.where.startswith("decision")]


def test_decisions_appeals_and_notices_are_in_the_log_and_held_against_it(on_sqlite: Review) -> None:
    hidden = on_sqlite.finding("OG203")
    for found in on_sqlite.findings():
        if found.enrolment_id == HIDDEN:
            on_sqlite.two_say(UPHOLD, found)
    notices.issue(on_sqlite.house, HIDDEN, "甲", clock_ms())
    on_sqlite.appeals(hidden)
    said = logged(on_sqlite)
    assert [str(one["name"]).split()[0] for one in said] == ["decision"] * 4 + ["notice", "appeal"]
    assert {one.get("reviewer") for one in said} == {"甲", "乙", None}
    assert faults(on_sqlite) == []
    with writing(on_sqlite.house.engine) as database:
        database.execute(text("DROP TRIGGER guard_review_decision_no_update"))
        database.execute(text("UPDATE review_decision SET reason = 'another' WHERE number = 1"))
    assert len(faults(on_sqlite)) == 2, "whoever takes a guard away is found by the log"


def test_what_is_refused_leaves_nothing_in_the_log(on_sqlite: Review, monkeypatch: pytest.MonkeyPatch) -> None:
    found = on_sqlite.finding("OG203")
    on_sqlite.says("甲", UPHOLD, found)
    with pytest.raises(GuardError):
        on_sqlite.says("甲", UPHOLD, found, "another reason")
    monkeypatch.setattr(review_rows, "decisions_where", lambda *_: {})
    with pytest.raises(GuardError) as refusal:
        on_sqlite.says("乙", UPHOLD, found)
    assert refusal.value.code == "review.refused", "the database refuses what the service didn't notice"
    assert len(logged(on_sqlite)) == 1


def test_the_platform_is_told_when_a_decision_takes_effect(on_sqlite: Review) -> None:
    house, found = on_sqlite.house, on_sqlite.finding("OG303")
    with writing(house.engine) as database:
        values = {"url": "https://platform.example", "secret": b"", "created_ms": 1}
        database.add(EndpointRecord(endpoint_id="e", platform_id="hc-online", **values))
        database.add(EndpointRecord(endpoint_id="f", platform_id="another", **values))

    def told() -> list[dict[str, object]]:
        with reading(house.engine) as database:
            query = select(MessageRecord).where(MessageRecord.type == "finding.decided")
            rows = list(database.scalars(query))
        assert {(row.endpoint_id, row.subject) for row in rows} <= {("e", found.subject_id)}
        return [json.loads(row.body)["data"] for row in rows]

    on_sqlite.says("甲", DISMISS, found)
    assert told() == []
    on_sqlite.says("乙", DISMISS, found)
    (data,) = told()
    assert (data["finding_id"], data["decision"], data["rule"]) == (found.finding_id, "dismiss", "OG303")
    assert "reviewer" not in data
    assert "finding.decided" in webhooks.TYPES
