"""Routes of ledgers, claims and eligibility."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from online_guard.api.bodies import ClaimBody
from online_guard.api.callers import EVERYBODY, PLATFORM, NowMs, PlatformId, TheCaller, TheHouse, callers, told_to
from online_guard.api.registration import EnrolmentId
from online_guard.service import claims, verification
from online_guard.service.assessing import assessment

router = APIRouter(prefix="/enrolments/{enrolment_id}", tags=["学时 hours"])


@router.get("/ledger", summary="学时台账 / the ledger", openapi_extra=callers(*EVERYBODY))
def ledger(house: TheHouse, enrolment_id: EnrolmentId, platform_id: PlatformId) -> dict[str, Any]:
    """Return the hours of each lesson, with the rules that refuse them."""
    return verification.ledger_of(house, enrolment_id, platform_id)


@router.get("/eligibility", summary="考核资格 / eligibility", openapi_extra=callers(*EVERYBODY))
def eligibility(
    house: TheHouse, enrolment_id: EnrolmentId, platform_id: PlatformId, caller: TheCaller, now_ms: NowMs
) -> dict[str, Any]:
    """Return the tests E01 to E12 for each application of the class, and what would cure those that failed."""
    return told_to(house, caller, assessment.eligibility_of(house, enrolment_id, platform_id, now_ms))


@router.post("/claims", summary="申报学时 / claim hours", openapi_extra=callers(PLATFORM))
def claim(
    house: TheHouse,
    enrolment_id: EnrolmentId,
    body: ClaimBody,
    now_ms: NowMs,
    platform_id: PlatformId,
    caller: TheCaller,
) -> dict[str, Any]:
    """Compare claimed hours with the ledger, lesson by lesson."""
    claimed = {lesson.lesson_no: lesson.hours for lesson in body.lessons}
    answer = claims.claim(house, enrolment_id, platform_id, body.claim_id, claimed, now_ms)
    return told_to(house, caller, answer)
