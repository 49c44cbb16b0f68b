"""Imports over HTTP: posted whole or in parts, followed, paged, and nobody else's."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from platform_client import CLASS, NOON_MS, Platform, event, problem

from online_guard.api import limits
from online_guard.terms import Role

EVENTS = 5


def bundle(platform: Platform, **changes: Any) -> tuple[bytes, str, str]:
    """Return a zipped bundle with one session, its id and that of its enrolment."""
    class_id, enrolment_id, session_id = (platform.new(kind) for kind in ("class", "enrolment", "session"))
    own = {"platform_id": platform.platform_id, "session_id": session_id}
    rows: dict[str, list[dict[str, Any]]] = {
        "enrolments": [{"enrolment_id": enrolment_id, "class_id": class_id, "learner_id": enrolment_id}],
        "sessions": [
            own | {"enrolment_id": enrolment_id, "lesson_no": 1, "opened_at_ms": NOON_MS,
                   "opened_received_ms": NOON_MS, "device_id": "pc"}
        ],
        "events": [
            own
            | event(seq, "play" if seq == 0 else "heartbeat", 10.0 * seq, position_s=30.0 * seq)
            | {"received_ms": NOON_MS + 10_000 * seq}
            for seq in range(EVENTS)
        ],
    }  # fmt: skip
    rows |= changes
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        training = CLASS | {"class_id": class_id, "platform_id": platform.platform_id}
        archive.writestr("classes.json", json.dumps([training]))
        for name, table in rows.items():
            archive.writestr(f"{name}.ndjson", "".join(json.dumps(row) + "\n" for row in table))
    return body.getvalue(), session_id, enrolment_id


def finished(platform: Platform, import_id: str) -> dict[str, Any]:
    """Return an import once it is done or failed."""
    deadline = time.monotonic() + 30
    while (told := platform.told("GET", f"/v1/imports/{import_id}"))["state"] not in ("done", "failed"):
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    return told


def begin(platform: Platform, body: bytes, **headers: str) -> httpx.Response:
    """Return the answer to the beginning of an upload."""
    sha256 = base64.b64encode(hashlib.sha256(body).hexdigest().encode()).decode()
    said = {"Upload-Length": str(len(body)), "Upload-Metadata": f"filename YQ==,sha256 {sha256}"} | headers
    return platform.send("POST", "/v1/imports", headers=said)


def send_part(platform: Platform, import_id: str, offset: int, part: bytes) -> httpx.Response:
    return platform.send("PATCH", f"/v1/imports/{import_id}", part, headers={"Upload-Offset": str(offset)})


def test_a_bundle_is_answered_at_once_and_its_sessions_are_verified(platform: Platform) -> None:
    body, session_id, enrolment_id = bundle(platform)
    answer = platform.send("POST", "/v1/imports", body)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/imports/{answer.json()['import_id']}"
    assert answer.json()["state"] == "received"
    told = finished(platform, answer.json()["import_id"])
    assert told["counts"]["events"] == {"sent": 5, "accepted": 5, "duplicate": 0, "refused": 0, "conflict": 0}
    assert (told["problem"], told["refused_rows"], told["sha256"]) == (None, [], hashlib.sha256(body).hexdigest())
    verdict = platform.verified(f"/v1/sessions/{session_id}/verdict")
    assert verdict["provenance"] == "import"
    assert {finding["provenance"] for finding in verdict["findings"]} == {"import"}
    assert platform.verified(f"/v1/enrolments/{enrolment_id}/ledger")["provenance"] == "import"


def test_the_same_body_again_is_the_same_import(platform: Platform) -> None:
    body, _, _ = bundle(platform)
    first, second = (platform.told("POST", "/v1/imports", body)["import_id"] for _ in range(2))
    assert first == second
    assert finished(platform, first)["counts"]["events"]["accepted"] == 5
    assert platform.told("POST", "/v1/imports", body)["state"] == "done"


def test_refused_rows_have_file_line_and_reason(platform: Platform) -> None:
    bad = event(1) | {"platform_id": platform.platform_id, "session_id": "nobody", "received_ms": NOON_MS}
    body, _, _ = bundle(platform, events=[bad] * 600)
    told = finished(platform, platform.told("POST", "/v1/imports", body)["import_id"])
    assert told["counts"]["events"]["refused"] == 600
    assert told["refused_rows"][0]["file"] == "events.ndjson"
    assert "unknown session" in told["refused_rows"][0]["reason"]
    more = platform.told("GET", f"/v1/imports/{told['import_id']}", cursor=told["cursors"]["refused"])
    assert [row["line"] for row in told["refused_rows"] + more["refused_rows"]] == list(range(1, 601))
    problem(platform.send("GET", f"/v1/imports/{told['import_id']}", cursor="refused.x"), 422, "body.invalid")


def test_another_platform_sees_nothing_of_it(
    platform: Platform, another_platform: Platform, person: Callable[[Role], Platform]
) -> None:
    body, _, _ = bundle(platform)
    import_id = platform.told("POST", "/v1/imports", body)["import_id"]
    path = f"/v1/imports/{import_id}"
    problem(another_platform.send("GET", path), 404, "not_found")
    assert another_platform.send("HEAD", path).status_code == 404
    problem(send_part(another_platform, import_id, 0, b"x"), 404, "not_found")
    assert import_id not in {row["import_id"] for row in another_platform.told("GET", "/v1/imports")["imports"]}
    assert import_id in {row["import_id"] for row in platform.told("GET", "/v1/imports")["imports"]}
    assert person(Role.AUDITOR).told("GET", path)["import_id"] == import_id
    problem(person(Role.AUDITOR).send("POST", "/v1/imports", body), 403, "caller.not_allowed")
    # the same bytes from another platform are another import, in which every row is another's
    theirs = finished(another_platform, another_platform.told("POST", "/v1/imports", body)["import_id"])
    assert theirs["import_id"] != import_id
    assert all(row["accepted"] == 0 for row in theirs["counts"].values())


def test_an_upload_in_parts_goes_on_where_it_was_broken_off(platform: Platform) -> None:
    body, _, _ = bundle(platform)
    begun = begin(platform, body)
    assert (begun.status_code, begun.headers["Upload-Offset"]) == (201, "0")
    import_id = begun.json()["import_id"]
    assert send_part(platform, import_id, 0, body[:100]).headers["Upload-Offset"] == "100"
    problem(send_part(platform, import_id, 0, body[:100]), 409, "import.wrong_offset")
    problem(send_part(platform, import_id, 99, body[99:]), 409, "import.wrong_offset")
    head = platform.send("HEAD", f"/v1/imports/{import_id}")
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("100", str(len(body)))
    again = begin(platform, body)
    assert (again.json()["import_id"], again.headers["Upload-Offset"]) == (import_id, "100")
    assert send_part(platform, import_id, 100, body[100:]).status_code == 204
    assert finished(platform, import_id)["counts"]["sessions"]["accepted"] == 1
    assert begin(platform, body).json()["state"] == "done"
    problem(send_part(platform, import_id, len(body), b""), 409, "import.wrong_offset")


def test_an_upload_that_becomes_another_body_is_refused_and_may_begin_anew(platform: Platform) -> None:
    body, _, _ = bundle(platform)
    import_id = begin(platform, body).json()["import_id"]
    problem(send_part(platform, import_id, 0, bytes(len(body))), 422, "import.other_body")
    assert platform.told("GET", f"/v1/imports/{import_id}")["problem"]["code"] == "import.other_body"
    assert begin(platform, body).json()["import_id"] == import_id
    assert send_part(platform, import_id, 0, body).status_code == 204
    assert finished(platform, import_id)["state"] == "done"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Upload-Length": str(513 << 20)}, 413, "body.too_large"),
        ({"Upload-Metadata": ""}, 422, "import.no_sha256"),
        ({"Upload-Metadata": "sha256 !!"}, 422, "import.no_sha256"),
        ({"Upload-Length": "many"}, 422, "body.invalid"),
    ],
)
def test_an_upload_that_can_not_begin(platform: Platform, headers: dict[str, str], status: int, code: str) -> None:
    problem(begin(platform, b"x", **headers), status, code)


def test_few_uploads_are_unfinished_at_once(another_platform: Platform) -> None:
    bodies = [bytes([number]) * 10 for number in range(9)]
    answers = [begin(another_platform, body) for body in bodies]
    assert [answer.status_code for answer in answers[:8]] == [201] * 8
    problem(answers[8], 409, "import.too_many_uploads")
    tomorrow = NOON_MS + 25 * 3_600_000
    said = {"Online-Guard-Test-Now-Ms": str(tomorrow)}
    assert begin(another_platform, bodies[8], **said).status_code == 201


def test_bodies_that_can_not_be_imports_are_refused_at_once(platform: Platform) -> None:
    problem(platform.send("POST", "/v1/imports"), 422, "import.empty")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.ndjson", bytes(8 << 20))
    document = problem(platform.send("POST", "/v1/imports", bomb.getvalue()), 413, "import.ratio")
    assert document["errors"][0]["pointer"] == "events.ndjson"
    outside = bomb.getvalue()[:40].replace(b"events.ndjson", b"../vents.json")
    problem(platform.send("POST", "/v1/imports", outside), 400, "import.broken_archive")
    assert not list((platform.service.data_dir / "imports").glob("incoming-*"))


def test_a_body_beyond_the_limit_is_not_read_to_its_end(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.most_bytes("/v1/imports") == 512 << 20
    assert limits.most_bytes("/v1/imports/x") == 8 << 20
    import_id = begin(platform, b"limit").json()["import_id"]
    problem(send_part(platform, import_id, 0, bytes((8 << 20) + 1)), 413, "body.too_large")
