"""OG407 doubtful-person 是否本人存疑

查什么 / What it looks for
    不构成 OG404,而有一个距离大于 reject_distance,或中位数大于 match_distance。

    Not OG404, and some distance is greater than reject_distance or the median greater than match_distance.

阈值 / Thresholds
    liveness.match_distance, liveness.reject_distance

条款 / Clause
    是否本人不能确定,由人工复核。距离的界限是工程容差。

    Whether it was the learner isn't certain: a person decides. The limits of the distance are engineering.

证据 / Evidence
    value: 距离的中位数
    limit: match_distance
    count: 距离个数
    greatest: 最大的距离

    value: median distance
    limit: match_distance
    count: number of distances
    greatest: greatest distance

边界 / Boundary
    等于界限不算(浮点误差 10⁻⁶)。只有一个距离时中位数就是它。

    Equal to a limit passes (within 10⁻⁶). A single distance is its own median.

诚实学员 / Honest learner
    换了发型、戴新眼镜、侧脸、手托下巴;或一张照片里家人恰好坐在镜头前。

    A new haircut or glasses, a face in profile, a hand on the chin; or a relative who sat before the camera for one
    picture.

申诉 / Appeal
    审核人员把距离最大的照片与登记照并排比较;学员可补一张近照更新登记照。仅一张照片是他人时,学员可说明该时刻离座,其余
    照片足以支持驳回。

    An auditor puts the farthest picture beside the reference; a learner can renew the reference. Where one picture
    alone shows someone else, the learner can say why, and the others support a dismissal.

不应报 / Must stay silent
    与登记照相符的会话;没有距离的会话。

    Sessions whose faces match; sessions without distances.

起 / Since
    0.1
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
