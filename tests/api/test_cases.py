"""The queue, cases, decisions, appeals and notices over HTTP, each by who may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from platform_client import Platform, event, pointers, problem

from online_guard.terms import Role

People = Callable[[Role], Platform]
REASON = {"reason": "查看了事件与照片 / looked at events and pictures"}
UPHOLD, DISMISS = {"decision": "uphold"} | REASON, {"decision": "dismiss"} | REASON


@pytest.fixture
def refused(platform: Platform) -> dict[str, Any]:
    """Return the verdict of a session that declared a double rate (OG103)."""
    session_id = platform.a_session()
    sent = [event(0, "play"), event(1, "rate", 10, rate=2.0), event(2, second=20, rate=2.0), event(3, "pause", 30)]
    platform.post(session_id, sent)
    platform.told("POST", f"/v1/sessions/{session_id}/close")
    return platform.verified(f"/v1/sessions/{session_id}/verdict")


def finding(verdict: dict[str, Any]) -> dict[str, Any]:
    """Return the finding of the rate."""
    return next(found for found in verdict["findings"] if found["rule"] == "OG103")


def decisions(verdict: dict[str, Any]) -> str:
    """Return the path of the finding's decisions."""
    return f"/v1/findings/{finding(verdict)['finding_id']}/decisions"


def test_a_case_from_the_queue_to_the_ledger(platform: Platform, person: People, refused: dict[str, Any]) -> None:
    auditor, second = person(Role.AUDITOR), person(Role.SECOND_AUDITOR)
    found = finding(refused)
    page = auditor.told("GET", "/v1/cases", rule="OG103", limit=200)
    assert found["case_id"] in {case["case_id"] for case in page["cases"]}
    answer = auditor.send("GET", f"/v1/cases/{found['case_id']}")
    case = answer.json()
    said = next(one for one in case["findings"] if one["rule"] == "OG103")
    assert (said["stands"], said["decisions"], said["state"]) == (True, [], "undecided")
    assert "2.00" in said["said_zh"]
    assert said["clause"]
    assert case["facts"]["sessions"][0]["session_id"] == refused["session_id"]
    path, headers = decisions(refused), {"If-Match": answer.headers["ETag"]}
    first = auditor.send("POST", path, DISMISS, headers=headers)
    assert (first.status_code, first.json()["took_effect"]) == (201, False)
    assert auditor.send("POST", path, DISMISS, headers=headers).status_code == 200, "sent twice"
    problem(second.send("POST", path, DISMISS, headers=headers), 412, "case.changed")
    confirmed = second.told("POST", path, DISMISS)
    assert (confirmed["took_effect"], confirmed["state"]) == (True, "verified")
    after = platform.told("GET", f"/v1/sessions/{refused['session_id']}/verdict")
    assert (after["state"], finding(after)["evidence"]["decision"]["decision"]) == ("verified", "dismiss")


def test_nobody_confirms_themselves(person: People, refused: dict[str, Any]) -> None:
    auditor = person(Role.AUDITOR)
    auditor.told("POST", decisions(refused), UPHOLD)
    problem(auditor.send("POST", decisions(refused), UPHOLD | {"reason": "once more"}), 409, "decision.own")


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ASSESSOR, Role.READER])
def test_others_look_and_do_not_decide(person: People, refused: dict[str, Any], role: Role) -> None:
    problem(person(role).send("POST", decisions(refused), UPHOLD), 403, "caller.not_allowed")
    assert person(role).told("GET", decisions(refused))["decisions"] == []
    assert person(role).told("GET", f"/v1/cases/{finding(refused)['case_id']}")["findings"]


def test_a_platform_appeals_for_its_learner_and_no_other_platform_does(
    platform: Platform, another_platform: Platform, person: People, refused: dict[str, Any]
) -> None:
    path = f"/v1/findings/{finding(refused)['finding_id']}/appeals"
    body = {"appellant": "learner", "reason": "播放器显示有误"}
    problem(another_platform.send("POST", path, body), 404, "not_found")
    problem(another_platform.send("GET", decisions(refused)), 404, "not_found")
    person(Role.AUDITOR).told("POST", decisions(refused), UPHOLD)
    person(Role.SECOND_AUDITOR).told("POST", decisions(refused), UPHOLD)
    opened = platform.send("POST", path, body)
    assert (opened.status_code, opened.json()["outcome"]) == (201, "open")
    assert platform.send("POST", path, body).status_code == 200
    problem(person(Role.AUDITOR).send("POST", decisions(refused), DISMISS), 409, "appeal.same_person")
    told = platform.told("GET", decisions(refused))
    assert [one["decision"] for one in told["decisions"]] == ["uphold", "uphold"]
    assert [one["role"] for one in told["decisions"]] == ["auditor", "second_auditor"]
    assert told["state"] == "appealed"


def test_a_notice_waits_for_persons(
    platform: Platform, another_platform: Platform, person: People, refused: dict[str, Any]
) -> None:
    auditor, second = person(Role.AUDITOR), person(Role.SECOND_AUDITOR)
    case = auditor.told("GET", f"/v1/cases/{finding(refused)['case_id']}")
    path = f"/v1/enrolments/{case['enrolment_id']}/notices"
    document = problem(auditor.send("POST", path, {}), 409, "notice.undecided")
    assert document["errors"]
    assert platform.told("GET", path) == {"enrolment_id": case["enrolment_id"], "finally_refused": [], "notices": []}
    undecided = {fault["detail"].split()[1].rstrip(":") for fault in document["errors"]}
    for name in undecided:
        for who in (auditor, second):
            who.told("POST", f"/v1/findings/{name}/decisions", UPHOLD)
    notice = auditor.send("POST", path, {})
    assert notice.status_code == 201, notice.text
    assert auditor.send("POST", path, {}).json() == notice.json()
    assert platform.told("GET", path)["finally_refused"] == [1]
    paper = f"/v1/notices/{notice.json()['notice_id']}/document"
    for who in (platform, auditor, person(Role.ASSESSOR)):
        answer = who.send("GET", paper)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
        assert answer.headers["Cache-Control"] == "no-store"
    problem(another_platform.send("GET", paper), 404, "not_found")
    problem(person(Role.READER).send("GET", paper), 403, "caller.not_allowed")
    page = f"/console/cases/{finding(refused)['case_id']}"
    assert f'href="{paper}"' in auditor.send("GET", page).text
    assert paper not in person(Role.READER).send("GET", page).text


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"decision": "maybe"} | REASON, "/decision"),
        ({"decision": "uphold"}, "/reason"),
        ({"decision": "uphold", "reason": " \u3000\n"}, "/reason"),
        (UPHOLD | {"reviewer": "somebody else"}, "/reviewer"),
    ],
)
def test_a_wrong_decision_is_refused_at_its_place(
    person: People, refused: dict[str, Any], body: dict[str, Any], pointer: str
) -> None:
    answer = person(Role.AUDITOR).send("POST", decisions(refused), body)
    assert pointers(problem(answer, 422, "body.invalid"))[0] == pointer


def test_what_is_not_there(person: People) -> None:
    auditor = person(Role.AUDITOR)
    problem(auditor.send("GET", "/v1/cases/session-0"), 404, "not_found")
    problem(auditor.send("GET", "/v1/findings/OG101-0/decisions"), 404, "not_found")
    problem(auditor.send("POST", "/v1/findings/OG101-0/decisions", UPHOLD), 404, "not_found")
    problem(auditor.send("POST", "/v1/enrolments/nobody/notices", {}), 404, "not_found")
    problem(auditor.send("GET", "/v1/cases", cursor="%%%"), 422, "cursor.invalid")


def test_the_queue_page_by_page(platform: Platform, person: People) -> None:
    class_id = platform.a_class()
    for _ in range(3):
        session_id = platform.a_session(platform.an_enrolment(class_id))
        platform.post(session_id, [event(0, "play"), event(1, "rate", 10, rate=2.0), event(2, "pause", 20)])
        platform.told("POST", f"/v1/sessions/{session_id}/close")
        platform.verified(f"/v1/sessions/{session_id}/verdict")
    auditor, seen, cursor = person(Role.AUDITOR), [], {}
    while True:
        page = auditor.told("GET", "/v1/cases", class_id=class_id, limit=2, **cursor)
        seen += [(case["priority"], case["waiting_since_ms"], case["case_id"]) for case in page["cases"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == sorted(set(seen))
    assert len(seen) >= 3
