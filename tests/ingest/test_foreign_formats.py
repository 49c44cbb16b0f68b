"""One record of each foreign format → what a player said."""

from __future__ import annotations

import json
from math import isnan
from typing import Any

import pytest

from online_guard.ingest import caliper, open_edx, xapi
from online_guard.ingest.media import COMPLETED, Format, MediaStatement, NotPlayback, kind_name
from online_guard.ingest.refusals import Refusal

VIDEO = "https://w3id.org/xapi/video/"
ADL = "http://adlnet.gov/expapi/verbs/"


def said(form: Format, record: dict[str, Any]) -> MediaStatement:
    reading = form.read(json.dumps(record).encode())
    assert isinstance(reading, MediaStatement), reading
    return reading


def refusal(form: Format, record: dict[str, Any]) -> Refusal:
    reading = form.read(json.dumps(record).encode())
    assert isinstance(reading, Refusal), reading
    return reading


def statement(
    verb: str, *, result: dict[str, Any] | None = None, context: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "id": "s1",
        "actor": {"account": {"homePage": "https://example.org", "name": "wang"}},
        "verb": {"id": verb},
        "object": {"id": "v1", "definition": {"type": f"{VIDEO}activity-type/video"}},
        "context": {"extensions": {f"{VIDEO}extensions/{name}": value for name, value in (context or {}).items()}},
        "result": {"extensions": {f"{VIDEO}extensions/{name}": value for name, value in (result or {}).items()}},
        "timestamp": "2021-07-01T01:00:00Z",
    }


@pytest.mark.parametrize("verb", xapi.VERBS)
def test_every_verb_of_the_table(verb: str) -> None:
    found = said(xapi.FORMAT, statement(verb, result={"time": 5, "time-to": 5}, context={"speed": "1x", "length": 9}))
    assert (kind_name(found.kind), found.position_s, found.length_s) == (kind_name(xapi.VERBS[verb]), 5, 9)


def test_seeked_tells_both_positions() -> None:
    found = said(xapi.FORMAT, statement(f"{VIDEO}verbs/seeked", result={"time-from": 60, "time-to": 20, "time": 1}))
    assert (found.from_s, found.position_s) == (60, 20)


def test_interacted_counts_only_with_a_speed() -> None:
    captions = statement(f"{ADL}interacted", result={"time": 3, "cc-enabled": True})
    assert xapi.FORMAT.read(json.dumps(captions).encode()) == NotPlayback(f"{ADL}interacted")
    captions["result"]["extensions"]["https://w3id.org/xapi/openedx/extension/speed-to"] = "1.25x"
    assert said(xapi.FORMAT, captions).rate == 1.25


@pytest.mark.parametrize("segments", ["", "0[.]", "[,]", "0[.]5[,]4", None, 7])
def test_played_segments_are_a_claim_without_times_and_never_refuse_a_statement(segments: Any) -> None:
    assert (
        said(xapi.FORMAT, statement(f"{VIDEO}verbs/paused", result={"time": 3, "played-segments": segments})).position_s
        == 3
    )


def test_a_general_verb_about_something_else_is_not_about_playback() -> None:
    record = statement(f"{ADL}completed", result={"time": 3})
    record["object"]["definition"]["type"] = "http://adlnet.gov/expapi/activities/course"
    assert xapi.FORMAT.read(json.dumps(record).encode()) == NotPlayback(f"{ADL}completed")


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        ({"mbox": "mailto:a@example.org", "name": "A"}, "mailto:a@example.org"),
        ({"mbox_sha1sum": "00ff"}, "mbox_sha1sum:00ff"),
        ({"openid": "https://a.example.org"}, "https://a.example.org"),
        ({"account": {"homePage": "h", "name": 12}}, "h|12"),
    ],
)
def test_four_ways_to_name_an_actor(actor: dict[str, Any], expected: str) -> None:
    assert said(xapi.FORMAT, statement(f"{VIDEO}verbs/played") | {"actor": actor}).actor == expected


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"actor": {}}, "actor"),
        ({"actor": {"name": "only a name"}}, "actor"),
        ({"object": {}}, "object.id"),
        ({"timestamp": None}, "timestamp"),
        ({"timestamp": "2021-07-01T01:00:00"}, "timestamp"),
        ({"stored": "2021-07-01T01:00:00"}, "stored"),
        ({"verb": "played"}, "verb"),
        ({"result": {"extensions": {f"{VIDEO}extensions/time": "soon"}}}, "time"),
    ],
)
def test_a_statement_without_what_it_needs_is_refused_with_the_field(change: dict[str, Any], field: str) -> None:
    assert refusal(xapi.FORMAT, statement(f"{VIDEO}verbs/played") | change).field == field


def test_without_timestamp_the_time_of_storage_counts() -> None:
    record = statement(f"{VIDEO}verbs/played") | {"timestamp": None, "stored": "1970-01-01T00:00:01Z"}
    found = said(xapi.FORMAT, record)
    assert (found.at_us, found.received_us) == (1_000_000, 1_000_000)


def line(event: str, payload: Any, **more: Any) -> dict[str, Any]:
    outer = {"username": "zhang", "event_type": event, "session": "s", "page": "p", "time": "2021-07-01T01:00:00+00:00"}
    return outer | {"event": payload, "context": {"course_id": "c", "user_id": 7}} | more


@pytest.mark.parametrize("event", open_edx.EVENTS)
def test_every_event_of_the_table(event: str) -> None:
    for payload in ({"id": "v", "currentTime": 5, "new_time": 5}, {"id": "v", "current_time": "5", "new_time": 5.0}):
        for written in (payload, json.dumps(payload)):
            found = said(open_edx.FORMAT, line(event, written))
            assert (found.kind, found.position_s, found.video) == (open_edx.EVENTS[event], 5, "c/v")


def test_seek_of_browser_and_of_mobile() -> None:
    browser = said(open_edx.FORMAT, line("seek_video", {"id": "v", "old_time": 4, "new_time": 9}))
    mobile = said(open_edx.FORMAT, line("edx.video.position.changed", {"id": "v", "currentTime": 4, "new_time": 9}))
    nothing = said(open_edx.FORMAT, line("seek_video", {"id": "v", "old_time": None, "new_time": None}))
    assert (browser.from_s, browser.position_s) == (mobile.from_s, mobile.position_s) == (4, 9)
    assert isnan(nothing.from_s)
    assert isnan(nothing.position_s)


def test_the_newer_form_with_name_data_and_timestamp() -> None:
    record = {
        "name": "play_video",
        "timestamp": "1970-01-01T00:00:01+00:00",
        "time": "1970-01-01T00:00:03+00:00",
        "data": {"id": "v", "currentTime": 0, "duration": None},
        "context": {"course_id": "c", "user_id": 7, "username": "", "session": "s", "page": "p"},
    }
    found = said(open_edx.FORMAT, record)
    assert (found.actor, found.sitting, found.at_us, found.received_us) == ("user_id:7", "s p", 1_000_000, 3_000_000)
    assert isnan(found.length_s)


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (line("play_video", '{"id": "cut o'), "event"),
        (line("play_video", ""), "event"),
        (line("play_video", None), "event"),
        (line("play_video", {"currentTime": 1}), "id"),
        (line("play_video", {"id": "v"}, username="", context={}), "username"),
        (line("play_video", {"id": "v"}, time="2021-07-01T01:00:00"), "time"),
    ],
)
def test_a_line_without_what_it_needs_is_refused(record: dict[str, Any], field: str) -> None:
    assert refusal(open_edx.FORMAT, record).field == field


def test_a_page_view_is_not_about_playback_whatever_its_event_holds() -> None:
    assert open_edx.FORMAT.read(json.dumps(line("/courses", "cut o")).encode()) == NotPlayback("/courses")


def media_event(action: str, target: dict[str, Any] | str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "type": "MediaEvent",
        "action": action,
        "actor": {"id": "a"},
        "object": {"id": "v", "duration": "PT1M"},
        "target": target,
        "session": "s",
        "eventTime": "2021-07-01T01:00:00.000Z",
        **more,
    }


@pytest.mark.parametrize("action", caliper.ACTIONS)
def test_every_action_of_the_table(action: str) -> None:
    found = said(caliper.FORMAT, media_event(action, {"currentTime": "PT5S"}))
    assert (found.kind, found.position_s, found.length_s, found.sitting) == (caliper.ACTIONS[action], 5, 60, "s")


def test_started_without_a_position_is_a_player_that_opens() -> None:
    assert kind_name(said(caliper.FORMAT, media_event("Started", {})).kind) == "player_opened"
    assert kind_name(said(caliper.FORMAT, media_event("Started", {"currentTime": "PT0S"})).kind) == "play"


def test_a_jump_lands_at_the_new_time_where_one_is_given() -> None:
    jump = said(caliper.FORMAT, media_event("JumpedTo", {"currentTime": "PT9S", "extensions": {"newTime": "PT2S"}}))
    plain = said(caliper.FORMAT, media_event("JumpedTo", {"currentTime": "PT9S"}))
    assert (jump.from_s, jump.position_s) == (9, 2)
    assert isnan(plain.from_s)
    assert plain.position_s == 9


def test_other_actions_and_events_are_counted_apart() -> None:
    muted = media_event("Muted")
    assert caliper.FORMAT.read(json.dumps(muted).encode()) == NotPlayback("MediaEvent Muted")
    assert caliper.FORMAT.read(json.dumps(muted | {"type": "SessionEvent"}).encode()) == NotPlayback(
        "SessionEvent Muted"
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [({"actor": None}, "actor.id"), ({"object": {}}, "object.id"), ({"eventTime": "2021-07-01"}, "eventTime")],
)
def test_a_media_event_without_what_it_needs_is_refused(change: dict[str, Any], field: str) -> None:
    assert refusal(caliper.FORMAT, media_event("Paused") | change).field == field


def test_completions_are_told_apart_later() -> None:
    assert said(open_edx.FORMAT, line("complete_video", {"id": "v"})).kind == COMPLETED
    assert said(xapi.FORMAT, statement(f"{ADL}completed")).kind == COMPLETED


@pytest.mark.parametrize("form", [xapi.FORMAT, caliper.FORMAT, open_edx.FORMAT], ids=lambda form: form.name)
@pytest.mark.parametrize(
    "inner", [pytest.param(b"[" * 100_000 + b"]" * 100_000, id="deep"), b"NaN", b'"\\ud800"', b'"\xff"', b"1e999"]
)
def test_hostile_json_is_refused_and_breaks_nothing(form: Format, inner: bytes) -> None:
    names = (b"verb", b"type", b"event_type", b"event", b"context")
    record = b"{" + b",".join(b'"%s":%s' % (name, inner) for name in names) + b"}"
    assert isinstance(form.read(record), Refusal)
