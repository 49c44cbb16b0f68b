"""xAPI statements of the video profile → media statements (profile: https://w3id.org/xapi/video)."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

import msgspec

from online_guard.ingest.media import (
    COMPLETED,
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

VIDEO = "https://w3id.org/xapi/video/"
_ADL = "http://adlnet.gov/expapi/verbs/"
_EXTENSION = f"{VIDEO}extensions/"
_OPEN_EDX = "https://w3id.org/xapi/openedx/extension"
VERBS = codes(
    {
        f"{VIDEO}verbs/played": EventType.PLAY,
        f"{VIDEO}verbs/paused": EventType.PAUSE,
        f"{VIDEO}verbs/seeked": EventType.SEEK,
        f"{_ADL}initialized": EventType.PLAYER_OPENED,
        f"{_ADL}interacted": EventType.RATE,
        f"{_ADL}completed": COMPLETED,
        f"{_ADL}terminated": EventType.PLAYER_CLOSED,
        "http://activitystrea.ms/schema/1.0/play": EventType.PLAY,
        "http://id.tincanapi.com/verb/paused": EventType.PAUSE,
    }
)
"""The profile's verbs, and the two that it calls exact matches."""
PATHS = {
    "actor": "`actor.account` (`homePage|name`), `mbox`, `mbox_sha1sum`, `openid`",
    "video": "`object.id`",
    "sitting": f"`context.extensions`: `{_EXTENSION}session-id`, `{_OPEN_EDX}s/session-id`; `context.registration`",
    "at": "`timestamp`, else `stored`",
    "received": "`stored`",
    "position": f"`result.extensions`: `{_EXTENSION}time`; seeked: `…/time-to`",
    "from": f"`result.extensions`: `{_EXTENSION}time-from`",
    "rate": f"`result.extensions`: `{_OPEN_EDX}/speed-to`; else `context.extensions`: `{_EXTENSION}speed`",
    "length": f"`context.extensions` or `result.extensions`: `{_EXTENSION}length`",
    "id": "`id`",
}
NOTES = {
    f"{_ADL}interacted": "仅当带播放速度;字幕、音量、全屏与播放无关 / only with a speed; captions, volume or full "
    "screen alone say nothing about playback",
    f"{_ADL}completed": "在片尾为 ended,否则为 heartbeat(达到完成阈值时即可发送,播放继续)/ `ended` at the end, else "
    "a `heartbeat`: the profile sends it at the completion threshold, while the video plays on",
}
_GENERAL = {word for word in VERBS if word.startswith(_ADL)}
"""Verbs that other activities use too."""


class _Account(msgspec.Struct):
    home_page: str = msgspec.field(default="", name="homePage")
    name: str | int = ""


class _Actor(msgspec.Struct):
    account: _Account | None = None
    mbox: str | None = None
    mbox_sha1sum: str | None = None
    openid: str | None = None


class _Verb(msgspec.Struct):
    id: str = ""


class _Definition(msgspec.Struct):
    type: str | None = None


class _Object(msgspec.Struct):
    id: str = ""
    definition: _Definition | None = None


class _Context(msgspec.Struct):
    registration: str | None = None
    extensions: dict[str, Any] | None = None


class _Result(msgspec.Struct):
    extensions: dict[str, Any] | None = None


class _Statement(msgspec.Struct):
    verb: _Verb
    actor: _Actor | None = None
    object: _Object | None = None
    id: str | None = None
    timestamp: str | None = None
    stored: str | None = None
    context: _Context | None = None
    result: _Result | None = None


def _understand(said: _Statement) -> Reading:
    verb = said.verb.id
    kind = VERBS.get(verb)
    said_of = (said.context.extensions if said.context else None) or {}
    result = (said.result.extensions if said.result else None) or {}
    if kind is None or (verb in _GENERAL and not _about_a_video(said.object, said_of, result)):
        return NotPlayback(verb or "verb ?")
    rate = number(result.get(f"{_OPEN_EDX}/speed-to", said_of.get(f"{_EXTENSION}speed")), "speed")
    if kind == EventType.RATE.code and isnan(rate):
        return NotPlayback(verb)
    seeked = kind == EventType.SEEK.code
    return MediaStatement(
        _actor(said.actor),
        required(said.object.id if said.object else None, "object.id"),
        _sitting(said.context, said_of),
        kind,
        moment_us(said.timestamp or said.stored, "timestamp"),
        moment_us(said.stored, "stored") if said.stored else None,
        number(result.get(_EXTENSION + ("time-to" if seeked else "time")), "time-to" if seeked else "time"),
        number(result.get(f"{_EXTENSION}time-from"), "time-from"),
        rate,
        number(said_of.get(f"{_EXTENSION}length", result.get(f"{_EXTENSION}length")), "length"),
        said.id or "",
    )


def _about_a_video(what: _Object | None, said_of: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    if what and what.definition and what.definition.type:
        return what.definition.type.startswith(VIDEO)
    return any(name.startswith(VIDEO) for name in (*said_of, *result))


def _actor(actor: _Actor | None) -> str:
    if actor:
        if actor.account and actor.account.name != "":
            return f"{actor.account.home_page}|{actor.account.name}"
        if name := actor.mbox or actor.openid or (actor.mbox_sha1sum and f"mbox_sha1sum:{actor.mbox_sha1sum}"):
            return name
    raise BadFieldError("actor", NO_VALUE)


def _sitting(context: _Context | None, said_of: Mapping[str, Any]) -> str:
    named = said_of.get(f"{_EXTENSION}session-id") or said_of.get(f"{_OPEN_EDX}s/session-id")
    return str(named or (context and context.registration) or "")


def _recognises(record: Mapping[str, Any]) -> bool:
    return isinstance(record.get("verb"), dict) and "actor" in record


FORMAT = Format("xAPI", VERBS, PATHS, NOTES, _recognises, guarded(msgspec.json.Decoder(_Statement), _understand))
