"""OG105 rewritten-events 改写事件

查什么 / What it looks for: 同一 seq 以不同内容再次发送,或同一播放器 at_ms 倒退合计超过 slack_s。A used `seq` was
    sent again with other content, or a player's clock steps back by more than slack_s in sum.
条款 / Clause: 工程规则 engineering: `at_ms` 单调 is monotonic, `(session, seq)` 是事件的身份 is an event's
    identity.
证据 / Evidence: value = 倒退秒数 greatest sum of backward steps, limit = slack_s, conflicts = 冲突事件数 events
    kept aside, count = 冲突与倒退过多的播放器数 conflicts and players over the limit.
边界 / Boundary: 倒退合计等于 slack_s 不算 equal to slack_s passes.
不应报 / Must stay silent: 同一批次重复到达 a batch delivered twice.
起 / Since: 0.1
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
