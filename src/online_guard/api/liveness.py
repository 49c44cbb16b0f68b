"""Routes of liveness checks: a challenge, the clip that answers it, and what an auditor looks at."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response

from online_guard.api.bodies import DrawBody, Id, MomentInQuery
from online_guard.api.callers import (
    EVERYBODY,
    PLATFORM,
    Clock,
    NowMs,
    PlatformId,
    SpooledBody,
    TheHouse,
    callers,
    looking_at_pictures,
)
from online_guard.api.raw_bodies import a_clip
from online_guard.api.sessions import SessionId
from online_guard.service.capturing import liveness
from online_guard.service.capturing.sent_clips import Sent

router = APIRouter(tags=["活体比对 liveness"])
CheckId = Annotated[Id, Path(description="活体比对 liveness check")]
CREATED, OK = 201, 200


class Evidence(StrEnum):
    """What is kept of a judged clip for people to look at."""

    STRIP = "strip"
    PLOT = "plot"


MEDIA_TYPES = {Evidence.STRIP: "image/jpeg", Evidence.PLOT: "image/png"}


@router.post(
    "/sessions/{session_id}/liveness",
    summary="发起活体比对 / draw a challenge",
    openapi_extra=callers(PLATFORM),
)
def draw(
    house: TheHouse,
    response: Response,
    session_id: SessionId,
    now_ms: NowMs,
    platform_id: PlatformId,
    body: DrawBody | None = None,
) -> dict[str, Any]:
    """Draw three actions, to be shown in this order and answered within 60 s, once; while one waits it is told again.

    A challenge that no clip answers in time stays an inconclusive check.
    """
    is_new, told = liveness.draw(house, session_id, platform_id, now_ms)
    response.status_code = CREATED if is_new else OK
    return told


@router.post(
    "/liveness/{check_id}/frames",
    summary="活体比对视频 / the clip that answers a challenge",
    openapi_extra=callers(PLATFORM) | a_clip(),
)
async def answer(
    house: TheHouse,
    check_id: CheckId,
    body: SpooledBody,
    clock: Clock,
    platform_id: PlatformId,
    nonce: Annotated[str, Query(max_length=128, description="质询的随机数 / of the challenge")],
    at_ms: Annotated[MomentInQuery, Query(description="拍摄开始时刻(客户端时钟) / start of the clip, client clock")],
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
) -> dict[str, Any]:
    """Judge a clip (WebM or MP4, or frames with times as JSON; at most 32 MiB) and answer outcome, reasons, evidence.

    The 60 s end when the last byte has come. The same clip again has the same answer; another one is refused.
    """
    is_frames = content_type.partition(";")[0].strip().lower() == "application/json"
    received_ms = clock()
    return await looking_at_pictures(
        liveness.answer, house, check_id, platform_id, Sent(body, is_frames, nonce, at_ms, received_ms)
    )


@router.get(
    "/liveness/{check_id}/{evidence}",
    summary="活体比对的画面与曲线 / strip and plot of a check",
    openapi_extra=callers(*EVERYBODY),
    response_class=Response,
)
def evidence(house: TheHouse, check_id: CheckId, evidence: Evidence, platform_id: PlatformId) -> Response:
    """Return the telling frames side by side (JPEG), or the signals with the actions found (PNG), for an auditor."""
    picture = liveness.picture_of_check(house, check_id, platform_id, evidence)
    return Response(picture, media_type=MEDIA_TYPES[evidence], headers={"Cache-Control": "no-store"})
