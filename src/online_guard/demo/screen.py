"""What the demonstration prints: Chinese and English side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from online_guard.demo.check_cards import CheckCard
from online_guard.demo.platform import PictureAnswer
from online_guard.demo.report import FindingLine, LearnerCard, Refused, Report

STYLES = {"reject": "red", "review": "yellow", "note": "dim"}
OUTCOME_STYLES = {"passed": "green", "failed": "red", "inconclusive": "yellow"}
STATES = {
    "eligible": "[green]可参加 eligible[/]",
    "waiting": "[yellow]待复核 waiting[/]",
    "refused": "[red]不可参加 refused[/]",
}


def show_findings(console: Console, report: Report) -> None:
    """Print who was flagged, why, and under which clause."""
    table = Table(title="疑点 Findings", title_justify="left", show_lines=True, expand=True)
    for heading in ("学员 learner", "课 lesson", "规则 rule", "测得 measured", "条款 clause"):
        table.add_column(heading, overflow="fold")
    for learner in report.learners:
        name = learner.person.name
        for lesson in learner.lessons:
            for line in _flags(lesson.findings):
                rule = f"[{STYLES[line.effect]}]{line.rule}[/] {line.name_zh}\n[dim]{line.name_en}[/]"
                table.add_row(name, str(lesson.lesson_no), rule, f"{line.zh}\n[dim]{line.en}[/]", line.clause)
                name = ""
    console.print(table)


def show_learners(console: Console, report: Report, claims: dict[str, Any]) -> None:
    """Print claimed and accepted hours, and who may sit the assessment."""
    table = Table(title=f"学时与 {report.window} 考核 Hours and assessment", title_justify="left", expand=True)
    for heading in (
        "学员 learner",
        "学习方式 how they studied",
        "申报/认定 claimed/accepted",
        "被拒绝的课 refused lessons",
        "考核 assessment",
        "未满足 failed tests",
    ):
        table.add_column(heading, overflow="fold")
    for learner in report.learners:
        claim = claims[learner.enrolment_id]
        refused = [row for row in claim["lessons"] if not row["accepted"]]
        table.add_row(
            learner.person.name,
            f"{learner.person.label_zh}\n[dim]{learner.person.label_en}[/]",
            f"{sum(row['claimed'] for row in claim['lessons']):g} / {claim['accepted_hours']:g}",
            "\n".join(f"{row['lesson_no']}: {', '.join(row['refused_by'])}" for row in refused),
            STATES[learner.state],
            _failed(learner),
        )
    console.print(table)


def show_pictures(console: Console, pictures: Sequence[PictureAnswer]) -> None:
    """Print what the service said of one picture of each kind."""
    table = Table(title="照片 Pictures", title_justify="left")
    for heading in ("照片 picture", "合格 good", "原因 reasons", "人脸 faces", "与参考照距离 distance to reference"):
        table.add_column(heading)
    for kind in sorted({picture.kind for picture in pictures}):
        one = next(picture for picture in pictures if picture.kind == kind)
        distance = "–" if one.distance is None else f"{one.distance:.2f}"
        good = "[green]是 yes[/]" if one.good else "[red]否 no[/]"
        table.add_row(kind, good, ", ".join(one.reasons) or "–", str(one.faces), distance)
    console.print(table)


def show_checks(console: Console, checks: Sequence[CheckCard], tried: int, passed: int) -> None:
    """Print one liveness check of each kind: what was asked and shown, and what the service found."""
    title = f"活体比对 Liveness checks: {tried} 次 tried, {passed} 次通过 passed"
    table = Table(title=title, title_justify="left", show_lines=True, expand=True)
    for heading in ("镜头前 before the camera", "要求 asked", "结果 outcome", "原因 reasons", "距离 distance"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        table.add_row(
            f"{check.label_zh}\n[dim]{check.label_en}[/]",
            " → ".join(check.asked),
            f"[{OUTCOME_STYLES[check.outcome]}]{check.outcome_label}[/]",
            "\n".join(f"{zh} [dim]{en}[/]" for zh, en in check.reasons) or "–",
            "–" if check.distance is None else f"{check.distance:.2f}",
        )
    console.print(table)


def show_refused(console: Console, refused: Sequence[Refused]) -> None:
    """Print the bad input and what the service answered."""
    table = Table(title="被拒绝的输入 Input that was refused", title_justify="left", show_lines=True, expand=True)
    for heading in ("提交 sent", "状态 status", "答复 answer"):
        table.add_column(heading, overflow="fold")
    for item in refused:
        table.add_row(
            f"{item.what_zh}\n[dim]{item.what_en}[/]", str(item.status), f"{item.title}\n[dim]{item.detail}[/]"
        )
    console.print(table)


def _flags(lines: Sequence[FindingLine]) -> list[FindingLine]:
    """Return the findings that are more than notes; an unfinished lesson is left out where a refusal explains it."""
    refused = any(line.effect == "reject" and line.rule != "OG702" for line in lines)
    return [line for line in lines if line.effect != "note" and not (refused and line.rule == "OG702")]


def _failed(learner: LearnerCard) -> str:
    """Return the failed tests of a learner in words."""
    return "\n".join(f"{code} {zh} [dim]{en}[/]" for code, zh, en, _ in learner.failed)
