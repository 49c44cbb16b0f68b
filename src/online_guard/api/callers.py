"""Who may call, who calls, at what time, and what they send.

`admit` stands before every route of the application. It knows who calls (`authentication`), and what the route declares
with `callers(…)`: that is what OpenAPI tells and what is enforced, in one. A route that declares nothing is refused.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO, TypeVar, TypeVarTuple

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.rows import LATEST_MS
from online_guard.service.foreign_names import hide_foreign_names
from online_guard.service.house import House, clock_ms
from online_guard.store.account_rows import UsedNonce
from online_guard.terms import Role

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")
_PICTURES_AT_ONCE = CapacityLimiter(2)


@dataclass(frozen=True)
class Caller:
    """Who calls: `name` is a person's, or a platform's key; `platform_id` and `used` only a platform has.

    `used` is the signature that the request used up.
    """

    role: Role
    name: str
    platform_id: str | None = None
    used: UsedNonce | None = None


ANYONE = "anyone"
PLATFORM, ASSESSOR = Role.PLATFORM, Role.ASSESSOR
EVERYBODY = tuple(Role)
PEOPLE = tuple(role for role in Role if role is not Role.PLATFORM)
"""A platform sees its own, people see all."""


def callers(*who: Role | str, keeps_signature: bool = False) -> dict[str, Any]:
    """Return what a route declares about who may call it: this is enforced.

    Args:
        who: Roles, or `ANYONE`.
        keeps_signature: The route keeps the used signature (`TheCaller.used`) in the transaction of its own work, by
            `account_rows.use_nonces`; else it is kept before the route is called.
    """
    return {"x-callers": [str(one) for one in who]} | ({"x-keeps-signature": True} if keeps_signature else {})


def open_paths(app: FastAPI) -> list[re.Pattern[str]]:
    """Return the paths that anyone may call."""
    declared = {
        context.path or "": getattr(context, "openapi_extra", None) or {} for context in iter_route_contexts(app.routes)
    }
    paths = [path for path, extra in declared.items() if ANYONE in extra.get("x-callers", ())]
    return [compile_path(path)[0] for path in (*paths, app.openapi_url or "")]


async def admit(request: Request) -> None:
    """Let a request through to a route that its caller may call, its signature used up.

    Raises:
        GuardError: The route isn't for this caller, or declares nobody; or another process had the signature before.
    """
    declared: dict[str, Any] = getattr(request.scope.get("route"), "openapi_extra", None) or {}
    who = declared.get("x-callers", ())
    if ANYONE in who:
        return
    caller: Caller | None = request.state.caller
    if caller is None:
        raise not_authenticated()
    if caller.role not in who:
        raise GuardError(
            ErrorKind.FORBIDDEN,
            "caller.not_allowed",
            f"该角色不能使用此接口 / this call isn't for the role {caller.role}",
        )
    if caller.used is not None and not declared.get("x-keeps-signature"):
        await request.state.nonces.keep(caller.used)


def not_authenticated() -> GuardError:
    """Return the error for a request by nobody."""
    return GuardError(
        ErrorKind.UNAUTHENTICATED,
        "caller.unknown",
        "需要签名或登录 / a signature or a login is needed",
        remedy="平台见 docs/clients,人员请登录 / platforms: see docs/clients; people: log in.",
    )


async def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


TheHouse = Annotated[House, Depends(_house)]


async def _caller(request: Request) -> Caller:
    caller: Caller | None = request.state.caller
    if caller is None:
        raise not_authenticated()
    return caller


TheCaller = Annotated[Caller, Depends(_caller)]


def own_platform(caller: Caller, named: str | None, where: str) -> str | None:
    """Return the platform that a request is about: of a platform its own, of a person the one that they name.

    Raises:
        GuardError: A platform names another one; whether that exists isn't told.
    """
    if caller.role is not Role.PLATFORM:
        return named
    if named not in (None, caller.platform_id):
        raise GuardError(
            ErrorKind.FORBIDDEN,
            "platform.not_own",
            "不是本密钥所属的平台 / the key is another platform's",
            where=where,
            remedy="请去掉 platform_id / leave platform_id out.",
        )
    return caller.platform_id


def told_to(house: House, caller: Caller, answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as its caller may read it: to a platform without the names of other platforms' things."""
    if caller.platform_id is None:
        return answer
    return hide_foreign_names(house, caller.platform_id, answer)


async def _platform_id(
    request: Request,
    platform_id: Annotated[
        str | None, Query(max_length=128, description="平台,人员可指明 / for people: which one")
    ] = None,
) -> str | None:
    return own_platform(await _caller(request), platform_id, "?platform_id")


PlatformId = Annotated[str | None, Depends(_platform_id)]
"""The platform whose objects are meant: a platform's own, whatever it says; None for a person who names none."""


_Token = Annotated[str | None, Header(alias="Online-Guard-Test-Client")]
_Told = Annotated[int | None, Header(alias="Online-Guard-Test-Now-Ms", ge=0, le=LATEST_MS)]


def _is_test_client(house: House, token: str | None) -> bool:
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


async def _clock(request: Request, token: _Token = None, told: _Told = None) -> Callable[[], int]:
    """Return the service's clock, to be read later; a trusted test client may set it for its request."""
    is_test_client = _is_test_client(request.app.state.house, token)
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


async def _now_ms(request: Request, token: _Token = None, told: _Told = None) -> int:
    return (await _clock(request, token, told))()


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
