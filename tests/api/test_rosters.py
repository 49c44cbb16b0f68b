"""Venues, plans and rosters over HTTP: from stated to published, who may see what, and files on demand."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from platform_client import Platform, problem

from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.terms import Role

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "service"))

from eligible_class import VENUES, eligible_class, judge_again

WINDOW = "2025-04"
PATH = f"/v1/assessments/{WINDOW}"
Office = Callable[..., Any]


@pytest.fixture(scope="module")
def assessor(person: Callable[[Role], Platform]) -> Platform:
    """Return an assessor, in a county whose venues are stated."""
    client = person(Role.ASSESSOR)
    client.told("PUT", "/v1/venues", VENUES.model_dump(mode="json"))
    return client


@pytest.fixture(scope="module")
def candidates(platform: Platform, another_platform: Platform) -> dict[str, list[str]]:
    """Return the eligible of each platform."""
    house = open_house(Settings(data_dir=platform.service.data_dir))
    mine = eligible_class(house, 2, "roster-C", platform.platform_id, 700, WINDOW)
    theirs = eligible_class(house, 1, "roster-D", another_platform.platform_id, 710, WINDOW)
    house.engine.dispose()
    return {platform.platform_id: list(mine), another_platform.platform_id: list(theirs)}


def finished(client: Platform, seed: int = 0) -> dict[str, Any]:
    """Return a plan that the service's worker has finished."""
    asked = client.send("POST", f"{PATH}/plans", {"seed": seed})
    assert asked.status_code == 202
    place = asked.headers["Location"]
    for _ in range(300):
        told = client.told("GET", place)
        if told["state"] != "planning":
            return told
        time.sleep(0.1)
    raise AssertionError(told)


def who(roster: dict[str, Any]) -> list[str]:
    """Return the candidates of a roster."""
    return [one["enrolment_id"] for one in roster["candidates"]]


def test_from_stated_venues_to_a_roster_that_each_reads_in_part(
    assessor: Platform,
    platform: Platform,
    another_platform: Platform,
    candidates: dict[str, list[str]],
    person: Callable[[Role], Platform],
) -> None:
    again = assessor.send("PUT", "/v1/venues", VENUES.model_dump(mode="json"))
    assert again.status_code == 200, "the same is nothing new"
    assert assessor.told("GET", "/v1/venues")["venues"] == VENUES.model_dump(mode="json")
    problem(assessor.send("GET", f"{PATH}/roster"), 404, "not_found")
    plan = finished(assessor)
    assert (plan["state"], plan["candidates"], plan["pending"]) == ("planned", 3, [])
    made = assessor.send("POST", f"{PATH}/roster", {"plan_id": plan["plan_id"]})
    assert (made.status_code, made.json()["version"]) == (201, 1)
    assert assessor.send("POST", f"{PATH}/roster", {"plan_id": plan["plan_id"]}).status_code == 200
    everybody = sorted(candidates["hc-online"] + candidates["another"])
    mine, theirs = (one.told("GET", f"{PATH}/roster") for one in (platform, another_platform))
    assert (who(mine), who(theirs)) == (candidates["hc-online"], candidates["another"])
    assert "names" not in mine
    assert "roster-D" not in platform.send("GET", f"{PATH}/roster").text
    whole = assessor.told("GET", f"{PATH}/roster")
    assert who(whole) == everybody
    assert sorted(whole["names"]) == everybody
    assert assessor.send("GET", f"{PATH}/roster").headers["cache-control"] == "no-store"
    read = person(Role.READER).told("GET", f"{PATH}/roster")
    assert (who(read), "names" in read) == (everybody, False)
    only = assessor.told("GET", f"{PATH}/roster", platform_id="another")
    assert (who(only), sorted(only["names"])) == (candidates["another"], candidates["another"])
    (version,) = assessor.told("GET", f"{PATH}/roster/versions")["versions"]
    assert version == made.json()


def test_a_change_is_told_until_the_next_version(
    assessor: Platform, platform: Platform, candidates: dict[str, list[str]]
) -> None:
    gone = candidates["hc-online"][1]
    stale = finished(assessor)
    house = open_house(Settings(data_dir=platform.service.data_dir))
    judge_again(house, gone, "E03")
    house.engine.dispose()
    (removed,) = platform.told("GET", f"{PATH}/roster")["outdated"]["removed"]
    assert (removed["enrolment_id"], removed["why"][0]["code"]) == (gone, "E03")
    answer = assessor.send("POST", f"{PATH}/roster", {"plan_id": stale["plan_id"]})
    told = problem(answer, 409, "roster.outdated")
    assert [one["pointer"] for one in told["errors"]] == [gone]
    plan = finished(assessor)
    assert [one["enrolment_id"] for one in plan["difference"]["changes"]] == [gone]
    assessor.told("POST", f"{PATH}/roster", {"plan_id": plan["plan_id"]})
    new = platform.told("GET", f"{PATH}/roster")
    assert (new["version"], new["outdated"], gone in who(new)) == (2, None, False)
    back = assessor.told("GET", f"{PATH}/roster", version=1, since=2)
    assert [(one["enrolment_id"], one["before"]) for one in back["changes"]] == [(gone, [])]
    problem(assessor.send("GET", f"{PATH}/roster", version=9), 404, "not_found")


@pytest.mark.parametrize(
    ("name", "media_type", "begins"),
    [
        ("roster.json", "application/json", b"{"),
        ("roster.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
        ("calendar.ics", "text/calendar; charset=utf-8", b"BEGIN:VCALENDAR"),
    ],
)
def test_files_are_made_on_demand(
    assessor: Platform, candidates: dict[str, list[str]], name: str, media_type: str, begins: bytes
) -> None:
    answer = assessor.send("GET", f"{PATH}/roster/files/{name}", version=1)
    assert answer.headers["content-type"] == media_type
    assert answer.content.startswith(begins)
    assert f'filename="{WINDOW}-{name}"' in answer.headers["content-disposition"]
    problem(assessor.send("GET", f"{PATH}/roster/files/passwd"), 404, "documents.unknown")


def test_an_enterprise_gets_the_part_of_its_class(assessor: Platform, candidates: dict[str, list[str]]) -> None:
    url = f"{PATH}/roster/files/roster.json"
    whole = assessor.send("GET", url, version=1).json()
    class_id = whole["candidates"][0]["class_id"]
    part = assessor.send("GET", url, version=1, class_id=class_id).json()
    assert part["candidates"] == [one for one in whole["candidates"] if one["class_id"] == class_id]
    assert len(part["candidates"]) < len(whole["candidates"])
    problem(assessor.send("GET", url, version=1, class_id="c-unknown"), 404, "documents.no_class")


def test_bad_input_is_refused_with_its_place(assessor: Platform, candidates: dict[str, list[str]]) -> None:
    stated = VENUES.model_dump(mode="json")
    stated["sites"][0]["rooms"][0]["seats"] = 0
    told = problem(assessor.send("PUT", "/v1/venues", stated), 422, "body.invalid")
    assert told["errors"][0]["pointer"] == "/sites/0/rooms/0/seats"
    for body in ({"seed": -1}, {"seed": "x"}, {"sed": 1}):
        assert assessor.send("POST", f"{PATH}/plans", body).status_code == 422
    problem(assessor.send("POST", "/v1/assessments/2031-04/plans", {}), 409, "plan.nobody")
    problem(assessor.send("GET", "/v1/assessments/2031-04/plans/plan-x"), 404, "not_found")
    problem(assessor.send("POST", f"{PATH}/roster", {"plan_id": "plan-x"}), 404, "not_found")
    assert assessor.send("GET", "/v1/assessments/2025-13/roster").status_code == 422
    assert assessor.told("GET", "/v1/venues")["version"] == 1, "what was refused changed nothing"
