"""Every dated case has the rows that it expects, and each failed test a cure in both languages."""

from __future__ import annotations

from typing import Any

import pytest
from dated_cases import Case, CaseError, cures_of, read_case, read_cases

CASES = read_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.partition(" / ")[2])
def test_a_dated_case(case: Case) -> None:
    rows, ledger = case.rows()
    assert rows
    seen = set()
    for row in rows:
        name = "*" if "*" in case.expect else f"{row.enrolment_id} {row.window}"
        seen.add(name)
        expected = case.expect[name]
        assert list(row.failed) == expected["failed"], name
        assert list(row.unconfirmed) == expected.get("unconfirmed", []), name
        assert row.eligible == (not expected["failed"])
        helps = cures_of(case, row, ledger)
        assert helps.keys() == row.evidence.keys()
        assert all(step["zh"] and step["en"] for steps in helps.values() for step in steps)
        assert all(helps.values()), "every failed test has a cure"
        for code, wanted in expected.get("cure", {}).items():
            assert any(_has(step, wanted) for step in helps[code]), (code, helps[code])
    assert seen == case.expect.keys()


def _has(step: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Return whether a cure has the fields wanted, and says the words."""
    told = step | {"says": wanted.get("says") if wanted.get("says", "") in step["zh"] + step["en"] else None}
    return all(told.get(name) == (value if isinstance(value, list) else str(value)) for name, value in wanted.items())


def test_there_are_enough_cases_and_every_test_fails_in_one() -> None:
    assert len(CASES) >= 60
    codes = {code for case in CASES for row in case.expect.values() for code in row["failed"]}
    assert codes == {f"E{number:02}" for number in range(1, 13)}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "没有英文", "expect": {"failed": []}},
        {"name": "错 / wrong key", "colour": "red", "expect": {"failed": []}},
        {"name": "错 / wrong expectation", "expect": {"failed": [], "eligible": True}},
        {"name": "错 / nothing expected", "expect": {"unconfirmed": []}},
        {"name": "错 / study without rules", "learners": {"e1": {"study": [[1, None]]}}, "expect": {"failed": []}},
    ],
    ids=["no English", "key", "expectation", "nothing expected", "study without rules"],
)
def test_a_case_without_meaning_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((CaseError, TypeError)):
        read_case(wrong)
