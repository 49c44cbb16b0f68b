"""Who sent a request: a platform by its signature, a person by the cookie of a login, or nobody.

Before anything of a request is decoded, its signature is verified; a request by nobody goes no further unless its route
is open to anyone. The body of a signed request is compared with its digest while it is read: whoever reads it to its
end knows that it is what was signed, and gets an error in place of the last part otherwise. So a large body may go to a
file while it comes, and is acted upon afterwards only.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import time
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

import limits
from anyio import to_thread
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from online_guard.api.callers import Caller, not_authenticated, open_paths
from online_guard.api.problems import BodyRefused, told
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.admitting import logins
from online_guard.service.admitting.nonces import Nonces
from online_guard.service.admitting.platform_keys import KeyRing
from online_guard.service.house import House
from online_guard.signatures import Message as Signed
from online_guard.signatures import Signature, read_signature
from online_guard.terms import Role

COOKIE = "online_guard_login"
CSRF_HEADER = "online-guard-csrf"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Rate:
    """How often something may happen to a name, in this process; counted by windows of fixed length.

    Args:
        most: Such as `30/minute`.
        code: Of the error when it is more.

    Raises:
        GuardError: `most` can't be read.
    """

    def __init__(self, most: str, code: str) -> None:
        try:
            self._most = limits.parse(most)
        except ValueError as error:
            raise GuardError(
                ErrorKind.INVALID,
                "settings.rate",
                "频率应如 300000/minute / a rate looks like 300000/minute",
                where=most,
                remedy="请更正设置 / correct the setting.",
            ) from error
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._code = code

    async def count(self, name: str) -> None:
        """Count it once more.

        Raises:
            GuardError: It happens too often.
        """
        if not await self._limiter.hit(self._most, name):
            reset_s = (await self._limiter.get_window_stats(self._most, name)).reset_time
            raise GuardError(
                ErrorKind.THROTTLED,
                self._code,
                f"过于频繁,上限 / too often, the most is: {self._most}",
                retry_after_s=max(1, math.ceil(reset_s - time.time())),
            )


class Authentication:
    """Tells who calls, as `scope["state"]["caller"]`: a `Caller`, or None.

    Args:
        app: Goes on with the request.
        house: The service.
    """

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house
        self._keys = KeyRing(house.engine, house.vault)
        self._nonces = Nonces(house.engine)
        self._open: list[re.Pattern[str]] | None = None
        self._requests = Rate(house.settings.requests_per_key, "key.too_many_requests")
        self._tries = Rate(house.settings.logins_per_address, "login.too_many_tries")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its caller, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _headers(scope["headers"])
        state = scope.setdefault("state", {})
        state["caller"] = None
        try:
            if "signature-input" in headers or "signature" in headers:
                signature = read_signature(_signed(scope, headers))
                state["caller"] = await self._platform(signature)
                receive = _as_signed(receive, signature.body_sha256)
            elif COOKIE in headers.get("cookie", ""):
                state["caller"] = await self._person(scope, headers)
            if state["caller"] is None and not self._is_open(scope):
                raise not_authenticated()
        except GuardError as error:
            await told(error)(scope, receive, send)
            return
        state["nonces"], state["tries"] = self._nonces, self._tries
        await self._app(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        if self._open is None:
            self._open = open_paths(scope["app"])
        return any(path.match(scope["path"]) for path in self._open)

    async def _platform(self, signature: Signature) -> Caller:
        key = self._keys.fresh(signature.key_id) or await to_thread.run_sync(self._keys.read, signature.key_id)
        now_s = time.time()
        if key is None or not key.made(signature, now_s):
            raise GuardError(
                ErrorKind.UNAUTHENTICATED,
                "signature.wrong",
                "签名有误,或密钥不存在、已撤销 / the signature is wrong, or its key is unknown or revoked",
                where="signature",
                remedy="见 docs/clients / see docs/clients.",
            )
        used = self._nonces.use(signature, int(now_s))
        await self._requests.count(key.key_id)
        return Caller(Role.PLATFORM, key.key_id, key.platform_id, used)

    async def _person(self, scope: Scope, headers: Mapping[str, str]) -> Caller | None:
        token = _cookie(headers["cookie"])
        person = None if token is None else await to_thread.run_sync(logins.signed_in, self._house, token)
        if token is None or person is None:
            return None
        if scope["method"] not in SAFE:
            if self._is_open(scope):
                return None  # whoever logs in may have a login already; what is open to anyone needs no caller
            _refuse_forged(scope, headers, token, self._house.settings.public_url)
        return Caller(Role(person.role), person.name)


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by lower-case name; several of one name are joined, as RFC 9421 section 2.1 has it."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _signed(scope: Scope, headers: Mapping[str, str]) -> Signed:
    path = scope.get("raw_path") or scope["path"].encode()
    return Signed(scope["method"], path.decode("latin-1"), scope["query_string"].decode("latin-1"), headers)


def _as_signed(receive: Receive, sha256: bytes) -> Receive:
    """Return `receive` for a body that must have a digest: the last part of another body is an error."""
    digest = hashlib.sha256()

    async def checked() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            digest.update(message.get("body", b""))
            if not message.get("more_body", False) and not hmac.compare_digest(digest.digest(), sha256):
                raise BodyRefused(
                    GuardError(
                        ErrorKind.UNAUTHENTICATED,
                        "signature.other_body",
                        "请求体与所签摘要不符 / the body isn't the one that was signed",
                        where="content-digest",
                    )
                )
        return message

    return checked


def _cookie(header: str) -> str | None:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def _refuse_forged(scope: Scope, headers: Mapping[str, str], token: str, public_url: str | None) -> None:
    """Refuse what a page of another site makes a browser send along with its cookie.

    Raises:
        GuardError: The page isn't of this service, or doesn't know the login's CSRF token.
    """
    if is_foreign(headers, public_url) or not hmac.compare_digest(
        headers.get(CSRF_HEADER, "").encode(), logins.csrf_token(token).encode()
    ):
        raise GuardError(
            ErrorKind.FORBIDDEN,
            "csrf.refused",
            "请求不是本服务页面发出的 / the request doesn't come from a page of this service",
            where=CSRF_HEADER,
            remedy="请附上登录时得到的 csrf_token / send the csrf_token of the login in this header.",
        )


def is_foreign(headers: Mapping[str, str], public_url: str | None) -> bool:
    """Return whether a page of another site sent a request: browsers name its origin, other programs don't."""
    origin = headers.get("origin")
    own = urlsplit(public_url).netloc if public_url else headers.get("host", "")
    return origin is not None and urlsplit(origin).netloc.lower() != own.lower()
