"""Whether the demonstration found what it planted, and whether the service and a re-validation say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from online_guard.demo.camera import GENUINE, LABELS, REPLAY
from online_guard.demo.platform import CheckAnswer
from online_guard.demo.report import Report
from online_guard.demo.roster import expected
from online_guard.judge import Judgement
from online_guard.service.capturing.judged_clips import SEEN_BEFORE, WORDS
from online_guard.simulate.course import Plan
from online_guard.terms import Outcome, Subject

FINDING_FIELDS = ("rule", "subject", "subject_id", "effect", "start_ms", "end_ms", "evidence")


def surprises(
    report: Report,
    judgement: Judgement,
    plans: Sequence[Plan],
    verdicts: Mapping[str, Any],
    ledgers: Mapping[str, Any],
    feed: Mapping[str, Any],
) -> list[str]:
    """Return everything that isn't as planted or said differently by the service and by the re-validated bundle.

    Args:
        report: Of the exported bundle.
        judgement: Of the exported bundle.
        plans: How each learner studied, in the order of the report.
        verdicts: The service's verdict on each session.
        ledgers: The service's ledger of each enrolment.
        feed: The service's candidates.
    """
    return [
        *_planted(report, plans),
        *_verdicts(judgement, verdicts),
        *_ledgers(judgement, ledgers),
        *_feed(judgement, feed),
        *_roster(report, judgement),
        *_bad(report),
    ]


def _planted(report: Report, plans: Sequence[Plan]) -> Iterator[str]:
    """Compare the findings of each lesson with what its plan makes necessary and possible."""
    for learner, plan in zip(report.learners, plans, strict=True):
        for lesson in learner.lessons:
            found = {line.rule for line in lesson.findings if line.effect != "note"}
            must, may = expected(plan, lesson.lesson_no)
            place = f"{learner.person.name} {learner.enrolment_id} 第 {lesson.lesson_no} 课 lesson"
            if must - found:
                yield f"{place}: 未发现 not found {', '.join(sorted(must - found))}"
            if found - must - may:
                yield f"{place}: 误报 found without reason {', '.join(sorted(found - must - may))}"
        if (learner.state == "eligible") != (not plan.cheats):
            yield f"{learner.person.name} {learner.enrolment_id}: 考核资格 assessment: {learner.state}"


def _verdicts(judgement: Judgement, verdicts: Mapping[str, Any]) -> Iterator[str]:
    """Compare the service's verdicts and session findings with the re-validation's."""
    again: dict[str, list[dict[str, Any]]] = {}
    for finding in judgement.findings:
        if finding.subject is Subject.SESSION:
            again.setdefault(finding.subject_id, []).append(finding.as_row())
    for row in judgement.sessions:
        said = verdicts.get(row.session_id)
        if said is None:
            yield f"{row.session_id}: 服务没有结论 no verdict of the service"
            continue
        own = {name: said[name] for name in ("verdict", "playing_ms", "watched_s")}
        if own != {name: value for name, value in row.as_row().items() if name != "session_id"}:
            yield f"{row.session_id}: 服务 service {own}, 复验 re-validated {row.as_row()}"
        live = [
            {name: found[name] for name in FINDING_FIELDS}
            for found in said["findings"]
            if found["subject"] == "session"
        ]
        if sorted(live, key=lambda found: str(found["rule"])) != sorted(
            again.get(row.session_id, []), key=lambda found: str(found["rule"])
        ):
            yield f"{row.session_id}: 疑点不同 findings differ: {live} / {again.get(row.session_id, [])}"


def _ledgers(judgement: Judgement, ledgers: Mapping[str, Any]) -> Iterator[str]:
    """Compare the service's ledger with the re-validation's."""
    live = {(row["enrolment_id"], row["lesson_no"]): row for ledger in ledgers.values() for row in ledger["lessons"]}
    for entry in judgement.ledger:
        row = entry.as_row()
        said = live.get((entry.enrolment_id, entry.lesson_no), {})
        if {name: said.get(name) for name in row} != row:
            yield f"{entry.enrolment_id}/{entry.lesson_no}: 服务 service {said}, 复验 re-validated {row}"


def _feed(judgement: Judgement, feed: Mapping[str, Any]) -> Iterator[str]:
    """Compare the service's candidates and refused with the re-validation's eligibility."""
    live = {row["enrolment_id"]: row for row in (*feed["candidates"], *feed["refused"])}
    for row in judgement.eligibility:
        said = {name: value for name, value in live.get(row.enrolment_id, {}).items() if name != "tests"}
        if said != row.as_row():
            yield f"{row.enrolment_id}: 服务 service {said}, 复验 re-validated {row.as_row()}"


def _roster(report: Report, judgement: Judgement) -> Iterator[str]:
    """Compare the published roster with the re-validation: everybody who is eligible has a place, and nobody else."""
    placed = [] if report.roster is None else [line.enrolment_id for line in report.roster.lines]
    eligible = sorted(row.enrolment_id for row in judgement.eligibility if row.eligible)
    if placed != eligible:
        yield f"考核名单 roster: {placed}; 可考 eligible: {eligible}"


def _bad(report: Report) -> Iterator[str]:
    """See that bad input was refused with words."""
    for item in report.refused:
        if not 400 <= item.status < 500 or not item.title:
            yield f"错误输入未被明确拒绝 bad input not clearly refused: {item.what_en}: {item.status}"


def wrong_checks(checks: Sequence[CheckAnswer]) -> Iterator[str]:
    """See that no attack passed, and that a clip sent again was known."""
    for check in checks:
        zh, en = LABELS[check.kind]
        if check.kind != GENUINE and check.outcome is Outcome.PASSED:
            yield f"{check.check_id}: {zh} {en}: 通过 passed"
        if check.kind == REPLAY and WORDS[SEEN_BEFORE] not in check.reasons:
            yield f"{check.check_id}: {zh} {en}: {check.reasons}"
