"""OG105 rewritten-events 改写事件

查什么 / What it looks for
    同一 seq 以不同内容再次发送;或同一播放器 at_ms 的倒退合计超过 slack_s。

    A used `seq` was sent again with other content, or a player's backward steps of `at_ms` add up to more than
    slack_s.

阈值 / Thresholds
    playback.slack_s

条款 / Clause
    事后改写学习记录属虚假培训的迹象;(session, seq) 是事件的身份,at_ms 单调,这两点是工程规则。由人工复核。

    Rewriting a record afterwards is a sign of sham training; that (session, seq) names an event and that `at_ms`
    never goes back is engineering. A person decides.

证据 / Evidence
    value: 单个播放器倒退的最大合计秒数
    limit: slack_s
    count: 冲突事件数加倒退过多的播放器数
    conflicts: 冲突事件数

    value: greatest sum of backward steps of a player, in seconds
    limit: slack_s
    count: events in conflict and players that step back too far
    conflicts: events kept aside as conflicts

边界 / Boundary
    倒退合计恰好 slack_s 不算;一个冲突即算。先收到的事件计入,后来的另存。

    A sum of exactly slack_s passes; one conflict holds. The event received first counts, the other is kept aside.

诚实学员 / Honest learner
    浏览器崩溃后恢复页面,计数器从旧值续起,两段真实记录用了相同的 seq;或播放器用可被校时的系统时钟计 at_ms。

    After a crash a restored page counts on from an old number, and two true records share a `seq`; or a player takes
    `at_ms` from a system clock that is corrected meanwhile.

申诉 / Appeal
    学员说明崩溃时刻即可。平台可出示崩溃报告和两份事件:后一份只是从恢复处续记,位置没有变得有利;并改为从服务端应答取下
    一个 seq。

    A learner says when the browser crashed. A platform can show the crash report and both events: the later one
    merely goes on, and gains no position; and take the next `seq` from the service's answer from now on.

不应报 / Must stay silent
    同一批次重复到达;内容相同的重发。

    A batch delivered twice; the same event sent again.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.rules.base import Findings, Reads, Rule, Together, seconds
from online_guard.terms import Subject
from online_guard.timeline.columns import backward_steps_ms, milliseconds
from online_guard.timeline.digest import View


def check(view: View, evidence: Evidence, policy: Policy) -> Findings:
    """Return the sessions with rewritten events or a clock that steps back."""
    timeline = view.timeline
    aside = np.searchsorted(timeline.rows, evidence.events.conflicts)
    conflicts = np.bincount(aside, minlength=timeline.sessions)
    steps = backward_steps_ms(timeline)
    far = steps > milliseconds(policy.playback.slack_s)
    players = np.bincount(timeline.track_session[far], minlength=timeline.sessions)
    furthest = np.zeros(timeline.sessions, np.int64)
    np.maximum.at(furthest, timeline.track_session, steps)
    local = np.flatnonzero((conflicts > 0) | (players > 0))
    return Findings.of(
        timeline.rows[local],
        value=seconds(furthest[local]),
        limit=policy.playback.slack_s,
        count=(conflicts + players)[local],
        conflicts=conflicts[local],
        start_ms=view.clocks.first_at_ms[local],
        end_ms=view.clocks.last_at_ms[local],
    )


RULE = Rule("OG105", "rewritten-events", "改写事件", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
