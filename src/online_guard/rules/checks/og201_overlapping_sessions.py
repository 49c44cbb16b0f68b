"""OG201 overlapping-sessions 多窗口学习(会话重叠)

查什么 / What it looks for: 同一学员的播放区间(服务端时钟)与其其他会话(任何班次、平台)的并集重叠,合计超过
    overlap_slack_s,或不少于本会话播放时长的一半。Playing at the same time as the learner's other sessions.
条款 / Clause: 21(2) 多窗口学习.
证据 / Evidence: value = 重叠秒数 seconds of overlap, limit = overlap_slack_s, count = 段数 stretches, others = 相重
    叠的会话 the sessions overlapped, own_s = 本会话播放时长 the session's own playing clock.
边界 / Boundary: 恰好 overlap_slack_s 不算;恰好一半算 equal to the slack passes, exactly half doesn't.
不应报 / Must stay silent: 先后使用两台设备、时钟偏差 two devices one after the other, skewed clocks.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Integers
from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together, seconds
from online_guard.rules.overlap import overlap_findings, overlaps
from online_guard.terms import Subject
from online_guard.timeline.columns import milliseconds
from online_guard.timeline.segments import Spans, crowded, group_starts, pairs


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions that play while another session of the learner plays."""
    spans, learner = facts.digest.spans, facts.learner
    found = overlaps(facts, crowded(Spans(learner[spans.group], spans.start, spans.end)), learner)
    overlap, own = found.session_ms, facts.playing_ms
    holds = (overlap > milliseconds(policy.windows.overlap_slack_s)) | ((own > 0) & (2 * overlap >= own))
    said = overlap_findings(facts, found, holds, policy)
    said = said.with_column("own_s", seconds(own[said.row]))
    return said.with_column("others", _others(facts, said.row, found.owner))


def _others(facts: Facts, named: Integers, owner: Integers) -> list[list[str]]:
    """Return the keys of the sessions that each named session lies over, sorted."""
    spans = facts.digest.spans
    mine, span = pairs(named, spans.group)
    left, right = pairs(owner[span], owner)
    touch = (spans.start[right] < spans.end[span[left]]) & (spans.end[right] > spans.start[span[left]])
    touch &= spans.group[right] != named[mine[left]]
    pair = np.unique(np.stack((mine[left][touch], spans.group[right][touch]), axis=1), axis=0)
    keys = facts.evidence.sessions.key[pair[:, 1]]
    starts = group_starts(pair[:, 0])
    return [part.tolist() for part in np.split(keys, starts[1:])] if len(starts) else []


RULE = Rule(
    "OG201", "overlapping-sessions", "多窗口学习(会话重叠)", Subject.SESSION, Together.LEARNER, Reads.FACTS, check
)
