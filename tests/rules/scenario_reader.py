"""Scenarios of the rules: YAML that an auditor can read, as evidence for the judging core.

`tests/scenarios/ogNNN_name.yaml` is a list of cases for one rule; only this rule's findings are compared. A case:

    name: a sentence                            # unique in the file
    policy: {popup.max_gap_s: 240}              # optional, over the shipped pack
    classes: {c1: {lessons: [[professional, 2400, 1]], starts_on: 2021-03-01, ends_on: 2021-03-31, platform: p}}
    enrolments: {li: {class: c1, learner: li, face_checks: declined, leave: [[2021-03-10, 2021-03-12, true]]}}
    sessions: [{session: s1, …}, …]             # or the keys of a single session beside `name`
    likenesses: [{of: s1/a, to: s2/b, residual: 0.01}, {of: s1/a, reference: li, distance: 0.3}]
    projects: [{learner: li, class: c1, ended_on: 2021-03-20, assessed_on: 2021-03-20}]
    decisions: [{rule: OG401, subject: s1, decision: dismiss, reviewers: [first, second]}]
    expect: [{rule: OG301, subject: s1, value: 300.0, limit: 300.0}]    # [] = this rule is silent
    not_evaluable: {reason: 1}                  # what this rule couldn't judge; nothing, if left out
    xfail: why                                  # a known gap, strict

`expect` compares the fields it names: those of the evidence, `effect`, and `at: [begin, end]` in seconds since the
opening. Subjects are written without the platform `p/`: s1, s1/a (snapshot), li/1 (lesson), li (enrolment), c1 (class).

A session has (defaults in brackets) `session` (s1), `learner` (li), `class` (c1), `lesson` (1), `device` (the learner),
`opened` (0: seconds since the case's start, Monday 15 March 2021, 09:00 in Beijing), `skew` (0: seconds by which the
client's clock is fast), `opening_late` (0: seconds until the opening arrives), `late` (0.5: likewise for each event),
`player` (tab), and lists:

    events:      [[type, seconds since the opening, position, playing, {marks}], …]
    snapshots:   [{id: a, at: 10, asked: true, good: true, sha256: word, phash: 16 hex, distance, attack, late}]
    checks:      [{id: k, at: 10, outcome: passed, distance: 0.3, attack}]          # liveness
    directives:  [{id: p1, kind: popup, issued: 0, due: 240}]                       # due on the playing clock

Marks of an event: `player`, `rate`, `popup`, `from_s`, `seq` (else one more than the row before), `late`, or `arrives`
(seconds since the opening). Rows that repeat are written once:

    {every: 15, from: 15, to: 240, type: heartbeat, position: 15, speed: 1, playing: true, …marks}
    {repeat: 100, shift: [1, 3], rows: [[play, 0, 0, true], [pause, 0.9, 2.7, false]]}   # {n} in a word: 0, 1, …
    a session with repeat: 300, shift: [12, 10]                                          # {s} in a word: 0, 1, …

where `shift` moves each repetition by so many seconds and so much position.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import yaml

from online_guard.evidence import (
    Decision,
    Enrolment,
    Events,
    Evidence,
    Leave,
    Lesson,
    Project,
    TrainingClass,
    assemble,
)
from online_guard.ingest.identity import settle
from online_guard.rules.catalogue import BY_ID
from online_guard.terms import (
    EVENT_TYPES,
    ApplicantKind,
    CertificateRoute,
    DecisionKind,
    EventType,
    FaceChecks,
    LessonKind,
    Mode,
    Outcome,
)

START_MS = int(datetime(2021, 3, 15, 1, tzinfo=UTC).timestamp() * 1000)
MARKS = {"player": None, "rate": 1.0, "popup": None, "from_s": None, "seq": None, "late": None, "arrives": None}
SESSION = {
    "session": "s1",
    "learner": "li",
    "class": "c1",
    "lesson": 1,
    "device": None,
    "opened": 0,
    "skew": 0,
    "opening_late": 0,
    "late": 0.5,
    "player": "tab",
    "events": (),
    "snapshots": (),
    "checks": (),
    "directives": (),
}
FACTS = {
    "snapshots": {"id": None, "at": None, "asked": True, "good": True, "sha256": None, "phash": None, "distance": 0.3}
    | {"attack": None, "late": 0.5},
    "checks": {"id": None, "at": None, "outcome": "passed", "distance": None, "attack": None},
    "directives": {"id": None, "kind": "popup", "issued": None, "due": None},
    "likenesses": {"of": None, "to": None, "reference": None, "phash_distance": 12, "cosine": None, "residual": None}
    | {"distance": None},
    "projects": {"learner": "li", "class": "c1", "ended_on": None, "assessed_on": None},
    "decisions": {"rule": None, "subject": None, "decision": None, "reviewers": None},
}
CLASS = {"platform": "p", "starts_on": None, "ends_on": None, "lessons": (("professional", 2400, 1),)}
ENROLMENT = {"class": "c1", "learner": "li", "face_checks": "required", "leave": ()}
CASE = ("name", "policy", "classes", "enrolments", "sessions", "likenesses", "projects", "decisions", "expect")
CASE_MORE = ("not_evaluable", "xfail")


class ScenarioError(ValueError):
    """A scenario file says something that has no meaning."""


@dataclass(frozen=True)
class Case:
    """One case of a scenario file, checked; `overrides` are the policy's `KEY=VALUE`."""

    rule: str
    name: str
    evidence: Evidence
    expect: tuple[Mapping[str, Any], ...]
    overrides: tuple[str, ...] = ()
    not_evaluable: Mapping[str, int] = field(default_factory=dict)
    xfail: str | None = None


def read_cases(path: Path) -> list[Case]:
    """Return the cases of a file, whose name must be that of a rule of the catalogue."""
    rule = path.stem.partition("_")[0].upper()
    if rule not in BY_ID or path.stem != f"{rule.lower()}_{BY_ID[rule].name.replace('-', '_')}":
        raise ScenarioError(f"{path.name}: no rule of the catalogue has this name")
    rows = yaml.safe_load(path.read_text("utf-8"))
    if not rows or not isinstance(rows, list):
        raise ScenarioError(f"{path.name}: a list of at least one case is needed")
    cases = [read_case(rule, row) for row in rows]
    names = [case.name for case in cases]
    if len(names) != len(set(names)):
        raise ScenarioError(f"{path.name}: two cases have one name")
    return cases


def read_case(rule: str, row: Any) -> Case:
    """Return one case of a rule."""
    single = [key for key in row if key in SESSION]
    _known(row, (*CASE, *CASE_MORE, *SESSION), "case")
    if not isinstance(row.get("name"), str) or not isinstance(row.get("expect"), list):
        raise ScenarioError(f"a case needs a `name` and an `expect` list: {row.get('name')}")
    if ("sessions" in row) == bool(single):
        raise ScenarioError(f"{row['name']}: either `sessions` or the keys of one session")
    for expected in row["expect"]:
        if not isinstance(expected, dict) or expected.get("rule") != rule or "subject" not in expected:
            raise ScenarioError(f"{row['name']}: an expectation names rule {rule} and a subject: {expected}")
        if not expected.keys() & {"value", "effect"}:
            raise ScenarioError(f"{row['name']}: an expectation says what was measured")
    sessions = row["sessions"] if "sessions" in row else [{key: row[key] for key in single}]
    return Case(
        rule=rule,
        name=row["name"],
        evidence=_evidence(row, [one for session in sessions for one in _repeated_session(session)]),
        expect=tuple(row["expect"]),
        overrides=tuple(f"{key}={_toml(value)}" for key, value in (row.get("policy") or {}).items()),
        not_evaluable=row.get("not_evaluable") or {},
        xfail=row.get("xfail"),
    )


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')


def _known(row: Any, keys: Sequence[str] | Mapping[str, Any], what: str) -> None:
    if not isinstance(row, dict):
        raise ScenarioError(f"a {what} is a mapping: {row}")
    unknown = row.keys() - set(keys)
    if unknown:
        raise ScenarioError(f"unknown key of a {what}: {', '.join(sorted(map(str, unknown)))}")


def _filled(row: Any, defaults: Mapping[str, Any], what: str) -> SimpleNamespace:
    _known(row, defaults, what)
    return SimpleNamespace(**{**defaults, **row})


def _renamed(value: Any, mark: str, number: int) -> Any:
    """Return the value with `mark` replaced by a number in every word."""
    if isinstance(value, str):
        return value.replace(mark, str(number))
    if isinstance(value, list):
        return [_renamed(item, mark, number) for item in value]
    if isinstance(value, dict):
        return {key: _renamed(item, mark, number) for key, item in value.items()}
    return value


def _repeated_session(row: Any) -> Iterator[SimpleNamespace]:
    _known(row, (*SESSION, "repeat", "shift"), "session")
    row = dict(row)
    count, (later, further) = row.pop("repeat", 1), row.pop("shift", (0, 0))
    for number in range(count):
        one = _filled(_renamed(row, "{s}", number), SESSION, "session")
        one.opened += number * later
        one.events = [(kind, at, place + number * further, *rest) for kind, at, place, *rest in _rows(one.events)]
        yield one


def _rows(items: Sequence[Any]) -> Iterator[tuple[str, float, float, bool, dict[str, Any]]]:
    """Yield every event row as (type, seconds, position, playing, marks)."""
    for item in items:
        if isinstance(item, list):
            if len(item) not in (4, 5):
                raise ScenarioError(f"an event is [type, seconds, position, playing, {{marks}}]: {item}")
            kind, at, position, playing, marks = (*item, {})[:5]
            _known(marks, MARKS, "mark")
            if kind not in set(EventType) or not isinstance(playing, bool):
                raise ScenarioError(f"unknown type of event, or `playing` is no truth: {item}")
            yield str(kind), at, position, playing, marks
        elif "repeat" in item:
            _known(item, ("repeat", "shift", "rows"), "repetition")
            later, further = item["shift"]
            for number in range(item["repeat"]):
                for kind, at, position, playing, marks in _rows(_renamed(item["rows"], "{n}", number)):
                    yield kind, at + number * later, position + number * further, playing, marks
        else:
            yield from _rows(_series(item))


def _series(item: Any) -> list[list[Any]]:
    own = {"every": None, "from": None, "to": None, "type": "heartbeat", "position": None, "speed": 1, "playing": True}
    _known(item, (*own, *MARKS), "series of events")
    given = {**own, **item}
    marks = {key: value for key, value in item.items() if key in MARKS}
    begin, step = given["from"], given["every"]
    place = begin if given["position"] is None else given["position"]
    count = int((given["to"] - begin) / step + 1e-9) + 1
    return [
        [given["type"], begin + n * step, place + n * step * given["speed"], given["playing"], marks]
        for n in range(count)
    ]


def _ms(seconds: float) -> int:
    return START_MS + round(seconds * 1000)


def _evidence(case: Mapping[str, Any], sessions: Sequence[SimpleNamespace]) -> Evidence:
    classes = {"c1": {}, **(case.get("classes") or {})}
    typed = [_class(name, row or {}) for name, row in classes.items()]
    enrolments = {name: _enrolment(name, row) for name, row in (case.get("enrolments") or {}).items()}
    owners = {(one.learner_id, one.class_id): name for name, one in enrolments.items()}
    platforms = {one.class_id: one.platform_id for one in typed}
    for one in sessions:
        pair = (one.learner, one.__dict__["class"])
        if pair not in owners:
            owners[pair] = one.learner if pair[1] == "c1" else "-".join(pair)
            enrolments[owners[pair]] = Enrolment(owners[pair], pair[1], one.learner)
        one.platform_id, one.session_id, one.enrolment_id = platforms[pair[1]], one.session, owners[pair]
        one.lesson_no, one.device_id = one.lesson, one.device or one.learner
        one.opened_at_ms, one.opened_received_ms = _ms(one.opened + one.skew), _ms(one.opened + one.opening_late)
    keys = [f"{one.platform_id}/{one.session_id}" for one in sessions]
    if len(keys) != len(set(keys)):
        raise ScenarioError(f"{case['name']}: two sessions have one id")
    evidence = assemble(
        classes=typed,
        enrolments=enrolments.values(),
        sessions=sessions,
        snapshots=[_snapshot(one, row) for one in sessions for row in one.snapshots],
        checks=[_check(one, row) for one in sessions for row in one.checks],
        directives=[_directive(one, row) for one in sessions for row in one.directives],
        likenesses=[_likeness(row) for row in case.get("likenesses") or ()],
        projects=[_project(row) for row in case.get("projects") or ()],
        decisions=[one for row in case.get("decisions") or () for one in _decisions(row)],
    )
    return evidence.with_events(_events(sessions, {key: row for row, key in enumerate(evidence.sessions.key)}))


def _class(name: str, row: Any) -> TrainingClass:
    given = _filled(row, CLASS, "class")
    lessons = [
        Lesson(number, f"lesson {number}", LessonKind(kind), float(duration), float(hours))
        for number, (kind, duration, hours) in enumerate(given.lessons, 1)
    ]
    return TrainingClass(
        class_id=name,
        platform_id=given.platform,
        institution="school",
        applicant_kind=ApplicantKind.ENTERPRISE,
        applicant="works",
        occupation="电子商务师",
        mode=Mode.ONLINE,
        certificate_route=CertificateRoute.SKILL_LEVEL,
        starts_on=given.starts_on or datetime(2021, 3, 1, tzinfo=UTC).date(),
        ends_on=given.ends_on or datetime(2021, 3, 31, tzinfo=UTC).date(),
        required_online_hours=1.0,
        teachers=1,
        lessons=tuple(lessons),
    )


def _enrolment(name: str, row: Any) -> Enrolment:
    given = _filled(row, ENROLMENT, "enrolment")
    leave = tuple(Leave(*days) for days in given.leave)
    return Enrolment(name, given.__dict__["class"], given.learner, FaceChecks(given.face_checks), leave)


def _snapshot(session: SimpleNamespace, row: Any) -> SimpleNamespace:
    given = _filled(row, FACTS["snapshots"], "snapshot")
    own = f"{session.session_id}/{given.id}"
    given.snapshot_id, given.presented_attack = given.id, given.attack
    given.platform_id, given.session_id = session.platform_id, session.session_id
    given.at_ms = _ms(session.opened + session.skew + given.at)
    given.received_ms = _ms(session.opened + given.at + given.late)
    given.phash = given.phash or hashlib.sha256(own.encode()).hexdigest()[:16]
    given.sha256 = hashlib.sha256((given.sha256 or own).encode()).hexdigest()
    return given


def _check(session: SimpleNamespace, row: Any) -> SimpleNamespace:
    given = _filled(row, FACTS["checks"], "check")
    given.check_id, given.presented_attack, given.outcome = given.id, given.attack, Outcome(given.outcome)
    given.platform_id, given.session_id = session.platform_id, session.session_id
    given.at_ms = _ms(session.opened + session.skew + given.at)
    if "distance" not in row and given.outcome is Outcome.PASSED:
        given.distance = 0.3
    return given


def _directive(session: SimpleNamespace, row: Any) -> SimpleNamespace:
    given = _filled(row, FACTS["directives"], "directive")
    given.directive_id = given.id
    given.platform_id, given.session_id = session.platform_id, session.session_id
    given.issued_ms, given.due_playing_ms = _ms(session.opened + given.issued), round(given.due * 1000)
    return given


def _likeness(row: Any) -> SimpleNamespace:
    given = _filled(row, FACTS["likenesses"], "likeness")
    given.platform_id, given.session_id, given.snapshot_id = f"p/{given.of}".split("/")[-3:]
    given.other_kind = "reference" if given.reference else "snapshot"
    given.other_id = given.reference or f"p/{given.to}"
    return given


def _project(row: Any) -> Project:
    given = _filled(row, FACTS["projects"], "project")
    return Project(given.learner, given.__dict__["class"], given.ended_on, given.assessed_on)


def _decisions(row: Any) -> Iterator[Decision]:
    given = _filled(row, FACTS["decisions"], "decision")
    subject = BY_ID[given.rule].subject
    name = f"p/{given.subject}" if subject in ("session", "snapshot") else given.subject
    for number, reviewer in enumerate(given.reviewers):
        yield Decision(given.rule, subject, name, DecisionKind(given.decision), "seen", START_MS + number, reviewer)


def _events(sessions: Sequence[SimpleNamespace], places: Mapping[str, int]) -> Events:
    """Return the events that count of all sessions."""
    rows: list[tuple[Any, ...]] = []
    names: dict[str, dict[str, int]] = {"player": {}, "popup": {}}
    for one in sessions:
        seq = -1
        for kind, at, position, playing, marks in one.events:
            given = _filled(marks, MARKS, "mark")
            seq = seq + 1 if given.seq is None else given.seq
            late = one.late if given.late is None else given.late
            received = _ms(one.opened + (at + late if given.arrives is None else given.arrives))
            player = names["player"].setdefault(given.player or one.player, len(names["player"]))
            popup = -1 if given.popup is None else names["popup"].setdefault(given.popup, len(names["popup"]))
            if (given.popup is None) == kind.startswith("popup_"):
                raise ScenarioError(f"`popup` belongs to the events of a pop-up, and to no other: {kind} at {at}")
            place = np.nan if given.from_s is None else given.from_s
            code, at_ms = EVENT_TYPES.index(EventType(kind)), _ms(one.opened + one.skew + at)
            row = places[f"{one.platform_id}/{one.session_id}"]
            rows.append((row, seq, code, at_ms, received, position, place, playing, given.rate, player, popup))
    empty = Events()
    table = list(zip(*rows, strict=True)) or [()] * 11
    columns = ("session", "seq", "type", "at_ms", "received_ms", "position_s", "from_s", "playing", "rate", "player")
    events = Events(
        **{
            name: np.array(values, getattr(empty, name).dtype)
            for name, values in zip((*columns, "popup"), table, strict=True)
        },
        player_names=np.array(list(names["player"]), object),
        popup_names=np.array(list(names["popup"]), object),
    )
    return settle(events)[0]
