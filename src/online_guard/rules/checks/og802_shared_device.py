"""OG802 shared-device 共用设备同时学习

查什么 / What it looks for
    会话的播放区间(服务端时钟)与同一设备上其他学员会话的并集重叠,合计超过 overlap_slack_s。

    The session's playing intervals, on the service clock, lie over those of other learners' sessions on the same
    device (their union) by more than overlap_slack_s in sum.

阈值 / Thresholds
    windows.overlap_slack_s, device.max_learners

条款 / Clause
    一台设备同时替多人学习是虚假培训的迹象。由人工复核;容差是工程容差。

    One device that studies for several at once is a sign of sham training. A person decides; the slack is
    engineering.

证据 / Evidence
    value: 重叠秒数
    limit: overlap_slack_s
    count: 重叠的段数

    value: seconds of overlap
    limit: overlap_slack_s
    count: stretches of overlap

边界 / Boundary
    恰好 overlap_slack_s 不算。超过 device.max_learners 人的设备号只是标签,报告为无法判断。

    Exactly the slack passes. A device of more than device.max_learners learners is a label and not evaluable.

诚实学员 / Honest learner
    机房统一克隆的系统镜像使多台电脑共用一个设备号;或夫妻在同一台电脑上各开一个窗口学习。

    Computers cloned from one image share a device id; or a couple who study in two windows of one computer.

申诉 / Appeal
    机房可出示电脑清单与当时不同的 IP 或座位:设备号相同而机器不同,即应驳回,并修正设备号。共用一台电脑的学员须轮流学习,
    重叠部分重学。

    A computer room can show its list of machines and their addresses or seats: one id, several machines, and it is
    dismissed; the ids are to be mended. Learners who share a computer have to take turns and study the overlap again.

不应报 / Must stay silent
    先后使用同一台电脑。

    One computer used one after the other.

起 / Since
    0.1
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
