"""Routes of the auditors' work: take a case, decide several findings, keep views of the queue."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from online_guard.api.bodies import DecisionsBody, NextCaseBody, SavedViewBody
from online_guard.api.callers import PEOPLE, NowMs, TheCaller, TheHouse, callers
from online_guard.api.cases import AUDITORS, CaseId
from online_guard.api.problems import as_problem
from online_guard.service.reviewing import assignments, review, saved_views
from online_guard.service.reviewing.review import Said
from online_guard.store.review_rows import Wanted

router = APIRouter(tags=["审核 review"])
ViewName = Annotated[str, Path(description="视图名称 view", pattern=r"^[^/\x00-\x1f\x7f-\x9f]{1,60}$")]


@router.post("/cases/next", summary="领取下一案件 / take the next case", openapi_extra=callers(*AUDITORS))
def next_case(house: TheHouse, caller: TheCaller, body: NextCaseBody, now_ms: NowMs) -> dict[str, Any]:
    """Take the most urgent case that nobody else has and that the caller may decide; `case` is null without one.

    With `take` false it is only told which one that would be now.
    """
    named = (body.platform_id, body.class_id, body.rule, body.verdict, body.subject)
    wanted = Wanted(tuple(map(str, body.state)), *named)
    return assignments.next_case(house, wanted, caller.name, now_ms, frozenset(body.but), takes=body.take)


@router.put("/cases/{case_id}/assignment", summary="领取案件 / take a case", openapi_extra=callers(*AUDITORS))
def take(house: TheHouse, caller: TheCaller, case_id: CaseId, now_ms: NowMs) -> dict[str, Any]:
    """Take a case for half an hour, so that no other auditor is offered it."""
    return assignments.take(house, case_id, caller.name, now_ms)


@router.delete("/cases/{case_id}/assignment", summary="放回案件 / give a case back", openapi_extra=callers(*AUDITORS))
def release(house: TheHouse, caller: TheCaller, case_id: CaseId) -> dict[str, Any]:
    """Give a case back; one that somebody else has stays with them."""
    return assignments.release(house, case_id, caller.name)


@router.post("/decisions", summary="批量决定 / decide several findings", openapi_extra=callers(*AUDITORS))
def decide_all(house: TheHouse, caller: TheCaller, body: DecisionsBody, now_ms: NowMs) -> dict[str, Any]:
    """Decide findings in order; each result has either `decided` or the `problem` for which it was refused.

    `seen` is the ETag of the case without its quotes; what this request itself adds to a case doesn't outdate it.
    """
    said = [
        (one.finding_id, Said(one.decision, one.reason, caller.name, str(caller.role), one.seen))
        for one in body.decisions
    ]
    results = review.decide_all(house, said, now_ms)
    return {
        "results": [
            {
                "finding_id": finding_id,
                "decided": one.get("answer"),
                "problem": as_problem(one["error"]) if "error" in one else None,
            }
            for (finding_id, _), one in zip(said, results, strict=True)
        ]
    }


@router.get("/views", summary="保存的视图 / saved views", openapi_extra=callers(*PEOPLE))
def list_views(house: TheHouse, caller: TheCaller) -> dict[str, Any]:
    """Return the views of the queue that the caller keeps."""
    return {"views": saved_views.views_of(house, caller.name)}


@router.put("/views/{name}", summary="保存视图 / keep a view", openapi_extra=callers(*PEOPLE))
def keep_view(house: TheHouse, caller: TheCaller, name: ViewName, body: SavedViewBody) -> dict[str, Any]:
    """Keep a view of the queue under a name, in place of the one that had it."""
    return saved_views.keep(house, caller.name, name, body.query)


@router.delete("/views/{name}", summary="删除视图 / forget a view", openapi_extra=callers(*PEOPLE))
def forget_view(house: TheHouse, caller: TheCaller, name: ViewName) -> dict[str, Any]:
    """Forget a view of the queue."""
    return saved_views.forget(house, caller.name, name)
