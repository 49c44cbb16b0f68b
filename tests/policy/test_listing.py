"""The rows of `policy show`."""

from __future__ import annotations

import json

from online_guard.policy import RULE_IDS, Policy, PolicyLine, describe, load_policy


def test_lines_carry_value_unit_clause_and_text(shipped: Policy) -> None:
    lines = {line.key: line for line in describe(shipped)}
    gap = PolicyLine("popup.max_gap_s", 300.0, "s", "(四)21(2)", "连续5分钟内无弹窗管控")
    assert lines["popup.max_gap_s"] == gap
    assert lines["class.max_learners"] == PolicyLine(
        "class.max_learners", 80, "count", "(四)21(1)", "每班人数不得超过80人"
    )
    assert lines["effect.OG805"].value == "review"
    assert len(lines) == len(describe(shipped)) == 44 + len(RULE_IDS) + 4


def test_lines_are_json(shipped: Policy) -> None:
    for line in describe(shipped):
        assert json.loads(json.dumps(line.value)) == line.value


def test_values_in_one_line(shipped: Policy) -> None:
    text = {line.key: line.value_text for line in describe(shipped)}
    assert text["review.second_person"] == "true"
    assert text["assessment.months"] == "4、8、12"
    assert text["playback.rate_tolerance"] == "0.02"
    assert text["violation_scope"] == "lesson"
    assert text["occupations.online"].startswith("电子商务师（含跨境电子商务师）、社会工作者、")
    assert text["known_tools.signatures"].startswith("bulk-heartbeat、")


def test_an_override_shows(shipped: Policy) -> None:
    changed = describe(load_policy("huangchuan-2021", ["popup.max_gap_s=240"]))
    assert [line.key for line, before in zip(changed, describe(shipped), strict=True) if line != before] == [
        "popup.max_gap_s"
    ]
