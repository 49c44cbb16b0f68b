"""OG603 foreign-snapshot 来历不明的照片

查什么 / What it looks for: 服务端没有要求的照片;拍摄时间在会话首末事件之外 60 s 以上;或(服务端时钟)晚于接收时间
    max_lead_s 以上。A snapshot that wasn't asked for, or taken at a moment when it can't have been.
条款 / Clause: 21(2) 随机保留影像照片; 界限为工程容差 limits are engineering tolerances.
证据 / Evidence: value = count = 照片数 number of such snapshots, limit = 0, snapshot = 第一张 the first of them.
边界 / Boundary: 恰好 60 s、恰好 max_lead_s 不算 equal to a limit passes.
不应报 / Must stay silent: 时钟偏差、迟到的上传 skewed clocks, late uploads.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import Subject
from online_guard.timeline.columns import milliseconds

REACH_MS = 60_000
"""Fixed in SPEC OG603."""


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions with a snapshot of foreign origin."""
    snapshots, sittings = facts.evidence.snapshots, facts.digest.sittings
    spread = [
        facts.per_session(sittings.session, column)[snapshots.session]
        for column in (sittings.first_at_ms, sittings.last_at_ms, sittings.offset_ms)
    ]
    first, last, offset = spread
    has_events = np.isin(snapshots.session, sittings.session)
    outside = (snapshots.at_ms < first - REACH_MS) | (snapshots.at_ms > last + REACH_MS)
    ahead = snapshots.at_ms + offset - snapshots.received_ms > milliseconds(policy.clock.max_lead_s)
    rows = np.flatnonzero(has_events & (~snapshots.asked | outside | ahead))
    rows = rows[np.lexsort((snapshots.at_ms[rows], snapshots.session[rows]))]
    at_ms = snapshots.at_ms[rows]
    return Findings.of_places(
        snapshots.session[rows],
        value=np.ones(len(rows), np.int64),
        limit=0,
        start_ms=at_ms,
        end_ms=at_ms,
        snapshot=snapshots.key[rows],
    )


RULE = Rule("OG603", "foreign-snapshot", "来历不明的照片", Subject.SESSION, Together.SESSION, Reads.FACTS, check)
