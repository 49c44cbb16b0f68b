"""The five points of a mean face, turned in space, give back the angles."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from online_guard.faces.pose import Pose, pose

MEAN_FACE = np.array(
    [(4.446, 2.664, 3.466), (1.856, 2.585, 3.466), (-4.446, 2.664, 3.466), (-1.856, 2.585, 3.466), (0, -2.089, 6.058)]
)
"""Person's left to +x, up to +y, forward to +z, cm; the eye corners in one plane."""


def seen(yaw: float = 0, pitch: float = 0, roll: float = 0, px_per_cm: float = 40.0) -> NDArray[np.int64]:
    """Return the points as a camera far away sees them."""
    turn, lift, lean = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(lift), np.sin(lift)], [0, -np.sin(lift), np.cos(lift)]])
    about_z = np.array([[np.cos(lean), np.sin(lean), 0], [-np.sin(lean), np.cos(lean), 0], [0, 0, 1]])
    x, y, _ = (about_z @ about_x @ about_y @ MEAN_FACE.T) * px_per_cm
    return np.round(np.column_stack([500 + x, 500 - y])).astype(np.int64)


def test_a_face_that_looks_into_the_camera_has_no_angle() -> None:
    straight = pose(seen())
    assert max(abs(straight.yaw_deg), abs(straight.pitch_deg), abs(straight.roll_deg)) < 1


@pytest.mark.parametrize("angle", [-40, -20, 20, 40])
def test_yaw_is_found(angle: float) -> None:
    found = pose(seen(yaw=angle))
    assert found.yaw_deg == pytest.approx(angle, abs=1.5)
    assert abs(found.roll_deg) < 1


@pytest.mark.parametrize("angle", [-20, -10, 10, 20, 35])
def test_pitch_is_found(angle: float) -> None:
    found = pose(seen(pitch=angle))
    assert found.pitch_deg == pytest.approx(angle, abs=2.5)
    assert found.yaw_deg == pytest.approx(0, abs=1)


@pytest.mark.parametrize("angle", [-30, 15, 30])
def test_roll_is_found_and_changes_nothing_else(angle: float) -> None:
    found = pose(seen(yaw=20, roll=angle))
    assert found.roll_deg == pytest.approx(angle, abs=1)
    assert found.yaw_deg == pytest.approx(20, abs=1.5)


def test_the_size_of_a_face_does_not_matter() -> None:
    small, large = pose(seen(yaw=25, px_per_cm=15)), pose(seen(yaw=25, px_per_cm=150))
    assert small.yaw_deg == pytest.approx(large.yaw_deg, abs=3)


def test_points_that_fall_together_still_have_a_pose() -> None:
    assert isinstance(pose(np.full((5, 2), 7)), Pose)
