"""OG805 known-tool 已知刷课工具

查什么 / What it looks for: 会话符合政策包 known_tools.signatures 中一个已知工具的全部常数。A session agrees with every
    constant of one known tool of the pack's known_tools.signatures; tolerances stand in rules/tool_constants.py.
条款 / Clause: 三(三) 虚假培训; 特征与容差为工程容差,由人工复核 engineering; a person decides.
证据 / Evidence: value = 相符情形的最低比例 lowest share of cases that agree, limit = 0.9, count = 特征数 signatures,
    signatures、labels_zh、labels_en = 相符的特征 which, measured = 各常数的 [实测值, 相符, 情形数] of each constant
    [measured, agreeing, cases].
边界 / Boundary: 恰好九成相符即算 exactly nine tenths hold; 20 个心跳区间、3 次作答、2 次暂停、3 个微间隔、10 个事件起
    判断 at least 20 intervals of heartbeats, 3 answers, 2 pauses, 3 micro-gaps, 10 events.
不应报 / Must stay silent: 只记整秒或 100 ms 的日志单凭时间常数不算 a log of whole seconds or of 100 ms by constants of
    time alone; 抖动的定时器、人的作答 jittering timers, a person's answers.
起 / Since: 0.2
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
