"""The pictures of a case, for those who compare them."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response

from online_guard.api.callers import TheHouse, callers
from online_guard.api.cases import AUDITORS
from online_guard.api.registration import EnrolmentId
from online_guard.api.sessions import SessionId
from online_guard.service.capturing import kept_pictures

router = APIRouter()
SIGNS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"RIFF": "image/webp"}
"""How the three formats that are taken begin."""


def snapshot_address(platform_id: str, session_id: str, snapshot_id: str) -> str:
    """Return where a snapshot lies."""
    names = "{}/{}/snapshots/{}".format(*(quote(name, safe="") for name in (platform_id, session_id, snapshot_id)))
    return f"/console/sessions/{names}"


def _shown(content: bytes) -> Response:
    media_type = next((kind for sign, kind in SIGNS.items() if content.startswith(sign)), "application/octet-stream")
    return Response(content, media_type=media_type)


@router.get("/console/enrolments/{enrolment_id}/reference", openapi_extra=callers(*AUDITORS))
def reference(house: TheHouse, enrolment_id: EnrolmentId) -> Response:
    """Return the reference photo of an enrolment."""
    return _shown(kept_pictures.reference_picture(house, enrolment_id))


@router.get("/console/sessions/{platform_id}/{session_id}/snapshots/{snapshot_id}", openapi_extra=callers(*AUDITORS))
def snapshot(house: TheHouse, platform_id: str, session_id: SessionId, snapshot_id: str) -> Response:
    """Return a retained snapshot."""
    return _shown(kept_pictures.snapshot_picture(house, platform_id, session_id, snapshot_id))
