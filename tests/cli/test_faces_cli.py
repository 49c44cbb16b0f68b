"""The four `faces` commands: their JSON, their exit status, and what people read."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from online_guard.cli import main
from online_guard.faces.clips import Clip, write_clip
from online_guard.simulate import face_attacks
from online_guard.simulate.head_clips import painted_clip
from online_guard.terms import Action

SAMPLE_MEDIA = Path(__file__).resolve().parents[2] / "sample_media"
JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG"
REFERENCE = SAMPLE_MEDIA / "learner-02" / "reference.jpg"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs `online-guard faces …` and returns exit status, standard output and error."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["online-guard", "faces", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return call


@pytest.fixture(scope="module")
def clip_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    path.write_bytes(write_clip(painted_clip(2, [Action.BLINK, Action.TURN_LEFT], 7)))
    return path


def test_inspect_says_everything_of_each_picture(run: Any, tmp_path: Path) -> None:
    text = tmp_path / "text.jpg"
    text.write_bytes(b"no picture")
    copy = tmp_path / "copy.webp"
    with Image.open(REFERENCE) as picture:
        picture.save(copy, quality=60)
    own = SAMPLE_MEDIA / "learner-02" / "snapshot-1.jpg"
    status, out, _ = run("inspect", REFERENCE, own, copy, SAMPLE_MEDIA / "special" / "no-face.png", text, "--json")
    assert status == 1
    snapshot, replayed, room, unreadable = json.loads(out)
    assert list(snapshot) == ["file", "good", "reasons", "faces", "distance", "sha256", "phash", "likeness",
                              "presented_attack"]  # fmt: skip
    assert (snapshot["file"], snapshot["good"], snapshot["reasons"], snapshot["faces"]) == (str(own), True, [], 1)
    assert snapshot["distance"] < 0.45
    assert snapshot["sha256"] == hashlib.sha256(own.read_bytes()).hexdigest()
    assert list(snapshot["likeness"]) == ["phash_distance", "cosine", "residual"]
    assert snapshot["likeness"]["residual"] > 0.04 >= replayed["likeness"]["residual"]
    assert replayed["presented_attack"]["decision"] in {"live", "attack"}
    assert 0 <= replayed["presented_attack"]["score"] <= 1
    assert (room["faces"], room["distance"], room["likeness"]["cosine"]) == (0, None, None)
    assert 0 <= room["likeness"]["phash_distance"] <= 64
    assert room["presented_attack"] == {"score": None, "decision": "not_evaluable"}
    assert (unreadable["reasons"], unreadable["likeness"], unreadable["phash"]) == (["unreadable"], None, None)
    assert unreadable["presented_attack"] == {"score": None, "decision": "not_evaluable"}


def test_inspect_for_people_and_its_exit_status(run: Any, tmp_path: Path) -> None:
    status, out, _ = run("inspect", REFERENCE, SAMPLE_MEDIA / "learner-02" / "snapshot-3.jpg")
    assert (status, "是 yes" in out) == (0, True)
    status, _, err = run("inspect", SAMPLE_MEDIA / "special" / "no-face.png", REFERENCE)
    assert (status, "reference.no_face" in err, "no-face.png" in err) == (2, True, True)
    status, _, err = run("inspect", REFERENCE, tmp_path / "absent.jpg")
    assert (status, "absent.jpg" in err) == (2, True)


def test_judge_passes_what_was_asked_and_nothing_else(run: Any, clip_file: Path, tmp_path: Path) -> None:
    strip, plot = tmp_path / "strip.jpg", tmp_path / "plot.png"
    status, out, _ = run("judge", clip_file, "--actions", "blink,turn_left", "--reference", REFERENCE, "--json",
                         "--strip", strip, "--plot", plot)  # fmt: skip
    said = json.loads(out)
    assert (status, said["outcome"], said["reasons"]) == (0, "passed", [])
    assert list(said) == ["outcome", "reasons", "fps", "distance", "actions", "events"]
    assert said["fps"] == pytest.approx(15, abs=0.1)
    assert said["distance"] < 0.45
    assert [(one["action"], one["found"]) for one in said["actions"]] == [("blink", True), ("turn_left", True)]
    assert all(list(one) == ["action", "found", "start_s", "end_s"] for one in said["actions"])
    assert [one["action"] for one in said["events"]] == ["blink", "turn_left"]
    assert strip.read_bytes().startswith(JPEG)
    assert plot.read_bytes().startswith(PNG)
    status, out, _ = run("judge", clip_file, "--actions", "open_mouth,nod")
    assert (status, "未通过 failed" in out) == (1, True)


def test_judge_refuses_bad_use(run: Any, clip_file: Path, tmp_path: Path) -> None:
    assert run("judge", clip_file, "--actions", "wink")[0] == 2
    assert run("judge", clip_file)[0] == 2
    text = tmp_path / "text.mp4"
    text.write_text("no clip")
    status, out, err = run("judge", text, "--actions", "blink", "--json", "--strip", tmp_path / "s.jpg")
    assert (status, out, "clip.unsupported_format" in err) == (2, "", True)
    assert not (tmp_path / "s.jpg").exists()


def test_judge_takes_a_folder_of_frames(run: Any, tmp_path: Path) -> None:
    for number, frame in enumerate(painted_clip(3, [], 1).frames[:20]):
        Image.fromarray(frame).save(tmp_path / f"{number:02}.jpg")
    (tmp_path / "times.json").write_text(json.dumps([number * 200 for number in range(20)]))
    status, out, _ = run("judge", tmp_path, "--actions", "blink", "--json")
    said = json.loads(out)
    assert (status, said["outcome"], said["reasons"]) == (1, "inconclusive", ["too_slow_camera"])
    assert said["fps"] == pytest.approx(5, abs=0.1)


def test_calibrate_counts_pairs_and_lists_what_it_left_out(run: Any, tmp_path: Path) -> None:
    for learner in ("learner-03", "learner-04"):
        for name in ("reference.jpg", "snapshot-1.jpg"):
            shutil.copy(SAMPLE_MEDIA / learner / name, tmp_path / f"{learner}__{name}")
    plot = tmp_path / "det.png"
    status, out, _ = run("calibrate", tmp_path, "--json", "--plot", plot)
    said = json.loads(out)
    assert (status, said["genuine_pairs"], said["impostor_pairs"], said["left_out"]) == (0, 2, 4, [])
    first, last = said["thresholds"][0], said["thresholds"][-1]
    assert (first["distance"], last["distance"], len(said["thresholds"])) == (0.3, 0.8, 51)
    assert list(first) == ["distance", "fnmr", "fnmr_interval", "fmr", "fmr_interval"]
    assert said["proposal"]["match_distance"] is None
    assert "too few" in said["proposal"]["why"]
    assert plot.read_bytes().startswith(PNG)
    plot.unlink()
    shutil.copy(SAMPLE_MEDIA / "special" / "no-face.png", tmp_path / "learner-03__room.png")
    status, out, _ = run("calibrate", tmp_path)
    assert (status, "learner-03__room.png: no_face" in out) == (1, True)


def test_metrics_gives_rates_by_species(run: Any, tmp_path: Path) -> None:
    live = painted_clip(6, [Action.BLINK, Action.NOD], 2)
    still = face_attacks.still_photo(live.frames[0], 1, length_s=2)
    for name, clip in (("live/a.mp4", live), ("attack/still/a.mp4", still), ("attack/short/a.mp4", first(live, 3))):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(write_clip(clip))
    (tmp_path / "challenges.json").write_text(json.dumps({"live/a.mp4": ["blink", "nod"]}))
    plot = tmp_path / "rates.png"
    status, out, _ = run("metrics", tmp_path, "--json", "--plot", plot)
    said = json.loads(out)
    assert status == 0
    assert (said["bpcer"], said["bpnrr"], said["live"][0]["presentations"]) == (0.0, 0.0, 1)
    rows = {row["species"]: row for row in said["attacks"]}
    assert (rows["short"]["apcer"], rows["short"]["apnrr"], rows["short"]["non_responses"]) == (0.0, 1.0, 1)
    assert (rows["still"]["apcer"], rows["still"]["errors"], rows["still"]["presentations"]) == (0.0, 0, 1)
    assert said["max_apcer"] == 0.0
    assert {one["file"]: one["asked"] for one in said["files"]}["live/a.mp4"] == ["blink", "nod"]
    assert plot.read_bytes().startswith(PNG)


def first(clip: Clip, frames: int) -> Clip:
    return Clip(clip.frames[:frames], clip.times_s[:frames])


def test_metrics_refuses_a_folder_without_labels(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    status, _, err = run("metrics", tmp_path)
    assert (status, "metrics.unlabelled" in err) == (2, True)
    assert run("metrics", tmp_path / "absent")[0] == 2
