"""Routes of imports: post past sessions whole, or in parts that can be resumed, and follow what becomes of them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from online_guard.api.bodies import Id
from online_guard.api.callers import PEOPLE, PLATFORM, NowMs, PlatformId, SpooledBody, TheHouse, callers
from online_guard.api.raw_bodies import an_import, an_upload_part
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.importing import imports, uploads

router = APIRouter(tags=["事后导入 imports"])
ImportId = Annotated[Id, Path(description="导入 import")]
CREATED, LATER, NO_CONTENT = 201, 202, 204
TUS = "1.0.0"
_CURSOR = r"^(refused|duplicate|conflict)\.\d{1,9}$"
_LIST_CURSOR = r"^\d{1,15}\.[^/\x00-\x1f\x7f-\x9f]{1,128}$"


@dataclass(frozen=True)
class Posted:
    """A body in a file of its own, how large it is, and the SHA-256 of it in hex."""

    path: FilePath
    size: int
    sha256: str


async def _posted(request: Request, house: TheHouse) -> AsyncIterator[Posted]:
    """Yield the body in a private file that is gone after the request unless an import took it."""
    path, digest = imports.new_file(house), hashlib.sha256()
    try:
        with path.open("wb") as file:
            async for chunk in request.stream():
                digest.update(chunk)
                await to_thread.run_sync(file.write, chunk)
        yield Posted(path, path.stat().st_size, digest.hexdigest())
    finally:
        path.unlink(missing_ok=True)


def _importer(platform_id: PlatformId) -> str:
    if platform_id is None:
        raise GuardError(
            ErrorKind.FORBIDDEN, "import.no_platform", "只有平台可以导入 / only a platform imports its sessions"
        )
    return platform_id


Importer = Annotated[str, Depends(_importer)]


@router.post(
    "/imports",
    summary="导入过往学习 / import past sessions",
    status_code=LATER,
    responses={CREATED: {"description": "上传已开始 / an upload has begun"}},
    openapi_extra=callers(PLATFORM) | an_import(),
)
async def add_import(
    house: TheHouse,
    response: Response,
    platform_id: Importer,
    body: Annotated[Posted, Depends(_posted)],
    now_ms: NowMs,
    upload_length: Annotated[
        int | None, Header(ge=1, description="分段上传:总字节数 / to come in parts: bytes")
    ] = None,
    upload_metadata: Annotated[str, Header(max_length=512, description="`sha256 …` (base64)")] = "",
) -> dict[str, Any]:
    """Take a zipped bundle, or one xAPI, Caliper or Open edX file, of at most 512 MiB; reading it follows.

    The same body again is the same import. With `Upload-Length` and no body it comes in parts (tus 1.0 core).
    """
    if upload_length is not None and not body.size:
        told = await to_thread.run_sync(
            uploads.begin, house, platform_id, _sha256(upload_metadata), upload_length, now_ms
        )
        response.status_code = CREATED if told["state"] == "uploading" else LATER
        response.headers.update({"Upload-Offset": str(told["received_bytes"]), "Tus-Resumable": TUS})
    else:
        told = await to_thread.run_sync(imports.receive, house, platform_id, body.path, body.sha256, now_ms)
    response.headers["Location"] = f"/v1/imports/{told['import_id']}"
    return told


def _sha256(metadata: str) -> str:
    """Return the SHA-256 that an upload's metadata tell, in hex; empty when they don't."""
    found = re.search(r"(?:^|,)\s*sha256 ([A-Za-z0-9+/=]+)", metadata)
    try:
        return base64.b64decode(found[1], validate=True).decode() if found else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


@router.head("/imports/{import_id}", summary="已收到多少 / how much is here", openapi_extra=callers(PLATFORM))
def upload(house: TheHouse, response: Response, import_id: ImportId, platform_id: PlatformId) -> Response:
    """Tell `Upload-Offset` and `Upload-Length`: where an upload goes on."""
    kept, size = uploads.upload(house, import_id, platform_id)
    headers = {"Upload-Offset": str(kept), "Upload-Length": str(size), "Tus-Resumable": TUS}
    return Response(headers=headers | {"Cache-Control": "no-store"})


@router.patch(
    "/imports/{import_id}",
    summary="上传一段 / a part of an upload",
    status_code=NO_CONTENT,
    openapi_extra=callers(PLATFORM) | an_upload_part(),
)
def add_part(
    house: TheHouse,
    import_id: ImportId,
    platform_id: PlatformId,
    part: SpooledBody,
    now_ms: NowMs,
    upload_offset: Annotated[int, Header(ge=0, description="本段起点 / where the part begins")],
) -> Response:
    """Take the next part, of at most 8 MiB, on disk before this answers; the last one makes it a received import."""
    size = part.tell()
    part.seek(0)
    kept = uploads.add_part(house, import_id, platform_id, upload_offset, part, size, now_ms)
    return Response(status_code=NO_CONTENT, headers={"Upload-Offset": str(kept), "Tus-Resumable": TUS})


@router.get("/imports/{import_id}", summary="导入的进展与结果 / an import", openapi_extra=callers(PLATFORM, *PEOPLE))
def one_import(
    house: TheHouse,
    import_id: ImportId,
    platform_id: PlatformId,
    cursor: Annotated[str | None, Query(pattern=_CURSOR, description="`cursors` 中的值 / from `cursors`")] = None,
) -> dict[str, Any]:
    """Return state, progress, counts by table, and pages of the refused, duplicate and conflicting rows."""
    kind, _, number = (cursor or ".0").partition(".")
    return imports.told(house, import_id, platform_id, kind or None, int(number))


@router.get("/imports", summary="导入一览 / imports", openapi_extra=callers(PLATFORM, *PEOPLE))
def all_imports(
    house: TheHouse,
    platform_id: PlatformId,
    cursor: Annotated[str | None, Query(pattern=_LIST_CURSOR, description="`next_cursor`")] = None,
) -> dict[str, Any]:
    """Return imports, the newest first, without their rows."""
    moment, _, import_id = (cursor or "").partition(".")
    return imports.listed(house, platform_id, (int(moment), import_id) if cursor else None)
