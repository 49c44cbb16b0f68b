"""Open edX tracking logs → media statements (Open edX, "Video interaction events")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from online_guard.ingest.media import (
    COMPLETED,
    UNDECODABLE,
    BadFieldError,
    Format,
    MediaStatement,
    NotPlayback,
    Reading,
    codes,
    guarded,
    moment_us,
    number,
    required,
)
from online_guard.ingest.refusals import NO_VALUE
from online_guard.terms import EventType

EVENTS = codes(
    {
        "load_video": EventType.PLAYER_OPENED,
        "play_video": EventType.PLAY,
        "pause_video": EventType.PAUSE,
        "seek_video": EventType.SEEK,
        "speed_change_video": EventType.RATE,
        "stop_video": EventType.ENDED,
        "complete_video": COMPLETED,
        "edx.video.loaded": EventType.PLAYER_OPENED,
        "edx.video.played": EventType.PLAY,
        "edx.video.paused": EventType.PAUSE,
        "edx.video.position.changed": EventType.SEEK,
        "edx.video.stopped": EventType.ENDED,
    }
)
"""The browser's names, and those of the mobile applications."""
PATHS = {
    "actor": "`username`,否则 else `user_id`(外层或 top level or `context`)",
    "video": "`context.course_id` + `/` + `id` of `event` 或 or `data`(JSON,可为字符串 perhaps in a string)",
    "sitting": "`session` + `page`(外层或 top level or `context`)",
    "at": "`timestamp`,否则 else `time`",
    "received": "`time`,当另有 when there is a `timestamp`",
    "position": "`currentTime` 或 or `current_time`;跳转 of a seek: `new_time`",
    "from": "`old_time`,否则 else `currentTime`",
    "rate": "`new_speed`",
    "length": "`duration`",
    "id": "– 无 none",
}
NOTES = {
    "complete_video": "在片尾为 ended,否则为 heartbeat(播放器在看到 95 % 时发送)/ `ended` at the end, else "
    "a `heartbeat`: the player sends it when 95 % were seen",
}
_Number = float | str | None


class _Context(msgspec.Struct):
    course_id: str = ""
    username: str | None = None
    user_id: int | str | None = None
    session: str | None = None
    page: str | None = None


class _Line(msgspec.Struct):
    event_type: str = ""
    name: str = ""
    time: str | None = None
    timestamp: str | None = None
    username: str | None = None
    session: str | None = None
    page: str | None = None
    event: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()
    context: _Context = msgspec.field(default_factory=_Context)


class _Payload(msgspec.Struct):
    id: str = ""
    current_time_web: _Number = msgspec.field(default=None, name="currentTime")
    current_time: _Number = None
    old_time: _Number = None
    new_time: _Number = None
    new_speed: _Number = None
    duration: _Number = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def _understand(line: _Line) -> Reading:
    word = line.event_type if line.event_type in EVENTS else line.name or line.event_type
    kind = EVENTS.get(word)
    if kind is None:
        return NotPlayback(word or "event_type ?")
    context, said = line.context, _payload(bytes(line.event) or bytes(line.data))
    position = said.current_time if said.current_time_web is None else said.current_time_web
    came_from = None
    if kind == EventType.SEEK.code:
        came_from = position if said.old_time is None else said.old_time
        position = said.new_time
    at = line.timestamp or line.time
    return MediaStatement(
        _actor(line),
        f"{context.course_id}/{required(said.id, 'id')}".lstrip("/"),
        " ".join(filter(None, (context.session or line.session, context.page or line.page))),
        kind,
        moment_us(at, "time"),
        moment_us(line.time, "time") if line.timestamp and line.time else None,
        number(position, "currentTime"),
        number(came_from, "old_time"),
        number(said.new_speed, "new_speed"),
        number(said.duration, "duration"),
    )


def _payload(raw: bytes) -> _Payload:
    """Return what the event says; in the tracking log of a browser it is JSON in a JSON string."""
    try:
        text = msgspec.json.decode(raw, type=str).encode() if raw.startswith(b'"') else raw
        return _PAYLOAD.decode(text)
    except UNDECODABLE as error:
        raise BadFieldError("event", f"无法读取(可能被截断)/ can't be read, perhaps cut off: {error}") from error


def _actor(line: _Line) -> str:
    if name := line.context.username or line.username:
        return name
    if line.context.user_id in (None, ""):
        raise BadFieldError("username", NO_VALUE)
    return f"user_id:{line.context.user_id}"


def _recognises(record: Mapping[str, Any]) -> bool:
    return "event_type" in record or ("name" in record and "context" in record and "timestamp" in record)


FORMAT = Format("Open edX", EVENTS, PATHS, NOTES, _recognises, guarded(msgspec.json.Decoder(_Line), _understand))
