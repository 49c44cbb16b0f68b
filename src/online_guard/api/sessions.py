"""Routes of sessions: open, events, snapshots, close, verdict."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response

from online_guard import metrics
from online_guard.api.bodies import Id, MomentInQuery, OpeningBody
from online_guard.api.callers import (
    EVERYBODY,
    PLATFORM,
    Clock,
    ImageBytes,
    NowMs,
    PlatformId,
    TheCaller,
    TheHouse,
    callers,
    looking_at_pictures,
    own_platform,
    told_to,
)
from online_guard.api.postbox import settled
from online_guard.api.raw_bodies import a_batch, an_image
from online_guard.ingest.live import Status
from online_guard.service import verification
from online_guard.service.capturing import capture
from online_guard.service.receiving import sessions
from online_guard.service.receiving.intake import Batch

router = APIRouter(tags=["学习会话 sessions"])
SessionId = Annotated[Id, Path(description="学习会话 session")]
CREATED, OK, LATER = 201, 200, 202


@router.post("/sessions", summary="打开会话 / open a session", openapi_extra=callers(PLATFORM))
def open_session(
    house: TheHouse, response: Response, body: OpeningBody, now_ms: NowMs, caller: TheCaller
) -> dict[str, Any]:
    """Open a session; the player shows nothing before this has answered. Tried again, it is stamped anew."""
    platform_id = own_platform(caller, body.platform_id, "/platform_id") or ""
    opening = sessions.Opening(**body.model_dump() | {"platform_id": platform_id})
    is_new, answer = sessions.open_session(house, opening, now_ms)
    response.status_code = CREATED if is_new else OK
    return answer


@router.post(
    "/sessions/{session_id}/events",
    summary="一批事件 / a batch of events",
    openapi_extra=callers(PLATFORM, keeps_signature=True) | a_batch(),
    response_model=dict[str, Any],
)
async def add_events(
    request: Request,
    house: TheHouse,
    session_id: SessionId,
    clock: Clock,
    platform_id: PlatformId,
    caller: TheCaller,
) -> Response:
    """Take 1 to 1 000 events, and answer for each: accepted, duplicate, conflict, or refused with the reason."""
    asked = request.scope["state"].get("asked")
    body = await request.body()
    batch = Batch(session_id, platform_id, body, clock(), caller.used, asked)
    answer = await settled(request.app, house, batch)
    refused = answer["counts"].get(Status.REFUSED, 0)
    metrics.count_events(answer["counts"], (row["reason"] for row in answer["results"] if refused and "reason" in row))
    return Response(msgspec.json.encode(answer), media_type="application/json")


@router.post(
    "/sessions/{session_id}/snapshots",
    summary="留存照片 / a snapshot",
    openapi_extra=callers(PLATFORM) | an_image(),
)
async def add_snapshot(
    house: TheHouse,
    response: Response,
    session_id: SessionId,
    image: ImageBytes,
    now_ms: NowMs,
    platform_id: PlatformId,
    at_ms: Annotated[MomentInQuery, Query(description="拍摄时刻(客户端时钟) / moment of capture, client clock")],
    nonce: Annotated[str | None, Query(max_length=128, description="指令的随机数 / of the directive")] = None,
    snapshot_id: Annotated[Id | None, Query(description="照片标识,重试时相同 / the same when tried again")] = None,
) -> dict[str, Any]:
    """Keep one picture (JPEG, PNG or WebP, at most 4 MiB and 16 MP) and answer what was measured on it."""
    name = snapshot_id or f"snapshot-{secrets.token_hex(8)}"
    is_new, answer = await looking_at_pictures(
        capture.add_snapshot, house, session_id, platform_id, image, name, at_ms, nonce, now_ms
    )
    response.status_code = CREATED if is_new else OK
    return answer


@router.post(
    "/sessions/{session_id}/close",
    summary="关闭会话 / close a session",
    status_code=LATER,
    openapi_extra=callers(PLATFORM),
)
def close_session(house: TheHouse, session_id: SessionId, now_ms: NowMs, platform_id: PlatformId) -> dict[str, Any]:
    """Close a session; verification follows."""
    return sessions.close_session(house, session_id, platform_id, now_ms)


@router.get("/sessions/{session_id}/verdict", summary="核验结论 / the verdict", openapi_extra=callers(*EVERYBODY))
def session_verdict(
    house: TheHouse, session_id: SessionId, platform_id: PlatformId, caller: TheCaller
) -> dict[str, Any]:
    """Return verdict, findings and evidence; `state` is open, pending or verified."""
    return told_to(house, caller, verification.session_verdict(house, session_id, platform_id))
