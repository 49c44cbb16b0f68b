"""Routes of webhooks: what was told, and telling it again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query

from online_guard.api.bodies import Id
from online_guard.api.callers import PLATFORM, PlatformId, TheHouse, callers
from online_guard.service.notifying import webhooks
from online_guard.terms import Role

router = APIRouter(prefix="/webhooks", tags=["事件推送 webhooks"])
State = Annotated[Literal["waiting", "delivered", "parked"] | None, Query(description="消息状态 / state")]


@router.get("/messages", summary="推送消息 / messages", openapi_extra=callers(PLATFORM, Role.ADMIN))
def messages(
    house: TheHouse,
    platform_id: PlatformId,
    state: State = None,
    cursor: Annotated[int, Query(ge=0, le=2**53 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Return what was told by webhooks, or waits; `parked` messages were given up after 72 h."""
    return webhooks.messages(house, platform_id, state, cursor, limit)


@router.post("/messages/{message_id}/replay", summary="重新推送 / replay", openapi_extra=callers(PLATFORM, Role.ADMIN))
def replay(
    house: TheHouse, message_id: Annotated[Id, Path(description="消息 message")], platform_id: PlatformId
) -> dict[str, Any]:
    """Deliver a message again, under its id."""
    return webhooks.replay(house, message_id, platform_id)
