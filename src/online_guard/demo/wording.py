"""Findings and failed tests in words: what was measured and what was allowed, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from online_guard.assessment.eligibility import TESTS

SAID: dict[str, tuple[str, str]] = {
    "OG101": (
        "内容比时间允许的多走了 {value:.0f} 秒（余量 {limit:.0f} 秒）",
        "content ran {value:.0f} s ahead of what time allows (slack {limit:.0f} s)",
    ),
    "OG102": (
        "跳到 {value:.0f} 秒处，当时最远只能到 {limit:.0f} 秒",
        "jumped to {value:.0f} s; at most {limit:.0f} s had been reached",
    ),
    "OG103": (
        "声明 {value:.2f} 倍速播放（上限 {limit:.2f}），{count} 个事件",
        "declared a rate of {value:.2f} (limit {limit:.2f}) in {count} events",
    ),
    "OG104": (
        "播放时长比服务器经过的时间多 {value:.0f} 秒（上限 {limit:.0f} 秒）",
        "played {value:.0f} s more than had passed on the service's clock (limit {limit:.0f} s)",
    ),
    "OG105": (
        "{conflicts} 个已上报的事件被改写后重发；时间倒退合计 {value:.1f} 秒（上限 {limit:.0f} 秒）",
        "{conflicts} delivered events sent again with other content; time back {value:.1f} s (limit {limit:.0f} s)",
    ),
    "OG106": (
        "最长 {value:.0f} 秒没有上报，缺少 {missing} 个序号",
        "silent for up to {value:.0f} s, {missing} numbers missing",
    ),
    "OG107": (
        "{count} 处播放器不可能产生的事件顺序",
        "{count} places where the order of events is impossible for a player",
    ),
    "OG201": (
        "与其他会话同时播放 {value:.0f} 秒（余量 {limit:.0f} 秒）",
        "played for {value:.0f} s at the same time as other sessions (slack {limit:.0f} s)",
    ),
    "OG202": (
        "{count} 个播放器同时播放 {value:.0f} 秒（余量 {limit:.0f} 秒）",
        "{count} players played at once for {value:.0f} s (slack {limit:.0f} s)",
    ),
    "OG203": (
        "窗口隐藏时播放 {value:.0f} 秒（上限 {limit:.0f} 秒）",
        "played {value:.0f} s while hidden (limit {limit:.0f} s)",
    ),
    "OG204": (
        "窗口失去焦点时播放 {value:.0f} 秒（上限 {limit:.0f} 秒）",
        "played {value:.0f} s without focus (limit {limit:.0f} s)",
    ),
    "OG301": (
        "连续播放 {value:.0f} 秒没有起作用的弹窗（须少于 {limit:.0f} 秒）",
        "{value:.0f} s of playing without a pop-up that was answered (must be under {limit:.0f} s)",
    ),
    "OG302": (
        "{count} 个弹窗未及时作答，最长 {value:.0f} 秒（上限 {limit:.0f} 秒）",
        "{count} pop-ups not answered in time, up to {value:.0f} s (limit {limit:.0f} s)",
    ),
    "OG303": (
        "{count} 次作答，中位反应 {value:.0f} 毫秒，{regular_share:.0%} 几乎相同",
        "{count} answers, median reaction {value:.0f} ms, {regular_share:.0%} nearly the same",
    ),
    "OG304": (
        "连续几次会话播放 {value:.0f} 秒没有起作用的弹窗（须少于 {limit:.0f} 秒）",
        "{value:.0f} s of playing over sessions in a row without an answered pop-up (must be under {limit:.0f} s)",
    ),
    "OG305": (
        "{count} 个系统要求的弹窗没有显示",
        "{count} pop-ups that the service asked for were not shown",
    ),
    "OG401": (
        "播放 {value:.0f} 秒，没有做过活体比对（满 {limit:.0f} 秒须做）",
        "played {value:.0f} s without any liveness check (due from {limit:.0f} s)",
    ),
    "OG402": (
        "活体比对通过 {value} 次（至少 {limit} 次），失败 {count} 次",
        "{value} liveness checks passed (at least {limit}), {count} failed",
    ),
    "OG403": (
        "活体比对失败 {value} 次（{limit} 次起须复核），通过 {passed} 次",
        "{value} liveness checks failed (review from {limit}), {passed} passed",
    ),
    "OG404": (
        "{count} 张照片与参考照的中位距离 {value:.2f}（大于 {limit:.2f} 即非本人）",
        "median distance of {count} pictures to the reference {value:.2f} (another person above {limit:.2f})",
    ),
    "OG405": ("照片不合格，不计入留存", "the snapshot does not count as retained"),
    "OG406": ("{count} 张照片疑为翻拍", "{count} pictures look like a print or a screen"),
    "OG407": (
        "与参考照的中位距离 {value:.2f}（本人不大于 {limit:.2f}），最大 {greatest:.2f}",
        "median distance to the reference {value:.2f} (the same person up to {limit:.2f}), greatest {greatest:.2f}",
    ),
    "OG408": (
        "经活体比对的会话只覆盖本课 {value:.0%}（至少 {limit:.0%}）",
        "sessions with a passed liveness check cover {value:.0%} of the lesson (at least {limit:.0%})",
    ),
    "OG501": (
        "开始时第 {lesson_no} 课只看了 {value:.0%}（至少 {limit:.0%}）",
        "lesson {lesson_no} had been watched to {value:.0%} when this one began (at least {limit:.0%})",
    ),
    "OG601": (
        "{count} 个课时没有合格的随机留存照片（每课时至少 {limit} 张）",
        "{count} class hours without a good snapshot that was asked for (at least {limit} each)",
    ),
    "OG602": (
        "{count} 张照片此前已用过，先前的是 {value}",
        "{count} pictures had been used before, by {value}",
    ),
    "OG603": (
        "{count} 张照片不是系统要求拍摄的，或时间不符",
        "{count} snapshots were not asked for, or not taken at their time",
    ),
    "OG604": (
        "{count} 张照片就是登记照片，或同一张照片重复出现",
        "{count} pictures are the enrolled reference, or one picture twice",
    ),
    "OG605": (
        "{count} 张照片与另一学员的照片几乎相同：{value}",
        "{count} snapshots look like another learner's: {value}",
    ),
    "OG701": (
        "{count} 门课内容不足，最多短缺 {value:.0f} 秒",
        "{count} lessons are too short, by up to {value:.0f} s",
    ),
    "OG702": (
        "有效会话只覆盖本课 {value:.0%}（至少 {limit:.0%}）",
        "sessions that count cover {value:.0%} of the lesson (at least {limit:.0%})",
    ),
    "OG703": (
        "{value} 开始学习，越过 {limit}",
        "began on {value}, on the wrong side of {limit}",
    ),
    "OG801": (
        "与另一学员的人脸距离仅 {value:.2f}（不大于 {limit:.2f} 疑为同一人）",
        "face distance to another learner only {value:.2f} (one person up to {limit:.2f})",
    ),
    "OG802": (
        "与其他学员在同一设备上同时播放 {value:.0f} 秒",
        "played for {value:.0f} s at the same time as other learners on the same device",
    ),
    "OG803": (
        "{count} 次心跳的间隔几乎不变（四分位距 {value:.1f} 毫秒）",
        "{count} heartbeats at nearly constant intervals (interquartile range {value:.1f} ms)",
    ),
    "OG804": (
        "{value} 个事件的时间线与另一学员完全相同",
        "{value} events with the same timeline as another learner's",
    ),
    "OG805": (
        "符合 {count} 个已知刷课工具的特征（{value:.0%} 的情形相符）",
        "agrees with the signatures of {count} known tools ({value:.0%} of the cases)",
    ),
    "OG901": (
        "{count} 项管控缺失，最低比例 {value:.0%}（至少 {limit:.0%}）",
        "{count} controls missing, lowest share {value:.0%} (at least {limit:.0%})",
    ),
    "OG902": (
        "{value:.0%} 的管控集中在同一时间窗内，可以预知",
        "{value:.0%} of the moments lie within one window: they can be foreseen",
    ),
}
"""What each rule's evidence says; the names in braces are those of the evidence."""


def in_words(rule: str, evidence: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a finding measured and what was allowed, in Chinese and English.

    A rule or evidence without words of its own is shown as its plain values.
    """
    plain = ", ".join(f"{name} = {value}" for name, value in evidence.items())
    try:
        zh, en = SAID[rule]
        return zh.format(**evidence), en.format(**evidence)
    except (KeyError, ValueError):
        return plain, plain


def failed_test_in_words(code: str, evidence: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a failed test of eligibility asks for, with what was measured."""
    asked = TESTS[code]
    if "value" in evidence and "limit" in evidence:
        measured = f"{evidence['value']:g} / {evidence['limit']:g}"
        return f"{asked.zh}（{measured}）", f"{asked.en} ({measured})"
    if "waiting" in evidence:
        return f"{asked.zh}（{len(evidence['waiting'])} 项）", f"{asked.en} ({len(evidence['waiting'])})"
    return asked.zh, asked.en
