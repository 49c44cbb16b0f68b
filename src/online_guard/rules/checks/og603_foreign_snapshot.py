"""OG603 foreign-snapshot 来历不明的照片

查什么 / What it looks for
    服务端没有要求的照片;拍摄时间在会话首末事件之外 60 秒以上;或拍摄时间(服务端时钟)晚于接收时间 max_lead_s 以上。

    A snapshot that the service didn't ask for, or taken more than 60 s outside the session's first to last event, or
    dated (service clock) more than max_lead_s after it was received.

阈值 / Thresholds
    clock.max_lead_s

条款 / Clause
    照片须在随机时刻由要求而来。界限是工程容差,由人工复核。

    A snapshot has to be asked for at a random moment. The limits are engineering, and a person decides.

证据 / Evidence
    value: 1:每处记一次
    limit: 0
    count: 此类照片数
    snapshot: 第一张

    value: 1: each place counts once
    limit: 0
    count: such snapshots
    snapshot: the first of them

边界 / Boundary
    恰好 60 秒、恰好 max_lead_s 不算。

    Exactly 60 s and exactly max_lead_s pass.

诚实学员 / Honest learner
    平台另有每课开始时的拍照习惯,一并上传;或拍照设备与播放设备时钟不同。

    A platform that also takes a picture at each start and uploads it; or a camera whose clock isn't the player's.

申诉 / Appeal
    平台可出示这些照片的来源及其自身规定;它们不计为留存照片,但只要服务端要求的照片齐全,审核人员可驳回。学员无须另外举
    证。

    A platform can show where they come from and its own rule for them: they don't count as retained, but where those
    that were asked for are complete an auditor can dismiss. A learner need show nothing.

不应报 / Must stay silent
    时钟偏差;迟到的上传。

    Skewed clocks; late uploads.

起 / Since
    0.1
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
