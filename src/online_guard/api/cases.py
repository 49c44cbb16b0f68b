"""Routes of review: the auditors' queue, a case, decisions, appeals, notices."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response

from online_guard.api.bodies import AppealBody, DecisionBody, Id, NoticeBody
from online_guard.api.callers import EVERYBODY, PEOPLE, PLATFORM, NowMs, PlatformId, TheCaller, TheHouse, callers
from online_guard.api.registration import EnrolmentId
from online_guard.service.foreign_names import hide_foreign_names
from online_guard.service.reviewing import (
    appeals,
    case_file,
    case_queue,
    finding_history,
    notice_document,
    notices,
    review,
)
from online_guard.service.reviewing.review import Said
from online_guard.store.review_rows import Wanted
from online_guard.terms import CaseState, Role, Subject, Verdict

router = APIRouter(tags=["审核 review"])
AUDITORS = (Role.AUDITOR, Role.SECOND_AUDITOR)
"""初审人 and 复核人. Whoever manages accounts decides nothing, lest they decide under two names."""
NAMED_TO = (Role.ADMIN, Role.ASSESSOR, *AUDITORS)
"""People who may see whom a notice is about."""
CaseId = Annotated[Id, Path(description="案件 case")]
FindingId = Annotated[Id, Path(description="疑点 finding")]
NoticeId = Annotated[Id, Path(description="告知书 notice")]
CREATED, OK = 201, 200


@router.get("/cases", summary="案件队列 / the queue of cases", openapi_extra=callers(*PEOPLE))
def list_cases(
    house: TheHouse,
    platform_id: PlatformId,
    state: Annotated[list[CaseState] | None, Query(description="不填即待处理的 / without: those that wait")] = None,
    class_id: Annotated[Id | None, Query(description="班次 class")] = None,
    rule: Annotated[Id | None, Query(description="含此规则的疑点 / with a finding of this rule")] = None,
    verdict: Annotated[Verdict | None, Query(description="会话的核验结论 / of its session")] = None,
    subject: Annotated[Subject | None, Query(description="关于什么 / what it is about")] = None,
    cursor: Annotated[str | None, Query(max_length=400, description="上一页的 next / of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Return cases page by page: first those where nothing follows without an auditor, the longest waiting first."""
    wanted = Wanted(tuple(map(str, state or ())), platform_id, class_id, rule, verdict, subject)
    return case_queue.queue(house, wanted, cursor, limit)


@router.get("/cases/{case_id}", summary="案件 / a case", openapi_extra=callers(*PEOPLE))
def read_case(house: TheHouse, response: Response, case_id: CaseId) -> dict[str, Any]:
    """Return findings in words with clause and evidence, the facts, decisions, appeals; its ETag is its version."""
    told = case_file.case_file(house, case_id)
    response.headers["ETag"] = f'"{told["version"]}"'
    return told


@router.post("/findings/{finding_id}/decisions", summary="作出决定 / decide", openapi_extra=callers(*AUDITORS))
def decide(
    house: TheHouse,
    response: Response,
    caller: TheCaller,
    finding_id: FindingId,
    body: DecisionBody,
    now_ms: NowMs,
    if_match: Annotated[str | None, Header(max_length=100, description="所见案件的 ETag / of the case seen")] = None,
) -> dict[str, Any]:
    """Uphold or dismiss a finding, with a reason; what takes effect shows in verdict and ledger when this answers."""
    seen = if_match.removeprefix("W/").strip('"') if if_match not in (None, "*") else None
    said = Said(body.decision, body.reason, caller.name, str(caller.role), seen)
    is_new, told = review.decide(house, finding_id, said, now_ms)
    response.status_code = CREATED if is_new else OK
    return told


@router.get("/findings/{finding_id}/decisions", summary="决定的历史 / decisions", openapi_extra=callers(*EVERYBODY))
def list_decisions(house: TheHouse, finding_id: FindingId, platform_id: PlatformId) -> dict[str, Any]:
    """Return every decision on a finding and every appeal, of one that is no longer found too."""
    return finding_history.history_of(house, finding_id, platform_id)


@router.post("/findings/{finding_id}/appeals", summary="申诉 / appeal", openapi_extra=callers(PLATFORM))
def appeal(
    house: TheHouse,
    response: Response,
    caller: TheCaller,
    finding_id: FindingId,
    body: AppealBody,
    now_ms: NowMs,
    platform_id: PlatformId,
) -> dict[str, Any]:
    """Appeal against a refusal, for the learner or the platform; somebody who hasn't decided before decides."""
    is_new, told = appeals.appeal(house, finding_id, platform_id, caller.name, body.appellant, body.reason, now_ms)
    response.status_code = CREATED if is_new else OK
    return told


@router.post(
    "/enrolments/{enrolment_id}/notices", summary="不予认定通知 / an adverse notice", openapi_extra=callers(*AUDITORS)
)
def issue_notice(
    house: TheHouse, response: Response, caller: TheCaller, enrolment_id: EnrolmentId, body: NoticeBody, now_ms: NowMs
) -> dict[str, Any]:
    """Refuse class hours for good: each finding that it rests on must have been upheld by persons."""
    is_new, told = notices.issue(house, enrolment_id, caller.name, now_ms, body.lessons)
    response.status_code = CREATED if is_new else OK
    return told


@router.get("/enrolments/{enrolment_id}/notices", summary="通知 / notices", openapi_extra=callers(*EVERYBODY))
def list_notices(
    house: TheHouse, caller: TheCaller, enrolment_id: EnrolmentId, platform_id: PlatformId
) -> dict[str, Any]:
    """Return the notices of an enrolment with their grounds, and the lessons that are refused for good now."""
    told = notices.notices_of(house, enrolment_id, platform_id)
    return told if caller.platform_id is None else hide_foreign_names(house, caller.platform_id, told)


@router.get(
    "/notices/{notice_id}/document",
    summary="处理告知书 / a notice for its learner, as PDF",
    openapi_extra=callers(PLATFORM, *NAMED_TO),
)
def notice_file(house: TheHouse, notice_id: NoticeId, platform_id: PlatformId) -> Response:
    """Return a notice as it is given to the learner, made on demand: it names a person, and isn't kept."""
    content = notice_document.document(house, notice_id, platform_id)
    headers = {"Content-Disposition": f'inline; filename="{notice_id}.pdf"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)
