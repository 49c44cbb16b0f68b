"""OG803 mechanical-telemetry 机械化遥测

查什么 / What it looks for
    不少于 30 个心跳到心跳的可观察播放区间,其 Δt 与(位置步长 − Δt)的四分位距都小于 2 ms:真实浏览器的定时器抖动更大。

    30 or more observed playing intervals from heartbeat to heartbeat, of which both Δt and the step of position less
    Δt have an interquartile range below 2 ms: a real browser's timer jitters more.

阈值 / Thresholds
    -

条款 / Clause
    由程序生成的记录属虚假培训的迹象。由人工复核。

    Records made by a program are a sign of sham training. A person decides.

证据 / Evidence
    value: Δt 的四分位距(毫秒)
    limit: 2
    count: 区间数
    step_ms: (位置步长 − Δt)的四分位距(毫秒)

    value: interquartile range of Δt in ms
    limit: 2
    count: number of intervals
    step_ms: interquartile range of the step less Δt, in ms

边界 / Boundary
    恰好 2 ms 不算;29 个区间不算。四分位数用线性插值。

    Exactly 2 ms passes; 29 intervals pass. Quartiles by linear interpolation.

诚实学员 / Honest learner
    空闲电脑上的播放器若用媒体时钟(而非定时器)决定心跳时刻并取整上报,会很整齐。

    A player on an idle computer that beats by the media's clock, not by a timer, and rounds what it tells, is very
    regular.

申诉 / Appeal
    平台可出示播放器以媒体时钟上报的源码,及同一版本下他人相同的规律:全体如此即属播放器。学员可在审核人员面前用同一设备
    学习十分钟,比较四分位距。

    A platform can show in its source that beats follow the media's clock, and the same regularity of all its
    learners. A learner can study for ten minutes before an auditor on the same device, to compare the ranges.

不应报 / Must stay silent
    时间只到整秒的日志(报告为无法判断);有抖动的定时器。

    A log of whole seconds, which is not evaluable; timers that jitter.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Evidence, Flags, Integers
from online_guard.policy import Policy
from online_guard.rules.base import Findings, Reads, Rule, Together
from online_guard.terms import Subject
from online_guard.timeline.columns import Timeline
from online_guard.timeline.digest import View
from online_guard.timeline.segments import (
    MS_IN_NS,
    TOLERANCE_NS,
    group_lengths,
    group_starts,
    sorted_within,
)

FEWEST = 30
LIMIT_MS = 2


def check(view: View, evidence: Evidence, policy: Policy) -> Findings:
    """Return the sessions whose heartbeats are mechanical."""
    timeline = view.timeline
    rows = timeline.beats[timeline.observed[timeline.beats]]
    session = timeline.session[rows]
    fine = _finer_than_seconds(timeline)
    starts = group_starts(session)
    lengths = group_lengths(starts, len(rows))
    likely = (lengths >= FEWEST) & fine[session[starts]] & _may_be_regular(timeline.delta_ms[rows], starts, lengths)
    kept = np.repeat(likely, lengths)
    rows, session = rows[kept], session[kept]
    starts = group_starts(session)
    delta = timeline.delta_ms[rows] * MS_IN_NS
    limit = 4 * (LIMIT_MS * MS_IN_NS - TOLERANCE_NS)
    period = _quartile_range_x4(session, delta)
    step = _quartile_range_x4(session, timeline.end_ns[rows] - timeline.start_ns[rows] - delta)
    named = np.flatnonzero((period < limit) & (step < limit))
    local = session[starts[named]]
    found = Findings.of(
        timeline.rows[local],
        value=np.round(period[named] / 4 / MS_IN_NS, 6),
        limit=LIMIT_MS,
        count=group_lengths(starts, len(rows))[named],
        step_ms=np.round(step[named] / 4 / MS_IN_NS, 6),
        start_ms=view.clocks.first_at_ms[local],
        end_ms=view.clocks.last_at_ms[local],
    )
    coarse = int((~fine).sum())
    return found.skipping({"whole seconds only": coarse} if coarse else {})


def _finer_than_seconds(timeline: Timeline) -> Flags:
    """Return which sessions have a time that isn't a whole second; the first event's tells it nearly always."""
    fine = np.asarray(timeline.at_ms[timeline.starts] % 1000 != 0)
    rows = timeline.events_of(np.flatnonzero(~fine))
    fine[timeline.session[rows[timeline.at_ms[rows] % 1000 != 0]]] = True
    return fine


def _may_be_regular(delta_ms: Integers, starts: Integers, lengths: Integers) -> Flags:
    """Return which groups may have an interquartile range below LIMIT_MS; most need no sorting to be told apart.

    Where more than a quarter lies 1 ms and more below some number, and as much above it, the quartiles lie that far
    apart. The number is the median of nine.
    """
    some = delta_ms[starts[:, None] + lengths[:, None] * np.arange(9) // 9]
    middle = np.repeat(np.sort(some, axis=1)[:, 4], lengths)
    off = delta_ms - middle
    half = LIMIT_MS // 2
    below, above = (
        np.add.reduceat(far, starts, dtype=np.int64) if len(starts) else lengths for far in (off <= -half, off >= half)
    )
    return np.asarray(np.minimum(below, above) < lengths // 4 + 2)


def _quartile_range_x4(group: Integers, values: Integers) -> Integers:
    """Return four times the interquartile range of each group (sorted), linear interpolation, exact."""
    starts = group_starts(group)
    values = sorted_within(values, starts)
    last = group_lengths(starts, len(group)) - 1

    def quartile_x4(number: int) -> Integers:
        whole, part = np.divmod(number * last, 4)
        low, high = values[starts + whole], values[starts + np.minimum(whole + 1, last)]
        return np.asarray((4 - part) * low + part * high)

    return quartile_x4(3) - quartile_x4(1)


RULE = Rule("OG803", "mechanical-telemetry", "机械化遥测", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
