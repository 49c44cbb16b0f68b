"""Names of other platforms' sessions, enrolments and classes are hidden in evidence, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
from simulated_platform import SimulatedPlatform

from online_guard.service.foreign_names import HIDDEN, hide_foreign_names
from online_guard.service.house import House
from online_guard.simulate.course import Course


@pytest.fixture
def two(house: House) -> House:
    """Return a house with a class and a learner of platform `own`, and of platform `other`."""
    for number, platform_id in enumerate(("own", "other")):
        course = Course(class_id=f"class-{platform_id}", platform_id=platform_id)
        platform = SimulatedPlatform(house)
        platform.register(course)
        platform.enrol(course, f"enrolment-{platform_id}", number)
    return house


TOLD: list[tuple[Any, Any]] = [
    ("other/session-1", HIDDEN),
    ("other/session-1/photo-1", HIDDEN),
    ("own/session-1", "own/session-1"),
    ("third/session-1", "third/session-1"),
    ("enrolment-other", HIDDEN),
    ("enrolment-own", "enrolment-own"),
    ("class-other", HIDDEN),
    ("2021-07-01", "2021-07-01"),
    (["other/a", "own/a", 7, None], [HIDDEN, "own/a", 7, None]),
    ({"deep": ["enrolment-other"]}, {"deep": [HIDDEN]}),
]


def test_foreign_names_are_hidden_in_evidence(two: House) -> None:
    for told, expected in TOLD:
        answer = {"findings": [{"rule": "OG201", "evidence": {"others": told}}]}
        hidden = hide_foreign_names(two, "own", answer)
        assert hidden == {"findings": [{"rule": "OG201", "evidence": {"others": expected}}]}


def test_outside_of_evidence_nothing_changes(two: House) -> None:
    answer = {"class_id": "class-other", "rows": ["other/session-1"]}
    assert hide_foreign_names(two, "own", answer) == answer
