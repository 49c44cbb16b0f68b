"""Every scenario: what its rule finds is what an auditor expects."""

from __future__ import annotations

import pytest
from scenario_check import all_cases, differences
from scenario_reader import Case


def _marked(case: Case) -> object:
    marks = [pytest.mark.xfail(reason=case.xfail, strict=True, raises=AssertionError)] if case.xfail else []
    return pytest.param(case, id=f"{case.rule}: {case.name}", marks=marks)


@pytest.mark.parametrize("case", [_marked(case) for case in all_cases()])
def test_rule_says_what_the_scenario_expects(case: Case) -> None:
    assert differences(case) == []
