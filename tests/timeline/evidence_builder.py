"""Evidence for tests of the judging core, from a few readable rows.

An event is `event(type, at_s, position_s, playing, **marks)`: `at_s` counts from START_MS, on the client's clock. The
class `c1` of platform `p` has lessons of one class hour (2400 s), the enrolment `e1` is that of learner `l1`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np

from online_guard.evidence import Enrolment, Events, Evidence, Lesson, TrainingClass, assemble
from online_guard.terms import EVENT_TYPES, ApplicantKind, CertificateRoute, EventType, LessonKind, Mode

START_MS = int(datetime(2021, 3, 15, 1, tzinfo=UTC).timestamp() * 1000)
"""Monday 15 March 2021, 09:00 in Beijing."""
NS = 1_000_000_000


def lesson(lesson_no: int = 1, **changes: Any) -> Lesson:
    """Return a professional lesson of one class hour."""
    return replace(Lesson(lesson_no, f"第{lesson_no}课", LessonKind.PROFESSIONAL, 2400.0, 1.0), **changes)


def training_class(class_id: str = "c1", **changes: Any) -> TrainingClass:
    """Return an online class of March 2021 by an enterprise, with two lessons."""
    plain = TrainingClass(
        class_id=class_id,
        platform_id="p",
        institution="某职业培训学校",
        applicant_kind=ApplicantKind.ENTERPRISE,
        applicant="某企业",
        occupation="电子商务师",
        mode=Mode.ONLINE,
        certificate_route=CertificateRoute.SKILL_LEVEL,
        starts_on=date(2021, 3, 1),
        ends_on=date(2021, 3, 31),
        required_online_hours=2,
        teachers=1,
        lessons=(lesson(1), lesson(2)),
    )
    return replace(plain, **changes)


def event(kind: str, at_s: float, position_s: float, playing: bool, **marks: Any) -> SimpleNamespace:
    """Return an event; marks are `player`, `rate`, `popup`, `from_s`, `seq`, `late_s` (0.5) and `received_ms`."""
    given = {"player": "tab", "rate": 1.0, "popup": None, "from_s": None, "seq": None, "late_s": 0.5}
    unknown = marks.keys() - {*given, "received_ms"}
    if unknown:
        raise ValueError(f"unknown marks: {unknown}")
    at_ms = START_MS + round(at_s * 1000)
    row = SimpleNamespace(
        type=EventType(kind), at_ms=at_ms, position_s=position_s, playing=playing, **{**given, **marks}
    )
    row.received_ms = marks.get("received_ms", at_ms + round(row.late_s * 1000))
    return row


def beats(
    begin_s: float, end_s: float, position_s: float, *, every_s: float = 15, **marks: Any
) -> list[SimpleNamespace]:
    """Return heartbeats of a player that plays, from `begin_s` to `end_s`, `position_s` at the first."""
    count = round((end_s - begin_s) / every_s)
    return [
        event("heartbeat", begin_s + n * every_s, position_s + n * every_s, True, **marks) for n in range(count + 1)
    ]


def watched(begin_s: float, length_s: float, position_s: float = 0.0, **marks: Any) -> list[SimpleNamespace]:
    """Return the events of a player that plays `length_s` of the lesson from a position."""
    end_s = begin_s + length_s
    return [
        event("play", begin_s, position_s, True, **marks),
        *[row for row in beats(begin_s, end_s, position_s, **marks)[1:] if row.at_ms < START_MS + round(end_s * 1000)],
        event("pause", end_s, position_s + length_s, False, **marks),
    ]


def session(session_id: str = "s1", events: Iterable[SimpleNamespace] = (), **changes: Any) -> SimpleNamespace:
    """Return a session of enrolment `e1` on lesson 1, opened `opened_s` (0) after START_MS on the client's clock."""
    given = {"platform_id": "p", "enrolment_id": "e1", "lesson_no": 1, "opened_s": 0.0, "late_s": 0.5, "device_id": "d"}
    unknown = changes.keys() - {*given, "opened_received_ms"}
    if unknown:
        raise ValueError(f"unknown fields: {unknown}")
    row = SimpleNamespace(session_id=session_id, events=list(events), **{**given, **changes})
    row.opened_at_ms = START_MS + round(row.opened_s * 1000)
    row.opened_received_ms = changes.get("opened_received_ms", row.opened_at_ms + round(row.late_s * 1000))
    return row


def evidence_of(
    *sessions: SimpleNamespace,
    classes: Sequence[TrainingClass] | None = None,
    enrolments: Sequence[Enrolment] | None = None,
    **tables: Any,
) -> Evidence:
    """Return evidence of sessions with their events; further tables as `evidence.assemble` takes them."""
    return assemble(
        classes=(training_class(),) if classes is None else classes,
        enrolments=(Enrolment("e1", "c1", "l1"),) if enrolments is None else enrolments,
        sessions=sessions,
        **tables,
    ).with_events(_events(sessions))


def _events(sessions: Iterable[SimpleNamespace]) -> Events:
    """Return the events in the order of sessions and `seq`, numbered where they don't say it."""
    rows = []
    ordered = sorted(sessions, key=lambda one: (one.platform_id, one.session_id))
    for place, one in enumerate(ordered):
        numbered = [(number if row.seq is None else row.seq, row) for number, row in enumerate(one.events)]
        rows += [(place, seq, row) for seq, row in sorted(numbered, key=lambda pair: pair[0])]
    players = {name: code for code, name in enumerate(dict.fromkeys(row.player for _, _, row in rows))}
    popups = {name: code for code, name in enumerate(dict.fromkeys(row.popup for _, _, row in rows if row.popup))}
    return Events(
        session=np.array([place for place, _, _ in rows], np.int64),
        seq=np.array([seq for _, seq, _ in rows], np.int32),
        type=np.array([EVENT_TYPES.index(row.type) for _, _, row in rows], np.int8),
        at_ms=np.array([row.at_ms for _, _, row in rows], np.int64),
        received_ms=np.array([row.received_ms for _, _, row in rows], np.int64),
        position_s=np.array([row.position_s for _, _, row in rows], np.float64),
        from_s=np.array([np.nan if row.from_s is None else row.from_s for _, _, row in rows], np.float64),
        playing=np.array([row.playing for _, _, row in rows], np.bool_),
        rate=np.array([row.rate for _, _, row in rows], np.float32),
        player=np.array([players[row.player] for _, _, row in rows], np.int32),
        popup=np.array([popups[row.popup] if row.popup else -1 for _, _, row in rows], np.int32),
        player_names=np.array(list(players), object),
        popup_names=np.array(list(popups), object),
    )
