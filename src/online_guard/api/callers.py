"""Who calls, at what time, and how much they may send."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, TypeVarTuple

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Header, Query, Request

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.rows import LATEST_MS
from online_guard.service.house import House, clock_ms

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")
_PICTURES_AT_ONCE = CapacityLimiter(2)
PLATFORM, ASSESSOR, ANYONE = "platform", "assessor", "anyone"
"""Callers of routes. Until callers have keys, the service listens on loopback only, and these say who is meant."""


def callers(*who: str) -> dict[str, Any]:
    """Return what a route declares in OpenAPI about who may call it."""
    return {"x-callers": list(who)}


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


TheHouse = Annotated[House, Depends(_house)]
PlatformId = Annotated[str | None, Query(max_length=128, description="平台,当两个平台使用同一标识时 / which platform")]


def _is_test_client(
    house: TheHouse, token: Annotated[str | None, Header(alias="Online-Guard-Test-Client")] = None
) -> bool:
    """Return whether the caller is the trusted test client; a wrong or unexpected token is refused."""
    if token is None:
        return False
    expected = house.settings.test_client_token
    if expected is None or not secrets.compare_digest(token.encode(), expected.get_secret_value().encode()):
        raise GuardError(
            ErrorKind.FORBIDDEN,
            "test_client.refused",
            "测试客户端未启用或令牌有误 / the test client is switched off, or its token is wrong",
            where="Online-Guard-Test-Client",
            remedy="生产环境不应启用 / it should be off in production.",
        )
    return True


TestClient = Annotated[bool, Depends(_is_test_client)]


def _now_ms(
    is_test_client: TestClient,
    told: Annotated[int | None, Header(alias="Online-Guard-Test-Now-Ms", ge=0, le=LATEST_MS)] = None,
) -> int:
    """Return the service's clock; a trusted test client may set it for its request."""
    if told is None:
        return clock_ms()
    require_test_client(is_test_client)
    return told


def require_test_client(is_test_client: bool) -> None:
    """Refuse everyone but the trusted test client.

    Raises:
        GuardError: The caller isn't it.
    """
    if not is_test_client:
        raise GuardError(
            ErrorKind.FORBIDDEN,
            "test_client.required",
            "仅限受信任的测试客户端 / only a trusted test client may do this",
            remedy="活体比对须由服务端质询 / liveness is challenged by the service.",
        )


NowMs = Annotated[int, Depends(_now_ms)]


async def _body(request: Request) -> bytes:
    return await request.body()


async def looking_at_pictures(work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """Return what some work on a picture gives. Few run at once: the others wait, and hold up no other request."""
    return await to_thread.run_sync(work, *arguments, limiter=_PICTURES_AT_ONCE)


JsonBytes = Annotated[bytes, Depends(_body)]
ImageBytes = Annotated[bytes, Depends(_body)]
