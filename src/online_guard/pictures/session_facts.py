"""Evidence and its judgement → the facts of the sessions that one picture shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import TypeVar

import numpy as np

from online_guard.evidence import Evidence
from online_guard.pictures import captures, ways
from online_guard.pictures.facts import Mark, Other, SessionFacts, Span
from online_guard.pictures.limits import Limits
from online_guard.pictures.telemetry import Session, Telemetry
from online_guard.policy import Policy
from online_guard.rules.catalogue import BY_ID
from online_guard.terms import DecisionKind, Effect, Subject
from online_guard.timeline.digest import View, view
from online_guard.timeline.segments import Spans, crowded
from online_guard.verdict import Finding, finding_id
from online_guard.wording import in_words

Record = TypeVar("Record")
MOST_OTHERS = 12
"""More sessions at the same time are not drawn: twelve say enough."""


def session_facts(
    evidence: Evidence, policy: Policy, findings: Sequence[Finding], keys: Sequence[str], seen: View | None = None
) -> SessionFacts:
    """Return what one picture shows of some sessions.

    Args:
        evidence: With events that are settled; sessions at the same time are looked for in it.
        policy: By which it was judged.
        findings: Of the judgement; those about these sessions, their snapshots, lesson and enrolment are marked.
        keys: `platform_id/session_id` of sessions of one enrolment in one lesson, at least one of them with events.
        seen: View of the evidence, where it is known already.

    Raises:
        ValueError: None of the sessions is there with events.
    """
    telemetry = Telemetry(evidence, policy, seen or view(evidence, policy))
    sessions = _sessions(telemetry, keys)
    if not sessions:
        raise ValueError(f"no events of {', '.join(keys)}")
    return _facts(telemetry, sessions, findings)


def _facts(telemetry: Telemetry, sessions: Sequence[Session], findings: Sequence[Finding]) -> SessionFacts:
    """Return the facts of sessions with events, in order of opening."""
    evidence, row = telemetry.evidence, sessions[0].row
    enrolment = evidence.enrolments[evidence.sessions.enrolment[row]]
    tracks = tuple(track for session in sessions for track in session.tracks())
    lesson_no = int(evidence.sessions.lesson_no[row])
    span = min(track.first_ms for track in tracks), max(track.last_ms for track in tracks)
    leapt, reused = _named(findings, {"OG102"}), _named(findings, {"OG602", "OG604"})

    def each(records: Callable[[Session], Iterable[Record]]) -> tuple[Record, ...]:
        """Return what all sessions give."""
        return tuple(chain.from_iterable(map(records, sessions)))

    return SessionFacts(
        keys=tuple(session.key for session in sessions),
        enrolment_id=enrolment.enrolment_id,
        lesson_no=lesson_no,
        duration_s=float(evidence.sessions.duration_s[row]),
        limits=Limits.of(telemetry.policy),
        start_ms=span[0],
        end_ms=span[1],
        tracks=tracks,
        pieces=each(ways.pieces),
        cones=each(ways.cones),
        wedges=each(ways.wedges),
        jumps=each(lambda session: ways.jumps(session, session.key in leapt)),
        away=each(Session.away),
        declared=each(Session.declared),
        controls=each(Session.controls),
        popups=each(Session.popups),
        due=each(captures.due),
        photos=each(lambda session: captures.photos(session, session.key in reused)),
        checks=each(captures.checks),
        arrivals=each(Session.arrivals),
        beats=each(Session.beats),
        others=tuple(_others(telemetry, sessions, span))[:MOST_OTHERS],
        marks=_marks(sessions, findings, (enrolment.enrolment_id, f"{enrolment.enrolment_id}/{lesson_no}"), span),
    )


def _named(findings: Sequence[Finding], rules: set[str]) -> set[str]:
    """Return the subjects of the findings of some rules."""
    return {finding.subject_id for finding in findings if finding.rule in rules}


def _sessions(telemetry: Telemetry, keys: Sequence[str]) -> list[Session]:
    """Return the sessions with events, in order of opening, each with its number of tracks before it."""
    timeline, names = telemetry.seen.timeline, telemetry.evidence.sessions.key
    wanted = set(keys)
    locals_ = [local for local, row in enumerate(timeline.rows.tolist()) if names[row] in wanted]
    locals_.sort(key=lambda local: int(timeline.opened_received_ms[local]))
    counts = [int(np.count_nonzero(timeline.track_session == local)) for local in locals_]
    return [telemetry.of(local, before) for local, before in zip(locals_, accumulate([0, *counts]), strict=False)]


def _others(telemetry: Telemetry, own: Sequence[Session], span: Span) -> Iterator[Other]:
    """Yield the sessions that play within the picture's time, of the learner and of others on its devices."""
    evidence, clocks = telemetry.evidence, telemetry.seen.clocks
    sessions, rows = evidence.sessions, telemetry.seen.timeline.rows
    drawn = {session.local for session in own}
    learners = [evidence.enrolments[sessions.enrolment[row]].learner_id for row in rows.tolist()]
    learner = learners[own[0].local]
    devices = {int(sessions.device[session.row]) for session in own}
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


def _marks(
    sessions: Sequence[Session], findings: Sequence[Finding], wider: Sequence[str], span: Span
) -> tuple[Mark, ...]:
    """Return the findings that are drawn, numbered in the order of their moments; those without a place come last."""
    by_key = {session.key: session for session in sessions}
    placed = []
    for finding in findings:
        key = finding.subject_id.rpartition("/")[0] if finding.subject is Subject.SNAPSHOT else finding.subject_id
        if finding.subject in (Subject.LESSON, Subject.ENROLMENT) and finding.subject_id in wider:
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
    if finding.subject in (Subject.LESSON, Subject.ENROLMENT) or finding.start_ms is None:
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
