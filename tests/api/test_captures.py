"""Snapshots of a session over HTTP."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from platform_client import NOON_MS, Platform, count, event, pointers, problem


def snapshot(platform: Platform, session_id: str, image: bytes, **parameters: Any) -> Any:
    """Return the answer to a snapshot at noon."""
    return platform.send("POST", f"/v1/sessions/{session_id}/snapshots", image, **{"at_ms": NOON_MS} | parameters)


def a_session_with_reference(platform: Platform, sample_media: Path) -> str:
    """Return a session of a learner whose reference photo is known."""
    enrolment_id = platform.an_enrolment()
    reference = (sample_media / "learner-01" / "reference.jpg").read_bytes()
    platform.told("PUT", f"/v1/enrolments/{enrolment_id}/reference-photo", reference)
    return platform.a_session(enrolment_id)


def test_a_snapshot_is_measured_and_answered(platform: Platform, sample_media: Path) -> None:
    session_id = a_session_with_reference(platform, sample_media)
    own = snapshot(platform, session_id, (sample_media / "learner-01" / "snapshot-1.jpg").read_bytes())
    other = snapshot(platform, session_id, (sample_media / "learner-02" / "snapshot-1.jpg").read_bytes())
    assert (own.status_code, other.status_code) == (201, 201)
    assert set(own.json()) == {
        "snapshot_id", "asked", "good", "reasons", "faces", "distance", "sha256", "phash",
    }  # fmt: skip
    assert (own.json()["good"], own.json()["faces"], own.json()["asked"]) == (True, 1, False)
    assert own.json()["distance"] < other.json()["distance"]


def test_a_snapshot_is_the_same_when_tried_again(platform: Platform, photo: bytes) -> None:
    session_id = platform.a_session()
    first = snapshot(platform, session_id, photo, snapshot_id="one")
    again = snapshot(platform, session_id, photo, snapshot_id="one")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["distance"] is None, "there is no reference photo"
    assert count(platform, "snapshot", session_id) == 1


def test_a_snapshot_id_stands_for_one_picture(platform: Platform, sample_media: Path, photo: bytes) -> None:
    session_id = platform.a_session()
    snapshot(platform, session_id, photo, snapshot_id="one")
    other = (sample_media / "learner-02" / "snapshot-1.jpg").read_bytes()
    problem(snapshot(platform, session_id, other, snapshot_id="one"), 409, "snapshot.other")
    problem(snapshot(platform, session_id, photo, snapshot_id="one", at_ms=NOON_MS + 1), 409, "snapshot.other")


def asking(platform: Platform, session_id: str) -> str:
    """Play until the service asks for a snapshot, and return its nonce."""
    for seq in range(120):
        now_ms = NOON_MS + seq * 20_000
        answer = platform.post(session_id, [event(seq, second=seq * 20)], now_ms=now_ms)
        for directive in answer["directives"]:
            if directive["kind"] == "snapshot":
                return str(directive["nonce"])
    raise AssertionError("no snapshot was asked for in 40 min")


def test_a_nonce_asks_once_and_for_its_session_only(platform: Platform, sample_media: Path) -> None:
    session_id = platform.a_session()
    nonce = asking(platform, session_id)
    pictures = [(sample_media / "learner-01" / f"snapshot-{name}").read_bytes() for name in ("1.jpg", "2.webp")]
    assert not snapshot(platform, platform.a_session(), pictures[0], nonce=nonce).json()["asked"]
    assert not snapshot(platform, session_id, pictures[0], nonce="made-up").json()["asked"]
    first = snapshot(platform, session_id, pictures[0], nonce=nonce, snapshot_id="one")
    assert first.json()["asked"]
    assert snapshot(platform, session_id, pictures[0], nonce=nonce, snapshot_id="one").json()["asked"]
    assert not snapshot(platform, session_id, pictures[1], nonce=nonce).json()["asked"]


def test_a_bad_snapshot_does_not_use_its_nonce_up(platform: Platform, photo: bytes) -> None:
    session_id = platform.a_session()
    nonce = asking(platform, session_id)
    problem(snapshot(platform, session_id, photo[:1000], nonce=nonce), 400, "image.truncated")
    assert snapshot(platform, session_id, photo, nonce=nonce).json()["asked"]


def large_png() -> bytes:
    """Return a picture of 5 001 × 4 000 pixels in few bytes."""
    out = io.BytesIO()
    Image.new("1", (5001, 4000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("image", "status", "code"),
    [
        (b"", 400, "image.empty"),
        (b"hello", 415, "image.unsupported_format"),
        (b"GIF89a" + bytes(50), 415, "image.unsupported_format"),
        (large_png(), 413, "image.too_many_pixels"),
        (bytes(4 * 1024 * 1024 + 1), 413, "body.too_large"),
    ],
    ids=["empty", "text", "gif", "20 megapixels", "over 4 MiB"],
)
def test_bytes_that_are_no_picture_are_refused_by_name(
    platform: Platform, image: bytes, status: int, code: str
) -> None:
    session_id = platform.a_session()
    problem(snapshot(platform, session_id, image), status, code)
    assert count(platform, "snapshot", session_id) == 0
    assert count(platform, "dead_letter", session_id) == (code != "body.too_large")


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"at_ms": None}, "?at_ms"),
        ({"at_ms": "noon"}, "?at_ms"),
        ({"at_ms": "2021-06-08T12:00:00"}, "?at_ms"),
        ({"snapshot_id": "a/b"}, "?snapshot_id"),
    ],
)
def test_wrong_parameters_of_a_snapshot_are_named(
    platform: Platform, photo: bytes, parameters: dict[str, Any], pointer: str
) -> None:
    given = {name: value for name, value in ({"at_ms": NOON_MS} | parameters).items() if value is not None}
    answer = platform.send("POST", f"/v1/sessions/{platform.a_session()}/snapshots", photo, **given)
    assert pointers(problem(answer, 422, "body.invalid")) == [pointer]


def test_the_moment_of_a_snapshot_may_be_rfc_3339(platform: Platform, photo: bytes) -> None:
    session_id = platform.a_session()
    first = snapshot(platform, session_id, photo, snapshot_id="one")
    again = snapshot(platform, session_id, photo, snapshot_id="one", at_ms="2021-06-08T12:00:00+08:00")
    assert (first.status_code, again.status_code) == (201, 200)


def test_a_snapshot_needs_its_session(platform: Platform, photo: bytes) -> None:
    problem(snapshot(platform, "nowhere", photo), 404, "not_found")
