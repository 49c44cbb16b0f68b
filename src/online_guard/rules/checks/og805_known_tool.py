"""OG805 known-tool 已知刷课工具

查什么 / What it looks for
    会话的事件符合政策包 known_tools.signatures 中一个已知刷课工具的全部常数:心跳周期、位置步长、发送周期、微间隔、暂
    停时长、作答延迟、停播位置、首个事件、事件种类。只作补充:工具的做法由其他规则识别。

    A session agrees with every constant of one known tool in known_tools.signatures: period of heartbeats, step of
    position, period of sending, micro-gaps, length of pauses, answer latency, stop, first event, kinds of events. A
    supplement: other rules find what tools do.

阈值 / Thresholds
    known_tools.signatures

条款 / Clause
    用工具刷课属虚假培训。特征与容差是工程容差,由人工复核。

    Study by a tool is sham training. Signatures and tolerances are engineering, and a person decides.

证据 / Evidence
    value: 相符情形的最低比例
    limit: 所需的比例 0.9
    count: 相符的特征数
    signatures: 特征编号
    labels_zh: 特征的中文名
    labels_en: 特征的英文名
    measured: 每个常数的中位数、相符情形数、情形数

    value: lowest share of cases that agree
    limit: share that is needed, 0.9
    count: signatures that agree
    signatures: their ids
    labels_zh: their Chinese names
    labels_en: their English names
    measured: of each constant the median, the cases that agree, all cases

边界 / Boundary
    每个常数须有 20 个心跳区间、3 次作答、2 次暂停、3 个微间隔或 10 个事件,恰好九成相符即算。心跳周期须分毫不差;位置步
    长、微间隔相差至多 1 ms,作答、暂停 5 ms,等步长 10 ms,发送周期 100 ms,停播位置 0.005。微间隔的每个值都须出
    现;event_types 之外不得有事件。时间全为 100 ms 整数倍的会话,单凭时间常数不算。

    Each constant needs 20 intervals of heartbeats, 3 answers, 2 pauses, 3 micro-gaps or 10 events; exactly nine
    tenths that agree are enough. A period agrees to the millisecond; steps and micro-gaps within 1 ms, answers and
    pauses 5 ms, equal steps 10 ms, sending 100 ms, the stop 0.005. Every micro-gap occurs; no event lies outside
    event_types. Where all times are multiples of 100 ms, constants of time alone don't count.

诚实学员 / Honest learner
    反应时间分布在数秒之间,三次都在同一 10 ms 内约为百万分之一。学校统一安装、以固定延迟代点弹窗的扩展或辅助软件,与弹
    窗点击器表现相同。

    Reactions spread over seconds: three within the same 10 ms happen about once in a million. An extension or
    assistive software that clicks after a fixed delay looks just like a pop-up clicker.

申诉 / Appeal
    学员可出示所用的辅助软件,并在审核人员面前用同一设备学习一课。平台可出示播放器源码中以该周期上报的定时器,或全体学员
    都有同一常数:那是播放器的,应从特征表删去。

    A learner can show the assistive software and study a lesson on the same device before an auditor. A platform can
    show a timer of that period in its player, or that all its learners share the constant: then it is the player's
    and belongs out of the signatures.

不应报 / Must stay silent
    抖动的定时器、人的作答、只记整秒或 100 ms 的日志;特征表为空时每个会话报告为无法判断。

    Jittering timers, a person's answers, logs of whole seconds or of 100 ms. Without signatures every session is not
    evaluable.

起 / Since
    0.2
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from online_guard.evidence import Evidence, Integers
from online_guard.policy import Policy
from online_guard.rules.base import Findings, Reads, Rule, Together
from online_guard.rules.signatures import NEARLY_ALL, Match, compare
from online_guard.rules.tool_constants import Seen
from online_guard.terms import Subject
from online_guard.timeline.digest import View


def check(view: View, evidence: Evidence, policy: Policy) -> Findings:
    """Return the sessions that agree with every constant of some signature."""
    signatures = policy.known_tools.signatures
    if not signatures:
        nothing = Findings.of(np.zeros(0, np.int64), value=0, limit=NEARLY_ALL)
        sessions = view.timeline.sessions
        return nothing.skipping({"no signatures": sessions} if sessions else {})
    seen = Seen(view)
    matches = [compare(seen, signature) for signature in signatures]
    fitting = reduce(np.logical_or, (match.fits for match in matches))
    coarse = int((reduce(np.logical_or, (match.coarse for match in matches)) & ~fitting).sum())
    found = _findings(view, np.flatnonzero(fitting), matches)
    return found.skipping({"clock too coarse": coarse} if coarse else {})


def _findings(view: View, local: Integers, matches: Sequence[Match]) -> Findings:
    """Return a finding for each session that some signature fits."""
    fitting = [[match for match in matches if match.fits[row]] for row in local]
    measured = [{match.signature.id: match.told(row) for match in own} for row, own in zip(local, fitting, strict=True)]
    return Findings.of(
        view.timeline.rows[local],
        value=[
            min(agreeing / cases for told in one.values() for _, agreeing, cases in told.values()) for one in measured
        ],
        limit=NEARLY_ALL,
        count=[len(own) for own in fitting],
        start_ms=view.clocks.first_at_ms[local],
        end_ms=view.clocks.last_at_ms[local],
        signatures=[[match.signature.id for match in own] for own in fitting],
        labels_zh=[[match.signature.label_zh for match in own] for own in fitting],
        labels_en=[[match.signature.label_en for match in own] for own in fitting],
        measured=measured,
    )


RULE = Rule("OG805", "known-tool", "已知刷课工具", Subject.SESSION, Together.SESSION, Reads.VIEW, check, since="0.2")
