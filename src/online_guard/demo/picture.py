"""Draws sessions of one lesson as SVG: media position against time, with everything that happened below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise

from online_guard.demo.traces import Mark, Step, Trace
from online_guard.evidence import CHINA_OFFSET_MS
from online_guard.policy import Policy
from online_guard.terms import EventType, Outcome

BREAK_MS = 600_000
"""A longer time without events is cut out of the axis."""
BREAK_PX = 26.0
PLOT_PX = 190.0
LANE_PX = 22.0
TAG_PX = 17.0
LANES = ("播放 play", "隐藏 hidden", "弹窗 pop-up", "照片 photo", "活体 live", "到达 arrival")


@dataclass(frozen=True)
class Axis:
    """Time to pixels, in stretches of (first ms, last ms, first px, px per ms)."""

    stretches: tuple[tuple[int, int, float, float], ...]

    def x(self, at_ms: float) -> float:
        """Return the place of a moment; what lies in a cut stands at its beginning."""
        place = self.stretches[0][2]
        for first_ms, last_ms, first_px, scale in self.stretches:
            if at_ms < first_ms:
                break
            place = first_px + (min(at_ms, last_ms) - first_ms) * scale
        return place


def time_axis(moments_ms: Sequence[int], left_px: float, right_px: float) -> Axis:
    """Return an axis over moments in which long times without any are cut."""
    ordered = sorted(moments_ms)
    spans = [[ordered[0], ordered[0]]]
    for moment in ordered[1:]:
        if moment - spans[-1][1] > BREAK_MS:
            spans.append([moment, moment])
        spans[-1][1] = moment
    whole_ms = max(1, sum(last - first for first, last in spans))
    scale = (right_px - left_px - BREAK_PX * (len(spans) - 1)) / whole_ms
    stretches, place = [], left_px
    for first, last in spans:
        stretches.append((first, last, place, scale))
        place += (last - first) * scale + BREAK_PX
    return Axis(tuple(stretches))


@dataclass(frozen=True)
class Limits:
    """What the policy allows: media seconds per second, and how long a pop-up may wait."""

    rate: float
    answer_s: float

    @classmethod
    def of(cls, policy: Policy) -> Limits:
        """Return the limits of a policy."""
        return cls(policy.playback.max_rate * (1 + policy.playback.rate_tolerance), policy.popup.answer_timeout_s)


@dataclass(frozen=True)
class Frame:
    """Where things stand in one picture, in px."""

    axis: Axis
    limits: Limits
    duration_s: float
    left: float
    right: float
    top: float

    @property
    def bottom(self) -> float:
        """Return the lower edge of the plot."""
        return self.top + PLOT_PX

    @property
    def foot(self) -> float:
        """Return the lower edge of the lanes."""
        return self.bottom + 8 + LANE_PX * len(LANES)

    def y(self, position_s: float) -> float:
        """Return the height of a media position."""
        return self.bottom - PLOT_PX * min(1.0, max(0.0, position_s / self.duration_s))

    def lane(self, number: int) -> float:
        """Return the middle of a lane."""
        return self.bottom + 8 + LANE_PX * (number + 0.5)


def draw(sessions: Sequence[Trace], limits: Limits, label: str, width: int = 860) -> str:
    """Return the picture of the sessions of one lesson as an `<svg>` element.

    Args:
        sessions: At least one, each with events.
        limits: What the policy allows.
        label: What the picture shows, for readers who can't see it.
        width: In px of the picture's own coordinates; below 500 the picture is drawn for a phone.
    """
    marks = [mark for session in sessions for mark in session.marks]
    steps = [step for session in sessions for step in session.steps]
    rows = _tag_rows(marks)
    left = 92.0 if width >= 500 else 84.0
    axis = time_axis([step.at_ms for step in steps], left, width - 12)
    frame = Frame(axis, limits, sessions[0].duration_s, left, width - 12, 10 + TAG_PX * rows)
    parts = [*_grid(frame, width >= 500), *_marks(frame, marks), *_borders(frame, sessions)]
    for session in sessions:
        parts += [*_limits(frame, session), *_path(frame, session), *_lanes(frame, session)]
    height = frame.foot + 26
    return (
        f'<svg class="timeline" viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(label)}">'
        f"<title>{escape(label)}</title>{''.join(parts)}</svg>"
    )


def clock(at_ms: float, seconds: bool = False) -> str:
    """Return the time of day in China."""
    moment = datetime.fromtimestamp((at_ms + CHINA_OFFSET_MS) / 1000, UTC)
    return moment.strftime("%H:%M:%S" if seconds else "%H:%M")


def _line(x1: float, y1: float, x2: float, y2: float, name: str) -> str:
    return f'<line class="{name}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, name: str, words: str) -> str:
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _bar(x1: float, x2: float, y: float, height: float, name: str, title: str = "") -> str:
    note = f"<title>{escape(title)}</title>" if title else ""
    wide = max(1.5, x2 - x1)
    return f'<rect class="{name}" x="{x1:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{height:.1f}">{note}</rect>'


def _grid(frame: Frame, wide: bool) -> Iterator[str]:
    """Draw both axes, the lanes' names and the cuts."""
    minutes = frame.duration_s / 60
    step = next(step for step in (5, 10, 20, 30, 60, 120, 10_000) if minutes / step <= 5)
    for minute in range(0, int(minutes) + 1, step):
        y = frame.y(minute * 60)
        yield _line(frame.left, y, frame.right, y, "grid")
        yield _text(frame.left - 6, y + 4, "axis end", f"{minute} 分 min" if minute else "0")
    for number, name in enumerate(LANES):
        y = frame.lane(number)
        yield _line(frame.left, y, frame.right, y, "grid")
        yield _text(frame.left - 6, y + 4, "axis end", name)
    stretches = frame.axis.stretches
    for (_, last, _, _), (_, _, first_px, _) in pairwise(stretches):
        yield _bar(frame.axis.x(last), first_px, frame.top, frame.foot - frame.top, "cut", "无事件 nothing happened")
    yield from _hours(frame, 110 if wide else 80)


def _hours(frame: Frame, apart_px: float) -> Iterator[str]:
    """Write times of day below the picture, as many as there is room for."""
    last_px = -apart_px
    scale = frame.axis.stretches[0][3]
    step_ms = next(
        step for step in (60_000, 300_000, 600_000, 1_800_000, 3_600_000, 36_000_000) if step * scale >= apart_px / 2
    )
    for first, last, first_px, _ in frame.axis.stretches:
        ticks = [first, *range(first - first % step_ms + step_ms, last, step_ms)]
        for tick in ticks:
            x = frame.axis.x(tick) if tick != first else first_px
            if x - last_px >= apart_px / 2 and x < frame.right - 10:
                last_px = x
                yield _line(x, frame.top, x, frame.foot, "grid")
                yield _text(x, frame.foot + 16, "axis mid", clock(tick))


def _tag_rows(marks: Sequence[Mark]) -> int:
    """Return how many rows the rule tags need: one for each rule."""
    return len({mark.rule for mark in marks})


def _marks(frame: Frame, marks: Sequence[Mark]) -> Iterator[str]:
    """Draw each finding's place as a band with the rule's id on top, one row for each rule."""
    rules = sorted({mark.rule for mark in marks})
    tagged: set[str] = set()
    for mark in marks:
        kind = "reject" if mark.reject else "review"
        x1, x2 = frame.axis.x(mark.start_ms), frame.axis.x(mark.end_ms)
        y = 4 + TAG_PX * rules.index(mark.rule)
        times = f"{mark.rule} {clock(mark.start_ms, True)}–{clock(mark.end_ms, True)}"
        yield _bar(x1, max(x2, x1 + 3), y + TAG_PX - 3, frame.foot - y - TAG_PX + 3, f"band {kind}", times)
        if mark.rule not in tagged:
            tagged.add(mark.rule)
            place = min(x1, frame.right - 46)
            yield _bar(place, place + 46, y, TAG_PX - 3, f"tag {kind}", times)
            yield _text(place + 23, y + 11, "tag-text mid", mark.rule)


def _borders(frame: Frame, sessions: Sequence[Trace]) -> Iterator[str]:
    """Draw where a session begins when there are several."""
    if len(sessions) > 1:
        for session in sessions:
            x = frame.axis.x(session.opened_ms)
            yield _line(x, frame.top, x, frame.foot, "border")


def _intervals(session: Trace) -> Iterator[tuple[Step, Step]]:
    """Yield neighbouring events of each player."""
    latest: dict[str, Step] = {}
    for step in session.steps:
        if step.player in latest:
            yield latest[step.player], step
        latest[step.player] = step


def _end_s(before: Step, after: Step) -> float:
    """Return the end position of an interval (SPEC 3.3)."""
    if after.type is EventType.SEEK:
        return before.position_s if after.from_s is None else after.from_s
    return after.position_s


def _limits(frame: Frame, session: Trace) -> Iterator[str]:
    """Draw, from each start of playing, how far a player could have come at most by the end of that run."""
    runs: dict[str, tuple[Step, Step]] = {}
    for before, after in _intervals(session):
        if before.playing:
            start = runs[before.player][0] if before.player in runs else before
            runs[before.player] = (start, after)
        if after.player in runs and (not after.playing or after.type is EventType.SEEK):
            yield _limit(frame, *runs.pop(after.player))
    for start, last in runs.values():
        yield _limit(frame, start, last)


def _limit(frame: Frame, start: Step, last: Step) -> str:
    """Draw one such line, for a run of at least half a minute."""
    passed_s = (last.at_ms - start.at_ms) / 1000
    if passed_s < 30:
        return ""
    furthest_s = start.position_s + frame.limits.rate * passed_s
    shown_s = min(passed_s, (frame.duration_s - start.position_s) / frame.limits.rate)
    x1, x2 = frame.axis.x(start.at_ms), frame.axis.x(start.at_ms + shown_s * 1000)
    title = f"<title>上限 limit: {furthest_s / 60:.1f} min</title>"
    y1, y2 = frame.y(start.position_s), frame.y(start.position_s + frame.limits.rate * shown_s)
    return _line(x1, y1, x2, y2, "limit").replace("/>", f">{title}</line>")


def _path(frame: Frame, session: Trace) -> Iterator[str]:
    """Draw the media position: playing, paused, too fast, and the jumps of a seek."""
    players = sorted({step.player for step in session.steps})
    lines: dict[str, list[str]] = {}
    for before, after in _intervals(session):
        end_s = _end_s(before, after)
        allowed_s = frame.limits.rate * max(0, after.at_ms - before.at_ms) / 1000 if before.playing else 0.0
        name = "play" if before.playing else "pause"
        if end_s - before.position_s > allowed_s + 1:
            name = "fast"
        other = " other" if players.index(before.player) else ""
        x1, y1 = frame.axis.x(before.at_ms), frame.y(before.position_s)
        x2, y2 = frame.axis.x(after.at_ms), frame.y(end_s)
        line = lines.setdefault(f"media {name}{other}", [])
        here = f"{x1:.1f} {y1:.1f}"
        line.append(f"L{x2:.1f} {y2:.1f}" if line and line[-1].endswith(here) else f"M{here}L{x2:.1f} {y2:.1f}")
        if after.type is EventType.SEEK:
            ahead = " fast" if after.position_s > end_s + 2 else ""
            yield _line(x2, y2, x2, frame.y(after.position_s), f"seek{ahead}")
            yield f'<circle class="seek-dot{ahead}" cx="{x2:.1f}" cy="{frame.y(after.position_s):.1f}" r="3"/>'
    for name, line in lines.items():
        yield f'<path class="{name}" d="{"".join(line)}"/>'


def _lanes(frame: Frame, session: Trace) -> Iterator[str]:
    """Draw what happened below the plot, lane by lane."""
    yield from _played(frame, session)
    yield from _hidden(frame, session)
    yield from _popups(frame, session)
    for photo in session.photos:
        name, words = _photo_words(photo.asked, photo.good)
        x, y = frame.axis.x(photo.at_ms), frame.lane(3)
        yield _glyph(x, y, name, "◆" if photo.asked else "◇", f"{clock(photo.at_ms, True)} {words}")
    for check in session.checks:
        sign, name = {Outcome.PASSED: ("✓", "good"), Outcome.FAILED: ("✗", "bad")}.get(check.outcome, ("?", "doubt"))
        yield _glyph(
            frame.axis.x(check.at_ms), frame.lane(4), name, sign, f"{clock(check.at_ms, True)} {check.outcome}"
        )
    y = frame.lane(5)
    arrivals = sorted({round(frame.axis.x(step.received_ms), 1) for step in session.steps})
    yield f'<path class="arrival" d="{"".join(f"M{x:.1f} {y - 6:.1f}v12" for x in arrivals)}"/>'


def _played(frame: Frame, session: Trace) -> Iterator[str]:
    """Draw when each player played and when it was paused; neighbouring stretches of one kind are one bar."""
    bars: list[tuple[str, bool, int, int]] = []
    for before, after in _intervals(session):
        if before.type is EventType.PLAYER_CLOSED:
            continue
        same = bars and bars[-1][:2] == (before.player, before.playing) and bars[-1][3] == before.at_ms
        begin_ms = bars.pop()[2] if same else before.at_ms
        bars.append((before.player, before.playing, begin_ms, after.at_ms))
    for _, playing, begin_ms, end_ms in bars:
        x1, x2 = frame.axis.x(begin_ms), frame.axis.x(end_ms)
        yield _bar(
            x1, x2, frame.lane(0) - (5 if playing else 2), 10 if playing else 4, "bar play" if playing else "bar pause"
        )


def _photo_words(asked: bool, good: bool) -> tuple[str, str]:
    """Return the class and the words of a picture."""
    if not asked:
        return "doubt", "未要求的照片 not asked for"
    return ("good", "合格 good") if good else ("bad", "不合格 does not count")


def _glyph(x: float, y: float, name: str, sign: str, title: str) -> str:
    """Draw one sign with a tooltip."""
    return f'<text class="glyph {name} mid" x="{x:.1f}" y="{y + 5:.1f}">{sign}<title>{escape(title)}</title></text>'


def _hidden(frame: Frame, session: Trace) -> Iterator[str]:
    """Draw how long each player's window was hidden."""
    since: dict[str, int] = {}
    for step in session.steps:
        if step.type is EventType.HIDDEN:
            since.setdefault(step.player, step.at_ms)
        elif step.player in since and step.type in (
            EventType.VISIBLE,
            EventType.PLAYER_CLOSED,
            EventType.PLAYER_OPENED,
        ):
            yield _hidden_bar(frame, since.pop(step.player), step.at_ms)
    for begin_ms in since.values():
        yield _hidden_bar(frame, begin_ms, session.steps[-1].at_ms)


def _hidden_bar(frame: Frame, begin_ms: int, end_ms: int) -> str:
    title = f"{clock(begin_ms, True)}–{clock(end_ms, True)} {(end_ms - begin_ms) / 1000:.0f} s"
    return _bar(frame.axis.x(begin_ms), frame.axis.x(end_ms), frame.lane(1) - 5, 10, "bar hidden", title)


def _popups(frame: Frame, session: Trace) -> Iterator[str]:
    """Draw each pop-up: a bar from showing to answer, red where it was ignored."""
    shown: dict[str, int] = {}
    for step in session.steps:
        if step.popup is None:
            continue
        if step.type is EventType.POPUP_SHOWN:
            shown[step.popup] = step.at_ms
        elif step.popup in shown:
            answered = step.type is EventType.POPUP_ANSWERED
            yield _popup_bar(frame, shown.pop(step.popup), step.at_ms, answered)
    for begin_ms in shown.values():
        yield _popup_bar(frame, begin_ms, session.steps[-1].at_ms, False)


def _popup_bar(frame: Frame, begin_ms: int, end_ms: int, answered: bool) -> str:
    waited_s = (end_ms - begin_ms) / 1000
    good = answered and waited_s <= frame.limits.answer_s
    title = f"{clock(begin_ms, True)} {'作答 answered' if answered else '未作答 not answered'} {waited_s:.1f} s"
    x1 = frame.axis.x(begin_ms)
    x2 = max(frame.axis.x(end_ms), x1 + 4)
    return _bar(x1, x2, frame.lane(2) - 6, 12, "bar good" if good else "bar bad", title)
