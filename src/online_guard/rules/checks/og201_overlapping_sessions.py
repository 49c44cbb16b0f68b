"""OG201 overlapping-sessions 多窗口学习(会话重叠)

查什么 / What it looks for
    会话的播放区间(服务端时钟)与同一学员其他会话(任何班次、平台)的并集重叠,合计超过 overlap_slack_s,或不少于本会话播放
    时长的一半。

    The session's playing intervals, on the service clock, lie over those of the learner's other sessions (any class,
    any platform; their union) by more than overlap_slack_s in sum, or by at least half of its own playing clock.

阈值 / Thresholds
    windows.overlap_slack_s, playback.max_silence_s

条款 / Clause
    多窗口学习:一个人不能同时学两课。overlap_slack_s 是工程容差。

    Several windows: one person can't study two lessons at once. overlap_slack_s is engineering.

证据 / Evidence
    value: 重叠秒数
    limit: overlap_slack_s
    count: 重叠的段数
    others: 相重叠的会话
    own_s: 本会话的播放秒数

    value: seconds of overlap
    limit: overlap_slack_s
    count: stretches of overlap
    others: the sessions overlapped
    own_s: the session's own playing clock in seconds

边界 / Boundary
    恰好 overlap_slack_s 不算;恰好一半算。短会话靠“一半”这一条,免得切碎后逃过。

    Exactly the slack passes, exactly half holds: that catches sessions cut too short for the slack.

诚实学员 / Honest learner
    离开电脑时忘记暂停,在手机上继续学;电脑仍在播放。两处都在放,规则成立,尽管并无恶意。

    Leaving a computer that goes on playing and going on with the phone. Both played, so the rule holds, without any
    ill will.

申诉 / Appeal
    学员可说明哪一处无人观看,并请审核人员只撤销另一处的疑点:有弹窗作答和照片的那处为真。平台可出示两处设备的 IP 与作答
    记录,或证明账号被他人登录。

    A learner can say which of the two nobody watched, and ask to have the finding on the other dismissed: the one
    with answers and snapshots is the true one. A platform can show addresses and answers of both, or that someone
    else had logged in.

不应报 / Must stay silent
    先后使用两台设备;时钟有偏差的设备。

    Two devices one after the other; skewed clocks.

起 / Since
    0.1
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
