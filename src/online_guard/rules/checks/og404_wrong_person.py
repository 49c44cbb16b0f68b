"""OG404 wrong-person 非本人

查什么 / What it looks for
    会话至少有两个人脸距离(合格照片与通过的比对),其中位数大于 reject_distance。

    A session has at least two distances to the reference (of good snapshots and passed checks), and their median is
    greater than reject_distance.

阈值 / Thresholds
    liveness.reject_distance

条款 / Clause
    学习者不是学员本人,活体比对没有意义。距离的界限是工程容差。

    Another person studied, so that the liveness check proves nothing. The limit of the distance is engineering.

证据 / Evidence
    value: 距离的中位数
    limit: reject_distance
    count: 距离个数

    value: median distance
    limit: reject_distance
    count: number of distances

边界 / Boundary
    等于 reject_distance 不算(浮点误差 10⁻⁶);只有一个距离从不拒绝。

    Equal to reject_distance passes (within 10⁻⁶); a single distance never rejects.

诚实学员 / Honest learner
    登记照是多年前的、证件翻拍的,或登记时拿错了照片,则学员每次都与之不符。

    A reference photo of years ago, a copy of an identity card, or simply the wrong one: then the learner never
    matches it.

申诉 / Appeal
    学员可持身份证件当面核对,由平台更换登记照后重新计算距离:同一批照片与新登记照相符即应驳回。平台可出示登记照的采集记
    录。

    A learner can come with an identity card; the reference is replaced and the distances are measured again: if the
    same snapshots match the new one, the finding is dismissed. A platform can show how the reference was taken.

不应报 / Must stay silent
    个别照片距离大(见 OG407);新眼镜、手托下巴。

    Single great distances (OG407); new glasses, a hand on the chin.

起 / Since
    0.1
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
