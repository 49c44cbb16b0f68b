"""Clients without a player: they make up their events, or send somebody's again (rows 1 to 4 and 17 of the list).

Each function lets some desks cheat in one lesson. Parameters are those of `shapes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from online_guard.simulate.honest import Desk
from online_guard.simulate.recorder import Directive, Sitting, TelemetryEvent
from online_guard.simulate.tape import tape_of
from online_guard.terms import EventType, Outcome

Parameters = Mapping[str, float]
SCRIPT = "Mozilla/5.0"
"""The truncated user agent of a script."""
Line = tuple[EventType, int, float, bool, str | None]
"""One event of a made-up timeline: type, ms since the opening, position in s, playing, pop-up."""


def _event(sitting: Sitting, seq: int, line: Line) -> TelemetryEvent:
    kind, since_ms, position_s, playing, popup = line
    at_ms = sitting.opening.opened_at_ms + since_ms
    return TelemetryEvent(seq, kind, at_ms, round(position_s, 3), playing, 1.0, "player-1", popup=popup)


def _say(sitting: Sitting, lines: Sequence[Line], first_seq: int, now_ms: float) -> Sequence[Directive]:
    """Deliver lines of a timeline at a moment of the service clock."""
    events = [_event(sitting, first_seq + number, line) for number, line in enumerate(lines)]
    return sitting.service.post(sitting.opening, events, round(now_ms))


def _close(desk: Desk, sitting: Sitting, now_ms: float) -> None:
    sitting.now_ms = now_ms
    desk.leave_at(sitting.close())


def bulk_heartbeats(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Post up to `beats` heartbeats at once: `step_s` further per `period_ms`, the sequence number constant or not."""
    sitting = desk.open(lesson_no, user_agent=SCRIPT)
    count, step_s = int(given["beats"]), given["step_s"]
    needed = int(sitting.duration_s / step_s) + 1
    lines: list[Line] = [
        (EventType.HEARTBEAT, round(1000 + number * given["period_ms"]), number * step_s, True, None)
        for number in range(needed)
    ]
    now_ms = sitting.now_ms
    for first in range(0, needed, count):
        now_ms += 800
        batch = lines[first : first + count]
        seqs = [0] * len(batch) if given["constant_seq"] else range(first, first + len(batch))
        events = [_event(sitting, seq, line) for seq, line in zip(seqs, batch, strict=True)]
        sitting.service.post(sitting.opening, events, round(now_ms))
    _close(desk, sitting, now_ms)


def equal_steps(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Send `beats` heartbeats in equal steps over the whole video, one each `send_ms`, their times far ahead."""
    sitting = desk.open(lesson_no, user_agent=SCRIPT)
    beats = int(given["beats"])
    step_s = sitting.duration_s / beats
    now_ms = sitting.now_ms
    for number in range(beats + 1):
        line = (EventType.HEARTBEAT, round(1000 + number * step_s * 1000), number * step_s, number < beats, None)
        now_ms += given["send_ms"]
        _say(sitting, [line], number, now_ms)
    _close(desk, sitting, now_ms)


def captured_timeline(duration_s: float, given: Parameters) -> list[Line]:
    """Return a session as a replayer keeps it: beats at exact multiples of `period_ms`, the same gaps everywhere."""
    begins_ms, period_ms = round(given["first_gap_ms"]), round(given["period_ms"])
    lines: list[Line] = [(EventType.PLAYER_OPENED, 2, 0.0, False, None), (EventType.PLAY, begins_ms, 0.0, True, None)]
    for number in range(1, int(duration_s * 1000 / period_ms) + 1):
        since_ms, position_s = begins_ms + number * period_ms, number * period_ms / 1000
        lines.append((EventType.HEARTBEAT, since_ms, position_s, True, None))
        if number * period_ms % 240_000 < period_ms and position_s < duration_s - 5:
            shown_ms, answered_ms = since_ms + round(given["second_gap_ms"]), round(given["third_gap_ms"])
            for kind, at_ms in ((EventType.POPUP_SHOWN, shown_ms), (EventType.POPUP_ANSWERED, shown_ms + answered_ms)):
                lines.append((kind, at_ms, position_s + (at_ms - since_ms) / 1000, True, f"p{number}"))
    lines.append((EventType.ENDED, begins_ms + round(duration_s * 1000) + 2, duration_s, False, None))
    return lines


def replay(desks: Sequence[Desk], lesson_no: int, given: Parameters) -> None:
    """Send one captured session for every account, shifted in time; a person still sits for the camera."""
    lines = captured_timeline(desks[0].durations_s[lesson_no], given)
    for desk in desks:
        send_timeline(desk, lesson_no, lines, faces=True)


def send_timeline(desk: Desk, lesson_no: int, lines: Sequence[Line], *, faces: bool) -> None:
    """Deliver a timeline in the time that it claims, a minute of it at once, with or without face controls."""
    sitting = desk.open(lesson_no, user_agent=SCRIPT)
    opening, begins_ms = sitting.opening, sitting.now_ms
    asked = list(sitting.prompts)
    for first in range(0, len(lines), 60):
        batch = lines[first : first + 60]
        now_ms = begins_ms + batch[-1][1] + 40
        asked += _say(sitting, batch, first, now_ms)
        at_ms = opening.opened_at_ms + batch[-1][1]
        if faces and first == 0:
            sitting.service.check(opening, at_ms, Outcome.PASSED, round(now_ms))
        for directive in asked if faces else ():
            if directive.kind == "snapshot":
                sitting.service.snapshot(opening, at_ms, "good", directive, round(now_ms))
        asked = []
    _close(desk, sitting, begins_ms + lines[-1][1])


def report_only(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Report `ended` at time 0, then some whole seconds of video at a time, of several lessons at once, no pause.

    The face token that it sends has no image behind it: a check that passed without any distance.
    """
    started_ms, ends_ms = desk.now_ms, []
    for number in range(max(1, lesson_no - int(given["videos"]) + 1), lesson_no + 1):
        desk.now_ms = started_ms
        sitting = desk.open(number, user_agent=SCRIPT)
        begins_ms, length_s, position_s, seq = sitting.now_ms, sitting.duration_s, 0.0, 1
        _say(sitting, [(EventType.ENDED, 0, length_s, False, None)], 0, begins_ms)
        while position_s < length_s:
            at_ms = round(position_s * 1000)
            _say(sitting, [(EventType.HEARTBEAT, at_ms, position_s, True, None)], seq, begins_ms + at_ms + 60)
            position_s += desk.rng.randint(int(given["step_min_s"]), int(given["step_max_s"]))
            seq += 1
        tape = tape_of(desk.service)
        sitting.service.check(sitting.opening, sitting.opening.opened_at_ms, Outcome.PASSED, round(begins_ms))
        tape.rows["liveness"][-1].pop("distance")
        sitting.now_ms = begins_ms + length_s * 1000
        ends_ms.append(sitting.close())
    desk.leave_at(max(ends_ms))


def whole_class(desks: Sequence[Desk], lesson_no: int, given: Parameters) -> None:
    """Make up the records of a class from one template, at night, without pop-ups, pictures and checks."""
    step_ms = round(given["period_ms"])
    duration_s = desks[0].durations_s[lesson_no]
    lines: list[Line] = [(EventType.PLAYER_OPENED, 200, 0.0, False, None), (EventType.PLAY, 700, 0.0, True, None)]
    lines += [
        (EventType.HEARTBEAT, 700 + number * step_ms, number * step_ms / 1000, True, None)
        for number in range(1, int(duration_s * 1000 / step_ms) + 1)
    ]
    lines.append((EventType.ENDED, 700 + round(duration_s * 1000), duration_s, False, None))
    for number in range(1, lesson_no + 1):
        for desk in desks:
            if number == 1:
                desk.now_ms += round(given["hour"] * 3_600_000) - (desk.now_ms + 8 * 3_600_000) % 86_400_000
            send_timeline(desk, number, lines, faces=False)
