"""Errors as RFC 9457 `application/problem+json` with stable types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from online_guard.errors import ErrorKind, GuardError

STATUS: dict[ErrorKind, int] = {
    ErrorKind.MALFORMED: 400,
    ErrorKind.INVALID: 422,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.OUTDATED: 412,
    ErrorKind.TOO_LARGE: 413,
    ErrorKind.UNSUPPORTED: 415,
    ErrorKind.THROTTLED: 429,
    ErrorKind.UNAVAILABLE: 503,
}
TITLES: dict[int, str] = {
    400: "请求无法读取 / the request can't be read",
    401: "未认证 / not authenticated",
    403: "不允许 / not allowed",
    404: "找不到 / not found",
    405: "不支持该方法 / method not allowed",
    409: "冲突 / conflict",
    412: "所见已过时 / what was seen has changed",
    413: "内容过大 / too large",
    415: "不支持的格式 / unsupported format",
    422: "内容有误 / the content is wrong",
    429: "过于频繁 / too many requests",
    500: "服务内部错误 / internal error",
    503: "暂不可用 / unavailable",
}
TYPE = "urn:online-guard:problem:"


FAULT_SCHEMA = {
    "type": "object",
    "required": ["pointer", "detail"],
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer; ?name for a parameter"},
        "detail": {"type": "string"},
    },
}
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "description": f"{TYPE}…, stable"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": FAULT_SCHEMA},
        "request_id": {"type": "string", "description": "X-Request-ID; 日志中相同 / the same in the log"},
    },
}
_A_PROBLEM = {
    "description": "问题说明 / a problem document (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
RESPONSES: dict[int | str, dict[str, Any]] = {"4XX": _A_PROBLEM, "503": _A_PROBLEM}
"""What every route declares about its errors."""


def problem(
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a problem document."""
    content: dict[str, Any] = {
        "type": TYPE + code,
        "title": TITLES.get(status, str(status)),
        "status": status,
        "detail": detail,
        "errors": errors or [],
    }
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id is not None:
        content["request_id"] = request_id
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Make every error of an application a problem document."""
    app.add_exception_handler(GuardError, _guard_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


class BodyRefused(HTTPException):
    """Stops the reading of a body. FastAPI lets nothing but an `HTTPException` pass while it reads."""

    def __init__(self, error: GuardError) -> None:
        super().__init__(STATUS[error.kind])
        self.error = error


def _guard_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GuardError)
    return told(error)


def as_problem(error: GuardError) -> dict[str, Any]:
    """Return the problem document of an error as a value, for an answer about several things."""
    document: dict[str, Any] = json.loads(bytes(told(error).body))
    return document


def told(error: GuardError) -> JSONResponse:
    """Return the problem document of an error."""
    errors = [{"pointer": fault.where, "detail": fault.reason} for fault in error.faults]
    if not errors and error.where:
        errors = [{"pointer": error.where, "detail": error.message}]
    detail = " ".join(filter(None, (error.message, error.remedy)))
    headers = {}
    if error.retry_after_s is not None:
        headers = {"Retry-After": str(error.retry_after_s)}
    elif error.code.endswith(".pending") or error.kind is ErrorKind.UNAVAILABLE:
        headers = {"Retry-After": "1"}
    elif error.kind is ErrorKind.UNAUTHENTICATED:
        headers = {"WWW-Authenticate": 'Signature realm="online-guard"'}  # RFC 9110 section 15.5.2 asks for one
    return problem(STATUS[error.kind], error.code, detail, errors, headers)


WORDS = {
    "missing": "缺少字段 / missing key",
    "extra_forbidden": "未知字段 / unknown key",
    "json_invalid": "不是 JSON / not JSON",
}
"""Pydantic's types of error in Chinese and English; the others as Pydantic says them, behind a Chinese word."""


def _validation_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = []
    for fault in error.errors():
        place = [str(part) for part in fault["loc"]]
        pointer = "/" + "/".join(place[1:]) if place[0] == "body" else "?" + ".".join(place[1:])
        errors.append({"pointer": pointer, "detail": WORDS.get(fault["type"], f"内容有误 / {fault['msg']}")})
    if any(fault["type"] == "json_invalid" for fault in error.errors()):
        return problem(400, "body.not_json", WORDS["json_invalid"], errors)
    return problem(422, "body.invalid", "; ".join(f"{one['pointer']}: {one['detail']}" for one in errors), errors)


HTTP_CODES = {400: "body.unreadable", 404: "route.not_found", 405: "route.method", 413: "body.too_large"}


def _http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return unread(error)


def unread(error: HTTPException) -> JSONResponse:
    """Return the problem document of a request that its route didn't get: no such route, or a body refused midway."""
    if isinstance(error, BodyRefused):
        return told(error.error)
    title = TITLES.get(error.status_code, f"请求有误 / {error.detail}")
    return problem(error.status_code, HTTP_CODES.get(error.status_code, "http"), title, headers=error.headers)


def _unexpected(_request: Request, _error: Exception) -> JSONResponse:
    return broken()


def broken() -> JSONResponse:
    """Return the problem document of what nobody foresaw."""
    return problem(500, "internal", "已记录,请稍后重试 / it was logged; try again later")
