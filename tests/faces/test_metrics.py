"""Rates of ISO/IEC 30107-3 over labelled files: what is counted as an error, as silence, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from online_guard.errors import GuardError
from online_guard.faces.clips import Clip, write_clip
from online_guard.faces.error_plots import metrics_plot
from online_guard.faces.metrics import (
    Answer,
    Judged,
    Kind,
    Presentation,
    challenge_of,
    judge_all,
    rates,
    read_challenges,
    read_presentations,
)
from online_guard.terms import Action

from .conftest import SAMPLE_MEDIA


def judged(species: str, *answers: Answer, kind: Kind = Kind.CLIP) -> list[Judged]:
    return [Judged(Presentation(Path("x"), "x", species, kind), answer, (), ()) for answer in answers]


def test_errors_and_silence_are_shares_of_all_presentations() -> None:
    live, attack, none = Answer.LIVE, Answer.ATTACK, Answer.NONE
    rows = rates([*judged("photo", live, attack, attack, none), *judged("live", live, live, attack, none, none),
                  *judged("mask", none), *judged("photo", live, kind=Kind.PICTURE)])  # fmt: skip
    counted = [(r.species, r.kind, r.errors.hits, r.errors.of, r.silent.hits, r.silent.of) for r in rows]
    assert counted == [
        ("live", Kind.CLIP, 1, 5, 2, 5),
        ("mask", Kind.CLIP, 0, 1, 1, 1),
        ("photo", Kind.CLIP, 1, 4, 1, 4),
        ("photo", Kind.PICTURE, 1, 1, 0, 1),
    ]
    assert metrics_plot(rows).startswith(b"\x89PNG")


def test_every_file_has_a_label(tmp_path: Path) -> None:
    for name in ("live/a.mp4", "live/day/b.WEBM", "attack/photo/c.jpg", "attack/photo/deep/d.mp4", "live/frames/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "live" / "frames" / "times.json").write_text("[0]")
    (tmp_path / "challenges.json").write_text("{}")
    found = {one.name: (one.species, one.kind) for one in read_presentations(tmp_path)}
    assert found == {
        "attack/photo/c.jpg": ("photo", Kind.PICTURE),
        "attack/photo/deep/d.mp4": ("photo", Kind.CLIP),
        "live/a.mp4": ("live", Kind.CLIP),
        "live/day/b.WEBM": ("live", Kind.CLIP),
        "live/frames": ("live", Kind.CLIP),
    }
    (tmp_path / "attack" / "loose.mp4").touch()
    with pytest.raises(GuardError, match=r"attack/loose\.mp4"):
        read_presentations(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GuardError) as caught:
        read_presentations(tmp_path)
    assert caught.value.code == "metrics.no_files"


def test_challenges_are_read_or_refused(tmp_path: Path) -> None:
    assert read_challenges(tmp_path) == {}
    path = tmp_path / "challenges.json"
    path.write_text(json.dumps({"live/a.mp4": ["blink", "nod"]}))
    assert read_challenges(tmp_path) == {"live/a.mp4": (Action.BLINK, Action.NOD)}
    for wrong in ('{"a": ["wink"]}', "[1]", "{", '{"a": 1}'):
        path.write_text(wrong)
        with pytest.raises(GuardError) as caught:
            read_challenges(tmp_path)
        assert caught.value.code == "metrics.challenges"


def test_a_clip_without_a_challenge_has_the_same_one_each_time() -> None:
    drawn = [challenge_of(f"live/{number}.mp4") for number in range(200)]
    assert drawn == [challenge_of(f"live/{number}.mp4") for number in range(200)]
    assert len(set(drawn)) > 40
    assert all(len(set(challenge)) == 3 for challenge in drawn)


def test_files_are_judged_and_what_cannot_be_is_silent(tmp_path: Path) -> None:
    live, photo = tmp_path / "live", tmp_path / "attack" / "photo"
    live.mkdir()
    photo.mkdir(parents=True)
    shutil.copy(SAMPLE_MEDIA / "learner-01" / "snapshot-1.jpg", live / "face.jpg")
    shutil.copy(SAMPLE_MEDIA / "special" / "no-face.png", live / "room.png")
    (live / "broken.mp4").write_bytes(b"text")
    Image.new("RGB", (9, 9)).save(photo / "grey.png")
    empty = np.full((48, 64, 3), 90, np.uint8)
    (photo / "empty.mp4").write_bytes(write_clip(Clip((empty,) * 20, np.arange(20) / 15)))
    told: list[tuple[int, int]] = []
    answers = {one.presentation.name: one for one in judge_all(tmp_path, 0.55, lambda *step: told.append(step))}
    assert told[-1] == (5, 5)
    assert answers["live/face.jpg"].answer is not Answer.NONE
    silent = {name: one.reasons for name, one in answers.items() if one.answer is Answer.NONE}
    assert silent["live/room.png"] == ("no_face",)
    assert silent["live/broken.mp4"] == ("clip.unsupported_format",)
    assert silent["attack/photo/grey.png"] == ("no_face",)
    assert answers["attack/photo/empty.mp4"].asked == challenge_of("attack/photo/empty.mp4")
    assert answers["attack/photo/empty.mp4"].answer is not Answer.LIVE
