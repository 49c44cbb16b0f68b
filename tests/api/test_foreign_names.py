"""One learner at two platforms at once: each is told that it is so, neither what the other has; an auditor is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from platform_client import NOON_MS, Platform, event

from online_guard.service.foreign_names import HIDDEN
from online_guard.terms import Role


def a_sitting(platform: Platform, person: int) -> tuple[str, str]:
    """Return enrolment and session of a person who plays for three minutes from noon on."""
    enrolment_id = platform.an_enrolment(person=person)
    session_id = platform.a_session(enrolment_id)
    platform.post(session_id, [event(0, "play"), *(event(n, second=20 * n) for n in range(1, 10))])
    platform.told("POST", f"/v1/sessions/{session_id}/close", now_ms=NOON_MS + 200_000)
    return enrolment_id, session_id


def overlapping(client: Platform, session_id: str, **parameters: Any) -> list[str]:
    """Return the other sessions that OG201 names, once the class is verified."""
    path = f"/v1/sessions/{session_id}/verdict"
    client.verified(path) if not parameters else None
    told = client.told("GET", path, **parameters)
    return next(list(row["evidence"]["others"]) for row in told["findings"] if row["rule"] == "OG201")


def test_a_finding_names_no_session_of_another_platform_but_to_people(
    platform: Platform, another_platform: Platform, person: Callable[[Role], Platform]
) -> None:
    someone = 71_717
    _, here = a_sitting(platform, someone)
    _, there = a_sitting(another_platform, someone)
    assert overlapping(another_platform, there) == [HIDDEN]
    assert overlapping(platform, here) == [HIDDEN]
    auditor = person(Role.AUDITOR)
    assert overlapping(auditor, here, platform_id="hc-online") == [f"another/{there}"]
    assert overlapping(auditor, there, platform_id="another") == [f"hc-online/{here}"]


def test_a_finding_names_the_platforms_own_sessions(platform: Platform) -> None:
    someone = 71_718
    _, one = a_sitting(platform, someone)
    _, other = a_sitting(platform, someone)
    platform.verified(f"/v1/sessions/{one}/verdict")
    assert overlapping(platform, other) == [f"hc-online/{one}"]


def test_a_claim_that_is_refused_names_nothing_of_another_platform(
    platform: Platform, another_platform: Platform
) -> None:
    someone = 71_719
    enrolment_id, here = a_sitting(platform, someone)
    foreign_enrolment, there = a_sitting(another_platform, someone)
    platform.verified(f"/v1/sessions/{here}/verdict")
    answer = platform.send("POST", f"/v1/enrolments/{enrolment_id}/claims", {"lessons": [{"lesson_no": 1, "hours": 1}]})
    assert "OG201" in answer.text
    assert HIDDEN in answer.text
    assert there not in answer.text
    assert foreign_enrolment not in answer.text
