"""OG802 shared-device 共用设备同时学习

查什么 / What it looks for: 播放区间(服务端时钟)与同一设备上其他学员会话的并集重叠合计超过 overlap_slack_s。It plays
    while other learners' sessions play on the same device.
条款 / Clause: 三(三) 虚假培训; 由人工复核 a person decides.
证据 / Evidence: value = 重叠秒数 seconds of overlap, limit = overlap_slack_s, count = 段数 stretches.
边界 / Boundary: 等于 overlap_slack_s 不算 equal to the slack passes; 超过 device.max_learners 人的设备号只是标签 a
    device of more learners is a label, not evaluable.
不应报 / Must stay silent: 先后使用同一台电脑 one computer used one after the other.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.rules.overlap import overlap_findings, overlaps
from online_guard.terms import Subject
from online_guard.timeline.columns import milliseconds
from online_guard.timeline.segments import Spans, crowded, union


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions that play while another learner plays on the device."""
    spans, learner, device = facts.digest.spans, facts.learner, facts.evidence.sessions.device
    users = np.unique(np.stack((device, learner), axis=1), axis=0)
    pair = np.searchsorted(
        users[:, 0] * (learner.max(initial=0) + 1) + users[:, 1], device * (learner.max(initial=0) + 1) + learner
    )
    crowd = np.bincount(users[:, 0])
    label = crowd[device] > policy.device.max_learners
    together = union(pair[spans.group], spans.start, spans.end)
    over = crowded(Spans(users[together.group, 0], together.start, together.end))
    found = overlaps(facts, over, device)
    holds = (found.session_ms > milliseconds(policy.windows.overlap_slack_s)) & ~label
    said = overlap_findings(facts, found, holds, policy)
    unknown = int(label[facts.digest.sittings.session].sum())
    return said.skipping({"device id is a label": unknown} if unknown else {})


RULE = Rule("OG802", "shared-device", "共用设备同时学习", Subject.SESSION, Together.DEVICE, Reads.FACTS, check)
