import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from stdnum.cn import ric

from online_guard.demo.people import Album, another_moment, identity_number, name_of
from online_guard.errors import GuardError


def picture(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)
    return bytes(cv2.imencode(".png", cv2.resize(noise, (160, 120)))[1])


@pytest.fixture
def album(tmp_path: Path) -> Album:
    (tmp_path / "special").mkdir()
    for number, name in enumerate(("reference.png", "one.png", "two.png", "special/no-face.png")):
        (tmp_path / name).write_bytes(picture(number))
    learner = {"learner": "learner-01", "reference": "reference.png", "snapshots": ["one.png", "two.png"]}
    listing = {"learners": [learner], "specials": [{"file": "special/no-face.png"}]}
    (tmp_path / "catalogue.json").write_text(json.dumps(listing), encoding="utf-8")
    return Album(tmp_path)


def test_identity_numbers_are_distinct_and_have_the_check_digit_of_the_standard() -> None:
    numbers = [identity_number(number) for number in range(100)]
    assert len(set(numbers)) == 100
    for number in numbers:
        assert number[:6] == "411526"
        assert ric.calc_check_digit(number) == number[-1]


def test_names_differ_within_a_class() -> None:
    assert len({name_of(number) for number in range(30)}) == 30


def test_no_picture_comes_twice(album: Album) -> None:
    taken = [album.picture(0, "good") for _ in range(6)]
    assert taken[:2] == [picture(1), picture(2)]
    assert len(set(taken)) == 6
    assert album.reference(0) == picture(0)
    assert album.picture(0, "no_face") == picture(3)


def test_another_moment_is_another_picture_of_the_same_size() -> None:
    before = cv2.imdecode(np.frombuffer(picture(1), np.uint8), cv2.IMREAD_COLOR)
    after = cv2.imdecode(np.frombuffer(another_moment(picture(1), 3), np.uint8), cv2.IMREAD_COLOR)
    assert before is not None
    assert after is not None
    assert before.shape == after.shape
    assert np.abs(before.astype(int) - after.astype(int)).mean() > 5


def test_missing_or_broken_media_are_named(tmp_path: Path) -> None:
    with pytest.raises(GuardError, match="示例照片"):
        Album(tmp_path)
    with pytest.raises(GuardError, match="无法读取"):
        another_moment(b"no picture", 1)
