"""Whole pictures: every sample has the facts it was made for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from online_guard.errors import ErrorKind, GuardError
from online_guard.faces import quality
from online_guard.faces.decode import decode
from online_guard.faces.decoder import close_decoders
from online_guard.faces.identity import face_vector, find_faces, landmarks
from online_guard.faces.pipeline import enrol_reference, inspect
from online_guard.faces.pose import Pose

Reader = Callable[[str], bytes]
Listing = dict[str, Any]
References = dict[str, NDArray[np.float64]]


@pytest.fixture(scope="session")
def references(catalogue: Listing, sample: Reader) -> References:
    """Return the reference vector of each learner."""
    return {person["learner"]: enrol_reference(sample(person["reference"])).vector for person in catalogue["learners"]}


def special(catalogue: Listing, name: str) -> dict[str, Any]:
    (found,) = (entry for entry in catalogue["specials"] if entry["file"].startswith(f"special/{name}."))
    return dict(found)


def test_every_reference_is_accepted(catalogue: Listing, references: References) -> None:
    assert len(references) == len(catalogue["learners"]) >= 12


def test_learners_are_different_people(references: References) -> None:
    vectors = np.array(list(references.values()))
    apart = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)[np.triu_indices(len(vectors), 1)]
    assert apart.min() > 0.6


def test_honest_snapshots_are_good_and_show_their_learner(
    catalogue: Listing, sample: Reader, references: References
) -> None:
    sha256, phash = [], []
    for person in catalogue["learners"]:
        assert len(person["snapshots"]) >= 3
        for name in person["snapshots"]:
            seen = inspect(sample(name), references[person["learner"]])
            assert (seen.good, seen.reasons, seen.faces, seen.detail) == (True, (), 1, ""), name
            assert seen.distance is not None, name
            assert seen.distance <= 0.5, name
            assert (seen.width, seen.height) == (320, 240)
            sha256.append(seen.sha256)
            phash.append(seen.phash)
    assert len(set(sha256)) == len(sha256)
    assert len(set(phash)) == len(phash)


@pytest.mark.parametrize(
    ("name", "reason", "faces"),
    [
        ("no-face", "no_face", 0),
        ("two-faces", "several_faces", 2),
        ("dark", "too_dark", 1),
        ("bright", "too_bright", 1),
        ("blurred", "too_blurred", 1),
        ("small", "too_small", 1),
    ],
)
def test_each_faulty_snapshot_has_its_reason(
    catalogue: Listing, sample: Reader, references: References, name: str, reason: str, faces: int
) -> None:
    entry = special(catalogue, name)
    seen = inspect(sample(entry["file"]), references[entry["learner"]])
    assert not seen.good
    assert list(seen.reasons) == entry["reasons"] == [reason]
    assert seen.faces == faces
    assert (seen.distance is None) == (seen.vector is None) == (faces != 1)


def test_a_stranger_is_good_evidence_of_the_wrong_person(
    catalogue: Listing, sample: Reader, references: References
) -> None:
    entry = special(catalogue, "wrong-person")
    seen = inspect(sample(entry["file"]), references[entry["learner"]])
    assert seen.good
    assert seen.distance is not None
    assert seen.distance > 0.7
    for vector in references.values():
        assert np.linalg.norm(seen.vector - vector) > 0.5


def test_a_replayed_reference_is_near_to_it(catalogue: Listing, sample: Reader, references: References) -> None:
    entry = special(catalogue, "replayed-reference")
    seen = inspect(sample(entry["file"]), references[entry["learner"]])
    assert seen.good
    assert seen.distance is not None
    assert seen.distance < 0.2


def test_a_report_holds_facts_of_the_picture(sample: Reader) -> None:
    content = sample("learner-01/reference.jpg")
    seen = inspect(content)
    pixels = decode(content)
    face = find_faces(pixels)[0]
    assert (seen.width, seen.height) == (pixels.shape[1], pixels.shape[0])
    assert seen.face_size_px == face.size_px
    assert seen.distance is None
    assert seen.vector is not None
    np.testing.assert_array_equal(seen.vector, face_vector(pixels, face))
    assert len(seen.sha256) == 64
    assert seen.phash is not None
    assert len(seen.phash) == 16


def test_a_report_holds_box_points_and_pose_of_the_face(sample: Reader) -> None:
    content = sample("learner-01/reference.jpg")
    seen = inspect(content)
    pixels = decode(content)
    assert seen.face == find_faces(pixels)[0]
    assert np.array_equal(seen.points, landmarks(pixels, seen.face))
    assert seen.pose is not None
    assert max(abs(seen.pose.yaw_deg), abs(seen.pose.roll_deg)) < 15


def test_a_picture_without_a_face_has_neither_box_nor_pose(catalogue: Listing, sample: Reader) -> None:
    seen = inspect(sample(special(catalogue, "no-face")["file"]))
    assert (seen.face, seen.points, seen.pose, seen.presented_attack) == (None, (), None, None)
    assert seen.capture is not None


def test_with_the_enrolled_capture_a_report_says_how_alike_the_pictures_are(catalogue: Listing, sample: Reader) -> None:
    entry = special(catalogue, "replayed-reference")
    enrolled = enrol_reference(sample(f"{entry['learner']}/reference.jpg"))
    replayed = inspect(sample(entry["file"]), enrolled.capture)
    honest = inspect(sample(f"{entry['learner']}/snapshot-1.jpg"), enrolled.capture)
    assert replayed.likeness is not None
    assert honest.likeness is not None
    assert replayed.likeness.residual < honest.likeness.residual
    assert replayed.distance == replayed.likeness.distance == inspect(sample(entry["file"]), enrolled.vector).distance
    assert inspect(sample(entry["file"]), enrolled.vector).likeness is None


def test_the_passive_check_is_asked_by_default_and_needs_one_face(catalogue: Listing, sample: Reader) -> None:
    content = sample("learner-01/reference.jpg")
    assert inspect(content).presented_attack is not None
    assert inspect(content, passive=False).presented_attack is None
    assert inspect(sample(special(catalogue, "two-faces")["file"])).presented_attack is None


def test_a_refusal_is_kept_in_words() -> None:
    seen = inspect(b"GIF89a" + bytes(50))
    assert seen.refusal is not None
    assert (seen.refusal.code, seen.capture) == (seen.detail, None)


def test_a_decoder_that_cannot_start_is_not_the_pictures_fault(sample: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    content = sample("learner-01/reference.jpg")
    close_decoders()
    monkeypatch.setattr("online_guard.faces.worker_process.sys.executable", "/nowhere/python")
    with pytest.raises(GuardError) as refusal:
        inspect(content)
    assert refusal.value.code == "image.no_decoder"
    monkeypatch.undo()
    assert inspect(content).good


def test_a_reference_turned_away_is_refused(sample: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    content = sample("learner-01/reference.jpg")
    for pose, refused in ((Pose(25, 35, 0), False), (Pose(-25.1, 0, 0), True), (Pose(0, 35.1, 0), True)):
        monkeypatch.setattr(quality, "pose", lambda _, pose=pose: pose)
        if not refused:
            assert enrol_reference(content).pose == pose
            continue
        with pytest.raises(GuardError, match="turned away") as refusal:
            enrol_reference(content)
        assert refusal.value.code == "reference.turned"
        assert inspect(content).good  # a snapshot may look aside


def test_the_same_bytes_give_the_same_report(sample: Reader, references: References) -> None:
    content = sample("learner-02/snapshot-1.jpg")
    one, other = (inspect(content, references["learner-02"]) for _ in range(2))
    assert one == other
    assert one.vector is not None
    assert other.vector is not None
    np.testing.assert_array_equal(one.vector, other.vector)


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "image.empty"),
        (b"GIF89a" + bytes(50), "image.unsupported_format"),
        (bytes(5_000_000), "image.too_many_bytes"),
    ],
)
def test_unreadable_bytes_give_a_report_that_can_be_kept(content: bytes, detail: str) -> None:
    seen = inspect(content, np.zeros(128))
    assert (seen.good, seen.reasons, seen.detail) == (False, ("unreadable",), detail)
    assert (seen.faces, seen.distance, seen.vector, seen.phash) == (0, None, None, None)
    assert len(seen.sha256) == 64


def test_a_truncated_snapshot_is_unreadable(sample: Reader) -> None:
    seen = inspect(sample("learner-02/snapshot-1.jpg")[:-100])
    assert (seen.reasons, seen.detail) == (("unreadable",), "image.truncated")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("no-face", "reference.no_face"),
        ("two-faces", "reference.several_faces"),
        ("dark", "reference.too_dark"),
        ("bright", "reference.too_bright"),
        ("blurred", "reference.too_blurred"),
        ("small", "reference.too_small"),
    ],
)
def test_an_unfit_reference_is_refused_with_its_reason(
    catalogue: Listing, sample: Reader, name: str, code: str
) -> None:
    with pytest.raises(GuardError) as refusal:
        enrol_reference(sample(special(catalogue, name)["file"]))
    assert refusal.value.kind is ErrorKind.INVALID
    assert refusal.value.code == code or (name == "small" and "face too small" in refusal.value.message)
    assert refusal.value.remedy


def test_an_unreadable_reference_is_refused_by_the_decoder() -> None:
    with pytest.raises(GuardError) as refusal:
        enrol_reference(b"<svg/>")
    assert refusal.value.code == "image.unsupported_format"
