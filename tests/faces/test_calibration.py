"""Error rates of distances: counted at, below and above each threshold; a setting is proposed on enough pairs only."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from online_guard.errors import GuardError
from online_guard.faces import calibration
from online_guard.faces.calibration import Gallery, calibrate, read_gallery
from online_guard.faces.error_plots import det_plot

from .conftest import SAMPLE_MEDIA


def at(*places: float) -> np.ndarray:
    """Return a vector whose first numbers are given."""
    vector = np.zeros(128)
    vector[: len(places)] = places
    return vector


def crowd(people: int, photos: int, spread: float) -> Gallery:
    """Return people who are each 1.0 apart, with photos `spread` around each."""
    names, vectors = [], []
    for person in range(people):
        for photo in range(photos):
            vector = np.zeros(128)
            vector[person] = 1 / np.sqrt(2)
            vector[-1] = spread * photo
            names.append(f"p{person}")
            vectors.append(vector)
    return Gallery(tuple(names), tuple(vectors), ())


def test_pairs_are_counted_at_their_distance() -> None:
    # a: two photos 0.5 apart; b: 0.4 from the nearer one.
    result = calibrate(Gallery(("a", "a", "b"), (at(0.0), at(0.5), at(-0.4)), ()))
    np.testing.assert_allclose(result.genuine, [0.5])
    np.testing.assert_allclose(result.impostor, [0.4, 0.9])
    rates = {rate.distance: rate for rate in result.rates}
    assert list(rates) == [step / 100 for step in range(30, 81)]
    assert [(rates[d].fnmr.hits, rates[d].fmr.hits) for d in (0.39, 0.4, 0.49, 0.5)] == [(1, 0), (1, 1), (1, 1), (0, 1)]
    assert (rates[0.8].fnmr.of, rates[0.8].fmr.of) == (1, 2)


def test_a_setting_needs_enough_pairs() -> None:
    few = calibrate(crowd(20, 2, 0.3)).proposal
    assert (few.match_distance, few.reject_distance) == (None, None)
    assert "20 < 381" in few.why
    assert "760 < 3838" in few.why


def test_the_smallest_distance_that_keeps_both_limits_is_proposed() -> None:
    result = calibrate(crowd(40, 5, 0.1))
    assert (len(result.genuine), len(result.impostor)) == (400, 19_500)
    # Genuine pairs lie at 0.1, 0.2, 0.3 and (one in ten) 0.4; impostors at 1.0 and more.
    assert result.proposal.match_distance == 0.4
    assert result.proposal.reject_distance == 0.4
    assert not result.proposal.why


def test_learners_who_are_never_alike_get_no_proposal() -> None:
    result = calibrate(crowd(40, 5, 0.3))  # one pair in ten 1.2 apart, as far as strangers
    assert result.proposal.match_distance is None
    assert "no distance keeps" in result.proposal.why


def test_one_picture_gives_no_pair() -> None:
    result = calibrate(Gallery(("a",), (at(1.0),), ()))
    assert (len(result.genuine), len(result.impostor)) == (0, 0)
    assert result.rates[0].fnmr.share is None
    assert det_plot(result).startswith(b"\x89PNG")


def test_pictures_without_one_face_or_person_are_listed(tmp_path: Path) -> None:
    shutil.copy(SAMPLE_MEDIA / "learner-03" / "reference.jpg", tmp_path / "three__1.jpg")
    (tmp_path / "four").mkdir()
    shutil.copy(SAMPLE_MEDIA / "learner-04" / "reference.jpg", tmp_path / "four" / "any.jpg")
    shutil.copy(SAMPLE_MEDIA / "special" / "no-face.png", tmp_path / "four" / "room.png")
    (tmp_path / "four" / "broken.jpg").write_bytes(b"text")
    (tmp_path / "nobody.jpg").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no picture")
    told: list[tuple[int, int]] = []
    gallery = read_gallery(tmp_path, lambda done, total: told.append((done, total)))
    assert gallery.people == ("four", "three")
    assert {(one.file, one.reason) for one in gallery.left_out} == {
        ("four/broken.jpg", "unreadable"),
        ("four/room.png", "no_face"),
        ("nobody.jpg", "no_person"),
    }
    assert told[-1] == (5, 5)
    result = calibrate(gallery)
    assert len(result.impostor) == 1
    assert result.impostor[0] > 0.6


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GuardError) as caught:
        read_gallery(tmp_path, lambda done, total: None)
    assert caught.value.code == "calibration.no_pictures"


def test_the_needed_numbers_are_the_smallest() -> None:
    for limit in (calibration.MAX_FMR, calibration.REJECT_MAX_FNMR):
        needed = calibration._needed(limit)
        high = [calibration.Proportion(0, count).interval[1] for count in (needed - 1, needed)]
        assert high[0] > limit >= high[1]


def test_real_photos_part_people(identity_photos: list[Path], tmp_path: Path) -> None:
    few = [photo for photo in identity_photos if photo.name.startswith("fa_")]
    for photo in few:
        (tmp_path / photo.name).symlink_to(photo)
    result = calibrate(read_gallery(tmp_path, lambda done, total: None))
    assert (result.people, result.left_out) == (len({photo.name.partition("__")[0] for photo in few}), ())
    within = {rate.distance: rate for rate in result.rates}[0.6]
    assert within.fmr.share == 0
    assert within.fnmr.share is not None
    assert within.fnmr.share < 0.1
