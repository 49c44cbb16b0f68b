"""SPEC 3.3 read aloud with plain loops over one session's events: what the vectorised timeline is compared with.

Times are integer ms, positions integer ns. Nothing here is shared with the code under test but the event types. The
numbers are those of `huangchuan-2021`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from online_guard.evidence import Evidence
from online_guard.terms import EVENT_TYPES

ALLOWED_NS = 1_020_000  # for each ms: 1.0 × 1.02
SLACK_NS = 2_000_000_000
NOISE_NS = 1_000
SILENCE_MS = 60_000
LEAD_MS = 60_000
TIMEOUT_MS = 60_000
Span = tuple[int, int]


@dataclass
class Row:
    """One event with what its player's event before makes of it; `before` is None for a player's first event."""

    seq: int
    type: str
    at_ms: int
    received_ms: int
    position: int
    from_: int | None
    playing: bool
    player: int
    popup: int
    before: Row | None = field(default=None, repr=False)
    delta: int = 0
    start: int = 0
    end: int = 0
    plays: bool = False
    observed: bool = False
    advance: bool = False

    @property
    def watched(self) -> bool:
        """Return whether its interval is a watched segment."""
        return self.observed and self.advance and self.end > self.start


def exceeds(length: int, limit: int) -> bool:
    """Return whether a length in ns passes a limit by more than 10⁻⁶ s."""
    return length - limit > NOISE_NS


def read(evidence: Evidence, session: int) -> list[Row]:
    """Return the events of a session in `seq` order, with their intervals."""
    events = evidence.events
    rows: list[Row] = []
    last: dict[int, Row] = {}
    for n in [n for n in range(len(events)) if events.session[n] == session]:
        absent = events.from_s[n] != events.from_s[n]
        row = Row(
            seq=int(events.seq[n]),
            type=str(EVENT_TYPES[events.type[n]]),
            at_ms=int(events.at_ms[n]),
            received_ms=int(events.received_ms[n]),
            position=round(float(events.position_s[n]) * 1e9),
            from_=None if absent else round(float(events.from_s[n]) * 1e9),
            playing=bool(events.playing[n]),
            player=int(events.player[n]),
            popup=int(events.popup[n]),
            before=last.get(int(events.player[n])),
        )
        _interval(row)
        last[row.player] = row
        rows.append(row)
    return rows


def _interval(row: Row) -> None:
    before = row.before
    if before is None:
        return
    if row.type == "play" and before.type == "seek":
        left = before.from_ if before.from_ is not None else before.before.position if before.before else None
        if left is not None and not exceeds(abs(row.position - left), SLACK_NS):
            row.position = before.position
    row.delta = row.at_ms - before.at_ms
    row.start = before.position
    row.end = row.position
    if row.type == "seek":
        row.end = row.start if row.from_ is None else row.from_
    row.plays = before.playing and before.type != "player_closed"
    row.observed = row.plays and 0 < row.delta <= SILENCE_MS
    too_far = exceeds(row.end - row.start, ALLOWED_NS * row.delta + SLACK_NS)
    row.advance = row.plays and row.delta > 0 and not too_far


def join_spans(spans: Iterable[Span]) -> list[Span]:
    """Return the union of spans, sorted; those that touch are one."""
    result: list[Span] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def length(spans: Iterable[Span]) -> int:
    """Return the length of the union of spans."""
    return sum(end - start for start, end in join_spans(spans))


def until(spans: Iterable[Span], moment: int) -> int:
    """Return how much of the union of spans lies before a moment."""
    return length((start, min(end, moment)) for start, end in spans)


def observed(rows: Sequence[Row], player: int | None = None) -> list[Span]:
    """Return the observed playing intervals of a session, or of one of its players."""
    return [
        (row.before.at_ms, row.at_ms) for row in rows if row.observed and row.before and player in (None, row.player)
    ]


def reached(rows: Sequence[Row], moment: int) -> int:
    """Return the furthest end position of the advances that ended at or before a moment."""
    return max([0, *(row.end for row in rows if row.advance and row.at_ms <= moment)])


def offset(rows: Sequence[Row], opening_ms: int) -> int:
    """Return the offset of a session whose opening took `opening_ms` (service less client clock)."""
    return max(min([opening_ms, *(row.received_ms - row.at_ms for row in rows)]), opening_ms - LEAD_MS)


@dataclass(frozen=True)
class Showing:
    """A pop-up shown: its event, its answer, how far the clock moved, and whether it controls."""

    shown: Row
    answer: Row | None
    waited: int
    controls: bool


def showings(rows: Sequence[Row]) -> list[Showing]:
    """Return what became of each showing."""
    spans = observed(rows)
    result: list[Showing] = []
    shown = [row for row in rows if row.type == "popup_shown"]
    for row in shown:
        after = [one for one in rows if one.seq > row.seq and one.popup == row.popup and one.type.startswith("popup_")]
        follower = after[0] if after else None
        answer = follower if follower and follower.type == "popup_answered" else None
        since = until(spans, row.at_ms)
        waited = (until(spans, follower.at_ms) if follower else length(spans)) - since
        if answer:
            controls = waited <= TIMEOUT_MS
        else:
            earlier = any(one.answer for one in result)
            controls = row is shown[-1] and earlier and length(spans) - since <= TIMEOUT_MS
        result.append(Showing(row, answer, waited, controls))
    return result


def stretches(rows: Sequence[Row], begin: str, end: str) -> list[tuple[Row, Row]]:
    """Return first and last event of each stretch from `begin` to the player's next `end`, opening or closing."""
    result: list[tuple[Row, Row]] = []
    for player in dict.fromkeys(row.player for row in rows):
        own = [row for row in rows if row.player == player]
        opened: Row | None = None
        for row in own:
            if row.type == begin:
                opened = opened or row
            elif row.type in (end, "player_closed", "player_opened") and opened:
                result.append((opened, row))
                opened = None
        if opened:
            result.append((opened, own[-1]))
    return result


def place_of(rows: Sequence[Row], moment: int) -> int | None:
    """Return where in the lesson a snapshot lies (OG601), None where it doesn't count."""
    segments = [(row.before, row) for row in rows if row.watched and row.before]
    holding = [(first, second) for first, second in segments if first.at_ms <= moment < second.at_ms]
    if holding:
        first, second = max(holding, key=lambda pair: pair[0].seq)
        way = second.end - second.start
        return second.start + round(way * (moment - first.at_ms) / (second.at_ms - first.at_ms))
    past = [(first, second) for first, second in segments if second.at_ms <= moment]
    if past:
        return max(past, key=lambda pair: (pair[1].at_ms, pair[0].seq))[1].end
    return min(segments, key=lambda pair: (pair[0].at_ms, pair[0].seq))[1].start if segments else None


def judged_by_og102(row: Row) -> bool:
    """Return whether OG102 looks at an event."""
    return row.type == "seek" or row.before is None or not row.plays or row.delta < 0


def explained(row: Row) -> int:
    """Return p₀ + a of an event that has one of its player before it."""
    if not row.plays:
        return row.start
    return row.start + ALLOWED_NS * (SILENCE_MS if row.delta < 0 else row.delta)
