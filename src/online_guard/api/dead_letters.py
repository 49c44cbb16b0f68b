"""Routes of dead letters: what was refused, and how operators put it right."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from online_guard.api.bodies import Id
from online_guard.api.callers import PLATFORM, JsonBytes, NowMs, PlatformId, TheCaller, TheHouse, callers
from online_guard.api.raw_bodies import EVENT_SCHEMA
from online_guard.service.receiving import dead_letters
from online_guard.store.letter_rows import Which
from online_guard.terms import Role

router = APIRouter(prefix="/dead-letters", tags=["死信 dead letters"])
LetterId = Annotated[Id, Path(description="死信 dead letter")]
Text = Annotated[str | None, Query(max_length=128)]
AN_EVENT = {"requestBody": {"required": True, "content": {"application/json": {"schema": EVENT_SCHEMA}}}}


@router.get("", summary="被拒收的事件等 / what was refused", openapi_extra=callers(PLATFORM, Role.ADMIN))
def list_letters(
    house: TheHouse,
    platform_id: PlatformId,
    session_id: Text = None,
    kind: Annotated[Text, Query(description="event, snapshot, liveness")] = None,
    state: Annotated[Text, Query(description="waiting, replayed")] = None,
    reason: Annotated[Text, Query(description="原因中的文字 / some words of the reason")] = None,
    cursor: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=dead_letters.MOST)] = 100,
) -> dict[str, Any]:
    """Return what was refused, oldest first; a platform sees its own."""
    return dead_letters.letters(house, Which(platform_id, session_id, kind, state), reason, cursor, limit)


@router.get(
    "/{letter_id}", summary="一封死信及其经过 / one with its history", openapi_extra=callers(PLATFORM, Role.ADMIN)
)
def get_letter(house: TheHouse, letter_id: LetterId, platform_id: PlatformId) -> dict[str, Any]:
    """Return one, with what was done about it."""
    return dead_letters.letter(house, letter_id, platform_id)


@router.put("/{letter_id}/content", summary="修正 / repair", openapi_extra=callers(Role.ADMIN) | AN_EVENT)
def repair(
    house: TheHouse, letter_id: LetterId, content: JsonBytes, caller: TheCaller, now_ms: NowMs
) -> dict[str, Any]:
    """Put a corrected event in its place; what was sent stays in the history."""
    return dead_letters.repair(house, letter_id, content, caller.name, now_ms)


@router.post("/{letter_id}/replay", summary="补收 / replay", openapi_extra=callers(Role.ADMIN))
def replay(house: TheHouse, letter_id: LetterId, caller: TheCaller, now_ms: NowMs) -> dict[str, Any]:
    """Take the event on the way that all events take; the history says what became of it."""
    return dead_letters.replay(house, letter_id, caller.name, now_ms)
