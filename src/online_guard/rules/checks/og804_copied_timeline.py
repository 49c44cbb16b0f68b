"""OG804 copied-timeline 复制的时间线

查什么 / What it looks for
    两名学员的会话有相同的(事件类型、自打开起的 100 ms 整数格)序列,且不少于 20 个事件。

    Sessions of two learners have the same list of (event type, time since the opening in whole 100 ms), of 20 events
    or more.

阈值 / Thresholds
    -

条款 / Clause
    复制他人的学习记录属虚假培训。由人工复核。

    Copying another learner's record is sham training. A person decides.

证据 / Evidence
    value: 事件数
    limit: 20
    count: 时间线相同的会话数
    others: 其他会话(至多 20 个)

    value: number of events
    limit: 20
    count: sessions that share the timeline
    others: the others, 20 at most

边界 / Boundary
    恰好 20 个事件算;时间向下取整到 100 ms。

    Exactly 20 events hold; times are rounded down to 100 ms.

诚实学员 / Honest learner
    真人不会在 100 ms 内重现 20 个动作。只记心跳、且自打开起固定周期的播放器,则会使所有人雷同。

    No person repeats 20 actions to within 100 ms. A player that says nothing but heartbeats at fixed times since the
    opening makes all its learners alike.

申诉 / Appeal
    平台可出示两会话的位置、照片和作答不同,说明只有心跳时刻由播放器决定。学员可出示各自的照片与登录地址:同一时刻在两
    地,各有其人。

    A platform can show that positions, snapshots and answers of the two differ, so that only the times of beats come
    from the player. Learners can show their own snapshots and addresses: two people in two places.

不应报 / Must stay silent
    同一学员的两个会话;19 个及以下事件。

    Two sessions of one learner; 19 events or fewer.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import Subject
from online_guard.timeline.segments import group_lengths, group_starts

FEWEST_EVENTS = 20
MOST_NAMED = 20
"""So many other sessions are named in the evidence; `count` says how many there are."""


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions whose timeline another learner's session repeats."""
    prints = facts.digest.fingerprints
    rows = np.flatnonzero(prints.events >= FEWEST_EVENTS)
    rows = rows[np.lexsort((prints.session[rows], prints.events[rows], prints.second[rows], prints.first[rows]))]
    key = np.stack((prints.first[rows], prints.second[rows], prints.events[rows].astype(np.uint64)), axis=1)
    group = np.cumsum(np.concatenate((np.zeros(min(1, len(rows)), bool), (key[1:] != key[:-1]).any(axis=1))))
    starts = group_starts(group)
    lengths = group_lengths(starts, len(rows))
    learner = facts.learner[prints.session[rows]]
    several = np.maximum.reduceat(learner, starts) != np.minimum.reduceat(learner, starts) if len(rows) else starts > 0
    named: list[int] = []
    others: list[list[str]] = []
    for start, length in zip(starts[several].tolist(), lengths[several].tolist(), strict=True):
        members = prints.session[rows[start : start + length]]
        named += members.tolist()
        others += [facts.evidence.sessions.key[members[members != own][:MOST_NAMED]].tolist() for own in members]
    order = np.argsort(np.array(named, np.int64), kind="stable")
    count = np.repeat(lengths[several], lengths[several])[order]
    session = np.array(named, np.int64)[order]
    sittings = facts.digest.sittings
    return Findings.of(
        session,
        value=facts.per_session(prints.session, prints.events)[session],
        limit=FEWEST_EVENTS,
        count=count,
        start_ms=facts.per_session(sittings.session, sittings.first_at_ms)[session],
        end_ms=facts.per_session(sittings.session, sittings.last_at_ms)[session],
        others=[others[number] for number in order],
    )


RULE = Rule("OG804", "copied-timeline", "复制的时间线", Subject.SESSION, Together.FINGERPRINT, Reads.FACTS, check)
