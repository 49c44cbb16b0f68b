"""Media statements → sessions and events of a bundle, for whole columns at once.

A foreign log says what happened, seldom in what state the player then was: whether it plays and how fast follows from
the statements before. No order of delivery can be seen in the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from online_guard.evidence import Events, Flags, Floats, Integers
from online_guard.ingest.collected import Columns, Sitting
from online_guard.ingest.course import Place, session_row
from online_guard.ingest.event_columns import END_SLACK_S
from online_guard.ingest.media import COMPLETED
from online_guard.ingest.positions import carried, filled_positions, landed_us
from online_guard.ingest.pseudonyms import Pseudonyms
from online_guard.ingest.refusals import Refusal
from online_guard.ingest.rows import SessionRow
from online_guard.terms import EventType

AT_END_S = 2.0
"""A completion at most so far before the lesson's end is its end; playback.slack_s of the shipped policy."""
PLAYER = "unknown"
"""Foreign logs don't tell one tab from another."""
_NOISE_S = 1e-6
_RANK = np.zeros(COMPLETED + 1, np.int64)
"""Order of statements of one moment: a player opens first and closes last, a seek comes before the play after it."""
for _place, _kind in enumerate((EventType.PAUSE, EventType.SEEK, EventType.RATE, EventType.PLAY), 1):
    _RANK[_kind.code] = _place
_RANK[[COMPLETED, EventType.ENDED.code, EventType.PLAYER_CLOSED.code]] = 5, 6, 7
_SETS_PLAYING = np.full(COMPLETED + 1, -1, np.int8)
_SETS_PLAYING[EventType.PLAY.code] = 1
_SETS_PLAYING[
    [EventType.PAUSE.code, EventType.ENDED.code, EventType.PLAYER_OPENED.code, EventType.PLAYER_CLOSED.code]
] = 0
NO_POSITION = Refusal("没有播放位置,前后也没有 / no position, and none around it", "position")
OTHER_CONTENT = Refusal(
    "同一编号的另一记录内容不同,以先收到者为准 / another record has this id; the one received first counts", "id"
)


@dataclass(frozen=True)
class Settled:
    """What statements came to.

    sessions and events: rows for `write_bundle`. source: the file of each event. refused: (row of the columns given,
    why). duplicates: rows that merely repeat.
    """

    sessions: list[SessionRow]
    events: Events
    source: Integers
    refused: list[tuple[int, Refusal]]
    duplicates: Integers


def first_of_each(said: Columns) -> tuple[Integers, Integers, Integers]:
    """Return the rows that count, those that repeat one of them, and those that have its id and say something else.

    Of several records of one id the one received first counts; received together, the one whose values sort first.
    """
    content = (said.rate, said.from_s, said.position_s, said.kind, said.at_us, said.sitting)
    order = np.lexsort((said.length_s, *content, said.received_us, said.id_low, said.id_high))
    fresh = np.ones(len(order), np.bool_)
    high, low = said.id_high[order], said.id_low[order]
    fresh[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    first = order[np.flatnonzero(fresh)[np.cumsum(fresh) - 1]] if len(order) else order
    same = np.ones(len(order), np.bool_)
    for column in content:
        left, right = column[order], column[first]
        same &= (left == right) | (np.isnan(left) & np.isnan(right))
    return np.sort(order[fresh]), np.sort(order[~fresh & same]), np.sort(order[~fresh & ~same])


def settle_sittings(
    said: Columns, sittings: Sequence[Sitting], places: Sequence[Place | Refusal], pseudonyms: Pseudonyms
) -> Settled:
    """Return the sessions and events of statements in any order.

    Args:
        said: statements.
        sittings: what `said.sitting` names, sorted by session id.
        places: where each sitting belongs, or why it is refused.
        pseudonyms: for the device, which such a log doesn't tell: each learner has one.
    """
    counted, duplicates, conflicts = first_of_each(said)
    refused = [(int(row), OTHER_CONTENT) for row in conflicts]
    durations = np.array([place.duration_s if isinstance(place, Place) else np.nan for place in places] + [np.nan])
    good = np.ones(len(counted), np.bool_)
    for place, reason in _faults(said.take(counted), places, durations):
        good[place] = False
        refused.append((int(counted[place]), reason))
    rows, kept = _ordered(said, counted[good])
    kind = _resolved(kept, durations)
    playing = carried(kept.sitting, np.where(_SETS_PLAYING[kind] >= 0, _SETS_PLAYING[kind], np.nan), 0.0) > 0
    position = filled_positions(kept, kind, playing)
    lost = np.isnan(position)
    refused += [(int(row), NO_POSITION) for row in rows[lost]]
    rate = carried(kept.sitting, kept.rate, 1.0)
    names, session = np.unique(kept.sitting[~lost], return_inverse=True)
    events = _events(kept.take(~lost), session, kind[~lost], position[~lost], playing[~lost], rate[~lost])
    sessions = _sessions(events, [(sittings[name], places[name]) for name in names], pseudonyms)
    # sessions of `write_bundle` are sorted by platform, too
    by_platform = sorted(range(len(sessions)), key=lambda row: (sessions[row].platform_id, sessions[row].session_id))
    rank = np.empty(len(sessions), np.int64)
    rank[by_platform] = np.arange(len(sessions))
    if len(sessions):
        events.session[:] = rank[events.session]
    return Settled([sessions[row] for row in by_platform], events, kept.file[~lost], refused, duplicates)


def _ordered(said: Columns, rows: Integers) -> tuple[Integers, Columns]:
    """Return rows in the order of what happened, and their statements, late seeks at the moment of their landing."""
    kept = said.take(rows)
    order = np.lexsort((kept.id_low, kept.id_high, _RANK[kept.kind], kept.at_us, kept.sitting))
    rows, kept = rows[order], kept.take(order)
    at_us = landed_us(kept)
    late = at_us < kept.at_us
    kept = replace(kept, at_us=at_us)
    order = np.lexsort((kept.id_low, kept.id_high, _RANK[kept.kind], ~late, kept.at_us, kept.sitting))
    return rows[order], kept.take(order)


def _faults(said: Columns, places: Sequence[Place | Refusal], durations: Floats) -> list[tuple[int, Refusal]]:
    """Return the rows without a place, and those past the end of their lesson."""
    nowhere = np.array([isinstance(place, Refusal) for place in places] + [False])
    found = [(int(row), places[said.sitting[row]]) for row in np.flatnonzero(nowhere[said.sitting])]
    limit = durations[said.sitting] + END_SLACK_S + _NOISE_S
    for name in ("position_s", "from_s"):
        past = np.flatnonzero(getattr(said, name) > limit)
        words = "超过课程结尾 60 秒以上 / more than 60 s past the lesson's end"
        found += [(int(row), Refusal(f"{words} `{name}`", name)) for row in past]
    return [(row, reason) for row, reason in dict(reversed(found)).items() if isinstance(reason, Refusal)]


def _resolved(said: Columns, durations: Floats) -> NDArray[np.int64]:
    """Return the type of each event: a completion is the end when it stands there, else a report of the position."""
    at_end = said.position_s >= durations[said.sitting] - AT_END_S
    completed = np.where(at_end, EventType.ENDED.code, EventType.HEARTBEAT.code)
    return np.where(said.kind == COMPLETED, completed, said.kind)


def _events(said: Columns, session: Integers, kind: Integers, position: Floats, playing: Flags, rate: Floats) -> Events:
    starts = np.flatnonzero(np.diff(session, prepend=-1))
    return Events(
        session=session.astype(np.int64),
        seq=(np.arange(len(said)) - np.repeat(starts, np.diff(np.append(starts, len(said))))).astype(np.int32),
        type=kind.astype(np.int8),
        at_ms=said.at_us // 1000,
        received_ms=said.received_us // 1000,
        position_s=position,
        from_s=np.where(kind == EventType.SEEK.code, said.from_s, np.nan),
        playing=playing,
        rate=rate.astype(np.float32),
        player=np.zeros(len(said), np.int32),
        popup=np.full(len(said), -1, np.int32),
        player_names=np.array([PLAYER] if len(said) else [], object),
    )


def _sessions(
    events: Events, belongs: Sequence[tuple[Sitting, Place | Refusal]], pseudonyms: Pseudonyms
) -> list[SessionRow]:
    """Return the session of each sitting: opened with its first event.

    No service stamped an opening. The least delay of any event stands in for it: a log that was stored in one go
    would otherwise seem to have played before it was opened.
    """
    if not belongs:
        return []
    starts = np.flatnonzero(np.diff(events.session, prepend=-1))
    delays = np.minimum.reduceat(events.received_ms - events.at_ms, starts)
    opened = events.at_ms[starts]
    return [
        session_row(place, sitting.session_id, at, max(at + delay, 0), pseudonyms.of("device", place.learner_id))
        for (sitting, place), at, delay in zip(belongs, opened.tolist(), delays.tolist(), strict=True)
        if isinstance(place, Place)
    ]
