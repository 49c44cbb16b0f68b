"""Where a session stands, added up batch by batch, is what all its events say."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_guard.api.bodies import ClassBody
from online_guard.evidence import Enrolment, Evidence, assemble
from online_guard.ingest.identity import settle
from online_guard.ingest.live import LiveEvent
from online_guard.policy import Policy
from online_guard.service.receiving.directives import Drawn, tell, that_matter
from online_guard.service.receiving.standing import Standing, Track, of_lesson
from online_guard.simulate.course import Course
from online_guard.store.event_chunks import Chunk, chunk_of, opened

NOON_MS = 1_623_124_800_000
COURSE = Course(duration_s=4800)
KEY = f"{COURSE.platform_id}/s"
Event = dict[str, Any]
"""A step of a player: `after_ms` since the event before it in the session."""

steps = st.builds(
    dict,
    type=st.sampled_from(["play", "play", "pause", "seek", "heartbeat", "heartbeat", "popup_shown", "player_closed"]),
    after_ms=st.sampled_from([0, 1, 20_000, 60_000, 60_001, 400_000]),
    position_s=st.sampled_from([0.0, 0.5, 20.0, 21.9, 22.0, 1000.0, 2400.0, 4000.25]),
    from_s=st.sampled_from([None, None, 20.0, 0.25]),
    playing=st.booleans(),
    player=st.sampled_from(["tab-1", "tab-1", "tab-1", "tab-1", "tab-2"]),
)
pictures = st.lists(st.tuples(st.integers(0, 900_000), st.booleans()), max_size=2)


def events_of(session_steps: Sequence[dict[str, Any]]) -> list[LiveEvent]:
    """Return the events of steps."""
    events, now_ms = [], NOON_MS
    for seq, step in enumerate(session_steps):
        now_ms += step["after_ms"]
        row = {name: value for name, value in step.items() if name != "after_ms" and value is not None}
        row |= {"seq": seq, "at_ms": now_ms, "rate": 1.0}
        if row["type"].startswith("popup_"):
            row["popup"] = f"p{seq}"
        if row["type"] != "seek":
            row.pop("from_s", None)
        events.append(msgspec.convert(row, LiveEvent))
    return events


def lesson(events: Sequence[LiveEvent], photos: Sequence[tuple[int, bool]]) -> Evidence:
    """Return the evidence of one session, and of another one in the lesson that has no events."""
    body = COURSE.class_row()
    body["lessons"] = [row | {"class_hours": 2.0} for row in body["lessons"]]
    session = {
        "platform_id": COURSE.platform_id, "session_id": "s", "enrolment_id": "e", "lesson_no": 1,
        "opened_at_ms": NOON_MS, "opened_received_ms": NOON_MS, "device_id": "pc",
    }  # fmt: skip
    facts = {"platform_id": COURSE.platform_id, "session_id": "s", "distance": None, "presented_attack": None}
    evidence = assemble(
        classes=[ClassBody.model_validate(body).typed(COURSE.class_id, COURSE.platform_id)],
        enrolments=[Enrolment("e", COURSE.class_id, "learner")],
        sessions=[SimpleNamespace(**session), SimpleNamespace(**session | {"session_id": "t"})],
        snapshots=[
            SimpleNamespace(
                **facts, snapshot_id=f"photo-{place}", at_ms=NOON_MS + after_ms, received_ms=NOON_MS + after_ms,
                asked=asked, good=True, sha256="0" * 64, phash="0" * 16,
            )
            for place, (after_ms, asked) in enumerate(photos)
        ],
    )  # fmt: skip
    rows = [msgspec.structs.asdict(event) | {"type": event.type.code, "received_ms": NOON_MS} for event in events]
    place = list(evidence.sessions.key).index(KEY)
    return evidence.with_events(
        settle(opened([Chunk(place, len(rows), chunk_of(rows))]))[0] if rows else evidence.events
    )


@given(st.lists(steps, max_size=25), st.data(), pictures)
@settings(max_examples=100)
def test_added_up_batch_by_batch_it_is_what_all_events_say(
    policy: Policy, session_steps: list[dict[str, Any]], data: st.DataObject, photos: list[tuple[int, bool]]
) -> None:
    events = events_of(session_steps)
    known = 0
    track = of_lesson(lesson([], photos), KEY, policy)
    while known < len(events):
        upto = data.draw(st.integers(known + 1, len(events)))
        whole = of_lesson(lesson(events[:upto], photos), KEY, policy)
        added = track.after(events[known:upto], policy)
        if added is not None:
            assert added.standing == whole.standing
        track, known = added or whole, upto


def test_an_ordinary_session_never_needs_the_whole(policy: Policy) -> None:
    track = of_lesson(lesson([], []), KEY, policy)
    events = ordinary(60)
    for first in range(0, 60, 12):
        added = track.after(events[first : first + 12], policy)
        assert added is not None
        track = added
    assert track.standing == of_lesson(lesson(events, []), KEY, policy).standing
    assert track.standing.playing_ms == 58 * 10_000
    assert track.standing.last_popup_ms == 440_000


def ordinary(number: int) -> list[LiveEvent]:
    """Return the events of a player that plays, reloaded halfway, with a pop-up every 150 s."""
    rows = []
    for seq in range(number):
        kind = "popup_shown" if seq % 15 == 0 and seq else "heartbeat"
        where = {"position_s": 10.0 * seq, "playing": True, "player": "tab" if seq < number / 2 else "tab again"}
        rows.append({"type": kind, "after_ms": 10_000 if seq else 0} | where)
    return events_of(rows)


@pytest.mark.parametrize(
    ("change", "is_known"),
    [
        ({}, True),
        ({"player": "tab-2"}, True),
        ({"player": "tab"}, False),
        ({"at_ms": NOON_MS + 19_999}, False),
        ({"at_ms": NOON_MS + 20_000}, True),
    ],
)
def test_what_a_batch_can_not_be_added_to(policy: Policy, change: dict[str, Any], is_known: bool) -> None:
    track = of_lesson(lesson(ordinary(4)[:3], []), KEY, policy)
    assert track.others == {"tab"}
    event = msgspec.structs.replace(ordinary(4)[3], **change)
    assert (track.after([event], policy) is not None) == is_known


@pytest.mark.parametrize(("after_ms", "is_known"), [(19_999, True), (20_000, False), (90_000, False)])
def test_a_picture_at_or_after_the_last_event_needs_the_whole(policy: Policy, after_ms: int, is_known: bool) -> None:
    events = ordinary(4)
    track = of_lesson(lesson(events[:3], [(after_ms, True)]), KEY, policy)
    assert (track.after(events[3:], policy) is not None) == is_known


def test_the_comparison_would_notice_a_wrong_clock(policy: Policy) -> None:
    events = ordinary(8)[:4]
    track = of_lesson(lesson(events[:2], []), KEY, policy)
    track.plays = False
    added = track.after(events[2:], policy)
    assert added is not None
    assert added.standing != of_lesson(lesson(events, []), KEY, policy).standing


def test_a_session_without_events_stands_at_the_beginning(policy: Policy) -> None:
    track = of_lesson(lesson([], []), KEY, policy)
    assert track == Track(Standing(0, 0.0, (2400.0, 4800.0), (False, False), 0, False))


def test_a_lesson_of_no_class_hours_has_no_parts(policy: Policy) -> None:
    evidence = lesson(ordinary(4), [])
    (described,) = evidence.classes
    lessons = tuple(dataclasses.replace(one, class_hours=0.0) for one in described.lessons)
    without = dataclasses.replace(evidence, classes=(dataclasses.replace(described, lessons=lessons),))
    standing = of_lesson(without, KEY, policy).standing
    assert (standing.part_ends_s, standing.retained, standing.playing_ms) == ((), (), 20_000)


@given(
    st.lists(
        st.builds(
            Drawn,
            st.uuids().map(str),
            st.sampled_from(["popup", "snapshot", "liveness"]),
            st.just("nonce"),
            st.integers(0, 900_000),
            st.none() | st.just(1),
            st.none() | st.just(2),
        ),
        max_size=12,
    ),
    st.integers(0, 900_000),
)
def test_directives_that_no_longer_matter_change_nothing(policy: Policy, drawn: list[Drawn], playing_ms: int) -> None:
    standing = Standing(playing_ms, playing_ms / 1000, (2400.0, 4800.0), (False, True), 0, passed=False)
    drawn.sort(key=lambda one: one.due_playing_ms)
    fewer = [dataclasses.replace(one) for one in that_matter(drawn, playing_ms)]
    known = {one.directive_id for one in drawn}
    told = []
    for directives in ([dataclasses.replace(one) for one in drawn], fewer):
        with patch("online_guard.service.receiving.directives.secrets.randbelow", lambda most: most // 2):
            rows, changed = tell(standing, directives, policy, 5)
        new = sorted(one.kind for one in changed if one.directive_id not in known)
        told.append(([row["directive_id"] for row in rows if row["directive_id"] in known], new))
    assert told[0] == told[1]
