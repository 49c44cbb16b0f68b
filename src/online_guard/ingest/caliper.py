"""Caliper MediaEvents → media statements (Caliper 1.1 and 1.2, Media Profile)."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

import msgspec

from online_guard.ingest.media import (
    Format,
    MediaStatement,
    NotPlayback,
    Reading,
    codes,
    guarded,
    moment_us,
    number,
    required,
    seconds,
)
from online_guard.terms import EventType

ACTIONS = codes(
    {
        "Started": EventType.PLAY,
        "Restarted": EventType.PLAY,
        "Resumed": EventType.PLAY,
        "Paused": EventType.PAUSE,
        "JumpedTo": EventType.SEEK,
        "ForwardedTo": EventType.SEEK,
        "Rewound": EventType.SEEK,
        "ChangedSpeed": EventType.RATE,
        "Ended": EventType.ENDED,
    }
)
PATHS = {
    "actor": "`actor.id`",
    "video": "`object.id`",
    "sitting": "`session.id`",
    "at": "`eventTime`",
    "received": "– 无 none",
    "position": "`target.currentTime`(ISO 8601);跳转带 `target.extensions.newTime` 时取后者 / of a jump with "
    "`target.extensions.newTime` the latter",
    "from": "`target.currentTime`,仅当另有 `newTime` / when there is a `newTime`",
    "rate": "`extensions.newSpeed`",
    "length": "`object.duration`",
    "id": "`id`",
}
NOTES = {
    "Started": "没有位置时为 player_opened(Open edX 的 load_video 如此发出)/ without a position: `player_opened`, as "
    "Open edX sends its load_video",
}


class _Entity(msgspec.Struct):
    id: str = ""
    duration: str | float | None = None


class _TargetExtensions(msgspec.Struct):
    new_time: str | float | None = msgspec.field(default=None, name="newTime")


class _Target(msgspec.Struct):
    current_time: str | float | None = msgspec.field(default=None, name="currentTime")
    extensions: _TargetExtensions | None = None


class _Extensions(msgspec.Struct):
    new_speed: str | float | None = msgspec.field(default=None, name="newSpeed")


class _Event(msgspec.Struct):
    type: str
    action: str = ""
    actor: _Entity | str | None = None
    object: _Entity | str | None = None
    target: _Target | str | None = None
    session: _Entity | str | None = None
    event_time: str | None = msgspec.field(default=None, name="eventTime")
    id: str | None = None
    extensions: _Extensions | None = None


def _understand(said: _Event) -> Reading:
    action = said.action.rpartition("#")[2]
    kind = ACTIONS.get(action)
    if said.type != "MediaEvent" or kind is None:
        return NotPlayback(f"{said.type} {action}".strip())
    target = said.target if isinstance(said.target, _Target) else _Target()
    position = seconds(target.current_time, "target.currentTime")
    came_from = number(None, "")
    if kind == EventType.SEEK.code and target.extensions and target.extensions.new_time is not None:
        came_from, position = position, seconds(target.extensions.new_time, "target.extensions.newTime")
    if action == "Started" and isnan(position):
        kind = EventType.PLAYER_OPENED.code
    return MediaStatement(
        required(_id(said.actor), "actor.id"),
        required(_id(said.object), "object.id"),
        _id(said.session),
        kind,
        moment_us(said.event_time, "eventTime"),
        None,
        position,
        came_from,
        number(said.extensions.new_speed if said.extensions else None, "extensions.newSpeed"),
        seconds(said.object.duration if isinstance(said.object, _Entity) else None, "object.duration"),
        said.id or "",
    )


def _id(entity: _Entity | str | None) -> str:
    """Return the id of an entity, which Caliper writes as an object or as its id alone."""
    return entity.id if isinstance(entity, _Entity) else entity or ""


def _recognises(record: Mapping[str, Any]) -> bool:
    return "eventTime" in record or "purl.imsglobal.org/ctx/caliper" in str(record.get("@context"))


FORMAT = Format("Caliper", ACTIONS, PATHS, NOTES, _recognises, guarded(msgspec.json.Decoder(_Event), _understand))
