"""Routes of assessment windows."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from online_guard.api.bodies import ApplicationBody, Window
from online_guard.api.callers import PLATFORM, PlatformId, TheCaller, TheHouse, callers, told_to
from online_guard.service import assessment
from online_guard.terms import Role

router = APIRouter(prefix="/assessments/{window}", tags=["线下考核 assessments"])
TheWindow = Annotated[Window, Path(description="批次,如 2021-08 / such as 2021-08")]
CREATED, OK = 201, 200


@router.post("/applications", summary="申请考核 / apply", openapi_extra=callers(PLATFORM))
def apply(
    house: TheHouse, response: Response, window: TheWindow, body: ApplicationBody, platform_id: PlatformId
) -> dict[str, Any]:
    """Keep an application of a class; whether it is in time and by an enterprise is tested for each learner."""
    is_new, told = assessment.apply(house, window, body.class_id, platform_id, body.applied_on, body.assessment_on)
    response.status_code = CREATED if is_new else OK
    return told


@router.get(
    "/candidates",
    summary="可考与不可考名单 / candidates",
    openapi_extra=callers(PLATFORM, Role.ASSESSOR, Role.READER, Role.ADMIN),
)
def candidates(house: TheHouse, window: TheWindow, platform_id: PlatformId, caller: TheCaller) -> dict[str, Any]:
    """Return the eligible, the refused, and every failed test with clause and evidence."""
    return told_to(house, caller, assessment.candidates(house, window, platform_id))
