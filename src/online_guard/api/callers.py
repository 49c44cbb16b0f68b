"""Who calls, at what time, and how much they may send."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO, TypeVar, TypeVarTuple

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Header, Query, Request

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.rows import LATEST_MS
from online_guard.service.house import House, clock_ms
from online_guard.terms import Role

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


@dataclass(frozen=True)
class Caller:
    """Who calls: `name` is a person's, or a platform's key; `platform_id` only a platform has."""

    role: Role
    name: str
    platform_id: str | None = None


def _caller() -> Caller:
    """Return who calls: until callers have keys, whoever can reach the loopback address."""
    return Caller(Role.ADMIN, "loopback")


TheCaller = Annotated[Caller, Depends(_caller)]
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


def _clock(
    is_test_client: TestClient,
    told: Annotated[int | None, Header(alias="Online-Guard-Test-Now-Ms", ge=0, le=LATEST_MS)] = None,
) -> Callable[[], int]:
    """Return the service's clock, to be read later; a trusted test client may set it for its request."""
    if told is None:
        return clock_ms
    if not is_test_client:
        raise GuardError(
            ErrorKind.FORBIDDEN,
            "test_client.required",
            "仅限受信任的测试客户端 / only a trusted test client may do this",
            where="Online-Guard-Test-Now-Ms",
            remedy="请去掉该请求头 / leave this header out.",
        )
    return lambda: told


Clock = Annotated[Callable[[], int], Depends(_clock)]


def _now_ms(clock: Clock) -> int:
    return clock()


NowMs = Annotated[int, Depends(_now_ms)]


async def _body(request: Request) -> bytes:
    return await request.body()


async def _spooled_body(request: Request) -> AsyncIterator[BinaryIO]:
    """Yield the body in a temporary file without a name, so that nothing of it outlives the request."""
    with TemporaryFile() as file:
        async for chunk in request.stream():
            await to_thread.run_sync(file.write, chunk)
        yield file


async def looking_at_pictures(work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """Return what some work on a picture gives. Few run at once: the others wait, and hold up no other request."""
    return await to_thread.run_sync(work, *arguments, limiter=_PICTURES_AT_ONCE)


JsonBytes = Annotated[bytes, Depends(_body)]
ImageBytes = Annotated[bytes, Depends(_body)]
SpooledBody = Annotated[BinaryIO, Depends(_spooled_body)]
