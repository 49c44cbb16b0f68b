"""The page of a comparison: one self-contained HTML file, Chinese first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from online_guard import page
from online_guard.assessment.eligibility import TESTS
from online_guard.compare.picture import NAMES, draw_flow, draw_hours
from online_guard.compare.rows import CHANGED, ONLY_NEW, ONLY_OLD
from online_guard.rules.catalogue import BY_ID
from online_guard.wording import failed_test_in_words, in_words

MOST_LINES = 60
"""Longer tables are cut, and say so; the files beside the page hold every row."""
KIND_NAMES = {
    ONLY_OLD: "只在原结果中 only in the old result",
    ONLY_NEW: "只在新结果中 only in the new result",
    CHANGED: "内容改变 changed",
    "gained": "增加 gained",
    "lost": "失去 lost",
    "measured": "结论不变，其他数值改变 same outcome, other values changed",
}
FINDING_NAMES = {ONLY_OLD: "不再出现 gone", ONLY_NEW: "新出现 new", CHANGED: "改变 changed"}
ABOUT_NAMES = {"session": ("会话", "Sessions"), "lesson": ("课时", "Lessons"), "learner": ("考核资格", "Eligibility")}
SUMMARY_NAMES = {
    "events": "事件数 events",
    "refused_rows": "拒收行数 refused rows",
    "not_evaluable": "无法判断 not evaluable",
    "unused_decisions": "未用到的决定 unused decisions",
}


def render(summary: Mapping[str, Any]) -> str:
    """Return the page of what `summary.summarise` returned."""
    flow, hours = summary["sessions"]["flow"], summary["hours"]
    moved = sorted(
        (row for row in hours["by_class"] if row["gained"] or row["lost"]),
        key=lambda row: (-row["gained"] - row["lost"], row["class_id"] or ""),
    )
    return page.render(
        "online_guard.compare",
        "report.html",
        comparison=summary,
        flow_pictures=[draw_flow(flow, width) for width in (860, 400)] if flow else [],
        hours_pictures=[draw_hours(moved, width) for width in (860, 400)] if moved else [],
        moved=moved,
        most_lines=MOST_LINES,
        kind=_kind,
        names=NAMES,
        finding_names=FINDING_NAMES,
        about_names=ABOUT_NAMES,
        summary_names=SUMMARY_NAMES,
        tests=TESTS,
        rules=BY_ID,
        in_words=in_words,
        test_in_words=failed_test_in_words,
        as_json=lambda value: msgspec.json.encode(value).decode(),
    )


def _kind(kind: str) -> str:
    """Return the name of a kind of example."""
    old, arrow, new = kind.partition(" > ")
    return f"{NAMES.get(old, old)} → {NAMES.get(new, new)}" if arrow else KIND_NAMES[kind]


def in_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a terminal shows of a comparison."""
    hours, eligibility = summary["hours"], summary["eligibility"]
    for side, label in (("old", "原政策 old policy"), ("new", "新政策 new policy")):
        law = summary["policy"][side]
        yield f"{label}: {law['id']} {law['version']} {law['sha256'][:12]}…"
    if not summary["changed"]:
        yield "没有任何变化 / nothing changed"
    for row in summary["sessions"]["flow"]:
        if row["old"] != row["new"]:
            yield f"会话 sessions: {NAMES[row['old']]} → {NAMES[row['new']]} {row['sessions']:,}"
    yield f"学时 hours: {hours['old']:,g} → {hours['new']:,g} (+{hours['gained']:,g} −{hours['lost']:,g})"
    old, new, gained, lost = (f"{eligibility[name]:,}" for name in ("old", "new", "gained", "lost"))
    yield f"考核资格 eligible: {old} → {new} (+{gained} −{lost})"
    for row in summary["rules"]:
        yield (
            f"{row['rule']} {row['zh']} {row['en']}: 疑点 findings +{row['findings_added']:,} "
            f"−{row['findings_removed']:,} ~{row['findings_changed']:,}  会话 sessions {row['sessions']:,}  "
            f"课 lessons {row['lessons']:,}  学员 learners {row['learners']:,}"
        )
    for name, row in summary["summary"].items():
        yield f"{SUMMARY_NAMES[name]}: {row['old']} → {row['new']}"
