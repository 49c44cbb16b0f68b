"""Signed HTTP requests: HMAC-SHA-256 over method, host, path, query, body digest, time and nonce (RFC 9421, RFC 9530).

A platform signs what it sends, and the service verifies with the same secret. Only the signature base, the text that is
signed, is put together here: the general library takes some twenty times as long, too long for every batch of events.
That both agree is tested.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import httpx

from online_guard.errors import ErrorKind, GuardError

WINDOW_S = 300
"""How far the clock of a caller may be off, in seconds (SPEC 8: 5 min)."""
COVERED = ("@method", "@authority", "@path", "@query", "content-digest")
"""What every signature covers; further header fields may be covered besides. `@authority` is the Host header."""
COMPONENTS = "(" + " ".join(f'"{name}"' for name in COVERED) + ")"
MOST_COMPONENTS = 20
_INPUT = re.compile(r'([a-z*][a-z0-9_.*-]{0,63})=(\(((?:"[!#-~]{1,100}"[ ]?){1,20})\)((?:;[^;,]+){1,10}))')
_PARAMETER = re.compile(r';([a-z]+)=(?:(\d{1,15})|"([ !#-\[\]-~]{0,256})")')
_DERIVED = frozenset(name for name in COVERED if name.startswith("@"))
_SHA_256 = re.compile(r"(?:^|,)[ \t]*sha-256=:([A-Za-z0-9+/]{43}=):[ \t]*(?=,|$)")


@dataclass(frozen=True, slots=True)
class Message:
    """What of a request is signed, as it stands on the wire.

    Attributes:
        method: Upper case.
        path: Percent-encoded as sent, without the query.
        query: As sent, without `?`.
        headers: By lower-case name; several of one name are joined by `, `.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that is to be verified: by which key, made when (s since the epoch), of which text."""

    key_id: str
    created_s: int
    nonce: str
    base: bytes
    mac: bytes
    body_sha256: bytes

    def is_made_with(self, secret: bytes) -> bool:
        """Return whether this secret made it; takes the same time whatever the answer."""
        # not `hmac.digest`: it lets another thread run, and then waits for its turn
        return hmac.compare_digest(hmac.new(secret, self.base, "sha256").digest(), self.mac)


def read_signature(message: Message) -> Signature:
    """Return the signature that a request carries; it isn't verified yet.

    Raises:
        GuardError: It can't be read, or doesn't cover what it must.
    """
    headers = message.headers
    found = _INPUT.fullmatch(headers.get("signature-input", ""))
    if found is None:
        raise _refused(
            "signature-input", "缺少或无法读取,或有多个签名 / it is missing, can't be read, or names several"
        )
    label, described, names, tail = found.groups()
    parameters = _parameters(tail)
    sent = re.fullmatch(re.escape(label) + "=:([A-Za-z0-9+/]{43}=):", headers.get("signature", ""))
    if sent is None:
        raise _refused("signature", f"缺少或无法读取 / it is missing or can't be read: {label}=:…:")
    return Signature(
        key_id=parameters["keyid"],
        created_s=int(parameters["created"]),
        nonce=parameters["nonce"],
        base=signature_base(message, _names(names), described),
        mac=binascii.a2b_base64(sent[1]),
        body_sha256=_body_sha256(headers.get("content-digest", "")),
    )


def _parameters(tail: str) -> dict[str, str]:
    """Return the parameters of a signature; those it must have aren't empty."""
    parameters: dict[str, str] = {}
    size = 0
    for found in _PARAMETER.finditer(tail):
        name, number, text = found.groups()
        if name in parameters:
            raise _refused("signature-input", f"参数重复 / a parameter stands twice: {name}")
        if (number is None) != (name in ("nonce", "keyid", "alg")):
            raise _refused("signature-input", f"参数未知或有误 / a parameter is unknown or wrong: {name}")
        parameters[name] = number if text is None else text
        size += len(found[0])
    if size != len(tail) or not parameters.keys() <= {"created", "nonce", "keyid", "alg"}:
        raise _refused("signature-input", "参数未知或有误 / a parameter is unknown or wrong")
    for name in ("created", "nonce", "keyid"):
        if not parameters.get(name):
            raise _refused("signature-input", f"缺少参数 / a parameter is missing: {name}")
    if parameters.get("alg", "hmac-sha256") != "hmac-sha256":
        raise _refused("signature-input", "算法应为 hmac-sha256 / the algorithm is hmac-sha256")
    return parameters


@lru_cache(maxsize=256)
def _names(text: str) -> tuple[str, ...]:
    """Return the names of the covered components."""
    names = tuple(name[1:-1] for name in text.split(" "))
    if len(set(names)) != len(names) or len(names) > MOST_COMPONENTS:
        raise _refused("signature-input", "组成部分重复或过多 / components stand twice, or are too many")
    missing = [name for name in COVERED if name not in names]
    if missing:
        raise _refused("signature-input", f"未覆盖 / not covered: {' '.join(missing)}")
    unknown = [name for name in names if name not in _DERIVED and not re.fullmatch("[a-z0-9-]+", name)]
    if unknown:
        raise _refused("signature-input", f"不支持的组成部分 / unsupported components: {' '.join(unknown)}")
    return names


def signature_base(message: Message, names: Sequence[str], described: str) -> bytes:
    """Return the text that is signed (RFC 9421 section 2.5).

    Args:
        message: The request.
        names: Of the covered components, in order.
        described: The covered components with the parameters, exactly as in `Signature-Input`.
    """
    headers = message.headers
    lines = []
    for name in names:
        match name:
            case "@method":
                value = message.method
            case "@authority":
                value = headers.get("host", "").lower()
            case "@path":
                value = message.path or "/"
            case "@query":
                value = "?" + message.query
            case _:
                if name not in headers:
                    raise _refused("signature-input", f"签名所覆盖的请求头不存在 / a covered header is absent: {name}")
                value = headers[name].strip(" \t")
        lines.append(f'"{name}": {value}')
    lines.append(f'"@signature-params": {described}')
    return "\n".join(lines).encode("latin-1")


def _body_sha256(field: str) -> bytes:
    found = _SHA_256.findall(field)
    if len(found) != 1:
        raise _refused("content-digest", "应为 sha-256=:…: / it should be sha-256=:…:")
    return binascii.a2b_base64(found[0])


def _refused(header: str, why: str) -> GuardError:
    return GuardError(
        ErrorKind.UNAUTHENTICATED,
        "signature.unreadable",
        why,
        where=header,
        remedy="见 docs/clients / see docs/clients.",
    )


def content_digest(body: bytes) -> str:
    """Return the `Content-Digest` header of a body (RFC 9530)."""
    return _digest_field(hashlib.sha256(body).digest())


def content_digest_of(file: Path) -> str:
    """Return the `Content-Digest` header of a file that is too large for the memory."""
    with file.open("rb") as stream:
        return _digest_field(hashlib.file_digest(stream, "sha256").digest())


def _digest_field(digest: bytes) -> str:
    return f"sha-256=:{base64.b64encode(digest).decode()}:"


def sign(message: Message, key_id: str, secret: str, created_s: int, nonce: str) -> dict[str, str]:
    """Return the headers `Signature-Input` and `Signature` of a request that has its `content-digest` already."""
    described = f'{COMPONENTS};created={created_s};nonce="{nonce}";keyid="{key_id}"'
    mac = hmac.digest(secret.encode(), signature_base(message, COVERED, described), "sha256")
    return {"Signature-Input": f"sig={described}", "Signature": f"sig=:{base64.b64encode(mac).decode()}:"}


class SignedRequests(httpx.Auth):
    """Signs every request of an `httpx` client.

    A body that is streamed needs its `Content-Digest` header set (`content_digest_of`); any other body is hashed here.

    Args:
        key_id: Of the platform's key.
        secret: Of the platform's key, as it was shown.
    """

    def __init__(self, key_id: str, secret: str) -> None:
        self._key_id = key_id
        self._secret = secret

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request signed."""
        if "Content-Digest" not in request.headers:
            request.headers["Content-Digest"] = content_digest(request.read())
        yield self.signed(request)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send a request signed."""
        if "Content-Digest" not in request.headers:
            request.headers["Content-Digest"] = content_digest(await request.aread())
        yield self.signed(request)

    def signed(self, request: httpx.Request) -> httpx.Request:
        """Return a request with its signature, which is good once and for 5 min."""
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        message = Message(request.method, path, query, headers)
        created_s, nonce = int(time.time()), secrets.token_urlsafe(16)
        request.headers.update(sign(message, self._key_id, self._secret, created_s, nonce))
        return request
