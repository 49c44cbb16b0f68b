"""What was done against what was asked: order, windows, blinks that everybody does, echoes of an action."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_guard.faces.actions import ActionEvent
from online_guard.faces.challenge import CHALLENGES, NOT_OF_A_PHOTO, draw_challenge
from online_guard.faces.response import ACTION_WINDOW_S, match_actions
from online_guard.terms import Action

BLINK, LEFT, RIGHT, MOUTH, NOD = Action.BLINK, Action.TURN_LEFT, Action.TURN_RIGHT, Action.OPEN_MOUTH, Action.NOD


def event(action: Action, at_s: float, strength: float = 2.0, half_s: float = 0.4) -> ActionEvent:
    return ActionEvent(action, at_s, at_s - half_s, at_s + half_s, 0.3, 0.0, strength, round(at_s * 15))


def faults(events: list[ActionEvent], *asked: Action) -> list[str]:
    return match_actions(events, asked)[1]


def test_all_in_order() -> None:
    found, wrong = match_actions([event(LEFT, 1), event(BLINK, 3), event(NOD, 5)], (LEFT, BLINK, NOD))
    assert not wrong
    assert [(act.action, act.found, act.at_s) for act in found] == [(LEFT, True, 1), (BLINK, True, 3), (NOD, True, 5)]


def test_another_order() -> None:
    assert faults([event(BLINK, 1), event(LEFT, 3), event(NOD, 5)], LEFT, BLINK, NOD) == ["wrong_order"]


def test_one_missing() -> None:
    found, wrong = match_actions([event(LEFT, 1), event(NOD, 5, 1.2)], (LEFT, BLINK, NOD))
    assert wrong == ["action_missing"]
    assert [act.found for act in found] == [True, False, False]
    assert found[1].start_s is None


def test_nothing_done_is_told_from_something_missing() -> None:
    assert faults([], LEFT, BLINK, NOD) == ["nothing_done", "action_missing"]
    assert faults([event(BLINK, 1)], LEFT, BLINK, NOD) == ["nothing_done", "action_missing"]
    assert faults([]) == ["nothing_asked"]


def test_everybody_blinks() -> None:
    blinks = [event(BLINK, at_s, half_s=0.1) for at_s in (0.5, 2, 4, 6)]
    assert not faults([event(LEFT, 1), event(MOUTH, 3), event(NOD, 5), *blinks], LEFT, MOUTH, NOD)


@pytest.mark.parametrize(("strength", "wrong"), [(1.4, []), (1.6, ["unasked_action"])])
def test_a_clear_action_that_was_not_asked_counts(strength: float, wrong: list[str]) -> None:
    events = [event(LEFT, 1), event(MOUTH, 3, strength), event(BLINK, 5), event(NOD, 7)]
    assert faults(events, LEFT, BLINK, NOD) == wrong


SMALL = st.builds(event, st.sampled_from(Action), st.floats(0.2, 8), st.floats(1.0, 1.45), st.floats(0.05, 0.3))
BLINKS = st.builds(event, st.just(BLINK), st.floats(0.2, 8), st.floats(1.0, 3.0), st.floats(0.05, 0.2))


@given(st.sampled_from(CHALLENGES), st.lists(SMALL | BLINKS, max_size=6))
@settings(max_examples=100)
def test_no_blink_and_no_small_movement_spoils_a_right_answer(
    asked: tuple[Action, ...], more: list[ActionEvent]
) -> None:
    assert not faults([event(action, 2 + 2 * number) for number, action in enumerate(asked)] + more, *asked)


def test_a_glance_aside_and_a_blink_before_the_answer_are_not_taken_for_it() -> None:
    early = [event(LEFT, 0.5, 1.2), event(BLINK, 1.0, half_s=0.1)]
    assert not faults([*early, event(LEFT, 2), event(BLINK, 4), event(NOD, 6)], LEFT, BLINK, NOD)


def test_repeats_and_echoes_belong_to_the_action() -> None:
    assert not faults([event(NOD, 1), event(NOD, 1.9), event(BLINK, 3), event(LEFT, 5)], NOD, BLINK, LEFT)
    swung_back = [event(LEFT, 1, 3.0), event(RIGHT, 2, 1.8), event(BLINK, 3), event(NOD, 5)]
    assert not faults(swung_back, LEFT, BLINK, NOD)
    assert faults([event(LEFT, 1, 2.0), event(RIGHT, 2, 1.9), *swung_back[2:]], LEFT, BLINK, NOD) == ["unasked_action"]


def test_what_comes_after_the_last_action_is_free() -> None:
    assert not faults([event(LEFT, 1), event(BLINK, 3), event(NOD, 5), event(RIGHT, 7)], LEFT, BLINK, NOD)


def test_an_action_has_its_window() -> None:
    def late(wait_s: float) -> list[str]:
        return faults([event(LEFT, 1), event(BLINK, 1.4 + wait_s + 0.4)], LEFT, BLINK)

    assert not late(ACTION_WINDOW_S - 0.1)
    assert late(ACTION_WINDOW_S + 0.1) == ["action_missing"]


def test_challenges() -> None:
    drawn = Counter(draw_challenge() for _ in range(3000))
    assert len(drawn) == 54
    assert max(drawn.values()) < 3 * min(drawn.values()) + 40
    for challenge in drawn:
        assert len(set(challenge)) == 3
        assert NOT_OF_A_PHOTO & set(challenge)
        assert all(one != other for one, other in pairwise(challenge))
