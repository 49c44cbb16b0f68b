from collections.abc import Callable

from online_guard.judge import Judgement
from online_guard.simulate.course import Plan
from online_guard.simulate.ways import HONEST_WAYS
from online_guard.terms import Effect, Verdict

Judge = Callable[[list[Plan], int], Judgement]


def test_no_honest_learner_is_ever_flagged(judge_plans: Judge) -> None:
    plans = [Plan(way) for way in HONEST_WAYS] * 2
    for seed in (1, 2, 3):
        judgement = judge_plans(plans, seed)
        assert [finding.as_row() for finding in judgement.findings if finding.effect is not Effect.NOTE] == []
        assert {row.verdict for row in judgement.sessions} == {Verdict.ACCEPTED}
        assert {entry.hours for entry in judgement.ledger} == {1.0}
        assert len(judgement.eligibility) == len(plans)
        assert all(row.eligible for row in judgement.eligibility)


def test_the_hand_over_is_one_lesson_in_two_sessions(judge_plans: Judge) -> None:
    judgement = judge_plans([Plan("hand_over")], 4)
    assert len(judgement.sessions) == 4
    assert all(entry.coverage > 0.99 for entry in judgement.ledger)
