"""Routes of rosters: what assessments are held with, plans of a window, and what was published."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from online_guard.api.assessments import TheWindow
from online_guard.api.bodies import Body, Id
from online_guard.api.callers import PEOPLE, PLATFORM, NowMs, PlatformId, TheCaller, TheHouse, callers
from online_guard.assessment.venues import Venues
from online_guard.service.assessing import drafts_told, published, roster_drafts, roster_files, rosters, venues
from online_guard.service.assessing.roster_drafts import Wish
from online_guard.terms import Role

router = APIRouter(tags=["线下考核 assessments"])
OFFICE = (Role.ASSESSOR, Role.ADMIN)
"""Who plans and publishes, and reads the names of persons."""
CREATED, OK, LATER = 201, 200, 202
PlanId = Annotated[Id, Path(description="排考计划 plan")]
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="版本,默认最新 / the newest by default")]


class PlanBody(Body):
    """How to plan."""

    seed: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)] = 0


class PublishBody(Body):
    """Which plan to publish."""

    plan_id: Id


@router.put("/venues", summary="登记考点、考场、场次与考评员 / state the venues", openapi_extra=callers(*OFFICE))
def put_venues(house: TheHouse, response: Response, body: Venues, caller: TheCaller, now_ms: NowMs) -> dict[str, Any]:
    """Keep what assessments are held with from now on, whole; the statements before are kept too."""
    is_new, told = venues.state(house, body, caller.name, now_ms)
    response.status_code = CREATED if is_new else OK
    return told


@router.get("/venues", summary="现有考点 / the venues", openapi_extra=callers(*OFFICE))
def get_venues(house: TheHouse, response: Response) -> dict[str, Any]:
    """Return what assessments are held with now, with the names of examiners."""
    response.headers["Cache-Control"] = "no-store"
    return venues.stated(house)


@router.post("/assessments/{window}/plans", summary="编排 / plan", status_code=LATER, openapi_extra=callers(*OFFICE))
def ask_plan(
    house: TheHouse, response: Response, window: TheWindow, body: PlanBody, caller: TheCaller, now_ms: NowMs
) -> dict[str, Any]:
    """Have a worker plan for all who are eligible now; `pending` names classes whose learners aren't in it yet."""
    told = roster_drafts.ask(house, Wish(window, body.seed, caller.name, now_ms))
    response.headers["Location"] = f"/v1/assessments/{window}/plans/{told['plan_id']}"
    return told


@router.get("/assessments/{window}/plans/{plan_id}", summary="编排结果 / a plan", openapi_extra=callers(*OFFICE))
def one_plan(house: TheHouse, window: TheWindow, plan_id: PlanId) -> dict[str, Any]:
    """Return how far a plan is, the plan and what it would change; or what blocks, and what would free it."""
    return drafts_told.told(house, window, plan_id)


@router.post("/assessments/{window}/roster", summary="发布名单 / publish", openapi_extra=callers(*OFFICE))
def publish(
    house: TheHouse, response: Response, window: TheWindow, body: PublishBody, caller: TheCaller, now_ms: NowMs
) -> dict[str, Any]:
    """Publish a plan as the next version; refused when it doesn't hold or who is eligible has changed."""
    is_new, told = rosters.publish(house, window, body.plan_id, caller.name, now_ms)
    response.status_code = CREATED if is_new else OK
    return told


@router.get("/assessments/{window}/roster", summary="考核名单 / the roster", openapi_extra=callers(PLATFORM, *PEOPLE))
def roster(
    house: TheHouse,
    response: Response,
    window: TheWindow,
    platform_id: PlatformId,
    caller: TheCaller,
    version: Version = None,
    since: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="与哪一版比较 / changes since which")] = None,
) -> dict[str, Any]:
    """Return a version; a platform sees its own candidates. `outdated` tells who is to be added or removed, and why."""
    response.headers["Cache-Control"] = "no-store"
    return published.told(house, window, version, since, platform_id, with_names=caller.role in OFFICE)


@router.get("/assessments/{window}/roster/versions", summary="各版本 / versions", openapi_extra=callers(*OFFICE))
def versions(house: TheHouse, window: TheWindow) -> dict[str, Any]:
    """Return all versions, oldest first."""
    return rosters.versions(house, window)


@router.get("/assessments/{window}/roster/files/{name}", summary="打印件 / files", openapi_extra=callers(*OFFICE))
def file(
    house: TheHouse,
    window: TheWindow,
    name: Annotated[str, Path(max_length=64, description="如 roster.pdf、calendar.ics / such as roster.xlsx")],
    version: Version = None,
    class_id: Annotated[
        Id | None, Query(description="仅此班次,供企业 / of this class alone, for its enterprise")
    ] = None,
) -> Response:
    """Return a file of a version, made on demand: it names persons, and isn't kept."""
    content, media_type = roster_files.made(house, window, version, name, class_id)
    headers = {"Content-Disposition": f'attachment; filename="{window}-{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
