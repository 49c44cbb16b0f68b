"""Routes of assessment windows, of surveys, and of what assessors confirm."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from online_guard.api.bodies import ApplicationBody, ConfirmationBody, MomentInQuery, SurveyBody, Window
from online_guard.api.callers import (
    ASSESSOR,
    EVERYBODY,
    PLATFORM,
    Caller,
    NowMs,
    PlatformId,
    TheCaller,
    TheHouse,
    callers,
    told_to,
)
from online_guard.api.registration import ClassId, EnrolmentId
from online_guard.service.assessing import applications, assessment, candidate_feed, confirmations, satisfaction
from online_guard.service.assessing.confirmations import Word
from online_guard.terms import Role

router = APIRouter(tags=["线下考核 assessments"])
TheWindow = Annotated[Window, Path(description="批次,如 2021-08 / such as 2021-08")]
READERS = (PLATFORM, ASSESSOR, Role.READER, Role.ADMIN)
CREATED, OK = 201, 200


@router.post("/assessments/{window}/applications", summary="申请考核 / apply", openapi_extra=callers(PLATFORM))
def apply(
    house: TheHouse,
    response: Response,
    window: TheWindow,
    body: ApplicationBody,
    platform_id: PlatformId,
    caller: TheCaller,
    now_ms: NowMs,
) -> dict[str, Any]:
    """Keep an application of a class, and tell what fails already and what would cure it; learners are judged next."""
    is_new, told = applications.apply(house, body.filing(window), platform_id, now_ms)
    response.status_code = CREATED if is_new else OK
    return told_to(house, caller, told)


@router.get(
    "/assessments/{window}/candidates", summary="可考与不可考名单 / candidates", openapi_extra=callers(*READERS)
)
def candidates(
    house: TheHouse,
    window: TheWindow,
    platform_id: PlatformId,
    caller: TheCaller,
    now_ms: NowMs,
    updated_since: Annotated[
        MomentInQuery | None, Query(description="此刻及之后有变化的 / changed then or later")
    ] = None,
    cursor: Annotated[
        str | None, Query(max_length=400, description="上一页的 next_cursor / of the page before")
    ] = None,
    limit: Annotated[int | None, Query(ge=1, le=1_000, description="每页行数,默认 200 / rows of a page, 200")] = None,
) -> dict[str, Any]:
    """Return the eligible, the refused, every failed test with cure; with a parameter, changed rows page by page."""
    if updated_since is None and cursor is None and limit is None:
        return told_to(house, caller, assessment.candidates(house, window, platform_id, now_ms))
    page = candidate_feed.feed(house, window, platform_id, updated_since or 0, cursor, limit or 200, now_ms)
    return told_to(house, caller, page)


@router.post(
    "/enrolments/{enrolment_id}/confirmations",
    summary="确认或否认一名学员的待确认项 / confirm or deny for a learner",
    openapi_extra=callers(ASSESSOR),
)
def confirm_enrolment(
    house: TheHouse,
    response: Response,
    caller: TheCaller,
    enrolment_id: EnrolmentId,
    body: ConfirmationBody,
    now_ms: NowMs,
) -> dict[str, Any]:
    """Keep what an assessor says of a test that lacks data; a later word takes the place of an earlier one."""
    is_new, told = confirmations.of_enrolment(house, enrolment_id, _word(body, caller), now_ms)
    response.status_code = CREATED if is_new else OK
    return told


@router.post(
    "/classes/{class_id}/confirmations",
    summary="确认或否认全班的待确认项 / confirm or deny for a class",
    openapi_extra=callers(ASSESSOR),
)
def confirm_class(
    house: TheHouse, response: Response, caller: TheCaller, class_id: ClassId, body: ConfirmationBody, now_ms: NowMs
) -> dict[str, Any]:
    """Do the same for every learner of a class; a word about one learner goes before it."""
    is_new, told = confirmations.of_class(house, class_id, _word(body, caller), now_ms)
    response.status_code = CREATED if is_new else OK
    return told


def _word(body: ConfirmationBody, caller: Caller) -> Word:
    return Word(body.code, body.answer, body.reason, caller.name, str(caller.role))


@router.get(
    "/classes/{class_id}/confirmations", summary="确认的历史 / confirmations", openapi_extra=callers(*EVERYBODY)
)
def list_confirmations(house: TheHouse, class_id: ClassId, platform_id: PlatformId) -> dict[str, Any]:
    """Return what assessors said about a class and its learners, oldest first."""
    return confirmations.confirmations_of(house, class_id, platform_id)


@router.post("/surveys", summary="登记满意度调查 / record a survey", openapi_extra=callers(ASSESSOR, Role.ADMIN))
def record_survey(house: TheHouse, response: Response, body: SurveyBody, now_ms: NowMs) -> dict[str, Any]:
    """Keep a survey; below the minimum the institution is suspended, and classes started then are judged again."""
    is_new, told = satisfaction.record_survey(house, body.institution, body.surveyed_on, body.score, body.asked, now_ms)
    response.status_code = CREATED if is_new else OK
    return told


@router.get("/surveys", summary="满意度调查与停班整改 / surveys", openapi_extra=callers(*EVERYBODY))
def list_surveys(
    house: TheHouse,
    platform_id: PlatformId,
    institution: Annotated[str, Query(min_length=1, max_length=500, description="培训机构 / as its classes name it")],
) -> dict[str, Any]:
    """Return an institution's surveys, and from when until when it may start no class (both days included)."""
    return satisfaction.surveys_of(house, institution, platform_id)
