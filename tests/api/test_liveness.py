"""Liveness checks over HTTP: a challenge of the service, one clip in time, and what is kept of everything else."""

from __future__ import annotations

import base64
import itertools
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from platform_client import NOON_MS, Platform, count, database_file, dead_letters, event, pointers, problem

from online_guard.faces.clips import Clip, read_clip, write_clip
from online_guard.simulate.head_clips import painted_clip
from online_guard.terms import Action

LEARNER = 2
SEEDS = itertools.count(1)


@dataclass
class Sitting:
    """A session of a learner whose reference photo is known."""

    platform: Platform
    session_id: str

    def drawn(self, **more: Any) -> dict[str, Any]:
        """Return a challenge."""
        return self.platform.told("POST", f"/v1/sessions/{self.session_id}/liveness", **more)

    def sent(self, challenge: dict[str, Any], clip: Any, **more: Any) -> httpx.Response:
        """Return the answer to a clip."""
        path = f"/v1/liveness/{challenge['check_id']}/frames"
        return self.platform.send(
            "POST", path, clip, **{"nonce": challenge["nonce"], "at_ms": NOON_MS, "now_ms": NOON_MS + 20_000} | more
        )

    def stored(self, check_id: str) -> dict[str, Any]:
        """Return the row of a check."""
        with closing(sqlite3.connect(database_file(self.platform))) as database:
            database.row_factory = sqlite3.Row
            return dict(database.execute("SELECT * FROM liveness_check WHERE check_id = ?", (check_id,)).fetchone())


@pytest.fixture(scope="module")
def enrolment_id(platform: Platform, sample_media: Path) -> str:
    enrolled = platform.an_enrolment()
    reference = (sample_media / f"learner-{LEARNER:02}" / "reference.jpg").read_bytes()
    platform.told("PUT", f"/v1/enrolments/{enrolled}/reference-photo", reference)
    return enrolled


@pytest.fixture
def sitting(platform: Platform, enrolment_id: str) -> Sitting:
    return Sitting(platform, platform.a_session(enrolment_id))


@pytest.fixture(scope="module")
def still() -> bytes:
    """Return a clip of a person who does nothing: quickly judged."""
    return write_clip(painted_clip(LEARNER, (), 0))


def genuine(challenge: dict[str, Any]) -> Clip:
    """Return a clip of the learner who does what is asked, in a sitting of its own."""
    return painted_clip(LEARNER, [Action(row["action"]) for row in challenge["actions"]], next(SEEDS))


def as_frames(clip: Clip) -> dict[str, Any]:
    """Return a clip as a browser sends single pictures."""
    frames = []
    for frame, at_s in zip(clip.frames, clip.times_s, strict=True):
        content = cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        frames.append({"at_ms": round(1000 * at_s), "image": base64.b64encode(content.tobytes()).decode()})
    return {"frames": frames}


@pytest.fixture(scope="module")
def passed(platform: Platform, enrolment_id: str) -> tuple[Sitting, dict[str, Any], bytes]:
    """Return the session, the answer and the clip of a check that passed; a learner may need a second try."""
    sitting = Sitting(platform, platform.a_session(enrolment_id))
    for _ in range(4):
        challenge = sitting.drawn()
        clip = write_clip(genuine(challenge))
        answer = sitting.sent(challenge, clip).json()
        if answer["outcome"] == "passed":
            return sitting, answer, clip
    raise AssertionError(answer)


def test_a_challenge_is_three_actions_in_words_and_told_again_while_it_waits(sitting: Sitting) -> None:
    path = f"/v1/sessions/{sitting.session_id}/liveness"
    first, again = (sitting.platform.send("POST", path) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    challenge = first.json()
    names = [row["action"] for row in challenge["actions"]]
    assert len(set(names)) == 3
    assert all(row["zh"] and row["en"] for row in challenge["actions"])
    assert challenge["expires_ms"] - challenge["issued_ms"] == 60_000
    assert count(sitting.platform, "liveness_check", sitting.session_id) == 1
    late = sitting.platform.send("POST", path, now_ms=NOON_MS + 60_001)
    assert late.status_code == 201
    assert late.json()["check_id"] != challenge["check_id"]


def test_challenges_are_drawn_anew(platform: Platform, enrolment_id: str) -> None:
    drawn = [Sitting(platform, platform.a_session(enrolment_id)).drawn() for _ in range(12)]
    assert len({challenge["nonce"] for challenge in drawn}) == 12
    assert len({json.dumps(challenge["actions"]) for challenge in drawn}) > 3


def test_a_genuine_clip_passes_with_evidence_of_each_action(passed: tuple[Sitting, dict[str, Any], bytes]) -> None:
    sitting, answer, _ = passed
    assert answer["reasons"] == []
    assert answer["fps"] == pytest.approx(15, abs=0.5)
    assert answer["distance"] < 0.55
    assert all(row["found"] and 0 < row["start_s"] < row["end_s"] for row in answer["actions"])
    starts = [row["start_s"] for row in answer["actions"]]
    assert starts == sorted(starts)
    stored = sitting.stored(answer["check_id"])
    assert (stored["outcome"], stored["at_ms"]) == ("passed", NOON_MS)
    for what, form in (("strip", "image/jpeg"), ("plot", "image/png")):
        picture = sitting.platform.send("GET", answer[what])
        assert picture.headers["content-type"] == form
        assert cv2.imdecode(np.frombuffer(picture.content, np.uint8), cv2.IMREAD_COLOR) is not None


def test_the_same_clip_again_is_the_same_answer_and_another_is_refused(
    passed: tuple[Sitting, dict[str, Any], bytes], still: bytes
) -> None:
    sitting, answer, clip = passed
    challenge = {"check_id": answer["check_id"], "nonce": sitting.stored(answer["check_id"])["nonce"]}
    assert sitting.sent(challenge, clip, now_ms=NOON_MS + 90_000).json() == answer
    problem(sitting.sent(challenge, still), 409, "liveness.used")
    assert dead_letters(sitting.platform)[-1]["reason"] == "liveness.used"
    assert sitting.stored(answer["check_id"])["outcome"] == "passed"


def test_a_clip_that_passed_before_does_not_pass_again(
    passed: tuple[Sitting, dict[str, Any], bytes], sitting: Sitting
) -> None:
    answer = sitting.sent(sitting.drawn(), passed[2]).json()
    assert answer["outcome"] == "failed"
    assert "seen_before" in [row["reason"] for row in answer["reasons"]]
    assert count(sitting.platform, "likeness", sitting.session_id) >= 1


def test_a_picture_held_still_fails_sent_as_frames(sitting: Sitting) -> None:
    challenge = sitting.drawn()
    alive = painted_clip(LEARNER, (), next(SEEDS))
    answer = sitting.sent(challenge, as_frames(Clip((alive.frames[0],) * len(alive.frames), alive.times_s)))
    assert answer.status_code == 200
    assert answer.json()["outcome"] != "passed"
    assert all(row["zh"] and row["en"] for row in answer.json()["reasons"])


def test_a_wrong_nonce_is_refused_and_leaves_the_challenge_open(sitting: Sitting, still: bytes) -> None:
    challenge = sitting.drawn()
    problem(sitting.sent(challenge, still, nonce="guessed"), 403, "liveness.wrong_nonce")
    assert dead_letters(sitting.platform)[-1]["content"] == challenge["check_id"]
    assert sitting.stored(challenge["check_id"])["clip_sha256"] is None
    assert sitting.sent(challenge, still).status_code == 200


def test_a_clip_that_comes_too_late_is_an_inconclusive_check(sitting: Sitting, still: bytes) -> None:
    challenge = sitting.drawn()
    problem(sitting.sent(challenge, still, now_ms=NOON_MS + 60_001), 409, "liveness.late")
    stored = sitting.stored(challenge["check_id"])
    assert (stored["outcome"], stored["received_ms"], stored["distance"]) == ("inconclusive", NOON_MS + 60_001, None)
    assert dead_letters(sitting.platform)[-1]["reason"] == "liveness.late"


def test_the_last_moment_is_in_time(sitting: Sitting, still: bytes) -> None:
    assert sitting.sent(sitting.drawn(), still, now_ms=NOON_MS + 60_000).status_code == 200


@pytest.mark.parametrize(("spare_ms", "stretched"), [(-1_000, False), (-1_001, True)])
def test_a_clip_longer_than_the_time_since_its_challenge_was_slowed_down(
    sitting: Sitting, still: bytes, spare_ms: int, stretched: bool
) -> None:
    times_s = read_clip(still).times_s
    length_ms = round(1000 * float(times_s[-1] - times_s[0]))
    told = sitting.sent(sitting.drawn(), still, now_ms=NOON_MS + length_ms + spare_ms).json()
    assert ("implausible_times" in {one["reason"] for one in told["reasons"]}) is stretched
    assert told["outcome"] == "failed" or not stretched


def test_another_platforms_check_is_as_if_absent(sitting: Sitting, still: bytes, another_platform: Platform) -> None:
    challenge = sitting.drawn()
    problem(Sitting(another_platform, sitting.session_id).sent(challenge, still), 404, "not_found")
    problem(sitting.sent({"check_id": "check-0", "nonce": "x"}, still), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "clip.empty"),
        (b"hello", 415, "clip.unsupported_format"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(500), 400, "clip.malformed"),
        ({"frames": [{"at_ms": 0, "image": "aGVsbG8="}]}, 415, "image.unsupported_format"),
        ({"frames": [{"image": "aGVsbG8="}]}, 400, "liveness.bad_frames"),
        ({"frames": [], "outcome": "passed"}, 400, "liveness.bad_frames"),
        (bytes(32 * 1024 * 1024 + 1), 413, "body.too_large"),
    ],
    ids=["empty", "text", "broken MP4", "a frame of text", "no times", "a claimed outcome", "over 32 MiB"],
)
def test_bytes_that_are_no_clip_are_refused_by_name_and_leave_the_challenge_open(
    sitting: Sitting, body: Any, status: int, code: str
) -> None:
    challenge = sitting.drawn()
    problem(sitting.sent(challenge, body), status, code)
    assert count(sitting.platform, "dead_letter", sitting.session_id) == (code != "body.too_large")
    assert sitting.drawn() == challenge


def test_half_a_clip_is_refused(sitting: Sitting, still: bytes) -> None:
    problem(sitting.sent(sitting.drawn(), still[: len(still) // 2]), 400, "clip.malformed")


def test_one_clip_sent_twice_at_once_is_judged_to_one_effect(sitting: Sitting, still: bytes) -> None:
    challenge = sitting.drawn()
    with ThreadPoolExecutor(2) as pool:
        first, again = pool.map(lambda _: sitting.sent(challenge, still), range(2))
    assert first.json() == again.json()
    alone = sitting.drawn()
    assert sitting.sent(alone, still).status_code == 200
    with closing(sqlite3.connect(database_file(sitting.platform))) as database:
        query = "SELECT count(*) FROM capture WHERE capture_id = ?"
        kept = [database.execute(query, (one["check_id"],)).fetchone()[0] for one in (challenge, alone)]
    assert kept[0] == kept[1] > 0


def test_a_closed_session_draws_none_and_unanswered_ones_count_as_attempts(sitting: Sitting) -> None:
    sitting.drawn()
    sitting.platform.post(sitting.session_id, [event(0, "play"), event(1, second=50)], now_ms=NOON_MS + 51_000)
    sitting.platform.told("POST", f"/v1/sessions/{sitting.session_id}/close")
    problem(sitting.platform.send("POST", f"/v1/sessions/{sitting.session_id}/liveness"), 409, "session.closed")
    verdict = sitting.platform.verified(f"/v1/sessions/{sitting.session_id}/verdict")
    assert "OG403" in [found["rule"] for found in verdict["findings"]]


def test_waiting_for_a_liked_order_ends_after_five_unanswered_challenges(sitting: Sitting) -> None:
    drawn = [sitting.drawn(now_ms=NOON_MS + 61_000 * number)["check_id"] for number in range(5)]
    assert len(set(drawn)) == 5
    path = f"/v1/sessions/{sitting.session_id}/liveness"
    assert sitting.platform.told("POST", path, now_ms=NOON_MS + 4 * 61_000 + 60_000)["check_id"] == drawn[-1]
    refused = sitting.platform.send("POST", path, now_ms=NOON_MS + 5 * 61_000)
    problem(refused, 409, "liveness.too_many_unanswered")


def test_a_nonce_and_a_moment_are_asked_for(sitting: Sitting, still: bytes) -> None:
    challenge = sitting.drawn()
    path = f"/v1/liveness/{challenge['check_id']}/frames"
    assert pointers(problem(sitting.platform.send("POST", path, still), 422, "body.invalid")) == ["?nonce", "?at_ms"]


def test_nothing_is_told_of_a_clip_that_was_not_judged(sitting: Sitting) -> None:
    check_id = sitting.drawn()["check_id"]
    problem(sitting.platform.send("GET", f"/v1/liveness/{check_id}/strip"), 404, "not_found")
