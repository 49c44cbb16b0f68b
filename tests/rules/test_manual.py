"""The manual: every rule has a whole page in both languages, scenarios, and a golden finding that its page explains."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from golden_finding import GOLDEN, golden_text
from policy_recorder import recording
from scenario_check import all_cases, policy_of
from thresholds import THRESHOLDS

from online_guard import cli, judge
from online_guard.errors import GuardError
from online_guard.policy.pack import pack_schema
from online_guard.rules.base import Rule
from online_guard.rules.catalogue import BY_ID, RULES, rule_of
from online_guard.rules.manual import PARTS, SINGLE, as_json, as_markdown, page_of, read_page

IDS = [rule.id for rule in RULES]
PROSE = [name for name in PARTS if name not in (*SINGLE, "evidence")]
DOCSTRING = sys.modules[BY_ID["OG103"].check.__module__].__doc__ or ""


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_every_rule_has_every_part_in_both_languages(rule: Rule) -> None:
    page = page_of(rule)
    assert list(page.texts) == PROSE
    assert all(text.zh and text.en for text in page.texts.values())
    assert page.since == rule.since


@pytest.mark.parametrize("part", ["finds", "boundary", "honest", "appeal", "silent"])
@pytest.mark.parametrize("side", [0, 1], ids=["zh", "en"])
def test_no_rule_borrows_the_text_of_another(part: str, side: int) -> None:
    assert len({page_of(rule).texts[part][side] for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_every_rule_has_a_scenario_that_fires_and_one_that_is_silent(rule: Rule) -> None:
    cases = [case for case in all_cases() if case.rule == rule.id and not case.xfail]
    assert any(case.expect for case in cases)
    assert any(not case.expect for case in cases)


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_the_golden_finding_is_what_the_rule_gives_and_the_page_explains_its_evidence(rule: Rule) -> None:
    """A difference that is meant is written by `python tests/rules/golden_finding.py`."""
    text = (GOLDEN / f"{rule.id}.json").read_text("utf-8")
    assert text == golden_text(rule)
    row = json.loads(text)["finding"]
    assert (row["rule"], row["subject"]) == (rule.id, rule.subject)
    assert set(row["evidence"]) == set(page_of(rule).evidence)


def test_no_golden_finding_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{rule.id}.json" for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_the_page_names_every_threshold_that_the_rule_reads(rule: Rule) -> None:
    seen: set[str] = set()

    def check(*given: Any) -> Any:
        *facts, policy = given
        return rule.check(*facts, recording(policy, seen))

    case = next(case for case in all_cases() if case.rule == rule.id and case.expect)
    watched = replace(rule, check=check)
    with patch.object(judge, "RULES", (watched,)), patch.dict(judge.BY_ID, {rule.id: watched}):
        judge.judge(case.evidence, policy_of(case.overrides))
    seen |= {row[1] for row in THRESHOLDS if row[0] == rule.id}
    named = set(page_of(rule).thresholds)
    assert seen <= named
    assert named <= set(pack_schema())


def test_a_page_is_whole_in_either_language_and_shows_the_values_of_the_pack() -> None:
    rule = BY_ID["OG301"]
    text = as_markdown(rule, policy_of(("popup.max_gap_s=240",)))
    chinese, english = text.split("## English\n")
    for heading in PARTS.values():
        zh, en = heading.split(" / ")
        assert f"### {zh}\n" in chinese
        assert f"### {en}\n" in english
    for half in (chinese, english):
        assert "`popup.max_gap_s` = 240.0 s ((四)21(2))" in half
        assert "连续5分钟内无弹窗管控" in half
        assert "`pop_ups`: " in half


REFUSALS = [
    ("OG103 declared-rate", "OG103 declared rate", "first line"),
    ("边界 / Boundary", "边界 / Limits", "look at 边界 / Boundary"),
    ("条款 / Clause\n", "不应报 / Must stay silent\n", "look at"),
    ("    播放时的事件声明倍速超过上限。\n\n", "", "not 1"),
    ("    暂停时设置的任何倍速。\n", "    暂停时设置的任何倍速。\n\n    more\n", "not 3"),
    ("    暂停时设置的任何倍速。", "    any rate", "Chinese text first"),
    ("    Any rate set while paused.", "    暂停时的倍速。", "Chinese text first"),
    ("    Any rate set while paused.", "    Any rate 暂停 set.", "Chinese text first"),
    ("    Any rate set while paused.", "  Any rate set while paused.", "indent"),
    ("    value: highest rate declared\n", "", "keys differ"),
    ("    value: highest rate declared\n", "    the highest rate declared\n", "`key: text`"),
    ("    value: highest rate declared\n", "    value: 最高倍速\n", "Chinese text first"),
    ("    0.1\n", "", "empty"),
]


@pytest.mark.parametrize(("old", "new", "reason"), REFUSALS)
def test_a_page_that_lacks_something_is_refused(old: str, new: str, reason: str) -> None:
    assert DOCSTRING.count(old) == 1
    with pytest.raises(GuardError, match=reason) as refused:
        read_page(BY_ID["OG103"], DOCSTRING.replace(old, new), "module")
    assert refused.value.where.startswith("module")


def test_the_unchanged_page_is_read() -> None:
    page = read_page(BY_ID["OG103"], DOCSTRING, "module")
    assert page.thresholds == ("playback.max_rate", "playback.rate_tolerance")
    assert page.evidence["count"] == ("超速声明的事件数", "events that declare too much")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command line and gives exit status, output and errors."""

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["online-guard", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return (int(ended.value.code or 0), *capsys.readouterr())

    return command


def test_the_command_lists_all_rules_and_shows_one(run: Callable[..., tuple[int, str, str]]) -> None:
    assert [row["id"] for row in json.loads(run("rules", "--json")[1])] == IDS
    told = json.loads(run("rules", "og404", "--json")[1])
    assert told == json.loads(json.dumps(as_json(rule_of("OG404"), policy_of(()))))
    assert set(PARTS) <= set(told)
    assert told["thresholds"][0]["value"] == 0.7
    status, page, _ = run("rules", "OG404")
    assert status == 0
    assert "诚实学员" in page
    assert "Honest learner" in page


def test_an_unknown_rule_is_refused_with_what_to_do(run: Callable[..., tuple[int, str, str]]) -> None:
    status, _, errors = run("rules", "OG999")
    assert status == 2
    assert "no rule OG999" in errors
    assert "online-guard rules" in errors
