"""The county's office at the end of the demonstration: states what it has, plans, publishes, and fetches the papers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from datetime import time as clock
from pathlib import Path
from typing import Any

import httpx

from online_guard.assessment.documents import FILES
from online_guard.assessment.venues import Examiner, Room, Site, Slot, Venues
from online_guard.demo.service import RunningService
from online_guard.errors import ErrorKind, GuardError
from online_guard.terms import AssessmentPart, Role

ASSESSOR = "demo assessor"
PLAN_TIMEOUT_S = 90
OCCUPATION = "电子商务师"
VENUES = Venues(
    sites=(
        Site(
            site_id="centre",
            name="示例职业技能鉴定中心",
            address="示例路 1 号",
            rooms=(
                Room(room_id="centre-301", name="301 机房", part=AssessmentPart.THEORY, seats=20),
                Room(
                    room_id="centre-201",
                    name="201 实训室",
                    part=AssessmentPart.PRACTICE,
                    workstations={OCCUPATION: 10},
                ),
            ),
        ),
    ),
    slots=(
        Slot(slot_no=1, starts=clock(9), ends=clock(10, 30)),
        Slot(slot_no=2, starts=clock(14), ends=clock(15, 30)),
    ),
    examiners=(
        Examiner(examiner_id="examiner-1", name="示例考评员一", occupations=frozenset({OCCUPATION})),
        Examiner(examiner_id="examiner-2", name="示例考评员二"),
    ),
    open_on=frozenset({date(2021, 8, 14)}),  # a Saturday: the day that the class applied for
)


@dataclass(frozen=True)
class Place:
    """Where and when a candidate sits a part, in words."""

    on: str
    hours: str
    site: str
    room: str
    seat_no: int


@dataclass(frozen=True)
class RosterLine:
    """A candidate of the published roster."""

    enrolment_id: str
    theory: Place
    practice: Place


@dataclass(frozen=True)
class PublishedRoster:
    """What was published: the version, who sits where, and the names of its files in a folder `roster/`."""

    window: str
    version: int
    sha256: str
    lines: tuple[RosterLine, ...]
    files: tuple[str, ...]


def publish_roster(service: RunningService, window: str, folder: Path) -> PublishedRoster:
    """Plan and publish the assessment of a window over HTTP, and write its papers into a folder.

    Raises:
        GuardError: The service answers something else than agreed.
    """
    with _signed_in(service) as call:
        call("PUT", "/v1/venues", VENUES.model_dump(mode="json"))
        asked = call("POST", f"/v1/assessments/{window}/plans", {}).json()
        plan_id = _planned(call, f"/v1/assessments/{window}/plans/{asked['plan_id']}")
        call("POST", f"/v1/assessments/{window}/roster", {"plan_id": plan_id})
        roster = call("GET", f"/v1/assessments/{window}/roster").json()
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (folder / name).write_bytes(call("GET", f"/v1/assessments/{window}/roster/files/{name}").content)
    return PublishedRoster(window, roster["version"], roster["sha256"], tuple(_lines(roster)), tuple(FILES))


Call = Callable[..., httpx.Response]


@contextmanager
def _signed_in(service: RunningService) -> Iterator[Call]:
    """Yield what calls the service as an assessor, who gets an account first."""
    password = service.let_in(ASSESSOR, Role.ASSESSOR)
    with httpx.Client(base_url=service.url, timeout=60, trust_env=False) as http:

        def call(method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
            answer = http.request(method, path, json=body)
            if not answer.is_success:
                raise _unexpected(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
            return answer

        login = call("POST", "/v1/login", {"name": ASSESSOR, "password": password})
        http.headers["Online-Guard-CSRF"] = login.json()["csrf_token"]
        yield call


def _planned(call: Call, path: str) -> str:
    """Return the id of a plan once it is made."""
    deadline = time.monotonic() + PLAN_TIMEOUT_S
    while (told := call("GET", path).json())["state"] == "planning" and time.monotonic() < deadline:
        time.sleep(0.1)
    if told["state"] != "planned":
        raise _unexpected(f"{told['state']}: {told['blocked'] or told['problem']}")
    return str(told["plan_id"])


def _unexpected(what: str) -> GuardError:
    return GuardError(ErrorKind.UNAVAILABLE, "demo.no_roster", f"未能发布名单 / no roster was published: {what}")


def _lines(roster: Mapping[str, Any]) -> Iterator[RosterLine]:
    rooms = {room["room_id"]: (site["name"], room["name"]) for site in roster["sites"] for room in site["rooms"]}
    hours = {slot["slot_no"]: f"{slot['starts'][:5]}–{slot['ends'][:5]}" for slot in roster["slots"]}
    found: dict[str, dict[str, Place]] = {}
    for one in roster["plan"]["sittings"]:
        place = Place(one["on"], hours[one["slot_no"]], *rooms[one["room_id"]], one["seat_no"])
        found.setdefault(one["enrolment_id"], {})[one["part"]] = place
    for enrolment_id, places in sorted(found.items()):
        yield RosterLine(enrolment_id, **places)
