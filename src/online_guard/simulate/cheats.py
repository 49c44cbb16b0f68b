"""One generator for each kind of cheating: what is sent, which rule must say so, and what follows from it.

The shapes are those of public tools and audits; no tool's code was used. Each one is honest in everything but the
cheat, so that nothing else can be the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from online_guard.simulate.honest import DAY_MS, Desk
from online_guard.simulate.learner import HONEST, Habits, Learner
from online_guard.simulate.recorder import changed
from online_guard.terms import EventType, Outcome


@dataclass(frozen=True)
class Cheat:
    """A kind of cheating.

    rule: what must be found. also: what may be found with it, because it follows. run: studies a lesson so. lessons:
    how many it takes, that lesson and those before it.
    """

    rule: str
    label_zh: str
    label_en: str
    run: Callable[[Desk, int], None]
    also: frozenset[str] = frozenset()
    lessons: int = 1


def _with(habits: Habits) -> Callable[[Desk, int], None]:
    """Return a cheat that studies a lesson with other habits."""
    return lambda desk, lesson_no: desk.study(lesson_no, habits=habits)


def skip_ahead(desk: Desk, lesson_no: int) -> None:
    """Drag the position over twenty minutes of the lesson."""
    learner = desk.sit(lesson_no)
    learner.watch(420)
    learner.skip(1620)
    desk.finish(learner)


def rewrite_events(desk: Desk, lesson_no: int) -> None:
    """Send delivered events again with later positions."""
    learner = desk.sit(lesson_no)
    learner.watch(600)
    learner.sitting.deliver()
    for event in learner.sitting.said[-12:-9]:
        learner.sitting.rewrite(changed(event, round(event.position_s + 300, 3)))
    desk.finish(learner)


def two_lessons_at_once(desk: Desk, lesson_no: int) -> None:
    """Open a lesson on another device while the last six minutes of the one before it still run."""
    first = desk.sit(lesson_no - 1)
    first.watch(0.85 * first.sitting.duration_s)
    desk.now_ms = round(first.sitting.now_ms)
    first_end_ms = first.finish()
    desk.study(lesson_no)
    desk.leave_at(first_end_ms)


def two_players(desk: Desk, lesson_no: int) -> None:
    """Open the same lesson a second time in another tab while the first goes on, and let both play."""
    learner = desk.sit(lesson_no)
    learner.watch(900)
    second = learner.sitting.player("player-2")
    second.say(EventType.PLAYER_OPENED)
    second.play()
    while second.position_s < 600:
        learner.watch(learner.player.position_s + 12)
        second.say(EventType.HEARTBEAT)
    second.pause()
    second.say(EventType.PLAYER_CLOSED)
    desk.finish(learner)


def play_hidden(desk: Desk, lesson_no: int) -> None:
    """Let the lesson run behind another window for ten minutes."""
    learner = desk.sit(lesson_no)
    learner.watch(500)
    learner.watch_hidden(1100)
    desk.finish(learner)


def ignore_popups(desk: Desk, lesson_no: int) -> None:
    """Leave pop-ups unanswered for more than a minute while the lesson plays."""
    learner = desk.sit(lesson_no)
    for number in (1, 2):
        _watch_past_popup(learner)
        learner.show_popup(f"ignored-{number}", 75_000)
    desk.finish(learner)


def _watch_past_popup(learner: Learner) -> None:
    """Watch until the next pop-up was answered."""
    before = learner.popups
    while learner.popups == before:
        learner.watch(learner.player.position_s + 5)


def slice_lesson(desk: Desk, lesson_no: int) -> None:
    """Cut the lesson into sessions of 50 s, each too short for a liveness check."""
    position_s, length_s = 0.0, desk.durations_s[lesson_no]
    slice_habits = replace(HONEST, liveness=())
    number = 0
    while position_s < length_s:
        learner = desk.sit(lesson_no, position_s, habits=slice_habits)
        learner.watch(min(length_s, position_s + 25))
        if number % 4 == 0:
            learner.show_popup("slice", learner.reaction_ms())
        learner.watch(min(length_s, position_s + 50))
        position_s = learner.player.position_s
        desk.now_ms = learner.leave() + 8_000
        number += 1


def out_of_order(desk: Desk, lesson_no: int) -> None:
    """Study a professional lesson before the one that comes first."""
    desk.study(lesson_no)
    desk.study(lesson_no - 1)


def foreign_snapshots(desk: Desk, lesson_no: int) -> None:
    """Upload pictures that nobody asked for, to fill the record."""
    learner = desk.sit(lesson_no)
    for place_s in (300, 900, 1500):
        learner.watch(place_s)
        learner.photograph("wrong_person", None)
    desk.finish(learner)


def stop_early(desk: Desk, lesson_no: int) -> None:
    """Stop at three fifths of the lesson and claim all of it."""
    learner = desk.sit(lesson_no)
    learner.watch(0.6 * learner.sitting.duration_s)
    desk.leave(learner)


def before_class(desk: Desk, lesson_no: int) -> None:
    """Study a lesson a month before its time."""
    class_ms = desk.now_ms
    desk.now_ms -= 30 * DAY_MS
    desk.study(lesson_no)
    desk.now_ms = class_ms


BAD_PICTURES = ("no_face", "two_faces", "dark", "blurred")
FAILED, PASSED, INCONCLUSIVE = Outcome.FAILED, Outcome.PASSED, Outcome.INCONCLUSIVE

CHEATS: dict[str, Cheat] = {
    "fast_forward": Cheat(
        "OG101",
        "2 倍速播放，谎报 1 倍",
        "plays at 2x, declares 1x",
        _with(replace(HONEST, media_rate=2.0)),
    ),
    "skip_ahead": Cheat("OG102", "拖动进度条跳过 20 分钟", "drags over 20 minutes", skip_ahead),
    "declared_rate": Cheat(
        "OG103",
        "1.5 倍速播放",
        "plays at 1.5x",
        _with(replace(HONEST, media_rate=1.5, declared_rate=1.5)),
        frozenset({"OG101"}),
    ),
    "clock_lead": Cheat(
        "OG104",
        "篡改计时器，时钟快一倍",
        "timer hook: clock runs twice as fast",
        _with(replace(HONEST, clock_rate=2.0)),
        frozenset({"OG603"}),
    ),
    "rewritten_events": Cheat("OG105", "重发改过的记录", "resends rewritten events", rewrite_events),
    "impossible_order": Cheat(
        "OG107",
        "只有心跳、从无播放",
        "heartbeats without any play",
        _with(replace(HONEST, says_play=False)),
    ),
    "overlapping_sessions": Cheat("OG201", "两门课同时播放", "two lessons at once", two_lessons_at_once, lessons=2),
    "several_players": Cheat("OG202", "同一课开两个窗口", "two tabs of one lesson", two_players),
    "hidden_playback": Cheat("OG203", "切到后台播放 10 分钟", "plays hidden for 10 minutes", play_hidden),
    "popup_remover": Cheat(
        "OG301",
        "屏蔽弹窗",
        "removes the pop-ups",
        _with(replace(HONEST, shows_popups=False)),
        frozenset({"OG305"}),
    ),
    "ignored_popups": Cheat("OG302", "弹窗 75 秒不作答", "leaves pop-ups for 75 s", ignore_popups),
    "scripted_answers": Cheat(
        "OG303",
        "脚本固定 3 秒作答",
        "a script answers after 3 s",
        _with(replace(HONEST, reaction_ms=3_000)),
    ),
    "liveness_missing": Cheat(
        "OG401",
        "从不做活体比对",
        "never does a liveness check",
        _with(replace(HONEST, liveness=())),
    ),
    "liveness_failed": Cheat(
        "OG402",
        "活体比对全部失败",
        "fails every liveness check",
        _with(replace(HONEST, liveness=(FAILED, FAILED))),
    ),
    "liveness_doubtful": Cheat(
        "OG403",
        "活体比对失败 3 次后通过",
        "passes after three failures",
        _with(replace(HONEST, liveness=(FAILED, FAILED, FAILED, PASSED))),
    ),
    "slicer": Cheat(
        "OG408",
        "把一课切成 50 秒一段",
        "cuts the lesson into 50 s sessions",
        slice_lesson,
        frozenset({"OG601"}),
    ),
    "out_of_order": Cheat("OG501", "先学第 2 课再学第 1 课", "lesson 2 before lesson 1", out_of_order, lessons=2),
    "no_snapshot": Cheat(
        "OG601",
        "摄像头前没有合格的人脸",
        "no proper face before the camera",
        _with(replace(HONEST, pictures=BAD_PICTURES)),
    ),
    "foreign_snapshots": Cheat(
        "OG603",
        "上传未要求的他人照片",
        "uploads a stranger's pictures, unasked",
        foreign_snapshots,
        frozenset({"OG404", "OG407"}),
    ),
    "unfinished": Cheat("OG702", "看到 60% 就停", "stops at 60 %", stop_early),
    "outside_dates": Cheat("OG703", "开班前学习", "studies before the class starts", before_class),
}
"""Each kind of cheating by name. A rejected session leaves its lesson unfinished, so OG702 may follow any of them."""
