"""What honest players are told: never far ahead, often enough, in every part of a lesson, and never foreseeably."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from simulated_platform import SimulatedPlatform

from online_guard.policy import Policy
from online_guard.service.house import House
from online_guard.service.verification import ledger_of, session_verdict
from online_guard.simulate.course import Course

COURSE = Course(duration_s=4800)
LEARNER = "learner"


@pytest.fixture
def course(simulated: SimulatedPlatform) -> Course:
    """Return the course with lessons of two class hours each, registered, with one learner."""
    row: dict[str, Any] = COURSE.class_row()
    lessons = [lesson | {"class_hours": 2.0} for lesson in row["lessons"]]
    simulated.register(COURSE, lessons=lessons)
    simulated.enrol(COURSE, LEARNER, 0, photo=True)
    return COURSE


def dues(simulated: SimulatedPlatform, session_id: str, kind: str) -> list[int]:
    """Return the playing clocks at which a session was asked for something, in order."""
    return sorted(due for what, due, _ in simulated.told[session_id].values() if what == kind)


def test_over_an_honest_lesson(simulated: SimulatedPlatform, course: Course, policy: Policy, house: House) -> None:
    desk = course.desk(simulated, LEARNER, Random("one lesson"))
    learner = desk.sit(1)
    session_id = learner.sitting.opening.session_id
    desk.finish(learner)
    simulated.verify()
    told = simulated.told[session_id].values()
    assert all(due - clock_ms <= 60_000 for _, due, clock_ms in told)

    popups = dues(simulated, session_id, "popup")
    end_ms = simulated.playing_ms(session_id)
    assert (np.diff([0, *popups, end_ms]) < 1000 * policy.popup.max_gap_s).all()

    parts = {int(due >= end_ms / 2) for due in dues(simulated, session_id, "snapshot")}
    assert parts == {0, 1}
    assert len(dues(simulated, session_id, "snapshot")) == 2, "a part that holds one is left alone"
    assert dues(simulated, session_id, "liveness")[0] <= 1000 * policy.liveness.min_playing_s

    verdict = session_verdict(house, session_id, None)
    assert (verdict["state"], verdict["verdict"], verdict["findings"]) == ("verified", "accepted", [])
    assert ledger_of(house, LEARNER, None)["hours"] == 2


def test_moments_can_not_be_known_from_another_session(simulated: SimulatedPlatform, course: Course) -> None:
    moments: list[tuple[int, ...]] = []
    for _ in range(4):
        desk = course.desk(simulated, LEARNER, Random("always the same learner"))
        desk.sittings = len(moments)
        learner = desk.sit(1)
        learner.watch(400)
        desk.leave(learner)
        session_id = learner.sitting.opening.session_id
        moments.append((dues(simulated, session_id, "popup")[0], dues(simulated, session_id, "liveness")[0]))
    assert len(set(moments)) == len(moments)
    assert all(len(set(kind)) >= 3 for kind in zip(*moments, strict=True))


def test_a_closed_session_is_told_nothing(simulated: SimulatedPlatform, course: Course) -> None:
    desk = course.desk(simulated, LEARNER, Random("closed"))
    learner = desk.sit(1)
    learner.watch(100)
    desk.leave(learner)
    assert simulated.post(learner.sitting.opening, learner.sitting.said[-2:], desk.now_ms) == []
