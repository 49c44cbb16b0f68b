from pathlib import Path

import pytest

from online_guard.demo.picture import BREAK_PX, Limits, clock, draw, time_axis
from online_guard.demo.traces import Check, Mark, Photo, Step, Trace
from online_guard.terms import EventType, Outcome

LIMITS = Limits(rate=1.02, answer_s=60)
NOON_MS = 1_623_124_800_000
GOLDEN = Path(__file__).with_name("small_timeline.svg")


def step(
    second: float, kind: EventType, position_s: float, playing: bool = True, *, player: str = "a",
    from_s: float | None = None, popup: str | None = None,
) -> Step:  # fmt: skip
    at_ms = NOON_MS + round(second * 1000)
    return Step(at_ms, at_ms + 400, kind, position_s, from_s, playing, player, popup)


def trace(
    *steps: Step, photos: tuple[Photo, ...] = (), checks: tuple[Check, ...] = (), marks: tuple[Mark, ...] = ()
) -> Trace:
    return Trace("p/s1", "e1", 1, 600.0, 0, steps, photos, checks, marks)


SMALL = trace(
    step(0, EventType.PLAY, 0),
    step(40, EventType.POPUP_SHOWN, 40, popup="x"),
    step(43, EventType.POPUP_ANSWERED, 43, popup="x"),
    step(60, EventType.SEEK, 300, from_s=60),
    step(100, EventType.PAUSE, 340, False),
    step(160, EventType.PLAY, 340),
    step(200, EventType.ENDED, 600, False),
    photos=(Photo(NOON_MS + 50_000, True, True),),
    checks=(Check(NOON_MS + 20_000, Outcome.PASSED),),
    marks=(Mark("OG102", True, NOON_MS + 60_000, NOON_MS + 60_000),),
)


def test_a_small_timeline_looks_as_it_did() -> None:
    """Delete the file to have it written anew, and look at it before it is kept."""
    drawn = draw([SMALL], LIMITS, "small")
    if not GOLDEN.exists():
        GOLDEN.write_text(drawn, encoding="utf-8")
        pytest.fail(f"{GOLDEN.name} was written; look at it and run again")
    assert drawn == GOLDEN.read_text(encoding="utf-8")


def test_too_fast_and_seeks_ahead_are_marked_and_honest_play_is_not() -> None:
    drawn = draw([SMALL], LIMITS, "small")
    assert drawn.count('class="media fast"') == 1
    assert 'class="seek fast"' in drawn
    honest = draw([trace(step(0, EventType.PLAY, 0), step(60, EventType.HEARTBEAT, 60))], LIMITS, "honest")
    assert "fast" not in honest
    assert 'class="media play"' in honest
    assert 'class="limit"' in honest


def test_ignored_pop_ups_hidden_time_and_second_players_can_be_told() -> None:
    drawn = draw(
        [
            trace(
                step(0, EventType.PLAY, 0),
                step(5, EventType.HIDDEN, 5),
                step(10, EventType.PLAY, 0, player="b"),
                step(20, EventType.POPUP_SHOWN, 20, popup="late"),
                step(30, EventType.HEARTBEAT, 20, player="b"),
                step(90, EventType.POPUP_ANSWERED, 90, popup="late"),
                step(95, EventType.POPUP_SHOWN, 95, popup="never"),
                step(120, EventType.HEARTBEAT, 120),
            )
        ],
        LIMITS,
        "x",
    )
    assert drawn.count('class="bar bad"') == 2
    assert 'class="bar hidden"' in drawn
    assert 'class="media play other"' in drawn


def test_long_times_without_events_are_cut_out() -> None:
    axis = time_axis([0, 60_000, 7_200_000, 7_260_000], 100, 500)
    assert axis.x(0) == 100
    assert axis.x(60_000) == axis.x(3_600_000) == pytest.approx(100 + (400 - BREAK_PX) / 2)
    assert axis.x(7_200_000) == pytest.approx(axis.x(60_000) + BREAK_PX)
    assert axis.x(9_999_999) == pytest.approx(500)
    late = draw([trace(step(0, EventType.PLAY, 0), step(9_000, EventType.PAUSE, 10, False))], LIMITS, "x")
    assert 'class="cut"' in late


def test_ids_of_others_can_not_become_markup() -> None:
    drawn = draw([SMALL], LIMITS, '<script>"&')
    assert "<script>" not in drawn
    assert "&lt;script&gt;&quot;&amp;" in drawn


def test_the_clock_is_that_of_china() -> None:
    assert clock(NOON_MS) == "12:00"
    assert clock(NOON_MS + 61_000, seconds=True) == "12:01:01"
