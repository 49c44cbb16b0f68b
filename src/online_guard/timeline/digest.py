"""Small tables about each session, from which everything between sessions is judged.

A block of events becomes a digest of a few rows a session; digests of blocks are joined. Moments are on the service
clock. Between sessions only sittings of one enrolment that lie over each other in time need every event: the others
keep one row, since whoever asks about them asks before their beginning or after their end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_guard.evidence import Evidence, Flags, Integers
from online_guard.policy.pack import Policy
from online_guard.timeline import clocks as clock_reading
from online_guard.timeline import grammar
from online_guard.timeline import leaps as leap_reading
from online_guard.timeline import popups as popup_reading
from online_guard.timeline.clocks import Clocks
from online_guard.timeline.columns import ABSENT, Timeline, build, milliseconds
from online_guard.timeline.grammar import Breaks, EarlyEnds
from online_guard.timeline.leaps import Leaps, Reached
from online_guard.timeline.places import snapshot_places
from online_guard.timeline.popups import Showings
from online_guard.timeline.segments import Spans, group_starts, length_before, running, union

NEVER = np.iinfo(np.int64).min
"""A moment that doesn't exist."""


class Sittings(NamedTuple):
    """One row for each session with events, sorted by session (row in `Evidence.sessions`).

    offset_ms: service − client clock. first_at_ms, last_at_ms: client clock. playing_ms: playing clock. starts_ms:
    when it starts to play (service clock), NEVER if it doesn't. shown: pop-ups shown. last_control_ms: playing clock at
    its last controlling pop-up, ABSENT without one.
    """

    session: Integers
    offset_ms: Integers
    first_at_ms: Integers
    last_at_ms: Integers
    playing_ms: Integers
    starts_ms: Integers
    shown: Integers
    last_control_ms: Integers


class Watched(NamedTuple):
    """Watched segments in ns, sorted by (session, start), each with the moment (service clock) it ended."""

    session: Integers
    start_ns: Integers
    end_ns: Integers
    ended_ms: Integers


class Marks(NamedTuple):
    """Where a session stood: events by (session, moment, seq); `plays` if an interval that plays begins there."""

    session: Integers
    moment_ms: Integers
    position_ns: Integers
    plays: Flags


class Answers(NamedTuple):
    """Reaction times (showing to answer, client clock) by session; the client time of showing and answer."""

    session: Integers
    reaction_ms: Integers
    shown_at_ms: Integers


class Gaps(NamedTuple):
    """Playing clock between pop-ups, from the session's start or the pop-up before, in order of showing."""

    session: Integers
    gap_ms: Integers


class Fingerprints(NamedTuple):
    """Two hashes of each session's list of (type, whole 100 ms since the opening), and its number of events."""

    session: Integers
    first: NDArray[np.uint64]
    second: NDArray[np.uint64]
    events: Integers


class Places(NamedTuple):
    """Lesson position of snapshots in ns, by row in `Evidence.snapshots`; ABSENT where it doesn't count.

    clock_ms: playing clock of the snapshot's session at its moment.
    """

    snapshot: Integers
    place_ns: Integers
    clock_ms: Integers


@dataclass(frozen=True)
class Digest:
    """The tables of many sessions. `spans`: observed playing intervals (union) of each session, service clock."""

    sittings: Sittings
    spans: Spans
    watched: Watched
    reached: Reached
    marks: Marks
    leaps: Leaps
    early_ends: EarlyEnds
    breaks: Breaks
    answers: Answers
    gaps: Gaps
    fingerprints: Fingerprints
    places: Places


@dataclass(frozen=True)
class View:
    """A block of sessions with everything derived from its events; what rules about one session read."""

    timeline: Timeline
    clocks: Clocks
    showings: Showings


def view(evidence: Evidence, policy: Policy) -> View:
    """Return the view of the evidence's events."""
    timeline = build(evidence, policy)
    clocks = clock_reading.read(timeline, policy)
    return View(timeline, clocks, popup_reading.read(timeline, clocks, policy))


def digest(seen: View, evidence: Evidence, policy: Policy, *, whole: bool | Integers = True) -> Digest:
    """Return the digest of a view.

    Args:
        seen: View of the evidence's events.
        evidence: Snapshots are placed by it.
        policy: Its `playback` section gives slack_s.
        whole: Keep every event's row of all sessions (True), of none, or of these rows of `Evidence.sessions`.
    """
    timeline, clocks = seen.timeline, seen.clocks
    rows, offset = timeline.rows, clocks.offset_ms
    detail = np.isin(rows, whole) if isinstance(whole, np.ndarray) else np.full(len(rows), whole)
    unexplained, early = leap_reading.candidates(timeline, policy), grammar.ends_before_play(timeline)
    asked = detail.copy()
    asked[timeline.session[np.concatenate((unexplained[0], early))]] = True
    curve = leap_reading.reached(timeline, asked)
    found = leap_reading.leaps(timeline, unexplained, curve, policy)
    ends = grammar.early_ends(timeline, early, curve, policy)
    broken = grammar.breaks(timeline, policy)
    spans = clocks.spans
    starts = np.full(len(rows), NEVER)
    first = group_starts(spans.group)
    starts[spans.group[first]] = spans.start[first] + offset[spans.group[first]]
    answered = np.flatnonzero(seen.showings.answered)
    owner = seen.showings.session[answered]
    return Digest(
        sittings=Sittings(
            rows, offset, clocks.first_at_ms, clocks.last_at_ms, clocks.playing_ms, starts, *_shown(seen)
        ),
        spans=Spans(rows[spans.group], spans.start + offset[spans.group], spans.end + offset[spans.group]),
        watched=_watched(timeline, offset, detail),
        reached=_reached(timeline, curve, offset, detail),
        marks=_marks(timeline, offset, detail),
        leaps=found._replace(
            session=rows[found.session],
            at_ms=found.at_ms + offset[found.session],
            mark_ms=np.where(found.mark_seq == ABSENT, 0, found.mark_ms + offset[found.session]),
        ),
        early_ends=ends._replace(session=rows[ends.session], at_ms=ends.at_ms + offset[ends.session]),
        breaks=broken._replace(session=rows[broken.session]),
        answers=Answers(
            rows[owner], seen.showings.reaction_ms[answered], timeline.at_ms[seen.showings.shown[answered]]
        ),
        gaps=_gaps(seen),
        fingerprints=_fingerprints(timeline),
        places=_places(seen, evidence),
    )


def _watched(timeline: Timeline, offset: Integers, detail: Flags) -> Watched:
    flags = timeline.watched
    kept = timeline.events_of(np.flatnonzero(detail))
    kept = kept[flags[kept]]
    # a jump between neighbours is an end that isn't the next one's start: a run of segments breaks there
    jump = np.flatnonzero(timeline.end_ns[:-1] != timeline.start_ns[1:]) + 1
    first, last = timeline.runs(flags, broken_before=jump)
    session = timeline.session[first]
    latest_end = np.full(len(offset), NEVER)
    np.maximum.at(latest_end, session, timeline.at_ms[last] + offset[session])
    brief = ~detail[session]
    joined = union(session[brief], timeline.start_ns[first[brief]], timeline.end_ns[last[brief]])
    owner = np.concatenate((timeline.session[kept], joined.group))
    begin = np.concatenate((timeline.start_ns[kept], joined.start))
    order = np.lexsort((begin, owner))
    ended = timeline.at_ms[kept] + offset[timeline.session[kept]]
    return Watched(
        timeline.rows[owner[order]],
        begin[order],
        np.concatenate((timeline.end_ns[kept], joined.end))[order],
        np.concatenate((ended, latest_end[joined.group]))[order],
    )


def _reached(timeline: Timeline, curve: Reached, offset: Integers, detail: Flags) -> Reached:
    """Return the whole curve of the sessions in detail, and the last point of the others'."""
    last = leap_reading.last_reached(timeline)
    whole, brief = detail[curve.session], ~detail[last.session]
    owner = np.concatenate((curve.session[whole], last.session[brief]))
    ended = np.concatenate((curve.ended_ms[whole], last.ended_ms[brief])) + offset[owner]
    order = np.argsort(owner, kind="stable")
    furthest = np.concatenate((curve.furthest_ns[whole], last.furthest_ns[brief]))
    return Reached(timeline.rows[owner[order]], ended[order], furthest[order])


def _marks(timeline: Timeline, offset: Integers, detail: Flags) -> Marks:
    last = timeline.lasts.copy()
    mixed = timeline.complex_events()
    if len(mixed):
        order = mixed[np.lexsort((timeline.at_ms[mixed], timeline.session[mixed]))]
        ends = np.append(timeline.session[order][1:] != timeline.session[order][:-1], True)
        last[timeline.session[order[ends]]] = order[ends]
    whole = timeline.events_of(np.flatnonzero(detail))
    rows = np.concatenate((whole, last[~detail]))
    rows = rows[np.lexsort((rows, timeline.at_ms[rows], timeline.session[rows]))]
    owner = timeline.session[rows]
    moment = timeline.at_ms[rows] + offset[owner]
    return Marks(timeline.rows[owner], moment, timeline.position_ns[rows], timeline.stands_playing[rows])


def _shown(seen: View) -> tuple[Integers, Integers]:
    """Return each session's number of pop-ups shown, and the playing clock at its last controlling one."""
    showings, sessions = seen.showings, seen.timeline.sessions
    last = np.full(sessions, ABSENT)
    np.maximum.at(last, showings.session[showings.controls], showings.shown_clock_ms[showings.controls])
    return np.bincount(showings.session, minlength=sessions), last


def _gaps(seen: View) -> Gaps:
    showings = seen.showings
    before = np.zeros(len(showings.session), np.int64)
    same = showings.session[1:] == showings.session[:-1]
    before[1:][same] = showings.shown_clock_ms[:-1][same]
    return Gaps(seen.timeline.rows[showings.session], showings.shown_clock_ms - before)


def _fingerprints(timeline: Timeline) -> Fingerprints:
    """Return sums of hashes of (place, type, time), so that the list can be compared without being kept."""
    if len(timeline.starts) == 0:
        return Fingerprints(timeline.rows, np.zeros(0, np.uint64), np.zeros(0, np.uint64), timeline.rows)
    lengths = timeline.lengths
    place = np.arange(len(timeline.session)) - np.repeat(timeline.starts, lengths)
    tenths = (timeline.at_ms - timeline.opened_at_ms[timeline.session]) // 100
    word = tenths.astype(np.uint64) << np.uint64(28)
    word ^= place.astype(np.uint64) << np.uint64(4)
    word ^= timeline.type.astype(np.uint64)
    # the finaliser of SplitMix64 (Steele et al. 2014) in two halves: the sum after each is one of the hashes
    word ^= word >> np.uint64(30)
    word *= np.uint64(0xBF58476D1CE4E5B9)
    word ^= word >> np.uint64(27)
    first = np.add.reduceat(word, timeline.starts)
    word *= np.uint64(0x94D049BB133111EB)
    word ^= word >> np.uint64(31)
    return Fingerprints(timeline.rows, first, np.add.reduceat(word, timeline.starts), lengths)


def _places(seen: View, evidence: Evidence) -> Places:
    timeline, snapshots = seen.timeline, evidence.snapshots
    local = np.searchsorted(timeline.rows, snapshots.session)
    here = local < len(timeline.rows)
    here[here] = timeline.rows[local[here]] == snapshots.session[here]
    row = np.flatnonzero(here)
    at_ms = snapshots.at_ms[row]
    clock = length_before(seen.clocks.spans, local[row], at_ms)
    return Places(row, snapshot_places(timeline, local[row], at_ms), clock)


def join(digests: Iterable[Digest]) -> Digest:
    """Return one digest of digests of different sessions, each table sorted by session again.

    Of digests that nobody else holds, each table is let go once it is joined.
    """
    parts = [dict(vars(part)) for part in digests]
    return Digest(**{item.name: join_table([tables.pop(item.name) for tables in parts]) for item in fields(Digest)})


def join_table(parts: Sequence[Any]) -> Any:
    """Return one table of tables of different sessions, sorted by session."""
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    if bool((columns[0][1:] < columns[0][:-1]).any()):
        order = np.argsort(columns[0], kind="stable")
        columns = [column[order] for column in columns]
    return type(parts[0])(*columns)


def likely_overlaps(evidence: Evidence) -> Integers:
    """Return the sessions that would lie over another one of their enrolment, with 15 % of each lesson for pauses.

    Known before any event is read: whoever keeps these in detail at once seldom has to look again for `needs_detail`.
    """
    sessions = evidence.sessions
    end = sessions.opened_received_ms + np.rint(sessions.duration_s * 1150).astype(np.int64)
    rows = np.arange(len(sessions))
    return np.sort(rows[_touching(sessions.enrolment, sessions.opened_received_ms, end)])


def _touching(group: Integers, begin: Integers, end: Integers) -> Integers:
    """Return the places of the intervals that touch another one of their group."""
    order = np.lexsort((begin, group))
    group, begin, end = group[order], begin[order], end[order]
    furthest = running(np.maximum, end, group_starts(group))
    touches = (group[1:] == group[:-1]) & (begin[1:] <= furthest[:-1])
    involved = np.zeros(len(order), bool)
    involved[1:] |= touches
    involved[:-1] |= touches
    return np.asarray(order[involved])


def needs_detail(sittings: Sittings, evidence: Evidence, policy: Policy) -> Integers:
    """Return the sessions that lie over another sitting of their enrolment, within overlap_slack_s.

    Only about these can a rule ask at a moment between their first and last event (OG102, OG107, OG501).
    """
    slack = milliseconds(policy.windows.overlap_slack_s)
    enrolment = evidence.sessions.enrolment[sittings.session]
    begin = sittings.first_at_ms + sittings.offset_ms - slack
    end = sittings.last_at_ms + sittings.offset_ms + slack
    return np.sort(sittings.session[_touching(enrolment, begin, end)])
