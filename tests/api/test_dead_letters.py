"""What was refused is listed, repaired, replayed; its history stays, and each sees their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from platform_client import DAY_MS, NOON_MS, Platform, count, event, problem

from online_guard.terms import Role


@pytest.fixture(scope="module")
def admin(person: Callable[[Role], Platform]) -> Platform:
    return person(Role.ADMIN)


def letters(caller: Platform, **which: Any) -> list[dict[str, Any]]:
    """Return the dead letters that a caller sees."""
    return list(caller.told("GET", "/v1/dead-letters", **which)["dead_letters"])


def test_a_refused_event_is_repaired_and_replayed(platform: Platform, admin: Platform) -> None:
    session_id = platform.a_session()
    platform.post(session_id, [event(0, "play"), event(1, second=10, position_s=-1.0), event(2, second=20)])
    [letter] = letters(platform, session_id=session_id)
    assert (letter["state"], letter["kind"], letter["platform_id"]) == ("waiting", "event", "hc-online")
    path = f"/v1/dead-letters/{letter['letter_id']}"

    again = admin.told("POST", f"{path}/replay")
    assert (again["state"], again["history"][-1]["status"]) == ("waiting", "refused")
    assert again["history"][-1]["reason"] == letter["reason"]
    assert len(letters(platform, session_id=session_id)) == 1, "no second letter"

    repaired = admin.told("PUT", f"{path}/content", event(1, second=10), now_ms=NOON_MS + 3 * DAY_MS)
    assert repaired["history"][-1]["content_before"] == letter["content"]
    done = admin.told("POST", f"{path}/replay", now_ms=NOON_MS + 3 * DAY_MS)
    assert (done["state"], done["history"][-1]["status"]) == ("replayed", "accepted")
    assert [step["action"] for step in done["history"]] == ["replayed", "repaired", "replayed"]
    assert {step["by"] for step in done["history"]} == {"some admin"}
    assert count(platform, "event", session_id) == 3
    problem(admin.send("POST", f"{path}/replay"), 409, "dead_letter.replayed")
    problem(admin.send("PUT", f"{path}/content", event(1)), 409, "dead_letter.replayed")
    assert letters(platform, session_id=session_id, state="waiting") == []


def test_events_of_a_session_that_was_opened_too_late_are_replayed(platform: Platform, admin: Platform) -> None:
    body = platform.opening()
    path = f"/v1/sessions/{body['session_id']}/events"
    problem(platform.send("POST", path, {"events": [event(0, "play"), event(1, second=9)]}), 404, "not_found")
    platform.told("POST", "/v1/sessions", body)
    found = letters(platform, session_id=body["session_id"])
    assert [row["reason"] for row in found] == [found[0]["reason"]] * 2
    for letter in found:
        done = admin.told("POST", f"/v1/dead-letters/{letter['letter_id']}/replay")
        assert done["history"][-1]["status"] == "accepted"
    assert count(platform, "event", body["session_id"]) == 2


def test_an_event_too_late_is_too_late_when_replayed(platform: Platform, admin: Platform) -> None:
    session_id = platform.a_session()
    platform.told("POST", f"/v1/sessions/{session_id}/close", now_ms=NOON_MS)
    late = {"events": [event(0, "play", at_ms=NOON_MS + DAY_MS)]}
    answer = platform.send("POST", f"/v1/sessions/{session_id}/events", late, now_ms=NOON_MS + DAY_MS + 1)
    problem(answer, 409, "session.closed")
    [letter] = letters(platform, session_id=session_id)
    done = admin.told("POST", f"/v1/dead-letters/{letter['letter_id']}/replay")
    assert (done["state"], done["history"][-1]["status"]) == ("waiting", "refused")


def test_a_platform_sees_its_own_and_repairs_nothing(
    platform: Platform, another_platform: Platform, admin: Platform
) -> None:
    session_id = platform.a_session()
    platform.post(session_id, [event(0, kind="dance")])
    [letter] = letters(platform, session_id=session_id)
    path = f"/v1/dead-letters/{letter['letter_id']}"
    assert letters(another_platform, session_id=session_id) == []
    problem(another_platform.send("GET", path), 404, "not_found")
    problem(platform.send("POST", f"{path}/replay"), 403, "caller.not_allowed")
    problem(platform.send("PUT", f"{path}/content", event(0)), 403, "caller.not_allowed")
    assert letters(admin, session_id=session_id, platform_id="hc-online") == [letter]
    assert letters(admin, session_id=session_id, platform_id="another") == []


def test_lists_go_on_where_the_cursor_says(platform: Platform) -> None:
    session_id = platform.a_session()
    platform.post(session_id, [event(seq, kind="dance" if seq % 2 else "play", position_s=-1.0) for seq in range(7)])
    seen: list[dict[str, Any]] = []
    cursor: str | None = "0"
    while cursor is not None:
        page = platform.told("GET", "/v1/dead-letters", session_id=session_id, limit=3, cursor=cursor)
        seen, cursor = seen + page["dead_letters"], page["next_cursor"]
        assert len(page["dead_letters"]) <= 3
    assert seen == letters(platform, session_id=session_id)
    assert len(seen) == 7
    assert len(letters(platform, session_id=session_id, reason="dance")) == 3
    assert letters(platform, session_id=session_id, kind="snapshot") == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'"text"', b"\xff"])
def test_a_repair_is_a_json_object(platform: Platform, admin: Platform, content: bytes) -> None:
    session_id = platform.a_session()
    platform.post(session_id, [event(0, kind="dance")])
    [letter] = letters(platform, session_id=session_id)
    answer = admin.send("PUT", f"/v1/dead-letters/{letter['letter_id']}/content", content)
    problem(answer, 422, "dead_letter.no_event")


def test_a_picture_can_not_be_replayed(platform: Platform, admin: Platform) -> None:
    session_id = platform.a_session()
    platform.send("POST", f"/v1/sessions/{session_id}/snapshots", b"no picture", at_ms=NOON_MS)
    [letter] = letters(platform, session_id=session_id, kind="snapshot")
    answer = admin.send("POST", f"/v1/dead-letters/{letter['letter_id']}/replay")
    problem(answer, 409, "dead_letter.not_an_event")
    problem(admin.send("POST", "/v1/dead-letters/999999/replay"), 404, "not_found")
