"""A real player that was tampered with, by its learner or a script (rows 5 to 12 and 18 to 23 of the list).

Each function lets a desk cheat in one lesson. Parameters are those of `shapes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from online_guard.simulate.honest import Desk
from online_guard.simulate.learner import HONEST, Habits, Learner
from online_guard.terms import EventType

Parameters = Mapping[str, float]


def _sit(desk: Desk, lesson_no: int, **habits: object) -> Learner:
    """Sit down with habits of a cheat."""
    changed: Habits = replace(HONEST, **habits)  # type: ignore[arg-type]
    return desk.sit(lesson_no, habits=changed)


def stop_early(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Report each 30 s, pause for exactly a minute, answer after exactly 2 s, stop at 91 %; whole seconds only."""
    learner = _sit(
        desk,
        lesson_no,
        heartbeat_ms=given["report_ms"],
        jitter_ms=0,
        media_rate=given["rate"],
        declared_rate=given["declared"],
        reaction_ms=given["answer_ms"],
        tick_ms=1000,
    )
    stop_s = given["stop_share"] * learner.sitting.duration_s
    for part in (1, 2, 3):
        learner.watch(stop_s * part / 3)
        if part < 3:
            learner.pause(given["pause_ms"])
    desk.leave(learner)


def parallel(desks: Sequence[Desk], lesson_no: int, given: Parameters) -> None:
    """Play many videos at once, each at true 1x; several desks are one learner on several platforms."""
    start_ms = desks[0].now_ms
    for desk in desks:
        ends_ms = []
        for number in range(int(given["videos"])):
            desk.now_ms = start_ms + 3_000 * number
            ends_ms.append(desk.sit((lesson_no + number - 1) % lesson_no + 1 if number else lesson_no).finish())
        desk.leave_at(max(ends_ms))


def speed_script(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Play muted and hidden at ten times the speed, click the dialog after a constant time, report 1x."""
    learner = _sit(
        desk,
        lesson_no,
        media_rate=given["rate"],
        declared_rate=given["declared"],
        reaction_ms=given["answer_ms"],
    )
    if given["hidden"]:
        learner.watch_hidden(learner.sitting.duration_s)
    desk.finish(learner)


def popup_clicker(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Let an observer click each pop-up away after a constant time."""
    desk.finish(_sit(desk, lesson_no, reaction_ms=given["answer_ms"]))


def popup_remover(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Disable the question function."""
    desk.finish(_sit(desk, lesson_no, shows_popups=False))


def focus_spoofer(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Do something else meanwhile: neither `hidden` nor `blur` is ever said, heartbeats fall on whole seconds."""
    desk.finish(_sit(desk, lesson_no, heartbeat_ms=given["report_ms"]))


def timer_hook(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Make the page's clock run `speed` times as fast; the player believes that it plays at 1x."""
    desk.finish(_sit(desk, lesson_no, clock_rate=given["speed"]))


def drag_swallower(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Drag the position on and drop the `seek` before it is sent, while it plays or in a pause."""
    learner = desk.sit(lesson_no)
    learner.watch(300)
    if given["paused"]:
        learner.player.pause()
        learner.sitting.wait(4_000)
    learner.player.position_s += given["jump_s"]
    if given["paused"]:
        learner.resume()
    desk.finish(learner)


def slack_miner(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Play at 3x with a pause and a play each second, so that each run stays inside its slack."""
    learner = _sit(desk, lesson_no, media_rate=given["rate"])
    player, sitting = learner.player, learner.sitting
    while player.position_s < sitting.duration_s:
        before_s = player.position_s
        learner.watch(min(sitting.duration_s, before_s + given["rate"] * given["period_ms"] / 1000))
        player.pause()
        learner.resume()
        if sitting.rng.random() < 0.02:
            sitting.deliver()
    desk.finish(learner)


def same_millisecond(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Say two events in one millisecond, the second one further on, again and again."""
    learner = desk.sit(lesson_no)
    player = learner.player
    while player.position_s + 15 + given["jump_s"] < learner.sitting.duration_s:
        learner.watch(player.position_s + 13)
        player.say(EventType.HEARTBEAT)
        player.position_s += given["jump_s"]
        player.say(EventType.HEARTBEAT)
    desk.finish(learner)


def slicer(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Cut the lesson into very many sessions, each too short for a check, a pop-up or an overlap."""
    position_s, length_s = 0.0, desk.durations_s[lesson_no]
    while position_s < length_s - 1e-6:
        learner = desk.sit(lesson_no, position_s, habits=replace(HONEST, liveness=()))
        learner.watch(min(length_s, position_s + desk.rng.uniform(given["min_s"], given["max_s"])))
        position_s = learner.player.position_s
        desk.now_ms = learner.leave() + desk.rng.randint(2_000, 10_000)


def player_rotator(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Take a new player id every 299 s, so that no player ever owes a pop-up."""
    learner = _sit(desk, lesson_no, shows_popups=False)
    number = 1
    while learner.player.position_s < learner.sitting.duration_s - given["period_s"]:
        learner.watch(learner.player.position_s + given["period_s"])
        place_s = learner.player.position_s
        learner.player.pause()
        learner.player.say(EventType.PLAYER_CLOSED)
        number += 1
        learner.player = learner.sitting.player(f"player-{number}", place_s)
        learner.start()
    desk.finish(learner)


def never_answers(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Cut the lesson into sessions, show a pop-up shortly before each ends, and answer none."""
    position_s, length_s = 0.0, desk.durations_s[lesson_no]
    while position_s < length_s - 1e-6:
        learner = desk.sit(lesson_no, position_s, habits=replace(HONEST, shows_popups=False))
        until_s = min(length_s, position_s + given["session_s"])
        learner.watch(max(position_s + 1, until_s - given["before_end_s"]))
        learner.player.say(EventType.POPUP_SHOWN, popup=f"late-{desk.sittings}")
        learner.watch(until_s)
        position_s = learner.player.position_s
        desk.now_ms = learner.leave() + desk.rng.randint(5_000, 20_000)


def blinker(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Be hidden nearly always, `visible` for a tenth of a second every 30 s."""
    learner = desk.sit(lesson_no)
    while learner.player.position_s < learner.sitting.duration_s:
        learner.player.say(EventType.HIDDEN)
        learner.watch(min(learner.sitting.duration_s, learner.player.position_s + given["period_s"]))
        learner.player.say(EventType.VISIBLE)
        learner.watch(min(learner.sitting.duration_s, learner.player.position_s + given["visible_s"]))
    desk.finish(learner)


def clock_stepper(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Turn the client's clock back by 1.9 s every 10 s."""
    learner = desk.sit(lesson_no)
    while learner.player.position_s < learner.sitting.duration_s - given["period_s"]:
        learner.watch(learner.player.position_s + given["period_s"])
        learner.player.say(EventType.HEARTBEAT)
        learner.sitting.step_back(given["back_ms"])
        learner.player.say(EventType.HEARTBEAT)
    desk.finish(learner)


def alone(
    run: Callable[[Desk, int, Parameters], None],
) -> Callable[[Sequence[Desk], int, Parameters], None]:
    """Return a cheat of one learner as one of several desks, of which there is one."""

    def of_the_only_one(desks: Sequence[Desk], lesson_no: int, given: Parameters) -> None:
        (desk,) = desks
        run(desk, lesson_no, given)

    return of_the_only_one
