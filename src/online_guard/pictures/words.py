"""Every word that stands in a picture, in Chinese and English."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """In which language a picture speaks; `BOTH` puts English behind Chinese names, for pages without a switch."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


SAID: dict[str, tuple[str, str]] = {
    "timeline": ("第 {lesson_no} 课播放时间线", "timeline of lesson {lesson_no}"),
    "legend": ("怎样看时间线", "how to read a timeline"),
    "minutes": ("{count:g} 分", "{count:g} min"),
    "seconds": ("{count:.1f} 秒", "{count:.1f} s"),
    "whole_seconds": ("{count:.0f} 秒", "{count:.0f} s"),
    "milliseconds": ("{count:.0f} 毫秒", "{count:.0f} ms"),
    "lane_play": ("播放", "playing"),
    "lane_sessions": ("{count} 次会话", "{count} sessions"),
    "lane_player": ("播放器 {number}", "player {number}"),
    "lane_control": ("操作", "controls"),
    "control_play": ("开始播放", "play"),
    "control_pause": ("暂停", "pause"),
    "control_ended": ("播放结束", "ended"),
    "lane_popup": ("弹窗", "pop-ups"),
    "lane_reaction": ("作答用时", "reaction"),
    "lane_photo": ("照片", "snapshots"),
    "lane_check": ("活体比对", "liveness"),
    "lane_arrival": ("到达服务器", "arrival"),
    "lane_beat": ("心跳间隔", "heartbeats"),
    "lane_other": ("同时：第 {lesson_no} 课", "with: lesson {lesson_no}"),
    "lane_device": ("同设备：第 {lesson_no} 课", "device: lesson {lesson_no}"),
    "other": ("第 {lesson_no} 课，{class_id}，{key}", "lesson {lesson_no}, {class_id}, {key}"),
    "none": ("没有", "none"),
    "cut": ("无事件，略去", "nothing happened, left out"),
    "jump": ("跳过 {length}", "skipped {length}"),
    "declared": ("声明 {rate:g} 倍速", "declares {rate:g}×"),
    "rate": ("{rate:.3g} 倍速", "{rate:.3g}×"),
    "ahead": ("多走 {length}", "{length} too far"),
    "most": ("允许的最快进度", "the fastest that is allowed"),
    "span": ("{first}–{last}", "{first}–{last}"),
    "hidden": ("窗口隐藏", "window hidden"),
    "blurred": ("窗口失去焦点", "window without focus"),
    "away": ("{what}，期间播放 {length}", "{what}, played {length} meanwhile"),
    "answered": ("弹窗按时作答", "pop-up answered in time"),
    "left_open": ("结束时未作答的最后一个弹窗", "last pop-up, open at the end"),
    "late": ("弹窗未及时作答", "pop-up not answered in time"),
    "not_shown": ("系统要求的弹窗没有显示", "pop-up asked for, not shown"),
    "photo_good": ("合格的随机照片", "good snapshot, asked for"),
    "photo_bad": ("不合格的照片", "snapshot that does not count"),
    "photo_foreign": ("未要求的照片", "snapshot not asked for"),
    "distance": ("与参考照的距离", "distance to the reference"),
    "same_as_reference": ("就是登记照片", "is the enrolled photo"),
    "same_as_capture": ("用过的照片", "used before"),
    "check_passed": ("活体比对通过", "liveness passed"),
    "check_failed": ("活体比对未通过", "liveness failed"),
    "check_inconclusive": ("活体比对无结论", "liveness inconclusive"),
    "same": ("{share} 在中位 {median} 左右", "{share} near the median {median}"),
    "steady": ("间隔 {median}，波动 {spread}", "every {median}, spread {spread}"),
    "future": ("事件时刻晚于到达：提前伪造", "arrived before it happened"),
    "not_yet": ("系统已全部收到，这段时间还没到来", "all was received before this time had come"),
    "together": ("同时播放", "both play"),
    "playing": ("正常播放", "playing"),
    "paused": ("暂停", "paused"),
    "silent": ("无心跳，不计时", "silence, doesn't count"),
    "fast": ("超过允许的进度", "faster than allowed"),
    "seek": ("拖动", "seek"),
    "seek_ahead": ("跳到没看过的地方", "jump to what was not reached"),
    "cone": ("一倍速能到的范围", "what 1× can reach"),
    "reject": ("不予认定", "refuses"),
    "review": ("待人工复核", "for review"),
    "note": ("提示", "note"),
    "dismissed": ("已排除", "dismissed"),
    "whole": ("整次会话", "whole session"),
    "times": ("共 {count} 处", "{count} in all"),
    "on_time": ("到达时刻", "arrival of events"),
    "finding": ("{number} {rule} {name}：{said}", "{number} {rule} {name}: {said}"),
    "earned": ("已认定", "earned"),
    "held": ("待复核", "held"),
    "refused": ("不予认定", "refused"),
    "unfinished": ("未学完", "unfinished"),
    "unopened": ("未开始", "not opened"),
    "heat": ("学时台账：学员与课程", "ledger: learners by lessons"),
    "heat_told": ("{state} {count} 课。", "{state}: {count} lessons."),
    "heat_cell": (
        "{name} 第 {lesson_no} 课：{state}，覆盖 {coverage:.0%}，{rules}",
        "{name}, lesson {lesson_no}: {state}, covered {coverage:.0%}, {rules}",
    ),
    "trend": ("各规则每周命中情况", "how often each rule was found, by week"),
    "trend_told": ("{name}：{sessions} 次会话中 {hits} 次。", "{name}: {hits} of {sessions} sessions."),
    "trend_week": ("{day} 起一周：{hits}/{sessions}，{share:.1%}", "week of {day}: {hits} of {sessions}, {share:.1%}"),
    "trend_hits": ("命中的会话占比", "share of sessions"),
    "trend_platform": ("几乎所有会话都命中：平台的问题", "nearly every session: the platform's fault"),
    "trend_elsewhere": ("其他平台", "other platforms"),
    "trend_upheld": ("审核后维持的占比", "share upheld by auditors"),
    "calendar": ("线下考核日历", "assessment calendar"),
    "calendar_window": ("可考 {candidates} 人，不符合 {refused} 人", "{candidates} eligible, {refused} refused"),
    "calendar_roster": ("名单第 {version} 版已发布", "roster version {version} published"),
    "calendar_none": ("尚无名单", "no roster yet"),
    "calendar_seats": ("{count} 人考核", "{count} candidates"),
    "calendar_used": ("考核日及人数", "assessment day, candidates"),
    "day_working": ("工作日", "working day"),
    "day_off": ("休息日", "day off"),
    "day_unknown": ("尚无放假通知", "no official notice yet"),
    "told_session": (
        "{first} 至 {last}，{sessions} 次会话，{players} 个播放器。",
        "{first} to {last}, {sessions} sessions, {players} players.",
    ),
    "told_popups": ("弹窗 {shown} 个，按时作答 {good} 个。", "{shown} pop-ups, {good} answered in time."),
    "told_photos": ("照片 {count} 张，合格 {good} 张。", "{count} snapshots, {good} good."),
    "told_checks": ("活体比对 {count} 次，通过 {good} 次。", "{count} liveness checks, {good} passed."),
    "told_jumps": ("跳到没看过的地方 {count} 次。", "{count} jumps to what was not reached."),
    "told_others": ("同时有 {count} 次其他会话。", "{count} other sessions at the same time."),
}
"""What each word says; names in braces are given by the caller."""


def pair(language: Language, words: tuple[str, str]) -> str:
    """Return a Chinese and an English text in a language."""
    zh, en = words
    return {Language.ZH: zh, Language.EN: en, Language.BOTH: zh if zh == en else f"{zh} {en}"}[language]


def say(language: Language, name: str, /, **values: object) -> str:
    """Return a word of `SAID` in a language, with its values; what has values is said in one language only."""
    zh, en = SAID[name]
    if values:
        return (en if language is Language.EN else zh).format(**values)
    return pair(language, (zh, en))


def length(language: Language, seconds: float) -> str:
    """Return a length of time: seconds below two minutes, else minutes."""
    if abs(seconds) < 10:
        return say(language, "seconds", count=seconds)
    if abs(seconds) < 120:
        return say(language, "whole_seconds", count=seconds)
    return say(language, "minutes", count=round(seconds / 60, 1))
