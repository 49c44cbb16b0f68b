"""The catalogue: complete, in order, every rule in a file of its own that says what it does."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from policy_recorder import recording
from scenario_check import all_cases, policy_of

import online_guard
from online_guard import judge
from online_guard.evidence import Application, Evidence, Practice, Project, Survey
from online_guard.policy import RULE_IDS
from online_guard.policy.pack import pack_schema
from online_guard.rules.base import Reads, Rule, Together
from online_guard.rules.catalogue import BY_ID, RULES
from online_guard.terms import CertificateRoute, Mode, Subject

SOURCE = Path(online_guard.__file__).parent
IDS = [rule.id for rule in RULES]
SUBJECTS = {
    Subject.SNAPSHOT: {"OG405"},
    Subject.LESSON: {"OG408", "OG601", "OG702"},
    Subject.ENROLMENT: {"OG801"},
    Subject.CLASS: {"OG701", "OG901", "OG902"},
}
"""SPEC section 4; all others are about sessions."""


def module_name(rule: Rule) -> str:
    return rule.check.__module__


def module_path(rule: Rule) -> Path:
    return Path(str(sys.modules[module_name(rule)].__file__))


def test_ids_are_unique_sorted_and_those_of_the_packs() -> None:
    assert sorted(set(IDS)) == IDS
    assert sorted(RULE_IDS) == IDS
    assert len(RULE_IDS) == 40
    assert {rule.id: rule for rule in RULES} == BY_ID


def test_names_are_unique() -> None:
    for column in ("name", "zh"):
        assert len({getattr(rule, column) for rule in RULES}) == len(RULES)


def test_every_module_of_the_checks_is_a_rule_of_the_catalogue() -> None:
    files = {path for path in (SOURCE / "rules" / "checks").glob("*.py") if path.stem != "__init__"}
    assert files == {module_path(rule) for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_the_module_is_named_after_the_rule_and_holds_it(rule: Rule) -> None:
    assert module_path(rule).stem == f"{rule.id.lower()}_{rule.name.replace('-', '_')}"
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    module = sys.modules[module_name(rule)]
    assert module.RULE is rule
    assert module.check is rule.check


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_the_module_exports_one_check_and_one_rule(rule: Rule) -> None:
    tree = ast.parse(module_path(rule).read_text("utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    assert [name for name in functions if not name.startswith("_")] == ["check"]
    assigned = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    fixed = {name for name in assigned if name.isupper() or name.startswith("_")}
    assert "RULE" in fixed
    assert assigned - fixed <= {"Case"}, "only numbers fixed in SPEC stand beside the rule"


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_the_rule_is_about_what_the_specification_says(rule: Rule) -> None:
    assert rule.subject == next((kind for kind, ids in SUBJECTS.items() if rule.id in ids), Subject.SESSION)
    if rule.reads is Reads.VIEW:
        assert (rule.subject, rule.together) == (Subject.SESSION, Together.SESSION)
    assert (rule.reads is Reads.VERDICTS) == (rule.subject in (Subject.LESSON, Subject.CLASS))


READ_ELSEWHERE = {
    "effect": "judge reads the effect of every finding",
    "violation_scope": "ledger",
    "occupations": "eligibility asks the catalogue's methods, not its fields",
    "retention.media_days": "the service deletes media, the judging core knows none",
    "tasks.rows": "papers of a roster count by the tasks of Annex 1",
}


def test_every_threshold_of_the_pack_is_read_by_the_judging_core() -> None:
    seen: set[str] = set()
    policy = recording(policy_of(()), seen)
    first = {case.rule: case for case in reversed(all_cases()) if case.expect}
    for case in first.values():
        judge.judge(case.evidence, policy)
    judge.judge(_applied(first["OG101"].evidence), policy)
    unread = {
        key
        for key in pack_schema()
        if key not in seen and not any(key == name or key.startswith(f"{name}.") for name in READ_ELSEWHERE)
    }
    assert not unread


def _applied(evidence: Evidence) -> Evidence:
    """Return the evidence with an application that every test of eligibility looks at."""
    blended = replace(
        evidence.classes[0], mode=Mode.BLENDED, certificate_route=CertificateRoute.COMPLETION, required_online_hours=0
    )
    return replace(
        evidence,
        classes=(blended,),
        practice=(Practice("li", date(2021, 3, 20), 8.0),),
        surveys=(Survey("school", date(2021, 2, 20), 0.5),),
        projects=(Project("li", "c0", date(2020, 12, 1), date(2020, 12, 20)),),
        applications=(Application("c1", "2021-04", date(2021, 4, 1), date(2021, 4, 20)),),
    )
