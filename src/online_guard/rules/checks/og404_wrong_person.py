"""OG404 wrong-person 非本人

查什么 / What it looks for: 会话至少有两个人脸距离(合格照片与通过的比对),其中位数大于 reject_distance。The median of
    at least two distances to the reference is too great.
条款 / Clause: 21(2) 无法进行人脸活体比对.
证据 / Evidence: value = 中位距离 median distance, limit = reject_distance, count = 距离个数 number of distances.
边界 / Boundary: 等于 reject_distance 不算;只有一个距离不算 equal to the limit passes; a single distance never
    rejects.
不应报 / Must stay silent: 新眼镜、手托下巴(见 OG407,人工复核) new glasses, a hand on the chin (OG407 asks a
    person).
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.rules.identity import distances, wrong_person
from online_guard.terms import Subject


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions whose faces aren't the learner's."""
    found, limit = distances(facts), policy.liveness.reject_distance
    named = np.flatnonzero(wrong_person(found, policy))
    return Findings.of(
        found.session[named], value=np.round(found.median[named], 6), limit=limit, count=found.number[named]
    )


RULE = Rule("OG404", "wrong-person", "非本人", Subject.SESSION, Together.SESSION, Reads.FACTS, check)
