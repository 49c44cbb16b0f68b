"""What OpenAPI says of bodies that FastAPI doesn't decode: pictures, clips, and batches of events."""

from __future__ import annotations

from typing import Any

from online_guard.faces.clip_limits import MAX_FRAMES
from online_guard.ingest.live import MOST_EVENTS
from online_guard.terms import EVENT_TYPES

_ID = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": r"^[^/\x00-\x1f\x7f-\x9f]+$"}
_SECONDS = {"type": "number", "minimum": 0}
EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["seq", "type", "at_ms", "position_s", "playing", "rate", "player"],
    "properties": {
        "seq": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
        "type": {"enum": [str(kind) for kind in EVENT_TYPES]},
        "at_ms": {
            "type": ["integer", "string"],
            "description": "毫秒,或带时区的 RFC 3339 / or RFC 3339 with offset",
        },
        "position_s": _SECONDS,
        "from_s": _SECONDS,
        "playing": {"type": "boolean"},
        "rate": {"type": "number"},
        "player": _ID,
        "popup": _ID,
    },
}
"""An event as SPEC 3.2 has it; `ingest.live.LiveEvent` is what decodes it."""


def a_batch() -> dict[str, Any]:
    """Return the declaration of a body with a batch of events."""
    events = {"type": "array", "minItems": 1, "maxItems": MOST_EVENTS, "items": EVENT_SCHEMA}
    batch = {"type": "object", "additionalProperties": False, "required": ["events"], "properties": {"events": events}}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": batch}}}}


def an_image() -> dict[str, Any]:
    """Return the declaration of a body that is a picture; what it is, is told from its bytes."""
    kinds = ("image/jpeg", "image/png", "image/webp", "application/octet-stream")
    return {"requestBody": {"required": True, "content": {kind: {} for kind in kinds}}}


def an_import() -> dict[str, Any]:
    """Return the declaration of a body that is a zip or a log; absent where it is to come in parts."""
    kinds = (
        "application/zip",
        "application/json",
        "application/x-ndjson",
        "application/gzip",
        "application/octet-stream",
    )
    return {"requestBody": {"required": False, "content": {kind: {} for kind in kinds}}}


def a_sheet() -> dict[str, Any]:
    """Return the declaration of a body that is a sheet; what it is, is told from its bytes."""
    kinds = (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "text/csv",
        "application/octet-stream",
    )
    return {"requestBody": {"required": True, "content": {kind: {} for kind in kinds}}}


def an_upload_part() -> dict[str, Any]:
    """Return the declaration of a body that is a part of an upload."""
    return {"requestBody": {"required": True, "content": {"application/offset+octet-stream": {}}}}


def a_clip() -> dict[str, Any]:
    """Return the declaration of a body that is a clip: a video, or single pictures with their times."""
    frame = {
        "type": "object",
        "additionalProperties": False,
        "required": ["at_ms", "image"],
        "properties": {
            "at_ms": {"type": "integer", "minimum": 0, "description": "自拍摄开始的毫秒 / ms since the clip's start"},
            "image": {"type": "string", "contentEncoding": "base64", "description": "JPEG, PNG, WebP"},
        },
    }
    frames = {"type": "array", "minItems": 1, "maxItems": MAX_FRAMES, "items": frame}
    body = {"type": "object", "additionalProperties": False, "required": ["frames"], "properties": {"frames": frames}}
    kinds: dict[str, Any] = {kind: {} for kind in ("video/webm", "video/mp4", "application/octet-stream")}
    return {"requestBody": {"required": True, "content": kinds | {"application/json": {"schema": body}}}}
