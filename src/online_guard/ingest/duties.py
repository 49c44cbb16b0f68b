"""What a log can't prove of the six controls of the notice (clause 21(2)), and what to send so that it can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
import numpy as np

from online_guard.evidence import Events, Evidence
from online_guard.ingest.identity import take
from online_guard.policy import Policy
from online_guard.terms import EVENT_TYPES, EventType


class Missing(msgspec.Struct, frozen=True):
    """Why something can't be proven, and what to do about it, each in Chinese and English."""

    zh: str
    en: str
    send_zh: str
    send_en: str


class DutyReport(msgspec.Struct, frozen=True):
    """One of the six controls: whether the log holds what its rules need, and what is missing."""

    duty: str
    zh: str
    en: str
    rules: list[str]
    provable: bool
    missing: list[Missing]


@dataclass
class Facts:
    """What a log holds, counted.

    types: events by type. unobserved: playing intervals longer than the policy's longest silence, their sum in
    unobserved_s. blind_seeks: seeks without `from_s`. heartbeat_ms: median time from heartbeat to heartbeat, None
    without two. checks: liveness checks. snapshots: good ones that the service asked for. foreign: a log of another
    system, which tells no device, no tab and no service clock. course_derived: it came without a syllabus.
    """

    types: Counter[str] = field(default_factory=Counter)
    unobserved: int = 0
    unobserved_s: float = 0.0
    blind_seeks: int = 0
    heartbeat_ms: float | None = None
    checks: int = 0
    snapshots: int = 0
    foreign: bool = True
    course_derived: bool = False
    _beats: list[int] = field(default_factory=list, repr=False)

    def count(self, events: Events, policy: Policy) -> None:
        """Add events of whole sessions, sorted by (session, seq)."""
        numbers = np.bincount(events.type, minlength=len(EVENT_TYPES)).tolist()
        self.types.update({str(kind): n for kind, n in zip(EVENT_TYPES, numbers, strict=True) if n})
        self.blind_seeks += int(np.count_nonzero((events.type == EventType.SEEK.code) & np.isnan(events.from_s)))
        by_player = take(events, np.lexsort((events.seq, events.player, events.session)))
        same = (np.diff(by_player.session) == 0) & (np.diff(by_player.player) == 0)
        elapsed = np.diff(by_player.at_ms)
        plays = same & by_player.playing[:-1] & (by_player.type[:-1] != EventType.PLAYER_CLOSED.code)
        silent = elapsed[plays & (elapsed > policy.playback.max_silence_s * 1000)]
        self.unobserved += len(silent)
        self.unobserved_s += float(silent.sum()) / 1000
        beat = by_player.type == EventType.HEARTBEAT.code
        self._beats += elapsed[same & beat[1:] & beat[:-1]].tolist()
        self.heartbeat_ms = float(np.median(self._beats)) if self._beats else None

    def take_captures(self, evidence: Evidence) -> None:
        """Add what a bundle holds apart from events."""
        self.checks = len(evidence.checks)
        self.snapshots = int(np.count_nonzero(evidence.snapshots.asked & evidence.snapshots.good))


def six_duties(facts: Facts, policy: Policy) -> list[DutyReport]:
    """Return, for each control that clause 21(2) asks for, whether a log can prove it."""
    reports = []
    for duty, zh, en, rules, find in _DUTIES:
        missing = [Missing(*words) for words in find(facts, policy)]
        reports.append(DutyReport(duty, zh, en, list(rules), not missing, missing))
    return reports


Words = Iterator[tuple[str, str, str, str]]


def _fast_forward(facts: Facts, policy: Policy) -> Words:
    silence = f"{policy.playback.max_silence_s:g}"
    if not facts.types[EventType.PLAY]:
        yield "没有 play 事件", "no `play` event", "发送 play(带 position_s)", "send `play` with `position_s`"
    if facts.unobserved or not facts.types[EventType.HEARTBEAT]:
        number, total = facts.unobserved, f"{facts.unobserved_s:.0f}"
        has, some = ("有", "some") if facts.types[EventType.HEARTBEAT] else ("没有", "no")
        yield (
            f"{has} heartbeat 事件;播放中超过 {silence} 秒没有任何报告的有 {number} 段,共 {total} 秒,不计学时",
            f"{some} `heartbeat`; {number} silences of more than {silence} s ({total} s) earn nothing",
            f"播放时发送 heartbeat,间隔不超过 {silence} 秒(建议 10 秒),带 position_s",
            f"send `heartbeat` with `position_s` while playing, at most {silence} s apart (10 s is good)",
        )
    if facts.foreign and not facts.types[EventType.RATE]:  # events of a bundle each carry their rate
        yield (
            "没有 rate 事件:不能证明从未倍速",
            "no `rate` event: it can't be shown that the rate was never changed",
            "倍速改变时发送 rate",
            "send `rate` whenever the playback rate changes",
        )
    if facts.blind_seeks:
        yield (
            f"{facts.blind_seeks} 次跳转没有起点",
            f"{facts.blind_seeks} seeks don't say where they started",
            "seek 带 from_s",
            "send `from_s` with each `seek`",
        )
    if facts.foreign:
        yield (
            "服务时钟是平台自己的说法",
            "the service clock is the platform's word",
            "学习当时调用 /v1/sessions 实时上报",
            "report live, through `/v1/sessions`, while the learner learns",
        )


def _one_window(facts: Facts, policy: Policy) -> Words:
    absent = [kind for kind in (EventType.HIDDEN, EventType.VISIBLE) if not facts.types[kind]]
    if absent:
        names = "、".join(absent)
        yield (
            f"没有 {names} 事件",
            f"no {' or '.join(f'`{kind}`' for kind in absent)} event",
            f"页面被遮住或切回时发送 {names}",
            f"send {' and '.join(f'`{kind}`' for kind in absent)} when the page is covered or comes back",
        )
    if facts.foreign:
        yield (
            "不知道是哪个播放器、哪台设备",
            "neither the player of a tab nor the device is known",
            "每个标签页一个 player,每台设备一个 device_id",
            "send one `player` for each tab and one `device_id` for each device",
        )


def _pop_ups(facts: Facts, policy: Policy) -> Words:
    absent = [kind for kind in (EventType.POPUP_SHOWN, EventType.POPUP_ANSWERED) if not facts.types[kind]]
    if absent:
        most = f"{policy.popup.max_gap_s:g}"
        yield (
            f"没有 {'、'.join(absent)} 事件",
            f"no {' or '.join(f'`{kind}`' for kind in absent)} event",
            f"每播放不到 {most} 秒弹窗一次,发送 popup_shown 与 popup_answered(带 popup)",
            f"show a pop-up before {most} s have played, and send `popup_shown` and `popup_answered` with `popup`",
        )


def _liveness(facts: Facts, policy: Policy) -> Words:
    if not facts.checks:
        yield (
            "没有人脸活体比对记录",
            "no liveness check",
            "每次学习会话至少一次活体比对(liveness.ndjson)",
            "run a liveness check in each session (`liveness.ndjson`)",
        )


def _order(facts: Facts, policy: Policy) -> Words:
    if facts.course_derived:
        yield (
            "没有课程表:课程顺序未知",
            "no syllabus: the order of the lessons isn't known",
            "用 --course 给出班次、报名、视频与课程的对应",
            "give classes, enrolments and the lesson of each video with `--course`",
        )


def _snapshots(facts: Facts, policy: Policy) -> Words:
    if not facts.snapshots:
        yield (
            "没有由服务随机要求的合格照片",
            "no good photo that the service asked for at random",
            "每课时按服务指令拍照上传(/v1/sessions/…/snapshots)",
            "take a photo each class hour when the service asks (`/v1/sessions/…/snapshots`)",
        )


_DUTIES: tuple[tuple[str, str, str, tuple[str, ...], Callable[[Facts, Policy], Words]], ...] = (
    ("no_fast_forward", "不得快进播放", "no fast-forward", ("OG101", "OG102", "OG103"), _fast_forward),
    ("one_window", "不得多窗口学习", "one window", ("OG201", "OG202", "OG203"), _one_window),
    ("pop_ups", "连续 5 分钟内有弹窗管控", "a pop-up within each 5 minutes", ("OG301", "OG304"), _pop_ups),
    ("liveness", "人脸活体比对", "face liveness comparison", ("OG401", "OG402", "OG404"), _liveness),
    ("lesson_order", "专业课程按先后顺序学习", "lessons in order", ("OG501",), _order),
    ("snapshots", "每课时随机留存影像照片", "a random photo each class hour", ("OG601", "OG603"), _snapshots),
)
