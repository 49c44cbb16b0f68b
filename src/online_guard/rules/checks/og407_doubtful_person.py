"""OG407 doubtful-person 是否本人存疑

查什么 / What it looks for: 不构成 OG404,而有距离大于 reject_distance,或中位数大于 match_distance。Not OG404, and
    some distance, or the median, is too great.
条款 / Clause: 21(2) 无法进行人脸活体比对; 由人工复核 a person decides.
证据 / Evidence: value = 中位距离 median distance, limit = match_distance, greatest = 最大距离 greatest distance,
    count = 距离个数 number of distances.
边界 / Boundary: 等于界限不算 equal to a limit passes.
不应报 / Must stay silent: 与登记照相符的会话 sessions whose faces match.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.rules.identity import DISTANCE_NOISE, distances, wrong_person
from online_guard.terms import Subject


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions whose faces may not be the learner's."""
    found, limits = distances(facts), policy.liveness
    some = found.greatest > limits.reject_distance + DISTANCE_NOISE
    most = found.median > limits.match_distance + DISTANCE_NOISE
    named = np.flatnonzero(~wrong_person(found, policy) & (some | most))
    return Findings.of(
        found.session[named],
        value=np.round(found.median[named], 6),
        limit=limits.match_distance,
        count=found.number[named],
        greatest=np.round(found.greatest[named], 6),
    )


RULE = Rule("OG407", "doubtful-person", "是否本人存疑", Subject.SESSION, Together.SESSION, Reads.FACTS, check)
