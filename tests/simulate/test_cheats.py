from collections.abc import Callable

import pytest

from online_guard.judge import Judgement
from online_guard.simulate.cheats import CHEATS
from online_guard.simulate.course import Plan
from online_guard.terms import Effect

Judge = Callable[[list[Plan], int], Judgement]


@pytest.mark.parametrize("way", CHEATS)
def test_each_cheat_is_found_and_nothing_else(way: str, judge_plans: Judge) -> None:
    cheat = CHEATS[way]
    for seed in (1, 2):
        judgement = judge_plans([Plan.of(way)], seed)
        found = {finding.rule for finding in judgement.findings if finding.effect is not Effect.NOTE}
        assert cheat.rule in found
        assert found <= {cheat.rule, "OG702"} | cheat.also
        assert sum(entry.hours for entry in judgement.ledger) == 3 - (2 if way == "overlapping_sessions" else 1)
        assert not any(row.eligible for row in judgement.eligibility)


def test_every_cheat_has_a_rule_of_its_own() -> None:
    rules = [cheat.rule for cheat in CHEATS.values()]
    assert len(set(rules)) == len(rules)
