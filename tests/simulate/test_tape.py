from itertools import pairwise
from random import Random

from online_guard.simulate.recorder import Opening, TelemetryEvent
from online_guard.simulate.tape import AHEAD_MS, Tape
from online_guard.terms import EventType, Outcome

OPENING = Opening("p", "s1", "e1", 1, 0, "pc", "browser")


def heartbeat(seq: int, at_ms: int, playing: bool = True) -> TelemetryEvent:
    return TelemetryEvent(seq, EventType.HEARTBEAT, at_ms, at_ms / 1000, playing, 1.0, "a")


def test_directives_are_told_one_minute_ahead_and_pop_ups_leave_no_five_minutes() -> None:
    tape = Tape(Random(5))
    told = list(tape.open(OPENING, 0))
    for seq in range(160):
        at_ms = 15_000 * seq
        for directive in tape.post(OPENING, [heartbeat(seq, at_ms)], at_ms):
            assert at_ms < directive.due_playing_ms <= at_ms + AHEAD_MS
            told.append(directive)
    popups = [directive.due_playing_ms for directive in told if directive.kind == "popup"]
    gaps = [after - before for before, after in pairwise([0, *popups])]
    assert len(popups) >= 8
    assert all(120_000 <= gap <= 270_000 for gap in gaps)
    assert sum(directive.kind == "snapshot" for directive in told) == 1
    assert len(tape.rows["directives"]) == len(told)


def test_pauses_silence_and_repeated_events_do_not_move_the_playing_clock() -> None:
    tape = Tape(Random(5))
    tape.open(OPENING, 0)
    tape.post(OPENING, [heartbeat(0, 0, playing=False)], 0)
    assert tape.post(OPENING, [heartbeat(1, 3_600_000)], 0) == []
    assert tape.post(OPENING, [heartbeat(2, 7_200_000)], 0) == []
    for _ in range(50):
        assert tape.post(OPENING, [heartbeat(2, 7_200_000)], 0) == []


def test_a_proper_face_counts_and_only_a_pass_has_a_distance() -> None:
    tape = Tape(Random(5))
    tape.open(OPENING, 0)
    for picture in ("good", "wrong_person", "dark"):
        tape.snapshot(OPENING, 1, picture, None, 2)
    good, stranger, dark = tape.rows["snapshots"]
    assert (good["good"], stranger["good"], dark["good"]) == (True, True, False)
    assert isinstance(good["distance"], float)
    assert good["distance"] < 0.55
    assert isinstance(stranger["distance"], float)
    assert stranger["distance"] > 0.7
    assert "distance" not in dark
    assert len({row["sha256"] for row in tape.rows["snapshots"]}) == 3
    for outcome in (Outcome.PASSED, Outcome.FAILED):
        tape.check(OPENING, 1, outcome, 2)
    assert ["distance" in row for row in tape.rows["liveness"]] == [True, False]
