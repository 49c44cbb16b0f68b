"""Runs a scenario and says where a rule's findings differ from what it expects."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from scenario_reader import START_MS, Case, read_cases

from online_guard import judge
from online_guard.policy import DEFAULT_POLICY, Policy, load_policy
from online_guard.verdict import Finding

SCENARIOS = Path(__file__).parents[1] / "scenarios"


@cache
def all_cases() -> tuple[Case, ...]:
    """Return the cases of all files, read once."""
    return tuple(case for path in sorted(SCENARIOS.glob("*.yaml")) for case in read_cases(path))


@cache
def policy_of(overrides: tuple[str, ...]) -> Policy:
    """Return the shipped policy with overrides."""
    return load_policy(DEFAULT_POLICY, overrides)


def differences(case: Case) -> list[str]:
    """Return where the judgement differs from the case's expectations; an empty list if nowhere."""
    judged = judge.judge(case.evidence, policy_of(case.overrides))
    found = {_short(one.subject_id): one for one in judged.findings if one.rule == case.rule}
    expected = {row["subject"]: row for row in case.expect}
    wrong = [f"{name}: not expected, {found[name].evidence}" for name in sorted(found.keys() - expected.keys())]
    wrong += [f"{name}: expected, not found" for name in sorted(expected.keys() - found.keys())]
    for name in sorted(expected.keys() & found.keys()):
        wrong += [f"{name}: {words}" for words in _unlike(case, found[name], expected[name])]
    skipped = dict(judged.not_evaluable.get(case.rule, {}))
    if skipped != case.not_evaluable:
        wrong.append(f"not evaluable: {skipped} instead of {case.not_evaluable}")
    return wrong


def _short(value: Any) -> Any:
    """Return names without the platform `p/`, as scenarios write them."""
    if isinstance(value, str):
        return value.removeprefix("p/")
    return [_short(item) for item in value] if isinstance(value, list) else value


def _unlike(case: Case, finding: Finding, expected: Any) -> Iterator[str]:
    for key, wanted in expected.items():
        if key in ("rule", "subject"):
            continue
        measured = _measured(case, finding, key)
        close = isinstance(wanted, float) and isinstance(measured, (int, float)) and abs(measured - wanted) < 1e-9
        if not close and measured != wanted:
            yield f"{key} is {measured} instead of {wanted}"


def _measured(case: Case, finding: Finding, key: str) -> Any:
    if key == "effect":
        return str(finding.effect)
    if key == "at":
        sessions = case.evidence.sessions
        row = list(sessions.key).index("/".join(finding.subject_id.split("/")[:2]))
        begin, end = finding.start_ms, finding.end_ms
        opened = int(sessions.opened_at_ms[row])
        return None if begin is None or end is None else [(begin - opened) / 1000, (end - opened) / 1000]
    return _short(finding.evidence.get(key))


__all__ = ["SCENARIOS", "START_MS", "all_cases", "differences", "policy_of"]
