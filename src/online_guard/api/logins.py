"""Routes of people who sign in: with name and password, or at the OIDC provider."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field, SecretStr, StringConstraints

from online_guard.api.authentication import COOKIE, is_foreign
from online_guard.api.bodies import Body
from online_guard.api.callers import ANYONE, EVERYBODY, PEOPLE, TheCaller, TheHouse, callers
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.admitting import logins, provider_logins
from online_guard.service.house import House

router = APIRouter(tags=["登录 login"])
STATE = "online_guard_provider_login"
SEE_OTHER = 303
SIGNED_IN = "/console/signed-in"
"""The page from which people go on to the others."""
_HASHES_AT_ONCE = CapacityLimiter(2)
"""Each takes 64 MiB and some 50 ms of a core."""


class LoginBody(Body):
    """What a person signs in with."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=1_000)]
    code: Annotated[str, StringConstraints(max_length=16)] | None = None


async def _not_too_often(request: Request) -> None:
    """Refuse a flood of tries from one address."""
    await request.state.tries.count(request.client.host if request.client else "")


async def _from_a_page_of_ours(request: Request, house: TheHouse) -> None:
    """Refuse the pages of other sites, which could sign a browser in under a name of theirs."""
    if is_foreign(request.headers, house.settings.public_url):
        raise GuardError(
            ErrorKind.FORBIDDEN,
            "csrf.refused",
            "请求不是本服务页面发出的 / the request doesn't come from a page of this service",
            where="origin",
        )


@router.post(
    "/login",
    summary="登录 / log in",
    openapi_extra=callers(ANYONE),
    dependencies=[Depends(_from_a_page_of_ours), Depends(_not_too_often)],
)
async def log_in(house: TheHouse, request: Request, response: Response, body: LoginBody) -> dict[str, Any]:
    """Begin a login: a cookie, and a `csrf_token` that every later request but GET sends as `Online-Guard-CSRF`.

    Repeated failures lock the name for a while. A login ends after 30 min without use, and after 12 h.
    """
    login = await to_thread.run_sync(
        logins.log_in, house, body.name, body.password.get_secret_value(), body.code, limiter=_HASHES_AT_ONCE
    )
    return give_cookie(house, request, response, login)


@router.get(
    "/login/oidc",
    summary="经 OIDC 登录 / log in at the OpenID provider",
    status_code=SEE_OTHER,
    response_class=RedirectResponse,
    openapi_extra=callers(ANYONE),
    dependencies=[Depends(_not_too_often)],
)
def log_in_elsewhere(house: TheHouse, request: Request) -> RedirectResponse:
    """Send the browser to the provider, and remember in a cookie that it was this one."""
    url, state = provider_logins.begin(house, _callback(house, request))
    answer = RedirectResponse(url, SEE_OTHER, {"Cache-Control": "no-store"})
    secure = _is_https(house, request)
    lasts_s = provider_logins.UNDER_WAY_MS // 1000
    # lax, for it must come back with the provider's redirect
    answer.set_cookie(STATE, state, lasts_s, path="/v1/login", secure=secure, httponly=True, samesite="lax")
    return answer


@router.get(
    "/login/oidc/callback", summary="OIDC 登录返回 / back from the OpenID provider", openapi_extra=callers(ANYONE)
)
def back_from_elsewhere(
    house: TheHouse,
    request: Request,
    response: Response,
    state: Annotated[str, Query(max_length=200)],
    code: Annotated[str, Query(max_length=4_000)] = "",
) -> Any:
    """Begin a login of the person that the provider names, as `POST /v1/login` does; a browser goes on to the pages."""
    if not hmac.compare_digest(state.encode(), request.cookies.get(STATE, "").encode()):
        raise GuardError(
            ErrorKind.FORBIDDEN, "csrf.refused", "登录不是由此浏览器开始的 / another browser began this login"
        )
    login = provider_logins.finish(house, _callback(house, request), state, code)
    for_people = "text/html" in request.headers.get("accept", "")
    given = RedirectResponse(SIGNED_IN, SEE_OTHER) if for_people else response
    given.delete_cookie(STATE, path="/v1/login")
    told = give_cookie(house, request, given, login)
    return given if for_people else told


def _callback(house: House, request: Request) -> str:
    own = house.settings.public_url or str(request.base_url)
    return f"{own.rstrip('/')}/v1/login/oidc/callback"


@router.post("/logout", summary="退出 / log out", openapi_extra=callers(*PEOPLE))
def log_out(house: TheHouse, request: Request, response: Response) -> dict[str, Any]:
    """End the login."""
    logins.log_out(house, request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, path="/", secure=_is_https(house, request), httponly=True, samesite="strict")
    return {"state": "logged_out"}


@router.get("/whoami", summary="当前调用方 / who calls", openapi_extra=callers(*EVERYBODY))
def who_am_i(request: Request, caller: TheCaller) -> dict[str, Any]:
    """Return the caller's role and name; to a person their `csrf_token` too, to a platform its id."""
    token = request.cookies.get(COOKIE, "")
    told = {"csrf_token": logins.csrf_token(token)} if caller.role in PEOPLE else {"platform_id": caller.platform_id}
    return {"role": caller.role, "name": caller.name, **told}


def give_cookie(house: House, request: Request, response: Response, login: logins.Login) -> dict[str, Any]:
    """Give the browser its login, and return who signed in."""
    response.set_cookie(
        COOKIE,
        login.token,
        max_age=logins.LONGEST_MS // 1000,
        path="/",
        secure=_is_https(house, request),
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
    return {"name": login.name, "role": login.role, "csrf_token": logins.csrf_token(login.token)}


def _is_https(house: House, request: Request) -> bool:
    return request.url.scheme == "https" or (house.settings.public_url or "").startswith("https://")
