"""Controls of the scenario suite: it notices a rule that never fires, one that always does, and a wrong limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from scenario_check import SCENARIOS, all_cases, differences, policy_of
from scenario_reader import Case, ScenarioError, read_cases
from thresholds import THRESHOLDS

from online_guard import judge
from online_guard.policy import DEFAULT_POLICY
from online_guard.rules.base import Facts, Findings, Rule
from online_guard.rules.catalogue import RULES
from online_guard.terms import Subject

RULE_IDS = [rule.id for rule in RULES]


def cases_of(rule_id: str) -> list[Case]:
    return [case for case in all_cases() if case.rule == rule_id and not case.xfail]


def never(*_: Any) -> Findings:
    return Findings.of(np.zeros(0, np.int64), value=-1, limit=-1)


def always(rule: Rule, *given: Any) -> Findings:
    """Return a finding about every subject of the rule's kind."""
    evidence = given[0].evidence if isinstance(given[0], Facts) else given[1]
    count = {
        Subject.SESSION: len(evidence.sessions),
        Subject.SNAPSHOT: len(evidence.snapshots),
        Subject.LESSON: len(given[0].lessons) if isinstance(given[0], Facts) else 0,
        Subject.ENROLMENT: len(evidence.enrolments),
        Subject.CLASS: len(evidence.classes),
    }[rule.subject]
    return Findings.of(np.arange(count), value=-1, limit=-1)


@contextmanager
def only(rule: Rule) -> Iterator[None]:
    """Judge with this rule alone, in place of the one of the catalogue."""
    with patch.object(judge, "RULES", (rule,)), patch.dict(judge.BY_ID, {rule.id: rule}):
        yield


def broken(rule: Rule) -> set[str]:
    """Return the names of the rule's scenarios that fail with it."""
    with only(rule):
        return {case.name for case in cases_of(rule.id) if differences(case)}


@pytest.mark.parametrize("rule", RULES, ids=RULE_IDS)
def test_a_rule_that_never_fires_breaks_every_scenario_that_expects_something(rule: Rule) -> None:
    expecting = {case.name for case in cases_of(rule.id) if case.expect or case.not_evaluable}
    assert expecting, "no scenario fires"
    assert broken(replace(rule, check=never)) == expecting


@pytest.mark.parametrize("rule", RULES, ids=RULE_IDS)
def test_a_rule_that_always_fires_breaks_every_scenario(rule: Rule) -> None:
    def check(*given: Any) -> Findings:
        found = always(rule, *given)
        return found.with_column("lessons", [[1]] * len(found.row))

    assert any(not case.expect for case in cases_of(rule.id)), "no scenario is silent"
    assert broken(replace(rule, check=check)) == {case.name for case in cases_of(rule.id)}


def test_every_rule_has_one_scenario_file() -> None:
    wanted = {rule.check.__module__.rpartition(".")[2] for rule in RULES}
    assert {path.stem for path in SCENARIOS.glob("*.yaml")} == wanted
    assert [path.name for path in SCENARIOS.iterdir() if path.suffix != ".yaml"] == []


@pytest.mark.parametrize("side", [2, 3], ids=["lower", "higher"])
@pytest.mark.parametrize("threshold", THRESHOLDS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_threshold_moved_by_a_little_breaks_a_scenario(threshold: tuple[Any, ...], side: int) -> None:
    rule_id, key = threshold[:2]
    section, name = key.split(".")
    shipped = getattr(getattr(policy_of(()), section), name)
    moved = f"{key}={shipped + threshold[side]}"
    cases = [case for case in cases_of(rule_id) if not any(text.startswith(f"{key}=") for text in case.overrides)]
    assert any(_judged_differently(case, moved) for case in cases)


def _judged_differently(case: Case, moved: str) -> bool:
    """Return whether the scenario fails with another threshold for a reason other than a limit told in evidence."""
    told = tuple({k: v for k, v in row.items() if k != "limit"} for row in case.expect)
    return bool(differences(replace(case, expect=told, overrides=(*case.overrides, moved))))


GOOD = "- name: a case\n  events: [[play, 0, 0, true]]\n  expect: []\n"


def _read(folder: Path, text: str, name: str = "og101_fast_forward.yaml") -> list[Case]:
    path = folder / name
    path.write_text(text, "utf-8")
    return read_cases(path)


def test_the_reader_takes_a_good_file(tmp_path: Path) -> None:
    assert [case.name for case in _read(tmp_path, GOOD)] == ["a case"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at least one case"),
        ("[]", "at least one case"),
        ("name: no list", "at least one case"),
        (GOOD.replace("  expect: []\n", ""), "`expect` list"),
        (GOOD.replace("expect: []", "expect:"), "`expect` list"),
        (GOOD + GOOD, "one name"),
        (GOOD.replace("events", "event"), "unknown key"),
        (GOOD.replace("play,", "plays,"), "unknown type"),
        (GOOD.replace("true]", "1]"), "truth"),
        (GOOD.replace("true]", "true, {tab: b}]"), "unknown key of a mark"),
        (GOOD.replace("true]", "true, {popup: p}]"), "`popup` belongs"),
        (GOOD.replace("play,", "popup_shown,"), "`popup` belongs"),
        (GOOD.replace("0, true]", "true]"), "an event is"),
        (GOOD.replace("  events: [[play, 0, 0, true]]\n", ""), "either"),
        (GOOD.replace("expect: []", "expect: [{rule: OG102, subject: s1, value: 1}]"), "names rule OG101"),
        (GOOD.replace("expect: []", "expect: [{rule: OG101, value: 1}]"), "a subject"),
        (GOOD.replace("expect: []", "expect: [{rule: OG101, subject: s1}]"), "what was measured"),
        (GOOD.replace("expect: []", "checks: [{id: k, when: 3}]\n  expect: []"), "unknown key of a check"),
        (GOOD.replace("events:", "sessions: [{events: []}, {events: []}]\n  xfail: x #"), "one id"),
    ],
)
def test_the_reader_refuses_what_has_no_meaning(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ScenarioError, match=why):
        _read(tmp_path, text)


def test_the_reader_refuses_a_file_of_no_rule(tmp_path: Path) -> None:
    for name in ("og999_unknown.yaml", "og101_other_name.yaml", "notes.yaml"):
        with pytest.raises(ScenarioError, match="no rule"):
            _read(tmp_path, GOOD, name)


@pytest.mark.parametrize(
    "told",
    [
        {"value": 19.7},
        {"limit": 3.0},
        {"count": 2},
        {"at": [0, 11]},
        {"effect": "review"},
        {"no_such_evidence": 1},
        {"subject": "s2"},
    ],
)
def test_a_wrong_expectation_is_a_difference(told: dict[str, Any]) -> None:
    case = cases_of("OG101")[0]
    assert not differences(case)
    assert differences(replace(case, expect=({**case.expect[0], **told},)))


def test_what_could_not_be_judged_must_be_expected() -> None:
    case = next(case for case in cases_of("OG803") if case.not_evaluable)
    assert differences(replace(case, not_evaluable={}))


def test_the_policy_of_scenarios_is_the_shipped_one() -> None:
    assert policy_of(()).id == DEFAULT_POLICY
