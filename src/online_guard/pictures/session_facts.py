"""Evidence and its judgement → the facts of the sessions that one picture shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np

from online_guard.evidence import Evidence
from online_guard.pictures import ways
from online_guard.pictures.facts import Check, Due, Mark, Other, Photo, SessionFacts, Span
from online_guard.pictures.telemetry import Session, Telemetry
from online_guard.policy import Policy
from online_guard.rules.catalogue import BY_ID
from online_guard.terms import DecisionKind, Effect, Outcome, Subject
from online_guard.timeline.clocks import moment_of
from online_guard.timeline.digest import View, view
from online_guard.timeline.segments import Spans, crowded
from online_guard.verdict import Finding, finding_id
from online_guard.wording import in_words

MOST_OTHERS = 12
"""More sessions at the same time are not drawn: twelve say enough."""


def session_facts(
    evidence: Evidence, policy: Policy, findings: Sequence[Finding], keys: Sequence[str], seen: View | None = None
) -> SessionFacts:
    """Return what one picture shows of some sessions.

    Args:
        evidence: With events that are settled; sessions at the same time are looked for in it.
        policy: By which it was judged.
        findings: Of the judgement; those about these sessions, their snapshots and their lesson are marked.
        keys: `platform_id/session_id` of sessions of one enrolment in one lesson, at least one of them with events.
        seen: View of the evidence, where it is known already.

    Raises:
        ValueError: None of the sessions is there with events.
    """
    seen = seen or view(evidence, policy)
    telemetry = Telemetry(evidence, policy, seen)
    sessions = _sessions(telemetry, keys)
    if not sessions:
        raise ValueError(f"no events of {', '.join(keys)}")
    row = int(seen.timeline.rows[sessions[0].local])
    enrolment = evidence.enrolments[evidence.sessions.enrolment[row]]
    tracks = tuple(track for session in sessions for track in session.tracks())
    leapt = {finding.subject_id for finding in findings if finding.rule == "OG102"}
    span = min(track.first_ms for track in tracks), max(track.last_ms for track in tracks)
    lesson_no = int(evidence.sessions.lesson_no[row])
    return SessionFacts(
        keys=tuple(session.key for session in sessions),
        enrolment_id=enrolment.enrolment_id,
        lesson_no=lesson_no,
        duration_s=float(evidence.sessions.duration_s[row]),
        allowed_rate=policy.playback.max_rate * (1 + policy.playback.rate_tolerance),
        answer_s=policy.popup.answer_timeout_s,
        max_gap_s=policy.popup.max_gap_s,
        start_ms=span[0],
        end_ms=span[1],
        tracks=tracks,
        pieces=tuple(piece for session in sessions for piece in ways.pieces(session)),
        cones=tuple(cone for session in sessions for cone in ways.cones(session)),
        wedges=tuple(wedge for session in sessions for wedge in ways.wedges(session)),
        jumps=tuple(jump for session in sessions for jump in ways.jumps(session, session.key in leapt)),
        away=tuple(stretch for session in sessions for stretch in session.away()),
        declared=tuple(stretch for session in sessions for stretch in session.declared()),
        controls=tuple(control for session in sessions for control in session.controls()),
        popups=tuple(popup for session in sessions for popup in session.popups()),
        due=tuple(due for session in sessions for due in _due(evidence, session)),
        photos=tuple(photo for session in sessions for photo in _photos(evidence, session)),
        checks=tuple(check for session in sessions for check in _checks(evidence, session)),
        arrivals=tuple(arrival for session in sessions for arrival in session.arrivals()),
        beats=tuple(beat for session in sessions for beat in session.beats()),
        others=tuple(_others(telemetry, sessions, span))[:MOST_OTHERS],
        marks=_marks(sessions, findings, f"{enrolment.enrolment_id}/{lesson_no}", span),
    )


def _sessions(telemetry: Telemetry, keys: Sequence[str]) -> list[Session]:
    """Return the sessions with events, in order of opening, each with its number of tracks before it."""
    timeline, names = telemetry.seen.timeline, telemetry.evidence.sessions.key
    wanted = set(keys)
    locals_ = [local for local, row in enumerate(timeline.rows.tolist()) if names[row] in wanted]
    locals_.sort(key=lambda local: int(timeline.opened_received_ms[local]))
    counts = [int(np.count_nonzero(timeline.track_session == local)) for local in locals_]
    return [telemetry.of(local, before) for local, before in zip(locals_, accumulate([0, *counts]), strict=False)]


def _row(session: Session) -> int:
    return int(session.all.seen.timeline.rows[session.local])


def _due(evidence: Evidence, session: Session) -> Iterator[Due]:
    """Yield what the service asked for and the session played up to."""
    table, clocks = evidence.directives, session.all.seen.clocks
    came = _came(evidence, session)
    for place in np.flatnonzero(table.session == _row(session)).tolist():
        due = table.due_playing_ms[place : place + 1]
        if 0 < clocks.playing_ms[session.local] >= due[0]:
            at = int(moment_of(clocks, np.array([session.local]), due)[0]) + session.offset_ms
            kind = str(table.kind[place])
            yield Due(kind, at, kind != "popup" or str(table.directive_id[place]) in came)


def _came(evidence: Evidence, session: Session) -> set[str]:
    """Return the ids of the pop-ups that were shown."""
    popups = session.all.seen.timeline.popup[session.rows.start : session.rows.stop]
    return {str(evidence.events.popup_names[popup]) for popup in popups.tolist() if popup >= 0}


def _photos(evidence: Evidence, session: Session) -> Iterator[Photo]:
    table = evidence.snapshots
    for place in np.flatnonzero(table.session == _row(session)).tolist():
        at = int(table.at_ms[place]) + session.offset_ms
        yield Photo(str(table.key[place]), at, bool(table.asked[place]), bool(table.good[place]))


def _checks(evidence: Evidence, session: Session) -> Iterator[Check]:
    table = evidence.checks
    for place in np.flatnonzero(table.session == _row(session)).tolist():
        at = int(table.at_ms[place]) + session.offset_ms
        yield Check(str(table.key[place]), at, tuple(Outcome)[table.outcome[place]])


def _others(telemetry: Telemetry, own: Sequence[Session], span: Span) -> Iterator[Other]:
    """Yield the sessions that play within the picture's time, of the learner and of others on its devices."""
    evidence, clocks = telemetry.evidence, telemetry.seen.clocks
    sessions, rows = evidence.sessions, telemetry.seen.timeline.rows
    drawn = {session.local for session in own}
    learners = [evidence.enrolments[sessions.enrolment[row]].learner_id for row in rows.tolist()]
    learner = learners[own[0].local]
    devices = {int(sessions.device[_row(session)]) for session in own}
    played = _played(telemetry, drawn)
    begin, end = clocks.first_at_ms + clocks.offset_ms, clocks.last_at_ms + clocks.offset_ms
    for local in np.flatnonzero((begin <= span[1]) & (end >= span[0])).tolist():
        row = int(rows[local])
        is_learners = learners[local] == learner
        if local in drawn or not (is_learners or int(sessions.device[row]) in devices):
            continue
        theirs = _played(telemetry, {local})
        both = Spans(*(np.concatenate(pair) for pair in zip(played, theirs, strict=True)))
        class_id = evidence.enrolments[sessions.enrolment[row]].class_id
        yield Other(
            str(sessions.key[row]), class_id, int(sessions.lesson_no[row]), is_learners,
            _within(theirs, span), _within(crowded(both), span),
        )  # fmt: skip


def _played(telemetry: Telemetry, locals_: set[int]) -> Spans:
    """Return the observed playing of some sessions on the service clock, as one group."""
    spans, offset = telemetry.seen.clocks.spans, telemetry.seen.clocks.offset_ms
    kept = np.isin(spans.group, list(locals_))
    shift = offset[spans.group[kept]]
    return Spans(np.zeros(len(shift), np.int64), spans.start[kept] + shift, spans.end[kept] + shift)


def _within(spans: Spans, span: Span) -> tuple[Span, ...]:
    """Return spans cut to those of the picture."""
    cut = [
        (max(start, span[0]), min(end, span[1]))
        for start, end in zip(spans.start.tolist(), spans.end.tolist(), strict=True)
    ]
    return tuple(one for one in cut if one[0] < one[1])


def _marks(sessions: Sequence[Session], findings: Sequence[Finding], lesson: str, span: Span) -> tuple[Mark, ...]:
    """Return the findings that are drawn, numbered in the order of their moments; those without a place come last."""
    by_key = {session.key: session for session in sessions}
    placed = []
    for finding in findings:
        key = finding.subject_id.rpartition("/")[0] if finding.subject is Subject.SNAPSHOT else finding.subject_id
        if finding.subject is Subject.LESSON and finding.subject_id == lesson:
            placed.append((finding, _place(finding, sessions, span)))
        elif finding.subject in (Subject.SESSION, Subject.SNAPSHOT) and key in by_key:
            placed.append((finding, _place(finding, [by_key[key]], span)))
    placed.sort(key=lambda one: (one[1] is None, one[1] or span, one[0].rule, one[0].subject_id))
    return tuple(_mark(number, finding, place, span) for number, (finding, place) in enumerate(placed, 1))


def _place(finding: Finding, sessions: Sequence[Session], span: Span) -> Span | None:
    """Return where a finding holds within the picture, None where it names no place."""
    session = sessions[0]
    if finding.subject is Subject.SNAPSHOT:
        table = session.all.evidence.snapshots
        taken = table.at_ms[table.key == finding.subject_id].tolist()
        return _clamped(taken[0] + session.offset_ms, taken[0] + session.offset_ms, span) if taken else None
    if finding.subject is Subject.LESSON or finding.start_ms is None:
        return None
    end_ms = finding.start_ms if finding.end_ms is None else finding.end_ms
    return _clamped(finding.start_ms + session.offset_ms, end_ms + session.offset_ms, span)


def _clamped(start_ms: int, end_ms: int, span: Span) -> Span:
    start = min(max(start_ms, span[0]), span[1])
    return start, min(max(end_ms, start), span[1])


def _mark(number: int, finding: Finding, place: Span | None, span: Span) -> Mark:
    rule = BY_ID[finding.rule]
    start, end = place or span
    return Mark(
        number=number,
        finding_id=finding_id(finding.rule, finding.subject, finding.subject_id),
        rule=finding.rule,
        effect=Effect(finding.effect),
        dismissed=finding.decision is DecisionKind.DISMISS,
        start_ms=start,
        end_ms=end,
        whole=place is None,
        name=(rule.zh, rule.name),
        said=in_words(finding.rule, finding.evidence),
    )
