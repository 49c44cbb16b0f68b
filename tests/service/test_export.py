"""What the service found, class by class, is what a batch finds in the export of everything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from both_ways import desk, judged_in_batch, judged_live, rules_of, watch
from simulated_platform import SimulatedPlatform

from online_guard.errors import GuardError
from online_guard.service.house import House
from online_guard.service.operating.export import export
from online_guard.simulate.course import Course
from online_guard.simulate.recorder import Opening
from online_guard.store import queries
from online_guard.store.unit_of_work import writing

ONE = Course(class_id="one", platform_id="P", duration_s=600)
OTHER = Course(class_id="other", platform_id="Q", duration_s=600)
SAME_PLATFORM = replace(OTHER, platform_id="P")


def test_two_classes_of_one_person_with_a_cheat(simulated: SimulatedPlatform, house: House, tmp_path: Path) -> None:
    for course, enrolment_id, person in ((ONE, "a", 0), (OTHER, "b", 0), (ONE, "c", 1)):
        simulated.register(course)
        simulated.enrol(course, enrolment_id, person, photo=True)
    with writing(house.engine) as database:
        queries.enqueue(database, ["one"], 0)
    first = desk(simulated, ONE, "a")
    began_ms = first.now_ms
    first.study(1)
    simulated.verify()
    second = desk(simulated, OTHER, "b", began_ms + 100_000)
    second.finish(watch(second.sit(1), 100))
    third = desk(simulated, ONE, "c")
    skipping = watch(third.sit(1), 100)
    skipping.skip(500)
    third.finish(skipping)
    simulated.verify()
    live = judged_live(house)
    assert live == judged_in_batch(house, tmp_path / "bundle")
    assert "OG201" in rules_of(live, "a"), "a session verified before is judged anew"
    assert "OG201" in rules_of(live, "b")
    assert "OG102" in rules_of(live, "c")


def test_two_learners_of_two_classes_at_one_device(simulated: SimulatedPlatform, house: House, tmp_path: Path) -> None:
    for course, enrolment_id, person in ((ONE, "a", 0), (SAME_PLATFORM, "b", 1)):
        simulated.register(course)
        simulated.enrol(course, enrolment_id, person)
    start_ms = desk(simulated, ONE, "a").now_ms
    for course, enrolment_id in ((ONE, "a"), (SAME_PLATFORM, "b")):
        play_on(simulated, course, enrolment_id, "shared", start_ms)
        simulated.verify()
    live = judged_live(house)
    assert live == judged_in_batch(house, tmp_path / "bundle")
    assert "OG802" in rules_of(live, "a"), "a session verified before is judged anew"
    assert "OG802" in rules_of(live, "b")


def test_a_label_is_no_device_for_a_class_of_few_either(
    simulated: SimulatedPlatform, house: House, tmp_path: Path
) -> None:
    simulated.register(ONE)
    simulated.register(SAME_PLATFORM)
    start_ms = desk(simulated, ONE, "a").now_ms
    for person in range(house.policy.device.max_learners + 1):
        course = ONE if person < 2 else SAME_PLATFORM
        simulated.enrol(course, f"e{person}", person)
        play_on(simulated, course, f"e{person}", "web", start_ms + (0 if person < 2 else person * 3_600_000), 20)
    simulated.verify()
    live = judged_live(house)
    assert live == judged_in_batch(house, tmp_path / "bundle")
    assert "OG802" not in rules_of(live, "e0") | rules_of(live, "e1")


def play_on(
    simulated: SimulatedPlatform, course: Course, enrolment_id: str, device_id: str, now_ms: int, until_s: float = 60
) -> None:
    """Let a learner play for a while on a device, under an id of its own."""

    class OnDevice(SimulatedPlatform):
        def open(self, opening: Opening, now_ms: int) -> Any:
            return super().open(replace(opening, device_id=device_id), now_ms)

        def snapshot(self, *_: Any) -> None:
            """Show no picture: there are fewer in the album than people who use a label."""

    place = OnDevice(simulated.house, people=simulated.people)
    made = desk(place, course, enrolment_id, now_ms)
    made.leave(watch(made.sit(1), until_s))


def test_a_picture_of_another_class_sent_again(simulated: SimulatedPlatform, house: House, tmp_path: Path) -> None:
    for course, enrolment_id, person in ((ONE, "a", 0), (OTHER, "b", 1)):
        simulated.register(course)
        simulated.enrol(course, enrolment_id, person)
    for course, enrolment_id, album in ((ONE, "a", 0), (OTHER, "b", 0)):
        simulated.people[enrolment_id] = album
        place = SimulatedPlatform(house, people=simulated.people)
        made = desk(place, course, enrolment_id)
        learner = watch(made.sit(1), 60)
        place.snapshot(learner.sitting.opening, learner.sitting.at_ms, "good", None, learner.sitting.arrival_ms())
        made.leave(learner)
        place.verify()
    live = judged_live(house)
    assert live == judged_in_batch(house, tmp_path / "bundle")
    assert {"OG602"} & (rules_of(live, "a") | rules_of(live, "b"))


def test_the_timeline_of_another_class_sent_again(simulated: SimulatedPlatform, house: House, tmp_path: Path) -> None:
    for course, enrolment_id, person in ((ONE, "a", 0), (OTHER, "b", 1)):
        simulated.register(course)
        simulated.enrol(course, enrolment_id, person)
    made = desk(simulated, ONE, "a")
    learner = watch(made.sit(1), 400)
    made.leave(learner)
    simulated.verify()
    opening = replace(learner.sitting.opening, platform_id="Q", session_id="b-s001", enrolment_id="b", device_id="x")
    simulated.open(opening, opening.opened_at_ms)
    simulated.post(opening, learner.sitting.said, made.now_ms)
    simulated.close(opening, made.now_ms)
    simulated.verify()
    live = judged_live(house)
    assert live == judged_in_batch(house, tmp_path / "bundle")
    assert "OG804" in rules_of(live, "a")
    assert "OG804" in rules_of(live, "b")


def test_a_folder_that_holds_something_is_left_alone(house: House, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(GuardError):
        export(house, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["mine.txt"]
