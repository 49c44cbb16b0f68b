from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from online_guard.demo.checks import surprises
from online_guard.demo.office import Place, PublishedRoster, RosterLine
from online_guard.demo.report import Refused, Report, build_report
from online_guard.demo.roster import expected
from online_guard.demo.run import judged
from online_guard.judge import Judgement
from online_guard.policy import DEFAULT_POLICY, load_policy
from online_guard.simulate.course import Plan, simulate, write_rows
from online_guard.terms import Subject

PLANS = (Plan("plain"), Plan(cheats={3: "fast_forward"}))
Said = tuple[Report, Judgement, dict[str, Any], dict[str, Any], dict[str, Any]]


@pytest.fixture
def said(tmp_path: Path) -> Said:
    """A judged class, and what a service would say that agrees with it."""
    policy = load_policy(DEFAULT_POLICY)
    write_rows(simulate(PLANS, 2), tmp_path)
    evidence, judgement = judged(tmp_path, policy)
    verdicts: dict[str, Any] = {row.session_id: row.as_row() | {"findings": []} for row in judgement.sessions}
    for finding in judgement.findings:
        if finding.subject is Subject.SESSION:
            verdicts[finding.subject_id]["findings"].append(finding.as_row() | {"name_zh": "…"})
    ledgers: dict[str, Any] = {"all": {"lessons": [entry.as_row() for entry in judgement.ledger]}}
    feed = {
        "candidates": [row.as_row() for row in judgement.eligibility if row.eligible],
        "refused": [row.as_row() | {"tests": {}} for row in judgement.eligibility if not row.eligible],
    }
    place = Place("2021-08-14", "09:00–10:30", "中心", "机房", 1)
    lines = tuple(RosterLine(row["enrolment_id"], place, place) for row in feed["candidates"])
    roster = PublishedRoster("2021-08", 1, "0" * 64, lines, ("roster.pdf",))
    report = replace(build_report(evidence, judgement, policy, {}), roster=roster)
    return report, judgement, verdicts, ledgers, feed


def test_no_surprise_when_all_agree(said: Said) -> None:
    report, judgement, verdicts, ledgers, feed = said
    assert surprises(report, judgement, PLANS, verdicts, ledgers, feed) == []


def _other_verdict(_: Report, verdicts: Any, ledgers: Any, feed: Any) -> None:
    next(iter(verdicts.values()))["verdict"] = "held"


def _finding_gone(_: Report, verdicts: Any, ledgers: Any, feed: Any) -> None:
    next(row for row in verdicts.values() if row["findings"])["findings"].pop()


def _session_gone(_: Report, verdicts: Any, ledgers: Any, feed: Any) -> None:
    verdicts.popitem()


def _hours_gone(_: Report, verdicts: Any, ledgers: Any, feed: Any) -> None:
    ledgers["all"]["lessons"][0]["hours"] = 0.0


def _candidate_gone(_: Report, verdicts: Any, ledgers: Any, feed: Any) -> None:
    feed["candidates"].pop()


@pytest.mark.parametrize("change", [_other_verdict, _finding_gone, _session_gone, _hours_gone, _candidate_gone])
def test_each_difference_is_a_surprise(said: Said, change: Callable[..., None]) -> None:
    report, judgement, verdicts, ledgers, feed = said
    change(report, verdicts, ledgers, feed)
    assert len(surprises(report, judgement, PLANS, verdicts, ledgers, feed)) == 1


def test_a_missed_cheat_and_a_flagged_honest_learner_are_surprises(said: Said) -> None:
    report, judgement, verdicts, ledgers, feed = said
    swapped = surprises(report, judgement, PLANS[::-1], verdicts, ledgers, feed)
    assert any("未发现" in line for line in swapped)
    assert any("误报" in line for line in swapped)


def test_a_roster_without_somebody_who_is_eligible_is_a_surprise(said: Said) -> None:
    report, judgement, verdicts, ledgers, feed = said
    for roster in (None, replace(report.roster, lines=())):
        lacking = replace(report, roster=roster)
        assert len(surprises(lacking, judgement, PLANS, verdicts, ledgers, feed)) == 1


def test_bad_input_that_was_taken_is_a_surprise(said: Said) -> None:
    report, judgement, verdicts, ledgers, feed = said
    taken = replace(report, refused=(Refused("x", "x", 200, "", ""),))
    assert len(surprises(taken, judgement, PLANS, verdicts, ledgers, feed)) == 1


def test_what_may_be_found_depends_on_the_lesson() -> None:
    plan = Plan(cheats={2: "overlapping_sessions", 3: "declared_rate"})
    assert [(sorted(must), sorted(may)) for must, may in (expected(plan, lesson_no) for lesson_no in (1, 2, 3))] == [
        ([], ["OG201", "OG702"]),
        (["OG201"], ["OG702"]),
        (["OG103"], ["OG101", "OG702"]),
    ]
    assert expected(Plan("plain"), 1) == (frozenset(), frozenset())
