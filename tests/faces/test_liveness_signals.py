"""Signals: what moves in a head moves them, what moves a photo doesn't."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_guard.faces.signals import Signals, measure_signals

from .drawn_face import Look, points_of

ANGLES = st.floats(-math.radians(35), math.radians(35))


def measured(*looks: Look) -> Signals:
    return measure_signals(
        np.stack([points_of(look) for look in looks]), np.arange(len(looks)) / 15, np.ones((len(looks), 2))
    )


@given(roll=st.floats(-0.4, 0.4), scale=st.floats(0.3, 3), lids=st.floats(0.1, 1), mouth=st.floats(0, 0.6))
def test_size_and_roll_change_nothing(roll: float, scale: float, lids: float, mouth: float) -> None:
    signals = measured(Look(lids=lids, mouth=mouth), Look(lids=lids, mouth=mouth, roll=roll, scale=scale))
    for name in ("eye_left", "eye_right", "mouth", "yaw", "yaw_middle", "pitch", "aspect"):
        before, after = getattr(signals, name)
        assert after == pytest.approx(before, abs=1e-9), name


@given(yaw=ANGLES, pitch=ANGLES)
def test_a_tilted_photo_neither_turns_nor_nods(yaw: float, pitch: float) -> None:
    signals = measured(Look(flat=True), Look(yaw, pitch, flat=True))
    assert abs(np.diff(signals.yaw)[0]) < 0.05  # perspective alone; a turn asks for 0.09
    assert abs(np.diff(signals.pitch)[0]) < 0.08  # a nod asks for 0.16


@given(pitch=ANGLES)
def test_a_tilted_photo_keeps_its_eyes_open(pitch: float) -> None:
    rest, tilted = measured(Look(flat=True), Look(pitch=pitch, flat=True)).eyes
    assert tilted == pytest.approx(rest, rel=0.15)  # a blink loses 22 %


@pytest.mark.parametrize("degrees", [20, 25, 35])
def test_a_turn_to_the_own_left_is_positive(degrees: int) -> None:
    rest, left, right = measured(Look(), Look(math.radians(degrees)), Look(-math.radians(degrees))).yaw
    assert left - rest > 0.10
    assert rest - right > 0.10
    shown = measured(Look(), Look(math.radians(degrees))).yaw_middle
    assert shown[1] - shown[0] > 0.03


def test_looking_down_is_a_greater_pitch() -> None:
    rest, down, up = measured(Look(), Look(pitch=math.radians(12)), Look(pitch=math.radians(-12))).pitch
    assert down > rest + 0.16
    assert up < rest - 0.16


def test_lids_and_lips() -> None:
    signals = measured(Look(), Look(lids=0.4, mouth=0.3))
    assert signals.eyes[1] / signals.eyes[0] == pytest.approx(0.4)
    assert np.diff(signals.mouth)[0] == pytest.approx(0.3, rel=0.02)


def test_no_face_gives_no_number() -> None:
    points = np.stack([points_of(Look()), np.full((68, 2), np.nan)])
    signals = measure_signals(points, np.arange(2) / 15, np.ones((2, 2)))
    assert np.isnan([signals.yaw[1], signals.eyes[1], signals.mouth[1], signals.pitch[1]]).all()
    assert not np.isnan(signals.yaw[0])
