"""The golden finding of each rule: what `revalidate` writes for the first scenario that fires.

`python tests/rules/golden_finding.py` writes them anew, after a change that is meant; read the difference.
"""

from __future__ import annotations

import json
from pathlib import Path

from scenario_check import all_cases, policy_of

from online_guard import judge
from online_guard.rules.base import Rule
from online_guard.rules.catalogue import RULES

GOLDEN = Path(__file__).parent / "golden"


def golden_text(rule: Rule) -> str:
    """Return the text of `golden/OGxxx.json`: the scenario's name and the row of its first finding."""
    case = next(case for case in all_cases() if case.rule == rule.id and case.expect and not case.xfail)
    found = judge.judge(case.evidence, policy_of(case.overrides)).findings
    row = next(one.as_row() for one in found if one.rule == rule.id)
    return json.dumps({"scenario": case.name, "finding": row}, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for rule in RULES:
        (GOLDEN / f"{rule.id}.json").write_text(golden_text(rule), "utf-8")
