"""The honest ways to study a whole course, by name; nothing here may ever be rejected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from online_guard.simulate.honest import Desk, late_batches, study_with_incidents
from online_guard.simulate.learner import HONEST, Habits, Learner
from online_guard.terms import EventType, Outcome


def plain(desk: Desk) -> None:
    """Study each lesson in order, with ordinary pauses, rewinds and stalls."""
    desk.study_rest()


def lunch(desk: Desk) -> None:
    """Have lunch in the middle of a lesson, and close the laptop in the middle of the next."""
    study_with_incidents(desk, 1, lambda learner: learner.pause(65 * 60_000))
    study_with_incidents(desk, 2, lambda learner: learner.sleep(40 * 60_000))
    desk.study_rest()


def skewed(desk: Desk) -> None:
    """Have a clock eleven minutes fast, a slow opening, and a train tunnel that delays the batches."""
    desk.skew_ms = 11 * 60_000
    learner = desk.sit(1, delay_ms=25_000)
    learner.watch(700)
    late_batches(learner)
    desk.finish(learner)
    desk.study_rest()


def hand_over(desk: Desk) -> None:
    """Begin on a fast laptop, go on with the phone where it stopped, with pop-ups that pause the player."""
    desk.habits = replace(desk.habits, pauses_at_popups=True)
    desk.skew_ms = 10 * 60_000
    laptop = desk.sit(1)
    laptop.watch(1100)
    stopped_s = laptop.player.position_s
    desk.leave(laptop)
    desk.skew_ms = -40_000
    phone = desk.sit(1, stopped_s, device="phone")
    phone.watch(1500)
    phone.rewind(60)
    desk.finish(phone)
    desk.study_rest()


def left_open(desk: Desk) -> None:
    """Leave the laptop open, go on with the phone, come back to the laptop and seek to where the phone stopped."""
    laptop_skew_ms = desk.skew_ms
    laptop = desk.sit(1)
    laptop.watch(700)
    laptop.player.pause()
    laptop.sitting.deliver()
    left_ms = laptop.sitting.now_ms
    desk.now_ms, desk.skew_ms = round(left_ms) + 120_000, -30_000
    phone = desk.sit(1, laptop.player.position_s, device="phone")
    phone.watch(1400)
    stopped_s = phone.player.position_s
    desk.leave(phone)
    desk.skew_ms = laptop_skew_ms
    laptop.sitting.wait(desk.now_ms - left_ms)
    laptop.player.seek(stopped_s)
    laptop.sitting.wait(desk.rng.uniform(500, 2000))
    laptop.resume()
    desk.finish(laptop)
    desk.study_rest()


def each_lesson(extra: Callable[[Learner], None]) -> Callable[[Desk], None]:
    """Return a way in which the same thing happens in every lesson, among ordinary incidents."""

    def run(desk: Desk) -> None:
        for lesson_no in sorted(desk.durations_s):
            study_with_incidents(desk, lesson_no, extra)

    return run


def slip_back(learner: Learner) -> None:
    """Go back a second between two heartbeats, as a player does that decodes again: no event tells of it."""
    learner.player.position_s = max(0.0, learner.player.position_s - 1.0)


def click_into_frame(learner: Learner) -> None:
    """Click into an embedded frame: the page loses the focus and is never told that it is back."""
    learner.player.say(EventType.BLUR)


def late_phone(desk: Desk) -> None:
    """Study on a phone whose batches come half an hour late."""
    for lesson_no in sorted(desk.durations_s):
        learner = desk.sit(lesson_no, device="phone")
        learner.watch(120)
        late_batches(learner, 1800)
        desk.finish(learner)


def slow_opening(desk: Desk) -> None:
    """Send opening requests that arrive 8 to 40 s late."""
    for lesson_no in sorted(desk.durations_s):
        desk.finish(desk.sit(lesson_no, delay_ms=desk.rng.randint(8_000, 40_000)))


def with_habits(habits: Habits) -> Callable[[Desk], None]:
    """Return a way that studies with some habits and ordinary incidents."""

    def run(desk: Desk) -> None:
        desk.habits = habits
        desk.study_rest()

    return run


@dataclass(frozen=True)
class Honest:
    """An honest way to study, and what is special about it in Chinese and English.

    reviews: rules that may hold it for a person to decide; none for `HONEST_WAYS`.
    """

    label_zh: str
    label_en: str
    run: Callable[[Desk], None]
    reviews: frozenset[str] = frozenset()


HONEST_WAYS: dict[str, Honest] = {
    "plain": Honest("暂停、回看、卡顿", "pauses, rewinds, network stalls", plain),
    "lunch": Honest("午休、合上笔记本", "lunch break, sleeping laptop", lunch),
    "skewed": Honest("时钟快 11 分钟、断网补报", "clock 11 min fast, late batches", skewed),
    "hand_over": Honest("电脑换手机", "laptop, then phone", hand_over),
    "left_open": Honest("手机续看后回到未关的电脑", "back to a laptop left open, to the phone's place", left_open),
    "late_phone": Honest("手机 30 分钟后才补报", "a phone's batches 30 min late", late_phone),
    "slow_opening": Honest("开课请求迟到 8–40 秒", "opening requests 8-40 s late", slow_opening),
    "paused_in_background": Honest(
        "暂停并切到后台，定时器被降频",
        "paused in the background, timers throttled",
        each_lesson(lambda learner: learner.leave_paused(learner.rng.uniform(200_000, 900_000))),
    ),
    "second_back": Honest("两次心跳之间回退一秒", "a second back between two heartbeats", each_lesson(slip_back)),
    "silent_minute": Honest(
        "一分多钟没有心跳后继续",
        "goes on after more than a minute without heartbeats",
        each_lesson(lambda learner: learner.fall_silent(learner.rng.uniform(61_000, 75_000))),
    ),
    "click_into_frame": Honest(
        "点入内嵌框架，只有失焦",
        "a click into a frame: blur, never focus",
        each_lesson(click_into_frame),
    ),
    "drift": Honest("时钟走快万分之二", "a clock 200 ppm fast", with_habits(replace(HONEST, clock_rate=1.0002))),
    "whole_seconds": Honest("日志只记整秒", "a log of whole seconds", with_habits(replace(HONEST, tick_ms=1000))),
    "quick_beats": Honest(
        "5 秒一次心跳", "a heartbeat every 5 s", with_habits(replace(HONEST, heartbeat_ms=5_000, jitter_ms=8))
    ),
}
"""What may never be flagged."""

DOUBTFUL_WAYS: dict[str, Honest] = {
    "new_glasses": Honest(
        "换了眼镜、手托下巴",
        "new glasses, a hand on the chin",
        with_habits(replace(HONEST, pictures=("glasses",))),
        frozenset({"OG407"}),
    ),
    "slow_camera": Honest(
        "摄像头太慢，活体无结论",
        "a camera too slow for a verdict",
        with_habits(replace(HONEST, liveness=(Outcome.INCONCLUSIVE,))),
        frozenset({"OG403"}),
    ),
    "steady_timer": Honest(
        "空闲电脑上的精确定时器",
        "the exact timer of an idle computer",
        with_habits(replace(HONEST, heartbeat_ms=5_000, jitter_ms=0.2, busy_share=0.02, lag_ms=1.0)),
        frozenset({"OG803"}),
    ),
}
"""Honest too, but a person may have to look: never rejected."""
