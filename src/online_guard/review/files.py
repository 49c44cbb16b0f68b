"""The pages' own style and script files."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Header, Response

from online_guard.api.callers import ANYONE, callers
from online_guard.errors import ErrorKind, GuardError
from online_guard.pictures import stylesheet

router = APIRouter()
MEDIA_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
NOT_MODIFIED = 304


@cache
def _file(name: str) -> tuple[bytes, str, str]:
    """Return content, media type and ETag of a file."""
    own = {entry.name: entry for entry in files("online_guard.review").joinpath("static").iterdir()}
    if name == "pictures.css":
        content = stylesheet().encode()
    elif name in own:
        content = own[name].read_bytes()
    else:
        raise GuardError(ErrorKind.NOT_FOUND, "not_found", "找不到 / not found", where=name)
    return content, MEDIA_TYPES[name.rpartition(".")[2]], f'"{hashlib.sha256(content).hexdigest()[:32]}"'


@router.get("/console/static/{name}", openapi_extra=callers(ANYONE))
def static_file(name: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Return a style or script file; the browser asks each time whether it is still the same."""
    content, media_type, tag = _file(name)
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if if_none_match == tag:
        return Response(None, NOT_MODIFIED, headers)
    return Response(content, headers=headers, media_type=media_type)
