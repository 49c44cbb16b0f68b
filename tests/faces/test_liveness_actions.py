"""Events: thresholds from below and above, baselines that drift, what is too quick or too slow, any frame rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_guard.faces import actions as limits
from online_guard.faces.actions import find_events, is_flat
from online_guard.faces.signals import Signals
from online_guard.terms import Action

from .drawn_face import bump, signals_of


def seen(signals: Signals) -> list[Action]:
    return [event.action for event in find_events(signals)]


def turning(height: float, length_s: float = 1.4, fps: float = 15, share: float = 0.5) -> Signals:
    return signals_of(fps, 5, yaw=bump(2.5, length_s, height), yaw_middle=bump(2.5, length_s, share * height))


def blinking(lost: float, length_s: float = 0.3, fps: float = 15, at_s: float = 2.5, **more: object) -> Signals:
    eye = bump(at_s, length_s, -0.15 * lost, 0.15)
    return signals_of(fps, 5, eye_left=eye, eye_right=eye, **more)


def test_nothing_happens_to_who_keeps_still() -> None:
    assert seen(signals_of(15, 20)) == []


@pytest.mark.parametrize("fps", [10, 12, 15, 24, 30])
@pytest.mark.parametrize(("height", "action"), [(0.14, Action.TURN_LEFT), (-0.14, Action.TURN_RIGHT)])
def test_a_turn_counts_from_its_threshold_on(fps: float, height: float, action: Action) -> None:
    assert seen(turning(height, fps=fps)) == [action]
    assert seen(turning(height * 0.6, fps=fps)) == []
    (event,) = find_events(turning(height, fps=fps))
    assert event.at_s == pytest.approx(2.5, abs=0.15)
    assert event.start_s < event.at_s < event.end_s


def test_a_turn_that_a_head_is_too_slow_for_is_none() -> None:
    assert seen(turning(0.3, length_s=0.3)) == []


def test_a_turn_without_depth_is_flat() -> None:
    bent = turning(0.3, share=0.02)
    assert seen(bent) == []
    assert is_flat(bent)
    assert not is_flat(turning(0.3))


@pytest.mark.parametrize(("gap", "found"), [(0.16, []), (0.22, [Action.OPEN_MOUTH])])
def test_a_wide_open_mouth_counts(gap: float, found: list[Action]) -> None:
    assert seen(signals_of(15, 5, mouth=bump(2.5, 1.2, gap, 0.02))) == found


def test_talking_is_no_open_mouth() -> None:
    assert seen(signals_of(15, 20, mouth=lambda at_s: 0.07 + 0.05 * np.sin(2 * np.pi * 3 * at_s))) == []


@pytest.mark.parametrize(("height", "found"), [(0.13, []), (0.22, [Action.NOD]), (-0.4, [])])
def test_a_nod_goes_down_and_comes_back(height: float, found: list[Action]) -> None:
    assert seen(signals_of(15, 5, pitch=bump(2.5, 1.0, height, -0.4))) == found


@pytest.mark.parametrize("fps", [10, 12, 15, 24, 30])
@pytest.mark.parametrize("length_s", [0.25, 0.4])
def test_a_blink_is_found_at_its_moment(fps: float, length_s: float) -> None:
    (event,) = find_events(blinking(0.6, length_s, fps))
    assert event.action is Action.BLINK
    assert event.at_s == pytest.approx(2.5, abs=0.1)


@pytest.mark.parametrize(("lost", "found"), [(0.25, []), (0.30, [Action.BLINK])])
def test_a_blink_counts_from_its_threshold_on(lost: float, found: list[Action]) -> None:
    assert seen(blinking(lost, fps=30)) == found


@pytest.mark.parametrize(("lost", "found"), [(0.32, []), (0.40, [Action.BLINK])])
def test_eyes_that_pale_are_shut(lost: float, found: list[Action]) -> None:
    signals = signals_of(30, 5)
    signals.contrast[:] *= np.vectorize(bump(2.5, 0.3, -lost, 1.0))(signals.times_s)[:, None]
    assert seen(signals) == found
    signals.contrast[:, 0] = 0.3
    assert seen(signals) == []


def test_one_eye_is_a_wink() -> None:
    assert seen(signals_of(15, 5, eye_left=bump(2.5, 0.3, -0.13, 0.15))) == []


def test_eyes_that_stay_shut_or_get_wide_are_no_blink() -> None:
    asleep = lambda at_s: 0.06 if 1.5 < at_s < 3.5 else 0.15  # noqa: E731
    assert seen(signals_of(15, 5, eye_left=asleep, eye_right=asleep)) == []
    wide = bump(2.5, 1.0, 0.06, 0.15)
    assert seen(signals_of(15, 5, eye_left=wide, eye_right=wide)) == []
    lowered = lambda at_s: 0.15 if at_s < 2.5 else 0.09  # noqa: E731
    assert seen(signals_of(15, 5, eye_left=lowered, eye_right=lowered)) == []


def test_a_waved_photo_does_not_blink() -> None:
    assert seen(blinking(0.6, aspect=bump(2.5, 0.3, 0.3, 1.1))) == []
    thrown = blinking(0.6)
    thrown.place[:, 0] += np.linspace(0, 30, len(thrown.times_s))
    assert seen(thrown) == []


def test_a_new_posture_is_no_event_and_moves_the_baseline() -> None:
    drift = lambda at_s: 0.3 * min(1.0, at_s / 12)  # noqa: E731
    assert seen(signals_of(15, 20, yaw=drift, yaw_middle=lambda at_s: drift(at_s) / 2)) == []
    pose = lambda at_s: 0.0 if at_s < 2 else 0.3  # noqa: E731
    later = bump(16, 1.4, 0.2)
    turned = signals_of(
        15, 20, yaw=lambda at_s: pose(at_s) + later(at_s), yaw_middle=lambda at_s: pose(at_s) / 2 + later(at_s) / 2
    )
    assert [round(event.at_s) for event in find_events(turned)] == [16]


@settings(max_examples=20)
@given(at_s=st.floats(1.0, 4.0), fps=st.floats(10, 60), rest=st.floats(-0.3, 0.3))
def test_a_turn_is_found_wherever_and_whatever_the_baseline(at_s: float, fps: float, rest: float) -> None:
    signals = signals_of(fps, 6, yaw=bump(at_s, 1.4, 0.2, rest), yaw_middle=bump(at_s, 1.4, 0.1, rest / 2))
    (event,) = find_events(signals)
    assert event.at_s == pytest.approx(at_s, abs=0.2)
    assert event.strength == pytest.approx(0.2 / limits.TURN, rel=0.2)


def test_frames_without_a_face_are_no_event() -> None:
    signals = turning(0.3)
    for values in (signals.yaw, signals.yaw_middle, signals.eye_left, signals.eye_right, signals.mouth, signals.pitch):
        values[20:60] = np.nan
    assert seen(signals) == []


@pytest.mark.parametrize(("length_s", "found"), [(0.45, []), (0.9, [Action.OPEN_MOUTH])])
def test_a_mouth_at_double_speed_is_too_quick(length_s: float, found: list[Action]) -> None:
    assert seen(signals_of(30, 5, mouth=bump(2.5, length_s, 0.4, 0.02))) == found


@pytest.mark.parametrize(("length_s", "found"), [(0.55, []), (0.9, [Action.TURN_LEFT])])
def test_a_turn_at_double_speed_is_too_quick(length_s: float, found: list[Action]) -> None:
    assert seen(turning(0.25, length_s, fps=30)) == found
