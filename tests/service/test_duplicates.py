"""Pictures seen before are found by the worker, whoever sent them, and judged as a batch judges them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from both_ways import desk, judged_in_batch, judged_live, rules_of, watch
from simulated_platform import SAMPLE_MEDIA, SimulatedPlatform
from sqlalchemy import select

from online_guard.demo.people import another_moment
from online_guard.faces.pipeline import inspect
from online_guard.service import registration
from online_guard.service.capturing import duplicates, judged_clips
from online_guard.service.house import House, open_house
from online_guard.simulate.course import Course
from online_guard.simulate.learner import Learner
from online_guard.store.capture_rows import bound_to
from online_guard.store.person_keys import PersonKeys
from online_guard.store.tables import CaptureRecord, EnrolmentRecord, JobRecord, LikenessRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import Outcome
from online_guard.worker import work_once

ONE = Course(class_id="one", platform_id="P", duration_s=600)
OTHER = Course(class_id="other", platform_id="Q", duration_s=600)


class Told(SimulatedPlatform):
    """A platform whose learners show the pictures that a test gives them, and no others."""

    def snapshot(self, *_: Any) -> None:
        """Show nothing of one's own."""


@pytest.fixture
def simulated(house: House) -> SimulatedPlatform:
    return Told(house)


def media(name: str) -> bytes:
    """Return a sample picture."""
    return (SAMPLE_MEDIA / name).read_bytes()


def altered(content: bytes, scale: float = 0.8) -> bytes:
    """Return a picture as a thief would send it: of another size, and compressed anew."""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    scaled = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()


def shown(simulated: SimulatedPlatform, course: Course, enrolment_id: str, *pictures: bytes) -> Learner:
    """Let a learner show pictures 10 s apart in a session of a minute that isn't closed yet, each an hour later."""
    began_ms = desk(simulated, ONE, "a").now_ms + 3_600_000 * len(simulated.told)
    learner = desk(simulated, course, enrolment_id, began_ms).sit(1)
    for picture in pictures:
        watch(learner, learner.player.position_s + 10)
        simulated.show(learner.sitting.opening, learner.sitting.at_ms, picture, learner.sitting.arrival_ms())
    return watch(learner, 60)


def likenesses(house: House) -> list[LikenessRecord]:
    """Return all likeness rows."""
    with reading(house.engine) as database:
        return list(database.scalars(select(LikenessRecord).order_by(LikenessRecord.session_row)))


def two_learners(simulated: SimulatedPlatform, **photos: bool) -> None:
    """Enrol person 0 as `a` in one class, and person 1 as `b` in another of another platform."""
    for course, enrolment_id, person in ((ONE, "a", 0), (OTHER, "b", 1)):
        simulated.register(course)
        simulated.enrol(course, enrolment_id, person, photo=photos.get(enrolment_id, False))


def test_the_enrolled_photo_sent_again_is_found_though_altered(
    simulated: SimulatedPlatform, house: House, tmp_path: Path
) -> None:
    two_learners(simulated, a=True, b=True)
    shown(simulated, ONE, "a", altered(media("learner-01/reference.jpg"))).leave()
    shown(simulated, OTHER, "b", media("learner-02/snapshot-1.jpg")).leave()
    simulated.verify()
    (row,) = likenesses(house)
    assert (row.other_kind, row.other_id, row.other_row) == ("reference", "a", None)
    assert row.residual is not None
    assert row.residual <= house.policy.snapshot.same_picture_residual
    live = judged_live(house)
    assert "OG604" in rules_of(live, "a")
    assert live == judged_in_batch(house, tmp_path / "bundle")


def test_one_capture_in_two_sessions_and_at_two_learners(
    simulated: SimulatedPlatform, house: House, tmp_path: Path
) -> None:
    two_learners(simulated)
    simulated.enrol(ONE, "c", 2)
    picture = media("learner-01/snapshot-1.jpg")
    for course, enrolment_id, sent in (
        (ONE, "a", picture),
        (OTHER, "b", altered(picture)),
        (ONE, "c", altered(picture)),
    ):
        shown(simulated, course, enrolment_id, sent).leave()
        simulated.verify()
    assert sorted((row.snapshot_id, row.other_id) for row in likenesses(house)) == [
        ("photo-0002", "P/a-s001/photo-0001"),
        ("photo-0003", "P/a-s001/photo-0001"),
        ("photo-0003", "Q/b-s001/photo-0002"),
    ]
    live = judged_live(house)
    assert live == judged_in_batch(house, tmp_path / "bundle")
    assert {name for name in "abc" if "OG602" in rules_of(live, name)} == {"b", "c"}, "not who took it first"


def test_honest_pictures_have_no_likeness_and_no_finding(simulated: SimulatedPlatform, house: House) -> None:
    two_learners(simulated, a=True, b=True)
    own = media("learner-01/snapshot-1.jpg")
    shown(simulated, ONE, "a", own, another_moment(own, 3), media("learner-01/snapshot-2.webp")).leave()
    shown(simulated, OTHER, "b", media("learner-02/snapshot-1.jpg")).leave()
    simulated.verify()
    assert likenesses(house) == []
    found = {row["rule"] for row in judged_live(house)["findings"]}
    assert not {"OG602", "OG604", "OG605", "OG801"} & found


def test_one_face_at_two_learners_names_both_and_judges_the_other_class_anew(
    simulated: SimulatedPlatform, house: House, tmp_path: Path
) -> None:
    two_learners(simulated, a=True, b=True)
    shown(simulated, ONE, "a", media("learner-01/snapshot-1.jpg")).leave()
    simulated.verify()
    shown(simulated, OTHER, "b", media("learner-01/snapshot-2.webp")).leave()
    simulated.verify()
    found = {(row.other_kind, row.other_id): row.distance for row in likenesses(house)}
    assert min(found.values()) <= house.policy.liveness.shared_face_distance
    live = judged_live(house)
    named = {row["subject_id"] for row in live["findings"] if row["rule"] == "OG801"}
    assert named == {"a", "b"}
    assert live == judged_in_batch(house, tmp_path / "bundle")


def test_a_reference_enrolled_later_is_compared_with_what_was_shown_before(
    simulated: SimulatedPlatform, house: House
) -> None:
    two_learners(simulated)
    picture = media("learner-01/snapshot-1.jpg")
    shown(simulated, ONE, "a", picture).leave()
    simulated.verify()
    registration.put_reference_photo(house, "a", None, altered(picture, 1.2))
    simulated.verify()
    assert [(row.snapshot_id, row.other_kind, row.other_id) for row in likenesses(house)] == [
        ("photo-0001", "reference", "a")
    ]
    assert "OG604" in rules_of(judged_live(house), "a")
    registration.put_reference_photo(house, "a", None, media("learner-01/reference.jpg"))
    simulated.verify()
    assert likenesses(house) == [], "what was said of a replaced reference is forgotten"
    assert "OG604" not in rules_of(judged_live(house), "a")


def test_a_worker_killed_between_two_captures_goes_on_and_a_restarted_index_knows_all(
    simulated: SimulatedPlatform, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_learners(simulated)
    picture = media("learner-01/snapshot-1.jpg")
    shown(simulated, ONE, "a", picture, altered(picture), media("learner-01/snapshot-2.webp")).leave()
    search, calls = duplicates.capture_rows.mark_searched, []

    def killed_at_the_second(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        search(*arguments)

    with monkeypatch.context() as broken:
        broken.setattr(duplicates.capture_rows, "mark_searched", killed_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            work_once(house)
    with reading(house.engine) as database:
        assert sorted(database.scalars(select(CaptureRecord.is_searched))) == [False, False, True]
    restarted = open_house(house.settings)
    with writing(restarted.engine) as database:
        for job in database.scalars(select(JobRecord)):
            job.lease = None
    while work_once(restarted):
        pass
    assert [(row.snapshot_id, row.other_id) for row in likenesses(restarted)] == [("photo-0002", "P/a-s001/photo-0001")]
    place = replace(simulated, house=restarted)
    shown(place, OTHER, "b", altered(picture)).leave()
    place.verify()
    assert {row.other_id for row in likenesses(restarted)} >= {"P/a-s001/photo-0001", "P/a-s001/photo-0002"}
    restarted.engine.dispose()


@pytest.mark.parametrize("most", [24, 0])
def test_a_frame_seen_before_is_found_at_once_or_by_the_worker_where_candidates_are_many(
    simulated: SimulatedPlatform, house: House, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(judged_clips, "MOST_AT_ONCE", most)
    two_learners(simulated)
    picture = media("learner-01/snapshot-1.jpg")
    shown(simulated, ONE, "a", picture).leave()
    simulated.verify()
    learner = shown(simulated, OTHER, "b")
    frame = inspect(altered(picture)).capture
    sitting = learner.sitting
    told = simulated.judged(sitting.opening, sitting.at_ms, Outcome.PASSED, sitting.arrival_ms(), (frame,))
    assert told["outcome"] == ("failed" if most else "passed")
    assert [row["reason"] for row in told["reasons"]] == (["seen_before"] if most else [])
    learner.leave()
    simulated.verify()
    assert [(row.snapshot_id, row.other_id) for row in likenesses(house)] == [(told["check_id"], "P/a-s001/photo-0001")]
    assert "OG602" in rules_of(judged_live(house), "b")


def test_no_picture_and_no_face_lies_open_in_the_database(simulated: SimulatedPlatform, house: House) -> None:
    two_learners(simulated, a=True)
    shown(simulated, ONE, "a", media("learner-01/snapshot-1.jpg"))
    with reading(house.engine) as database:
        kept = list(database.scalars(select(CaptureRecord)))
        pictures = [record.picture for record in kept]
        keys = PersonKeys(database, house.vault)
        learners = {row.enrolment_id: keys.find(row.learner_id) for row in database.scalars(select(EnrolmentRecord))}
    assert len(kept) == 2
    for record, picture in zip(kept, pictures, strict=True):
        assert record.vector is not None
        bound = learners[record.enrolment_id], bound_to(record)
        opened = house.vault.open(picture, "capture", *bound)
        assert opened[200:260] not in picture
        assert house.vault.open(record.vector, "face vector", *bound) not in record.vector
    assert json.dumps([record.phash for record in kept]).isascii()
