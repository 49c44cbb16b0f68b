from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from online_guard.simulate.honest import Desk
from online_guard.simulate.learner import HONEST, Habits, Learner
from online_guard.simulate.tape import Tape
from online_guard.terms import EventType, Outcome


def learner(habits: Habits = HONEST, seed: int = 1) -> tuple[Tape, Learner]:
    tape = Tape(Random(seed))
    desk = Desk(tape, "p", "e1", {1: 2400.0}, 1_000_000_000, Random(seed), habits=habits, skew_ms=5_000)
    return tape, desk.sit(1)


def kinds(one: Learner) -> list[EventType]:
    return [event.type for event in one.sitting.said]


def test_watching_beats_about_every_fifteen_seconds_with_jitter() -> None:
    _, one = learner()
    one.watch(900)
    beats = [event.at_ms for event in one.sitting.said if event.type is EventType.HEARTBEAT]
    steps = [after - before for before, after in pairwise(beats)]
    assert len(steps) > 50
    assert 14_700 < sorted(steps)[len(steps) // 2] < 15_400
    assert len(set(steps)) > 40


def test_every_pop_up_is_answered_in_a_human_time() -> None:
    _, one = learner()
    one.finish()
    shown = {event.popup: event.at_ms for event in one.sitting.said if event.type is EventType.POPUP_SHOWN}
    answered = {event.popup: event.at_ms for event in one.sitting.said if event.type is EventType.POPUP_ANSWERED}
    assert len(shown) == one.popups >= 8
    assert shown.keys() == answered.keys()
    waits = [answered[popup] - shown[popup] for popup in shown]
    assert all(799 <= wait <= 8_001 for wait in waits)
    assert max(waits) > 1.3 * min(waits)


def test_off_line_the_player_shows_pop_ups_of_its_own_in_time() -> None:
    _, one = learner()
    one.sitting.offline = True
    one.watch(1_500)
    own = [event.popup for event in one.sitting.said if event.type is EventType.POPUP_SHOWN]
    assert own[-4:] == [f"own-{number}" for number in range(len(own) - 3, len(own) + 1)]


def test_a_pausing_pop_up_stops_the_player() -> None:
    _, one = learner(replace(HONEST, pauses_at_popups=True))
    one.watch(600)
    at = kinds(one).index(EventType.POPUP_SHOWN)
    assert kinds(one)[at - 1 : at + 3] == [
        EventType.PAUSE, EventType.POPUP_SHOWN, EventType.POPUP_ANSWERED, EventType.PLAY,
    ]  # fmt: skip
    assert not one.sitting.said[at].playing


def test_checks_follow_the_habit_and_snapshots_the_directives() -> None:
    outcomes = (Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.PASSED)
    tape, one = learner(replace(HONEST, liveness=outcomes, pictures=("dark", "good")))
    one.finish()
    assert [row["outcome"] for row in tape.rows["liveness"]] == ["failed", "inconclusive", "passed"]
    assert tape.rows["snapshots"][0]["asked"] is True
    assert tape.rows["snapshots"][0]["good"] is False


@pytest.mark.parametrize(("media_rate", "declared"), [(2.0, 1.0), (1.5, 1.5)])
def test_the_declared_rate_need_not_be_the_real_one(media_rate: float, declared: float) -> None:
    _, one = learner(replace(HONEST, media_rate=media_rate, declared_rate=declared))
    one.watch(600)
    start = next(event for event in one.sitting.said if event.type is EventType.PLAY)
    passed_s = (one.sitting.at_ms - start.at_ms) / 1000
    assert passed_s == pytest.approx(600 / media_rate, abs=1)
    assert {event.rate for event in one.sitting.said if event.playing} == {declared}


def test_a_player_may_never_say_play() -> None:
    _, one = learner(replace(HONEST, says_play=False))
    one.watch(300)
    assert EventType.PLAY not in kinds(one)
    assert one.player.position_s == pytest.approx(300)


def test_incidents_leave_their_traces() -> None:
    _, one = learner()
    one.watch(200)
    one.pause(30_000)
    one.rewind(50)
    seek = one.sitting.said[-2]
    assert seek.type is EventType.SEEK
    assert seek.from_s == pytest.approx(200)
    assert seek.position_s == pytest.approx(150)
    one.stall(20_000)
    assert one.player.position_s == pytest.approx(150)
    before_ms = one.sitting.now_ms
    one.sleep(600_000)
    assert one.sitting.now_ms - before_ms == pytest.approx(601_500)
    one.watch_hidden(200)
    assert kinds(one).count(EventType.HIDDEN) == kinds(one).count(EventType.VISIBLE) == 1
    one.leave()
    assert kinds(one)[-2:] == [EventType.PAUSE, EventType.PLAYER_CLOSED]
