"""Overviews are counted by SQL; on both databases they say what findings, decisions and ledgers say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reviewers import DISMISS, UPHOLD, Review
from stored_class import HONEST, store_class

from online_guard.errors import GuardError
from online_guard.pictures.heat_map import Hours
from online_guard.pictures.rule_trend import RuleWeeks
from online_guard.service import verification
from online_guard.service.reviewing import overviews
from online_guard.simulate.course import Course
from online_guard.store.overview_rows import last_opened_ms, week_start_ms
from online_guard.store.tables import DeadLetterRecord
from online_guard.store.unit_of_work import reading, writing

MONDAY_MS = 1_622_995_200_000
"""7 June 2021, 00:00 in China."""
WEEK_MS = 7 * 86_400_000


def sums(trend: RuleWeeks) -> tuple[int, int, int, int]:
    names = ("sessions", "hits", "upheld", "dismissed")
    return tuple(sum(getattr(week, name) for week in trend.weeks) for name in names)  # type: ignore[return-value]


def test_weeks_begin_on_mondays_in_china() -> None:
    number = (MONDAY_MS - week_start_ms(0)) // WEEK_MS
    assert week_start_ms(number) == MONDAY_MS
    assert (MONDAY_MS - 1 - week_start_ms(0)) // WEEK_MS == number - 1


def test_rules_are_counted_by_session_week_and_decision(reviewed: Review) -> None:
    house = reviewed.house
    store_class(house, [HONEST], replace(Course(), class_id="elsewhere", platform_id="other"), seed=2)
    verification.verify_class(house, "elsewhere")
    with reading(house.engine) as database:
        now_ms = last_opened_ms(database)
    assert now_ms is not None
    reviewed.says("甲", UPHOLD, reviewed.finding("OG102"), now_ms=now_ms - 2)
    reviewed.says("乙", UPHOLD, reviewed.finding("OG102"), now_ms=now_ms - 1)
    reviewed.says("甲", UPHOLD, reviewed.finding("OG303"), now_ms=now_ms - 2)
    reviewed.says("乙", DISMISS, reviewed.finding("OG303"), now_ms=now_ms - 1)

    lines = {line.total.rule: line for line in overviews.rules_overview(house)}
    found = [finding.rule for finding in reviewed.findings()]
    assert {rule: line.total.findings for rule, line in lines.items()} == {rule: found.count(rule) for rule in found}
    assert sums(lines["OG102"].weeks) == (15, 1, 1, 0)
    assert sums(lines["OG303"].weeks) == (15, 1, 0, 1)
    assert (lines["OG102"].upheld_share, lines["OG303"].upheld_share, lines["OG203"].upheld_share) == (1.0, 0.0, None)
    assert lines["OG702"].weeks.weeks[-1].hits == 0, "a rule about lessons has no share of sessions"

    mine, theirs = overviews.rule_by_platform(house, "OG102")
    assert (mine.place, theirs.place) == ("hc-online", "other")
    assert (sums(mine)[:2], sums(theirs)[:2]) == ((12, 1), (3, 0))
    hit = next(week for week in mine.weeks if week.hits)
    assert hit.elsewhere in (0.0, None)
    assert {week.elsewhere for week in theirs.weeks} > {None}


def test_a_platform_shows_its_size_its_refusals_and_its_rules(reviewed: Review) -> None:
    house = reviewed.house
    with writing(house.engine) as database:
        for state in ("waiting", "waiting", "replayed"):
            letter = DeadLetterRecord(kind="event", received_ms=1, reason="r", content="c", platform_id="hc-online")
            letter.state = state
            database.add(letter)
    facts = overviews.platform(house, "hc-online")
    assert (facts.classes, facts.sessions) == (1, 12)
    assert facts.refused == (("event", "replayed", 1), ("event", "waiting", 2))
    assert {trend.rule for trend in facts.trends} >= {"OG102", "OG203", "OG303"}
    assert overviews.platforms(house) == [("hc-online", 1, 12)]
    with pytest.raises(GuardError, match="no such platform"):
        overviews.platform(house, "nobody")


def test_a_learner_is_shown_with_every_lesson_and_case(reviewed: Review) -> None:
    house = reviewed.house
    found = reviewed.finding("OG303")
    with reading(house.engine) as database:
        learners = {
            enrolment.enrolment_id: enrolment.learner_id
            for enrolment, _ in overviews.overview_rows.enrolments_of(database, f"learner-{found.enrolment_id}")
        }
    learner_id = learners[str(found.enrolment_id)]

    def state() -> Hours:
        (row,) = overviews.learner(house, learner_id)
        return row.cells[2].state

    assert state() is Hours.HELD
    reviewed.two_say(UPHOLD, found)
    assert state() is Hours.REFUSED
    reviewed.two_say(DISMISS, reviewed.finding("OG303"))
    assert state() is Hours.EARNED
    (row,) = overviews.learner(house, learner_id)
    assert row.hours == 3.0
    assert {case.case_id for case in row.cases} == {found.case_id}
    with pytest.raises(GuardError, match="no such learner"):
        overviews.learner(house, "nobody")


def test_what_is_unknown_is_said(reviewed: Review) -> None:
    with pytest.raises(GuardError, match="no such rule"):
        overviews.rule_by_platform(reviewed.house, "OG999")
